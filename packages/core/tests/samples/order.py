"""Rows of sorting, selection and searching."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from opinfo import ALL, FLOATS, INTS, Call, Row, array, layouts

NUMBERS = FLOATS + INTS


def distinct(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Numbers far enough apart for numerical derivatives, in random order."""
    n = int(np.prod(shape))
    return (rng.permutation(n) * 0.37 - n * 0.18).reshape(shape)


def sorts(rng: np.random.Generator) -> Iterator[Call]:
    """Each dimension, direction and layout; rows short enough for merges and long enough for the radix sort."""
    yield Call(distinct(rng))
    for x in layouts(distinct(rng, 3, 5)):
        yield Call(x)
        yield Call(x, 0)
        yield Call(x, dim=-1, descending=True)
    yield Call(distinct(rng, 2, 3, 4), 1)
    yield Call(distinct(rng, 2, 3, 4), 1, True)
    yield Call(distinct(rng, 0, 3), 0)
    yield Call(distinct(rng, 300), 0)


def stable_sorts(rng: np.random.Generator) -> Iterator[Call]:
    """As sorts, stable, so that the indices are the only right ones whatever the dtype."""
    for call in sorts(rng):
        dim = call.args[1] if len(call.args) > 1 else call.kwargs.get("dim", -1)
        descending = call.args[2] if len(call.args) > 2 else call.kwargs.get("descending", False)
        yield Call(call.args[0], dim=dim, descending=descending, stable=True)


def sort_reference(x: np.ndarray, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    """Values and stable order."""
    if x.ndim == 0:
        return x, np.zeros((), np.int64)
    order = np.argsort(x, axis=dim, kind="stable")
    if descending:
        order = x.shape[dim] - 1 - np.flip(np.argsort(np.flip(x, dim), axis=dim, kind="stable"), dim)
    return np.take_along_axis(x, order, dim), order


def tops(rng: np.random.Generator) -> Iterator[Call]:
    """None, one, some and all, largest and smallest."""
    yield Call(distinct(rng), 1)
    for x in layouts(distinct(rng, 4, 6)):
        for k in (0, 1, 3, 4):
            yield Call(x, k, 0)
            yield Call(x, k, dim=-1, largest=False)
    yield Call(distinct(rng, 500), 5)
    yield Call(distinct(rng, 500), 400)


def top_reference(x: np.ndarray, k: int, dim: int = -1, largest: bool = True) -> Any:
    """The first k of the sorted."""
    if x.ndim == 0:
        return x, np.zeros((), np.int64)
    return tuple(np.take(part, range(k), dim) for part in sort_reference(x, dim, largest))


def kths(rng: np.random.Generator) -> Iterator[Call]:
    """The first, a middle and the last."""
    for x in layouts(distinct(rng, 5, 6)):
        for k in (1, 3, 5):
            yield Call(x, k)
            yield Call(x, k, 0, keepdim=True)
    yield Call(distinct(rng, 700), 333)
    yield Call(distinct(rng), 1)


def kth_reference(x: np.ndarray, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    """The element k - 1 of the sorted."""
    if x.ndim == 0:
        return x, np.zeros((), np.int64)
    parts = [np.take(part, [k - 1], dim) for part in sort_reference(x, dim)]
    return tuple(part if keepdim else part.squeeze(dim) for part in parts)


def medians(rng: np.random.Generator) -> Iterator[Call]:
    """Odd and even numbers, of all and along each dimension."""
    yield Call(distinct(rng))
    for x in layouts(distinct(rng, 4, 5)):
        yield Call(x)
        yield Call(x, 0)
        yield Call(x, -1, keepdim=True)
    yield Call(distinct(rng, 501))


def median_reference(x: np.ndarray, dim: int | None = None, keepdim: bool = False) -> Any:
    """The lower median."""
    if dim is None:
        return np.sort(x, axis=None)[(x.size - 1) // 2]
    return kth_reference(x, (x.shape[dim] - 1) // 2 + 1, dim, keepdim)


def repeats(rng: np.random.Generator) -> Iterator[Call]:
    """Few values many times; along dimensions; every kind of result."""
    for shape in ((), (7,), (3, 5), (0,), (300,)):
        x = rng.integers(0, 4, shape).astype(np.float64)
        yield Call(x)
        yield Call(x, return_inverse=True)
        yield Call(x, return_counts=True)
        yield Call(x, return_inverse=True, return_counts=True)
    for dim in range(2):
        x = rng.integers(0, 2, (6, 2)).astype(np.float64) if dim == 0 else rng.integers(0, 2, (2, 6)).astype(np.float64)
        yield Call(x, return_inverse=True, return_counts=True, dim=dim)
        yield Call(x[::2], dim=dim)


def unique_reference(x: np.ndarray, return_inverse: bool = False, return_counts: bool = False, dim: Any = None) -> Any:
    """np.unique, with the inverse in the input's shape."""
    found = np.unique(x, return_inverse=return_inverse, return_counts=return_counts, axis=dim)
    if not (return_inverse or return_counts):
        return found
    parts = list(found)
    if return_inverse:
        parts[1] = parts[1].reshape(x.shape if dim is None else (-1,))
    return tuple(parts)


def searches(rng: np.random.Generator) -> Iterator[Call]:
    """One sequence for all, one for each row; ties; both sides."""
    a = np.sort(np.round(array(rng, 9) * 2))
    yield Call(a, np.round(array(rng, 3, 4) * 2))
    yield Call(a, np.round(array(rng, 3, 4) * 2), right=True)
    yield Call(a, array(rng))
    yield Call(a, array(rng, 5), out_int32=True)
    yield Call(np.sort(array(rng, 3, 6), axis=-1), array(rng, 3, 4), side="right")
    yield Call(a[:0], array(rng, 2))


def search_reference(a: np.ndarray, v: np.ndarray, right: bool = False, side: str = "left",
                     out_int32: bool = False) -> np.ndarray:
    """np.searchsorted of each row."""
    side = "right" if right else side
    y = np.searchsorted(a, v, side) if a.ndim == 1 else np.stack([np.searchsorted(a[i], v[i], side) for i in range(len(a))])
    return np.asarray(y).astype(np.int32 if out_int32 else np.int64)


def bins(rng: np.random.Generator) -> Iterator[Call]:
    """Counts and sums of weights."""
    x = rng.integers(0, 6, 20)
    yield Call(x)
    yield Call(x, minlength=9)
    yield Call(x, array(rng, 20))
    yield Call(x[:0])
    yield Call(x[:0], minlength=3)


def histograms(rng: np.random.Generator) -> Iterator[Call]:
    """A given range, and the data's own."""
    yield Call(array(rng, 40), 7, -1.03, 1.51)
    yield Call(array(rng, 5, 8), bins=5)
    yield Call(np.full(3, 2.0), 4)


def histogram_reference(x: np.ndarray, bins: int = 100, low: float = 0, high: float = 0) -> np.ndarray:
    """np.histogram as floats."""
    span = (low, high) if (low, high) != (0, 0) else (float(x.min()), float(x.max()))
    if span[0] == span[1]:
        span = (span[0] - 1, span[1] + 1)
    return np.histogram(x, bins, span)[0].astype(x.dtype)


WRONG_DIM = (Call(np.ones(3), dim=1), IndexError, r"Dimension out of range")

ROWS = [
    Row("sort", stable_sorts, sort_reference, dtypes=ALL, method="sort", errors=(WRONG_DIM,)),
    Row("argsort", stable_sorts, lambda *a, **k: sort_reference(*a, **k)[1], dtypes=ALL, grad=False, method="argsort"),
    Row("msort", lambda rng: (Call(x) for x in layouts(distinct(rng, 4, 3))), lambda x: np.sort(x, axis=0), method="msort"),
    Row("topk", tops, top_reference, method="topk",
        errors=((Call(np.ones(3), 4), RuntimeError, r"\[topk\] selected index k out of range"),
                (Call(np.ones(3), 1, 1), IndexError, r"\[topk\] Dimension out of range"))),
    Row("kthvalue", kths, kth_reference, method="kthvalue",
        errors=((Call(np.ones(3), 0), RuntimeError, r"\[kthvalue\] selected number k out of range"),)),
    Row("median", medians, median_reference, method="median",
        errors=((Call(np.ones((0, 2)), 0), IndexError, r"\[median\] Expected reduction dim 0 to have non-zero"),)),
    Row("nanmedian", medians, median_reference, method="nanmedian"),
    Row("mode", lambda rng: (Call(rng.integers(0, 3, (4, 9)).astype(float), d) for d in (0, 1, -1)), None, dtypes=NUMBERS,
        grad=False, method="mode"),
    Row("unique", repeats, unique_reference, dtypes=NUMBERS, grad=False, method="unique", strides=False),
    Row("unique_consecutive", repeats, None, dtypes=NUMBERS, grad=False, method="unique_consecutive", strides=False),
    Row("searchsorted", searches, search_reference, grad=False,
        errors=((Call(np.ones((2, 3)), np.ones(3)), RuntimeError, r"\[searchsorted\] the sorted sequence should be"),
                (Call(np.ones(3), np.ones(3), side="x"), RuntimeError, r"side can only be 'left' or 'right'"))),
    Row("bucketize", lambda rng: (Call(array(rng, 3, 4), np.sort(array(rng, 6)), right=r) for r in (False, True)),
        lambda v, a, right: search_reference(a, v, right), grad=False,
        errors=((Call(np.ones(2), np.ones((2, 2))), RuntimeError, r"\[bucketize\] boundaries tensor must be 1 dim"),)),
    Row("bincount", bins, lambda x, w=None, minlength=0: np.bincount(x, w, minlength), grad=False, method="bincount",
        errors=((Call(np.array([-1])), RuntimeError, r"\[bincount\] only supports 1-d non-negative"),)),
    Row("histc", histograms, histogram_reference, grad=False, method="histc", out=True,
        errors=((Call(np.ones(2), 0), RuntimeError, r"\[histc\] bins must be > 0"),
                (Call(np.ones(2), 3, 2.0, 1.0), RuntimeError, r"\[histc\] max must be larger than min"))),
]
