# Room for OpenBLAS's buffers, see blas_room.pyx: whoever calls it asks before, for so many threads, and says when they are out again.
from libc.stdint cimport int64_t

cdef bint enter(int64_t threads) noexcept nogil        # 0: there is no memory, and OpenBLAS must not be called
cdef void leave(int64_t threads) noexcept nogil
