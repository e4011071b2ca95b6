"""Distances and similarities between rows."""

from __future__ import annotations

from taeda import Tensor, ops
from taeda.autograd.node import named
from taeda.nn.functional._common import need_shapes, need_tensors

__all__ = ["cosine_similarity", "pairwise_distance", "pdist"]

pdist = ops.pdist


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """Return x1 . x2 / (max(|x1|, eps) max(|x2|, eps)) along ``dim``; the operands broadcast.

    Args:
        x1, x2: tensors of floating point that broadcast.
        dim: along which the products are summed; the result is without it.
        eps: norms below it count as it.

    >>> import taeda, taeda.nn.functional as F
    >>> F.cosine_similarity(taeda.tensor([[1.0, 0.0]]), taeda.tensor([[1.0, 0.0]]))
    tensor([1.])
    """
    need_tensors("cosine_similarity", x1, x2)
    need_shapes("cosine_similarity", x1=x1, x2=x2)
    return ops.cosine_similarity(x1, x2, dim, eps)


def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """Return norm_p(x1 - x2 + eps) along the last dimension; the operands broadcast.

    Args:
        x1, x2: (..., D).
        p: order of the norm.
        eps: added to each difference, so that equal vectors have a derivative.
        keepdim: whether the last dimension stays, with size 1.

    >>> import taeda, taeda.nn.functional as F
    >>> F.pairwise_distance(taeda.tensor([[3.0, 4.0]]), taeda.zeros(1, 2))
    tensor([5.0000])
    """
    need_tensors("pairwise_distance", x1, x2)
    need_shapes("pairwise_distance", x1=x1, x2=x2)
    return named((x1 - x2 + eps).norm(p, -1, keepdim=keepdim), "NormBackward1")
