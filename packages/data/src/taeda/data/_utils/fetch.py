"""``taeda.data.fetch`` by PyTorch's path and names."""

from taeda.data.fetch import IterableFetcher as _IterableDatasetFetcher
from taeda.data.fetch import MapFetcher as _MapDatasetFetcher

__all__ = ["_IterableDatasetFetcher", "_MapDatasetFetcher"]
