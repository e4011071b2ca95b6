# What pools and their inverse check and ask of their arguments.
from libc.stdint cimport int64_t

from taeda.tensor_base cimport TensorBase

cdef int read_sizes(str op, str name, object value, int n, int64_t* out) except -1
cdef int check_input(str op, TensorBase x, int n, int first) except -1
cdef bint lies_last(TensorBase x, int n) noexcept
