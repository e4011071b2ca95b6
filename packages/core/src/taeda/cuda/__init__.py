"""The GPU's room: without a GPU backend every use raises one clear error, and is_available() is False."""

from __future__ import annotations

from typing import Any

from taeda.device import no_cuda

__all__ = ["current_device", "device_count", "empty_cache", "is_available", "manual_seed", "manual_seed_all", "synchronize"]


def is_available() -> bool:
    """Whether a GPU can be used."""
    return False


def device_count() -> int:
    """Return how many GPUs can be used."""
    return 0


def manual_seed(seed: int) -> None:
    """Seed the GPU's generator; nothing to do without one."""


def manual_seed_all(seed: int) -> None:
    """Seed every GPU's generator; nothing to do without one."""


def empty_cache() -> None:
    """Give cached GPU memory back; nothing to do without a GPU."""


def synchronize(device: Any = None) -> None:
    """Wait for the GPU's work."""
    raise no_cuda("cuda.synchronize")


def current_device() -> int:
    """Return the current GPU's number."""
    raise no_cuda("cuda.current_device")


def __getattr__(name: str) -> Any:
    if name == "amp":
        import importlib

        return importlib.import_module("taeda.cuda.amp")
    raise AttributeError(f"module 'taeda.cuda' has no attribute {name!r}")
