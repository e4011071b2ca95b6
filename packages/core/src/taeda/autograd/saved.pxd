# Tensors that a node keeps for its vjp, where more than the tensor and its version must be known.
from libc.stdint cimport int64_t

from taeda.tensor_base cimport TensorBase

cdef int packing                        # how many blocks of saved_tensors_hooks are open, in all threads


cdef class SavedTensor:
    cdef TensorBase tensor              # as saved; None once it is packed
    cdef int64_t version
    cdef int own                        # number of the node's output that it is, or -1
    cdef bint requires_grad
    cdef object grad_fn                 # history of a packed tensor, or the leaf itself
    cdef int output_nr
    cdef object pack, unpack_hook, packed
    cdef bint released

    cdef TensorBase load(self, object node)
    cdef int let_go(self) except -1     # forget the tensor


cdef object hooks_on_top()                                           # (pack, unpack) of this thread, or None
cdef SavedTensor keep(TensorBase t, int own, object hooks)
cdef int check_version(object node, TensorBase t, int64_t version) except -1
cdef SavedTensor forgotten()                                         # one that was freed
cdef object freed(object node)                                       # the error of a second backward
cdef TensorBase in_graph(TensorBase t, object node, int nr)          # t as output nr of node
