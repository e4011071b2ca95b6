"""Datasets: what a sample is and how it is found by its index.

A dataset may answer for many indices at once by `__getitems__`. For a `TensorDataset` `samples_of` does so with
one row gather per tensor and hands the result on as `Rows`, which behaves like the list of samples and which
`default_collate` takes apart again at no cost.
"""

from __future__ import annotations

import itertools
import math
import warnings
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import GenericAlias
from typing import Any, Generic, Protocol, TypeVar, overload

import taeda

__all__ = [
    "ChainDataset",
    "ConcatDataset",
    "Dataset",
    "IterableDataset",
    "Rows",
    "StackDataset",
    "Subset",
    "TensorDataset",
    "random_split",
    "row_gather",
    "samples_of",
]

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")


class Indexed(Protocol[T_co]):
    """What serves as a dataset, whatever its class: a dataset, a list, a range, a text."""

    def __getitem__(self, index: int, /) -> T_co: ...


class Dataset(Generic[T_co]):
    """Base of datasets with an index: define `__getitem__`, mostly `__len__`, and `__getitems__` for speed.

    ``__getitems__(indices)`` takes a list of indices and returns the list of their samples; the loader
    prefers it. ``first + second`` is a `ConcatDataset`.

    >>> from taeda.data import Dataset
    >>> class Squares(Dataset[int]):
    ...     def __getitem__(self, index):
    ...         return index * index
    ...     def __len__(self):
    ...         return 4
    >>> (Squares() + Squares())[6]
    4
    """

    def __getitem__(self, index: Any) -> T_co:
        raise NotImplementedError(
            f"[{type(self).__name__}] subclasses of Dataset should implement __getitem__."
        )

    def __add__(self, other: Dataset[T_co]) -> ConcatDataset[T_co]:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T_co], Iterable[T_co]):
    """Base of datasets that are read as a stream: define `__iter__`; without it the class is abstract.

    In a loader with workers every worker iterates over a copy of its own; use `get_worker_info` to give each
    its share, or all samples come once per worker. ``first + second`` is a `ChainDataset`.

    >>> from taeda.data import IterableDataset
    >>> class Count(IterableDataset[int]):
    ...     def __iter__(self):
    ...         return iter(range(3))
    >>> list(Count() + Count())
    [0, 1, 2, 0, 1, 2]
    """

    def __add__(self, other: Dataset[T_co]) -> ChainDataset[T_co]:  # type: ignore[override]
        return ChainDataset([self, other])


class Rows(Sequence[tuple[taeda.Tensor, ...]]):
    """Samples of a TensorDataset, kept as one tensor per column and shown as a sequence of tuples.

    >>> import taeda
    >>> from taeda.data.dataset import Rows
    >>> rows = Rows((taeda.tensor([1, 2]), taeda.tensor([3, 4])))
    >>> len(rows), rows[1]
    (2, (tensor(2), tensor(4)))
    """

    __slots__ = ("columns",)

    def __init__(self, columns: tuple[taeda.Tensor, ...]) -> None:
        self.columns = columns

    def __len__(self) -> int:
        return int(self.columns[0].shape[0])

    @overload
    def __getitem__(self, index: int) -> tuple[taeda.Tensor, ...]: ...
    @overload
    def __getitem__(self, index: slice) -> list[tuple[taeda.Tensor, ...]]: ...
    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return list(self)[index]
        return tuple(column[index] for column in self.columns)

    def __iter__(self) -> Iterator[tuple[taeda.Tensor, ...]]:
        return zip(*(column.unbind(0) for column in self.columns), strict=True)

    def __repr__(self) -> str:
        return f"Rows({list(self)!r})"


class TensorDataset(Dataset[tuple[taeda.Tensor, ...]]):
    """Sample i is ``(tensors[0][i], tensors[1][i], ...)``.

    Args:
        tensors: tensors with the same first dimension, N x anything.

    Raises:
        AssertionError: their first dimensions differ.
        IndexError: one has no dimension.
        TypeError: one is not a tensor.
        ValueError: none is given.

    >>> import taeda
    >>> from taeda.data import TensorDataset
    >>> data = TensorDataset(taeda.tensor([[1, 2], [3, 4]]), taeda.tensor([5, 6]))
    >>> len(data), data[1]
    (2, (tensor([3, 4]), tensor(6)))
    """

    tensors: tuple[taeda.Tensor, ...]

    def __init__(self, *tensors: taeda.Tensor) -> None:
        if not tensors:
            raise ValueError("[TensorDataset] at least one tensor is needed, got none")
        for i, tensor in enumerate(tensors):
            if not isinstance(tensor, taeda.Tensor):
                raise TypeError(
                    f"[TensorDataset] every argument should be a Tensor, but argument {i} is "
                    f"{type(tensor).__name__}; taeda.as_tensor() makes one"
                )
            if tensor.dim() == 0:
                raise IndexError(
                    f"[TensorDataset] the first dimension counts the samples, but tensor {i} has no "
                    "dimensions"
                )
        if any(tensor.size(0) != tensors[0].size(0) for tensor in tensors):
            shapes = ", ".join(str(tuple(tensor.shape)) for tensor in tensors)
            raise AssertionError(
                "[TensorDataset] Size mismatch between tensors: the first dimensions must be equal, got "
                f"shapes {shapes}"
            )
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[taeda.Tensor, ...]:
        return tuple(tensor[index] for tensor in self.tensors)

    def __len__(self) -> int:
        return int(self.tensors[0].size(0))


class StackDataset(Dataset[Any]):
    """Sample i is the tuple (or with keywords the dict) of the samples i of several datasets.

    Raises:
        ValueError: lengths differ, positional and keyword datasets are mixed, or none is given.

    >>> from taeda.data import StackDataset
    >>> StackDataset(x=[1, 2], y="ab")[1]
    {'x': 2, 'y': 'b'}
    """

    __class_getitem__: Any = classmethod(GenericAlias)  # for annotations, StackDataset[Sample]
    datasets: tuple[Any, ...] | dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args and kwargs:
            raise ValueError(
                "[StackDataset] datasets are given by position (samples are tuples) or by keyword "
                f"(samples are dicts), but both types are given: {len(args)} and {sorted(kwargs)}"
            )
        if not args and not kwargs:
            raise ValueError("[StackDataset] At least one dataset should be passed")
        self.datasets = args or kwargs
        sizes = [len(dataset) for dataset in self._parts()]
        if len(set(sizes)) > 1:
            raise ValueError(f"[StackDataset] Size mismatch between datasets: their lengths are {sizes}")
        self._length = sizes[0]

    def _parts(self) -> tuple[Any, ...]:
        return tuple(self.datasets.values()) if isinstance(self.datasets, dict) else self.datasets

    def _join(self, parts: tuple[Any, ...]) -> Any:
        return dict(zip(self.datasets, parts, strict=True)) if isinstance(self.datasets, dict) else parts

    def __getitem__(self, index: Any) -> Any:
        return self._join(tuple(dataset[index] for dataset in self._parts()))

    def __getitems__(self, indices: list[int]) -> list[Any]:
        columns = []
        for dataset in self._parts():
            column = samples_of(dataset, indices)
            if len(column) != len(indices):
                raise ValueError(
                    "[StackDataset] Nested dataset's output size mismatch. "
                    f"Expected {len(indices)}, got {len(column)}"
                )
            columns.append(column)
        return [self._join(parts) for parts in zip(*columns, strict=True)]

    def __len__(self) -> int:
        return self._length


class ConcatDataset(Dataset[T_co]):
    """Several datasets one after another.

    Raises:
        AssertionError: there are none, or one of them is an IterableDataset.

    >>> from taeda.data import ConcatDataset
    >>> ConcatDataset(["ab", "cde"])[3]
    'd'
    """

    datasets: list[Any]
    cumulative_sizes: list[int]

    @staticmethod
    def cumsum(sequence: Iterable[Any]) -> list[int]:
        """Return the running totals of the lengths of `sequence`'s elements."""
        return list(itertools.accumulate(len(dataset) for dataset in sequence))

    def __init__(self, datasets: Iterable[Indexed[T_co]]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise AssertionError("[ConcatDataset] datasets should not be an empty iterable")
        for i, dataset in enumerate(self.datasets):
            if isinstance(dataset, IterableDataset):
                raise AssertionError(
                    f"[ConcatDataset] ConcatDataset does not support IterableDataset, but dataset {i} is "
                    "one; use ChainDataset"
                )
        self.cumulative_sizes = self.cumsum(self.datasets)

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    @property
    def cummulative_sizes(self) -> list[int]:
        """Return ``cumulative_sizes`` under the misspelt name that PyTorch once had."""
        warnings.warn("`cummulative_sizes` attribute is renamed to `cumulative_sizes`", FutureWarning, stacklevel=2)
        return self.cumulative_sizes

    def __getitem__(self, idx: int) -> T_co:
        n = len(self)
        if idx < 0:
            if -idx > n:
                raise ValueError(
                    "[ConcatDataset] absolute value of index should not exceed dataset length, "
                    f"got index {idx} and length {n}"
                )
            idx += n
        if idx >= n:
            raise IndexError(f"[ConcatDataset] index {idx} is out of range for length {n}")
        which = bisect_right(self.cumulative_sizes, idx)
        start = self.cumulative_sizes[which - 1] if which else 0
        return self.datasets[which][idx - start]


class ChainDataset(IterableDataset[T_co]):
    """Several iterable datasets one after another.

    Raises:
        AssertionError: on iteration, where one is not an IterableDataset.

    >>> from taeda.data import ChainDataset, IterableDataset
    >>> class Count(IterableDataset):
    ...     def __init__(self, start, end):
    ...         self.numbers = range(start, end)
    ...     def __iter__(self):
    ...         return iter(self.numbers)
    >>> list(ChainDataset([Count(0, 2), Count(7, 9)]))
    [0, 1, 7, 8]
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = datasets

    def _checked(self) -> Iterator[Any]:
        for i, dataset in enumerate(self.datasets):
            if not isinstance(dataset, IterableDataset):
                raise AssertionError(
                    "[ChainDataset] ChainDataset only supports IterableDataset, "
                    f"but dataset {i} is {type(dataset).__name__}"
                )
            yield dataset

    def __iter__(self) -> Iterator[T_co]:
        for dataset in self._checked():
            yield from dataset

    def __len__(self) -> int:
        return sum(len(dataset) for dataset in self._checked())


class Subset(Dataset[T_co]):
    """The rows `indices` of a dataset, in that order.

    Raises:
        NotImplementedError: a subclass overrides `__getitem__` and not `__getitems__`, which loaders call.

    >>> from taeda.data import Subset
    >>> list(Subset("abcdef", [4, 0]))
    ['e', 'a']
    """

    dataset: Any
    indices: Sequence[int]

    def __init__(self, dataset: Indexed[T_co], indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices
        cls = type(self)
        if cls.__getitem__ is not Subset.__getitem__ and cls.__getitems__ is Subset.__getitems__:
            raise NotImplementedError(
                f"[Subset] {cls.__name__} overrides __getitem__ but not __getitems__, "
                "which DataLoader calls; add\n"
                "    def __getitems__(self, indices):\n"
                "        return [self[i] for i in indices]"
            )

    def __getitem__(self, idx: Any) -> T_co:
        if isinstance(idx, list):
            return self.dataset[[self.indices[i] for i in idx]]
        return self.dataset[self.indices[idx]]

    def __getitems__(self, indices: list[int]) -> Sequence[T_co]:
        samples: Any = samples_of(self.dataset, [self.indices[i] for i in indices])
        rows = type(samples) is Rows
        return list(samples) if rows else samples  # what a subclass gets it may edit

    def __len__(self) -> int:
        return len(self.indices)


def random_split(dataset: Indexed[T_co], lengths: Sequence[int | float], generator: Any = None) -> list[Subset[T_co]]:
    """Split a dataset at random into parts that do not overlap.

    Args:
        dataset: anything with a length and an index.
        lengths: the lengths of the parts, or fractions that sum to one. A fraction f of N gives floor(f N);
            what is left over goes one each to the parts from the first on.
        generator: the source of the permutation; the default generator if None.

    Raises:
        ValueError: the lengths do not sum to the dataset's, or a fraction lies outside 0 ... 1.

    >>> from taeda.data import random_split
    >>> [len(part) for part in random_split(range(10), [0.7, 0.3])]
    [7, 3]
    """
    n = len(dataset)  # type: ignore[arg-type]  # which the protocol leaves out: a Dataset may have none
    total = sum(lengths)
    if math.isclose(total, 1) and total <= 1:
        sizes = []
        for i, fraction in enumerate(lengths):
            if not 0 <= fraction <= 1:
                raise ValueError(f"[random_split] Fraction at index {i} is not between 0 and 1: {fraction}")
            sizes.append(math.floor(n * fraction))
        for i in range(n - sum(sizes)):
            sizes[i % len(sizes)] += 1
        for i, size in enumerate(sizes):
            if size == 0:
                warnings.warn(
                    f"Length of split at index {i} is 0. This might result in an empty dataset.", stacklevel=2
                )
        lengths = sizes
    if sum(lengths) != n:
        raise ValueError(
            "[random_split] Sum of input lengths does not equal the length of the input dataset! "
            f"{list(lengths)} sum to {sum(lengths)}, the dataset has {n}"
        )
    if any(length < 0 or length != int(length) for length in lengths):
        raise ValueError(f"[random_split] lengths should be non-negative integers, got {list(lengths)}")
    order = taeda.randperm(n, generator=generator).tolist()
    ends = list(itertools.accumulate(int(length) for length in lengths))
    return [Subset(dataset, order[a:b]) for a, b in zip([0, *ends], ends, strict=False)]


def samples_of(dataset: Any, indices: Sequence[int]) -> Sequence[Any]:
    """Return the samples of many indices: gathered, by the dataset's `__getitems__`, or one by one.

    A TensorDataset has no `__getitems__` to find: an object around one that defines `__getitem__` and passes
    every other attribute on would hand it to the loader, and what it does to its samples would be lost.

    >>> import taeda
    >>> from taeda.data import Subset, TensorDataset
    >>> from taeda.data.dataset import samples_of
    >>> samples_of(Subset(TensorDataset(taeda.tensor([5, 6, 7])), [2, 1]), [0])
    Rows([(tensor(7),)])
    """
    kind = type(dataset)
    many = getattr(kind, "__getitems__", None)
    if many is Subset.__getitems__:
        return samples_of(dataset.dataset, [dataset.indices[i] for i in indices])
    if many is None and getattr(kind, "__getitem__", None) is TensorDataset.__getitem__:
        try:
            rows = taeda.as_tensor(indices)
        except (TypeError, ValueError, RuntimeError):  # names, or numbers too large
            return [dataset[i] for i in indices]
        if rows.dtype == taeda.int64 and rows.dim() == 1:  # else empty, or what only __getitem__ can judge
            return Rows(tuple(tensor[rows] for tensor in dataset.tensors))
        return [dataset[i] for i in indices]
    many = getattr(dataset, "__getitems__", None)
    return many(indices) if callable(many) else [dataset[i] for i in indices]


def row_gather(dataset: Any) -> Callable[[taeda.Tensor], Any] | None:
    """Return a function from a 1-d int64 tensor of rows to the collated batch, where `dataset` allows that.

    It does if it is a tensor in the memory of the CPU, a TensorDataset of such, or a Subset or StackDataset of
    these; not if it is of a subclass, which may mean something else by a sample. None otherwise: the general
    road then serves.
    """
    kind = type(dataset)
    if kind is taeda.Tensor:
        if dataset.device.type != "cpu" or dataset.dim() == 0:
            return None
        return lambda rows: dataset.index_select(0, rows)
    if kind is TensorDataset:
        tensors = dataset.tensors
        if any(tensor.device.type != "cpu" for tensor in tensors):
            return None
        return lambda rows: [tensor.index_select(0, rows) for tensor in tensors]
    if kind is StackDataset:
        return _stack_gather(dataset)
    if kind is Subset and isinstance(dataset.indices, (list, tuple, range)):
        inner = row_gather(dataset.dataset)
        if inner is None or len(dataset.indices) == 0:
            return None
        order = taeda.as_tensor(list(dataset.indices))
        # index_select knows no negative rows; an index tensor does not care.
        if order.dtype != taeda.int64 or order.dim() != 1 or int(order.min()) < 0:
            return None
        return lambda rows: inner(order.index_select(0, rows))
    return None


def _stack_gather(dataset: StackDataset) -> Callable[[taeda.Tensor], Any] | None:
    """Return the gather of a StackDataset whose parts all have one."""
    if isinstance(dataset.datasets, dict):
        named = {name: row_gather(part) for name, part in dataset.datasets.items()}
        if None in named.values():
            return None
        return lambda rows: {name: part(rows) for name, part in named.items() if part is not None}
    parts = [row_gather(part) for part in dataset.datasets]
    if None in parts:
        return None
    return lambda rows: [part(rows) for part in parts if part is not None]
