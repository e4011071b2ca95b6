"""Python's ``multiprocessing``, with tensors that are sent by moving them into shared memory.

A tensor that goes through a queue or a pipe, or to a process that is not forked, moves into memory that both
processes see (``tensor.share_memory_()``), so that nothing is copied and a write by one is seen by the other.

>>> import taeda.multiprocessing as mp
>>> mp.get_sharing_strategy()
'file_descriptor'
"""

from __future__ import annotations

import multiprocessing
from multiprocessing import *  # noqa: F403

from taeda import shared_memory as _shared_memory
from taeda.multiprocessing import reductions  # noqa: F401
from taeda.multiprocessing.spawn import (
    ProcessContext,
    ProcessExitedException,
    ProcessRaisedException,
    SpawnContext,
    spawn,
    start_processes,
)

__all__ = [
    *multiprocessing.__all__, "ProcessContext", "ProcessExitedException", "ProcessRaisedException", "SpawnContext",
    "get_all_sharing_strategies", "get_sharing_strategy", "set_sharing_strategy", "spawn", "start_processes",
]  # fmt: skip

_ = _shared_memory                          # its import teaches multiprocessing's pickles what a storage is
_strategy = "file_descriptor"


def get_all_sharing_strategies() -> set[str]:
    """Return the names of PyTorch's ways to share memory, which programs choose from.

    >>> from taeda import multiprocessing
    >>> sorted(multiprocessing.get_all_sharing_strategies())
    ['file_descriptor', 'file_system']
    """
    return {"file_descriptor", "file_system"}


def get_sharing_strategy() -> str:
    """Return the way to share memory that was chosen; memory goes by the descriptor of a file without a name all the same."""
    return _strategy


def set_sharing_strategy(new_strategy: str) -> None:
    """Remember a choice; memory is shared by descriptors whatever it says, so that nothing is left behind.

    >>> from taeda import multiprocessing
    >>> before = multiprocessing.get_sharing_strategy()
    >>> multiprocessing.set_sharing_strategy("file_system")
    >>> multiprocessing.get_sharing_strategy()
    'file_system'
    >>> multiprocessing.set_sharing_strategy(before)
    """
    global _strategy
    if new_strategy not in get_all_sharing_strategies():
        raise AssertionError(f"[set_sharing_strategy] expected 'file_descriptor' or 'file_system', got {new_strategy!r}")
    _strategy = new_strategy
