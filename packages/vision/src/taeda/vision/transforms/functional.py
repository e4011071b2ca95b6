"""Transforms as functions of an image: a PIL image or a tensor ... x C x H x W, nothing else.

They draw nothing at random and change no argument. Whatever is neither kind of image raises TypeError: an
image that passed through untouched would only be missed much later.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any, TypeAlias, TypeGuard, TypeVar, cast

import numpy as np
from PIL import Image

import taeda
from taeda.vision.transforms.resample import resize_tensor

__all__ = [
    "InterpolationMode",
    "center_crop",
    "convert_image_dtype",
    "crop",
    "get_dimensions",
    "get_image_num_channels",
    "get_image_size",
    "hflip",
    "normalize",
    "pad",
    "pil_to_tensor",
    "resize",
    "resized_crop",
    "rgb_to_grayscale",
    "to_grayscale",
    "to_pil_image",
    "to_tensor",
    "vflip",
]

AnImage: TypeAlias = Image.Image | taeda.Tensor
I = TypeVar("I", Image.Image, taeda.Tensor)
PADDING_MODES = ("constant", "edge", "reflect", "symmetric")


class InterpolationMode(Enum):
    """How pixels between pixels are found. Tensors know the first four."""

    NEAREST = "nearest"
    NEAREST_EXACT = "nearest-exact"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    BOX = "box"
    HAMMING = "hamming"
    LANCZOS = "lanczos"


_PILLOW = {
    InterpolationMode.NEAREST: Image.Resampling.NEAREST,
    InterpolationMode.NEAREST_EXACT: Image.Resampling.NEAREST,
    InterpolationMode.BILINEAR: Image.Resampling.BILINEAR,
    InterpolationMode.BICUBIC: Image.Resampling.BICUBIC,
    InterpolationMode.BOX: Image.Resampling.BOX,
    InterpolationMode.HAMMING: Image.Resampling.HAMMING,
    InterpolationMode.LANCZOS: Image.Resampling.LANCZOS,
}
_BY_NUMBER = {
    int(number): mode for mode, number in _PILLOW.items() if mode is not InterpolationMode.NEAREST_EXACT
}


def interpolation_mode(value: Any, op: str) -> InterpolationMode:
    """Accept an InterpolationMode or Pillow's number for it."""
    if isinstance(value, InterpolationMode):
        return value
    if isinstance(value, int) and int(value) in _BY_NUMBER:
        return _BY_NUMBER[int(value)]
    raise TypeError(
        f"[{op}] Argument interpolation should be a InterpolationMode or a corresponding Pillow integer "
        "constant, "
        f"got {value!r}"
    )


def _is_tensor(img: Any, op: str) -> TypeGuard[taeda.Tensor]:
    """Say whether `img` is a tensor image (True) or a PIL image (False); refuse all else."""
    if isinstance(img, Image.Image):
        return False
    if not isinstance(img, taeda.Tensor):
        raise TypeError(f"[{op}] img should be PIL Image or Tensor. Got {type(img)}")
    if img.dim() < 2:
        raise TypeError(
            f"[{op}] Tensor is not an image: it needs at least 2 dimensions, got {tuple(img.shape)}"
        )
    return True


def get_dimensions(img: AnImage) -> list[int]:
    """Return [channels, height, width]."""
    if _is_tensor(img, "get_dimensions"):
        return [1 if img.dim() == 2 else img.shape[-3], img.shape[-2], img.shape[-1]]
    return [len(img.getbands()), img.height, img.width]


def get_image_size(img: AnImage) -> list[int]:
    """Return [width, height]."""
    _, h, w = get_dimensions(img)
    return [w, h]


def get_image_num_channels(img: AnImage) -> int:
    """Return the number of channels."""
    return get_dimensions(img)[0]


# -- between kinds ---------------------------------------------------------------------------------


def _pixels(pic: Image.Image) -> np.ndarray[Any, Any]:
    """Copy a PIL image's pixels into an array H x W x C."""
    if pic.mode == "1":
        array = np.array(pic, dtype=np.uint8) * 255
    else:
        kinds = {"I": np.int32, "I;16": np.int16, "I;16L": np.int16, "I;16B": np.int16, "F": np.float32}
        array = np.array(pic).astype(kinds.get(pic.mode, np.uint8), copy=False)
    return array.reshape(pic.height, pic.width, -1)


def pil_to_tensor(pic: Image.Image) -> taeda.Tensor:
    """Turn a PIL image into a tensor C x H x W with the same numbers (uint8 for most modes).

    Raises:
        TypeError: `pic` is not a PIL image.
    """
    if not isinstance(pic, Image.Image):
        raise TypeError(f"[pil_to_tensor] pic should be PIL Image. Got {type(pic)}")
    return taeda.from_numpy(np.ascontiguousarray(_pixels(pic).transpose(2, 0, 1)))


def to_tensor(pic: Image.Image | np.ndarray[Any, Any]) -> taeda.Tensor:
    """Turn a PIL image or an array H x W (x C) into a tensor C x H x W; 8-bit pixels become 0.0 ... 1.0.

    Raises:
        TypeError: `pic` is neither.
        ValueError: the array has not 2 or 3 dimensions.
    """
    if isinstance(pic, np.ndarray):
        if pic.ndim not in (2, 3):
            raise ValueError(f"[to_tensor] pic should be 2/3 dimensional. Got {pic.ndim} dimensions.")
        img = taeda.from_numpy(np.array(np.atleast_3d(pic).transpose(2, 0, 1), order="C"))
    elif isinstance(pic, Image.Image):
        img = pil_to_tensor(pic)
    else:
        raise TypeError(f"[to_tensor] pic should be PIL Image or ndarray. Got {type(pic)}")
    return img.to(taeda.get_default_dtype()).div(255) if img.dtype == taeda.uint8 else img


_MODES_BY_CHANNELS = {2: ("LA",), 3: ("RGB", "YCbCr", "HSV"), 4: ("RGBA", "CMYK", "RGBX")}
_MODES_BY_DTYPE = {"uint8": "L", "int16": "I;16", "int32": "I", "float32": "F"}


def to_pil_image(pic: taeda.Tensor | np.ndarray[Any, Any], mode: str | None = None) -> Image.Image:
    """Turn a tensor C x H x W or an array H x W x C into a PIL image.

    Args:
        pic: floats are taken as 0.0 ... 1.0 and become 8-bit pixels (not where `mode` is ``"F"``).
        mode: the mode of the image, where several have as many channels.

    Raises:
        TypeError: `pic` is neither, or its dtype is none that an image has.
        ValueError: it has not 2 or 3 dimensions, or more than 4 channels, or the mode does not fit.
    """
    if isinstance(pic, taeda.Tensor):
        ndim = pic.dim()
        channels = 1 if ndim == 2 else pic.shape[0]
    elif isinstance(pic, np.ndarray):
        ndim = pic.ndim
        channels = 1 if ndim == 2 else pic.shape[-1]
    else:
        raise TypeError(f"[to_pil_image] pic should be Tensor or ndarray. Got {type(pic)}.")
    if ndim not in (2, 3):
        raise ValueError(f"[to_pil_image] pic should be 2/3 dimensional. Got {ndim} dimensions.")
    if channels > 4:
        raise ValueError(f"[to_pil_image] pic should not have > 4 channels. Got {channels} channels.")
    if isinstance(pic, taeda.Tensor):
        tensor = pic.mul(255).to(taeda.uint8) if pic.is_floating_point() and mode != "F" else pic
        pixels: Any = tensor.detach().cpu().numpy()
        pixels = pixels[None] if ndim == 2 else pixels
        pixels = pixels.transpose(1, 2, 0)
    else:
        pixels = pic[:, :, None] if ndim == 2 else pic
    if channels == 1:
        expected = _MODES_BY_DTYPE.get(str(pixels.dtype))
        if mode is not None and mode != expected:
            raise ValueError(
                f"[to_pil_image] Incorrect mode ({mode}) supplied for input type {pixels.dtype}. "
                f"Should be {expected}"
            )
        mode = expected
    else:
        permitted = _MODES_BY_CHANNELS[channels]
        if mode is not None and mode not in permitted:
            raise ValueError(
                f"[to_pil_image] Only modes {list(permitted)} are supported for inputs with {channels} "
                "channels, "
                f"got {mode}"
            )
        mode = (mode or permitted[0]) if pixels.dtype == np.uint8 else None
    if mode is None:
        raise TypeError(f"[to_pil_image] Input type {pixels.dtype} with {channels} channels is not supported")
    height, width = pixels.shape[:2]
    return Image.frombytes(mode, (width, height), np.ascontiguousarray(pixels).tobytes())


def _largest(dtype: Any) -> int:
    """Return the largest value of an integer dtype, 1 for floating-point ones and bool."""
    if dtype == taeda.bool or taeda.empty((), dtype=dtype).is_floating_point():
        return 1
    return int(taeda.iinfo(dtype).max)


def convert_image_dtype(image: taeda.Tensor, dtype: Any = None) -> taeda.Tensor:
    """Convert a tensor image to another dtype and scale its values to the range of that dtype.

    Floating-point images have the range 0 ... 1, integer ones 0 ... the largest value.

    Raises:
        TypeError: `image` is not a tensor.
        RuntimeError: a float cannot hold the integers asked for.
    """
    if not isinstance(image, taeda.Tensor):
        raise TypeError(f"[convert_image_dtype] Input img should be Tensor Image, got {type(image)}")
    dtype = taeda.float32 if dtype is None else dtype
    if image.dtype == dtype:
        return image
    top_in, top_out = _largest(image.dtype), _largest(dtype)
    if image.is_floating_point():
        if top_out == 1:
            return image.to(dtype)
        exact = 2**24 if image.dtype == taeda.float32 else 2**53
        if top_out > exact:
            raise RuntimeError(
                f"[convert_image_dtype] The cast from {image.dtype} to {dtype} cannot be performed safely."
            )
        # Just under the next value: 1.0 gives the largest, and all values get equal shares of 0 ... 1.
        return image.mul(top_out + 1.0 - 1e-3).to(dtype)
    if top_out == 1 and dtype != taeda.bool:
        return image.to(dtype) / top_in
    if top_in > top_out:
        factor = (top_in + 1) // (top_out + 1)
        return taeda.div(image, factor, rounding_mode="floor").to(dtype)
    factor = (top_out + 1) // (top_in + 1)
    return image.to(dtype) * factor


def normalize(
    tensor: taeda.Tensor, mean: Sequence[float], std: Sequence[float], inplace: bool = False
) -> taeda.Tensor:
    """Return ``(tensor[c] - mean[c]) / std[c]`` for every channel c of a float image ... x C x H x W.

    Raises:
        TypeError: it is not a tensor of floats.
        ValueError: it has fewer than 3 dimensions, or a std is zero.
    """
    if not isinstance(tensor, taeda.Tensor):
        raise TypeError(f"[normalize] img should be Tensor Image. Got {type(tensor)}")
    if not tensor.is_floating_point():
        raise TypeError(f"[normalize] Input tensor should be a float tensor. Got {tensor.dtype}.")
    if tensor.dim() < 3:
        raise ValueError(
            "[normalize] Expected tensor to be a tensor image of size (..., C, H, W). "
            f"Got tensor.size() = {tuple(tensor.shape)}"
        )
    means = taeda.as_tensor(mean, dtype=tensor.dtype, device=tensor.device).reshape(-1, 1, 1)
    stds = taeda.as_tensor(std, dtype=tensor.dtype, device=tensor.device).reshape(-1, 1, 1)
    if bool((stds == 0).any()):
        raise ValueError(
            f"[normalize] std evaluated to zero after conversion to {tensor.dtype}, leading to division by "
            "zero."
        )
    channels = tensor.shape[-3]
    for name, values in (("mean", means), ("std", stds)):
        if values.shape[0] not in (1, channels) and channels != 1:
            raise RuntimeError(
                f"[normalize] {name} has {values.shape[0]} values for {channels} channels of "
                f"{tuple(tensor.shape)}"
            )
    if inplace:
        return tensor.sub_(means).div_(stds)
    return (tensor - means).div_(stds)


# -- geometry --------------------------------------------------------------------------------------


def _output_size(h: int, w: int, size: Sequence[int], max_size: int | None) -> tuple[int, int]:
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
                "smaller "
                f"edge size = {size[0]}"
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
    """
    x: Any = img
    is_tensor = _is_tensor(x, "resize")
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
    height, width = _output_size(h, w, sizes, max_size)
    if (height, width) == (h, w):
        return img
    if height == 0 or width == 0:
        raise ValueError(f"[resize] size {sizes} leaves no pixels of an image of {h} x {w}")
    if not is_tensor:
        return x.resize((width, height), _PILLOW[mode])
    if mode in (InterpolationMode.BOX, InterpolationMode.HAMMING, InterpolationMode.LANCZOS):
        raise ValueError(f"[resize] This Interpolation mode ({mode.value}) is unsupported with Tensor input")
    return cast(Any, resize_tensor(x, height, width, mode.value, bool(antialias)))


def crop(img: I, top: int, left: int, height: int, width: int) -> I:
    """Cut out height x width pixels from row `top` and column `left`; what lies outside the image is zero.

    Raises:
        TypeError: neither kind of image.
    """
    x: Any = img
    is_tensor = _is_tensor(x, "crop")
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
    """Cut (height, width) pixels out of the middle; an image that is smaller is padded with zeros first."""
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
    """Crop, then resize to `size`."""
    return resize(crop(img, top, left, height, width), size, interpolation, antialias=antialias)


def _edges(padding: int | Sequence[int], op: str) -> tuple[int, int, int, int]:
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
            Negative numbers cut off, for ``constant``.
        fill: the value of the new pixels for ``constant``; for PIL images also one per channel.
        padding_mode: ``constant``, ``edge`` (the last pixel), ``reflect`` (mirrored without it) or
            ``symmetric`` (mirrored with it).

    Raises:
        TypeError: neither kind of image, or arguments of a wrong type.
        ValueError: `padding` has a wrong number of elements, or the mode is unknown.
    """
    x: Any = img
    is_tensor = _is_tensor(x, "pad")
    if not isinstance(fill, (int, float, str, tuple, list, type(None))):
        raise TypeError(f"[pad] Got inappropriate fill arg: {fill!r}")
    if not isinstance(padding_mode, str):
        raise TypeError(f"[pad] Got inappropriate padding_mode arg: {padding_mode!r}")
    if padding_mode not in PADDING_MODES:
        raise ValueError(
            f"[pad] Padding mode should be either constant, edge, reflect or symmetric, got {padding_mode!r}"
        )
    left, top, right, bottom = _edges(padding, "pad")
    _, h, w = get_dimensions(img)
    if h + top + bottom < 0 or w + left + right < 0:
        raise ValueError(
            f"[pad] padding {[left, top, right, bottom]} cuts off more than an image of {h} x {w} has"
        )
    if padding_mode == "constant":
        return _pad_constant(img, (left, top, right, bottom), fill)
    if min(left, top, right, bottom) < 0 or h == 0 or w == 0:
        raise ValueError(
            f"[pad] {padding_mode} padding needs pixels and no negative numbers, "
            f"got {[left, top, right, bottom]} for an image of {h} x {w}"
        )
    rows = np.pad(np.arange(h), (top, bottom), mode=padding_mode)  # type: ignore[call-overload]
    columns = np.pad(np.arange(w), (left, right), mode=padding_mode)  # type: ignore[call-overload]
    if is_tensor:
        chosen = x.index_select(x.dim() - 2, taeda.from_numpy(rows))
        return chosen.index_select(x.dim() - 1, taeda.from_numpy(columns))
    out: Any = Image.fromarray(np.asarray(x.convert("RGB") if x.mode == "P" else x)[rows][:, columns])
    return out.convert("P") if x.mode == "P" else out


def _pad_constant(img: Any, edges: tuple[int, int, int, int], fill: Any) -> Any:
    left, top, right, bottom = edges
    if isinstance(img, Image.Image):
        bands = len(img.getbands())
        if fill is None:
            fill = 0
        if isinstance(fill, (tuple, list)):
            if len(fill) not in (1, bands):
                raise ValueError(f"[pad] fill has {len(fill)} values for the {bands} channels of the image")
            fill = tuple(fill) * bands if len(fill) == 1 else tuple(fill)
            fill = fill[0] if bands == 1 else fill
        elif isinstance(fill, (int, float)) and bands > 1:
            fill = (int(fill),) * bands
        if min(edges) < 0:
            img = img.crop(
                (max(-left, 0), max(-top, 0), img.width - max(-right, 0), img.height - max(-bottom, 0))
            )
            left, top, right, bottom = (max(edge, 0) for edge in edges)
        out = Image.new(img.mode, (img.width + left + right, img.height + top + bottom), fill)
        if img.mode == "P":
            out.putpalette(img.getpalette() or [])
        out.paste(img, (left, top))
        return out
    if isinstance(fill, (tuple, list)):
        if len(fill) != 1:
            raise ValueError(f"[pad] fill should be one number for a tensor, got {fill!r}")
        fill = fill[0]
    h, w = img.shape[-2:]
    img = img[..., max(-top, 0) : h - max(-bottom, 0), max(-left, 0) : w - max(-right, 0)]
    h, w = img.shape[-2:]
    left, top, right, bottom = (max(edge, 0) for edge in edges)
    out = img.new_full((*img.shape[:-2], h + top + bottom, w + left + right), 0 if fill is None else fill)
    out[..., top : top + h, left : left + w] = img
    return out


def hflip(img: I) -> I:
    """Mirror left and right."""
    x: Any = img
    is_tensor = _is_tensor(x, "hflip")
    return x.flip(-1) if is_tensor else x.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def vflip(img: I) -> I:
    """Mirror top and bottom."""
    x: Any = img
    is_tensor = _is_tensor(x, "vflip")
    return x.flip(-2) if is_tensor else x.transpose(Image.Transpose.FLIP_TOP_BOTTOM)


# -- colour ----------------------------------------------------------------------------------------


def to_grayscale(img: Image.Image, num_output_channels: int = 1) -> Image.Image:
    """Turn a PIL image into shades of grey with 1 or 3 channels; L = 0.299 R + 0.587 G + 0.114 B."""
    if not isinstance(img, Image.Image):
        raise TypeError(f"[to_grayscale] Input should be PIL Image, got {type(img)}")
    _check_channels(num_output_channels, "to_grayscale")
    grey = img.convert("L")
    return grey if num_output_channels == 1 else Image.merge("RGB", (grey, grey, grey))


def rgb_to_grayscale(img: I, num_output_channels: int = 1) -> I:
    """Turn an RGB image into shades of grey with 1 or 3 channels; L = 0.2989 R + 0.587 G + 0.114 B.

    Raises:
        TypeError: neither kind of image, or a tensor that has not 1 or 3 channels.
        ValueError: `num_output_channels` is not 1 or 3.
    """
    x: Any = img
    is_tensor = _is_tensor(x, "rgb_to_grayscale")
    if not is_tensor:
        return cast(Any, to_grayscale(x, num_output_channels))
    _check_channels(num_output_channels, "rgb_to_grayscale")
    if x.dim() < 3 or x.shape[-3] not in (1, 3):
        raise TypeError(
            "[rgb_to_grayscale] Input image tensor permitted channel values are 1 or 3, "
            f"but the shape is {tuple(x.shape)}"
        )
    if x.shape[-3] == 3:
        r, g, b = x.unbind(-3)
        x = (0.2989 * r + 0.587 * g + 0.114 * b).to(x.dtype).unsqueeze(-3)
    return x.expand(*x.shape[:-3], 3, *x.shape[-2:]) if num_output_channels == 3 else x


def _check_channels(n: int, op: str) -> None:
    if n not in (1, 3):
        raise ValueError(f"[{op}] num_output_channels should be either 1 or 3, got {n}")
