# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Node: one recorded step of the graph.

A node keeps edges to the nodes (or leaf tensors) that its gradients flow to, and just the tensors that
its vjp asked for.  An output that it saves is kept as an alias without history, so that no reference cycle
arises; ``raw`` puts the history back.

Complex gradients are PyTorch's: of a real loss L, g = dL/dRe + i dL/dIm, so a holomorphic f hands back g conj(f'(z)).
Every f' that a vjp writes down is a formula with real coefficients in what was saved, and for those
conj(f'(z)) = f'(conj z): ``load`` gives a complex tensor conjugated, and one formula serves both kinds.  The few ops
that are not holomorphic (abs, angle, real ...) read what they saved with ``raw``.
"""
cimport cython
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_New, PyTuple_SET_ITEM
from libc.string cimport memcpy

from taeda.autograd.anomaly_mode cimport anomaly, note_origin
from taeda.autograd.saved cimport SavedTensor, check_version, forgotten, freed, hooks_on_top, in_graph, keep, packing
from taeda.dtype cimport differentiable, is_complex_
from taeda.tensor_base cimport STAND_IN, alias, twin

from weakref import WeakValueDictionary

from taeda import _above, _spoken
from taeda.autograd.hooks import Handle

cdef extern from "Python.h":
    void Py_SET_TYPE(PyObject* o, object type)

cdef extern from *:
    """
    static __thread void *taeda_narrowed[2] = {NULL, NULL};
    static int taeda_narrowing = 0;             /* how many threads run such a node: while none does, nobody looks at its own */
    static int taeda_any_narrowed(void) { return taeda_narrowing; }
    static void **taeda_own_narrowed(int change) {
        if (change) __atomic_fetch_add(&taeda_narrowing, change, __ATOMIC_SEQ_CST);
        return taeda_narrowed;
    }
    """
    int any_narrowed "taeda_any_narrowed"() noexcept
    PyObject** own_narrowed "(PyObject **)taeda_own_narrowed"(int change) noexcept

cdef int64_t counter = 0
cdef object conj = None                 # ops.complex_numbers.conj
cdef object regenerate_view = None      # (view) -> Node that leads to its base's present history


def set_conj(function):
    """Let ops.complex_numbers say how a saved tensor is conjugated."""
    global conj
    conj = function


def set_regenerate_view(function):
    """Let ops.strided say how a view's history is made from its base's."""
    global regenerate_view
    regenerate_view = function


cdef Narrowed narrow(Narrowed to) noexcept:
    cdef PyObject** own = own_narrowed((to.node != NULL) - (own_narrowed(0)[0] != NULL))
    cdef Narrowed was = Narrowed(own[0], own[1])
    own[0], own[1] = to.node, to.edges
    return was


cdef tuple wanted_edges(Node n):
    cdef PyObject** own
    if any_narrowed():
        own = own_narrowed(0)
        if own[0] == <PyObject*>n:
            return <tuple>own[1]
    return n.edges


cdef Node keeping(Node n, tuple saved):
    cdef Node m = Node.__new__(Node)
    m.vjp, m.op, m.edges, m.edge_nrs, m.input_shapes = n.vjp, n.op, wanted_edges(n), n.edge_nrs, n.input_shapes
    m.output_shapes, m.extra, m.dtype, m.device, m.n_outputs, m.seq = n.output_shapes, n.extra, n.dtype, n.device, n.n_outputs, n.seq
    m.saved_, m.released = saved, n.released
    memcpy(m.versions, n.versions, sizeof(n.versions))
    return m


cdef int64_t next_seq() noexcept:
    global counter
    counter += 1
    return counter


@cython.binding(False)                  # plain method descriptors: they check that self is a Node
@cython.embedsignature(True)            # and say what they take
@cython.embedsignature.format("clinic")
@cython.freelist(512)
@cython.trashcan(True)
cdef class Node:
    """A step of the autograd graph (``tensor.grad_fn``)."""

    cdef bint needs(self, int i) noexcept:
        return wanted_edges(self)[i] is not None

    cdef TensorBase load(self, int i):
        cdef TensorBase t = self.raw(i)
        return <TensorBase>conj(t) if t is not None and is_complex_(t.view.dtype) else t

    cdef TensorBase raw(self, int i):
        cdef TensorBase t
        cdef object kept
        if self.saved_ is None:
            raise freed(self)
        kept = self.saved_[i]
        if isinstance(kept, SavedTensor):
            return (<SavedTensor>kept).load(self)
        t = <TensorBase>kept
        if t is None:
            return None
        if t.storage.version != self.versions[i]:
            check_version(self, t, self.versions[i])
        return t if t.output_nr >= 0 else in_graph(t, self, -1 - t.output_nr)

    def name(self):
        """Return the node's name, e.g. ``AddBackward0``; those of writes in place have a namespace, as PyTorch's."""
        bare = self.op.grad_name if self.op is not None and type(self) not in renamed else type(self).__name__
        return f"{_spoken.name}::autograd::{bare}" if bare == "CopySlices" or bare == "CopyBackwards" else bare

    def __repr__(self):
        return f"<{self.name().rpartition('::')[2]} object at {hex(id(self))}>"

    def __call__(self, *grads):
        """Return the gradients of the node's inputs for those of its outputs: one, or a tuple of several."""
        return _above.call_node(self, grads)

    @property
    def next_functions(self):
        """The nodes that this one's gradients flow to, with the number of their output."""
        nrs = self.edge_nrs
        return tuple([(accumulator(<TensorBase>e) if isinstance(e, TensorBase) else shown(e), 0 if nrs is None else nrs[i])
                      for i, e in enumerate(self.edges) if e is not None or not counts_tensors(self)])

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
        if self.hooks is None:
            self.hooks = {}
        return Handle(self.hooks.setdefault(kind, {}), hook)

    def _hooks(self):
        if self.hooks is None:
            self.hooks = {}
        return self.hooks

    # -- the saved tensors by name: _saved_self, _saved_other, _saved_result, or _saved_0 and so on ----

    def _names_of_saved(self):
        """The names of the saved tensors in their order, after PyTorch's for what an op saves."""
        cdef int saves = 0 if self.op is None else self.op.saves
        cdef tuple kept = self.saved_ or ()
        if saves == CROSS:
            return ("self", "other")
        names = [name for bit, name in SAVED_AS if saves & bit]
        if not saves and len(kept) == 1 and isinstance(kept[0], TensorBase) and (<TensorBase>kept[0]).output_nr < 0:
            names = ["result"]
        return tuple(names if len(names) == len(kept) else [str(i) for i in range(len(kept))])

    def _index_of_saved(self, str name):
        if self.saved_ is None and self.released:
            raise freed(self)
        names = self._names_of_saved()
        if name in names:
            return names.index(name)
        if name.isdigit() and int(name) < len(self.saved_ or ()):
            return int(name)
        return -1

    def __getattr__(self, str name):
        cdef int i
        if name.startswith("_saved_"):
            i = self._index_of_saved(name[7:])
            if i >= 0:
                return self.raw(i)
        elif name.startswith("_raw_saved_"):
            if self.saved_ is None and self.released:
                return forgotten()
            i = self._index_of_saved(name[11:])
            if i >= 0:
                return self.raw_saved(i)
        raise AttributeError(f"'{self.name()}' object has no attribute '{name}'")

    def raw_saved(self, int i):
        """Return the SavedTensor of number i, from now on kept in the tensor's place."""
        cdef TensorBase t
        cdef SavedTensor s
        kept = self.saved_[i]
        if kept is None:
            return SavedTensor()
        if not isinstance(kept, SavedTensor):
            t = <TensorBase>kept
            s = keep(t, -1 - t.output_nr if t.output_nr < 0 else -1, None)
            s.version = self.versions[i]
            self.saved_ = self.saved_[:i] + (s,) + self.saved_[i + 1:]
            return s
        return kept

    def __dir__(self):
        names = self._names_of_saved() if self.saved_ is not None else ()
        return sorted([*object.__dir__(self), *["_saved_" + n for n in names], *["_raw_saved_" + n for n in names]])


SAVED_AS = ((IN0, "self"), (IN1, "other"), (IN2, "third"), (OUT, "result"))


class AccumulateGrad(Node):
    """The end of an edge at a leaf: its gradient is added to ``variable.grad``."""

    def __init__(self, variable):
        cdef Node n = self
        n.edges = ()
        n.n_outputs = 1
        self.variable = variable

    def name(self):
        return f"{_spoken.name}::autograd::AccumulateGrad"

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
        return _above.leaf_hook(self.variable, "accumulate_prehooks", on_grad)

    def register_hook(self, hook):
        """Call ``hook((), (grad,))`` after the gradient has been accumulated."""
        return _above.leaf_hook(self.variable, "accumulate_hooks", hook)


accumulators = WeakValueDictionary()     # id of a leaf -> its AccumulateGrad, as long as somebody looks at it


def accumulator(TensorBase leaf):
    """Return the end of the edges at a leaf: the same object to all who hold it, so that drawn graphs have one place for a leaf."""
    found = accumulators.get(id(leaf))
    if found is None:
        found = accumulators[id(leaf)] = AccumulateGrad(leaf)
    return found


def leaf_edge(TensorBase leaf):
    """Return a node whose gradient goes on to a leaf, for what stands for the leaf elsewhere."""
    cdef Node n = ToLeaf.__new__(ToLeaf)
    n.edges, n.n_outputs, n.dtype, n.seq = (leaf,), 1, leaf.view.dtype, next_seq()
    return n


class ToLeaf(Node):
    """A node that passes its gradient on."""

    def run(self, g):
        return g


# -- classes by name: type(y.grad_fn).__name__ is "AddBackward0" ------------------------------------------

classes = {}
composed, renamed = {}, set()            # the same for nodes whose op has another name; all of those classes


# Of these nodes an operand is a number, or nothing, which PyTorch counts as no input of theirs, unlike the 1 of x + 1.
cdef frozenset OF_NUMBERS = frozenset([f"{name}Backward{nr}" for name, nrs in {
    "ClampMax": "1", "ClampMin": "1", "Copysign": "1", "Div": "1", "Eq": "0", "Fill": "02", "Fmod": "0", "Ge": "0", "Gt": "0",
    "IndexFill": "0", "Le": "0", "Lt": "0", "Mul": "1", "Ne": "0", "Pow": "02", "Remainder": "0", "Rsub": "1", "SpecialXlog1Py": "12",
    "SpecialZeta": "12", "Xlogy": "12", "Zero": "0",
}.items() for nr in nrs])


def counts_tensors(Node n):
    """Whether the node's inputs, as programs see them, are the tensors that gradients go to."""
    return n.name() in OF_NUMBERS


cdef object shown(object fn):
    """The node as a user sees it: of a class with the node's name, which costs nothing until somebody looks."""
    if type(fn) is not Node:
        return fn
    name = (<Node>fn).name().rpartition("::")[2]
    cls = classes.get(name)
    if cls is None:
        cls = classes[name] = class_of(name)
    Py_INCREF(cls)                       # an instance holds its heap type
    Py_SET_TYPE(<PyObject*>fn, cls)
    return fn


cdef object class_of(str name):
    return type(name, (Node,), {"__slots__": (), "__module__": "taeda.autograd"})


def named(t, str name):
    """Return ``t``, a new result; the node that made it shows ``name``: PyTorch's, for an op that is made of others here."""
    cdef object fn, cls
    if isinstance(t, TensorBase):
        fn = (<TensorBase>t).grad_fn_
        if type(fn) is Node or type(fn) in renamed:           # what calls another that names its result has the last word
            cls = composed.get(name)
            if cls is None:
                cls = composed[name] = class_of(name)
                renamed.add(cls)
            Py_INCREF(cls)
            Py_SET_TYPE(<PyObject*>fn, cls)
    return t


def own(TensorBase t, str name=None):
    """Return ``t``, a view of memory that nobody else holds, as a result of its own: no view, as in PyTorch; its node shows ``name``."""
    if t.base is not None:
        t.grad_fn_, t.base, t.history = grad_fn_of(t), None, 0
    return t if name is None else named(t, name)


def written_copy(in_place, TensorBase copy, *args, **kwargs):
    """Return ``in_place(copy, ...)`` of a copy made for it; the graph leads past the copy to what was copied, as PyTorch's does."""
    cdef Node before = <Node>copy.grad_fn_, n
    cdef TensorBase y = in_place(copy, *args, **kwargs)
    n = <Node>y.grad_fn_
    if before is not None and n is not before and n.edges[0] is before:
        if before.edge_nrs is not None or n.edge_nrs is not None:
            n.edge_nrs = (before.edge_nrs or (0,)) + (n.edge_nrs or (0,) * len(n.edges))[1:]
        n.edges = before.edges + n.edges[1:]
    return y


def node_of(TensorBase t):
    """Return ``t.grad_fn`` as a user sees it."""
    return shown(grad_fn_of(t))


cdef object grad_fn_of(TensorBase t):
    # a leaf's history counts how often it was made one: no view of before leads to it
    if t.history != UNRECORDED and stale(t) and t.base.grad_fn_ is not None:
        continue_history(t, regenerate_view(t), 0)
        t.history = t.base.history
    return t.grad_fn_


cdef int continue_history(TensorBase t, object fn, int nr) except -1:
    """Output nr of fn is what t is from now on; the gradient that t retains is the new value's."""
    cdef Node before
    if t.retains_grad_ and t.grad_fn_ is not None:
        before = <Node>t.grad_fn_
        held = before._hooks().pop(("retain", t.output_nr), None)
        if held is not None:
            fn._hooks()[("retain", nr)] = held
    t.grad_fn_, t.output_nr, t.requires_grad_ = fn, nr, True
    return 0


def refuse_own_view(TensorBase v, fn, str what):
    """Raise if the view v comes through what a user-written function, fn, returned of its input: no other node can lead around it."""
    if isinstance(fn, Node) and (<Node>fn).op is None and hasattr(fn, "needs_input_grad"):
        raise RuntimeError(
            f"[{fn.name()}] the output of {fn.name()}, or a view of it, of shape {v.shape_tuple()}, is a view and {what} modified inplace. "
            "This view was created inside a custom Function (or because an input was returned as-is) and the autograd logic to handle "
            "view+inplace would override the custom backward associated with it; clone the output in the Function")


cdef int connect(Node n, tuple inputs) except -1:
    cdef Py_ssize_t i, count = len(inputs)
    cdef TensorBase t
    cdef tuple edges = PyTuple_New(count)            # filled in place: a list to be made a tuple of takes a tenth of a + b
    cdef bint numbered = False
    cdef object x, fn
    for i in range(count):
        x, fn = inputs[i], None
        if x is not None:
            t = <TensorBase>x
            fn = grad_fn_of(t)
            if fn is not None:
                numbered = numbered or t.output_nr
            elif t.requires_grad_:                        # itself, not with its base alone
                fn = t
        Py_INCREF(fn)
        PyTuple_SET_ITEM(edges, i, fn)
    n.edges = edges
    if numbered:
        n.edge_nrs = tuple([0 if x is None else (<TensorBase>x).output_nr for x in inputs])
    n.seq = next_seq()
    if anomaly:
        note_origin(n)
    return 0


cdef int output_of(Node n, TensorBase t, TensorBase out) noexcept:
    """Which output of n the tensor is, or -1."""
    return t.output_nr if t is out or (t.grad_fn_ is n and t.grad_fn_ is not None) else -1


cdef int save(Node n, tuple tensors, TensorBase out) except -1:
    """Keep what the vjp asked for: n's own outputs as aliases without history, or what saved-tensor hooks make of each."""
    cdef Py_ssize_t i, count
    cdef TensorBase t, kept
    cdef object hooks
    if tensors is None:
        return 0
    if packing:
        hooks = hooks_on_top()
        if hooks is not None:
            n.saved_ = tuple([None if x is None else keep(<TensorBase>x, output_of(n, <TensorBase>x, out),
                                                               None if (<TensorBase>x).wrapped_number else hooks) for x in tensors])
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
            kept = alias(t) if t.device != STAND_IN else twin(t)
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
        if changed and o.base is not None and o.base.requires_grad_:
            if o.base.grad_fn_ is None:
                raise RuntimeError(f"[mark_dirty] a view, of shape {o.shape_tuple()}, of a leaf Variable that requires grad is being used "
                                   "in an in-place operation.")
            if n.n_outputs > 1 or o is not tensors[0]:
                raise RuntimeError(f"[{n.name()}] a Function that changes a view in place must take it as its first tensor and return "
                                   f"nothing else; the view of shape {o.shape_tuple()} is output {i} of {n.n_outputs}")
            o.storage.version += 1
            n.dtype = o.view.dtype
            made.append(o)                     # its history becomes its base's: see rebase_view
            continue
        if not changed and any([o is t for t in tensors]):
            t = o
            o = twin(o)                        # an input that is returned as it is: a new tensor with this history
            o.base = t if t.base is None else t.base
        if any([out is p for p in plain]) or not differentiable(o.view.dtype):
            if o is not out or not o.requires_grad_:
                o.requires_grad_, o.grad_fn_ = False, None
        else:
            continue_history(o, n, i)
            if o.base is not None:
                if changed or not any([o.base is t or o.base is (<TensorBase>t).base for t in tensors]):
                    o.base = None              # a view of what forward made: nobody else sees that
                else:
                    o.history = o.base.history     # a view that only the function's own backward leads through: see refuse_own_view
        if n.dtype == 0 and differentiable(o.view.dtype):
            n.dtype = o.view.dtype
        if changed:
            o.storage.version += 1
        made.append(o)
    return made


def save_for(Node n, tensors, made, outputs):
    """Save a user-written function's tensors: any number, its own outputs without a cycle."""
    kept = []
    for x in tensors:
        if x is None:
            kept.append(None)
            continue
        own = -1
        for i, (o, out) in enumerate(zip(made, outputs)):
            if (x is o or x is out) and isinstance(o, TensorBase) and (<TensorBase>o).grad_fn_ is n:
                own = i
        kept.append(keep(<TensorBase>x, own, hooks_on_top() if packing else None))
    n.saved_ = tuple(kept)


def saved_of(Node n):
    """Return the tensors that :func:`save_for` saved; RuntimeError once they have been freed."""
    if n.saved_ is None:
        if n.released:
            raise freed(n)
        return ()
    return tuple([None if s is None else (<SavedTensor>s).load(n) for s in n.saved_])


def raw_saved_of(Node n):
    """Return the SavedTensors of a user-written function."""
    if n.saved_ is None and n.released:
        raise freed(n)
    return tuple([SavedTensor() if s is None else s for s in n.saved_ or ()])
