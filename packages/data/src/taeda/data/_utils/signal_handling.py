"""How a loader that a program writes itself learns that a worker has died, by PyTorch's path: it registers the workers and is interrupted.

The processes are asked without reaping them, so that ``Process.join`` still finds their exit status.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable
from typing import Any

__all__ = [
    "_error_if_any_worker_fails", "_remove_worker_pids", "_set_SIGCHLD_handler", "_set_worker_pids", "_set_worker_signal_handlers",
]  # fmt: skip

_workers: dict[int, set[int]] = {}  # of each loader
_before: Any = None  # the handler that was there
is_ending: Callable[[], bool] = bool  # whether the program is ending; set by the package, which is above this room


def _set_worker_pids(loader: int, pids: Iterable[int]) -> None:
    """Watch the workers of a loader."""
    _workers[loader] = set(pids)


def _remove_worker_pids(loader: int) -> None:
    """Stop watching them."""
    _workers.pop(loader, None)


def _error_if_any_worker_fails() -> None:
    """Raise RuntimeError if a worker was killed or has failed."""
    for pids in _workers.values():
        for pid in pids:
            try:
                ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:  # someone has reaped it
                continue
            if ended is None or (ended.si_code == os.CLD_EXITED and ended.si_status == 0):
                continue
            pids.clear()
            how = f"exited unexpectedly with exit code {ended.si_status}" if ended.si_code == os.CLD_EXITED else (
                f"is killed by signal: {signal.strsignal(ended.si_status)}")
            raise RuntimeError(f"[DataLoader] DataLoader worker (pid {pid}) {how}.")


def _handle(number: int, frame: Any) -> None:
    if not is_ending():  # then workers that still run are told to stop
        _error_if_any_worker_fails()
    if callable(_before):
        _before(number, frame)


def _set_SIGCHLD_handler() -> None:
    """Interrupt the main thread as soon as a worker fails."""
    global _before
    if threading.current_thread() is not threading.main_thread():
        return
    found = signal.getsignal(signal.SIGCHLD)
    if found is not _handle:
        _before = found
        signal.signal(signal.SIGCHLD, _handle)


def _set_worker_signal_handlers() -> None:
    """Do nothing: in a worker, signals that end a process end it."""
