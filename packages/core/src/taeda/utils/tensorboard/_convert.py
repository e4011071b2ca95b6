"""What users hand in (tensors, arrays, lists, figures) as NumPy arrays and encoded pictures."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np

import taeda


def to_array(x: Any) -> np.ndarray[Any, Any]:
    """Return a tensor, array or number as an array, bfloat16 as float32.

    Raises NotImplementedError for anything else.
    """
    if isinstance(x, taeda.Tensor):
        x = x.detach().cpu()
        return np.asarray((x.float() if x.dtype == taeda.bfloat16 else x).numpy())
    if isinstance(x, np.ndarray):
        return x
    if np.isscalar(x):
        return np.array([x])
    raise NotImplementedError(f"[tensorboard] expected a tensor, an array or a number, got {type(x).__name__}")


def one_number(name: str, x: Any) -> float:
    """Return a number, or a tensor or array of one element, as a float."""
    array = to_array(x).reshape(-1)
    if array.size != 1:
        raise ValueError(f"[{name}] a scalar has one element, got {array.size}; reduce it first, or use add_histogram")
    return float(array[0])


def in_grid(images: np.ndarray[Any, Any], columns: int = 8) -> np.ndarray[Any, Any]:
    """Lay images (N, C, H, W) side by side: (3, rows of up to `columns`, ...), grey ones in three channels."""
    if images.ndim != 4 or images.shape[1] not in (1, 3):
        raise ValueError(f"[add_images] images must be (N, 1, H, W) or (N, 3, H, W), got {images.shape}")
    if images.shape[1] == 1:
        images = np.concatenate([images] * 3, 1)
    count, _, height, width = images.shape
    columns = min(count, columns)
    rows = math.ceil(count / columns)
    canvas = np.zeros((3, rows * height, columns * width), images.dtype)
    for i, image in enumerate(images):
        y, x = i // columns * height, i % columns * width
        canvas[:, y : y + height, x : x + width] = image
    return canvas


def channels_last(image: np.ndarray[Any, Any], layout: str) -> np.ndarray[Any, Any]:
    """Return an image, or many in a grid, as (H, W, C); `layout` names the dimensions: "CHW", "NHWC", "HW" and the like."""
    layout = layout.upper()
    if len(set(layout)) != len(layout) or set(layout) not in ({"H", "W"}, {"C", "H", "W"}, {"N", "C", "H", "W"}):
        raise ValueError(f"[add_image] dataformats is made of N, C, H and W, each once, got {layout!r}")
    if image.ndim != len(layout):
        raise ValueError(f"[add_image] dataformats {layout!r} has {len(layout)} dimensions, the image {image.ndim}: {image.shape}")
    if len(layout) == 4:
        return in_grid(image.transpose([layout.index(d) for d in "NCHW"])).transpose(1, 2, 0)
    if len(layout) == 3:
        image = image.transpose([layout.index(d) for d in "HWC"])
        return np.concatenate([image] * 3, 2) if image.shape[2] == 1 else image
    image = image.transpose([layout.index(d) for d in "HW"])
    return np.stack([image] * 3, 2)


def as_bytes(image: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return pixels as uint8; floats count from 0 to 1."""
    if image.dtype == np.uint8:
        return image
    return np.asarray((image.astype(np.float32) * 255).clip(0, 255).astype(np.uint8))


def as_png(image: np.ndarray[Any, Any], scale: float = 1) -> tuple[bytes, int, int]:
    """Return an image of bytes (H, W, C) as PNG, resized by `scale`, with its height and width."""
    from PIL import Image

    picture = Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image)
    if scale != 1:
        picture = picture.resize((int(image.shape[1] * scale), int(image.shape[0] * scale)), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    picture.save(out, format="PNG")
    return out.getvalue(), picture.height, picture.width


def as_gif(frames: np.ndarray[Any, Any], fps: float) -> bytes:
    """Return frames of bytes (T, H, W, C) as an animated GIF."""
    from PIL import Image

    pictures = [Image.fromarray(f[:, :, 0] if f.shape[2] == 1 else f) for f in frames]
    out = io.BytesIO()
    pictures[0].save(out, format="GIF", save_all=True, append_images=pictures[1:], duration=1000 / fps, loop=0)
    return out.getvalue()


def as_wav(samples: np.ndarray[Any, Any], rate: int) -> bytes:
    """Return samples of -1 to 1 as a WAV file of one channel and 16 bits."""
    import wave

    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((samples * np.iinfo(np.int16).max).astype("<i2").tobytes())
    return out.getvalue()


def figures(figure: Any, close: bool) -> np.ndarray[Any, Any]:
    """Return a matplotlib figure, or a list of them, as pixels (3, H, W) or (N, 3, H, W)."""
    if isinstance(figure, (list, tuple)):
        return np.stack([figures(f, close) for f in figure])
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba(), np.uint8)[:, :, :3].transpose(2, 0, 1)
    if close:
        from matplotlib import pyplot

        pyplot.close(figure)
    return pixels
