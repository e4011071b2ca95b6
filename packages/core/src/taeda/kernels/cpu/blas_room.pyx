# cython: language_level=3
"""Room for OpenBLAS's buffers.

OpenBLAS maps 32 MiB for each thread that is inside of it, keeps them for the next one, and ends the process where it gets none.  So the
kernels that call it count their threads here first: more than one of them have to find that much address space.  It is given back at
once, since OpenBLAS asks for itself.  Where nothing limits a process's address space, what has been there once is not looked for again;
where something does, it always is, since of threads that were let in some may have come too late to need a buffer.  The first buffer
is mapped at import.
"""
from libc.stdint cimport int64_t

from taeda.kernels.cpu cimport runtime

cdef extern from *:
    """
    #include <stdint.h>
    #include <stdio.h>
    #include <sys/mman.h>
    #include <sys/resource.h>
    static int64_t taeda_inside, taeda_granted;
    static int64_t taeda_count(int64_t threads) { return __atomic_add_fetch(&taeda_inside, threads, __ATOMIC_RELAXED); }
    static int64_t taeda_known(void) { return __atomic_load_n(&taeda_granted, __ATOMIC_RELAXED); }
    static void taeda_grant(int64_t threads) {
        int64_t before = taeda_known();
        while (before < threads && !__atomic_compare_exchange_n(&taeda_granted, &before, threads, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {}
    }
    /* Does the system promise no more memory than it has, or has the process a limit? */
    static int taeda_limited(void) {
        static int strict = -1;
        struct rlimit limit;
        if (strict < 0) {
            FILE *mode = fopen("/proc/sys/vm/overcommit_memory", "r");
            strict = mode && fgetc(mode) == '2';
            if (mode) fclose(mode);
        }
        return strict || (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY);
    }
    static int taeda_fits(int64_t bytes) {
        void *at = mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        return at != MAP_FAILED && munmap(at, bytes) == 0;
    }
    """
    int64_t count "taeda_count"(int64_t threads) noexcept nogil
    int64_t known "taeda_known"() noexcept nogil
    void grant "taeda_grant"(int64_t threads) noexcept nogil
    bint limited "taeda_limited"() noexcept nogil
    bint fits "taeda_fits"(int64_t nbytes) noexcept nogil

cdef enum:
    BUFFER = 32 << 20         # as scipy-openblas is built


cdef bint enter(int64_t threads) noexcept nogil:
    cdef int64_t now = count(threads), before = known(), wanted = (now - min(before, 1)) * BUFFER
    cdef void *block
    if wanted <= 0 or (now <= before and not limited()):
        return True
    if not fits(wanted):
        block = runtime.cpu_alloc(wanted)          # which gives back what our cache holds before it gives up
        if block != NULL:
            runtime.cpu_free(block, wanted)
        if not fits(wanted):
            count(-threads)
            return False
    grant(now)
    return True


cdef void leave(int64_t threads) noexcept nogil:
    count(-threads)
