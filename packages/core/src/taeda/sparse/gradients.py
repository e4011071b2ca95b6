"""Sparse gradients of tables that were looked into: a row for each index, or an element."""

from __future__ import annotations

from typing import Any

from taeda import ops
from taeda.dtype import int64
from taeda.layout import sparse_coo
from taeda.sparse.tensor import packed


def of_rows(index: Any, g: Any, rows: int, padding_idx: int) -> Any:
    """The gradient of a table of some rows: g's row for each index but ``padding_idx``."""
    if g.layout is sparse_coo:
        g = g.to_dense()
    index = index.reshape(-1).to(int64, copy=True)       # the caller may write into its indices before the gradient is used
    values = g.reshape(index.numel(), g.shape[-1])
    if padding_idx >= 0:
        kept = (index != padding_idx).nonzero().reshape(-1)
        index, values = index.index_select(0, kept), values.index_select(0, kept)
    return packed(sparse_coo, (index.unsqueeze(0),), values, (rows, g.shape[-1]))


def of_elements(index: Any, g: Any, dim: int, shape: tuple[int, ...]) -> Any:
    """The gradient of what ``gather`` read: g's elements, each where it came from."""
    if not shape:
        return packed(sparse_coo, (index.new_zeros((0, index.numel())),), g.reshape(-1), shape)
    rows = []
    for d in range(len(shape)):
        if d == dim:
            rows.append(index.reshape(-1))
        else:
            line = ops.arange(index.shape[d]).reshape([-1 if e == d else 1 for e in range(len(shape))])
            rows.append(line.expand(index.shape).reshape(-1))
    return packed(sparse_coo, (ops.stack(rows),), g.reshape(-1), shape)

