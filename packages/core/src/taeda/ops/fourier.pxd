# The three discrete Fourier transforms, recorded for autograd.
from taeda.tensor_base cimport TensorBase

cdef dict TRANSPOSED         # name of a norm -> that of the transposed transform

cdef TensorBase c2c(TensorBase x, tuple dims, str norm, bint forward)
cdef TensorBase r2c(TensorBase x, tuple dims, str norm, bint forward, bint half)
cdef TensorBase c2r(TensorBase x, tuple dims, str norm, object size)
