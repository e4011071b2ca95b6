"""Sizes of all kinds of inputs, conversion of types and dtypes, and frames of videos."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import PIL.Image

import taeda
from taeda import Tensor, _spoken
from taeda.vision import tv_tensors
from taeda.vision.transforms import convert
from taeda.vision.transforms.convert import largest_value, pil_to_tensor
from taeda.vision.transforms.v2.functional._dispatch import dispatched, kernel

__all__ = [
    "convert_image_dtype",
    "get_dimensions",
    "get_image_num_channels",
    "get_image_size",
    "get_num_channels",
    "get_num_frames",
    "get_size",
    "to_dtype",
    "to_image",
    "to_tensor",
    "uniform_temporal_subsample",
]

TENSORS = (Tensor, tv_tensors.Image, tv_tensors.Video)
PIL_IMAGE = PIL.Image.Image
_BITS = {"uint8": 8, "int8": 7, "int16": 15, "uint16": 16, "int32": 31, "int64": 63}


@dispatched
def get_dimensions(inpt: Any) -> list[int]:
    """Return [channels, height, width] of an image or video.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.get_dimensions(taeda.zeros(3, 10, 20))
    [3, 10, 20]
    """
    raise NotImplementedError


@kernel(get_dimensions, *TENSORS)
def get_dimensions_image(image: Tensor) -> list[int]:
    """Return [channels, height, width] of a tensor; of two dimensions, one channel.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.get_dimensions_image(taeda.zeros(4, 5))
    [1, 4, 5]
    """
    if image.dim() < 2:
        raise TypeError(f"[get_dimensions] Input tensor should have at least two dimensions, but got {image.dim()}")
    chw = list(image.shape[-3:])
    return [1, *chw] if len(chw) == 2 else chw


@kernel(get_dimensions, PIL_IMAGE)
def _get_dimensions_pil(image: Any) -> list[int]:
    return [len(image.getbands()), image.height, image.width]


def get_num_channels(inpt: Any) -> int:
    """Return the number of channels of an image or video.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.get_num_channels(taeda.zeros(3, 10, 20))
    3
    """
    return get_dimensions(inpt)[0]


get_image_num_channels = get_num_channels


@dispatched
def get_size(inpt: Any) -> list[int]:
    """Return [height, width]; of boxes and points, of their canvas.

    >>> from taeda.vision import tv_tensors
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.get_size(tv_tensors.BoundingBoxes([[0, 0, 4, 6]], format="XYXY", canvas_size=(10, 20)))
    [10, 20]
    """
    raise NotImplementedError


@kernel(get_size, *TENSORS, tv_tensors.Mask)
def get_size_image(image: Tensor) -> list[int]:
    """Return [height, width] of a tensor.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.get_size_image(taeda.zeros(3, 4, 5))
    [4, 5]
    """
    if image.dim() < 2:
        raise TypeError(f"[get_size] Input tensor should have at least two dimensions, but got {image.dim()}")
    return list(image.shape[-2:])


@kernel(get_size, PIL_IMAGE)
def _get_size_pil(image: Any) -> list[int]:
    return [image.height, image.width]


@kernel(get_size, tv_tensors.BoundingBoxes, tv_tensors.KeyPoints, bare=True)
def get_size_bounding_boxes(bounding_boxes: Any) -> list[int]:
    """Return the [height, width] of the canvas.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> from taeda.vision.tv_tensors import BoundingBoxes
    >>> F.get_size_bounding_boxes(BoundingBoxes([[1, 2, 3, 4]], format="XYXY", canvas_size=(10, 20)))
    [10, 20]
    """
    return list(bounding_boxes.canvas_size)


get_size_keypoints = get_size_bounding_boxes


def get_image_size(inpt: Any) -> list[int]:
    """Return [width, height], with a warning: `get_size` says [height, width].

    >>> import warnings, taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     F.get_image_size(taeda.zeros(3, 4, 5))
    [5, 4]
    """
    warnings.warn("The function `get_image_size(...)` is deprecated. Instead, please use `get_size(...)` which returns `[h, w]`.",
                  stacklevel=2)
    h, w = get_size(inpt)
    return [w, h]


def to_tensor(inpt: Any) -> Tensor:
    """Turn a PIL image or an array H x W x C into a tensor of 0 ... 1; `to_image` and `to_dtype` do it in two steps.

    >>> import warnings
    >>> import numpy as np
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     F.to_tensor(np.full((1, 2, 3), 255, dtype=np.uint8)).shape
    taeda.Size([3, 1, 2])
    """
    warnings.warn("The function `to_tensor(...)` is deprecated. Instead, please use `to_image(...)` followed by "
                  f"`to_dtype(..., dtype={_spoken.name}.float32, scale=True)`.", stacklevel=2)
    return convert.to_tensor(inpt)


@dispatched
def get_num_frames(inpt: Any) -> int:
    """Return the number of frames of a video.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.get_num_frames(taeda.zeros(16, 3, 2, 2))
    16
    """
    raise NotImplementedError


@kernel(get_num_frames, Tensor, tv_tensors.Video)
def get_num_frames_video(video: Tensor) -> int:
    """Return the number of frames, ... x T x C x H x W.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.get_num_frames_video(taeda.zeros(8, 3, 4, 5))
    8
    """
    return video.shape[-4]


@dispatched
def uniform_temporal_subsample(inpt: Any, num_samples: int) -> Any:
    """Take so many frames of a video at equal distances.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.uniform_temporal_subsample(taeda.arange(9).reshape(9, 1, 1, 1), 3).flatten()
    tensor([0, 4, 8])
    """
    raise NotImplementedError


@kernel(uniform_temporal_subsample, Tensor, tv_tensors.Video)
def uniform_temporal_subsample_video(video: Tensor, num_samples: int) -> Tensor:
    """Take so many of T frames, ... x T x C x H x W.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.uniform_temporal_subsample_video(taeda.arange(10).reshape(10, 1, 1, 1), 3).flatten()
    tensor([0, 4, 9])
    """
    frames = taeda.linspace(0, video.shape[-4] - 1, num_samples).long()
    return taeda.index_select(video, -4, frames)


def to_image(inpt: Any) -> Any:
    """Make a tv_tensors.Image of a PIL image, an array H x W x C or a tensor C x H x W; values stay.

    Raises:
        TypeError: it is none of these.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> type(F.to_image(taeda.zeros(3, 2, 4))).__name__
    'Image'
    """
    if isinstance(inpt, np.ndarray):
        inpt = taeda.from_numpy(np.atleast_3d(inpt)).permute(2, 0, 1).contiguous()
    elif isinstance(inpt, PIL_IMAGE):
        inpt = pil_to_tensor(inpt)
    elif not isinstance(inpt, Tensor):
        raise TypeError(
            f"[to_image] Input can either be a pure Tensor, a numpy array, or a PIL image, but got {type(inpt)} instead."
        )
    return tv_tensors.Image(inpt)


@dispatched
def to_dtype(inpt: Any, dtype: Any = taeda.float32, scale: bool = False) -> Any:
    """Convert the dtype; with `scale`, values of images and videos are brought to the range of the new one.

    Floats range from 0 to 1, integers from 0 to their largest value.

    Raises:
        RuntimeError: floats cannot hold the integers asked for.

    >>> import taeda
    >>> from taeda.vision.transforms.v2.functional import to_dtype
    >>> to_dtype(taeda.tensor([[[0, 255]]], dtype=taeda.uint8), taeda.float32, scale=True)
    tensor([[[0., 1.]]])
    """
    raise NotImplementedError


def bits_of(dtype: Any) -> int:
    """Return how many bits hold the values of an integer dtype; TypeError for any other."""
    name = str(dtype).rpartition(".")[2]
    if name not in _BITS:
        raise TypeError(f"[to_dtype] Number of value bits is only defined for integer dtypes, but got {dtype}.")
    return _BITS[name]


@kernel(to_dtype, *TENSORS)
def to_dtype_image(image: Tensor, dtype: Any = taeda.float32, scale: bool = False) -> Tensor:
    """Convert a tensor; see `to_dtype`.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.to_dtype_image(taeda.tensor([[[0, 255]]], dtype=taeda.uint8), taeda.float32, scale=True)
    tensor([[[0., 1.]]])
    """
    if image.dtype == dtype:
        return image
    if not scale:
        return image.to(dtype)
    to_float = dtype.is_floating_point
    if image.is_floating_point():
        if to_float:
            return image.to(dtype)
        wide = (taeda.int32, taeda.int64) if image.dtype == taeda.float32 else (taeda.int64,)
        if image.dtype in (taeda.float32, taeda.float64) and dtype in wide:
            raise RuntimeError(f"[to_dtype] The conversion from {image.dtype} to {dtype} cannot be performed safely.")
        # Just under the next value, so that 1.0 is the largest and all values get equal shares.
        return image.mul(float(largest_value(dtype)) + 1.0 - 1e-3).to(dtype)
    if to_float:
        return image.to(dtype).mul_(1.0 / largest_value(image.dtype))
    before, after = bits_of(image.dtype), bits_of(dtype)
    if before > after:
        by = before - after
        return (image / 2**by).to(dtype) if image.dtype == taeda.uint16 else image.bitwise_right_shift(by).to(dtype)
    if dtype == taeda.uint16:
        return image.to(taeda.int32).mul(2 ** (after - before)).to(dtype)
    return image.to(dtype).bitwise_left_shift_(after - before)


@kernel(to_dtype, tv_tensors.Mask, tv_tensors.BoundingBoxes, tv_tensors.KeyPoints)
def _to_dtype_other(x: Tensor, dtype: Any = taeda.float32, scale: bool = False) -> Tensor:
    return x.to(dtype)


def convert_image_dtype(image: Tensor, dtype: Any = taeda.float32) -> Tensor:
    """Convert a tensor image and scale its values; `to_dtype` with `scale`.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.convert_image_dtype(taeda.tensor([[[0, 51, 255]]], dtype=taeda.uint8), taeda.float32)
    tensor([[[0.0000, 0.2000, 1.0000]]])
    """
    return to_dtype_image(image, dtype, scale=True)


get_dimensions_video = get_dimensions_image
get_num_channels_image = get_num_channels_video = get_num_channels
get_size_video = get_size_mask = get_size_image
to_dtype_video = to_dtype_image
