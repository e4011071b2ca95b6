# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Putting tensors together: cat, stack, and what is made of them.

cat and stack are one kernel: the pieces share the dimensions in front, and what a piece has behind them is
one stretch of the output's row, copied whole where the piece is contiguous.
"""
from libc.stdint cimport INT64_MAX, int64_t
from libc.stdlib cimport free, malloc

from taeda.autograd.node cimport Node
from taeda.dispatch cimport (Op, any_needs_grad, as_strided_view, check_same_device, copy_into, define, empty, launch, record, to_dtype,
                             wrap_dim, write_out)
from taeda.dtype cimport default_float, promote, refuse_float8
from taeda.kernels.cpu.abi cimport MAX_DIM, Param, View
from taeda.ops.advanced cimport zeros_of
from taeda.ops.channels_last cimport channels_as_columns, channels_innermost, lies_channels_last
from taeda.tensor_base cimport CPU, TensorBase

from taeda._once import warn_once
from taeda.operands import refuse_overlap

__all__ = [
    "atleast_1d", "atleast_2d", "atleast_3d", "block_diag", "cartesian_prod", "cat", "column_stack", "concat", "concatenate", "dstack",
    "hstack", "meshgrid", "row_stack", "stack", "vstack",
]
PUBLIC = (
    "atleast_1d", "atleast_2d", "atleast_3d", "block_diag", "cartesian_prod", "cat", "column_stack", "concat", "concatenate", "dstack",
    "hstack", "meshgrid", "row_stack", "stack", "vstack",
)


cdef list pieces_of(object tensors, str op):
    cdef int i
    if not isinstance(tensors, (tuple, list)):
        raise TypeError(f"[{op}] {op}(): argument 'tensors' (position 1) must be tuple of Tensors, not "
                        f"{type(tensors).__name__}; put them in a tuple or a list")
    cdef list given = list(tensors)                        # its own length, whatever a subclass says
    for i in range(len(given)):
        if not isinstance(given[i], TensorBase):
            raise TypeError(f"[{op}] expected Tensor as element {i} in argument 0, but got {type(given[i]).__name__}")
    return given


cdef int common_dtype(list xs) except -1:
    cdef int dtype = (<TensorBase>xs[0]).view.dtype
    for x in xs:
        if (<TensorBase>x).view.dtype != dtype:
            refuse_float8(dtype, (<TensorBase>x).view.dtype)
            dtype = promote(dtype, (<TensorBase>x).view.dtype)
    return dtype


cdef int cast_all(list xs, int dtype) except -1:
    cdef int i
    for i in range(len(xs)):
        if (<TensorBase>xs[i]).view.dtype != dtype:
            xs[i] = to_dtype(<TensorBase>xs[i], dtype)
    return 0


cdef bint all_channels_last(list xs) noexcept:
    """Whether all pieces are images or volumes whose channels lie innermost, as the result does then."""
    for x in xs:
        if (<TensorBase>x).view.ndim > 5 or not lies_channels_last(<TensorBase>x):
            return False
    return True


cdef int run_cat_last(Op op, TensorBase y, list xs, int dim) except -1:
    """cat of pieces whose channels lie innermost: of (N, H, W, C) along the same dimension."""
    cdef int n = y.view.ndim, count = len(xs), i
    cdef char* block = <char*>malloc((count + 1) * (sizeof(View*) + sizeof(View) + 2 * n * sizeof(int64_t)))
    cdef View* views = <View*>block
    cdef View** t = <View**>(views + count + 1)
    cdef int64_t* room = <int64_t*>(t + count + 1)
    cdef Param p[2]
    if block == NULL:
        raise MemoryError(f"[{op.name}] no memory for a list of {count} tensors")
    try:
        for i in range(count + 1):
            views[i] = channels_as_columns(&y.view if i == 0 else &(<TensorBase>xs[i - 1]).view, room + 2 * n * i)
            t[i] = &views[i]
        p[0].i, p[1].i = dim if dim == 0 else n - 1 if dim == 1 else dim - 1, count
        launch(op, y.view.dtype, y.device, 1, 1 + count, t, p, y.view.numel)
    finally:
        free(block)
    return 0


cdef int run_cat(Op op, TensorBase y, list xs, int dim) except -1:
    cdef View** t = <View**>malloc((len(xs) + 1) * sizeof(View*))
    cdef Param p[2]
    cdef int i
    if t == NULL:
        raise MemoryError(f"[{op.name}] no memory for a list of {len(xs)} tensors")
    try:
        t[0] = &y.view
        for i in range(len(xs)):
            t[1 + i] = &(<TensorBase>xs[i]).view
        p[0].i, p[1].i = dim, len(xs)
        launch(op, y.view.dtype, y.device, 1, 1 + <int>len(xs), t, p, y.view.numel)
    finally:
        free(t)
    return 0


# -- cat: the pieces behind each other along dim ----------------------------------------------------------
cdef object cat_vjp(Node n, object g):
    cdef int i
    cdef int64_t at = 0
    cdef list back = []
    dim, sizes = n.extra
    for i in range(len(sizes)):
        back.append(g.narrow(dim, at, sizes[i]) if n.needs(i) else None)
        at += sizes[i]
    return tuple(back) if len(back) > 1 else back[0]

cdef object stack_vjp(Node n, object g):
    cdef int i
    back = tuple([g.select(n.extra, i) if n.needs(i) else None for i in range(len(n.edges))])
    return back if len(back) > 1 else back[0]

cdef Op CAT = define("cat", cat_vjp)
cdef Op STACK = define("stack", stack_vjp, 0, 0, "cat")


def cat(tensors, dim=0, *, out=None, axis=None):
    """Put tensors behind each other along dim; their other sizes agree, their dtypes are promoted.

    A one-dimensional tensor without elements is skipped whatever the others' shapes are.

    Raises ValueError for no tensors, RuntimeError for sizes that differ, IndexError for dim out of range.

    >>> import taeda
    >>> taeda.cat([taeda.zeros(1, 2), taeda.ones(2, 2)])
    tensor([[0., 0.],
            [1., 1.],
            [1., 1.]])
    """
    cdef list given = pieces_of(tensors, "cat"), xs = []
    cdef TensorBase x, first = None, y
    cdef int64_t shape[MAX_DIM]
    cdef int64_t total = 0
    cdef int i, e, d, dtype
    if not given:
        raise ValueError("[cat] expected a non-empty list of Tensors")
    if out is not None:
        refuse_overlap("cat", out, *given)
    dtype = common_dtype(given)
    for i in range(len(given)):
        x = <TensorBase>given[i]
        if x.view.ndim == 0:
            raise RuntimeError(f"[cat] zero-dimensional tensor (at position {i}) cannot be concatenated; use taeda.stack")
        if x.view.ndim != 1 or x.view.shape[0] != 0:
            first = x if first is None else first
            xs.append(x)
    if first is None:
        xs, first, dim = given, <TensorBase>given[0], 0
    d = wrap_dim("cat", axis if axis is not None else dim, first.view.ndim)
    for i in range(len(xs)):
        x = <TensorBase>xs[i]
        if x.view.ndim != first.view.ndim:
            raise RuntimeError(f"[cat] Tensors must have same number of dimensions: got {first.view.ndim} and {x.view.ndim}; "
                               f"shapes {tuple(first.shape_tuple())} and {tuple(x.shape_tuple())}")
        for e in range(first.view.ndim):
            if e != d and x.view.shape[e] != first.view.shape[e]:
                raise RuntimeError(f"[cat] Sizes of tensors must match except in dimension {d}. Expected size "
                                   f"{first.view.shape[e]} but got size {x.view.shape[e]} for tensor number {i} in the list, "
                                   f"of shape {tuple(x.shape_tuple())}")
        if x.device != first.device:
            check_same_device("cat", (first, x))
        if x.view.shape[d] > INT64_MAX - total:             # of tensors that are expanded, or have no elements
            sizes = [(<TensorBase>xs[e]).view.shape[d] for e in range(len(xs))]
            raise RuntimeError(f"[cat] the sizes {sizes} along dimension {d} add up to more than 64 bits hold")
        total += x.view.shape[d]
    cast_all(xs, dtype)
    for e in range(first.view.ndim):
        shape[e] = total if e == d else first.view.shape[e]
    y = empty(first.view.ndim, shape, dtype, first.device)
    if all_channels_last(xs):
        run_cat_last(CAT, channels_innermost(y), xs, d)
    else:
        run_cat(CAT, y, xs, d)
    inputs = tuple(xs)
    if any_needs_grad(inputs):
        record(CAT, y, inputs, None, (d, [(<TensorBase>x).view.shape[d] for x in xs]))
    return y if out is None else write_out(out, y, "cat")


def concat(tensors, dim=0, *, out=None, axis=None):
    """Same as :func:`cat`."""
    return cat(tensors, dim, out=out, axis=axis)


def concatenate(tensors, dim=0, *, out=None, axis=None):
    """Same as :func:`cat`."""
    return cat(tensors, dim, out=out, axis=axis)


cdef TensorBase stack_last(list xs, int nd, const int64_t* shape, int d, int dtype):
    """The stack of pieces whose channels lie innermost: their cat along d, which is then cut in two dimensions."""
    cdef int64_t sizes[MAX_DIM]
    cdef int64_t strides[MAX_DIM + 1]
    cdef TensorBase y
    cdef int e
    for e in range(nd):
        sizes[e] = shape[d] * shape[d + 1] if e == d else shape[e if e < d else e + 1]
    y = channels_innermost(empty(nd, sizes, dtype, (<TensorBase>xs[0]).device))
    run_cat_last(STACK, y, xs, d)
    for e in range(nd + 1):
        strides[e] = y.view.strides[d] * shape[d + 1] if e == d else y.view.strides[e if e < d else e - 1]
    return as_strided_view(y, nd + 1, shape, strides, 0)


def stack(tensors, dim=0, *, out=None, axis=None):
    """Put tensors of one shape beside each other along a new dimension dim.

    Raises RuntimeError for no tensors or shapes that differ, IndexError for dim out of range.

    >>> import taeda
    >>> taeda.stack([taeda.tensor([1, 2]), taeda.tensor([3, 4])], dim=1)
    tensor([[1, 3],
            [2, 4]])
    """
    cdef list xs = pieces_of(tensors, "stack")
    cdef TensorBase x, first, y
    cdef int64_t shape[MAX_DIM + 1]
    cdef int i, e, d, nd, dtype
    if not xs:
        raise RuntimeError("[stack] stack expects a non-empty TensorList")
    first = <TensorBase>xs[0]
    nd = first.view.ndim
    d = wrap_dim("stack", axis if axis is not None else dim, nd + 1)
    for i in range(1, len(xs)):
        x = <TensorBase>xs[i]
        same = x.view.ndim == nd
        for e in range(nd if same else 0):
            same = same and x.view.shape[e] == first.view.shape[e]
        if not same:
            raise RuntimeError(f"[stack] stack expects each tensor to be equal size, but got {list(first.shape_tuple())} at "
                               f"entry 0 and {list(x.shape_tuple())} at entry {i}")
        if x.device != first.device:
            check_same_device("stack", (first, x))
    if nd == MAX_DIM:
        raise RuntimeError(f"[stack] a tensor has at most {MAX_DIM} dimensions, the result would have {nd + 1}")
    dtype = common_dtype(xs)
    cast_all(xs, dtype)
    for e in range(nd + 1):
        shape[e] = len(xs) if e == d else first.view.shape[e if e < d else e - 1]
    if d < nd and all_channels_last(xs):
        y = stack_last(xs, nd, shape, d, dtype)
    else:
        y = empty(nd + 1, shape, dtype, first.device)
        run_cat(STACK, y, xs, d)
    record(STACK, y, tuple(xs), None, d)
    return y if out is None else write_out(out, y, "stack")


# -- stacks of vectors and matrices ------------------------------------------------------------------------
cdef list at_least(object tensors, int ndim, str op):
    """The tensors with at least ndim dimensions, as NumPy's atleast_*d adds them."""
    cdef list xs = pieces_of(tensors, op)
    cdef int i, n
    if not xs:
        raise RuntimeError(f"[{op}] {op} expects a non-empty TensorList")
    for i in range(len(xs)):
        n = (<TensorBase>xs[i]).view.ndim
        if n == 0 and ndim > 0:
            xs[i] = xs[i].reshape((1,) * ndim)
        elif n == 1 and ndim > 1:
            xs[i] = xs[i].unsqueeze(0)
        if ndim == 3 and (n == 1 or n == 2):
            xs[i] = xs[i].unsqueeze(-1)
    return xs


cdef object at_least_each(tuple tensors, int ndim, str op):
    if len(tensors) == 1 and isinstance(tensors[0], TensorBase):
        return at_least(tensors, ndim, op)[0]
    if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        tensors = tuple(tensors[0])
    return tuple(at_least(tensors, ndim, op)) if tensors else ()


def atleast_1d(*tensors):
    """View numbers as vectors of one element; other tensors are returned as they are.

    >>> import taeda
    >>> taeda.atleast_1d(taeda.tensor(5))
    tensor([5])
    """
    return at_least_each(tensors, 1, "atleast_1d")


def atleast_2d(*tensors):
    """View vectors as one row, numbers as 1 x 1; other tensors are returned as they are.

    >>> import taeda
    >>> taeda.atleast_2d(taeda.tensor([5, 6]))
    tensor([[5, 6]])
    """
    return at_least_each(tensors, 2, "atleast_2d")


def atleast_3d(*tensors):
    """View matrices with a last dimension of size 1, vectors and numbers as NumPy does.

    >>> import taeda
    >>> taeda.atleast_3d(taeda.tensor([5, 6])).shape
    taeda.Size([1, 2, 1])
    """
    return at_least_each(tensors, 3, "atleast_3d")


def hstack(tensors, *, out=None):
    """Put tensors behind each other along dimension 1, vectors along 0.

    >>> import taeda
    >>> taeda.hstack([taeda.tensor([1, 2]), taeda.tensor([3])])
    tensor([1, 2, 3])
    """
    xs = at_least(tensors, 1, "hstack")
    return cat(xs, 0 if (<TensorBase>xs[0]).view.ndim == 1 else 1, out=out)


def vstack(tensors, *, out=None):
    """Put tensors below each other along dimension 0, vectors as rows.

    >>> import taeda
    >>> taeda.vstack([taeda.tensor([1, 2]), taeda.tensor([3, 4])])
    tensor([[1, 2],
            [3, 4]])
    """
    return cat(at_least(tensors, 2, "vstack"), 0, out=out)


def row_stack(tensors, *, out=None):
    """Same as :func:`vstack`."""
    return vstack(tensors, out=out)


def dstack(tensors, *, out=None):
    """Put tensors behind each other along dimension 2.

    >>> import taeda
    >>> taeda.dstack([taeda.tensor([1, 2]), taeda.tensor([3, 4])]).shape
    taeda.Size([1, 2, 2])
    """
    return cat(at_least(tensors, 3, "dstack"), 2, out=out)


def column_stack(tensors, *, out=None):
    """Put tensors behind each other along dimension 1, vectors as columns.

    >>> import taeda
    >>> taeda.column_stack([taeda.tensor([1, 2]), taeda.tensor([3, 4])])
    tensor([[1, 3],
            [2, 4]])
    """
    cdef list xs = pieces_of(tensors, "column_stack")
    if not xs:
        raise RuntimeError("[column_stack] column_stack expects a non-empty TensorList")
    return cat([x if x.dim() > 1 else x.reshape(x.numel(), 1) for x in xs], 1, out=out)


# -- products ----------------------------------------------------------------------------------------------
def meshgrid(*tensors, indexing=None):
    """Expand vectors into coordinate grids: grid k holds tensors[k] along dimension k.

    indexing is 'ij' (also when not given), or 'xy' for grids with the first two dimensions exchanged.

    Raises RuntimeError for no tensors, dtypes or devices that differ, a matrix, or another indexing.

    >>> import taeda
    >>> x, y = taeda.meshgrid(taeda.tensor([1, 2, 3]), taeda.tensor([4, 5]), indexing="ij")
    >>> y
    tensor([[4, 5],
            [4, 5],
            [4, 5]])
    """
    if indexing is None:
        warn_once("meshgrid", "taeda.meshgrid: in an upcoming release, it will be required to pass the indexing argument; it is 'ij' "
                              "without")
    cdef int i, n
    if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)):
        tensors = tensors[0]
    xs = pieces_of(tensors if isinstance(tensors, (list, tuple)) else list(tensors), "meshgrid")
    n = len(xs)
    if n == 0:
        raise RuntimeError("[meshgrid] meshgrid expects a non-empty TensorList")
    if indexing not in (None, "ij", "xy"):
        raise RuntimeError(f"[meshgrid] indexing must be one of \"xy\" or \"ij\", but received: {indexing}")
    for x in xs:
        if x.dtype != xs[0].dtype:
            raise RuntimeError("[meshgrid] meshgrid expects all tensors to have the same dtype, got "
                               f"{', '.join([str(x.dtype) for x in xs])}")
        if x.device != xs[0].device:
            raise RuntimeError("[meshgrid] meshgrid expects all tensors to have the same device, got "
                               f"{', '.join([str(x.device) for x in xs])}")
        if x.dim() > 1:
            raise RuntimeError(f"[meshgrid] Expected 0D or 1D tensor in the tensor list but got shape {tuple(x.shape)}")
    swap = indexing == "xy" and n > 1
    if swap:
        xs[0], xs[1] = xs[1], xs[0]
    shape = [x.numel() for x in xs]
    grids = [xs[i].reshape([-1 if k == i else 1 for k in range(n)]).expand(shape) for i in range(n)]
    if swap:
        grids[0], grids[1] = grids[1], grids[0]
    return tuple(grids)


def cartesian_prod(*tensors):
    """Return all combinations of the vectors' elements, one a row, the last vector's running fastest.

    >>> import taeda
    >>> taeda.cartesian_prod(taeda.tensor([1, 2]), taeda.tensor([5, 6]))
    tensor([[1, 5],
            [1, 6],
            [2, 5],
            [2, 6]])
    """
    cdef list xs = pieces_of(tensors, "cartesian_prod")
    if not xs:
        raise RuntimeError("[cartesian_prod] expects a non-empty TensorList")
    for x in xs:
        if x.dim() != 1:
            raise RuntimeError(f"[cartesian_prod] Expect a 1D vector, but got shape {list(x.shape)}")
    if len(xs) == 1:
        return xs[0]
    return stack([g.reshape(-1) for g in meshgrid(xs, indexing="ij")], 1)


cdef list blocks_of(object y, list sizes):
    """The blocks along the diagonal of y, as views without history."""
    cdef list found = []
    cdef int64_t i = 0, j = 0
    y = y.detach()
    for h, w in sizes:
        found.append(y.narrow(0, i, h).narrow(1, j, w))
        i, j = i + h, j + w
    return found


cdef object block_diag_vjp(Node n, object g):
    cdef int i
    cdef int64_t a = 0, b = 0
    cdef list back = []
    for i, (h, w) in enumerate(n.extra):
        back.append(g.narrow(0, a, h).narrow(1, b, w) if n.needs(i) else None)
        a, b = a + h, b + w
    return tuple(back) if len(back) > 1 else back[0]

cdef Op BLOCK_DIAG = define("block_diag", block_diag_vjp)


def block_diag(*tensors):
    """Return the matrix with the given matrices (vectors as rows, numbers as 1 x 1) along its diagonal, else 0.

    Raises RuntimeError for a tensor of more than two dimensions.

    >>> import taeda
    >>> taeda.block_diag(taeda.tensor([[1, 2]]), taeda.tensor(3))
    tensor([[1, 2, 0],
            [0, 0, 3]])
    """
    cdef list xs = pieces_of(tensors, "block_diag")
    cdef int dtype, i
    if not xs:
        return zeros_of((1, 0), default_float(), CPU)
    for i in range(len(xs)):
        if xs[i].dim() > 2:
            raise RuntimeError(f"[block_diag] Input tensors must have 2 or fewer dimensions. Input {i} has {xs[i].dim()} "
                               "dimensions")
    dtype = common_dtype(xs)
    cast_all(xs, dtype)
    xs = [x if x.dim() == 2 else x.reshape(1, -1) for x in xs]
    check_same_device("block_diag", tuple(xs))
    sizes = [tuple(x.shape) for x in xs]
    y = zeros_of((sum([h for h, _ in sizes]), sum([w for _, w in sizes])), dtype, (<TensorBase>xs[0]).device)
    for x, place in zip(xs, blocks_of(y, sizes)):
        copy_into(<TensorBase>place, <TensorBase>x)
    record(BLOCK_DIAG, y, tuple(xs), None, sizes)
    return y


METHODS = {}
