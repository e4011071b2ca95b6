"""Functions of video clips C x T x H x W by torchvision's older path; `transforms.functional` does the same to any ... x H x W."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import taeda
from taeda import Tensor
from taeda.nn import functional as NN
from taeda.vision.transforms.convert import normalize as _normalize

__all__ = ["center_crop", "crop", "hflip", "normalize", "resize", "resized_crop", "to_tensor"]


def checked(clip: Any, op: str) -> Tensor:
    """Return a clip that is a tensor of four dimensions.  TypeError, ValueError for anything else."""
    if not isinstance(clip, Tensor):
        raise TypeError(f"[{op}] clip should be Tensor. Got {type(clip)}")
    if clip.dim() != 4:
        raise ValueError(f"[{op}] clip should be 4D. Got {clip.dim()}D")
    return clip


def crop(clip: Tensor, i: int, j: int, h: int, w: int) -> Tensor:
    """Return the part of h x w pixels whose first is (i, j), of every frame."""
    return checked(clip, "crop")[..., i : i + h, j : j + w]


def resize(clip: Tensor, target_size: Sequence[int], interpolation_mode: str) -> Tensor:
    """Return the clip with frames of another size (height, width)."""
    if len(target_size) != 2:
        raise ValueError(f"[resize] target size should be tuple (height, width), instead got {target_size}")
    corners = None if interpolation_mode == "nearest" else False
    return NN.interpolate(clip, size=tuple(target_size), mode=interpolation_mode, align_corners=corners)


def resized_crop(clip: Tensor, i: int, j: int, h: int, w: int, size: Sequence[int], interpolation_mode: str = "bilinear") -> Tensor:
    """Return a part of every frame, resized."""
    return resize(crop(clip, i, j, h, w), size, interpolation_mode)


def center_crop(clip: Tensor, crop_size: Sequence[int]) -> Tensor:
    """Return the middle of every frame.  ValueError where it is smaller."""
    h, w = checked(clip, "center_crop").shape[-2:]
    th, tw = crop_size
    if h < th or w < tw:
        raise ValueError(f"[center_crop] height and width must be no smaller than crop_size, got {(h, w)} and {(th, tw)}")
    return crop(clip, round((h - th) / 2), round((w - tw) / 2), th, tw)


def to_tensor(clip: Tensor) -> Tensor:
    """Turn bytes T x H x W x C into floats of 0 ... 1, C x T x H x W."""
    if checked(clip, "to_tensor").dtype != taeda.uint8:
        raise TypeError(f"[to_tensor] clip tensor should have data type uint8. Got {clip.dtype}")
    return clip.float().permute(3, 0, 1, 2) / 255.0


def normalize(clip: Tensor, mean: Any, std: Any, inplace: bool = False) -> Tensor:
    """Subtract a mean and divide by a deviation, of each channel."""
    channels_inside = checked(clip, "normalize").transpose(0, 1)
    done = _normalize(channels_inside, mean, std, inplace)
    return clip if inplace else done.transpose(0, 1)


def hflip(clip: Tensor) -> Tensor:
    """Mirror every frame."""
    return checked(clip, "hflip").flip(-1)
