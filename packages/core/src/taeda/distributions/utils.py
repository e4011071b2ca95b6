"""What distributions of users' own are written with: shared shapes, logits and probabilities, properties that are kept.

>>> import taeda
>>> from taeda.distributions.utils import broadcast_all, logits_to_probs
>>> logits_to_probs(taeda.zeros(2)), broadcast_all(1.0, taeda.zeros(2))[0]
(tensor([0.5000, 0.5000]), tensor([1., 1.]))
"""

from __future__ import annotations

from typing import Any

import taeda
from taeda.distributions.distribution import broadcast_all, clamp_probs, lazy_property, probs_to_logits, sum_rightmost
from taeda.tensor import Tensor

__all__ = [
    "broadcast_all", "clamp_probs", "lazy_property", "logits_to_probs", "probs_to_logits", "tril_matrix_to_vec", "vec_to_tril_matrix",
]  # fmt: skip

euler_constant = 0.57721566490153286060
_sum_rightmost = sum_rightmost


def logits_to_probs(logits: Tensor, is_binary: bool = False) -> Tensor:
    """Return the probabilities of logits: a softmax of the last dimension, or a sigmoid of each with ``is_binary``.

    >>> import taeda
    >>> from taeda.distributions.utils import logits_to_probs
    >>> logits_to_probs(taeda.zeros(4)), logits_to_probs(taeda.zeros(1), is_binary=True)
    (tensor([0.2500, 0.2500, 0.2500, 0.2500]), tensor([0.5000]))
    """
    return logits.sigmoid() if is_binary else logits.softmax(-1)


def _standard_normal(shape: Any, dtype: Any, device: Any = None) -> Tensor:
    """Draw from N(0, 1)."""
    return taeda.normal(taeda.zeros(shape, dtype=dtype, device=device), taeda.ones(shape, dtype=dtype, device=device))


def vec_to_tril_matrix(vec: Tensor, diag: int = 0) -> Tensor:
    """Return lower triangular matrices (..., n, n) with the entries (..., k), row by row, up to diagonal ``diag``.

    Raises:
        ValueError: no triangle has k entries.

    >>> import taeda
    >>> from taeda.distributions.utils import vec_to_tril_matrix
    >>> vec_to_tril_matrix(taeda.tensor([1.0, 2.0, 3.0]))
    tensor([[1., 0.],
            [2., 3.]])
    """
    k = vec.shape[-1]
    n = (-(1 + 2 * diag) + ((1 + 2 * diag) ** 2 + 8 * k + 4 * abs(diag) * (diag + 1)) ** 0.5) / 2
    if n != int(n):
        raise ValueError(f"[vec_to_tril_matrix] The size of last dimension is {k} which cannot be expressed as the lower triangular part")
    size = int(n)
    rows, columns = taeda.tril_indices(size, size, offset=diag)
    matrix = vec.new_zeros((*vec.shape[:-1], size, size))
    matrix[..., rows, columns] = vec
    return matrix


def tril_matrix_to_vec(mat: Tensor, diag: int = 0) -> Tensor:
    """Return the entries of lower triangles (..., n, n), row by row, up to diagonal ``diag``.

    Raises:
        ValueError: the matrix has no such diagonal.

    >>> import taeda
    >>> from taeda.distributions.utils import tril_matrix_to_vec
    >>> tril_matrix_to_vec(taeda.tensor([[1.0, 0.0], [2.0, 3.0]]))
    tensor([1., 2., 3.])
    """
    n = mat.shape[-1]
    if not -n <= diag < n:
        raise ValueError(f"[tril_matrix_to_vec] diag ({diag}) provided is outside [{-n}, {n - 1}].")
    rows, columns = taeda.tril_indices(n, n, offset=diag)
    return mat[..., rows, columns]
