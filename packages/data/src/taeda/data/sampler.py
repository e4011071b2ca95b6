"""Samplers: in which order the rows of a dataset are visited.

They draw from the same random streams as PyTorch's, number for number, so that a program sees its batches in
the same order under either framework. Those that know their order as a whole also give it as tensors of
indices (`chunks`): the loader then gathers rows without making a Python integer for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Sized
from itertools import islice
from typing import Any, Generic, TypeVar

import taeda

__all__ = [
    "BatchSampler",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "SubsetRandomSampler",
    "WeightedRandomSampler",
]

T_co = TypeVar("T_co", covariant=True)


def draw_seed(generator: Any = None) -> int:
    """Draw one integer in [0, 2**63) from `generator`, or from the default generator."""
    return int(taeda.empty((), dtype=taeda.int64).random_(generator=generator).item())


class Sampler(Generic[T_co]):
    """Base of all samplers: `__iter__` yields indices (or lists of them), `__len__` says how many.

    `__len__` is needed only by who asks a loader for its length.

    >>> from taeda.data import Sampler
    >>> class EvenFirst(Sampler[int]):
    ...     def __init__(self, n: int) -> None:
    ...         self.n = n
    ...     def __iter__(self):
    ...         yield from range(0, self.n, 2)
    ...         yield from range(1, self.n, 2)
    >>> list(EvenFirst(5))
    [0, 2, 4, 1, 3]
    """

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError(f"[{type(self).__name__}] a sampler must define __iter__")


def length_of(data_source: Any) -> int:
    """Return the number of samples; TypeError, with a cure, for what has no length."""
    try:
        return len(data_source)
    except TypeError as error:
        if hasattr(type(data_source), "__len__"):
            raise
        if isinstance(data_source, type):
            cure = f"{data_source.__name__} is a class: give an object of it"
        else:
            cure = "a dataset has __len__ and __getitem__; one that is only walked through is an IterableDataset"
        raise TypeError(f"[DataLoader] {error}; {cure}") from None


class SequentialSampler(Sampler[int]):
    """Visit the rows 0, 1, ..., len(data_source) - 1.

    >>> from taeda.data import SequentialSampler
    >>> list(SequentialSampler("abc"))
    [0, 1, 2]
    """

    data_source: Sized

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(length_of(self.data_source)))

    def chunks(self) -> Iterator[taeda.Tensor]:
        """Yield the order as int64 tensors, 1-d."""
        yield taeda.arange(length_of(self.data_source), dtype=taeda.int64)

    def __len__(self) -> int:
        return length_of(self.data_source)


class RandomSampler(Sampler[int]):
    """Visit the rows in a random order, or draw rows with replacement.

    Args:
        data_source: anything with a length.
        replacement: draw each row anew from all of them.
        num_samples: how many to draw; the length of `data_source` by default. Without replacement more than
            that length means one whole order after another.
        generator: the source of randomness. Without one, a fresh generator is seeded by one draw from the
            default generator whenever an iteration starts.

    Raises:
        TypeError: `replacement` is not a bool.
        ValueError: `num_samples` is not a positive integer (so also: the data source is empty).

    >>> import taeda
    >>> from taeda.data import RandomSampler
    >>> sampler = RandomSampler(range(10), generator=taeda.Generator().manual_seed(0))
    >>> sorted(sampler) == list(range(10))
    True
    """

    data_source: Sized
    replacement: bool

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Any = None,
    ) -> None:
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        if not isinstance(replacement, bool):
            raise TypeError(
                f"[RandomSampler] replacement should be a boolean value, but got replacement={replacement!r}"
            )
        if not isinstance(self.num_samples, int) or self.num_samples <= 0:
            raise ValueError(
                "[RandomSampler] num_samples should be a positive integer value, "
                f"but got num_samples={self.num_samples!r}"
                + ("; the dataset is empty" if num_samples is None and length_of(data_source) == 0 else "")
            )

    @property
    def num_samples(self) -> int:
        """How many indices one iteration yields; follows a dataset that grows."""
        return length_of(self.data_source) if self._num_samples is None else self._num_samples

    def chunks(self) -> Iterator[taeda.Tensor]:
        """Yield the order as int64 tensors, 1-d; each is drawn when it is asked for, not before."""
        n = length_of(self.data_source)
        generator = self.generator
        if generator is None:
            generator = taeda.Generator()
            generator.manual_seed(draw_seed())
        if self.replacement:
            # 32 at a time, as PyTorch draws them: an endless num_samples costs no memory.
            whole, rest = divmod(self.num_samples, 32)
            for _ in range(whole):
                yield taeda.randint(high=n, size=(32,), dtype=taeda.int64, generator=generator)
            yield taeda.randint(high=n, size=(rest,), dtype=taeda.int64, generator=generator)
            return
        whole, rest = divmod(self.num_samples, n)
        for _ in range(whole):
            yield taeda.randperm(n, generator=generator)
        # Drawn even where rest is 0: the user's generator then stands where PyTorch leaves it.
        yield taeda.randperm(n, generator=generator)[:rest]

    def __iter__(self) -> Iterator[int]:
        for chunk in self.chunks():
            yield from chunk.tolist()

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """Visit the given indices in a random order, each once.

    >>> from taeda.data import SubsetRandomSampler
    >>> sorted(SubsetRandomSampler([3, 5, 8]))
    [3, 5, 8]
    """

    indices: Sequence[int]

    def __init__(self, indices: Sequence[int], generator: Any = None) -> None:
        self.indices = indices
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        for i in taeda.randperm(len(self.indices), generator=self.generator).tolist():
            yield self.indices[i]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """Draw indices 0 ... len(weights) - 1 with probabilities proportional to `weights`.

    Args:
        weights: a 1-d sequence of n non-negative numbers; they need not sum to one.
        num_samples: how many indices to draw.
        replacement: an index may be drawn again.
        generator: the source of randomness; the default generator if None.

    Raises:
        ValueError: `num_samples` is not a positive integer, `replacement` is not a bool, `weights` is not 1-d.

    >>> from taeda.data import WeightedRandomSampler
    >>> list(WeightedRandomSampler([0.0, 1.0, 0.0], 3))
    [1, 1, 1]
    """

    weights: taeda.Tensor
    num_samples: int
    replacement: bool

    def __init__(
        self,
        weights: Sequence[float] | taeda.Tensor,
        num_samples: int,
        replacement: bool = True,
        generator: Any = None,
    ) -> None:
        if not isinstance(num_samples, int) or isinstance(num_samples, bool) or num_samples <= 0:
            raise ValueError(
                "[WeightedRandomSampler] num_samples should be a positive integer value, "
                f"but got num_samples={num_samples!r}"
            )
        if not isinstance(replacement, bool):
            raise ValueError(
                "[WeightedRandomSampler] replacement should be a boolean value, "
                f"but got replacement={replacement!r}"
            )
        as_double = taeda.as_tensor(weights, dtype=taeda.float64)
        if as_double.dim() != 1:
            raise ValueError(
                "[WeightedRandomSampler] weights should be a 1d sequence but given weights have shape "
                f"{tuple(as_double.shape)}"
            )
        self.weights = as_double
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        drawn = taeda.multinomial(self.weights, self.num_samples, self.replacement, generator=self.generator)
        yield from drawn.tolist()

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """Cut the indices of another sampler into lists of `batch_size`.

    Args:
        sampler: any iterable of indices.
        batch_size: length of a batch.
        drop_last: leave out a last batch that is shorter.

    >>> from taeda.data import BatchSampler
    >>> list(BatchSampler(range(7), batch_size=3, drop_last=False))
    [[0, 1, 2], [3, 4, 5], [6]]
    """

    def __init__(self, sampler: Sampler[int] | Iterable[int], batch_size: int, drop_last: bool) -> None:
        if not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size <= 0:
            raise ValueError(
                "[BatchSampler] batch_size should be a positive integer value, but got "
                f"batch_size={batch_size!r}"
            )
        if not isinstance(drop_last, bool):
            raise ValueError(
                f"[BatchSampler] drop_last should be a boolean value, but got drop_last={drop_last!r}"
            )
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        indices = iter(self.sampler)
        while batch := list(islice(indices, self.batch_size)):
            if len(batch) < self.batch_size and self.drop_last:
                return
            yield batch

    def __len__(self) -> int:
        n = len(self.sampler)  # type: ignore[arg-type]
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)


def index_blocks(chunks: Iterator[taeda.Tensor], batch_size: int, drop_last: bool) -> Iterator[taeda.Tensor]:
    """Cut a stream of index tensors into tensors of `batch_size`, across the seams of the stream.

    The next chunk is asked for exactly when `BatchSampler` over the same indices would ask for its first
    index, so that draws from a shared generator happen in the same order.
    """
    pending: list[taeda.Tensor] = []
    have = 0
    for chunk in chunks:
        start = 0
        if have:
            start = min(batch_size - have, len(chunk))
            if start == 0:
                continue
            pending.append(chunk[:start])
            have += start
            if have < batch_size:
                continue
            yield taeda.cat(pending)
            pending, have = [], 0
        if start == len(chunk):
            continue
        for block in (chunk[start:] if start else chunk).split(batch_size):
            if len(block) == batch_size:
                yield block
            else:
                pending, have = [block], len(block)
    if have and not drop_last:
        yield taeda.cat(pending) if len(pending) > 1 else pending[0]
