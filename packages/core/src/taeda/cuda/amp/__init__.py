"""Automatic mixed precision on GPUs, by its old name: use ``taeda.amp``."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from taeda.amp import autocast_mode
from taeda.amp.devices import autocast_for, grad_scaler_for, warn_deprecated
from taeda.dtype import dtype

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd"]

autocast = autocast_for("cuda")


def custom_fwd(fwd: Callable[..., Any] | None = None, *, cast_inputs: dtype | None = None) -> Callable[..., Any]:
    """``taeda.amp.custom_fwd(..., device_type="cuda")``, which replaces it."""
    warn_deprecated("cuda.amp.custom_fwd(args...)", "amp.custom_fwd(args..., device_type='cuda')")
    return autocast_mode.custom_fwd(fwd, device_type="cuda", cast_inputs=cast_inputs)


def custom_bwd(bwd: Callable[..., Any]) -> Callable[..., Any]:
    """``taeda.amp.custom_bwd(..., device_type="cuda")``, which replaces it."""
    warn_deprecated("cuda.amp.custom_bwd(args...)", "amp.custom_bwd(args..., device_type='cuda')")
    return autocast_mode.custom_bwd(bwd, device_type="cuda")


def amp_definitely_not_available() -> bool:
    """Whether there is no GPU to autocast for."""
    return True


def __getattr__(name: str) -> Any:
    if name == "GradScaler":
        globals()[name] = grad_scaler_for("cuda")
        return globals()[name]
    if name in ("autocast_mode", "grad_scaler"):
        return importlib.import_module(f"taeda.cuda.amp.{name}")
    raise AttributeError(f"module 'taeda.cuda.amp' has no attribute {name!r}")
