"""PyTorch's names of an operator's overloads, such as ``Scalar`` of ``add.Scalar``, by the arguments of a call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taeda.tensor import Tensor

_BY_OTHER_WORDS = """
add sub mul add_ sub_ mul_ bitwise_and bitwise_or bitwise_xor searchsorted bucketize
"""
_BY_OTHER = frozenset(_BY_OTHER_WORDS.split())
_COMPARES_WORDS = """
eq ne lt le gt ge fmod remainder remainder_ fmod_ eq_ ne_ lt_ le_ gt_ ge_ copysign copysign_ rsub fill_ pow_
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
# The one overload that functions make
_ONLY = {
    "bernoulli_": "float", "empty": "memory_format", "index": "Tensor", "scatter_reduce": "two", "scatter_reduce_": "two",
    "std_mean": "correction", "var_mean": "correction",
}  # fmt: skip


def overload_of(name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> str:
    """Return PyTorch's name of the overload that takes these arguments, such as ``Scalar`` of ``add.Scalar``."""
    second = args[1] if len(args) > 1 else kwargs.get("other")
    if name in _BY_OTHER:
        return "Tensor"
    if name in _COMPARES:
        return "Tensor" if isinstance(second, Tensor) else "Scalar"
    if name in ("div", "div_"):
        return "Tensor" if kwargs.get("rounding_mode") is None else "Tensor_mode"
    if name == "pow":
        return "Scalar" if not isinstance(args[0], Tensor) else "Tensor_Tensor" if isinstance(second, Tensor) else "Tensor_Scalar"
    if name == "unbind":
        return "int"
    if name in ("lerp", "lerp_"):
        weight = args[2] if len(args) > 2 else kwargs.get("weight")
        return "Tensor" if isinstance(weight, Tensor) else "Scalar"
    if name in ("clamp", "clamp_", "clamp_min", "clamp_min_", "clamp_max", "clamp_max_"):
        return "Tensor" if any(isinstance(x, Tensor) for x in (*args[1:], kwargs.get("min"), kwargs.get("max"))) else "default"
    if name in ("bitwise_left_shift", "bitwise_right_shift"):
        return "Tensor" if isinstance(second, Tensor) else "Tensor_Scalar"
    if name in ("round", "round_"):
        return "decimals" if "decimals" in kwargs else "default"
    if name in ("index_fill", "index_fill_"):
        value = args[3] if len(args) > 3 else kwargs.get("value")
        return "int_Tensor" if isinstance(value, Tensor) else "int_Scalar"
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
    return _ONLY.get(name, "default")
