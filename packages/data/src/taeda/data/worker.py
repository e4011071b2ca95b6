"""The worker's side of a loader: a process that fetches batches on request until it is told to stop.

Requests are ``("fetch", number, index)``, ``("restart", number, None)`` and ``("stop", 0, None)``. Answers
are ``("data", number, batch)``, ``("end", number)`` when a stream is at its end,
``("error", number, Failure)`` and ``("restarted", number)``.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import random
import signal
import traceback
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import taeda
from taeda.data import info
from taeda.data.fetch import _DatasetKind
from taeda.data.info import WorkerInfo
from taeda.data.transport import receive, send

__all__ = ["Failure", "Job", "work"]

PARENT_CHECK_SECONDS = 5.0

# The parent's ends of all connections: a forked worker closes its copies, or it would keep its siblings'
# connections open after the parent is gone.
parent_ends: weakref.WeakSet[Connection] = weakref.WeakSet()


@dataclass
class Job:
    """What a worker is started with."""

    kind: int
    dataset: Any
    auto_collation: bool
    collate_fn: Callable[[Any], Any]
    drop_last: bool
    base_seed: int
    init_fn: Callable[[int], None] | None
    worker_id: int
    num_workers: int

    def fetcher(self) -> Any:
        """Make a fetcher; for a stream that starts it anew."""
        return _DatasetKind.create_fetcher(
            self.kind, self.dataset, self.auto_collation, self.collate_fn, self.drop_last
        )


class _Verbatim(str):
    """A text whose repr is itself: KeyError shows its argument by repr, which would fold a traceback."""

    __slots__ = ()

    def __repr__(self) -> str:
        return self


@dataclass
class Failure:
    """An exception on its way to the training process: its type, and its traceback as text."""

    kind: type[Exception] | None
    name: str
    text: str
    worker_id: int

    @classmethod
    def caught(cls, error: Exception, worker_id: int) -> Failure:
        """Describe the exception that is being handled."""
        kind: type[Exception] | None = type(error)
        try:
            pickle.loads(pickle.dumps(kind))
        except Exception:  # a class defined inside a function, say
            kind = None
        return cls(kind, type(error).__name__, "".join(traceback.format_exception(error)), worker_id)

    def error(self) -> Exception:
        """Return an exception of the same type whose message holds the worker's traceback.

        Where the type cannot be made from a message alone it is a RuntimeError.
        """
        message = f"Caught {self.name} in DataLoader worker process {self.worker_id}.\nOriginal {self.text}"
        # A StopIteration would end the training loop without a word.
        if self.kind is not None and not issubclass(self.kind, StopIteration):
            try:
                return self.kind(_Verbatim(message) if issubclass(self.kind, KeyError) else message)
            except Exception:  # the type wants other arguments
                pass
        return RuntimeError(message)


def _seed(job: Job) -> int:
    """Seed Python's, taeda's and NumPy's default generators, each worker differently and as PyTorch does."""
    import numpy as np

    seed = job.base_seed + job.worker_id
    random.seed(seed)
    taeda.manual_seed(seed)
    np.random.seed(numpy_seed(job.base_seed, job.worker_id))
    return seed


def numpy_seed(base_seed: int, worker_id: int) -> list[int]:
    """Return the four words that a worker's NumPy is seeded with."""
    import numpy as np

    entropy = [worker_id, base_seed & 0xFFFFFFFF, base_seed >> 32, 0]
    return [int(word) for word in np.random.SeedSequence(entropy).generate_state(4)]


def work(connection: Connection, job: Job) -> None:
    """Be a worker: the main function of its process."""
    parent = os.getppid()
    for end in list(parent_ends):
        end.close()
    parent_ends.clear()
    # Ctrl-C reaches the whole group; the training process answers it and stops its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    taeda.set_num_threads(1)
    # Where the training process has closed its end, nobody waits for an answer.
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        _serve(connection, job, parent)


def _serve(connection: Connection, job: Job, parent: int) -> None:
    seed = _seed(job)
    info.current = WorkerInfo(job.worker_id, job.num_workers, seed, job.dataset)
    fetcher = None
    failure: Failure | None = None
    try:
        if job.init_fn is not None:
            job.init_fn(job.worker_id)
        fetcher = job.fetcher()
    except Exception as error:
        failure = Failure.caught(error, job.worker_id)
    while True:
        while not connection.poll(PARENT_CHECK_SECONDS):
            if os.getppid() != parent:
                return
        request, number, index = receive(connection)
        if request == "stop":
            return
        answer: tuple[Any, ...]
        try:
            if failure is not None:
                answer = ("error", number, failure)
            elif request == "restart":
                fetcher = job.fetcher()
                answer = ("restarted", number)
            else:
                answer = _fetch(fetcher, job, number, index)
        except Exception as error:
            answer = ("error", number, Failure.caught(error, job.worker_id))
        try:
            send(connection, answer)
        except (BrokenPipeError, ConnectionResetError):
            return
        except Exception as error:  # a batch that cannot be pickled, or no memory to hold it
            send(connection, ("error", number, Failure.caught(error, job.worker_id)))


def _fetch(fetcher: Any, job: Job, number: int, index: Any) -> tuple[Any, ...]:
    try:
        return ("data", number, fetcher.fetch(index))
    except StopIteration:
        if job.kind != _DatasetKind.Iterable:
            raise
        return ("end", number)
