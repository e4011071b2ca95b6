"""Transforms as objects: each holds its arguments, draws what is random, and calls `functional`.

The random ones take from taeda's default generator what torchvision's take from PyTorch's, in the same order,
so a seed gives the same crops and flips.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from numbers import Number
from typing import Any

import taeda
from taeda import nn
from taeda.vision.transforms import functional as F
from taeda.vision.transforms.functional import InterpolationMode

__all__ = [
    "CenterCrop",
    "Compose",
    "ConvertImageDtype",
    "Grayscale",
    "Lambda",
    "Normalize",
    "PILToTensor",
    "Pad",
    "RandomApply",
    "RandomChoice",
    "RandomCrop",
    "RandomGrayscale",
    "RandomHorizontalFlip",
    "RandomOrder",
    "RandomResizedCrop",
    "RandomVerticalFlip",
    "Resize",
    "ToPILImage",
    "ToTensor",
]

Transform = Callable[[Any], Any]


def _randint(high: int) -> int:
    return int(taeda.randint(0, high, size=(1,)).item())


def _uniform(low: float, high: float) -> float:
    return float(taeda.empty(1).uniform_(low, high).item())


def _chance(p: float) -> bool:
    return float(taeda.rand(1).item()) < p


def _two(size: Any, op: str) -> tuple[int, int]:
    """Read a size as (height, width)."""
    if isinstance(size, Number):
        return int(size), int(size)  # type: ignore[call-overload]
    if not isinstance(size, Sequence) or len(size) not in (1, 2):
        raise ValueError(f"[{op}] Please provide only two dimensions (h, w) for size, got {size!r}.")
    return size[0], size[-1]


def _checked_p(p: float, op: str) -> float:
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"[{op}] p should lie between 0 and 1, got {p}")
    return p


class Compose:
    """Apply transforms one after another.

    >>> Compose([ToTensor(), Normalize((0.5,), (0.5,))])
    Compose(
        ToTensor()
        Normalize(mean=(0.5,), std=(0.5,))
    )
    """

    def __init__(self, transforms: Sequence[Transform]) -> None:
        self.transforms = transforms

    def __call__(self, img: Any) -> Any:
        for transform in self.transforms:
            img = transform(img)
        return img

    def __repr__(self) -> str:
        return "\n".join([f"{type(self).__name__}(", *(f"    {t}" for t in self.transforms), ")"])


class ToTensor:
    """A PIL image or an array H x W x C becomes a tensor C x H x W; 8-bit pixels become 0.0 ... 1.0."""

    def __call__(self, pic: Any) -> taeda.Tensor:
        return F.to_tensor(pic)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class PILToTensor:
    """A PIL image becomes a tensor C x H x W with the same numbers."""

    def __call__(self, pic: Any) -> taeda.Tensor:
        return F.pil_to_tensor(pic)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class ToPILImage:
    """A tensor C x H x W or an array H x W x C becomes a PIL image."""

    def __init__(self, mode: str | None = None) -> None:
        self.mode = mode

    def __call__(self, pic: Any) -> Any:
        return F.to_pil_image(pic, self.mode)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'' if self.mode is None else f'mode={self.mode}'})"


class Lambda:
    """Apply a function of one's own.

    Raises:
        TypeError: it cannot be called.
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
    """Convert a tensor image to a dtype and scale its values to the range of it."""

    def __init__(self, dtype: Any) -> None:
        super().__init__()
        self.dtype = dtype

    def forward(self, image: taeda.Tensor) -> taeda.Tensor:
        return F.convert_image_dtype(image, self.dtype)


class Normalize(nn.Module):
    """``(image[c] - mean[c]) / std[c]`` for every channel c of a floating-point tensor image."""

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

    Raises:
        TypeError: `size` is neither a number nor a sequence.
        ValueError: it has not 1 or 2 values.
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
            raise ValueError(f"[Resize] If size is a sequence, it should have 1 or 2 values, got {size}")
        self.size = size
        self.max_size = max_size
        self.interpolation = F.interpolation_mode(interpolation, "Resize")
        self.antialias = antialias

    def forward(self, img: Any) -> Any:
        return F.resize(img, self.size, self.interpolation, self.max_size, self.antialias)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(size={self.size}, interpolation={self.interpolation.value}, "
            f"max_size={self.max_size}, antialias={self.antialias})"
        )


class CenterCrop(nn.Module):
    """Cut (height, width) pixels out of the middle; a smaller image is padded with zeros."""

    def __init__(self, size: int | Sequence[int]) -> None:
        super().__init__()
        self.size = _two(size, "CenterCrop")

    def forward(self, img: Any) -> Any:
        return F.center_crop(img, self.size)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.size})"


class Pad(nn.Module):
    """Add pixels around an image; see `functional.pad` for the arguments and errors."""

    def __init__(
        self, padding: int | Sequence[int], fill: float | Sequence[float] = 0, padding_mode: str = "constant"
    ) -> None:
        super().__init__()
        if not isinstance(padding, (Number, tuple, list)):
            raise TypeError(f"[Pad] Got inappropriate padding arg: {padding!r}")
        if not isinstance(fill, (Number, tuple, list)):
            raise TypeError(f"[Pad] Got inappropriate fill arg: {fill!r}")
        if padding_mode not in F.PADDING_MODES:
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
    """Turn an image into shades of grey with 1 or 3 channels."""

    def __init__(self, num_output_channels: int = 1) -> None:
        super().__init__()
        self.num_output_channels = num_output_channels

    def forward(self, img: Any) -> Any:
        return F.rgb_to_grayscale(img, self.num_output_channels)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(num_output_channels={self.num_output_channels})"


class RandomCrop(nn.Module):
    """Cut (height, width) pixels out at a random place.

    Args:
        size: (height, width), or one number for both.
        padding: add this around the image first, as in `Pad`.
        pad_if_needed: add what is missing on both sides of an image that is too small.
        fill: value of the added pixels.
        padding_mode: as in `Pad`.

    Raises:
        ValueError: the image is smaller than the crop.
    """

    def __init__(
        self,
        size: int | Sequence[int],
        padding: int | Sequence[int] | None = None,
        pad_if_needed: bool = False,
        fill: float | Sequence[float] = 0,
        padding_mode: str = "constant",
    ) -> None:
        super().__init__()
        self.size = _two(size, "RandomCrop")
        self.padding = padding
        self.pad_if_needed = pad_if_needed
        self.fill = fill
        self.padding_mode = padding_mode

    @staticmethod
    def get_params(img: Any, output_size: tuple[int, int]) -> tuple[int, int, int, int]:
        """Draw top, left, height and width of a crop."""
        _, h, w = F.get_dimensions(img)
        th, tw = output_size
        if h < th or w < tw:
            raise ValueError(
                f"[RandomCrop] Required crop size {(th, tw)} is larger than input image size {(h, w)}; "
                "pad_if_needed=True adds what is missing"
            )
        if (h, w) == (th, tw):
            return 0, 0, h, w
        return _randint(h - th + 1), _randint(w - tw + 1), th, tw

    def forward(self, img: Any) -> Any:
        if self.padding is not None:
            img = F.pad(img, self.padding, self.fill, self.padding_mode)
        _, h, w = F.get_dimensions(img)
        if self.pad_if_needed and w < self.size[1]:
            img = F.pad(img, [self.size[1] - w, 0], self.fill, self.padding_mode)
        if self.pad_if_needed and h < self.size[0]:
            img = F.pad(img, [0, self.size[0] - h], self.fill, self.padding_mode)
        return F.crop(img, *self.get_params(img, self.size))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.size}, padding={self.padding})"


class RandomHorizontalFlip(nn.Module):
    """Mirror left and right with probability p."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = _checked_p(p, "RandomHorizontalFlip")

    def forward(self, img: Any) -> Any:
        return F.hflip(img) if _chance(self.p) else _seen(img, "RandomHorizontalFlip")

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p})"


class RandomVerticalFlip(nn.Module):
    """Mirror top and bottom with probability p."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = _checked_p(p, "RandomVerticalFlip")

    def forward(self, img: Any) -> Any:
        return F.vflip(img) if _chance(self.p) else _seen(img, "RandomVerticalFlip")

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p})"


def _seen(img: Any, op: str) -> Any:
    """Return an image as it is; what is none must not pass only because the coin said so."""
    F._is_tensor(img, op)
    return img


class RandomGrayscale(nn.Module):
    """Turn an image into shades of grey with probability p; the number of channels stays."""

    def __init__(self, p: float = 0.1) -> None:
        super().__init__()
        self.p = _checked_p(p, "RandomGrayscale")

    def forward(self, img: Any) -> Any:
        channels = F.get_image_num_channels(img)
        return F.rgb_to_grayscale(img, channels) if _chance(self.p) else img

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p})"


class RandomResizedCrop(nn.Module):
    """Cut out a random part of the image and resize it.

    Args:
        size: (height, width) of the result, or one number for both.
        scale: least and greatest share of the image's area.
        ratio: least and greatest width / height.
        interpolation: an InterpolationMode.
        antialias: for tensors.
    """

    def __init__(
        self,
        size: int | Sequence[int],
        scale: Sequence[float] = (0.08, 1.0),
        ratio: Sequence[float] = (3.0 / 4.0, 4.0 / 3.0),
        interpolation: InterpolationMode | int = InterpolationMode.BILINEAR,
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        for name, value in (("Scale", scale), ("Ratio", ratio)):
            if not isinstance(value, Sequence):
                raise TypeError(f"[RandomResizedCrop] {name} should be a sequence, got {value!r}")
            if value[0] > value[1] or value[0] <= 0:
                raise ValueError(
                    f"[RandomResizedCrop] {name.lower()} should be of kind (min, max), both positive, got "
                    f"{value!r}"
                )
        self.size = _two(size, "RandomResizedCrop")
        self.interpolation = F.interpolation_mode(interpolation, "RandomResizedCrop")
        self.antialias = antialias
        self.scale = scale
        self.ratio = ratio

    @staticmethod
    def get_params(img: Any, scale: Sequence[float], ratio: Sequence[float]) -> tuple[int, int, int, int]:
        """Draw top, left, height and width of a crop; after ten tries take the middle."""
        _, height, width = F.get_dimensions(img)
        area = height * width
        log_ratio = taeda.log(taeda.tensor([float(r) for r in ratio])).tolist()
        for _ in range(10):
            target = area * _uniform(scale[0], scale[1])
            # exp in float32, as the drawn number is: a float64 exp could round to another width.
            drawn = taeda.empty(1).uniform_(log_ratio[0], log_ratio[1])
            aspect = float(taeda.exp(drawn).item())
            w = round(math.sqrt(target * aspect))
            h = round(math.sqrt(target / aspect))
            if 0 < w <= width and 0 < h <= height:
                return _randint(height - h + 1), _randint(width - w + 1), h, w
        w, h = width, height
        if width / height < min(ratio):
            h = round(w / min(ratio))
        elif width / height > max(ratio):
            w = round(h * max(ratio))
        return (height - h) // 2, (width - w) // 2, h, w

    def forward(self, img: Any) -> Any:
        top, left, h, w = self.get_params(img, self.scale, self.ratio)
        return F.resized_crop(img, top, left, h, w, self.size, self.interpolation, self.antialias)

    def __repr__(self) -> str:
        scale = tuple(round(s, 4) for s in self.scale)
        ratio = tuple(round(r, 4) for r in self.ratio)
        return (
            f"{type(self).__name__}(size={self.size}, scale={scale}, ratio={ratio}, "
            f"interpolation={self.interpolation.value}, antialias={self.antialias})"
        )


class _Several:
    """Base of those that hold a list of transforms."""

    def __init__(self, transforms: Sequence[Transform]) -> None:
        if not isinstance(transforms, (Sequence, nn.Module)):
            raise TypeError(
                f"[{type(self).__name__}] Argument transforms should be a sequence, got "
                f"{type(transforms).__name__}"
            )
        self.transforms = transforms

    def __repr__(self) -> str:
        return "\n".join([f"{type(self).__name__}(", *(f"    {t}" for t in self.transforms), ")"])


class RandomApply(nn.Module):
    """Apply all the transforms with probability p, else none."""

    def __init__(self, transforms: Sequence[Transform], p: float = 0.5) -> None:
        super().__init__()
        self.transforms = transforms
        self.p = _checked_p(p, "RandomApply")

    def forward(self, img: Any) -> Any:
        if self.p < float(taeda.rand(1).item()):
            return img
        for transform in self.transforms:
            img = transform(img)
        return img

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__}(", f"    p={self.p}", *(f"    {t}" for t in self.transforms), ")"]
        return "\n".join(lines)


class RandomOrder(_Several):
    """Apply all the transforms in a random order."""

    def __call__(self, img: Any) -> Any:
        import random

        order = list(range(len(self.transforms)))
        random.shuffle(order)
        for i in order:
            img = self.transforms[i](img)
        return img


class RandomChoice(_Several):
    """Apply one of the transforms, drawn with the weights `p`."""

    def __init__(self, transforms: Sequence[Transform], p: Sequence[float] | None = None) -> None:
        super().__init__(transforms)
        if p is not None and len(p) != len(transforms):
            raise ValueError(f"[RandomChoice] p has {len(p)} weights for {len(transforms)} transforms")
        self.p = p

    def __call__(self, img: Any) -> Any:
        import random

        return random.choices(self.transforms, weights=self.p)[0](img)

    def __repr__(self) -> str:
        return f"{super().__repr__()}(p={self.p})"
