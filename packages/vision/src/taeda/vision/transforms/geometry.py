"""Geometry: resizing, cropping, padding, mirroring, rotating and erasing."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from enum import Enum
from typing import Any, cast

import numpy as np
from PIL import Image

import taeda
from taeda.nn import functional as NN
from taeda.vision.transforms.kinds import I, get_dimensions, is_tensor_image
from taeda.vision.transforms.resample import resize_tensor

__all__ = [
    "PADDING_MODES",
    "InterpolationMode",
    "center_crop",
    "crop",
    "erase",
    "five_crop",
    "hflip",
    "interpolation_mode",
    "pad",
    "resize",
    "resized_crop",
    "ten_crop",
    "vflip",
]

PADDING_MODES = ("constant", "edge", "reflect", "symmetric")


class InterpolationMode(Enum):
    """How pixels between pixels are found. Tensors know the first four.

    >>> from taeda.vision.transforms import InterpolationMode
    >>> InterpolationMode("bilinear")
    <InterpolationMode.BILINEAR: 'bilinear'>
    """

    NEAREST = "nearest"
    NEAREST_EXACT = "nearest-exact"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    BOX = "box"
    HAMMING = "hamming"
    LANCZOS = "lanczos"


PILLOW_MODES = {
    InterpolationMode.NEAREST: Image.Resampling.NEAREST,
    InterpolationMode.NEAREST_EXACT: Image.Resampling.NEAREST,
    InterpolationMode.BILINEAR: Image.Resampling.BILINEAR,
    InterpolationMode.BICUBIC: Image.Resampling.BICUBIC,
    InterpolationMode.BOX: Image.Resampling.BOX,
    InterpolationMode.HAMMING: Image.Resampling.HAMMING,
    InterpolationMode.LANCZOS: Image.Resampling.LANCZOS,
}
_BY_NUMBER = {
    int(number): mode for mode, number in PILLOW_MODES.items() if mode is not InterpolationMode.NEAREST_EXACT
}


def interpolation_mode(value: Any, op: str) -> InterpolationMode:
    """Accept an InterpolationMode or Pillow's number for it."""
    if isinstance(value, InterpolationMode):
        return value
    if isinstance(value, int) and int(value) in _BY_NUMBER:
        return _BY_NUMBER[int(value)]
    raise TypeError(
        f"[{op}] Argument interpolation should be a InterpolationMode or a corresponding Pillow integer "
        f"constant, got {value!r}"
    )


def target_size(h: int, w: int, size: Sequence[int], max_size: int | None) -> tuple[int, int]:
    """Return the height and width that `size` means for an image of h x w."""
    if len(size) == 2:
        return int(size[0]), int(size[1])
    short, long = (w, h) if w <= h else (h, w)
    new_short = int(size[0])
    new_long = int(new_short * long / short)
    if max_size is not None:
        if max_size <= new_short:
            raise ValueError(
                f"[resize] max_size = {max_size} must be strictly greater than the requested size for the "
                f"smaller edge size = {size[0]}"
            )
        if new_long > max_size:
            new_short, new_long = int(max_size * new_short / new_long), max_size
    return (new_long, new_short) if w <= h else (new_short, new_long)


def resize(
    img: I,
    size: int | Sequence[int],
    interpolation: InterpolationMode | int = InterpolationMode.BILINEAR,
    max_size: int | None = None,
    antialias: bool | None = True,
) -> I:
    """Resize an image.

    Args:
        img: a PIL image or a tensor ... x H x W.
        size: (height, width), or one number for the shorter edge; the ratio is then kept.
        interpolation: an InterpolationMode.
        max_size: the most that the longer edge may be, where `size` is one number.
        antialias: for tensors; PIL images are always antialiased.

    Raises:
        TypeError: neither kind of image, or not an interpolation mode.
        ValueError: the size is not positive or does not fit, or the mode is none for tensors.

    >>> import taeda
    >>> from taeda.vision.transforms.geometry import resize
    >>> resize(taeda.zeros(3, 100, 200), 50).shape
    taeda.Size([3, 50, 100])
    >>> resize(taeda.zeros(3, 100, 200), (50, 50)).shape
    taeda.Size([3, 50, 50])
    """
    x: Any = img
    is_tensor = is_tensor_image(x, "resize")
    mode = interpolation_mode(interpolation, "resize")
    sizes = [size] if isinstance(size, int) else list(size)
    if len(sizes) not in (1, 2):
        raise ValueError(f"[resize] size should be an int or have 1 or 2 values, got {len(sizes)}")
    if max_size is not None and len(sizes) != 1:
        raise ValueError(
            "[resize] max_size should only be passed if size specifies the length of the smaller edge, "
            f"got size={sizes} and max_size={max_size}"
        )
    if min(sizes) <= 0:
        raise ValueError(f"[resize] size should be positive, got {sizes}")
    _, h, w = get_dimensions(img)
    if h == 0 or w == 0:
        raise ValueError(f"[resize] an image without pixels cannot be resized, got height {h} and width {w}")
    height, width = target_size(h, w, sizes, max_size)
    if (height, width) == (h, w):
        return img
    if height == 0 or width == 0:
        raise ValueError(f"[resize] size {sizes} leaves no pixels of an image of {h} x {w}")
    if not is_tensor:
        if antialias is False:
            warnings.warn("Anti-alias option is always applied for PIL Image input. Argument antialias is ignored.", stacklevel=2)
        return x.resize((width, height), PILLOW_MODES[mode])
    if mode in (InterpolationMode.BOX, InterpolationMode.HAMMING, InterpolationMode.LANCZOS):
        raise ValueError(f"[resize] This Interpolation mode ({mode.value}) is unsupported with Tensor input")
    return cast(Any, resize_tensor(x, height, width, mode.value, bool(antialias)))


def crop(img: I, top: int, left: int, height: int, width: int) -> I:
    """Cut out height x width pixels from row `top` and column `left`; what lies outside the image is zero.

    Args:
        img: a PIL image or a tensor ... x C x H x W.
        top, left: first row and column, which may lie outside.
        height, width: size of the result.

    Raises:
        TypeError: neither kind of image.

    >>> import taeda
    >>> from taeda.vision.transforms.geometry import crop
    >>> crop(taeda.arange(16.0).reshape(1, 4, 4), top=1, left=2, height=2, width=2)
    tensor([[[ 6.,  7.],
             [10., 11.]]])
    """
    x: Any = img
    is_tensor = is_tensor_image(x, "crop")
    if not is_tensor:
        return x.crop((left, top, left + width, top + height))
    h, w = x.shape[-2:]
    right, bottom = left + width, top + height
    if left < 0 or top < 0 or right > w or bottom > h:
        x = x[..., max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
        edges = [max(min(right, 0) - left, 0), max(min(bottom, 0) - top, 0)]
        edges += [max(right - max(w, left), 0), max(bottom - max(h, top), 0)]
        return pad(x, edges)
    return x[..., top:bottom, left:right]


def center_crop(img: I, output_size: int | Sequence[int]) -> I:
    """Cut (height, width) pixels out of the middle; an image that is smaller is padded with zeros first.

    >>> import taeda
    >>> from taeda.vision.transforms.geometry import center_crop
    >>> center_crop(taeda.arange(16.0).reshape(1, 4, 4), 2)
    tensor([[[ 5.,  6.],
             [ 9., 10.]]])
    """
    sizes = [output_size] if isinstance(output_size, int) else list(output_size)
    ch, cw = int(sizes[0]), int(sizes[-1])
    _, h, w = get_dimensions(img)
    if cw > w or ch > h:
        edges = [
            max(cw - w, 0) // 2,
            max(ch - h, 0) // 2,
            (max(cw - w, 0) + 1) // 2,
            (max(ch - h, 0) + 1) // 2,
        ]
        img = pad(img, edges)
        _, h, w = get_dimensions(img)
        if (cw, ch) == (w, h):
            return img
    return crop(img, round((h - ch) / 2.0), round((w - cw) / 2.0), ch, cw)


def resized_crop(
    img: I,
    top: int,
    left: int,
    height: int,
    width: int,
    size: int | Sequence[int],
    interpolation: InterpolationMode | int = InterpolationMode.BILINEAR,
    antialias: bool | None = True,
) -> I:
    """Crop, then resize to `size`.

    Args:
        img: a PIL image or a tensor ... x C x H x W.
        top, left, height, width: of the crop.
        size, interpolation, antialias: as in `resize`.

    >>> import taeda
    >>> from taeda.vision.transforms.geometry import resized_crop
    >>> resized_crop(taeda.zeros(3, 100, 200), top=10, left=20, height=50, width=50, size=(32, 32)).shape
    taeda.Size([3, 32, 32])
    """
    return resize(crop(img, top, left, height, width), size, interpolation, antialias=antialias)


def padding_edges(padding: int | Sequence[int], op: str) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom."""
    if isinstance(padding, int):
        return padding, padding, padding, padding
    if not isinstance(padding, (tuple, list)):
        raise TypeError(f"[{op}] Got inappropriate padding arg: {padding!r}")
    if len(padding) not in (1, 2, 4):
        raise ValueError(
            f"[{op}] Padding must be an int or a 1, 2, or 4 element tuple, not a {len(padding)} element tuple"
        )
    left, top, right, bottom = (list(padding) * 4)[:4]
    return left, top, right, bottom


def pad(
    img: I,
    padding: int | Sequence[int],
    fill: float | Sequence[float] | None = 0,
    padding_mode: str = "constant",
) -> I:
    """Add pixels around an image.

    Args:
        img: a PIL image or a tensor ... x H x W.
        padding: one number for all sides; (left and right, top and bottom); or (left, top, right, bottom).
            Negative numbers cut off, before anything is added.
        fill: the value of the new pixels for ``constant``; for PIL images also a tuple of one per channel.
        padding_mode: ``constant``, ``edge`` (the last pixel), ``reflect`` (mirrored without it) or
            ``symmetric`` (mirrored with it).

    Raises:
        TypeError: neither kind of image, or arguments of a wrong type.
        ValueError: `padding` has a wrong number of elements, or the mode is unknown.

    >>> import taeda
    >>> from taeda.vision.transforms.geometry import pad
    >>> pad(taeda.ones(1, 1, 2), [2, 1, 0, 0])
    tensor([[[0., 0., 0., 0.],
             [0., 0., 1., 1.]]])
    """
    x: Any = img
    is_tensor = is_tensor_image(x, "pad")
    if not isinstance(fill, (int, float, type(None)) if is_tensor else (int, float, str, tuple, list, type(None))):
        raise TypeError(f"[pad] Got inappropriate fill arg: {fill!r}")
    if not isinstance(padding_mode, str):
        raise TypeError(f"[pad] Got inappropriate padding_mode arg: {padding_mode!r}")
    if padding_mode not in PADDING_MODES:
        raise ValueError(
            f"[pad] Padding mode should be either constant, edge, reflect or symmetric, got {padding_mode!r}"
        )
    left, top, right, bottom = padding_edges(padding, "pad")
    _, h, w = get_dimensions(img)
    if h + top + bottom < 0 or w + left + right < 0:
        raise ValueError(
            f"[pad] padding {[left, top, right, bottom]} cuts off more than an image of {h} x {w} has"
        )
    if min(left, top, right, bottom) < 0:
        x = _cut(x, max(-left, 0), max(-top, 0), max(-right, 0), max(-bottom, 0))
        left, top, right, bottom = (max(edge, 0) for edge in (left, top, right, bottom))
        _, h, w = get_dimensions(x)
    if padding_mode == "constant":
        return _pad_constant(x, left, top, right, bottom, fill)
    if h == 0 or w == 0:
        raise ValueError(f"[pad] {padding_mode} padding needs pixels, got an image of {h} x {w}")
    if is_tensor and (padding_mode == "edge" or (padding_mode == "reflect" and max(top, bottom) < h and max(left, right) < w)):
        how = "replicate" if padding_mode == "edge" else "reflect"
        padded = NN.pad(x.reshape(-1, 1, h, w), [left, right, top, bottom], mode=how)
        return cast(Any, padded.reshape(*x.shape[:-2], *padded.shape[-2:]))
    if is_tensor:
        rows = np.pad(np.arange(h), (top, bottom), mode=padding_mode)  # type: ignore[call-overload]
        columns = np.pad(np.arange(w), (left, right), mode=padding_mode)  # type: ignore[call-overload]
        chosen = x.index_select(x.dim() - 2, taeda.from_numpy(rows))
        return chosen.index_select(x.dim() - 1, taeda.from_numpy(columns))
    pixels = np.asarray(x.convert("RGB") if x.mode == "P" else x)
    around: Any = [(top, bottom), (left, right), (0, 0)]
    out: Any = Image.fromarray(np.pad(pixels, around[: pixels.ndim], mode=padding_mode))  # type: ignore[call-overload]
    return out.convert("P") if x.mode == "P" else out


def _cut(img: Any, left: int, top: int, right: int, bottom: int) -> Any:
    """Cut pixels off the four sides."""
    if isinstance(img, Image.Image):
        return img.crop((left, top, img.width - right, img.height - bottom))
    h, w = img.shape[-2:]
    return img[..., top : h - bottom, left : w - right]


def _pad_constant(img: Any, left: int, top: int, right: int, bottom: int, fill: Any) -> Any:
    if isinstance(img, Image.Image):
        bands = len(img.getbands())
        if fill is None:
            fill = 0
        if isinstance(fill, (tuple, list)):
            if len(fill) not in (1, bands):
                raise ValueError(f"[pad] fill has {len(fill)} values for the {bands} channels of the image")
            fill = tuple(fill) * bands if len(fill) == 1 else tuple(fill)
            fill = fill if img.mode == "F" else tuple(int(value) for value in fill)
            fill = fill[0] if bands == 1 else fill
        elif isinstance(fill, (int, float)) and bands > 1:
            fill = (int(fill),) * bands
        out = Image.new(img.mode, (img.width + left + right, img.height + top + bottom), fill)
        if img.mode == "P":
            out.putpalette(img.getpalette() or [])
        out.paste(img, (left, top))
        return out
    h, w = img.shape[-2:]
    out = img.new_full((*img.shape[:-2], h + top + bottom, w + left + right), 0 if fill is None else fill)
    out[..., top : top + h, left : left + w] = img
    return out


def hflip(img: I) -> I:
    """Mirror left and right.

    >>> import taeda
    >>> from taeda.vision.transforms.geometry import hflip
    >>> hflip(taeda.tensor([[[1.0, 2.0], [3.0, 4.0]]]))
    tensor([[[2., 1.],
             [4., 3.]]])
    """
    x: Any = img
    is_tensor = is_tensor_image(x, "hflip")
    return x.flip(-1) if is_tensor else x.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def vflip(img: I) -> I:
    """Mirror top and bottom.

    >>> import taeda
    >>> from taeda.vision.transforms.geometry import vflip
    >>> vflip(taeda.tensor([[[1.0, 2.0], [3.0, 4.0]]]))
    tensor([[[3., 4.],
             [1., 2.]]])
    """
    x: Any = img
    is_tensor = is_tensor_image(x, "vflip")
    return x.flip(-2) if is_tensor else x.transpose(Image.Transpose.FLIP_TOP_BOTTOM)


def five_crop(img: I, size: int | Sequence[int]) -> tuple[I, I, I, I, I]:
    """Cut out the four corners and the middle: top left, top right, bottom left, bottom right, centre.

    Raises:
        ValueError: the crop is larger than the image.

    >>> import taeda
    >>> from taeda.vision.transforms.geometry import five_crop
    >>> [part.item() for part in five_crop(taeda.arange(9.0).reshape(1, 3, 3), 1)]
    [0.0, 2.0, 6.0, 8.0, 4.0]
    """
    sizes = [size] if isinstance(size, int) else list(size)
    if len(sizes) not in (1, 2):
        raise ValueError(f"[five_crop] Please provide only two dimensions (h, w) for size, got {size!r}.")
    ch, cw = int(sizes[0]), int(sizes[-1])
    _, h, w = get_dimensions(img)
    if cw > w or ch > h:
        raise ValueError(f"[five_crop] Requested crop size {(ch, cw)} is bigger than input size {(h, w)}")
    corners = [crop(img, top, left, ch, cw) for top in (0, h - ch) for left in (0, w - cw)]
    return corners[0], corners[1], corners[2], corners[3], center_crop(img, (ch, cw))


def ten_crop(img: I, size: int | Sequence[int], vertical_flip: bool = False) -> tuple[I, ...]:
    """Cut out five crops of the image and five of its mirror image.

    >>> import taeda
    >>> from taeda.vision.transforms.geometry import ten_crop
    >>> [int(part) for part in ten_crop(taeda.arange(9.0).reshape(1, 3, 3), 1)]
    [0, 2, 6, 8, 4, 2, 0, 8, 6, 4]
    """
    mirrored = vflip(img) if vertical_flip else hflip(img)
    return five_crop(img, size) + five_crop(mirrored, size)


def erase(img: taeda.Tensor, i: int, j: int, h: int, w: int, v: Any, inplace: bool = False) -> taeda.Tensor:
    """Set the h x w pixels of a tensor image from row i and column j to `v`.

    Args:
        img: ... x C x H x W.
        i, j, h, w: first row and column, height and width.
        v: a number or what broadcasts to ... x C x h x w.
        inplace: write into `img`.

    Raises:
        TypeError: it is not a tensor image.

    >>> import taeda
    >>> from taeda.vision.transforms.geometry import erase
    >>> erase(taeda.ones(1, 2, 3), i=0, j=1, h=2, w=1, v=0.0)
    tensor([[[1., 0., 1.],
             [1., 0., 1.]]])
    """
    if not isinstance(img, taeda.Tensor):
        raise TypeError(f"[erase] img should be Tensor. Got {type(img)}; to_tensor makes it one")
    is_tensor_image(img, "erase")
    out = img if inplace else img.clone()
    out[..., i : i + h, j : j + w] = v
    return out
