# Checks of an op's arguments, and the dtype and shape of what comes of them.
from libc.stdint cimport int64_t

from taeda.kernels.cpu.abi cimport View
from taeda.tensor_base cimport TensorBase


cdef struct Number:                                               # a Python number beside a tensor, as kernels see it
    View view
    double wide
    float narrow

cdef TensorBase as_tensor(object x, str op)                       # TypeError in the op's name if it is none
cdef int check_same_device(str op, tuple tensors) except -1
cpdef object plain_number(str op, str name, object x)             # an argument that must be a number, as one of Python's
cpdef double real_number(str op, str name, object x) except? -1   # and one that must be real
cdef int64_t integer(object x, str op) except? -1                 # an argument that must be an int, in 64 bits
cdef int wrap_dim(str op, object dim, int ndim) except -1         # -1 -> ndim-1; IndexError as PyTorch's
cdef int64_t relaid(int more) noexcept          # how often this thread gave a tensor in use another layout: set_, resize_, .data = ...
cdef int check_partial_overlap(str op, TensorBase a, TensorBase b) except -1
cdef tuple broadcast_shapes(str op, tuple a, tuple b)             # RuntimeError naming both
cdef int combine(int high, int low) noexcept
cdef int mixed_type(TensorBase a, TensorBase b) except -1
cdef bint castable(int from_, int to) noexcept
cdef int number_dtype(object x) noexcept                          # of a Python number as an operand, else -1
cdef bint as_number(object x, TensorBase beside, Number* n) noexcept  # only where that takes no more: real numbers, float32 and float64
cdef object in_64_bits(str op, object x)

cdef inline int result_type(TensorBase a, TensorBase b) except -1:  # PyTorch's promotion of two operands
    return a.view.dtype if a.view.dtype == b.view.dtype else mixed_type(a, b)
