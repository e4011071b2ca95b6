"""Streams and events: queues of a device's work.  The CPU's work is done when a call returns, so there is nothing to wait for."""

from __future__ import annotations

import time
from typing import Any

from taeda.device import as_device, no_cuda

__all__ = ["Event", "Stream", "StreamContext", "current_stream", "stream"]


def _only_cpu(op: str, device: Any) -> Any:
    found = as_device("cpu" if device is None or isinstance(device, int) else device)
    if found.type != "cpu":
        raise no_cuda(op)
    return found


class Stream:
    """A queue of work that is always empty.

    Work is done when a call returns, so that there is nothing to wait for; programs that are written for a GPU run.

    >>> import taeda
    >>> stream = taeda.Stream()
    >>> stream.query()
    True
    """

    def __init__(self, device: Any = None, priority: int = 0, **kwargs: Any) -> None:
        self.device = _only_cpu("Stream", device)
        self.device_index, self.stream_id = -1, 0

    def query(self) -> bool:
        """Whether all work is done: yes."""
        return True

    def synchronize(self) -> None:
        """Wait for the work: it is done."""

    def wait_event(self, event: Event) -> None:
        """Let later work wait for an event: it has happened."""

    def wait_stream(self, stream: Stream) -> None:
        """Let later work wait for another queue's: it is done."""

    def record_event(self, event: Event | None = None) -> Event:
        """Mark this moment in an event, a new one by default."""
        event = Event() if event is None else event
        event.record(self)
        return event

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *exc: Any) -> None:
        pass

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stream)

    def __hash__(self) -> int:
        return hash("cpu")

    def __repr__(self) -> str:
        return "taeda.Stream device_type=cpu, device_index=-1, stream_id=0"


class Event:
    """A moment in a queue of work; times between two are of the wall clock.

    >>> import taeda
    >>> start, end = taeda.Event(enable_timing=True), taeda.Event(enable_timing=True)
    >>> start.record()
    >>> y = taeda.ones(100, 100) @ taeda.ones(100, 100)
    >>> end.record()
    >>> 0 < start.elapsed_time(end)                                # milliseconds
    True
    """

    def __init__(self, device: Any = None, *, enable_timing: bool = False, blocking: bool = False, interprocess: bool = False) -> None:
        self.device = _only_cpu("Event", device)
        self._timed = enable_timing
        self._at: float | None = None

    def record(self, stream: Stream | None = None) -> None:
        """Mark this moment."""
        self._at = time.perf_counter()

    def query(self) -> bool:
        """Whether the moment has come: yes."""
        return True

    def synchronize(self) -> None:
        """Wait for the moment: it has come."""

    def wait(self, stream: Stream | None = None) -> None:
        """Let later work wait for the moment: it has come."""

    def elapsed_time(self, end_event: Event) -> float:
        """Return the milliseconds from this event to another.  RuntimeError unless both were recorded with ``enable_timing``."""
        if not (self._timed and end_event._timed):
            raise RuntimeError("[Event] both events must be created with enable_timing=True to tell the time between them")
        if self._at is None or end_event._at is None:
            raise RuntimeError("[Event] both events must be recorded to tell the time between them")
        return (end_event._at - self._at) * 1000

    def __repr__(self) -> str:
        return "taeda.Event device_type=cpu, device_index=-1"


_CURRENT = Stream()


def current_stream(device: Any = None) -> Stream:
    """Return the CPU's queue of work."""
    return _CURRENT


class StreamContext:
    """``with stream(s):`` changes nothing, there is one queue."""

    def __init__(self, stream: Stream | None) -> None:
        self.stream = stream

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: Any) -> None:
        pass


def stream(stream: Stream | None) -> StreamContext:
    """Return a context in which a queue of work is the current one."""
    return StreamContext(stream)
