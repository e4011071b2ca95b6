# What the piecewise activations take from the smooth ones.
from taeda.tensor_base cimport TensorBase

cdef TensorBase floats(object input, str op)
