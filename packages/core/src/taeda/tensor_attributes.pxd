# What a tensor says of itself, a class between TensorBase and TensorAutograd.
from taeda.tensor_base cimport TensorBase


cdef class TensorAttributes(TensorBase):
    pass
