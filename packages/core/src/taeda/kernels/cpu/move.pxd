# move.h for Cython.
from taeda.kernels.cpu.abi cimport View

cdef extern from "move.h" nogil:
    void move(const View *y, const View *x, int threads) noexcept
