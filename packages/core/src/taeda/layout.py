"""Layouts and memory formats: how a tensor's elements are found, and in which order its dimensions lie.

The sparse layouts are those of ``taeda.sparse``.
"""

from __future__ import annotations

from taeda import _spoken


class layout:
    """How a tensor's elements are found: ``taeda.strided``, ``taeda.sparse_coo`` and so on.

    >>> import taeda
    >>> taeda.ones(2).layout, taeda.eye(2).to_sparse().layout
    (taeda.strided, taeda.sparse_coo)
    """

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return f"{_spoken.name}.{self._name}"

    def __reduce__(self) -> str:
        return self._name


strided = layout("strided")
sparse_coo, sparse_csr, sparse_csc, sparse_bsr, sparse_bsc, jagged = map(
    layout, ("sparse_coo", "sparse_csr", "sparse_csc", "sparse_bsr", "sparse_bsc", "jagged")
)
SPARSE = (sparse_coo, sparse_csr, sparse_csc, sparse_bsr, sparse_bsc)
# layouts of which one dimension's indices are compressed -> (dimension that is compressed, are the values blocks, names of its indices)
COMPRESSED: dict[layout, tuple[int, bool, tuple[str, str]]] = {
    sparse_csr: (0, False, ("crow_indices", "col_indices")),
    sparse_csc: (1, False, ("ccol_indices", "row_indices")),
    sparse_bsr: (0, True, ("crow_indices", "col_indices")),
    sparse_bsc: (1, True, ("ccol_indices", "row_indices")),
}


def need_strided(op: str, given: object) -> None:
    """Refuse a layout that the results of an op cannot have: all but ``strided`` and None."""
    if given is None or given is strided:
        return
    if not isinstance(given, layout):
        raise TypeError(f"[{op}] argument 'layout' must be taeda.layout, not {type(given).__name__}")
    raise NotImplementedError(f"[{op}] the result is dense, it has no layout {given!r}; hint: .to_sparse() or .to_sparse_csr() of it")


class MemoryFormat:
    """The order in which dimensions lie in memory: ``taeda.contiguous_format``, ``taeda.channels_last`` and so on."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"{_spoken.name}.{self.name}"

    def __reduce__(self) -> str:
        return self.name


contiguous_format = MemoryFormat("contiguous_format")
preserve_format = MemoryFormat("preserve_format")
channels_last = MemoryFormat("channels_last")
channels_last_3d = MemoryFormat("channels_last_3d")
