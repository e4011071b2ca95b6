"""The switches of PyTorch's compiler, ``torch._inductor.config`` and kin: programs set them, and they change nothing."""

from __future__ import annotations

import contextlib
import functools
import sys
import types
from collections.abc import Iterator
from typing import Any

__all__ = ["Switches"]


class Switches(types.ModuleType):
    """A room of switches that imports find too; any name can be set, and those that are set or known can be read.

    Args:
        name: the room's whole name.
        known: what switches are before they are set; a dict is a group, as ``config.triton``.
    """

    def __init__(self, name: str, **known: Any) -> None:
        super().__init__(name, f"Switches of {name.replace('taeda.', 'torch.', 1)}, which change nothing.")
        vars(self).update({k: types.SimpleNamespace(**v) if isinstance(v, dict) else v for k, v in known.items()})
        sys.modules[name] = self

    @contextlib.contextmanager
    def patch(self, changes: Any = None, value: Any = None, **more: Any) -> Iterator[None]:
        """Set switches in a block, or while a decorated function runs: ``patch(verbose=True)``, ``patch("verbose", True)`` or a dict."""
        changes = {changes: value} if isinstance(changes, str) else {**(changes or {}), **more}
        with contextlib.ExitStack() as restored:
            for name, new in changes.items():
                *groups, last = name.split(".")
                members = vars(functools.reduce(getattr, groups, self))
                if last in members:
                    restored.callback(members.update, {last: members[last]})
                else:
                    restored.callback(members.pop, last)
                members[last] = new
            yield
