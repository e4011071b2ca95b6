# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Variance and standard deviation: s^2 = sum_i (x_i - mean)^2 / max(0, n - correction).

The kernel takes two exact passes inside a block and joins blocks by Chan, Golub and LeVeque's formula
(1979), so it neither cancels nor reads memory twice.
"""
from libc.stdint cimport uint64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport Op, as_tensor, define, record, record_multi, write_out
from taeda.dtype cimport is_complex_, is_float
from taeda.kernels.cpu.abi cimport Param
from taeda.ops.reduction cimport (expand_back, extent, launch_reduction, listed, pick, read_dims, reduce_one, reduced_empty,
                                  restore, way_back, write_pair)
from taeda.tensor_base cimport CPU, TensorBase

import warnings

from taeda.autograd.node import named

__all__ = ["std", "std_mean", "var", "var_mean"]
PUBLIC = ("std", "std_mean", "var", "var_mean")


cdef object spread(object g, object x, tuple back, double free):
    """d var: 2 g (x - mean) / (n - correction)"""
    scale = 2 / free if free > 0 else float("inf")
    return restore(g * scale, back) * (x - x.mean(listed(back), True))

cdef object through_root(object g, object y):
    """d std -> d var: g / (2 std), 0 where std is 0"""
    zero = y == 0
    return (g / (y.masked_fill(zero, 1) * 2)).masked_fill(zero, 0)

cdef object var_vjp(Node n, object g):
    return spread(g, n.load(0), n.extra[0], n.extra[1])

cdef object std_vjp(Node n, object g):
    return spread(through_root(g, n.load(1)), n.load(0), n.extra[0], n.extra[1])

cdef object both_vjp(Node n, object g, bint root):
    cdef object x = n.load(0), total = None, gv = g[0], gm = g[1]
    cdef tuple back = n.extra[0]
    if gv is not None:
        if root:
            gv = through_root(gv, std(x, listed(back), correction=n.extra[2], keepdim=back[2]))
        total = spread(gv, x, back, n.extra[1])
    if gm is not None:
        gm = expand_back(gm / extent(<TensorBase>x, back[1]), back)
        total = gm if total is None else total + gm
    return total

cdef object var_mean_vjp(Node n, object g):
    return both_vjp(n, g, False)

cdef object std_mean_vjp(Node n, object g):
    return both_vjp(n, g, True)

cdef Op VAR = define("var", var_vjp)
cdef Op STD = define("std", std_vjp, 0, 0, "var")
cdef Op VAR_MEAN = define("var_mean", var_mean_vjp)
cdef Op STD_MEAN = define("std_mean", std_mean_vjp, 0, 0, "var_mean")


cdef object moments(Op op, bint root, bint both, object input, object dim, object unbiased, object keepdim,
                    object correction, object out):
    """The variance, or with ``root`` its square root, and with ``both`` the mean beside it."""
    cdef TensorBase x = as_tensor(input, op.name), y, m
    cdef Param p[2]
    cdef uint64_t dims
    cdef tuple back
    if isinstance(dim, bool):                         # var(x, True)
        if unbiased is not None:
            raise TypeError(f"[{op.name}] dim must be int or a tuple of ints, not bool")
        dim, unbiased = None, dim
    if unbiased is not None and correction is not None:
        raise TypeError(f"[{op.name}] got both unbiased and correction; they mean the same, give one")
    if correction is None:
        correction = 1 if unbiased is None or unbiased else 0
    if is_complex_(x.view.dtype):                     # E|x - mean|^2 is the parts' variances together
        spread = moments(VAR, False, False, (<object>x).real, dim, None, keepdim, correction, None) + (
            moments(VAR, False, False, (<object>x).imag, dim, None, keepdim, correction, None))
        y = <TensorBase>named(spread.sqrt() if root else spread, "StdBackward0" if root else "VarBackward0")
        if not both:
            return y if out is None else write_out(out, y, op.name)
        m = <TensorBase>(<object>x).mean(dim, keepdim)
        return (y, m) if out is None else write_pair(out, y, m, op.name)
    if not is_float(x.view.dtype):
        raise RuntimeError(f"[{op.name}] std and var only support floating point and complex dtypes, got "
                           f"{input.dtype}; convert with .float()")
    dims = read_dims(op.name, dim, x.view.ndim)
    p[0].f = correction
    p[1].i = root
    count = extent(x, dims)
    if count <= correction and x.device == CPU:
        warnings.warn(f"{op.name}(): degrees of freedom is <= 0. Correction should be strictly less than the reduction "
                      "factor (input numel divided by output numel).", UserWarning, stacklevel=1)
    back = way_back(x, dims, keepdim)
    if not both:
        y = reduce_one(op, x, dims, keepdim, x.view.dtype, p)
        record(op, y, (x,), (x, y) if root else (x,), (back, count - correction))
        return y if out is None else write_out(out, y, op.name)
    y = reduced_empty(x, dims, keepdim, x.view.dtype)
    m = reduced_empty(x, dims, keepdim, x.view.dtype)
    launch_reduction(op, x, dims, y, m, p)
    record_multi(op, (y, m), (x,), (x,), (back, count - correction, correction))
    return (y, m) if out is None else write_pair(out, y, m, op.name)


def var(input, dim=None, unbiased=None, keepdim=False, *, correction=None, out=None, axis=None, keepdims=None):
    """Return the variance over all dimensions or those in ``dim``.

    y = sum_i (x_i - mean)^2 / max(0, n - correction); ``correction`` is 1 (Bessel's) unless given,
    ``unbiased=False`` means 0.  NaN where n = correction.

    Raises:
        RuntimeError: ``input`` is not floating point.

    >>> import taeda
    >>> taeda.var(taeda.tensor([1., 2., 3., 4.]), correction=0)
    tensor(1.2500)
    """
    return moments(VAR, False, False, input, pick("var", dim, axis, "dim", "axis"), unbiased,
                   pick("var", keepdim, keepdims, "keepdim", "keepdims"), correction, out)


def std(input, dim=None, unbiased=None, keepdim=False, *, correction=None, out=None, axis=None, keepdims=None):
    """Return the standard deviation, the square root of :func:`var`; its gradient at 0 is taken as 0.

    >>> import taeda
    >>> taeda.std(taeda.tensor([1., 3.]), correction=0)
    tensor(1.)
    """
    return moments(STD, True, False, input, pick("std", dim, axis, "dim", "axis"), unbiased,
                   pick("std", keepdim, keepdims, "keepdim", "keepdims"), correction, out)


def var_mean(input, dim=None, unbiased=None, keepdim=False, *, correction=None, out=None, axis=None, keepdims=None):
    """Return (variance, mean) from one pass.

    >>> import taeda
    >>> taeda.var_mean(taeda.tensor([1., 3.]))
    (tensor(2.), tensor(2.))
    """
    return moments(VAR_MEAN, False, True, input, pick("var_mean", dim, axis, "dim", "axis"), unbiased,
                   pick("var_mean", keepdim, keepdims, "keepdim", "keepdims"), correction, out)


def std_mean(input, dim=None, unbiased=None, keepdim=False, *, correction=None, out=None, axis=None, keepdims=None):
    """Return (standard deviation, mean) from one pass.

    >>> import taeda
    >>> taeda.std_mean(taeda.tensor([1., 3.]), correction=0)
    (tensor(1.), tensor(2.))
    """
    return moments(STD_MEAN, True, True, input, pick("std_mean", dim, axis, "dim", "axis"), unbiased,
                   pick("std_mean", keepdim, keepdims, "keepdim", "keepdims"), correction, out)


METHODS = {"std": std, "var": var}
