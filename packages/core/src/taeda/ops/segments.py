"""Reductions of runs of neighbours, each as long as it is told."""

from __future__ import annotations

from typing import Any

from taeda.autograd.node import named
from taeda.dtype import NAMES
from taeda.ops.creation import full
from taeda.ops.sequences import arange
from taeda.tensor_base import TensorBase

__all__ = ["segment_reduce"]
PUBLIC = ("segment_reduce",)

_INTEGERS = (NAMES["int32"], NAMES["int64"])
_STARTS = {"sum": 0.0, "mean": 0.0, "prod": 1.0, "max": float("-inf"), "min": float("inf")}


def segment_reduce(
    data: Any, reduce: str, *, lengths: Any = None, indices: Any = None, offsets: Any = None, axis: int = 0, unsafe: bool = False,
    initial: Any = None,
) -> Any:
    """Reduce runs of neighbours along a dimension: y_s = reduce(x_a, ..., x_b) for the s-th run from a to b.

    Args:
        data: floating point, (..., N, ...) with N at ``axis``.
        reduce: "sum", "mean", "max", "min" or "prod". An empty run gives 0, nan, -inf, inf and 1.
        lengths: int32 or int64, (..., S): how long each run is; the leading dimensions are those of data before axis.
        offsets: in place of lengths, (..., S + 1): where each run starts, and where the last one ends.
        axis: the dimension that is reduced, counted from 0; the result has S there.
        unsafe: let the runs be shorter than data, all together.
        initial: one more value for every run ("mean" does not count it).

    Raises:
        RuntimeError: neither lengths nor offsets are given, they do not fit data, or ``reduce`` is unknown.
        NotImplementedError: data is not floating point, or the lengths are no integers.

    >>> import taeda
    >>> taeda.segment_reduce(taeda.arange(5.0), "max", lengths=taeda.tensor([2, 3]))
    tensor([1., 4.])
    """
    runs = offsets if lengths is None else lengths
    if not isinstance(data, TensorBase):
        raise TypeError(f"[segment_reduce] argument 'data' must be Tensor, not {type(data).__name__}")
    if reduce not in _STARTS:
        raise RuntimeError(f"[segment_reduce] unsupported reduction {reduce!r}; it is one of {', '.join(_STARTS)}")
    if indices is not None or runs is None:
        raise RuntimeError("[segment_reduce] takes lengths or offsets" + (", not indices" if indices is not None else ", got neither"))
    if data.dim() <= axis or runs.dim() - 1 != axis or data.shape[:axis] != runs.shape[:axis]:
        raise RuntimeError(f"[segment_reduce] expected runs of shape (*data.shape[:axis], S), got {tuple(runs.shape)} for data of shape "
                           f"{tuple(data.shape)} and axis {axis}")
    if not data.is_floating_point():
        raise NotImplementedError(f"[segment_reduce] not implemented for dtype {data.dtype}; convert data with .float()")
    if runs.dtype not in _INTEGERS:
        raise NotImplementedError(f"[segment_reduce] lengths and offsets are int32 or int64, got {runs.dtype}")
    runs, size = runs.long().reshape(-1, runs.shape[-1]), data.shape[axis]
    counts = runs.diff(dim=1) if lengths is None else runs
    shape = (*data.shape[:axis], counts.shape[1], *data.shape[axis + 1:])
    if data.is_meta:
        return data.new_empty(shape)
    if not unsafe and (bool((counts < 0).any()) or (lengths is not None and bool((counts.sum(1) != size).any()))):
        raise RuntimeError(f"[segment_reduce] lengths must not be negative and must sum to data.shape[axis] = {size}, got "
                           f"{counts.tolist()}")
    starts = runs[:, :-1] if lengths is None else counts.cumsum(1) - counts
    starts = (starts + arange(len(runs)).unsqueeze(1) * size).flatten()
    counts, rows = counts.flatten(), data.flatten(0, axis)
    segment = counts.repeat_interleave()
    if len(segment) != len(rows) or lengths is None:
        rows = rows.index_select(0, arange(len(segment)) + (starts - counts.cumsum(0) + counts)[segment])
    inner = (-1, *(1,) * (rows.dim() - 1))
    start = full((len(counts), *rows.shape[1:]), _STARTS[reduce] if initial is None else initial, dtype=data.dtype)
    if reduce in ("sum", "mean"):
        made = start.index_add(0, segment, rows)
        if reduce == "mean":
            made = made / (counts if initial is None else counts.clamp(1)).reshape(inner).to(data.dtype)
    else:
        made = start.scatter_reduce(0, segment.reshape(inner).expand_as(rows), rows, {"max": "amax", "min": "amin"}.get(reduce, reduce))
    made = made.reshape(shape)
    return named(made, "SegmentReduceBackward0") if made.requires_grad else made
