# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""What all CPU kernels share: the thread count and the caching allocator.

Freed blocks are kept and handed out again, because one that is fresh from the system costs a page fault per 4 KiB: a 1x1 convolution
of 16x256x56x56 outputs spent four fifths of its time in them.  Blocks are 64-byte aligned.

Blocks below 1 MiB, which a core's own cache may hold, go to lists by size class and come back last in, first out.  Classes: multiples of
64 bytes up to 1 KiB, then eight steps per power of two, so at most an eighth of a block is unused.  A thread gets back the block that it
freed, where one of the first few of a class is its own: what another core has just written takes longer to fetch than to fill (two
threads packed 128 x 784 x 512 in each other's blocks: 0.9 ms a product instead of 0.5).

Larger ones are parts of long mappings (arena.h), where memory serves requests of every size.

What is kept is bounded by ``set_cache_limit``, and by what was alive at the highest point so far, an eighth and 32 MiB: before a
block with fresh pages would pass that, others that nobody uses go back to the system: those of its own kind (lists, arena) first, of the
lists the one that was asked for longest ago, of the arena the largest.

One mutex guards the lists; a fork waits for it (pthread_atfork), so a child finds them whole.  Tensors come and go with the interpreter's
lock held, so blocks of up to 1 KiB pass through a shelf that needs no other: the two mutexes of a + b were a tenth of its time.
"""
from libc.stdint cimport int64_t
from libc.stdlib cimport free

cdef extern from *:
    """
    #include <pthread.h>
    #include <stdint.h>
    #include <stdlib.h>
    #include <unistd.h>
    #include "arena.h"
    #ifdef __x86_64__
    #include <cpuid.h>
    #include <immintrin.h>
    #endif

    static pthread_mutex_t taeda_lock = PTHREAD_MUTEX_INITIALIZER;
    static void taeda_lock_acquire(void) { pthread_mutex_lock(&taeda_lock); }
    static void taeda_lock_release(void) { pthread_mutex_unlock(&taeda_lock); }
    static void *taeda_this_thread(void) { return (void *)pthread_self(); }
    static void taeda_lock_install(void) {
        pthread_atfork(taeda_lock_acquire, taeda_lock_release, taeda_lock_release);
    }
    /* AddressSanitizer sees the end of a block, and its death, only where blocks are neither rounded nor kept. */
    #ifdef __SANITIZE_ADDRESS__
    enum { taeda_exact_blocks = 1 };
    #else
    enum { taeda_exact_blocks = 0 };
    #endif
    static void *taeda_system_alloc(size_t n) {
        void *block = NULL;
        return posix_memalign(&block, 64, n) == 0 ? block : NULL;
    }
    static size_t arena_used(void) { return arena.used; }
    static int taeda_leading_zeros(unsigned long long x) { return __builtin_clzll(x); }
    static int taeda_has_v3(void) {
    #if defined(__x86_64__) && defined(TAEDA_HAS_V3)
        unsigned a, b, c, d;                    /* of older clangs the builtin does not know f16c */
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2")
            && __get_cpuid(1, &a, &b, &c, &d) && c & bit_F16C;
    #else
        return 0;
    #endif
    }
    static int taeda_has_v4(void) {
    #if defined(__x86_64__) && defined(TAEDA_HAS_V4)
        return taeda_has_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")
            && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd");
    #else
        return 0;
    #endif
    }
    /* Bits 15 and 6 of the control register: tiny results become zero, tiny operands count as zero. A thread hands them to those it begins;
     * LLVM's OpenMP gives the thread that calls its register back, so that it is set once more. */
    static int taeda_flush_denormal(int on, int threads) {
    #ifdef __x86_64__
        (void)threads;
        #pragma omp parallel num_threads(threads)
        _mm_setcsr(on ? _mm_getcsr() | 0x8040 : _mm_getcsr() & ~0x8040u);
        _mm_setcsr(on ? _mm_getcsr() | 0x8040 : _mm_getcsr() & ~0x8040u);
        return 1;
    #else
        (void)on; (void)threads;
        return 0;
    #endif
    }
    static long long taeda_physical_memory(void) {
        return (long long)sysconf(_SC_PHYS_PAGES) * (long long)sysconf(_SC_PAGESIZE);
    }
    """
    void* this_thread "taeda_this_thread"() noexcept nogil
    void lock "taeda_lock_acquire"() noexcept nogil
    void unlock "taeda_lock_release"() noexcept nogil
    void install_fork_handlers "taeda_lock_install"() noexcept nogil
    void* system_alloc "taeda_system_alloc"(size_t n) noexcept nogil
    size_t arena_size(size_t n) noexcept nogil
    char* arena_take(size_t n, size_t* fresh) noexcept nogil
    void arena_give(char* at, size_t size, size_t used) noexcept nogil
    void arena_release(size_t least) noexcept nogil
    size_t arena_used() noexcept nogil
    bint exact_blocks "taeda_exact_blocks"
    int leading_zeros "taeda_leading_zeros"(unsigned long long x) noexcept nogil
    int has_avx2_and_fma "taeda_has_v3"() noexcept nogil
    int has_avx512_parts "taeda_has_v4"() noexcept nogil
    int flush "taeda_flush_denormal"(int on, int threads) noexcept nogil
    long long physical_memory "taeda_physical_memory"() noexcept nogil

cdef enum:
    SMALL_CLASSES = 17          # class i holds blocks of 64 * i bytes, i <= 16
    STEPS = 8                   # classes per power of two above 1 KiB
    CLASSES = SMALL_CLASSES + STEPS * 10
    LARGE = -1                  # the class of what the arena holds: from here on
    LARGE_BYTES = 1 << 20
    SPARE_BYTES = 1 << 25       # of blocks that are kept beyond the highest point
    OWN_BYTES = 1 << 12         # from here on a block that this thread gave back is worth a look
    OWN_LOOKS = 4
    SHELF_BLOCKS = 64           # of one class that the shelf keeps

num_threads = 1

cdef struct Block:              # a free block's first bytes
    Block* next
    void* owner                 # the thread that gave it back

cdef Block* lists[CLASSES]
cdef int64_t asked_at[CLASSES]  # how many blocks had been asked for when the class was last
cdef int64_t cached_bytes = 0
cdef int64_t live_bytes = 0
cdef int64_t peak_bytes = 0
cdef int64_t highest_bytes = 0  # the peak that no reset forgets
cdef int64_t cache_limit = 0
cdef int64_t hits = 0
cdef int64_t misses = 0
cdef int64_t live_blocks = 0

# the shelf, under the interpreter's lock: to the lists its blocks are alive, to those who ask for figures they are not
cdef Block* shelf[SMALL_CLASSES]
cdef int shelf_blocks[SMALL_CLASSES]
cdef int64_t shelved_bytes = 0
cdef int64_t shelved_blocks = 0
cdef int64_t shelf_hits = 0


cdef inline int class_of(size_t n, size_t* rounded) noexcept nogil:
    """Return a size's class, and how many bytes its blocks have."""
    cdef int power, step
    cdef size_t unit
    if exact_blocks:                               # they are not kept, so their class does not matter
        rounded[0] = n if n else 1
        return 0
    if n > LARGE_BYTES:
        rounded[0] = arena_size(n)
        return LARGE
    if n <= 1024:
        power = <int>((n + 63) >> 6)
        if power == 0:
            power = 1
        rounded[0] = <size_t>power << 6
        return power
    power = 63 - leading_zeros(n - 1)              # 2^power <= n - 1 < 2^(power + 1)
    unit = (<size_t>1 << power) >> 3
    step = <int>((n - 1 - (<size_t>1 << power)) / unit) + 1
    rounded[0] = (<size_t>1 << power) + step * unit
    return SMALL_CLASSES + (power - 10) * STEPS + step - 1


cdef Block* taken(int c, size_t size) noexcept nogil:
    """Take a block from a list; of the first few the one that this thread gave back, if it is worth a look."""
    cdef Block** place = &lists[c]
    cdef Block* block = lists[c]
    cdef void* me
    cdef int _look
    if block != NULL and size >= OWN_BYTES:
        me = this_thread()
        for _look in range(OWN_LOOKS):
            if block == NULL or block.owner == me:
                break
            place = &block.next
            block = block.next
        if block == NULL or block.owner != me:
            place = &lists[c]
            block = lists[c]
    if block != NULL:
        place[0] = block.next
    return block


cdef int64_t kept_bytes() noexcept nogil:
    """Return the bytes that nobody uses, with the lock held."""
    return cached_bytes + <int64_t>arena_used()


cdef int64_t excess_with(size_t size) noexcept nogil:
    """Return how many of the bytes that nobody uses are too many once a block of fresh pages is there, with the lock held."""
    cdef int64_t alive = live_bytes + <int64_t>size, highest = max(highest_bytes, alive)
    return alive + kept_bytes() - highest - highest / 8 - SPARE_BYTES


cdef int stalest() noexcept nogil:
    """Return the class that has blocks and was asked for longest ago, 0 if none has any."""
    cdef int c, found = 0
    for c in range(1, CLASSES):
        if lists[c] != NULL and (found == 0 or asked_at[c] < asked_at[found]):
            found = c
    return found


cdef void lists_release(int64_t least) noexcept nogil:
    """Give blocks of the lists back, of the stalest class first, until ``least`` bytes are back or none is left; with the lock held."""
    global cached_bytes
    cdef int c = stalest()
    cdef Block* block
    while least > 0 and c > 0:
        block = lists[c]
        lists[c] = block.next
        cached_bytes -= class_bytes(c)
        least -= class_bytes(c)
        free(block)
        if lists[c] == NULL:
            c = stalest()


cdef void* large_block(size_t size) noexcept nogil:
    """Return a block of the arena, with the lock held; pages that it needs take the place of some that nobody uses."""
    global hits, misses
    cdef size_t fresh
    cdef void* block = arena_take(size, &fresh)
    cdef int64_t excess
    if block == NULL or fresh == 0:
        hits += block != NULL
        return block
    misses += 1
    excess = excess_with(size)
    if excess > 0:
        arena_release(excess)
        lists_release(excess_with(size))
    return block


cdef void* small_block(int c, size_t size) noexcept nogil:
    """Return a block of a list or a fresh one, which takes the place of some that nobody uses, with the lock held."""
    global cached_bytes, hits, misses
    cdef void* block = taken(c, size)
    cdef int64_t excess
    asked_at[c] = hits + misses
    if block == NULL:
        misses += 1
        excess = excess_with(size)
        if excess > 0:
            lists_release(excess)
            excess = excess_with(size)
            if excess > 0:
                arena_release(excess)
        return system_alloc(size)
    cached_bytes -= size
    hits += 1
    return block


cdef void* cpu_alloc(size_t nbytes) noexcept nogil:
    """Return a 64-byte aligned block, or NULL: then what was kept has been given back, and the system has no more."""
    global live_bytes, peak_bytes, highest_bytes, live_blocks
    cdef size_t size
    cdef int c, _again
    cdef void* block = NULL
    if nbytes > (<size_t>1 << 62):
        return NULL
    c = class_of(nbytes, &size)
    for _again in range(2):
        lock()
        block = large_block(size) if c == LARGE else small_block(c, size)
        if block != NULL:
            live_bytes += size
            live_blocks += 1
            peak_bytes = max(peak_bytes, live_bytes - shelved_bytes)
            highest_bytes = max(highest_bytes, live_bytes)
        unlock()
        if block != NULL:
            break
        release_cache()
    return block


cdef void cpu_free(void* block, size_t nbytes) noexcept nogil:
    """Take back a block that cpu_alloc(nbytes) gave."""
    global cached_bytes, live_bytes, live_blocks
    cdef size_t size
    cdef int c
    if block == NULL:
        return
    c = class_of(nbytes, &size)
    lock()
    live_bytes -= size
    live_blocks -= 1
    if c == LARGE:
        arena_give(<char*>block, size, size)
        if kept_bytes() > cache_limit:
            arena_release(kept_bytes() - cache_limit)
        unlock()
        return
    if kept_bytes() + <int64_t>size > cache_limit and <int64_t>size <= cache_limit:
        unlock()
        release_cache()
        lock()
    if kept_bytes() + <int64_t>size <= cache_limit:
        (<Block*>block).next = lists[c]
        (<Block*>block).owner = this_thread()
        lists[c] = <Block*>block
        cached_bytes += size
        block = NULL
    unlock()
    free(block)


cdef void* shelf_alloc(size_t nbytes) noexcept:
    """``cpu_alloc`` for those who hold the interpreter's lock."""
    global peak_bytes, shelved_bytes, shelved_blocks, shelf_hits
    cdef int c = <int>((nbytes + 63) >> 6)
    cdef Block* block
    if nbytes > 1024 or shelf[c] == NULL:
        return cpu_alloc(nbytes)
    block = shelf[c]
    shelf[c] = block.next
    shelf_blocks[c] -= 1
    shelved_bytes -= c << 6
    shelved_blocks -= 1
    shelf_hits += 1
    if live_bytes - shelved_bytes > peak_bytes:
        lock()
        peak_bytes = max(peak_bytes, live_bytes - shelved_bytes)
        unlock()
    return block


cdef void shelf_free(void* block, size_t nbytes) noexcept:
    """Take back what ``shelf_alloc(nbytes)`` gave, with the interpreter's lock held."""
    global shelved_bytes, shelved_blocks
    cdef int c = <int>((nbytes + 63) >> 6)
    if nbytes > 1024 or shelf_blocks[c] >= SHELF_BLOCKS or kept_bytes() + shelved_bytes + (c << 6) > cache_limit:
        cpu_free(block, nbytes)
        return
    (<Block*>block).next = shelf[c]
    shelf[c] = <Block*>block
    shelf_blocks[c] += 1
    shelved_bytes += c << 6
    shelved_blocks += 1


cdef void clear_shelf() noexcept:
    """Give the blocks on the shelf back to the lists."""
    global shelved_bytes, shelved_blocks
    cdef Block* block
    cdef int c
    for c in range(1, SMALL_CLASSES):
        while shelf[c] != NULL:
            block = shelf[c]
            shelf[c] = block.next
            cpu_free(block, c << 6)
        shelf_blocks[c] = 0
    shelved_bytes = shelved_blocks = 0


cdef void release_cache() noexcept nogil:
    """Give the system back what nobody uses."""
    global cached_bytes
    cdef Block* head
    cdef Block* block
    cdef int c
    for c in range(CLASSES):
        lock()
        head = lists[c]
        lists[c] = NULL
        block = head
        while block != NULL:
            cached_bytes -= class_bytes(c)
            block = block.next
        unlock()
        while head != NULL:
            block = head
            head = head.next
            free(block)
    lock()
    arena_release(arena_used())
    unlock()


cdef int64_t class_bytes(int c) noexcept nogil:
    cdef int power
    if c < SMALL_CLASSES:
        return <int64_t>c << 6
    power = (c - SMALL_CLASSES) / STEPS + 10
    return (<int64_t>1 << power) + ((c - SMALL_CLASSES) % STEPS + 1) * ((<int64_t>1 << power) >> 3)


def empty_cache():
    """Give every cached block back to the system."""
    clear_shelf()
    with nogil:
        release_cache()


def memory_stats():
    """Return the allocator's counters, in bytes and blocks, as a dict."""
    lock()
    stats = {
        "allocated_bytes.current": live_bytes - shelved_bytes,
        "allocated_bytes.peak": peak_bytes,
        "allocated_blocks.current": live_blocks - shelved_blocks,
        "cached_bytes.current": kept_bytes() + shelved_bytes,
        "cache_limit_bytes": cache_limit,
        "cache_hits": hits + shelf_hits,
        "cache_misses": misses,
    }
    unlock()
    return stats


def reset_peak_memory_stats():
    """Start the peak anew from what is allocated now."""
    global peak_bytes
    lock()
    peak_bytes = live_bytes - shelved_bytes
    unlock()


def set_cache_limit(int64_t nbytes):
    """Keep at most ``nbytes`` of freed blocks; a smaller limit empties the cache at once."""
    global cache_limit
    if nbytes < 0:
        raise ValueError(f"[set_cache_limit] the limit must not be negative, got {nbytes}")
    cache_limit = nbytes
    if kept_bytes() + shelved_bytes > nbytes:
        empty_cache()


def set_num_threads(int n):
    """Set how many threads the kernels use."""
    global num_threads
    num_threads = n


def get_num_threads():
    """Return how many threads the kernels use."""
    return num_threads


def flush_denormal(bint on):
    """Let this thread's arithmetic, and its pool's, flush denormal numbers to zero, or keep them; return whether the processor can."""
    return flush(on, num_threads) != 0


def has_v3():
    """Whether this build has kernels for x86-64-v3 and the processor runs them."""
    return has_avx2_and_fma() != 0


def has_v4():
    """Whether this build has kernels for x86-64-v4 (AVX-512) and the processor runs them."""
    return has_avx512_parts() != 0


cache_limit = 0 if exact_blocks else physical_memory() // 4
install_fork_handlers()
