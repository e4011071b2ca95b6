# cython: language_level=3, boundscheck=False, wraparound=True, cdivision=True, initializedcheck=False
"""Views of a part: one index, a slice, and the pieces that a dimension is cut into."""
from cpython.number cimport PyIndex_Check
from libc.stdint cimport int64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport (SEVERAL, Op, as_strided_view, as_tensor, define, integer as int64_of, linear, needs_grad, record, record_view,
                             wrap_dim)
from taeda.dtype cimport is_float
from taeda.kernels.cpu.abi cimport BOOL, I64, MAX_DIM
from taeda.storage cimport CPU, foreign_storage
from taeda.tensor_base cimport STAND_IN, TensorBase, alias, is_wrapper, refresh

from taeda import _above


# -- one ---------------------------------------------------------------------------------------------------

cdef object select_vjp(Node n, object g):
    shape, dim, index = n.extra
    whole = g.new_zeros(shape)
    if is_wrapper(<TensorBase>g):                      # a write into a view would have no part in the history
        return whole.select_scatter(g, dim, index)
    whole.select(dim, index).copy_(g)
    return whole

cdef Op SELECT = define("select", select_vjp)
cdef Op UNBIND = define("unbind", select_vjp)

def select(input, dim, index):
    """Return a view of one index of dimension ``dim``, which goes away.

    y = x[..., index, ...]; a negative index counts from the end.

    Raises:
        IndexError: the index or ``dim`` is out of range, or the tensor has no dimension.

    >>> import taeda
    >>> taeda.tensor([[1, 2], [3, 4]]).select(1, 0)
    tensor([1, 3])
    """
    cdef TensorBase x = as_tensor(input, "select")
    cdef int d
    cdef int64_t at, size
    if x.view.ndim == 0:
        raise IndexError("[select] select() cannot be applied to a 0-dim tensor.")
    d = wrap_dim("select", dim, x.view.ndim)
    at = int64_of(index, "select")
    size = x.view.shape[d]
    if at < -size or at >= size:
        raise IndexError(f"[select] index {at} is out of bounds for dimension {d} with size {size}")
    return selected(SELECT, x, d, at + size if at < 0 else at)

cdef TensorBase selected(Op op, TensorBase x, int d, int64_t at):
    cdef TensorBase y
    cdef int i
    cdef int64_t shape[MAX_DIM]
    cdef int64_t strides[MAX_DIM]
    for i in range(x.view.ndim - 1):
        shape[i] = x.view.shape[i if i < d else i + 1]
        strides[i] = x.view.strides[i if i < d else i + 1]
    y = as_strided_view(x, x.view.ndim - 1, shape, strides, x.offset + at * x.view.strides[d])
    record_view(op, y, x, (x.shape_tuple(), d, at) if needs_grad(x) else None)
    return y

cdef object slice_vjp(Node n, object g):
    shape, dim, start, length, step = n.extra
    return around(g, shape, dim, start, length, step)


cdef object around(object g, tuple shape, int dim, start, length, step):
    """Zeros with g in the place of a slice; of a batch of cotangents, with the batch as one more dimension in front."""
    if (<TensorBase>g).device == STAND_IN and not is_wrapper(<TensorBase>g):
        return _above.batched(around(g._value, (g._value.shape[0], *shape), dim + 1, start, length, step), g._level)
    whole = g.new_zeros(shape)
    slice_view(<TensorBase>whole, dim, start, length, step).copy_(g)
    return whole

cdef Op SLICE = define("slice", slice_vjp)

cdef Op SPLIT = define("split", slice_vjp)
cdef Op SPLIT_SIZES = define("split_with_sizes", slice_vjp)

cdef object slice_view(TensorBase x, int d, int64_t start, int64_t length, int64_t step, Op op=None):
    cdef TensorBase y = alias(x)
    y.view.shape[d] = length
    y.view.strides[d] = x.view.strides[d] * step
    y.offset = x.offset + start * x.view.strides[d]
    refresh(y)
    record_view(SLICE if op is None else op, y, x, (x.shape_tuple(), d, start, length, step) if needs_grad(x) else None)
    return y

def slice_(input, dim=0, start=None, end=None, step=1):
    """Return a view of ``input[start:end:step]`` along ``dim``, with Python's clamping of the ends.

    >>> import taeda
    >>> taeda.ops.aten.slice(taeda.arange(6), 0, 1, 5, 2)
    tensor([1, 3])
    """
    cdef TensorBase x = as_tensor(input, "slice")
    cdef int d = wrap_dim("slice", dim, x.view.ndim)
    cdef int64_t size, a, b, s = int64_of(step, "slice")
    if x.view.ndim == 0:
        raise RuntimeError("[slice] slice() cannot be applied to a 0-dim tensor.")
    if s <= 0:
        raise RuntimeError(f"[slice] slice step must be positive, got {step}")
    size = x.view.shape[d]
    a = 0 if start is None else start
    b = size if end is None or end > size else end
    if a < 0:
        a += size
    if b < 0:
        b += size
    a = min(max(a, 0), size)
    b = min(max(b, a), size)
    return slice_view(x, d, a, 1 + (b - a - 1) // s if b > a else 0, s)

def narrow(input, dim, start, length):
    """Return a view of ``length`` indices of ``dim`` from ``start`` on.

    y = x[start:start + length] along ``dim``; a negative start counts from the end.

    Raises:
        RuntimeError: the range does not lie inside the dimension.  IndexError: start or ``dim`` is out of range.

    >>> import taeda
    >>> taeda.narrow(taeda.arange(5), 0, 1, 3)
    tensor([1, 2, 3])
    """
    cdef TensorBase x = as_tensor(input, "narrow")
    cdef int d
    cdef int64_t size, a, n
    if x.view.ndim == 0:
        raise RuntimeError("[narrow] narrow() cannot be applied to a 0-dim tensor.")
    if isinstance(start, TensorBase):
        if (<TensorBase>start).view.ndim or is_float((<TensorBase>start).view.dtype) or (<TensorBase>start).view.dtype == BOOL:
            raise RuntimeError(f"[narrow] start must be a 0-dim integral Tensor, got shape {tuple(start.shape)} and {start.dtype}")
        start = start.item()
    if not PyIndex_Check(start) or not PyIndex_Check(length) or isinstance(start, bool) or isinstance(length, bool):
        raise TypeError(f"[narrow] start and length must be ints, not {type(start).__name__} and {type(length).__name__}")
    d = wrap_dim("narrow", dim, x.view.ndim)
    size, a, n = x.view.shape[d], int64_of(start, "narrow"), int64_of(length, "narrow")
    if n < 0:
        raise RuntimeError("[narrow] narrow(): length must be non-negative.")
    if a < -size or a > size:
        raise IndexError(f"[narrow] start out of range (expected to be in range of [{-size}, {size}], but got {a})")
    if a < 0:
        a += size
    if a > size - n:
        raise RuntimeError(f"[narrow] start ({a}) + length ({n}) exceeds dimension size ({size}).")
    return slice_view(x, d, a, n, 1)


# -- several at once -------------------------------------------------------------------------------------

cdef TensorBase one_of_several(TensorBase y):
    """Mark a view that was made along with others: what it is written to is not recorded, as in PyTorch."""
    if y.grad_fn_ is None and y.history >= 0:
        y.history = SEVERAL
    return y

def unbind(input, dim=0):
    """Return a tuple of views, one for each index of ``dim``.

    The views lose the dimension, and autograd lets none of them be changed in place.  IndexError for ``dim`` out of range.

    >>> import taeda
    >>> taeda.unbind(taeda.tensor([[1, 2], [3, 4]]))
    (tensor([1, 2]), tensor([3, 4]))
    """
    cdef TensorBase x = as_tensor(input, "unbind")
    if x.view.ndim == 0:
        raise IndexError("[unbind] Dimension specified as 0 but tensor has no dimensions")
    cdef int d = wrap_dim("unbind", dim, x.view.ndim)
    few("unbind", x.view.shape[d], 28)
    return tuple([one_of_several(selected(UNBIND, x, d, i)) for i in range(x.view.shape[d])])

def split(input, split_size_or_sections=None, dim=0, *, split_size=None):
    """Return a tuple of views along ``dim``: pieces of one size (the last may be smaller), or of the given sizes.

    The sizes of a list must add up to the dimension's size, else RuntimeError.  Autograd lets none of the views be changed in
    place; ``unsafe_split`` gives such.

    >>> import taeda
    >>> taeda.split(taeda.arange(5), 2)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    >>> taeda.split(taeda.arange(5), [1, 4])
    (tensor([0]), tensor([1, 2, 3, 4]))
    """
    cdef TensorBase x = as_tensor(input, "split")
    split_size_or_sections = split_size if split_size_or_sections is None else split_size_or_sections
    if split_size_or_sections is None:
        raise TypeError('[split] missing 1 required positional argument: "split_size_or_sections"')
    if x.view.ndim == 0:
        raise RuntimeError("[split] split expects at least a 1-dimensional tensor")
    cdef int d = wrap_dim("split", dim, x.view.ndim)
    cdef int64_t size = x.view.shape[d], at = 0, piece
    if isinstance(split_size_or_sections, (tuple, list)):
        split_size_or_sections = [int64_of(s, "split") for s in split_size_or_sections]
        if any([s < 0 for s in split_size_or_sections]):
            raise RuntimeError("[split] split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes="
                               f"{split_size_or_sections}")
        if sum(split_size_or_sections) != size:
            raise RuntimeError(f"[split] split_with_sizes expects split_sizes to sum exactly to {size} (input tensor's size at "
                               f"dimension {d}), but got split_sizes={split_size_or_sections}")
        found = []
        for s in split_size_or_sections:
            found.append(one_of_several(slice_view(x, d, at, s, 1, SPLIT_SIZES)))
            at += s
        return tuple(found)
    piece = int64_of(split_size_or_sections, "split")
    if piece < 0 or (piece == 0 and size):
        raise RuntimeError(f"[split] split expects split_size be {'non-negative' if piece else '> 0'}, but got split_size={piece}")
    if size == 0 or piece == 0:
        return (one_of_several(slice_view(x, d, 0, size, 1, SPLIT)),)
    few("split", size // piece, 28)
    return tuple([one_of_several(slice_view(x, d, i, min(piece, size - i), 1, SPLIT)) for i in range(0, size, piece)])

def split_with_sizes(input, split_sizes, dim=0):
    """Return views of the given sizes along ``dim``.

    RuntimeError where they do not add up to the dimension's size.

    >>> import taeda
    >>> taeda.split_with_sizes(taeda.arange(5), [1, 4])
    (tensor([0]), tensor([1, 2, 3, 4]))
    """
    return split(input, list(split_sizes), dim)

def chunk(input, chunks, dim=0):
    """Return at most ``chunks`` views of equal size along ``dim`` (the last may be smaller).

    Each has ceil(n / chunks) indices, so that there may be fewer of them.  RuntimeError unless ``chunks`` is positive.

    >>> import taeda
    >>> taeda.chunk(taeda.arange(5), 3)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    """
    cdef TensorBase x = as_tensor(input, "chunk")
    if x.view.ndim == 0:
        raise RuntimeError("[chunk] chunk expects at least a 1-dimensional tensor")
    chunks = int64_of(chunks, "chunk")
    if chunks <= 0:
        raise RuntimeError(f"[chunk] chunk expects `chunks` to be greater than 0, got: {chunks}")
    cdef int d = wrap_dim("chunk", dim, x.view.ndim)
    size = x.view.shape[d]
    if size == 0:
        return tuple([slice_view(x, d, 0, 0, 1, SPLIT) for _ in range(few("chunk", chunks))])
    return split(x, (size + chunks - 1) // chunks, d)

cdef object few(str op, object pieces, int bits=24):
    """So many pieces as memory can hold: each is an object of its own, even one of an empty, expanded or meta tensor."""
    if pieces > 1 << bits:
        raise RuntimeError(f"[{op}] {pieces} pieces are too many: at most {1 << bits}")
    return pieces

cdef object apart(TensorBase x, object pieces, object dim):
    """The same pieces as slices, each made alone, which may be written to under autograd."""
    at, found = 0, []
    for piece in pieces:
        size = piece.shape[dim]
        found.append(narrow(x, dim, at, size))
        at += size
    return tuple(found)

cdef Op UNSAFE_SPLIT = linear(define("unsafe_split", slice_vjp))
cdef Op UNSAFE_SPLIT_SIZES = linear(define("unsafe_split_with_sizes", slice_vjp))

cdef object own(Op op, TensorBase x, object pieces, object dim):
    """The same pieces as tensors of their own, on x's memory: a count of writes each, and no part in x's history."""
    cdef TensorBase piece, y
    cdef int d = wrap_dim("unsafe_split", dim, x.view.ndim)
    cdef int64_t at = 0
    found = []
    for piece in pieces:
        y = alias(piece)
        if x.device == CPU:
            y.storage = foreign_storage(x.storage.data, x.storage.nbytes_, x.storage, x.storage.readonly_)
        record(op, y, (x,), (), (x.shape_tuple(), d, at, y.view.shape[d], 1) if needs_grad(x) else None)
        at += y.view.shape[d]
        found.append(y)
    return tuple(found)

def unsafe_split(input, split_size, dim=0):
    """Return :func:`split` into pieces that are no views.

    Each may be changed in place where autograd records, also after the others were.  They share the memory of ``input``, which nothing
    should be asked of afterwards: its own history knows of no such change.
    """
    cdef TensorBase x = as_tensor(input, "unsafe_split")
    return own(UNSAFE_SPLIT, x, split(x, split_size, dim), dim)

def unsafe_split_with_sizes(input, split_sizes, dim=0):
    """Return :func:`split_with_sizes` into pieces that are no views: see :func:`unsafe_split`."""
    cdef TensorBase x = as_tensor(input, "unsafe_split_with_sizes")
    return own(UNSAFE_SPLIT_SIZES, x, split_with_sizes(x, split_sizes, dim), dim)

def unsafe_chunk(input, chunks, dim=0):
    """Return :func:`chunk` into pieces that are no views: see :func:`unsafe_split`."""
    cdef TensorBase x = as_tensor(input, "unsafe_chunk")
    return own(UNSAFE_SPLIT, x, chunk(x, chunks, dim), dim)

def tensor_split(input, indices_or_sections=None, dim=0, *, indices=None, sections=None):
    """Return views along ``dim``: so many of nearly equal size, or cut before the given indices.

    The first n mod k of k pieces are larger by one.  RuntimeError for fewer than one piece, or a tensor without dimensions.

    >>> import taeda
    >>> taeda.tensor_split(taeda.arange(5), 2)
    (tensor([0, 1, 2]), tensor([3, 4]))
    >>> taeda.tensor_split(taeda.arange(5), (1, 3))
    (tensor([0]), tensor([1, 2]), tensor([3, 4]))
    """
    cdef TensorBase x = as_tensor(input, "tensor_split")
    if x.view.ndim == 0:
        raise RuntimeError("[tensor_split] tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims")
    cdef int d = wrap_dim("tensor_split", dim, x.view.ndim)
    cdef TensorBase cuts
    size = x.view.shape[d]
    for other in (indices, sections):
        if other is not None:
            if indices_or_sections is not None:
                raise TypeError("[tensor_split] one of indices_or_sections, indices and sections must be given")
            indices_or_sections = other
    if isinstance(indices_or_sections, TensorBase):
        cuts = <TensorBase>indices_or_sections
        if cuts.view.ndim > 1:
            raise RuntimeError(f"[tensor_split] expected tensor_indices_or_sections to be a zero-dimensional or one-dimensional "
                               f"tensor, but got a tensor with {cuts.view.ndim} dims")
        if cuts.view.dtype != I64:
            raise RuntimeError("[tensor_split] expected tensor_indices_or_sections to have dtype of long, but got "
                               f"{indices_or_sections.dtype}")
        indices_or_sections = indices_or_sections.tolist()
    if indices_or_sections is None or isinstance(indices_or_sections, (float, bool)):
        raise TypeError(f"[tensor_split] indices_or_sections must be an int or ints, not {type(indices_or_sections).__name__}")
    if not isinstance(indices_or_sections, (tuple, list)):
        indices_or_sections = int64_of(indices_or_sections, "tensor_split")
        if indices_or_sections <= 0:
            raise RuntimeError(f"[tensor_split] number of sections must be larger than 0, got {indices_or_sections}")
        few("tensor_split", indices_or_sections)
        base, more = divmod(size, indices_or_sections)
        return apart(x, split(x, [base + (i < more) for i in range(indices_or_sections)], d), d)
    ends = [int64_of(i, "tensor_split") for i in indices_or_sections] + [size]
    found, start = [], 0
    for end in ends:
        found.append(slice_(x, d, start, end))
        start = end
    return tuple(found)

def hsplit(input, indices_or_sections):
    """Split along the second dimension (the first of a vector).

    An int must divide the size (RuntimeError else); a tuple says where to cut.

    >>> import taeda
    >>> [x.shape for x in taeda.hsplit(taeda.ones(2, 4), 2)]
    [taeda.Size([2, 2]), taeda.Size([2, 2])]
    """
    return split_evenly("hsplit", as_tensor(input, "hsplit"), indices_or_sections, 1, 0 if input.dim() == 1 else 1)

def vsplit(input, indices_or_sections):
    """Split along the first dimension of at least two.

    An int must divide the size (RuntimeError else); a tuple says where to cut.

    >>> import taeda
    >>> [x.shape for x in taeda.vsplit(taeda.ones(4, 2), (1, 3))]
    [taeda.Size([1, 2]), taeda.Size([2, 2]), taeda.Size([1, 2])]
    """
    return split_evenly("vsplit", as_tensor(input, "vsplit"), indices_or_sections, 2, 0)

def dsplit(input, indices_or_sections):
    """Split along the third dimension.

    An int must divide the size (RuntimeError else); a tuple says where to cut.

    >>> import taeda
    >>> [x.shape for x in taeda.dsplit(taeda.ones(1, 2, 4), 2)]
    [taeda.Size([1, 2, 2]), taeda.Size([1, 2, 2])]
    """
    return split_evenly("dsplit", as_tensor(input, "dsplit"), indices_or_sections, 3, 2)

cdef object split_evenly(str op, TensorBase x, object indices_or_sections, int least, int d):
    if x.view.ndim < least:
        raise RuntimeError(f"[{op}] {op} requires a tensor with at least {least} dimension(s), but got a tensor with "
                           f"{x.view.ndim} dimensions")
    if isinstance(indices_or_sections, TensorBase) and (<TensorBase>indices_or_sections).view.ndim:
        indices_or_sections = indices_or_sections.tolist()
    if not isinstance(indices_or_sections, (tuple, list)):
        indices_or_sections = int64_of(indices_or_sections, op)
    if isinstance(indices_or_sections, int) and (indices_or_sections <= 0 or x.view.shape[d] % indices_or_sections):
        raise RuntimeError(f"[{op}] attempted to split along dimension {d}, but the size of the dimension {x.view.shape[d]} is "
                           f"not divisible by the split_size {indices_or_sections}!")
    return tensor_split(x, indices_or_sections, d)


PUBLIC = (
    "select", "narrow", "unbind", "split", "split_with_sizes", "chunk", "tensor_split", "hsplit", "vsplit", "dsplit", "unsafe_split",
    "unsafe_split_with_sizes", "unsafe_chunk",
)
__all__ = PUBLIC + ("slice_",)
METHODS = {name: globals()[name] for name in __all__ if name != "slice_"}
