"""Formats of boxes: straight ones by corners, or a corner or the centre and the size; rotated ones with an angle, or four corners."""

from __future__ import annotations

import math
from typing import Any

import taeda
from taeda import Tensor

STRAIGHT = ("xyxy", "xywh", "cxcywh")
ROTATED = ("xywhr", "cxcywhr", "xyxyxyxy")

# One function a step, from each format to its neighbour; _STEPS says which lead from one to another.


def _from_xywh(b: Tensor) -> list[Tensor]:
    x, y, w, h = b.unbind(-1)
    return [x, y, x + w, y + h]


def _from_cxcywh(b: Tensor) -> list[Tensor]:
    cx, cy, w, h = b.unbind(-1)
    return [cx - 0.5 * w, cy - 0.5 * h, cx + 0.5 * w, cy + 0.5 * h]


def _to_xywh(b: Tensor) -> list[Tensor]:
    x1, y1, x2, y2 = b.unbind(-1)
    return [x1, y1, x2 - x1, y2 - y1]


def _to_cxcywh(b: Tensor) -> list[Tensor]:
    x1, y1, x2, y2 = b.unbind(-1)
    return [(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1]


def _turn(r: Tensor) -> tuple[Tensor, Tensor]:
    """Cosine and sine of an angle in degrees, counted counter-clockwise (y points down)."""
    radians = r * math.pi / 180.0
    return taeda.cos(radians), taeda.sin(radians)


def corner_of_center(b: Tensor) -> list[Tensor]:
    """Turn (centre, size, angle) into (first corner, size, angle)."""
    cx, cy, w, h, r = b.unbind(-1)
    cos, sin = _turn(r)
    return [cx - w / 2 * cos - h / 2 * sin, cy - h / 2 * cos + w / 2 * sin, w, h, r]


def center_of_corner(b: Tensor) -> list[Tensor]:
    """Turn (first corner, size, angle) into (centre, size, angle)."""
    x, y, w, h, r = b.unbind(-1)
    cos, sin = _turn(r)
    return [x + w / 2 * cos + h / 2 * sin, y - w / 2 * sin + h / 2 * cos, w, h, r]


def corners_of(b: Tensor) -> list[Tensor]:
    """Turn (first corner, size, angle) into all four corners."""
    x1, y1, w, h, r = b.unbind(-1)
    cos, sin = _turn(r)
    x2, y2 = x1 + w * cos, y1 - w * sin
    return [x1, y1, x2, y2, x2 + h * sin, y2 + h * cos, x1 + h * sin, y1 + h * cos]


def from_corners(b: Tensor) -> list[Tensor]:
    """Turn four corners into (first corner, size, angle)."""
    x1, y1, x2, y2, x3, y3, _, _ = b.unbind(-1)
    angle = taeda.atan2(y1 - y2, x2 - x1) * 180 / math.pi
    w = ((x2 - x1) ** 2 + (y1 - y2) ** 2).sqrt()
    h = ((x3 - x2) ** 2 + (y3 - y2) ** 2).sqrt()
    return [x1, y1, w, h, angle]


_STEPS: dict[tuple[str, str], tuple[Any, ...]] = {
    ("xywh", "xyxy"): (_from_xywh,),
    ("cxcywh", "xyxy"): (_from_cxcywh,),
    ("xyxy", "xywh"): (_to_xywh,),
    ("xyxy", "cxcywh"): (_to_cxcywh,),
    ("xywh", "cxcywh"): (_from_xywh, _to_cxcywh),
    ("cxcywh", "xywh"): (_from_cxcywh, _to_xywh),
    ("cxcywhr", "xywhr"): (corner_of_center,),
    ("xywhr", "cxcywhr"): (center_of_corner,),
    ("cxcywhr", "xyxyxyxy"): (corner_of_center, corners_of),
    ("xyxyxyxy", "cxcywhr"): (from_corners, center_of_corner),
    ("xywhr", "xyxyxyxy"): (corners_of,),
    ("xyxyxyxy", "xywhr"): (from_corners,),
}


def box_convert(boxes: Tensor, in_fmt: str, out_fmt: str) -> Tensor:
    """Convert boxes ``... x 4`` (5 or 8 for rotated ones) between formats.

    Args:
        in_fmt, out_fmt: ``xyxy`` two corners; ``xywh`` a corner and the size; ``cxcywh`` the centre and the size; ``xywhr`` and
            ``cxcywhr`` the same, turned by r degrees counter-clockwise; ``xyxyxyxy`` four corners.

    Raises:
        ValueError: there is no such format.
        NotImplementedError: one is straight, the other rotated.

    >>> import taeda
    >>> from taeda.vision.ops import box_convert
    >>> box_convert(taeda.tensor([2.0, 3.0, 4.0, 6.0]), "xywh", "cxcywh")
    tensor([4., 6., 4., 6.])
    """
    if in_fmt not in STRAIGHT + ROTATED or out_fmt not in STRAIGHT + ROTATED:
        raise ValueError(
            f"[box_convert] Unsupported Bounding Box Conversions for given in_fmt {in_fmt} and out_fmt {out_fmt}; "
            f"formats are {', '.join(STRAIGHT + ROTATED)}"
        )
    if in_fmt == out_fmt:
        return boxes.clone()
    if (in_fmt, out_fmt) not in _STEPS:
        raise NotImplementedError(
            f"[box_convert] Unsupported Bounding Box Conversions for given in_fmt {in_fmt} and out_fmt {out_fmt}"
        )
    rounds = not boxes.is_floating_point() and in_fmt in ROTATED
    dtype = boxes.dtype
    for step in _STEPS[in_fmt, out_fmt]:
        boxes = taeda.stack(step(boxes), dim=-1)
        if rounds:
            boxes = boxes.round().to(dtype)
    return boxes
