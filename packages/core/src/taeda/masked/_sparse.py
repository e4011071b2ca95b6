"""Masked reductions of sparse tensors: of the elements that the mask names, those that are not there are 0; results are sparse too."""

from __future__ import annotations

from typing import Any

from taeda import ops
from taeda.dtype import bool_, int64
from taeda.layout import sparse_coo, strided
from taeda.sparse.compressed import to_coo
from taeda.sparse.places import linear_of, sparse_dim
from taeda.sparse.tensor import coalesce, packed, values_of

_SCATTER = {"sum": "sum", "mean": "sum", "prod": "prod", "amax": "amax", "amin": "amin"}


def _counting(op: str, s: Any, mask: Any) -> tuple[Any, Any, Any]:
    """The indices and values of what counts, and which of the values do: of an entry with several some may not."""
    if mask is None:
        if op != "sum":
            raise ValueError(f"[masked.{op}] expects explicit mask for {s.layout} tensor input, whose elements that are not there are 0")
        s = coalesce(to_coo(s))
        return s._places[0], values_of(s), None
    s = to_coo(s)
    pattern = mask if mask.shape == s.shape else (mask if mask.layout is strided else mask.to_dense()).to(bool_).expand(s.shape)
    pattern = pattern.to_sparse(sparse_dim(s)) if pattern.layout is strided else coalesce(to_coo(pattern))
    there = pattern._values().to(bool_)
    some = (there.flatten(1).any(1) if there.ndim > 1 else there).nonzero().reshape(-1)
    pattern = packed(sparse_coo, (pattern._places[0].index_select(1, some),), there.index_select(0, some), s.shape, True)
    return pattern._places[0], values_of(s.sparse_mask(pattern)), pattern._held


def _over(op: str, values: Any, dims: list[int], keepdim: bool) -> Any:
    """Reduce dense dimensions of the values."""
    if op != "prod":
        return getattr(values, "sum" if op == "mean" else op)(dims, keepdim=keepdim)
    for d in reversed(dims):
        values = values.prod(d, keepdim=keepdim)
    return values


def _gathered(how: str, values: Any, line: Any, n: int, neutral: Any) -> Any:
    """Reduce the values of each of n lines."""
    at = line.reshape([-1] + [1] * (values.ndim - 1)).expand(values.shape)
    return values.new_full((n, *values.shape[1:]), neutral).scatter_reduce(0, at, values, how)


def reduced(op: str, s: Any, dims: tuple[int, ...], keepdim: bool, mask: Any, neutral: Any) -> Any:
    """Return the sum, product, largest, smallest or mean of the elements that count, where there are some, in the layout of ``s``.

    mask: of any layout, broadcasts to s; neutral: the number that changes nothing.
    """
    layout = s.layout
    if layout is not sparse_coo and not keepdim:
        raise RuntimeError(f"[masked.{op}] reduces tensors of layout {layout} with keepdim=True only, since a result of fewer dimensions "
                           "is no matrix")
    size, k = s.shape, s.sparse_dim()
    indices, values, there = _counting(op, s, mask)
    if there is not None and there.ndim > 1:
        values = ops.where(there, values, neutral)
    count = (there if there is not None else ops.ones_like(values)).to(int64) if op == "mean" else None
    dense = [d - k + 1 for d in dims if d >= k]
    if dense:
        values = _over(op, values, dense, keepdim)
        count = None if count is None else _over("sum", count, dense, keepdim)
    left = [d for d in range(k) if d not in dims]
    if len(left) < k:
        rows = indices[left]
        line, n = indices.new_zeros(indices.shape[1]), min(indices.shape[1], 1)
        if len(dims) == len(size) and neutral != 0:         # of nothing at all: as of a dense tensor
            n = 1
        if left:
            found, line = linear_of(rows, [size[d] for d in left]).unique(return_inverse=True)
            n = len(found)
        values = _gathered(_SCATTER[op], values, line, n, neutral)
        count = None if count is None else _gathered("sum", count, line, n, 0)
        kept = rows.new_zeros((len(left), n)).scatter_(1, line.expand(len(left), -1), rows)
        indices = kept if not keepdim else rows.new_zeros((k, n)).index_copy_(0, rows.new_tensor(left), kept)
    size = tuple(1 if d in dims else n for d, n in enumerate(size) if keepdim or d not in dims)
    made = packed(sparse_coo, (indices,), values if count is None else values / count, size, True)
    return made if layout is sparse_coo else made.to_sparse(layout=layout)
