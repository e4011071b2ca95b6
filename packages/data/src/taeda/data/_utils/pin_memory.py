"""Batches into page-locked memory, by PyTorch's path."""

from __future__ import annotations

from typing import Any

import taeda

__all__ = ["pin_memory"]


def pin_memory(data: Any, device: Any = None) -> Any:
    """Put every tensor inside a batch into page-locked memory; ``device`` is without effect, as in PyTorch."""
    if isinstance(data, taeda.Tensor) or (hasattr(data, "pin_memory") and not isinstance(data, type)):
        return data.pin_memory()
    if isinstance(data, dict):
        return type(data)({key: pin_memory(value) for key, value in data.items()})
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*(pin_memory(value) for value in data))
    if isinstance(data, (list, tuple)):
        return type(data)(pin_memory(value) for value in data)
    return data
