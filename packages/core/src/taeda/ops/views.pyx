# cython: language_level=3, boundscheck=False, wraparound=True, cdivision=True, initializedcheck=False
"""Views: other shapes and strides over the same storage, and how a view's history follows its base's.

An in-place write through a view becomes history of its base: the node CopySlices of the base clones the
cotangent, lets the written view's node work on its part, and passes the rest on.  The view's own grad_fn is
made anew (AsStrided of the base) when it is next asked for.
"""
from cpython.long cimport PyLong_Check
from libc.stdint cimport int64_t

from taeda.autograd.grad_mode cimport grad_enabled
from taeda.autograd.node cimport Node, connect
from taeda.dispatch cimport (NOTHING, Op, as_strided_view, as_tensor, clone_dense, contiguous, define, empty, integer as int64_of,
                             record_view, wrap_dim)
from taeda.dtype cimport dtype_of, is_complex_, is_float
from taeda.kernels.cpu.abi cimport I64, MAX_DIM
from taeda.tensor_base cimport TensorBase, alias, refresh

from taeda.autograd import node as _node
from taeda import dispatch as _dispatch
from taeda.ops.copying import check_layout


cdef object integer(object x, str op):
    """An index or size as a Python int."""
    if PyLong_Check(x):
        return x
    if hasattr(x, "__index__"):
        return x.__index__()
    raise TypeError(f"[{op}] expected an int, got {x!r} ({type(x).__name__})")


cdef tuple sizes_of(str op, tuple args):
    """The sizes of f(2, 3), f((2, 3)) or f([2, 3]) as a tuple of ints."""
    if len(args) == 1 and isinstance(args[0], (tuple, list)):
        args = tuple(args[0])
    for a in args:
        if type(a) is not int:
            return tuple([integer(x, op) for x in args])
    return args


# -- expand: sizes of 1 repeated without memory --------------------------------------------------------

cdef object expand_vjp(Node n, object g):
    return g.sum_to_size(n.extra)

cdef Op EXPAND = define("expand", expand_vjp)

def expand(input, *sizes, implicit=False):
    """Return a view with dimensions of size 1 repeated; -1 keeps a size, new dimensions come in front.

    >>> import taeda
    >>> taeda.tensor([[1], [2]]).expand(2, 3).shape
    taeda.Size([2, 3])
    """
    cdef TensorBase x = as_tensor(input, "expand"), y
    cdef tuple shape = sizes_of("expand", sizes)
    cdef int n = len(shape), lead = n - x.view.ndim, d
    cdef int64_t new_shape[MAX_DIM]
    cdef int64_t strides[MAX_DIM]
    if lead < 0:
        raise RuntimeError(f"[expand] the number of sizes provided ({n}) must be greater or equal to the number of "
                           f"dimensions in the tensor ({x.view.ndim}); shape {x.shape_tuple()} to {shape}")
    if n > MAX_DIM:
        raise RuntimeError(f"[expand] a tensor has at most {MAX_DIM} dimensions, got {n}")
    for d in range(n):
        size = shape[d]
        if d < lead:
            if size < 0:
                raise RuntimeError(f"[expand] The expanded size of the tensor ({size}) isn't allowed in a leading, "
                                   f"non-existing dimension {d}")
            new_shape[d], strides[d] = size, 0
            continue
        have = x.view.shape[d - lead]
        if size == -1 or size == have:
            new_shape[d], strides[d] = have, x.view.strides[d - lead]
        elif have == 1 and size >= 0:
            new_shape[d], strides[d] = size, 0
        else:
            raise RuntimeError(f"[expand] The expanded size of the tensor ({size}) must match the existing size ({have}) at "
                               f"non-singleton dimension {d}. Target sizes: {list(shape)}. Tensor sizes: "
                               f"{list(x.shape_tuple())}")
    y = as_strided_view(x, n, new_shape, strides, x.offset)
    record_view(EXPAND, y, x, x.shape_tuple())
    return y

def expand_as(input, other):
    """Return :func:`expand` to the shape of another tensor."""
    return expand(input, as_tensor(other, "expand_as").shape_tuple())

def broadcast_to(input, size):
    """Return :func:`expand` to ``size``."""
    return expand(input, tuple(size))

def broadcast_tensors(*tensors):
    """Return the tensors expanded to their common shape."""
    if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        tensors = tensors[0]
    for i, t in enumerate(tensors):
        if not isinstance(t, TensorBase):
            raise TypeError(f"[broadcast_tensors] expected Tensor as element {i} in argument 0, but got {type(t).__name__}")
    shape = broadcast_shapes(*[t.shape for t in tensors])
    return tuple([expand(t, shape) for t in tensors])

def broadcast_shapes(*shapes):
    """Return the shape that tensors of these shapes broadcast to."""
    from taeda.tensor_base import Size
    result = ()
    for shape in shapes:
        shape = (shape,) if isinstance(shape, int) else tuple(shape)
        if any([s < 0 for s in shape]):
            raise RuntimeError(f"[broadcast_shapes] Trying to create tensor with negative dimension: {shape}")
        n = max(len(result), len(shape))
        a, b = (1,) * (n - len(result)) + tuple(result), (1,) * (n - len(shape)) + shape
        for x, y in zip(a, b):
            if x != y and x != 1 and y != 1:
                raise RuntimeError(f"[broadcast_shapes] Shape mismatch: objects cannot be broadcast to a single shape: "
                                   f"{', '.join([str(tuple(s) if not isinstance(s, int) else (s,)) for s in shapes])}")
        result = tuple([y if x == 1 else x for x, y in zip(a, b)])
    return Size(result)


# -- view and reshape ----------------------------------------------------------------------------------

cdef object view_vjp(Node n, object g):
    return g.reshape(n.extra)

cdef Op VIEW = define("view", view_vjp)

cdef bint view_strides(TensorBase x, int n, const int64_t* shape, int64_t* strides) noexcept:
    """Fill in the strides of x seen as shape; false where memory does not allow it."""
    cdef int d, old = x.view.ndim - 1, at = n - 1
    cdef int64_t chunk, have, got
    if x.view.numel == 0 or x.view.contiguous:
        chunk = 1
        for d in range(n - 1, -1, -1):
            strides[d] = chunk
            chunk *= shape[d] if shape[d] > 1 else 1
        return True
    if x.view.ndim == 0:
        for d in range(n):
            strides[d] = 1
        return True
    chunk = x.view.strides[old]
    have, got = 1, 1
    for d in range(old, -1, -1):
        have *= x.view.shape[d]
        if d == 0 or (x.view.shape[d - 1] != 1 and x.view.strides[d - 1] != have * chunk):
            while at >= 0 and (got < have or shape[at] == 1):
                strides[at] = got * chunk
                got *= shape[at]
                at -= 1
            if got != have:
                return False
            if d > 0:
                chunk = x.view.strides[d - 1]
                have, got = 1, 1
    return at == -1

cdef int infer_shape(str op, TensorBase x, tuple sizes, int64_t* shape) except -1:
    """Copy sizes, with a -1 worked out; RuntimeError where the count of elements does not fit."""
    cdef int n = len(sizes), unknown = -1, d
    cdef object known = 1
    if n > MAX_DIM:
        raise RuntimeError(f"[{op}] a tensor has at most {MAX_DIM} dimensions, got {n}")
    for d in range(n):
        if sizes[d] == -1:
            if unknown >= 0:
                raise RuntimeError(f"[{op}] only one dimension can be inferred, got shape {list(sizes)}")
            unknown = d
            shape[d] = -1
        elif sizes[d] < 0:
            raise RuntimeError(f"[{op}] invalid shape dimension {sizes[d]} in {list(sizes)}")
        else:
            known *= sizes[d]
            shape[d] = sizes[d] if sizes[d] < (1 << 62) else 0
    if unknown >= 0 and known == 0 and x.view.numel == 0:
        raise RuntimeError(f"[{op}] cannot reshape tensor of 0 elements into shape {list(sizes)} because the unspecified "
                           "dimension size -1 can be any value and is ambiguous")
    if unknown >= 0 and known and x.view.numel % known == 0:
        shape[unknown] = x.view.numel // known
    elif unknown >= 0 or known != x.view.numel:
        raise RuntimeError(f"[{op}] shape '{list(sizes)}' is invalid for input of size {x.view.numel}; "
                           f"its shape is {list(x.shape_tuple())}")
    return n

def view(input, *shape):
    """Return the same memory under another shape (-1: worked out), or seen as another dtype.

    Raises RuntimeError when the elements do not lie so that the shape can be a view; reshape copies then.
    """
    cdef TensorBase x = as_tensor(input, "view"), y
    cdef int64_t sizes[MAX_DIM]
    cdef int64_t strides[MAX_DIM]
    cdef int n
    if len(shape) == 1 and not isinstance(shape[0], (int, tuple, list)) and not hasattr(shape[0], "__index__"):
        return view_dtype(x, shape[0])
    if not shape:
        raise TypeError("[view] expected the sizes of the view, or a dtype")
    n = infer_shape("view", x, sizes_of("view", shape), sizes)
    if not view_strides(x, n, sizes, strides):
        raise RuntimeError(f"[view] view size {[sizes[i] for i in range(n)]} is not compatible with input tensor's size "
                           f"{list(x.shape_tuple())} and stride {list(x.stride_tuple())} (at least one dimension spans across two "
                           "contiguous subspaces). Use .reshape(...) instead.")
    y = as_strided_view(x, n, sizes, strides, x.offset)
    record_view(VIEW, y, x, x.shape_tuple())
    return y

cdef object view_dtype(TensorBase x, object dtype):
    from taeda.dtype import dtype as dtype_class
    if not isinstance(dtype, dtype_class):
        raise TypeError(f"[view] expected sizes or a dtype, got {dtype!r}")
    old, new = x.view.itemsize, dtype.itemsize
    shape, strides, offset = list(x.shape_tuple()), list(x.stride_tuple()), x.offset
    if old != new:
        if not shape:
            raise RuntimeError(f"[view] self.dim() cannot be 0 to view {(<object>x).dtype} as {dtype} (different element sizes)")
        if strides[-1] != 1 or (new > old and (shape[-1] * old % new or offset * old % new
                                               or any([s * old % new for s in strides[:-1]]))):
            raise RuntimeError(f"[view] memory of shape {shape} and strides {strides} cannot be seen as {dtype}")
        shape[-1] = shape[-1] * old // new
        strides = [s * old // new for s in strides[:-1]] + [1]
        offset = offset * old // new
    from taeda.ops.creation import empty
    y = empty(0, dtype=dtype, device=(<object>x).device)
    return y.set_(x.storage, offset, tuple(shape), tuple(strides))

def reshape(input, *shape):
    """Return a view of another shape where memory allows it, else a copy.

    >>> import taeda
    >>> taeda.arange(6).reshape(2, -1)
    tensor([[0, 1, 2],
            [3, 4, 5]])
    """
    cdef TensorBase x = as_tensor(input, "reshape"), y
    cdef int64_t sizes[MAX_DIM]
    cdef int64_t strides[MAX_DIM]
    cdef int n
    if len(shape) == 1 and not isinstance(shape[0], (int, tuple, list)) and not hasattr(shape[0], "__index__"):
        raise TypeError(f"[reshape] expected sizes, got {shape[0]!r}")
    n = infer_shape("reshape", x, sizes_of("reshape", shape), sizes)
    if not view_strides(x, n, sizes, strides):
        x = contiguous(x)
        view_strides(x, n, sizes, strides)
    y = as_strided_view(x, n, sizes, strides, x.offset)
    record_view(VIEW, y, x, x.shape_tuple())
    return y

def view_as(input, other):
    """Return :func:`view` with the shape of another tensor."""
    return view(input, as_tensor(other, "view_as").shape_tuple())

def reshape_as(input, other):
    """Return :func:`reshape` to the shape of another tensor."""
    return reshape(input, as_tensor(other, "reshape_as").shape_tuple())

def ravel(input):
    """Return the elements in one dimension, as a view where possible."""
    return reshape(input, -1)

def flatten(input, start_dim=0, end_dim=-1):
    """Merge the dimensions from ``start_dim`` to ``end_dim`` into one."""
    cdef TensorBase x = as_tensor(input, "flatten")
    cdef int a = wrap_dim("flatten", start_dim, x.view.ndim), b = wrap_dim("flatten", end_dim, x.view.ndim)
    if a > b:
        raise RuntimeError(f"[flatten] flatten() has invalid args: start_dim {start_dim} cannot come after end_dim {end_dim}")
    if x.view.ndim == 0:
        return reshape(x, 1)
    if a == b:
        return x
    shape = x.shape_tuple()
    merged = 1
    for size in shape[a:b + 1]:
        merged *= size
    return reshape(x, shape[:a] + (merged,) + shape[b + 1:])

def unflatten(input, dim, sizes):
    """Split dimension ``dim`` into ``sizes`` (one may be -1)."""
    cdef TensorBase x = as_tensor(input, "unflatten")
    cdef int d = wrap_dim("unflatten", dim, x.view.ndim)
    if not isinstance(sizes, (tuple, list)):
        raise TypeError(f"[unflatten] argument 'sizes' must be tuple of ints, not {type(sizes).__name__}")
    if x.view.ndim == 0:
        raise RuntimeError(f"[unflatten] a tensor without dimensions cannot be unflattened to {tuple(sizes)}")
    shape, sizes = x.shape_tuple(), tuple(sizes)
    if not sizes:
        raise RuntimeError("[unflatten] sizes must be non-empty")
    if sizes.count(-1) > 1:
        raise RuntimeError(f"[unflatten] only one dimension can be inferred, got sizes {list(sizes)}")
    known = 1
    for s in sizes:
        known *= s if s != -1 else 1
    if -1 in sizes and known and shape[d] % known == 0:
        sizes = tuple([shape[d] // known if s == -1 else s for s in sizes])
        known = shape[d]
    if known != shape[d]:
        raise RuntimeError(f"[unflatten] Provided sizes {list(sizes)} don't multiply up to the size of dim {dim} "
                           f"({shape[d]}) in the input tensor")
    return view(x, shape[:d] + sizes + shape[d + 1:])


# -- order of dimensions -------------------------------------------------------------------------------

cdef object transpose_vjp(Node n, object g):
    return g.transpose(n.extra[0], n.extra[1])

cdef Op TRANSPOSE = define("transpose", transpose_vjp)
cdef Op T_OP = define("t", transpose_vjp, NOTHING, 0, None, "TBackward0")

cdef TensorBase swapped(Op op, TensorBase x, int a, int b):
    cdef TensorBase y = alias(x)
    if x.view.ndim:
        y.view.shape[a], y.view.shape[b] = x.view.shape[b], x.view.shape[a]
        y.view.strides[a], y.view.strides[b] = x.view.strides[b], x.view.strides[a]
        refresh(y)
    record_view(op, y, x, (a, b))
    return y

def transpose(input, dim0, dim1):
    """Return a view with two dimensions exchanged."""
    cdef TensorBase x = as_tensor(input, "transpose")
    return swapped(TRANSPOSE, x, wrap_dim("transpose", integer(dim0, "transpose"), x.view.ndim),
                   wrap_dim("transpose", integer(dim1, "transpose"), x.view.ndim))

def t(input):
    """Return the transpose of a matrix; a vector or scalar as it is."""
    cdef TensorBase x = as_tensor(input, "t")
    if x.view.ndim > 2:
        raise RuntimeError(f"[t] t() expects a tensor with <= 2 dimensions, but self is {x.view.ndim}D")
    if x.view.ndim < 2:
        return swapped(T_OP, x, 0, 0)
    return swapped(T_OP, x, 0, 1)

cdef object permute_vjp(Node n, object g):
    back = [0] * len(n.extra)
    for i, d in enumerate(n.extra):
        back[d] = i
    return g.permute(back)

cdef Op PERMUTE = define("permute", permute_vjp)

def permute(input, *dims):
    """Return a view with the dimensions in another order."""
    cdef TensorBase x = as_tensor(input, "permute"), y
    if not dims and x.view.ndim:
        raise TypeError('[permute] missing 1 required positional argument: "dims"')
    cdef tuple order = sizes_of("permute", dims)
    cdef int n = x.view.ndim, i, d
    if len(order) != n:
        raise RuntimeError(f"[permute] permute(sparse_coo): number of dimensions in the tensor input does not match the length "
                           f"of the desired ordering of dimensions i.e. input.dim() = {n} is not equal to len(dims) = "
                           f"{len(order)}")
    wrapped = tuple([wrap_dim("permute", o, n) for o in order])
    if len(set(wrapped)) != n:
        raise RuntimeError(f"[permute] permute(): duplicate dims are not allowed, got {list(order)}")
    y = alias(x)
    for i in range(n):
        d = wrapped[i]
        y.view.shape[i], y.view.strides[i] = x.view.shape[d], x.view.strides[d]
    refresh(y)
    record_view(PERMUTE, y, x, wrapped)
    return y

def movedim(input, source, destination):
    """Return a view with dimensions moved to other places, the rest in order."""
    cdef TensorBase x = as_tensor(input, "movedim")
    cdef int n = x.view.ndim
    src = [source] if isinstance(source, int) else list(source)
    dst = [destination] if isinstance(destination, int) else list(destination)
    if len(src) != len(dst):
        raise RuntimeError(f"[movedim] Invalid source or destination dims: source ({src} dims) should contain the same number of "
                           f"dims as destination ({dst} dims)")
    src = [wrap_dim("movedim", d, n) for d in src]
    dst = [wrap_dim("movedim", d, n) for d in dst]
    if len(set(src)) != len(src) or len(set(dst)) != len(dst):
        raise RuntimeError(f"[movedim] repeated dim in source {src} or destination {dst}")
    rest = [d for d in range(n) if d not in src]
    if n == 0:
        return permute(x, ())
    order = [-1] * n
    for s, d in zip(src, dst):
        order[d] = s
    for d in range(n):
        if order[d] < 0:
            order[d] = rest.pop(0)
    return permute(x, order)


# -- squeeze and unsqueeze -----------------------------------------------------------------------------

cdef object unsqueeze_vjp(Node n, object g):
    return g.squeeze(n.extra)

cdef Op UNSQUEEZE = define("unsqueeze", unsqueeze_vjp)

def unsqueeze(input, dim):
    """Return a view with a dimension of size 1 put in at ``dim``."""
    cdef TensorBase x = as_tensor(input, "unsqueeze"), y
    cdef int d = wrap_dim("unsqueeze", integer(dim, "unsqueeze"), x.view.ndim + 1), i
    cdef int64_t shape[MAX_DIM]
    cdef int64_t strides[MAX_DIM]
    if x.view.ndim == MAX_DIM:
        raise RuntimeError(f"[unsqueeze] a tensor has at most {MAX_DIM} dimensions")
    for i in range(x.view.ndim + 1):
        if i < d:
            shape[i], strides[i] = x.view.shape[i], x.view.strides[i]
        elif i > d:
            shape[i], strides[i] = x.view.shape[i - 1], x.view.strides[i - 1]
    shape[d] = 1
    strides[d] = x.view.shape[d] * x.view.strides[d] if d < x.view.ndim else 1
    y = as_strided_view(x, x.view.ndim + 1, shape, strides, x.offset)
    record_view(UNSQUEEZE, y, x, d)
    return y

cdef object squeeze_vjp(Node n, object g):
    return g.reshape(n.extra)

cdef Op SQUEEZE = define("squeeze", squeeze_vjp)
cdef Op SQUEEZE_DIM = define("squeeze_dim", squeeze_vjp, NOTHING, 0, None, "SqueezeBackward1")

def squeeze(input, dim=None):
    """Return a view without its dimensions of size 1, or without the given ones if their size is 1."""
    cdef TensorBase x = as_tensor(input, "squeeze"), y
    cdef int64_t shape[MAX_DIM]
    cdef int64_t strides[MAX_DIM]
    cdef int i, n = 0, only = -1
    dims = None
    if dim is not None:
        if isinstance(dim, (tuple, list)):
            dims = {wrap_dim("squeeze", d, x.view.ndim) for d in dim}
            if len(dims) != len(dim):
                raise RuntimeError(f"[squeeze] a dim appears multiple times in the list of dims {list(dim)}")
        else:
            only = wrap_dim("squeeze", dim, x.view.ndim)
    for i in range(x.view.ndim):
        if x.view.shape[i] == 1 and (dim is None or i == only or (dims is not None and i in dims)):
            continue
        shape[n], strides[n] = x.view.shape[i], x.view.strides[i]
        n += 1
    y = as_strided_view(x, n, shape, strides, x.offset)
    record_view(SQUEEZE if dim is None else SQUEEZE_DIM, y, x, x.shape_tuple())
    return y


# -- parts: select, narrow, slice ----------------------------------------------------------------------

cdef object select_vjp(Node n, object g):
    shape, dim, index = n.extra
    whole = g.new_zeros(shape)
    whole.select(dim, index).copy_(g)
    return whole

cdef Op SELECT = define("select", select_vjp)
cdef Op UNBIND = define("unbind", select_vjp)

def select(input, dim, index):
    """Return a view of one index of dimension ``dim``, which goes away."""
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
    record_view(op, y, x, (x.shape_tuple(), d, at) if grad_enabled() else None)
    return y

cdef object slice_vjp(Node n, object g):
    shape, dim, start, length, step = n.extra
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
    record_view(SLICE if op is None else op, y, x, (x.shape_tuple(), d, start, length, step) if grad_enabled() else None)
    return y

def slice_(input, dim=0, start=None, end=None, step=1):
    """Return a view of ``input[start:end:step]`` along ``dim``, with Python's clamping of the ends."""
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
    """Return a view of ``length`` indices of ``dim`` from ``start`` on."""
    cdef TensorBase x = as_tensor(input, "narrow")
    cdef int d
    cdef int64_t size, a, n
    if x.view.ndim == 0:
        raise RuntimeError("[narrow] narrow() cannot be applied to a 0-dim tensor.")
    if isinstance(start, TensorBase):
        if (<TensorBase>start).view.ndim or is_float((<TensorBase>start).view.dtype):
            raise RuntimeError(f"[narrow] start must be a 0-dim integral Tensor, got shape {tuple(start.shape)} and {start.dtype}")
        start = start.item()
    if not hasattr(start, "__index__") or not hasattr(length, "__index__"):
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

def narrow_copy(input, dim, start, length):
    """Return a copy of :func:`narrow`."""
    return narrow(input, dim, start, length).clone()

cdef enum:
    SEVERAL = -2             # dispatch's mark of such a view

cdef TensorBase one_of_several(TensorBase y):
    """Mark a view that was made along with others: what it is written to is not recorded, as in PyTorch."""
    if y.grad_fn_ is None and y.history >= 0:
        y.history = SEVERAL
    return y

def unbind(input, dim=0):
    """Return a tuple of views, one for each index of ``dim``."""
    cdef TensorBase x = as_tensor(input, "unbind")
    if x.view.ndim == 0:
        raise IndexError("[unbind] Dimension specified as 0 but tensor has no dimensions")
    cdef int d = wrap_dim("unbind", dim, x.view.ndim)
    return tuple([one_of_several(selected(UNBIND, x, d, i)) for i in range(x.view.shape[d])])

def split(input, split_size_or_sections, dim=0):
    """Return a tuple of views along ``dim``: pieces of one size (the last may be smaller), or of the given sizes."""
    cdef TensorBase x = as_tensor(input, "split")
    if x.view.ndim == 0:
        raise RuntimeError("[split] split expects at least a 1-dimensional tensor")
    cdef int d = wrap_dim("split", dim, x.view.ndim)
    cdef int64_t size = x.view.shape[d], at = 0, piece
    if isinstance(split_size_or_sections, (tuple, list)):
        if sum(split_size_or_sections) != size or any([s < 0 for s in split_size_or_sections]):
            raise RuntimeError(f"[split] split_with_sizes expects split_sizes to sum exactly to {size} (input tensor's size at "
                               f"dimension {d}), but got split_sizes={list(split_size_or_sections)}")
        found = []
        for s in split_size_or_sections:
            found.append(one_of_several(slice_view(x, d, at, s, 1, SPLIT_SIZES)))
            at += s
        return tuple(found)
    piece = integer(split_size_or_sections, "split")
    if piece < 0 or (piece == 0 and size):
        raise RuntimeError(f"[split] split expects split_size be {'non-negative' if piece else '> 0'}, but got split_size={piece}")
    if size == 0 or piece == 0:
        return (one_of_several(slice_view(x, d, 0, size, 1, SPLIT)),)
    return tuple([one_of_several(slice_view(x, d, i, min(piece, size - i), 1, SPLIT)) for i in range(0, size, piece)])

def split_with_sizes(input, split_sizes, dim=0):
    """Return views of the given sizes along ``dim``."""
    return split(input, list(split_sizes), dim)

def chunk(input, chunks, dim=0):
    """Return at most ``chunks`` views of equal size along ``dim`` (the last may be smaller)."""
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

cdef object few(str op, object pieces):
    """So many pieces as memory can hold: each is an object of its own, even an empty one."""
    if pieces > 1 << 24:
        raise RuntimeError(f"[{op}] {pieces} pieces are too many: at most {1 << 24}")
    return pieces

cdef object apart(TensorBase x, object pieces, object dim):
    """The same pieces as slices of their own, which may be written to under autograd."""
    at, found = 0, []
    for piece in pieces:
        size = piece.shape[dim]
        found.append(narrow(x, dim, at, size))
        at += size
    return tuple(found)

def unsafe_split(input, split_size, dim=0):
    """Return :func:`split` into pieces that may be changed in place where autograd records."""
    return apart(as_tensor(input, "unsafe_split"), split(input, split_size, dim), dim)

def unsafe_split_with_sizes(input, split_sizes, dim=0):
    """Return :func:`split_with_sizes` into pieces that may be changed in place where autograd records."""
    return apart(as_tensor(input, "unsafe_split_with_sizes"), split_with_sizes(input, split_sizes, dim), dim)

def unsafe_chunk(input, chunks, dim=0):
    """Return :func:`chunk` into pieces that may be changed in place where autograd records."""
    return apart(as_tensor(input, "unsafe_chunk"), chunk(input, chunks, dim), dim)

def tensor_split(input, indices_or_sections=None, dim=0, *, indices=None, sections=None):
    """Return views along ``dim``: so many of nearly equal size, or cut before the given indices."""
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
            raise RuntimeError(f"[tensor_split] expected tensor_indices_or_sections to have dtype of long, but got {indices_or_sections.dtype}")
        indices_or_sections = indices_or_sections.tolist()
    if indices_or_sections is None or isinstance(indices_or_sections, float):
        raise TypeError(f"[tensor_split] indices_or_sections must be an int or ints, not {type(indices_or_sections).__name__}")
    if isinstance(indices_or_sections, int):
        if indices_or_sections <= 0:
            raise RuntimeError(f"[tensor_split] number of sections must be larger than 0, got {indices_or_sections}")
        few("tensor_split", indices_or_sections)
        base, more = divmod(size, indices_or_sections)
        return apart(x, split(x, [base + (i < more) for i in range(indices_or_sections)], d), d)
    ends = list(indices_or_sections) + [size]
    found, start = [], 0
    for end in ends:
        found.append(slice_(x, d, start, end))
        start = end
    return tuple(found)

def hsplit(input, indices_or_sections):
    """Split along the second dimension (the first of a vector)."""
    return split_evenly("hsplit", as_tensor(input, "hsplit"), indices_or_sections, 1, 0 if input.dim() == 1 else 1)

def vsplit(input, indices_or_sections):
    """Split along the first dimension of at least two."""
    return split_evenly("vsplit", as_tensor(input, "vsplit"), indices_or_sections, 2, 0)

def dsplit(input, indices_or_sections):
    """Split along the third dimension."""
    return split_evenly("dsplit", as_tensor(input, "dsplit"), indices_or_sections, 3, 2)

cdef object split_evenly(str op, TensorBase x, object indices_or_sections, int least, int d):
    if x.view.ndim < least:
        raise RuntimeError(f"[{op}] {op} requires a tensor with at least {least} dimension(s), but got a tensor with "
                           f"{x.view.ndim} dimensions")
    if isinstance(indices_or_sections, int) and (indices_or_sections <= 0 or x.view.shape[d] % indices_or_sections):
        raise RuntimeError(f"[{op}] attempted to split along dimension {d}, but the size of the dimension {x.view.shape[d]} is "
                           f"not divisible by the split_size {indices_or_sections}!")
    return tensor_split(x, indices_or_sections, d)


# -- diagonal, unfold, as_strided ----------------------------------------------------------------------

cdef object diagonal_vjp(Node n, object g):
    shape, offset, dim1, dim2 = n.extra
    whole = g.new_zeros(shape)
    whole.diagonal(offset, dim1, dim2).copy_(g)
    return whole

cdef Op DIAGONAL = define("diagonal", diagonal_vjp)

def diagonal(input, offset=0, dim1=0, dim2=1):
    """Return a view of a diagonal of two dimensions, as the last dimension of the result."""
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
    # windows may overlap: each offset in the window is added to its own slice of the whole
    shape, d, size, step = n.extra
    whole = g.new_zeros(shape)
    count = g.shape[d]
    for k in range(size):
        whole = whole.slice_add(g.select(-1, k), d, k, count, step)
    return whole

cdef Op UNFOLD = define("unfold", unfold_vjp)

def slice_add(input, src, dim, start, length, step):
    """Return ``input`` with ``src`` added to the slice of ``length`` indices from ``start`` in steps along ``dim``."""
    cdef TensorBase y = clone_dense(as_tensor(input, "slice_add"))
    slice_view(y, dim, start, length, step).add_(src)
    return y

def unfold(input, dimension, size, step):
    """Return a view of all windows of ``size`` along a dimension, ``step`` apart, as a new last dimension."""
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
    if x.view.ndim:
        record_view(UNFOLD, y, x, (x.shape_tuple(), d, size, step))
    return y

cdef object as_strided_vjp(Node n, object g):
    # the base's elements in memory order; each of the view's is added to where it came from
    shape, in_strides, in_offset, size, strides, offset = n.extra
    reach = in_offset
    for s, st in zip(shape, in_strides):
        reach += max(s - 1, 0) * st
    for s, st in [(size, strides)]:
        far = offset
        for a, b in zip(s, st):
            far += max(a - 1, 0) * b
        reach = max(reach, far)
    flat = g.new_zeros(reach + 1)
    if disjoint(size, strides):
        flat.as_strided(size, strides, offset).copy_(g)
    else:
        flat = flat.index_add(0, positions(size, strides, offset).reshape(-1), g.reshape(-1))
    return flat.as_strided(shape, in_strides, in_offset)

cdef Op AS_STRIDED = define("as_strided", as_strided_vjp)

cdef bint disjoint(object size, object strides):
    """Does no element of the layout lie on another?  (True only where that is plain.)"""
    reach = 1
    for st, s in sorted([(st, s) for s, st in zip(size, strides) if s > 1]):
        if st < reach:
            return False
        reach = st * s
    return True

cdef object positions(object size, object strides, object offset):
    """The place in memory of each element of a layout, as an int64 tensor."""
    from taeda.ops.creation import arange, full
    at = full((1,) * len(size), offset)
    for d, (s, st) in enumerate(zip(size, strides)):
        at = at + (arange(s) * st).reshape([-1 if i == d else 1 for i in range(len(size))])
    return at

def as_strided(input, size, stride, storage_offset=None):
    """Return a view of the storage with any size, stride and offset that stay inside it."""
    cdef TensorBase x = as_tensor(input, "as_strided"), y
    offset = x.offset if storage_offset is None else storage_offset
    check_layout("as_strided", tuple(size), tuple(stride), offset, x.view.itemsize, x.storage.nbytes_)
    y = strided(x, tuple(size), tuple(stride), offset)
    record_view(AS_STRIDED, y, x, (x.shape_tuple(), x.stride_tuple(), x.offset, tuple(size), tuple(stride), offset))
    return y

# -- history of views whose base was written to --------------------------------------------------------

cdef object in_dtype(object flat, int code):
    """A 1-d tensor's memory as the parts of its complex numbers, or its pairs as complex numbers."""
    from taeda.ops import complex_numbers as _complex
    if (<TensorBase>flat).view.dtype == code:
        return flat
    return _complex.view_as_real(flat).view(-1) if is_complex_((<TensorBase>flat).view.dtype) else (
        _complex.view_as_complex(flat.view(-1, 2)))

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
    if v.history == SEVERAL or v.grad_fn_ is not None and (<Node>v.grad_fn_).op in (UNBIND, SPLIT, SPLIT_SIZES):
        raise RuntimeError(f"[{'view' if v.grad_fn_ is None else v.grad_fn_.name()}] a view of shape {tuple(v.shape_tuple())} is the output of a function that returns "
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

cdef object copy_slices_vjp(Node n, object g):
    inner, shape, in_strides, in_offset, size, strides, offset, base, code = n.extra
    cdef Node written = <Node>inner
    flat = room_for(g, shape, in_strides, in_offset, size, strides, offset, base, code)
    whole = flat.as_strided(shape, in_strides, in_offset)
    whole.copy_(g)
    part = in_dtype(flat, code).as_strided(size, strides, offset)
    written.saved_, written.released = n.saved_, n.released      # lent: the outer node's pass says when they are freed
    try:
        found = written.vjp(written, part.clone()) if written.vjp != NULL else inner.run(part.clone())
    finally:
        written.saved_ = None
    found = found if isinstance(found, tuple) else (found,)
    if written.input_shapes is not None:
        found = tuple([None if f is None else f.sum_to_size(s) for f, s in zip(found, written.input_shapes)])
    if n.needs(0):
        if found[0] is None:
            part.zero_()
        else:
            part.copy_(found[0])
    return (whole if n.needs(0) else None, *found[1:])

cdef object reach_of(object size, object strides, object offset):
    for s, st in zip(size, strides):
        offset += max(s - 1, 0) * st
    return offset

cdef Op COPY_SLICES = define("copy_slices", copy_slices_vjp, NOTHING, 0, None, "CopySlices")

def _copy_slices(TensorBase v, Node inner):
    """Make the base's node for an in-place write through view v that node ``inner`` records."""
    cdef Node n = Node.__new__(Node)
    cdef TensorBase b = v.base
    n.vjp = COPY_SLICES.vjp
    n.op = COPY_SLICES
    n.n_outputs = 1
    n.dtype = b.view.dtype
    n.saved_, inner.saved_ = inner.saved_, None
    n.extra = (inner, b.shape_tuple(), b.stride_tuple(), b.offset, v.shape_tuple(), v.stride_tuple(), v.offset,
               <int>b.view.dtype, <int>v.view.dtype)
    connect(n, (b,) + (None,) * (len(inner.edges) - 1))
    n.edges = (n.edges[0],) + tuple(inner.edges[1:])
    if inner.edge_nrs is not None or n.edge_nrs is not None:
        n.edge_nrs = ((0 if n.edge_nrs is None else n.edge_nrs[0]),) + (
            (0,) * (len(n.edges) - 1) if inner.edge_nrs is None else tuple(inner.edge_nrs[1:]))
    return n


_node.set_regenerate_view(_regenerate)
_dispatch.set_copy_slices(_copy_slices)

swapaxes = swapdims = transpose
moveaxis = movedim

PUBLIC = (
    "broadcast_to", "broadcast_tensors", "broadcast_shapes", "reshape", "ravel", "flatten", "unflatten", "transpose", "t",
    "permute", "movedim", "moveaxis", "unsqueeze", "squeeze", "select", "narrow", "unbind", "split", "split_with_sizes",
    "chunk", "tensor_split", "hsplit", "vsplit", "dsplit", "diagonal", "as_strided", "swapaxes", "swapdims",
)
__all__ = PUBLIC + ("expand", "expand_as", "view", "view_as", "reshape_as", "slice_", "narrow_copy", "unfold", "slice_add",
                    "unsafe_split", "unsafe_split_with_sizes", "unsafe_chunk")
METHODS = {name: globals()[name] for name in __all__ if name not in ("broadcast_tensors", "broadcast_shapes", "slice_")}
