"""PyTorch's room for architectures' optimisation, of which ``quantization`` has what models in floating point carry."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    if name == "quantization":
        import taeda.ao.quantization as found

        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
