"""A progress bar for training programs: one line that stays in place, and nothing where no terminal is."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from typing import Any, Generic, TextIO, TypeVar

__all__ = ["Progress", "progress"]

T = TypeVar("T")
_BAR = 20


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes:02}:{seconds:02}"


class Progress(Generic[T]):
    """What `progress` returns: iterate over it, or call `update` by hand, and `set` to show values.

    >>> import io
    >>> from taeda.data.progress import progress
    >>> with progress(total=4, desc="copy", file=io.StringIO(), enabled=True) as bar:
    ...     bar.update(3)
    ...     bar.set(errors=0)
    ...     bar.line()[:30]
    'copy:  75% [###############...'
    """

    def __init__(
        self,
        iterable: Iterable[T] | None,
        total: float | None,
        desc: str,
        unit: str,
        file: TextIO,
        enabled: bool,
        min_interval: float,
        keep: bool,
    ) -> None:
        self.iterable = iterable
        self.total = total
        self.desc = desc
        self.unit = unit
        self.file = file
        self.enabled = enabled
        self.min_interval = min_interval
        self.keep = keep
        self.count: float = 0
        self.values: dict[str, Any] = {}
        self._start = time.monotonic()
        self._drawn = 0.0
        self._width = 0

    def __iter__(self) -> Iterator[T]:
        if self.iterable is None:
            raise TypeError("[progress] there is nothing to iterate over; call update()")
        if not self.enabled:
            yield from self.iterable
            return
        self._start = time.monotonic()
        try:
            for item in self.iterable:
                yield item
                self.update()
        finally:
            self.close()

    def __len__(self) -> int:
        if self.total is None:
            raise TypeError("[progress] the length is not known; give total=")
        return int(self.total)

    def __enter__(self) -> Progress[T]:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def set(self, **values: Any) -> None:
        """Show values behind the bar, such as loss and accuracy; floats with four digits."""
        if self.enabled:
            self.values.update(values)

    def update(self, n: float = 1) -> None:
        """Say that `n` more are done."""
        if not self.enabled:
            return
        self.count += n
        now = time.monotonic()
        if now - self._drawn >= self.min_interval:
            self._drawn = now
            self._draw()

    def close(self) -> None:
        """Draw the last state and end the line."""
        if self.enabled:
            self.enabled = False
            self._draw()
            self._write("\n" if self.keep else "\r" + " " * self._width + "\r")

    def line(self, columns: int = 1000) -> str:
        """Return the line as it stands now; where it is too long for `columns` it does without the bar."""
        elapsed = time.monotonic() - self._start
        rate = self.count / elapsed if elapsed > 0 else 0.0
        head = f"{self.desc}: " if self.desc else ""
        bar, amount, left = "", f"{self.count:g}", ""
        if self.total:
            share = min(1.0, self.count / self.total)
            filled = round(share * _BAR)
            bar = f"{share:4.0%} [{'#' * filled}{'.' * (_BAR - filled)}] "
            amount += f"/{self.total:g}"
            if rate > 0:
                left = f"<{_clock(max(0.0, self.total - self.count) / rate)}"
        values = "".join(
            f", {name} {value:.4g}" if isinstance(value, float) else f", {name} {value}"
            for name, value in self.values.items()
        )
        rest = f"{amount} {self.unit}{values}, {_clock(elapsed)}{left}, {rate:.4g}/s"
        line = head + bar + rest
        return line if len(line) <= columns else (head + rest)[:columns]

    def _draw(self) -> None:
        line = self.line(max(20, shutil.get_terminal_size().columns - 1))
        padding = " " * max(0, self._width - len(line))
        self._width = len(line)
        self._write("\r" + line + padding)

    def _write(self, text: str) -> None:
        try:
            self.file.write(text)
            self.file.flush()
        except (OSError, ValueError):  # the terminal went away; the training goes on
            self.enabled = False


def progress(
    iterable: Iterable[T] | None = None,
    total: float | None = None,
    desc: str = "",
    *,
    unit: str = "it",
    file: TextIO | None = None,
    enabled: bool | None = None,
    min_interval: float = 0.1,
    keep: bool = True,
) -> Progress[T]:
    """Show how far a loop is.

    Args:
        iterable: what to iterate over; None to call `update` by hand.
        total: how many there will be; ``len(iterable)`` if it has one.
        desc: words before the bar.
        unit: what is counted.
        file: where to draw; standard error by default.
        enabled: draw or not; by default only where `file` is a terminal.
        min_interval: seconds between two drawings.
        keep: leave the finished bar on the screen.

    >>> from taeda.data.progress import progress
    >>> bar = progress(range(3), desc="epoch 1")
    >>> for i in bar:
    ...     bar.set(loss=0.5)
    """
    file = file if file is not None else sys.stderr
    if enabled is None:
        enabled = bool(file is not None and getattr(file, "isatty", bool)())
    if total is None and hasattr(iterable, "__len__"):
        total = len(iterable)  # type: ignore[arg-type]
    return Progress(iterable, total, desc, unit, file, enabled, min_interval, keep)
