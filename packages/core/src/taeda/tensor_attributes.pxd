# Tensor's attributes, a class between TensorBase and Tensor.
from taeda.tensor_base cimport TensorBase


cdef class TensorAttributes(TensorBase):
    pass


cdef dict extras(TensorBase t)                                    # the dict of what only few tensors have
cdef int fill_from(TensorBase t, TensorBase source) except -1     # a fresh tensor: source's memory and layout, no history
