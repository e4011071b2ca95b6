# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""What autograd is told of a call: nodes for results, and how an in-place write becomes history.

A write through a view is recorded at the view's base, by a node that ``ops.strided`` makes.
"""
from taeda.autograd.dual cimport carry, has_tangent, level, propagate, propagate_inplace, propagate_view
from taeda.autograd.grad_mode cimport grad_enabled, inference_enabled
from taeda.autograd.node cimport Node, connect, continue_history, grad_fn_of, save
from taeda.dtype cimport differentiable

import warnings

from taeda.autograd.node import refuse_own_view


# -- results -----------------------------------------------------------------------------------------


cdef bint any_needs_grad(tuple inputs):
    cdef TensorBase t
    cdef bint recording = grad_enabled()
    if not recording and not level:
        return False
    for x in inputs:
        if x is not None:
            t = <TensorBase>x
            if recording and (t.requires_grad_ or stale(t)) or level and has_tangent(t):
                return True
    return False


cdef Node make_node(Op op, TensorBase out, tuple inputs, object extra):
    cdef Node n = plain_node(op, out, inputs, extra)
    if level:
        carry(n, inputs)
    return n


cdef Node plain_node(Op op, TensorBase out, tuple inputs, object extra):
    cdef Node n = Node.__new__(Node)
    n.vjp = op.vjp
    n.op = op
    n.n_outputs = 1
    n.dtype = out.view.dtype
    n.device = out.device
    n.extra = extra
    connect(n, inputs)
    return n


cdef int attach(Node n, TensorBase out, int nr) noexcept:
    out.grad_fn_ = n
    out.output_nr = nr
    out.requires_grad_ = True
    return 0


cdef int record(Op op, TensorBase out, tuple inputs, tuple saved, object extra=None) except -1:
    cdef Node n
    if op.vjp == NULL or not differentiable(out.view.dtype) or not any_needs_grad(inputs):
        return 0
    n = make_node(op, out, inputs, extra)
    save(n, saved, out)
    attach(n, out, 0)
    if level:
        propagate(n, (out,))
    return 0


cdef int record_multi(Op op, tuple outs, tuple inputs, tuple saved, object extra=None) except -1:
    cdef Node n
    cdef TensorBase out
    cdef int i
    if op.vjp == NULL or not any_needs_grad(inputs):
        return 0
    n = make_node(op, <TensorBase>outs[0], inputs, extra)
    n.n_outputs = len(outs)
    for i in range(n.n_outputs):
        out = <TensorBase>outs[i]
        if differentiable(out.view.dtype):
            attach(n, out, i)
    save(n, saved, None)
    if level:
        propagate(n, outs)
    return 0


cdef int record_view(Op op, TensorBase out, TensorBase x, object extra=None) except -1:
    cdef Node n
    out.inference = x.inference
    if level:
        propagate_view(out, x)
    if x.inference:
        return 0
    out.base = x if x.base is None else x.base
    if not grad_enabled():
        out.history = UNRECORDED
        return 0
    if x.requires_grad_ or stale(x):
        n = plain_node(op, out, (x,), extra)
        attach(n, out, 0)
    out.history = out.base.history if x.history >= 0 else x.history
    return 0


# -- writes in place ---------------------------------------------------------------------------------


cdef frozenset RELAYOUTS = frozenset(("squeeze_", "unsqueeze_", "t_", "transpose_", "swapaxes_", "swapdims_"))       # they move no element
cdef frozenset DEPRECATED = frozenset(("masked_fill_", "index_fill_", "index_put_"))                               # PyTorch only warns


cdef int check_expanded(str op, TensorBase x) except -1:
    """Refuse to write into a tensor whose elements share memory, or warn where PyTorch does."""
    if op in RELAYOUTS or op == "threshold_":               # done twice, it changes nothing
        return 0
    if op in DEPRECATED:
        warnings.warn(f"Use of {op} on expanded tensors is deprecated. Please clone() the tensor before performing this operation. This "
                      f"also applies to advanced indexing, tensor[mask] = scalar. The tensor has shape {x.shape_tuple()}", UserWarning, 1)
        return 0
    raise RuntimeError(
        f"[{op}] unsupported operation: more than one element of the written-to tensor of shape {x.shape_tuple()} refers to a single "
        "memory location (it was expanded). Please clone() the tensor before performing the operation.")


cdef int begin_inplace(str op, TensorBase x) except -1:
    cdef int d
    if x.storage.readonly_:
        raise RuntimeError(f"[{op}] the tensor is a view of read-only memory; clone it before writing")
    if not x.view.contiguous:
        for d in range(x.view.ndim):
            if x.view.strides[d] == 0 and x.view.shape[d] > 1:
                check_expanded(op, x)
                break
    if x.inference and not inference_enabled():
        raise RuntimeError(f"[{op}] Inplace update to inference tensor outside InferenceMode is not allowed. You can "
                           "make a clone to get a normal tensor before doing inplace update.")
    if grad_enabled():
        if x.base is not None and x.base.requires_grad_:
            check_view_write(op, x)
            if x.base.grad_fn_ is None:
                raise RuntimeError(f"[{op}] a view of a leaf Variable that requires grad is being used in an in-place "
                                   "operation; use taeda.no_grad() to update it, or clone it")
        if x.requires_grad_ and x.grad_fn_ is None:
            raise RuntimeError(f"[{op}] a leaf Variable that requires grad is being used in an in-place operation; "
                               "use taeda.no_grad() to update it, or clone it")
    if on_write is not None:
        on_write(op, x)
    return 0


cdef bint of_several(object fn):
    """Does the node come from a function that returns several views of its input?"""
    return isinstance(fn, Node) and (<Node>fn).op is not None and (<Op>(<Node>fn).op).name in MULTI_VIEWS


cdef int check_view_write(str op, TensorBase x) except -1:
    """Refuse to record a write through a view whose place in its base is not autograd's to follow."""
    cdef object fn
    if x.grad_fn_ is not None and (<Node>x.grad_fn_).op is None:
        refuse_own_view(x, x.grad_fn_, "is being")
    if x.history == UNRECORDED:
        raise RuntimeError(
            f"[{op}] A view was created in no_grad mode and is being modified inplace with grad mode enabled. Given that this use "
            "case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the view and the inplace "
            "either both inside the no_grad block (if you don't want the inplace to be tracked) or both outside (if you want the "
            f"inplace to be tracked); the view has shape {x.shape_tuple()}")
    if x.history == SEVERAL:
        raise RuntimeError(f"[{op}] the view of shape {x.shape_tuple()} that is being modified inplace" + SEVERAL_VIEWS)
    fn = grad_fn_of(x)
    while fn is not None and fn is not x.base.grad_fn_ and isinstance(fn, Node) and (<Node>fn).edges:
        if of_several(fn):
            raise RuntimeError(
                f"[{op}] Output {x.output_nr} of {x.grad_fn_.name()}, a view of shape {x.shape_tuple()} that is being modified inplace,"
                + SEVERAL_VIEWS)
        if (<Node>fn).op is None:
            refuse_own_view(x, fn, "is being")
        fn = (<Node>fn).edges[0]
    return 0


cdef tuple MULTI_VIEWS = ("unbind", "split", "split_with_sizes")
cdef str SEVERAL_VIEWS = (" is the output of a function that returns multiple views. Such functions do not allow the output views to be "
                          "modified inplace. You should replace the inplace operation by an out-of-place one, or index its base.")
cdef object on_write = None            # called with (op, tensor) before every in-place write while somebody watches
cdef dict watchers = {}


def watch_writes(function, key):
    """Call ``function(op, tensor)`` before every in-place write; None takes the watcher ``key`` away."""
    global on_write
    watchers.pop(key, None)
    if function is not None:
        watchers[key] = function
    on_write = tell_watchers if watchers else None


def tell_watchers(op, tensor):
    for function in list(watchers.values()):
        function(op, tensor)


cdef object make_copy_slices = None   # (view, inner node) -> node of the base; set by ops.strided


cdef int end_inplace(Op op, TensorBase x, tuple inputs, tuple saved, object extra=None) except -1:
    bump(x)
    if op.vjp == NULL or not differentiable(x.view.dtype) or not any_needs_grad(inputs):
        return 0
    return rebase(x, make_node(op, x, inputs, extra), saved)


cdef int rebase(TensorBase x, Node n, tuple saved) except -1:
    """Make n the history of x; of a view, of its base."""
    cdef TensorBase base
    if saved is not None:
        save(n, saved, x)
    if level and not propagate_inplace(n, x):
        return 0
    if x.base is None:
        continue_history(x, n, 0)
        x.history += 1
        return 0
    if x.history < 0 or (x.grad_fn_ is not None and (<Node>x.grad_fn_).op is None):
        check_view_write((<Op>n.op).in_place, x)
    base = x.base
    outer = make_copy_slices(x, n)
    continue_history(base, outer, 0)
    base.history += 1
    return 0


def rebase_view(TensorBase x, Node n):
    """Make a user-written function's node, which changed the view x in place, history of the view's base."""
    rebase(x, n, None)


def set_copy_slices(function):
    """Let ops.strided say how an in-place write through a view becomes history of its base."""
    global make_copy_slices
    make_copy_slices = function
