# What other modules that make tensors share.
from taeda.tensor_base cimport TensorBase

cdef int dtype_code(object dtype, str op, int fallback) except -1
cdef int device_code(object device, str op) except -1
cdef TensorBase finish(TensorBase t, bint requires_grad)
cdef TensorBase out_or(str op, object out, TensorBase t, object dtype, object device)
