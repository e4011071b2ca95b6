# move.h for Cython.
from libc.stdint cimport int64_t, uint64_t

from taeda.kernels.cpu.abi cimport View

cdef extern from "move.h" nogil:
    enum:
        MOVE_STREAM
    void copy_row(char *y, const char *x, int64_t nbytes) noexcept
    void stream_row(char *y, const char *x, int64_t nbytes) noexcept
    void stream_end() noexcept
    void fill_words(char *y, uint64_t word, int64_t nbytes) noexcept
    void fill_row(char *y, const char *x, int64_t nbytes, int64_t itemsize) noexcept
    void move(const View *y, const View *x, int threads) noexcept
