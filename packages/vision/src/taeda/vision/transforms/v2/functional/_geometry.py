"""Mirrors, sizes, padding and crops of images, videos and masks; warps are in `_warps`, boxes and points follow in `_boxes`."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import taeda
from taeda import Tensor
from taeda.vision import tv_tensors
from taeda.vision.transforms import geometry as v1
from taeda.vision.transforms.geometry import InterpolationMode
from taeda.vision.transforms.resample import resize_tensor
from taeda.vision.transforms.v2.functional._dispatch import dispatched, kernel
from taeda.vision.transforms.v2.functional._sizes import PIL_IMAGE, TENSORS

__all__ = [
    "center_crop",
    "crop",
    "five_crop",
    "hflip",
    "horizontal_flip",
    "pad",
    "resize",
    "resized_crop",
    "ten_crop",
    "vertical_flip",
    "vflip",
]

Mode = str | InterpolationMode | int
Fill = float | Sequence[float] | None
MASK = tv_tensors.Mask
_COMPUTED = (taeda.float32, taeda.float64, taeda.uint8)       # v1 goes by float32 for uint8 too, with other rounding
NEAREST, BILINEAR = InterpolationMode.NEAREST, InterpolationMode.BILINEAR


def mode_of(interpolation: Any, op: str) -> InterpolationMode:
    """Accept an InterpolationMode, its name, or Pillow's number for it."""
    if isinstance(interpolation, str):
        names = {m.value: m for m in InterpolationMode}
        if interpolation not in names:
            raise ValueError(f"[{op}] Invalid interpolation mode: '{interpolation}'. Supported string values are: {list(names)}.")
        return names[interpolation]
    if not isinstance(interpolation, (int, InterpolationMode)):
        raise ValueError(
            f"[{op}] Argument interpolation should be an `InterpolationMode` or a corresponding Pillow integer constant, "
            f"but got {interpolation}."
        )
    return v1.interpolation_mode(interpolation, op)


def flat(mask: Tensor) -> tuple[Tensor, bool]:
    """Give a mask H x W a channel; say whether it had none."""
    return (mask.unsqueeze(0), True) if mask.dim() < 3 else (mask, False)


@dispatched
def horizontal_flip(inpt: Any) -> Any:
    """Mirror left and right.

    >>> import taeda
    >>> from taeda.vision import tv_tensors
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.horizontal_flip(tv_tensors.BoundingBoxes([[0, 0, 4, 6]], format="XYXY", canvas_size=(10, 20)))
    BoundingBoxes([[16,  0, 20,  6]], format=BoundingBoxFormat.XYXY, canvas_size=(10, 20), clamping_mode=soft)
    """
    raise NotImplementedError


@kernel(horizontal_flip, *TENSORS, MASK)
def horizontal_flip_image(image: Tensor) -> Tensor:
    """Mirror a tensor left and right.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.horizontal_flip_image(taeda.arange(4).reshape(1, 2, 2))
    tensor([[[1, 0],
             [3, 2]]])
    """
    return image.flip(-1)


@dispatched
def vertical_flip(inpt: Any) -> Any:
    """Mirror top and bottom.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.vertical_flip(taeda.tensor([[[1.0], [2.0]]]))
    tensor([[[2.],
             [1.]]])
    """
    raise NotImplementedError


@kernel(vertical_flip, *TENSORS, MASK)
def vertical_flip_image(image: Tensor) -> Tensor:
    """Mirror a tensor top and bottom.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.vertical_flip_image(taeda.arange(4).reshape(1, 2, 2))
    tensor([[[2, 3],
             [0, 1]]])
    """
    return image.flip(-2)


kernel(horizontal_flip, PIL_IMAGE)(v1.hflip)
kernel(vertical_flip, PIL_IMAGE)(v1.vflip)


def output_size(canvas: Sequence[int], size: Any, max_size: int | None = None) -> tuple[int, int]:
    """Return the (height, width) that `size` means for a canvas."""
    h, w = canvas
    if size is None:
        if max_size is None:
            raise ValueError("[resize] max_size must be an integer when size is None")
        short, long = min(h, w), max(h, w)
        short = int(max_size * short / long)
        return (max_size, short) if w <= h else (short, max_size)
    sizes = [size] if isinstance(size, int) else list(size)
    if max_size is not None and len(sizes) != 1:
        raise ValueError(
            "[resize] max_size should only be passed if size is None or specifies the length of the smaller edge, "
            f"got size={sizes} and max_size={max_size}"
        )
    return v1.target_size(h, w, sizes, max_size)


@dispatched
def resize(
    inpt: Any, size: Any, interpolation: Mode = BILINEAR, max_size: int | None = None, antialias: bool | None = True
) -> Any:
    """Resize to (height, width), or the shorter edge to one number, or the longer to `max_size` where `size` is None.

    Args:
        interpolation: of images; masks are always taken from the nearest pixel.
        antialias: for tensors; PIL images are always antialiased.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.resize(taeda.zeros(3, 10, 20), 5).shape, F.resize(taeda.zeros(3, 10, 20), [5, 6]).shape
    (taeda.Size([3, 5, 10]), taeda.Size([3, 5, 6]))
    """
    raise NotImplementedError


@kernel(resize, *TENSORS)
def resize_image(
    image: Tensor, size: Any, interpolation: Mode = BILINEAR, max_size: int | None = None, antialias: bool | None = True
) -> Tensor:
    """Resize a tensor ... x C x H x W.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.resize_image(taeda.zeros(3, 20, 30), size=[10]).shape                # the shorter side
    taeda.Size([3, 10, 15])
    """
    mode = mode_of(interpolation, "resize")
    if mode is InterpolationMode.LANCZOS and not antialias:
        raise ValueError("[resize] InterpolationMode.LANCZOS requires antialias=True")
    h, w = image.shape[-2:]
    new = output_size((h, w), size, max_size)
    if new == (h, w):
        return image
    x = _batched(image)
    out = resize_tensor(x, *new, mode.value, bool(antialias), _COMPUTED)
    return out if x is image else out.reshape(*image.shape[:-2], *new)


def _batched(image: Tensor) -> Tensor:
    """Return an image whose channels lie innermost as a batch of one whose strides say so, and others as they are."""
    if image.dim() < 3 or image.stride(-3) != 1 or image.shape[-3] == 1 or image.numel() != math.prod(image.shape[-3:]):
        return image
    c, h, w = image.shape[-3:]
    pixels = image.reshape(c, h, w).movedim(0, -1)
    return pixels[None].movedim(-1, 1) if pixels.is_contiguous() else image


@kernel(resize, PIL_IMAGE)
def _resize_pil(
    image: Any, size: Any, interpolation: Mode = BILINEAR, max_size: int | None = None, antialias: bool | None = True
) -> Any:
    if antialias is False:
        warnings.warn("Anti-alias option is always applied for PIL Image input. Argument antialias is ignored.", stacklevel=3)
    h, w = output_size((image.height, image.width), size, max_size)
    mode = mode_of(interpolation, "resize")
    return image if (w, h) == image.size else image.resize((w, h), resample=v1.PILLOW_MODES[mode])


@kernel(resize, MASK)
def resize_mask(
    mask: Tensor, size: Any, interpolation: Mode = NEAREST, max_size: int | None = None, antialias: bool | None = None
) -> Tensor:
    """Resize a mask; values are taken from the nearest pixel.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.resize_mask(taeda.tensor([[[0, 1], [2, 3]]]), size=[2, 4])
    tensor([[[0, 0, 1, 1],
             [2, 2, 3, 3]]])
    """
    mode = mode_of(interpolation, "resize")
    mode = mode if mode is InterpolationMode.NEAREST_EXACT else NEAREST
    mask, bare = flat(mask)
    out = resize_image(mask, size, mode, max_size)
    return out.squeeze(0) if bare else out


def edges(padding: Any) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom of a padding: a number, (across, down), or all four."""
    if not isinstance(padding, (int, tuple, list)):
        raise TypeError(f"[pad] `padding` should be an integer or tuple or list of integers, but got {padding}")
    return v1.padding_edges(padding, "pad")


@dispatched
def pad(inpt: Any, padding: int | Sequence[int], fill: Fill = None, padding_mode: str = "constant") -> Any:
    """Add pixels around; see `transforms.functional.pad`.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.pad(taeda.ones(1, 1, 2), [1, 0], fill=9)
    tensor([[[9., 1., 1., 9.]]])
    """
    raise NotImplementedError


@kernel(pad, *TENSORS)
def pad_image(image: Tensor, padding: Any, fill: Fill = None, padding_mode: str = "constant") -> Tensor:
    """Add pixels around a tensor ... x C x H x W; `fill` may have a value for each channel.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.pad_image(taeda.ones(1, 1, 2), padding=[1, 0], fill=5)
    tensor([[[5., 1., 1., 5.]]])
    """
    left, top, right, bottom = edges(padding)
    if not isinstance(fill, (tuple, list)) or len(fill) == 1:
        return v1.pad(image, [left, top, right, bottom], fill[0] if isinstance(fill, (tuple, list)) else fill, padding_mode)
    if padding_mode != "constant":
        raise ValueError(f"[pad] Padding mode '{padding_mode}' is not supported if fill is not scalar")
    out = v1.pad(image, [left, top, right, bottom])
    colour = taeda.tensor(list(fill)).to(image.dtype).reshape(-1, 1, 1)
    h, w = out.shape[-2:]
    for axis, n, before, after in ((-2, h, top, bottom), (-1, w, left, right)):
        for start, length in ((0, before), (n - after, after)):
            if length > 0:
                out.narrow(axis, start, length).copy_(colour)
    return out


@kernel(pad, PIL_IMAGE)
def _pad_pil(image: Any, padding: Any, fill: Fill = 0, padding_mode: str = "constant") -> Any:
    return v1.pad(image, padding, fill, padding_mode)


@kernel(pad, MASK)
def pad_mask(mask: Tensor, padding: Any, fill: Fill = None, padding_mode: str = "constant") -> Tensor:
    """Add pixels of one value around a mask.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.pad_mask(taeda.ones(1, 1, 2, dtype=taeda.uint8), padding=[1, 0])
    tensor([[[0, 1, 1, 0]]], dtype=taeda.uint8)
    """
    if isinstance(fill, (tuple, list)):
        raise ValueError("[pad] Non-scalar fill value is not supported for masks")
    mask, bare = flat(mask)
    out = pad_image(mask, padding, fill, padding_mode)
    return out.squeeze(0) if bare else out


@dispatched
def crop(inpt: Any, top: int, left: int, height: int, width: int) -> Any:
    """Cut out height x width pixels from row `top` and column `left`; what lies outside is zero.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.crop(taeda.arange(9).reshape(1, 3, 3), top=1, left=1, height=2, width=3)
    tensor([[[4, 5, 0],
             [7, 8, 0]]])
    """
    raise NotImplementedError


@kernel(crop, *TENSORS, MASK)
def crop_image(image: Tensor, top: int, left: int, height: int, width: int) -> Tensor:
    """Cut out of a tensor.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.crop_image(taeda.arange(9).reshape(1, 3, 3), top=1, left=1, height=2, width=3)     # what is beyond the image is 0
    tensor([[[4, 5, 0],
             [7, 8, 0]]])
    """
    return v1.crop(image, top, left, height, width)


kernel(crop, PIL_IMAGE)(v1.crop)


@dispatched
def center_crop(inpt: Any, output_size: int | Sequence[int]) -> Any:
    """Cut (height, width) out of the middle; what is smaller is padded with zeros.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.center_crop(taeda.arange(16).reshape(1, 4, 4), [2, 2])
    tensor([[[ 5,  6],
             [ 9, 10]]])
    """
    raise NotImplementedError


@kernel(center_crop, *TENSORS, MASK)
def center_crop_image(image: Tensor, output_size: Any) -> Tensor:
    """Cut out of the middle of a tensor.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.center_crop_image(taeda.arange(16).reshape(1, 4, 4), output_size=[2])
    tensor([[[ 5,  6],
             [ 9, 10]]])
    """
    return v1.center_crop(image, output_size)


kernel(center_crop, PIL_IMAGE)(v1.center_crop)


def crop_anchor(crop: Sequence[int], canvas: Sequence[int]) -> tuple[int, int]:
    """Return the row and column where a central crop begins."""
    return round((canvas[0] - crop[0]) / 2.0), round((canvas[1] - crop[1]) / 2.0)


@dispatched
def resized_crop(
    inpt: Any,
    top: int,
    left: int,
    height: int,
    width: int,
    size: Any,
    interpolation: Mode = BILINEAR,
    antialias: bool | None = True,
) -> Any:
    """Crop, then resize.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.resized_crop(taeda.zeros(3, 10, 20), top=2, left=5, height=4, width=8, size=[16, 32]).shape
    taeda.Size([3, 16, 32])
    """
    raise NotImplementedError


@kernel(resized_crop, *TENSORS)
def resized_crop_image(
    image: Tensor, top: int, left: int, height: int, width: int, size: Any, interpolation: Mode = BILINEAR, antialias: bool | None = True
) -> Tensor:
    """Crop a tensor, then resize it.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.resized_crop_image(taeda.zeros(3, 20, 20), top=2, left=2, height=10, width=10, size=[5, 5]).shape
    taeda.Size([3, 5, 5])
    """
    return resize_image(crop_image(image, top, left, height, width), size, interpolation, antialias=antialias)


@kernel(resized_crop, PIL_IMAGE)
def _resized_crop_pil(
    image: Any, top: int, left: int, height: int, width: int, size: Any, interpolation: Mode = BILINEAR, antialias: bool | None = True
) -> Any:
    return _resize_pil(v1.crop(image, top, left, height, width), size, interpolation, antialias=antialias)


@kernel(resized_crop, MASK)
def resized_crop_mask(
    mask: Tensor, top: int, left: int, height: int, width: int, size: Any, interpolation: Mode = NEAREST, antialias: bool | None = None
) -> Tensor:
    """Crop a mask, then resize it.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.resized_crop_mask(taeda.arange(16).reshape(1, 4, 4), top=0, left=0, height=2, width=2, size=[2, 4])
    tensor([[[0, 0, 1, 1],
             [4, 4, 5, 5]]])
    """
    return resize_mask(crop_image(mask, top, left, height, width), size)


@dispatched
def five_crop(inpt: Any, size: Any) -> Any:
    """Cut out the four corners and the middle.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> [crop.flatten().tolist() for crop in F.five_crop(taeda.arange(9).reshape(1, 3, 3), [1, 1])]
    [[0], [2], [6], [8], [4]]
    """
    raise NotImplementedError


@dispatched
def ten_crop(inpt: Any, size: Any, vertical_flip: bool = False) -> Any:
    """Cut out five crops of it and five of its mirror image.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> len(F.ten_crop(taeda.zeros(3, 10, 20), [4, 4]))
    10
    """
    raise NotImplementedError


@kernel(five_crop, *TENSORS, PIL_IMAGE)
def five_crop_image(image: Tensor, size: Any) -> Any:
    """Cut five crops out of a tensor.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> [crop[0, 0, 0].item() for crop in F.five_crop_image(taeda.arange(16).reshape(1, 4, 4), size=[2])]
    [0, 2, 8, 10, 5]
    """
    return v1.five_crop(image, size)


@kernel(ten_crop, *TENSORS, PIL_IMAGE)
def ten_crop_image(image: Tensor, size: Any, vertical_flip: bool = False) -> Any:
    """Cut ten crops out of a tensor.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> len(F.ten_crop_image(taeda.arange(16).reshape(1, 4, 4), size=[2]))                   # five, and five of the mirrored image
    10
    """
    return v1.ten_crop(image, size, vertical_flip)


hflip, vflip = horizontal_flip, vertical_flip
horizontal_flip_mask = horizontal_flip_video = horizontal_flip_image
vertical_flip_mask = vertical_flip_video = vertical_flip_image
resize_video, pad_video = resize_image, pad_image
crop_mask = crop_video = crop_image
center_crop_mask = center_crop_video = center_crop_image
resized_crop_video = resized_crop_image
five_crop_video, ten_crop_video = five_crop_image, ten_crop_image
