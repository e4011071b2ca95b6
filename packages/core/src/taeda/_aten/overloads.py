"""A call's arguments where PyTorch's operators have them, and the names of overloads, such as ``Scalar`` of ``add.Scalar``, by these."""

from __future__ import annotations

import inspect
import itertools
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
    "bernoulli_": "float", "empty": "memory_format", "frexp": "Tensor", "index": "Tensor", "ldexp": "Tensor", "scatter_reduce": "two",
    "scatter_reduce_": "two", "std_mean": "correction", "var_mean": "correction",
}  # fmt: skip


_NUMPYS = {"axis": "dim", "keepdims": "keepdim"}
_LISTS = ("dims", "size", "shape")                  # what functions take as several numbers, or by one of these names
_RANGES = ("arange", "randint")                     # where the first argument is the second one, if it is alone
_SPREADS = ("std", "std_mean", "var", "var_mean")


def placed(
    name: str, signature: inspect.Signature | None, args: Sequence[Any], kwargs: dict[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """Return arguments at their places that are given by keyword, up to the last that is not its default; the others by keyword."""
    args, kwargs = list(args), dict(kwargs)
    if signature is None or name in _RANGES or (name == "sort" and "stable" in kwargs):
        return args, kwargs
    parameters = list(signature.parameters.values())
    places = list(itertools.takewhile(lambda p: p.kind is p.POSITIONAL_OR_KEYWORD and p.name != "out", parameters))
    names = [p.name for p in places]
    for other, first in (*_NUMPYS.items(), ("split_size", "split_size_or_sections")):
        if other in kwargs and first in names:
            kwargs[first] = kwargs.pop(other)
    while any(word in kwargs for word in names[len(args) :]):
        place = places[len(args)]
        if place.name not in kwargs and place.default is place.empty:               # the function says that it is missing
            return args, kwargs
        args.append(kwargs.pop(place.name, place.default))
    several = len(parameters) > len(places) and parameters[len(places)].kind is inspect.Parameter.VAR_POSITIONAL
    word = next((word for word in _LISTS if isinstance(kwargs.get(word), (tuple, list))), None)
    if several and word is not None and len(args) == len(places) and word in signature.parameters:
        args.append(list(kwargs.pop(word)))
    if name in _SPREADS:
        return _spread(args, kwargs)
    while 1 < len(args) <= len(places) and _is_default(args[-1], places[len(args) - 1].default):
        args.pop()
    return args, kwargs


def _is_default(x: Any, default: Any) -> bool:
    if x is None or default is None:
        return x is default
    plain = (int, float, str)
    return isinstance(x, plain) and isinstance(default, plain) and isinstance(x, bool) == isinstance(default, bool) and x == default


def _spread(args: list[Any], kwargs: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """The arguments of a variance: PyTorch's operator has a correction in place of ``unbiased``, and both it and ``keepdim`` by keyword."""
    x, *given = args
    if given and isinstance(given[0], bool):
        given.insert(0, None)
    dim, unbiased, keepdim = (*given, *(None, None, False)[len(given) :])[:3]
    if given and "correction" not in kwargs:
        kwargs["correction"] = int(unbiased is None or unbiased)
    if keepdim:
        kwargs["keepdim"] = keepdim
    return [x] if dim is None else [x, dim], kwargs


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
    if name == "sort" and "stable" in kwargs:
        return "stable"
    if name == "isin":
        return "_".join("Tensor" if isinstance(x, Tensor) else "Scalar" for x in args[:2])
    if name in ("scatter", "scatter_") and len(args) > 3:
        return "src" if isinstance(args[3], Tensor) else "value"
    return _ONLY.get(name, "default")
