"""Overlaps of rotated boxes: the polygon where two rectangles meet, for all pairs at once.

Its corners are among 24 points: the corners of each rectangle that lie in the other, and the crossings of their sides. Sorted by
their angle about the mean, the shoelace formula gives the area.
"""

from __future__ import annotations

import taeda
from taeda import Tensor
from taeda.vision.ops._box_formats import box_convert

__all__ = ["rotated_iou"]


def rotated_iou(boxes1: Tensor, boxes2: Tensor, fmt: str) -> Tensor:
    """Return intersection over union of all pairs of rotated boxes: n x k and m x k give n x m."""
    dtype = boxes1.dtype
    a, b = (box_convert(x.double(), fmt, "cxcywhr") for x in (boxes1, boxes2))
    inter = _intersection(a[:, None], b[None])
    area1, area2 = a[:, 2] * a[:, 3], b[:, 2] * b[:, 3]
    union = area1[:, None] + area2[None] - inter
    tiny = (area1[:, None] < 1e-14) | (area2[None] < 1e-14)
    return taeda.where(tiny, taeda.zeros_like(inter), inter / taeda.where(tiny, taeda.ones_like(union), union)).to(dtype)


def _intersection(a: Tensor, b: Tensor) -> Tensor:
    """Return the areas where a (n x 1 x 5) and b (1 x m x 5) meet: n x m."""
    middle = (a[..., :2] + b[..., :2]) / 2          # coordinates near zero keep their digits
    shape = taeda.broadcast_shapes(a.shape[:-1], b.shape[:-1])
    corners = []
    for x in (a, b):
        moved = taeda.cat([x[..., :2] - middle, x[..., 2:].expand(*shape, 3)], dim=-1)
        corners.append(box_convert(moved, "cxcywhr", "xyxyxyxy").reshape(*shape, 4, 2))
    p, q = corners
    u, v = p.roll(-1, -2) - p, q.roll(-1, -2) - q
    inside = [_inside(p, q, v), _inside(q, p, u)]
    # Sides p + s u and q + t v cross where 0 <= s, t <= 1.
    u, v, gap = u[..., :, None, :], v[..., None, :, :], q[..., None, :, :] - p[..., :, None, :]
    det = _cross(u, v)
    parallel = det.abs() <= 1e-14
    det = taeda.where(parallel, taeda.ones_like(det), det)
    s, t = _cross(gap, v) / det, _cross(gap, u) / det
    meets = ~parallel & (s >= 0) & (s <= 1) & (t >= 0) & (t <= 1)
    crossings = p[..., :, None, :] + s[..., None] * u
    points = taeda.cat([p, q, crossings.reshape(*shape, 16, 2)], dim=-2)
    valid = taeda.cat([*inside, meets.reshape(*shape, 16)], dim=-1)
    return _area(points, valid)


def _cross(u: Tensor, v: Tensor) -> Tensor:
    return u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]


def _inside(points: Tensor, corners: Tensor, sides: Tensor) -> Tensor:
    """Whether points ... x 4 x 2 lie in the rectangle with these corners and sides: ... x 4."""
    from_corner = points - corners[..., :1, :]
    ok = taeda.ones(points.shape[:-1], dtype=taeda.bool)
    for side in (sides[..., :1, :], -sides[..., 3:, :]):
        along, length = (from_corner * side).sum(-1), (side * side).sum(-1)
        ok = ok & (along >= -1e-9) & (along <= length + 1e-9)
    return ok


def _area(points: Tensor, valid: Tensor) -> Tensor:
    """Return the area of the convex polygon of the valid points, which come in any order: ... x k x 2 gives ..."""
    count = valid.sum(-1)
    inside = valid[..., None].to(points.dtype)
    center = (points * inside).sum(-2, keepdim=True) / count.clamp(min=1)[..., None, None]
    points = (points - center) * inside
    angle = taeda.atan2(points[..., 1], points[..., 0]).masked_fill(~valid, 10.0)      # what is no corner goes to the end
    order = angle.argsort(dim=-1)[..., None].expand_as(points)
    ring = points.gather(-2, order)
    last = (taeda.arange(points.shape[-2]) < count[..., None])[..., None]
    ring = taeda.where(last, ring, ring[..., :1, :].expand_as(ring))                    # closes the ring, without area
    area = _cross(ring, ring.roll(-1, -2)).sum(-1).abs() / 2
    return taeda.where(count > 2, area, taeda.zeros_like(area))
