# One layer of a recurrent network in one direction, for the networks and cells that are made of it.
from libc.stdint cimport int64_t

from taeda.dispatch cimport Op
from taeda.kernels.cpu.abi cimport Param
from taeda.tensor_base cimport TensorBase

cdef enum:
    LSTM_CELL = 0            # as the kernel numbers them
    GRU_CELL = 1
    TANH_CELL = 2
    RELU_CELL = 3


cdef class Course:
    cdef int cell
    cdef bint reverse, whole           # whole: every step's state is a result, not the last one alone
    cdef int64_t steps, batch
    cdef bytes sizes                   # int64, falling, or None

    cdef int put(self, Param* p) noexcept
    cdef list rows(self)


cdef Op LSTM, GRU, RNN_TANH, RNN_RELU

cdef int cell_of(Op op) noexcept
cdef int gates_of(int cell) noexcept                           # rows of weights for each of the state's features
cdef tuple run_layer(Op op, Course course, TensorBase x, TensorBase hx, TensorBase cx, tuple weights)
