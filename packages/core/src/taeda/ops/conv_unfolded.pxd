# Convolutions of a few places by many weights, as products of matrices.
from taeda.kernels.cpu.abi cimport View
from taeda.tensor_base cimport TensorBase

from taeda.ops.conv_choice cimport Geometry, Part

cdef bint few_places(Part part, const View* v) noexcept
# v: result and factors in five dimensions; least: what other ways cost, in operations on 16 floats
cdef bint run_unfolded(Part part, const Geometry* q, TensorBase out, const View* v, TensorBase bias, double least) except -1
