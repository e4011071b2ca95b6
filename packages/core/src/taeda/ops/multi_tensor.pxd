# What the multi-tensor steps share: checks of their lists, constants, the launch over all tensors.
from libc.stdint cimport int64_t

from taeda.dispatch cimport Op
from taeda.kernels.cpu.abi cimport Param

cdef enum:
    HEAD = 7                    # at most so many constants that all tensors share


cdef class Constants:           # of each tensor
    cdef Param* p


cdef list checked(str op, list roles, tuple names)
    # roles: parameters, what is written beside them, gradients; complex tensors come back as pairs of real numbers
cdef int check_numbers(str op, str name, list numbers, int64_t n) except -1    # 0-d state: step counts and the like
cdef double number_at(list numbers, int64_t i) noexcept
cdef int set_number(list numbers, int64_t i, double value) except -1
cdef int advance(list steps) except -1                                         # each step count grows by one
cdef int run(Op op, list roles, Param* head, int shared, Constants own, int per, int kept=*) except -1
    # head[1:shared] of all, own of each; kept: how many roles are only read (the last ones)
