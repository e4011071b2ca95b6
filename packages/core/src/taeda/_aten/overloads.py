"""PyTorch's names of an operator's overloads, such as ``Scalar`` of ``add.Scalar``, by the arguments of a call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taeda.tensor import Tensor

_BY_OTHER_WORDS = """
add sub mul div true_divide add_ sub_ mul_ div_ copysign bitwise_and bitwise_or bitwise_xor
"""
_BY_OTHER = frozenset(_BY_OTHER_WORDS.split())
_COMPARES_WORDS = """
eq ne lt le gt ge fmod remainder remainder_ fmod_ eq_ ne_ lt_ le_ gt_ ge_
"""
_COMPARES = frozenset(_COMPARES_WORDS.split())
_BY_DIM = {
    "sum": "dim_IntList",
    "mean": "dim",
    "max": "dim",
    "min": "dim",
    "all": "dim",
    "any": "dim",
    "prod": "dim_int",
    "median": "dim",
    "squeeze": "dim",
    "std": "correction",
    "var": "correction",
    "transpose": "int",
    "select": "int",
    "movedim": "int",
    "split": "Tensor",
}


def overload_of(name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> str:
    """Return PyTorch's name of the overload that takes these arguments, such as ``Scalar`` of ``add.Scalar``."""
    second = args[1] if len(args) > 1 else kwargs.get("other")
    if name in _BY_OTHER:
        return "Tensor"
    if name in _COMPARES:
        return "Tensor" if isinstance(second, Tensor) else "Scalar"
    if name in ("pow", "pow_"):
        return "Scalar" if not isinstance(args[0], Tensor) else "Tensor_Tensor" if isinstance(second, Tensor) else "Tensor_Scalar"
    if name == "unbind":
        return "int"
    if name in ("lerp", "lerp_"):
        weight = args[2] if len(args) > 2 else kwargs.get("weight")
        return "Tensor" if isinstance(weight, Tensor) else "Scalar"
    if name in ("rsub", "fill_"):
        return "Tensor" if isinstance(second, Tensor) else "Scalar"
    if name == "where":
        return "self" if len(args) == 3 else "default"
    if name in ("masked_fill", "masked_fill_"):
        return "Tensor" if len(args) > 2 and isinstance(args[2], Tensor) else "Scalar"
    if name in ("std", "var", "transpose", "split"):
        return _BY_DIM[name]
    if name in ("max", "min") and isinstance(second, Tensor):
        return "other"
    if name in _BY_DIM and (len(args) > 1 or "dim" in kwargs):
        return _BY_DIM[name]
    if name in ("scatter", "scatter_") and len(args) > 3:
        return "src" if isinstance(args[3], Tensor) else "value"
    return {"index_put": "default", "bernoulli_": "float", "empty": "memory_format", "index": "Tensor"}.get(name, "default")
