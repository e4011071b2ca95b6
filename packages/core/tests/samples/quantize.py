"""Rows of rounding to what a quantised tensor could hold; tests/parity/programs/quantised.txt has the derivatives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from opinfo import Call, Row, array, layouts

ZEROS = np.zeros(3, np.int32)
TENTHS = np.full(3, 0.1, np.float32)


def tensors(rng: np.random.Generator) -> Iterator[Call]:
    for x in layouts(array(rng, 3, 4)):
        yield Call(x, 0.125, 1, -4, 7)
    yield Call(array(rng, 7), np.array(0.25, np.float32), np.array(2, np.int32), 0, 15)
    yield Call(array(rng), 0.5, 0, 0, 1)
    yield Call(array(rng, 0, 3), 0.5, 0, 0, 1)
    yield Call(np.array([np.inf, -np.inf, np.nan, 1e30]), 0.5, 3, 0, 7)


def channels(rng: np.random.Generator) -> Iterator[Call]:
    scale = np.array([0.125, 0.25, 0.5], np.float32)
    for axis, shape in ((0, (3, 4)), (1, (2, 3, 2))):
        yield Call(array(rng, *shape), scale, np.array([0, 1, -2], np.int32), axis, -8, 7)
        yield Call(array(rng, *shape), scale, np.array([0.5, 1.25, -2], np.float32), axis, -8, 7)


def rounded(x: Any, scale: Any, zero: Any, low: int, high: int) -> Any:
    scale = np.asarray(scale, np.float32)
    steps = x * (1 / scale)
    steps = np.rint(steps) + zero if np.asarray(zero).dtype.kind == "i" else np.rint(steps + zero)
    return ((np.clip(np.nan_to_num(steps, nan=low, posinf=high, neginf=low), low, high) - zero) * scale).astype(x.dtype)


def by_channel(x: Any, scale: Any, zero: Any, axis: int, low: int, high: int) -> Any:
    shape = [-1 if d == axis else 1 for d in range(x.ndim)]
    return rounded(x, scale.reshape(shape), zero.reshape(shape), low, high)


ROWS = [
    Row("fake_quantize_per_tensor_affine", tensors, rounded, grad=False, errors=(
        (Call(np.zeros(3), 0.1, 9, 0, 7), RuntimeError, "zero_point must be between quant_min and quant_max, got 9 for 0 to 7"),
        (Call(np.zeros(3), 0.1, 0, 7, 0), RuntimeError, "quant_min must be less than or equal to quant_max, got 7 and 0"),
        (Call(np.zeros(3), TENTHS, ZEROS, 0, 7), RuntimeError, r"scale should have one element, got shape \(3,\)"),
        (Call(np.zeros(3), 0.1, 1.0, 0, 7), TypeError, "'zero_point' must be int or Tensor, not float"),
        (Call(np.zeros(3, np.int64), 0.1, 0, 0, 7), NotImplementedError, "'Long'"))),
    Row("fake_quantize_per_channel_affine", channels, by_channel, grad=False, errors=(
        (Call(np.zeros((2, 3)), TENTHS, ZEROS, 0, 0, 7), RuntimeError, r"scale must have one element for each of 2 channels, got shape \(3,\)"),
        (Call(np.zeros((2, 3)), TENTHS, ZEROS, 2, 0, 7), IndexError, r"got 2 for shape \(2, 3\)"),
        (Call(np.zeros((2, 3)), TENTHS, ZEROS + 9, 1, 0, 7), RuntimeError, "0 to 7, got .9, 9, 9."),
        (Call(np.zeros((2, 3)), TENTHS, ZEROS.astype(np.int64), 1, 0, 7), RuntimeError, "Zero-point must be Int32, Float or Half"),
        (Call(np.zeros((2, 3)), TENTHS.astype(np.int32), ZEROS, 1, 0, 7), RuntimeError, "Scale must be Float"))),
]
