# What the ops of rows take from those of lanes.
from taeda.tensor_base cimport TensorBase

cdef TensorBase flat(TensorBase t)
cdef object fresh(object x, str op)
