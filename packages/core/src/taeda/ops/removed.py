"""Names of linear algebra that PyTorch removed: they say what took their place."""

from __future__ import annotations

__all__ = ["eig", "lstsq", "matrix_rank", "solve", "symeig"]
PUBLIC = ("eig", "lstsq", "matrix_rank", "solve", "symeig")


def _removed(name, instead):
    def raises(*args, **kwargs):
        raise RuntimeError(f"[{name}] This function was deprecated since version 1.9 and is now removed; use {instead}")

    raises.__name__ = raises.__qualname__ = name
    raises.__doc__ = f"Raise RuntimeError: removed in favor of {instead}."
    return raises


eig = _removed("eig", "taeda.linalg.eig, which returns complex tensors")
lstsq = _removed("lstsq", "taeda.linalg.lstsq, whose arguments are the other way round")
matrix_rank = _removed("matrix_rank", "taeda.linalg.matrix_rank")
solve = _removed("solve", "taeda.linalg.solve, whose arguments are the other way round and which returns no LU")
symeig = _removed("symeig", "taeda.linalg.eigh, which reads the lower triangle by default")

METHODS = {"eig": eig, "lstsq": lstsq, "solve": solve, "symeig": symeig}
