# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The engine: carry cotangents from the roots back to the leaves.

a. Nodes run in decreasing order of creation.  A node's consumers were all created after it, so when it
   comes off the heap every one of its gradients has arrived: no counting of dependencies, one pass.
b. Gradients of one tensor are borrowed, then added; a sum that nobody else holds is added to in place.
c. For ``autograd.grad`` a first walk marks the nodes that lead to a wanted input; others do not run.
d. Leaves take their sum at the end, so that a failed pass leaves every ``.grad`` as it was.  Leaves with hooks take
   it as soon as nothing more can come, as a user of hooks expects: only for them is counted what leads to them.
e. A node that no gradient reaches runs all the same where it is user-written: it may want zeros.
"""
cimport cython
from cpython.object cimport PyObject

from taeda.autograd.anomaly_mode cimport anomaly, guarded
from taeda.autograd.grad_mode cimport grad_enabled, set_grad
from taeda.autograd.leaves cimport LeafCounts, finish_leaf, hooked_leaves, joined, replaced, run_hooks, settle
from taeda.autograd.node cimport Narrowed, Node, grad_fn_of, keeping, narrow, next_seq, wanted_edges
from taeda.autograd.passes cimport asking, begin_pass, end_pass, passes_under_way, queued, run_callbacks
from taeda.autograd.saved cimport SavedTensor, freed
from taeda.dtype cimport dtype_of, is_complex_, is_float
from taeda.tensor_base cimport STAND_IN, TensorBase, is_wrapper

import sys

from taeda import _above
from taeda._once import warn_once
from taeda._override import asks
from taeda.autograd.node import counts_tensors
from taeda.registry import NoStorage

cdef object MISSING = object()
cdef object batched_vjp = None          # (node, cotangents) -> gradients; set by taeda.func


def set_batched_vjp(function):
    """Let taeda.func say how a node takes a batch of cotangents."""
    global batched_vjp
    batched_vjp = function


def call_vjp(Node n, g):
    """Run the derivative of one node, without hooks."""
    return n.vjp(n, g) if n.vjp != NULL else n.run(g)


cdef bint is_batched(object g):
    if isinstance(g, TensorBase):
        return (<TensorBase>g).device == STAND_IN and not is_wrapper(<TensorBase>g)
    return isinstance(g, tuple) and any([x is not None and (<TensorBase>x).device == STAND_IN and not is_wrapper(<TensorBase>x)
                                         for x in <tuple>g])


def finish_inner(TensorBase leaf):
    """Say that a leaf was only the start of a differentiation that is over: nobody wants its gradient."""
    if leaf.extra is None:
        leaf.extra = {}
    leaf.extra["finished"] = True


def reaches_others(roots, own):
    """Whether the graph of ``roots`` has a leaf that somebody wants a gradient of, besides the leaves ``own``."""
    cdef set seen = set(own)
    cdef list stack = []
    cdef TensorBase t
    for x in roots:
        t = <TensorBase>x
        e = grad_fn_of(t)
        if e is None and not t.requires_grad_:
            continue
        stack.append(t if e is None else e)
    while stack:
        e = stack.pop()
        if e in seen:
            continue
        if isinstance(e, TensorBase):
            t = <TensorBase>e
            if t.extra is None or "finished" not in t.extra:
                return True
            continue
        seen.add(e)
        for x in (<Node>e).edges:
            if x is not None:
                stack.append(x)
    return False


cdef void push(list heap, Node n):
    """Put n into the max-heap by seq."""
    cdef Py_ssize_t i = len(heap), up
    heap.append(n)
    while i > 0:
        up = (i - 1) >> 1
        if (<Node>heap[up]).seq >= n.seq:
            break
        heap[i] = heap[up]
        i = up
    heap[i] = n


cdef Node pop(list heap):
    """Take out the newest node."""
    cdef Node top = <Node>heap[0], last = <Node>heap.pop()
    cdef Py_ssize_t n = len(heap), i = 0, child
    if n == 0:
        return top
    while True:
        child = 2 * i + 1
        if child >= n:
            break
        if child + 1 < n and (<Node>heap[child + 1]).seq > (<Node>heap[child]).seq:
            child += 1
        if (<Node>heap[child]).seq <= last.seq:
            break
        heap[i] = heap[child]
        i = child
    heap[i] = last
    return top


cdef object leads_to(list roots, list captures):
    """Return the set of nodes from which a captured (node, nr) or leaf can be reached."""
    cdef set needed = {c[0] for c in captures}, seen = set()
    cdef list order = [], stack
    cdef Node n
    stack = [r for r in roots if isinstance(r, Node)]
    while stack:
        n = <Node>stack.pop()
        if n in seen:
            continue
        seen.add(n)
        order.append(n)
        for e in n.edges:
            if isinstance(e, Node):
                stack.append(e)
    order.sort(key=_seq)
    for n in order:
        if n not in needed and any_edge_needed(n, needed):
            needed.add(n)
    return needed


def _seq(Node n):
    return n.seq


cdef TensorBase fitted(Node n, Py_ssize_t i, object edge, object g):
    """Check gradient i of node n and bring it to the shape and dtype of its input."""
    cdef TensorBase t
    if not isinstance(g, TensorBase):
        raise TypeError(f"[{n.name()}] expected a Tensor or None as gradient of input {i}, got {type(g).__name__}")
    t = <TensorBase>g
    if n.input_shapes is not None:
        if t.view.ndim != len(<tuple>n.input_shapes[i]) or t.shape_tuple() != n.input_shapes[i]:
            t = t.sum_to_size(n.input_shapes[i])       # the one place where broadcasting is undone
    if isinstance(edge, TensorBase):
        if t.view.dtype != (<TensorBase>edge).view.dtype or (<TensorBase>edge).extra is not None:
            t = of_grad_dtype(t, <TensorBase>edge)
    elif t.view.dtype != (<Node>edge).dtype and (<Node>edge).n_outputs == 1:
        t = in_dtype(t, dtype_of((<Node>edge).dtype))
    return t


cdef TensorBase in_dtype(TensorBase g, object dtype):
    """A gradient in its input's dtype; of a real input the real part alone counts."""
    if is_complex_(g.view.dtype) and not dtype.is_complex:
        g = g.real
    return g.to(dtype)


cdef TensorBase of_grad_dtype(TensorBase g, TensorBase leaf):
    """A gradient in the dtype that the leaf wants (``grad_dtype``; None: any)."""
    wanted = dtype_of(leaf.view.dtype) if leaf.extra is None else leaf.extra.get("grad_dtype", dtype_of(leaf.view.dtype))
    return g if wanted is None else in_dtype(g, wanted)


cdef class VjpCall:
    # The derivative of a node as one operator: (cotangents, saved tensors) -> gradients.

    cdef Node n
    cdef bint several

    def __call__(self, *args):
        cdef Node n = self.n
        cdef int i, first = n.n_outputs if self.several else 1
        cdef Node m = keeping(n, None if n.saved_ is None else args[first:])
        for i in range(0 if m.saved_ is None else len(m.saved_)):
            m.versions[i] = 0 if m.saved_[i] is None else (<TensorBase>m.saved_[i]).storage.version
        return m.vjp(m, args[:first] if self.several else args[0])


cdef set whole = set()                  # the ops whose derivatives call kernels themselves


cdef bint any_wrapper(object g):
    if isinstance(g, TensorBase):
        return is_wrapper(<TensorBase>g)
    return any([x is not None and is_wrapper(<TensorBase>x) for x in <tuple>g])


cdef object vjp_of_wrappers(Node n, object g):
    """Run a derivative whose operators a class is told of; one that needs memory for its kernels is told whole."""
    cdef VjpCall call
    cdef int i
    if n.op not in whole:
        try:
            found = n.vjp(n, g)
            for x in found if isinstance(found, tuple) else (found,):
                if x is not None and is_wrapper(<TensorBase>x) and not asks(x):       # its memory's view
                    break
            else:
                return found
        except NoStorage:
            pass
        whole.add(n.op)
    call = VjpCall()
    call.n, call.several = n, isinstance(g, tuple)
    saved = tuple([n.raw(i) for i in range(0 if n.saved_ is None else len(n.saved_))])
    return _above.tell_classes(f"{n.op.name}_backward", call, (*g, *saved) if call.several else (g, *saved))


cdef class OfAllInputs(Node):
    """The gradient of a joint op that does not depend on the inputs of its node, as a function of them all the same."""

    cdef str of
    cdef list shapes                    # of the gradients of these inputs

    def name(self):
        return self.of + "Backward0"

    def run(self, g):
        return tuple([None if shape is None or g is None else g.new_zeros(shape) for shape in self.shapes])


cdef object lend = None             # (t, x): t gets the tangent of x

def set_lend(f):
    """Let autograd.dual say how a tensor gets another's tangent."""
    global lend
    lend = f


cdef object tied(Node n, object found):
    """The gradients of a node, those without a graph tied to its inputs."""
    cdef OfAllInputs node
    cdef TensorBase t
    cdef list ties = []
    cdef tuple grads = <tuple>found if isinstance(found, tuple) else (found,)
    cdef list shapes = [None if x is None else (<TensorBase>x).shape_tuple() for x in grads]
    for i, x in enumerate(grads):
        if x is not None and n.edges[i] is not None and not (<TensorBase>x).requires_grad_ and is_float((<TensorBase>x).view.dtype):
            node = OfAllInputs.__new__(OfAllInputs)
            node.of, node.shapes = n.op.grad_name.rstrip("0"), shapes
            node.edges, node.edge_nrs, node.n_outputs, node.seq = n.edges, n.edge_nrs, 1, next_seq()
            t = x.detach()
            lend(t, x)
            node.dtype, node.device = t.view.dtype, t.device
            t.grad_fn_, t.output_nr, t.requires_grad_ = node, 0, True
            x = t
        ties.append(x)
    return tuple(ties) if isinstance(found, tuple) else ties[0]


cdef object run_node(Node n, object g):
    """Run one node between its hooks; g as its vjp takes it."""
    cdef object found
    cdef tuple edges
    if n.hooks is not None and "pre" in n.hooks:
        gs = g if isinstance(g, tuple) else (g,)
        for hook in list(n.hooks["pre"].values()):
            gs = replaced(hook, hook(gs), gs)
        g = gs if isinstance(g, tuple) else gs[0]
    if batched_vjp is not None and is_batched(g):
        found = batched_vjp(n, g)
    elif n.vjp == NULL:
        found = n.run(g)
    elif g is None or (n.n_outputs > 1 and all_none(<tuple>g)):
        found = (None,) * len(n.edges)
    elif isinstance(g, TensorBase) and not is_wrapper(<TensorBase>g) or not any_wrapper(g):
        try:
            found = n.vjp(n, g)
            if grad_enabled() and n.op.joint:
                found = tied(n, found)
        except NoStorage:                        # of what it saved
            found = vjp_of_wrappers(n, g)
    else:
        found = vjp_of_wrappers(n, g)
    if n.hooks is not None and "post" in n.hooks:
        ins, edges = found if isinstance(found, tuple) else (found,), wanted_edges(n)
        if len(ins) == len(edges):
            ins = tuple([None if x is None or edges[i] is None else fitted(n, i, edges[i], x) for i, x in enumerate(ins)])
        tensors = len(ins) == len(edges) and counts_tensors(n)
        if tensors:
            ins = tuple([x for i, x in enumerate(ins) if edges[i] is not None])
        for hook in list(n.hooks["post"].values()):
            ins = replaced(hook, hook(ins, g if isinstance(g, tuple) else (g,)), ins)
        if tensors:
            left = iter(ins)
            ins = tuple([None if e is None else next(left) for e in edges])
        found = ins
    return found


def call_node(Node n, tuple grads):
    """Run one node that a program calls: as in a pass, with its hooks, but its saved tensors stay."""
    cdef Py_ssize_t i
    if len(grads) != n.n_outputs:
        raise TypeError(f"[{n.name()}] expected {n.n_outputs} gradients, one for each output, got {len(grads)}")
    for g in grads:
        if g is not None and not isinstance(g, TensorBase):
            raise TypeError(f"[{n.name()}] expected Tensors or None as gradients, got {type(g).__name__}")
    if n.saved_ is None and n.released:
        raise freed(n)
    found = run_node(n, grads if n.n_outputs > 1 else grads[0])
    if not isinstance(found, tuple):
        found = (found,)
    found = tuple([None if x is None or n.edges[i] is None else fitted(n, i, n.edges[i], x) for i, x in enumerate(found)
                   if n.edges[i] is not None or not counts_tensors(n)])
    return found[0] if len(<tuple>found) == 1 else found


cdef object runner = None               # what runs passes while a profiler records


def set_runner(function):
    """Let ``function(roots, grads, keep_graph, create_graph, captures, accumulate)`` run passes, by ``run_pass``; None ends it."""
    global runner
    runner = function


cdef enum:
    DEEPEST = 60                        # passes inside of one another in one thread; the interpreter counts their calls together


cdef object run(list roots, list grads, bint keep_graph, bint create_graph, list captures, bint accumulate):
    """Run a pass, by way of a profiler if there is one."""
    if create_graph and accumulate:                     # Tensor.backward has no frame, the function has one
        function = sys._getframe().f_globals.get("__name__") == "taeda.autograd.backward"
        warn_once("create_graph", "Using backward() with create_graph=True will create a reference cycle between the parameter and its "
                  "gradient which can cause a memory leak. Use autograd.grad when creating the graph, or reset the .grad fields of your "
                  "parameters to None after use to break the cycle.", 3 if function else 2)
    cdef int depth = passes_under_way(1)
    cdef bint done = False
    try:
        if depth > DEEPEST:
            found = _above.in_its_own_thread(run_backward, (roots, grads, keep_graph, create_graph, captures, accumulate))
        elif runner is not None:
            found = runner(roots, grads, keep_graph, create_graph, captures, accumulate)
        else:
            found = run_pass(roots, grads, keep_graph, create_graph, captures, accumulate)
        done = True
        return found
    finally:
        if queued:
            run_callbacks(depth, done)
        passes_under_way(-1)


cdef list starts(list roots):
    """The nodes or leaves from which a pass sets out; a root is a tensor or a GradientEdge."""
    cdef list nodes = []
    for root in roots:
        if isinstance(root, TensorBase):
            e = grad_fn_of(<TensorBase>root)
            nodes.append(root if e is None else e)
        else:
            nodes.append(getattr(root.node, "variable", root.node))
    return nodes


cdef dict captured_at(list captures):
    """Node -> (output_nr, index of the capture) of each of its outputs that are asked for."""
    cdef dict at = {}
    for i, (e, nr) in enumerate(captures):
        if isinstance(e, Node):
            at.setdefault(e, []).append((nr, i))
    return at


cdef int refuse_other_count(Node n, tuple found, Py_ssize_t count) except -1:
    """Raise unless a node gave a gradient for each of its inputs, and None alone besides."""
    if len(found) < count or any([x is not None for x in found[count:]]):
        raise RuntimeError(f"[{n.name()}] returned {len(found)} gradients for {count} inputs")
    return 0


cpdef object run_pass(list roots, list grads, bint keep_graph, bint create_graph, list captures, bint accumulate):
    """Carry ``grads`` of ``roots`` back.

    captures: None, or (node, output_nr) / (leaf, -1) pairs whose gradients are returned in a list;
    accumulate: leaves take their gradients (only the captured ones if captures is given).
    """
    cdef Traversal t = Traversal.__new__(Traversal)
    cdef list nodes
    cdef bint asked = False, was = set_grad(create_graph)
    cdef Narrowed outer = narrow(Narrowed(NULL, NULL))        # a pass inside of another runs whole nodes, if need be the very one
    t.buffers, t.leaves, t.heap = {}, {}, []
    t.keep_graph, t.create_graph, t.accumulate = keep_graph, create_graph, accumulate
    try:
        nodes = starts(roots)
        if captures is not None:
            t.needed = leads_to(nodes, captures)
            t.wanted, t.taken = captured_at(captures), {}
        if asking:
            asked = begin_pass(nodes, t.needed)
        if hooked_leaves:
            t.counts = LeafCounts()
            t.counts.count(nodes, t.needed)
        t.set_out(nodes, roots, grads)
        nodes = None
        while t.heap:
            t.step(pop(t.heap))
        found = None if captures is None else t.gradients_of(captures)
        t.finish_leaves()
        return found
    finally:
        set_grad(was)
        narrow(outer)
        if asked:
            end_pass()


@cython.final
@cython.freelist(4)
cdef class Traversal:
    """One pass over the graph: what has arrived where, and which nodes are to run."""

    cdef dict buffers               # Node -> its gradient, or a list of them for several outputs
    cdef dict leaves                # leaf -> sum of its gradients
    cdef list heap                  # the nodes to run
    cdef object needed              # the nodes and leaves that lead to what is asked for; None: all
    cdef dict wanted                # Node -> (output_nr, index of the capture) of its outputs that are asked for
    cdef dict taken                 # index of a capture -> its gradient
    cdef LeafCounts counts          # of leaves with hooks; None: there are none
    cdef bint keep_graph, create_graph, accumulate

    cdef int set_out(self, list nodes, list roots, list grads) except -1:
        """Give the roots their gradients."""
        cdef Py_ssize_t i, nr
        for i in range(len(roots)):
            nr = (<TensorBase>roots[i]).output_nr if isinstance(roots[i], TensorBase) else roots[i].output_nr
            if grads[i] is None:                 # gradcheck asks what a missing gradient does
                self.reach(nodes[i])
            else:
                self.deliver(nodes[i], nr, <TensorBase>grads[i])
            if self.counts is not None and self.counts.last(nodes[i]):
                settle(<TensorBase>nodes[i], self.leaves, self.create_graph, self.accumulate)
        return 0

    cdef int step(self, Node n) except -1:
        """Run one node and hand on what it gives."""
        cdef object buffer = self.buffers.pop(n), found, e
        cdef Py_ssize_t i, nr, count
        cdef TensorBase g
        if n.hooks is not None:
            buffer = output_hooks(n, buffer)
        if self.needed is not None:
            if n in self.wanted:
                self.take(n, buffer)
            if not any_edge_needed(n, self.needed):
                if self.accumulate and n.hooks is not None and n in self.wanted:        # such an input is run, for its hooks
                    run_node(n, tuple(buffer) if n.n_outputs > 1 else buffer)
                return 0
        if n.n_outputs > 1:
            buffer = (None,) * n.n_outputs if buffer is None else tuple(buffer)
        if self.needed is not None:
            found = run_restricted(n, buffer, self.needed)
        else:
            found = run_node(n, buffer) if not anomaly else guarded(run_watched, n, buffer)
        buffer = None
        if not self.keep_graph and n.saved_ is not None:
            release(n)
        if not isinstance(found, tuple):
            found = (found,)
        count = len(n.edges)
        if len(<tuple>found) != count:
            refuse_other_count(n, <tuple>found, count)
        for i in range(count):
            e = n.edges[i]
            if e is None:
                continue
            nr = 0 if n.edge_nrs is None else <Py_ssize_t>n.edge_nrs[i]
            if (<tuple>found)[i] is None:
                self.reach(e)
            else:
                g = fitted(n, i, e, (<tuple>found)[i])
                if i == count - 1:
                    found = None            # the last reference but g's, so that sums can be made in place
                self.deliver(e, nr, g)
                g = None
            if self.counts is not None and self.counts.last(e):
                settle(<TensorBase>e, self.leaves, self.create_graph, self.accumulate)
        return 0

    cdef int reach(self, object target) except -1:
        """No gradient comes along this edge, but the node behind it runs."""
        cdef Node n
        if not isinstance(target, Node) or (self.needed is not None and target not in self.needed):
            return 0
        n = <Node>target
        if n not in self.buffers:
            self.buffers[n] = None if n.n_outputs == 1 else [None] * n.n_outputs
            push(self.heap, n)
        return 0

    cdef int deliver(self, object target, Py_ssize_t nr, TensorBase g) except -1:
        """Add g to what has arrived at a node's output or a leaf."""
        cdef Node n
        cdef list slots
        cdef object old
        if self.needed is not None and target not in self.needed:
            return 0
        if not isinstance(target, Node):
            self.leaves[target] = joined(self.leaves.pop(target, None), g, self.create_graph)
            return 0
        n = <Node>target
        if n.n_outputs == 1:
            old = self.buffers.pop(n, MISSING)
            if old is MISSING:
                push(self.heap, n)
                self.buffers[n] = g
            else:
                self.buffers[n] = joined(old, g, self.create_graph)
            return 0
        slots = <list>self.buffers.get(n)
        if slots is None:
            slots = [None] * n.n_outputs
            self.buffers[n] = slots
            push(self.heap, n)
        old = slots[nr]
        slots[nr] = None
        slots[nr] = joined(old, g, self.create_graph)
        return 0

    cdef int take(self, Node n, object buffer) except -1:
        """Keep the gradients of a node's outputs that are asked for."""
        for nr, i in self.wanted[n]:
            self.taken[i] = buffer if n.n_outputs == 1 or buffer is None else buffer[nr]
        return 0

    cdef int finish_leaves(self) except -1:
        """Leaves take their sums, which are given away, so that a leaf may keep its own, unless a capture wants it."""
        cdef object leaf, total
        if self.needed is None:
            while self.leaves:
                leaf, total = self.leaves.popitem()
                if self.counts is None or leaf not in self.counts.left:
                    finish_leaf(<TensorBase>leaf, total, self.create_graph)
        elif self.accumulate:
            for leaf in self.leaves:
                if self.counts is None or leaf not in self.counts.left:
                    finish_leaf(<TensorBase>leaf, self.leaves[leaf], self.create_graph)
        return 0

    cdef list gradients_of(self, list captures):
        """The gradients of the captures; None where none has come."""
        return [self.taken.get(i) if isinstance(c[0], Node) else self.leaves.get(c[0]) for i, c in enumerate(captures)]


cdef object run_restricted(Node n, object g, object needed):
    """Run one node for those of its inputs alone that lead to what is asked for: the others are not computed."""
    cdef tuple edges = tuple([e if e is not None and e in needed else None for e in n.edges])
    cdef Narrowed was = narrow(Narrowed(<PyObject*>n, <PyObject*>edges))
    try:
        return run_node(n, g) if not anomaly else guarded(run_watched, n, g)
    finally:
        narrow(was)


cdef int release(Node n) except -1:
    """Forget the saved tensors after a pass that does not keep the graph."""
    for s in n.saved_:
        if isinstance(s, SavedTensor):
            (<SavedTensor>s).let_go()
    n.saved_ = None
    n.released = True
    return 0


def run_watched(Node n, g):
    """Run a node in anomaly mode."""
    return run_node(n, g)


cdef bint all_none(tuple gs):
    for g in gs:
        if g is not None:
            return False
    return True


cdef bint any_edge_needed(Node n, object needed):
    for e in n.edges:
        if e is not None and e in needed:
            return True
    return False


cdef object output_hooks(Node n, object buffer):
    """Run the hooks of the node's output tensors, and fill the .grad of those that retain it."""
    cdef list slots = list(buffer) if n.n_outputs > 1 else [buffer]
    for (kind, nr), value in [(k, v) for k, v in n.hooks.items() if isinstance(k, tuple)]:
        if kind == "tensor" and slots[nr] is not None:
            slots[nr] = run_hooks(value, slots[nr])
    for (kind, nr), value in [(k, v) for k, v in n.hooks.items() if isinstance(k, tuple)]:
        if kind == "retain" and slots[nr] is not None:
            t = value()
            if t is not None:
                t.grad = slots[nr].clone() if t.grad is None else t.grad + slots[nr]
    return slots if n.n_outputs > 1 else slots[0]


def run_backward(roots, grads, keep_graph, create_graph, captures, accumulate):
    """Run the engine on checked arguments (see backward.py)."""
    return run(list(roots), list(grads), bool(keep_graph), bool(create_graph), captures, accumulate)
