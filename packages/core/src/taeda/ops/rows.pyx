# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Rows along one dimension by a vector of indices, and elements by flat ones: index_select, index_add and their kin, take and put.

All are forms of index and index_put (advanced.pyx).
"""
from libc.stdint cimport int64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport (Op, as_strided_view, as_tensor, begin_inplace, check_same_device, copy_into, define, empty_as,
                             end_inplace, held_scalar, to_dtype, wrap_dim, write_out)
from taeda.dtype cimport differentiable, dtype_of, is_complex_, name_of, torch_name
from taeda.kernels.cpu.abi cimport BOOL, I32, I64
from taeda.operands cimport plain_number
from taeda.ops.advanced cimport index_core, index_put_core, index_put_vjp, index_vjp, long_index, no_numbers, numbers, of_last
from taeda.ops.gather cimport flat, fresh
from taeda.tensor_base cimport CPU, TensorBase

from taeda.autograd.dual import is_transposed
from taeda.autograd.node import own, written_copy
from taeda.dispatch import write_exact
from taeda.operands import refuse_overlap

__all__ = [
    "index_add", "index_add_", "index_copy", "index_copy_", "index_fill", "index_fill_", "index_select", "put", "put_",
    "take",
]
PUBLIC = ("index_add", "index_copy", "index_fill", "index_select", "put", "take")


# -- rows: index_select, index_add, index_copy, index_fill -----------------------------------------------------
cdef object index_fill_vjp(Node n, object g):
    """The value stands in every row that is named, however often it is."""
    cdef int d = n.extra[0][0]
    ix, value = n.load(0), None
    if n.needs(1):
        named = g.new_zeros(g.shape[d], dtype=dtype_of(BOOL)).index_fill(0, ix, True)
        value = g.masked_fill(~named.reshape([-1 if i == d else 1 for i in range(g.ndim)]), 0).sum()
    return index_fill(g, d, ix, 0) if n.needs(0) else None, value

cdef Op INDEX_SELECT = define("index_select", index_vjp, 0, 0, "index")
cdef Op INDEX_ADD = define("index_add", index_put_vjp, 0, 0, "index_put_add")
cdef Op INDEX_COPY = define("index_copy", index_put_vjp, 0, 0, "index_put")
cdef Op INDEX_FILL = define("index_fill", index_put_vjp, 0, 0, "index_put")
cdef Op INDEX_FILL_TENSOR = define("index_fill", index_fill_vjp, 0, 0, "index_put", "IndexFillBackward1")
cdef Op TAKE = define("take", index_vjp, 0, 0, "index")


cdef str reworded(object error, str op, str what):
    """An out-of-bounds message with PyTorch's words for this op in front."""
    return f"[{op}] {what}: " + str(error).partition("] ")[2]


cdef TensorBase row_index(TensorBase x, object index, str op):
    cdef TensorBase ix = as_tensor(index, op)
    if ix.view.ndim > 1:
        raise IndexError(f"[{op}] {op}(): Index is supposed to be a vector, got shape {tuple(ix.shape_tuple())}")
    check_same_device(op, (x, ix))
    return flat(ix)


def index_select(input, dim, index, *, out=None):
    """Take the rows of input along dim that the vector index names: y[i] = input[index[i]] for dim 0.

    Raises IndexError for an index out of range (it does not count from the end; RuntimeError along dimension 1) or of more
    dimensions, RuntimeError for one of another dtype.

    >>> import taeda
    >>> taeda.index_select(taeda.tensor([[1, 2], [3, 4]]), 1, taeda.tensor([1, 1]))
    tensor([[2, 2],
            [4, 4]])
    """
    cdef TensorBase x = as_tensor(input, "index_select"), ix = row_index(x, index, "index_select"), y
    cdef int d = wrap_dim("index_select", dim, x.view.ndim)
    if ix.view.dtype != I64 and ix.view.dtype != I32:
        raise RuntimeError(f"[index_select] index_select(): Expected dtype int32 or int64 for index, got "
                           f"{name_of(ix.view.dtype)}")
    ix = long_index(ix)
    if x.view.ndim == 0:
        if ix.view.numel != 1:
            raise RuntimeError("[index_select] Index to scalar can have only 1 value, got "
                               f"{ix.view.numel} values")
    try:
        if x.view.ndim == 0:
            y = own(index_core(x.reshape(1), [0], [ix], "index_select", INDEX_SELECT, False).reshape(()), "IndexSelectBackward0")
        else:
            y = index_core(x, [d], [ix], "index_select", INDEX_SELECT, False)
    except IndexError as error:
        kind = RuntimeError if d == 1 or (x.view.ndim and x.view.shape[d] == 0) else IndexError     # PyTorch's roads for these are others
        raise kind(reworded(error, "index_select", "index out of range in self")) from None
    return y if out is None else write_exact(out, y, "index_select", x, index)


cdef TensorBase check_rows(TensorBase x, TensorBase ix, object src, int dim, str op, object kind):
    """src with the rows that index_add and index_copy expect: x's shape, index's length along dim."""
    cdef TensorBase s = as_tensor(src, op)
    cdef int d
    if s.view.dtype != x.view.dtype:
        raise RuntimeError(f"[{op}] {op}(): self ({torch_name(x.view.dtype)}) and source ({torch_name(s.view.dtype)}) must "
                           "have the same scalar type")
    if flat(s).view.ndim != flat(x).view.ndim:
        raise RuntimeError(f"[{op}] source must have as many dimensions as self; got shapes {tuple(s.shape_tuple())} and "
                           f"{tuple(x.shape_tuple())}")
    for d in range(x.view.ndim):
        if d != dim and s.view.shape[d] != x.view.shape[d]:
            raise RuntimeError(f"[{op}] source tensor shape must match self tensor shape, excluding the specified dimension. "
                               f"Got self.shape = {list(x.shape_tuple())} source.shape = {list(s.shape_tuple())}")
    if ix.view.numel != flat(s).view.shape[dim]:
        raise kind(f"[{op}] {op}(): Number of indices ({ix.view.numel}) should be equal to source.size(dim): "
                   f"({flat(s).view.shape[dim]}), for dim: {dim}")
    return s if s.view.ndim else s.reshape(1)


cdef TensorBase put_rows(TensorBase x, int dim, TensorBase ix, TensorBase s, Op node, str op, bint wrap):
    if x.view.ndim == 0:
        index_put_core(x.reshape(1), [0], [ix], s, node is INDEX_ADD, op, node, wrap)
        return x
    return index_put_core(x, [dim], [ix], s, node is INDEX_ADD, op, node, wrap)


def index_add_(input, dim, index, source, *, alpha=1):
    """Add alpha times the rows of source to the rows of input that index names, in place; see :func:`index_add`."""
    alpha = plain_number("index_add_", "alpha", alpha)
    cdef TensorBase x = as_tensor(input, "index_add_"), ix = row_index(x, index, "index_add_"), s
    cdef int d = wrap_dim("index_add_", dim, x.view.ndim)
    if isinstance(alpha, complex) and not is_complex_(x.view.dtype):
        alpha = (<object>held_scalar(alpha, x.view.dtype, CPU)).item()
    if ix.view.dtype != I64 and ix.view.dtype != I32:
        raise RuntimeError("[index_add_] index_add_(): Expected dtype int32/int64 for index but got: "
                           f"{torch_name(ix.view.dtype)}")
    s = check_rows(x, ix, source, d, "index_add_", RuntimeError)
    if x.view.dtype == BOOL:
        s, alpha = <TensorBase>((<object>s) & bool(alpha)), 1
    elif isinstance(alpha, float) and not differentiable(x.view.dtype):
        alpha = int(alpha)
    try:
        return put_rows(x, d, long_index(ix), s if alpha == 1 else s * alpha, INDEX_ADD, "index_add_", False)
    except IndexError as error:                             # PyTorch's kinds
        if x.view.ndim <= 1:
            raise IndexError(f"[index_add_] index out of range in self: {str(error).removeprefix('[index_add_] ')}") from None
        raise RuntimeError(str(error)) from None


def index_add(input, dim, index, source, *, alpha=1, out=None):
    """Return input with rows of source added: y[index[i]] += alpha * source[i] for dim 0, in index's order.

    Raises RuntimeError for an index out of range (of a vector IndexError) or of another dtype, or a source of another dtype or shape.

    >>> import taeda
    >>> taeda.index_add(taeda.zeros(3), 0, taeda.tensor([0, 0, 2]), taeda.ones(3), alpha=2)
    tensor([4., 0., 2.])
    """
    y = written_copy(index_add_, fresh(input, "index_add"), dim, index, source, alpha=alpha)
    return y if out is None else write_out(out, y, "index_add")


def index_copy_(input, dim, index, source):
    """Write the rows of source over the rows of input that index names, in place; see :func:`index_copy`."""
    cdef TensorBase x = as_tensor(input, "index_copy_"), ix = row_index(x, index, "index_copy_"), s
    cdef int d = wrap_dim("index_copy_", dim, x.view.ndim)
    s = as_tensor(source, "index_copy_")
    if s.view.ndim == 0 and ix.view.numel != 1:
        raise IndexError(f"[index_copy_] index_copy_(): When source is scalar, index should have one element (got {ix.view.numel})")
    if s.view.ndim != x.view.ndim and s.view.ndim and x.view.ndim:
        raise IndexError("[index_copy_] index_copy_(): When source and destination are not scalars, their dimensionality must "
                         f"match; got shapes {tuple(s.shape_tuple())} and {tuple(x.shape_tuple())}")
    if ix.view.dtype != I64:
        raise RuntimeError("[index_copy_] index_copy_(): Expected a long tensor for index, but got "
                           f"{torch_name(ix.view.dtype)}")
    s = check_rows(x, ix, source, d, "index_copy_", IndexError)
    return put_rows(x, d, ix, s, INDEX_COPY, "index_copy_", False)


def index_copy(input, dim, index, source, *, out=None):
    """Return input with rows replaced by those of source: y[index[i]] = source[i] for dim 0.

    Raises IndexError for an index out of range or of another length, RuntimeError for another dtype or shape.

    >>> import taeda
    >>> taeda.index_copy(taeda.zeros(3), 0, taeda.tensor([2, 0]), taeda.tensor([1.0, 2.0]))
    tensor([2., 0., 1.])
    """
    y = written_copy(index_copy_, fresh(input, "index_copy"), dim, index, source)
    return y if out is None else write_out(out, y, "index_copy")


def index_fill_(input, dim, index, value):
    """Fill the rows of input that index names with a number, in place; see :func:`index_fill`."""
    cdef TensorBase x = as_tensor(input, "index_fill_"), ix = as_tensor(index, "index_fill_"), v
    cdef int d = wrap_dim("index_fill_", dim, x.view.ndim)
    if ix.view.ndim > 1:
        raise RuntimeError(f"[index_fill_] Index has to be a vector/scalar, got shape {tuple(ix.shape_tuple())}")
    ix = row_index(x, ix, "index_fill_")
    if ix.view.dtype != I64:
        raise IndexError(f"[index_fill_] index_fill_(): Expected dtype int64 for index, got {name_of(ix.view.dtype)}")
    if not isinstance(value, TensorBase):
        value = plain_number("index_fill_", "value", value)
        if isinstance(value, complex) and x.view.dtype == BOOL:
            raise RuntimeError("[index_fill_] a complex value does not go into a tensor of bool; take its truth first")
        v = held_scalar(value, x.view.dtype, x.device)
    else:
        v = <TensorBase>value
        if v.view.ndim:
            raise RuntimeError("[index_fill_] index_fill_ only supports a 0-dimensional value tensor, but got tensor with "
                               f"{v.view.ndim} dimension(s).")
        v = <TensorBase>(<object>v).clone() if v.storage is x.storage else to_dtype(v, x.view.dtype)
    return put_rows(x, d, ix, v, INDEX_FILL_TENSOR if isinstance(value, TensorBase) else INDEX_FILL, "index_fill_", True)


def index_fill(input, dim, index, value):
    """Return input with the rows that index names filled with a number (or a 0-d tensor).

    Raises IndexError for an index out of range or of another dtype.

    >>> import taeda
    >>> taeda.index_fill(taeda.zeros(3), 0, taeda.tensor([1, -1]), 7)
    tensor([0., 7., 7.])
    """
    return written_copy(index_fill_, as_tensor(input, "index_fill").clone(), dim, index, value)


# -- flat: take and put ------------------------------------------------------------------------------------------
def take(input, index, *, out=None):
    """Return input.reshape(-1)[index], of index's shape.

    Raises IndexError for an index out of range, RuntimeError for one that is not int64.

    >>> import taeda
    >>> taeda.take(taeda.tensor([[1, 2], [3, 4]]), taeda.tensor([[0, -1]]))
    tensor([[1, 4]])
    """
    cdef TensorBase x = as_tensor(input, "take"), ix = as_tensor(index, "take"), y, laid
    if ix.view.dtype != I64:
        raise RuntimeError(f"[take] take(): Expected a long tensor for index, but got {torch_name(ix.view.dtype)}")
    check_same_device("take", (x, ix))
    try:
        y = index_core(x.reshape(-1), [0], [ix], "take", TAKE)
    except IndexError as error:
        raise IndexError(reworded(error, "take", "out of range")) from None
    if out is None:
        return y
    if not ix.view.contiguous and not y.requires_grad:  # an out that is resized lies as the index does
        laid = empty_as(ix, y.view.dtype, y.device)
        copy_into(laid, y)
        y = laid
    return write_exact(out, y, "take", x, index)


cdef object put_vjp(Node n, object g):
    accumulate, shape = n.extra
    ix = n.load(0)
    gx = g if accumulate else put(g, ix, g.new_zeros(ix.shape))
    gs = take(g, ix) if n.needs(1) else None
    if gs is not None and is_transposed(n) and not accumulate:
        places = numbers(ix)
        gs = of_last(gs, take(put(no_numbers(g), ix, places), ix), places)
    return gx if n.needs(0) else None, gs.reshape(shape) if n.needs(1) else None

cdef Op PUT = define("put", put_vjp, 0, 0, "index_put")


def put_(input, index, source, accumulate=False):
    """Write source into input.reshape(-1) where index says, or add it with accumulate, in place.

    Raises IndexError for an index out of range or a source of another number of elements.

    >>> import taeda
    >>> taeda.zeros(2, 3).put_(taeda.tensor([0, 4, -1]), taeda.tensor([1., 2., 3.]))
    tensor([[1., 0., 0.],
            [0., 2., 3.]])
    """
    cdef TensorBase x = as_tensor(input, "put_"), ix = as_tensor(index, "put_"), s = as_tensor(source, "put_"), y
    cdef int64_t one = 1
    if ix.view.dtype != I64:
        raise RuntimeError(f"[put_] put_(): Expected a long tensor for index, but got {torch_name(ix.view.dtype)}")
    if s.view.dtype != x.view.dtype:
        raise RuntimeError(f"[put_] put_(): self and source expected to have the same dtype, but got self.dtype = "
                           f"{torch_name(x.view.dtype)} and source.dtype = {torch_name(s.view.dtype)}")
    if s.view.numel != ix.view.numel:
        raise IndexError("[put_] put_(): Expected source and index to have the same number of elements, but got "
                         f"source.numel() = {s.view.numel}, index.numel() = {ix.view.numel}")
    check_same_device("put_", (x, ix, s))
    refuse_overlap("put_", x, ix, s)
    begin_inplace("put_", x)
    plain = s.detach().reshape(ix.shape_tuple())
    y = as_strided_view(x, 1, &x.view.numel, &one, x.offset) if x.view.contiguous else x.detach().reshape(-1)
    y.detached_version = True                       # end_inplace counts the write
    index_put_core(y, [0], [ix], plain, accumulate, "put_")
    if not x.view.contiguous:
        copy_into(x, y.reshape(x.shape_tuple()))
    end_inplace(PUT, x, (x, s), (ix,), (bool(accumulate), s.shape_tuple()))
    return x


def put(input, index, source, accumulate=False):
    """Return a copy of input with source written where index says; see :func:`put_`."""
    return written_copy(put_, as_tensor(input, "put").clone(), index, source, accumulate)


METHODS = {name: globals()[name] for name in __all__}
