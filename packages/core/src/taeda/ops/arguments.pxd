# How ops hand tensors and numbers to a kernel.
from taeda.kernels.cpu.abi cimport Param, View
from taeda.tensor_base cimport TensorBase


cdef inline View* view_of(TensorBase t) noexcept:
    """The tensor's view; NULL where there is none."""
    return NULL if t is None else &t.view


cdef inline int whole_numbers(tuple numbers, int n, Param* p) except -1:
    """Make the first n numbers a kernel's parameters."""
    cdef int i
    for i in range(n):
        p[i].i = numbers[i]
    return 0
