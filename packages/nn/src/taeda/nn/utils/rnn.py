"""Sequences of different lengths: padded to one tensor, or packed so that recurrent layers skip what is padding."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Self

import taeda
from taeda import Tensor
from taeda.autograd.node import named

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]


class _Fields(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Fields):
    """Sequences without padding, step by step: what pack_padded_sequence and pack_sequence return.

    Attributes:
        data: (rows, ...), first the first element of every sequence, then the second of all that have one, ...
        batch_sizes: int64 on the CPU, how many rows each step has; it never rises, as sequences are sorted by length.
        sorted_indices: the original place of each sorted sequence, or None where they were sorted.
        unsorted_indices: the inverse: the sorted place of each original sequence.

    A sequence is made of ``(data, batch_sizes)`` or ``((data, batch_sizes))``; the inverse is found where it is not given.

    >>> import taeda
    >>> from taeda.nn.utils.rnn import pack_sequence
    >>> pack_sequence([taeda.tensor([1, 2, 3]), taeda.tensor([4, 5])]).data
    tensor([1, 4, 2, 5, 3])
    """

    def __new__(
        cls,
        data: Tensor | Sequence[Tensor],
        batch_sizes: Tensor | None = None,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> Self:
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        if batch_sizes is None:
            if not (isinstance(data, (list, tuple)) and len(data) == 2):
                raise AssertionError("[PackedSequence] Expected data to be a list or tuple of length 2: (data, batch_sizes)")
            data, batch_sizes = data
        elif batch_sizes.device.type != "cpu":
            raise ValueError(
                f"[PackedSequence] batch_sizes should always be on CPU, got {batch_sizes.device}; use pack_sequence or "
                "pack_padded_sequence to make a PackedSequence"
            )
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)  # type: ignore[arg-type]

    def _moved(self, data: Tensor, move: Callable[[Tensor], Tensor]) -> Self:
        """Return a sequence of other data, the indices moved as well; ``batch_sizes`` stays on the CPU."""
        places = [None if i is None else move(i) for i in (self.sorted_indices, self.unsorted_indices)]
        return type(self)(data, self.batch_sizes, *places)

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Return the sequence with ``data.to(...)``; the sequence itself if that changes nothing.

        >>> import taeda
        >>> from taeda.nn.utils.rnn import pack_sequence
        >>> packed = pack_sequence([taeda.tensor([1.0, 2.0]), taeda.tensor([3.0])])
        >>> packed.to(taeda.float64).data
        tensor([1., 3., 2.], dtype=taeda.float64)
        """
        data = self.data.to(*args, **kwargs)
        return self if data is self.data else self._moved(data, lambda i: i.to(data.device))

    def cuda(self, *args: Any, **kwargs: Any) -> Self:
        """Return the sequence on a GPU."""
        return self.to(*args, **kwargs) if args or "device" in kwargs else self.to(device="cuda", **kwargs)

    def cpu(self, *args: Any, **kwargs: Any) -> Self:
        """Return the sequence on the CPU."""
        return self.to(*args, **kwargs) if args or "device" in kwargs else self.to(device="cpu", **kwargs)

    def pin_memory(self) -> Self:
        """Return the sequence in memory that a GPU can copy from."""
        return self._moved(self.data.pin_memory(), lambda i: i.pin_memory())

    def is_pinned(self) -> bool:
        """Whether ``data`` is in memory that a GPU can copy from."""
        return bool(self.data.is_pinned())

    @property
    def is_cuda(self) -> bool:
        """Whether ``data`` is on a GPU."""
        return bool(self.data.is_cuda)

    def double(self) -> Self:
        """Return the sequence in float64."""
        return self.to(dtype=taeda.float64)

    def float(self) -> Self:
        """Return the sequence in float32."""
        return self.to(dtype=taeda.float32)

    def half(self) -> Self:
        """Return the sequence in float16."""
        return self.to(dtype=taeda.float16)

    def long(self) -> Self:
        """Return the sequence in int64."""
        return self.to(dtype=taeda.int64)

    def int(self) -> Self:
        """Return the sequence in int32."""
        return self.to(dtype=taeda.int32)

    def short(self) -> Self:
        """Return the sequence in int16."""
        return self.to(dtype=taeda.int16)

    def char(self) -> Self:
        """Return the sequence in int8."""
        return self.to(dtype=taeda.int8)

    def byte(self) -> Self:
        """Return the sequence in uint8."""
        return self.to(dtype=taeda.uint8)


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """Return the indices that undo a permutation; None for None.

    >>> import taeda
    >>> from taeda.nn.utils.rnn import invert_permutation
    >>> invert_permutation(taeda.tensor([2, 0, 1]))
    tensor([1, 2, 0])
    """
    if permutation is None:
        return None
    places = taeda.arange(permutation.numel(), device=permutation.device)
    return taeda.empty_like(permutation).scatter_(0, permutation, places)


def _check_lengths(lengths: Tensor, batch: int, longest: int) -> None:
    """Raise where lengths are not those of ``batch`` sorted sequences of at most ``longest`` steps."""
    if lengths.dim() != 1:
        raise RuntimeError(
            f"[pack_padded_sequence] 'lengths' argument should be a 1D CPU int64 tensor, but got shape {tuple(lengths.shape)}"
        )
    if lengths.shape[0] != batch:
        raise RuntimeError(
            f"[pack_padded_sequence] Expected `len(lengths)` to be equal to batch_size, but got {lengths.shape[0]} "
            f"(batch_size={batch}); batch_first says which dimension that is"
        )
    sizes = lengths.tolist()
    if any(a < b for a, b in itertools.pairwise(sizes)):
        raise RuntimeError(
            "[pack_padded_sequence] `lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can "
            "pass `enforce_sorted=False` to pack_padded_sequence or pack_sequence to have the sequences sorted"
        )
    if sizes[-1] <= 0:
        raise RuntimeError(
            "[pack_padded_sequence] Length of all samples has to be greater than 0, but found an element in 'lengths' that "
            f"is <= 0: {sizes[-1]}"
        )
    if sizes[0] > longest:
        raise RuntimeError(f"[pack_padded_sequence] a length of {sizes[0]} is more than the {longest} steps of the input")


def pack_padded_sequence(
    input: Tensor, lengths: Tensor | Sequence[int], batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Pack padded sequences, so that recurrent layers run over their elements alone.

    Args:
        input: (T, B, ...), with ``batch_first`` (B, T, ...).
        lengths: the length of each sequence, of which all are at least 1 and at most T.
        batch_first: which of the two orders the input has.
        enforce_sorted: whether the lengths must fall; if false, the sequences are sorted here.

    Raises RuntimeError where lengths do not fit.

    >>> import taeda
    >>> from taeda.nn.utils.rnn import pack_padded_sequence
    >>> padded = taeda.tensor([[1, 2, 0], [3, 0, 0], [4, 5, 6]])
    >>> pack_padded_sequence(padded, [2, 1, 3], batch_first=True, enforce_sorted=False)
    PackedSequence(data=tensor([4, 1, 3, 5, 2, 6]), batch_sizes=tensor([3, 2, 1]), sorted_indices=tensor([2, 0, 1]), \
unsorted_indices=tensor([1, 2, 0]))
    """
    if isinstance(lengths, Tensor):
        sizes = lengths.to(dtype=taeda.int64)
        if sizes.device.type != "cpu":
            raise RuntimeError(f"[pack_padded_sequence] 'lengths' should be on the CPU, but got {sizes.device}")
    else:
        sizes = taeda.as_tensor(lengths, dtype=taeda.int64, device="cpu")
    order = None
    if not enforce_sorted:
        sizes, order = taeda.sort(sizes, descending=True)
        order = order.to(input.device)
        input = input.index_select(0 if batch_first else 1, order)
    if batch_first:
        input = input.transpose(0, 1)
    if input.dim() < 2:
        raise IndexError(f"[pack_padded_sequence] the input must have dimensions of time and batch, got {tuple(input.shape)}")
    if input.numel() == 0:
        raise RuntimeError(f"[pack_padded_sequence] Cannot pack empty tensors: the input has shape {tuple(input.shape)}")
    _check_lengths(sizes, input.shape[1], input.shape[0])
    longest = int(sizes[0])
    mask = taeda.arange(longest).unsqueeze(1) < sizes  # (T, B): row by row, its elements are in the order of packing
    data = named(input[:longest][mask if input.device.type == "cpu" else mask.to(input.device)], "PackPaddedSequenceBackward0")
    return PackedSequence(data, mask.sum(1), order)


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Tensor, Tensor]:
    """Pad what was packed: return (T, B, ...), with ``batch_first`` (B, T, ...), and the sequences' lengths.

    Sequences come back in the order in which they were packed.  ``total_length``, if given, is T; ValueError if the
    longest sequence has more elements.

    Args:
        sequence: what ``pack_padded_sequence``, ``pack_sequence`` or a recurrent layer returned.
        batch_first: the order of the result's first two dimensions.
        padding_value: what stands behind the end of a sequence.
        total_length: T, at least the longest sequence's.

    >>> import taeda
    >>> from taeda.nn.utils.rnn import pack_sequence, pad_packed_sequence
    >>> packed = pack_sequence([taeda.tensor([1, 2]), taeda.tensor([3, 4, 5])], enforce_sorted=False)
    >>> pad_packed_sequence(packed, batch_first=True)
    (tensor([[1, 2, 0],
            [3, 4, 5]]), tensor([2, 3]))
    """
    if not isinstance(sequence, tuple):
        raise AttributeError(f"[pad_packed_sequence] sequence must be a PackedSequence, got {type(sequence).__name__}, which has no "
                             "batch_sizes; a recurrent layer gives one for one")
    data, sizes, _, unsorted = sequence
    steps = longest = sizes.shape[0]
    if total_length is not None:
        if total_length < longest:
            raise ValueError(
                "[pad_packed_sequence] Expected total_length to be at least the length of the longest sequence in input, but "
                f"got total_length={total_length} and max sequence length being {longest}"
            )
        steps = total_length
    mask = sizes.unsqueeze(1) > taeda.arange(int(sizes[0]))
    lengths = mask.sum(0)
    if steps > longest:
        mask = taeda.cat([mask, mask.new_zeros((steps - longest, mask.shape[1]))])
    padded = data.new_full((*mask.shape, *data.shape[1:]), padding_value)
    padded[mask if data.device.type == "cpu" else mask.to(data.device)] = data
    if batch_first:
        padded = padded.transpose(0, 1)
    if unsorted is None:
        return padded, lengths
    return padded.index_select(0 if batch_first else 1, unsorted), lengths[unsorted.cpu()]


def pad_sequence(
    sequences: Tensor | Iterable[Tensor],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Stack sequences of different lengths: (T, B, ...), with ``batch_first`` (B, T, ...).

    Args:
        sequences: tensors of (length, ...), with the same other sizes; the result has the first one's dtype.
        batch_first: which of the two orders the result has.
        padding_value: what shorter sequences are filled up with.
        padding_side: "right" or "left".

    >>> import taeda
    >>> from taeda.nn.utils.rnn import pad_sequence
    >>> pad_sequence([taeda.tensor([1, 2]), taeda.tensor([3])], batch_first=True)
    tensor([[1, 2],
            [3, 0]])
    """
    if not isinstance(sequences, Iterable):
        raise RuntimeError(f"[pad_sequence] Expected iterable for input sequences, but got arg of type: {type(sequences).__name__}")
    rows = list(sequences)
    if not rows:
        raise RuntimeError("[pad_sequence] received an empty list of sequences")
    for i, row in enumerate(rows):
        if not isinstance(row, Tensor):
            raise TypeError(f"[pad_sequence] expected Tensor as element {i} in argument 0, but got {type(row).__name__}")
        if row.dim() == 0:
            raise RuntimeError(f"[pad_sequence] sequence {i} has no dimensions; its first one must be the length")
    if padding_side not in ("left", "right"):
        raise RuntimeError(f"[pad_sequence] Expected padding_side to be one of left or right, but got {padding_side}.")
    longest = max(row.shape[0] for row in rows)
    sides = (len(rows), longest) if batch_first else (longest, len(rows))
    padded = rows[0].new_full((*sides, *rows[0].shape[1:]), padding_value)
    for i, row in enumerate(rows):
        start = 0 if padding_side == "right" else longest - row.shape[0]
        places = slice(start, start + row.shape[0])
        try:
            padded[(i, places) if batch_first else (places, i)] = row
        except RuntimeError:
            raise RuntimeError("[pad_sequence] sequences may differ in their first size only: sequence 0 has shape "
                               f"{tuple(rows[0].shape)}, sequence {i} has {tuple(row.shape)}") from None
    return padded


def unpad_sequence(padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False) -> list[Tensor]:
    """Cut a padded tensor of (T, B, ...), with ``batch_first`` (B, T, ...), into the sequences that it holds.

    >>> import taeda
    >>> from taeda.nn.utils.rnn import unpad_sequence
    >>> unpad_sequence(taeda.tensor([[1, 2], [3, 0]]), taeda.tensor([2, 1]), batch_first=True)
    [tensor([1, 2]), tensor([3])]
    """
    rows = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    return [row[: max(int(n), 0)].clone() for row, n in zip(rows, lengths, strict=True)]


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Pack a list of sequences of (length, ...); see :func:`pack_padded_sequence`.

    >>> import taeda
    >>> from taeda.nn.utils.rnn import pack_sequence
    >>> pack_sequence([taeda.tensor([1, 2, 3]), taeda.tensor([4, 5]), taeda.tensor([6])]).batch_sizes
    tensor([3, 2, 1])
    """
    lengths = [row.shape[0] for row in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """Return the sequences that were packed.

    >>> import taeda
    >>> from taeda.nn.utils.rnn import pack_sequence, unpack_sequence
    >>> unpack_sequence(pack_sequence([taeda.tensor([1, 2]), taeda.tensor([3])]))
    [tensor([1, 2]), tensor([3])]
    """
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
