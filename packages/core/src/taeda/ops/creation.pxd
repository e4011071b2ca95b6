# What other modules that make tensors share.
from taeda.tensor_base cimport TensorBase

cdef tuple sizes_of(str op, tuple size, dict named=*)          # of f(2, 3), f((2, 3)), f([2, 3]) or f(size=(2, 3))
cdef int dtype_code(object dtype, str op, int fallback) except -1
cdef int device_code(object device, str op) except -1
cdef TensorBase finish(TensorBase t, bint requires_grad)
cdef int release_out(str op, TensorBase out) except -1      # before out= is resized and written to
cdef TensorBase out_or(str op, object out, TensorBase t, object dtype, object device)


cdef inline dict size_named(object size):
    """The keywords of a call whose ``size`` is None where it was not given."""
    return {} if size is None else {"size": size}
