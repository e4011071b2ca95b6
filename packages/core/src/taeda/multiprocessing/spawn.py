"""Processes that are started together, and told of when one fails."""

from __future__ import annotations

import contextlib
import multiprocessing
import multiprocessing.connection
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from taeda import _spoken

__all__ = [
    "ProcessContext", "ProcessException", "ProcessExitedException", "ProcessRaisedException", "SpawnContext", "spawn", "start_processes",
]  # fmt: skip


class ProcessException(Exception):
    """A process that ``spawn`` started did not end well: ``error_index`` says which one, ``error_pid`` its number."""

    def __init__(self, msg: str, error_index: int, error_pid: int) -> None:
        super().__init__(msg)
        self.msg, self.error_index, self.error_pid = msg, error_index, error_pid

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.msg, self.error_index, self.error_pid)


class ProcessRaisedException(ProcessException):
    """A process that ``spawn`` started raised an exception, whose traceback this one's text has.

    >>> from taeda.multiprocessing import ProcessRaisedException, spawn
    >>> try:
    ...     spawn(len)                      # len(0)
    ... except ProcessRaisedException as error:
    ...     print(error.error_index, str(error).splitlines()[-1])
    0 TypeError: object of type 'int' has no len()
    """


class ProcessExitedException(ProcessException):
    """A process that ``spawn`` started was ended by a signal or exited with a number."""

    def __init__(self, msg: str, error_index: int, error_pid: int, exit_code: int, signal_name: str | None = None) -> None:
        super().__init__(msg, error_index, error_pid)
        self.exit_code, self.signal_name = exit_code, signal_name

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.msg, self.error_index, self.error_pid, self.exit_code, self.signal_name)


def _run(fn: Callable[..., Any], i: int, args: tuple[Any, ...], errors: Connection) -> None:
    try:
        fn(i, *args)
    except KeyboardInterrupt:
        pass
    except Exception:
        errors.send(traceback.format_exc())
        sys.exit(1)


class ProcessContext:
    """The processes that ``start_processes(..., join=False)`` started.

    Attributes:
        processes: the objects of Python's ``multiprocessing``.

    ``join(timeout)`` waits and tells whether all have ended; it raises what one of them raised.

    >>> from taeda.multiprocessing import start_processes
    >>> context = start_processes(abs, nprocs=2, join=False)             # abs(0) and abs(1)
    >>> while not context.join():
    ...     pass
    >>> [process.exitcode for process in context.processes]
    [0, 0]
    """

    def __init__(self, processes: list[Any], errors: list[Connection]) -> None:
        self.processes = processes
        self._errors: dict[Connection, int] = {connection: i for i, connection in enumerate(errors)}       # those not read yet
        self._told: dict[int, str] = {}

    def pids(self) -> list[int]:
        """Return the processes' numbers."""
        return [p.pid for p in self.processes]

    def join(self, timeout: float | None = None, grace_period: float | None = None) -> bool:
        """Wait for the processes; True once all have ended well.

        When one fails the others are ended: told to after ``grace_period`` seconds (at once by default), and killed where they are still
        there as many seconds later (30 by default).

        Raises:
            ProcessRaisedException: one raised an exception.
            ProcessExitedException: one was ended by a signal, or exited with a number other than 0.
        """
        alive: dict[Any, int] = {p.sentinel: i for i, p in enumerate(self.processes) if p.exitcode is None}
        # a process that has more to tell than a pipe holds does not end before it is read
        ready = multiprocessing.connection.wait([*alive, *self._errors], timeout) if alive else list(self._errors)
        for told in ready:
            i = self._read(told) if isinstance(told, Connection) else alive[told]
            self.processes[i].join()
        failed = next((i for i, p in enumerate(self.processes) if p.exitcode), None)
        if failed is not None:
            if grace_period is not None:
                self._wait(grace_period)
            for p in self.processes:
                if p.is_alive():
                    p.terminate()
            self._wait(30 if grace_period is None else grace_period)
            for p in self.processes:
                if p.is_alive():
                    p.kill()
                p.join()
            raise self._failure(failed)
        return all(p.exitcode == 0 for p in self.processes)

    def _wait(self, seconds: float) -> None:
        """Give all processes together some time to end."""
        end = time.monotonic() + seconds
        for p in self.processes:
            p.join(max(end - time.monotonic(), 0))

    def _read(self, connection: Connection) -> int:
        """Take what a process that ends has told, and return its number; nothing unless it ends by an exception."""
        i = self._errors.pop(connection)
        with contextlib.suppress(EOFError, ConnectionResetError):
            if connection.poll():                       # one that it started may hold the other end still
                self._told[i] = connection.recv()
        connection.close()
        return i

    def _failure(self, i: int) -> Exception:
        p = self.processes[i]
        for connection in [c for c, number in self._errors.items() if number == i]:
            self._read(connection)
        if i in self._told:
            text = f"\n\n-- Process {i} terminated with the following error:\n{self._told[i]}"
            return ProcessRaisedException(text, i, p.pid)
        name = signal.Signals(-p.exitcode).name if p.exitcode < 0 else None
        how = f"signal {name}" if name else f"exit code {p.exitcode}"
        return ProcessExitedException(f"process {i} terminated with {how}", i, p.pid, p.exitcode, name)


SpawnContext = ProcessContext


def start_processes(
    fn: Callable[..., Any],
    args: tuple[Any, ...] = (),
    nprocs: int = 1,
    join: bool = True,
    daemon: bool = False,
    start_method: str = "spawn",
) -> ProcessContext | None:
    """Run ``fn(i, *args)`` in ``nprocs`` processes, i from 0; wait for them unless ``join`` is False.

    Args:
        join: False returns a :class:`ProcessContext` at once.
        daemon: the processes are ended when this one ends.
        start_method: of Python's ``multiprocessing``: "spawn", "fork" or "forkserver".

    Raises:
        ProcessRaisedException: one raised an exception; the others are ended.
        ProcessExitedException: one was ended by a signal, or exited with a number other than 0.
    """
    context = multiprocessing.get_context(start_method)
    processes, errors = [], []
    for i in range(nprocs):
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_run, args=(fn, i, args, theirs), daemon=daemon)  # type: ignore[attr-defined]
        process.start()
        theirs.close()
        processes.append(process)
        errors.append(ours)
    made = ProcessContext(processes, errors)
    if not join:
        return made
    while not made.join():
        pass
    return None


def spawn(
    fn: Callable[..., Any],
    args: tuple[Any, ...] = (),
    nprocs: int = 1,
    join: bool = True,
    daemon: bool = False,
    start_method: str = "spawn",
) -> ProcessContext | None:
    """Run ``fn(i, *args)`` in ``nprocs`` new processes, i from 0; wait for them unless ``join`` is False.

    The processes import the program anew, so that its work must stand below ``if __name__ == "__main__":``, and ``fn`` must be found by
    name. Arguments and errors are those of ``start_processes``; another ``start_method`` is warned of, and not used.

    >>> import math
    >>> from taeda import multiprocessing
    >>> multiprocessing.spawn(math.pow, args=(2.0,), nprocs=2)              # 0 ** 2 and 1 ** 2: what fn returns is lost
    """
    if start_method != "spawn":
        warnings.warn(f"This method only supports start_method=spawn (got: {start_method}).\nTo use a different start_method use:\n\t\t "
                      f"{_spoken.name}.multiprocessing.start_processes(...)", FutureWarning, stacklevel=2)
    return start_processes(fn, args, nprocs, join, daemon, "spawn")
