# What autograd is told of a call.
from taeda.autograd.dual cimport has_tangent, level
from taeda.autograd.grad_mode cimport grad_enabled
from taeda.autograd.node cimport SEVERAL, UNRECORDED, Node, stale
from taeda.registry cimport Op
from taeda.tensor_base cimport TensorBase


cdef inline bint needs_grad(TensorBase a) noexcept:               # grad mode on and a requires grad
    return grad_enabled() and (a.requires_grad_ or stale(a)) or level and has_tangent(a)

cdef bint any_needs_grad(tuple inputs)                            # entries may be None
cdef Node make_node(Op op, TensorBase out, tuple inputs, object extra)
cdef int attach(Node n, TensorBase out, int nr) noexcept
cdef int record(Op op, TensorBase out, tuple inputs, tuple saved, object extra=*) except -1
    # one output; saved: tensors (inputs, or out itself) or None
cdef int record_multi(Op op, tuple outs, tuple inputs, tuple saved, object extra=*) except -1
cdef int record_view(Op op, TensorBase out, TensorBase x, object extra=*) except -1
    # out shares x's storage: in-place writes through either are seen by autograd

cdef inline int bump(TensorBase x) noexcept:
    if not x.detached_version:
        x.storage.version += 1
    return 0

cdef int begin_inplace(str op, TensorBase x) except -1            # leaf / inference / overlap errors
cdef int check_view_write(str op, TensorBase x) except -1
cdef bint of_several(object fn)                                   # made by unbind, split, ...
cdef int end_inplace(Op op, TensorBase x, tuple inputs, tuple saved, object extra=*) except -1
    # bumps the version; records if an input or x needs grad. inputs[0] must be x itself
cdef int rebase(TensorBase x, Node n, tuple saved) except -1
