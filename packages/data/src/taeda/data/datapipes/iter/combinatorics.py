"""Streams in another order."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sized
from typing import Any, TypeVar

from taeda.data.datapipes._decorator import functional_datapipe
from taeda.data.datapipes.datapipe import IterDataPipe
from taeda.data.sampler import draw_seed

__all__ = ["ShufflerIterDataPipe"]

T_co = TypeVar("T_co", covariant=True)


@functional_datapipe("shuffle")
class ShufflerIterDataPipe(IterDataPipe[T_co]):
    """A stream that is shuffled within a buffer: each sample takes the place of one that is drawn and given.

    Args:
        datapipe: what is shuffled.
        buffer_size: how many samples wait to be drawn.
        unbatch_level: only 0, samples as they come.

    Raises:
        AssertionError: ``buffer_size`` is below 1.
        ValueError: ``unbatch_level`` is not 0.

    >>> from taeda.data.datapipes.iter import Shuffler
    >>> sorted(Shuffler(range(5), buffer_size=2).set_seed(3))
    [0, 1, 2, 3, 4]
    """

    def __init__(self, datapipe: Any, *, buffer_size: int = 10000, unbatch_level: int = 0) -> None:
        if buffer_size <= 0:
            raise AssertionError(f"[Shuffler] buffer_size should be larger than 0, got {buffer_size}")
        if unbatch_level != 0:
            raise ValueError(f"[Shuffler] takes samples as they come, got unbatch_level={unbatch_level}")
        self.datapipe = datapipe
        self.buffer_size = buffer_size
        self._shuffle_enabled = True
        self._seed: int | None = None

    def set_shuffle(self, shuffle: bool = True) -> ShufflerIterDataPipe[T_co]:
        """Turn shuffling on or off."""
        self._shuffle_enabled = shuffle
        return self

    def set_seed(self, seed: int) -> ShufflerIterDataPipe[T_co]:
        """Set the seed of the next pass; without one it is drawn from the default generator."""
        self._seed = seed
        return self

    def __iter__(self) -> Iterator[T_co]:
        if not self._shuffle_enabled:
            yield from self.datapipe
            return
        if self._seed is None:
            self._seed = draw_seed()
        rng = random.Random(self._seed)
        self._seed = None
        waiting: list[T_co] = []
        for x in self.datapipe:
            if len(waiting) < self.buffer_size:
                waiting.append(x)
                continue
            i = rng.randint(0, len(waiting) - 1)
            drawn, waiting[i] = waiting[i], x
            yield drawn
        while waiting:
            yield waiting.pop(rng.randint(0, len(waiting) - 1))

    def __len__(self) -> int:
        if isinstance(self.datapipe, Sized):
            return len(self.datapipe)
        raise TypeError(f"{type(self).__name__} instance doesn't have valid length")
