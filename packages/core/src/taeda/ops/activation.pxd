# What the piecewise activations take from the smooth ones.
from taeda.autograd.node cimport Node
from taeda.tensor_base cimport TensorBase

cdef object flat(Node n, object h)
cdef TensorBase floats(object input, str op)
