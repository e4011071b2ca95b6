"""Values that come later: ``taeda.futures.Future``, to wait for and to go on from."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from taeda.device import device as device_class

S = TypeVar("S")
T = TypeVar("T")

__all__ = ["Future", "collect_all", "wait_all"]


def _need_callable(op: str, callback: Any) -> None:
    if not callable(callback):
        raise TypeError(f"[{op}] callback must be callable, not {type(callback).__name__}")


def _need_accelerator(device: Any) -> None:
    """Refuse a device that a future's value cannot come from asynchronously: all that are here."""
    if device.index is None:
        raise ValueError(f"[Future] expected devices to have indices, got {device}")
    raise RuntimeError(f"[Future] there is no accelerator {device}; leave devices out: the CPU's work is done when a call returns")


class Future(Generic[T]):
    """A value that somebody sets once, maybe in another thread.

    >>> from taeda.futures import Future
    >>> f = Future()
    >>> after = f.then(lambda f: f.value() + 1)
    >>> f.set_result(1)
    >>> after.wait()
    2

    ``Future[int]`` names the kind of its value in annotations.
    """

    def __init__(self, *, devices: Any = None) -> None:
        for device in devices or ():
            _need_accelerator(device_class(device))
        self._ready = threading.Event()
        self._lock = threading.Lock()
        self._result: Any = None
        self._error: BaseException | None = None
        self._callbacks: list[Callable[[Future[T]], Any]] = []

    def __reduce__(self) -> Any:
        raise RuntimeError("[Future] cannot pickle a Future: somebody in this process sets it; send what it gives")

    def done(self) -> bool:
        """Whether the value, or an exception, is there."""
        return self._ready.is_set()

    def wait(self) -> T:
        """Return the value once it is there, or raise the exception that came in its place."""
        self._ready.wait()
        return self.value()

    def value(self) -> T:
        """Return the value; RuntimeError if it is not there yet."""
        if not self.done():
            raise RuntimeError("[Future] value() was called before the result was set; use wait()")
        if self._error is not None:
            raise self._error
        return self._result

    def _set(self, result: Any, error: BaseException | None) -> None:
        with self._lock:
            if self._ready.is_set():
                raise RuntimeError("[Future] Future can only be set once")
            self._result, self._error = result, error
            self._ready.set()
            waiting, self._callbacks = self._callbacks, []
        for callback in waiting:
            self._tell(callback)

    def _tell(self, callback: Callable[[Future[T]], Any]) -> None:
        """Call what waits for the value; its exceptions are shown, since neither who sets the value nor who waits too can do anything."""
        try:
            callback(self)
        except Exception:
            traceback.print_exc()

    def set_result(self, result: T) -> None:
        """Set the value, and call what waits for it; RuntimeError the second time."""
        self._set(result, None)

    def set_exception(self, result: Exception) -> None:
        """Let waiting raise an exception."""
        if not isinstance(result, Exception):
            raise AssertionError(f"[Future] {result!r} is of type {type(result)}, not an Exception.")
        self._set(None, result)

    def add_done_callback(self, callback: Callable[[Future[T]], Any]) -> None:
        """Call ``callback(future)`` when the value is there, at once if it is; an exception of it goes to stderr."""
        _need_callable("add_done_callback", callback)
        with self._lock:
            if not self._ready.is_set():
                self._callbacks.append(callback)
                return
        self._tell(callback)

    def then(self, callback: Callable[[Future[T]], S]) -> Future[S]:
        """Return the future of what ``callback(future)`` returns; where it raises, waiting raises RuntimeError, caused by that."""
        _need_callable("then", callback)
        after: Future[S] = Future()

        def go_on(f: Future[T]) -> None:
            try:
                found = callback(f)
            except Exception as error:
                failed = RuntimeError(f"[Future] got the following error when running the callback: {type(error).__name__}: {error}")
                failed.__cause__ = error
                after.set_exception(failed)
            else:
                after.set_result(found)

        self.add_done_callback(go_on)
        return after


def collect_all(futures: list[Future[T]]) -> Future[list[Future[T]]]:
    """Return the future of the list of futures: there when all of them are.

    >>> from taeda.futures import Future, collect_all
    >>> one, two = Future(), Future()
    >>> both = collect_all([one, two])
    >>> one.set_result(1)
    >>> both.done()
    False
    >>> two.set_result(2)
    >>> [f.value() for f in both.wait()]
    [1, 2]
    """
    for f in futures:
        if f is None:
            raise RuntimeError("[collect_all] Future can't be None")
        if not isinstance(f, Future):
            raise TypeError(f"[collect_all] expected futures, got {type(f).__name__}")
    everything: Future[list[Future[T]]] = Future()
    left, lock = [len(futures)], threading.Lock()
    if not futures:
        everything.set_result([])

    def count(f: Future[T]) -> None:
        with lock:
            left[0] -= 1
            last = left[0] == 0
        if last:
            everything.set_result(list(futures))

    for f in futures:
        f.add_done_callback(count)
    return everything


def wait_all(futures: list[Future[T]]) -> list[T]:
    """Return the values of all futures, or raise the first exception among them.

    >>> from taeda.futures import Future, wait_all
    >>> one, two = Future(), Future()
    >>> one.set_result(1); two.set_result(2)
    >>> wait_all([one, two])
    [1, 2]
    """
    return [f.wait() for f in collect_all(futures).wait()]
