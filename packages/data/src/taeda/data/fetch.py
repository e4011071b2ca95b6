"""Fetchers: from what the sampler yields to a collated batch, in this process or in a worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from taeda.data.collate import default_collate
from taeda.data.dataset import Rows, samples_of

__all__ = ["IterableFetcher", "MapFetcher"]

Collate = Callable[[Any], Any]


class MapFetcher:
    """Fetch from a dataset with an index: ``dataset[i]``, or all indices of a batch at once where it can."""

    def __init__(
        self, dataset: Any, auto_collation: bool, collate_fn: Collate, drop_last: bool = False
    ) -> None:
        self.dataset = dataset
        self.auto_collation = auto_collation
        self.collate_fn = collate_fn
        # A collate function of the user's own may sort or edit its batch: it gets a real list.
        self.keep_rows = collate_fn is default_collate

    def fetch(self, index: Any) -> Any:
        """Return the collated batch for one item of the index sampler."""
        try:
            return self._fetch(index)
        except StopIteration as stop:
            raise RuntimeError(
                f"[DataLoader] the dataset or collate_fn raised StopIteration for index {index}, "
                "which would have ended the loop over the loader silently"
            ) from stop

    def _fetch(self, index: Any) -> Any:
        if not self.auto_collation:
            return self.collate_fn(self.dataset[index])
        data: Any = samples_of(self.dataset, index)
        if type(data) is Rows and not self.keep_rows:
            data = list(data)
        return self.collate_fn(data)


class IterableFetcher:
    """Fetch from a stream; the index says only how many samples make a batch."""

    def __init__(self, dataset: Any, auto_collation: bool, collate_fn: Collate, drop_last: bool) -> None:
        self.dataset = dataset
        self.dataset_iter: Iterator[Any] = iter(dataset)
        self.auto_collation = auto_collation
        self.collate_fn = collate_fn
        self.drop_last = drop_last
        self.ended = False

    def fetch(self, index: Any) -> Any:
        """Return the next collated batch; raise StopIteration at the end of the stream."""
        if self.ended:
            raise StopIteration
        if not self.auto_collation:
            return self.collate_fn(next(self.dataset_iter))
        batch = []
        for _ in index:
            try:
                batch.append(next(self.dataset_iter))
            except StopIteration:
                self.ended = True
                break
        if not batch or (self.drop_last and len(batch) < len(index)):
            raise StopIteration
        return self.collate_fn(batch)


class _DatasetKind:
    """The two kinds of datasets, under the names that PyTorch's loader uses."""

    Map = 0
    Iterable = 1

    @staticmethod
    def create_fetcher(
        kind: int, dataset: Any, auto_collation: bool, collate_fn: Collate, drop_last: bool
    ) -> MapFetcher | IterableFetcher:
        """Return the fetcher for a dataset of this kind."""
        fetcher = MapFetcher if kind == _DatasetKind.Map else IterableFetcher
        return fetcher(dataset, auto_collation, collate_fn, drop_last)
