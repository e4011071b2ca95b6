"""What programs ask of ``torch.compiler``: nothing is compiled, so its switches change nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = [
    "allow_in_graph", "assume_constant_result", "cudagraph_mark_step_begin", "disable", "is_compiling", "is_dynamo_compiling",
    "is_exporting", "reset",
]  # fmt: skip


def is_compiling() -> bool:
    """Whether code is being compiled: never."""
    return False


is_dynamo_compiling = is_exporting = is_compiling


def disable(fn: Callable[..., Any] | None = None, recursive: bool = True, *, reason: str | None = None) -> Any:
    """Return the function as it is; also called with options first.

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


def reset() -> None:
    """Do nothing: there are no compiled functions to forget."""


cudagraph_mark_step_begin = reset
