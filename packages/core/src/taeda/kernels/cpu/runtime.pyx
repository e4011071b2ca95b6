# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""What all CPU kernels share: the thread count and the caching allocator.

The allocator keeps freed blocks in lists by size class and hands them out again, because a large block
that is fresh from the system costs a page fault per 4 KiB: a 1x1 convolution of 16x256x56x56 outputs spent
four fifths of its time in them.  Blocks are 64-byte aligned.  Classes: multiples of 64 bytes up to 1 KiB,
then eight steps per power of two, so at most an eighth of a block is unused.  What is kept is bounded by
``set_cache_limit``; a block that would exceed it empties the lists first, since they are full of sizes that the
program does not ask for any more.

Blocks of 2 MiB and more are mappings of their own, and ask for huge pages: a fresh block costs one page fault
where it had 512, and one entry of the processor's address cache serves 2 MiB instead of 4 KiB.  Beyond the caches
a copy gained a tenth by it, a 4096 x 4096 transpose a fifth; what fits in the caches runs as before.

So a fresh large block costs little but its zeros (4 ms of 64 MiB instead of 40), and the cache can be small where memory is
large: a fresh one takes the place of cached ones, largest first, as soon as both would pass by a sixteenth and 32 MiB what was
alive at the highest point so far.  (A network's backward pass wants other sizes than its forward pass: ResNet-18 at
16 x 224 x 224 kept 180 MiB that it could not use.)

A thread gets back the block that it freed, where one of the first few of a class is its own: what another core has just written
takes longer to fetch than to fill (two threads packed 128 x 784 x 512 in each other's blocks: 0.9 ms a product instead of 0.5).

One mutex guards the lists; a fork waits for it (pthread_atfork), so a child finds them whole.
"""
from libc.stdint cimport int64_t

cdef extern from *:
    """
    #include <pthread.h>
    #include <stdint.h>
    #include <stdlib.h>
    #include <sys/mman.h>
    #include <unistd.h>
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
    enum {
        HUGE_PAGE = 1 << 21,
        SLACK = 1 << 18,          /* the last huge page may have this much that nobody uses */
        WHOLE = 1 << 16           /* a multiple of the small page, whatever its size */
    };
    static size_t taeda_mapped(size_t n) {
        const size_t rest = n % HUGE_PAGE;
        return rest + SLACK >= HUGE_PAGE ? n - rest + HUGE_PAGE : (n + WHOLE - 1) / WHOLE * WHOLE;
    }
    static void *taeda_map(size_t n) {
        const size_t length = taeda_mapped(n);
        char *raw = mmap(NULL, length + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (raw == MAP_FAILED) return NULL;
        char *base = (char *)(((uintptr_t)raw + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE);
        if (base > raw) munmap(raw, base - raw);
        munmap(base + length, raw + HUGE_PAGE - base);
    #ifdef MADV_HUGEPAGE
        madvise(base, length / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
    #endif
        return base;
    }
    static void *taeda_system_alloc(size_t n) {
        void *block = NULL;
        if (n >= HUGE_PAGE && !taeda_exact_blocks) return taeda_map(n);
        return posix_memalign(&block, 64, n) == 0 ? block : NULL;
    }
    static void taeda_system_free(void *block, size_t n) {
        if (n >= HUGE_PAGE && !taeda_exact_blocks) munmap(block, taeda_mapped(n));
        else free(block);
    }
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
    enum:
        HUGE_PAGE
    void* system_alloc "taeda_system_alloc"(size_t n) noexcept nogil
    void system_free "taeda_system_free"(void* block, size_t n) noexcept nogil
    bint exact_blocks "taeda_exact_blocks"
    int leading_zeros "taeda_leading_zeros"(unsigned long long x) noexcept nogil
    int has_avx2_and_fma "taeda_has_v3"() noexcept nogil
    int has_avx512_parts "taeda_has_v4"() noexcept nogil
    int flush "taeda_flush_denormal"(int on, int threads) noexcept nogil
    long long physical_memory "taeda_physical_memory"() noexcept nogil

cdef enum:
    SMALL_CLASSES = 17          # class i holds blocks of 64 * i bytes, i <= 16
    STEPS = 8                   # classes per power of two above 1 KiB
    CLASSES = SMALL_CLASSES + STEPS * 54
    SPARE_BYTES = 1 << 25       # of large blocks that are kept beyond the highest point
    OWN_BYTES = 1 << 12         # from here on a block that this thread gave back is worth a look
    OWN_LOOKS = 4

num_threads = 1

cdef struct Block:              # a free block's first bytes
    Block* next
    void* owner                 # the thread that gave it back

cdef Block* lists[CLASSES]
cdef int64_t cached_bytes = 0
cdef int64_t live_bytes = 0
cdef int64_t peak_bytes = 0
cdef int64_t highest_bytes = 0  # the peak that no reset forgets
cdef int64_t cache_limit = 0
cdef int64_t hits = 0
cdef int64_t misses = 0
cdef int64_t live_blocks = 0


cdef inline int class_of(size_t n, size_t* rounded) noexcept nogil:
    cdef int power, step
    cdef size_t unit
    if n <= 1024:
        power = <int>((n + 63) >> 6)
        if power == 0:
            power = 1
        rounded[0] = n if exact_blocks else <size_t>power << 6
        return power
    power = 63 - leading_zeros(n - 1)              # 2^power <= n - 1 < 2^(power + 1)
    unit = (<size_t>1 << power) >> 3
    step = <int>((n - 1 - (<size_t>1 << power)) / unit) + 1
    rounded[0] = n if exact_blocks else (<size_t>1 << power) + step * unit
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


cdef void* cpu_alloc(size_t nbytes) noexcept nogil:
    """Return a 64-byte aligned block, or NULL: then the cache has been emptied and the system has none."""
    global cached_bytes, live_bytes, peak_bytes, highest_bytes, hits, misses, live_blocks
    cdef size_t size
    cdef int c
    cdef Block* block
    if nbytes > (<size_t>1 << 62):
        return NULL
    c = class_of(nbytes, &size)
    lock()
    block = taken(c, size)
    if block != NULL:
        cached_bytes -= size
        hits += 1
    else:
        misses += 1
        unlock()
        if size >= HUGE_PAGE:
            make_room(size)
        block = <Block*>system_alloc(size)
        if block == NULL:
            release_cache()
            block = <Block*>system_alloc(size)
            if block == NULL:
                return NULL
        lock()
    live_bytes += size
    live_blocks += 1
    if live_bytes > peak_bytes:
        peak_bytes = live_bytes
    if live_bytes > highest_bytes:
        highest_bytes = live_bytes
    unlock()
    return block


cdef void make_room(int64_t size) noexcept nogil:
    """Release large cached blocks, largest first, until `size` more bytes fit below the highest point so far."""
    global cached_bytes
    cdef int c = CLASSES - 1
    cdef Block* block
    while True:
        lock()
        block = NULL
        if live_bytes + cached_bytes + size > highest_bytes + highest_bytes / 16 + SPARE_BYTES:
            while c > 0 and lists[c] == NULL:
                c -= 1
            if class_bytes(c) >= HUGE_PAGE:
                block = lists[c]
                lists[c] = block.next
                cached_bytes -= class_bytes(c)
        unlock()
        if block == NULL:
            return
        system_free(block, class_bytes(c))


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
    if cached_bytes + <int64_t>size > cache_limit and <int64_t>size <= cache_limit:
        unlock()
        release_cache()
        lock()
    if cache_limit > 0 and cached_bytes + <int64_t>size <= cache_limit:
        (<Block*>block).next = lists[c]
        (<Block*>block).owner = this_thread()
        lists[c] = <Block*>block
        cached_bytes += size
        unlock()
    else:
        unlock()
        system_free(block, size)


cdef void release_cache() noexcept nogil:
    global cached_bytes
    cdef Block* head
    cdef Block* block
    cdef int c
    for c in range(CLASSES):
        lock()
        head = lists[c]
        lists[c] = NULL
        unlock()
        while head != NULL:
            block = head
            head = head.next
            system_free(block, class_bytes(c))
    lock()
    cached_bytes = 0
    for c in range(CLASSES):                       # what other threads gave back meanwhile
        head = lists[c]
        while head != NULL:
            cached_bytes += class_bytes(c)
            head = head.next
    unlock()


cdef int64_t class_bytes(int c) noexcept nogil:
    cdef int power
    if c < SMALL_CLASSES:
        return <int64_t>c << 6
    power = (c - SMALL_CLASSES) / STEPS + 10
    return (<int64_t>1 << power) + ((c - SMALL_CLASSES) % STEPS + 1) * ((<int64_t>1 << power) >> 3)


def empty_cache():
    """Give every cached block back to the system."""
    with nogil:
        release_cache()


def memory_stats():
    """Return the allocator's counters, in bytes and blocks, as a dict."""
    lock()
    stats = {
        "allocated_bytes.current": live_bytes,
        "allocated_bytes.peak": peak_bytes,
        "allocated_blocks.current": live_blocks,
        "cached_bytes.current": cached_bytes,
        "cache_limit_bytes": cache_limit,
        "cache_hits": hits,
        "cache_misses": misses,
    }
    unlock()
    return stats


def reset_peak_memory_stats():
    """Start the peak anew from what is allocated now."""
    global peak_bytes
    lock()
    peak_bytes = live_bytes
    unlock()


def set_cache_limit(int64_t nbytes):
    """Keep at most ``nbytes`` of freed blocks; a smaller limit empties the cache at once."""
    global cache_limit
    if nbytes < 0:
        raise ValueError(f"[set_cache_limit] the limit must not be negative, got {nbytes}")
    cache_limit = nbytes
    if cached_bytes > nbytes:
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
