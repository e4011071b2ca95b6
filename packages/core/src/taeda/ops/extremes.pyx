# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Reductions that choose or count: the extreme elements and where they stand, any, all, count_nonzero.

NaN is the most extreme element of all, in both directions.  Of equal elements an index names the first.
"""
from cpython.number cimport PyIndex_Check
from libc.stdint cimport uint64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport Op, as_tensor, contiguous, define, record, record_multi, to_dtype, wrap_dim, write_out
from taeda.dtype cimport is_complex_
from taeda.kernels.cpu.abi cimport BOOL, I64, U8
from taeda.ops.reduction cimport (check_not_empty, extent, launch_reduction, pick, read_dims, reduce_one, reduced_empty,
                                  select_back, share_back, way_back, write_pair)
from taeda.tensor_base cimport TensorBase

from taeda.operands import refuse_overlap
from taeda.ops import return_types as types

__all__ = ["all", "amax", "amin", "aminmax", "any", "argmax", "argmin", "count_nonzero", "max", "min"]
PUBLIC = ("all", "amax", "amin", "aminmax", "any", "argmax", "argmin", "count_nonzero", "max", "min")


# -- the extreme elements ---------------------------------------------------------------------------------


cdef object extreme_vjp(Node n, object g):
    return share_back(g, n.load(0), n.load(1), n.extra, False)

cdef object extreme_all_vjp(Node n, object g):
    return share_back(g, n.load(0), n.load(1), n.extra, True)

cdef object extreme_dim_vjp(Node n, object g):
    return select_back(<TensorBase>g[0], n.load(0), n.extra[0], n.extra[1])

cdef Op AMAX = define("amax", extreme_vjp)
cdef Op AMIN = define("amin", extreme_vjp)
cdef Op MAX_ALL = define("max", extreme_all_vjp, 0, 0, "amax", "MaxBackward1")
cdef Op MIN_ALL = define("min", extreme_all_vjp, 0, 0, "amin", "MinBackward1")
cdef Op MAX_ALONG = define("max", extreme_dim_vjp, 0, 0, "max_dim", "MaxBackward0")
cdef Op MIN_ALONG = define("min", extreme_dim_vjp, 0, 0, "min_dim", "MinBackward0")


cdef object extreme(Op op, object input, object dim, object keepdim, object out):
    cdef TensorBase x = as_tensor(input, op.name), y
    cdef uint64_t dims = read_dims(op.name, dim, x.view.ndim)
    check_not_empty(op.name, x, dim, dims)
    y = reduce_one(op, x, dims, keepdim, x.view.dtype, NULL)
    record(op, y, (x,), (x, y), way_back(x, dims, keepdim))
    if isinstance(out, TensorBase) and (<TensorBase>out).view.dtype != x.view.dtype and (op is AMAX or op is AMIN):
        raise RuntimeError(f"[{op.name}] Expected the dtype for input and out to match, but got {input.dtype} for input's dtype "
                           f"and {out.dtype} for out's dtype")
    return y if out is None else write_out(out, y, op.name)


cdef object extreme_dim(Op op, object result, object input, object dim, object keepdim, object out):
    cdef TensorBase x = as_tensor(input, op.name), y, at
    cdef uint64_t dims
    cdef int d
    if not PyIndex_Check(dim) or isinstance(dim, bool):
        raise TypeError(f"[{op.name}] argument 'dim' must be int, not {type(dim).__name__}; "
                        f"a{op.name} takes several dimensions")
    d = wrap_dim(op.name, dim, x.view.ndim)
    dims = read_dims(op.name, d, x.view.ndim)
    check_not_empty(op.name, x, d, dims)
    y = reduced_empty(x, dims, keepdim, x.view.dtype)
    at = reduced_empty(x, dims, keepdim, I64)
    launch_reduction(op, x, dims, y, at, NULL)
    record_multi(op, (y, at), (x,), (at,), (way_back(x, dims, keepdim), d))
    if out is not None:
        refuse_overlap(op.name, out, x)
        y, at = write_pair(out, y, at, op.name)
    return result((y, at))


def amax(input, dim=(), keepdim=False, *, out=None, axis=None, keepdims=None):
    """Return the largest elements over ``dim``; a gradient is split evenly among equals.  NaN is the largest.

    >>> import taeda
    >>> taeda.amax(taeda.tensor([[1., 5.], [7., 2.]]), 1)
    tensor([5., 7.])
    """
    return extreme(AMAX, input, pick("amax", dim or None if isinstance(dim, tuple) else dim, axis, "dim", "axis"),
                   pick("amax", keepdim, keepdims, "keepdim", "keepdims"), out)


def amin(input, dim=(), keepdim=False, *, out=None, axis=None, keepdims=None):
    """Return the smallest elements over ``dim``; a gradient is split evenly among equals.  NaN wins.

    >>> import taeda
    >>> taeda.amin(taeda.tensor([[1., 5.], [7., 2.]]), 1)
    tensor([1., 2.])
    """
    return extreme(AMIN, input, pick("amin", dim or None if isinstance(dim, tuple) else dim, axis, "dim", "axis"),
                   pick("amin", keepdim, keepdims, "keepdim", "keepdims"), out)


cdef object aminmax_vjp(Node n, object g):
    cdef object x = n.load(0), total = None, part
    cdef tuple back = n.extra[0]
    if g[0] is not None:
        total = share_back(g[0], x, amin(x, n.extra[1], True), back, False)
    if g[1] is not None:
        part = share_back(g[1], x, amax(x, n.extra[1], True), back, False)
        total = part if total is None else total + part
    return total

cdef Op AMINMAX = define("aminmax", aminmax_vjp)


def aminmax(input, *, dim=None, keepdim=False, out=None, axis=None, keepdims=None):
    """Return the smallest and the largest element, of all or along one dimension.

    >>> import taeda
    >>> tuple(taeda.aminmax(taeda.tensor([3., 1., 2.])))
    (tensor(1.), tensor(3.))
    """
    cdef TensorBase x = as_tensor(input, "aminmax"), low, high
    cdef uint64_t dims
    dim, keepdim = pick("aminmax", dim, axis, "dim", "axis"), pick("aminmax", keepdim, keepdims, "keepdim", "keepdims")
    if x.view.numel == 0 and dim is None:
        raise RuntimeError(f"[aminmax] cannot compute aminmax over an empty dimension as the operation has no identity; "
                           f"got shape {tuple(x.shape_tuple())}")
    if dim is not None:
        dim = wrap_dim("aminmax", dim, x.view.ndim)
    dims = read_dims("aminmax", dim, x.view.ndim)
    check_not_empty("aminmax", x, dim, dims)
    low = reduced_empty(x, dims, keepdim, x.view.dtype)
    high = reduced_empty(x, dims, keepdim, x.view.dtype)
    launch_reduction(AMINMAX, x, dims, low, high, NULL)
    record_multi(AMINMAX, (low, high), (x,), (x,), (way_back(x, dims, keepdim), dim))
    if out is not None:
        low, high = write_pair(out, low, high, "aminmax")
    return types.aminmax((low, high))


def max(input, dim=None, keepdim=False, *, other=None, out=None, axis=None, keepdims=None):
    """Return the largest element; with ``dim``, (values, indices); of two tensors, the elementwise maximum.

    NaN is larger than all.  Of equal elements along ``dim`` the first is taken, and its gradient with it;
    without ``dim`` the gradient is split evenly.

    Raises:
        RuntimeError, IndexError: there is no element to choose.

    >>> import taeda
    >>> taeda.max(taeda.tensor([[1., 5.], [7., 2.]]), 1).indices
    tensor([1, 0])
    """
    if isinstance(dim, TensorBase) or other is not None:
        return as_tensor(input, "max").maximum(dim if other is None else other, out=out)
    dim, keepdim = pick("max", dim, axis, "dim", "axis"), pick("max", keepdim, keepdims, "keepdim", "keepdims")
    if dim is None and keepdim is False:
        return extreme(MAX_ALL, input, None, False, out)
    return extreme_dim(MAX_ALONG, types.max, input, dim, keepdim, out)


def min(input, dim=None, keepdim=False, *, other=None, out=None, axis=None, keepdims=None):
    """Return the smallest element; with ``dim``, (values, indices); of two tensors, the elementwise minimum.

    NaN wins.  Ties and gradients as :func:`max`.

    >>> import taeda
    >>> taeda.min(taeda.tensor([[1., 5.], [7., 2.]]), 0).values
    tensor([1., 2.])
    """
    if isinstance(dim, TensorBase) or other is not None:
        return as_tensor(input, "min").minimum(dim if other is None else other, out=out)
    dim, keepdim = pick("min", dim, axis, "dim", "axis"), pick("min", keepdim, keepdims, "keepdim", "keepdims")
    if dim is None and keepdim is False:
        return extreme(MIN_ALL, input, None, False, out)
    return extreme_dim(MIN_ALONG, types.min, input, dim, keepdim, out)


cdef Op ARGMAX = define("argmax", NULL)
cdef Op ARGMIN = define("argmin", NULL)


cdef object arg_extreme(Op op, object input, object dim, object keepdim, object out):
    cdef TensorBase x = as_tensor(input, op.name), y
    cdef uint64_t dims
    if dim is not None and (not PyIndex_Check(dim) or isinstance(dim, bool)):
        raise TypeError(f"[{op.name}] argument 'dim' must be int, not {type(dim).__name__}")
    if x.view.dtype == BOOL:
        raise RuntimeError(f"[{op.name}] does not support bool input")
    dims = read_dims(op.name, dim, x.view.ndim)
    if x.view.numel == 0 and dim is None:
        raise IndexError(f"[{op.name}] Expected reduction dim to be specified for input.numel() == 0, got shape "
                         f"{tuple(x.shape_tuple())}")
    check_not_empty(op.name, x, dim, dims)
    if dim is None:
        y = reduced_empty(x, dims, keepdim, I64)
        launch_reduction(op, contiguous(x.detach().reshape(-1)), 1, y, None, NULL)
    elif x.view.numel and extent(x, dims) == 1 and not is_complex_(x.view.dtype):
        y = reduced_empty(x, dims, keepdim, I64)
        (<object>y).zero_()
    else:
        y = reduce_one(op, x, dims, keepdim, I64, NULL)
    return y if out is None else write_out(out, y, op.name)


def argmax(input, dim=None, keepdim=False, *, out=None, axis=None, keepdims=None):
    """Return the index of the largest element (the first of equals), in the flat tensor or along ``dim``.

    >>> import taeda
    >>> taeda.argmax(taeda.tensor([1., 3., 3.]))
    tensor(1)
    """
    return arg_extreme(ARGMAX, input, pick("argmax", dim, axis, "dim", "axis"),
                       pick("argmax", keepdim, keepdims, "keepdim", "keepdims"), out)


def argmin(input, dim=None, keepdim=False, *, out=None, axis=None, keepdims=None):
    """Return the index of the smallest element (the first of equals), in the flat tensor or along ``dim``.

    >>> import taeda
    >>> taeda.argmin(taeda.tensor([3., 1., 1.]))
    tensor(1)
    """
    return arg_extreme(ARGMIN, input, pick("argmin", dim, axis, "dim", "axis"),
                       pick("argmin", keepdim, keepdims, "keepdim", "keepdims"), out)


# -- truth and counting -----------------------------------------------------------------------------------

cdef TensorBase nonzero_mask(TensorBase x):
    """Where a complex tensor is not zero; another tensor itself."""
    return <TensorBase>((<object>x).detach() != 0) if is_complex_(x.view.dtype) else x

cdef Op ANY = define("any", NULL)
cdef Op ALL = define("all", NULL)
cdef Op COUNT_NONZERO = define("count_nonzero", NULL)


cdef object truth(Op op, object input, object dim, object keepdim, object out):
    cdef TensorBase x = nonzero_mask(as_tensor(input, op.name)), y
    cdef int dtype = U8 if x.view.dtype == U8 else BOOL
    if isinstance(dim, (tuple, list)) and not dim:              # unlike sum: no dimension at all
        y = contiguous(to_dtype(x != 0, dtype))
    else:
        y = reduce_one(op, x, read_dims(op.name, dim, x.view.ndim), keepdim, dtype, NULL)
    if isinstance(out, TensorBase) and (<TensorBase>out).view.dtype != BOOL and (<TensorBase>out).view.dtype != U8:
        raise RuntimeError(f"[{op.name}] only supports bool tensor for result, got: {out.dtype}")
    return y if out is None else write_out(out, y, op.name)


def any(input, dim=None, keepdim=False, *, out=None, axis=None, keepdims=None):
    """Return whether some element is nonzero: bool, but uint8 of uint8.  NaN is nonzero.

    >>> import taeda
    >>> taeda.any(taeda.tensor([0, 2]))
    tensor(True)
    """
    return truth(ANY, input, pick("any", dim, axis, "dim", "axis"),
                 pick("any", keepdim, keepdims, "keepdim", "keepdims"), out)


def all(input, dim=None, keepdim=False, *, out=None, axis=None, keepdims=None):
    """Return whether all elements are nonzero: bool, but uint8 of uint8; true of nothing.

    >>> import taeda
    >>> taeda.all(taeda.tensor([[True, False], [True, True]]), 1)
    tensor([False,  True])
    """
    return truth(ALL, input, pick("all", dim, axis, "dim", "axis"),
                 pick("all", keepdim, keepdims, "keepdim", "keepdims"), out)


def count_nonzero(input, dim=None, *more, axis=None):
    """Return how many elements are nonzero, over all dimensions or those in ``dim``, a tuple or one by one.

    >>> import taeda
    >>> taeda.count_nonzero(taeda.tensor([[0, 1], [2, 3]]), 1)
    tensor([1, 2])
    """
    cdef TensorBase x = nonzero_mask(as_tensor(input, "count_nonzero"))
    dim = pick("count_nonzero", (dim, *more) if more else dim, axis, "dim", "axis")
    return reduce_one(COUNT_NONZERO, x, read_dims("count_nonzero", dim, x.view.ndim), False, I64, NULL)


METHODS = {"all": all, "amax": amax, "amin": amin, "aminmax": aminmax, "any": any, "argmax": argmax, "argmin": argmin,
           "count_nonzero": count_nonzero, "max": max, "min": min}
