"""The standard's functions that reduce and accumulate.

Sums and products of small integers are of 64 bits, of unsigned ones unsigned; ``axis`` may be a tuple everywhere.
"""

from __future__ import annotations

from typing import Any

import taeda
from taeda import Tensor
from taeda.array_api._promotion import UNSIGNED, need_array, rank_of


def _total_dtype(x: Tensor, dtype: Any) -> Any:
    """The dtype of sums and products."""
    if dtype is not None:
        return dtype
    return x.dtype if rank_of(x.dtype) > 1 else taeda.uint64 if x.dtype.name in UNSIGNED else taeda.int64


def _axes(x: Tensor, axis: Any) -> tuple[int, ...]:
    """The axes to reduce, all by default, as numbers from 0."""
    if axis is None:
        return tuple(range(x.ndim))
    axes = axis if isinstance(axis, tuple) else (axis,)
    for d in axes:
        if not -x.ndim <= d < x.ndim:
            raise IndexError(f"[array_api] axis {d} is out of range for an array of {x.ndim} dimensions")
    return tuple(d % x.ndim for d in axes)


def _by_axis(f: Any, x: Tensor, axes: tuple[int, ...], keepdims: bool) -> Tensor:
    """Reduce one axis after the other."""
    for d in axes:
        x = f(x, d)
    return x if keepdims or not axes else taeda.squeeze(x, axes)


def sum(x: Any, /, *, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Tensor:
    """Return the sum over some axes, all by default.

    >>> from taeda import array_api as xp
    >>> xp.sum(xp.asarray([200, 100], dtype=xp.uint8))
    tensor(300, dtype=taeda.uint64)
    """
    axes, dtype = _axes(need_array("sum", x), axis), _total_dtype(x, dtype)
    return taeda.sum(x, axes, keepdim=keepdims, dtype=dtype) if axes else x.to(dtype, copy=True)


def prod(x: Any, /, *, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Tensor:
    """Return the product over some axes, all by default."""
    axes, dtype = _axes(need_array("prod", x), axis), _total_dtype(x, dtype)
    return _by_axis(lambda y, d: taeda.prod(y, d, keepdim=True, dtype=dtype), x.to(dtype), axes, keepdims)


def mean(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return the mean over some axes, all by default."""
    axes = _axes(need_array("mean", x), axis)
    return taeda.mean(x, axes, keepdim=keepdims) if axes else x.clone()


def var(x: Any, /, *, axis: Any = None, correction: float = 0.0, keepdims: bool = False) -> Tensor:
    """Return the variance over some axes, all by default: squared deviations by count - correction."""
    return _spread(taeda.var, "var", x, axis, correction, keepdims)


def std(x: Any, /, *, axis: Any = None, correction: float = 0.0, keepdims: bool = False) -> Tensor:
    """Return the standard deviation over some axes, all by default: the root of :func:`var`."""
    return _spread(taeda.std, "std", x, axis, correction, keepdims)


def _spread(f: Any, op: str, x: Any, axis: Any, correction: float, keepdims: bool) -> Tensor:
    axes = _axes(need_array(op, x), axis)
    if not axes:                                  # PyTorch takes no axes for all of them
        return f(x.unsqueeze(-1), -1, correction=correction)
    return f(x, axes, correction=correction, keepdim=keepdims)


def max(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return the largest element over some axes, all by default."""
    axes = _axes(need_array("max", x), axis)
    return taeda.amax(x, axes, keepdims) if axes else x.clone()


def min(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return the smallest element over some axes, all by default."""
    axes = _axes(need_array("min", x), axis)
    return taeda.amin(x, axes, keepdims) if axes else x.clone()


def all(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Whether all elements along some axes, all by default, are true."""
    axes = _axes(need_array("all", x), axis)
    return _by_axis(lambda y, d: taeda.all(y, d, keepdim=True), x.to(taeda.bool), axes, keepdims)


def any(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Whether an element along some axes, all by default, is true."""
    axes = _axes(need_array("any", x), axis)
    return _by_axis(lambda y, d: taeda.any(y, d, keepdim=True), x.to(taeda.bool), axes, keepdims)


def count_nonzero(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return how many elements along some axes, all by default, are not zero."""
    return sum(need_array("count_nonzero", x) != 0, axis=axis, keepdims=keepdims)


def _running(f: Any, first: int, op: str, x: Any, axis: int | None, dtype: Any, include_initial: bool) -> Tensor:
    if need_array(op, x).ndim == 0 or (axis is None and x.ndim != 1):
        raise ValueError(f"[{op}] axis is required for an array of {x.ndim} dimensions, and one dimension at least")
    d = 0 if axis is None else axis
    wide = x.to(_total_dtype(x, dtype))
    y = f(wide, d, dtype=wide.dtype)
    if include_initial:
        shape = list(x.shape)
        shape[d] = 1
        y = taeda.cat([taeda.full(shape, first, dtype=y.dtype, device=y.device), y], d)
    return y


def cumulative_sum(x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False) -> Tensor:
    """Return the running sums along an axis, which arrays of several must name; with 0 in front if ``include_initial``."""
    return _running(taeda.cumsum, 0, "cumulative_sum", x, axis, dtype, include_initial)


def cumulative_prod(x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False) -> Tensor:
    """Return the running products along an axis, which arrays of several must name; with 1 in front if ``include_initial``."""
    return _running(taeda.cumprod, 1, "cumulative_prod", x, axis, dtype, include_initial)


def diff(x: Any, /, *, axis: int = -1, n: int = 1, prepend: Any = None, append: Any = None) -> Tensor:
    """Return the differences of neighbours along an axis, n times over; ``prepend`` and ``append`` are joined to x first."""
    return taeda.diff(need_array("diff", x), n, axis, prepend, append)
