"""What trained models expect of images: sizes, ranges, mean and deviation."""

from __future__ import annotations

from typing import Any

from taeda import Tensor, nn
from taeda.vision.transforms import functional as F
from taeda.vision.transforms.geometry import InterpolationMode

__all__ = ["ImageClassification", "ObjectDetection", "OpticalFlow", "SemanticSegmentation", "VideoClassification"]


class ObjectDetection(nn.Module):
    """Convert to 0.0 ... 1.0: detectors do the rest themselves."""

    def forward(self, img: Any) -> Tensor:
        return F.convert_image_dtype(img if isinstance(img, Tensor) else F.pil_to_tensor(img))

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def describe(self) -> str:
        """Return a sentence that says what is done."""
        return "Accepts ``PIL.Image`` and tensors ``(..., C, H, W)``. The images are rescaled to ``[0.0, 1.0]``."


class OpticalFlow(nn.Module):
    """Convert two images to -1.0 ... 1.0."""

    def forward(self, img1: Any, img2: Any) -> tuple[Tensor, Tensor]:
        return self._ranged(img1), self._ranged(img2)

    @staticmethod
    def _ranged(img: Any) -> Tensor:
        img = F.convert_image_dtype(img if isinstance(img, Tensor) else F.pil_to_tensor(img))
        return F.normalize(img, mean=[0.5, 0.5, 0.5], std=[0.5, 0.5, 0.5]).contiguous()

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def describe(self) -> str:
        """Return a sentence that says what is done."""
        return "Accepts ``PIL.Image`` and tensors ``(..., C, H, W)``, two of them. The images are rescaled to ``[-1.0, 1.0]``."


class SemanticSegmentation(nn.Module):
    """Resize where a size is given, convert to 0.0 ... 1.0 and normalise."""

    def __init__(
        self,
        *,
        resize_size: int | None,
        mean: tuple[float, ...] = (0.485, 0.456, 0.406),
        std: tuple[float, ...] = (0.229, 0.224, 0.225),
        interpolation: InterpolationMode = InterpolationMode.BILINEAR,
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        self.resize_size = None if resize_size is None else [resize_size]
        self.mean = list(mean)
        self.std = list(std)
        self.interpolation = interpolation
        self.antialias = antialias

    def forward(self, img: Any) -> Tensor:
        if self.resize_size is not None:
            img = F.resize(img, self.resize_size, self.interpolation, antialias=self.antialias)
        img = img if isinstance(img, Tensor) else F.pil_to_tensor(img)
        return F.normalize(F.convert_image_dtype(img), self.mean, self.std)

    def __repr__(self) -> str:
        shown = ("crop_size", "resize_size", "mean", "std", "interpolation")
        lines = [f"    {name}={getattr(self, name)}" for name in shown if hasattr(self, name)]
        return "\n".join([f"{type(self).__name__}(", *lines, ")"])

    def describe(self) -> str:
        """Return a sentence that says what is done."""
        return (
            f"Accepts ``PIL.Image`` and tensors ``(..., C, H, W)``. The images are resized to ``resize_size={self.resize_size}`` using "
            f"``interpolation={self.interpolation}``, rescaled to ``[0.0, 1.0]`` and normalized using ``mean={self.mean}`` and "
            f"``std={self.std}``."
        )


class ImageClassification(SemanticSegmentation):
    """Resize, cut out the middle, convert to 0.0 ... 1.0 and normalise: what a classifier of ImageNet expects."""

    def __init__(self, *, crop_size: int, resize_size: int = 256, **kwargs: Any) -> None:
        super().__init__(resize_size=resize_size, **kwargs)
        self.crop_size = [crop_size]

    def forward(self, img: Any) -> Tensor:
        img = F.resize(img, self.resize_size, self.interpolation, antialias=self.antialias)  # type: ignore[arg-type]
        img = F.center_crop(img, self.crop_size)
        img = img if isinstance(img, Tensor) else F.pil_to_tensor(img)
        return F.normalize(F.convert_image_dtype(img), self.mean, self.std)

    def describe(self) -> str:
        """Return a sentence that says what is done."""
        return super().describe().replace(", rescaled to", f", cut to ``crop_size={self.crop_size}`` in the middle, rescaled to")


class VideoClassification(SemanticSegmentation):
    """Frames T x C x H x W, or a batch of them: resize, cut out the middle, convert, normalise, and put the channels first."""

    def __init__(
        self,
        *,
        crop_size: tuple[int, int],
        resize_size: tuple[int, ...],
        mean: tuple[float, ...] = (0.43216, 0.394666, 0.37645),
        std: tuple[float, ...] = (0.22803, 0.22145, 0.216989),
        interpolation: InterpolationMode = InterpolationMode.BILINEAR,
    ) -> None:
        super().__init__(resize_size=None, mean=mean, std=std, interpolation=interpolation, antialias=False)
        self.crop_size = list(crop_size)
        self.resize_size = list(resize_size)

    def forward(self, vid: Tensor) -> Tensor:
        frames = F.resize(vid.flatten(0, -4), self.resize_size, self.interpolation, antialias=False)  # type: ignore[arg-type]
        frames = F.center_crop(frames, self.crop_size)
        frames = F.normalize(F.convert_image_dtype(frames), self.mean, self.std)
        return frames.reshape(*vid.shape[:-2], *self.crop_size).transpose(-3, -4)

    def describe(self) -> str:
        """Return a sentence that says what is done."""
        return (
            "Accepts tensors ``(B, T, C, H, W)`` and ``(T, C, H, W)`` of frames, and gives ``(..., C, T, H, W)``. The frames are "
            f"resized to ``resize_size={self.resize_size}`` using ``interpolation={self.interpolation}``, cut to "
            f"``crop_size={self.crop_size}`` in the middle, rescaled to ``[0.0, 1.0]`` and normalized using ``mean={self.mean}`` and "
            f"``std={self.std}``."
        )
