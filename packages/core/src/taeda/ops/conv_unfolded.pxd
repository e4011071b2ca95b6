# Convolutions of a few places by many weights, as products of matrices, and those of small planes whose channels are turned innermost.
from libc.stdint cimport int64_t

from taeda.dispatch cimport Op
from taeda.kernels.cpu.abi cimport View
from taeda.tensor_base cimport TensorBase

from taeda.ops.conv_geometry cimport Geometry, Part

cdef bint few_places(Part part, const View* v) noexcept
# v: result and factors in five dimensions; least: what other ways cost, in operations on 16 floats
cdef bint run_unfolded(Part part, const Geometry* q, TensorBase out, const View* v, TensorBase bias, double least) except -1
# each: the kernel for channels that lie innermost and have a kernel each; op: the one for groups
cdef bint run_turned(Part part, Op op, Op each, const Geometry* q, const View* v, TensorBase bias, int64_t work) except -1
