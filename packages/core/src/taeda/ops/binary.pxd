# What other rooms share with formulas of two tensors.
from taeda.dispatch cimport Op
from taeda.tensor_base cimport TensorBase

cdef Op MUL
cdef bint is_one(object alpha)
cdef bint one_pass_(Op op, str name, TensorBase x, tuple others, object value) except -1
cdef double in_dtype(object alpha, int dtype) except? -1
