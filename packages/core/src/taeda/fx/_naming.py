"""Names: those of a graph's nodes, and those under which functions and types are found again from generated code."""

from __future__ import annotations

import builtins
import inspect
import keyword
import re
import sys
import types
import typing
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import taeda
from taeda import _override, _spoken
from taeda._aten.operators import OpOverload, OpOverloadPacket

__all__ = ["Namespace", "qualified_name", "reachable", "resolve", "snake_case", "type_repr"]

RESERVED = ("inf", "nan", "NoneType", "torch", "taeda", "device", "fx_pytree", "pytree")
_ILLEGAL = re.compile(r"[^0-9a-zA-Z_]+")
_NUMBERED = re.compile(r"(.*)_(\d+)$", re.DOTALL)


def snake_case(name: str) -> str:
    """Return a name in lower case, words that began with a capital set apart.

    >>> from taeda.fx._naming import snake_case
    >>> snake_case("LayerNorm2d")
    'layer_norm2d'
    """
    out = []
    for before, c in zip(" " + name, name, strict=False):
        if c.isupper() and before.islower():
            out.append("_")
        out.append(c.lower())
    return "".join(out)


class Namespace:
    """The names of one graph: each is given once, and none is a keyword's, a built-in function's, or one that generated code needs."""

    def __init__(self) -> None:
        self.owners: dict[Any, str] = {}            # an object -> the name it was given
        self.used: set[str] = set()
        self.last: dict[str, int] = defaultdict(int)

    def create_name(self, candidate: str, obj: Any = None) -> str:
        """Return a free name like the candidate; the object's own, if it has one already.

        >>> from taeda.fx._naming import Namespace
        >>> names = Namespace()
        >>> names.create_name("x"), names.create_name("x"), names.create_name("max"), names.create_name("2d.w")
        ('x', 'x_1', 'max_1', '_2d_w')
        """
        if obj is not None and obj in self.owners:
            return self.owners[obj]
        candidate = _ILLEGAL.sub("_", candidate) or "_unnamed"
        if candidate[0].isdigit():
            candidate = "_" + candidate
        parts = _NUMBERED.match(candidate)
        base, number = (candidate, None) if parts is None else (parts[1], int(parts[2]))
        if candidate in self.used or self._taken(candidate, obj):
            number = self.last[candidate] if number is None else number
            base = candidate if parts is None else base
            if parts is None:
                candidate = f"{base}_{max(number, 0) + 1}"
                number = max(number, 0) + 1
            while candidate in self.used or self._taken(candidate, obj):
                number += 1
                candidate = f"{base}_{number}"
        self.used.add(candidate)
        self.last[base] = max(self.last[base], number or 0)
        if obj is not None:
            self.owners[obj] = candidate
        return candidate

    def rename(self, obj: Any, name: str) -> None:
        """Give an object that has a name another one, which is free."""
        self.owners[obj] = name
        self.used.add(name)

    @staticmethod
    def _taken(name: str, obj: Any) -> bool:
        if keyword.iskeyword(name):
            return True
        if hasattr(builtins, name):
            return getattr(builtins, name) is not getattr(obj, "obj", obj)
        return name in RESERVED

    # PyTorch's names
    associate_name_with_obj = rename
    _rename_object = rename


# -- where functions are found -------------------------------------------------------------------------

_ROOMS = ("", "linalg", "fft", "special", "signal")
_places: dict[int, str] = {}


def _public_places() -> dict[int, str]:
    """Return the public place, without the library's name, of every function that classes may take over, by its id."""
    if not _places:
        for room in _ROOMS:
            module = getattr(taeda, room) if room else taeda
            for name, x in list(vars(module).items()):
                if isinstance(x, _override.Overridable) and not name.startswith("__"):
                    _places.setdefault(id(x), f"{room}.{name}" if room else name)
        for name, x in taeda.ops.PUBLIC.items():
            _places.setdefault(id(x), name)
    functional = sys.modules.get("taeda.nn.functional")
    if functional is not None and "\0nn" not in _places.values():
        for name in functional.__all__:
            x = getattr(functional, name)
            if isinstance(x, _override.Overridable) and (id(x) not in _places or x.spelled is not None):
                _places[id(x)] = f"nn.functional.{name}"
        _places[0] = "\0nn"
    return _places


def spoken(path: str) -> str:
    """Return a module's path as the program says it: ``torch...`` where taeda goes by that name."""
    return _spoken.name + path[5:] if path == "taeda" or path.startswith("taeda.") else path


def _module_of(func: Any) -> str:
    """Return where a function lives; for one that does not say, the first module that holds it under its name."""
    module = getattr(func, "__module__", None)
    if module:
        return str(module)
    owner = getattr(func, "__self__", None) or getattr(func, "__objclass__", None)
    if owner is not None:
        owner = owner if isinstance(owner, (type, types.ModuleType)) else type(owner)
        return getattr(owner, "__module__", None) or owner.__name__
    for name, held in list(sys.modules.items()):
        if getattr(held, func.__name__, None) is func:
            return name
    raise RuntimeError(f"[fx] cannot find the module of {func!r}; wrap it in a function of your own")


def qualified_name(func: Callable[..., Any]) -> str:
    """Return the dotted name under which a function is found.

    >>> import operator, taeda
    >>> from taeda.fx._naming import qualified_name
    >>> qualified_name(operator.add), qualified_name(taeda.relu), qualified_name(taeda.Tensor.relu), qualified_name(len)
    ('_operator.add', 'taeda.relu', 'taeda.Tensor.relu', 'len')
    """
    name = getattr(func, "__name__", None)
    if name is not None and getattr(builtins, name, None) is func:
        return str(name)
    if isinstance(func, (OpOverload, OpOverloadPacket)):
        return f"{_spoken.name}.ops.{func}"
    if isinstance(func, _override.Method):
        return f"{_spoken.name}.{func.__qualname__}"
    place = _public_places().get(id(func)) if isinstance(func, _override.Overridable) else None
    if place is not None:
        return f"{_spoken.name}.{place}"
    if name is None:
        return f"{type(func).__module__}.{type(func).__qualname__}"
    if name == "<lambda>":
        name = inspect.getsource(func).split("=")[0].strip()
        if not name.isidentifier():
            name = "_lambda_"
    module = _module_of(func)
    if module.startswith("taeda.") and vars(taeda).get(name) is func:
        module = "taeda"
    return f"{spoken(module)}.{name}"


def resolve(path: str) -> Any:
    """Return what a dotted path below the library's name leads to, None if to nothing."""
    found: Any = taeda
    for part in path.split(".")[1:]:
        try:
            found = getattr(found, part)
        except AttributeError:
            return None
    return found


def reachable(obj: Any, path: str) -> bool:
    """Whether generated code can say the path: it begins with the library's name and leads to the object."""
    return path.partition(".")[0] == _spoken.name and resolve(path) is obj


def type_repr(obj: Any) -> str:
    """Return a type as annotations show it.

    >>> import typing, taeda
    >>> from taeda.fx._naming import type_repr
    >>> type_repr(int), type_repr(taeda.Tensor), type_repr(typing.Sequence[int]), type_repr(...)
    ('int', 'taeda.Tensor', 'typing.Sequence[int]', '...')
    """
    if isinstance(obj, type) and not isinstance(obj, types.GenericAlias):
        if obj is taeda.Tensor:
            return f"{_spoken.name}.Tensor"
        return obj.__qualname__ if obj.__module__ == "builtins" else f"{spoken(obj.__module__)}.{obj.__qualname__}"
    if obj is ...:
        return "..."
    if isinstance(obj, (types.FunctionType, types.BuiltinFunctionType)):
        return obj.__name__
    return repr(obj)


def origin_of(annotation: Any) -> Any:
    """Return what a generic annotation is made of: ``typing.List`` of ``typing.List[int]``, ``list`` of ``list[int]``; None if plain."""
    if isinstance(annotation, types.UnionType):
        return None
    origin = typing.get_origin(annotation)
    if origin is None or isinstance(annotation, types.GenericAlias):
        return origin
    spelled = {list: "List", dict: "Dict", set: "Set", frozenset: "FrozenSet", tuple: "Tuple"}
    return getattr(typing, spelled[origin]) if origin in spelled else origin
