# A recorded step of the graph: which op made a tensor, from what, and how to go back.
from cpython.object cimport PyObject
from libc.stdint cimport int64_t

from taeda.dtype cimport differentiable
from taeda.tensor_base cimport TensorBase

# g is the cotangent of the only output, or for several outputs a tuple (None where no gradient came).
# Returns the cotangent of the only input, or a tuple with one entry an input (None: no gradient).
ctypedef object (*vjp_fn)(Node n, object g)

cdef enum:
    MAX_SAVED = 8

cdef enum Save:              # what the vjp wants kept, as bits
    NOTHING = 0
    IN0 = 1
    IN1 = 2
    IN2 = 4
    OUT = 8
    CROSS = 16               # of a binary op: each input only if the other's gradient is wanted (load(0): a, load(1): b)

cdef enum:                   # ``history`` of a view that autograd does not follow into its base
    UNRECORDED = -1          # made under no_grad: autograd does not know how it came from its base
    SEVERAL = -2             # one of several made at once of a tensor without history (ops.slices)


cdef inline bint stale(TensorBase a) noexcept:
    """A view whose base got a history after the view was made, or whose way from a base that requires grad was not recorded."""
    if a.base is None or not a.base.requires_grad_:
        return False
    if a.history == UNRECORDED:
        return differentiable(a.view.dtype)
    return a.base.history != (0 if a.history == SEVERAL else a.history)


cdef class Node:
    cdef vjp_fn vjp              # NULL for a Python-defined node, which has a method ``run``
    cdef readonly object op      # the Op that was run (its name gives "AddBackward0")
    cdef tuple edges             # one an input: Node, leaf TensorBase, or None (no gradient wanted)
    cdef tuple edge_nrs          # output_nr of each edge, or None when all are 0
    cdef tuple input_shapes      # shapes to sum gradients down to, or None: no broadcasting happened
    cdef tuple saved_            # tensors as saved (see load), or None
    cdef int64_t versions[MAX_SAVED]     # storage version of each saved tensor
    cdef bint released           # saved tensors were freed by a backward pass
    cdef public object extra     # anything else the vjp needs: a tuple of Python values
    cdef readonly object output_shapes   # tuple with the shape of each output (None: one output, same as its gradient)
    cdef int dtype               # of the first output
    cdef int device
    cdef int n_outputs
    cdef int64_t seq             # creation order: the engine runs the highest first
    cdef object hooks            # None, or a dict of lists of hooks
    cdef object metadata_
    cdef object __weakref__

    cdef bint needs(self, int i) noexcept    # is the gradient of input i wanted?
    cdef TensorBase load(self, int i)        # saved tensor i as a vjp takes it: a complex one conjugated (node.pyx says why)
    cdef TensorBase raw(self, int i)         # saved tensor i, its version checked; part of the graph again


cdef struct Narrowed:        # a node that runs for some of its inputs alone, and its edges to those
    PyObject* node
    PyObject* edges


cdef Narrowed narrow(Narrowed to) noexcept                          # from now on, in this thread; what was so before
cdef tuple wanted_edges(Node n)                                     # all, or those that it runs for in this thread
cdef Node keeping(Node n, tuple saved)                              # a node like n that has saved these tensors
cdef int64_t next_seq() noexcept
cdef int connect(Node n, tuple inputs) except -1                    # fills edges
cdef int save(Node n, tuple tensors, TensorBase out) except -1      # fills saved_ and versions
cdef object grad_fn_of(TensorBase t)                                # Node or None, views regenerated
cdef int continue_history(TensorBase t, object fn, int nr) except -1     # t, changed in place, is output nr of fn from now on
