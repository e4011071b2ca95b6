"""Rows of windows as columns and back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from opinfo import Call, Row, array, layouts


def pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else tuple(value)


def places(size: Any, kernel: Any, dilation: Any, padding: Any, stride: Any) -> Iterator[tuple[int, int, int, int, int]]:
    """Yield (tap, window, row, column) of every tap of every window inside an image."""
    (k, l), (d, e), (p, q), (s, r) = map(pair, (kernel, dilation, padding, stride))
    rows, cols = (size[0] + 2 * p - d * (k - 1) - 1) // s + 1, (size[1] + 2 * q - e * (l - 1) - 1) // r + 1
    for a, b, i, j in np.ndindex(k, l, rows, cols):
        row, col = i * s + a * d - p, j * r + b * e - q
        yield a * l + b, i * cols + j, row, col, 0 <= row < size[0] and 0 <= col < size[1]


def im2col(x: np.ndarray, *window: Any) -> np.ndarray:
    every = list(places(x.shape[-2:], *window))
    taps, blocks = every[-1][0] + 1, every[-1][1] + 1
    y = np.zeros((*x.shape[:-2], taps, blocks), x.dtype)
    for tap, block, row, col, inside in every:
        if inside:
            y[..., tap, block] = x[..., row, col]
    return y.reshape(*x.shape[:-3], x.shape[-3] * taps, blocks)


def col2im(x: np.ndarray, size: Any, *window: Any) -> np.ndarray:
    k, l = pair(window[0])
    x = x.reshape(*x.shape[:-2], x.shape[-2] // (k * l), k * l, x.shape[-1])
    y = np.zeros((*x.shape[:-2], *pair(size)), x.dtype)
    for tap, block, row, col, inside in places(pair(size), *window):
        if inside:
            y[..., row, col] += x[..., tap, block]
    return y


WINDOWS = [(2, 1, 0, 1), ((2, 3), (2, 1), (1, 0), (1, 2)), (3, 1, 2, 3), ((1, 2), (1, 3), (0, 2), (2, 1)), ([2, 1], 1, 0, [3, 2]), (2, 4, 3, 5)]


def unfolded(rng: np.random.Generator) -> Iterator[Call]:
    for x in layouts(array(rng, 2, 2, 4, 5)):
        for window in WINDOWS:
            yield Call(x, *window)
    yield Call(array(rng, 3, 4, 3), 2, 1, 1, 2)
    yield Call(array(rng, 0, 3, 4, 3), 2, 1, 0, 1)


def folded(rng: np.random.Generator) -> Iterator[Call]:
    for window in WINDOWS:
        for x in layouts(im2col(array(rng, 2, 2, 4, 5), *window)):
            yield Call(x, (4, 5), *window)
    yield Call(array(rng, 12, 9), 4, 2, 1, 0, 1)
    yield Call(array(rng, 0, 12, 9), (4, 4), 2, 1, 0, 1)


X, C = np.ones((2, 3, 5, 6)), np.ones((2, 12, 20))
ROWS = [
    Row("im2col", unfolded, im2col, torch="_C._nn.im2col", errors=(
        (Call(X[0, 0], 2, 1, 0, 1), IndexError, r"\[im2col\] Expected 3D or 4D .* but got: \(5, 6\)"),
        (Call(X[None], 2, 1, 0, 1), RuntimeError, "Expected 3D or 4D"),
        (Call(X[:, :0], 2, 1, 0, 1), RuntimeError, "non-zero dimensions"),
        (Call(X, 0, 1, 0, 1), RuntimeError, "kernel_size should be greater than zero"),
        (Call(X, 2, (1, 0), 0, 1), RuntimeError, "dilation should be greater than zero"),
        (Call(X, 2, 1, -1, 1), RuntimeError, "padding should be non-negative"),
        (Call(X, 2, 1, 0, 0), RuntimeError, "stride should be greater than zero"),
        (Call(X, (2, 2, 2), 1, 0, 1), RuntimeError, "expected kernel_size equals to 2, but got size 3"),
        (Call(X, 2.0, 1, 0, 1), TypeError, "'kernel_size' must be tuple of ints, not float"),
        (Call(X, 9, 1, 0, 1), RuntimeError, r"sliding blocks as \(-3, -2\)"),
        (Call([1], 2, 1, 0, 1), TypeError, "Tensor"))),
    Row("col2im", folded, col2im, torch="_C._nn.col2im", errors=(
        (Call(C[0, 0], (5, 6), 2, 1, 0, 1), RuntimeError, r"\[col2im\] Expected 2D or 3D .* but got: \(20,\)"),
        (Call(C, (5, 7), 2, 1, 0, 1), RuntimeError, r"sliding blocks 4 \* 6 = 24, but got input of shape \(2, 12, 20\)"),
        (Call(C[:, :11], (5, 6), 2, 1, 0, 1), RuntimeError, "divisible by the product of kernel_size"),
        (Call(C, (-5, 6), 2, 1, 0, 1), RuntimeError, r"sliding blocks -6 \* 5 = -30"),
        (Call(C, (5, 6, 7), 2, 1, 0, 1), RuntimeError, "expected output_size equals to 2"),
        (Call(C, (5, 6), 2, 1, 0, (0, 1)), RuntimeError, "stride should be greater than zero"))),
]
