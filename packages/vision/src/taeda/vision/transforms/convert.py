"""Conversions: between PIL images, arrays and tensors, between dtypes, and to zero mean and unit deviation."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

import taeda
import taeda.vision._room

__all__ = ["convert_image_dtype", "largest_value", "normalize", "pil_to_tensor", "to_pil_image", "to_tensor"]


def pil_to_tensor(pic: Image.Image) -> taeda.Tensor:
    """Turn a PIL image into a tensor C x H x W with the same numbers (uint8 for most modes; bool for ``"1"``, uint16 for ``"I;16"``).

    Channels lie innermost in memory, as they do in the image.

    Raises:
        TypeError: `pic` is not a PIL image.

    >>> from PIL import Image
    >>> from taeda.vision.transforms.convert import pil_to_tensor
    >>> pil_to_tensor(Image.new("RGB", (4, 2), "red")).shape
    taeda.Size([3, 2, 4])
    """
    if not isinstance(pic, Image.Image):
        raise TypeError(f"[pil_to_tensor] pic should be PIL Image. Got {type(pic)}")
    pixels = np.array(pic)
    if pixels.dtype == np.bool_:
        pixels = pixels.view(np.uint8) > 0      # Pillow's True is the byte 255
    elif not pixels.dtype.isnative:
        pixels = pixels.astype(pixels.dtype.newbyteorder("="))
    return taeda.from_numpy(pixels.reshape(pic.height, pic.width, -1)).permute(2, 0, 1)


def to_tensor(pic: Image.Image | np.ndarray[Any, Any]) -> taeda.Tensor:
    """Turn a PIL image or an array H x W (x C) into a tensor C x H x W; 8-bit pixels become 0.0 ... 1.0.

    Raises:
        TypeError: `pic` is neither.
        ValueError: the array has not 2 or 3 dimensions.

    >>> from PIL import Image
    >>> from taeda.vision.transforms.convert import to_tensor
    >>> to_tensor(Image.new("RGB", (1, 1), "red")).flatten()
    tensor([1., 0., 0.])
    """
    if isinstance(pic, np.ndarray):
        if pic.ndim not in (2, 3):
            raise ValueError(f"[to_tensor] pic should be 2/3 dimensional. Got {pic.ndim} dimensions.")
        img = taeda.from_numpy(np.array(np.atleast_3d(pic).transpose(2, 0, 1), order="C"))
    elif isinstance(pic, Image.Image):
        img = pil_to_tensor(pic).contiguous()
        img = img.to(taeda.uint8) * 255 if img.dtype == taeda.bool else img
        img = img.to(taeda.int16) if img.dtype == taeda.uint16 else img
    else:
        hint = "; PIL.Image.open opens a file" if isinstance(pic, (str, os.PathLike)) else ""
        hint = "; it is one already" if isinstance(pic, taeda.Tensor) else hint
        raise TypeError(f"[to_tensor] pic should be PIL Image or ndarray. Got {type(pic)}{hint}")
    return img.to(taeda.get_default_dtype()).div_(255) if img.dtype == taeda.uint8 else img


_MODES_BY_CHANNELS = {2: ("LA",), 3: ("RGB", "YCbCr", "HSV"), 4: ("RGBA", "CMYK", "RGBX")}
_MODES_BY_DTYPE = {"uint8": "L", "int16": "I;16", "uint16": "I;16", "int32": "I", "float32": "F"}


def to_pil_image(pic: taeda.Tensor | np.ndarray[Any, Any], mode: str | None = None) -> Image.Image:
    """Turn a tensor C x H x W or an array H x W x C into a PIL image.

    Args:
        pic: floats are taken as 0.0 ... 1.0 and become 8-bit pixels (not where `mode` is ``"F"``).
        mode: the mode of the image, where several have as many channels.

    Raises:
        TypeError: `pic` is neither, or its dtype is none that an image has.
        ValueError: it has not 2 or 3 dimensions, or more than 4 channels, or the mode does not fit.

    >>> import taeda
    >>> from taeda.vision.transforms.convert import to_pil_image
    >>> to_pil_image(taeda.zeros(3, 2, 4)).size
    (4, 2)
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
        tensor = tensor.detach().cpu()
        pixels: Any = (tensor.unsqueeze(-1) if ndim == 2 else tensor.permute(1, 2, 0)).contiguous().numpy()
    else:
        pixels = pic[:, :, None] if ndim == 2 else pic
        if np.issubdtype(pixels.dtype, np.floating) and mode != "F":
            pixels = (pixels * 255).astype(np.uint8)
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
                f"channels, got {mode}"
            )
        mode = (mode or permitted[0]) if pixels.dtype == np.uint8 else None
    if mode is None:
        raise TypeError(f"[to_pil_image] Input type {pixels.dtype} with {channels} channels is not supported")
    height, width = pixels.shape[:2]
    return Image.frombytes(mode, (width, height), memoryview(np.ascontiguousarray(pixels)))  # type: ignore[arg-type]


def largest_value(dtype: Any) -> int:
    """Return the largest value of an integer dtype, 1 for floating-point ones and bool."""
    if dtype == taeda.bool or taeda.empty((), dtype=dtype).is_floating_point():
        return 1
    return int(taeda.iinfo(dtype).max)


def convert_image_dtype(image: taeda.Tensor, dtype: Any = taeda.float32) -> taeda.Tensor:
    """Convert a tensor image to another dtype and scale its values to the range of that dtype.

    Floating-point images have the range 0 ... 1, integer ones 0 ... the largest value.

    Raises:
        TypeError: `image` is not a tensor.
        RuntimeError: a float cannot hold the integers asked for.

    >>> import taeda
    >>> from taeda.vision.transforms.convert import convert_image_dtype
    >>> convert_image_dtype(taeda.tensor([[[0, 51, 255]]], dtype=taeda.uint8))
    tensor([[[0.0000, 0.2000, 1.0000]]])
    """
    if not isinstance(image, taeda.Tensor):
        raise TypeError(f"[convert_image_dtype] Input img should be Tensor Image, got {type(image)}")
    dtype = taeda.float32 if dtype is None else dtype
    if image.dtype == dtype:
        return image
    top_in, top_out = largest_value(image.dtype), largest_value(dtype)
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

    Args:
        mean, std: a number for each channel.
        inplace: write into `tensor`.

    Raises:
        TypeError: it is not a tensor of floats.
        ValueError: it has fewer than 3 dimensions, or a std is zero.

    >>> import taeda
    >>> from taeda.vision.transforms.convert import normalize
    >>> normalize(taeda.tensor([[[0.0, 0.5, 1.0]]]), mean=[0.5], std=[0.25])
    tensor([[[-2.,  0.,  2.]]])
    """
    if not isinstance(tensor, taeda.Tensor):
        raise TypeError(f"[normalize] img should be Tensor Image. Got {type(tensor)}; put ToTensor before it")
    if not tensor.is_floating_point():
        raise TypeError(
            f"[normalize] Input tensor should be a float tensor. Got {tensor.dtype}. ConvertImageDtype(taeda.float32) makes it one"
        )
    if tensor.dim() < 3:
        raise ValueError(
            "[normalize] Expected tensor to be a tensor image of size (..., C, H, W). "
            f"Got tensor.size() = {tuple(tensor.shape)}"
        )
    means, stds = (taeda.as_tensor(x, dtype=tensor.dtype, device=tensor.device) for x in (mean, std))
    means, stds = (x.reshape(-1, 1, 1) if x.dim() < 2 else x for x in (means, stds))        # one per channel, or an image of them
    if bool((stds == 0).any()):
        raise ValueError(
            f"[normalize] std evaluated to zero after conversion to {tensor.dtype}, leading to division by "
            "zero."
        )
    channels = tensor.shape[-3]
    for name, values in (("mean", means), ("std", stds)):
        if values.dim() > tensor.dim() or (values.dim() == 3 and values.shape[0] not in (1, channels)):
            raise RuntimeError(
                f"[normalize] {name} has {values.shape[0]} values for {channels} channels of "
                f"{tuple(tensor.shape)}; give as many, or change the image's with Grayscale or .expand"
            )
    if inplace:
        return tensor.sub_(means).div_(stds)
    return (tensor - means).div_(stds)
