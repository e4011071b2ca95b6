# Which kernels compute a convolution or one of its gradients.
from libc.stdint cimport int64_t

from taeda.dispatch cimport Op
from taeda.tensor_base cimport TensorBase

ctypedef struct Geometry:          # [depth, height, width]; a missing one has size and stride 1 and no padding
    int n                          # spatial dimensions: 1, 2 or 3
    int64_t stride[3]
    int64_t pad[3]                 # in front, on top, left; what is needed at the other ends follows from the shapes
    int64_t dilation[3]
    int64_t groups
    bint last                      # results lie channels last in memory

cdef enum Part:                   # of the three tensors of a convolution, what is computed
    RESULT, INPUT_GRADIENT, WEIGHT_GRADIENT

# out = this part, made of the two others; op's own kernels take whatever no better ones do
cdef int compute(Part part, Op op, const Geometry* q, TensorBase out, TensorBase a, TensorBase b, TensorBase bias) except -1
