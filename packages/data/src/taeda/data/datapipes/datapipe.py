"""Datasets that are chained by methods, which programs register for their own classes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, TypeVar

from taeda.data.dataset import Dataset, IterableDataset

__all__ = ["IterDataPipe", "MapDataPipe"]

T_co = TypeVar("T_co", covariant=True)


class _Chained:
    """What both kinds share: methods that are classes, ``pipe.name(...)`` for ``Class(pipe, ...)``."""

    functions: ClassVar[dict[str, Callable[..., Any]]]

    def __getattr__(self, name: str) -> Any:
        if name in type(self).functions:
            return functools.partial(type(self).functions[name], self)
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    @classmethod
    def register_function(cls, name: str, function: Callable[..., Any]) -> None:
        """Make ``pipe.name(...)`` call ``function(pipe, ...)``."""
        cls.functions[name] = function

    @classmethod
    def register_datapipe_as_function(cls, name: str, made: type, enable_df_api_tracing: bool = False) -> None:
        """Make ``pipe.name(...)`` a pipe of a class.  Exception where the name is taken."""
        if name in cls.functions:
            raise Exception(f"[DataPipe] Unable to add DataPipe function name {name} as it is already taken")
        cls.functions[name] = made

    def __str__(self) -> str:
        return type(self).__qualname__

    def __repr__(self) -> str:
        return type(self).__qualname__


class IterDataPipe(_Chained, IterableDataset[T_co]):
    """A stream that may be chained.

    >>> from taeda.data import IterDataPipe, functional_datapipe
    >>> class Numbers(IterDataPipe):
    ...     def __iter__(self):
    ...         yield from range(3)
    >>> @functional_datapipe("doubled")
    ... class Doubled(IterDataPipe):
    ...     def __init__(self, source):
    ...         self.source = source
    ...     def __iter__(self):
    ...         for x in self.source:
    ...             yield 2 * x
    >>> list(Numbers().doubled())
    [0, 2, 4]
    """

    functions: ClassVar[dict[str, Callable[..., Any]]] = {}

    def __iter__(self) -> Iterator[T_co]:
        return self  # type: ignore[return-value]  # a pipe may define `__next__` alone

    def reset(self) -> None:
        """Go back to the state before the first sample: for classes that keep one."""


class MapDataPipe(_Chained, Dataset[T_co]):
    """A dataset by index that may be chained.

    >>> from taeda.data import MapDataPipe
    >>> class Squares(MapDataPipe):
    ...     def __getitem__(self, i):
    ...         return i * i
    ...     def __len__(self):
    ...         return 4
    >>> Squares()[3]
    9
    """

    functions: ClassVar[dict[str, Callable[..., Any]]] = {}


class _IterDataPipeSerializationWrapper(IterDataPipe[T_co]):
    """A pipe on its way to a worker."""

    def __init__(self, datapipe: IterDataPipe[T_co]) -> None:
        self._datapipe = datapipe

    def __iter__(self) -> Any:
        yield from self._datapipe


class _MapDataPipeSerializationWrapper(MapDataPipe[T_co]):
    """A pipe on its way to a worker."""

    def __init__(self, datapipe: MapDataPipe[T_co]) -> None:
        self._datapipe = datapipe

    def __getitem__(self, index: Any) -> Any:
        return self._datapipe[index]

    def __len__(self) -> int:
        return len(self._datapipe)
