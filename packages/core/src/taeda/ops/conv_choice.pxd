# Which kernels compute a convolution or one of its gradients.
from taeda.dispatch cimport Op
from taeda.tensor_base cimport TensorBase

from taeda.ops.conv_geometry cimport Geometry, Part

# out = this part, made of the two others; op's own kernels take whatever no better ones do
cdef int compute(Part part, Op op, const Geometry* q, TensorBase out, TensorBase a, TensorBase b, TensorBase bias) except -1
