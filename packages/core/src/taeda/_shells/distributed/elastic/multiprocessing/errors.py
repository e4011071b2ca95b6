"""How a launched process tells of its failure: one process tells it by its exception."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["ChildFailedError", "record"]


class ChildFailedError(Exception):
    """What the launcher raises; nothing raises it."""


def record(fn: Callable[..., Any], error_handler: Any = None) -> Callable[..., Any]:
    """Return the function as it is."""
    return fn
