"""``x.float()`` and its like: conversion to a dtype by a short name, differentiable as ``to`` is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from taeda.dtype import NAMES

__all__: tuple[str, ...] = ()

SHORT_NAMES = {
    "float": "float32",
    "double": "float64",
    "half": "float16",
    "bfloat16": "bfloat16",
    "int": "int32",
    "long": "int64",
    "short": "int16",
    "char": "int8",
    "byte": "uint8",
    "bool": "bool",
}


def _caster(name: str, full: str) -> Callable[..., Any]:
    dtype = NAMES[full]

    def cast(self: Any, memory_format: Any = None) -> Any:
        return self.to(dtype)

    cast.__name__ = cast.__qualname__ = name
    cast.__doc__ = f"Return the tensor as {full}; itself where it is that already."
    return cast


METHODS = {name: _caster(name, full) for name, full in SHORT_NAMES.items()}
