"""The pictures that train.py leaves behind, drawn with Pillow: curves, and sample predictions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from PIL import Image, ImageDraw, ImageFont

__all__ = ["draw_curves", "draw_predictions"]

INK, GRID, PAPER = "#333333", "#dddddd", "#ffffff"
TRAIN, HELD_OUT, RIGHT, WRONG = "#1f77b4", "#d95f02", "#2e9e4f", "#d62728"
SCALE = 2  # drawn at twice the size and reduced: smooth lines


def _font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size * SCALE)


def _ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Return round numbers that cover low to high in about ``count`` steps."""
    if high <= low:
        high = low + 1.0
    raw = (high - low) / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw)
    first = math.floor(low / step)
    return [i * step for i in range(first, math.ceil(high / step) + 1)]


def _panel(
    draw: ImageDraw.ImageDraw,
    box: tuple[int, int, int, int],
    title: str,
    lines: Mapping[str, tuple[Sequence[float], str]],
) -> None:
    """Draw one chart with a line for each entry: its values by epoch, and its colour."""
    left, top, right, bottom = box
    values = [v for series, _ in lines.values() for v in series if math.isfinite(v)]
    epochs = max((len(series) for series, _ in lines.values()), default=0)
    ticks = _ticks(min(values, default=0.0), max(values, default=1.0))
    font = _font(12)

    def x_of(epoch: float) -> float:
        return (left + right) / 2 if epochs < 2 else left + (epoch - 1) / (epochs - 1) * (right - left)

    def y_of(value: float) -> float:
        return bottom - (value - ticks[0]) / (ticks[-1] - ticks[0]) * (bottom - top)

    draw.text(((left + right) / 2, top - 14 * SCALE), title, INK, _font(14), anchor="mm")
    for tick in ticks:
        draw.line([(left, y_of(tick)), (right, y_of(tick))], GRID, SCALE)
        draw.text((left - 6 * SCALE, y_of(tick)), f"{tick:g}", INK, font, anchor="rm")
    every = max(1, math.ceil(epochs / 10))
    for epoch in range(1, epochs + 1):
        if epoch == 1 or epoch % every == 0:
            draw.text((x_of(epoch), bottom + 12 * SCALE), str(epoch), INK, font, anchor="mm")
    draw.text(((left + right) / 2, bottom + 30 * SCALE), "epoch", INK, font, anchor="mm")
    draw.rectangle(box, outline=INK, width=SCALE)
    for row, (name, (series, colour)) in enumerate(lines.items()):
        points = [(x_of(i + 1), y_of(v)) for i, v in enumerate(series) if math.isfinite(v)]
        if len(points) > 1:
            draw.line(points, colour, 2 * SCALE, joint="curve")
        for x, y in points:
            draw.ellipse([x - 3 * SCALE, y - 3 * SCALE, x + 3 * SCALE, y + 3 * SCALE], fill=colour)
        y = bottom + (50 + 16 * row) * SCALE
        draw.line([(left, y), (left + 24 * SCALE, y)], colour, 3 * SCALE)
        draw.text((left + 32 * SCALE, y), name, INK, font, anchor="lm")


def draw_curves(history: dict[str, list[float]], title: str) -> Image.Image:
    """Draw loss and accuracy by epoch, of the training and of the held-out images.

    Args:
        history: ``train_loss``, ``train_accuracy``, ``held_out_loss``, ``held_out_accuracy``, by epoch.
        title: words above the charts.
    """
    width, height = 900, 420
    image = Image.new("RGB", (width * SCALE, height * SCALE), PAPER)
    draw = ImageDraw.Draw(image)
    draw.text((width * SCALE / 2, 18 * SCALE), title, INK, _font(15), anchor="mm")
    for i, what in enumerate(("loss", "accuracy")):
        left = (70 + 450 * i) * SCALE
        lines = {
            f"training {what}": (history[f"train_{what}"], TRAIN),
            f"held-out {what}": (history[f"held_out_{what}"], HELD_OUT),
        }
        _panel(draw, (left, 70 * SCALE, left + 350 * SCALE, 330 * SCALE), what, lines)
    return image.resize((width, height), Image.Resampling.LANCZOS)


def draw_predictions(
    images: list[Image.Image], predicted: Sequence[str], actual: Sequence[str], title: str, columns: int = 8
) -> Image.Image:
    """Draw images in a grid, each with its predicted class; green where it is right, red where it is wrong.

    Args:
        images: small pictures; they are enlarged without smoothing.
        predicted, actual: names of classes, one an image.
        title: words above the grid.
    """
    cell, picture, top = 96, 72, 40
    rows = max(1, math.ceil(len(images) / columns))
    sheet = Image.new("RGB", (columns * cell + 16, rows * (cell + 12) + top + 8), PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((sheet.width / 2, 20), title, INK, ImageFont.load_default(15), anchor="mm")
    font = ImageFont.load_default(13)
    for i, (image, guess, truth) in enumerate(zip(images, predicted, actual, strict=True)):
        x = 8 + i % columns * cell + (cell - picture) // 2
        y = top + i // columns * (cell + 12) + 4
        right = guess == truth
        colour = RIGHT if right else WRONG
        sheet.paste(image.convert("RGB").resize((picture, picture), Image.Resampling.NEAREST), (x, y))
        draw.rectangle([x - 3, y - 3, x + picture + 2, y + picture + 2], outline=colour, width=3)
        words = guess if right else f"{guess}, is {truth}"
        draw.text((x + picture / 2, y + picture + 14), words[:14], colour, font, anchor="mm")
    return sheet
