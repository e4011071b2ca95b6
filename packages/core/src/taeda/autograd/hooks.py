"""Handles of registered hooks."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

_ids = itertools.count()


class Handle:
    """What registering a hook returns: ``remove()`` takes the hook away again; also a context manager."""

    def __init__(self, hooks: dict[int, Callable[..., Any]], hook: Callable[..., Any]) -> None:
        if not callable(hook):
            raise TypeError(f"[register_hook] a hook must be callable, got {type(hook).__name__}")
        self._hooks = hooks
        self.id = next(_ids)
        hooks[self.id] = hook

    def remove(self) -> None:
        """Take the hook away; again does nothing."""
        self._hooks.pop(self.id, None)

    def __enter__(self) -> Handle:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()


class Handles:
    """Several handles as one."""

    def __init__(self, handles: tuple[Handle, ...]) -> None:
        self.handles = handles

    def remove(self) -> None:
        """Take all of the hooks away."""
        for handle in self.handles:
            handle.remove()

    def __enter__(self) -> Handles:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()


RemovableHandle = Handle
__all__ = ["Handle", "Handles", "RemovableHandle"]
