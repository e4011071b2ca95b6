"""``cpu.amp`` and ``cuda.amp``: the same things with the device filled in, as PyTorch had them before ``amp`` took its name."""

from __future__ import annotations

import warnings
from typing import Any

from taeda import _spoken
from taeda.amp.autocast_mode import autocast
from taeda.dtype import NAMES

_DEFAULTS = {"cpu": NAMES["bfloat16"], "cuda": NAMES["float16"]}


def warn_deprecated(old: str, new: str) -> None:
    """Warn of an old spelling, as if from where it was used."""
    warnings.warn(_spoken.said(f"`taeda.{old}` is deprecated. Please use `taeda.{new}` instead."), FutureWarning, stacklevel=3)


def autocast_for(device: str) -> type[autocast]:
    """Return the class ``autocast`` of a device's room."""

    class Autocast(autocast):
        __doc__ = f"``taeda.autocast('{device}', ...)``, which replaces it."

        def __init__(self, enabled: bool = True, dtype: Any = _DEFAULTS[device], cache_enabled: bool = True) -> None:
            warn_deprecated(f"{device}.amp.autocast(args...)", f"amp.autocast('{device}', args...)")
            super().__init__(device, dtype, enabled, cache_enabled)

    Autocast.__name__ = Autocast.__qualname__ = "autocast"
    Autocast.__module__ = f"taeda.{device}.amp"
    return Autocast


def grad_scaler_for(device: str) -> type:
    """Return the class ``GradScaler`` of a device's room."""
    from taeda.amp.grad_scaler import GradScaler as Base

    class GradScaler(Base):
        __doc__ = f"``taeda.amp.GradScaler('{device}', ...)``, which replaces it."

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            warn_deprecated(f"{device}.amp.GradScaler(args...)", f"amp.GradScaler('{device}', args...)")
            super().__init__(device, *args, **kwargs)

    GradScaler.__qualname__ = "GradScaler"
    GradScaler.__module__ = f"taeda.{device}.amp"
    return GradScaler
