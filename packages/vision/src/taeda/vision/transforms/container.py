"""Transforms that hold others: all in turn, by chance, in a random order, one of them.

`RandomOrder` and `RandomChoice` draw from Python's `random`, as torchvision's do.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import taeda
from taeda import nn
from taeda.vision.transforms._draws import checked_p

__all__ = ["Compose", "RandomApply", "RandomChoice", "RandomOrder"]

Transform = Callable[[Any], Any]


class Compose:
    """Apply transforms one after another.

    >>> from taeda.vision.transforms import Compose, Normalize, ToTensor
    >>> Compose([ToTensor(), Normalize((0.5,), (0.5,))])
    Compose(
        ToTensor()
        Normalize(mean=(0.5,), std=(0.5,))
    )
    """

    def __init__(self, transforms: Sequence[Transform]) -> None:
        if not hasattr(transforms, "__iter__"):
            raise TypeError(f"[Compose] transforms must be a list, got {type(transforms).__name__}; Compose([...])")
        for i, transform in enumerate(transforms if isinstance(transforms, (list, tuple)) else ()):
            if isinstance(transform, type) and transform.__module__.startswith(("taeda.vision.transforms", "torchvision.transforms")):
                raise TypeError(f"[Compose] transform {i} is the class {transform.__name__}; make one of it: {transform.__name__}(...)")
        self.transforms = transforms

    def __call__(self, img: Any) -> Any:
        for transform in self.transforms:
            img = transform(img)
        return img

    def __repr__(self) -> str:
        return "\n".join([f"{type(self).__name__}(", *(f"    {t}" for t in self.transforms), ")"])


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
    """Apply all the transforms with probability p, else none.

    >>> import taeda
    >>> from taeda.vision.transforms import RandomApply, RandomInvert
    >>> RandomApply([RandomInvert(p=1.0)], p=0.0)(taeda.tensor([[[0, 100, 255]]], dtype=taeda.uint8))
    tensor([[[  0, 100, 255]]], dtype=taeda.uint8)
    """

    def __init__(self, transforms: Sequence[Transform], p: float = 0.5) -> None:
        super().__init__()
        self.transforms = transforms
        self.p = checked_p(p, "RandomApply")

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
    """Apply all the transforms in a random order.

    >>> import taeda
    >>> from taeda.vision.transforms import RandomHorizontalFlip, RandomOrder, RandomVerticalFlip
    >>> RandomOrder([RandomHorizontalFlip(p=1.0), RandomVerticalFlip(p=1.0)])(taeda.tensor([[[1.0, 2.0], [3.0, 4.0]]]))
    tensor([[[4., 3.],
             [2., 1.]]])
    """

    def __call__(self, img: Any) -> Any:
        order = list(range(len(self.transforms)))
        random.shuffle(order)
        for i in order:
            img = self.transforms[i](img)
        return img


class RandomChoice(_Several):
    """Apply one of the transforms, drawn with the weights `p`.

    >>> import taeda
    >>> from taeda.vision.transforms import RandomChoice, RandomHorizontalFlip
    >>> RandomChoice([RandomHorizontalFlip(p=1.0)])(taeda.tensor([[[1.0, 2.0]]]))
    tensor([[[2., 1.]]])
    """

    def __init__(self, transforms: Sequence[Transform], p: Sequence[float] | None = None) -> None:
        super().__init__(transforms)
        if p is not None and len(p) != len(transforms):
            raise ValueError(f"[RandomChoice] p has {len(p)} weights for {len(transforms)} transforms")
        self.p = p

    def __call__(self, img: Any) -> Any:
        return random.choices(self.transforms, weights=self.p)[0](img)

    def __repr__(self) -> str:
        return f"{super().__repr__()}(p={self.p})"
