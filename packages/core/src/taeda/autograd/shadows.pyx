# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Graphs made on shadows (``_aten.classes``): of calls that are run a second time, on tensors of the same sizes without data.

What such a run records is right but for the tensors that its nodes keep and lead to; :func:`transplant` puts in their places the
ones that the shadows stand for.
"""
from taeda.autograd.node cimport Node, grad_fn_of
from taeda.dtype cimport dtype_of
from taeda.tensor_base cimport META, TensorBase, twin


def take_place(TensorBase shadow, TensorBase x):
    """Give a shadow the place in the graph of x; that of a leaf is a leaf."""
    shadow.grad_fn_, shadow.output_nr = grad_fn_of(x), x.output_nr
    shadow.requires_grad_ = x.requires_grad_ or shadow.grad_fn_ is not None
    shadow.wrapped_number = x.wrapped_number


cdef object original_of(TensorBase t, dict originals):
    """The tensor that t, a shadow or the same view of one, stands for; t itself if it has data; None if neither."""
    cdef TensorBase s
    found = originals.get(id(t.storage))
    if found is None and t.wrapped_number and t.device == META and None in originals:
        s = <TensorBase>originals[None][1](dtype_of(t.view.dtype))                # the number of the call
        s.wrapped_number = True
        return s
    if found is None:
        return None if t.device == META and t.view.numel else t
    s = <TensorBase>found[0]
    same = (t.view.dtype == s.view.dtype and t.offset == s.offset and t.shape_tuple() == s.shape_tuple()
            and t.stride_tuple() == s.stride_tuple())
    return found[1] if same else None


cdef object result_of(Node n, int nr, list results):
    for shadow, result in results:
        if (<TensorBase>shadow).grad_fn_ is n and (<TensorBase>shadow).output_nr == nr:
            return result
    return None


cdef object originals_in(object x, dict originals, int depth):
    """Extra values of a node with the originals of shadows; NotImplemented where one has none."""
    if isinstance(x, TensorBase):
        found = original_of(<TensorBase>x, originals)
        return NotImplemented if found is None else found
    if depth and type(x) in (tuple, list):
        found = [originals_in(y, originals, depth - 1) for y in x]
        return NotImplemented if NotImplemented in [y for y in found if not isinstance(y, TensorBase)] else type(x)(found)
    return x


cdef list saved_originals(Node n, list results, dict originals):
    """What a node saved, each tensor's shadow exchanged for what it stands for, with its version; None where that is neither an argument
    nor a result."""
    cdef TensorBase t, kept
    cdef list saved = []
    for x in n.saved_ or ():
        if x is None:
            saved.append((None, 0))
            continue
        if not isinstance(x, TensorBase):
            return None
        t = <TensorBase>x
        found = result_of(n, -1 - t.output_nr, results) if t.output_nr < 0 else original_of(t, originals)
        if found is None:
            return None
        if t.output_nr < 0:
            kept = twin(<TensorBase>found)
            kept.output_nr = t.output_nr
            found = kept
        saved.append((found, (<TensorBase>found).storage.version))
    return saved


def transplant(list results, dict originals):
    """Let the graph of results that were made from shadows be that of the tensors which these stand for.

    results: (shadow of a result, the result); originals: id of a shadow's storage -> (the shadow, its tensor), and None -> (None, what
    makes a tensor of the number among the arguments, for a dtype).  False, and nothing is changed, where a node has saved what is
    neither an argument nor a result: a shadow has no data.
    """
    cdef Node n
    cdef TensorBase t, original
    cdef list stack = [], changes = [], saved
    cdef set seen = set()
    cdef int i
    for shadow, _ in results:
        stack.append((<TensorBase>shadow).grad_fn_)
    limits = [grad_fn_of(<TensorBase>x) for key, (_, x) in originals.items() if key is not None]
    while stack:
        fn = stack.pop()
        if fn is None or fn in seen or any([fn is limit for limit in limits]):
            continue
        if not isinstance(fn, Node) or (<Node>fn).op is None:
            return False
        seen.add(fn)
        n = <Node>fn
        saved = saved_originals(n, results, originals)
        if saved is None:
            return False
        extra = originals_in(n.extra, originals, 2)
        if extra is NotImplemented:
            return False
        edges = []
        for e in n.edges:
            if isinstance(e, TensorBase):
                found = originals.get(id((<TensorBase>e).storage))
                edges.append(e if found is None else found[1])
            else:
                edges.append(e)
                stack.append(e)
        changes.append((n, saved, extra, tuple(edges)))
    for n, saved, extra, edges in changes:
        if n.saved_ is not None:
            n.saved_ = tuple([x for x, _ in saved])
            for i in range(len(saved)):
                n.versions[i] = saved[i][1]
        n.extra, n.edges = extra, edges
    for shadow, result in results:
        t, original = <TensorBase>shadow, <TensorBase>result
        if t.grad_fn_ is not None:
            original.grad_fn_, original.output_nr, original.requires_grad_ = t.grad_fn_, t.output_nr, True
    return True
