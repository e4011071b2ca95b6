"""Marks for NVIDIA's profiler: without a GPU every one raises, as in PyTorch's CPU build."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, NoReturn

__all__ = ["mark", "range", "range_end", "range_pop", "range_push", "range_start"]


def range_push(msg: str) -> NoReturn:
    """Raise RuntimeError."""
    raise RuntimeError("[nvtx] NVTX functions are not installed: there is no GPU backend; taeda.profiler.record_function marks blocks")


def range_pop() -> NoReturn:
    """Raise RuntimeError."""
    range_push("")


range_start = mark = range_push


def range_end(range_id: Any) -> NoReturn:
    """Raise RuntimeError."""
    range_push("")


@contextlib.contextmanager
def range(msg: str, *args: Any, **kwargs: Any) -> Iterator[None]:
    """Raise RuntimeError when the block begins."""
    range_push(msg)
    yield
