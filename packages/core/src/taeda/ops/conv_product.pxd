# Convolutions that are one product of matrices.
from libc.stdint cimport int64_t

from taeda.kernels.cpu.abi cimport View
from taeda.tensor_base cimport TensorBase

from taeda.ops.conv_geometry cimport Geometry, Part

# v: result and factors in five dimensions; whether it was one
cdef bint run_product(Part part, const Geometry* q, TensorBase out, View* v, TensorBase bias) except -1
# dims: room for fifteen numbers; what is returned holds the memory of x
cdef TensorBase seen_pixels(Geometry* q, const View* w, const View* y, View* x, int64_t* dims)
# dims: room for four numbers
cdef bint as_matrix(View* m, const View* v, int64_t* dims, bint turned) noexcept
