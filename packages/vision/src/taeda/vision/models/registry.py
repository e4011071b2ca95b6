"""The registry of models: a name leads to the function that builds the model."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fnmatch import fnmatch
from types import ModuleType
from typing import Any, TypeVar

from taeda import nn

__all__ = ["get_model", "get_model_builder", "list_models", "register_model"]

Builder = TypeVar("Builder", bound=Callable[..., nn.Module])
_BUILDERS: dict[str, Callable[..., nn.Module]] = {}


def register_model(name: str | None = None) -> Callable[[Builder], Builder]:
    """Register the decorated function under `name`, by default its own.

    Raises:
        ValueError: the name is taken.
    """

    def register(builder: Builder) -> Builder:
        key = builder.__name__ if name is None else name
        if key in _BUILDERS:
            raise ValueError(f"[register_model] An entry is already registered under the name {key!r}.")
        _BUILDERS[key] = builder
        return builder

    return register


def unknown(caller: str, name: str) -> str:
    """Return what is said of a name that no model has: those that are like it, or else all."""
    from difflib import get_close_matches

    near = get_close_matches(name.lower(), list_models(), n=4)
    cure = f"did you mean {', '.join(near)}? list_models() names all" if near else f"there are {', '.join(list_models())}"
    return f"[{caller}] Unknown model {name!r}; {cure}"


def get_model_builder(name: str) -> Callable[..., nn.Module]:
    """Return the function that builds the model `name` (upper or lower case).

    Raises:
        ValueError: there is none; the message names those that are like it.
    """
    try:
        return _BUILDERS[name.lower()]
    except KeyError:
        raise ValueError(unknown("get_model", name)) from None


def get_model(name: str, **config: Any) -> nn.Module:
    """Build the model `name`.

    >>> type(get_model("lenet", num_classes=5)).__name__
    'LeNet'
    """
    return get_model_builder(name)(**config)


def list_models(
    module: ModuleType | None = None,
    include: Iterable[str] | str | None = None,
    exclude: Iterable[str] | str | None = None,
) -> list[str]:
    """List the names of the models, sorted.

    Args:
        module: only those defined in this module.
        include: only names that match one of these patterns, as in a shell.
        exclude: no names that match one of these.
    """

    def matches(name: str, patterns: Iterable[str] | str) -> bool:
        return any(fnmatch(name, p) for p in ([patterns] if isinstance(patterns, str) else patterns))

    return sorted(
        name
        for name, builder in _BUILDERS.items()
        if (
            module is None
            or builder.__module__.rsplit(".", 1)[0] == module.__name__
            or builder.__module__ == module.__name__
        )
        and (not include or matches(name, include))
        and (not exclude or not matches(name, exclude))
    )
