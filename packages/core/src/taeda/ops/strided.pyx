# cython: language_level=3, boundscheck=False, wraparound=True, cdivision=True, initializedcheck=False
"""Views of any layout: diagonals, windows, as_strided; and how a view's history follows its base's.

An in-place write through a view becomes history of its base: the node CopySlices of the base clones the
cotangent, lets the written view's node work on its part, and passes the rest on.  The view's own grad_fn is
made anew (AsStrided of the base) when it is next asked for.
"""
from libc.stdint cimport int64_t

from taeda.autograd.grad_mode cimport grad_enabled, set_grad
from taeda.autograd.node cimport Node, connect, keeping
from taeda.autograd.saved cimport SavedTensor, in_graph
from taeda.dispatch cimport NOTHING, SEVERAL, Op, as_strided_view, as_tensor, define, integer as int64_of, record_view, wrap_dim
from taeda.dtype cimport dtype_of, is_complex_
from taeda.kernels.cpu.abi cimport MAX_DIM
from taeda.recording cimport of_several
from taeda.tensor_base cimport TensorBase, is_wrapper

from taeda import recording as _recording
from taeda.autograd import node as _node
from taeda.ops.complex_numbers import view_as_complex, view_as_real
from taeda.ops.copying import check_layout
from taeda.ops.creation import full
from taeda.ops.rearrange import unfold_backward
from taeda.ops.sequences import arange


# -- diagonal, unfold, as_strided ----------------------------------------------------------------------

cdef object diagonal_vjp(Node n, object g):
    shape, offset, dim1, dim2 = n.extra
    whole = g.new_zeros(shape)
    if is_wrapper(<TensorBase>g):                      # a write into a view would have no part in the history
        return whole.diagonal_scatter(g, offset, dim1, dim2)
    whole.diagonal(offset, dim1, dim2).copy_(g)
    return whole

cdef Op DIAGONAL = define("diagonal", diagonal_vjp)

def diagonal(input, offset=0, dim1=0, dim2=1):
    """Return a view of a diagonal of two dimensions, as the last dimension of the result.

    Dimensions ``dim1`` and ``dim2`` go, and the diagonal comes last: y[.., i] = x[.., i, .., i + offset, ..].  A view.

    Raises:
        IndexError: a dimension is out of range.  RuntimeError: both are the same.

    >>> import taeda
    >>> taeda.diagonal(taeda.tensor([[1, 2], [3, 4]]))
    tensor([1, 4])
    """
    cdef TensorBase x = as_tensor(input, "diagonal"), y
    cdef int a = wrap_dim("diagonal", dim1, x.view.ndim), b = wrap_dim("diagonal", dim2, x.view.ndim)
    cdef int64_t k = int64_of(offset, "diagonal"), length, start = x.offset
    if a == b:
        raise RuntimeError(f"[diagonal] diagonal dimensions cannot be identical {dim1}, {dim2}")
    length = min(x.view.shape[a], x.view.shape[b] - k) if k >= 0 else min(x.view.shape[a] + k, x.view.shape[b])
    length = max(length, 0)
    if length:
        start += k * x.view.strides[b] if k >= 0 else -k * x.view.strides[a]
    shape = [s for i, s in enumerate(x.shape_tuple()) if i != a and i != b] + [length]
    strides = [s for i, s in enumerate(x.stride_tuple()) if i != a and i != b] + [x.view.strides[a] + x.view.strides[b]]
    y = strided(x, shape, strides, start)
    record_view(DIAGONAL, y, x, (x.shape_tuple(), offset, dim1, dim2))
    return y

cdef TensorBase strided(TensorBase x, object shape, object strides, int64_t offset):
    cdef int64_t sizes[MAX_DIM]
    cdef int64_t steps[MAX_DIM]
    cdef int i
    for i in range(len(shape)):
        sizes[i], steps[i] = shape[i], strides[i]
    return as_strided_view(x, len(shape), sizes, steps, offset)

cdef object unfold_vjp(Node n, object g):
    shape, d, size, step = n.extra
    if not shape:                                       # a scalar is one window, of itself or of nothing
        return g.sum()
    return unfold_backward(g, shape, d, size, step) if size else g.new_zeros(shape)

cdef Op UNFOLD = define("unfold", unfold_vjp)

def unfold(input, dimension, size, step):
    """Return a view of all windows of ``size`` along a dimension, ``step`` apart, as a new last dimension.

    A dimension of n elements becomes one of (n - size) // step + 1; RuntimeError where size is larger than n.

    >>> import taeda
    >>> taeda.arange(5).unfold(0, 3, 1)
    tensor([[0, 1, 2],
            [1, 2, 3],
            [2, 3, 4]])
    """
    cdef TensorBase x = as_tensor(input, "unfold"), y
    cdef int d = wrap_dim("unfold", dimension, x.view.ndim)
    cdef int64_t length = x.view.shape[d] if x.view.ndim else 1, stride = x.view.strides[d] if x.view.ndim else 1
    size, step = int64_of(size, "unfold"), int64_of(step, "unfold")
    if step <= 0:
        raise RuntimeError(f"[unfold] step is {step} but must be > 0")
    if size < 0 or size > length:
        raise RuntimeError(f"[unfold] maximum size for tensor at dimension {dimension} is {length} but size is {size}")
    shape, strides = list(x.shape_tuple()), list(x.stride_tuple())
    if x.view.ndim:
        shape[d], strides[d] = (length - size) // step + 1, stride * step
    y = strided(x, shape + [size], strides + [stride], x.offset)
    record_view(UNFOLD, y, x, (x.shape_tuple(), d, size, step))
    return y

cdef object as_strided_vjp(Node n, object g):
    # the base's elements in memory order; each of the view's is added to where it came from
    shape, in_strides, in_offset, size, strides, offset = n.extra
    reach = max(reach_of(shape, in_strides, in_offset), reach_of(size, strides, offset))
    flat = g.new_zeros(reach + 1)
    if disjoint(size, strides) and not is_wrapper(<TensorBase>g):
        flat.as_strided(size, strides, offset).copy_(g)
    else:
        flat = flat.index_add(0, positions(size, strides, offset, g.device), g.reshape(-1))
    if not disjoint(shape, in_strides):          # elements of the input that share a place share its gradient
        at = positions(shape, in_strides, in_offset, g.device)
        flat = flat / at.new_zeros(reach + 1).index_add(0, at, at.new_ones(at.shape)).clamp(min=1)
    return flat.as_strided(shape, in_strides, in_offset)

cdef Op AS_STRIDED = define("as_strided", as_strided_vjp)

cdef object reach_of(object size, object strides, object offset):
    """The place in memory of the last element of a layout."""
    for s, st in zip(size, strides):
        offset += max(s - 1, 0) * st
    return offset

cdef bint disjoint(object size, object strides):
    """Does no element of the layout lie on another?  (True only where that is plain.)"""
    reach = 1
    for st, s in sorted([(st, s) for s, st in zip(size, strides) if s > 1]):
        if st < reach:
            return False
        reach = st * s
    return True

cdef object positions(object size, object strides, object offset, object device):
    """The place in memory of each element of a layout, in a row of int64."""
    at = full((1,) * len(size), offset, device=device)
    for d, (s, st) in enumerate(zip(size, strides)):
        at = at + (arange(s, device=device) * st).reshape([-1 if i == d else 1 for i in range(len(size))])
    return at.reshape(-1)

def as_strided(input, size, stride, storage_offset=None):
    """Return a view of the storage with any size, stride and offset that stay inside it.

    y[i, j, ..] is the element at offset + i stride_0 + j stride_1 + ..., counted from the start of the storage.

    Raises:
        RuntimeError: the view would reach beyond the storage, or a size or stride is negative.

    >>> import taeda
    >>> taeda.as_strided(taeda.arange(5), (3, 2), (1, 1))
    tensor([[0, 1],
            [1, 2],
            [2, 3]])
    """
    cdef TensorBase x = as_tensor(input, "as_strided"), y
    offset = x.offset if storage_offset is None else int64_of(storage_offset, "as_strided")
    size, stride = tuple([int64_of(i, "as_strided") for i in size]), tuple([int64_of(i, "as_strided") for i in stride])
    check_layout("as_strided", size, stride, offset, x.view.itemsize, x.storage.nbytes_)
    y = strided(x, size, stride, offset)
    record_view(AS_STRIDED, y, x, (x.shape_tuple(), x.stride_tuple(), x.offset, size, stride, offset))
    return y

# -- history of views whose base was written to --------------------------------------------------------

cdef object in_dtype(object flat, int code):
    """A 1-d tensor's memory as the parts of its complex numbers, or its pairs as complex numbers."""
    if (<TensorBase>flat).view.dtype == code:
        return flat
    return view_as_real(flat).view(-1) if is_complex_((<TensorBase>flat).view.dtype) else (
        view_as_complex(flat.view(-1, 2)))

cdef object room_for(object g, object shape, object in_strides, object in_offset, object size, object strides, object offset,
                     int base, int code):
    """Zeros of dtype ``base`` that reach as far as the base's layout and as the view's, which counts in dtype ``code``."""
    far = reach_of(size, strides, offset) + 1
    if base != code:
        far = (far + 1) // 2 if is_complex_(base) else 2 * far
    far = max(far, reach_of(shape, in_strides, in_offset) + 1)
    return g.new_zeros(far + far % 2 if is_complex_(code) else far, dtype=dtype_of(base))

cdef object parts_strided_vjp(Node n, object g):
    # of a view in another dtype than its base's: the parts of complex numbers
    shape, in_strides, in_offset, size, strides, offset, base, code = n.extra
    flat = room_for(g, shape, in_strides, in_offset, size, strides, offset, base, code)
    in_dtype(flat, code).as_strided(size, strides, offset).copy_(g)
    return flat.as_strided(shape, in_strides, in_offset)


def _regenerate(TensorBase v):
    """Make the node that leads from a view to its base's present history."""
    cdef Node n = Node.__new__(Node)
    cdef TensorBase b = v.base
    _node.refuse_own_view(v, v.grad_fn_, "its base or another view of its base has been")
    if v.history == SEVERAL or v.grad_fn_ is not None and of_several(v.grad_fn_):
        name = "view" if v.grad_fn_ is None else v.grad_fn_.name()
        raise RuntimeError(f"[{name}] a view of shape {tuple(v.shape_tuple())} is the output of a function that returns "
                           "multiple views, and its base or another view of its base has been modified inplace. Such functions do "
                           "not allow the output views to be modified inplace. You should replace the inplace operation by an "
                           "out-of-place one.")
    n.vjp = AS_STRIDED.vjp
    n.op = AS_STRIDED
    n.n_outputs = 1
    n.dtype = v.view.dtype
    n.extra = (b.shape_tuple(), b.stride_tuple(), b.offset, v.shape_tuple(), v.stride_tuple(), v.offset)
    if v.view.dtype != b.view.dtype:
        n.vjp = parts_strided_vjp
        n.extra += (<int>b.view.dtype, <int>v.view.dtype)
    connect(n, (b,))
    return n

cdef tuple lent(Node n, object shape, object in_strides, object in_offset, object size, object strides, object offset):
    """What n keeps for the node of the write; the written value itself leads, where a graph is recorded, to n, as the base's view does.

    To the node of the write it must not: that runs within n alone.
    """
    cdef TensorBase t
    cdef Py_ssize_t i
    cdef tuple kept = n.saved_
    cdef bint was
    for i in range(len(kept)):
        if kept[i] is None or isinstance(kept[i], SavedTensor):
            continue
        t = <TensorBase>kept[i]
        if t.output_nr >= 0:
            continue
        was = set_grad(False)
        try:
            whole = (<object>t).as_strided(shape, in_strides, in_offset)
        finally:
            set_grad(was)
        kept = kept[:i] + ((<object>in_graph(whole, n, 0)).as_strided(size, strides, offset),) + kept[i + 1:]
    return kept


cdef object copy_slices_vjp(Node n, object g):
    inner, shape, in_strides, in_offset, size, strides, offset, base, code = n.extra
    cdef Node written = <Node>inner
    flat = room_for(g, shape, in_strides, in_offset, size, strides, offset, base, code)
    whole = flat.as_strided(shape, in_strides, in_offset)
    whole.copy_(g)
    part = in_dtype(flat, code).as_strided(size, strides, offset)
    saved = n.saved_                                    # the outer node's pass says when they are freed
    if grad_enabled() and saved is not None and base == code:
        saved = lent(n, shape, in_strides, in_offset, size, strides, offset)
    if written.vjp != NULL:
        written = keeping(written, saved)
        written.released = n.released
        found = written.vjp(written, part.clone())
    else:                                               # a user's, which has kept what n forgets after its pass
        found = inner.run(part.clone())
    found = found if isinstance(found, tuple) else (found,)
    if written.input_shapes is not None:
        found = tuple([None if f is None else f.sum_to_size(s) for f, s in zip(found, written.input_shapes)])
    if n.needs(0):
        if found[0] is None:
            part.zero_()
        else:
            part.copy_(found[0])
    return (whole if n.needs(0) else None, *found[1:])

cdef Op COPY_SLICES = define("copy_slices", copy_slices_vjp, NOTHING, 0, None, "CopySlices")

def _copy_slices(TensorBase v, Node inner):
    """Make the base's node for an in-place write through view v that node ``inner`` records."""
    cdef Node n = Node.__new__(Node)
    cdef TensorBase b = v.base
    n.vjp = COPY_SLICES.vjp
    n.op = COPY_SLICES
    n.n_outputs = 1
    n.dtype = b.view.dtype
    n.saved_ = inner.saved_
    if inner.vjp != NULL:
        inner.saved_ = None
    n.extra = (inner, b.shape_tuple(), b.stride_tuple(), b.offset, v.shape_tuple(), v.stride_tuple(), v.offset,
               <int>b.view.dtype, <int>v.view.dtype)
    connect(n, (b,) + (None,) * (len(inner.edges) - 1))
    n.edges = (n.edges[0],) + tuple(inner.edges[1:])
    if inner.edge_nrs is not None or n.edge_nrs is not None:
        n.edge_nrs = ((0 if n.edge_nrs is None else n.edge_nrs[0]),) + (
            (0,) * (len(n.edges) - 1) if inner.edge_nrs is None else tuple(inner.edge_nrs[1:]))
    return n


_node.set_regenerate_view(_regenerate)
_recording.set_copy_slices(_copy_slices)

PUBLIC = ("diagonal", "as_strided")
__all__ = PUBLIC + ("unfold",)
METHODS = {name: globals()[name] for name in __all__}
