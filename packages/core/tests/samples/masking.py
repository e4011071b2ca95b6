"""Rows of where, the masked ops and nonzero."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from opinfo import ALL, Call, Row, array, layouts

SHAPES = [((), ()), ((5,), (5,)), ((0,), (0,)), ((3, 4), (3, 4)), ((3, 4), (4,)), ((2, 3, 4), (3, 1)), ((33, 5), (33, 5))]


def mask(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return np.asarray(rng.random(shape) < 0.5)


def where_samples(rng: np.random.Generator) -> Iterator[Call]:
    for shape, other in SHAPES:
        yield Call(mask(rng, *shape), array(rng, *shape), array(rng, *other))
        yield Call(mask(rng, *other), array(rng, *other), array(rng, *shape))
    yield Call(mask(rng, 3, 1), array(rng, 1, 4), array(rng, 3, 4))
    yield Call(mask(rng, 3), array(rng, 3), 0.5)
    yield Call(mask(rng, 3), 2, array(rng, 3))
    yield Call(mask(rng, 3), 1.5, array(rng))
    for x in layouts(array(rng, 3, 4)):
        yield Call(x > 0, x, -x)


def fill_samples(rng: np.random.Generator) -> Iterator[Call]:
    for shape, other in SHAPES:
        yield Call(array(rng, *shape), mask(rng, *other), 1.5)
    yield Call(array(rng, 3, 4), mask(rng, 4), array(rng))
    for x in layouts(array(rng, 3, 4)):
        yield Call(x, x > 0, -1)


def select_samples(rng: np.random.Generator) -> Iterator[Call]:
    for shape, other in SHAPES:
        yield Call(array(rng, *shape), mask(rng, *other))
    yield Call(array(rng, 4), mask(rng, 3, 1))
    for x in layouts(array(rng, 3, 4)):
        yield Call(x, x > 0)


def masked_select(x: np.ndarray, m: np.ndarray) -> np.ndarray:
    x, m = np.broadcast_arrays(x, m)
    return x[m].reshape(-1)


def scatter_samples(rng: np.random.Generator) -> Iterator[Call]:
    for shape, other in SHAPES:
        m = mask(rng, *other)
        n = int(np.broadcast_to(m, shape).sum())
        yield Call(array(rng, *shape), m, array(rng, n))
        yield Call(array(rng, *shape), m, array(rng, n + 2))
    for x in layouts(array(rng, 3, 4)):
        yield Call(x, x > 0, array(rng, 4, 3))


def masked_scatter(x: np.ndarray, m: np.ndarray, source: np.ndarray) -> np.ndarray:
    y = x.copy()
    m = np.broadcast_to(m, x.shape)
    y[m] = source.reshape(-1)[: int(m.sum())]
    return y


def nonzero_samples(rng: np.random.Generator) -> Iterator[Call]:
    for shape in [(5,), (3, 4), (2, 3, 4), (0, 3)]:
        yield Call(mask(rng, *shape))
        yield Call(array(rng, *shape) * mask(rng, *shape))
    for x in layouts(array(rng, 3, 4)):
        yield Call(x > 0)


def choose(c: np.ndarray, a: Any, b: Any) -> np.ndarray:
    return np.where(c, a, b)


def fill(x: np.ndarray, m: np.ndarray, value: Any) -> np.ndarray:
    return np.where(m, np.asarray(value).astype(x.dtype), x)


FLOAT_MASK = ((Call(np.zeros(3), np.zeros(3), 1.0), RuntimeError, "boolean masks"),
              (Call(np.zeros(3), np.zeros(2, bool), 1.0), RuntimeError, "must match the size"))

ROWS = [
    Row("where", where_samples, choose, errors=(
        (Call(np.zeros(3), np.zeros(3), np.zeros(3)), RuntimeError, "condition to be a boolean tensor"),
        (Call(np.zeros(3, bool), np.zeros(2), np.zeros(3)), RuntimeError, "must match the size"),
        (Call(np.zeros(3, bool), np.zeros(3)), TypeError, "both"),
    )),
    Row("masked_fill", fill_samples, fill, dtypes=ALL, method="masked_fill", inplace="masked_fill_", errors=(
        *FLOAT_MASK, (Call(np.zeros(3), np.zeros(3, bool), np.zeros(1)), RuntimeError, "only supports a 0-dimensional value"),
    )),
    Row("masked_select", select_samples, masked_select, dtypes=ALL, method="masked_select", out=True, errors=(
        (Call(np.zeros(3), np.zeros(3)), RuntimeError, "expected BoolTensor for mask"),
    )),
    Row("masked_scatter", scatter_samples, masked_scatter, method="masked_scatter", inplace="masked_scatter_", errors=(
        (Call(np.zeros(3), np.ones(3, bool), np.zeros(2)), RuntimeError, "Number of elements of source < number of ones"),
    )),
    Row("nonzero", nonzero_samples, lambda x: np.argwhere(x), dtypes=ALL, grad=False, method="nonzero"),
    Row("unravel_index", lambda rng: [Call(np.array([[0, 5], [23, 7]]), (2, 3, 4)), Call(np.array(3), (5,)), Call(np.array([-1]), (2, 3))],
        lambda i, shape: np.unravel_index(i % np.prod(shape), shape), grad=False, strides=False, errors=(
        (Call(np.array([0.5]), (2,)), TypeError, "integer dtype"), (Call(np.array([0]), (-2,)), ValueError, "negative"))),
    Row("argwhere", nonzero_samples, lambda x: np.argwhere(x), grad=False, method="argwhere"),
]
