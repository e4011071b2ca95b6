"""The machine's accelerator, whichever it is, by names that do not depend on its kind: there is none yet.

>>> import taeda
>>> taeda.accelerator.current_accelerator().type if taeda.accelerator.is_available() else "cpu"
'cpu'
"""

from __future__ import annotations

from typing import Any

from taeda.device import no_cuda

__all__ = ["current_accelerator", "current_device_index", "device_count", "is_available", "set_device_index", "synchronize"]


def is_available() -> bool:
    """Whether there is an accelerator."""
    return False


def device_count() -> int:
    """Return how many there are."""
    return 0


def current_accelerator(check_available: bool = False) -> None:
    """Return the kind of accelerator as a device: None without one."""


def current_device_index() -> int:
    """Return the current accelerator's number."""
    raise no_cuda("accelerator.current_device_index")


def set_device_index(device: Any) -> None:
    """Make an accelerator the current one."""
    raise no_cuda("accelerator.set_device_index")


def synchronize(device: Any = None) -> None:
    """Wait for the accelerator's work."""
    raise no_cuda("accelerator.synchronize")
