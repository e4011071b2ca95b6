"""Masks and points drawn on images, and optical flow as colours."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageColor, ImageDraw

import taeda
from taeda import Tensor
from taeda.vision.transforms.v2.functional import to_dtype

__all__ = ["draw_keypoints", "draw_segmentation_masks", "flow_to_image"]

Colour = str | tuple[int, int, int]


def _checked(image: Any, op: str) -> None:
    if not isinstance(image, Tensor):
        raise TypeError(f"[{op}] The image must be a tensor, got {type(image)}")
    if image.dtype != taeda.uint8 and not image.is_floating_point():
        raise ValueError(f"[{op}] The image dtype must be uint8 or float, got {image.dtype}")
    if image.dim() != 3 or image.shape[0] != 3:
        raise ValueError(f"[{op}] Pass individual RGB images, not batches or other formats; got shape {tuple(image.shape)}")


def _palette(colors: Sequence[Colour] | Colour | None, n: int, op: str) -> list[tuple[int, ...]]:
    """Return a colour for each of n things."""
    if colors is None:
        return [tuple(int(i * v % 255) for v in (2**25 - 1, 2**15 - 1, 2**21 - 1)) for i in range(n)]
    if not isinstance(colors, list):
        if not isinstance(colors, (str, tuple)) or (isinstance(colors, tuple) and len(colors) != 3):
            raise ValueError(f"[{op}] colors must be an RGB triplet or a string, or a list thereof, but got {colors}.")
        colors = [colors] * n  # type: ignore[list-item]
    if len(colors) < n:
        raise ValueError(f"[{op}] Number of colors must be equal or larger than the number of objects, but got {len(colors)} < {n}.")
    return [ImageColor.getrgb(c)[:3] if isinstance(c, str) else c for c in colors]  # type: ignore[misc]


@taeda.no_grad()
def draw_segmentation_masks(
    image: Tensor, masks: Tensor, alpha: float = 0.8, colors: Sequence[Colour] | Colour | None = None
) -> Tensor:
    """Colour the pixels of masks; where masks overlap, black.

    Args:
        image: 3 x H x W, uint8 or floats of 0 ... 1.
        masks: bool, H x W or N x H x W.
        alpha: share of the colours, 0 to 1.
        colors: one for all, a list with one for each, or None for different ones.

    Raises:
        TypeError, ValueError: shapes, dtypes or numbers do not fit.

    >>> image = draw_segmentation_masks(taeda.zeros(3, 1, 2), taeda.tensor([[True, False]]), alpha=0.5, colors="red")
    >>> image.tolist()
    [[[0.5, 0.0]], [[0.0, 0.0]], [[0.0, 0.0]]]
    """
    op = "draw_segmentation_masks"
    _checked(image, op)
    masks = masks[None] if masks.dim() == 2 else masks
    if masks.dim() != 3 or masks.shape[-2:] != image.shape[-2:]:
        raise ValueError(f"[{op}] masks must be of shape (H, W) or (batch_size, H, W) as the image, got {tuple(masks.shape)}")
    if masks.dtype != taeda.bool:
        raise ValueError(f"[{op}] The masks must be of dtype bool. Got {masks.dtype}")
    if masks.shape[0] == 0:
        warnings.warn("masks doesn't contain any mask. No mask was drawn", stacklevel=2)
        return image
    drawn = image.detach().clone()
    for mask, colour in zip(masks, _palette(colors, masks.shape[0], op), strict=False):
        values = [v / 255 for v in colour] if image.is_floating_point() else list(colour)
        drawn[:, mask] = taeda.tensor(values, dtype=image.dtype)[:, None]
    drawn[:, masks.sum(dim=0) > 1] = 0
    return (image * (1 - alpha) + drawn * alpha).to(image.dtype)


@taeda.no_grad()
def draw_keypoints(
    image: Tensor,
    keypoints: Tensor,
    connectivity: list[tuple[int, int]] | None = None,
    colors: Colour | None = None,
    radius: int = 2,
    width: int = 3,
    visibility: Tensor | None = None,
) -> Tensor:
    """Draw points, and lines between them.

    Args:
        image: 3 x H x W, uint8 or floats of 0 ... 1.
        keypoints: N x K x 2, as (x, y).
        connectivity: pairs of points to join.
        radius, width: of points and lines, in pixels.
        visibility: bool N x K; what is not visible is not drawn.

    Raises:
        TypeError, ValueError: shapes or dtypes do not fit.
    """
    op = "draw_keypoints"
    _checked(image, op)
    if keypoints.dim() != 3:
        raise ValueError(f"[{op}] keypoints must be of shape (num_instances, K, 2), got {tuple(keypoints.shape)}")
    seen = taeda.ones(keypoints.shape[:-1], dtype=taeda.bool) if visibility is None else visibility
    seen = seen.squeeze(-1) if seen.dim() == 3 else seen
    if seen.shape != keypoints.shape[:-1]:
        raise ValueError(f"[{op}] visibility must be of shape {tuple(keypoints.shape[:-1])}, got {tuple(seen.shape)}")
    pixels = to_dtype(image, taeda.uint8, scale=True).permute(1, 2, 0).cpu().numpy()
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    draw = ImageDraw.Draw(picture)
    for points, visible in zip(keypoints.to(taeda.int64).tolist(), seen.bool().tolist(), strict=True):
        for (x, y), shown in zip(points, visible, strict=True):
            if shown:
                draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=colors, outline=None, width=0)
        for a, b in connectivity or ():
            if visible[a] and visible[b]:
                draw.line((tuple(points[a]), tuple(points[b])), width=width)
    return to_dtype(taeda.from_numpy(np.array(picture)).permute(2, 0, 1), image.dtype, scale=True)


def _wheel() -> Tensor:
    """Return 55 colours around the circle (Baker et al.: A Database and Evaluation Methodology for Optical Flow, 2007)."""
    rows: list[Tensor] = []
    # From red over yellow, green, cyan, blue and magenta: one channel rises or falls at a time.
    legs = ((15, 0, 1, False), (6, 1, 0, True), (4, 1, 2, False), (11, 2, 1, True), (13, 2, 0, False), (6, 0, 2, True))
    for steps, full, moving, falls in legs:
        part = taeda.zeros(steps, 3)
        part[:, full] = 255
        ramp = taeda.floor(255 * taeda.arange(steps) / steps)
        part[:, moving] = 255 - ramp if falls else ramp
        rows.append(part)
    return taeda.cat(rows)


@taeda.no_grad()
def flow_to_image(flow: Tensor) -> Tensor:
    """Show optical flow: its direction as colour, its length, relative to the longest, as strength.

    Args:
        flow: float32, 2 x H x W or N x 2 x H x W.

    Returns:
        uint8, 3 x H x W or N x 3 x H x W.

    Raises:
        ValueError: the dtype or shape is another.
    """
    if flow.dtype != taeda.float32:
        raise ValueError(f"[flow_to_image] Flow should be of dtype torch.float, got {flow.dtype}.")
    batch = flow[None] if flow.dim() == 3 else flow
    if batch.dim() != 4 or batch.shape[1] != 2:
        raise ValueError(f"[flow_to_image] Input flow should have shape (2, H, W) or (N, 2, H, W), got {tuple(flow.shape)}.")
    longest = batch.pow(2).sum(dim=1).sqrt().max()
    batch = batch / (longest + taeda.finfo(flow.dtype).eps)
    wheel = _wheel()
    length = batch.pow(2).sum(dim=1).sqrt()
    turn = taeda.atan2(-batch[:, 1], -batch[:, 0]) / math.pi
    at = (turn + 1) / 2 * (wheel.shape[0] - 1)
    low = at.floor().to(taeda.int64)
    share = (at - low)[..., None]
    colour = (1 - share) * (wheel[low] / 255.0) + share * (wheel[(low + 1) % wheel.shape[0]] / 255.0)
    out = taeda.floor(255 * (1 - length[..., None] * (1 - colour))).to(taeda.uint8).permute(0, 3, 1, 2)
    return out[0] if flow.dim() == 3 else out
