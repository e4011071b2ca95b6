"""Handles of hooks that modules and optimizers keep in ordered dicts."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from taeda.autograd.hooks import RemovableHandle

__all__ = ["RemovableHandle", "unserializable_hook"]


def add_hook(hooks: OrderedDict[int, Any], hook: Callable[..., Any], prepend: bool = False, *flags: Any) -> RemovableHandle:
    """Enter ``hook`` into ``hooks`` and into each dict of ``flags``; return its handle."""
    handle = RemovableHandle(hooks, extra_dict=flags)
    hooks[handle.id] = hook
    for flag in flags:
        flag[handle.id] = True
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


def unserializable_hook(f: Any) -> Any:
    """Mark a hook of a tensor: ``save`` leaves it out without the warning that it gives of others."""
    f.__torch_unserializable__ = True
    return f
