"""Schemas of operators: read off the annotations of a function (``taeda.library.infer_schema``), and taken apart."""

from __future__ import annotations

import ast
import collections.abc
import enum
import importlib
import inspect
import operator
import re
import types
import typing
from collections.abc import Callable, Iterable
from typing import Any

from taeda.device import device
from taeda.dtype import dtype
from taeda.tensor import Tensor

__all__ = ["FunctionSchema", "Tag", "converted", "infer_schema"]

_WORDS = {Tensor: "Tensor", int: "SymInt", float: "float", bool: "bool", str: "str", dtype: "ScalarType", device: "Device"}
_KNOWN = {**{name: getattr(typing, name) for name in typing.__all__}, "Tensor": Tensor}
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
    if isinstance(value, (str, device)):
        return f'"{value}"'
    if isinstance(value, dtype):
        return str(value).rpartition(".")[2]
    raise refuse(f"Parameter {name} has an unsupported default value type {type(value)}")


def infer_schema(prototype_function: Callable[..., Any], /, *, mutates_args: str | Iterable[str], op_name: str | None = None) -> str:
    """Return the schema that the annotations of a function give, with ``mutates_args`` marked; after ``op_name`` if there is one.

    Raises ValueError for a parameter without annotation, a type that schemas do not know, or a name that is not a parameter.

    >>> import taeda
    >>> def scaled(x: taeda.Tensor, by: float = 2.0) -> taeda.Tensor: ...
    >>> taeda.library.infer_schema(scaled, mutates_args=())
    '(Tensor x, float by=2.0) -> Tensor'
    """
    signature = inspect.signature(prototype_function)

    def refuse(what: str) -> Exception:
        return ValueError(f"[infer_schema] {what}. Got func with signature {signature}")

    try:                                                        # words of typing serve where the function's module lacks them
        known = typing.get_type_hints(prototype_function, {**_KNOWN, **getattr(prototype_function, "__globals__", {})})
    except NameError as error:
        raise refuse(f"an annotation is not a type here: {error}") from None
    if isinstance(mutates_args, str) and mutates_args != "unknown":
        raise refuse(f"mutates_args must be a sequence of names, or the string 'unknown'; got the string {mutates_args!r}")
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


class Tag(enum.Enum):
    """What an operator is like, for those who transform graphs: ``taeda.Tag``, which :func:`taeda.library.define` takes.

    >>> import taeda
    >>> taeda.library.define("docs::tagged", "(Tensor x) -> Tensor", tags=taeda.Tag.pointwise)
    >>> taeda.ops.docs.tagged.default.tags
    [<Tag.pointwise: 16>]
    """

    core = 0
    cudagraph_unsafe = 1
    data_dependent_output = 2
    dynamic_output_shape = 3
    flexible_layout = 4
    generated = 5
    inplace = 6
    inplace_view = 7
    maybe_aliasing_or_mutating = 8
    needs_contiguous_strides = 9
    needs_exact_strides = 10
    needs_fixed_stride_order = 11
    nondeterministic_bitwise = 12
    nondeterministic_seeded = 13
    out = 14
    out_variant = 15
    pointwise = 16
    pt2_compliant_tag = 17
    reduction = 18
    view_copy = 19

    def __int__(self) -> int:
        return self.value


def _long(word: str) -> str:
    """Return a schema's word for a type as PyTorch's types are printed: ``List[int]`` for ``int[]``."""
    word = re.sub(r"\([^)]*\)", "", word)
    if word.endswith("?"):
        return f"Optional[{_long(word[:-1])}]"
    if word.endswith("]"):
        return f"List[{_long(word[: word.rindex('[')])}]"
    return word


def _read(text: str, kind: str) -> Any:
    """Return the value that a default's text stands for."""
    if "ScalarType" in kind and text != "None":
        return getattr(importlib.import_module("taeda"), text)
    if "Device" in kind and text != "None":
        return device(text.strip("'\""))
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def converted(value: Any, kind: str) -> Any:
    """Return an argument as a kernel gets it, a number for a tensor of one; TypeError if it is not of the kind."""
    if kind.startswith("Optional["):
        return None if value is None else converted(value, kind[9:-1])
    if kind.startswith("List["):
        if not isinstance(value, (list, tuple)):
            raise TypeError
        made = [converted(x, kind[5:-1]) for x in value]
        return value if all(x is y for x, y in zip(made, value, strict=True)) else made
    if kind == "Tensor":
        if not isinstance(value, Tensor):
            raise TypeError
    elif kind in ("int", "SymInt"):
        return value.item() if isinstance(value, Tensor) else value if type(value) is int else operator.index(value)
    elif kind == "float":
        if isinstance(value, (str, complex)) or not hasattr(value, "__float__"):
            raise TypeError
        return float(value)
    elif kind == "Device" and isinstance(value, str):
        return device(value)
    elif (kind == "str" and not isinstance(value, str)) or (kind == "bool" and not isinstance(value, (bool, Tensor))):
        raise TypeError
    return value


class AliasInfo:
    """The memory that an argument or a result shares, by the names that a schema gives it, and whether it is written to."""

    def __init__(self, text: str) -> None:
        before, _, after = text.replace(" ", "").replace("!", "").partition("->")
        self.is_write = "!" in text
        self.before_set = set(before.split("|"))
        self.after_set = set(after.split("|")) if after else self.before_set


class FunctionSchema:
    """What an operator takes and returns, as text; ``arguments`` have names."""

    class Argument:
        """One argument of a schema, or a result."""

        def __init__(self, text: str, kwarg_only: bool = False) -> None:
            self._text, self.kwarg_only = text, kwarg_only
            before, self._has_default, default = text.partition("=")
            words = re.sub(r"\([^)]*\)", lambda found: found[0].replace(" ", ""), before).split()
            self.name = words[-1] if len(words) > 1 else ""
            self.type = _long(words[0])
            self.mutable = "!" in words[0]
            self.default_value = _read(default.strip(), self.type) if self._has_default else None

        @property
        def alias_info(self) -> AliasInfo | None:
            """What the schema says of the memory: ``(a!)`` of an argument that is written to, ``(a)`` of one that a result is a view of."""
            found = re.search(r"\(([^)]*)\)", self._text.partition("=")[0])
            return None if found is None else AliasInfo(found[1])

        def has_default_value(self) -> bool:
            """Return whether the argument may be left out."""
            return bool(self._has_default)

        def __repr__(self) -> str:
            return self._text

    def __init__(self, name: str, text: str, overload_name: str = "") -> None:
        self.name, self.overload_name, self._text = name, overload_name, text
        inside = text[text.index("(") + 1 : text.rindex("->")].strip().removesuffix(")")
        parts = [part.strip() for part in re.split(r",(?![^(\[]*[)\]])", inside) if part.strip()]
        star = parts.index("*") if "*" in parts else len(parts)
        self.arguments = [self.Argument(part, i > star) for i, part in enumerate(parts) if part != "*"]
        results = text[text.rindex("->") + 2 :].strip()
        results = results[1:-1] if results.startswith("(") else results
        self.returns = [self.Argument(part.strip()) for part in re.split(r",(?![^(\[]*[)\]])", results) if part.strip()]

    @property
    def is_mutable(self) -> bool:
        """Whether the operator changes an argument."""
        return any(a.mutable for a in self.arguments)

    @property
    def is_functional(self) -> bool:
        """Whether the results are new tensors, and the arguments are left alone."""
        return bool(self.returns) and not self.is_mutable and not any("(" in r._text for r in self.returns)

    def signature(self) -> inspect.Signature | None:
        """Return the signature of a function with this schema, None if Python has none like it."""
        apart = inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD
        try:
            return inspect.Signature([
                inspect.Parameter(a.name, apart[not a.kwarg_only], annotation=Tensor if a.type == "Tensor" else inspect.Parameter.empty,
                                  default=a.default_value if a.has_default_value() else inspect.Parameter.empty)
                for a in self.arguments
            ])  # fmt: skip
        except ValueError:
            return None

    def __str__(self) -> str:
        return f"{self.name}{'.' if self.overload_name else ''}{self.overload_name}{self._text}"

    __repr__ = __str__
