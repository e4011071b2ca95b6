"""Colour of tensors; PIL images go to the functions of `transforms.colour`, which are Pillow's.

Integers are computed as floats and cut off, where torchvision cuts off, so that both agree to the last bit.
"""

from __future__ import annotations

from typing import Any

import taeda
from taeda import Tensor
from taeda.vision import tv_tensors
from taeda.vision.transforms import colour
from taeda.vision.transforms.colour import equalized, in_sector, smoothed
from taeda.vision.transforms.convert import largest_value, pil_to_tensor, to_pil_image
from taeda.vision.transforms.v2.functional._dispatch import dispatched, kernel
from taeda.vision.transforms.v2.functional._sizes import PIL_IMAGE, TENSORS, bits_of, to_dtype_image

__all__ = [
    "adjust_brightness",
    "adjust_contrast",
    "adjust_gamma",
    "adjust_hue",
    "adjust_saturation",
    "adjust_sharpness",
    "autocontrast",
    "equalize",
    "grayscale_to_rgb",
    "invert",
    "permute_channels",
    "posterize",
    "rgb_to_grayscale",
    "solarize",
    "to_grayscale",
]


def _channels(image: Tensor, op: str) -> int:
    c = image.shape[-3]
    if c not in (1, 3):
        raise TypeError(f"[{op}] Input image tensor permitted channel values are 1 or 3, but found {c}")
    return c


def _factor(value: float, name: str, op: str) -> None:
    if value < 0:
        raise ValueError(f"[{op}] {name} ({value}) is not non-negative.")


@dispatched
def rgb_to_grayscale(inpt: Any, num_output_channels: int = 1) -> Any:
    """Turn an RGB image into shades of grey with 1 or 3 channels; L = 0.2989 R + 0.587 G + 0.114 B. Videos are not taken.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.rgb_to_grayscale(taeda.tensor([[[1.0]], [[0.5]], [[0.0]]])).flatten()
    tensor([0.5924])
    """
    raise NotImplementedError


def _grey(image: Tensor, channels: int, keep_dtype: bool = True) -> Tensor:
    if image.shape[-3] == 1:
        return image.clone() if channels == 1 else image.repeat(*[1] * (image.dim() - 3), 3, 1, 1)
    r, g, b = image.unbind(-3)
    grey = r.mul(0.2989).add_(g, alpha=0.587).add_(b, alpha=0.114).unsqueeze(-3)
    grey = grey.to(image.dtype) if keep_dtype else grey
    return grey.expand(image.shape) if channels == 3 else grey


@kernel(rgb_to_grayscale, Tensor, tv_tensors.Image)
def rgb_to_grayscale_image(image: Tensor, num_output_channels: int = 1) -> Tensor:
    """Turn a tensor ... x 3 x H x W into shades of grey.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.rgb_to_grayscale_image(taeda.tensor([[[1.0]], [[0.5]], [[0.0]]]))
    tensor([[[0.5924]]])
    """
    if num_output_channels not in (1, 3):
        raise ValueError(f"[rgb_to_grayscale] num_output_channels must be 1 or 3, got {num_output_channels}.")
    return _grey(image, num_output_channels)


@kernel(rgb_to_grayscale, PIL_IMAGE)
def _rgb_to_grayscale_pil(image: Any, num_output_channels: int = 1) -> Any:
    if num_output_channels not in (1, 3):
        raise ValueError(f"[rgb_to_grayscale] num_output_channels must be 1 or 3, got {num_output_channels}.")
    return colour.to_grayscale(image, num_output_channels)


to_grayscale = rgb_to_grayscale


@dispatched
def grayscale_to_rgb(inpt: Any) -> Any:
    """Give a grey image three equal channels; other images stay.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.grayscale_to_rgb(taeda.zeros(1, 20, 30)).shape
    taeda.Size([3, 20, 30])
    """
    raise NotImplementedError


@kernel(grayscale_to_rgb, Tensor, tv_tensors.Image)
def grayscale_to_rgb_image(image: Tensor) -> Tensor:
    """Repeat the only channel three times.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.grayscale_to_rgb_image(taeda.zeros(1, 4, 5)).shape
    taeda.Size([3, 4, 5])
    """
    return image if image.shape[-3] >= 3 else _grey(image, 3)


@kernel(grayscale_to_rgb, PIL_IMAGE)
def _grayscale_to_rgb_pil(image: Any) -> Any:
    return image.convert("RGB")


def _blend(image: Tensor, other: Tensor, ratio: float) -> Tensor:
    """Return ``ratio image + (1 - ratio) other`` within the range of the dtype."""
    mixed = image.mul(float(ratio)).add_(other, alpha=1.0 - float(ratio)).clamp_(0, largest_value(image.dtype))
    return mixed if image.is_floating_point() else mixed.to(image.dtype)


@dispatched
def adjust_brightness(inpt: Any, brightness_factor: float) -> Any:
    """Multiply an image by a factor; 0 is black, 1 the image.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.adjust_brightness(taeda.tensor([[[0.25, 0.75]]]), 2.0)
    tensor([[[0.5000, 1.0000]]])
    """
    raise NotImplementedError


@kernel(adjust_brightness, *TENSORS)
def adjust_brightness_image(image: Tensor, brightness_factor: float) -> Tensor:
    """Multiply a tensor by a factor.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.adjust_brightness_image(taeda.tensor([[[0.25, 0.5, 0.75]]]), 2.0)
    tensor([[[0.5000, 1.0000, 1.0000]]])
    """
    _factor(brightness_factor, "brightness_factor", "adjust_brightness")
    _channels(image, "adjust_brightness")
    bright = image.mul(float(brightness_factor)).clamp_(0, largest_value(image.dtype))
    return bright if image.is_floating_point() else bright.to(image.dtype)


def _whole_grey(image: Tensor) -> Tensor:
    grey = _grey(image, 1, keep_dtype=False)
    return grey if image.is_floating_point() else grey.floor_()


@dispatched
def adjust_saturation(inpt: Any, saturation_factor: float) -> Any:
    """Blend an image with its shades of grey; 0 gives those, 1 the image.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.adjust_saturation(taeda.tensor([[[1.0]], [[0.5]], [[0.0]]]), 0.0).flatten()
    tensor([0.5924, 0.5924, 0.5924])
    """
    raise NotImplementedError


@kernel(adjust_saturation, *TENSORS)
def adjust_saturation_image(image: Tensor, saturation_factor: float) -> Tensor:
    """Blend a tensor with its shades of grey.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.adjust_saturation_image(taeda.tensor([[[1.0]], [[0.0]], [[0.0]]]), 0.0).flatten()
    tensor([0.2989, 0.2989, 0.2989])
    """
    _factor(saturation_factor, "saturation_factor", "adjust_saturation")
    return image if _channels(image, "adjust_saturation") == 1 else _blend(image, _whole_grey(image), saturation_factor)


@dispatched
def adjust_contrast(inpt: Any, contrast_factor: float) -> Any:
    """Blend an image with its mean shade of grey; 0 gives that, 1 the image.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.adjust_contrast(taeda.tensor([[[0.25, 0.75]]]), 0.0)
    tensor([[[0.5000, 0.5000]]])
    """
    raise NotImplementedError


@kernel(adjust_contrast, *TENSORS)
def adjust_contrast_image(image: Tensor, contrast_factor: float) -> Tensor:
    """Blend a tensor with its mean shade of grey.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.adjust_contrast_image(taeda.tensor([[[0.25, 0.75]]]), 0.5)
    tensor([[[0.3750, 0.6250]]])
    """
    _factor(contrast_factor, "contrast_factor", "adjust_contrast")
    if _channels(image, "adjust_contrast") == 3:
        grey = _whole_grey(image)
    else:
        grey = image if image.is_floating_point() else image.to(taeda.float32)
    return _blend(image, grey.mean(dim=(-3, -2, -1), keepdim=True), contrast_factor)


@dispatched
def adjust_sharpness(inpt: Any, sharpness_factor: float) -> Any:
    """Blend an image with a smoothed one; 0 gives that, 1 the image, 2 a sharper one. Borders stay.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.adjust_sharpness(taeda.eye(3)[None], 0.0)
    tensor([[[1.0000, 0.0000, 0.0000],
             [0.0000, 0.5385, 0.0000],
             [0.0000, 0.0000, 1.0000]]])
    """
    raise NotImplementedError


@kernel(adjust_sharpness, *TENSORS)
def adjust_sharpness_image(image: Tensor, sharpness_factor: float) -> Tensor:
    """Blend a tensor with itself smoothed; see `colour.smoothed`.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> image = taeda.zeros(1, 3, 3)
    >>> image[0, 1, 1] = 1.0
    >>> F.adjust_sharpness_image(image, 0.0)[0, 1]                     # 5 of 13 parts stay in the middle
    tensor([0.0000, 0.3846, 0.0000])
    """
    c, h, w = image.shape[-3:]
    _channels(image, "adjust_sharpness")
    _factor(sharpness_factor, "sharpness_factor", "adjust_sharpness")
    if image.numel() == 0 or h <= 2 or w <= 2:
        return image
    whole = not image.is_floating_point()
    x = image.reshape(-1, c, h, w).to(taeda.float32 if whole else image.dtype, copy=True)
    inner = x[..., 1:-1, 1:-1]
    inner.add_(smoothed(x, whole).sub_(inner), alpha=1.0 - sharpness_factor)
    x = x.clamp_(0, largest_value(image.dtype))
    return x.to(image.dtype).reshape(image.shape)


@dispatched
def adjust_hue(inpt: Any, hue_factor: float) -> Any:
    """Turn the hue by a share of the colour circle, -0.5 to 0.5; grey images stay.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> red = taeda.tensor([[[1.0]], [[0.0]], [[0.0]]])
    >>> F.adjust_hue(red, 0.5).flatten()
    tensor([0., 1., 1.])
    """
    raise NotImplementedError


@kernel(adjust_hue, *TENSORS)
def adjust_hue_image(image: Tensor, hue_factor: float) -> Tensor:
    """Turn the hue of a tensor ... x 3 x H x W.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.adjust_hue_image(taeda.tensor([[[1.0]], [[0.0]], [[0.0]]]), 1 / 3).flatten()            # from red to green
    tensor([0., 1., 0.])
    """
    if not -0.5 <= hue_factor <= 0.5:
        raise ValueError(f"[adjust_hue] hue_factor ({hue_factor}) is not in [-0.5, 0.5].")
    if _channels(image, "adjust_hue") == 1 or image.numel() == 0:
        return image
    h, s, v = _hsv(to_dtype_image(image, taeda.float32, scale=True))
    return to_dtype_image(_rgb(h.add_(hue_factor).remainder_(1.0), s, v), image.dtype, scale=True)


def _hsv(image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return hue, saturation and value, each 0 ... 1 (A. R. Smith, 1978)."""
    r, g, _ = image.unbind(-3)
    low, v = image.amin(-3), image.amax(-3)
    grey = low == v
    one = taeda.ones_like(v)
    s = (v - low) / taeda.where(grey, one, v)
    below = (v.unsqueeze(-3) - image) / taeda.where(grey, one, v - low).unsqueeze(-3)
    rc, gc, bc = below.unbind(-3)
    sector = taeda.where(v == r, bc - gc, taeda.where(v == g, rc + 2.0 - bc, gc + 4.0 - rc))
    return sector.mul(1.0 / 6.0).add_(1.0).fmod_(1.0), s, v


def _rgb(h: Tensor, s: Tensor, v: Tensor) -> Tensor:
    h6 = h * 6
    sector = h6.floor()
    along = h6 - sector
    falls = ((1.0 - s * along) * v).clamp_(0.0, 1.0)
    rises = ((s * along + (1.0 - s)) * v).clamp_(0.0, 1.0)
    least = ((1.0 - s) * v).clamp_(0.0, 1.0)
    return in_sector(sector, v, least, falls, rises)


@dispatched
def adjust_gamma(inpt: Any, gamma: float, gain: float = 1) -> Any:
    """Return ``gain img ** gamma`` of values in 0 ... 1.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.adjust_gamma(taeda.tensor([[[0.5, 1.0]]]), gamma=2.0)
    tensor([[[0.2500, 1.0000]]])
    """
    raise NotImplementedError


@kernel(adjust_gamma, *TENSORS)
def adjust_gamma_image(image: Tensor, gamma: float, gain: float = 1.0) -> Tensor:
    """Raise a tensor to a power.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.adjust_gamma_image(taeda.tensor([[[0.25, 0.5]]]), gamma=2.0)
    tensor([[[0.0625, 0.2500]]])
    """
    if gamma < 0:
        raise ValueError(f"[adjust_gamma] Gamma should be a non-negative real number, got {gamma}")
    unit = image if image.is_floating_point() else to_dtype_image(image, taeda.float32, scale=True)
    out = unit.pow(gamma)
    return to_dtype_image(out if gain == 1.0 else out.mul_(gain).clamp_(0.0, 1.0), image.dtype, scale=True)


@dispatched
def posterize(inpt: Any, bits: int) -> Any:
    """Keep only so many bits of every value.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.posterize(taeda.tensor([[[0, 100, 255]]], dtype=taeda.uint8), bits=2)
    tensor([[[  0,  64, 192]]], dtype=taeda.uint8)
    """
    raise NotImplementedError


@kernel(posterize, *TENSORS)
def posterize_image(image: Tensor, bits: int) -> Tensor:
    """Keep the highest bits of integers, or as many levels of floats.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.posterize_image(taeda.tensor([[[200, 100, 7]]], dtype=taeda.uint8), bits=2)
    tensor([[[192,  64,   0]]], dtype=taeda.uint8)
    """
    if not isinstance(bits, int) or not 0 <= bits <= 8:
        raise TypeError(f"[posterize] bits must be a positive integer in the range [0, 8], got {bits} instead.")
    if image.is_floating_point():
        levels = 1 << bits
        return image.mul(levels).floor_().clamp_(0, levels - 1).mul_(1.0 / levels)
    wide = bits_of(image.dtype)
    return image if bits >= wide else image & (((1 << bits) - 1) << (wide - bits))


@dispatched
def invert(inpt: Any) -> Any:
    """Swap light and dark.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.invert(taeda.tensor([[[0, 100, 255]]], dtype=taeda.uint8))
    tensor([[[255, 155,   0]]], dtype=taeda.uint8)
    """
    raise NotImplementedError


@kernel(invert, *TENSORS)
def invert_image(image: Tensor) -> Tensor:
    """Subtract from the largest value.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.invert_image(taeda.tensor([[[0.25, 1.0]]])), F.invert_image(taeda.tensor([[[5]]], dtype=taeda.uint8))
    (tensor([[[0.7500, 0.0000]]]), tensor([[[250]]], dtype=taeda.uint8))
    """
    return largest_value(image.dtype) - image


@dispatched
def solarize(inpt: Any, threshold: float) -> Any:
    """Invert what lies at or above a threshold.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.solarize(taeda.tensor([[[0, 100, 255]]], dtype=taeda.uint8), threshold=128)
    tensor([[[  0, 100,   0]]], dtype=taeda.uint8)
    """
    raise NotImplementedError


@kernel(solarize, *TENSORS)
def solarize_image(image: Tensor, threshold: float) -> Tensor:
    """Invert the values of a tensor at or above a threshold.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.solarize_image(taeda.tensor([[[0.25, 0.75]]]), threshold=0.5)
    tensor([[[0.2500, 0.2500]]])
    """
    if threshold > largest_value(image.dtype):
        raise TypeError(
            f"[solarize] Threshold should be less or equal the maximum value of the dtype, but got {threshold} for {image.dtype}"
        )
    return taeda.where(image >= threshold, invert_image(image), image)


@dispatched
def autocontrast(inpt: Any) -> Any:
    """Stretch every channel from black to white.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.autocontrast(taeda.tensor([[[0.25, 0.5, 0.75]]]))
    tensor([[[0.0000, 0.5000, 1.0000]]])
    """
    raise NotImplementedError


@kernel(autocontrast, *TENSORS)
def autocontrast_image(image: Tensor) -> Tensor:
    """Stretch every channel of a tensor; one of a single value stays.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.autocontrast_image(taeda.tensor([[[0.25, 0.5, 0.75]]]))
    tensor([[[0.0000, 0.5000, 1.0000]]])
    """
    _channels(image, "autocontrast")
    if image.numel() == 0:
        return image
    bound = largest_value(image.dtype)
    x = image if image.is_floating_point() else image.to(taeda.float32)
    low, high = x.amin(dim=(-2, -1), keepdim=True), x.amax(dim=(-2, -1), keepdim=True)
    flat = low == high
    scale = (high - low).mul_(1.0 / bound).masked_fill_(flat, 1.0)
    return x.sub(low.masked_fill_(flat, 0.0)).div_(scale).clamp_(0, bound).to(image.dtype)


@dispatched
def equalize(inpt: Any) -> Any:
    """Bend the values of every channel so that all are about as frequent.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.equalize((taeda.arange(4096) // 64).to(taeda.uint8).reshape(1, 64, 64)).max()
    tensor(255, dtype=taeda.uint8)
    """
    raise NotImplementedError


@kernel(equalize, *TENSORS)
def equalize_image(image: Tensor) -> Tensor:
    """Bend the values of a tensor by the sums of its histogram, as Pillow does.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> image = (100 + 10 * (taeda.arange(1024) // 256)).to(taeda.uint8).reshape(1, 32, 32)
    >>> image.unique(), F.equalize_image(image).unique()
    (tensor([100, 110, 120, 130], dtype=taeda.uint8), tensor([  0,  85, 171, 255], dtype=taeda.uint8))
    """
    if image.numel() == 0:
        return image
    return to_dtype_image(equalized(to_dtype_image(image, taeda.uint8, scale=True)), image.dtype, scale=True)


@dispatched
def permute_channels(inpt: Any, permutation: list[int]) -> Any:
    """Bring the channels into another order.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.permute_channels(taeda.arange(3).reshape(3, 1, 1), [2, 1, 0]).flatten()
    tensor([2, 1, 0])
    """
    raise NotImplementedError


@kernel(permute_channels, *TENSORS)
def permute_channels_image(image: Tensor, permutation: list[int]) -> Tensor:
    """Bring the channels of a tensor into another order.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> F.permute_channels_image(taeda.tensor([[[1]], [[2]], [[3]]]), [2, 1, 0]).flatten()
    tensor([3, 2, 1])
    """
    c = image.shape[-3]
    order = list(permutation)
    if len(order) != c:
        raise ValueError(f"[permute_channels] Length of permutation does not match number of channels: {len(order)} != {c}")
    return image[..., permutation, :, :]


@kernel(permute_channels, PIL_IMAGE)
def _permute_channels_pil(image: Any, permutation: list[int]) -> Any:
    return to_pil_image(permute_channels_image(pil_to_tensor(image), permutation))


for _op in (
    adjust_brightness,
    adjust_contrast,
    adjust_gamma,
    adjust_hue,
    adjust_saturation,
    adjust_sharpness,
    autocontrast,
    equalize,
    invert,
    posterize,
    solarize,
):
    kernel(_op, PIL_IMAGE)(getattr(colour, _op.__name__))

adjust_brightness_video = adjust_brightness_image
adjust_contrast_video = adjust_contrast_image
adjust_gamma_video = adjust_gamma_image
adjust_hue_video = adjust_hue_image
adjust_saturation_video = adjust_saturation_image
adjust_sharpness_video = adjust_sharpness_image
autocontrast_video = autocontrast_image
equalize_video = equalize_image
invert_video = invert_image
permute_channels_video = permute_channels_image
posterize_video = posterize_image
solarize_video = solarize_image
