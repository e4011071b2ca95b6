"""Digits: 1,797 real handwritten digits that come with the package: a first program needs no download."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from functools import lru_cache
from importlib.resources import files
from typing import Any, ClassVar

import numpy as np
from PIL import Image

import taeda
from taeda.vision.datasets.vision import VisionDataset

__all__ = ["Digits"]

SIDE = 8
DEEPEST = 16  # the greatest pixel value of the source


@lru_cache(maxsize=1)
def _table() -> np.ndarray[Any, Any]:
    """Read the file: 1797 rows of 64 pixels 0 ... 16 and the digit."""
    packed = files("taeda.vision.datasets").joinpath("_files", "digits.csv.gz").read_bytes()
    return np.loadtxt(gzip.decompress(packed).decode("ascii").splitlines(), delimiter=",", dtype=np.uint8)


class Digits(VisionDataset):
    """The optical digits of the UCI repository: 8 x 8 grey pixels, ten classes.

    Every fifth image of each digit is held out: 355 for testing, 1,442 for training, always the same ones and
    each digit in the same share.

    Args:
        train: the images for training, the held-out ones if False, all of them if None.
        transform: a function of the PIL image.
        target_transform: a function of the digit.

    Attributes:
        data: uint8 tensor N x 8 x 8, 0 (paper) to 255 (ink); the source's 0 ... 16, scaled.
        targets: int64 tensor N.

    Sample i is (PIL image of mode L, int), each after its transform. Source: E. Alpaydin and C. Kaynak,
    Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998, CC BY 4.0.

    >>> from taeda.vision.datasets import Digits
    >>> digits = Digits(train=False)
    >>> image, digit = digits[0]
    >>> image.size, digit
    ((8, 8), 5)
    """

    classes: ClassVar[list[str]] = [str(digit) for digit in range(10)]

    def __init__(
        self,
        train: bool | None = True,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
    ) -> None:
        super().__init__(None, transform=transform, target_transform=target_transform)
        self.train = train
        table = _table()
        pixels, labels = table[:, :-1], table[:, -1].astype(np.int64)
        if train is not None:
            held_out = np.zeros(len(labels), bool)
            for digit in range(10):
                held_out[np.flatnonzero(labels == digit)[4::5]] = True
            chosen = ~held_out if train else held_out
            pixels, labels = pixels[chosen], labels[chosen]
        scaled = (pixels.astype(np.uint16) * 255 + DEEPEST // 2) // DEEPEST
        self.data = taeda.from_numpy(scaled.astype(np.uint8).reshape(-1, SIDE, SIDE))
        self.targets = taeda.from_numpy(labels)

    @property
    def class_to_idx(self) -> dict[str, int]:
        """From a class's name to its number."""
        return {name: i for i, name in enumerate(self.classes)}

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self._transformed(Image.fromarray(self.data[index].numpy()), int(self.targets[index]))

    def __len__(self) -> int:
        return len(self.data)

    def extra_repr(self) -> str:
        return f"Split: {'All' if self.train is None else 'Train' if self.train else 'Test'}"
