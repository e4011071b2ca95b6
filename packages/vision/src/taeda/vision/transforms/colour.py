"""Colour: brightness, contrast, saturation, hue, gamma, and shades of grey.

A PIL image goes through Pillow, a tensor through arithmetic with the same meaning; they differ by rounding.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

import taeda
from taeda import Tensor
from taeda.nn import functional as NN
from taeda.vision.transforms.convert import convert_image_dtype, largest_value
from taeda.vision.transforms.kinds import I, get_dimensions, is_tensor_image

__all__ = [
    "adjust_brightness",
    "adjust_contrast",
    "adjust_gamma",
    "adjust_hue",
    "adjust_saturation",
    "adjust_sharpness",
    "autocontrast",
    "equalize",
    "invert",
    "posterize",
    "rgb_to_grayscale",
    "solarize",
    "to_grayscale",
]


def to_grayscale(img: Image.Image, num_output_channels: int = 1) -> Image.Image:
    """Turn a PIL image into shades of grey with 1 or 3 channels; L = 0.299 R + 0.587 G + 0.114 B.

    Raises:
        TypeError: it is not a PIL image; `rgb_to_grayscale` takes tensors too.
        ValueError: another number of channels.

    >>> from PIL import Image
    >>> from taeda.vision.transforms import functional as F
    >>> F.to_grayscale(Image.new("RGB", (2, 2), (255, 0, 0))).getpixel((0, 0))
    76
    """
    if not isinstance(img, Image.Image):
        raise TypeError(f"[to_grayscale] Input should be PIL Image, got {type(img)}")
    _check_channels(num_output_channels, "to_grayscale")
    grey = img.convert("L")
    return grey if num_output_channels == 1 else Image.merge("RGB", (grey, grey, grey))


def rgb_to_grayscale(img: I, num_output_channels: int = 1) -> I:
    """Turn an RGB image into shades of grey with 1 or 3 channels; L = 0.2989 R + 0.587 G + 0.114 B.

    Raises:
        TypeError: neither kind of image, or a tensor that does not have 1 or 3 channels.
        ValueError: `num_output_channels` is not 1 or 3.

    >>> import taeda
    >>> from taeda.vision.transforms.colour import rgb_to_grayscale
    >>> rgb_to_grayscale(taeda.tensor([[[1.0]], [[0.5]], [[0.0]]]))
    tensor([[[0.5924]]])
    """
    x: Any = img
    is_tensor = is_tensor_image(x, "rgb_to_grayscale")
    if not is_tensor:
        return cast(Any, to_grayscale(x, num_output_channels))
    _check_channels(num_output_channels, "rgb_to_grayscale")
    if x.dim() < 3 or x.shape[-3] not in (1, 3):
        raise TypeError(
            "[rgb_to_grayscale] Input image tensor permitted channel values are 1 or 3, "
            f"but the shape is {tuple(x.shape)}"
        )
    if x.shape[-3] == 1:    # shades of grey stay as they are, one channel: `v2` gives as many as are asked for
        return cast(Any, x)
    r, g, b = x.unbind(-3)
    grey = (0.2989 * r + 0.587 * g + 0.114 * b).to(x.dtype).unsqueeze(-3)
    return cast(Any, grey.expand(x.shape) if num_output_channels == 3 else grey)


def _check_channels(n: int, op: str) -> None:
    if n not in (1, 3):
        raise ValueError(f"[{op}] num_output_channels should be either 1 or 3, got {n}")


def _blend(a: taeda.Tensor, b: taeda.Tensor, ratio: float) -> taeda.Tensor:
    """Return ``ratio a + (1 - ratio) b``, kept in the range of a's dtype."""
    return (ratio * a + (1.0 - ratio) * b).clamp(0, largest_value(a.dtype)).to(a.dtype)


def _checked(img: Any, op: str, factor: float | None = None, name: str = "") -> bool:
    """Say whether the image is a tensor; refuse tensors without 1 or 3 channels, and a negative factor of them."""
    is_tensor = is_tensor_image(img, op)
    if is_tensor and factor is not None and factor < 0:
        raise ValueError(f"[{op}] {name} ({factor}) is not non-negative.")
    if is_tensor and get_dimensions(img)[0] not in (1, 3):
        raise TypeError(
            f"[{op}] Input image tensor permitted channel values are 1 or 3, but found {get_dimensions(img)[0]}"
        )
    return is_tensor


def adjust_brightness(img: I, brightness_factor: float) -> I:
    """Multiply an image by a factor: 0 gives black, 1 the image, 2 twice its brightness.

    >>> import taeda
    >>> from taeda.vision.transforms.colour import adjust_brightness
    >>> adjust_brightness(taeda.tensor([[[0.25, 0.75]]] * 3), 2.0)[0]
    tensor([[0.5000, 1.0000]])
    """
    x: Any = img
    if _checked(x, "adjust_brightness", brightness_factor, "brightness_factor"):
        return cast(Any, _blend(x, taeda.zeros_like(x), brightness_factor))
    return cast(Any, ImageEnhance.Brightness(x).enhance(brightness_factor))


def adjust_contrast(img: I, contrast_factor: float) -> I:
    """Blend an image with its mean shade of grey: 0 gives that grey, 1 the image.

    >>> import taeda
    >>> from taeda.vision.transforms.colour import adjust_contrast
    >>> adjust_contrast(taeda.tensor([[[0.25, 0.75]]] * 3), 0.0)[0]
    tensor([[0.5000, 0.5000]])
    """
    x: Any = img
    if not _checked(x, "adjust_contrast", contrast_factor, "contrast_factor"):
        return cast(Any, ImageEnhance.Contrast(x).enhance(contrast_factor))
    grey = rgb_to_grayscale(x) if get_dimensions(x)[0] == 3 else x
    dtype = x.dtype if x.is_floating_point() else taeda.float32
    mean = grey.to(dtype).mean(dim=(-2, -1) if x.dim() == 2 else (-3, -2, -1), keepdim=True)
    return cast(Any, _blend(x, mean, contrast_factor))


def adjust_saturation(img: I, saturation_factor: float) -> I:
    """Blend an image with its shades of grey: 0 gives those, 1 the image, 2 stronger colours.

    >>> import taeda
    >>> from taeda.vision.transforms.colour import adjust_saturation
    >>> adjust_saturation(taeda.tensor([[[1.0]], [[0.5]], [[0.0]]]), 0.0).flatten()
    tensor([0.5924, 0.5924, 0.5924])
    """
    x: Any = img
    if not _checked(x, "adjust_saturation", saturation_factor, "saturation_factor"):
        return cast(Any, ImageEnhance.Color(x).enhance(saturation_factor))
    if get_dimensions(x)[0] == 1:
        return img
    return cast(Any, _blend(x, rgb_to_grayscale(x), saturation_factor))


def adjust_hue(img: I, hue_factor: float) -> I:
    """Turn the hue by `hue_factor` of the colour circle, -0.5 to 0.5; grey images stay.

    Raises:
        ValueError: the factor lies outside.

    >>> import taeda
    >>> from taeda.vision.transforms.colour import adjust_hue
    >>> adjust_hue(taeda.tensor([[[1.0]], [[0.0]], [[0.0]]]), 0.5).flatten()
    tensor([0., 1., 1.])
    """
    x: Any = img
    if not -0.5 <= hue_factor <= 0.5:
        raise ValueError(f"[adjust_hue] hue_factor ({hue_factor}) is not in [-0.5, 0.5].")
    if _checked(x, "adjust_hue"):
        if get_dimensions(x)[0] == 1:
            return img
        hue, saturation, value = _rgb_to_hsv(convert_image_dtype(x, taeda.float32))
        around = hue + hue_factor
        turned = _hsv_to_rgb(around - around.floor(), saturation, value)
        return cast(Any, convert_image_dtype(turned, x.dtype))
    if x.mode in ("L", "1", "I", "F"):
        return img
    h, s, v = x.convert("HSV").split()
    levels = ((np.asarray(h).astype(np.int32) + int(hue_factor * 255)) % 256).astype(np.uint8)
    return cast(Any, Image.merge("HSV", (Image.fromarray(levels), s, v)).convert(x.mode))


def _rgb_to_hsv(x: taeda.Tensor) -> tuple[taeda.Tensor, taeda.Tensor, taeda.Tensor]:
    """Return hue, saturation and value, each 0 ... 1 (A. R. Smith, Color Gamut Transform Pairs, 1978)."""
    r, g, b = x.unbind(-3)
    v = taeda.maximum(taeda.maximum(r, g), b)
    spread = v - taeda.minimum(taeda.minimum(r, g), b)
    grey = spread == 0
    one = taeda.ones_like(v)
    divisor = taeda.where(grey, one, spread)
    s = spread / taeda.where(grey, one, v)
    rc, gc, bc = (v - r) / divisor, (v - g) / divisor, (v - b) / divisor
    h = taeda.where(v == r, bc - gc, taeda.where(v == g, 2.0 + rc - bc, 4.0 + gc - rc)) / 6.0
    return (h + 1.0).fmod(1.0), s, v


def _hsv_to_rgb(h: taeda.Tensor, s: taeda.Tensor, v: taeda.Tensor) -> taeda.Tensor:
    """Return the colour with this hue, saturation and value; what lies below the value is held in 0 ... 1, the value is not."""
    sector: Any = (h * 6.0).floor()
    along = h * 6.0 - sector
    falls, rises, least = (v * (1.0 - s * share) for share in (along, 1.0 - along, taeda.ones_like(along)))
    return in_sector(sector, v, least.clamp(0.0, 1.0), falls.clamp(0.0, 1.0), rises.clamp(0.0, 1.0))


def in_sector(sector: Any, v: taeda.Tensor, least: taeda.Tensor, falls: taeda.Tensor, rises: taeda.Tensor) -> taeda.Tensor:
    """Return the image whose red, green and blue are, in each sixth of the circle of hues, these of the four values."""
    choice: Any = taeda.tensor([[0, 2, 1, 1, 3, 0], [3, 0, 0, 2, 1, 1], [1, 1, 3, 0, 0, 2]])[:, sector.to(taeda.int64) % 6]
    return cast(Any, taeda.stack([v, least, falls, rises], dim=-3).gather(-3, choice.movedim(0, -3)))


def adjust_gamma(img: I, gamma: float, gain: float = 1) -> I:
    """Return ``gain img ** gamma`` of values in 0 ... 1; a gamma above 1 darkens the shadows.

    Raises:
        ValueError: gamma is negative.

    >>> import taeda
    >>> from taeda.vision.transforms.colour import adjust_gamma
    >>> adjust_gamma(taeda.tensor([[[0.5, 1.0]]]), 2.0)
    tensor([[[0.2500, 1.0000]]])
    """
    x: Any = img
    if gamma < 0:
        raise ValueError(f"[adjust_gamma] gamma ({gamma}) is not non-negative.")
    if _checked(x, "adjust_gamma"):
        unit: Any = convert_image_dtype(x, taeda.float32) if not x.is_floating_point() else x
        return cast(Any, convert_image_dtype((gain * unit**gamma).clamp(0, 1), x.dtype))
    table = [min(255, int((255 + 1 - 1e-3) * gain * (level / 255.0) ** gamma)) for level in range(256)]
    rgb = x.convert("RGB")
    return cast(Any, rgb.point(table * 3).convert(x.mode))


def invert(img: I) -> I:
    """Swap light and dark.

    >>> import taeda
    >>> from taeda.vision.transforms.colour import invert
    >>> invert(taeda.tensor([[[0, 100, 255]]], dtype=taeda.uint8))
    tensor([[[255, 155,   0]]], dtype=taeda.uint8)
    """
    x: Any = img
    if _checked(x, "invert"):
        return cast(Any, largest_value(x.dtype) - x)
    return cast(Any, ImageOps.invert(x))


def posterize(img: I, bits: int) -> I:
    """Keep only the `bits` highest bits of every 8-bit pixel.

    Raises:
        TypeError: a tensor is not uint8.
        ValueError: bits lies outside 0 ... 8.

    >>> import taeda
    >>> from taeda.vision.transforms.colour import posterize
    >>> posterize(taeda.tensor([[[0, 100, 255]]], dtype=taeda.uint8), bits=2)
    tensor([[[  0,  64, 192]]], dtype=taeda.uint8)
    """
    x: Any = img
    is_tensor = _checked(x, "posterize")
    if not 0 <= bits <= 8:
        raise ValueError(f"[posterize] bits should be 0 to 8, got {bits}")
    if not is_tensor:
        return cast(Any, ImageOps.posterize(x, bits) if bits else Image.new(x.mode, x.size))
    if x.dtype != taeda.uint8:
        raise TypeError(f"[posterize] Only uint8 image tensors are supported, but found {x.dtype}")
    return cast(Any, x & (256 - 2 ** (8 - bits)))


def solarize(img: I, threshold: float) -> I:
    """Invert the pixels at or above the threshold.

    Raises:
        TypeError: the threshold lies above the range of a tensor's dtype.

    >>> import taeda
    >>> from taeda.vision.transforms.colour import solarize
    >>> solarize(taeda.tensor([[[0, 100, 255]]], dtype=taeda.uint8), threshold=100)
    tensor([[[  0, 155,   0]]], dtype=taeda.uint8)
    """
    x: Any = img
    if not _checked(x, "solarize"):
        return cast(Any, ImageOps.solarize(x, cast(Any, threshold)))
    if threshold > largest_value(x.dtype):
        raise TypeError(
            f"[solarize] Threshold should be less than bound of img, got {threshold} for {x.dtype}"
        )
    return cast(Any, taeda.where(x >= threshold, largest_value(x.dtype) - x, x))


def autocontrast(img: I) -> I:
    """Stretch every channel so that its darkest pixel is black and its lightest white.

    >>> import taeda
    >>> from taeda.vision.transforms.colour import autocontrast
    >>> autocontrast(taeda.tensor([[[50, 100, 150]]], dtype=taeda.uint8))
    tensor([[[  0, 127, 255]]], dtype=taeda.uint8)
    """
    x: Any = img
    if not _checked(x, "autocontrast"):
        return cast(Any, ImageOps.autocontrast(x))
    bound = largest_value(x.dtype)
    unit = x if x.is_floating_point() else x.to(taeda.float32)
    low, high = unit.amin(dim=(-2, -1), keepdim=True), unit.amax(dim=(-2, -1), keepdim=True)
    scale = bound / (high - low)
    flat = scale.isfinite().logical_not_()      # channels of one shade stay
    low, scale = low.masked_fill(flat, 0.0), scale.masked_fill(flat, 1.0)
    return cast(Any, unit.sub(low).mul_(scale).clamp_(0, bound).to(x.dtype))


def smoothed(x: Tensor, whole: bool) -> Tensor:
    """Return B x C x H x W smoothed by (1 1 1; 1 5 1; 1 1 1) / 13, without the border: B x C x (H - 2) x (W - 2)."""
    c = x.shape[1]
    weights = taeda.full((3, 3), 1.0 / 13.0, dtype=x.dtype)
    weights[1, 1] = 5.0 / 13.0
    smooth = NN.conv2d(x, weights.expand(c, 1, 3, 3), groups=c)
    return smooth.round_() if whole else smooth


def adjust_sharpness(img: I, sharpness_factor: float) -> I:
    """Blend an image with a smoothed one: 0 gives that, 1 the image, 2 a sharper one; borders stay.

    >>> import taeda
    >>> from taeda.vision.transforms.colour import adjust_sharpness
    >>> adjust_sharpness(taeda.eye(3)[None], 0.0)
    tensor([[[1.0000, 0.0000, 0.0000],
             [0.0000, 0.5385, 0.0000],
             [0.0000, 0.0000, 1.0000]]])
    """
    x: Any = img
    if not _checked(x, "adjust_sharpness", sharpness_factor, "sharpness_factor"):
        return cast(Any, ImageEnhance.Sharpness(x).enhance(sharpness_factor))
    c, h, w = get_dimensions(x)
    if x.numel() == 0 or h <= 2 or w <= 2:
        return img
    whole, blurred = not x.is_floating_point(), x.clone()
    inner = smoothed(x.reshape(-1, c, h, w).to(taeda.float32 if whole else x.dtype), whole)
    blurred[..., 1:-1, 1:-1] = inner.reshape(*x.shape[:-2], h - 2, w - 2).to(x.dtype)
    return cast(Any, _blend(x, blurred, sharpness_factor))


def equalized(x: Tensor) -> Tensor:
    """Bend the values of bytes by the sums of their histogram, as Pillow does; the last two dimensions are one channel."""
    flat = x.flatten(start_dim=-2).to(taeda.int64)
    counts = taeda.zeros(*x.shape[:-2], 256, dtype=taeda.int64)
    counts.scatter_add_(-1, flat, taeda.ones_like(flat))
    sums = counts.cumsum(-1)
    highest = sums.argmax(-1, keepdim=True)
    step = taeda.div(flat.shape[-1] - counts.gather(-1, highest), 255, rounding_mode="floor")
    table = taeda.div(sums[..., :-1] + step // 2, step.clamp(min=1), rounding_mode="floor").clamp_(0, 255)
    table = NN.pad(table, [1, 0])
    bent = table.gather(-1, flat).reshape(x.shape).to(taeda.uint8)
    return taeda.where((step != 0).unsqueeze(-1), bent, x)


def equalize(img: I) -> I:
    """Bend the values of every channel so that all are about as frequent.

    Raises:
        TypeError: a tensor is not uint8.

    >>> import taeda
    >>> from taeda.vision.transforms.colour import equalize
    >>> equalize(taeda.tensor([100, 101], dtype=taeda.uint8).repeat(1, 255, 1)).unique()
    tensor([  0, 255], dtype=taeda.uint8)
    """
    x: Any = img
    if not _checked(x, "equalize"):
        return cast(Any, ImageOps.equalize(x))
    if x.dtype != taeda.uint8:
        raise TypeError(f"[equalize] Only uint8 image tensors are supported, but found {x.dtype}")
    return cast(Any, equalized(x) if x.numel() else x)
