# The elementwise driver of loops.h for Cython.
from libc.stdint cimport int64_t

from taeda.kernels.cpu.abi cimport Loop, Param, View

cdef extern from "loops.h" nogil:
    enum:
        IN_ORDER
    int64_t elementwise(View **t, int n, Loop loop, const Param *p, int threads) noexcept
