# Forward mode: tangents that tensors carry, and how an op's node carries them on.
from taeda.autograd.node cimport Node
from taeda.tensor_base cimport TensorBase

cdef int level                          # open dual levels (at most one), of the whole process: nothing is paid at 0

cdef bint has_tangent(TensorBase t) noexcept
cdef int carry(Node n, tuple inputs) except -1           # hang the inputs' tangents on the edges of a new node
cdef int propagate(Node n, tuple outs) except -1         # take them off again: the outputs get their tangents
cdef int propagate_view(TensorBase out, TensorBase x) except -1
cdef int propagate_inplace(Node n, TensorBase x) except -1    # 0: nothing is left to record
cdef int lend_tangent(TensorBase t, TensorBase x) except -1   # t, which stands for x as it is now, gets x's tangent
