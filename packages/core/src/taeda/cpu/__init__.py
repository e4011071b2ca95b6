"""The CPU: allocator statistics and the cache of freed memory."""

from __future__ import annotations

import importlib

from taeda.kernels.cpu import BUILD, empty_cache, memory_stats, reset_peak_memory_stats, set_cache_limit

__all__ = [
    "current_device", "device_count", "empty_cache", "get_capabilities", "is_available", "is_initialized", "memory_stats",
    "reset_peak_memory_stats", "set_cache_limit", "set_device", "synchronize",
]


def is_available() -> bool:
    """Whether there is a CPU: always.

    >>> import taeda
    >>> taeda.cpu.is_available()
    True
    """
    return True


def device_count() -> int:
    """Return 1.

    >>> import taeda
    >>> taeda.cpu.device_count()
    1
    """
    return 1


def current_device() -> str:
    """Return "cpu".

    >>> import taeda
    >>> taeda.cpu.current_device()
    'cpu'
    """
    return "cpu"


def synchronize(device: object = None) -> None:
    """Wait for the CPU's work: it is always done."""


def is_initialized() -> bool:
    """Whether the CPU can be used: always."""
    return True


def set_device(device: object) -> None:
    """Do nothing: there is one CPU."""


def get_capabilities() -> dict[str, object]:
    """Return what the processor can do by PyTorch's names ("avx2": True), and as "build" which of the kernels' builds runs on it.

    >>> import taeda
    >>> taeda.cpu.get_capabilities()["build"] in ("baseline", "v3", "v4")
    True
    """
    from taeda.cpu._capabilities import processor

    return {**processor(), "build": BUILD}


def __getattr__(name: str) -> object:
    if name == "amp":
        return importlib.import_module("taeda.cpu.amp")
    if name in ("Event", "Stream", "StreamContext", "current_stream", "stream"):
        from taeda import streams

        return getattr(streams, name)
    raise AttributeError(f"module 'taeda.cpu' has no attribute {name!r}")
