"""Passes: what reads a whole graph or changes it."""

from __future__ import annotations

import importlib
from typing import Any

_ROOMS = ("graph_manipulation", "infra", "operator_support", "shape_prop", "split_module", "tools_common", "utils")


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
