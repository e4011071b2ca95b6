"""What programs ask of ``torch.compiler``: nothing is compiled, so its switches change nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, cast

from taeda.layer_call import LayerCall

from . import _dynamo
from ._dynamo import allow_in_graph, assume_constant_result, disable, is_compiling, list_backends, reset

__all__ = [
    "allow_in_graph", "assume_constant_result", "compile", "cudagraph_mark_step_begin", "disable", "get_default_backend", "is_compiling",
    "is_dynamo_compiling", "is_exporting", "list_backends", "nested_compile_region", "reset", "save_cache_artifacts", "set_default_backend",
    "set_stance", "substitute_in_graph",
]  # fmt: skip

_backend: str | Callable[..., Any] = "inductor"
_COMPILE_MODES = ("default", "lite", "reduce-overhead", "max-autotune", "max-autotune-no-cudagraphs")
is_dynamo_compiling = is_exporting = is_compiling


def compile(model: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Return a function unchanged and a module in an ``OptimizedModule``, which calls it: every operation runs as written.

    The wrapper is PyTorch's, by ``_orig_mod`` and by the names of its state.  ``fullgraph``, ``dynamic``, ``backend``, ``mode``,
    ``options`` and ``disable`` are accepted and change nothing else; ``disable=True`` returns a module as it is.  Without a model
    it is a decorator.

    Raises TypeError for an option that PyTorch does not have, AssertionError for a model that cannot be called, RuntimeError for an
    unknown ``mode`` or one beside ``options``, and InvalidBackend, a RuntimeError, for an unknown name of a ``backend``.

    >>> import taeda
    >>> taeda.compile(taeda.sin) is taeda.sin
    True
    """
    unknown = set(options) - {"fullgraph", "dynamic", "backend", "mode", "options", "disable", "name"}
    if unknown:
        raise TypeError(f"[compile] got an unexpected keyword argument {sorted(unknown)[0]!r}")
    mode = options.get("mode")
    if mode is not None and options.get("options") is not None:
        raise RuntimeError("[compile] Either mode or options can be specified, but both can't be specified at the same time")
    if mode is not None and mode not in _COMPILE_MODES:
        raise RuntimeError(f"[compile] Unrecognized mode={mode}, should be one of: {', '.join(_COMPILE_MODES)}")
    backend = options.get("backend")
    if isinstance(backend, str) and backend != "inductor":
        _dynamo.lookup_backend(backend)
    if model is None:
        return lambda function: compile(function, **options)
    if not callable(model):
        raise AssertionError(f"[compile] model must be callable, got {type(model).__name__}")
    if not isinstance(model, LayerCall) or options.get("disable"):
        return model
    return model if isinstance(model, _dynamo.OptimizedModule) else _dynamo.OptimizedModule(cast(Any, model))


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


cudagraph_mark_step_begin = reset
