"""Marks that programs for ``torch.profiler`` carry: ``record_function`` does nothing; Python's profilers and ``perf`` time taeda."""

from __future__ import annotations

import contextlib
from typing import Any, NoReturn

__all__ = ["profile", "record_function"]


class record_function(contextlib.ContextDecorator):
    """Mark a block of code, or a function, by a name, which nobody reads here.

    >>> with record_function("forward"):
    ...     x = 1 + 1
    """

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name, self.args = name, args

    def __enter__(self) -> record_function:
        return self

    def __exit__(self, *exception: Any) -> None:
        return None


def profile(*args: Any, **kwargs: Any) -> NoReturn:
    """Raise NotImplementedError: operations are not recorded."""
    raise NotImplementedError("[profiler.profile] operations are not recorded; use cProfile for Python's part and perf for the kernels'")
