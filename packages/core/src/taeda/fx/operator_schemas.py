"""Arguments of a call as the signature names them.

>>> import taeda, taeda.nn.functional as F
>>> from taeda.fx.operator_schemas import normalize_function
>>> normalize_function(F.dropout, (1, 0.25), normalize_to_only_use_kwargs=True)
ArgsKwargsPair(args=(), kwargs={'input': 1, 'p': 0.25, 'training': True, 'inplace': False})
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

__all__ = ["ArgsKwargsPair", "check_for_mutable_operation", "normalize_function", "normalize_module"]


_NUMPYS = {"axis": "dim", "keepdims": "keepdim"}


class ArgsKwargsPair(NamedTuple):
    """Arguments by position, and by keyword."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]


def normalize_function(
    target: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any] | None = None, arg_types: Any = None,
    kwarg_types: Any = None, normalize_to_only_use_kwargs: bool = False,
) -> ArgsKwargsPair | None:  # fmt: skip
    """Return a function's arguments with defaults filled in: required ones by position, others by keyword.

    None where the function has no signature, or the arguments do not fit it.
    """
    kwargs = kwargs or {}
    try:
        signature = inspect.signature(target)
    except (TypeError, ValueError):
        return None
    if hasattr(target, "spelled"):
        kwargs = {_NUMPYS.get(k, k): v for k, v in kwargs.items()}
        signature = _one_form(signature, args, kwargs)
    return _arrange(signature, args, kwargs, normalize_to_only_use_kwargs)


def _one_form(signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]) -> inspect.Signature:
    """Return an op's signature with the names alone under which a call of this form has its arguments.

    NumPy's names, ``out`` and the second tensor of ``max(x, y)`` are there for calls that give them; sizes have one name, however given.
    """
    parameters = dict(signature.parameters)
    for name in ("axis", "keepdims", *({"out"} - kwargs.keys())):
        parameters.pop(name, None)
    if "other" in parameters and "dim" in parameters:
        if "other" in kwargs or (len(args) > 1 and not isinstance(args[1], (int, str))):
            parameters = {name: parameters[name].replace(kind=inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in ("input", "other")}
        else:
            del parameters["other"]
    several = next((p for p in parameters.values() if p.kind is p.VAR_POSITIONAL), None)
    twin = next((name for name in ("dims", "size", "shape") if name in parameters), None)
    if several is not None and "dim" in parameters:
        del parameters[several.name]
    elif several is not None and twin is not None:
        del parameters[twin]
        named = inspect.Parameter(twin, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        parameters = {(twin if p is several else p.name): (named if p is several else p) for p in parameters.values()}
    return signature.replace(parameters=list(parameters.values()))


def normalize_module(
    root: Any, target: str, args: tuple[Any, ...], kwargs: dict[str, Any] | None = None, normalize_to_only_use_kwargs: bool = False
) -> ArgsKwargsPair | None:
    """Return the arguments of a submodule's call as its ``forward`` names them."""
    try:
        module = root.get_submodule(target)
    except AttributeError as error:
        raise RuntimeError(f"[normalize_module] Tried to find a submodule {target}, which is not there") from error
    signature = inspect.signature(module.forward)
    return _arrange(signature, args, kwargs or {}, normalize_to_only_use_kwargs)


def _arrange(signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any], only_kwargs: bool) -> ArgsKwargsPair | None:
    if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD, p.POSITIONAL_ONLY) for p in signature.parameters.values()):
        return None
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError:
        return None
    bound.apply_defaults()
    by_place: list[Any] = []
    by_name: dict[str, Any] = {}
    for i, name in enumerate(signature.parameters):
        if not only_kwargs and i < len(args):
            by_place.append(bound.arguments[name])
        else:
            by_name[name] = bound.arguments[name]
    return ArgsKwargsPair(tuple(by_place), by_name)


def check_for_mutable_operation(target: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Raise RuntimeError for a function that writes into its arguments."""
    name = getattr(target, "__name__", "")
    if getattr(target, "__module__", None) == "_operator":      # and_ and or_ write into nothing
        return
    if (name.endswith("_") and not name.endswith("__")) or kwargs.get("out") is not None or kwargs.get("inplace"):
        raise RuntimeError(f"[fx] Tried to trace mutable operation {name}. FX only supports functional code, so operations that mutate "
                           "operands in-place (e.g. via `out` arguments) are not supported; use the form that returns a new tensor")
