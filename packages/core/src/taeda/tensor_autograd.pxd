# A tensor's place in the graph, a class between TensorAttributes and TensorConversions.
from taeda.tensor_attributes cimport TensorAttributes
from taeda.tensor_base cimport TensorBase


cdef class TensorAutograd(TensorAttributes):
    pass


cdef int fill_from(TensorBase t, TensorBase source) except -1     # a fresh tensor: source's memory and layout, no history
