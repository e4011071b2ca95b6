"""Handles of hooks that modules and optimizers keep in ordered dicts."""

from __future__ import annotations

import itertools
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Self

__all__ = ["RemovableHandle"]

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

    def __init__(self, hooks_dict: Any, *, extra_dict: Any = None) -> None:
        self.id = next(_ids)
        extras = extra_dict if isinstance(extra_dict, (list, tuple)) else () if extra_dict is None else (extra_dict,)
        self._dicts = [weakref.ref(d) for d in (hooks_dict, *extras)]

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


def add_hook(hooks: OrderedDict[int, Any], hook: Callable[..., Any], prepend: bool = False, *flags: Any) -> RemovableHandle:
    """Enter ``hook`` into ``hooks`` and into each dict of ``flags``; return its handle."""
    handle = RemovableHandle(hooks, extra_dict=flags)
    hooks[handle.id] = hook
    for flag in flags:
        flag[handle.id] = True
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle
