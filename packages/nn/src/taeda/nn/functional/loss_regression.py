"""Losses for numbers, for margins and for distances."""

from __future__ import annotations

from collections.abc import Callable

import taeda
from taeda import Tensor, ops
from taeda.autograd.node import named
from taeda.nn.functional._common import check_reduction, legacy_reduction, need_shapes, need_tensors, reduced
from taeda.nn.functional.activation import logsigmoid
from taeda.nn.functional.distance import pairwise_distance
from taeda.operands import real_number

__all__ = [
    "cosine_embedding_loss", "hinge_embedding_loss", "huber_loss", "l1_loss", "margin_ranking_loss", "mse_loss",
    "multi_margin_loss", "multilabel_margin_loss", "multilabel_soft_margin_loss", "smooth_l1_loss",
    "soft_margin_loss", "triplet_margin_loss", "triplet_margin_with_distance_loss",
]  # fmt: skip


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """Return (x - t)^2, its mean or its sum.

    Args:
        input, target: the same shape (others broadcast, with a warning).
        weight: that shape.

    >>> import taeda, taeda.nn.functional as F
    >>> F.mse_loss(taeda.tensor([1.0, 2.0]), taeda.tensor([1.0, 4.0]))
    tensor(2.)
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    return ops.mse_loss(input, target, reduction, weight)


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """Return abs(x - t), its mean or its sum.

    Args:
        input, target: the same shape (others broadcast, with a warning).
        weight: that shape.

    >>> import taeda, taeda.nn.functional as F
    >>> F.l1_loss(taeda.tensor([0.5, 2.0]), taeda.tensor([1.0, 0.0]))
    tensor(1.2500)
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    return ops.l1_loss(input, target, reduction, weight)


def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """Return (x - t)^2 / (2 beta) where abs(x - t) < beta, else abs(x - t) - beta / 2 (Girshick, 2015).

    Args:
        input, target: of shapes that broadcast.
        reduction: "mean", "sum" or "none".

    Raises:
        RuntimeError: beta is negative.

    >>> import taeda, taeda.nn.functional as F
    >>> F.smooth_l1_loss(taeda.tensor([0.5, 2.0]), taeda.tensor([1.0, 0.0]))
    tensor(0.8125)
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    return ops.smooth_l1_loss(input, target, reduction, beta)


def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """Return (x - t)^2 / 2 where abs(x - t) < delta, else delta (abs(x - t) - delta / 2) (Huber, 1964).

    With a ``weight`` the mean is over the elements, and over the weights in ``mse_loss`` and ``l1_loss``: PyTorch's.

    Args:
        input, target: of shapes that broadcast.
        reduction: "mean", "sum" or "none".

    Raises:
        RuntimeError: delta is not positive.

    >>> import taeda, taeda.nn.functional as F
    >>> F.huber_loss(taeda.tensor([0.5, 2.0]), taeda.tensor([1.0, 0.0]))
    tensor(0.8125)
    """
    return ops.huber_loss(input, target, reduction, delta, weight)


def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return x where t is 1, and max(0, margin - x) where t is -1.

    Args:
        input, target: of one shape, the target 1 or -1.
        reduction: "mean", "sum" or "none".

    >>> import taeda, taeda.nn.functional as F
    >>> F.hinge_embedding_loss(taeda.tensor([0.5, 0.2]), taeda.tensor([1.0, -1.0]))
    tensor(0.6500)
    """
    need_tensors("hinge_embedding_loss", input, target)
    need_shapes("hinge_embedding_loss", input=input, target=target)
    reduction = legacy_reduction(size_average, reduce, reduction)
    zero = taeda.zeros_like(input)
    far = taeda.where(target != 1, (margin - input).clamp_min(0), zero)
    near = taeda.where(target != -1, input, zero)
    return reduced("hinge_embedding_loss", far + near, reduction)


def soft_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return log(1 + exp(-t x)) with t of 1 or -1.

    Args:
        input, target: of one shape.
        reduction: "mean", "sum" or "none".

    >>> import taeda, taeda.nn.functional as F
    >>> F.soft_margin_loss(taeda.tensor([0.5, -1.0]), taeda.tensor([1.0, -1.0]))
    tensor(0.3937)
    """
    need_tensors("soft_margin_loss", input, target)
    need_shapes("soft_margin_loss", input=input, target=target)
    reduction = legacy_reduction(size_average, reduce, reduction)
    product = target * input
    each = taeda.log1p(taeda.exp(-product)) if product.is_complex() else -logsigmoid(product)
    loss = named(reduced("soft_margin_loss", each, reduction), "SoftMarginLossBackward0")
    return loss.to(input.dtype) if input.is_floating_point() else loss


def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return max(0, -t (x1 - x2) + margin): x1 is to rank above x2 where t is 1, below where it is -1.

    Args:
        input1, input2: x1 and x2.
        target: t, 1 or -1; all of one number of dimensions.
        margin: how far x1 must be above.
        reduction: "mean", "sum" or "none".

    Raises:
        RuntimeError: the three do not have the same number of dimensions.

    >>> import taeda, taeda.nn.functional as F
    >>> F.margin_ranking_loss(taeda.tensor([2.0]), taeda.tensor([1.5]), taeda.tensor([1.0]), margin=1.0)
    tensor(0.5000)
    """
    need_tensors("margin_ranking_loss", input1, input2, target)
    reduction = legacy_reduction(size_average, reduce, reduction)
    if not input1.ndim == input2.ndim == target.ndim:
        raise RuntimeError(
            "[margin_ranking_loss] All input tensors should have same dimension but got sizes: input1: "
            f"{input1.size()}, input2: {input2.size()}, target: {target.size()} "
        )
    need_shapes("margin_ranking_loss", input1=input1, input2=input2, target=target)
    margin = real_number("margin_ranking_loss", "margin", margin)
    return reduced("margin_ranking_loss", (-target * (input1 - input2) + margin).clamp_min(0), reduction)


def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return 1 - cos(x1, x2) where t is 1, and max(0, cos(x1, x2) - margin) where t is -1.

    Args:
        input1, input2: (B, D) or (D,).
        target: (B,) or a scalar.

    >>> import taeda, taeda.nn.functional as F
    >>> F.cosine_embedding_loss(taeda.tensor([[1.0, 0.0]]), taeda.tensor([[0.0, 1.0]]), taeda.tensor([1.0]))
    tensor(1.)
    """
    need_tensors("cosine_embedding_loss", input1, input2, target)
    reduction = legacy_reduction(size_average, reduce, reduction)
    found = f"{list(input1.shape)} and {list(input2.shape)}"
    if target.ndim not in (0, 1):
        raise RuntimeError(
            f"[cosine_embedding_loss] 0D or 1D target tensor expected, multi-target not supported, got {target.ndim}D"
        )
    if target.ndim == 1 and (input1.ndim != 2 or input2.ndim != 2):
        raise RuntimeError(
            f"[cosine_embedding_loss] 1D target tensor expects 2D input tensors, but found inputs with sizes {found}."
        )
    if target.ndim == 0 and (input1.ndim != 1 or input2.ndim != 1):
        raise RuntimeError(
            f"[cosine_embedding_loss] 0D target tensor expects 1D input tensors, but found inputs with sizes {found}."
        )
    need_shapes("cosine_embedding_loss", input1=input1, input2=input2)
    if target.ndim == 1 and 1 != target.shape[0] != input1.shape[0] != 1:
        raise RuntimeError(f"[cosine_embedding_loss] one target a row: got inputs with sizes {found} and {len(target)} targets")
    tiny = 1e-12
    dot = (input1 * input2).sum(-1)
    square1 = (input1 * input1).sum(-1) + tiny
    square2 = (input2 * input2).sum(-1) + tiny
    cos = dot / (square1 * square2).sqrt()
    zero = taeda.zeros_like(cos)
    near = taeda.where(target == 1, 1 - cos, zero)
    far = taeda.where(target == -1, (cos - margin).clamp_min(0), zero)
    return reduced("cosine_embedding_loss", near + far, reduction)


def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return sum over wrong classes c of weight max(0, margin - x[t] + x[c])^p, over the number of classes.

    Args:
        input: (B, C) or (C,).
        target: class numbers (B,) or a scalar.
        p: 1 or 2.
        weight: (C,).

    >>> import taeda, taeda.nn.functional as F
    >>> F.multi_margin_loss(taeda.tensor([[0.1, 0.9]]), taeda.tensor([1]))
    tensor(0.1000)
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    if weight is not None and weight.ndim != 1:
        raise ValueError(f"[multi_margin_loss] weight must be one-dimensional, got {weight.ndim}D")
    return ops.multi_margin_loss(input, target, p, margin, weight, reduction)


def multilabel_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return sum over right classes j and wrong classes i of max(0, 1 - (x[j] - x[i])), over their number.

    Args:
        input: (B, C) or (C,).
        target: the same shape, class numbers up to the first -1 of each row.

    Raises:
        RuntimeError: the shapes differ, or a class is out of range.

    >>> import taeda, taeda.nn.functional as F
    >>> F.multilabel_margin_loss(taeda.tensor([[0.1, 0.9]]), taeda.tensor([[1, -1]]))
    tensor(0.1000)
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    return ops.multilabel_margin_loss(input, target, reduction)


def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the mean over classes of -(t log sigmoid(x) + (1 - t) log sigmoid(-x)).

    Args:
        input, target: (B, C).
        weight: (C,).

    >>> import taeda, taeda.nn.functional as F
    >>> F.multilabel_soft_margin_loss(taeda.tensor([[0.0, 2.0]]), taeda.tensor([[0.0, 1.0]]))
    tensor(0.4100)
    """
    need_tensors("multilabel_soft_margin_loss", input, target)
    need_shapes("multilabel_soft_margin_loss", input=input, target=target)
    reduction = legacy_reduction(size_average, reduce, reduction)
    loss = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    if weight is not None:
        loss = loss * weight
    return reduced("multilabel_soft_margin_loss", loss.mean(-1), reduction)


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return max(0, d(anchor, positive) - d(anchor, negative) + margin) (Balntas et al., 2016).

    Args:
        anchor, positive, negative: (B, D) or (D,).
        p, eps: of ``pairwise_distance``.
        swap: take d(positive, negative) where it is the smaller of the two distances to negative.

    Raises:
        ValueError: margin is not positive.
        RuntimeError: numbers of dimensions differ.

    >>> import taeda, taeda.nn.functional as F
    >>> F.triplet_margin_loss(taeda.zeros(1, 2), taeda.ones(1, 2), 3 * taeda.ones(1, 2))
    tensor(0.)
    """
    need_tensors("triplet_margin_loss", anchor, positive, negative)
    reduction = legacy_reduction(size_average, reduce, reduction)
    if margin <= 0:
        raise ValueError(f"[triplet_margin_loss] margin must be greater than 0, got {margin}")
    need_shapes("triplet_margin_loss", anchor=anchor, positive=positive, negative=negative)

    def distance(a: Tensor, b: Tensor) -> Tensor:
        return pairwise_distance(a, b, p, eps)

    return _triplet("triplet_margin_loss", anchor, positive, negative, distance, margin, swap, reduction)


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """Return ``triplet_margin_loss`` with a distance of the caller's own; RuntimeError where the numbers of dimensions differ.

    >>> import taeda, taeda.nn.functional as F
    >>> F.triplet_margin_with_distance_loss(taeda.zeros(1, 2), taeda.ones(1, 2), 3 * taeda.ones(1, 2))
    tensor(0.)
    """
    op = "triplet_margin_with_distance_loss"
    check_reduction(op, reduction)
    if margin <= 0:
        raise ValueError(f"[{op}] margin must be greater than 0, got {margin}")
    return _triplet(op, anchor, positive, negative, distance_function or pairwise_distance, margin, swap, reduction)


def _triplet(
    op: str,
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    distance: Callable[[Tensor, Tensor], Tensor],
    margin: float,
    swap: bool,
    reduction: str,
) -> Tensor:
    need_tensors(op, anchor, positive, negative)
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise RuntimeError(
            f"[{op}] The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: "
            f"anchor {anchor.ndim}D, positive {positive.ndim}D, and negative {negative.ndim}D inputs"
        )
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = taeda.minimum(far, distance(positive, negative))
    return reduced(op, (margin + near - far).clamp_min(0), reduction)
