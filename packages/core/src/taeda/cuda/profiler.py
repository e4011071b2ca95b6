"""NVIDIA's profiler of a block: without a GPU there is none to start, as in PyTorch's CPU build."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from taeda.cuda._absent import needs_gpu

__all__ = ["init", "profile", "start", "stop"]

init = needs_gpu("profiler.init", "Raise RuntimeError: the profiler needs a GPU.")
start = needs_gpu("profiler.start", "Raise RuntimeError: the profiler needs a GPU.")
stop = needs_gpu("profiler.stop", "Raise RuntimeError: the profiler needs a GPU.")


@contextlib.contextmanager
def profile() -> Iterator[Any]:
    """Raise RuntimeError when the block begins."""
    start()
    yield
