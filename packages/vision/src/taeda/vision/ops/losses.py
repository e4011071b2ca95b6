"""Losses of detectors: one less an overlap of each pair of boxes, and the focal loss."""

from __future__ import annotations

import math

import taeda
from taeda import Tensor
from taeda.nn import functional as F

__all__ = ["complete_box_iou_loss", "distance_box_iou_loss", "generalized_box_iou_loss", "sigmoid_focal_loss"]


def _reduce(loss: Tensor, reduction: str, op: str) -> Tensor:
    if reduction == "none":
        return loss
    if reduction == "mean":
        return loss.mean() if loss.numel() > 0 else 0.0 * loss.sum()
    if reduction == "sum":
        return loss.sum()
    raise ValueError(f"[{op}] Invalid Value for arg 'reduction': {reduction!r}; supported are 'none', 'mean', 'sum'")


def _floats(op: str, *boxes: Tensor) -> list[Tensor]:
    """Return pairs of boxes in a dtype that losses are computed in."""
    if any(b.shape[-1:] != (4,) for b in boxes):
        shapes = " and ".join(str(tuple(b.shape)) for b in boxes)
        raise ValueError(f"[{op}] boxes should have 4 numbers each, shape n x 4, got shapes {shapes}")
    return [b if b.dtype in (taeda.float32, taeda.float64) else b.float() for b in boxes]


def _corners(boxes: Tensor) -> tuple[Tensor, Tensor]:
    return boxes[..., :2], boxes[..., 2:]


def _overlap(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return intersection, union, and width and height of the hull of each pair of boxes."""
    (low_a, high_a), (low_b, high_b) = _corners(a), _corners(b)
    sides = taeda.minimum(high_a, high_b) - taeda.maximum(low_a, low_b)
    meet = (sides > 0).all(-1)
    inter = taeda.where(meet, sides[..., 0] * sides[..., 1], taeda.zeros_like(sides[..., 0]))
    size_a, size_b = high_a - low_a, high_b - low_b
    union = size_a[..., 0] * size_a[..., 1] + size_b[..., 0] * size_b[..., 1] - inter
    return inter, union, taeda.maximum(high_a, high_b) - taeda.minimum(low_a, low_b)


def generalized_box_iou_loss(boxes1: Tensor, boxes2: Tensor, reduction: str = "none", eps: float = 1e-7) -> Tensor:
    """Return ``1 - GIoU`` of each pair of boxes (x1, y1, x2, y2): n x 4 twice gives n (Rezatofighi et al., 2019).

    Args:
        boxes1, boxes2: n x 4, as (x1, y1, x2, y2).
        reduction: "none", "mean" or "sum".
        eps: added to denominators.

    >>> import taeda
    >>> from taeda.vision.ops import generalized_box_iou_loss
    >>> generalized_box_iou_loss(taeda.tensor([[0.0, 0, 1, 1]]), taeda.tensor([[0.0, 0, 1, 1]]))
    tensor([1.1921e-07])
    """
    inter, union, hull = _overlap(*_floats("generalized_box_iou_loss", boxes1, boxes2))
    area = hull[..., 0] * hull[..., 1]
    return _reduce(1 - (inter / (union + eps) - (area - union) / (area + eps)), reduction, "generalized_box_iou_loss")


def _distance(a: Tensor, b: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    inter, union, hull = _overlap(a, b)
    iou = inter / (union + eps)
    apart = (a[..., :2] + a[..., 2:]) / 2 - (b[..., :2] + b[..., 2:]) / 2
    return 1 - iou + (apart**2).sum(-1) / ((hull**2).sum(-1) + eps), iou


def distance_box_iou_loss(boxes1: Tensor, boxes2: Tensor, reduction: str = "none", eps: float = 1e-7) -> Tensor:
    """Return ``1 - IoU`` and the squared distance of the centres over the squared diagonal of the hull (Zheng et al., 2020).

    Arguments as `generalized_box_iou_loss`.

    >>> import taeda
    >>> from taeda.vision.ops import distance_box_iou_loss
    >>> distance_box_iou_loss(taeda.tensor([[0.0, 0, 2, 2]]), taeda.tensor([[2.0, 2, 4, 4]]))
    tensor([1.2500])
    """
    a, b = _floats("distance_box_iou_loss", boxes1, boxes2)
    return _reduce(_distance(a, b, eps)[0], reduction, "distance_box_iou_loss")


def complete_box_iou_loss(boxes1: Tensor, boxes2: Tensor, reduction: str = "none", eps: float = 1e-7) -> Tensor:
    """Return the distance IoU loss with a term for the difference of aspect ratios (Zheng et al., 2020).

    Arguments as `generalized_box_iou_loss`.

    >>> import taeda
    >>> from taeda.vision.ops import complete_box_iou_loss
    >>> complete_box_iou_loss(taeda.tensor([[0.0, 0, 2, 2]]), taeda.tensor([[2.0, 2, 4, 4]]), reduction="sum")
    tensor(1.2500)
    """
    a, b = _floats("complete_box_iou_loss", boxes1, boxes2)
    loss, iou = _distance(a, b, 1e-7)          # as in torchvision: `eps` is for alpha alone
    size_a, size_b = a[..., 2:] - a[..., :2], b[..., 2:] - b[..., :2]
    slopes = taeda.atan(size_b[..., 0] / size_b[..., 1]) - taeda.atan(size_a[..., 0] / size_a[..., 1])
    v = (4 / math.pi**2) * slopes**2
    with taeda.no_grad():
        alpha = v / (1 - iou + v + eps)
    return _reduce(loss + alpha * v, reduction, "complete_box_iou_loss")


def sigmoid_focal_loss(
    inputs: Tensor, targets: Tensor, alpha: float = 0.25, gamma: float = 2, reduction: str = "none"
) -> Tensor:
    """Return the focal loss ``-alpha_t (1 - p_t)^gamma log p_t`` (Lin et al., 2017).

    Args:
        inputs: logits of any shape.
        targets: 0 or 1, same shape.
        alpha: weight of ones against zeros; -1 for none.
        gamma: how much less sure answers weigh.

    Raises:
        ValueError: alpha lies outside 0 ... 1 and is not -1, or the reduction is unknown.

    >>> import taeda
    >>> from taeda.vision.ops import sigmoid_focal_loss
    >>> sigmoid_focal_loss(taeda.tensor([0.0]), taeda.tensor([1.0]))
    tensor([0.0433])
    """
    if not 0 <= alpha <= 1 and alpha != -1:
        raise ValueError(f"[sigmoid_focal_loss] Invalid alpha value: {alpha}; it should be 0 to 1, or -1 for no weights")
    p = taeda.sigmoid(inputs)
    loss = F.binary_cross_entropy_with_logits(inputs, targets, reduction="none")
    p_t = p * targets + (1 - p) * (1 - targets)
    loss = loss * (1 - p_t) ** gamma
    if alpha >= 0:
        loss = (alpha * targets + (1 - alpha) * (1 - targets)) * loss
    return _reduce(loss, reduction, "sigmoid_focal_loss")
