# Convolutions of a few places by many weights, as products of matrices, and those of small planes whose channels are turned innermost.
from libc.stdint cimport int64_t

from taeda.dispatch cimport Op
from taeda.kernels.cpu.abi cimport View
from taeda.tensor_base cimport TensorBase

from taeda.ops.conv_geometry cimport Geometry, Part

ctypedef struct Axes:              # sizes, then strides, of a view of up to 8 dimensions
    int64_t of[16]

# what lies from an element of a memory on
cdef View seen(const View* memory, int64_t start, int ndim, Axes* axes) noexcept
# a memory without gaps, its last dimension the quickest, seen with the sizes of another view
cdef View dense_view(const View* memory, int ndim, const Axes* like, Axes* axes) noexcept
cdef TensorBase matrix(int64_t rows, int64_t cols, int dtype)
# an image as a matrix (places, channels)
cdef TensorBase places_of(const View* image, int dtype)
# weights as a matrix (results, terms); whether they lie so, and whether channels are innermost
cdef bint rows_of(View* m, const View* w, Axes* axes, bint* last) noexcept
cdef bint few_places(Part part, const View* v) noexcept
# v: result and factors in five dimensions; least: what other ways cost, in operations on 16 floats
cdef bint run_unfolded(Part part, const Geometry* q, const View* v, TensorBase bias, double least) except -1
# each: the kernel for channels that lie innermost and have a kernel each; op: the one for groups
cdef bint run_turned(Part part, Op op, Op each, const Geometry* q, const View* v, TensorBase bias, int64_t work) except -1
