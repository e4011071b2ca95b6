# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Reductions of the runs of a tensor's elements, whose lengths differ: ``segment_reduce``.

Lengths or offsets become bounds, which are checked as they are read.  The gradient is an op of its own, linear in g: its derivative by g is
a reduction again, that of products by the data is composed of both.
"""
from libc.stdint cimport int32_t, int64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport Op, as_tensor, check_same_device, contiguous, define, empty_shape, joint, launch, record
from taeda.dtype cimport torch_name
from taeda.kernels.cpu.abi cimport BF16, F16, F32, F64, I32, I64, Param, View
from taeda.ops.arguments cimport view_of
from taeda.tensor_base cimport CPU, TensorBase

import math

from taeda.operands import need_tensor
from taeda.ops.masking import where

__all__ = ["segment_reduce"]
PUBLIC = ("segment_reduce",)
METHODS = {}

cdef enum:
    SUM, MEAN, PROD, MAX, MIN

cdef dict KNOWN = {"sum": SUM, "mean": MEAN, "prod": PROD, "max": MAX, "min": MIN, "amax": MAX, "amin": MIN}
cdef tuple NEUTRAL = (0.0, 0.0, 1.0, -math.inf, math.inf)


cdef TensorBase bounds_of(TensorBase data, TensorBase given, bint lengths, bint unsafe):
    """Where each run begins and the last one ends, (B.., S + 1) int64, within data; checked unless ``unsafe``."""
    cdef int d = given.view.ndim - 1
    cdef int64_t size = data.view.shape[d], count = given.view.shape[d], runs = count - (not lengths), o, k, v, at
    cdef TensorBase bounds = empty_shape(given.shape_tuple()[:d] + (runs + 1,), I64, data.device)
    cdef const int32_t* narrow
    cdef const int64_t* wide
    cdef int64_t* to = <int64_t*>bounds.view.data
    cdef bint short, misfit = False
    if data.device != CPU:
        return bounds
    given = contiguous(given)
    narrow, wide, short = <const int32_t*>given.view.data, <const int64_t*>given.view.data, given.view.dtype == I32
    for o in range(bounds.view.numel // (runs + 1)):
        at = 0
        if lengths:
            to[0] = 0
        for k in range(count):
            v = narrow[o * count + k] if short else wide[o * count + k]
            if lengths:
                if v < 0 and not unsafe:
                    raise RuntimeError("[segment_reduce] lengths contains negative value!")
                misfit |= v > size - at
                v = size if v > size - at else at + v
            elif not unsafe and (v < at or v > size):
                raise RuntimeError(f"[segment_reduce] offsets must not decrease, and lie between 0 and {size}")
            at = max(at, min(v, size))
            to[k + lengths] = at
        if lengths and not unsafe and (misfit or at != size):
            raise RuntimeError(f"[segment_reduce] Expected all rows of lengths along axis to sum to data.size({d}), which is {size}, "
                               "when !unsafe.")
        to += runs + 1
    return bounds


cdef int fill(Param* p, TensorBase x, TensorBase bounds, int how, object initial) except -1:
    """The kernels' parameters."""
    cdef int d = bounds.view.ndim - 1, i
    p[0].i, p[1].i, p[2].i, p[3].i, p[4].i = 1, bounds.view.shape[d] - 1, x.view.shape[d], 1, how
    for i in range(x.view.ndim):
        if i < d:
            p[0].i *= x.view.shape[i]
        elif i > d:
            p[3].i *= x.view.shape[i]
    p[5].f = NEUTRAL[how] if initial is None else initial
    p[6].f = math.nan if initial is None else initial
    return 0


cdef object reduced(TensorBase x, TensorBase bounds, int how, object initial):
    """The reductions of x's runs, (B.., S, ...); x is contiguous."""
    cdef int d = bounds.view.ndim - 1
    cdef tuple shape = x.shape_tuple()
    cdef TensorBase y = empty_shape(shape[:d] + (bounds.view.shape[d] - 1,) + shape[d + 1:], x.view.dtype, x.device)
    cdef Param p[7]
    cdef View* t[3]
    fill(p, x, bounds, how, initial)
    t[0], t[1], t[2] = &y.view, &x.view, &bounds.view
    if y.view.numel:
        launch(SEGMENT_REDUCE, x.view.dtype, x.device, 1, 3, t, p, x.view.numel)
    record(SEGMENT_REDUCE, y, (x,), (x, y if how >= PROD else None, bounds), (how, initial))
    return y


cdef object spread(object cotangent, TensorBase x, TensorBase y, TensorBase bounds, int how, object initial):
    """The gradient for x of its runs' reductions y, given theirs."""
    cdef TensorBase g = contiguous(<TensorBase>cotangent), gx = empty_shape(x.shape_tuple(), x.view.dtype, x.device)
    cdef Param p[7]
    cdef View* t[5]
    fill(p, x, bounds, how, initial)
    t[0], t[1], t[4] = &gx.view, &g.view, &bounds.view
    t[2], t[3] = view_of(x) if how >= PROD else NULL, view_of(y) if how >= PROD else NULL
    if gx.view.numel:
        launch(SEGMENT_REDUCE_GRADIENT, x.view.dtype, x.device, 1, 5, t, p, x.view.numel)
    record(SEGMENT_REDUCE_GRADIENT, gx, (g, x if how == PROD else None), (g, x, y, bounds), (how, initial))
    return gx


cdef object segment_reduce_vjp(Node n, object g):
    return spread(g, n.raw(0), n.raw(1), n.raw(2), n.extra[0], n.extra[1])

cdef Op SEGMENT_REDUCE = joint(define("segment_reduce", segment_reduce_vjp))


cdef object second_of_products(object c, object g, object x, TensorBase bounds, object initial):
    """By x_k, of the sum over j of c_j g times the product of all x_i but x_j: that of g c_j times all but x_j and x_k.

    Zeros stand apart, and ``rest`` has ones in their places: the product of all but two is none, that of the rest (R) over whatever is
    not among the two, as long as the two take all zeros away.  S sums c_j over the rest's x_j, Z sums c_j of zeros.
    """
    zero = x == 0
    ones, rest = zero.to(x.dtype), x.masked_fill(zero, 1)
    over = c / rest * (1 - ones)
    R = reduced(rest, bounds, PROD, initial)
    N, S, Z = [spread(reduced(v, bounds, SUM, None), x, None, bounds, SUM, None) for v in (ones, over, c * ones)]
    product = spread(g * R, x, None, bounds, SUM, None)
    at_zero = where(N == 1, S, where(N == 2, Z - c, 0))
    at_rest = where(N == 0, S - over, where(N == 1, Z, 0)) / rest
    return product * where(zero, at_zero, at_rest)


cdef object segment_reduce_gradient_vjp(Node n, object c):
    how, initial = n.extra
    g, x, y, bounds = n.raw(0), n.raw(1), n.raw(2), n.raw(3)
    gg = gx = None
    if n.needs(0):
        if how <= MEAN:
            gg = reduced(contiguous(c), bounds, how, 0.0)
        else:
            gg = reduced(contiguous(c * spread((<object>g).new_ones(g.shape_tuple()), x, y, bounds, how, initial)), bounds, SUM, None)
    if n.needs(1):
        gx = second_of_products(c, g, x, bounds, initial)
    return gg, gx

cdef Op SEGMENT_REDUCE_GRADIENT = define("segment_reduce_gradient", segment_reduce_gradient_vjp, 0, 0, None,
                                         "SegmentReduceBackwardBackward0")


def segment_reduce(data, reduce, *, lengths=None, indices=None, offsets=None, axis=0, unsafe=False, initial=None):
    """Reduce the runs of elements along ``axis``, one after another: y[.., s, ..] = reduce of data[.., a_s to a_(s+1) - 1, ..].

    Args:
        data: floating point tensor (B.., n, ...).
        reduce: "sum", "mean", "prod", "max" or "min".
        lengths: integers (B.., S), how long the runs are; together n, unless ``unsafe``.
        offsets: integers (B.., S + 1) in its place, where they begin, and where the last one ends.
        axis: the last dimension of ``lengths``.
        initial: what each reduction starts with; without it a run of no elements gives 0, nan, 1, -inf or inf.

    Raises:
        RuntimeError: an unknown reduction, or lengths that do not fit.  NotImplementedError: a dtype that is not floating point.

    >>> import taeda
    >>> taeda.segment_reduce(taeda.tensor([1.0, 2.0, 4.0]), "sum", lengths=taeda.tensor([2, 0, 1]))
    tensor([3., 0., 4.])
    """
    cdef str name = "lengths" if lengths is not None else "offsets"
    cdef TensorBase x, given
    cdef int d
    need_tensor("segment_reduce", "data", data)
    if reduce not in KNOWN:
        raise RuntimeError(f"[segment_reduce] reduce argument must be either sum, prod, mean, max or min, got {reduce}")
    if indices is not None:
        raise RuntimeError("[segment_reduce] indices based reduction is not supported; give lengths or offsets")
    x = as_tensor(data, "segment_reduce")
    if x.view.dtype not in (F16, BF16, F32, F64):
        raise NotImplementedError(f"[segment_reduce] not implemented for '{torch_name(x.view.dtype)}'; it takes floating point tensors")
    if lengths is None and offsets is None:
        raise RuntimeError("[segment_reduce] Either lengths or offsets must be defined.")
    need_tensor("segment_reduce", name, lengths if offsets is None else offsets)
    given = as_tensor(offsets if lengths is None else lengths, "segment_reduce")
    if given.view.dtype != I32 and given.view.dtype != I64:
        raise NotImplementedError(f"[segment_reduce] {name} must be int32 or int64, got {torch_name(given.view.dtype)}")
    check_same_device("segment_reduce", (x, given))
    d = given.view.ndim - 1
    if d < 0 or x.view.ndim < given.view.ndim:
        raise RuntimeError(f"[segment_reduce] expected data to have at least as many dimensions as {name}, and these one, got shapes "
                           f"{x.shape_tuple()} and {given.shape_tuple()}")
    if axis + given.view.ndim * (axis < 0) != d:
        raise RuntimeError(f"[segment_reduce] Expected axis to be the last dimension of {name} but got {axis}.")
    if given.shape_tuple()[:d] != x.shape_tuple()[:d]:
        raise RuntimeError(f"[segment_reduce] the first dimensions of data {x.shape_tuple()} and {name} {given.shape_tuple()} must agree")
    if lengths is None and given.view.shape[d] == 0:
        raise RuntimeError("[segment_reduce] offsets must hold at least the end of the last segment, got none")
    return reduced(contiguous(x), bounds_of(x, given, lengths is not None, bool(unsafe)), KNOWN[reduce],
                   None if initial is None else float(initial))
