# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The same elements in another order or in another place: repeat, flip, roll, windows, one-hot.

Most of it is one strided copy: the result (or the input) is laid out so that the copy kernel does the rest.
"""
from libc.stdint cimport int64_t

from taeda.autograd.grad_mode cimport set_grad
from taeda.autograd.node cimport Node
from taeda.dispatch cimport (Op, as_strided_view, as_tensor, check_same_device, clone_dense, contiguous, copy_into, define, empty, empty_as,
                             empty_like, empty_shape, integer, launch, linear, record, to_dtype, wrap_dim, write_out)
from taeda.dtype cimport name_of
from taeda.kernels.cpu.abi cimport I32, I64, MAX_DIM, Param, View
from taeda.ops.advanced cimport zeros_beside, zeros_of
from taeda.ops.channels_last cimport channels_innermost, lies_channels_last
from taeda.ops.views cimport sizes_of
from taeda.tensor_base cimport META, TensorBase, alias, kind_of

from taeda.autograd.node import own
from taeda.layout import contiguous_format

__all__ = [
    "diagonal_scatter", "flip", "fliplr", "flipud", "one_hot", "repeat", "repeat_interleave", "roll", "rot90",
    "select_scatter", "slice_scatter", "tile", "unfold_backward",
]
PUBLIC = (
    "diagonal_scatter", "flip", "fliplr", "flipud", "repeat_interleave", "roll", "rot90", "select_scatter",
    "slice_scatter", "tile",
)


# -- repeat: y[r * size + i] = x[i] -------------------------------------------------------------------------
cdef object repeat_vjp(Node n, object g):
    shape, repeats = n.extra
    lead = len(repeats) - len(shape)
    wide, dims = [], []
    for d in range(len(repeats)):
        if repeats[d] != 1:
            dims.append(len(wide))
            wide.append(repeats[d])
        if d >= lead:
            wide.append(shape[d - lead])
    if not dims:
        return g.reshape(shape)
    return g.reshape(wide).sum(dims).reshape(shape)

cdef Op REPEAT = define("repeat", repeat_vjp)


cdef TensorBase repeat_core(TensorBase x, tuple repeats):
    """Repeat x: one copy between views in which each repeat is a dimension, along which x does not move."""
    cdef int lead = len(repeats) - x.view.ndim, d, m = 0
    cdef int64_t wide[2 * MAX_DIM]
    cdef int64_t to[2 * MAX_DIM]
    cdef int64_t at[2 * MAX_DIM]
    cdef int64_t size, r
    cdef TensorBase y
    if lead < 0:
        raise RuntimeError("[repeat] Number of dimensions of repeat dims can not be smaller than number of dimensions of "
                           f"tensor; got {len(repeats)} repeats for shape {tuple(x.shape_tuple())}")
    for d in range(len(repeats)):
        if repeats[d] < 0:
            raise RuntimeError(f"[repeat] Trying to create tensor with negative dimension: repeats are {list(repeats)}")
    y = empty_shape([repeats[d] * (x.view.shape[d - lead] if d >= lead else 1) for d in range(len(repeats))],
                    x.view.dtype, x.device)
    for d in range(len(repeats)):
        size, r = x.view.shape[d - lead] if d >= lead else 1, repeats[d]
        if r != 1:
            wide[m], to[m], at[m] = r, size * y.view.strides[d], 0
            m += 1
        if size != 1:
            wide[m], to[m], at[m] = size, y.view.strides[d], x.view.strides[d - lead]
            m += 1
    if m > MAX_DIM:
        raise RuntimeError(f"[repeat] more than {MAX_DIM} dimensions and repeats other than 1: {list(repeats)}")
    if y.view.numel:
        copy_into(as_strided_view(y, m, wide, to, 0), as_strided_view(x, m, wide, at, x.offset))
    record(REPEAT, y, (x,), None, (x.shape_tuple(), repeats))
    return y


def repeat(input, *repeats):
    """Repeat input repeats[d] times along dimension d; more repeats than dimensions add dimensions in front.

    Raises RuntimeError for fewer repeats than dimensions, or a negative one.

    >>> import taeda
    >>> taeda.tensor([1, 2]).repeat(2, 2)
    tensor([[1, 2, 1, 2],
            [1, 2, 1, 2]])
    """
    if not repeats:
        raise TypeError('[repeat] repeat() missing 1 required positional arguments: "repeats"')
    return repeat_core(as_tensor(input, "repeat"), sizes_of("repeat", repeats))


def repeat_method(input, *args, repeats=None):
    """Repeat the tensor repeats[d] times along dimension d; see :func:`repeat`."""
    return repeat(input, *(args if repeats is None else (repeats,)))


def tile(input, *sizes, dims=None):
    """Repeat input as repeat does; dimensions without a number are kept.

    >>> import taeda
    >>> taeda.tile(taeda.tensor([[1], [2]]), (2,))
    tensor([[1, 1],
            [2, 2]])
    """
    cdef TensorBase x = as_tensor(input, "tile")
    if not sizes and dims is None:
        raise TypeError('[tile] missing 1 required positional argument: "dims"; give () for a copy')
    sizes = sizes_of("tile", sizes if dims is None else (dims,))
    return repeat_core(x, (1,) * (x.view.ndim - len(sizes)) + sizes)


cdef Op REPEAT_INDEX = define("repeat_index", NULL)


def repeat_interleave(input, repeats=None, dim=None, *, output_size=None):
    """Repeat each element of input repeats times (a number, or a vector of one for each element) along dim.

    Without dim, input is read as a vector.  With repeats left out, input is the vector of counts, and the result
    is the index that repeats.

    Raises RuntimeError for counts that are negative, of another length, or not of type int.

    >>> import taeda
    >>> taeda.repeat_interleave(taeda.tensor([1, 2, 3]), taeda.tensor([1, 0, 2]))
    tensor([1, 3, 3])
    """
    cdef TensorBase x = as_tensor(input, "repeat_interleave"), counts, index
    cdef View* t[2]
    cdef int64_t total
    cdef int d
    if output_size is not None and integer(output_size, "repeat_interleave") < 0:
        raise RuntimeError(f"[repeat_interleave] Trying to create tensor with negative dimension {output_size}: [{output_size}]")
    if repeats is None:
        if x.view.ndim != 1:
            raise RuntimeError(f"[repeat_interleave] repeat_interleave only accept 1D vector as repeat, got shape {x.shape_tuple()}")
        repeats, index_only = x, True
    else:
        index_only = False
        if dim is None:
            x, dim = x.reshape(-1), 0
        d = wrap_dim("repeat_interleave", dim, x.view.ndim)
        if x.view.ndim == 0:
            raise IndexError(f"[repeat_interleave] Dimension specified as {dim} but tensor has no dimensions; leave dim out")
    if not isinstance(repeats, TensorBase):
        repeats = integer(repeats, "repeat_interleave")
        if repeats < 0:
            raise RuntimeError(f"[repeat_interleave] Repeats must be non-negative, got {repeats}")
        shape = list(x.shape_tuple())
        y = x.unsqueeze(d + 1).expand(shape[:d + 1] + [repeats] + shape[d + 1:])
        shape[d] *= repeats
        if output_size is not None and output_size != shape[d]:
            raise RuntimeError(f"[repeat_interleave] Expected output_size to be {shape[d]}, got {output_size}")
        return y.clone(memory_format=contiguous_format).reshape(shape)
    counts = <TensorBase>repeats
    if counts.view.dtype != I64 and counts.view.dtype != I32:
        raise RuntimeError(f"[repeat_interleave] repeats has to be Long or Int tensor, got {name_of(counts.view.dtype)}")
    if counts.view.ndim > 1:
        raise RuntimeError("[repeat_interleave] repeats must be 0-dim or 1-dim tensor, got shape "
                           f"{tuple(counts.shape_tuple())}")
    if not index_only:
        if counts.view.numel != x.view.shape[d]:
            if counts.view.numel != 1:
                raise RuntimeError("[repeat_interleave] repeats must have the same size as input along dim, but got "
                                   f"repeats.size(0) = {counts.view.numel} and input.size({d}) = {x.view.shape[d]}")
            counts = counts.reshape(1).expand(x.view.shape[d])
    counts = to_dtype(counts.reshape(-1), I64)
    if counts.device == META and output_size is None:
        raise NotImplementedError("[repeat_interleave] the size of the result depends on the data of repeats, which a meta "
                                  "tensor does not have; give output_size")
    if output_size is None or counts.device != META:
        if counts.view.numel and (counts < 0).any():
            raise RuntimeError("[repeat_interleave] repeats can not be negative")
        if counts.view.numel and (counts > (<int64_t>1 << 62) // counts.view.numel).any():
            raise RuntimeError("[repeat_interleave] the repeats add up to more elements than any tensor has")
        total = counts.sum()
        if output_size is not None and output_size != total:
            raise RuntimeError(f"[repeat_interleave] allocated size does not match required size: output_size is "
                               f"{output_size}, the repeats sum to {total}")
    else:
        total = output_size
    index = empty(1, &total, I64, counts.device)
    t[0], t[1] = &index.view, &counts.view
    launch(REPEAT_INDEX, I64, counts.device, 1, 2, t, NULL, total)
    return to_dtype(index, (<TensorBase>repeats).view.dtype) if index_only else x.index_select(d, index)


# -- flip, roll, rot90 ----------------------------------------------------------------------------------------
cdef object flip_vjp(Node n, object g):
    return flip(g, n.extra)

cdef object roll_vjp(Node n, object g):
    shifts, dims = n.extra
    return roll(g, tuple([-s for s in shifts]), dims)

cdef object rot90_vjp(Node n, object g):
    k, dims = n.extra
    return rot90(g, -k, dims)

cdef Op ROT90 = define("rot90", rot90_vjp)
cdef Op FLIP = define("flip", flip_vjp)
cdef Op ROLL = define("roll", roll_vjp)


def flip(input, *order, dims=None):
    """Reverse input along dims: y[i] = input[n - 1 - i].  The result is a copy.

    Raises IndexError for a dim out of range, RuntimeError for one that is given twice.

    >>> import taeda
    >>> taeda.flip(taeda.tensor([[1, 2], [3, 4]]), (0,))
    tensor([[3, 4],
            [1, 2]])
    """
    cdef TensorBase x = as_tensor(input, "flip"), y
    cdef int64_t strides[MAX_DIM]
    cdef int64_t offset = x.offset
    cdef int d
    dims = order if dims is None else (dims,)
    if not dims:
        raise TypeError('[flip] flip() missing 1 required positional arguments: "dims"')
    turned = set()
    for dim in sizes_of("flip", dims):
        d = wrap_dim("flip", dim, x.view.ndim)
        if d in turned:
            raise RuntimeError(f"[flip] dim {d} appears multiple times in the list of dims")
        turned.add(d)
    y = empty_as(x, x.view.dtype, x.device)
    for d in range(x.view.ndim):
        strides[d] = x.view.strides[d]
        if d in turned:
            strides[d] = -strides[d]
            offset += (x.view.shape[d] - 1) * x.view.strides[d]
    if y.view.numel:
        copy_into(y, as_strided_view(x, x.view.ndim, x.view.shape, strides, offset))
    record(FLIP, y, (x,), None, tuple(turned))
    return y


def fliplr(input):
    """Reverse input along dimension 1.

    >>> import taeda
    >>> taeda.fliplr(taeda.tensor([[1, 2]]))
    tensor([[2, 1]])
    """
    if as_tensor(input, "fliplr").view.ndim < 2:
        raise RuntimeError(f"[fliplr] Input must be >= 2-d, got shape {tuple(input.shape)}")
    return flip(input, 1)


def flipud(input):
    """Reverse input along dimension 0.

    >>> import taeda
    >>> taeda.flipud(taeda.tensor([1, 2]))
    tensor([2, 1])
    """
    if as_tensor(input, "flipud").view.ndim < 1:
        raise RuntimeError("[flipud] Input must be >= 1-d, got a 0-d tensor")
    return flip(input, 0)


cdef TensorBase roll_boxes(TensorBase x, dict shifts):
    """Turn x by {dimension: shift}: two pieces a dimension, each box of pieces copied to its place."""
    cdef TensorBase y = channels_innermost(empty_like(x)) if lies_channels_last(x) else empty_like(x)
    cdef int64_t sizes[MAX_DIM]
    cdef int64_t n, shift, source, target
    cdef int d, box
    for box in range(1 << len(shifts)):
        source, target = x.offset, 0
        for d in range(x.view.ndim):
            sizes[d] = x.view.shape[d]
        for i, (d, by) in enumerate(shifts.items()):
            n, shift = x.view.shape[d], by
            if box >> i & 1:                           # what leaves at the end
                sizes[d] = shift
                source += (n - shift) * x.view.strides[d]
            else:
                sizes[d] = n - shift
                target += shift * y.view.strides[d]
        copy_into(as_strided_view(y, x.view.ndim, sizes, y.view.strides, target),
                  as_strided_view(x, x.view.ndim, sizes, x.view.strides, source))
    return y


cdef TensorBase rolled(TensorBase x, tuple shifts, tuple dims):
    cdef dict turns = {}
    for by, d in zip(shifts, dims):
        turns[d] = (turns.get(d, 0) + by) % x.view.shape[d]
    moved = [(d, by) for d, by in turns.items() if by]
    if not moved:
        return clone_dense(x) if x.view.contiguous else contiguous(x)
    for i in range(0, len(moved), 3):                  # eight boxes at a time
        x = roll_boxes(x, dict(moved[i:i + 3]))
    return x


def roll(input, shifts, dims=None):
    """Shift input along dims; what leaves at one end comes in at the other: y[(i + shift) % n] = input[i].

    Without dims, input is rolled as a vector and gets its shape back.

    Raises RuntimeError for as many shifts as there are not dims, IndexError for a dim out of range.

    >>> import taeda
    >>> taeda.roll(taeda.tensor([1, 2, 3]), 1)
    tensor([3, 1, 2])
    """
    cdef TensorBase x = as_tensor(input, "roll"), y
    shifts = tuple(shifts) if isinstance(shifts, (tuple, list)) else (shifts,)
    dims = () if dims is None else tuple(dims) if isinstance(dims, (tuple, list)) else (dims,)
    if not shifts:
        raise RuntimeError("[roll] `shifts` required")
    shifts = tuple([integer(shift, "roll") for shift in shifts])
    if not dims and len(shifts) == 1:
        y = contiguous(x.detach()).reshape(-1)
        y = own((rolled(y, shifts, (0,)) if y.view.numel else y.clone()).reshape(x.shape_tuple()))
        record(ROLL, y, (x,), None, (shifts, None))
        return y
    if len(shifts) != len(dims):
        raise RuntimeError(f"[roll] shifts and dimensions must align. shifts: {len(shifts)}, dims:{len(dims)}")
    if x.view.ndim == 0:
        raise IndexError(f"[roll] Dimension specified as {dims[0]} but tensor has no dimensions")
    dims = tuple([wrap_dim("roll", d, x.view.ndim) for d in dims])
    y = rolled(x.detach(), shifts, dims) if x.view.numel else empty_like(x)
    record(ROLL, y, (x,), None, (shifts, dims))
    return y


def rot90(input, k=1, dims=(0, 1)):
    """Turn input by k quarters in the plane of dims, from the first towards the second.

    Raises RuntimeError for other than two different dims, IndexError for one out of range.

    >>> import taeda
    >>> taeda.rot90(taeda.tensor([[1, 2], [3, 4]]))
    tensor([[2, 4],
            [1, 3]])
    """
    cdef TensorBase x = as_tensor(input, "rot90"), y
    if len(dims) != 2:
        raise RuntimeError(f"[rot90] expected total rotation dims == 2, but got dims = {len(dims)}")
    if x.view.ndim < 2:
        raise RuntimeError(f"[rot90] expected total dims >= 2, but got total dims = {x.view.ndim}")
    a, b = [wrap_dim("rot90", d, x.view.ndim) for d in dims]
    if a == b:
        raise RuntimeError("[rot90] expected rotation dims to be different, but got dim0 = "
                           f"{dims[0]} and dim1 = {dims[1]}")
    k = integer(k, "rot90")
    k %= 4
    x = x.detach()
    if k == 1:
        y = flip(x, b).transpose(a, b)
    elif k == 2:
        y = flip(x, a, b)
    elif k == 3:
        y = flip(x, a).transpose(a, b)
    else:
        y = x.clone()
    y = alias(y)                                   # no view of the flipped copy, to whoever asks
    record(ROT90, y, (input,), None, (k, (a, b)))
    return y


# -- a copy with one view of it replaced ---------------------------------------------------------------------------
cdef object view_scatter_vjp(Node n, object g):
    method, args, shape = n.extra
    return (write_view(g, zeros_beside(g, shape), method, args)
            if n.needs(0) else None, getattr(g, method)(*args) if n.needs(1) else None)

cdef Op SELECT_SCATTER = define("select_scatter", view_scatter_vjp)
cdef Op SLICE_SCATTER = define("slice_scatter", view_scatter_vjp)
cdef Op DIAGONAL_SCATTER = define("diagonal_scatter", view_scatter_vjp)


cdef object clone_vjp(Node n, object g):
    return g

cdef Op CLONE = define("clone", clone_vjp)

def clone_in_place(input):
    """Return a copy of input whose elements lie where input's do in a storage as long; a plain copy where elements share a place."""
    cdef TensorBase x = <TensorBase?>input, whole, y
    cdef int64_t n, one = 1
    cdef int d
    if kind_of(&x.view) or x.view.contiguous and not x.offset and x.view.numel * x.view.itemsize == x.storage.nbytes_:
        return x.clone()
    for d in range(x.view.ndim):
        if x.view.strides[d] == 0 and x.view.shape[d] > 1:
            return x.clone()
    n = x.storage.nbytes_ // x.view.itemsize
    whole = empty(1, &n, x.view.dtype, x.device)
    copy_into(whole, as_strided_view(x, 1, &n, &one, 0))
    y = as_strided_view(whole, x.view.ndim, x.view.shape, x.view.strides, x.offset)
    record(CLONE, y, (x,), None)
    return y


cdef object write_view(object input, object src, str method, tuple args, bint in_place=False):
    """Return a copy of input with src in the place of the view input.method(*args)."""
    cdef Op op = SELECT_SCATTER if method == "select" else DIAGONAL_SCATTER if method == "diagonal" else SLICE_SCATTER
    cdef TensorBase x = as_tensor(input, op.name), s = as_tensor(src, op.name), y, v
    cdef bint was
    check_same_device(op.name, (x, s))
    was = set_grad(False)
    try:
        y = clone_in_place(x) if in_place else x.clone()
        v = getattr(y, method)(*args)
    finally:
        set_grad(was)
    if v.shape_tuple() != s.shape_tuple():
        raise RuntimeError(f"[{op.name}] expected src to have a size equal to the slice of self. src size = "
                           f"{list(s.shape_tuple())}, slice size = {list(v.shape_tuple())}")
    copy_into(v, s)
    record(op, y, (x, s), None, (method, args, s.shape_tuple()))
    return y


def select_scatter(input, src, dim, index):
    """Return input with src written over input.select(dim, index).

    Raises IndexError for an index out of range, RuntimeError for a src of another shape.

    >>> import taeda
    >>> taeda.select_scatter(taeda.zeros(2, 2), taeda.ones(2), 0, 1)
    tensor([[0., 0.],
            [1., 1.]])
    """
    return write_view(input, src, "select", (dim, index), True)


def slice_scatter(input, src, dim=0, start=None, end=None, step=1, *, out=None):
    """Return input with src written over input[start:end:step] of dimension dim.

    Raises RuntimeError for a src of another shape, or a step that is not positive.

    >>> import taeda
    >>> taeda.slice_scatter(taeda.zeros(4), taeda.ones(2), start=1, end=3)
    tensor([0., 1., 1., 0.])
    """
    cdef TensorBase x = as_tensor(input, "slice_scatter")
    if integer(step, "slice_scatter") < 1:
        raise RuntimeError(f"[slice_scatter] slice step must be positive, got {step}")
    d = wrap_dim("slice_scatter", dim, x.view.ndim)
    y = write_view(x, src, "__getitem__", ((slice(None),) * d + (slice(start, end, step),),), True)
    return y if out is None else write_out(out, y, "slice_scatter")


def diagonal_scatter(input, src, offset=0, dim1=0, dim2=1):
    """Return input with src written over input.diagonal(offset, dim1, dim2).

    Raises RuntimeError for a src of another shape.

    >>> import taeda
    >>> taeda.diagonal_scatter(taeda.zeros(2, 2), taeda.ones(2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    return write_view(input, src, "diagonal", (offset, dim1, dim2), True)


# -- windows: the adjoint of unfold -----------------------------------------------------------------------------
cdef object unfold_backward_vjp(Node n, object g):
    dim, size, step = n.extra
    return g.unfold(dim, size, step)

cdef Op UNFOLD_BACKWARD = linear(define("unfold_backward", unfold_backward_vjp))


def unfold_backward(g, shape, dim, size, step):
    """Add the windows g of x.unfold(dim, size, step) up at their places in x, of the given shape."""
    cdef TensorBase c = contiguous(as_tensor(g, "unfold_backward")), x
    cdef View* t[2]
    cdef Param p[3]
    cdef int d
    shape = tuple(shape)
    if not shape:
        return c.reshape(()) if c.view.numel == 1 else c.sum()
    d = wrap_dim("unfold_backward", dim, len(shape))
    if (size < 1 or step < 1 or c.view.ndim != len(shape) + 1 or c.view.shape[len(shape)] != size
            or c.view.shape[d] and (c.view.shape[d] - 1) * step + size > shape[d]
            or shape[:d] + shape[d + 1:] != c.shape_tuple()[:d] + c.shape_tuple()[d + 1:len(shape)]):
        raise RuntimeError(f"[unfold_backward] g of shape {tuple(c.shape_tuple())} does not hold the windows of a tensor of "
                           f"shape {shape} along dimension {d} with size {size} and step {step}")
    x = empty_shape(shape, c.view.dtype, c.device)
    t[0], t[1], p[0].i, p[1].i, p[2].i = &x.view, &c.view, d, size, step
    launch(UNFOLD_BACKWARD, c.view.dtype, c.device, 1, 2, t, p, c.view.numel + x.view.numel)
    record(UNFOLD_BACKWARD, x, (c,), None, (p[0].i, size, step))
    return x


# -- one-hot ------------------------------------------------------------------------------------------------------
def one_hot(tensor, num_classes=-1):
    """Return vectors with a 1 where tensor says: y[..., c] = (tensor[...] == c), int64.

    tensor is int64; without num_classes there are as many classes as the largest index asks for.

    Raises RuntimeError for another dtype, an index below 0 or not below num_classes, or no elements and no
    num_classes.

    >>> import taeda
    >>> taeda.ops.one_hot(taeda.tensor([0, 2]))
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    cdef TensorBase x = as_tensor(tensor, "one_hot"), y
    if x.view.dtype != I64:
        raise RuntimeError("[one_hot] one_hot is only applicable to index tensor of type LongTensor, got "
                           f"{name_of(x.view.dtype)}; convert it with .long()")
    num_classes = integer(num_classes, "one_hot")
    if x.view.numel == 0:
        if num_classes <= 0:
            raise RuntimeError("[one_hot] Can not infer total number of classes from empty tensor.")
        return zeros_of(x.shape_tuple() + (num_classes,), I64, x.device)
    if num_classes < 1 and num_classes != -1:
        raise RuntimeError(f"[one_hot] num_classes should be positive, got {num_classes}")
    if x.device != META:
        low, high = x.min().item(), x.max().item()
        if low < 0:
            raise RuntimeError(f"[one_hot] Class values must be non-negative, got {low}")
        if num_classes == -1:
            num_classes = high + 1
        elif high >= num_classes:
            raise RuntimeError(f"[one_hot] Class values must be smaller than num_classes, got {high} for {num_classes} "
                               "classes")
    elif num_classes < 0:
        raise NotImplementedError("[one_hot] the number of classes depends on the data, which a meta tensor does not have; "
                                  "give num_classes")
    y = zeros_of(x.shape_tuple() + (num_classes,), I64, x.device)
    return y.scatter_(-1, x.unsqueeze(-1), 1)


METHODS = {
    "diagonal_scatter": diagonal_scatter, "flip": flip, "fliplr": fliplr, "flipud": flipud,
    "repeat": repeat_method, "repeat_interleave": repeat_interleave, "roll": roll, "rot90": rot90,
    "select_scatter": select_scatter, "slice_scatter": slice_scatter, "tile": tile,
}
