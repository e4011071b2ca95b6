"""Handles of registered hooks."""

from __future__ import annotations

import itertools
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Self

_ids = itertools.count()


class RemovableHandle:
    """What a registration returns: ``remove()`` takes the hook away; also a context manager.

    Args:
        hooks_dict: where the hook is entered under the handle's ``id``.
        extra_dict: another such dict, or several, that the entry is taken out of too.

    >>> from collections import OrderedDict
    >>> from taeda.utils.hooks import RemovableHandle
    >>> hooks = OrderedDict()
    >>> handle = RemovableHandle(hooks)
    >>> hooks[handle.id] = print
    >>> handle.remove()
    >>> len(hooks)
    0
    """

    id: int
    _dicts: list[Any]

    def __init__(self, hooks_dict: Any, *, extra_dict: Any = None) -> None:
        self.id = next(_ids)
        extras = extra_dict if isinstance(extra_dict, (list, tuple)) else () if extra_dict is None else (extra_dict,)
        self._dicts = [weakref.ref(d) for d in (hooks_dict, *extras)]

    @property
    def hooks_dict_ref(self) -> Any:
        """A weak reference to the dict where the hook is entered."""
        return self._dicts[0]

    @property
    def extra_dict_ref(self) -> tuple[Any, ...]:
        """Weak references to the other dicts."""
        return tuple(self._dicts[1:])

    def remove(self) -> None:
        """Take the hook away; a second call does nothing."""
        for ref in self._dicts:
            hooks = ref()
            if hooks is not None:
                hooks.pop(self.id, None)

    # A copied or pickled handle belongs to the dicts that were copied with it.
    def __getstate__(self) -> Any:
        return self.id, [ref() for ref in self._dicts]

    def __setstate__(self, state: Any) -> None:
        self.id, dicts = state
        self._dicts = [weakref.ref(OrderedDict() if d is None else d) for d in dicts]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


RemovableHandle.__module__ = "taeda.utils.hooks"            # where programs import it from


class Handle(RemovableHandle):
    """That of a hook of a tensor or a node, kept in a plain dict."""

    def __init__(self, hooks: dict[int, Callable[..., Any]], hook: Callable[..., Any]) -> None:
        if not callable(hook):
            raise TypeError(f"[register_hook] a hook must be callable, got {type(hook).__name__}")
        self._hooks = hooks
        self.id = next(_ids)
        hooks[self.id] = hook

    def remove(self) -> None:
        """Take the hook away; again does nothing."""
        self._hooks.pop(self.id, None)

    def __getstate__(self) -> Any:
        return self.id, dict(self._hooks)          # a copy has no tensor

    def __setstate__(self, state: Any) -> None:
        self.id, self._hooks = state


class Handles(RemovableHandle):
    """Several handles as one."""

    def __init__(self, handles: tuple[Handle, ...]) -> None:
        self.handles = handles

    def remove(self) -> None:
        """Take all of the hooks away."""
        for handle in self.handles:
            handle.remove()

    def __getstate__(self) -> Any:
        return self.handles

    def __setstate__(self, state: Any) -> None:
        self.handles = state


__all__ = ["Handle", "Handles", "RemovableHandle"]
