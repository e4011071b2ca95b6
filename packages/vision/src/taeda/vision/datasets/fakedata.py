"""Random images, for trying out a program before its data are there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import taeda
from taeda.vision.datasets.vision import VisionDataset
from taeda.vision.transforms.functional import to_pil_image

__all__ = ["FakeData"]


class FakeData(VisionDataset):
    """Noise with random classes; sample i is always the same and disturbs no generator.

    Args:
        size: number of samples.
        image_size: (channels, height, width).
        num_classes: number of classes.
        transform: a function of the PIL image.
        target_transform: a function of the class number.
        random_offset: another number gives other samples.

    >>> from taeda.vision.datasets import FakeData
    >>> data = FakeData(size=4, image_size=(3, 16, 24))
    >>> image, label = data[0]
    >>> len(data), image.size, 0 <= label < 10
    (4, (24, 16), True)
    """

    def __init__(
        self,
        size: int = 1000,
        image_size: Sequence[int] = (3, 224, 224),
        num_classes: int = 10,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        random_offset: int = 0,
    ) -> None:
        super().__init__(None, transform=transform, target_transform=target_transform)
        self.size = size
        self.num_classes = num_classes
        self.image_size = tuple(image_size)
        self.random_offset = random_offset

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        if not 0 <= index < self.size:
            raise IndexError(f"[{type(self).__name__}] index {index} out of range for {self.size} samples")
        generator = taeda.Generator()
        generator.manual_seed(index + self.random_offset)
        noise = taeda.randn(*self.image_size, generator=generator)
        target = int(taeda.randint(0, self.num_classes, size=(1,), generator=generator).item())
        # By way of integers: what floats outside a byte's range become as bytes differs between processors. Their low eight bits are
        # what x86 gives, and torchvision's images with it.
        return self._transformed(to_pil_image((noise * 255).to(taeda.int32).to(taeda.uint8)), target)

    def __len__(self) -> int:
        return self.size
