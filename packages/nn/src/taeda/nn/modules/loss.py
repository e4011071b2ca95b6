"""Losses of classes as layers."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

from taeda import Tensor
from taeda.nn import functional as F
from taeda.nn.functional._common import legacy_reduction
from taeda.nn.functional.linear_loss import LinearCrossEntropyOptions
from taeda.nn.modules.linear import Linear
from taeda.nn.modules.module import Module

__all__ = [
    "BCELoss", "BCEWithLogitsLoss", "CTCLoss", "CrossEntropyLoss", "GaussianNLLLoss", "KLDivLoss",
    "LinearCrossEntropyLoss", "LinearCrossEntropyOptions", "NLLLoss", "NLLLoss2d", "PoissonNLLLoss",
]  # fmt: skip


class _Loss(Module):
    reduction: str

    def __init__(
        self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
    ) -> None:
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
        reduction: none, mean (over the weights of what counts; with probabilities over the samples) or sum.
        label_smoothing: how much of each target is spread over all classes, in [0, 1].

    Shapes:
        x: logits (C,), (B, C) or (B, C, ...); t: class numbers of that shape without C, or probabilities of
        that shape.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.CrossEntropyLoss()(taeda.zeros(2, 4), taeda.tensor([0, 3]))
    tensor(1.3863)
    """

    __constants__ = ["ignore_index", "reduction", "label_smoothing"]

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

    __constants__ = ["ignore_index", "reduction"]

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
        return F.nll_loss(
            input, target, weight=self.weight, ignore_index=self.ignore_index, reduction=self.reduction
        )

    def _cure(self, *args: Tensor, **kwargs: Tensor) -> str | None:
        return class_cure(type(self).__name__, *args, **kwargs)


class NLLLoss2d(NLLLoss):
    """``NLLLoss`` under the name it once had for images, which PyTorch calls deprecated."""

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        warnings.warn(
            "`NLLLoss2d` has been deprecated. Please use `NLLLoss` instead as a drop-in replacement", FutureWarning, stacklevel=2
        )
        super().__init__(weight, size_average, ignore_index, reduce, reduction)


def class_cure(name: str, input: Tensor, target: Tensor) -> str | None:
    """Say what is wrong with the target of a loss of classes, where that is known."""
    xs, ts = tuple(input.shape), tuple(target.shape)
    got = f"{name} got a target of shape {ts}"
    if not input.is_floating_point() and target.is_floating_point():
        return f"{name} takes (input, target), and got {input.dtype} and {target.dtype}: did you mean {name}()(target, input)?"
    if target.is_floating_point():
        return None if xs == ts else f"{name} got a {target.dtype} target of shape {ts}: did you mean target.long()?"
    if input.ndim > 1 and xs == ts:
        return f"{got} and {target.dtype}: did you mean target.argmax(1), or target.to({input.dtype}) for probabilities?"
    if input.ndim == 2 and ts == (xs[0], 1):
        return f"{got}: did you mean target.squeeze(1)?"
    if input.ndim > 2 and ts == xs[:-1]:
        return f"{got} for input {xs}; classes are dimension 1: did you mean input.movedim(-1, 1)?"
    classes = xs[0 if input.ndim == 1 else 1]
    if target.numel() and not target.is_meta and int(target.min()) >= 1 and int(target.max()) == classes:
        return f"{name} got classes from {int(target.min())} to {classes}; they count from 0: did you mean target - 1?"
    return None


def pair_cure(name: str, input: Tensor, target: Tensor) -> str | None:
    """Say what is wrong with the target of a loss that wants one of the input's shape and dtype."""
    xs, ts = tuple(input.shape), tuple(target.shape)
    if xs == (*ts, 1):
        return f"{name} got {xs} and {ts}: did you mean input.squeeze(-1), or target.unsqueeze(-1)?"
    if ts == (*xs, 1):
        return f"{name} got {xs} and {ts}: did you mean target.squeeze(-1)?"
    if xs == ts and input.dtype != target.dtype:
        return f"{name} got {input.dtype} and {target.dtype}: did you mean target.to({input.dtype})?"
    return None


class BCELoss(_WeightedLoss):
    """loss = -weight (t log x + (1 - t) log(1 - x)), logarithms not below -100.

    Args:
        weight: broadcasts to x.
        reduction: none, mean or sum.

    Shapes:
        x: probabilities of any shape; t: the same.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.BCELoss()(taeda.tensor([0.5]), taeda.tensor([1.0]))
    tensor(0.6931)
    """

    __constants__ = ["reduction"]

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.binary_cross_entropy(input, target, weight=self.weight, reduction=self.reduction)

    def _cure(self, *args: Tensor, **kwargs: Tensor) -> str | None:
        return pair_cure("BCELoss", *args, **kwargs)


class BCEWithLogitsLoss(_WeightedLoss):
    """``BCELoss`` of sigmoid(x), computed without overflow.

    Args:
        weight: broadcasts to x.
        reduction: none, mean or sum.
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

    def _cure(self, *args: Tensor, **kwargs: Tensor) -> str | None:
        return pair_cure("BCEWithLogitsLoss", *args, **kwargs)


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

    __constants__ = ["reduction"]

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

    __constants__ = ["log_input", "full", "eps", "reduction"]

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
            log_input,
            target,
            log_input=self.log_input,
            full=self.full,
            eps=self.eps,
            reduction=self.reduction,
        )


class GaussianNLLLoss(_Loss):
    """loss = (log v + (x - t)^2 / v) / 2 with v = max(var, eps) (Nix and Weigend, 1994).

    Args:
        full: add log(2 pi) / 2.
        eps: least variance.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.GaussianNLLLoss()(taeda.tensor([1.0]), taeda.tensor([3.0]), taeda.tensor([1.0]))
    tensor(2.)
    """

    __constants__ = ["full", "eps", "reduction"]

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(None, None, reduction)
        self.full = full
        self.eps = eps

    def forward(self, input: Tensor, target: Tensor, var: Tensor | float) -> Tensor:
        return F.gaussian_nll_loss(input, target, var, full=self.full, eps=self.eps, reduction=self.reduction)


class CTCLoss(_Loss):
    """loss = -log of the summed probability of all alignments of x with the target (Graves et al., 2006).

    Args:
        blank: the class that spells nothing.
        reduction: none, mean (of each loss over its target's length) or sum.
        zero_infinity: an infinite loss, that of a target too long for its input, counts 0 and has no gradient.

    Shapes:
        x: log-probabilities (T, N, C) or (T, C); targets: (N, S), (S,) or (sum of target_lengths,);
        input_lengths, target_lengths: (N,) or (), both tensors or both sequences.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.CTCLoss()(taeda.full((2, 1, 2), 0.5).log(), taeda.tensor([[1]]), [2], [1]).exp()
    tensor(1.3333)
    """

    __constants__ = ["blank", "reduction"]

    def __init__(self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False) -> None:
        super().__init__(reduction=reduction)
        self.blank = blank
        self.zero_infinity = zero_infinity

    def forward(
        self,
        log_probs: Tensor,
        targets: Tensor,
        input_lengths: Tensor | Sequence[int],
        target_lengths: Tensor | Sequence[int],
    ) -> Tensor:
        return F.ctc_loss(
            log_probs, targets, input_lengths, target_lengths, self.blank, self.reduction, self.zero_infinity
        )

    def _cure(self, *args: Any, **kwargs: Any) -> str | None:
        x, targets = args[:2]
        if targets.ndim == 2 and x.ndim == 3 and x.shape[0] == targets.shape[0] != x.shape[1]:
            return f"CTCLoss got log_probs {tuple(x.shape)}; time comes before the batch: did you mean x.transpose(0, 1)?"
        return None


class LinearCrossEntropyLoss(_WeightedLoss):
    """``CrossEntropyLoss`` of a linear map, whose weights are the module's: a classifier's last layer with its loss.

    Args:
        in_features: F below.
        num_classes: C below.
        out_features: further dimensions of the target, each with weights of its own.
        bias: whether the map has a bias.
        reduction: none, mean or sum.
        weight: (C,), of each class.
        ignore_index: class that counts nothing (-100).
        label_smoothing: share spread over all classes.
        options: go through the batch by parts, see ``LinearCrossEntropyOptions``.

    Shapes:
        x: (F,) or (N, F); target: classes () or (N, *out_features), or probabilities (C,) or (N, C, *out_features).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.LinearCrossEntropyLoss(5, 10)(taeda.zeros(2, 5), taeda.tensor([0, 9])).item() > 2
    True
    """

    __constants__ = ["num_classes", "out_features", "reduction", "ignore_index", "label_smoothing"]

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        *,
        out_features: tuple[int, ...] = (),
        bias: bool = False,
        device: Any = None,
        dtype: Any = None,
        reduction: str = "mean",
        weight: Tensor | None = None,
        ignore_index: int | None = None,
        label_smoothing: float = 0.0,
        options: LinearCrossEntropyOptions | None = None,
    ) -> None:
        if weight is not None and tuple(weight.shape) != (num_classes,):
            raise RuntimeError(
                f"[LinearCrossEntropyLoss] expected weight shape to be {(num_classes,)}, got {tuple(weight.shape)}"
            )
        if not 0 <= label_smoothing <= 1:
            raise RuntimeError(
                f"[LinearCrossEntropyLoss] expected label_smoothing to be in range [0, 1], got {label_smoothing}"
            )
        super().__init__(weight, reduction=reduction)
        self.num_classes = num_classes
        self.out_features = out_features
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing
        features = math.prod(out_features, start=num_classes)
        self.linear = Linear(in_features, features, bias=bias, device=device, dtype=dtype)
        self.options = options

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        shape = (self.num_classes, *self.out_features)
        bias = self.linear.bias
        return F.linear_cross_entropy(
            input,
            self.linear.weight.reshape(*shape, self.linear.in_features),
            target,
            linear_bias=None if bias is None else bias.reshape(shape),
            weight=self.weight,
            reduction=self.reduction,
            ignore_index=self.ignore_index,
            label_smoothing=self.label_smoothing,
            options=self.options,
        )

    def extra_repr(self) -> str:
        return (
            f"in_features={self.linear.in_features}, num_classes={self.num_classes}, "
            f"out_features={self.out_features}, bias={self.linear.bias is not None}, reduction={self.reduction}, "
            f"ignore_index={self.ignore_index}, label_smoothing={self.label_smoothing}, options={self.options}"
        )
