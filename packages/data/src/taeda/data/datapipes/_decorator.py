"""The decorator that gives a pipe its method's name."""

from __future__ import annotations

from typing import Any

from taeda.data.datapipes.datapipe import IterDataPipe, MapDataPipe

__all__ = ["functional_datapipe"]


class functional_datapipe:
    """Make a class of pipes a method of all pipes of its kind; use as a decorator.

    Args:
        name: the method's.
        enable_df_api_tracing: accepted.

    Raises:
        TypeError: the class is no pipe.

    >>> from taeda.data import MapDataPipe, functional_datapipe
    >>> class Numbers(MapDataPipe):
    ...     def __getitem__(self, i):
    ...         return i
    >>> @functional_datapipe("plus")
    ... class Plus(MapDataPipe):
    ...     def __init__(self, source, n):
    ...         self.source, self.n = source, n
    ...     def __getitem__(self, i):
    ...         return self.source[i] + self.n
    >>> Numbers().plus(10)[3]
    13
    """

    def __init__(self, name: str, enable_df_api_tracing: bool = False) -> None:
        self.name = name

    def __call__(self, cls: Any) -> Any:
        if not isinstance(cls, type) or not issubclass(cls, (IterDataPipe, MapDataPipe)):
            raise TypeError("[functional_datapipe] `functional_datapipe` can only decorate IterDataPipe or MapDataPipe")
        (IterDataPipe if issubclass(cls, IterDataPipe) else MapDataPipe).register_datapipe_as_function(self.name, cls)
        return cls
