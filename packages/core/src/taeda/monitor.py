"""Statistics and events of a program: what ``log_event`` is given goes to every registered handler.

>>> import datetime, taeda.monitor as monitor
>>> seen = []
>>> handle = monitor.register_event_handler(lambda event: seen.append(event.data))
>>> loss = monitor.Stat("loss", [monitor.Aggregation.MEAN, monitor.Aggregation.MAX], datetime.timedelta(minutes=1), max_samples=2)
>>> loss.add(1.0), loss.add(2.0)
(None, None)
>>> seen
[{'loss.mean': 1.5, 'loss.max': 2.0}]
>>> monitor.unregister_event_handler(handle)
"""

from __future__ import annotations

import contextlib
import datetime
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any

__all__ = [
    "Aggregation", "Event", "EventHandlerHandle", "Stat", "TensorboardEventHandler", "data_value_t", "log_event",
    "register_event_handler", "unregister_event_handler",
]  # fmt: skip

STAT_EVENT = "torch.monitor.Stat"  # the name of the events that stats log: PyTorch's, which handlers compare with
data_value_t = str | float | int | bool


class Aggregation(Enum):
    """What a Stat computes of the values of a window.

    >>> from taeda.monitor import Aggregation
    >>> [a.name for a in Aggregation]
    ['VALUE', 'MEAN', 'COUNT', 'SUM', 'MAX', 'MIN']
    """

    VALUE = 0
    MEAN = 2
    COUNT = 3
    SUM = 4
    MAX = 5
    MIN = 6


VALUE, MEAN, COUNT, SUM, MAX, MIN = Aggregation


class Event:
    """What happened: a name that events of one kind share, a time, and values.

    Raises TypeError for a timestamp that is not a datetime, or a value that is neither a string nor a number.

    >>> import datetime
    >>> from taeda.monitor import Event
    >>> Event("saved", datetime.datetime(2024, 5, 1), {"epoch": 3}).data
    {'epoch': 3}
    """

    def __init__(self, name: str, timestamp: datetime.datetime, data: Mapping[str, data_value_t]) -> None:
        if not isinstance(name, str) or not isinstance(timestamp, datetime.datetime):
            raise TypeError(f"[Event] takes a name and a datetime, got {type(name).__name__} and {type(timestamp).__name__}")
        for key, value in data.items():
            if not isinstance(key, str) or not isinstance(value, (str, float, int)):
                raise TypeError(f"[Event] data must be texts and numbers by name, got {key!r}: {type(value).__name__}")
        self.name, self.timestamp = name, timestamp
        self.data: dict[str, data_value_t] = {k: float(v) if isinstance(v, bool) else v for k, v in data.items()}


class EventHandlerHandle:
    """A registered handler: what :func:`register_event_handler` returns."""

    def __init__(self, handler: Callable[[Event], None]) -> None:
        self.handler = handler


_handlers: list[EventHandlerHandle] = []


def register_event_handler(callback: Callable[[Event], None]) -> EventHandlerHandle:
    """Call ``callback`` with each event from now on; return a handle for :func:`unregister_event_handler`.

    >>> import datetime
    >>> from taeda.monitor import Event, log_event, register_event_handler, unregister_event_handler
    >>> handle = register_event_handler(lambda event: print(event.name, event.data))
    >>> log_event(Event("saved", datetime.datetime.now(), {"epoch": 3}))
    saved {'epoch': 3}
    >>> unregister_event_handler(handle)
    """
    handle = EventHandlerHandle(callback)
    _handlers.append(handle)
    return handle


def unregister_event_handler(handler: EventHandlerHandle) -> None:
    """Call a handler of :func:`register_event_handler` no more."""
    with contextlib.suppress(ValueError):
        _handlers.remove(handler)


def log_event(event: Event) -> None:
    """Give an event to every handler of :func:`register_event_handler`.

    Raises:
        TypeError: it is no Event.

    >>> import datetime
    >>> from taeda import monitor
    >>> handle = monitor.register_event_handler(lambda event: print(event.name, event.data))
    >>> monitor.log_event(monitor.Event("saved", datetime.datetime(2024, 5, 1), {"epoch": 3}))
    saved {'epoch': 3}
    >>> monitor.unregister_event_handler(handle)
    """
    if not isinstance(event, Event):
        raise TypeError(f"[log_event] expected an Event, got {type(event).__name__}")
    for handle in _handlers[:]:
        handle.handler(event)


class Stat:
    """Statistics of the values of each window of time, logged as an event when the window closes.

    Args:
        name: begins the names in the event: "name.mean" and the like.
        aggregations: what is computed.
        window_size: a timedelta; a window closes at the first ``add`` after it.
        max_samples: after so many values a window is logged at once, and the others in it are left out.

    What has not been logged is when the Stat goes away.

    >>> import datetime
    >>> from taeda.monitor import Aggregation, Stat
    >>> loss = Stat("loss", [Aggregation.MEAN, Aggregation.MAX], datetime.timedelta(hours=1), max_samples=3)
    >>> for value in (1.0, 2.0, 6.0):
    ...     loss.add(value)
    >>> loss.get()
    {<Aggregation.MEAN: 2>: 3.0, <Aggregation.MAX: 5>: 6.0}
    """

    def __init__(
        self, name: str, aggregations: Sequence[Aggregation], window_size: datetime.timedelta, max_samples: int = (1 << 63) - 1
    ) -> None:
        if not isinstance(window_size, datetime.timedelta):
            raise TypeError(f"[Stat] window_size must be a timedelta, got {type(window_size).__name__}")
        self.name = name
        self._aggregations = sorted(set(aggregations), key=lambda a: a.value)
        self._seconds = window_size.total_seconds()
        self._max_samples = max_samples
        self._lock = threading.Lock()
        self._last: list[float] = []
        self._values: list[float] = []
        self._window = self._now()
        self._full: int | None = None  # the window that has had its samples

    def _now(self) -> int:
        return int(time.monotonic() / self._seconds) if self._seconds > 0 else time.monotonic_ns()

    @property
    def count(self) -> int:
        """The number of values in the open window."""
        return len(self._values)

    def add(self, v: float) -> None:
        """Take a value into the open window."""
        if not isinstance(v, (int, float)):
            raise TypeError(f"[Stat.add] expected a number, got {type(v).__name__}")
        with self._lock:
            window = self._now()
            if window == self._full:
                return
            closed = [self._close()] if window != self._window else []
            self._window = window
            self._values.append(float(v))
            if len(self._values) >= self._max_samples:
                closed.append(self._close())
                self._full = window
        for values in closed:
            self._log(values)

    def get(self) -> dict[Aggregation, float]:
        """Return the statistics of the window that closed last; zeros before that."""
        return {a: _of(a, self._last) for a in self._aggregations}

    def _close(self) -> list[float]:
        values, self._values = self._values, []
        if values:
            self._last = values
        return values

    def _log(self, values: list[float]) -> None:
        if values:
            data = {f"{self.name}.{a.name.lower()}": _of(a, values) for a in self._aggregations}
            log_event(Event(STAT_EVENT, datetime.datetime.now(), data))

    def __del__(self) -> None:
        if getattr(self, "_values", None):
            self._log(self._close())


def _of(what: Aggregation, values: list[float]) -> float:
    if not values:
        return 0.0
    return {
        VALUE: lambda: values[-1], MEAN: lambda: sum(values) / len(values), COUNT: lambda: float(len(values)), SUM: lambda: sum(values),
        MAX: lambda: max(values), MIN: lambda: min(values),
    }[what]()  # fmt: skip


class TensorboardEventHandler:
    """A handler that writes the values of stats to a ``SummaryWriter``.

    Args:
        writer: an object with ``add_scalar(tag, value, walltime=...)``.

    >>> import datetime
    >>> from taeda.monitor import Aggregation, Stat, TensorboardEventHandler, register_event_handler, unregister_event_handler
    >>> class Writer:
    ...     def add_scalar(self, tag, value, walltime):
    ...         print(tag, value)
    >>> handle = register_event_handler(TensorboardEventHandler(Writer()))
    >>> Stat("loss", [Aggregation.SUM], datetime.timedelta(hours=1), max_samples=1).add(2.0)
    loss.sum 2.0
    >>> unregister_event_handler(handle)
    """

    def __init__(self, writer: Any) -> None:
        self._writer = writer

    def __call__(self, event: Event) -> None:
        if event.name == STAT_EVENT:
            for tag, value in event.data.items():
                self._writer.add_scalar(tag, value, walltime=event.timestamp.timestamp())
