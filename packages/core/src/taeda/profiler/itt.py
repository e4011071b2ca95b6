"""Marks for Intel's VTune, which does not see them: every one is taken and does nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

__all__ = ["is_available", "mark", "range", "range_pop", "range_push"]


def is_available() -> bool:
    """Return False: no marks are passed on; ``taeda.profiler.record_function`` marks blocks for taeda's own profiler."""
    return False


def range_push(msg: str) -> None:
    """Begin a block; does nothing."""


def range_pop() -> None:
    """End the last block; does nothing."""


def mark(msg: str) -> None:
    """Mark a moment; does nothing."""


@contextlib.contextmanager
def range(msg: str, *args: object, **kwargs: object) -> Iterator[None]:
    """Mark a block, whose name ``msg.format(*args, **kwargs)`` is; does nothing."""
    yield
