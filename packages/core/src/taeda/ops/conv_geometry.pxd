# What is said of every convolution: its geometry, which part of it is computed, and how its images lie.
from libc.stdint cimport int64_t

from taeda.kernels.cpu.abi cimport View

ctypedef struct Geometry:          # [depth, height, width]; a missing one has size and stride 1 and no padding
    int n                          # spatial dimensions: 1, 2 or 3
    int64_t stride[3]
    int64_t pad[3]                 # in front, on top, left; what is needed at the other ends follows from the shapes
    int64_t dilation[3]
    int64_t groups
    bint last                      # results lie channels last in memory

cdef enum Part:                   # of the three tensors of a convolution, what is computed
    RESULT, INPUT_GRADIENT, WEIGHT_GRADIENT


cdef inline int64_t pixels_of(const View* v) noexcept:
    return v.shape[2] * v.shape[3] * v.shape[4]


cdef inline bint side_by_side(const View* v) noexcept:
    """Whether the pixels of a channel are one run of memory."""
    return ((v.strides[4] == 1 or v.shape[4] == 1) and (v.strides[3] == v.shape[4] or v.shape[3] == 1)
            and (v.strides[2] == v.shape[3] * v.shape[4] or v.shape[2] == 1))
