"""Schemas of operators, read off the annotations of a function: ``taeda.library.infer_schema``."""

from __future__ import annotations

import collections.abc
import inspect
import types
import typing
from collections.abc import Callable, Iterable
from typing import Any

from taeda.device import device
from taeda.dtype import dtype
from taeda.tensor import Tensor

__all__ = ["infer_schema"]

_WORDS = {Tensor: "Tensor", int: "SymInt", float: "float", bool: "bool", str: "str", dtype: "ScalarType", device: "Device"}
_IN_LISTS = ("Tensor", "Tensor?", "SymInt", "float", "bool", "Scalar")
_RESULTS = ("Tensor", "Tensor[]", "SymInt", "float", "bool", "Scalar")


def _word(kind: Any) -> str | None:
    """The schema's word for a type, None if it has none."""
    if kind in _WORDS:
        return _WORDS[kind]
    origin, of = typing.get_origin(kind), typing.get_args(kind)
    if origin in (list, collections.abc.Sequence) and len(of) == 1:
        inner = _word(of[0])
        return f"{inner}[]" if inner in _IN_LISTS else None
    if origin in (typing.Union, types.UnionType):
        rest = tuple(k for k in of if k is not type(None))
        inner = "Scalar" if set(rest) == {int, float, bool} else _word(rest[0]) if len(rest) == 1 else None
        return inner and (inner if len(rest) == len(of) else f"{inner}?")
    return None


def _default(value: Any, refuse: Callable[[str], Exception], name: str) -> str:
    if value is None or isinstance(value, (bool, int, float)):
        return str(value)
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, (dtype, device)):
        return str(value).removeprefix("taeda.")
    raise refuse(f"Parameter {name} has an unsupported default value type {type(value)}")


def infer_schema(prototype_function: Callable[..., Any], /, *, mutates_args: str | Iterable[str], op_name: str | None = None) -> str:
    """Return the schema that the annotations of a function give, with ``mutates_args`` marked; after ``op_name`` if there is one.

    Raises ValueError for a parameter without annotation, a type that schemas do not know, or a name that is no parameter.

    >>> import taeda
    >>> def scaled(x: taeda.Tensor, by: float = 2.0) -> taeda.Tensor: ...
    >>> taeda.library.infer_schema(scaled, mutates_args=())
    '(Tensor x, float by=2.0) -> Tensor'
    """
    signature = inspect.signature(prototype_function)

    def refuse(what: str) -> Exception:
        return ValueError(f"[infer_schema] {what}. Got func with signature {signature}")

    known = typing.get_type_hints(prototype_function)
    changed = mutates_args if isinstance(mutates_args, str) else set(mutates_args)
    if isinstance(changed, set) and not changed <= set(signature.parameters):
        raise refuse(f"{changed - set(signature.parameters)} in mutates_args were not found in the custom op's signature")
    parts: list[str] = []
    apart = False
    for number, (name, p) in enumerate(signature.parameters.items()):
        if p.kind not in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY):
            raise refuse(f"Parameter {name}: *args, **kwargs and positional-only parameters are not supported")
        if p.kind is p.KEYWORD_ONLY and not apart:
            parts.append("*")
            apart = True
        if p.annotation is p.empty:
            raise refuse(f"Parameter {name} must have a type annotation")
        word = _word(known[name])
        if word is None:
            raise refuse(f"Parameter {name} has unsupported type {known[name]}")
        if changed == "unknown" if isinstance(changed, str) else name in changed:
            if not word.startswith("Tensor"):
                if changed != "unknown":
                    raise refuse(f"Parameter {name} is in mutates_args but only Tensors or collections of Tensors can be mutated")
            else:
                word = word.replace("Tensor", f"Tensor(a{number}!)", 1)
        parts.append(f"{word} {name}" + ("" if p.default is p.empty else f"={_default(p.default, refuse, name)}"))
    return f"{op_name or ''}({', '.join(parts)}) -> {_result(known.get('return', inspect.Signature.empty), refuse)}"


def _result(kind: Any, refuse: Callable[[str], Exception]) -> str:
    if kind in (None, type(None)):
        return "()"
    several = typing.get_args(kind) if typing.get_origin(kind) is tuple else (kind,)
    words = [_word(k) for k in several]
    if any(w not in _RESULTS for w in words):
        raise refuse(f"Return has unsupported type {kind}")
    return words[0] if len(words) == 1 and several[0] is kind else f"({', '.join(map(str, words))})"  # type: ignore[return-value]
