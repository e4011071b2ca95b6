# Convolutions whose windows lie side by side, as products of matrices.
from taeda.kernels.cpu.abi cimport View
from taeda.tensor_base cimport TensorBase

from taeda.ops.conv_geometry cimport Geometry, Part

# v: result and factors in five dimensions; whether it was one
cdef bint run_patches(Part part, const Geometry* q, TensorBase out, const View* v, TensorBase bias) except -1
