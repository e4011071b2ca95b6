"""Rows of embeddings, one by one and in bags."""

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


def bags(rng: np.random.Generator) -> Iterator[Call]:
    index, starts = np.array([4, 0, 4, 1, 2, 2]), np.array([0, 1, 1, 4])
    for mode in ("sum", "mean", "max"):
        for w in layouts(array(rng, 5, 3)):
            yield Call(index, w, offsets=starts, mode=mode)
        w = array(rng, 5, 3)
        yield Call(np.array([[4, 0], [4, 1]], np.int32), w, mode=mode)
        yield Call(index, w, offsets=starts, mode=mode, padding_idx=-1)
        yield Call(index, w, offsets=np.array([0, 2, 6]), mode=mode, include_last_offset=True)
        yield Call(np.zeros((0,), np.int64), w, offsets=np.array([0, 0]), mode=mode)
        yield Call(np.zeros((0, 3), np.int64), w, mode=mode)
        yield Call(rng.integers(0, 40, 300), array(rng, 40, 70), offsets=np.arange(0, 300, 7), mode=mode)
    yield Call(index, array(rng, 5, 3), offsets=starts, mode="sum", per_sample_weights=array(rng, 6))
    yield Call(index.reshape(2, 3), array(rng, 5, 40), mode="sum", per_sample_weights=array(rng, 2, 3), padding_idx=2)


def embedding_bag(
    index: np.ndarray, weight: np.ndarray, offsets: Any = None, mode: str = "mean", per_sample_weights: Any = None,
    include_last_offset: bool = False, padding_idx: Any = None,
) -> np.ndarray:
    starts = list(offsets) if offsets is not None else list(range(0, index.size, index.shape[1])) if index.size else []
    ends = starts[1:] if include_last_offset or not starts else [*starts[1:], index.size]
    flat = index.reshape(-1)
    scale = np.ones(flat.size) if per_sample_weights is None else per_sample_weights.reshape(-1)
    kept = np.ones(flat.size, bool) if padding_idx is None else flat != padding_idx % len(weight)
    y = np.zeros((len(ends), weight.shape[1]))
    for b, (start, end) in enumerate(zip(starts, ends, strict=False)):
        at = np.arange(start, end)[kept[start:end]]
        if at.size:
            rows = weight[flat[at]] * scale[at, None]
            y[b] = rows.sum(0) if mode == "sum" else rows.mean(0) if mode == "mean" else rows.max(0)
    return y


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
    Row("ops.embedding_bag", bags, embedding_bag, torch="nn.functional.embedding_bag", errors=(
        (Call(np.array([0, 5]), W, np.array([0])), RuntimeError, r"\[embedding_bag\] Index 1 of input takes value 5 .* \[0, 5\)"),
        (Call(np.array([0]), W), ValueError, r"\[embedding_bag\] offsets has to be a 1D Tensor but got None"),
        (Call(np.array([0]), W, np.array([[0]])), ValueError, r"\[embedding_bag\] offsets has to be a 1D Tensor"),
        (Call(np.array([0]), W, np.array([1])), RuntimeError, r"\[embedding_bag\] offsets\[0\] has to be 0"),
        (Call(np.array([0]), W, np.array([0, 2])), RuntimeError, r"\[embedding_bag\] offsets\[-1\] can not be greater than input"),
        (Call(np.array([0]), W, np.array([0, -2])), IndexError, r"\[embedding_bag\] offsets must not be negative"),
        (Call(np.array([[0]]), W, np.array([0])), ValueError, r"\[embedding_bag\] if input is 2D, then offsets has to be None"),
        (Call(np.array([[[0]]]), W), ValueError, r"\[embedding_bag\] input has to be 1D or 2D Tensor"),
        (Call(np.array([[0]]), W[0]), ValueError, r"\[embedding_bag\] weight has to be a 2D Tensor"),
        (Call(np.array([[0]]), W, mode="prod"), ValueError, r"\[embedding_bag\] mode has to be one of sum, mean or max"),
        (Call(np.array([[0.5]]), W), RuntimeError, r"\[embedding_bag\] Expected tensor for argument 'indices'"),
        (Call(np.array([[0]]), W, padding_idx=5), RuntimeError, r"\[embedding_bag\] padding_idx must be within"),
        (Call(np.array([[0]]), W, per_sample_weights=W[:1, :1]), NotImplementedError, r"\[embedding_bag\] .*only supported for mode='sum'"),
        (Call(np.array([[0]]), W, mode="sum", per_sample_weights=W), ValueError, r"\[embedding_bag\] If per_sample_weights"),
    )),
]
