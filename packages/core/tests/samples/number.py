"""Rows of number-theoretic and bit-level pointwise functions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from opinfo import ALL, FLOATS, Call, Row, array

INF, NAN = np.inf, np.nan
EXTREME = np.array([0.0, -0.0, 1.0, -1.5, INF, -INF, NAN, 1e-310, 5e-324, 1e300, 0.5])


def integers(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(rng.integers(-60, 60, (3, 4)), rng.integers(-60, 60, (4,)))
    yield Call(rng.integers(0, 60, (3,), dtype=np.int32), rng.integers(0, 60, (2, 1), dtype=np.int32))
    yield Call(rng.integers(0, 255, (5,)).astype(np.uint8), rng.integers(0, 255, (5,)).astype(np.uint8))
    yield Call(np.array([0, 0, 7, -2**63 + 1]), np.array([0, 5, 0, 3]))
    yield Call(rng.integers(0, 9, (0,)), np.array(3))
    yield Call(np.array([True, False]), np.array([4, 6]))


def pairs(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(array(rng, 3, 4), array(rng, 3, 4))
    yield Call(array(rng, 3, 4), array(rng, 4))
    yield Call(array(rng, 2, 1, 3), array(rng, 4, 1))
    yield Call(array(rng, 4, 3).T, array(rng))
    yield Call(array(rng, 0), array(rng, 1))


def with_extremes(rng: np.random.Generator) -> Iterator[Call]:
    yield from pairs(rng)
    yield Call(EXTREME[:, None].copy(), EXTREME.copy())


def one(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(array(rng, 3, 4, low=-400, high=400))
    yield Call(array(rng))
    yield Call(array(rng, 0, 2))
    yield Call(array(rng, 4, 6)[::2, ::3])
    yield Call(EXTREME.copy())


def step(rng: np.random.Generator) -> Iterator[Call]:
    for call in with_extremes(rng):
        a, b = call.args
        yield Call(np.asarray(np.round(a)), b)


def heaviside(a: Any, b: Any) -> Any:
    b = np.broadcast_to(b, np.broadcast_shapes(a.shape, b.shape))
    return np.where(a == 0, b, (a > 0).astype(b.dtype))


def exponents(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(array(rng, 3, 4), rng.integers(0, 9, (3, 4)))
    yield Call(array(rng, 3, 1), rng.integers(0, 9, (4,), dtype=np.int32))
    yield Call(array(rng, 2, 3), np.array(3))


def negative_exponents(rng: np.random.Generator) -> Iterator[Call]:
    """PyTorch's gradient is 0 for these, whose 2^k it takes as an integer."""
    yield Call(array(rng, 3, 4), rng.integers(-9, 0, (3, 4)))
    yield Call(EXTREME[:, None].copy(), np.array([0, 1, -60, 60]))


def powers(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(array(rng, 3, 4), array(rng, 4))
    yield Call(array(rng, 3), array(rng, 3))


def frexp(x: Any) -> Any:
    m, e = np.frexp(x)
    return m, np.where(np.isfinite(x), e, 0)


def nonzero(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(array(rng, 3, 4, low=0.3, high=9))
    yield Call(array(rng))
    yield Call(array(rng, 0))
    yield Call(np.array([0.0, -0.0, INF, -INF, NAN, 1e-30, -8.0]))


TWO_TENSORS = (Call(np.zeros(2), 1), TypeError, "must be Tensor, not int")
NO_FLOATS = (Call(np.zeros(2), np.zeros(2)), NotImplementedError, "not implemented for 'Double'")
ROWS = [
    Row("gcd", integers, np.gcd, dtypes=("int64",), grad=False, method="gcd", inplace=None, out=True, errors=(NO_FLOATS, TWO_TENSORS)),
    Row("lcm", integers, np.lcm, dtypes=("int64",), grad=False, method="lcm", inplace=None, out=True, errors=(NO_FLOATS, TWO_TENSORS)),
    Row("heaviside", step, heaviside, dtypes=ALL, grad=False, method="heaviside", inplace="heaviside_", out=True, errors=(
        (Call(np.zeros(2), np.zeros(2, np.int64)), RuntimeError, "different dtypes"), TWO_TENSORS)),
    Row("logaddexp2", pairs, np.logaddexp2, method="logaddexp2", out=True, errors=(TWO_TENSORS,)),
    Row("logaddexp2", with_extremes, np.logaddexp2, grad=False),
    Row("nextafter", with_extremes, None, grad=False, method="nextafter", inplace="nextafter_", out=True, rtol={}, atol={},
        errors=(TWO_TENSORS,)),
    Row("ldexp", exponents, lambda x, k: np.ldexp(x, k), method="ldexp", inplace="ldexp_", out=True, errors=(
        (Call(np.zeros(2), np.array([True])), NotImplementedError, "bool"), TWO_TENSORS)),
    Row("ldexp", negative_exponents, lambda x, k: np.ldexp(x, k), grad=False),
    Row("ldexp", powers, lambda x, k: x * 2.0**k, inplace="ldexp_"),
    Row("frexp", nonzero, frexp, method="frexp", errors=((Call(np.array([1])), RuntimeError, "floating-point"),)),
    Row("deg2rad", one, np.deg2rad, method="deg2rad", inplace="deg2rad_", out=True),
    Row("rad2deg", one, np.rad2deg, method="rad2deg", inplace="rad2deg_", out=True),
    Row("isposinf", one, lambda x: x == INF, dtypes=ALL, grad=False, method="isposinf", out=True, errors=(
        (Call(np.zeros(2), out=np.zeros(2)), RuntimeError, "non-boolean"),)),
    Row("isneginf", one, lambda x: x == -INF, dtypes=ALL, grad=False, method="isneginf", out=True),
    Row("isreal", one, lambda x: np.ones(x.shape, bool), dtypes=ALL, grad=False, method="isreal"),
    Row("positive", one, lambda x: x, dtypes=FLOATS + ("int64",), method="positive", errors=(
        (Call(np.array([True])), RuntimeError, "bool tensor is not supported"),)),
]
