"""Rows of the cumulative ops."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from opinfo import FLOATS, INTS, Call, Row, array, layouts

NUMBERS = FLOATS + INTS


def along(rng: np.random.Generator) -> Iterator[Call]:
    """Each dimension, every layout, 0-d, empty, and more columns than one tile."""
    yield Call(array(rng), 0)
    for x in layouts(array(rng, 3, 4)):
        yield Call(x, 0)
        yield Call(x, -1)
    for dim in range(3):
        yield Call(array(rng, 2, 3, 4), dim=dim)
    yield Call(array(rng, 0, 3), 0)
    yield Call(array(rng, 2, 0), 0)
    yield Call(array(rng, 1), 0)


def with_zeros(rng: np.random.Generator) -> Iterator[Call]:
    """As along, and rows with zeros in several places."""
    yield from along(rng)
    for zeros in ([0], [2], [1, 3], [0, 1, 2, 3]):
        x = array(rng, 4, 2)
        x[zeros] = 0
        yield Call(x, 0)


def total(x: np.ndarray, dim: int) -> np.ndarray:
    """Running sums, integers in int64."""
    if x.ndim == 0:
        return x if x.dtype.kind == "f" else x.astype(np.int64)
    return np.cumsum(x, axis=dim, dtype=np.float64 if x.dtype.kind == "f" else np.int64).astype(
        x.dtype if x.dtype.kind == "f" else np.int64)


def product(x: np.ndarray, dim: int) -> np.ndarray:
    """Running products, integers in int64."""
    if x.ndim == 0:
        return x if x.dtype.kind == "f" else x.astype(np.int64)
    return np.cumprod(x, axis=dim, dtype=np.float64 if x.dtype.kind == "f" else np.int64).astype(
        x.dtype if x.dtype.kind == "f" else np.int64)


def log_total(x: np.ndarray, dim: int) -> np.ndarray:
    """Running log-sum-exp."""
    return x if x.ndim == 0 else np.logaddexp.accumulate(x, axis=dim)


WRONG_DIM = (Call(np.ones(3), 1), IndexError, r"Dimension out of range")
NO_INT = (Call(np.ones(3), "a"), TypeError, r"argument 'dim' must be int")

ROWS = [
    Row("cumsum", along, total, dtypes=(*NUMBERS, "bool"), method="cumsum", inplace="cumsum_", out=True,
        errors=(WRONG_DIM, NO_INT)),
    Row("cumprod", with_zeros, product, dtypes=NUMBERS, method="cumprod", inplace="cumprod_", out=True,
        errors=(WRONG_DIM, NO_INT)),
    Row("logcumsumexp", along, log_total, method="logcumsumexp", out=True, errors=(WRONG_DIM,)),
    Row("cummax", along, None, dtypes=(*NUMBERS, "bool"), method="cummax", errors=(WRONG_DIM,)),
    Row("cummin", along, None, dtypes=(*NUMBERS, "bool"), method="cummin", errors=(WRONG_DIM,)),
]
