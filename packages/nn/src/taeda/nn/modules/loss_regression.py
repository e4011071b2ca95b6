"""Losses of numbers, margins and distances as layers."""

from __future__ import annotations

from collections.abc import Callable

from taeda import Tensor
from taeda.nn import functional as F
from taeda.nn.modules.distance import PairwiseDistance
from taeda.nn.modules.loss import _Loss, _WeightedLoss

__all__ = [
    "CosineEmbeddingLoss", "HingeEmbeddingLoss", "HuberLoss", "L1Loss", "MSELoss", "MarginRankingLoss",
    "MultiLabelMarginLoss", "MultiLabelSoftMarginLoss", "MultiMarginLoss", "SmoothL1Loss", "SoftMarginLoss",
    "TripletMarginLoss", "TripletMarginWithDistanceLoss",
]  # fmt: skip


class MSELoss(_Loss):
    """loss = (x - t)^2, its mean or its sum.

    Args:
        reduction: none, mean or sum.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.MSELoss()(taeda.tensor([1.0, 2.0]), taeda.tensor([1.0, 4.0]))
    tensor(2.)
    """

    __constants__ = ["reduction"]

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.mse_loss(input, target, reduction=self.reduction)


class L1Loss(_Loss):
    """loss = abs(x - t), its mean or its sum.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.L1Loss()(taeda.tensor([1.0, 2.0]), taeda.tensor([1.0, 4.0]))
    tensor(1.)
    """

    __constants__ = ["reduction"]

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.l1_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(_Loss):
    """loss = (x - t)^2 / (2 beta) where abs(x - t) < beta, else abs(x - t) - beta / 2 (Girshick, 2015).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.SmoothL1Loss()(taeda.tensor([3.0]), taeda.tensor([1.0]))
    tensor(1.5000)
    """

    __constants__ = ["reduction"]

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        beta: float = 1.0,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(_Loss):
    """loss = (x - t)^2 / 2 where abs(x - t) < delta, else delta (abs(x - t) - delta / 2) (Huber, 1964).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.HuberLoss()(taeda.tensor([3.0]), taeda.tensor([1.0]))
    tensor(1.5000)
    """

    __constants__ = ["reduction", "delta"]

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        if not isinstance(delta, (float, int)):
            raise TypeError(f"[HuberLoss] delta must be a float or int, got: {type(delta)}")
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.huber_loss(input, target, reduction=self.reduction, delta=self.delta)


class HingeEmbeddingLoss(_Loss):
    """loss = x where t is 1, and max(0, margin - x) where t is -1.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.HingeEmbeddingLoss()(taeda.tensor([0.25, 0.25]), taeda.tensor([1.0, -1.0]))
    tensor(0.5000)
    """

    __constants__ = ["margin", "reduction"]

    def __init__(
        self,
        margin: float = 1.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.hinge_embedding_loss(input, target, margin=self.margin, reduction=self.reduction)


class SoftMarginLoss(_Loss):
    """loss = log(1 + exp(-t x)) with t of 1 or -1.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.SoftMarginLoss()(taeda.tensor([0.0]), taeda.tensor([1.0]))
    tensor(0.6931)
    """

    __constants__ = ["reduction"]

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.soft_margin_loss(input, target, reduction=self.reduction)


class MarginRankingLoss(_Loss):
    """loss = max(0, -t (x1 - x2) + margin): x1 is to rank above x2 where t is 1, below where it is -1.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.MarginRankingLoss()(taeda.tensor([1.0]), taeda.tensor([3.0]), taeda.tensor([1.0]))
    tensor(2.)
    """

    __constants__ = ["margin", "reduction"]

    def __init__(
        self,
        margin: float = 0.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        return F.margin_ranking_loss(input1, input2, target, margin=self.margin, reduction=self.reduction)


class CosineEmbeddingLoss(_Loss):
    """loss = 1 - cos(x1, x2) where t is 1, and max(0, cos(x1, x2) - margin) where t is -1.

    Shapes:
        x1, x2: (B, D) or (D,); t: (B,) or a scalar.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.CosineEmbeddingLoss()(taeda.tensor([[1.0, 0.0]]), taeda.tensor([[0.0, 1.0]]), taeda.tensor([1]))
    tensor(1.)
    """

    __constants__ = ["margin", "reduction"]

    def __init__(
        self,
        margin: float = 0.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        return F.cosine_embedding_loss(input1, input2, target, margin=self.margin, reduction=self.reduction)


class MultiMarginLoss(_WeightedLoss):
    """loss = sum over wrong classes c of weight[t] max(0, margin - x[t] + x[c])^p, over the number of classes.

    Shapes:
        x: (B, C) or (C,); t: class numbers (B,) or a scalar; weight: (C,).

    Args:
        p: 1 or 2.
        margin: how far the right class must be above the others.
        weight: a factor for each class.
        reduction: "mean", "sum" or "none".

    >>> import taeda
    >>> from taeda import nn
    >>> nn.MultiMarginLoss()(taeda.tensor([[0.0, 1.0]]), taeda.tensor([0]))
    tensor(1.)
    """

    __constants__ = ["p", "margin", "reduction"]

    def __init__(
        self,
        p: int = 1,
        margin: float = 1.0,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        if p not in (1, 2):
            raise ValueError(f"[MultiMarginLoss] only p == 1 and p == 2 supported, got {p}")
        if weight is not None and weight.dim() != 1:
            raise ValueError(f"[MultiMarginLoss] expected weight to be None or 1D tensor, got {weight.dim()}D instead")
        self.p = p
        self.margin = margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.multi_margin_loss(
            input, target, p=self.p, margin=self.margin, weight=self.weight, reduction=self.reduction
        )


class MultiLabelMarginLoss(_Loss):
    """loss = sum over right classes j and wrong classes i of max(0, 1 - (x[j] - x[i])), divided by the number C of classes.

    Shapes:
        x: (B, C) or (C,); t: the same, class numbers up to the first -1 of each row.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.MultiLabelMarginLoss()(taeda.tensor([[0.0, 1.0]]), taeda.tensor([[0, -1]]))
    tensor(1.)
    """

    __constants__ = ["reduction"]

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.multilabel_margin_loss(input, target, reduction=self.reduction)


class MultiLabelSoftMarginLoss(_WeightedLoss):
    """loss = mean over classes of -weight (t log sigmoid(x) + (1 - t) log sigmoid(-x)).

    Shapes:
        x, t: (B, C); weight: (C,).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.MultiLabelSoftMarginLoss()(taeda.zeros(1, 2), taeda.ones(1, 2))
    tensor(0.6931)
    """

    __constants__ = ["reduction"]

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.multilabel_soft_margin_loss(input, target, weight=self.weight, reduction=self.reduction)


class TripletMarginLoss(_Loss):
    """loss = max(0, d(anchor, positive) - d(anchor, negative) + margin) (Balntas et al., 2016).

    Args:
        margin: greater than 0.
        p, eps: of ``pairwise_distance``.
        swap: take d(positive, negative) where it is the smaller of the two distances to negative.

    Shapes:
        each: (B, D) or (D,).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.TripletMarginLoss()(taeda.zeros(1, 2), taeda.zeros(1, 2), taeda.zeros(1, 2))
    tensor(1.)
    """

    __constants__ = ["margin", "p", "eps", "swap", "reduction"]

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        if margin <= 0:
            raise ValueError(f"[TripletMarginLoss] expected margin to be greater than 0, got {margin} instead")
        self.margin = margin
        self.p = p
        self.eps = eps
        self.swap = swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        return F.triplet_margin_loss(
            anchor,
            positive,
            negative,
            margin=self.margin,
            p=self.p,
            eps=self.eps,
            swap=self.swap,
            reduction=self.reduction,
        )


class TripletMarginWithDistanceLoss(_Loss):
    """``TripletMarginLoss`` with a distance of the caller's own.

    Args:
        distance_function: (a, b) -> their distance; ``PairwiseDistance`` by default.
        margin: how much farther than the positive the negative must be.
        swap: take the negative's distance from the anchor or from the positive, whichever is less.
        reduction: "mean", "sum" or "none".

    >>> import taeda
    >>> from taeda import nn
    >>> loss = nn.TripletMarginWithDistanceLoss(distance_function=lambda a, b: (a - b).abs().sum(-1))
    >>> loss(taeda.zeros(1, 2), taeda.ones(1, 2), taeda.zeros(1, 2))
    tensor(3.)
    """

    __constants__ = ["margin", "swap", "reduction"]

    def __init__(
        self,
        *,
        distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        if margin <= 0:
            raise ValueError(
                f"[TripletMarginWithDistanceLoss] expected margin to be greater than 0, got {margin} instead"
            )
        self.distance_function = distance_function if distance_function is not None else PairwiseDistance()
        self.margin = margin
        self.swap = swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        return F.triplet_margin_with_distance_loss(
            anchor,
            positive,
            negative,
            distance_function=self.distance_function,
            margin=self.margin,
            swap=self.swap,
            reduction=self.reduction,
        )
