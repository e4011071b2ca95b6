"""Transforms of video clips C x T x H x W by torchvision's older path, which programs for video models import."""

from __future__ import annotations

import random
import warnings
from collections.abc import Sequence
from typing import Any

from taeda import Tensor
from taeda.vision.transforms import _functional_video as F
from taeda.vision.transforms.randomized import RandomCrop, RandomResizedCrop
from taeda.vision.transforms.transforms import two_sizes

__all__ = [
    "CenterCropVideo", "NormalizeVideo", "RandomCropVideo", "RandomHorizontalFlipVideo", "RandomResizedCropVideo", "ToTensorVideo",
]  # fmt: skip


def _told() -> None:
    """Warn that the path is an old one; torchvision does so when it is imported."""
    warnings.warn("The module torchvision.transforms._transforms_video is deprecated since 0.12. Please use taeda.vision.transforms.",
                  stacklevel=3)


class RandomCropVideo(RandomCrop):
    """Cut the same part, drawn at random, out of every frame."""

    def __init__(self, size: Any) -> None:
        _told()
        super().__init__(size)

    def forward(self, clip: Tensor) -> Tensor:
        return F.crop(clip, *self.get_params(F.checked(clip, "RandomCropVideo"), self.size))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.size})"


class RandomResizedCropVideo(RandomResizedCrop):
    """Cut the same part, of random size and place, out of every frame and resize it."""

    def __init__(
        self, size: Any, scale: Sequence[float] = (0.08, 1.0), ratio: Sequence[float] = (3 / 4, 4 / 3), interpolation_mode: str = "bilinear"
    ) -> None:  # fmt: skip
        _told()
        if isinstance(size, (tuple, list)) and len(size) != 2:
            raise ValueError(f"[RandomResizedCropVideo] size should be tuple (height, width), instead got {size}")
        super().__init__(size, scale, ratio)
        self.interpolation_mode = interpolation_mode

    def forward(self, clip: Tensor) -> Tensor:
        part = self.get_params(F.checked(clip, "RandomResizedCropVideo"), self.scale, self.ratio)
        return F.resized_crop(clip, *part, self.size, self.interpolation_mode)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(size={self.size}, interpolation_mode={self.interpolation_mode}, scale={self.scale}, ratio={self.ratio})"
        )


class CenterCropVideo:
    """Cut out the middle of every frame."""

    def __init__(self, crop_size: Any) -> None:
        _told()
        self.crop_size = two_sizes(crop_size, "CenterCropVideo")

    def __call__(self, clip: Tensor) -> Tensor:
        return F.center_crop(clip, self.crop_size)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(crop_size={self.crop_size})"


class NormalizeVideo:
    """Subtract a mean and divide by a deviation, of each channel."""

    def __init__(self, mean: Any, std: Any, inplace: bool = False) -> None:
        _told()
        self.mean, self.std, self.inplace = mean, std, inplace

    def __call__(self, clip: Tensor) -> Tensor:
        return F.normalize(clip, self.mean, self.std, self.inplace)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(mean={self.mean}, std={self.std}, inplace={self.inplace})"


class ToTensorVideo:
    """Turn bytes T x H x W x C into floats of 0 ... 1, C x T x H x W."""

    def __init__(self) -> None:
        _told()

    def __call__(self, clip: Tensor) -> Tensor:
        return F.to_tensor(clip)

    def __repr__(self) -> str:
        return type(self).__name__


class RandomHorizontalFlipVideo:
    """Mirror every frame, with a probability that Python's generator draws by."""

    def __init__(self, p: float = 0.5) -> None:
        _told()
        self.p = p

    def __call__(self, clip: Tensor) -> Tensor:
        return F.hflip(clip) if random.random() < self.p else clip

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p})"
