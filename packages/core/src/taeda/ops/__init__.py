"""What can be done to tensors: one module a family, every function visible here as ``taeda.ops.<name>``.

A family names what it shows in ``__all__``, what stands in ``taeda`` too in ``PUBLIC``, and what is attached
to Tensor in ``METHODS``.  Every module of this folder that has an ``__all__`` is a family.

Functions are wrapped here, once, so that a class with a ``__torch_function__`` can take calls over (``_override``).
"""

from __future__ import annotations

import importlib
import os
from typing import Any

from taeda._override import function_for, method_for
from taeda.kernels.cpu import modules_of

PUBLIC: dict[str, Any] = {}
METHODS: dict[str, Any] = {}


_SPELLED = {"scalar_tensor_": "scalar_tensor", "range_": "range"}            # these mean something else where they are written
# What makes a tensor from other libraries' objects does not look for tensors in them, only beside them: a list may be long.
_CONVERSIONS = ("as_tensor", "asarray", "from_numpy", "frombuffer", "tensor")


def _collect() -> None:
    modules, wrapped, shown = [], {}, {}            # wrapped: id of a plain function -> its public callable
    for family in modules_of(__path__[0]):
        module = importlib.import_module(f"taeda.ops.{family}")
        modules.append(module)
        public = getattr(module, "PUBLIC", ())
        for name in dict.fromkeys((*getattr(module, "__all__", ()), *public)):
            value = plain = getattr(module, name)
            if callable(plain) and not isinstance(plain, type):
                known_as = plain.__name__ if getattr(module, plain.__name__, None) is plain else name
                value = function_for(plain, _SPELLED.get(known_as, known_as), module.__name__, name not in _CONVERSIONS)
                wrapped[id(plain)] = value
                setattr(module, name, value)
            if name in module.__all__:
                shown[name] = value
            if name in public:
                PUBLIC[name] = value
        METHODS.update({name: method_for(f, name) for name, f in getattr(module, "METHODS", {}).items()})
    globals().update(shown)                         # last: a function may have the name of a family
    for module in modules:                          # what one family imported of another before that was wrapped
        for name, value in list(vars(module).items()):
            if id(value) in wrapped:
                setattr(module, name, wrapped[id(value)])


def _one_by_one(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return a call of einsum as classes that take it over are told of it: operands that were given as a list are arguments."""
    listed = len(args) == 2 and isinstance(args[0], str) and isinstance(args[1], (list, tuple))
    return ((args[0], *args[1]) if listed else args), kwargs


def load_library(path: str) -> Any:
    """Raise OSError: a library of operators is compiled for PyTorch's tensors; programs go on with what they have in Python."""
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"[ops.load_library] path must be str or os.PathLike, got {type(path).__name__}")
    raise OSError(f"[ops.load_library] {path} is compiled for PyTorch and cannot be loaded; register operators with taeda.library")


def __getattr__(name: str) -> Any:
    if name == "aten":                              # made of everything here: loaded when it is asked for
        globals()["aten"] = aten = importlib.import_module("taeda._aten.operators").aten
        return aten
    if name == "torchvision":                       # of the package vision
        taeda: Any = importlib.import_module("taeda")
        globals()[name] = operators = taeda._package("vision", ".ops._operators").torchvision
        return operators
    raise AttributeError(f"module 'taeda.ops' has no attribute {name!r}")


_collect()
PUBLIC["einsum"].spelled = _one_by_one
