"""Reductions over segments: runs of elements along a dimension, whose lengths or borders are given."""

from __future__ import annotations

from taeda.autograd.node import named
from taeda.dtype import int32, int64
from taeda.ops.creation import full
from taeda.ops.rearrange import repeat_interleave
from taeda.ops.selection import index_reduce
from taeda.ops.sequences import arange
from taeda.tensor_base import TensorBase

__all__ = ["segment_reduce"]
PUBLIC = ("segment_reduce",)

NAMES = {"sum": "sum", "mean": "mean", "prod": "prod", "max": "max", "amax": "max", "min": "min", "amin": "min"}
INITIAL = {"sum": 0.0, "mean": 0.0, "prod": 1.0, "max": -float("inf"), "min": float("inf")}


def segment_reduce(data, reduce, *, lengths=None, indices=None, offsets=None, axis=0, unsafe=False, initial=None):
    """Reduce each segment of ``data`` along ``axis`` to one element: y[..., s, ...] = reduce(data[..., start_s : end_s, ...]).

    Args:
        data: (..., n, ...) of a floating-point dtype.
        reduce: "sum", "mean", "prod", "max" or "min"; equal extremes share their gradient.
        lengths: (..., segments) int32 or int64: the segments follow each other.  Its dimensions before the last are those of data.
        indices: not supported, as in PyTorch.
        offsets: (..., segments + 1) in place of lengths: where segments start, and where the last one ends.
        axis: the last dimension of lengths.
        unsafe: do not compare lengths with data's size.
        initial: takes part in each reduction, and is what an empty segment gives; otherwise 0, 1, -inf, inf, of a mean nan.

    Raises:
        RuntimeError: another reduce, neither lengths nor offsets, another axis, lengths that are negative or do not sum to the size.
        IndexError: a segment lies outside data.  NotImplementedError: a dtype.

    >>> import taeda
    >>> taeda.segment_reduce(taeda.tensor([1.0, 2.0, 4.0]), "max", lengths=taeda.tensor([2, 0, 1]))
    tensor([2., -inf, 4.])
    """
    for name, value in (("data", data), ("lengths", lengths), ("offsets", offsets), ("indices", indices)):
        if not isinstance(value, TensorBase) and (name == "data" or value is not None):
            raise TypeError(f"[segment_reduce] argument '{name}' must be Tensor, not {type(value).__name__}")
    if reduce not in NAMES:
        raise RuntimeError(f"[segment_reduce] reduce argument must be either sum, prod, mean, amax or amin, got {reduce}")
    if indices is not None:
        raise RuntimeError("[segment_reduce] indices based reduction is not supported; give lengths or offsets")
    given = offsets if lengths is None else lengths
    if given is None:
        raise RuntimeError("[segment_reduce] Either lengths or offsets must be defined")
    if not data.is_floating_point():
        raise NotImplementedError(f"[segment_reduce] not implemented for dtype {data.dtype}; it takes floating-point dtypes")
    if given.dtype not in (int32, int64):
        raise NotImplementedError(f"[segment_reduce] lengths and offsets must be int32 or int64, got {given.dtype}")
    dim = _last_of("lengths" if given is lengths else "offsets", data, given, axis)
    given = given.long()
    if lengths is None:
        lengths = given.diff()
        starts = given.narrow(dim, 0, lengths.shape[dim])
    else:
        starts = given.cumsum(dim) - given
        lengths = given
    if data.is_meta or lengths.is_meta:
        return data.sum(dim, keepdim=True).expand(*lengths.shape, *data.shape[dim + 1 :]).contiguous()
    if not unsafe:
        _check(data, lengths, starts, dim, offsets is None)
    return named(_reduced(data, NAMES[reduce], lengths, starts, dim, initial), "SegmentReduceBackward0")


def _last_of(name, data, given, axis):
    """The axis counted from the front, which must be the last of lengths or offsets."""
    dim = axis + data.ndim if axis < 0 else axis
    if not 0 <= dim < data.ndim:
        raise IndexError(f"[segment_reduce] Dimension out of range (expected to be in range of [{-data.ndim}, {data.ndim - 1}], but got "
                         f"{axis})")
    if dim != given.ndim - 1 or tuple(given.shape[:dim]) != tuple(data.shape[:dim]):
        raise RuntimeError(f"[segment_reduce] Expected axis to be the last dimension of {name}, and those before it to be data's, got axis "
                           f"{axis}, {name} of shape {tuple(given.shape)} and data of shape {tuple(data.shape)}")
    return dim


def _check(data, lengths, starts, dim, cover):
    if (lengths < 0).any():
        raise RuntimeError("[segment_reduce] lengths contains negative value!")
    size = data.shape[dim]
    if cover and (lengths.sum(dim) != size).any():
        raise RuntimeError(f"[segment_reduce] Expected all rows of lengths along axis to sum to data.size({dim}) = {size} when !unsafe")
    if not cover and ((starts < 0) | (starts + lengths > size)).any():
        raise IndexError(f"[segment_reduce] offsets must lie between 0 and data.size({dim}) = {size}")


def _reduced(data, kind, lengths, starts, dim, initial):
    """The reduction of rows that are gathered segment after segment, for all leading dimensions at once."""
    size, inner = data.shape[dim], tuple(data.shape[dim + 1 :])
    rows = data.reshape(-1, *inner) if size and data.numel() else data.reshape(data.shape[:dim].numel() * size, *inner)
    starts = starts + size * arange(max(lengths.shape[:dim].numel(), 1)).reshape(*lengths.shape[:dim], 1)
    flat, first = lengths.reshape(-1), starts.reshape(-1)
    which = repeat_interleave(flat)
    at = arange(which.numel()) + repeat_interleave(first - (flat.cumsum(0) - flat), flat)
    picked = rows.index_select(0, at)
    begin = full((flat.numel(), *inner), INITIAL[kind] if initial is None else initial, dtype=data.dtype)
    if kind in ("sum", "mean"):
        y = begin.index_add(0, which, picked)
        if kind == "mean":
            column = flat.reshape(-1, *[1] * len(inner))
            y = y / column.clamp(min=1).to(data.dtype)
            y = y.masked_fill(column == 0, float("nan")) if initial is None else y
    elif kind == "prod":
        y = index_reduce(begin, 0, which, picked, "prod")
    else:
        y = index_reduce(begin, 0, which, picked, "a" + kind, include_self=False)
        if initial is not None:
            y = y.masked_fill(y < initial if kind == "max" else y > initial, initial)
    return y.reshape(*lengths.shape, *inner)
