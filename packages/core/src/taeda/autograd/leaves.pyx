# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Leaves: how gradients are summed, when a leaf has all of them, and its hooks around the sum into ``.grad``.

a. A sum that nobody else holds is added to in place: :func:`exclusive` counts references.
b. ``.grad`` becomes the arriving tensor itself where nobody else holds it; large sums take a lock, since kernels let other threads run.
c. A leaf with hooks takes its gradient as soon as no edge of the pass can bring more (:class:`LeafCounts`).
"""
from cpython.object cimport PyObject
from cpython.pythread cimport PyThread_acquire_lock, PyThread_allocate_lock, PyThread_release_lock, PyThread_type_lock

from taeda.autograd.node cimport Node, grad_fn_of
from taeda.memory_order cimport dense, same_order
from taeda.tensor_base cimport SPARSE, STAND_IN, TensorBase, is_wrapper

from taeda import _above
from taeda.autograd.hooks import Handle

cdef extern from "Python.h":
    Py_ssize_t Py_REFCNT(PyObject *o)

cdef enum:
    LARGE = 16384            # elements from which on a kernel lets other threads run: sums into a leaf then need a lock

cdef PyThread_type_lock accumulating = PyThread_allocate_lock()
cdef Py_ssize_t hooked_leaves = 0


cdef class LeafHooks(dict):
    """The hooks of one kind on one leaf, counted while they exist."""

    def __cinit__(self):
        global hooked_leaves
        hooked_leaves += 1

    def __dealloc__(self):
        global hooked_leaves
        hooked_leaves -= 1


def leaf_hook(TensorBase leaf, kind, hook):
    """Register a hook on a leaf: "hooks", "accumulate_prehooks", "accumulate_hooks" or "post_accumulate_hooks"."""
    if leaf.extra is None:
        leaf.extra = {}
    if kind not in leaf.extra:
        leaf.extra[kind] = LeafHooks()
    return Handle(leaf.extra[kind], hook)


cdef bint is_hooked(TensorBase leaf):
    return leaf.extra is not None and ("hooks" in leaf.extra or "post_accumulate_hooks" in leaf.extra
                                       or "accumulate_hooks" in leaf.extra or "accumulate_prehooks" in leaf.extra)


cdef inline bint exclusive(TensorBase g, Py_ssize_t refs):
    """Is g held by ``refs`` references alone, dense, and the only tensor on its storage?"""
    return (Py_REFCNT(<PyObject*>g) <= refs and Py_REFCNT(<PyObject*>g.storage) == 1 and dense(&g.view)
            and g.storage.owner is None and g.base is None and g.device < STAND_IN)


cdef object joined(object old, TensorBase g, bint create_graph):
    """old + g; into old's own memory if nobody else sees it."""
    cdef TensorBase o
    if old is None:
        return g
    o = <TensorBase>old
    if o.device == SPARSE and g.device != SPARSE:
        return g + o
    if not create_graph and exclusive(o, 2) and o.view.dtype == g.view.dtype and o.view.numel == g.view.numel:
        o.add_(g)
        return o
    return o + g


cdef int check_replaced(object hook, object found, object g) except -1:
    """What a hook puts in a gradient's place must be a Tensor of its shape and dtype."""
    if not isinstance(found, TensorBase):
        raise TypeError(f"[register_hook] expected Variable, but hook returned {type(found).__name__!r}; a hook must return None "
                        "or a Tensor")
    if found.shape != g.shape:
        raise RuntimeError(f"[register_hook] hook {name_of_hook(hook)!r} has changed the size of value: from {tuple(g.shape)} to "
                           f"{tuple(found.shape)}")
    if found.dtype != g.dtype:
        raise RuntimeError(f"[register_hook] hook {name_of_hook(hook)!r} has changed the type of value: from {g.dtype} to {found.dtype}")
    return 0


cdef object name_of_hook(object hook):
    return getattr(hook, "__name__", type(hook).__name__)


cdef object run_hooks(object hooks, object g):
    for hook in list(hooks.values()):
        found = hook(g)
        if found is not None:
            check_replaced(hook, found, g)
            g = found
    return g


cdef tuple replaced(object hook, object found, tuple gs):
    """What a node's hook returned in place of ``gs``: as many gradients, each of the shape and dtype of the one it replaces."""
    if found is None:
        return gs
    if not isinstance(found, tuple):
        raise TypeError(f"[register_hook] expected tuple, but hook returned {type(found).__name__!r}; a node's hook must return None or a "
                        "tuple of gradients")
    if len(<tuple>found) != len(gs):
        raise RuntimeError(f"[register_hook] hook {name_of_hook(hook)!r} has returned an incorrect number of values (got {len(found)}, "
                           f"but expected {len(gs)})")
    for new, g in zip(<tuple>found, gs):
        if new is not None and g is not None:
            check_replaced(hook, new, g)
    return <tuple>found


cdef int accumulate_into(TensorBase leaf, TensorBase g, bint create_graph) except -1:
    """Add a gradient to the leaf's .grad: the tensor itself where nobody else holds it, in the layout of the leaf."""
    if (g.device >= STAND_IN or leaf.device >= STAND_IN or leaf.grad_ is not None and (<TensorBase>leaf.grad_).device >= STAND_IN) and (
            accumulate_elsewhere(leaf, g, create_graph)):
        pass
    elif leaf.grad_ is not None:
        if create_graph:
            leaf.grad_ = leaf.grad_ + g
        else:
            leaf.grad_.add_(g)
    elif not create_graph and not g.requires_grad_ and same_order(&leaf.view, &g.view) and exclusive(g, 2):
        leaf.grad_ = g
    else:
        fresh = (<object>g) if create_graph else g.detach()
        if leaf.view.contiguous:
            leaf.grad_ = fresh.clone().contiguous()
        elif create_graph:
            leaf.grad_ = fresh.clone()
        else:
            leaf.grad_ = _above.empty_like((<object>leaf).detach(), dtype=fresh.dtype).copy_(fresh)
    return 0


cdef bint accumulate_elsewhere(TensorBase leaf, TensorBase g, bint create_graph) except -1:
    """Add a gradient where it, the leaf or its .grad is sparse or of a class without memory; False: they are not."""
    cdef TensorBase old = <TensorBase>leaf.grad_
    if g.device == SPARSE or leaf.device == SPARSE or old is not None and old.device == SPARSE:
        accumulate_sparse(leaf, g, create_graph)
        return True
    if not is_wrapper(g) and not is_wrapper(leaf) and (old is None or not is_wrapper(old)):
        return False
    if old is None:
        leaf.grad_ = (<object>g).clone() if create_graph else g.detach()
    elif create_graph:
        leaf.grad_ = old + g
    else:
        old.add_(g)
    return True


cdef int accumulate_sparse(TensorBase leaf, TensorBase g, bint create_graph) except -1:
    """Add a gradient where it or the leaf's .grad is sparse: two sparse ones stay so, a dense one makes the sum dense."""
    cdef TensorBase old
    if leaf.grad_ is None:
        leaf.grad_ = (<object>g).clone() if create_graph else g.detach() if g.device == SPARSE else g.detach().clone()
        return 0
    old = <TensorBase>leaf.grad_
    if old.device == SPARSE and g.device != SPARSE:
        leaf.grad_ = g + old
    elif create_graph:
        leaf.grad_ = old + g
    else:
        old.add_(g)
    return 0


cdef int finish_leaf(TensorBase leaf, object total, bint create_graph) except -1:
    """Add the sum of a leaf's gradients to its .grad, between its hooks; one that was frozen after its use keeps the .grad it has."""
    cdef dict extra = leaf.extra
    if grad_fn_of(leaf) is not None:
        raise RuntimeError(f"[backward] leaf variable has been moved into the graph interior: a tensor of shape {tuple(leaf.shape)} was a "
                           "leaf when it was used, and was then detached and written to; write to a clone of it")
    if extra is not None and "hooks" in extra:
        total = run_hooks(extra["hooks"], total)
    if extra is not None and "accumulate_prehooks" in extra:
        total = run_hooks(extra["accumulate_prehooks"], total)
    if not leaf.requires_grad_:
        pass
    elif leaf.view.numel < LARGE:
        accumulate_into(leaf, <TensorBase>total, create_graph)
    else:
        with nogil:
            PyThread_acquire_lock(accumulating, 1)
        try:
            accumulate_into(leaf, <TensorBase>total, create_graph)
        finally:
            PyThread_release_lock(accumulating)
    if extra is not None and "post_accumulate_hooks" in extra:
        for hook in list(extra["post_accumulate_hooks"].values()):
            found = hook(leaf)
            if found is leaf:                           # what an in-place update gives, as the last word of a lambda
                continue
            if isinstance(found, TensorBase):
                raise RuntimeError("[register_post_accumulate_grad_hook] Tensor post accumulate grad hooks should return None, but "
                                   f"{name_of_hook(hook)!r} returned a Tensor; change the leaf's .grad instead")
            if found is not None:
                raise TypeError(f"[register_post_accumulate_grad_hook] expected Variable, but hook returned {type(found).__name__!r}; it "
                                "must return None")
    if extra is not None and "accumulate_hooks" in extra:
        for hook in list(extra["accumulate_hooks"].values()):
            hook((), (total,))
    return 0


cdef class LeafCounts:
    """How many edges still lead to each leaf with hooks."""

    cdef int count(self, list targets, object needed) except -1:
        """Count the edges from the roots on."""
        cdef set seen = set()
        cdef list stack = []
        cdef Node n
        self.left = {}
        for t in targets:
            self.see(t, seen, stack, needed)
        while stack:
            n = <Node>stack.pop()
            for e in n.edges:
                if e is not None:
                    self.see(e, seen, stack, needed)
        return 0

    cdef int see(self, object e, set seen, list stack, object needed) except -1:
        if needed is not None and e not in needed:
            return 0
        if not isinstance(e, Node):
            if is_hooked(<TensorBase>e):
                self.left[e] = self.left.get(e, 0) + 1
        elif e not in seen:
            seen.add(e)
            stack.append(e)
        return 0

    cdef bint last(self, object leaf) except -1:
        """One edge to a leaf has done its part: was it the last?"""
        left = self.left.get(leaf)
        if left is None:
            return False
        self.left[leaf] = left - 1
        return left == 1


cdef int settle(TensorBase leaf, dict leaves, bint create_graph, bint accumulate) except -1:
    """A leaf with hooks has all of its gradient: let the hooks see it, and accumulate it."""
    if leaf not in leaves:
        return 0
    if accumulate:
        finish_leaf(leaf, leaves.pop(leaf), create_graph)
    elif "hooks" in leaf.extra:
        leaves[leaf] = run_hooks(leaf.extra["hooks"], leaves[leaf])
    return 0
