"""Rows of three-dimensional convolution and pooling."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
from opinfo import Call, Row, array


def triple(v: Any) -> tuple[int, ...]:
    return (v,) * 3 if isinstance(v, int) else tuple(v)


def convolutions(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(array(rng, 1, 1, 2, 3, 2), array(rng, 1, 1, 2, 2, 2), array(rng, 1))
    yield Call(array(rng, 2, 2, 2, 2), array(rng, 2, 1, 1, 2, 1), array(rng, 2), groups=2)
    yield Call(array(rng, 1, 1, 3, 3, 3), array(rng, 1, 1, 2, 2, 1), stride=2, padding=1)
    yield Call(array(rng, 2, 2, 4, 4, 5), array(rng, 3, 2, 2, 1, 3), stride=(1, 2, 1), padding=(1, 0, 2), dilation=(2, 1, 1))
    yield Call(array(rng, 1, 2, 3, 4, 5), array(rng, 3, 2, 3, 2, 2), padding="same")
    yield Call(array(rng, 0, 1, 3, 3, 3), array(rng, 2, 1, 2, 2, 2))


def conv3d(x: Any, w: Any, b: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1) -> Any:
    stride, dilation, batched = triple(stride), triple(dilation), x.ndim == 5
    x = x if batched else x[None]
    reach = [d * (k - 1) for d, k in zip(dilation, w.shape[2:], strict=True)]
    sides = [(r // 2, r - r // 2) for r in reach] if padding == "same" else [(p, p) for p in triple(padding)]
    x = np.pad(x, [(0, 0), (0, 0), *sides])
    out = [(n - r - 1) // s + 1 for n, r, s in zip(x.shape[2:], reach, stride, strict=True)]
    y = np.zeros((x.shape[0], w.shape[0], *out))
    per, each = x.shape[1] // groups, w.shape[0] // groups
    for o, (i, j, k) in itertools.product(range(w.shape[0]), itertools.product(*map(range, w.shape[2:]))):
        at = [slice(p * d, p * d + (n - 1) * s + 1, s) for p, d, n, s in zip((i, j, k), dilation, out, stride, strict=True)]
        part = x[:, o // each * per : (o // each + 1) * per, at[0], at[1], at[2]]
        y[:, o] += (part * w[o, :, i, j, k].reshape(-1, 1, 1, 1)).sum(1)
    y = y if b is None else y + b.reshape(-1, 1, 1, 1)
    return y if batched else y[0]


def transposes(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(array(rng, 1, 1, 2, 2, 2), array(rng, 1, 1, 2, 2, 2), array(rng, 1))
    yield Call(array(rng, 2, 2, 2, 2), array(rng, 2, 1, 2, 2, 1), None, 2, 1, 1, 2)
    yield Call(array(rng, 1, 2, 3, 3, 2), array(rng, 2, 3, 2, 2, 2), stride=(3, 2, 1), padding=(0, 1, 0), output_padding=(2, 1, 0),
               dilation=(1, 2, 3))


def windows(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(array(rng, 1, 2, 2, 3, 3), 2)
    yield Call(array(rng, 1, 3, 3, 3), 2, 1)
    yield Call(array(rng, 2, 2, 3, 4, 5), (3, 2, 1), padding=(1, 1, 0), ceil_mode=True)
    yield Call(array(rng, 2, 3, 4, 5), 2, 2, dilation=(2, 1, 2))
    yield Call(array(rng, 0, 2, 3, 4, 5), 2)


V, K = np.ones((1, 2, 3, 4, 5)), np.ones((3, 2, 2, 2, 2))
ROWS = [
    Row("conv3d", convolutions, conv3d, errors=(
        (Call(V[0, 0], K), RuntimeError, r"Expected 4D \(unbatched\) or 5D \(batched\) input to conv3d, but got input of shape \(3, 4, 5\)"),
        (Call(V, K[0]), RuntimeError, "Expected 5D weight"),
        (Call(V, np.ones((3, 2, 4, 2, 2))), RuntimeError, "Kernel size can't be greater than actual input size"),
        (Call(V, np.ones((3, 3, 2, 2, 2))), RuntimeError, "channels"),
        (Call(V, K, stride=0), RuntimeError, "must be positive"),
        (Call(V, K, padding=-1), RuntimeError, "negative padding"))),
    Row("conv_transpose3d", transposes, errors=(
        (Call(V, K, output_padding=1), RuntimeError, "channels|output padding"),
        (Call(V, np.ones((2, 3, 1, 1, 1)), padding=2), RuntimeError, "Output size is too small"))),
    Row("max_pool3d", windows, errors=(
        (Call(V[0, 0], 2), RuntimeError, "Expected 4D or 5D"),
        (Call(V, 4), RuntimeError, "Output size is too small"),
        (Call(V, 2, padding=2), RuntimeError, "at most half of kernel size"),
        (Call(V, 0), RuntimeError, "greater than zero"))),
]
