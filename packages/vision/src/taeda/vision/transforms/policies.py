"""What automatic augmentation draws from: the strengths of each change, and the learnt policies (Cubuk et al., AutoAugment, 2018)."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

import taeda

__all__ = ["AutoAugmentPolicy", "augmix_space", "auto_space", "policy_of", "rand_space", "trivial_space"]


class AutoAugmentPolicy(Enum):
    """The data set that a policy was learnt on.

    >>> from taeda.vision.transforms import AutoAugmentPolicy
    >>> [policy.value for policy in AutoAugmentPolicy]
    ['imagenet', 'cifar10', 'svhn']
    """

    IMAGENET = "imagenet"
    CIFAR10 = "cifar10"
    SVHN = "svhn"


_POLICIES = {
    AutoAugmentPolicy.IMAGENET: """
Posterize 0.4 8, Rotate 0.6 9
Solarize 0.6 5, AutoContrast 0.6
Equalize 0.8, Equalize 0.6
Posterize 0.6 7, Posterize 0.6 6
Equalize 0.4, Solarize 0.2 4
Equalize 0.4, Rotate 0.8 8
Solarize 0.6 3, Equalize 0.6
Posterize 0.8 5, Equalize 1.0
Rotate 0.2 3, Solarize 0.6 8
Equalize 0.6, Posterize 0.4 6
Rotate 0.8 8, Color 0.4 0
Rotate 0.4 9, Equalize 0.6
Equalize 0.0, Equalize 0.8
Invert 0.6, Equalize 1.0
Color 0.6 4, Contrast 1.0 8
Rotate 0.8 8, Color 1.0 2
Color 0.8 8, Solarize 0.8 7
Sharpness 0.4 7, Invert 0.6
ShearX 0.6 5, Equalize 1.0
Color 0.4 0, Equalize 0.6
Equalize 0.4, Solarize 0.2 4
Solarize 0.6 5, AutoContrast 0.6
Invert 0.6, Equalize 1.0
Color 0.6 4, Contrast 1.0 8
Equalize 0.8, Equalize 0.6
""",
    AutoAugmentPolicy.CIFAR10: """
Invert 0.1, Contrast 0.2 6
Rotate 0.7 2, TranslateX 0.3 9
Sharpness 0.8 1, Sharpness 0.9 3
ShearY 0.5 8, TranslateY 0.7 9
AutoContrast 0.5, Equalize 0.9
ShearY 0.2 7, Posterize 0.3 7
Color 0.4 3, Brightness 0.6 7
Sharpness 0.3 9, Brightness 0.7 9
Equalize 0.6, Equalize 0.5
Contrast 0.6 7, Sharpness 0.6 5
Color 0.7 7, TranslateX 0.5 8
Equalize 0.3, AutoContrast 0.4
TranslateY 0.4 3, Sharpness 0.2 6
Brightness 0.9 6, Color 0.2 8
Solarize 0.5 2, Invert 0.0
Equalize 0.2, AutoContrast 0.6
Equalize 0.2, Equalize 0.6
Color 0.9 9, Equalize 0.6
AutoContrast 0.8, Solarize 0.2 8
Brightness 0.1 3, Color 0.7 0
Solarize 0.4 5, AutoContrast 0.9
TranslateY 0.9 9, TranslateY 0.7 9
AutoContrast 0.9, Solarize 0.8 3
Equalize 0.8, Invert 0.1
TranslateY 0.7 9, AutoContrast 0.9
""",
    AutoAugmentPolicy.SVHN: """
ShearX 0.9 4, Invert 0.2
ShearY 0.9 8, Invert 0.7
Equalize 0.6, Solarize 0.6 6
Invert 0.9, Equalize 0.6
Equalize 0.6, Rotate 0.9 3
ShearX 0.9 4, AutoContrast 0.8
ShearY 0.9 8, Invert 0.4
ShearY 0.9 5, Solarize 0.2 6
Invert 0.9, AutoContrast 0.8
Equalize 0.6, Rotate 0.9 3
ShearX 0.9 4, Solarize 0.3 3
ShearY 0.8 8, Invert 0.7
Equalize 0.9, TranslateY 0.6 6
Invert 0.9, Equalize 0.6
Contrast 0.3 3, Rotate 0.8 4
Invert 0.8, TranslateY 0.0 2
ShearY 0.7 6, Solarize 0.4 8
Invert 0.6, Rotate 0.8 4
ShearY 0.3 7, TranslateX 0.9 3
ShearX 0.1 6, Invert 0.6
Solarize 0.7 2, TranslateY 0.6 7
ShearY 0.8 4, Invert 0.8
ShearX 0.7 9, TranslateY 0.8 3
ShearY 0.8 5, AutoContrast 0.7
ShearX 0.7 2, Invert 0.1
""",
}


def policy_of(policy: AutoAugmentPolicy) -> list[list[tuple[str, float, int | None]]]:
    """Return pairs of (name, probability, index of the strength).

    Raises:
        ValueError: there is no such policy.
    """
    if policy not in _POLICIES:
        raise ValueError(f"[AutoAugment] The provided policy {policy} is not recognized.")

    def read(words: str) -> tuple[str, float, int | None]:
        name, p, *index = words.split()
        return name, float(p), int(index[0]) if index else None

    return [[read(one) for one in line.split(",")] for line in _POLICIES[policy].strip().splitlines()]


# A space: name -> (strengths of n bins for an image h x w, whether the sign is drawn). None for no strength.
Space = dict[str, tuple[Callable[[int, int, int], Any], bool]]


def _up_to(most: float) -> tuple[Callable[[int, int, int], Any], bool]:
    return lambda n, h, w: taeda.linspace(0.0, most, n), True


def _bits(most: int, span: int) -> tuple[Callable[[int, int, int], Any], bool]:
    return lambda n, h, w: (most - taeda.arange(n) / ((n - 1) / span)).round().int(), False


_THRESHOLD: tuple[Callable[[int, int, int], Any], bool] = (lambda n, h, w: taeda.linspace(1.0, 0.0, n), False)
_NONE: tuple[Callable[[int, int, int], Any], bool] = (lambda n, h, w: None, False)


def _moves(share: float) -> Space:
    return {
        "TranslateX": (lambda n, h, w: taeda.linspace(0.0, share * w, n), True),
        "TranslateY": (lambda n, h, w: taeda.linspace(0.0, share * h, n), True),
    }


def _colours(most: float) -> Space:
    return {name: _up_to(most) for name in ("Brightness", "Color", "Contrast", "Sharpness")}


_LAST: Space = {"Solarize": _THRESHOLD, "AutoContrast": _NONE, "Equalize": _NONE}

auto_space: Space = {
    "ShearX": _up_to(0.3),
    "ShearY": _up_to(0.3),
    **_moves(150.0 / 331.0),
    "Rotate": _up_to(30.0),
    **_colours(0.9),
    "Posterize": _bits(8, 4),
    **_LAST,
    "Invert": _NONE,
}
rand_space: Space = {"Identity": _NONE, **{name: how for name, how in auto_space.items() if name != "Invert"}}
trivial_space: Space = {
    "Identity": _NONE,
    **{name: _up_to(most) for name, most in zip(
        ("ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate"), (0.99, 0.99, 32.0, 32.0, 135.0), strict=True
    )},
    **_colours(0.99),
    "Posterize": _bits(8, 6),
    **_LAST,
}


def augmix_space(all_ops: bool) -> Space:
    """Return the space of AugMix, with colours or without."""
    space: Space = {
        "ShearX": _up_to(0.3),
        "ShearY": _up_to(0.3),
        "TranslateX": (lambda n, h, w: taeda.linspace(0.0, w / 3.0, n), True),
        "TranslateY": (lambda n, h, w: taeda.linspace(0.0, h / 3.0, n), True),
        "Rotate": _up_to(30.0),
        "Posterize": _bits(4, 4),
        **_LAST,
    }
    return {**space, **_colours(0.9)} if all_ops else space
