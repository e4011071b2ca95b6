# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Forward mode: how tangents travel through ops that only know how to go back.

An op has a vjp alone.  For fixed inputs it is linear in the cotangent c: r = Jᵀ c.  So the tangent of the output is the
derivative of <r, t> with respect to c, which is J t: the vjp is run on a c that requires grad, and differentiated.

a. A node that is being recorded gets ``Carrier`` nodes on the edges of inputs with tangents, so that its vjp wants them;
   ``propagate`` takes them off and leaves the graph as it would be without forward mode.
b. A tangent is kept by the root of a family of views; a view's own is the same part of the root's, made when asked for.
   An in-place write gives the root a new tangent with that part replaced.
c. While tangents are computed, forward mode sleeps in this thread: a tangent carries no tangent.
"""
from taeda.autograd.engine cimport run
from taeda.autograd.grad_mode cimport grad_enabled, inference_enabled, set_grad
from taeda.autograd.saved cimport SavedTensor
from taeda.dtype cimport is_complex_, is_float

import weakref

from taeda import _above
from taeda.autograd.engine import set_lend

cdef extern from *:
    """
    static __thread int taeda_forward_asleep = 0;
    static int taeda_asleep(void) { return taeda_forward_asleep; }
    static int taeda_put_asleep(int on) { int was = taeda_forward_asleep; taeda_forward_asleep = on; return was; }
    """
    int asleep "taeda_asleep"() noexcept nogil
    int put_asleep "taeda_put_asleep"(int on) noexcept nogil

cdef int level = 0
holders = []                            # weak references to the tensors that hold tangents of the open level


def current_level():
    """Return the number of open levels."""
    return level


def open_level():
    """Open the level; RuntimeError if it is open."""
    global level
    if level:
        raise RuntimeError("[enter_dual_level] Nested forward mode AD is not supported at the moment; exit the open level first")
    level = 1


def close_level():
    """Close the level and take all tangents away."""
    global level
    level = 0
    for ref in holders:
        t = ref()
        if t is not None:
            drop_tangent(t)
    holders.clear()


def drop_tangent(TensorBase t):
    t.extra.pop("tangent", None)


def set_asleep(bint on):
    """Stop forward mode in this thread, or let it go on; returns whether it was stopped."""
    return put_asleep(on) != 0


def is_asleep():
    return asleep() != 0


# -- where tangents are kept ---------------------------------------------------------------------------

cdef TensorBase root_of(TensorBase t):
    """The tensor that keeps the tangent of t's family of views."""
    if t.extra is not None:
        if "tangent" in t.extra:
            return t
        if "forward_base" in t.extra:
            return <TensorBase>t.extra["forward_base"]
    return t if t.base is None else t.base


cdef bint has_tangent(TensorBase t) noexcept:
    cdef TensorBase root
    if asleep() or inference_enabled():
        return False
    root = root_of(t)
    return root.extra is not None and "tangent" in root.extra


cdef object own_tangent(TensorBase root):
    return None if root.extra is None else root.extra.get("tangent")


cdef int put_tangent(TensorBase root, object tangent) except -1:
    if root.extra is None:
        root.extra = {}
    if "tangent" not in root.extra:
        holders.append(weakref.ref(root))
    root.extra["tangent"] = tangent
    return 0


cdef bint same_layout(TensorBase a, TensorBase b) noexcept:
    cdef int d
    for d in range(a.view.ndim):
        if a.view.shape[d] > 1 and a.view.strides[d] != b.view.strides[d]:
            return False
    return True


cdef object laid_out_as(object tangent, TensorBase root):
    """The tangent with root's strides, so that a part of root is a part of it."""
    if same_layout(<TensorBase>tangent, root):
        return tangent
    reach = 1
    for d in range(root.view.ndim):
        reach += max(root.view.shape[d] - 1, 0) * root.view.strides[d]
    place = tangent.new_zeros(reach).as_strided(root.shape_tuple(), root.stride_tuple(), 0)
    return place.copy_(tangent)


cdef object part(object whole, TensorBase root, TensorBase t):
    """The part of root's tangent that belongs to its view t."""
    whole = laid_out_as(whole, root)
    if t.view.dtype != root.view.dtype:            # the parts of complex numbers, or pairs of numbers as complex ones
        if whole.is_complex():
            return _above.view_as_real(whole).as_strided(t.shape_tuple(), t.stride_tuple(),
                                                  2 * (<TensorBase>whole).offset + t.offset - 2 * root.offset)
        return _above.view_as_complex(whole.as_strided((*t.shape_tuple(), 2), (*[2 * s for s in t.stride_tuple()], 1),
                                                (<TensorBase>whole).offset + 2 * t.offset - root.offset))
    return whole.as_strided(t.shape_tuple(), t.stride_tuple(), (<TensorBase>whole).offset + t.offset - root.offset)


def tangent_of(TensorBase t):
    """Return the tangent of a tensor, or None."""
    cdef TensorBase root
    cdef bint was
    if not has_tangent(t):
        return None
    root = root_of(t)
    if root is t:
        return own_tangent(root)
    was = put_asleep(True)
    try:
        return part(own_tangent(root), root, t)
    finally:
        put_asleep(was)


def primal_of(TensorBase t):
    """Return an alias of a tensor that keeps its place in the graph and leaves its tangent behind, for views of it too."""
    cdef TensorBase x = t.as_subclass(type(t))
    x.base, x.history = None, 0
    return x


def set_tangent(TensorBase t, TensorBase tangent):
    """Hang a tangent on a tensor; RuntimeError if the sizes differ."""
    if t.shape_tuple() != tangent.shape_tuple():
        raise RuntimeError(
            f"[make_dual] Trying to set a forward gradient that has a different size than that of the original Tensor, this is not "
            f"supported. Tensor is of size {list(t.shape_tuple())} while the given forward gradient is of size "
            f"{list(tangent.shape_tuple())}.")
    put_tangent(t, tangent)


cdef int lend_tangent(TensorBase t, TensorBase x) except -1:
    tangent = tangent_of(x)
    if tangent is not None:
        put_tangent(t, tangent)
    return 0


def _lend(TensorBase t, TensorBase x):
    lend_tangent(t, x)

set_lend(_lend)


# -- through an op ---------------------------------------------------------------------------------------

cdef class Carrier(Node):
    """An edge with the tangent of its input, while the op is being recorded."""

    cdef object edge                    # what stands there without forward mode
    cdef object tangent


cdef int carry(Node n, tuple inputs) except -1:
    cdef Carrier c
    cdef Py_ssize_t i
    cdef list edges = None
    for i in range(len(inputs)):
        if inputs[i] is None or not has_tangent(<TensorBase>inputs[i]):
            continue
        if edges is None:                # without grad mode nothing was saved for the gradients of others
            edges = list(n.edges) if grad_enabled() else [None] * len(n.edges)
        c = Carrier.__new__(Carrier)
        c.edges = ()
        c.n_outputs = 1
        c.edge, c.tangent = edges[i], tangent_of(inputs[i])
        edges[i] = c
    if edges is not None:
        n.edges = tuple(edges)
    return 0


cdef list carriers(Node n):
    """The node's edges' carriers; None where there is none."""
    return [e if isinstance(e, Carrier) else None for e in n.edges]


def is_transposed(Node n):
    """Is the node's vjp being run to find what it is the transpose of?"""
    return any(carriers(n))


cdef bint uncarry(Node n, list found):
    """Put the plain edges back; is any gradient wanted still?"""
    cdef Py_ssize_t i
    cdef list edges = list(n.edges)
    for i in range(len(edges)):
        if found[i] is not None:
            edges[i] = (<Carrier>found[i]).edge
    n.edges = tuple(edges)
    for e in edges:
        if e is not None:
            return True
    return False


cdef list transposed(Node n, tuple outs, list found):
    """J t: the tangents of the outputs (None for integers), from those that the edges carry."""
    cdef list cotangents = [], wanted = [], roots = [], grads = []
    cdef bint graph = False, was_asleep = put_asleep(True), was = set_grad(True)
    cdef object x, made
    cdef Py_ssize_t i
    try:
        for c in found:
            graph = graph or (c is not None and ((<Carrier>c).edge is not None or (<Carrier>c).tangent.requires_grad))
        for e in n.edges:
            graph = graph or (e is not None and not isinstance(e, Carrier))
        graph = graph and was
        for o in outs:
            code = (<TensorBase>o).view.dtype
            x = o.new_zeros(o.shape).requires_grad_() if is_float(code) or is_complex_(code) else None
            cotangents.append(x)
            if x is not None:
                wanted.append((x, -1))
        back = n.vjp(n, cotangents[0] if n.n_outputs == 1 else tuple(cotangents))
        if not isinstance(back, tuple):
            back = (back,)
        for i in range(len(found)):
            if found[i] is None or back[i] is None or not back[i].requires_grad:
                continue
            made = back[i]
            tangent = (<Carrier>found[i]).tangent
            if made.shape != tangent.shape:
                made = made.sum_to_size(tangent.shape)
            roots.append(made)
            grads.append(tangent if tangent.dtype == made.dtype else tangent.to(made.dtype))
        results = run(roots, grads, graph, graph, wanted, False)
        filled = []
        for (x, _), r in zip(wanted, results):
            if r is None:
                r = x.detach()
            elif any([(<TensorBase>r).storage is (<TensorBase>t).storage for t in grads]):
                r = r.clone()
            filled.append(r if graph else r.detach())
        return [None if x is None else filled.pop(0) for x in cotangents]
    finally:
        set_grad(was)
        put_asleep(was_asleep)


cdef int lend_to_saved(Node n, int nr, object tangent) except -1:
    """What the node kept of its own output ``nr``, apart from the output, gets the output's tangent: a backward pass has one too."""
    cdef TensorBase t
    for kept in n.saved_ or ():
        t = (<SavedTensor>kept).tensor if isinstance(kept, SavedTensor) else <TensorBase>kept
        if t is not None and t.output_nr == -1 - nr:
            put_tangent(t, tangent)
    return 0


def set_output_tangent(Node n, int nr, TensorBase out, TensorBase tangent):
    """Hang a tangent on output ``nr`` of a user-written function, and on what the function saved of it."""
    set_tangent(out, tangent)
    lend_to_saved(n, nr, tangent)


cdef int propagate(Node n, tuple outs) except -1:
    cdef list found = carriers(n), tangents
    cdef TensorBase out
    cdef Py_ssize_t i
    if not any(found):
        return 0
    tangents = transposed(n, outs, found)
    recorded = uncarry(n, found) and grad_enabled()
    for i in range(len(outs)):
        out = <TensorBase>outs[i]
        if not recorded:
            out.grad_fn_, out.output_nr, out.requires_grad_ = None, 0, False
        if tangents[i] is not None:
            put_tangent(out, tangents[i])
            if recorded:
                lend_to_saved(n, <int>i, tangents[i])
    return 0


cdef int propagate_view(TensorBase out, TensorBase x) except -1:
    if has_tangent(x):
        if out.extra is None:
            out.extra = {}
        out.extra["forward_base"] = root_of(x)
    return 0


cdef int propagate_inplace(Node n, TensorBase x) except -1:
    cdef list found = carriers(n)
    cdef TensorBase root
    cdef bint was, recorded
    if not any(found):
        return 1
    tangent = transposed(n, (x,), found)[0]
    recorded = uncarry(n, found) and grad_enabled()
    if recorded:
        lend_to_saved(n, 0, tangent)
    was = put_asleep(True)
    try:
        root = root_of(x)
        if root is not x:
            whole = own_tangent(root)
            whole = (<object>root).detach().new_zeros(root.shape_tuple()) if whole is None else whole.clone()
            whole = laid_out_as(whole, root)
            part(whole, root, x).copy_(tangent)
            tangent = whole
        put_tangent(root, tangent)
    finally:
        put_asleep(was)
    return recorded
