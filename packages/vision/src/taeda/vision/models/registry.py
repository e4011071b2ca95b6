"""The registry of models: a name leads to the function that builds the model."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fnmatch import fnmatch
from functools import wraps
from inspect import signature
from types import ModuleType
from typing import Any, TypeVar, cast
from warnings import warn

from taeda import nn

__all__ = ["builder", "get_model", "get_model_builder", "legacy_arguments", "list_models", "register_model"]

Builder = TypeVar("Builder", bound=Callable[..., nn.Module])
BUILDERS: dict[str, Callable[..., nn.Module]] = {}


def register_model(name: str | None = None) -> Callable[[Builder], Builder]:
    """Register the decorated function under `name`, by default its own.

    Raises:
        ValueError: the name is taken.

    >>> from taeda import nn
    >>> from taeda.vision.models import get_model, register_model
    >>> @register_model("perceptron_of_mine")
    ... def perceptron(hidden=4):
    ...     return nn.Sequential(nn.Flatten(), nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, 10))
    >>> get_model("perceptron_of_mine", hidden=2)[1]
    Linear(in_features=64, out_features=2, bias=True)
    """

    def register(builder: Builder) -> Builder:
        key = builder.__name__ if name is None else name
        if key in BUILDERS:
            raise ValueError(f"[register_model] An entry is already registered under the name {key!r}.")
        BUILDERS[key] = builder
        return builder

    return register


def builder(function: Builder) -> Builder:
    """Register a function that builds a model, and let it take its arguments as older programs give them.

    They may stand in the order of the function's keywords, and ``pretrained`` and ``pretrained_backbone`` may say what ``weights`` and
    ``weights_backbone`` say now; each is warned of.
    """
    return register_model()(legacy_arguments(function))


def legacy_arguments(function: Builder) -> Builder:
    """Return a function of keywords that also takes them by position, and ``pretrained`` for ``weights``."""
    known = function.__kwdefaults__ or {}

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if args:
            names = [p.name for p in signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY]
            if len(args) > len(names) or any(name in kwargs for name in names[: len(args)]):
                raise TypeError(
                    f"{function.__name__}() takes {', '.join(names)} and got {len(args)} arguments by position beside {list(kwargs)}"
                )
            kwargs = {**dict(zip(names, args, strict=False)), **kwargs}
            used = " and ".join(filter(None, (", ".join(map(repr, names[: len(args) - 1])), repr(names[len(args) - 1]))))
            warn(f"Using {used} as positional parameter(s) is deprecated since 0.13. Please use keyword parameter(s) instead.",
                 stacklevel=2)
        for now, before in (("weights", "pretrained"), ("weights_backbone", "pretrained_backbone")):
            older = now in known and before in kwargs
            if older:
                kwargs[now] = kwargs.pop(before) or kwargs.get(now)
                warn(f"The parameter '{before}' is deprecated since 0.13, please use '{now}' instead.", stacklevel=2)
            if older or isinstance(kwargs.get(now), bool):
                warn(f"Arguments other than a weight enum or `None` for '{now}' are deprecated since 0.13.", stacklevel=2)
                kwargs[now] = kwargs[now] or None
        return function(**kwargs)

    return cast("Builder", call)


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

    >>> from taeda.vision.models import get_model_builder
    >>> get_model_builder("ResNet18").__name__
    'resnet18'
    """
    try:
        return BUILDERS[name.lower()]
    except KeyError:
        raise ValueError(unknown("get_model", name)) from None


def get_model(name: str, **config: Any) -> nn.Module:
    """Build the model `name`.

    >>> from taeda.vision.models import get_model
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

    >>> from taeda.vision import models
    >>> models.list_models(include="resnet*", exclude=["*101", "*152"])
    ['resnet18', 'resnet34', 'resnet50']
    >>> models.list_models(models.optical_flow)
    ['raft_large', 'raft_small']
    """

    def matches(name: str, patterns: Iterable[str] | str) -> bool:
        return any(fnmatch(name, p) for p in ([patterns] if isinstance(patterns, str) else patterns))

    return sorted(
        name
        for name, builder in BUILDERS.items()
        if (
            module is None
            or builder.__module__.rsplit(".", 1)[0] == module.__name__
            or builder.__module__ == module.__name__
        )
        and (not include or matches(name, include))
        and (not exclude or not matches(name, exclude))
    )
