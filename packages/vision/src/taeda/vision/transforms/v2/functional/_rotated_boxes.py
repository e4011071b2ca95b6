"""Rotated boxes at the borders of the canvas: they are cut so that they keep their angle.

A box is cut off at the left border, then turned with its canvas by a quarter, four times. Its sides are lines ``y = a x + b``; cutting
moves them, which changes b alone. Corners are in the order of torchvision's, whose results these are.
"""

from __future__ import annotations

from collections.abc import Sequence

import taeda
from taeda import Tensor

__all__ = ["clamp_corners"]


def clamp_corners(boxes: Tensor, canvas: Sequence[int], hard: bool) -> Tensor:
    """Cut boxes, n x 8 as four corners each, off at the borders of a canvas (height, width).

    Args:
        hard: the result lies within the canvas and the box; else it is the smallest that holds what both have in common.
    """
    h, w = canvas
    whole = boxes
    for _ in range(4):
        order = _from_leftmost(boxes)
        boxes, whole = boxes.gather(1, order), whole.gather(1, order)
        boxes = _cut_left(boxes, whole, h, w, hard)
        boxes, whole = (_turned(x.gather(1, order), w) for x in (boxes, whole))
        h, w = w, h
    return boxes


def _from_leftmost(boxes: Tensor) -> Tensor:
    """Return the columns in an order that starts with the leftmost corner, and of two the upper one."""
    x, y = boxes[:, ::2], boxes[:, 1::2]
    first = (y / y.abs().amax(1, keepdim=True) + x / x.abs().amax(1, keepdim=True) * 100).min(dim=1).indices
    return (2 * first[:, None] + taeda.arange(8)) % 8


def _turned(boxes: Tensor, width: int) -> Tensor:
    """Turn boxes and a canvas of this width by a quarter, counter-clockwise."""
    return taeda.stack([boxes[:, 1::2], width - boxes[:, ::2]], dim=2).reshape(-1, 8)


def _sides(boxes: Tensor) -> tuple[Tensor, Tensor]:
    """Return slope and intercept of the sides, n x 4 each: the first from the first corner to the second."""
    x, y = boxes[:, ::2], boxes[:, 1::2]
    a = (y.roll(-1, 1) - y) / (x.roll(-1, 1) - x)
    return a, y - a * x


def _corners(a: Tensor, b: Tensor) -> Tensor:
    """Return the corners, n x 8, in which each side meets the one before."""
    x = (b.roll(1, 1) - b) / (a - a.roll(1, 1))
    return taeda.stack([x, a * x + b], dim=2).reshape(-1, 8)


def _cut_left(boxes: Tensor, whole: Tensor, h: int, w: int, hard: bool) -> Tensor:
    """Cut boxes off at x = 0; `whole` are the boxes as they were at first."""
    a, b = _sides(boxes)
    moved = _corners(a, _intercepts(a, b, _sides(whole)[1], h, w, hard))
    x1, y1, x2, y2, x3, y3, x4, y4 = boxes.unbind(1)
    upright = y1.isclose(y2) | y3.isclose(y4)
    straight = taeda.stack([x1.clamp(min=0), y1, x2, y2, x3, y3, x4.clamp(min=0), y4], dim=1)
    outside = (boxes[:, ::2] <= 0).all(dim=1)
    nothing = outside | y1.isclose(y4) | y2.isclose(y3) | (upright & x1.isclose(x2))
    out = taeda.where(((x1 < 0) & ~moved.isnan().any(-1))[:, None], moved, boxes)
    out = taeda.where(upright[:, None], straight, out)
    return taeda.where(nothing[:, None], taeda.zeros_like(out), out)


def _intercepts(a: Tensor, b: Tensor, first: Tensor, h: int, w: int, hard: bool) -> Tensor:
    """Return where the sides, moved, meet x = 0: n x 4; `first` are the intercepts of the boxes as they were at first."""
    (a1, a2, a3, a4), (b1, b2, b3, b4), (f1, f2, f3, f4) = (x.unbind(1) for x in (a, b, first))
    b1, b4 = b2.clamp(b1, b3).clamp(0, h), b3.clamp(b2, b4).clamp(0, h)
    if hard:
        b1 = b4 = (b1 + b4) / 2
        # The sides opposite: no farther out than where a corner meets the top, the right or the bottom border.
        least = taeda.stack([b1 * a2 / a1, b3 * a2 / a3, (a1 - a2) * w + b1, (a3 - a2) * w + b3], dim=1).amax(1)
        b2 = least.minimum(b2)
        below = [h * (1 - a3 / a4) + b4 * a3 / a4, h * (1 - a3 / a2) + b2 * a3 / a2, (a2 - a3) * w + b2, (a4 - a3) * w + b4]
        b3 = taeda.stack(below, dim=1).amin(1).maximum(b3)
        b1 = b4 = b1.clamp(f1, f3).clamp(f2, f4)
    else:
        b1, b4 = b1.clamp(f1, f3), b4.clamp(f2, f4)
    return taeda.stack([b1, b2.clamp(f2, f4), b3.clamp(f1, f3), b4], dim=1)
