"""Histograms over one dimension and over several, with given or equal bins."""

from __future__ import annotations

import math

from taeda.dispatch import write_exact
from taeda.dtype import float32, float64, type_name
from taeda.operands import need_tensor
from taeda.ops import return_types as types
from taeda.ops.searching import bin_sums, searchsorted
from taeda.ops.sequences import linspace
from taeda.tensor_base import TensorBase

__all__ = ["histogram", "histogramdd"]
PUBLIC = ("histogram", "histogramdd")


def _check(op, x, edges_or_counts, weight, bounded):
    # the range of narrow floats is not looked for, as in PyTorch
    if not x.is_floating_point() or (not bounded and x.dtype not in (float32, float64)):
        raise NotImplementedError(f"[{op}] not implemented for '{type_name(x.dtype)}'; convert it with .float()")
    for d, b in enumerate(edges_or_counts):
        if not isinstance(b, TensorBase):
            if b <= 0:
                raise RuntimeError(f"[{op}] bins must be > 0, but got {b} for dimension {d}")
            continue
        if b.dtype is not x.dtype:
            raise RuntimeError(f"[{op}] input tensor and bins tensors should have the same dtype, but got input with dtype "
                               f"{x.dtype} and bins for dimension {d} with dtype {b.dtype}")
        if b.ndim != 1:
            raise RuntimeError(f"[{op}] bins tensor should have one dimension, but got {b.ndim} dimensions in the bins tensor "
                               f"for dimension {d}")
        if b.shape[0] < 2:
            raise RuntimeError(f"[{op}] bins must be > 0, but got {b.shape[0] - 1} for dimension {d}")
    if weight is not None:
        need_tensor(op, "weight", weight)
        if weight.dtype is not x.dtype:
            raise RuntimeError(f"[{op}] if weight tensor is provided, input tensor and weight tensor should have the same dtype, "
                               f"but got input({x.dtype}), and weight({weight.dtype})")


def _edges(op, x, counts, range_):
    """Equal bins for each column of x, over its own range unless one is given."""
    if range_ is not None:
        range_ = [float(v) for v in range_]
        if len(range_) != 2 * len(counts):
            raise RuntimeError(f"[{op}] for a {len(counts)}-dimensional histogram range should have {2 * len(counts)} elements, "
                               f"but got {len(range_)}")
    edges = []
    for d, count in enumerate(counts):
        if range_ is not None:
            low, high = range_[2 * d], range_[2 * d + 1]
        elif x.shape[0]:
            if x.is_meta:
                raise NotImplementedError(f"[{op}] the range depends on data, and a meta tensor has none; give it")
            low, high = x[:, d].min().item(), x[:, d].max().item()
        else:
            low, high = 0.0, 1.0
        if not (math.isfinite(low) and math.isfinite(high)):
            raise RuntimeError(f"[{op}] dimension {d}'s range [{low}, {high}] is not finite")
        if low > high:
            raise RuntimeError(f"[{op}] min should not exceed max, but got min {low} max {high} for dimension {d}")
        if low == high:
            low, high = low - 0.5, high + 0.5
        edges.append(linspace(low, high, count + 1, dtype=x.dtype, device=x.device))
    return edges


def _fill(x, edges, weight, density):
    """The histogram of the rows of x: each row falls into one bin, or outside."""
    if not edges:
        return x.new_full((), math.nan if density else 0)            # as 0 / 0
    sizes = [len(e) - 1 for e in edges]
    inside = x.new_ones(x.shape[0], dtype=bool)
    place = None
    for d, e in enumerate(edges):
        column = x[:, d].contiguous()
        at = searchsorted(e.contiguous(), column, right=True) - 1
        at = at.masked_fill(column == e[-1], sizes[d] - 1)          # the last bin holds its right edge
        inside = inside & (column >= e[0]) & (column <= e[-1])
        place = at if place is None else place * sizes[d] + at
    weight = x.new_ones(x.shape[0]) if weight is None else weight.reshape(-1)
    hist = x.new_zeros(math.prod(sizes))
    hist.index_add_(0, place.masked_fill(~inside, 0), weight.masked_fill(~inside, 0))  # type: ignore[union-attr]
    hist = hist.reshape(sizes)
    if density:
        hist = hist / hist.sum()
        for d, e in enumerate(edges):
            hist = hist / e.diff().reshape([-1 if i == d else 1 for i in range(len(edges))])
    return hist


def histogram(input, bins=100, *, range=None, weight=None, density=False, out=None):
    """Return (hist, bin_edges): how many elements, or the sum of their weights, fall into each bin.

    Bins are half open but for the last, which holds its right edge.  Elements outside, and nan, count nowhere.

    Args:
        bins: a number of equal bins over ``range``, by default that of the data; or a tensor of their edges in order.
        weight: of input's shape.
        density: divide by the total and the widths, so that the integral over the bins is 1.

    Raises:
        RuntimeError: no bins, a range that is not finite or in the wrong order, other dtypes.

    >>> import taeda
    >>> taeda.histogram(taeda.tensor([1.0, 2.0, 1.0]), 4, range=(0.0, 3.0)).hist
    tensor([0., 2., 1., 0.])
    """
    need_tensor("histogram", "input", input)
    given = isinstance(bins, TensorBase)
    if not given and (not hasattr(bins, "__index__") or isinstance(bins, bool)):
        raise TypeError(f"[histogram] argument 'bins' must be int or Tensor, not {type(bins).__name__}")
    if given and range is not None:
        raise TypeError("[histogram] range is for a number of bins; bin edges have their own")
    _check("histogram", input, [bins], weight, given or range is not None)
    if weight is not None and weight.shape != input.shape:
        raise RuntimeError(f"[histogram] if weight tensor is provided it should have the same shape as the input tensor, but got "
                           f"input {tuple(input.shape)} and weight {tuple(weight.shape)}")
    x = input.detach().reshape(-1)
    edges = bins.detach().clone() if given else _edges("histogram", x.unsqueeze(1), [bins], range)[0]
    hist = bin_sums(x, edges, weight if weight is None else weight.detach().reshape(-1), not given)
    if density:
        hist = hist / hist.sum() / edges.diff()
    if out is not None:
        hist, edges = write_exact(out[0], hist, "histogram"), write_exact(out[1], edges, "histogram")
    return types.histogram((hist, edges))  # type: ignore[arg-type, call-arg]


def histogramdd(input, bins, range=None, weight=None, density=False):
    """Return (hist, bin_edges) of points: the last dimension of ``input`` holds their coordinates.

    Args:
        input: (..., D).
        bins: one number for all dimensions, or for each of the D a number, or for each a tensor of edges.
        range: D pairs in a row, the ends of each dimension's bins.
        weight: (...).
        density: as in :func:`taeda.histogram`.

    >>> import taeda
    >>> taeda.histogramdd(taeda.tensor([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), [2, 2]).hist
    tensor([[0., 1.],
            [1., 1.]])
    """
    need_tensor("histogramdd", "input", input)
    if isinstance(bins, TensorBase) or not (hasattr(bins, "__index__") or isinstance(bins, (list, tuple))):
        raise TypeError(f"[histogramdd] argument 'bins' must be int, or a list of ints or of Tensors, not {type(bins).__name__}")
    if input.ndim < 2:
        raise RuntimeError(f"[histogramdd] input tensor should have at least 2 dimensions, got shape {tuple(input.shape)}")
    dims = input.shape[-1]
    bins = [bins] * dims if hasattr(bins, "__index__") else list(bins)
    if len(bins) != dims:
        raise RuntimeError(f"[histogramdd] The size of bins must be equal to the innermost dimension of the input, got {len(bins)} "
                           f"and shape {tuple(input.shape)}")
    given = [isinstance(b, TensorBase) for b in bins]
    if any(given) and not all(given):
        raise TypeError("[histogramdd] bins must be all numbers or all Tensors")
    _check("histogramdd", input, bins, weight, any(given) or range is not None)
    if weight is not None and weight.shape != input.shape[:-1]:
        raise RuntimeError(f"[histogramdd] if weight tensor is provided it should have the same shape as the input tensor excluding "
                           f"its innermost dimension, but got input {tuple(input.shape)} and weight {tuple(weight.shape)}")
    x = input.detach().reshape(math.prod(input.shape[:-1]), dims)
    edges = [b.detach() for b in bins] if any(given) else _edges("histogramdd", x, bins, range)
    hist = _fill(x, edges, weight if weight is None else weight.detach(), density)
    return types.histogramdd((hist, tuple(edges)))  # type: ignore[arg-type, call-arg]


METHODS = {"histogram": histogram}
