"""Layout objects: how a tensor's elements are found; the sparse ones are those of ``taeda.sparse``."""

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


def need_strided(op: str, given: object) -> None:
    """Refuse a layout that the results of an op cannot have: all but ``strided`` and None."""
    if given is None or given is strided:
        return
    if not isinstance(given, layout):
        raise TypeError(f"[{op}] argument 'layout' must be taeda.layout, not {type(given).__name__}")
    raise NotImplementedError(f"[{op}] the result is dense, it has no layout {given!r}; hint: .to_sparse() or .to_sparse_csr() of it")
