"""The standard's linear algebra: what stands in the main namespace, and the extension, by ``taeda.linalg``."""

from __future__ import annotations

from typing import Any

import taeda
from taeda import Tensor, linalg
from taeda.array_api import _statistics
from taeda.array_api._promotion import need_array, operands

__all__ = [
    "cholesky", "cross", "det", "diagonal", "eigh", "eigvalsh", "inv", "matmul", "matrix_norm", "matrix_power", "matrix_rank",
    "matrix_transpose", "outer", "pinv", "qr", "slogdet", "solve", "svd", "svdvals", "tensordot", "trace", "vecdot", "vector_norm",
]  # fmt: skip

# -- in the main namespace too -----------------------------------------------------------------------


def matmul(x1: Any, x2: Any, /) -> Tensor:
    """Return the matrix product; leading axes broadcast."""
    return taeda.matmul(*operands("matmul", x1, x2))


def matrix_transpose(x: Any, /) -> Tensor:
    """Return x with its last two axes exchanged."""
    if need_array("matrix_transpose", x).ndim < 2:
        raise ValueError(f"[matrix_transpose] an array of two dimensions at least is needed, got shape {tuple(x.shape)}")
    return x.mT


def tensordot(x1: Any, x2: Any, /, *, axes: Any = 2) -> Tensor:
    """Return the sums of products over the last axes of x1 and the first of x2, or over two lists of axes."""
    return taeda.tensordot(*operands("tensordot", x1, x2), axes)


def vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Tensor:
    """Return the sums of conj(x1) x2 along an axis; the others broadcast."""
    first, second = operands("vecdot", x1, x2)
    if first.shape[axis] != second.shape[axis]:
        raise ValueError(f"[vecdot] axis {axis} has size {first.shape[axis]} in x1 and {second.shape[axis]} in x2")
    return taeda.sum(first.conj() * second, axis, dtype=first.dtype)


# -- the extension -----------------------------------------------------------------------------------


def cholesky(x: Any, /, *, upper: bool = False) -> Tensor:
    """Return the triangular factor L of positive definite matrices, x = L conj(L)^T."""
    return linalg.cholesky(need_array("cholesky", x), upper=upper)


def cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Tensor:
    """Return the vector products along an axis of size 3."""
    first, second = operands("cross", x1, x2)
    if first.shape[axis] != 3 or second.shape[axis] != 3:
        raise ValueError(f"[cross] axis {axis} must have size 3, got shapes {tuple(first.shape)} and {tuple(second.shape)}")
    return linalg.cross(*taeda.broadcast_tensors(first, second), dim=axis)


def det(x: Any, /) -> Tensor:
    """Return the determinants."""
    return linalg.det(need_array("det", x))


def diagonal(x: Any, /, *, offset: int = 0) -> Tensor:
    """Return the diagonals of the matrices, above the main one for positive offsets."""
    return linalg.diagonal(need_array("diagonal", x), offset=offset)


def eigh(x: Any, /) -> Any:
    """Return (eigenvalues, eigenvectors) of Hermitian matrices, the values in ascending order."""
    return linalg.eigh(need_array("eigh", x))


def eigvalsh(x: Any, /) -> Tensor:
    """Return the eigenvalues of Hermitian matrices, in ascending order."""
    return linalg.eigvalsh(need_array("eigvalsh", x))


def inv(x: Any, /) -> Tensor:
    """Return the inverse matrices."""
    return linalg.inv(need_array("inv", x))


def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Tensor:
    """Return a norm of the matrices: "fro", "nuc", or 1, 2, inf and their negatives."""
    return linalg.matrix_norm(need_array("matrix_norm", x), ord, keepdim=keepdims)


def matrix_power(x: Any, n: int, /) -> Tensor:
    """Return the n-th power of the matrices; for n < 0 of their inverses."""
    return linalg.matrix_power(need_array("matrix_power", x), n)


def matrix_rank(x: Any, /, *, rtol: Any = None) -> Tensor:
    """Return the number of singular values above rtol times the largest."""
    return linalg.matrix_rank(need_array("matrix_rank", x), rtol=rtol)


def outer(x1: Any, x2: Any, /) -> Tensor:
    """Return the products of all pairs of elements of two 1-d arrays."""
    return taeda.outer(*operands("outer", x1, x2))


def pinv(x: Any, /, *, rtol: Any = None) -> Tensor:
    """Return the pseudo-inverses; singular values below rtol times the largest count as zero."""
    return linalg.pinv(need_array("pinv", x), rtol=rtol)


def qr(x: Any, /, *, mode: str = "reduced") -> Any:
    """Return (Q, R) with x = Q R, Q with orthonormal columns, R upper triangular."""
    if mode not in ("reduced", "complete"):
        raise ValueError(f'[qr] mode must be "reduced" or "complete", got {mode!r}')
    return linalg.qr(need_array("qr", x), mode)


def slogdet(x: Any, /) -> Any:
    """Return (sign, logabsdet) of the determinants."""
    return linalg.slogdet(need_array("slogdet", x))


def solve(x1: Any, x2: Any, /) -> Tensor:
    """Return y with x1 y = x2; x2 is a vector if it has one dimension, else a stack of matrices."""
    a, b = operands("solve", x1, x2)
    if b.ndim == 1:
        return linalg.solve(a, b.unsqueeze(-1).expand(*a.shape[:-2], -1, -1)).squeeze(-1)
    batch = taeda.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    return linalg.solve(a.expand(*batch, -1, -1), b.expand(*batch, -1, -1))


def svd(x: Any, /, *, full_matrices: bool = True) -> Any:
    """Return (U, S, Vh) with x = U diag(S) Vh, S in descending order."""
    return linalg.svd(need_array("svd", x), full_matrices)


def svdvals(x: Any, /) -> Tensor:
    """Return the singular values, in descending order."""
    return linalg.svdvals(need_array("svdvals", x))


def trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Tensor:
    """Return the sums of the diagonals."""
    return _statistics.sum(diagonal(x, offset=offset), axis=-1, dtype=dtype)


def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Tensor:
    """Return a norm over some axes, all by default, taken as one vector: (sum |x|^ord)^(1 / ord)."""
    if axis == ():                                  # PyTorch takes no axes for all of them
        return linalg.vector_norm(need_array("vector_norm", x).unsqueeze(-1), ord, -1)
    return linalg.vector_norm(need_array("vector_norm", x), ord, axis, keepdim=keepdims)
