"""Gradients across processes: there is one, and every use raises."""

from __future__ import annotations

from typing import Any, NoReturn

__all__ = ["backward", "context", "get_gradients", "is_available"]


def is_available() -> bool:
    """Whether there is such a room to use: no."""
    return False


def context(*args: Any, **kwargs: Any) -> NoReturn:
    """Raise NotImplementedError."""
    raise NotImplementedError("[distributed.autograd] taeda trains in one process; call backward() as usual")


backward = get_gradients = context
