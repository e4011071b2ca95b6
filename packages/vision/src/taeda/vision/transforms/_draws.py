"""What random transforms draw, from taeda's default generator."""

from __future__ import annotations

from collections.abc import Sequence

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


def area_and_ratio(area: int, scale: Sequence[float], ratio: Sequence[float]) -> tuple[float, float]:
    """Draw a part of an area, and a ratio whose logarithm is uniform."""
    target = area * uniform(scale[0], scale[1])
    low, high = taeda.log(taeda.tensor([float(r) for r in ratio])).tolist()
    # exp in float32, as the drawn number is: a float64 exp could round to another width.
    return target, float(taeda.exp(taeda.empty(1).uniform_(low, high)).item())
