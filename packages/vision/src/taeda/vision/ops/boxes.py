"""Boxes: their formats, areas and overlaps, and the choice of the best among those that overlap."""

from __future__ import annotations

import math

import taeda
from taeda import Tensor
from taeda.ops import nms as _nms
from taeda.vision.ops._box_formats import ROTATED, STRAIGHT, box_convert
from taeda.vision.ops._rotated import rotated_iou

__all__ = [
    "batched_nms",
    "box_area",
    "box_convert",
    "box_iou",
    "clip_boxes_to_image",
    "complete_box_iou",
    "distance_box_iou",
    "generalized_box_iou",
    "masks_to_boxes",
    "nms",
    "remove_small_boxes",
]


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """Keep the best of boxes that overlap: greedily, from the highest score, drop what overlaps a kept box more than a threshold.

    Args:
        boxes: n x 4, as (x1, y1, x2, y2).
        scores: n.
        iou_threshold: a box is dropped where its intersection over union with a kept one is larger.

    Returns:
        The indices of the kept boxes, int64, highest score first.

    Raises:
        RuntimeError: the shapes do not fit, or the dtypes differ.

    >>> import taeda
    >>> from taeda.vision.ops import nms
    >>> boxes = taeda.tensor([[0.0, 0, 10, 10], [1, 0, 10, 10], [20, 20, 30, 30]])
    >>> nms(boxes, taeda.tensor([0.5, 0.9, 0.7]), 0.5)
    tensor([1, 2])
    """
    return _nms(boxes, scores, iou_threshold)


def batched_nms(boxes: Tensor, scores: Tensor, idxs: Tensor, iou_threshold: float) -> Tensor:
    """Do `nms` within each group: boxes with different `idxs` never drop each other.

    Few boxes are moved apart, group by group, so that one pass does; many are taken one group after the other.

    Args:
        boxes: n x 4, as (x1, y1, x2, y2).
        scores: n.
        idxs: n, the group of each box, such as its class.
        iou_threshold: as in `nms`.

    Returns:
        The indices of the kept boxes, int64, highest score first.

    >>> import taeda
    >>> from taeda.vision.ops import batched_nms
    >>> boxes = taeda.tensor([[0.0, 0, 10, 10], [1, 0, 10, 10]])
    >>> batched_nms(boxes, taeda.tensor([0.5, 0.9]), taeda.tensor([0, 1]), 0.5)
    tensor([1, 0])
    """
    if boxes.numel() == 0:
        return taeda.empty((0,), dtype=taeda.int64, device=boxes.device)
    if boxes.numel() <= 4000:
        apart = idxs.to(boxes) * (boxes.max() + taeda.tensor(1).to(boxes))
        return nms(boxes + apart[:, None], scores, iou_threshold)
    keep = taeda.zeros_like(scores, dtype=taeda.bool)
    for group in taeda.unique(idxs):
        members = taeda.where(idxs == group)[0]
        keep[members[nms(boxes[members], scores[members], iou_threshold)]] = True
    kept = taeda.where(keep)[0]
    return kept[scores[kept].sort(descending=True)[1]]


def remove_small_boxes(boxes: Tensor, min_size: float) -> Tensor:
    """Return the indices of the boxes (x1, y1, x2, y2) with both sides at least `min_size`.

    >>> import taeda
    >>> from taeda.vision.ops import remove_small_boxes
    >>> remove_small_boxes(taeda.tensor([[0.0, 0.0, 2.0, 3.0], [0.0, 0.0, 9.0, 9.0]]), min_size=5.0)
    tensor([1])
    """
    w, h = boxes[..., 2] - boxes[..., 0], boxes[..., 3] - boxes[..., 1]
    return taeda.where((w >= min_size) & (h >= min_size))[0]


def clip_boxes_to_image(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Cut boxes (x1, y1, x2, y2) off at the borders of an image of size (height, width).

    >>> import taeda
    >>> from taeda.vision.ops import clip_boxes_to_image
    >>> clip_boxes_to_image(taeda.tensor([[-1.0, 2.0, 20.0, 30.0]]), (10, 15))
    tensor([[ 0.,  2., 15., 10.]])
    """
    height, width = size
    x, y = boxes[..., 0::2].clamp(0, width), boxes[..., 1::2].clamp(0, height)
    return taeda.stack((x, y), dim=boxes.dim()).reshape(boxes.shape)


def wide(t: Tensor) -> Tensor:
    """Return `t` in a dtype in which products of coordinates do not overflow."""
    if t.is_floating_point():
        return t if t.dtype in (taeda.float32, taeda.float64) else t.float()
    return t if t.dtype in (taeda.int32, taeda.int64) else t.int()


_upcast = wide                                          # as copies of torchvision's functions call it


def box_area(boxes: Tensor, fmt: str = "xyxy") -> Tensor:
    """Return the areas of boxes ``... x 4``.

    Raises:
        ValueError: `fmt` is none of ``xyxy``, ``xywh``, ``cxcywh``.

    >>> import taeda
    >>> from taeda.vision.ops import box_area
    >>> box_area(taeda.tensor([[0.0, 0.0, 2.0, 3.0]]))
    tensor([6.])
    """
    if fmt not in STRAIGHT:
        raise ValueError(f"[box_area] Unsupported Bounding Box area for given format {fmt}; formats are {', '.join(STRAIGHT)}")
    boxes = wide(boxes)
    if fmt == "xyxy":
        return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])
    return boxes[..., 2] * boxes[..., 3]


def _ends(boxes: Tensor, fmt: str) -> tuple[Tensor, Tensor]:
    """Return the upper left and the lower right corners."""
    first, second = boxes[..., :2], boxes[..., 2:]
    if fmt == "xyxy":
        return first, second
    if fmt == "xywh":
        return first, first + second
    return first - second / 2, first + second / 2


def _pairs(boxes1: Tensor, boxes2: Tensor, fmt: str = "xyxy", op: str = "box_iou") -> tuple[Tensor, Tensor]:
    """Return the intersections and unions of all pairs: n x 4 and m x 4 give n x m each."""
    for boxes in (boxes1, boxes2):
        if boxes.shape[-1:] != (4,):
            error = RuntimeError if boxes.dim() and boxes.shape[-1] > 4 else IndexError
            raise error(f"[{op}] boxes should have 4 numbers each, shape n x 4, got shapes {tuple(boxes1.shape)} and {tuple(boxes2.shape)}")
    (low1, high1), (low2, high2) = _ends(boxes1, fmt), _ends(boxes2, fmt)
    inter = _extent(taeda.maximum(low1[..., None, :], low2[..., None, :, :]), taeda.minimum(high1[..., None, :], high2[..., None, :, :]))
    inter = inter[..., 0] * inter[..., 1]
    return inter, box_area(boxes1, fmt)[..., None] + box_area(boxes2, fmt)[..., None, :] - inter


_box_inter_union = _pairs             # torchvision's name, which models of others import


def _extent(low: Tensor, high: Tensor) -> Tensor:
    return wide(high - low).clamp(min=0)


def _hull(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    """Return width and height of the smallest box around each pair: n x m x 2."""
    low = taeda.minimum(boxes1[..., None, :2], boxes2[..., None, :, :2])
    return _extent(low, taeda.maximum(boxes1[..., None, 2:], boxes2[..., None, :, 2:]))


def box_iou(boxes1: Tensor, boxes2: Tensor, fmt: str = "xyxy") -> Tensor:
    """Return intersection over union of all pairs: n x 4 and m x 4 give n x m.

    Args:
        fmt: a format of `box_convert`; rotated boxes are supported too.

    Raises:
        ValueError: there is no such format.

    >>> import taeda
    >>> from taeda.vision.ops import box_iou
    >>> box_iou(taeda.tensor([[0.0, 0, 2, 2]]), taeda.tensor([[1.0, 0, 3, 2], [5, 5, 6, 6]]))
    tensor([[0.3333, 0.0000]])
    """
    if fmt in ROTATED:
        return rotated_iou(boxes1, boxes2, fmt)
    if fmt not in STRAIGHT:
        raise ValueError(f"[box_iou] Unsupported format {fmt!r}; formats are {', '.join(STRAIGHT + ROTATED)}")
    inter, union = _pairs(boxes1, boxes2, fmt)
    return inter / union


def generalized_box_iou(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    """Return ``IoU - (hull - union) / hull`` of all pairs (Rezatofighi et al., 2019).

    >>> import taeda
    >>> from taeda.vision.ops import generalized_box_iou
    >>> generalized_box_iou(taeda.tensor([[0.0, 0.0, 2.0, 2.0]]), taeda.tensor([[0.0, 0.0, 2.0, 2.0], [2.0, 2.0, 4.0, 4.0]]))
    tensor([[ 1.0000, -0.5000]])
    """
    inter, union = _pairs(boxes1, boxes2, op="generalized_box_iou")
    sides = _hull(boxes1, boxes2)
    hull = sides[..., 0] * sides[..., 1]
    return inter / union - (hull - union) / hull


def distance_box_iou(boxes1: Tensor, boxes2: Tensor, eps: float = 1e-7) -> Tensor:
    """Return IoU less the squared distance of the centres over the squared diagonal of the hull (Zheng et al., 2020).

    >>> import taeda
    >>> from taeda.vision.ops import distance_box_iou
    >>> distance_box_iou(taeda.tensor([[0.0, 0.0, 2.0, 2.0]]), taeda.tensor([[0.0, 0.0, 2.0, 2.0], [2.0, 2.0, 4.0, 4.0]]))
    tensor([[ 1.0000, -0.2500]])
    """
    return _distance(wide(boxes1), wide(boxes2), eps, "distance_box_iou")[0]


def _distance(boxes1: Tensor, boxes2: Tensor, eps: float, op: str) -> tuple[Tensor, Tensor]:
    inter, union = _pairs(boxes1, boxes2, op=op)
    iou = inter / union
    diagonal = (_hull(boxes1, boxes2) ** 2).sum(-1) + eps
    center1, center2 = (boxes1[..., :2] + boxes1[..., 2:]) / 2, (boxes2[..., :2] + boxes2[..., 2:]) / 2
    apart = (wide(center1[..., None, :] - center2[..., None, :, :]) ** 2).sum(-1)
    return iou - apart / diagonal, iou


def complete_box_iou(boxes1: Tensor, boxes2: Tensor, eps: float = 1e-7) -> Tensor:
    """Return the distance IoU less a term for the difference of aspect ratios (Zheng et al., 2020).

    >>> import taeda
    >>> from taeda.vision.ops import complete_box_iou
    >>> complete_box_iou(taeda.tensor([[0.0, 0.0, 2.0, 2.0]]), taeda.tensor([[0.0, 0.0, 2.0, 2.0], [2.0, 2.0, 4.0, 4.0]]))
    tensor([[ 1.0000, -0.2500]])
    """
    boxes1, boxes2 = wide(boxes1), wide(boxes2)
    diou, iou = _distance(boxes1, boxes2, eps, "complete_box_iou")
    size1, size2 = boxes1[..., 2:] - boxes1[..., :2], boxes2[..., 2:] - boxes2[..., :2]
    slope1, slope2 = taeda.atan(size1[..., 0] / size1[..., 1]), taeda.atan(size2[..., 0] / size2[..., 1])
    v = (4 / math.pi**2) * (slope1[..., None] - slope2[..., None, :]) ** 2
    with taeda.no_grad():
        alpha = v / (1 - iou + v + eps)
    return diou - alpha * v


def masks_to_boxes(masks: Tensor) -> Tensor:
    """Return the smallest box around each mask: n x H x W gives n x 4, as (x1, y1, x2, y2), float32; zeros for empty masks.

    >>> import taeda
    >>> from taeda.vision.ops import masks_to_boxes
    >>> mask = taeda.zeros(1, 5, 5)
    >>> mask[0, 1:3, 2:5] = 1
    >>> masks_to_boxes(mask)
    tensor([[2., 1., 4., 2.]])
    """
    if masks.numel() == 0:
        return taeda.zeros((0, 4), device=masks.device)
    _, h, w = masks.shape
    masks = masks.bool()
    rows, columns = masks.any(dim=2), masks.any(dim=1)
    ends = [
        columns.float().argmax(dim=1),
        rows.float().argmax(dim=1),
        w - 1 - columns.flip(1).float().argmax(dim=1),
        h - 1 - rows.flip(1).float().argmax(dim=1),
    ]
    return taeda.stack(ends, dim=1).float() * rows.any(dim=1, keepdim=True)
