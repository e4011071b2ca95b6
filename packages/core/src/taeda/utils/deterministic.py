"""PyTorch's switch of deterministic runs: whether new memory that nothing is written to is filled then."""

from __future__ import annotations

import sys
import types
from typing import Any

from taeda import settings

__all__: list[str] = []


class _Deterministic(types.ModuleType):
    @property
    def fill_uninitialized_memory(self) -> bool:
        """Whether ``empty``, ``resize_`` and kin fill with nan or the largest integer under ``use_deterministic_algorithms(True)``."""
        return settings.fills_memory()

    @fill_uninitialized_memory.setter
    def fill_uninitialized_memory(self, mode: Any) -> None:
        if not isinstance(mode, bool):
            raise RuntimeError(f"[fill_uninitialized_memory] expected a bool, but got {type(mode).__name__}")
        settings.fill_memory(mode)


sys.modules[__name__].__class__ = _Deterministic
