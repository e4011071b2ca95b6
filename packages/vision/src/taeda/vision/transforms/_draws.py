"""What random transforms draw, from taeda's default generator."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Number
from typing import Any

import taeda


def randint(high: int) -> int:
    """Draw a whole number below `high`."""
    return int(taeda.randint(0, high, size=(1,)).item())


def uniform(low: float, high: float) -> float:
    """Draw a number between `low` and `high`."""
    return float(taeda.empty(1).uniform_(low, high).item())


def chance(p: float) -> bool:
    """Whether something of probability p happens."""
    return float(taeda.rand(1).item()) < p


def checked_p(p: float, op: str) -> float:
    """Return a probability that is one."""
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"[{op}] p should lie between 0 and 1, got {p}")
    return p


def checked_fill(fill: Any, op: str) -> Any:
    """Return what fills the pixels that come from outside: a number, or one per channel; None is 0."""
    if not isinstance(fill, (Sequence, Number, type(None))):
        raise TypeError(f"[{op}] Fill should be either a sequence or a number, got {type(fill).__name__}")
    return 0 if fill is None else fill


def checked_center(center: Any, op: str) -> Any:
    """Return a centre that is (x, y), or None."""
    if center is not None and not isinstance(center, Sequence):
        raise TypeError(f"[{op}] center should be a sequence of length 2, got {center!r}")
    if center is not None and len(center) != 2:
        raise ValueError(f"[{op}] center should be a sequence of length 2, got {center!r}")
    return center


def area_and_ratio(area: int, scale: Sequence[float], ratio: Sequence[float]) -> tuple[float, float]:
    """Draw a part of an area, and a ratio whose logarithm is uniform."""
    target = area * uniform(scale[0], scale[1])
    low, high = taeda.log(taeda.tensor([float(r) for r in ratio])).tolist()
    # exp in float32, as the drawn number is: a float64 exp could round to another width.
    return target, float(taeda.exp(taeda.empty(1).uniform_(low, high)).item())
