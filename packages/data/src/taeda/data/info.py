"""What a worker may know of itself; apart from the worker, so that programs without workers load no more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["WorkerInfo", "get_worker_info"]


@dataclass(frozen=True, slots=True)
class WorkerInfo:
    """Who a worker is: its number, how many there are, its seed and its copy of the dataset.

    `rng` and `worker_method` are there for programs that ask: workers are processes with generators of their own.
    """

    id: int
    num_workers: int
    seed: int
    dataset: Any
    rng: None = None
    worker_method: str = "multiprocessing"


current: WorkerInfo | None = None  # set by a worker, once, when it starts
_theirs: Any = None  # set by a program's own loader, in PyTorch's place: _utils.worker._worker_info


def get_worker_info() -> WorkerInfo | None:
    """Return what a worker needs to know to do its share; None in the training process.

    >>> from taeda.data import get_worker_info
    >>> get_worker_info() is None
    True
    """
    return current if current is not None else _theirs
