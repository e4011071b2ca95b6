from libc.stdint cimport int64_t

from taeda.kernels.cpu.abi cimport MAX_DIM
from taeda.tensor_base cimport TensorBase

# Steps of an index that make a view.
cdef enum:
    ALIAS = 0
    SELECT = 1
    SLICE = 2
    UNSQUEEZE = 3

cdef struct Layout:              # of a view of x
    int nd, last                 # last: the step that names the node
    int64_t offset
    int64_t shape[MAX_DIM]
    int64_t strides[MAX_DIM]
    int64_t start[MAX_DIM]       # first element taken, for each dimension of x
    int64_t source[MAX_DIM]      # the dimension of x, -1 for a new one
    int64_t step[MAX_DIM]

cpdef object getitem(object input, object index)

# What assignment reads its index with.
cdef tuple numbers(const int64_t* values, int n)
cdef TensorBase make_view(TensorBase x, Layout* q)
cdef bint is_tuple_like(object index)
cdef TensorBase index_of(object item, str op)
cdef int parse(Layout* q, TensorBase x, object index, list pos, list idx, str op) except -1
cdef bint whole_mask(TensorBase x, object index)
