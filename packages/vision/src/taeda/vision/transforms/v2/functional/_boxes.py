"""What happens to boxes and points when their image is cut, turned or warped."""

from __future__ import annotations

import math
from typing import Any

import taeda
from taeda import Tensor
from taeda.vision.transforms import warp
from taeda.vision.transforms.v2.functional import _geometry as G, _warps as W
from taeda.vision.transforms.v2.functional._dispatch import kernel
from taeda.vision.transforms.v2.functional._formats import BOXES, POINTS, Format, clamp, convert, rotated

_CORNERS = [[0, 1], [2, 1], [2, 3], [0, 3]]


def _upright(points: Tensor) -> Tensor:
    """Return the box (x1, y1, x2, y2) around four points each: n x 4 x 2 gives n x 4."""
    return taeda.cat([points.amin(1), points.amax(1)], dim=-1)


def _right_angled(points: Tensor) -> Tensor:
    """Return the rectangle with the centre of a parallelogram n x 8 and its longer sides' direction that just holds it."""
    p = points.reshape(-1, 4, 2)
    center = (p[:, 0] + p[:, 2]) / 2
    along, down = p[:, 1] - p[:, 0], p[:, 3] - p[:, 0]
    w, h = along.norm(dim=1), down.norm(dim=1)
    turn_w, turn_h = taeda.atan2(-along[:, 1], along[:, 0]), taeda.atan2(-down[:, 1], down[:, 0])
    between = turn_w - turn_h
    cos, sin = between.cos(), between.sin()
    sign = taeda.where(between > math.pi / 2, -1.0, 1.0)
    width = taeda.where(w < h, w * sin, w + h * cos * sign)
    height = taeda.where(w > h, h * sin, h + w * cos * sign)
    turn = taeda.where(h > w, turn_h + math.pi / 2, turn_w)
    ex = taeda.stack([turn.cos(), -turn.sin()], 1) * (width / 2)[:, None]
    ey = taeda.stack([turn.sin(), turn.cos()], 1) * (height / 2)[:, None]
    return taeda.stack([center - ex - ey, center + ex - ey, center + ex + ey, center - ex + ey], 1).reshape(-1, 8)


def _moved(boxes: Tensor, format: Any, move: Any, canvas: Any, mode: Any, shift: Tensor | None = None) -> Tensor:
    """Send the corners of boxes through `move` (k x 2 to k x 2) and take the boxes around what comes out."""
    shape, dtype = boxes.shape, boxes.dtype
    x = boxes if boxes.is_floating_point() else boxes.float()
    if rotated(format):
        x = convert(x, format, Format.XYXYXYXY).reshape(-1, 8)
        x = _right_angled(move(x.reshape(-1, 2)).reshape(-1, 8))
        middle = Format.XYXYXYXY
    else:
        x = convert(x, format, Format.XYXY).reshape(-1, 4)
        x = _upright(move(x[:, _CORNERS].reshape(-1, 2)).reshape(-1, 4, 2))
        middle = Format.XYXY
    if shift is not None:
        x = x - shift.repeat(x.shape[1] // 2)
    return convert(clamp(x, middle, canvas, mode), middle, format).reshape(shape).to(dtype)


# Mirrors


@kernel(G.horizontal_flip, BOXES)
def horizontal_flip_bounding_boxes(bounding_boxes: Tensor, format: Any, canvas_size: Any) -> Tensor:
    """Mirror boxes left and right.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> from taeda.vision.tv_tensors import BoundingBoxFormat
    >>> F.horizontal_flip_bounding_boxes(taeda.tensor([[2, 3, 6, 7]]), BoundingBoxFormat.XYXY, canvas_size=(10, 20))
    tensor([[14,  3, 18,  7]])
    """
    return _mirrored(bounding_boxes, format, canvas_size[1], 0)


@kernel(G.vertical_flip, BOXES)
def vertical_flip_bounding_boxes(bounding_boxes: Tensor, format: Any, canvas_size: Any) -> Tensor:
    """Mirror boxes top and bottom.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> from taeda.vision.tv_tensors import BoundingBoxFormat
    >>> F.vertical_flip_bounding_boxes(taeda.tensor([[2, 3, 6, 7]]), BoundingBoxFormat.XYXY, canvas_size=(10, 20))
    tensor([[2, 3, 6, 7]])
    """
    return _mirrored(bounding_boxes, format, canvas_size[0], 1)


def _mirrored(boxes: Tensor, format: Any, size: int, axis: int) -> Tensor:
    x = boxes.clone()
    if format == Format.XYXY:
        x[..., axis], x[..., axis + 2] = size - boxes[..., axis + 2], size - boxes[..., axis]
    elif format == Format.XYWH:
        x[..., axis] = size - boxes[..., axis] - boxes[..., axis + 2]
    elif format == Format.CXCYWH:
        x[..., axis] = size - boxes[..., axis]
    elif format == Format.XYXYXYXY:
        x[..., axis::2] = size - boxes[..., axis::2]
        x = x[..., [2, 3, 0, 1, 6, 7, 4, 5]]
    else:
        if format == Format.XYWHR:          # the corner that was the next one now comes first
            turn = boxes[..., 4] * math.pi / 180
            x[..., 0] += boxes[..., 2] * turn.cos()
            x[..., 1] -= boxes[..., 2] * turn.sin()
        x[..., axis] = size - x[..., axis]
        x[..., 4] = -boxes[..., 4] if axis == 0 else 180 - boxes[..., 4]
    return x


@kernel(G.horizontal_flip, POINTS)
def horizontal_flip_keypoints(keypoints: Tensor, canvas_size: Any) -> Tensor:
    """Mirror points left and right.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.horizontal_flip_keypoints(taeda.tensor([[0, 3]]), canvas_size=(10, 20))       # pixel 0 becomes pixel 19
    tensor([[19,  3]])
    """
    return taeda.stack([canvas_size[1] - 1 - keypoints[..., 0], keypoints[..., 1]], -1)


@kernel(G.vertical_flip, POINTS)
def vertical_flip_keypoints(keypoints: Tensor, canvas_size: Any) -> Tensor:
    """Mirror points top and bottom.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.vertical_flip_keypoints(taeda.tensor([[0, 3]]), canvas_size=(10, 20))
    tensor([[0, 6]])
    """
    return taeda.stack([keypoints[..., 0], canvas_size[0] - 1 - keypoints[..., 1]], -1)


# Sizes


def _ratios(canvas: Any, size: Any, max_size: Any) -> tuple[tuple[int, int], Tensor]:
    new = G.output_size(canvas, size, max_size)
    return new, taeda.tensor([new[1] / canvas[1], new[0] / canvas[0]])


@kernel(G.resize, BOXES)
def resize_bounding_boxes(
    bounding_boxes: Tensor, canvas_size: Any, size: Any, max_size: Any = None, format: Any = Format.XYXY, clamping_mode: Any = "soft"
) -> tuple[Tensor, Any]:
    """Scale boxes with their canvas; returns boxes and canvas.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.resize_bounding_boxes(taeda.tensor([[2.0, 3.0, 6.0, 7.0]]), canvas_size=(10, 20), size=[20, 20])
    (tensor([[ 2.,  6.,  6., 14.]]), (20, 20))
    """
    new, ratios = _ratios(canvas_size, size, max_size)
    if new == tuple(canvas_size):
        return bounding_boxes, canvas_size
    if rotated(format):
        return _moved(bounding_boxes, format, lambda p: p * ratios, new, clamping_mode), new
    return bounding_boxes.mul(ratios.repeat(2)).to(bounding_boxes.dtype), new


@kernel(G.resize, POINTS)
def resize_keypoints(keypoints: Tensor, size: Any, canvas_size: Any, max_size: Any = None) -> tuple[Tensor, Any]:
    """Scale points with their canvas; returns points and canvas.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.resize_keypoints(taeda.tensor([[2.0, 3.0]]), size=[20, 20], canvas_size=(10, 20))
    (tensor([[2., 6.]]), (20, 20))
    """
    new, ratios = _ratios(canvas_size, size, max_size)
    return (keypoints, canvas_size) if new == tuple(canvas_size) else (keypoints.mul(ratios).to(keypoints.dtype), new)


def _offset(boxes: Tensor, format: Any, x: int, y: int) -> Tensor:
    """Return what to add to boxes that move by (x, y)."""
    n = boxes.shape[-1]
    both = n if format in (Format.XYXY, Format.XYXYXYXY) else 2
    return taeda.tensor(([x, y] * 4)[:both] + [0] * (n - both), dtype=boxes.dtype)


@kernel(G.pad, BOXES)
def pad_bounding_boxes(
    bounding_boxes: Tensor, padding: Any, padding_mode: str = "constant", format: Any = None,
    canvas_size: Any = None, clamping_mode: Any = "soft",
) -> tuple[Tensor, Any]:
    """Move boxes by the padding; returns boxes and canvas.

    Raises:
        ValueError: the padding repeats pixels, of which there are no boxes.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> from taeda.vision.tv_tensors import BoundingBoxFormat
    >>> F.pad_bounding_boxes(taeda.tensor([[2, 3, 6, 7]]), [1, 2], format=BoundingBoxFormat.XYXY, canvas_size=(10, 20))
    (tensor([[3, 5, 7, 9]]), (14, 22))
    """
    if padding_mode != "constant":
        raise ValueError(f"[pad] Padding mode '{padding_mode}' is not supported with bounding boxes")
    left, top, right, bottom = G.edges(padding)
    canvas = (canvas_size[0] + top + bottom, canvas_size[1] + left + right)
    return clamp(bounding_boxes + _offset(bounding_boxes, format, left, top), format, canvas, clamping_mode), canvas


@kernel(G.pad, POINTS)
def pad_keypoints(keypoints: Tensor, padding: Any, padding_mode: str = "constant", canvas_size: Any = None) -> tuple[Tensor, Any]:
    """Move points by the padding; returns points and canvas.

    Raises:
        ValueError: the padding repeats pixels, of which there are no points.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.pad_keypoints(taeda.tensor([[2, 3]]), [1, 2], canvas_size=(10, 20))
    (tensor([[3, 5]]), (14, 22))
    """
    if padding_mode != "constant":
        raise ValueError(f"[pad] Padding mode '{padding_mode}' is not supported with KeyPoints")
    left, top, right, bottom = G.edges(padding)
    canvas = (canvas_size[0] + top + bottom, canvas_size[1] + left + right)
    return keypoints + taeda.tensor([left, top], dtype=keypoints.dtype), canvas


@kernel(G.crop, BOXES)
def crop_bounding_boxes(
    bounding_boxes: Tensor, top: int, left: int, height: int, width: int, format: Any = None, clamping_mode: Any = "soft"
) -> tuple[Tensor, Any]:
    """Move boxes into a crop; returns boxes and canvas.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> from taeda.vision.tv_tensors import BoundingBoxFormat
    >>> F.crop_bounding_boxes(taeda.tensor([[2, 3, 6, 7]]), top=1, left=3, height=4, width=5, format=BoundingBoxFormat.XYXY)
    (tensor([[0, 2, 3, 4]]), (4, 5))
    """
    x = bounding_boxes - _offset(bounding_boxes, format, left, top)
    x = _right_angled(x).reshape(x.shape) if format == Format.XYXYXYXY else x
    return clamp(x, format, (height, width), clamping_mode), (height, width)


@kernel(G.crop, POINTS)
def crop_keypoints(keypoints: Tensor, top: int, left: int, height: int, width: int) -> tuple[Tensor, Any]:
    """Move points into a crop; returns points and canvas.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.crop_keypoints(taeda.tensor([[2, 3]]), top=1, left=1, height=4, width=5)
    (tensor([[1, 2]]), (4, 5))
    """
    return keypoints - taeda.tensor([left, top], dtype=keypoints.dtype), (height, width)


def _central(output_size: Any, canvas: Any) -> tuple[int, int, int, int]:
    h, w = (output_size, output_size) if isinstance(output_size, int) else (output_size[0], output_size[-1])
    return *G.crop_anchor((h, w), canvas), h, w


@kernel(G.center_crop, BOXES)
def center_crop_bounding_boxes(
    bounding_boxes: Tensor, output_size: Any, format: Any = None, canvas_size: Any = None, clamping_mode: Any = "soft"
) -> tuple[Tensor, Any]:
    """Move boxes into a central crop; returns boxes and canvas.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> from taeda.vision.tv_tensors import BoundingBoxFormat
    >>> F.center_crop_bounding_boxes(taeda.tensor([[2, 3, 16, 7]]), [6, 12], BoundingBoxFormat.XYXY, canvas_size=(10, 20))
    (tensor([[ 0,  1, 12,  5]]), (6, 12))
    """
    return crop_bounding_boxes(bounding_boxes, *_central(output_size, canvas_size), format, clamping_mode)


@kernel(G.center_crop, POINTS)
def center_crop_keypoints(keypoints: Tensor, output_size: Any, canvas_size: Any = None) -> tuple[Tensor, Any]:
    """Move points into a central crop; returns points and canvas.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.center_crop_keypoints(taeda.tensor([[5, 3]]), canvas_size=(10, 20), output_size=[6, 12])
    (tensor([[1, 1]]), (6, 12))
    """
    return crop_keypoints(keypoints, *_central(output_size, canvas_size))


@kernel(G.resized_crop, BOXES)
def resized_crop_bounding_boxes(
    bounding_boxes: Tensor, top: int, left: int, height: int, width: int, size: Any, format: Any = None, clamping_mode: Any = "soft"
) -> tuple[Tensor, Any]:
    """Move boxes into a crop, then scale them; returns boxes and canvas.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> from taeda.vision.tv_tensors import BoundingBoxFormat
    >>> F.resized_crop_bounding_boxes(taeda.tensor([[3, 3, 7, 7]]), 1, 1, 8, 8, size=[4, 4], format=BoundingBoxFormat.XYXY)
    (tensor([[1, 1, 3, 3]]), (4, 4))
    """
    x, canvas = crop_bounding_boxes(bounding_boxes, top, left, height, width, format, clamping_mode)
    return resize_bounding_boxes(x, canvas, size, format=format, clamping_mode=clamping_mode)


@kernel(G.resized_crop, POINTS)
def resized_crop_keypoints(keypoints: Tensor, top: int, left: int, height: int, width: int, size: Any) -> tuple[Tensor, Any]:
    """Move points into a crop, then scale them; returns points and canvas.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.resized_crop_keypoints(taeda.tensor([[3, 5]]), top=1, left=1, height=8, width=8, size=[4, 4])
    (tensor([[1, 2]]), (4, 4))
    """
    x, canvas = crop_keypoints(keypoints, top, left, height, width)
    return resize_keypoints(x, size, canvas)


# Warps


class _Affine:
    """An affine map of points on a canvas, and the canvas that comes out."""

    def __init__(self, canvas: Any, dtype: Any, angle: Any, translate: Any, scale: float, shear: Any, center: Any, expand: bool) -> None:
        angle, translate, shear, center = warp.checked_affine(angle, translate, scale, shear, center)
        h, w = canvas
        center = [w * 0.5, h * 0.5] if center is None else center
        matrix = warp.affine_matrix(center, angle, translate, scale, shear, inverted=False)
        self.matrix = taeda.tensor(matrix, dtype=dtype).reshape(2, 3).T
        self.canvas = canvas
        self.shift = None
        if expand:
            ends = taeda.tensor([[0.0, 0.0], [0.0, h], [w, h], [w, 0.0]], dtype=dtype)
            self.shift = self(ends).amin(0)
            self.canvas = warp.expanded_size(warp.affine_matrix(center, angle, translate, scale, shear), h, w)

    def __call__(self, points: Tensor) -> Tensor:
        return taeda.cat([points, taeda.ones_like(points[:, :1])], 1) @ self.matrix


def _floats(x: Tensor) -> Any:
    return x.dtype if x.is_floating_point() else taeda.float32


def _affine_boxes(x: Tensor, format: Any, canvas: Any, mode: Any, *how: Any) -> tuple[Tensor, Any]:
    if x.numel() == 0:
        return x, canvas
    move = _Affine(canvas, _floats(x), *how)
    return _moved(x, format, move, move.canvas, mode, move.shift), move.canvas


def _affine_points(x: Tensor, canvas: Any, *how: Any) -> tuple[Tensor, Any]:
    if x.numel() == 0:
        return x, canvas
    move = _Affine(canvas, _floats(x), *how)
    out = move(x.to(_floats(x)).reshape(-1, 2))
    out = out if move.shift is None else out - move.shift
    return out.reshape(x.shape).to(x.dtype), move.canvas


@kernel(W.affine, BOXES)
def affine_bounding_boxes(
    bounding_boxes: Tensor,
    angle: Any,
    translate: Any,
    scale: float,
    shear: Any,
    center: Any = None,
    format: Any = None,
    canvas_size: Any = None,
    clamping_mode: Any = "soft",
) -> Tensor:
    """Send boxes through an affine map.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> from taeda.vision.tv_tensors import BoundingBoxFormat
    >>> boxes = taeda.tensor([[2, 3, 6, 7]])
    >>> F.affine_bounding_boxes(boxes, 0.0, [3, 1], 1.0, [0.0, 0.0], format=BoundingBoxFormat.XYXY, canvas_size=(10, 20))
    tensor([[5, 4, 9, 8]])
    """
    return _affine_boxes(bounding_boxes, format, canvas_size, clamping_mode, angle, translate, scale, shear, center, False)[0]


@kernel(W.affine, POINTS)
def affine_keypoints(
    keypoints: Tensor, angle: Any, translate: Any, scale: float, shear: Any, center: Any = None, canvas_size: Any = None
) -> tuple[Tensor, Any]:
    """Send points through an affine map; returns points and canvas.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.affine_keypoints(taeda.tensor([[2, 3]]), 0.0, [3, 1], 1.0, [0.0, 0.0], canvas_size=(10, 20))
    (tensor([[5, 4]]), (10, 20))
    """
    return _affine_points(keypoints, canvas_size, angle, translate, scale, shear, center, False)


@kernel(W.rotate, BOXES)
def rotate_bounding_boxes(
    bounding_boxes: Tensor, angle: float, expand: bool = False, center: Any = None, format: Any = None,
    canvas_size: Any = None, clamping_mode: Any = "soft",
) -> tuple[Tensor, Any]:
    """Turn boxes counter-clockwise; returns boxes and canvas.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> from taeda.vision.tv_tensors import BoundingBoxFormat
    >>> F.rotate_bounding_boxes(taeda.tensor([[2, 3, 6, 7]]), angle=90, format=BoundingBoxFormat.XYXY, canvas_size=(20, 20))
    (tensor([[ 3, 14,  7, 18]]), (20, 20))
    """
    return _affine_boxes(bounding_boxes, format, canvas_size, clamping_mode, -angle, [0.0, 0.0], 1.0, [0.0, 0.0], center, expand)


@kernel(W.rotate, POINTS)
def rotate_keypoints(
    keypoints: Tensor, angle: float, expand: bool = False, center: Any = None, canvas_size: Any = None
) -> tuple[Tensor, Any]:
    """Turn points counter-clockwise; returns points and canvas.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.rotate_keypoints(taeda.tensor([[2, 3]]), canvas_size=(20, 20), angle=90)
    (tensor([[ 3, 18]]), (20, 20))
    """
    return _affine_points(keypoints, canvas_size, -angle, [0.0, 0.0], 1.0, [0.0, 0.0], center, expand)


def _forward_perspective(coefficients: Any, dtype: Any) -> Any:
    """Return the map of points whose map back has these coefficients."""
    a, b, c, d, e, f, g, k = coefficients
    det = a * e - b * d
    if det == 0:
        raise RuntimeError(f"[perspective] Provided perspective_coeffs {list(coefficients)} can not be inverted: a e - b d is zero")
    above = taeda.tensor([[e - f * k, c * k - b, b * f - c * e], [f * g - d, a - c * g, c * d - a * f]], dtype=taeda.float64) / det
    below = taeda.tensor([(d * k - e * g) / det, (b * g - a * k) / det, 1.0], dtype=dtype)
    above = above.to(dtype)

    def move(points: Tensor) -> Tensor:
        points = taeda.cat([points.to(dtype), taeda.ones((len(points), 1), dtype=dtype)], 1)
        return (points @ above.T) / (points @ below)[:, None]

    return move


@kernel(W.perspective, BOXES)
def perspective_bounding_boxes(
    bounding_boxes: Tensor,
    startpoints: Any,
    endpoints: Any,
    coefficients: Any = None,
    format: Any = None,
    canvas_size: Any = None,
    clamping_mode: Any = "soft",
) -> Tensor:
    """Send boxes through a perspective map.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> from taeda.vision.tv_tensors import BoundingBoxFormat
    >>> corners = [[0, 0], [10, 0], [10, 10], [0, 10]]
    >>> wider = [[0, 0], [20, 0], [20, 10], [0, 10]]
    >>> F.perspective_bounding_boxes(taeda.tensor([[2, 3, 6, 7]]), corners, wider, format=BoundingBoxFormat.XYXY, canvas_size=(20, 20))
    tensor([[ 4,  3, 12,  7]])
    """
    if bounding_boxes.numel() == 0:
        return bounding_boxes
    move = _forward_perspective(W.coefficients_of(startpoints, endpoints, coefficients), _floats(bounding_boxes))
    return _moved(bounding_boxes, format, move, canvas_size, clamping_mode)


@kernel(W.perspective, POINTS)
def perspective_keypoints(
    keypoints: Tensor, startpoints: Any, endpoints: Any, coefficients: Any = None, canvas_size: Any = None
) -> Tensor:
    """Send points through a perspective map.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> corners = [[0, 0], [10, 0], [10, 10], [0, 10]]
    >>> wider = [[0, 0], [20, 0], [20, 10], [0, 10]]
    >>> F.perspective_keypoints(taeda.tensor([[2.0, 3.0]]), corners, wider, canvas_size=(20, 20))
    tensor([[4., 3.]])
    """
    if keypoints.numel() == 0:
        return keypoints
    move = _forward_perspective(W.coefficients_of(startpoints, endpoints, coefficients), _floats(keypoints))
    return move(keypoints.reshape(-1, 2)).reshape(keypoints.shape).to(keypoints.dtype)


def _displaced(displacement: Tensor, canvas: Any, dtype: Any, up: bool) -> Any:
    """Return the map of points by displacements; each goes as its pixel does, approximately the inverse of what pixels read."""
    h, w = canvas
    if not isinstance(displacement, Tensor):
        raise TypeError("[elastic] Argument displacement should be a Tensor")
    if tuple(displacement.shape) != (1, h, w, 2):
        raise ValueError(f"[elastic] Argument displacement shape should be {(1, h, w, 2)}, but given {tuple(displacement.shape)}")
    grid = warp.identity_grid(h, w, dtype).sub_(displacement.to(dtype))

    def move(points: Tensor) -> Tensor:
        index = (points.ceil() if up and points.is_floating_point() else points).to(taeda.int64)
        found = grid[0, index[:, 1].clamp(0, h - 1), index[:, 0].clamp(0, w - 1)]
        return (found + 1) * (0.5 * taeda.tensor([w, h], dtype=dtype)) - 0.5

    return move


@kernel(W.elastic, BOXES)
def elastic_bounding_boxes(
    bounding_boxes: Tensor, displacement: Tensor, format: Any = None, canvas_size: Any = None, clamping_mode: Any = "soft"
) -> Tensor:
    """Send boxes through displacements; of a rotated box, its centre.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> from taeda.vision.tv_tensors import BoundingBoxFormat
    >>> still = taeda.zeros(1, 10, 20, 2)
    >>> F.elastic_bounding_boxes(taeda.tensor([[2, 3, 6, 7]]), still, format=BoundingBoxFormat.XYXY, canvas_size=(10, 20))
    tensor([[2, 3, 6, 7]])
    """
    move = _displaced(displacement, canvas_size, _floats(bounding_boxes), up=True)
    if bounding_boxes.numel() == 0:
        return bounding_boxes
    if rotated(format):
        x = convert(bounding_boxes, format, Format.CXCYWHR)
        x = taeda.cat([move(x[..., :2].reshape(-1, 2)), x[..., 2:].reshape(-1, 3)], dim=-1)
        x = clamp(x, Format.CXCYWHR, canvas_size, clamping_mode)
        return convert(x, Format.CXCYWHR, format).reshape(bounding_boxes.shape)
    return _moved_whole(bounding_boxes, format, move, canvas_size, clamping_mode)


def _moved_whole(boxes: Tensor, format: Any, move: Any, canvas: Any, mode: Any) -> Tensor:
    """Do as `_moved`, with integers cut off before the canvas cuts."""
    x = convert(boxes, format, Format.XYXY).reshape(-1, 4)
    x = _upright(move(x[:, _CORNERS].reshape(-1, 2)).reshape(-1, 4, 2)).to(boxes.dtype)
    return convert(clamp(x, Format.XYXY, canvas, mode), Format.XYXY, format).reshape(boxes.shape)


@kernel(W.elastic, POINTS)
def elastic_keypoints(keypoints: Tensor, displacement: Tensor, canvas_size: Any = None) -> Tensor:
    """Send points through displacements.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> still = taeda.zeros(1, 10, 20, 2)
    >>> F.elastic_keypoints(taeda.tensor([[2, 3]]), still, canvas_size=(10, 20))
    tensor([[2, 3]])
    """
    move = _displaced(displacement, canvas_size, _floats(keypoints), up=False)
    return move(keypoints.reshape(-1, 2)).reshape(keypoints.shape).to(keypoints.dtype) if keypoints.numel() else keypoints
