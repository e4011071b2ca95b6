"""What a worker process knows and says about itself, by PyTorch's path, for loaders that programs write themselves."""

from __future__ import annotations

import dataclasses
import os
import sys
from types import ModuleType
from typing import Any

from taeda.data import info
from taeda.data.info import WorkerInfo, get_worker_info
from taeda.data.worker import numpy_seed as _generate_state

__all__ = ["ManagerWatchdog", "WorkerInfo", "_IterableDatasetStopIteration", "_ResumeIteration", "_generate_state", "get_worker_info"]


class ManagerWatchdog:
    """Tells a worker whether the process that started it still runs."""

    def __init__(self) -> None:
        self.manager_pid = os.getppid()
        self.manager_dead = False

    def is_alive(self) -> bool:
        """Return whether the process that started this one still runs."""
        self.manager_dead = self.manager_dead or os.getppid() != self.manager_pid
        return not self.manager_dead


@dataclasses.dataclass(frozen=True)
class _IterableDatasetStopIteration:
    """A worker's word that its stream is at its end."""

    worker_id: int


@dataclasses.dataclass(frozen=True)
class _ResumeIteration:
    """The loader's word that a further epoch begins."""

    seed: int | None = None


class _Room(ModuleType):
    """This module: what is written to ``_worker_info`` is what ``get_worker_info`` gives."""

    @property
    def _worker_info(self) -> Any:
        return get_worker_info()

    @_worker_info.setter
    def _worker_info(self, value: Any) -> None:
        info._theirs = value


sys.modules[__name__].__class__ = _Room
