# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Ordering: sort and argsort, topk, kthvalue, median; NaN counts as the largest.  Sorts and medians are stable; topk and kthvalue
choose among equals as PyTorch does.

A value's gradient goes to the place that it was taken from: a scatter by the indices.
"""
from cpython.number cimport PyIndex_Check
from libc.stdint cimport int64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport (Op, as_tensor, contiguous, copy_into, define, empty, empty_for, integer, launch, record, record_multi,
                             wrap_dim, write_out)
from taeda.dtype cimport is_float
from taeda.kernels.cpu.abi cimport BOOL, I32, I64, MAX_DIM, Param, View
from taeda.ops.reduction cimport select_back, share_back, way_back, write_pair
from taeda.registry cimport copy_view
from taeda.tensor_base cimport CPU, TensorBase

from taeda.autograd.node import own
from taeda.operands import refuse_overlap
from taeda.ops import return_types as types

__all__ = ["argsort", "kthvalue", "median", "mode", "msort", "nanmedian", "sort", "topk"]
PUBLIC = ("argsort", "kthvalue", "median", "mode", "msort", "nanmedian", "sort", "topk")


cdef int axis_of(str op, TensorBase x, object dim) except -1:
    if not PyIndex_Check(dim) or isinstance(dim, bool):
        raise TypeError(f"[{op}] argument 'dim' must be int, not {type(dim).__name__}")
    return wrap_dim(op, dim, x.view.ndim)


cdef tuple run(Op op, TensorBase x, int d, int64_t size, const Param* p):
    """Launch op along d with ``size`` results a row: (values, indices), contiguous."""
    cdef int64_t shape[MAX_DIM]
    cdef TensorBase y, at, flat = x if x.view.contiguous else contiguous(x.detach())
    cdef View* t[3]
    cdef int i
    for i in range(x.view.ndim):
        shape[i] = x.view.shape[i]
    if x.view.ndim:
        shape[d] = size
    y = empty(x.view.ndim, shape, x.view.dtype, x.device)
    at = empty(x.view.ndim, shape, I64, x.device)
    t[0], t[1], t[2] = &y.view, &at.view, &flat.view
    launch(op, x.view.dtype, x.device, 2, 3, t, p, 8 * x.view.numel)
    return y, at


cdef TensorBase laid_out_as(TensorBase x, TensorBase y):
    """Copy y in the memory order of x, which has the same shape: PyTorch's sort keeps it."""
    cdef View* t[1]
    t[0] = &x.view
    cdef TensorBase z = empty_for(y.view.ndim, y.view.shape, y.view.dtype, y.device, 1, t)
    copy_into(z, y)
    return z


cdef TensorBase places_along(TensorBase x, int d):
    """0, 1, ... along d in every row, in the memory order of x: what sorts elements that are repeated."""
    cdef int64_t dims[2 * MAX_DIM]
    cdef int64_t i
    cdef View* t[1]
    cdef View v
    cdef TensorBase z, line = empty(1, &x.view.shape[d], I64, x.device)
    for i in range(x.view.shape[d]):
        (<int64_t*>line.view.data)[i] = i
    t[0] = &x.view
    z = empty_for(x.view.ndim, x.view.shape, I64, x.device, 1, t)
    v = z.view
    v.data, v.shape, v.strides, v.contiguous = line.view.data, dims, dims + MAX_DIM, False
    for i in range(x.view.ndim):
        dims[i], dims[MAX_DIM + i] = x.view.shape[i], i == d
    copy_view(&z.view, &v)
    return z


cdef object place_vjp(Node n, object g):
    return select_back(<TensorBase>g[0], n.load(0), n.extra[0], n.extra[1])


# -- sort -------------------------------------------------------------------------------------------------

cdef Op SORT = define("sort", place_vjp)
cdef Op SORT_STABLE = define("sort", place_vjp, 0, 0, "sort", "SortBackward1")


cdef tuple sorted_pair(str name, object input, object dim, object descending, bint stable):
    cdef TensorBase x = as_tensor(input, name)
    cdef int d = axis_of(name, x, dim)
    cdef Op op = SORT_STABLE if stable else SORT
    cdef Param p[2]
    p[0].i, p[1].i = d, bool(descending)
    if x.view.ndim and x.view.strides[d] == 0 and x.view.shape[d] > 1 and x.view.numel and x.device == CPU:
        pair = laid_out_as(x, x), places_along(x, d)         # each element repeated, so in order
    else:
        pair = run(op, x, d, x.view.shape[d] if x.view.ndim else 1, p)
        if not x.view.contiguous:
            pair = laid_out_as(x, <TensorBase>pair[0]), laid_out_as(x, <TensorBase>pair[1])
    record_multi(op, pair, (x,), (pair[1],), (way_back(x, 0, True), d))
    return pair


def sort(input, dim=-1, descending=False, *, stable=False, out=None, axis=None):
    """Return (values, indices) sorted along ``dim``; equal elements keep their order, NaN comes last.

    ``stable`` is accepted for PyTorch's sake: the sort always is.

    >>> import taeda
    >>> taeda.sort(taeda.tensor([3., 1., 2.])).indices
    tensor([1, 2, 0])
    """
    pair = sorted_pair("sort", input, dim if axis is None else axis, descending, stable)
    return types.sort(pair if out is None else write_pair(out, pair[0], pair[1], "sort"))


def argsort(input, dim=-1, descending=False, stable=False, *, axis=None):
    """Return the indices that sort along ``dim``.

    >>> import taeda
    >>> taeda.argsort(taeda.tensor([3., 1., 2.]), descending=True)
    tensor([0, 2, 1])
    """
    return sorted_pair("argsort", input, dim if axis is None else axis, descending, stable)[1]


def msort(input, *, out=None):
    """Return the values sorted along the first dimension.

    >>> import taeda
    >>> taeda.msort(taeda.tensor([[3., 1.], [2., 4.]]))
    tensor([[2., 1.],
            [3., 4.]])
    """
    pair = sorted_pair("msort", input, 0, False, False)
    if out is None:
        return pair[0]
    return write_out(out, pair[0], "msort")


# -- topk, kthvalue ---------------------------------------------------------------------------------------

cdef Op TOPK = define("topk", place_vjp)
cdef Op KTHVALUE = define("kthvalue", place_vjp, 0, 0, "kth")


def topk(input, k, dim=-1, largest=True, sorted=True, *, out=None, axis=None):
    """Return (values, indices) of the k largest (or smallest) elements along ``dim``, in order; of equals PyTorch's.

    Raises:
        RuntimeError: ``k`` is negative or larger than the dimension.

    >>> import taeda
    >>> taeda.topk(taeda.tensor([1., 4., 3.]), 2).values
    tensor([4., 3.])
    """
    cdef TensorBase x = as_tensor(input, "topk")
    cdef int d = axis_of("topk", x, dim if axis is None else axis)
    cdef int64_t count = integer(k, "topk"), size = x.view.shape[d] if x.view.ndim else 1
    cdef Param p[3]
    if count < 0 or count > size:
        raise RuntimeError(f"[topk] selected index k out of range: k={k} for dimension {d} of shape "
                           f"{tuple(x.shape_tuple())}")
    if x.view.dtype == BOOL:
        raise RuntimeError("[topk] does not support bool input; convert with .int()")
    p[0].i, p[1].i, p[2].i = d, bool(largest), bool(sorted)
    pair = run(TOPK, x, d, count, p)
    record_multi(TOPK, pair, (x,), (pair[1],), (way_back(x, 0, True), d))
    return types.topk(pair if out is None else write_pair(out, pair[0], pair[1], "topk"))


cdef tuple chosen(Op op, TensorBase x, int d, int64_t k, bint keepdim):
    """The k-th smallest element (from 0; -1 median, -2 nanmedian) of every row along d."""
    cdef Param p[2]
    cdef TensorBase y, at
    if x.view.ndim and x.view.shape[d] == 0:
        raise IndexError(f"[{op.name}] Expected reduction dim {d} to have non-zero size, got shape "
                         f"{tuple(x.shape_tuple())}")
    p[0].i, p[1].i = d, k
    y, at = run(op, x, d, 1, p)
    if x.view.ndim and not keepdim:
        y, at = own(y.squeeze(d)), own(at.squeeze(d))
    record_multi(op, (y, at), (x,), (at,), (way_back(x, (<unsigned long long>1 << d) if x.view.ndim else 0, keepdim), d))
    return y, at


def kthvalue(input, k, dim=-1, keepdim=False, *, out=None, axis=None):
    """Return (values, indices) of the k-th smallest element along ``dim``, counted from 1.

    >>> import taeda
    >>> taeda.kthvalue(taeda.tensor([3., 1., 2.]), 2).values
    tensor(2.)
    """
    cdef TensorBase x = as_tensor(input, "kthvalue")
    cdef int d = axis_of("kthvalue", x, dim if axis is None else axis)
    cdef int64_t count = integer(k, "kthvalue"), size = x.view.shape[d] if x.view.ndim else 1
    if x.view.numel == 0 and size == 0:
        raise IndexError(f"[kthvalue] Expected reduction dim {d} to have non-zero size, got shape "
                         f"{tuple(x.shape_tuple())}")
    if count < 1 or count > size:
        raise RuntimeError(f"[kthvalue] selected number k out of range for dimension {d}: k={k}, shape "
                           f"{tuple(x.shape_tuple())}")
    if x.view.dtype == BOOL:
        raise NotImplementedError("[kthvalue] not implemented for 'Bool'; convert with .int()")
    pair = chosen(KTHVALUE, x, d, count - 1, keepdim)
    refuse_overlap("kthvalue", out, x)
    return types.kthvalue(pair if out is None else write_pair(out, pair[0], pair[1], "kthvalue"))


cdef Op MODE = define("mode", place_vjp)


def mode(input, dim=-1, keepdim=False, *, out=None, axis=None):
    """Return (values, indices) of the most frequent element along ``dim``: of several the smallest, at its last place.

    >>> import taeda
    >>> taeda.mode(taeda.tensor([2, 1, 2])).values
    tensor(2)
    """
    cdef TensorBase x = as_tensor(input, "mode")
    pair = chosen(MODE, x, axis_of("mode", x, dim if axis is None else axis), 0, keepdim)
    refuse_overlap("mode", out, x)
    return types.mode(pair if out is None else write_pair(out, pair[0], pair[1], "mode"))


# -- median -----------------------------------------------------------------------------------------------


cdef object median_all_vjp(Node n, object g):
    return share_back(g, n.load(0), n.load(1), n.extra, True)

cdef dict LOWEST = {I64: -(1 << 63), I32: -(1 << 31)}        # the median of no integers

cdef Op MEDIAN = define("median", place_vjp, 0, 0, "kth", "MedianBackward1")
cdef Op NANMEDIAN = define("nanmedian", place_vjp, 0, 0, "kth", "NanmedianBackward1")
cdef Op MEDIAN_ALL = define("median", median_all_vjp, 0, 0, "kth", "MedianBackward0")
cdef Op NANMEDIAN_ALL = define("nanmedian", median_all_vjp, 0, 0, "kth", "NanmedianBackward0")


cdef object middle(Op along, Op over_all, object result, int k, object input, object dim, bint keepdim, object out):
    cdef TensorBase x = as_tensor(input, along.name), flat, y
    cdef Param p[2]
    if dim is not None or keepdim:
        axis_of(along.name, x, dim)
    if x.view.dtype == BOOL:
        raise NotImplementedError(f"[{along.name}] not implemented for 'Bool'; convert with .int()")
    if dim is not None:
        pair = chosen(along, x, axis_of(along.name, x, dim), k, keepdim)
        return result(pair if out is None else write_pair(out, pair[0], pair[1], along.name))
    if x.view.numel == 0:
        y = x.new_full((), float("nan") if is_float(x.view.dtype) else LOWEST.get(x.view.dtype, 0))
    else:
        flat = x.detach().reshape(-1)
        p[0].i, p[1].i = 0, k
        y = own(run(over_all, flat, 0, 1, p)[0].reshape(()))
    record(over_all, y, (x,), (x, y), way_back(x, <unsigned long long>-1, False))
    return y if out is None else write_out(out, y, along.name)


def median(input, dim=None, keepdim=False, *, out=None, axis=None):
    """Return the median; with ``dim``, (values, indices).  Of an even number the lower one; NaN if there is a NaN.

    Without ``dim`` a gradient is split evenly among the elements equal to the median.

    >>> import taeda
    >>> taeda.median(taeda.tensor([4., 1., 3., 2.]))
    tensor(2.)
    """
    return middle(MEDIAN, MEDIAN_ALL, types.median, -1, input, dim if axis is None else axis, keepdim, out)


def nanmedian(input, dim=None, keepdim=False, *, out=None, axis=None):
    """Return the median of what is not NaN; see :func:`median`.

    >>> import taeda
    >>> taeda.nanmedian(taeda.tensor([1., float('nan'), 3.]))
    tensor(1.)
    """
    return middle(NANMEDIAN, NANMEDIAN_ALL, types.nanmedian, -2, input, dim if axis is None else axis, keepdim, out)


METHODS = {"argsort": argsort, "kthvalue": kthvalue, "median": median, "mode": mode, "msort": msort, "nanmedian": nanmedian,
           "sort": sort, "topk": topk}
