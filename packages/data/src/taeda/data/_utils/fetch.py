"""``taeda.data.fetch`` by PyTorch's path and names."""

from taeda.data.fetch import IterableFetcher as _IterableDatasetFetcher, MapFetcher as _MapDatasetFetcher

__all__ = ["_IterableDatasetFetcher", "_MapDatasetFetcher"]
