"""Rows of pad."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from opinfo import ALL, Call, Row, array, layouts

MODES = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def pad(x: np.ndarray, pad: Any, mode: str = "constant", value: Any = None) -> np.ndarray:
    amounts = [(0, 0)] * (x.ndim - len(pad) // 2) + [(pad[i], pad[i + 1]) for i in range(0, len(pad), 2)][::-1]
    wide = [(max(a, 0), max(b, 0)) for a, b in amounts]
    more = {"constant_values": value or 0} if mode == "constant" else {}
    y = np.pad(x, wide, MODES[mode], **more) if wide else x
    return y[tuple(slice(max(-a, 0), y.shape[d] - max(-b, 0)) for d, (a, b) in enumerate(amounts))]


def constant_samples(rng: np.random.Generator) -> Iterator[Call]:
    for x in layouts(array(rng, 3, 4)):
        yield Call(x, (1, 2))
        yield Call(x, (0, 1, 2, 0), value=3)
    x = array(rng, 2, 3, 4)
    yield Call(x, ())
    yield Call(x, (-1, 0, 2, -1))
    yield Call(x, (-2, -2))
    yield Call(x, [1, 1, 0, 0, 1, 0], "constant", 1.5)
    yield Call(array(rng, 0, 3), (1, 1, 1, 0))
    yield Call(array(rng, 5), (3, 0))
    yield Call(array(rng), ())
    yield Call(array(rng, 2, 60, 70), (3, 3, 3, 3))


def other_samples(rng: np.random.Generator) -> Iterator[Call]:
    for mode in ("reflect", "replicate", "circular"):
        for x in layouts(array(rng, 2, 5)):
            yield Call(x, (2, 1), mode)
        yield Call(array(rng, 2, 2, 5), (4, 3), mode)
        yield Call(array(rng, 2, 4, 3), (1, 2, 3, 0), mode)
        yield Call(array(rng, 2, 2, 4, 3), (1, 2, 0, 3), mode)
        yield Call(array(rng, 1, 3, 3, 3), (1, 2, 0, 1, 1, 1), mode)
        yield Call(array(rng, 0, 2, 4), (1, 1), mode)
    yield Call(array(rng, 2, 2, 4, 3), (-1, 1, 2, -1), "reflect")
    yield Call(array(rng, 2, 2, 4, 3), (5, 7, 2, -1), "replicate")


def plain_samples(rng: np.random.Generator) -> Iterator[Call]:
    for x in layouts(array(rng, 2, 3)):
        yield Call(x, (1, 2))
    yield Call(array(rng, 2, 3), (1, -1, 0, 2), 1.5)


def constant_pad_nd(x: np.ndarray, amounts: Any, value: Any = 0) -> np.ndarray:
    return pad(x, amounts, "constant", value)


X = np.ones((2, 3, 4, 4))

ROWS = [
    Row("constant_pad_nd", plain_samples, constant_pad_nd, dtypes=ALL),
    Row("pad", constant_samples, pad, dtypes=ALL, torch="nn.functional.pad", errors=(
        (Call(X, (1, 1, 1)), RuntimeError, r"\[pad\] Padding length must be divisible by 2"),
        (Call(X[0, 0], (1,) * 6), RuntimeError, r"\[pad\] Padding length should be less than or equal to two times"),
        (Call(X, (-3, -3)), RuntimeError, r"\[pad\] padding \(-3, -3\) leaves a negative size at dimension 3"),
        (Call(X, (1, 1), "circ"), NotImplementedError, r"\[pad\] Unrecognised padding mode circ"),
        (Call(X, (2**62, 2**62)), RuntimeError, r"\[pad\] padding 4611686018427387904 is beyond any tensor's size"),
        (Call(X, 1), TypeError, r"\[pad\] argument 'pad' must be tuple of ints, not int"),
    )),
    Row("pad", other_samples, pad, torch="nn.functional.pad", errors=(
        (Call(X, (1, 1), "reflect"), NotImplementedError, r"\[pad\] Padding size 2 is not supported for 4D input"),
        (Call(X, (4, 1, 1, 1), "reflect"), RuntimeError, r"\[pad\] Padding size should be less than .*\(4, 1\) at dimension 3"),
        (Call(X, (5, 1, 1, 1), "circular"), RuntimeError, r"\[pad\] Padding value causes wrapping around more than once"),
        (Call(X, (1, 1, 1, 1), "reflect", 3), RuntimeError, r"\[pad\] Padding mode \"reflect\" doesn't take in value"),
    )),
]
