"""Rows of embedding."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from opinfo import Call, Row, array, layouts


def samples(rng: np.random.Generator) -> Iterator[Call]:
    for w in layouts(array(rng, 5, 3)):
        yield Call(np.array([4, 0, 4, 1]), w)
    w = array(rng, 5, 3)
    yield Call(np.array(2), w)
    yield Call(np.zeros((0, 2), np.int64), w)
    yield Call(np.array([[0, 1], [2, 2]], np.int32), w)
    yield Call(rng.integers(0, 5, (4, 6)).T, w)
    yield Call(rng.integers(0, 40, 700), array(rng, 40, 1))
    yield Call(np.array([0, 1]), array(rng, 2, 0))


def padded(rng: np.random.Generator) -> Iterator[Call]:
    """A padding row gets no gradient, which no finite difference agrees with: forward alone."""
    yield Call(np.array([4, 0, 4, 1]), array(rng, 5, 3), padding_idx=4)
    yield Call(np.array([4, 0, 4, 1]), array(rng, 5, 3), padding_idx=-5)


def embedding(index: np.ndarray, weight: np.ndarray, padding_idx: Any = None) -> np.ndarray:
    return weight[index]


W = np.ones((5, 3))

ROWS = [
    Row("ops.embedding", samples, embedding, torch="nn.functional.embedding", errors=(
        (Call(np.array([0, 5]), W), IndexError, r"\[embedding\] index out of range in self: index 5 at position 1"),
        (Call(np.array([-1]), W), IndexError, r"\[embedding\] index out of range in self: index -1"),
        (Call(np.array([1.0]), W), RuntimeError, r"\[embedding\] Expected .* Long, Int; but got Double|Float"),
        (Call(np.array([1]), W[0]), RuntimeError, r"\[embedding\] 'weight' must be 2-D"),
    )),
    Row("ops.embedding", padded, embedding, torch="nn.functional.embedding", grad=False, errors=(
        (Call(np.array([1]), W, padding_idx=5), AssertionError, r"\[embedding\] Padding_idx must be within"),
    )),
]
