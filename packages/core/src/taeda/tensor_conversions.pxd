# Tensor's ways to other places and types, a class between TensorAutograd and Tensor.
from taeda.tensor_autograd cimport TensorAutograd


cdef class TensorConversions(TensorAutograd):
    pass
