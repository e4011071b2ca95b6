# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The engine: carry cotangents from the roots back to the leaves.

a. Nodes run in decreasing order of creation.  A node's consumers were all created after it, so when it
   comes off the heap every one of its gradients has arrived: no counting of dependencies, one pass.
b. Gradients of one tensor are borrowed, then added; a sum that nobody else holds is added to in place.
c. For ``autograd.grad`` a first walk marks the nodes that lead to a wanted input; others do not run.
d. Leaves take their sum at the end, so that a failed pass leaves every ``.grad`` as it was.
"""
from cpython.object cimport PyObject

from taeda.autograd.grad_mode cimport set_grad
from taeda.autograd.node cimport Node, grad_fn_of
from taeda.dtype cimport dtype_of, is_complex_
from taeda.tensor_base cimport TensorBase

cdef extern from "Python.h":
    Py_ssize_t Py_REFCNT(PyObject *o)


cdef enum:
    STAND_IN = 3             # the device code of a cotangent that is a batch of them (taeda.func)

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
        return (<TensorBase>g).device == STAND_IN
    return isinstance(g, tuple) and any([x is not None and (<TensorBase>x).device == STAND_IN for x in <tuple>g])


def reaches_others(roots, inner):
    """Whether the graph of ``roots`` has a leaf, other than through the nodes and leaves ``inner`` = ((node or leaf), ...)."""
    cdef set seen = set(inner)
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
            return True
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


cdef inline bint exclusive(TensorBase g, Py_ssize_t refs):
    """Is g held by ``refs`` references alone, dense, and the only tensor on its storage?"""
    return (Py_REFCNT(<PyObject*>g) <= refs and Py_REFCNT(<PyObject*>g.storage) == 1 and g.view.contiguous
            and g.storage.owner is None and g.base is None and g.device != STAND_IN)


cdef object joined(object old, TensorBase g, bint create_graph):
    """old + g; into old's own memory if nobody else sees it."""
    cdef TensorBase o
    if old is None:
        return g
    o = <TensorBase>old
    if not create_graph and exclusive(o, 2) and o.view.dtype == g.view.dtype and o.view.numel == g.view.numel:
        o.add_(g)
        return o
    return o + g


cdef object leads_to(list roots, list captures):
    """Return the set of nodes from which a captured (node, nr) or leaf can be reached."""
    cdef set wanted = set(), seen = set()
    cdef list order = [], stack
    cdef Node n
    for c in captures:
        wanted.add(c[0])
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
    needed = set(wanted)
    for n in order:
        if n in needed:
            continue
        for e in n.edges:
            if e is not None and e in needed:
                needed.add(n)
                break
    return needed


def _seq(Node n):
    return n.seq


cdef object run_hooks(dict hooks, object g):
    for hook in list(hooks.values()):
        found = hook(g)
        if found is not None:
            if not isinstance(found, TensorBase):
                raise TypeError(f"[register_hook] a hook must return None or a Tensor, got {type(found).__name__}")
            g = found
    return g


cdef int finish_leaf(TensorBase leaf, object total, bint create_graph) except -1:
    """Add the sum of a leaf's gradients to its .grad."""
    cdef TensorBase g
    if leaf.extra is not None and "hooks" in leaf.extra:
        total = run_hooks(leaf.extra["hooks"], total)
    g = <TensorBase>total
    if leaf.grad_ is None:
        if create_graph:
            leaf.grad_ = g.clone()
        elif exclusive(g, 4) and not g.requires_grad_:
            leaf.grad_ = g
        else:
            leaf.grad_ = g.detach().clone().contiguous()
    elif create_graph or (<TensorBase>leaf.grad_).requires_grad_:
        leaf.grad_ = leaf.grad_ + g
    else:
        leaf.grad_.add_(g)
    if leaf.extra is not None and "post_accumulate_hooks" in leaf.extra:
        for hook in list(leaf.extra["post_accumulate_hooks"].values()):
            hook(leaf)
    return 0


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
        if t.view.dtype != (<TensorBase>edge).view.dtype:
            t = in_dtype(t, (<TensorBase>edge).view.dtype)
    elif t.view.dtype != (<Node>edge).dtype and (<Node>edge).n_outputs == 1:
        t = in_dtype(t, (<Node>edge).dtype)
    return t


cdef TensorBase in_dtype(TensorBase g, int dtype):
    """A gradient in its input's dtype; of a real input the real part alone counts."""
    if is_complex_(g.view.dtype) and not is_complex_(dtype):
        g = g.real
    return g.to(dtype_of(dtype))


cdef object run_node(Node n, object g):
    """Run one node between its hooks; g as its vjp takes it."""
    cdef object found
    if n.hooks is not None and "pre" in n.hooks:
        gs = g if isinstance(g, tuple) else (g,)
        for hook in list(n.hooks["pre"].values()):
            new = hook(gs)
            if new is not None:
                gs = new if isinstance(new, tuple) else (new,)
        g = gs if isinstance(g, tuple) else gs[0]
    if batched_vjp is not None and is_batched(g):
        found = batched_vjp(n, g)
    elif n.vjp != NULL:
        found = n.vjp(n, g)
    else:
        found = n.run(g)
    if n.hooks is not None and "post" in n.hooks:
        ins = found if isinstance(found, tuple) else (found,)
        for hook in list(n.hooks["post"].values()):
            new = hook(ins, g if isinstance(g, tuple) else (g,))
            if new is not None:
                ins = new if isinstance(new, tuple) else (new,)
        found = ins
    return found


cdef object run(list roots, list grads, bint keep_graph, bint create_graph, list captures, bint accumulate):
    """Carry ``grads`` of ``roots`` back.

    captures: None, or (node, output_nr) / (leaf, -1) pairs whose gradients are returned in a list;
    accumulate: leaves take their gradients (only the captured ones if captures is given).
    """
    cdef dict buffers = {}          # Node -> its gradient, or a list of them for several outputs
    cdef dict leaves = {}           # leaf -> sum
    cdef list heap = []
    cdef dict taken = {}            # capture index -> gradient
    cdef dict capture_at = {}       # Node -> list of (nr, index)
    cdef object needed = None
    cdef Node n
    cdef TensorBase root, g
    cdef Py_ssize_t i, nr, count
    cdef object buffer, found, e
    cdef bint was = set_grad(create_graph)
    try:
        nodes = []
        for i in range(len(roots)):
            root = <TensorBase>roots[i]
            e = grad_fn_of(root)
            nodes.append(root if e is None else e)
        if captures is not None:
            needed = leads_to(nodes, captures)
            for i in range(len(captures)):
                e, nr = captures[i]
                if isinstance(e, Node):
                    capture_at.setdefault(e, []).append((nr, i))
        for i in range(len(roots)):
            deliver(nodes[i], (<TensorBase>roots[i]).output_nr, <TensorBase>grads[i], buffers, leaves, heap, needed,
                    create_graph)
        nodes = None
        while heap:
            n = pop(heap)
            buffer = buffers.pop(n)
            if n.hooks is not None:
                buffer = output_hooks(n, buffer)
            if needed is not None and n in capture_at:
                for nr, i in capture_at[n]:
                    found = buffer if n.n_outputs == 1 else buffer[nr]
                    taken[i] = found
            if needed is not None and not any_edge_needed(n, needed):
                continue
            if n.n_outputs > 1:
                buffer = tuple(buffer)
            found = run_node(n, buffer)
            buffer = None
            if not keep_graph and n.saved_ is not None:
                n.saved_ = None
                n.released = True
            if not isinstance(found, tuple):
                found = (found,)
            count = len(n.edges)
            if len(<tuple>found) != count:
                if len(<tuple>found) < count or any([x is not None for x in found[count:]]):
                    raise RuntimeError(f"[{n.name()}] returned {len(<tuple>found)} gradients for {count} inputs")
            for i in range(count):
                e = n.edges[i]
                if e is None:
                    continue
                if (<tuple>found)[i] is None:
                    continue
                g = fitted(n, i, e, (<tuple>found)[i])
                nr = 0 if n.edge_nrs is None else <Py_ssize_t>n.edge_nrs[i]
                if i == count - 1:
                    found = None                # the last reference but g's, so that sums can be made in place
                deliver(e, nr, g, buffers, leaves, heap, needed, create_graph)
                g = None
            found = None
        if captures is not None:
            for i in range(len(captures)):
                e = captures[i][0]
                if isinstance(e, TensorBase) and e in leaves:
                    root = <TensorBase>e
                    total = leaves[e]
                    if root.extra is not None and "hooks" in root.extra and not accumulate:
                        total = run_hooks(root.extra["hooks"], total)
                    taken[i] = total
        if accumulate:
            while leaves:
                e, g = leaves.popitem()
                finish_leaf(<TensorBase>e, g, create_graph)
    finally:
        set_grad(was)
    return None if captures is None else [taken.get(i) for i in range(len(captures))]


cdef bint any_edge_needed(Node n, object needed):
    for e in n.edges:
        if e is not None and e in needed:
            return True
    return False


cdef int deliver(object target, Py_ssize_t nr, TensorBase g, dict buffers, dict leaves, list heap, object needed,
                 bint create_graph) except -1:
    """Add g to what has arrived at a node's output or a leaf."""
    cdef Node n
    cdef list slots
    cdef object old
    if needed is not None and target not in needed:
        return 0
    if not isinstance(target, Node):
        leaves[target] = joined(leaves.pop(target, None), g, create_graph)
        return 0
    n = <Node>target
    if n.n_outputs == 1:
        old = buffers.pop(n, None)
        if old is None:
            push(heap, n)
        buffers[n] = joined(old, g, create_graph)
        return 0
    slots = <list>buffers.get(n)
    if slots is None:
        slots = [None] * n.n_outputs
        buffers[n] = slots
        push(heap, n)
    old = slots[nr]
    slots[nr] = None
    slots[nr] = joined(old, g, create_graph)
    return 0


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
                t.grad = slots[nr] if t.grad is None else t.grad + slots[nr]
    return slots if n.n_outputs > 1 else slots[0]


def run_backward(roots, grads, keep_graph, create_graph, captures, accumulate):
    """Run the engine on checked arguments (see backward.py)."""
    return run(list(roots), list(grads), bool(keep_graph), bool(create_graph), captures, accumulate)
