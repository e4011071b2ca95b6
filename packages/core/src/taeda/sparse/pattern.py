"""The pattern of a sparse matrix as the kernels of products want it: its entries by row, and by column."""

from __future__ import annotations

from typing import Any

from taeda import ops
from taeda.dtype import int64
from taeda.layout import COMPRESSED, sparse_csr
from taeda.sparse.places import coo_indices, is_coalesced, known


class Pattern:
    """Where a matrix has entries; both groupings are made when they are first asked for, and kept."""

    def __init__(self, rows: Any, columns: Any, shape: tuple[int, int], start: Any = None, ordered: bool = False) -> None:
        self.entries = rows.contiguous(), columns.contiguous()
        self.shape = shape
        self._ordered = ordered                  # by row
        self._turned: Pattern | None = None
        # start, the columns in order, and the order, None where the entries are in it already
        self._grouped: tuple[Any, Any, Any] | None = None if start is None else (start, self.entries[1], None)

    def by_row(self) -> tuple[Any, Any, Any]:
        """Return where each row begins, the columns of the entries in that order, and the order (None: as they are)."""
        if self._grouped is None:
            rows, columns = self.entries
            if self._ordered or rows.numel() < 2 or bool((rows[1:] >= rows[:-1]).all()):
                self._grouped = ops.group_by(rows, self.shape[0], True)[0], columns, None
            else:
                start, place = ops.group_by(rows, self.shape[0])
                self._grouped = start, columns.index_select(0, place), place
        return self._grouped

    def transposed(self) -> Pattern:
        """Return the pattern of the transposed matrix, whose entries are in the same order."""
        if self._turned is None:
            self._turned = Pattern(self.entries[1], self.entries[0], (self.shape[1], self.shape[0]))
            self._turned._turned = self
        return self._turned


def pattern_of(s: Any) -> Pattern:
    """Return the pattern of a sparse matrix whose values are no blocks."""
    found = known(s).get("pattern")
    if found is None:
        rows, columns = coo_indices(s)
        ordered = s._layout not in COMPRESSED and is_coalesced(s)
        start = None
        if s._layout is sparse_csr:
            start = s._places[0].to(int64).contiguous()
        found = s._known["pattern"] = Pattern(rows, columns, (s.shape[-2], s.shape[-1]), start, ordered)
    return found
