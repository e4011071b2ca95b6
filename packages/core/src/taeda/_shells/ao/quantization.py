"""The marks that models carry for a quantisation to come (``taeda.nn.quantized`` has them); there are no quantised tensors."""

from __future__ import annotations

from typing import Any

import taeda

_STUBS = ("DeQuantStub", "QuantStub")


def __getattr__(name: str) -> Any:
    if name in _STUBS:
        return getattr(taeda.nn.quantized, name)  # type: ignore[attr-defined]
    raise AttributeError(f"module 'taeda.ao.quantization' has no attribute {name!r}: there are no quantised tensors", name=name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_STUBS})
