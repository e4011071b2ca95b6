"""Images of several sizes in one batch."""

from __future__ import annotations

from typing import Any

from taeda import Tensor

__all__ = ["ImageList"]


class ImageList:
    """A batch of padded images, B x C x H x W, and the (height, width) of each before it was padded."""

    def __init__(self, tensors: Tensor, image_sizes: list[tuple[int, int]]) -> None:
        self.tensors = tensors
        self.image_sizes = image_sizes

    def to(self, device: Any) -> ImageList:
        """Return the same with the images on another device."""
        return ImageList(self.tensors.to(device), self.image_sizes)
