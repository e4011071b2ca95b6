"""A sampler that gives each of several training processes its own share of a dataset."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sized
from types import GenericAlias
from typing import Any

import taeda
from taeda.data.sampler import Sampler

__all__ = ["DistributedSampler"]


class DistributedSampler(Sampler[int]):
    """Visit every `num_replicas`-th row of an order that all processes share, starting at `rank`.

    The order is shuffled from ``seed + epoch``, so call `set_epoch` before each epoch. Where the rows do not
    divide evenly, the order is wrapped around to fill the last round, or with `drop_last` cut.

    Args:
        dataset: the dataset; only its length is used.
        num_replicas: number of processes; must be given, taeda starts no process groups.
        rank: this process, 0 ... num_replicas - 1; must be given.
        shuffle: shuffle each epoch.
        seed: must be the same in all processes.
        drop_last: cut the tail instead of repeating rows.

    Raises:
        ValueError: `num_replicas` or `rank` is not given.
        ValueError: `rank` lies outside 0 ... num_replicas - 1.

    >>> from taeda.data import DistributedSampler
    >>> [list(DistributedSampler(range(5), 2, rank, shuffle=False)) for rank in (0, 1)]
    [[0, 2, 4], [1, 3, 0]]
    """

    __class_getitem__: Any = classmethod(GenericAlias)  # for annotations, DistributedSampler[int]

    def __init__(
        self,
        dataset: Sized,
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ) -> None:
        if num_replicas is None or rank is None:
            raise ValueError(
                "[DistributedSampler] there is no process group to ask, "
                f"got num_replicas={num_replicas} and rank={rank}; give both"
            )
        if rank >= num_replicas or rank < 0:
            raise ValueError(
                f"[DistributedSampler] Invalid rank {rank}, rank should be in the interval [0, "
                f"{num_replicas - 1}]"
            )
        self.dataset = dataset
        self.num_replicas = num_replicas
        self.rank = rank
        self.epoch = 0
        self.drop_last = drop_last
        n = len(dataset)
        self.num_samples = n // num_replicas if drop_last else math.ceil(n / num_replicas)
        self.total_size = self.num_samples * num_replicas
        self.shuffle = shuffle
        self.seed = seed

    def __iter__(self) -> Iterator[int]:
        n = len(self.dataset)
        order: Any = range(n)
        if self.shuffle:
            generator = taeda.Generator()
            generator.manual_seed(self.seed + self.epoch)
            order = taeda.randperm(n, generator=generator).tolist()
        # The order repeats past its end; with drop_last total_size <= n and nothing repeats.
        return (order[i % n] for i in range(self.rank, self.total_size, self.num_replicas))

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch, which together with the seed decides the order.

        >>> from taeda.data import DistributedSampler
        >>> sampler = DistributedSampler(range(4), num_replicas=2, rank=0, shuffle=True)
        >>> for epoch in range(2):
        ...     sampler.set_epoch(epoch)                      # else every epoch has the same order
        ...     print(len(list(sampler)))
        2
        2
        """
        self.epoch = epoch
