"""Formats of boxes, and what lies outside of the canvas."""

from __future__ import annotations

from typing import Any

import taeda
from taeda import Tensor
from taeda.vision import tv_tensors
from taeda.vision.ops._box_formats import center_of_corner, corner_of_center, corners_of, from_corners
from taeda.vision.transforms.v2.functional._dispatch import is_pure_tensor
from taeda.vision.transforms.v2.functional._rotated_boxes import clamp_corners

__all__ = ["clamp_bounding_boxes", "clamp_keypoints", "convert_bounding_box_format"]

Format = tv_tensors.BoundingBoxFormat
BOXES, POINTS = tv_tensors.BoundingBoxes, tv_tensors.KeyPoints
rotated, as_format = tv_tensors.is_rotated_bounding_format, tv_tensors.as_format


def _half(x: Tensor) -> Tensor:
    return x.div(2, rounding_mode=None if x.is_floating_point() else "floor")


def _join(*parts: Tensor) -> Tensor:
    return taeda.cat(parts, dim=-1)


def _from_center(boxes: Tensor, as_corners: bool) -> Tensor:
    """Return (x1, y1, x2, y2) or (x1, y1, w, h); integers are cut off at the end."""
    x = boxes if boxes.is_floating_point() else boxes.float()
    low = x[..., :2] - x[..., 2:] / 2
    high = (low + x[..., 2:]).to(boxes.dtype)
    low = low.to(boxes.dtype)
    return _join(low, high if as_corners else high - low) if not boxes.is_floating_point() or as_corners else _join(low, x[..., 2:])


def convert(boxes: Tensor, old: Any, new: Any) -> Tensor:
    """Convert plain boxes between formats; integers stay integers."""
    if old == new:
        return boxes
    if rotated(old) != rotated(new):
        raise ValueError("[convert_bounding_box_format] Cannot convert between rotated and unrotated bounding boxes.")
    if rotated(old):
        steps: dict[Any, Any] = {Format.CXCYWHR: corner_of_center, Format.XYXYXYXY: from_corners}
        boxes = taeda.stack(steps[old](boxes), -1).to(boxes.dtype) if old in steps else boxes
        steps = {Format.CXCYWHR: center_of_corner, Format.XYXYXYXY: corners_of}
        return taeda.stack(steps[new](boxes), -1).to(boxes.dtype) if new in steps else boxes
    first, second = boxes[..., :2], boxes[..., 2:]
    if (old, new) == (Format.XYWH, Format.CXCYWH):
        return _join(first + _half(second), second)
    if old == Format.CXCYWH:
        return _from_center(boxes, new == Format.XYXY)
    if old == Format.XYWH:
        return _join(first, first + second)
    if new == Format.XYWH:
        return _join(first, second - first)
    return _join(_half(first * 2 + (second - first)), second - first)


def convert_bounding_box_format(inpt: Any, old_format: Any = None, new_format: Any = None, inplace: bool = False) -> Any:
    """Convert boxes between formats.

    Args:
        inpt: BoundingBoxes, or a plain tensor with its `old_format`.
        inplace: write into `inpt`.

    Raises:
        TypeError: `new_format` is missing, or it is not a tensor.
        ValueError: `old_format` is missing, or given though the boxes know theirs; or only one of the formats is rotated.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.convert_bounding_box_format(taeda.tensor([[1, 2, 4, 6]]), "XYXY", "XYWH")
    tensor([[1, 2, 3, 4]])
    """
    if new_format is None:
        raise TypeError("[convert_bounding_box_format] missing 1 required argument: 'new_format'")
    new = as_format(new_format)
    if is_pure_tensor(inpt):
        if old_format is None:
            raise ValueError("[convert_bounding_box_format] For pure tensor inputs, `old_format` has to be passed.")
        out = convert(inpt, as_format(old_format), new)
        return inpt.copy_(out) if inplace and out.shape == inpt.shape and out is not inpt else out
    if not isinstance(inpt, BOXES):
        raise TypeError(
            f"[convert_bounding_box_format] Input can either be a plain tensor or a bounding box tv_tensor, but got {type(inpt)} instead."
        )
    if old_format is not None:
        raise ValueError("[convert_bounding_box_format] For bounding box tv_tensor inputs, `old_format` must not be passed.")
    plain = inpt.as_subclass(Tensor)
    out = convert(plain, inpt.format, new)
    out = plain.copy_(out) if inplace and out.shape == plain.shape and out is not plain else out
    return tv_tensors.wrap(out, like=inpt, format=new)


def clamp(boxes: Tensor, format: Any, canvas: Any, mode: Any) -> Tensor:
    """Cut plain boxes off at the borders of the canvas."""
    if mode is None:
        return boxes.clone()
    if rotated(format):
        cut = clamp_corners(convert(boxes, format, Format.XYXYXYXY).reshape(-1, 8), canvas, mode == "hard")
        return convert(cut, Format.XYXYXYXY, format).reshape(boxes.shape)
    x = boxes if boxes.is_floating_point() else boxes.float()
    x = convert(x, format, Format.XYXY)
    h, w = canvas
    x = taeda.stack([x[..., 0].clamp(0, w), x[..., 1].clamp(0, h), x[..., 2].clamp(0, w), x[..., 3].clamp(0, h)], -1)
    return convert(x, Format.XYXY, format).to(boxes.dtype)


def clamp_bounding_boxes(inpt: Any, format: Any = None, canvas_size: Any = None, clamping_mode: str | None = "auto") -> Any:
    """Cut boxes off at the borders of their canvas.

    Args:
        inpt: BoundingBoxes, or a plain tensor with `format`, `canvas_size` and `clamping_mode`.
        clamping_mode: ``auto`` for that of the boxes, None for no change.

    Raises:
        ValueError: an argument is missing, or given though the boxes know it.

    >>> from taeda.vision import tv_tensors
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.clamp_bounding_boxes(tv_tensors.BoundingBoxes([[-1, 2, 40, 6]], format="XYXY", canvas_size=(10, 20)))
    BoundingBoxes([[ 0,  2, 20,  6]], format=BoundingBoxFormat.XYXY, canvas_size=(10, 20), clamping_mode=soft)
    """
    if clamping_mode not in (None, "soft", "hard", "auto"):
        raise ValueError(f"[clamp_bounding_boxes] clamping_mode must be soft, hard, auto or None, got {clamping_mode}")
    if is_pure_tensor(inpt):
        if format is None or canvas_size is None or clamping_mode == "auto":
            raise ValueError(
                "[clamp_bounding_boxes] For pure tensor inputs, `format`, `canvas_size` and `clamping_mode` have to be passed."
            )
        return clamp(inpt, as_format(format), canvas_size, clamping_mode)
    if not isinstance(inpt, BOXES):
        raise TypeError(
            f"[clamp_bounding_boxes] Input can either be a plain tensor or a bounding box tv_tensor, but got {type(inpt)} instead."
        )
    if format is not None or canvas_size is not None:
        raise ValueError("[clamp_bounding_boxes] For bounding box tv_tensor inputs, `format` and `canvas_size` must not be passed.")
    mode = inpt.clamping_mode if clamping_mode == "auto" else clamping_mode
    return tv_tensors.wrap(clamp(inpt.as_subclass(Tensor), inpt.format, inpt.canvas_size, mode), like=inpt)


def clamp_keypoints(inpt: Any, canvas_size: Any = None) -> Any:
    """Move points outside of their canvas to its last pixels.

    Raises:
        ValueError: `canvas_size` is missing, or given though the points know it.

    >>> from taeda.vision import tv_tensors
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.clamp_keypoints(tv_tensors.KeyPoints([[-1, 2], [40, 6]], canvas_size=(10, 20)))
    KeyPoints([[ 0,  2],
               [19,  6]], canvas_size=(10, 20))
    """
    pure = is_pure_tensor(inpt)
    if not pure and not isinstance(inpt, POINTS):
        raise TypeError(f"[clamp_keypoints] Input can either be a plain tensor or a keypoints tv_tensor, but got {type(inpt)} instead.")
    if pure == (canvas_size is None):
        raise ValueError("[clamp_keypoints] `canvas_size` has to be passed for pure tensors, and must not be for keypoints tv_tensors.")
    h, w = canvas_size if pure else inpt.canvas_size
    x = inpt.as_subclass(Tensor)
    out = taeda.stack([x[..., 0].clamp(0, w - 1), x[..., 1].clamp(0, h - 1)], -1)
    return out if pure else tv_tensors.wrap(out, like=inpt)
