"""PyTorch's older name for ``taeda.profiler``."""

from __future__ import annotations

from taeda.profiler import profile, record_function

__all__ = ["profile", "record_function"]
