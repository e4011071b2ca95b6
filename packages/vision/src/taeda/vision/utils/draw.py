"""Drawing: predictions beside their images, curves of a training run."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import taeda
from taeda.vision.io import save_pil
from taeda.vision.utils.grid import make_grid

__all__ = ["draw_curves", "draw_predictions"]

RIGHT, WRONG = (30, 150, 60), (205, 40, 40)
CURVES = ("#1f77b4", "#d95f02", "#2ca02c", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22")
INK, RULE = (50, 50, 50), (225, 225, 225)


def _font(size: int) -> Any:
    try:
        return ImageFont.load_default(size)
    except (TypeError, ImportError, OSError):  # a Pillow without FreeType has one small font
        return ImageFont.load_default()


@taeda.no_grad()
def draw_predictions(
    images: taeda.Tensor,
    targets: Sequence[Any] | taeda.Tensor,
    predictions: Sequence[Any] | taeda.Tensor,
    classes: Sequence[str] | None = None,
    nrow: int = 8,
    tile: int = 64,
) -> Image.Image:
    """Draw images with their predictions: green frames for right ones, red for wrong ones with the truth.

    Args:
        images: B x C x H x W, C 1 or 3; the values are brought into 0 ... 1 image by image.
        targets: B class numbers.
        predictions: B class numbers.
        classes: names of the classes.
        nrow: images in a row.
        tile: height of an image in the picture, in pixels.

    Raises:
        ValueError: the lengths differ, or there are no images.

    >>> import taeda
    >>> from taeda.vision.utils import draw_predictions
    >>> picture = draw_predictions(taeda.rand(3, 1, 8, 8), targets=[0, 1, 1], predictions=[0, 1, 0], classes=["cat", "dog"])
    >>> picture.mode
    'RGB'
    """
    truth, guess = _integers(targets), _integers(predictions)
    if not len(images) == len(truth) == len(guess) or not guess:
        raise ValueError(
            f"[draw_predictions] images, targets and predictions should be equally many and not none, got "
            f"{len(images)}, {len(truth)} and {len(guess)}"
        )
    name = (lambda i: str(i)) if classes is None else (lambda i: classes[i])
    frame, text = 3, 16
    columns = min(nrow, len(guess))
    rows = math.ceil(len(guess) / columns)
    cell_w, cell_h = tile + 2 * frame + 8, tile + 2 * frame + text + 8
    picture = Image.new("RGB", (columns * cell_w + 8, rows * cell_h + 8), "white")
    draw = ImageDraw.Draw(picture)
    font = _font(12)
    for i, (want, got) in enumerate(zip(truth, guess, strict=True)):
        x, y = 8 + i % columns * cell_w, 8 + i // columns * cell_h
        colour = RIGHT if want == got else WRONG
        unit = make_grid(images[i].to(taeda.float32), normalize=True)
        pixels = unit.mul(255).add(0.5).clamp(0, 255).permute(1, 2, 0).to("cpu", taeda.uint8).numpy()
        small = Image.fromarray(np.ascontiguousarray(pixels)).resize((tile, tile), Image.Resampling.NEAREST)
        draw.rectangle((x, y, x + tile + 2 * frame - 1, y + tile + 2 * frame - 1), fill=colour)
        picture.paste(small, (x + frame, y + frame))
        words = name(got) if want == got else f"{name(got)} not {name(want)}"
        draw.text((x, y + tile + 2 * frame + 1), words, fill=colour, font=font)
    return picture


def _integers(values: Any) -> list[int]:
    return [int(v) for v in (values.tolist() if isinstance(values, taeda.Tensor) else values)]


def draw_curves(
    panels: Mapping[str, Mapping[str, Sequence[float]]],
    path: str | os.PathLike[str] | None = None,
    xlabel: str = "epoch",
    size: tuple[int, int] = (420, 300),
) -> Image.Image:
    """Draw curves over the epochs 1, 2, ..., one panel beside the other.

    Args:
        panels: from a panel's title to its curves, from a curve's name to its values; values that are not
            finite are left out.
        path: save the picture there.
        xlabel: words below the horizontal axis.
        size: width and height of a panel in pixels.

    Raises:
        ValueError: there are no panels.

    >>> from taeda.vision.utils import draw_curves
    >>> picture = draw_curves({"loss": {"train": [1.0, 0.5, 0.3], "test": [1.1, 0.7, 0.6]}})
    >>> picture.size
    (420, 300)
    """
    if not panels:
        raise ValueError("[draw_curves] there is nothing to draw: panels is empty")
    w, h = size
    picture = Image.new("RGB", (w * len(panels), h), "white")
    draw = ImageDraw.Draw(picture)
    for i, (title, curves) in enumerate(panels.items()):
        _panel(
            draw, i * w, w, h, title, {name: [float(v) for v in ys] for name, ys in curves.items()}, xlabel
        )
    if path is not None:
        save_pil(picture, path)
    return picture


def _ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Choose round numbers between low and high: steps of 1, 2 or 5 times a power of ten."""
    raw = (high - low) / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [k * step for k in range(first, last + 1)]


def _panel(
    draw: Any, x0: int, w: int, h: int, title: str, curves: Mapping[str, list[float]], xlabel: str
) -> None:
    finite = [v for ys in curves.values() for v in ys if math.isfinite(v)] or [0.0, 1.0]
    low, high = min(finite), max(finite)
    margin = (high - low) * 0.05 or max(abs(high), 1.0) * 0.05
    low, high = low - margin, high + margin
    epochs = max([len(ys) for ys in curves.values()] + [2])
    left, right, top, bottom = x0 + 52, x0 + w - 14, 30, h - 40
    font, bold = _font(11), _font(13)

    def at(epoch: float, value: float) -> tuple[float, float]:
        return (
            left + (epoch - 1) / (epochs - 1) * (right - left),
            bottom - (value - low) / (high - low) * (bottom - top),
        )

    draw.text(((left + right) / 2, 14), title, fill=INK, font=bold, anchor="mm")
    draw.text(((left + right) / 2, h - 10), xlabel, fill=INK, font=font, anchor="mm")
    for value in _ticks(low, high):
        y = at(1, value)[1]
        draw.line((left, y, right, y), fill=RULE)
        draw.text((left - 6, y), f"{value:.6g}", fill=INK, font=font, anchor="rm")
    for epoch in sorted({round(t) for t in _ticks(1, epochs) if 1 <= t <= epochs} | {1}):
        x = at(epoch, low)[0]
        draw.line((x, bottom, x, bottom + 4), fill=INK)
        draw.text((x, bottom + 12), str(epoch), fill=INK, font=font, anchor="mm")
    draw.rectangle((left, top, right, bottom), outline=INK)
    for i, (name, ys) in enumerate(curves.items()):
        colour = CURVES[i % len(CURVES)]
        points = [at(k, v) for k, v in enumerate(ys, 1) if math.isfinite(v)]
        if len(points) > 1:
            draw.line(points, fill=colour, width=2, joint="curve")
        for x, y in points if len(points) <= 30 else points[-1:]:
            draw.ellipse((x - 2, y - 2, x + 2, y + 2), fill=colour)
        # The legend stands where curves of losses and accuracies seldom are: half way up, on the right.
        y = (top + bottom) / 2 + 14 * (i - len(curves) / 2)
        draw.line((right - 96, y, right - 80, y), fill=colour, width=2)
        draw.text((right - 74, y), name, fill=INK, font=font, anchor="lm")
