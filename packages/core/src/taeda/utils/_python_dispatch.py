"""PyTorch's room of modes below autograd, for libraries that ask for its names: nothing is dispatched by key, so that there are none."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, NoReturn

__all__ = ["TorchDispatchMode", "is_traceable_wrapper_subclass"]


class TorchDispatchMode:
    """What a mode would derive from.  A class of one's own can be written down; making one raises NotImplementedError."""

    def __new__(cls, *args: Any, **kwargs: Any) -> NoReturn:  # type: ignore[misc]
        """Raise NotImplementedError."""
        raise NotImplementedError(f"[{cls.__name__}] there are no modes below autograd; taeda.overrides.TorchFunctionMode sees every call")


def is_traceable_wrapper_subclass(t: Any) -> bool:
    """Whether a tensor is made of others that PyTorch's compiler knows to open: none is.

    >>> import taeda
    >>> is_traceable_wrapper_subclass(taeda.ones(2))
    False
    """
    return False


def _get_current_dispatch_mode() -> None:
    """Return the innermost mode: there is none."""


@contextlib.contextmanager
def _disable_current_modes() -> Iterator[list[Any]]:
    """A block without the modes that are in force, which are none."""
    yield []
