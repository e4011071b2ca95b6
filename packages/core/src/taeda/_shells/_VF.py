"""The functions by which PyTorch's layers call its kernels, ``torch._VF.lstm_cell``: they are taeda's functions of that name."""

from __future__ import annotations

from typing import Any

import taeda

__all__: list[str] = []


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(taeda, name)
