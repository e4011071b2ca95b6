"""Boxes, masks and points drawn on images, and optical flow as colours."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

from PIL import Image, ImageColor, ImageDraw, ImageFont

import taeda
from taeda import Tensor
from taeda.vision.transforms.convert import pil_to_tensor, to_pil_image
from taeda.vision.transforms.v2.functional import to_dtype

__all__ = ["draw_bounding_boxes", "draw_keypoints", "draw_segmentation_masks", "flow_to_image"]

Colour = str | tuple[int, int, int]


def _checked(image: Any, op: str, channels: tuple[int, ...] = (3,)) -> None:
    if not isinstance(image, Tensor):
        raise TypeError(f"[{op}] The image must be a tensor, got {type(image)}")
    if image.dtype != taeda.uint8 and not image.is_floating_point():
        raise ValueError(f"[{op}] The image dtype must be uint8 or float, got {image.dtype}")
    if image.dim() != 3 or image.shape[0] not in channels:
        kinds = "RGB images" if 1 not in channels else "grayscale or RGB images"
        raise ValueError(f"[{op}] Pass individual {kinds}, not batches or other formats; got shape {tuple(image.shape)}")


def _picture(image: Tensor) -> Image.Image:
    return to_pil_image(to_dtype(image, taeda.uint8, scale=True))


def _tensor(picture: Image.Image, dtype: Any) -> Tensor:
    return to_dtype(pil_to_tensor(picture), dtype, scale=True)


def _generate_color_palette(n: int) -> list[tuple[int, ...]]:
    """Return n colours that are easy to tell apart."""
    return [tuple(int(i * v % 255) for v in (2**25 - 1, 2**15 - 1, 2**21 - 1)) for i in range(n)]


def _palette(colors: Sequence[Colour] | Colour | None, n: int, op: str) -> list[tuple[int, ...]]:
    """Return a colour for each of n things."""
    if colors is None:
        return _generate_color_palette(n)
    if not isinstance(colors, list):
        if not isinstance(colors, (str, tuple)) or (isinstance(colors, tuple) and len(colors) != 3):
            raise ValueError(f"[{op}] colors must be an RGB triplet or a string, or a list thereof, but got {colors}.")
        colors = [colors] * n  # type: ignore[list-item]
    if len(colors) < n:
        raise ValueError(f"[{op}] Number of colors must be equal or larger than the number of objects, but got {len(colors)} < {n}.")
    return [ImageColor.getrgb(c)[:3] if isinstance(c, str) else c for c in colors]


@taeda.no_grad()
def draw_bounding_boxes(
    image: Tensor,
    boxes: Tensor,
    labels: Sequence[str | None] | None = None,
    colors: Sequence[Colour] | Colour | None = None,
    fill: bool = False,
    width: int = 1,
    font: str | None = None,
    font_size: int | None = None,
    label_colors: Sequence[Colour] | Colour | None = None,
    label_background_colors: Sequence[Colour] | Colour | None = None,
    fill_labels: bool = False,
) -> Tensor:
    """Draw boxes on an image.

    Args:
        image: 1 or 3 x H x W, uint8 or floats of 0 ... 1.
        boxes: N x 4: left, top, right, bottom in pixels; or N x 8: four corners (x, y), the first side of which is dashed.
        labels: a text for each box, or None for some.
        colors: one for all, a list with one for each, or None for different ones.
        fill: fill the boxes, half transparent.
        width: of the lines.
        font: file of a TrueType font, of `font_size` points (10).
        label_colors: of the texts; the boxes' by default, black on filled labels.
        label_background_colors: behind the texts if `fill_labels`; the boxes' by default.

    Returns:
        A new tensor 3 x H x W; the image itself, with a warning, if there are no boxes.

    Raises:
        TypeError, ValueError: shapes, dtypes or numbers do not fit.

    >>> import taeda
    >>> from taeda.vision.utils import draw_bounding_boxes
    >>> image = draw_bounding_boxes(taeda.zeros(3, 3, 3, dtype=taeda.uint8), taeda.tensor([[0, 0, 2, 2]]), colors="red")
    >>> image[0].tolist()
    [[255, 255, 255], [255, 0, 255], [255, 255, 255]]
    """
    op = "draw_bounding_boxes"
    _checked(image, op, (1, 3))
    n = boxes.shape[0]
    if n == 0:
        warnings.warn("boxes doesn't contain any box. No box was drawn", stacklevel=2)
        return image
    if boxes.dim() != 2 or boxes.shape[1] not in (4, 8):
        raise ValueError(f"[{op}] boxes should be (N, 4) or (N, 8), got {tuple(boxes.shape)}")
    if boxes.shape[1] == 4 and bool((boxes[:, :2] > boxes[:, 2:]).any()):
        raise ValueError(f"[{op}] Boxes need to be in (xmin, ymin, xmax, ymax) format, got {boxes.tolist()}; see ops.box_convert")
    texts = [None] * n if labels is None else labels
    if len(texts) != n:
        raise ValueError(f"[{op}] Number of boxes ({n}) and labels ({len(texts)}) mismatch. Please specify labels for each box.")
    if font is None and font_size is not None:
        warnings.warn("Argument 'font_size' will be ignored since 'font' is not set.", stacklevel=2)
    letters: Any = ImageFont.load_default() if font is None else ImageFont.truetype(font, font_size or 10)
    shades = _palette(colors, n, op)
    inks = _palette(label_colors or "black", n, op) if label_colors or fill_labels else shades
    grounds = _palette(label_background_colors, n, op) if fill_labels and label_background_colors else shades

    picture = _picture(image.expand(3, -1, -1))
    draw = ImageDraw.Draw(picture, "RGBA" if fill else None)
    for box, shade, text, ink, ground in zip(boxes.to(taeda.int64).tolist(), shades, texts, inks, grounds, strict=False):
        inside = (*shade, 100) if fill else None
        if len(box) == 4:
            draw.rectangle(box, outline=shade, fill=inside, width=width)
        else:
            _rotated(draw, box, shade, inside, width)
        if text is not None:
            at = (box[0] + width + 1, box[1] + width + 1)
            if fill_labels:
                left, top, right, bottom = draw.textbbox(at, text, font=letters)
                draw.rectangle((left - 1, top - 1, right + 1, bottom + 1), fill=ground)
            draw.text(at, text, fill=ink, font=letters)
    return _tensor(picture, image.dtype)


def _rotated(draw: Any, box: list[int], shade: tuple[int, ...], inside: tuple[int, ...] | None, width: int, dash: int = 5) -> None:
    """Draw four corners' box: the first side in dashes, as long as the gaps between them."""
    a, b, c, d = zip(box[::2], box[1::2], strict=True)
    length, turn = math.dist(a, b), math.atan2(b[1] - a[1], b[0] - a[0])

    def along(t: float) -> tuple[float, float]:
        return a[0] + math.cos(turn) * t, a[1] + math.sin(turn) * t

    for start in range(0, math.ceil(length), 2 * dash):
        draw.line([along(start), along(min(start + dash, length))], fill=shade, width=width)
    for side in ((b, c), (c, d), (d, a)):
        draw.line(side, fill=shade, width=width)
    if inside is not None:
        draw.polygon(box, fill=inside)


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

    >>> import taeda
    >>> from taeda.vision.utils import draw_segmentation_masks
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

    >>> import taeda
    >>> from taeda.vision.utils import draw_keypoints
    >>> image = taeda.zeros(3, 9, 9, dtype=taeda.uint8)
    >>> drawn = draw_keypoints(image, taeda.tensor([[[4, 4]]]), colors="red", radius=1)
    >>> drawn[0, 4], drawn[1].max().item()
    (tensor([  0,   0,   0, 255, 255, 255,   0,   0,   0], dtype=taeda.uint8), 0)
    """
    op = "draw_keypoints"
    _checked(image, op)
    if keypoints.dim() != 3:
        raise ValueError(f"[{op}] keypoints must be of shape (num_instances, K, 2), got {tuple(keypoints.shape)}")
    seen = taeda.ones(keypoints.shape[:-1], dtype=taeda.bool) if visibility is None else visibility
    seen = seen.squeeze(-1) if seen.dim() == 3 else seen
    if seen.shape != keypoints.shape[:-1]:
        raise ValueError(f"[{op}] visibility must be of shape {tuple(keypoints.shape[:-1])}, got {tuple(seen.shape)}")
    picture = _picture(image)
    draw = ImageDraw.Draw(picture)
    for points, visible in zip(keypoints.to(taeda.int64).tolist(), seen.bool().tolist(), strict=True):
        for (x, y), shown in zip(points, visible, strict=True):
            if shown:
                draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=colors, outline=None, width=0)
        for a, b in connectivity or ():
            if visible[a] and visible[b]:
                draw.line((tuple(points[a]), tuple(points[b])), width=width)
    return _tensor(picture, image.dtype)


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

    >>> import taeda
    >>> from taeda.vision.utils import flow_to_image
    >>> flow_to_image(taeda.zeros(2, 1, 2)).flatten()
    tensor([255, 255, 255, 255, 255, 255], dtype=taeda.uint8)
    """
    if flow.dtype != taeda.float32:
        raise ValueError(f"[flow_to_image] Flow should be of dtype {taeda.float32}, got {flow.dtype}.")
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
