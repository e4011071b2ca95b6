"""What programs ask of ``torch.compiler``: nothing is compiled, so its switches change nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

from taeda.settings import compile

__all__ = [
    "allow_in_graph", "assume_constant_result", "compile", "cudagraph_mark_step_begin", "disable", "get_default_backend", "is_compiling",
    "is_dynamo_compiling", "is_exporting", "list_backends", "nested_compile_region", "reset", "save_cache_artifacts", "set_default_backend",
    "set_stance", "substitute_in_graph",
]  # fmt: skip

_backend: str | Callable[..., Any] = "inductor"
_registered: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = {}


def is_compiling() -> bool:
    """Whether code is being compiled: never."""
    return False


is_dynamo_compiling = is_exporting = is_compiling


def disable(fn: Callable[..., Any] | None = None, recursive: bool = True, *, reason: str | None = None) -> Any:
    """Return the function as it is; also called with options first.

    >>> from taeda.compiler import disable
    >>> @disable
    ... def double(x):
    ...     return 2 * x
    >>> @disable(recursive=False)
    ... def triple(x):
    ...     return 3 * x
    >>> double(1), triple(1)
    (2, 3)
    """
    return fn if fn is not None else lambda function: function


def allow_in_graph(fn: Any) -> Any:
    """Return the function as it is."""
    return fn


assume_constant_result = allow_in_graph


def nested_compile_region(fn: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Return the function as it is; also called with options first."""
    return disable(fn)


def substitute_in_graph(original_fn: Callable[..., Any], **options: bool) -> Any:
    """Return what gives a function back as it is: there is no graph in which it would stand for ``original_fn``."""
    if not callable(original_fn):
        raise TypeError(f"[substitute_in_graph] original_fn must be a function, got {type(original_fn).__name__}")
    return allow_in_graph


class set_stance(contextlib.ContextDecorator):
    """How compiled functions are to behave from here on, within ``with``, or in the function below: as they are, always.

    >>> from taeda.compiler import set_stance
    >>> @set_stance("force_eager")
    ... def double(x):
    ...     return 2 * x
    >>> double(2)
    4
    """

    def __init__(self, stance: str = "default", *, skip_guard_eval_unsafe: bool = False, force_backend: Any = None) -> None:
        if force_backend is not None and stance != "default":
            raise RuntimeError(f"[set_stance] force_backend goes with stance='default', got {stance!r}")
        self.stance = stance

    def __enter__(self) -> None:
        """Change nothing."""

    def __exit__(self, *exc: object) -> None:
        """Change nothing back."""


def list_backends(exclude_tags: Sequence[str] | None = ("debug", "experimental")) -> list[str]:
    """Return the names of the compilers that the program has registered, all but those of a tag in ``exclude_tags``."""
    return sorted(name for name, (_, tags) in _registered.items() if not set(exclude_tags or ()) & set(tags))


def get_default_backend() -> str | Callable[..., Any]:
    """Return what ``set_default_backend`` was told, "inductor" at first; nothing compiles by it."""
    return _backend


def set_default_backend(backend: str | Callable[..., Any] | None) -> None:
    """Keep the name of a backend for ``get_default_backend``; None is the first one again."""
    global _backend
    if backend is not None and not isinstance(backend, str) and not callable(backend):
        raise TypeError(f"[set_default_backend] backend must be a name or a function, got {type(backend).__name__}")
    _backend = "inductor" if backend is None else backend


def save_cache_artifacts() -> None:
    """Return None, as where nothing has been compiled."""


def reset() -> None:
    """Do nothing: there are no compiled functions to forget."""


cudagraph_mark_step_begin = reset
