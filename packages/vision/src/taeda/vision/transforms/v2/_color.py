"""Colour: fixed and random changes of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import taeda
from taeda.vision.transforms import randomized
from taeda.vision.transforms._draws import uniform
from taeda.vision.transforms.v2 import functional as F
from taeda.vision.transforms.v2._transform import RandomApplied, Transform, query_chw

__all__ = [
    "RGB",
    "ColorJitter",
    "Grayscale",
    "RandomAdjustSharpness",
    "RandomAutocontrast",
    "RandomChannelPermutation",
    "RandomEqualize",
    "RandomGrayscale",
    "RandomInvert",
    "RandomPhotometricDistort",
    "RandomPosterize",
    "RandomSolarize",
]

Range = float | Sequence[float] | None


class Grayscale(Transform):
    """Turn images into shades of grey with 1 or 3 channels.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import Grayscale
    >>> Grayscale()(taeda.zeros(3, 20, 30)).shape
    taeda.Size([1, 20, 30])
    """

    def __init__(self, num_output_channels: int = 1) -> None:
        super().__init__()
        self.num_output_channels = num_output_channels

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.rgb_to_grayscale, inpt, num_output_channels=self.num_output_channels)


class RandomGrayscale(RandomApplied):
    """Turn images into shades of grey with probability p; the number of channels stays.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import RandomGrayscale
    >>> gray = RandomGrayscale(p=1.0)(taeda.rand(3, 8, 8))
    >>> taeda.equal(gray[0], gray[2])
    True
    """

    def __init__(self, p: float = 0.1) -> None:
        super().__init__(p)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        return {"channels": query_chw(flat_inputs)[0]}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.rgb_to_grayscale, inpt, num_output_channels=params["channels"])


class RGB(Transform):
    """Give grey images three channels.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import RGB
    >>> RGB()(taeda.zeros(1, 20, 30)).shape
    taeda.Size([3, 20, 30])
    """

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.grayscale_to_rgb, inpt)


_ADJUST = {
    "brightness": F.adjust_brightness,
    "contrast": F.adjust_contrast,
    "saturation": F.adjust_saturation,
    "hue": F.adjust_hue,
}


def _adjusted(self: Transform, inpt: Any, name: str, factor: float | None) -> Any:
    return inpt if factor is None else self._call_kernel(_ADJUST[name], inpt, factor)


class ColorJitter(Transform):
    """Change brightness, contrast, saturation and hue by random factors, in a random order.

    Args:
        brightness, contrast, saturation: x for factors from max(0, 1 - x) to 1 + x, or (least, most).
        hue: x for -x to x (at most 0.5), or (least, most).

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import ColorJitter
    >>> ColorJitter(brightness=(2.0, 2.0))(taeda.tensor([[[0.25, 0.75]]]))
    tensor([[[0.5000, 1.0000]]])
    """

    get_params = staticmethod(randomized.ColorJitter.get_params)

    def __init__(self, brightness: Range = None, contrast: Range = None, saturation: Range = None, hue: Range = None) -> None:
        super().__init__()
        self.brightness = self._range(brightness, "brightness")
        self.contrast = self._range(contrast, "contrast")
        self.saturation = self._range(saturation, "saturation")
        self.hue = self._range(hue, "hue", center=0.0, bound=(-0.5, 0.5))

    def _range(
        self, value: Any, name: str, center: float = 1.0, bound: tuple[float, float] = (0.0, float("inf"))
    ) -> tuple[float, float] | None:
        if value is None:
            return None
        if isinstance(value, (int, float)):
            if value < 0:
                raise ValueError(f"[ColorJitter] If {name} is a single number, it must be non negative, got {value}")
            value = [max(center - value, 0.0) if center else -value, center + value]
        elif not isinstance(value, Sequence) or len(value) != 2:
            raise TypeError(f"[ColorJitter] {name}={value} should be a single number or a sequence with length 2.")
        low, high = float(value[0]), float(value[1])
        if not bound[0] <= low <= high <= bound[1]:
            raise ValueError(f"[ColorJitter] {name} values should be between {bound} and increasing, but got {value}.")
        return None if low == high == center else (low, high)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        order = taeda.randperm(4).tolist()
        ranges = [getattr(self, name) for name in _ADJUST]
        return {"order": order, "factors": [None if r is None else uniform(*r) for r in ranges]}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        names = list(_ADJUST)
        for i in params["order"]:
            inpt = _adjusted(self, inpt, names[i], params["factors"][i])
        return inpt


class RandomChannelPermutation(Transform):
    """Bring the channels into a random order.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import RandomChannelPermutation
    >>> RandomChannelPermutation()(taeda.arange(3.0).reshape(3, 1, 1)).flatten().sort().values
    tensor([0., 1., 2.])
    """

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        return {"permutation": taeda.randperm(query_chw(flat_inputs)[0])}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.permute_channels, inpt, params["permutation"])


class RandomPhotometricDistort(Transform):
    """Change brightness, contrast, saturation, hue and the order of channels, each with probability p (Liu et al., SSD, 2016).

    Args:
        brightness, contrast, saturation, hue: bounds of the factors, and of the turn of the hue.
        p: probability of each change.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import RandomPhotometricDistort
    >>> RandomPhotometricDistort(p=1.0)(taeda.zeros(3, 2, 2)).amax()
    tensor(0.)
    """

    def __init__(
        self,
        brightness: tuple[float, float] = (0.875, 1.125),
        contrast: tuple[float, float] = (0.5, 1.5),
        saturation: tuple[float, float] = (0.5, 1.5),
        hue: tuple[float, float] = (-0.05, 0.05),
        p: float = 0.5,
    ) -> None:
        super().__init__()
        self.brightness = brightness
        self.contrast = contrast
        self.hue = hue
        self.saturation = saturation
        self.p = p

    def _some(self) -> bool:
        return float(taeda.rand(1)) < self.p

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        channels = query_chw(flat_inputs)[0]
        params: dict[str, Any] = {name: uniform(*getattr(self, name)) if self._some() else None for name in _ADJUST}
        params["early"] = float(taeda.rand(())) < 0.5
        params["permutation"] = taeda.randperm(channels) if self._some() else None
        return params

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        before, after = (["contrast"], []) if params["early"] else ([], ["contrast"])
        for name in ["brightness", *before, "saturation", "hue", *after]:
            inpt = _adjusted(self, inpt, name, params[name])
        if params["permutation"] is not None:
            inpt = self._call_kernel(F.permute_channels, inpt, params["permutation"])
        return inpt


class RandomEqualize(RandomApplied):
    """Make all values about as frequent, with probability p.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import RandomEqualize
    >>> dark = (taeda.arange(4096) // 64).to(taeda.uint8).reshape(1, 64, 64)
    >>> RandomEqualize(p=1.0)(dark).max()
    tensor(255, dtype=taeda.uint8)
    """

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.equalize, inpt)


class RandomInvert(RandomApplied):
    """Swap light and dark with probability p.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import RandomInvert
    >>> RandomInvert(p=1.0)(taeda.tensor([[[0, 100, 255]]], dtype=taeda.uint8))
    tensor([[[255, 155,   0]]], dtype=taeda.uint8)
    """

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.invert, inpt)


class RandomPosterize(RandomApplied):
    """Keep only so many bits with probability p.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import RandomPosterize
    >>> RandomPosterize(bits=2, p=1.0)(taeda.tensor([[[0, 100, 255]]], dtype=taeda.uint8))
    tensor([[[  0,  64, 192]]], dtype=taeda.uint8)
    """

    def __init__(self, bits: int, p: float = 0.5) -> None:
        super().__init__(p)
        self.bits = bits

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.posterize, inpt, self.bits)


class RandomSolarize(RandomApplied):
    """Invert what lies at or above a threshold, with probability p.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import RandomSolarize
    >>> RandomSolarize(threshold=128, p=1.0)(taeda.tensor([[[0, 100, 255]]], dtype=taeda.uint8))
    tensor([[[  0, 100,   0]]], dtype=taeda.uint8)
    """

    def __init__(self, threshold: float, p: float = 0.5) -> None:
        super().__init__(p)
        self.threshold = threshold

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.solarize, inpt, self.threshold)


class RandomAutocontrast(RandomApplied):
    """Stretch every channel from black to white with probability p.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import RandomAutocontrast
    >>> RandomAutocontrast(p=1.0)(taeda.tensor([[[0.25, 0.5, 0.75]]]))
    tensor([[[0.0000, 0.5000, 1.0000]]])
    """

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.autocontrast, inpt)


class RandomAdjustSharpness(RandomApplied):
    """Sharpen (factor above 1) or smooth with probability p.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import RandomAdjustSharpness
    >>> dot = taeda.zeros(1, 3, 3).index_fill(2, taeda.tensor(1), 0.5)
    >>> RandomAdjustSharpness(sharpness_factor=2.0, p=1.0)(dot)[0, 1]
    tensor([0.0000, 0.7308, 0.0000])
    """

    def __init__(self, sharpness_factor: float, p: float = 0.5) -> None:
        super().__init__(p)
        self.sharpness_factor = sharpness_factor

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.adjust_sharpness, inpt, self.sharpness_factor)
