"""Lists that data sets read: what is wrong in one is told with its file and line.

Whatever a reader's code raises on a damaged file (a KeyError of a class that is not there, an IndexError of a short line) becomes one
ValueError.  What the system says of a file, and what stands nearer to the cause, goes on as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from types import TracebackType

from taeda.vision.datasets.utils import LeadsOut

__all__ = ["Lines", "Reading"]

_GOES_ON = (OSError, MemoryError, ImportError, LeadsOut)


class Reading:
    """Within the block, errors say that a file is damaged.

    Args:
        op: the data set, for the error.
        path: the file.

    Raises:
        ValueError: the block raised something of its own.
    """

    def __init__(self, op: str, path: str) -> None:
        self.op = op
        self.path = path
        self.at = 0                             # the line, from 1

    def __enter__(self) -> Reading:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if not isinstance(error, Exception) or isinstance(error, _GOES_ON):
            return
        where = f" in line {self.at}" if self.at else ""
        why = "it ends too early" if isinstance(error, StopIteration) else f"there is no {error}" if isinstance(error, KeyError) else error
        raise ValueError(f"[{self.op}] {self.path!r} is damaged{where}: {why}") from error


class Lines(Reading):
    """The lines of a file, without what ends them, each counted as it is read; used as a block and iterated inside of it.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the block raised something of its own, or the file holds no text.
    """

    def __init__(self, op: str, path: str, encoding: str = "utf-8") -> None:
        super().__init__(op, path)
        self.encoding = encoding

    def __enter__(self) -> Lines:
        self._stack = ExitStack()
        self._file = self._stack.enter_context(open(self.path, encoding=self.encoding))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()
        super().__exit__(kind, error, trace)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        self.at += 1
        try:
            return next(self._file).rstrip("\n")
        except StopIteration:
            self.at -= 1
            raise
