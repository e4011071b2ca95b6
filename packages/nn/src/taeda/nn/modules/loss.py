"""Losses of classes as layers."""

from __future__ import annotations

from taeda import Tensor
from taeda.nn import functional as F
from taeda.nn.functional._common import legacy_reduction
from taeda.nn.modules.module import Module

__all__ = [
    "BCELoss", "BCEWithLogitsLoss", "CrossEntropyLoss", "GaussianNLLLoss", "KLDivLoss", "NLLLoss", "NLLLoss2d",
    "PoissonNLLLoss",
]  # fmt: skip


class _Loss(Module):
    reduction: str

    def __init__(self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = legacy_reduction(size_average, reduce, reduction)


class _WeightedLoss(_Loss):
    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)


class CrossEntropyLoss(_WeightedLoss):
    """loss = -weight[t] log softmax(x)[t], or for a target of probabilities -sum_c weight_c t_c log softmax(x)_c.

    Args:
        weight: (C,), of each class.
        ignore_index: target that counts nothing.
        reduction: none, mean (over the weights of what counts) or sum.
        label_smoothing: how much of each target is spread over all classes, in [0, 1].

    Shapes:
        x: logits (C,), (B, C) or (B, C, ...); t: class numbers of that shape without C, or probabilities of
        that shape.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.CrossEntropyLoss()(taeda.zeros(2, 4), taeda.tensor([0, 3]))
    tensor(1.3863)
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(
            input,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )

    def _cure(self, *args: Tensor, **kwargs: Tensor) -> str | None:
        return class_cure(type(self).__name__, *args, **kwargs)


class NLLLoss(_WeightedLoss):
    """loss = -weight[t] x[t]: the negative likelihood of log probabilities x.

    Arguments and shapes as ``CrossEntropyLoss``, with t of class numbers.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.NLLLoss()(taeda.log_softmax(taeda.zeros(2, 4), 1), taeda.tensor([0, 3]))
    tensor(1.3863)
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.nll_loss(input, target, weight=self.weight, ignore_index=self.ignore_index, reduction=self.reduction)

    def _cure(self, *args: Tensor, **kwargs: Tensor) -> str | None:
        return class_cure(type(self).__name__, *args, **kwargs)


class NLLLoss2d(NLLLoss):
    """``NLLLoss`` under the name it once had for images."""


def class_cure(name: str, input: Tensor, target: Tensor) -> str | None:
    """Say what is wrong with the target of a loss of classes, where that is known."""
    if target.is_floating_point() and target.shape != input.shape:
        return f"{name} got a {target.dtype} target of shape {tuple(target.shape)}: did you mean target.long()?"
    if target.ndim == input.ndim == 2 and target.shape[1] == 1 and not target.is_floating_point():
        return f"{name} got a target of shape {tuple(target.shape)}: did you mean target.squeeze(1)?"
    return None


class BCELoss(_WeightedLoss):
    """loss = -weight (t log x + (1 - t) log(1 - x)), logarithms not below -100.

    Args:
        weight: broadcasts to x; reduction: none, mean or sum.

    Shapes:
        x: probabilities of any shape; t: the same.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.BCELoss()(taeda.tensor([0.5]), taeda.tensor([1.0]))
    tensor(0.6931)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.binary_cross_entropy(input, target, weight=self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(_WeightedLoss):
    """``BCELoss`` of sigmoid(x), computed without overflow.

    Args:
        weight: broadcasts to x; reduction: none, mean or sum.
        pos_weight: factor of the term of t = 1, broadcasts.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.BCEWithLogitsLoss()(taeda.tensor([0.0]), taeda.tensor([1.0]))
    tensor(0.6931)
    """

    pos_weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(
            input, target, self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )


class KLDivLoss(_Loss):
    """loss = t (log t - x): the Kullback-Leibler divergence of log probabilities x.

    Args:
        reduction: none, batchmean (sum over the batch size: the mathematical one), sum, mean.
        log_target: t holds logarithms too.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.KLDivLoss(reduction="batchmean")(taeda.zeros(1, 2), taeda.tensor([[1.0, 0.0]]))
    tensor(0.)
    """

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        log_target: bool = False,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_target = log_target

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)


class PoissonNLLLoss(_Loss):
    """loss = exp(x) - t x, or without ``log_input`` x - t log(x + eps): the likelihood of counts t.

    Args:
        full: add Stirling's approximation of log t! where t > 1.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.PoissonNLLLoss()(taeda.tensor([0.0]), taeda.tensor([1.0]))
    tensor(1.)
    """

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        size_average: bool | None = None,
        eps: float = 1e-8,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_input = log_input
        self.full = full
        self.eps = eps

    def forward(self, log_input: Tensor, target: Tensor) -> Tensor:
        return F.poisson_nll_loss(
            log_input, target, log_input=self.log_input, full=self.full, eps=self.eps, reduction=self.reduction
        )


class GaussianNLLLoss(_Loss):
    """loss = (log v + (x - t)^2 / v) / 2 with v = max(var, eps) (Nix and Weigend, 1994).

    Args:
        full: add log(2 pi) / 2; eps: least variance.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.GaussianNLLLoss()(taeda.tensor([1.0]), taeda.tensor([3.0]), taeda.tensor([1.0]))
    tensor(2.)
    """

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(None, None, reduction)
        self.full = full
        self.eps = eps

    def forward(self, input: Tensor, target: Tensor, var: Tensor | float) -> Tensor:
        return F.gaussian_nll_loss(input, target, var, full=self.full, eps=self.eps, reduction=self.reduction)
