# Tensor's ways to other places and types, a class between TensorAttributes and Tensor.
from taeda.tensor_attributes cimport TensorAttributes


cdef class TensorConversions(TensorAttributes):
    pass
