# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Node: one recorded step of the graph.

A node keeps edges to the nodes (or leaf tensors) that its gradients flow to, and just the tensors that
its vjp asked for.  An output that it saves is kept as an alias without history, so that no reference cycle
arises; ``load`` puts the history back.

Complex gradients are PyTorch's: of a real loss L, g = dL/dRe + i dL/dIm, so a holomorphic f hands back g conj(f'(z)).
Every f' that a vjp writes down is a formula with real coefficients in what was saved, and for those
conj(f'(z)) = f'(conj z): ``load`` gives a complex tensor conjugated, and one formula serves both kinds.  The few ops
that are not holomorphic (abs, angle, real ...) read what they saved with ``raw``.
"""
cimport cython

from taeda.autograd.grad_mode cimport grad_enabled
from taeda.dtype cimport differentiable, is_complex_
from taeda.tensor_base cimport alias

cdef int64_t counter = 0
cdef object conj = None                 # ops.complex_numbers.conj
cdef object regenerate_view = None      # (view) -> Node that leads to its base's present history


def set_conj(function):
    """Let ops.complex_numbers say how a saved tensor is conjugated."""
    global conj
    conj = function


def set_regenerate_view(function):
    """Let ops.views say how a view's history is made from its base's."""
    global regenerate_view
    regenerate_view = function


cdef int64_t next_seq() noexcept:
    global counter
    counter += 1
    return counter


@cython.freelist(512)
@cython.trashcan(True)
cdef class Node:
    """A step of the autograd graph (``tensor.grad_fn``)."""

    cdef bint needs(self, int i) noexcept:
        return self.edges[i] is not None

    cdef TensorBase load(self, int i):
        cdef TensorBase t = self.raw(i)
        return <TensorBase>conj(t) if t is not None and is_complex_(t.view.dtype) else t

    cdef TensorBase raw(self, int i):
        cdef TensorBase t, back
        if self.saved_ is None:
            raise RuntimeError(
                f"[{self.name()}] Trying to backward through the graph a second time (or directly access saved "
                "tensors after they have already been freed). Saved intermediate values of the graph are freed when "
                "you call .backward() or autograd.grad(). Specify retain_graph=True if you need to backward through "
                "the graph a second time or if you need to access saved tensors after calling backward.")
        t = <TensorBase>self.saved_[i]
        if t.storage.version != self.versions[i] and not t.detached_version:
            raise RuntimeError(
                f"[{self.name()}] one of the variables needed for gradient computation has been modified by an "
                f"inplace operation: a tensor of shape {tuple(t.shape_tuple())} is at version {t.storage.version}; "
                f"expected version {self.versions[i]} instead; hint: clone it before the in-place operation, or use "
                "the out-of-place form")
        if t.output_nr < 0:                    # an alias of one of this node's own outputs
            if not grad_enabled():
                return t
            back = alias(t)
            back.grad_fn_ = self
            back.output_nr = -1 - t.output_nr
            back.requires_grad_ = True
            return back
        return t

    def name(self):
        """Return the node's name, e.g. ``AddBackward0``."""
        return self.op.grad_name if self.op is not None else type(self).__name__

    def __repr__(self):
        return f"<{self.name()} object at {hex(id(self))}>"

    @property
    def next_functions(self):
        """The nodes that this one's gradients flow to, with the number of their output."""
        nrs = self.edge_nrs
        return tuple([(AccumulateGrad(e) if isinstance(e, TensorBase) else e, 0 if nrs is None else nrs[i])
                      for i, e in enumerate(self.edges)])

    @property
    def metadata(self):
        if self.metadata_ is None:
            self.metadata_ = {}
        return self.metadata_

    def _sequence_nr(self):
        return self.seq

    def register_hook(self, hook):
        """Call ``hook(grad_inputs, grad_outputs)`` after this node ran; it may return new grad_inputs."""
        return self._add_hook("post", hook)

    def register_prehook(self, hook):
        """Call ``hook(grad_outputs)`` before this node runs; it may return new grad_outputs."""
        return self._add_hook("pre", hook)

    def _add_hook(self, kind, hook):
        from taeda.autograd.hooks import Handle
        if self.hooks is None:
            self.hooks = {}
        return Handle(self.hooks.setdefault(kind, {}), hook)

    def _hooks(self):
        if self.hooks is None:
            self.hooks = {}
        return self.hooks

    def __getattr__(self, str name):
        if name.startswith("_saved_"):
            if name[7:].isdigit():
                return self.raw(int(name[7:]))
            if name == "_saved_self":
                return self.raw(0)
            if name == "_saved_other" or name == "_saved_result":
                return self.raw(len(self.saved_ or ()) - 1)
        raise AttributeError(f"'{self.name()}' object has no attribute '{name}'")


class AccumulateGrad:
    """The end of an edge at a leaf: its gradient is added to ``variable.grad``."""

    def __init__(self, variable):
        self.variable = variable

    def name(self):
        return "taeda::autograd::AccumulateGrad"

    next_functions = ()
    metadata = {}

    def __repr__(self):
        return f"<AccumulateGrad object at {hex(id(self.variable))}>"

    def __eq__(self, other):
        return isinstance(other, AccumulateGrad) and other.variable is self.variable

    def __hash__(self):
        return hash(("AccumulateGrad", id(self.variable)))

    def register_prehook(self, hook):
        """Call ``hook((grad,))`` before the gradient is accumulated."""
        def on_grad(g):
            found = hook((g,))
            return found[0] if isinstance(found, tuple) else found
        return self.variable.register_hook(on_grad)

    def register_hook(self, hook):
        """Call ``hook((), (grad,))`` after the gradient has been accumulated."""
        return self.variable.register_post_accumulate_grad_hook(lambda p: hook((), (p.grad,)))


cdef object grad_fn_of(TensorBase t):
    if t.base is not None and t.history != t.base.history and t.base.requires_grad_:
        t.grad_fn_ = regenerate_view(t)
        t.output_nr = 0
        t.history = t.base.history
        t.requires_grad_ = True
    return t.grad_fn_


cdef int connect(Node n, tuple inputs) except -1:
    cdef Py_ssize_t i, count = len(inputs)
    cdef TensorBase t
    cdef list edges = [None] * count
    cdef bint numbered = False
    cdef object x, fn
    for i in range(count):
        x = inputs[i]
        if x is None:
            continue
        t = <TensorBase>x
        fn = grad_fn_of(t)
        if fn is not None:
            edges[i] = fn
            if t.output_nr:
                numbered = True
        elif t.requires_grad_:
            edges[i] = t
    n.edges = tuple(edges)
    if numbered:
        n.edge_nrs = tuple([0 if x is None else (<TensorBase>x).output_nr for x in inputs])
    n.seq = next_seq()
    return 0


cdef int save(Node n, tuple tensors, TensorBase out) except -1:
    cdef Py_ssize_t i, count
    cdef TensorBase t, kept
    if tensors is None:
        return 0
    count = len(tensors)
    if count > MAX_SAVED:
        raise RuntimeError(f"[{n.name()}] a node saves at most {MAX_SAVED} tensors, got {count}")
    for i in range(count):
        t = <TensorBase>tensors[i]
        if t is None:
            continue
        n.versions[i] = t.storage.version
        if t is out or (t.grad_fn_ is n and t.grad_fn_ is not None):
            kept = alias(t)
            kept.output_nr = -1 - t.output_nr
            tensors = tensors[:i] + (kept,) + tensors[i + 1:]
        elif t.inference:
            raise RuntimeError(f"[{n.name()}] Inference tensors cannot be saved for backward. Please do not use "
                               "Tensors created in inference mode in computation tracked by autograd; clone it first")
    n.saved_ = tensors
    return 0


def attach_function(Node n, tuple tensors, tuple outputs, tuple dirty, tuple plain):
    """Record a user-written function: edges to its tensor inputs, history for its outputs."""
    cdef TensorBase t, o
    cdef list made = []
    cdef int i
    n.n_outputs = len(outputs)
    connect(n, tensors)
    for i in range(n.n_outputs):
        out = outputs[i]
        if not isinstance(out, TensorBase):
            made.append(out)
            continue
        o = <TensorBase>out
        changed = any([o is d for d in dirty])
        if changed and o.requires_grad_ and o.grad_fn_ is None:
            raise RuntimeError("[mark_dirty] a leaf Variable that requires grad is being used in an in-place operation.")
        if not changed and any([o is t for t in tensors]):
            o = alias(o)                       # an input that is returned as it is: a new tensor with this history
        if any([out is p for p in plain]) or not differentiable(o.view.dtype):
            if o is not out or not o.requires_grad_:
                o.requires_grad_, o.grad_fn_ = False, None
        else:
            o.grad_fn_ = n
            o.output_nr = i
            o.requires_grad_ = True
            o.base = None
        if n.dtype == 0 and differentiable(o.view.dtype):
            n.dtype = o.view.dtype
        if changed:
            o.storage.version += 1
        made.append(o)
    return made


def detached_alias(TensorBase t, Node n, int nr):
    """A saved output as it is inside the graph again."""
    cdef TensorBase a
    if not grad_enabled():
        return t
    a = alias(t)
    a.grad_fn_, a.output_nr, a.requires_grad_ = n, nr, True
    return a
