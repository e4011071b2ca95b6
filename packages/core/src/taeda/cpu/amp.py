"""Automatic mixed precision on the CPU, by its old name: use ``taeda.amp``."""

from __future__ import annotations

import sys
from typing import Any

from taeda.amp.devices import autocast_for, grad_scaler_for

__all__ = ["GradScaler", "autocast"]  # noqa: F822

autocast = autocast_for("cpu")


def __getattr__(name: str) -> Any:
    if name == "GradScaler":
        globals()[name] = grad_scaler_for("cpu")
        return globals()[name]
    raise AttributeError(f"module 'taeda.cpu.amp' has no attribute {name!r}")


# the files in which PyTorch keeps these, for programs that import from there
autocast_mode = grad_scaler = sys.modules[__name__]
sys.modules.update({f"{__name__}.{name}": grad_scaler for name in ("autocast_mode", "grad_scaler")})
