# New tensors.
from libc.stdint cimport int64_t

from taeda.kernels.cpu.abi cimport View
from taeda.tensor_base cimport TensorBase


cdef TensorBase empty(int ndim, const int64_t* shape, int dtype, int device)     # contiguous
cdef int set_dtype(TensorBase t, int dtype) noexcept               # of a tensor without memory
cdef TensorBase empty_like(TensorBase x)                          # same shape/dtype/device, contiguous
cdef TensorBase empty_as(TensorBase x, int dtype, int device)     # x's shape and memory order of dims
cdef TensorBase empty_shape(object shape, int dtype, int device)  # shape: any sequence of ints
cdef TensorBase empty_for(int ndim, const int64_t* shape, int dtype, int device, int n, View** operands)
    # laid out in memory as its operands are
cdef TensorBase scalar_tensor(object number, int dtype, int device)   # 0-d, from a Python number
cdef TensorBase held_scalar(object number, int dtype, int device)     # refuses a number that the dtype cannot hold
cdef TensorBase as_strided_view(TensorBase x, int ndim, const int64_t* shape, const int64_t* strides,
                                int64_t offset)                   # plain view, no history
