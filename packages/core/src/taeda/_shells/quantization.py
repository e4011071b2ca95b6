"""``taeda.ao.quantization`` by its first path."""

from __future__ import annotations

from typing import Any

from taeda.ao import quantization


def __getattr__(name: str) -> Any:
    return getattr(quantization, name)
