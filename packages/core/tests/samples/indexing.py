"""Rows of x[...], x[...] = v and index_put."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from opinfo import ALL, Call, Row, array, layouts

INDICES: list[tuple[tuple[int, ...], Any]] = [
    ((5,), 2), ((5,), -1), ((5,), slice(1, 4)), ((5,), slice(None, None, 2)), ((5,), slice(-3, None)),
    ((5,), slice(4, 1)), ((5,), None), ((5,), Ellipsis), ((), Ellipsis), ((), None), ((), (None, Ellipsis)),
    ((0,), slice(None)), ((3, 4), 0), ((3, 4), (1, 2)), ((3, 4), (slice(None), 1)), ((3, 4), (Ellipsis, -1)),
    ((3, 4), (slice(0, 2), slice(1, None, 3))), ((3, 4), (slice(None), None, 2)), ((3, 4), (None, 1, None)),
    ((2, 3, 4), (0, Ellipsis, slice(1, 3))), ((2, 3, 4), (Ellipsis, None, 1, slice(None))),
    ((2, 1, 3, 1, 2, 2, 2), (1, slice(None), 0)),
    ((5,), np.array([0, 4, 4, -1])), ((5,), np.array([], dtype=np.int64)), ((5,), [3, 1]), ((5,), np.array(3)),
    ((5,), np.array([[0, 1], [2, 2]])), ((3, 4), np.array([2, 0])), ((3, 4), (slice(None), np.array([3, 3, 0]))),
    ((3, 4), (np.array([0, 2]), np.array([1, -1]))), ((3, 4), (np.array([[0], [2]]), np.array([1, 3]))),
    ((2, 3, 4), (slice(None), np.array([0, 2]))), ((2, 3, 4), (np.array([0, 1]), slice(None), np.array([1, 2]))),
    ((2, 3, 4), (slice(None), np.array([0, 2]), np.array([3, 3]))), ((2, 3, 4), (Ellipsis, np.array([0, 2]), slice(1, 3))),
    ((2, 3, 4), (np.array([1, 0]), None, np.array([1, 2]))), ((2, 3, 4), (slice(1, None), np.array([2, 2, 0]), slice(None, 3))),
    ((2, 3, 4), (np.array([True, False]), slice(1, 3))),
    ((2, 3, 2, 2), (np.array([1]), slice(None), np.array([0, 1]), slice(None))),
    ((4,), np.array([True, False, True, True])), ((4,), np.array([False] * 4)),
    ((2, 3), np.array([[True, False, True], [False, False, True]])),
    ((2, 3, 2), np.array([[True, False, True], [False, False, True]])),
    ((2, 3, 2), (slice(None), np.array([[True, False], [False, True], [True, True]]))),
    ((3, 4), (np.array([True, False, True]), np.array([0, 2]))), ((3,), True), ((3,), False), ((0, 3), np.zeros((2, 0), np.int64)),
]


def getitem_samples(rng: np.random.Generator) -> Iterator[Call]:
    for shape, index in INDICES:
        yield Call(array(rng, *shape), index)
    for x in layouts(array(rng, 4, 3)):
        yield Call(x, np.array([2, 0, 2]))
        yield Call(x, (slice(None), np.array([2, 0])))
        yield Call(x, (slice(1, 3), 1))
    yield Call(array(rng, 37, 65), np.array(rng.integers(0, 37, 50)))


def put_samples(rng: np.random.Generator) -> Iterator[Call]:
    for accumulate in (False, True):
        yield Call(array(rng, 5), (np.array([0, 4, 2]),), array(rng, 3), accumulate)
        yield Call(array(rng, 3, 4), (np.array([2, 0]),), array(rng, 4), accumulate)
        yield Call(array(rng, 3, 4), (np.array([2, 0]), np.array([1, -1])), array(rng), accumulate)
        yield Call(array(rng, 2, 3, 4), (np.array([1, 0]), np.array([[2], [0]])), array(rng, 2, 2, 4), accumulate)
        yield Call(array(rng, 3, 4), (array(rng, 3, 4) > 0,), array(rng), accumulate)
        yield Call(array(rng, 3), (np.array([], dtype=np.int64),), array(rng, 0), accumulate)
        for x in layouts(array(rng, 4, 3)):
            yield Call(x, (np.array([3, 1]),), array(rng, 2, 3).T.copy().T, accumulate)
    yield Call(array(rng, 4), (np.array([1, 1, 3, 1]),), array(rng, 4), True)
    yield Call(array(rng, 4, 70), (np.array([1, 1, 3, 1]),), array(rng, 4, 70), True)


def index_put(x: np.ndarray, indices: tuple[Any, ...], values: np.ndarray, accumulate: bool = False) -> np.ndarray:
    y = x.copy()
    if accumulate:
        np.add.at(y, indices, values)
    else:
        y[indices] = values
    return y


def index_numpy(x: np.ndarray, index: Any) -> np.ndarray:
    return np.array(x[index])


ROWS = [
    Row("getitem", getitem_samples, index_numpy, dtypes=ALL, torch="Tensor.__getitem__", errors=(
        (Call(np.zeros(3), 7), IndexError, "index 7 is out of bounds for dimension 0 with size 3"),
        (Call(np.zeros(3), -4), IndexError, "index -4 is out of bounds for dimension 0 with size 3"),
        (Call(np.zeros((2, 3)), (slice(None), np.array([0, 3]))), IndexError, "index 3 is out of bounds for dimension 1 with size 3"),
        (Call(np.zeros(3), (0, 0)), IndexError, "too many indices for tensor of dimension 1"),
        (Call(np.zeros(()), 0), IndexError, "invalid index of a 0-dim tensor"),
        (Call(np.zeros(3), slice(None, None, -1)), ValueError, "step must be greater than zero"),
        (Call(np.zeros(3), 1.0), IndexError, "only integers, slices"),
        (Call(np.zeros((3, 4)), (np.zeros(2, np.int64), np.zeros(3, np.int64))), IndexError, "could not be broadcast together"),
        (Call(np.zeros((3, 4)), np.ones((2, 4), bool)), IndexError, "shape of the mask"),
    )),
    Row("index_put", put_samples, index_put, method="index_put", inplace="index_put_", errors=(
        (Call(np.zeros(3), (np.array([3]),), np.zeros(1)), IndexError, "index 3 is out of bounds for dimension 0 with size 3"),
        (Call(np.zeros(3), (np.array([0, 1]),), np.zeros(3)), RuntimeError, "shape mismatch"),
        (Call(np.zeros(3), (np.array([0]), np.array([0])), np.zeros(1)), IndexError, "too many indices"),
    )),
]
