"""Distances and similarities as layers."""

from __future__ import annotations

from taeda import Tensor
from taeda.nn import functional as F
from taeda.nn.modules.module import Module

__all__ = ["CosineSimilarity", "PairwiseDistance"]


class PairwiseDistance(Module):
    """y = norm_p(x1 - x2 + eps) along the last dimension.

    Shapes:
        x1, x2: (B, D) or (D,); y: (B,) or a scalar, with ``keepdim`` (B, 1) or (1,).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.PairwiseDistance(p=1)(taeda.ones(1, 2), taeda.zeros(1, 2))
    tensor([2.0000])
    """

    __constants__ = ["norm", "eps", "keepdim"]

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm = p
        self.eps = eps
        self.keepdim = keepdim

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return F.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)


class CosineSimilarity(Module):
    """y = x1 . x2 / (max(|x1|, eps) max(|x2|, eps)) along ``dim``.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.CosineSimilarity()(taeda.tensor([[1.0, 0.0]]), taeda.tensor([[1.0, 0.0]]))
    tensor([1.])
    """

    __constants__ = ["dim", "eps"]

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim = dim
        self.eps = eps

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return F.cosine_similarity(x1, x2, self.dim, self.eps)
