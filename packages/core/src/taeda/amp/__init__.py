"""Automatic mixed precision: ``autocast`` runs products in a lower precision, ``GradScaler`` keeps float16's gradients from vanishing."""

from __future__ import annotations

import importlib
from typing import Any

from taeda.amp.autocast_mode import autocast, custom_bwd, custom_fwd
from taeda.amp.casting import is_autocast_available

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd", "is_autocast_available"]


def __getattr__(name: str) -> Any:
    if name in ("GradScaler", "grad_scaler"):
        grad_scaler = importlib.import_module("taeda.amp.grad_scaler")     # which stands in this module from here on
        globals()["GradScaler"] = grad_scaler.GradScaler
        return globals()[name]
    raise AttributeError(f"module 'taeda.amp' has no attribute {name!r}")
