"""The standard's functions that move, pick, order and compare elements: manipulation, indexing, sorting, searching, sets."""

from __future__ import annotations

from typing import Any, NamedTuple

import taeda
from taeda import Tensor
from taeda.array_api._promotion import need_array, operands, same_dtype

# -- manipulation ------------------------------------------------------------------------------------


def broadcast_arrays(*arrays: Any) -> list[Tensor]:
    """Return the arrays in the shape that they broadcast to."""
    return list(taeda.broadcast_tensors(*arrays)) if arrays else []


def broadcast_to(x: Any, /, shape: Any) -> Tensor:
    """Return x in a shape that it broadcasts to."""
    return taeda.broadcast_to(need_array("broadcast_to", x), shape)


def concat(arrays: Any, /, *, axis: int | None = 0) -> Tensor:
    """Return the arrays one behind the other along an axis; None flattens them first."""
    found = same_dtype("concat", arrays)
    return taeda.cat([x.flatten() for x in found]) if axis is None else taeda.cat(found, axis)


def expand_dims(x: Any, /, axis: int = 0) -> Tensor:
    """Return x with a new axis of size 1."""
    return taeda.unsqueeze(need_array("expand_dims", x), axis)


def flip(x: Any, /, *, axis: Any = None) -> Tensor:
    """Return x with the order along some axes, all by default, reversed."""
    return taeda.flip(x, tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,))


def moveaxis(x: Any, source: Any, destination: Any, /) -> Tensor:
    """Return x with some axes in other places, the rest in order."""
    return taeda.movedim(need_array("moveaxis", x), source, destination)


def permute_dims(x: Any, /, axes: Any) -> Tensor:
    """Return x with its axes in another order."""
    return taeda.permute(need_array("permute_dims", x), tuple(axes))


def repeat(x: Any, repeats: Any, /, *, axis: int | None = None) -> Tensor:
    """Return each element several times along an axis, without one of the flattened array.

    >>> from taeda import array_api as xp
    >>> xp.repeat(xp.asarray([1, 2]), 2)
    tensor([1, 1, 2, 2])
    """
    times = repeats.to(taeda.int64) if isinstance(repeats, Tensor) else repeats
    return taeda.repeat_interleave(need_array("repeat", x), times, axis)


def reshape(x: Any, /, shape: Any, *, copy: bool | None = None) -> Tensor:
    """Return x in another shape; ``copy`` True always, False never (ValueError where one is needed)."""
    need_array("reshape", x)
    if copy:
        return x.clone(memory_format=taeda.contiguous_format).reshape(shape)
    y = x.reshape(shape)
    if copy is False and x.numel() and y.data_ptr() != x.data_ptr():
        raise ValueError(f"[reshape] a copy is needed to give {tuple(x.shape)} with strides {x.stride()} the shape {tuple(shape)}")
    return y


def roll(x: Any, /, shift: Any, *, axis: Any = None) -> Tensor:
    """Return x with its elements moved along axes, those that leave coming in at the other end."""
    if isinstance(axis, tuple) and isinstance(shift, int):
        shift = (shift,) * len(axis)
    return taeda.roll(need_array("roll", x), shift, axis)


def squeeze(x: Any, /, axis: Any) -> Tensor:
    """Return x without axes of size 1; ValueError if one has another size."""
    axes = axis if isinstance(axis, tuple) else (axis,)
    for d in axes:
        if need_array("squeeze", x).size(d) != 1:
            raise ValueError(f"[squeeze] axis {d} has size {x.size(d)}, not 1, in shape {tuple(x.shape)}")
    return taeda.squeeze(x, axes)


def stack(arrays: Any, /, *, axis: int = 0) -> Tensor:
    """Return arrays of one shape side by side along a new axis."""
    return taeda.stack(same_dtype("stack", arrays), axis)


def tile(x: Any, repetitions: Any, /) -> Tensor:
    """Return x laid out several times along each axis."""
    return taeda.tile(need_array("tile", x), tuple(repetitions))


def unstack(x: Any, /, *, axis: int = 0) -> tuple[Tensor, ...]:
    """Return the slices along an axis."""
    return tuple(taeda.unbind(need_array("unstack", x), axis))


# -- indexing ----------------------------------------------------------------------------------------


def _from_front(indices: Tensor, size: int) -> Tensor:
    """Indices as int64, negative ones counted from the end."""
    wide = indices.to(taeda.int64)
    return taeda.where(wide < 0, wide + size, wide)


def take(x: Any, indices: Any, /, *, axis: int | None = None) -> Tensor:
    """Return the elements at a 1-d array of indices along an axis, which arrays of several must name."""
    if axis is None:
        if need_array("take", x).ndim != 1:
            raise ValueError(f"[take] axis is required for an array of {x.ndim} dimensions")
        axis = 0
    return taeda.index_select(x, axis, _from_front(indices, x.size(axis)))


def take_along_axis(x: Any, indices: Any, /, *, axis: int = -1) -> Tensor:
    """Return the elements whose place along an axis an array of indices tells, each for its own place along the others."""
    return taeda.take_along_dim(need_array("take_along_axis", x), _from_front(indices, x.size(axis)), axis)


# -- searching ---------------------------------------------------------------------------------------


def argmax(x: Any, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Return where the largest element is, of equals the first."""
    return taeda.argmax(need_array("argmax", x), axis, keepdims)


def argmin(x: Any, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Return where the smallest element is, of equals the first."""
    return taeda.argmin(need_array("argmin", x), axis, keepdims)


def nonzero(x: Any, /) -> tuple[Tensor, ...]:
    """Return the indices of the elements that are not zero: one array an axis.  ValueError for 0-d arrays."""
    if need_array("nonzero", x).ndim == 0:
        raise ValueError("[nonzero] a 0-d array has no indices")
    return tuple(taeda.nonzero(x, as_tuple=True))


def searchsorted(x1: Any, x2: Any, /, *, side: str = "left", sorter: Any = None) -> Tensor:
    """Return where the elements of x2 would have to be put into the sorted x1.

    ``side``: before ("left") or behind ("right") equal elements; ``sorter``: indices that sort x1.
    """
    first, second = operands("searchsorted", x1, x2)
    if side not in ("left", "right"):
        raise ValueError(f'[searchsorted] side must be "left" or "right", got {side!r}')
    return taeda.searchsorted(first, second.contiguous(), side=side, sorter=None if sorter is None else sorter.to(taeda.int64))


def where(condition: Any, x1: Any, x2: Any, /) -> Tensor:
    """Return the elements of x1 where the condition holds, else those of x2; one of the two may be a Python number."""
    return taeda.where(need_array("where", condition), *operands("where", x1, x2))


# -- sorting -----------------------------------------------------------------------------------------


def argsort(x: Any, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
    """Return the indices that sort x along an axis."""
    return taeda.argsort(need_array("argsort", x), dim=axis, descending=descending, stable=stable)


def sort(x: Any, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
    """Return the elements in order along an axis."""
    return taeda.sort(need_array("sort", x), dim=axis, descending=descending, stable=stable)[0]


# -- sets --------------------------------------------------------------------------------------------


class UniqueAll(NamedTuple):
    """What :func:`unique_all` returns."""

    values: Tensor
    indices: Tensor
    inverse_indices: Tensor
    counts: Tensor


class UniqueCounts(NamedTuple):
    """What :func:`unique_counts` returns."""

    values: Tensor
    counts: Tensor


class UniqueInverse(NamedTuple):
    """What :func:`unique_inverse` returns."""

    values: Tensor
    inverse_indices: Tensor


def _unique(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the distinct elements, which of them each element is, and their counts; complex ones are compared by their parts."""
    if x.is_complex():
        rows, inverse, counts = taeda.unique(taeda.view_as_real(x.flatten()), dim=0, return_inverse=True, return_counts=True)
        return taeda.view_as_complex(rows.contiguous()), inverse.reshape(x.shape), counts
    values, inverse, counts = taeda.unique(x, return_inverse=True, return_counts=True)
    return values, inverse.reshape(x.shape), counts


def unique_all(x: Any, /) -> UniqueAll:
    """Return the distinct elements, where each is first, which of them each element is, and how often each occurs.

    >>> from taeda import array_api as xp
    >>> xp.unique_all(xp.asarray([3, 1, 3])).indices
    tensor([1, 0])
    """
    values, inverse, counts = _unique(need_array("unique_all", x))
    place = taeda.arange(x.numel(), device=x.device)
    first = taeda.full_like(counts, x.numel()).scatter_reduce(0, inverse.flatten(), place, "amin")
    return UniqueAll(values, first, inverse, counts)


def unique_counts(x: Any, /) -> UniqueCounts:
    """Return the distinct elements and how often each occurs."""
    values, _, counts = _unique(need_array("unique_counts", x))
    return UniqueCounts(values, counts)


def unique_inverse(x: Any, /) -> UniqueInverse:
    """Return the distinct elements and which of them each element is."""
    values, inverse, _ = _unique(need_array("unique_inverse", x))
    return UniqueInverse(values, inverse)


def unique_values(x: Any, /) -> Tensor:
    """Return the distinct elements."""
    return _unique(need_array("unique_values", x))[0]
