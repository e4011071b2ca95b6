"""DataLoader: batches of a dataset, in this process or by workers.

Three roads lead to a batch. Rows of tensors in memory are gathered straight from the sampler's index tensor,
one gather per tensor; everything else is fetched by index (`__getitems__`, else row by row) and collated;
with workers the same fetching happens elsewhere. All three give the same batches in the same order and take
the same numbers from the random generators, which are also those that PyTorch's loader takes.
"""

from __future__ import annotations

import math
import os
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeAlias, TypeVar

import taeda
from taeda.data._utils.pin_memory import pin_memory
from taeda.data.collate import default_collate, default_convert
from taeda.data.dataset import Dataset, Indexed, IterableDataset, row_gather
from taeda.data.fetch import _DatasetKind
from taeda.data.graph_settings import apply_sharding
from taeda.data.info import get_worker_info
from taeda.data.sampler import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    draw_seed,
    index_blocks,
    length_of,
)

__all__ = ["DataLoader", "default_collate", "default_convert", "get_worker_info"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
_collate_fn_t: TypeAlias = Callable[[list[T]], Any]     # for annotations, as the next
_worker_init_fn_t: TypeAlias = Callable[[int], None]
_FIXED = frozenset({"batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers"})


def _sharding_worker_init_fn(worker_init_fn: Any, world_size: int, rank_id: int, worker_id: int) -> None:
    """Begin a worker whose dataset is a pipe: tell it which share it takes."""
    info = get_worker_info()
    if info is not None:
        apply_sharding(info.dataset, world_size * info.num_workers, worker_id * world_size + rank_id)
    if worker_init_fn is not None:
        worker_init_fn(worker_id)


class _InfiniteConstantSampler(Sampler[None]):
    """Indices of a stream: they say nothing and never end."""

    def __iter__(self) -> Iterator[None]:
        while True:
            yield None


class DataLoader(Generic[T_co]):
    """Iterate over a dataset in batches.

    Args:
        dataset: anything with ``__getitem__`` and ``__len__``, or an `IterableDataset`.
        batch_size: samples per batch; None gives the samples themselves, unbatched.
        shuffle: a new random order every epoch.
        sampler: the order of the indices, instead of `shuffle`.
        batch_sampler: an iterable of lists of indices, instead of `batch_size`, `shuffle`, `sampler` and `drop_last`.
        num_workers: processes that fetch; 0 fetches in this one.
        collate_fn: makes a batch of a list of samples; `default_collate` by default (`default_convert` for
            unbatched samples).
        pin_memory: put tensors into page-locked memory where there is a GPU.
        drop_last: leave out a last batch that is shorter.
        timeout: seconds to wait for a worker's batch; 0 waits for ever.
        worker_init_fn: called with the worker's number when a worker starts.
        multiprocessing_context: a context or the name of a start method.
        generator: decides the order and the seeds of the workers; the default generator if None.
        prefetch_factor: batches under way per worker, 2 if None.
        persistent_workers: keep the workers from one epoch to the next.
        pin_memory_device: without effect, as in PyTorch.
        in_order: give the batches of workers in order; False gives them as they come.

    Raises:
        ValueError: options exclude one another or lie outside their range.
        TypeError: an argument is of another type.
        RuntimeError: while iterating, when a worker dies or is too slow.

    A worker's own exception arrives with its type, its message and the worker's traceback. In a worker the
    generators of taeda, NumPy and `random` are seeded by the loader's seed and the worker's number, and taeda
    computes with one thread.

    >>> import taeda
    >>> from taeda.data import DataLoader, TensorDataset
    >>> data = TensorDataset(taeda.arange(5), taeda.arange(5) * 10)
    >>> for x, y in DataLoader(data, batch_size=2):
    ...     print(x.tolist(), y.tolist())
    [0, 1] [0, 10]
    [2, 3] [20, 30]
    [4] [40]
    """

    dataset: Any
    batch_size: int | None
    num_workers: int
    pin_memory: bool
    drop_last: bool
    timeout: float
    sampler: Any
    batch_sampler: Any
    prefetch_factor: int | None
    collate_fn: Callable[[Any], Any]
    __initialized = False  # names of PyTorch: subclasses that swap a sampler lift the rule by _DataLoader__initialized

    def __init__(
        self,
        dataset: Dataset[T_co] | Indexed[T_co] | Iterable[T_co],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Sampler[Any] | Iterable[Any] | None = None,
        batch_sampler: Sampler[list[Any]] | Iterable[list[Any]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: Any = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        _check_fetching(num_workers, timeout, prefetch_factor, persistent_workers, collate_fn, worker_init_fn)
        streams = isinstance(dataset, IterableDataset)
        _check_order(streams, batch_size, shuffle, sampler, batch_sampler, drop_last)
        if num_workers > 0 and prefetch_factor is None:
            prefetch_factor = 2
        self.dataset = dataset
        self.num_workers = num_workers
        self.prefetch_factor = prefetch_factor
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self.in_order = in_order
        self.generator = generator
        self.persistent_workers = persistent_workers
        self._dataset_kind = _DatasetKind.Iterable if streams else _DatasetKind.Map
        self.batch_size = None if batch_sampler is not None else batch_size
        self.drop_last = drop_last
        self.sampler = self._default_sampler(shuffle) if sampler is None else sampler
        if self.batch_size is not None:
            batch_sampler = BatchSampler(self.sampler, self.batch_size, drop_last)
        self.batch_sampler = batch_sampler
        if collate_fn is None:
            collate_fn = default_convert if batch_sampler is None else default_collate
        self.collate_fn = collate_fn
        self.__initialized = True
        self._IterableDataset_len_called: int | None = None
        self._iterator: Any = None
        self.check_worker_number_rationality()

    def _default_sampler(self, shuffle: bool | None) -> Sampler[Any]:
        """Return the order of a dataset for which none is given."""
        if self._dataset_kind == _DatasetKind.Iterable:
            return _InfiniteConstantSampler()
        return RandomSampler(self.dataset, generator=self.generator) if shuffle else SequentialSampler(self.dataset)

    def __setattr__(self, name: str, value: Any) -> None:
        if self.__initialized and name in _FIXED:
            raise ValueError(
                f"[DataLoader] {name} attribute should not be set after {type(self).__name__} is "
                "initialized; make a new one"
            )
        super().__setattr__(name, value)

    @property
    def multiprocessing_context(self) -> Any:
        """The context that starts the workers, or None for Python's default."""
        return self.__multiprocessing_context

    @multiprocessing_context.setter
    def multiprocessing_context(self, context: Any) -> None:
        if context is not None:
            if self.num_workers == 0:
                raise ValueError(
                    "[DataLoader] multiprocessing_context can only be used with multi-process loading "
                    "(num_workers > 0), but got num_workers=0"
                )
            import multiprocessing.context

            if isinstance(context, str):
                methods = multiprocessing.get_all_start_methods()
                if context not in methods:
                    raise ValueError(
                        "[DataLoader] multiprocessing_context option should specify a valid start method in "
                        f"{methods!r}, but got multiprocessing_context={context!r}"
                    )
                context = multiprocessing.get_context(context)
            if not isinstance(context, multiprocessing.context.BaseContext):
                raise TypeError(
                    "[DataLoader] multiprocessing_context option should be a valid context object or a "
                    f"string specifying the start method, but got multiprocessing_context={context!r}"
                )
        self.__multiprocessing_context = context

    @property
    def _auto_collation(self) -> bool:
        return self.batch_sampler is not None

    @property
    def _index_sampler(self) -> Any:
        return self.batch_sampler if self._auto_collation else self.sampler

    def _get_iterator(self) -> _BaseDataLoaderIter:
        return (_MultiProcessingDataLoaderIter if self.num_workers else _SingleProcessDataLoaderIter)(self)

    def __iter__(self) -> Iterator[Any]:
        if not (self.persistent_workers and self.num_workers):
            return self._get_iterator()
        if self._iterator is None or self._iterator.pool.closed:
            self._iterator = self._get_iterator()
        else:
            self._iterator._reset(self)
        return self._iterator

    def __len__(self) -> int:
        if self._dataset_kind != _DatasetKind.Iterable:
            return len(self._index_sampler)
        length = self._IterableDataset_len_called = len(self.dataset)
        if self.batch_size is None:
            return length
        return length // self.batch_size if self.drop_last else math.ceil(length / self.batch_size)

    def check_worker_number_rationality(self) -> None:
        """Warn where there are more workers than processors to run them."""
        if self.num_workers == 0:
            return
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        if cores is None or self.num_workers > cores:
            warnings.warn(
                f"This DataLoader will create {self.num_workers} worker processes in total. Our suggested "
                f"max number of worker in current system is {cores}, which is smaller than what this "
                "DataLoader is going to create. More workers than processors make loading slower, not faster.",
                stacklevel=3,
            )


def _check_fetching(
    num_workers: Any, timeout: Any, prefetch_factor: int | None, persistent_workers: bool, collate_fn: Any, worker_init_fn: Any
) -> None:
    """Raise TypeError for what is neither a number nor a function, ValueError for what is out of range or needs workers."""
    for name, value, kind in (("num_workers", num_workers, int), ("timeout", timeout, (int, float))):
        if not isinstance(value, kind):
            raise TypeError(f"[DataLoader] {name} should be a number, got {value!r}")
    for name, function in (("collate_fn", collate_fn), ("worker_init_fn", worker_init_fn)):
        if function is not None and not callable(function):
            raise TypeError(f"[DataLoader] {name} should be a function, got {function!r}")
    if num_workers < 0:
        raise ValueError(
            "[DataLoader] num_workers option should be non-negative; use num_workers=0 to disable "
            f"multiprocessing; got num_workers={num_workers}"
        )
    if timeout < 0:
        raise ValueError(f"[DataLoader] timeout option should be non-negative, got timeout={timeout}")
    if num_workers == 0 and prefetch_factor is not None:
        raise ValueError(
            "[DataLoader] prefetch_factor option could only be specified in multiprocessing, got "
            f"prefetch_factor={prefetch_factor}; let num_workers > 0, otherwise leave it None"
        )
    if prefetch_factor is not None and prefetch_factor < 0:
        raise ValueError(
            "[DataLoader] prefetch_factor option should be non-negative, got "
            f"prefetch_factor={prefetch_factor}"
        )
    if persistent_workers and num_workers == 0:
        raise ValueError(
            "[DataLoader] persistent_workers option needs num_workers > 0, got num_workers=0"
        )


def _check_order(
    streams: bool, batch_size: int | None, shuffle: bool | None, sampler: Any, batch_sampler: Any, drop_last: bool
) -> None:
    """Raise ValueError where the ways to say which samples come when exclude one another."""
    if streams:
        for option, given in (("shuffle", shuffle or None), ("sampler", sampler), ("batch_sampler", batch_sampler)):
            if given is not None:
                raise ValueError(
                    "[DataLoader] DataLoader with IterableDataset: expected unspecified "
                    f"{option} option, but got {option}={given}; a stream has its own order"
                )
    if sampler is not None and shuffle:
        raise ValueError("[DataLoader] sampler option is mutually exclusive with shuffle")
    if batch_sampler is not None:
        if batch_size != 1 or shuffle or sampler is not None or drop_last:
            raise ValueError(
                "[DataLoader] batch_sampler option is mutually exclusive with batch_size, shuffle, "
                f"sampler, and drop_last, got batch_size={batch_size}, shuffle={shuffle}, sampler={sampler}, "
                f"drop_last={drop_last}"
            )
    elif batch_size is None and drop_last:
        raise ValueError(
            "[DataLoader] batch_size=None option disables auto-batching and is mutually exclusive with drop_last"
        )


def _pinning(loader: DataLoader[Any]) -> bool:
    """Say whether batches are to be pinned; warn where it was asked for and cannot be."""
    if not loader.pin_memory:
        return False
    if loader.pin_memory_device:
        warnings.warn(
            "pin_memory_device is deprecated, the current accelerator will be used as the device, "
            f"ignore pin_memory_device='{loader.pin_memory_device}'.",
            stacklevel=4,
        )
    cuda = getattr(taeda, "cuda", None)
    if cuda is not None and cuda.is_available():
        return True
    warnings.warn(
        "'pin_memory' argument is set as true but no accelerator is found, "
        "then device pinned memory won't be used.",
        stacklevel=4,
    )
    return False


_timers: OrderedDict[int, Callable[[str], Any]] = OrderedDict()       # a running profiler's record_function


class _BaseDataLoaderIter:
    """What both iterators share: the draws at the start, the count of batches, pinning.

    It and what derives from it have PyTorch's names, since programs ask for them, wind `_sampler_iter` forward to where an
    interrupted epoch stopped, and read there from `_num_yielded`.
    """

    def __init__(self, loader: DataLoader[Any]) -> None:
        self._pin_memory = _pinning(loader)
        self._dataset = loader.dataset
        self._dataset_kind = loader._dataset_kind
        self._num_workers = loader.num_workers
        self._persistent_workers = loader.persistent_workers
        self._index_sampler = loader._index_sampler
        self._sampler_iter: Iterator[Any] = iter(self._index_sampler)
        # Drawn even without workers: PyTorch does, and the numbers that follow depend on it.
        self._base_seed = draw_seed(loader.generator)
        self._num_yielded = 0
        self._IterableDataset_len_called = loader._IterableDataset_len_called
        # what iterators that programs write themselves read
        self._auto_collation, self._collate_fn, self._drop_last = loader._auto_collation, loader.collate_fn, loader.drop_last
        self._timeout, self._pin_memory_device, self._shared_seed = loader.timeout, None, None
        self._world_size, self._rank = 1, 0

    def _reset(self, loader: DataLoader[Any], first_iter: bool = False) -> None:
        """Begin a further epoch."""
        self._sampler_iter = iter(self._index_sampler)
        self._num_yielded = 0
        self._IterableDataset_len_called = loader._IterableDataset_len_called

    def _next_index(self) -> Any:
        return next(self._sampler_iter)

    def _next_data(self) -> Any:
        raise NotImplementedError

    def __iter__(self) -> Any:
        return self

    def __len__(self) -> int:
        return len(self._index_sampler)

    def __reduce__(self) -> Any:
        raise NotImplementedError(f"[DataLoader] {type(self).__name__} cannot be pickled")

    def __next__(self) -> Any:
        if not _timers:
            return self._next_batch()
        with next(iter(_timers.values()))(f"enumerate(DataLoader)#{type(self).__name__}.__next__"):
            return self._next_batch()

    def _next_batch(self) -> Any:
        data = self._next_data()
        self._num_yielded += 1
        limit = self._IterableDataset_len_called
        if limit is not None and self._dataset_kind == _DatasetKind.Iterable and self._num_yielded > limit:
            warnings.warn(
                f"Length of IterableDataset {self._dataset} was reported to be {limit} (when accessing "
                f"len(dataloader)), but {self._num_yielded} samples have been fetched. With workers each reads "
                "the whole stream unless get_worker_info() is used to share it out.",
                stacklevel=3,
            )
        return pin_memory(data) if self._pin_memory else data


class _SingleProcessDataLoaderIter(_BaseDataLoaderIter):
    """Fetch in this process."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        super().__init__(loader)
        if loader.timeout != 0:
            raise AssertionError(
                f"[DataLoader] a timeout needs workers, got timeout={loader.timeout} and num_workers=0"
            )
        gathered = _gathered(loader)
        if gathered is not None:
            self._sampler_iter, self._fetch = gathered
            return
        self._fetch = _DatasetKind.create_fetcher(
            loader._dataset_kind, loader.dataset, loader._auto_collation, loader.collate_fn, loader.drop_last
        ).fetch

    def _next_data(self) -> Any:
        return self._fetch(self._next_index())


def _gathered(loader: DataLoader[Any]) -> tuple[Iterator[taeda.Tensor], Callable[[Any], Any]] | None:
    """Return index tensors and a row gather, where dataset, sampler and collation are all our plain ones."""
    if not loader._auto_collation:
        return None
    batches = loader.batch_sampler
    if type(batches) is not BatchSampler or loader.collate_fn is not default_collate:
        return None
    sampler = batches.sampler
    if type(sampler) is not RandomSampler and type(sampler) is not SequentialSampler:
        return None
    if length_of(sampler.data_source) != length_of(loader.dataset):
        return None  # a sampler over something else may point past the end: let indexing judge
    gather = row_gather(loader.dataset)
    if gather is None:
        return None
    return index_blocks(sampler.chunks(), batches.batch_size, batches.drop_last), gather


class _MultiProcessingDataLoaderIter(_BaseDataLoaderIter):
    """Fetch by workers."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        # Programs without workers do without multiprocessing, half the time that this package takes to import.
        from taeda.data.pool import Pool
        from taeda.data.worker import Job

        super().__init__(loader)
        jobs = [
            Job(
                loader._dataset_kind,
                loader.dataset,
                loader._auto_collation,
                loader.collate_fn,
                loader.drop_last,
                self._base_seed,
                loader.worker_init_fn,
                worker_id,
                loader.num_workers,
            )
            for worker_id in range(loader.num_workers)
        ]
        self._done = False
        self.pool = Pool(
            jobs, loader.multiprocessing_context, loader.prefetch_factor or 0, loader.timeout, loader.in_order
        )
        self._reset(loader, first_iter=True)

    def _reset(self, loader: DataLoader[Any], first_iter: bool = False) -> None:
        """Begin an epoch, a further one with the same workers."""
        # A second iter() in the first, as PyTorch makes one: a sampler that draws in __iter__ then draws as often.
        super()._reset(loader, first_iter)
        self._done = False
        (self.pool.start if first_iter else self.pool.restart)(self._sampler_iter)

    def _next_data(self) -> Any:
        if self._done:
            raise StopIteration
        try:
            return self.pool.next()
        except StopIteration:
            self._done = True
            if not self._persistent_workers:
                self.pool.close()
            raise

    @property
    def _workers(self) -> list[Any]:
        """The processes, which programs watch or count; none when they have ended."""
        return self.pool.processes()

    def _shutdown_workers(self) -> None:
        """Stop the workers, whatever they are at."""
        self.pool.close()
