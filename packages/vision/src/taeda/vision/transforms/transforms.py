"""Transforms as objects: each holds its arguments and calls a function of `functional`."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Number
from typing import Any

import taeda
from taeda import nn
from taeda.vision.transforms import functional as F
from taeda.vision.transforms.container import Compose, Transform
from taeda.vision.transforms.geometry import PADDING_MODES, InterpolationMode, interpolation_mode

__all__ = [
    "CenterCrop",
    "Compose",
    "ConvertImageDtype",
    "FiveCrop",
    "Grayscale",
    "Lambda",
    "Normalize",
    "PILToTensor",
    "Pad",
    "Resize",
    "TenCrop",
    "ToPILImage",
    "ToTensor",
]


def two_sizes(size: Any, op: str) -> Sequence[int]:
    """Read a size as (height, width); a pair stays what it is."""
    if isinstance(size, Number):
        return int(size), int(size)  # type: ignore[call-overload]
    if not isinstance(size, Sequence):
        raise TypeError(f"[{op}] size should be an int or a sequence of two (h, w), got {type(size).__name__}")
    if len(size) not in (1, 2):
        raise ValueError(f"[{op}] Please provide only two dimensions (h, w) for size, got {size!r}.")
    return size if len(size) == 2 else (size[0], size[0])


def _setup_size(size: Any, error_msg: str) -> Sequence[int]:
    """Read a size as (height, width), as transforms that programs write do; ValueError with the given text."""
    if not isinstance(size, Number) and len(size) not in (1, 2):
        raise ValueError(error_msg)
    return two_sizes(size, "_setup_size")


class ToTensor:
    """A PIL image or an array H x W x C becomes a tensor C x H x W; 8-bit pixels become 0.0 ... 1.0.

    >>> import PIL.Image
    >>> from taeda.vision.transforms import ToTensor
    >>> ToTensor()(PIL.Image.new("RGB", (1, 1), "red")).flatten()
    tensor([1., 0., 0.])
    """

    def __call__(self, pic: Any) -> taeda.Tensor:
        return F.to_tensor(pic)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class PILToTensor:
    """A PIL image becomes a tensor C x H x W with the same numbers.

    >>> import PIL.Image
    >>> from taeda.vision.transforms import PILToTensor
    >>> PILToTensor()(PIL.Image.new("RGB", (1, 1), "red")).flatten()
    tensor([255,   0,   0], dtype=taeda.uint8)
    """

    def __call__(self, pic: Any) -> taeda.Tensor:
        return F.pil_to_tensor(pic)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class ToPILImage:
    """A tensor C x H x W or an array H x W x C becomes a PIL image.

    >>> import taeda
    >>> from taeda.vision.transforms import ToPILImage
    >>> ToPILImage()(taeda.zeros(3, 2, 4)).size
    (4, 2)
    """

    def __init__(self, mode: str | None = None) -> None:
        self.mode = mode

    def __call__(self, pic: Any) -> Any:
        return F.to_pil_image(pic, self.mode)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'' if self.mode is None else f'mode={self.mode}'})"


class Lambda:
    """Apply a function that you give.

    Raises:
        TypeError: it cannot be called.

    >>> import taeda
    >>> from taeda.vision.transforms import Lambda
    >>> Lambda(lambda x: x * 2)(taeda.ones(3))
    tensor([2., 2., 2.])
    """

    def __init__(self, lambd: Transform) -> None:
        if not callable(lambd):
            raise TypeError(f"[Lambda] Argument lambd should be callable, got {type(lambd).__name__!r}")
        self.lambd = lambd

    def __call__(self, img: Any) -> Any:
        return self.lambd(img)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class ConvertImageDtype(nn.Module):
    """Convert a tensor image to a dtype and scale its values to the range of it.

    >>> import taeda
    >>> from taeda.vision.transforms import ConvertImageDtype
    >>> ConvertImageDtype(taeda.float32)(taeda.tensor([[[0, 51, 255]]], dtype=taeda.uint8))
    tensor([[[0.0000, 0.2000, 1.0000]]])
    """

    def __init__(self, dtype: Any) -> None:
        super().__init__()
        self.dtype = dtype

    def forward(self, image: taeda.Tensor) -> taeda.Tensor:
        return F.convert_image_dtype(image, self.dtype)


class Normalize(nn.Module):
    """``(image[c] - mean[c]) / std[c]`` for every channel c of a floating-point tensor image.

    >>> import taeda
    >>> from taeda.vision.transforms import Normalize
    >>> Normalize(mean=[0.5], std=[0.25])(taeda.tensor([[[0.0, 0.5, 1.0]]]))
    tensor([[[-2.,  0.,  2.]]])
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> None:
        super().__init__()
        self.mean = mean
        self.std = std
        self.inplace = inplace

    def forward(self, tensor: taeda.Tensor) -> taeda.Tensor:
        return F.normalize(tensor, self.mean, self.std, self.inplace)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(mean={self.mean}, std={self.std})"


class Resize(nn.Module):
    """Resize to (height, width), or the shorter edge to one number.

    Args:
        size: (height, width), or a number for the shorter edge.
        interpolation: how pixels between pixels are found.
        max_size: the longer edge is at most that, where `size` is a number.
        antialias: smooth a tensor before it is made smaller; PIL images always are.

    Raises:
        TypeError: `size` is neither a number nor a sequence.
        ValueError: it has not 1 or 2 values.

    >>> import taeda
    >>> from taeda.vision.transforms import Resize
    >>> Resize(50)(taeda.zeros(3, 100, 200)).shape
    taeda.Size([3, 50, 100])
    >>> Resize((50, 50))(taeda.zeros(3, 100, 200)).shape
    taeda.Size([3, 50, 50])
    """

    def __init__(
        self,
        size: int | Sequence[int],
        interpolation: InterpolationMode | int = InterpolationMode.BILINEAR,
        max_size: int | None = None,
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        if not isinstance(size, (int, Sequence)):
            raise TypeError(f"[Resize] Size should be int or sequence. Got {type(size)}")
        if isinstance(size, Sequence) and len(size) not in (1, 2):
            raise ValueError(f"[Resize] If size is a sequence, it should have 1 or 2 values, got {size!r}")
        self.size = size
        self.max_size = max_size
        self.interpolation = interpolation_mode(interpolation, "Resize")
        self.antialias = antialias

    def forward(self, img: Any) -> Any:
        return F.resize(img, self.size, self.interpolation, self.max_size, self.antialias)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(size={self.size}, interpolation={self.interpolation.value}, "
            f"max_size={self.max_size}, antialias={self.antialias})"
        )


class CenterCrop(nn.Module):
    """Cut (height, width) pixels out of the middle; a smaller image is padded with zeros.

    >>> import taeda
    >>> from taeda.vision.transforms import CenterCrop
    >>> CenterCrop(2)(taeda.arange(16.0).reshape(1, 4, 4))
    tensor([[[ 5.,  6.],
             [ 9., 10.]]])
    """

    def __init__(self, size: int | Sequence[int]) -> None:
        super().__init__()
        self.size = two_sizes(size, "CenterCrop")

    def forward(self, img: Any) -> Any:
        return F.center_crop(img, self.size)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.size})"


class Pad(nn.Module):
    """Add pixels around an image; see `functional.pad` for the arguments and errors.

    >>> import taeda
    >>> from taeda.vision.transforms import Pad
    >>> Pad((1, 0), fill=9.0)(taeda.ones(1, 1, 2))
    tensor([[[9., 1., 1., 9.]]])
    """

    def __init__(
        self, padding: int | Sequence[int], fill: float | Sequence[float] = 0, padding_mode: str = "constant"
    ) -> None:
        super().__init__()
        if not isinstance(padding, (Number, tuple, list)):
            raise TypeError(f"[Pad] Got inappropriate padding arg: {padding!r}")
        if not isinstance(fill, (Number, tuple, list)):
            raise TypeError(f"[Pad] Got inappropriate fill arg: {fill!r}")
        if padding_mode not in PADDING_MODES:
            raise ValueError(
                "[Pad] Padding mode should be either constant, edge, reflect or symmetric, got "
                f"{padding_mode!r}"
            )
        if isinstance(padding, (tuple, list)) and len(padding) not in (1, 2, 4):
            raise ValueError(
                f"[Pad] Padding must be an int or a 1, 2, or 4 element tuple, not a {len(padding)} element "
                "tuple"
            )
        self.padding = padding
        self.fill = fill
        self.padding_mode = padding_mode

    def forward(self, img: Any) -> Any:
        return F.pad(img, self.padding, self.fill, self.padding_mode)

    def __repr__(self) -> str:
        name = type(self).__name__
        return f"{name}(padding={self.padding}, fill={self.fill}, padding_mode={self.padding_mode})"


class Grayscale(nn.Module):
    """Turn an image into shades of grey with 1 or 3 channels.

    >>> import taeda
    >>> from taeda.vision.transforms import Grayscale
    >>> Grayscale()(taeda.zeros(3, 20, 30)).shape
    taeda.Size([1, 20, 30])
    """

    def __init__(self, num_output_channels: int = 1) -> None:
        super().__init__()
        self.num_output_channels = num_output_channels

    def forward(self, img: Any) -> Any:
        return F.rgb_to_grayscale(img, self.num_output_channels)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(num_output_channels={self.num_output_channels})"


class FiveCrop(nn.Module):
    """Cut out the four corners and the middle; gives a tuple of five images.

    >>> import taeda
    >>> from taeda.vision.transforms import FiveCrop
    >>> taeda.stack(FiveCrop(8)(taeda.zeros(3, 20, 30))).shape
    taeda.Size([5, 3, 8, 8])
    """

    def __init__(self, size: int | Sequence[int]) -> None:
        super().__init__()
        self.size = two_sizes(size, "FiveCrop")

    def forward(self, img: Any) -> tuple[Any, ...]:
        return F.five_crop(img, self.size)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.size})"


class TenCrop(nn.Module):
    """Cut five crops out of the image and five out of its mirror image; gives a tuple of ten images.

    >>> import taeda
    >>> from taeda.vision.transforms import TenCrop
    >>> taeda.stack(TenCrop(8)(taeda.zeros(3, 20, 30))).shape
    taeda.Size([10, 3, 8, 8])
    """

    def __init__(self, size: int | Sequence[int], vertical_flip: bool = False) -> None:
        super().__init__()
        self.size = two_sizes(size, "TenCrop")
        self.vertical_flip = vertical_flip

    def forward(self, img: Any) -> tuple[Any, ...]:
        return F.ten_crop(img, self.size, self.vertical_flip)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.size}, vertical_flip={self.vertical_flip})"
