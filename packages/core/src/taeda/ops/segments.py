"""Reductions of the runs of a tensor's elements, whose lengths differ: ``segment_reduce``.

Each element's run is found by a search among the runs' ends, and the reduction is scatter's; so are its derivatives.
"""

from __future__ import annotations

import math
from typing import Any

from taeda.autograd.node import named
from taeda.dtype import float16, bfloat16, float32, float64, int32, int64
from taeda.ops.compat import need_tensor
from taeda.ops.creation import full, zeros
from taeda.ops.gather import scatter_reduce
from taeda.ops.join import cat
from taeda.ops.masking import where
from taeda.ops.searching import searchsorted
from taeda.ops.sequences import arange

__all__ = ["segment_reduce"]
PUBLIC = ("segment_reduce",)

# reduction -> scatter's name for it, and what a run without elements gives
_KNOWN = {"sum": ("sum", 0.0), "mean": ("sum", math.nan), "prod": ("prod", 1.0), "max": ("amax", -math.inf), "min": ("amin", math.inf)}
_KNOWN.update(amax=_KNOWN["max"], amin=_KNOWN["min"])


def _bounds(data: Any, lengths: Any, offsets: Any, axis: int, unsafe: bool) -> tuple[Any, Any, Any]:
    """Where the first run begins (None: at 0), where each ends, and how long each is (None: not known yet), along the last dimension."""
    given, name = (lengths, "lengths") if lengths is not None else (offsets, "offsets")
    if given is None:
        raise RuntimeError("[segment_reduce] Either lengths or offsets must be defined.")
    need_tensor("segment_reduce", name, given)
    if given.dtype not in (int32, int64):
        raise NotImplementedError(f"[segment_reduce] {name} must be int32 or int64, got {given.dtype}")
    if given.ndim == 0 or data.ndim < given.ndim:
        raise RuntimeError(f"[segment_reduce] expected data to have at least as many dimensions as {name}, and these one, got shapes "
                           f"{tuple(data.shape)} and {tuple(given.shape)}")
    wanted = axis + given.ndim if axis < 0 else axis
    if wanted != given.ndim - 1:
        raise RuntimeError(f"[segment_reduce] Expected axis to be the last dimension of {name} but got {axis}.")
    if given.shape[:-1] != data.shape[: given.ndim - 1]:
        raise RuntimeError(f"[segment_reduce] the first dimensions of data {tuple(data.shape)} and {name} {tuple(given.shape)} must agree")
    size = data.shape[wanted]
    if lengths is None:
        if given.shape[-1] == 0:
            raise RuntimeError("[segment_reduce] offsets must hold at least the end of the last segment, got none")
        bounds = given.to(int64)
        if not unsafe and bounds.numel() and not bounds.is_meta:
            if bool((bounds.diff() < 0).any()) or not 0 <= int(bounds.min()) <= int(bounds.max()) <= size:
                raise RuntimeError(f"[segment_reduce] offsets must not decrease, and lie between 0 and {size}")
        return bounds[..., :1], bounds[..., 1:].contiguous(), None
    counts = given.to(int64)
    if not unsafe and not counts.is_meta:
        if counts.numel() and int(counts.min()) < 0:
            raise RuntimeError("[segment_reduce] lengths contains negative value!")
        if bool((counts.sum(-1) != size).any()):
            raise RuntimeError(f"[segment_reduce] Expected all rows of lengths along axis to sum to data.size({wanted}), which is {size}, "
                               "when !unsafe.")
    return None, counts.cumsum(-1), counts


def _with_nan(y: Any, d: int, place: Any, data: Any, how: str, empty: float) -> Any:
    """The largest or smallest of each run; that of a run with nan is nan, and its nan share the gradient, as equal values do."""
    unknown = data != data
    clean = scatter_reduce(y, d, place, where(unknown, empty, data), how, include_self=False)
    zero = zeros(y.shape, dtype=data.dtype, device=data.device)
    many = zero.scatter_add(d, place, unknown.to(data.dtype))
    return where(many > 0, scatter_reduce(zero, d, place, where(unknown, data, 0.0), "sum") / many.clamp(1), clean)


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
    need_tensor("segment_reduce", "data", data)
    if reduce not in _KNOWN:
        raise RuntimeError(f"[segment_reduce] reduce argument must be either sum, prod, mean, max or min, got {reduce}")
    if indices is not None:
        raise RuntimeError("[segment_reduce] indices based reduction is not supported; give lengths or offsets")
    if data.dtype not in (float16, bfloat16, float32, float64):
        raise NotImplementedError(f"[segment_reduce] not implemented for dtype {data.dtype}; it takes floating point tensors")
    begin, ends, counts = _bounds(data, lengths, offsets, axis, unsafe)
    d, runs = ends.ndim - 1, ends.shape[-1]
    lead, rest, n = data.shape[:d], data.shape[d + 1 :], data.shape[d]

    # each element's run; what lies before the first or after the last goes to one more, which is cut off
    at = arange(n, device=data.device)
    run = searchsorted(ends, at if d == 0 else at.expand(*lead, n).contiguous(), right=True)
    if begin is not None:
        run = run.masked_fill(at < begin, runs)
    place = run.reshape(*lead, n, *(1,) * len(rest)).expand(data.shape)
    how, empty = _KNOWN[reduce]
    more = counts is None or unsafe                # else the runs have all elements
    y = full((*lead, runs + more, *rest), 0.0 if reduce == "mean" else empty, dtype=data.dtype, device=data.device)
    if how in ("amax", "amin") and data.requires_grad and not y.is_meta and bool((data != data).any()):
        y = _with_nan(y, d, place, data, how, empty)
    else:
        y = scatter_reduce(y, d, place, data, how, include_self=False)
    if more:
        y = y.narrow(d, 0, runs)
    if initial is not None:
        if how == "sum":
            y = y + initial
        elif how == "prod":
            y = y * initial
        else:
            y = where((y < initial) if how == "amax" else (y > initial), initial, y)
    if reduce == "mean":
        sizes = (cat([begin, ends], -1).diff() if counts is None else counts).reshape(*lead, runs, *(1,) * len(rest))
        mean = y / sizes
        y = mean if initial is None else where(sizes == 0, initial, mean)
    return named(y.contiguous(), "SegmentReduceBackward0")
