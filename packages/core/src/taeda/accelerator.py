"""The machine's accelerator, whichever it is, by names that do not depend on its kind: there is none yet.

>>> import taeda
>>> taeda.accelerator.current_accelerator().type if taeda.accelerator.is_available() else "cpu"
'cpu'
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from taeda.device import no_cuda

__all__ = ["current_accelerator", "current_device_index", "device_count", "device_index", "is_available", "set_device_index", "synchronize"]


def is_available() -> bool:
    """Whether there is an accelerator.

    >>> import taeda
    >>> taeda.accelerator.is_available()
    False
    """
    return False


def device_count() -> int:
    """Return how many there are.

    >>> import taeda
    >>> taeda.accelerator.device_count()
    0
    """
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


def _without(name: str) -> Callable[..., NoReturn]:
    def raises(*args: Any, **kwargs: Any) -> NoReturn:
        raise no_cuda(f"accelerator.{name}")

    raises.__name__ = raises.__qualname__ = name
    raises.__doc__ = "Raise RuntimeError: there is no accelerator."
    return raises


_OF_A_DEVICE = (
    "current_device_idx", "current_stream", "empty_cache", "empty_host_cache", "get_device_capability", "get_memory_info",
    "max_memory_allocated", "max_memory_reserved", "memory_allocated", "memory_reserved", "memory_stats", "reset_accumulated_memory_stats",
    "reset_peak_memory_stats", "set_device_idx", "set_stream",
)  # fmt: skip
for _name in _OF_A_DEVICE:
    globals()[_name] = _without(_name)


class device_index:
    """``with device_index(i):`` makes an accelerator the current one; None changes nothing."""

    def __init__(self, device: int | None) -> None:
        self.idx = device

    def __enter__(self) -> None:
        if self.idx is not None:
            raise no_cuda("accelerator.device_index")

    def __exit__(self, *exc: Any) -> None:
        pass
