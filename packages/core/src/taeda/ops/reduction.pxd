# What every room that reduces uses: which dimensions, the result's shape, and the way back.
from libc.stdint cimport uint64_t

from taeda.dispatch cimport Op
from taeda.kernels.cpu.abi cimport Param
from taeda.tensor_base cimport TensorBase

cdef object pick(str op, object value, object synonym, str name, str other)      # dim or axis, keepdim or keepdims
cdef uint64_t read_dims(str op, object dim, int ndim) except? 0x8000000000000000
    # bit d: dimension d is reduced; None and an empty list mean all
cdef object extent(TensorBase x, uint64_t dims)                       # how many elements make one result
cdef TensorBase reduced_empty(TensorBase x, uint64_t dims, bint keepdim, int dtype)
cdef int launch_reduction(Op op, TensorBase x, uint64_t dims, TensorBase y, TensorBase z, const Param* p) except -1
cdef bint one_each(TensorBase x, uint64_t dims) noexcept
cdef TensorBase reduce_one(Op op, TensorBase x, uint64_t dims, bint keepdim, int dtype, const Param* p)
cdef object dtype_with(object dtype, object out)                      # the given one, else that of out
cdef tuple write_pair(object out, TensorBase y, TensorBase at, str op)
cdef int check_not_empty(str op, TensorBase x, object dim, uint64_t dims) except -1
cdef tuple way_back(TensorBase x, uint64_t dims, bint keepdim)        # extra of a node
cdef TensorBase restore(TensorBase g, tuple back)                     # with size 1 where reduced
cdef TensorBase expand_back(TensorBase g, tuple back)                 # in the shape of the input, nothing copied
cdef object select_back(TensorBase g, TensorBase indices, tuple back, int dim)   # g where the index points, else 0
cdef object share_back(object g, object x, object y, tuple back, bint nan)   # g split evenly among x equal to y
cdef tuple listed(tuple back)                                         # the reduced dimensions
