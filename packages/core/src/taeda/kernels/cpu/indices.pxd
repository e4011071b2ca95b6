# indices.h for Cython.
from libc.stdint cimport int64_t

from taeda.kernels.cpu.abi cimport View

cdef extern from "indices.h" nogil:
    enum:
        AHEAD

    void prefetch(const char *row, int64_t nbytes)
    int64_t check_index(const View *ix, int64_t low, int64_t size, int threads)
