"""Where each row's entries begin, from the sorted rows of all entries, and back: what graph libraries ask of sparse layouts."""

from __future__ import annotations

from taeda.dtype import int32, int64
from taeda.ops import arange, searchsorted, stack
from taeda.tensor import Tensor

__all__ = ["_convert_indices_from_coo_to_csr", "_convert_indices_from_csr_to_coo"]


def _convert_indices_from_coo_to_csr(input: Tensor, size: int, *, out_int32: bool = False) -> Tensor:
    """Return size + 1 pointers: entries p[i] to p[i + 1] are of row i.  The rows must be sorted.

    >>> import taeda
    >>> taeda._convert_indices_from_coo_to_csr(taeda.tensor([0, 0, 2]), 3)
    tensor([0, 2, 2, 3])
    """
    return searchsorted(input, arange(size + 1, dtype=input.dtype), out_int32=out_int32)


def _convert_indices_from_csr_to_coo(
    crow_indices: Tensor, col_indices: Tensor, *, out_int32: bool = False, transpose: bool = False
) -> Tensor:
    """Return the rows and columns (2, n) of entries that are given by pointers and columns; columns first with ``transpose``.

    >>> import taeda
    >>> taeda._convert_indices_from_csr_to_coo(taeda.tensor([0, 2, 2, 3]), taeda.tensor([1, 2, 0]))
    tensor([[0, 0, 2],
            [1, 2, 0]])
    """
    rows = arange(crow_indices.numel() - 1).repeat_interleave(crow_indices.diff())
    pair = (col_indices, rows) if transpose else (rows, col_indices)
    return stack([part.to(int32 if out_int32 else int64) for part in pair])
