"""``taeda.ao.quantization`` by its first path."""

from __future__ import annotations

import sys
from typing import Any

from taeda.ao import quantization

__path__: list[str] = []  # a package, so that its rooms can be imported
sys.modules.update({f"{__name__}.observer": quantization.observer, f"{__name__}.qconfig": quantization.qconfig})


def __getattr__(name: str) -> Any:
    return getattr(quantization, name)
