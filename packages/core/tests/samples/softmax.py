"""Rows of softmax and log_softmax."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from opinfo import Call, Row, array, layouts


def samples(rng: np.random.Generator) -> Iterator[Call]:
    for x in layouts(array(rng, 4, 7)):
        yield Call(x, 0)
        yield Call(x, -1)
    yield Call(array(rng), 0)
    yield Call(array(rng, 0, 3), 0)
    yield Call(array(rng, 0, 3), 1)
    yield Call(array(rng, 3, 0), 1)
    yield Call(array(rng, 1, 1), 1)
    for dim in range(3):
        yield Call(array(rng, 3, 5, 4), dim)
    yield Call(array(rng, 2, 3, 140), 1)
    yield Call(array(rng, 2, 1100), -1)
    yield Call(array(rng, 5) * 50, 0)
    yield Call(array(rng, 5) * 300, 0)


def softmax(x: np.ndarray, dim: int) -> np.ndarray:
    e = np.exp(x - x.max(dim, keepdims=True)) if x.size else x
    return e / e.sum(dim, keepdims=True) if x.ndim else np.ones(())


def log_softmax(x: np.ndarray, dim: int) -> np.ndarray:
    if not x.size or not x.ndim:
        return np.zeros(x.shape)
    d = x - x.max(dim, keepdims=True)
    return d - np.log(np.exp(d).sum(dim, keepdims=True))


X = np.ones((2, 3))


def errors(name: str) -> Any:
    return (
        (Call(X, 2), IndexError, rf"\[{name}\] Dimension out of range \(expected to be in range of \[-2, 1\], but got 2\)"),
        (Call(X.astype(np.int64), 1), NotImplementedError, rf"\[{name}\] not implemented for 'Long'"),
        (Call(X, 0.5), TypeError, rf"\[{name}\] argument 'dim' must be int, not float"),
    )


ROWS = [
    Row("softmax", samples, softmax, method="softmax", out=True, errors=errors("softmax")),
    Row("log_softmax", samples, log_softmax, method="log_softmax", out=True, errors=errors("log_softmax")),
]
