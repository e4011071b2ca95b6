"""Random transforms: each holds its arguments, draws, and calls a function of `functional`.

They take from taeda's default generator what torchvision's take from PyTorch's, in the same order, so a seed
gives the same crops, flips and colours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import taeda
from taeda import nn
from taeda.vision.transforms import functional as F
from taeda.vision.transforms._draws import area_and_ratio, chance, checked_center, checked_fill, checked_p, randint, uniform
from taeda.vision.transforms.geometry import InterpolationMode, interpolation_mode
from taeda.vision.transforms.kinds import is_tensor_image
from taeda.vision.transforms.transforms import two_sizes

__all__ = [
    "ColorJitter",
    "RandomAutocontrast",
    "RandomCrop",
    "RandomErasing",
    "RandomGrayscale",
    "RandomHorizontalFlip",
    "RandomInvert",
    "RandomPosterize",
    "RandomResizedCrop",
    "RandomRotation",
    "RandomSolarize",
    "RandomVerticalFlip",
]


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

    >>> import taeda
    >>> from taeda.vision.transforms import RandomCrop
    >>> RandomCrop(32, padding=4)(taeda.zeros(3, 32, 32)).shape
    taeda.Size([3, 32, 32])
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
        self.size = tuple(two_sizes(size, "RandomCrop"))
        self.padding = padding
        self.pad_if_needed = pad_if_needed
        self.fill = fill
        self.padding_mode = padding_mode

    @staticmethod
    def get_params(img: Any, output_size: Sequence[int]) -> tuple[int, int, int, int]:
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
        return randint(h - th + 1), randint(w - tw + 1), th, tw

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


class _Sometimes(nn.Module):
    """Base of those that change an image with probability p, and else give it back as it is."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = checked_p(p, type(self).__name__)

    def forward(self, img: Any) -> Any:
        # Checked first: what is not an image must not pass only because the coin said so.
        is_tensor_image(img, type(self).__name__)
        return self.change(img) if chance(self.p) else img

    def change(self, img: Any) -> Any:
        """Return the changed image."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p})"


class RandomHorizontalFlip(_Sometimes):
    """Mirror left and right with probability p.

    >>> import taeda
    >>> from taeda.vision.transforms import RandomHorizontalFlip
    >>> RandomHorizontalFlip(p=1.0)(taeda.tensor([[[1.0, 2.0]]]))
    tensor([[[2., 1.]]])
    """

    def __init__(self, p: float = 0.5) -> None:
        super().__init__(p)

    def change(self, img: Any) -> Any:
        return F.hflip(img)


class RandomVerticalFlip(_Sometimes):
    """Mirror top and bottom with probability p.

    >>> import taeda
    >>> from taeda.vision.transforms import RandomVerticalFlip
    >>> RandomVerticalFlip(p=1.0)(taeda.tensor([[[1.0], [2.0]]]))
    tensor([[[2.],
             [1.]]])
    """

    def __init__(self, p: float = 0.5) -> None:
        super().__init__(p)

    def change(self, img: Any) -> Any:
        return F.vflip(img)


class RandomGrayscale(_Sometimes):
    """Turn an image into shades of grey with probability p; the number of channels stays.

    >>> import taeda
    >>> from taeda.vision.transforms import RandomGrayscale
    >>> RandomGrayscale(p=1.0)(taeda.tensor([[[1.0]], [[0.5]], [[0.0]]])).flatten()
    tensor([0.5924, 0.5924, 0.5924])
    """

    def __init__(self, p: float = 0.1) -> None:
        super().__init__(p)

    def change(self, img: Any) -> Any:
        return F.rgb_to_grayscale(img, F.get_image_num_channels(img))


class RandomInvert(_Sometimes):
    """Swap light and dark with probability p.

    >>> import taeda
    >>> from taeda.vision.transforms import RandomInvert
    >>> RandomInvert(p=1.0)(taeda.tensor([[[0, 100, 255]]], dtype=taeda.uint8))
    tensor([[[255, 155,   0]]], dtype=taeda.uint8)
    """

    def __init__(self, p: float = 0.5) -> None:
        super().__init__(p)

    def change(self, img: Any) -> Any:
        return F.invert(img)


class RandomAutocontrast(_Sometimes):
    """Stretch the contrast of every channel with probability p.

    >>> import taeda
    >>> from taeda.vision.transforms import RandomAutocontrast
    >>> RandomAutocontrast(p=1.0)(taeda.tensor([[[50, 100, 150]]], dtype=taeda.uint8))
    tensor([[[  0, 127, 255]]], dtype=taeda.uint8)
    """

    def __init__(self, p: float = 0.5) -> None:
        super().__init__(p)

    def change(self, img: Any) -> Any:
        return F.autocontrast(img)


class RandomPosterize(_Sometimes):
    """Keep only the highest bits of every pixel with probability p.

    >>> import taeda
    >>> from taeda.vision.transforms import RandomPosterize
    >>> RandomPosterize(bits=2, p=1.0)(taeda.tensor([[[0, 100, 255]]], dtype=taeda.uint8))
    tensor([[[  0,  64, 192]]], dtype=taeda.uint8)
    """

    def __init__(self, bits: int, p: float = 0.5) -> None:
        super().__init__(p)
        self.bits = bits

    def change(self, img: Any) -> Any:
        return F.posterize(img, self.bits)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(bits={self.bits},p={self.p})"


class RandomSolarize(_Sometimes):
    """Invert the pixels at or above a threshold with probability p.

    >>> import taeda
    >>> from taeda.vision.transforms import RandomSolarize
    >>> RandomSolarize(threshold=100, p=1.0)(taeda.tensor([[[0, 100, 255]]], dtype=taeda.uint8))
    tensor([[[  0, 155,   0]]], dtype=taeda.uint8)
    """

    def __init__(self, threshold: float, p: float = 0.5) -> None:
        super().__init__(p)
        self.threshold = threshold

    def change(self, img: Any) -> Any:
        return F.solarize(img, self.threshold)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(threshold={self.threshold},p={self.p})"


class RandomResizedCrop(nn.Module):
    """Cut out a random part of the image and resize it.

    Args:
        size: (height, width) of the result, or one number for both.
        scale: least and greatest share of the image's area.
        ratio: least and greatest width / height.
        interpolation: an InterpolationMode.
        antialias: for tensors.

    >>> import taeda
    >>> from taeda.vision.transforms import RandomResizedCrop
    >>> RandomResizedCrop(64)(taeda.zeros(3, 100, 200)).shape
    taeda.Size([3, 64, 64])
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
        self.size = two_sizes(size, "RandomResizedCrop")
        self.interpolation = interpolation_mode(interpolation, "RandomResizedCrop")
        self.antialias = antialias
        self.scale = scale
        self.ratio = ratio

    @staticmethod
    def get_params(img: Any, scale: Sequence[float], ratio: Sequence[float]) -> tuple[int, int, int, int]:
        """Draw top, left, height and width of a crop; after ten tries take the middle."""
        _, height, width = F.get_dimensions(img)
        for _ in range(10):
            target, aspect = area_and_ratio(height * width, scale, ratio)
            w = round(math.sqrt(target * aspect))
            h = round(math.sqrt(target / aspect))
            if 0 < w <= width and 0 < h <= height:
                return randint(height - h + 1), randint(width - w + 1), h, w
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


class RandomRotation(nn.Module):
    """Turn an image by a random angle.

    Args:
        degrees: (least, greatest) angle, or one number d for (-d, d).
        interpolation, expand, center, fill: as for `functional.rotate`.

    >>> import taeda
    >>> from taeda.vision.transforms import RandomRotation
    >>> RandomRotation((90, 90))(taeda.tensor([[[1.0, 2.0], [3.0, 4.0]]]))
    tensor([[[2., 4.],
             [1., 3.]]])
    """

    def __init__(
        self,
        degrees: float | Sequence[float],
        interpolation: InterpolationMode | int = InterpolationMode.NEAREST,
        expand: bool = False,
        center: Sequence[float] | None = None,
        fill: float | Sequence[float] | None = 0,
    ) -> None:
        super().__init__()
        if isinstance(degrees, (int, float)):
            if degrees < 0:
                raise ValueError(
                    f"[RandomRotation] If degrees is a single number, it must be positive, got {degrees}"
                )
            degrees = (-degrees, degrees)
        if len(degrees) != 2:
            raise ValueError(f"[RandomRotation] degrees should be a sequence of length 2, got {degrees!r}")
        self.degrees = [float(d) for d in degrees]
        self.interpolation = interpolation_mode(interpolation, "RandomRotation")
        self.expand = expand
        self.center = checked_center(center, "RandomRotation")
        self.fill = checked_fill(fill, "RandomRotation")

    @staticmethod
    def get_params(degrees: Sequence[float]) -> float:
        """Draw the angle."""
        return uniform(degrees[0], degrees[1])

    def forward(self, img: Any) -> Any:
        angle = self.get_params(self.degrees)
        return F.rotate(img, angle, self.interpolation, self.expand, self.center, self.fill)

    def __repr__(self) -> str:
        center = "" if self.center is None else f", center={self.center}"
        return (
            f"{type(self).__name__}(degrees={self.degrees}, interpolation={self.interpolation.value}, "
            f"expand={self.expand}{center}, fill={self.fill})"
        )


class ColorJitter(nn.Module):
    """Change brightness, contrast, saturation and hue at random, in a random order.

    Args:
        brightness, contrast, saturation: the factor is drawn from (max(0, 1 - x), 1 + x), or from a pair.
        hue: the turn is drawn from (-x, x) with x at most 0.5, or from a pair.

    Raises:
        ValueError: a number lies outside its range.
        TypeError: an argument is neither a number nor a pair.

    >>> import taeda
    >>> from taeda.vision.transforms import ColorJitter
    >>> ColorJitter(brightness=(2.0, 2.0))(taeda.tensor([[[0.25, 0.75]]]))
    tensor([[[0.5000, 1.0000]]])
    """

    def __init__(
        self,
        brightness: float | Sequence[float] = 0,
        contrast: float | Sequence[float] = 0,
        saturation: float | Sequence[float] = 0,
        hue: float | Sequence[float] = 0,
    ) -> None:
        super().__init__()
        self.brightness = self._range(brightness, "brightness")
        self.contrast = self._range(contrast, "contrast")
        self.saturation = self._range(saturation, "saturation")
        self.hue = self._range(hue, "hue", 0.0, (-0.5, 0.5))

    @staticmethod
    def _range(
        value: Any, name: str, center: float = 1.0, bound: tuple[float, float] = (0.0, math.inf)
    ) -> tuple[float, float] | None:
        if isinstance(value, (int, float)):
            if value < 0:
                raise ValueError(
                    f"[ColorJitter] If {name} is a single number, it must be non negative, got {value}"
                )
            low, high = center - value, center + value
            low = max(low, 0.0) if center else low
        elif isinstance(value, (tuple, list)) and len(value) == 2:
            low, high = float(value[0]), float(value[1])
        else:
            raise TypeError(
                f"[ColorJitter] {name} should be a single number or a list/tuple with length 2, got {value!r}"
            )
        if not bound[0] <= low <= high <= bound[1]:
            raise ValueError(f"[ColorJitter] {name} values should be between {bound}, but got {(low, high)}")
        return None if low == high == center else (low, high)

    @staticmethod
    def get_params(
        brightness: Sequence[float] | None,
        contrast: Sequence[float] | None,
        saturation: Sequence[float] | None,
        hue: Sequence[float] | None,
    ) -> tuple[taeda.Tensor, float | None, float | None, float | None, float | None]:
        """Draw the order of the four changes, and their factors."""
        order = taeda.randperm(4)
        b, c, s, h = (
            None if r is None else uniform(r[0], r[1]) for r in (brightness, contrast, saturation, hue)
        )
        return order, b, c, s, h

    def forward(self, img: Any) -> Any:
        order, *factors = self.get_params(self.brightness, self.contrast, self.saturation, self.hue)
        changes = (F.adjust_brightness, F.adjust_contrast, F.adjust_saturation, F.adjust_hue)
        is_tensor_image(img, "ColorJitter")
        for i in order.tolist():
            factor = factors[i]
            if factor is not None:
                img = changes[i](img, factor)
        return img

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(brightness={self.brightness}, contrast={self.contrast}, "
            f"saturation={self.saturation}, hue={self.hue})"
        )


class RandomErasing(nn.Module):
    """Erase a random rectangle of a tensor image (Zhong et al., Random Erasing Data Augmentation, 2017).

    Args:
        p: probability.
        scale: least and greatest share of the area.
        ratio: least and greatest height / width.
        value: what it is filled with: a number, one for each channel, or ``"random"`` for normal noise.
        inplace: change the image itself.

    >>> import taeda
    >>> from taeda.vision.transforms import RandomErasing
    >>> RandomErasing(p=1.0, value=0)(taeda.ones(3, 32, 32)).min()
    tensor(0.)
    """

    def __init__(
        self,
        p: float = 0.5,
        scale: Sequence[float] = (0.02, 0.33),
        ratio: Sequence[float] = (0.3, 3.3),
        value: float | str | Sequence[float] = 0,
        inplace: bool = False,
    ) -> None:
        super().__init__()
        if not isinstance(value, (int, float, str, tuple, list)):
            raise TypeError(
                f"[RandomErasing] Argument value should be either a number or str or a sequence, got {value!r}"
            )
        if isinstance(value, str) and value != "random":
            raise ValueError(f"[RandomErasing] If value is str, it should be 'random', got {value!r}")
        if not (isinstance(scale, Sequence) and isinstance(ratio, Sequence)):
            raise TypeError(
                f"[RandomErasing] scale and ratio should be sequences, got {scale!r} and {ratio!r}"
            )
        if not 0 <= scale[0] <= scale[1] <= 1:
            raise ValueError(f"[RandomErasing] Scale should be between 0 and 1, got {scale!r}")
        if not 0 < ratio[0] <= ratio[1]:
            raise ValueError(
                f"[RandomErasing] ratio should be of kind (min, max), both positive, got {ratio!r}"
            )
        self.p = checked_p(p, "RandomErasing")
        self.scale = scale
        self.ratio = ratio
        self.value = value
        self.inplace = inplace

    @staticmethod
    def get_params(
        img: taeda.Tensor,
        scale: Sequence[float],
        ratio: Sequence[float],
        value: Sequence[float] | None = None,
    ) -> tuple[int, int, int, int, taeda.Tensor]:
        """Draw row, column, height, width and content of the rectangle; after ten tries erase nothing."""
        channels, height, width = F.get_dimensions(img)
        for _ in range(10):
            target, aspect = area_and_ratio(height * width, scale, ratio)
            h = round(math.sqrt(target * aspect))
            w = round(math.sqrt(target / aspect))
            if not (h < height and w < width):
                continue
            if value is None:
                content = taeda.empty([channels, h, w], dtype=taeda.float32).normal_()
            else:
                content = taeda.tensor(value).reshape(-1, 1, 1)
            return randint(height - h + 1), randint(width - w + 1), h, w, content
        return 0, 0, height, width, img

    def forward(self, img: Any) -> Any:
        if not isinstance(img, taeda.Tensor):
            raise TypeError(f"[RandomErasing] img should be Tensor. Got {type(img)}; put ToTensor before it")
        if not chance(self.p):
            return img
        value = None if isinstance(self.value, str) else self.value
        values = [value] if isinstance(value, (int, float)) else value
        if values is not None and len(values) not in (1, F.get_image_num_channels(img)):
            raise ValueError(
                "[RandomErasing] If value is a sequence, it should have either a single value or "
                f"{F.get_image_num_channels(img)} (number of input channels), got {len(values)}"
            )
        i, j, h, w, content = self.get_params(img, self.scale, self.ratio, values)
        return F.erase(img, i, j, h, w, content.to(img.dtype), self.inplace)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(p={self.p}, scale={self.scale}, ratio={self.ratio}, value={self.value}, "
            f"inplace={self.inplace})"
        )
