# move.h for Cython.
from libc.stdint cimport int64_t

from taeda.kernels.cpu.abi cimport View

cdef extern from "move.h" nogil:
    void copy_row(char *y, const char *x, int64_t nbytes) noexcept
    void fill_row(char *y, const char *x, int64_t nbytes, int64_t itemsize) noexcept
    void move(const View *y, const View *x, int threads) noexcept
