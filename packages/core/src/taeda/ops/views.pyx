# cython: language_level=3, boundscheck=False, wraparound=True, cdivision=True, initializedcheck=False
"""Views of another shape: dimensions merged, split, reordered, put in and left out."""
from cpython.long cimport PyLong_AsLongLongAndOverflow
from cpython.number cimport PyIndex_Check
from libc.stdint cimport INT64_MAX, int64_t, uint8_t, uint64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport NOTHING, Op, as_strided_view, as_tensor, contiguous, define, needs_grad, record, record_view, wrap_dim
from taeda.dtype cimport code_of, dtype_of, itemsize_of
from taeda.kernels.cpu.abi cimport BOOL, MAX_DIM, U8
from taeda.operands cimport integer
from taeda.tensor_base cimport CPU, TensorBase, alias, refresh

from taeda.dtype import dtype as dtype_class


cdef tuple sizes_of(str op, tuple args):
    """The sizes of f(2, 3), f((2, 3)) or f([2, 3]) as a tuple of ints."""
    if len(args) == 1 and isinstance(args[0], (tuple, list)):
        args = tuple(args[0])
    for a in args:
        if type(a) is not int:
            integer(args[0], op)                             # no bool: PyTorch takes the others as 0 and 1
            return tuple([integer(int(x) if isinstance(x, bool) else x, op) for x in args])
    return args


cdef tuple or_named(str op, tuple args, str name, object value):
    """The arguments, or the sequence that was given by its name instead."""
    if value is None:
        return args
    if args:
        raise TypeError(f"[{op}] got {name!r} both by position and by name")
    return (value,)


# -- view and reshape ----------------------------------------------------------------------------------

cdef object view_vjp(Node n, object g):
    return g.reshape(n.extra)

cdef Op VIEW = define("view", view_vjp)
cdef Op RESHAPED_COPY = define("view", view_vjp, 0, 0, None, "UnsafeViewBackward0")       # of a copy: no view of anything that is seen

cdef bint view_strides(TensorBase x, int n, const int64_t* shape, int64_t* strides) noexcept:
    """Fill in the strides of x seen as shape; false where memory does not allow it."""
    cdef int d, old = x.view.ndim - 1, at = n - 1
    cdef int64_t chunk, have, got
    if x.view.numel == 0 or x.view.contiguous and (x.view.ndim == 0 or x.view.strides[old] == 1):
        chunk = 1                            # a last dimension of size 1 with another stride hands it on, as in PyTorch
        for d in range(n - 1, -1, -1):
            strides[d] = chunk
            chunk = <int64_t>(<uint64_t>chunk * <uint64_t>(shape[d] if shape[d] > 1 else 1))       # wraps for a view without elements
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
    cdef int n = len(sizes), unknown = -1, overflow = 0, d
    cdef int64_t known = 1, size              # known: 0 with a size of 0, else the product, or -1 where that is no int64
    cdef bint none = False
    if n > MAX_DIM:
        raise RuntimeError(f"[{op}] a tensor has at most {MAX_DIM} dimensions, got {n}")
    for d in range(n):
        size = PyLong_AsLongLongAndOverflow(sizes[d], &overflow)
        if overflow:
            raise TypeError(f"[{op}] sizes must fit in 64 bits, got {list(sizes)}")
        if size == -1:
            if unknown >= 0:
                raise RuntimeError(f"[{op}] only one dimension can be inferred, got shape {list(sizes)}")
            unknown = d
        elif size < 0:
            raise RuntimeError(f"[{op}] invalid shape dimension {sizes[d]} in {list(sizes)}")
        elif size and known > INT64_MAX // size:
            known = -1
        elif size == 0:
            none = True
        elif known > 0:
            known *= size
        shape[d] = size
    if none:
        known = 0
    if unknown >= 0 and known == 0 and x.view.numel == 0:
        raise RuntimeError(f"[{op}] cannot reshape tensor of 0 elements into shape {list(sizes)} because the unspecified "
                           "dimension size -1 can be any value and is ambiguous")
    if unknown >= 0 and known > 0 and x.view.numel % known == 0:
        shape[unknown] = x.view.numel // known
    elif unknown >= 0 or known != x.view.numel:
        raise RuntimeError(f"[{op}] shape '{list(sizes)}' is invalid for input of size {x.view.numel}; "
                           f"its shape is {list(x.shape_tuple())}")
    return n

def view(input, *shape, size=None, dtype=None):
    """Return the same memory under another shape (-1: worked out), or seen as another dtype.

    Raises RuntimeError when the elements do not lie so that the shape can be a view; reshape copies then.

    >>> import taeda
    >>> taeda.arange(6).view(2, -1)
    tensor([[0, 1, 2],
            [3, 4, 5]])
    >>> taeda.ones(1).view(taeda.int32)
    tensor([1065353216], dtype=taeda.int32)
    """
    cdef TensorBase x = as_tensor(input, "view"), y
    cdef int64_t sizes[MAX_DIM]
    cdef int64_t strides[MAX_DIM]
    cdef int n
    if size is not None or dtype is not None:
        shape = or_named("view", or_named("view", shape, "size", size), "dtype", dtype)
    if len(shape) == 1 and not isinstance(shape[0], (int, tuple, list)) and (isinstance(shape[0], type)
                                                                             or not PyIndex_Check(shape[0])):
        return view_dtype(x, shape[0])
    if not shape:
        raise TypeError("[view] expected the sizes of the view, or a dtype")
    n = infer_shape("view", x, sizes_of("view", shape), sizes)
    if not view_strides(x, n, sizes, strides):
        raise RuntimeError("[view] view size is not compatible with input tensor's size and stride (at least one dimension spans across "
                           f"two contiguous subspaces): {[sizes[i] for i in range(n)]} of size {list(x.shape_tuple())} and stride "
                           f"{list(x.stride_tuple())}. Use .reshape(...) instead.")
    y = as_strided_view(x, n, sizes, strides, x.offset)
    record_view(VIEW, y, x, x.shape_tuple() if needs_grad(x) else None)
    return y

cdef TensorBase view_dtype(TensorBase x, object dtype):
    """The same memory as elements of another dtype; the last dimension takes up a difference in size."""
    cdef int64_t sizes[MAX_DIM]
    cdef int64_t strides[MAX_DIM]
    cdef int64_t offset = x.offset, old = x.view.itemsize, new, step
    cdef int d, n = x.view.ndim, code
    cdef bint fits
    cdef TensorBase y
    if dtype in (float, int, bool, complex):
        dtype = dtype_of(code_of(dtype, "view"))
    if not isinstance(dtype, dtype_class):
        raise TypeError(f"[view] expected sizes or a dtype, got {dtype!r}")
    code = code_of(dtype, "view")
    new = itemsize_of(code)
    for d in range(n):
        sizes[d], strides[d] = x.view.shape[d], x.view.strides[d]
    if old != new:
        if n == 0:
            raise RuntimeError(f"[view] self.dim() cannot be 0 to view {(<object>x).dtype} as {dtype} (different element sizes)")
        fits = strides[n - 1] == 1 and (new < old or sizes[n - 1] * old % new == 0 and offset * old % new == 0)
        for d in range(n - 1):
            step = <int64_t>(<uint64_t>strides[d] * <uint64_t>old)             # wraps: where it does, no element is there to be found
            fits = fits and (new < old or step % new == 0)
            strides[d] = step // new
        if not fits:
            raise RuntimeError(f"[view] memory of shape {list(x.shape_tuple())} and strides {list(x.stride_tuple())} cannot be seen as "
                               f"{dtype}")
        if sizes[n - 1] > INT64_MAX // old:                     # of a tensor without elements
            raise RuntimeError(f"[view] shape {list(x.shape_tuple())} has more bytes than 64 bits count, and cannot be seen as {dtype}")
        sizes[n - 1] = sizes[n - 1] * old // new
        offset = offset * old // new
    y = as_strided_view(x, n, sizes, strides, offset)
    y.view.dtype, y.view.itemsize = <uint8_t>(U8 if code == BOOL else code), <uint8_t>new
    refresh(y)
    if code == BOOL:
        if x.view.dtype != BOOL and y.device == CPU and y.view.numel and (<object>y).max().item() > 1:
            return (<object>y).ne(0)          # kernels take a bool's byte for 0 or 1
        y.view.dtype = <uint8_t>BOOL
        refresh(y)
    return y

def reshape(input, *sizes, shape=None):
    """Return a view of another shape where memory allows it, else a copy.

    >>> import taeda
    >>> taeda.arange(6).reshape(2, -1)
    tensor([[0, 1, 2],
            [3, 4, 5]])
    """
    cdef TensorBase x = as_tensor(input, "reshape"), y
    cdef int64_t new_shape[MAX_DIM]
    cdef int64_t strides[MAX_DIM]
    cdef int n
    sizes = or_named("reshape", sizes, "shape", shape)
    if not sizes or (len(sizes) == 1 and not isinstance(sizes[0], (int, tuple, list)) and not PyIndex_Check(sizes[0])):
        raise TypeError(f"[reshape] expected sizes, got {sizes[0]!r}" if sizes else "[reshape] expected sizes; () is no dimension")
    n = infer_shape("reshape", x, sizes_of("reshape", sizes), new_shape)
    if not view_strides(x, n, new_shape, strides):
        x = contiguous(x)
        view_strides(x, n, new_shape, strides)
        y = as_strided_view(x, n, new_shape, strides, x.offset)
        record(RESHAPED_COPY, y, (x,), (), x.shape_tuple())
        return y
    y = as_strided_view(x, n, new_shape, strides, x.offset)
    record_view(VIEW, y, x, x.shape_tuple() if needs_grad(x) else None)
    return y

def view_as(input, other):
    """Return :func:`view` with the shape of another tensor.

    RuntimeError where the elements do not lie so that it can be a view.

    >>> import taeda
    >>> taeda.arange(6).view_as(taeda.ones(2, 3))
    tensor([[0, 1, 2],
            [3, 4, 5]])
    """
    return view(input, as_tensor(other, "view_as").shape_tuple())

def reshape_as(input, other):
    """Return :func:`reshape` to the shape of another tensor.

    A view where memory allows it, else a copy.  RuntimeError where the numbers of elements differ.

    >>> import taeda
    >>> taeda.arange(6).reshape_as(taeda.ones(3, 2)).shape
    taeda.Size([3, 2])
    """
    return reshape(input, as_tensor(other, "reshape_as").shape_tuple())

def ravel(input):
    """Return the elements in one dimension, as a view where possible.

    y[i] is the i-th element in row-major order; else a copy.

    >>> import taeda
    >>> taeda.ravel(taeda.tensor([[1, 2], [3, 4]]))
    tensor([1, 2, 3, 4])
    """
    return view(contiguous(as_tensor(input, "ravel")), -1)

def flatten(input, start_dim=0, end_dim=-1):
    """Merge the dimensions from ``start_dim`` to ``end_dim`` into one.

    (2, 3, 4) becomes (6, 4) for dimensions 0 to 1.  A view where memory allows it, else a copy; a scalar becomes (1,).

    Raises:
        IndexError: a dimension is out of range.  RuntimeError: start comes after end.

    >>> import taeda
    >>> taeda.flatten(taeda.ones(2, 3, 4), 1).shape
    taeda.Size([2, 12])
    """
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
    """Split dimension ``dim`` into ``sizes`` (one may be -1).

    The inverse of :func:`flatten`: (6, 4) becomes (2, 3, 4) for dimension 0 and sizes (2, 3).

    Raises:
        IndexError: ``dim`` is out of range.  RuntimeError: the sizes' product is not the dimension's size.

    >>> import taeda
    >>> taeda.ones(6, 4).unflatten(0, (2, -1)).shape
    taeda.Size([2, 3, 4])
    """
    cdef TensorBase x = as_tensor(input, "unflatten")
    cdef int d = wrap_dim("unflatten", dim, x.view.ndim)
    if not isinstance(sizes, (tuple, list)):
        raise TypeError(f"[unflatten] argument 'sizes' must be tuple of ints, not {type(sizes).__name__}")
    if x.view.ndim == 0:
        raise RuntimeError(f"[unflatten] a tensor without dimensions cannot be unflattened to {tuple(sizes)}")
    shape, sizes = x.shape_tuple(), sizes_of("unflatten", (sizes,))
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
    """Return a view with two dimensions exchanged.

    y[.., i, .., j, ..] = x[.., j, .., i, ..].  IndexError for a dimension out of range.

    >>> import taeda
    >>> taeda.transpose(taeda.tensor([[1, 2, 3], [4, 5, 6]]), 0, 1)
    tensor([[1, 4],
            [2, 5],
            [3, 6]])
    """
    cdef TensorBase x = as_tensor(input, "transpose")
    return swapped(TRANSPOSE, x, wrap_dim("transpose", dim0, x.view.ndim),
                   wrap_dim("transpose", dim1, x.view.ndim))

def t(input):
    """Return the transpose of a matrix; a vector or scalar as it is.

    y[i, j] = x[j, i].  RuntimeError for more than two dimensions: there ``x.mT`` or :func:`transpose` says which two.

    >>> import taeda
    >>> taeda.tensor([[1, 2], [3, 4]]).t()
    tensor([[1, 3],
            [2, 4]])
    """
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

cdef TensorBase permuted(TensorBase x, tuple order):
    """A view whose dimension d is dimension order[d] of x; each stands there once."""
    cdef TensorBase y = alias(x)
    cdef int i, d
    for i in range(x.view.ndim):
        d = order[i]
        y.view.shape[i], y.view.strides[i] = x.view.shape[d], x.view.strides[d]
    refresh(y)
    record_view(PERMUTE, y, x, order)
    return y


def permute(input, *order, dims=None):
    """Return a view with the dimensions in another order.

    Dimension d of the result is dimension ``dims[d]`` of the input; the dimensions come as one tuple or one by one.

    Raises:
        RuntimeError: a dimension is missing or given twice.  IndexError: one is out of range.

    >>> import taeda
    >>> taeda.ones(2, 3, 4).permute(2, 0, 1).shape
    taeda.Size([4, 2, 3])
    """
    cdef TensorBase x = as_tensor(input, "permute")
    cdef uint64_t seen = 0
    cdef int n = x.view.ndim, d
    order = or_named("permute", order, "dims", dims)
    if not order:
        raise TypeError('[permute] missing 1 required positional argument: "dims"')
    order = sizes_of("permute", order)
    if len(order) != n:
        raise RuntimeError(f"[permute] permute(sparse_coo): number of dimensions in the tensor input does not match the length "
                           f"of the desired ordering of dimensions i.e. input.dim() = {n} is not equal to len(dims) = "
                           f"{len(order)}")
    wrapped = tuple([wrap_dim("permute", o, n) for o in order])
    for d in wrapped:
        if seen >> d & 1:
            raise RuntimeError(f"[permute] permute(): duplicate dims are not allowed, got {list(order)}")
        seen |= <uint64_t>1 << d
    return permuted(x, wrapped)


def movedim(input, source, destination):
    """Return a view with dimensions moved to other places, the rest in order.

    ``source`` and ``destination`` are ints, or tuples of the same length.

    Raises:
        RuntimeError: a dimension is given twice, or the lengths differ.  IndexError: one is out of range.

    >>> import taeda
    >>> taeda.movedim(taeda.ones(2, 3, 4), 0, -1).shape
    taeda.Size([3, 4, 2])
    """
    cdef TensorBase x = as_tensor(input, "movedim")
    cdef int order[MAX_DIM]
    cdef bint moved[MAX_DIM]
    cdef int n = x.view.ndim, i, at = 0, s, d
    src = source if isinstance(source, (tuple, list)) else (source,)
    dst = destination if isinstance(destination, (tuple, list)) else (destination,)
    if len(src) != len(dst):
        raise RuntimeError(f"[movedim] Invalid source or destination dims: source ({list(src)} dims) should contain the same number of "
                           f"dims as destination ({list(dst)} dims)")
    for i in range(MAX_DIM):
        order[i], moved[i] = -1, False
    for i in range(len(src)):
        s, d = wrap_dim("movedim", src[i], n), wrap_dim("movedim", dst[i], n)
        if moved[s] or order[d] >= 0:
            raise RuntimeError(f"[movedim] repeated dim in source {list(src)} or destination {list(dst)}")
        order[d], moved[s] = s, True
    for i in range(n):
        if order[i] >= 0:
            continue
        while moved[at]:
            at += 1
        order[i] = at
        at += 1
    return permuted(x, tuple([order[i] for i in range(n)]))


# -- squeeze and unsqueeze -----------------------------------------------------------------------------

cdef object unsqueeze_vjp(Node n, object g):
    return g.squeeze(n.extra)

cdef Op UNSQUEEZE = define("unsqueeze", unsqueeze_vjp)

def unsqueeze(input, dim):
    """Return a view with a dimension of size 1 put in at ``dim``.

    ``dim`` is from -(n + 1) to n for n dimensions, else IndexError.

    >>> import taeda
    >>> taeda.tensor([1, 2]).unsqueeze(1)
    tensor([[1],
            [2]])
    """
    cdef TensorBase x = as_tensor(input, "unsqueeze"), y
    cdef int d = wrap_dim("unsqueeze", dim, x.view.ndim + 1), i
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
cdef Op SQUEEZE_DIMS = define("squeeze_dims", squeeze_vjp, NOTHING, 0, None, "SqueezeBackward2")
cdef Op SQUEEZE_DIM = define("squeeze_dim", squeeze_vjp, NOTHING, 0, None, "SqueezeBackward1")

def squeeze(input, dim=None, *more):
    """Return a view without its dimensions of size 1, or without the given ones, a tuple or one by one, if their size is 1.

    Dimensions of another size stay as they are.  IndexError for a dimension out of range, RuntimeError for one given twice.

    >>> import taeda
    >>> taeda.ones(1, 2, 1).squeeze().shape, taeda.ones(1, 2, 1).squeeze(0).shape
    (taeda.Size([2]), taeda.Size([2, 1]))
    """
    cdef TensorBase x = as_tensor(input, "squeeze"), y
    cdef int64_t shape[MAX_DIM]
    cdef int64_t strides[MAX_DIM]
    cdef int i, n = 0, only = -1
    dims = None
    if more:
        dim = (dim, *more)
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
    cdef Op op = SQUEEZE if dim is None else SQUEEZE_DIM if dims is None else SQUEEZE_DIMS
    record_view(op, y, x, x.shape_tuple() if needs_grad(x) else None)
    return y


swapaxes = swapdims = transpose
moveaxis = movedim

PUBLIC = (
    "reshape", "ravel", "flatten", "unflatten", "transpose", "t", "permute", "movedim", "moveaxis", "unsqueeze", "squeeze", "swapaxes",
    "swapdims",
)
__all__ = PUBLIC + ("view", "view_as", "reshape_as")
METHODS = {name: globals()[name] for name in __all__}
