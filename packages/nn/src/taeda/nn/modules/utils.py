"""Arguments that may be one number or one a dimension."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any


def ntuple(value: Any, n: int) -> tuple[Any, ...]:
    """Return an iterable as a tuple, and anything else n times.

    >>> ntuple(3, 2), ntuple([1, 2], 2)
    ((3, 3), (1, 2))
    """
    if isinstance(value, Iterable) and not isinstance(value, str):
        return tuple(value)
    return (value,) * n


def _ntuple(n: int) -> Callable[[Any], tuple[Any, ...]]:
    return lambda value: ntuple(value, n)


# The names by which users' own layers import them from PyTorch.
_single = _ntuple(1)
_pair = _ntuple(2)
_triple = _ntuple(3)
_quadruple = _ntuple(4)
