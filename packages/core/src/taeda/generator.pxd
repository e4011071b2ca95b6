# A stream of random numbers and the lock that its readers hold.
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t

cdef extern from "random.h" nogil:
    ctypedef struct MT19937:
        uint32_t state[624]
        int32_t left
        uint32_t next
        uint64_t seed
        double normal
        int32_t has_normal
        float normal_f32
        int32_t has_normal_f32
    void mt_seed(MT19937* g, uint64_t seed)
    uint32_t mt_u32(MT19937* g)


cdef class Generator:
    cdef MT19937 mt
    cdef void* lock
    cdef int64_t epoch             # forks that this process has come through when the lock was made
    cdef object __weakref__

    cdef int acquire(self) except -1     # hold while reading; releases the GIL if it must wait
    cdef void release(self) noexcept


cdef Generator generator_of(object generator, str op)       # None: the default generator
