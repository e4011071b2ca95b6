"""What a trace changes in the program while it runs, and puts back: methods of ``nn.Module``, and functions that are wrapped."""

from __future__ import annotations

import builtins
import functools
import inspect
from collections.abc import Callable
from typing import Any

from taeda.fx.node import map_aggregate
from taeda.fx.proxy import Proxy

_ABSENT = object()

# names of modules' functions that are recorded as they stand: (id of the module's dict, name) -> the dict
wrapped_functions: dict[tuple[int, str], dict[str, Any]] = {}
wrapped_methods: list[tuple[type, str]] = []


def find_proxy(*trees: Any) -> Proxy | None:
    """Return a Proxy among nested values, or None."""
    found: list[Proxy] = []

    def look(x: Any) -> None:
        if isinstance(x, Proxy):
            found.append(x)

    map_aggregate(tuple(trees), look)
    return found[0] if found else None


def wrapped_function(orig_fn: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that is recorded as one call where an argument is a Proxy, and is the function itself otherwise."""

    @functools.wraps(orig_fn)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        proxy = find_proxy(args, kwargs)
        if proxy is None:
            return orig_fn(*args, **kwargs)
        made = proxy.tracer.create_proxy("call_function", orig_fn, args, kwargs)
        made.node.meta["is_wrapped"] = True
        return made

    return wrapped


def wrapped_method(cls: type, name: str) -> Callable[..., Any]:
    """Return a method that is recorded as one call where an argument is a Proxy."""
    original = getattr(cls, name)

    @functools.wraps(original)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        proxy = find_proxy(args, kwargs)
        return original(*args, **kwargs) if proxy is None else proxy.tracer.create_proxy("call_method", name, args, kwargs)

    return wrapped


class Patcher:
    """Changes entries of dicts and attributes of classes until its block ends."""

    def __init__(self) -> None:
        self.undo: list[tuple[Any, str, Any]] = []
        self.seen: set[int] = set()

    def patch(self, frame_dict: dict[str, Any], name: str, new_fn: Any, deduplicate: bool = True) -> None:
        """Change an entry of a dict; one that was changed stays, except without ``deduplicate``."""
        if deduplicate and hasattr(frame_dict.get(name), "_fx_patched"):
            return
        new_fn._fx_patched = True
        self.undo.append((frame_dict, name, frame_dict.get(name, _ABSENT)))
        frame_dict[name] = new_fn

    def patch_method(self, cls: type, name: str, new_fn: Any, deduplicate: bool = True) -> None:
        """Change a method of a class; one that was changed stays, except without ``deduplicate``."""
        if deduplicate and hasattr(getattr(cls, name, None), "_fx_patched"):
            return
        new_fn._fx_patched = True
        self.undo.append((cls, name, cls.__dict__.get(name, _ABSENT)))
        setattr(cls, name, new_fn)

    def visit_once(self, thing: Any) -> bool:
        """Whether this is the first time that the question is asked of an object."""
        new = id(thing) not in self.seen
        self.seen.add(id(thing))
        return new

    def revert_all_patches(self) -> None:
        """Put everything back, the last change first."""
        while self.undo:
            place, name, was = self.undo.pop()
            if isinstance(place, dict):
                if was is _ABSENT:
                    place.pop(name, None)
                else:
                    place[name] = was
            elif was is _ABSENT:
                delattr(place, name)
            else:
                setattr(place, name, was)
        self.seen.clear()

    def __enter__(self) -> Patcher:
        return self

    def __exit__(self, *error: object) -> None:
        self.revert_all_patches()


def patch_wrapped_functions(patcher: Patcher) -> None:
    """Let the functions and methods that :func:`wrap` was told of be recorded."""
    for (_, name), frame in list(wrapped_functions.items()):
        original = frame[name] if name in frame else getattr(builtins, name, None)
        if original is not None:
            patcher.patch(frame, name, wrapped_function(original))
    for cls, name in wrapped_methods:
        patcher.patch_method(cls, name, wrapped_method(cls, name))


def autowrap_check(patcher: Patcher, frame_dict: dict[str, Any], function_ids: set[int]) -> None:
    """Let the functions of these ids be recorded wherever a module's dict has them."""
    if not patcher.visit_once(frame_dict):
        return
    for name, value in list(frame_dict.items()):
        if not name.startswith("_") and callable(value) and id(value) in function_ids:
            patcher.patch(frame_dict, name, wrapped_function(value))


def wrap(fn_or_name: Any) -> Any:
    """Let calls of a module's function be recorded as one node, not traced through; returns what it is given.

    Call it at the top level of the module that has the function, with the function or its name, or as a decorator.

    Raises:
        NotImplementedError: called inside of a function or class.
        RuntimeError: what is given is neither callable nor a name.

    >>> import taeda
    >>> @taeda.fx.wrap
    ... def scaled(x, n):
    ...     return x * n if n > 0 else x
    >>> taeda.fx.wrap("len")
    'len'
    """
    if not callable(fn_or_name) and not isinstance(fn_or_name, str):
        raise RuntimeError(f"[fx.wrap] Unsupported type for global function! Must be either a callable or string name, got {fn_or_name!r}")
    frame = inspect.currentframe()
    caller = frame.f_back if frame is not None else None
    if caller is None or caller.f_code.co_name != "<module>":
        raise NotImplementedError("[fx.wrap] wrap must be called at the top level of a module")
    name = fn_or_name if isinstance(fn_or_name, str) else fn_or_name.__name__
    wrapped_functions[id(caller.f_globals), name] = caller.f_globals
    return fn_or_name
