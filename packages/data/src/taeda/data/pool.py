"""The training process's side of a loader with workers: it deals out indices and puts batches back in order.

Every worker has a connection of its own, and no lock is shared: a worker that is killed at any moment takes
nothing with it but its own end of the wire, which is noticed at once.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import select
import signal
import time
import warnings
import weakref
from collections.abc import Iterator
from multiprocessing.connection import Connection, wait
from typing import Any

from taeda.data.transport import receive, send
from taeda.data.worker import Job, parent_ends, work

__all__ = ["Pool"]

LIVENESS_SECONDS = 5.0  # how often to ask whether a silent worker still lives
ANSWER_SECONDS = 0.05  # how long to wait for an answer before trying to send again
FAREWELL_SECONDS = 5.0  # how long a worker may take to finish its batch before it is terminated


def _writable(connection: Connection) -> bool:
    """Say whether a short message can be sent without waiting (or fails at once: the other end is gone)."""
    poll = select.poll()
    poll.register(connection, select.POLLOUT)
    return bool(poll.poll(0))


def _explain_pickling(method: str) -> None:
    """Warn that what a worker gets must be picklable, where its process is not forked."""
    if method != "fork":
        warnings.warn(
            f"Got pickle error when attempting to start a worker Process. With the start method {method!r} the data set, collate_fn "
            "and worker_init_fn reach the worker by pickle: define their classes and functions at the top level of a module, or call "
            "multiprocessing.set_start_method('fork'), which was the default on Linux before Python 3.14.",
            stacklevel=2,
        )


class Member:
    """One worker as the training process sees it."""

    __slots__ = ("answered", "answers", "connection", "ended", "method", "outstanding", "process")

    def __init__(self, context: Any, job: Job) -> None:
        self.connection, theirs = context.Pipe(duplex=True)
        parent_ends.add(self.connection)
        self.process = context.Process(
            target=work, args=(theirs, job), name=f"taeda-data-{job.worker_id}", daemon=True
        )
        self.answers: list[Any] = []  # received while trying to send
        self.ended = False
        self.answered = False
        self.outstanding = 0
        try:
            with warnings.catch_warnings():
                # Workers start with one thread and never touch the pools of the parent's libraries.
                warnings.filterwarnings(
                    "ignore", message=".*multi-threaded, use of fork", category=DeprecationWarning
                )
                self.process.start()
        except BaseException as error:
            self.connection.close()
            if isinstance(error, (TypeError, AttributeError, pickle.PicklingError)):
                _explain_pickling(context.get_start_method())
            raise
        finally:
            theirs.close()
        self.method = context.get_start_method()

    def request(self, *message: Any) -> None:
        """Send a request; read answers while the worker does not take it, so that neither waits in vain."""
        while not _writable(self.connection):
            if self.connection.poll(ANSWER_SECONDS):
                self.answers.append(receive(self.connection))
                self.answered = True
        send(self.connection, message)

    def fate(self) -> str:
        """Say in words how the process ended."""
        self.process.join(1.0)
        code = self.process.exitcode
        if code is None:
            return "closed its connection"
        if code == 1 and not self.answered and self.method != "fork":
            return (
                "exited with code 1 before it answered; started anew, a worker runs the main module first, in which what starts workers "
                "must stand below if __name__ == '__main__'"
            )
        if code >= 0:
            return f"exited with code {code}"
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        return f"was killed by {name}" + (
            "; if nobody killed it, the system ran out of memory: try fewer workers or smaller batches"
            if name == "SIGKILL"
            else ""
        )


def _dismiss(members: list[Member], owner: int, patience: float = FAREWELL_SECONDS) -> None:
    """Stop all workers and wait for them; terminate those who do not go."""
    if os.getpid() != owner:
        return  # a forked child collected its copy: the workers are not its own
    for member in members:
        # What a worker is asked no more it need not finish: closing ends its sending and its waiting.
        try:
            if patience and _writable(member.connection):
                send(member.connection, ("stop", 0, None))
        except OSError:
            pass
        member.connection.close()
    deadline = time.monotonic() + patience
    for member in members:
        member.process.join(max(0.0, deadline - time.monotonic()))
        if member.process.is_alive():
            member.process.terminate()
    for member in members:
        member.process.join(1.0)
        if member.process.is_alive():
            member.process.kill()
            member.process.join()
    members.clear()


class Pool:
    """Workers and the batches that are under way.

    Args:
        jobs: what each worker is started with.
        context: a multiprocessing context.
        prefetch: how many batches a worker has under way.
        timeout: seconds to wait for a batch; 0 waits for ever.
        in_order: give batches in the order of their indices, else as they come.
    """

    def __init__(self, jobs: list[Job], context: Any, prefetch: int, timeout: float, in_order: bool) -> None:
        self._members: list[Member] = []
        self._close = weakref.finalize(self, _dismiss, self._members, os.getpid())
        self._prefetch = max(1, prefetch)
        self._timeout = timeout
        self._in_order = in_order
        self._indices: Iterator[Any] = iter(())
        try:
            for job in jobs:
                self._members.append(Member(context or multiprocessing, job))
        except BaseException:
            self._close()
            raise
        self._all = tuple(self._members)

    def processes(self) -> list[Any]:
        """Return the workers' processes, in their order; none when they are stopped."""
        return [member.process for member in self._members]

    def start(self, indices: Iterator[Any]) -> None:
        """Begin an epoch over `indices`; what is left of an earlier one is thrown away."""
        self._indices = indices
        self._sent = 0  # number of the next batch to ask for
        self._next = 0  # number of the next batch to give
        self._who: dict[int, Member] = {}
        self._ready: dict[int, tuple[str, Any]] = {}
        self._turn = 0
        for member in self._all:
            member.ended = False
            member.outstanding = 0
        try:
            for _ in range(self._prefetch * len(self._all)):
                self._ask()
        except BaseException:
            self.close(patience=0.0)
            raise

    def restart(self, indices: Iterator[Any]) -> None:
        """Begin a further epoch with the same workers."""
        try:
            for member in self._all:
                try:
                    member.request("restart", 0, None)
                except (ConnectionError, EOFError):
                    raise self._died(member) from None
            for member in self._all:
                kind = ""
                while kind != "restarted":
                    kind, _, *payload = self._receive(member, self._deadline())
                    if kind == "error" and member.outstanding == 0:
                        raise payload[0].error()
                    member.outstanding -= kind in ("data", "end", "error")
        except BaseException:
            self.close(patience=0.0)
            raise
        self.start(indices)

    def next(self) -> Any:
        """Return the next batch; raise StopIteration after the last, and a worker's exception as its own."""
        if self.closed:
            raise RuntimeError(
                "[DataLoader] the workers were stopped by an earlier error; iterate over the loader anew"
            )
        try:
            kind, payload = self._next_answer()
        except StopIteration:
            raise
        except BaseException:  # KeyboardInterrupt above all: leave no process behind
            self.close(patience=0.0)
            raise
        if kind == "error":
            raise payload.error()
        return payload

    def close(self, patience: float = FAREWELL_SECONDS) -> None:
        """Stop the workers; harmless when they are stopped."""
        if self._close.detach() is not None:
            _dismiss(self._members, os.getpid(), patience)

    @property
    def closed(self) -> bool:
        """Whether the workers were stopped."""
        return not self._close.alive

    def _deadline(self) -> float:
        return time.monotonic() + self._timeout if self._timeout > 0 else float("inf")

    def _pick(self) -> Member | None:
        """Choose who fetches the next batch: each in turn, and out of order only who is not behind."""
        active = sum(not member.ended for member in self._all)
        most = self._prefetch * len(self._all) // max(1, active)
        for _ in self._all:
            member = self._all[self._turn]
            self._turn = (self._turn + 1) % len(self._all)
            if not member.ended and (self._in_order or member.outstanding < most):
                return member
        return None

    def _ask(self) -> None:
        try:
            index = next(self._indices)
        except StopIteration:
            return
        member = self._pick()
        if member is None:
            return
        number = self._sent
        self._who[number] = member
        member.outstanding += 1
        self._sent += 1
        try:
            member.request("fetch", number, index)
        except (ConnectionError, EOFError):
            raise self._died(member) from None

    def _next_answer(self) -> tuple[str, Any]:
        deadline = self._deadline()
        while True:
            if self._in_order:
                # Batches that a worker at the end of its stream was still asked for never come.
                while (
                    self._next < self._sent and self._next not in self._ready and self._who[self._next].ended
                ):
                    del self._who[self._next]
                    self._next += 1
                number = self._next
            else:
                number = next(iter(self._ready), -1)
            if number in self._ready:
                if self._in_order:
                    self._next += 1
                del self._who[number]
                answer = self._ready.pop(number)
                self._ask()
                return answer
            if not any(not member.ended and member.outstanding for member in self._all):
                raise StopIteration
            self._collect(deadline)

    def _collect(self, deadline: float) -> None:
        """Take in one answer, waiting for it if need be."""
        waiting = [member for member in self._all if member.outstanding]
        member = next((member for member in waiting if member.answers), None) or self._wait(waiting, deadline)
        kind, number, *payload = self._receive(member, deadline)
        member.outstanding -= 1
        if kind != "end":
            self._ready[number] = (kind, payload[0])
        elif not member.ended:
            member.ended = True
            self._ask()

    def _receive(self, member: Member, deadline: float) -> Any:
        if member.answers:
            return member.answers.pop(0)
        self._wait([member], deadline)
        try:
            answer = receive(member.connection)
            member.answered = True
            return answer
        except (EOFError, OSError) as error:
            if (
                isinstance(error, OSError)
                and not isinstance(error, ConnectionError)
                and error.errno is not None
            ):
                raise  # our own trouble, such as too many open files
            raise self._died(member) from None

    def _wait(self, members: list[Member], deadline: float) -> Member:
        """Return one of `members` that has something to read (or whose connection is gone)."""
        by_connection = {member.connection: member for member in members}
        while True:
            left = deadline - time.monotonic()
            ready = wait(list(by_connection), max(0.0, min(left, LIVENESS_SECONDS)))
            if ready:
                found = ready[0]
                assert isinstance(found, Connection)
                return by_connection[found]
            for member in members:
                if not member.process.is_alive() and not member.connection.poll():
                    raise self._died(member)
            if left <= LIVENESS_SECONDS:
                raise RuntimeError(
                    f"[DataLoader] DataLoader timed out after {self._timeout} seconds; a batch may take longer with a larger timeout, "
                    "or in this process with num_workers=0, where a debugger shows what it waits for"
                )

    def _died(self, member: Member) -> RuntimeError:
        numbers = sorted(
            number for number, who in self._who.items() if who is member and number not in self._ready
        )
        return RuntimeError(
            f"[DataLoader] DataLoader worker (pid(s) {member.process.pid}) exited unexpectedly: worker {self._all.index(member)} "
            f"{member.fate()}" + (f"; it was to fetch batch {numbers[0]}" if numbers else "")
        )
