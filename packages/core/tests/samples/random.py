"""Rows of the random ops with parameters that leave nothing to chance; the streams are in test_random.py."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from opinfo import Call, Row, array, layouts

SHAPES: tuple[tuple[int, ...], ...] = ((), (1,), (17,), (3, 5), (0, 3), (2, 3, 4))


def certain(rng: np.random.Generator) -> Iterator[Call]:
    """Probabilities of 0 and 1."""
    for shape in SHAPES:
        for x in layouts(rng.integers(0, 2, shape).astype(np.float64)):
            yield Call(x)


def certain_scalar(rng: np.random.Generator) -> Iterator[Call]:
    for shape in SHAPES:
        yield Call(array(rng, *shape), 0.0)
        yield Call(array(rng, *shape), 1.0)


def impossible_shapes(rng: np.random.Generator) -> Iterator[Call]:
    """Gamma shapes of 0, whose values are the dtype's least number."""
    for shape in SHAPES:
        for x in layouts(np.zeros(shape)):
            yield Call(x)


def single_shares(rng: np.random.Generator) -> Iterator[Call]:
    """Dirichlet variables of one share, which takes all."""
    for shape in ((1,), (17, 1), (0, 1), (2, 3, 1)):
        for x in layouts(array(rng, *shape, low=1.0, high=3.0)):
            yield Call(x)


def gamma_values(rng: np.random.Generator) -> Iterator[Call]:
    """Gamma shapes and values, of one shape and broadcast."""
    for shape in SHAPES:
        for a in layouts(array(rng, *shape, low=0.2, high=30.0)):
            yield Call(a, array(rng, *shape, low=0.5, high=25.0))
    yield Call(array(rng, 3, 1, low=0.2, high=2.0), array(rng, 4, low=0.5, high=5.0))
    yield Call(np.array([400.0, 5000.0]), np.array([410.0, 4950.0]))


def shares(rng: np.random.Generator) -> Iterator[Call]:
    """Beta values with their concentrations and totals."""
    for shape in SHAPES:
        for x in layouts(array(rng, *shape, low=0.05, high=0.95)):
            a = array(rng, *shape, low=0.3, high=8.0)
            yield Call(x, a, np.asarray(a + array(rng, *shape, low=0.3, high=8.0)))
    yield Call(array(rng, 3, 1, low=0.1, high=0.9), array(rng, 4, low=0.5, high=2.0), np.array(4.0))


def extrapolated(f: Any, a: np.ndarray) -> np.ndarray:
    """The derivative of f at a: two central differences, their second-order error taken off."""
    h = np.asarray(a) * 1e-3
    wide, near = [(f(a + k) - f(a - k)) / (2 * k) for k in (h, h / 2)]
    return (4 * near - wide) / 3


def gamma_motion(a: np.ndarray, y: np.ndarray) -> np.ndarray:
    """How the quantile that y is moves with the shape a."""
    from scipy.special import gammainc, gammaincinv  # the rows are read without SciPy too

    a, y = np.broadcast_arrays(a.astype(np.float64), y.astype(np.float64))
    return extrapolated(lambda k: gammaincinv(k, gammainc(a, y)), a)


def share_motion(x: np.ndarray, a: np.ndarray, total: np.ndarray) -> np.ndarray:
    from scipy.special import betainc, betaincinv

    x, a, total = np.broadcast_arrays(x.astype(np.float64), a.astype(np.float64), total.astype(np.float64))
    b = total - a
    return extrapolated(lambda k: betaincinv(k, b, betainc(a, b, x)), a) / (1 - x)


def narrow(rng: np.random.Generator) -> Iterator[Call]:
    """Deviations of 0: tensors and numbers, broadcast."""
    for shape in SHAPES:
        for x in layouts(array(rng, *shape)):
            yield Call(x, 0.0)
            yield Call(x, np.zeros(shape))
    yield Call(array(rng, 3, 1), np.zeros((4,)))
    yield Call(1.5, np.zeros((2, 3)))


def one_value(rng: np.random.Generator) -> Iterator[Call]:
    for shape in SHAPES:
        yield Call(array(rng, *shape), 3, 4)
        yield Call(array(rng, *shape), 1)


def one_choice(rng: np.random.Generator) -> Iterator[Call]:
    """Weights of which one alone is not 0."""
    for K in (1, 2, 7):
        w = np.eye(K)[rng.permutation(K)] * 2.5
        for x in layouts(w):
            yield Call(x, 1)
            yield Call(x, 3, True)
        yield Call(w[0], 4, True)
    yield Call(np.ones((0, 3)), 2)


def choices(w: np.ndarray, n: int, replacement: bool = False) -> Any:
    return np.repeat(np.argmax(w, -1, keepdims=True), n, -1).astype(np.int64)


def no_events(rng: np.random.Generator) -> Iterator[Call]:
    """Rates of 0."""
    for shape in SHAPES:
        for x in layouts(np.zeros(shape)):
            yield Call(x)


def certain_trials(rng: np.random.Generator) -> Iterator[Call]:
    """Probabilities of 0 and 1, broadcast; counts and probabilities outside their range."""
    for shape in SHAPES:
        for x in layouts(rng.integers(0, 9, shape).astype(np.float64)):
            yield Call(x, rng.integers(0, 2, shape).astype(np.float64))
    yield Call(np.arange(6.0).reshape(2, 3), np.array([0.0, 1.0, -0.5]))
    yield Call(np.array([3.0, -2.0]), np.array([[1.5], [1.0]]))


def successes(n: np.ndarray, q: np.ndarray) -> Any:
    return np.where(q > 0, np.maximum(n, 0), 0)


ROWS = [
    Row(
        "bernoulli",
        certain,
        lambda p: p,
        grad=False,
        method="bernoulli",
        out=True,
        errors=(
            (Call(np.array([0.5, 1.5])), RuntimeError, r"every p to be in \[0, 1\]"),
            (Call(np.array([np.nan])), RuntimeError, r"every p to be in \[0, 1\]"),
            (Call(np.array([1, 0])), NotImplementedError, "'Long'"),
            (Call(np.ones(2), -0.5), RuntimeError, r"p=-0\.5"),
            (Call(0.5), TypeError, "must be Tensor, not float"),
        ),
    ),
    Row(
        "bernoulli",
        certain_scalar,
        lambda x, p: np.full_like(x, p),
        grad=False,
        inplace="bernoulli_",
        dtypes=("float32", "float64", "uint8", "int32", "int64", "bool"),
    ),
    Row(
        "normal",
        narrow,
        lambda m, s: m + np.zeros_like(s),
        grad=False,
        out=True,
        errors=(
            (Call(np.zeros(2), -1.0), RuntimeError, "std >= 0.0"),
            (Call(np.zeros(2), np.array([1.0, -1.0])), RuntimeError, "std >= 0.0"),
            (Call(np.zeros(2), np.ones(3)), RuntimeError, r"\(2\) must match the size of tensor b \(3\)"),
            (Call(0.0, 1.0), TypeError, "give size="),
            (Call(np.zeros(2, np.int64), 1.0), NotImplementedError, "'Long'"),
        ),
    ),
    Row(
        "randint_like",
        one_value,
        lambda x, low, high=None: np.full_like(x, low if high else 0),
        grad=False,
        dtypes=("float32", "float64", "uint8", "int32", "int64"),
        errors=(
            (Call(np.zeros(2), 4, 4), RuntimeError, "from=4 >= to=4"),
            (Call(np.zeros(2, np.uint8), 300), RuntimeError, "out of bounds for uint8"),
            (Call(np.zeros(2), 1.5), TypeError, "must be an int"),
        ),
    ),
    Row(
        "multinomial",
        one_choice,
        choices,
        grad=False,
        method="multinomial",
        out=True,
        errors=(
            (Call(np.array([1.0, -1.0]), 1), RuntimeError, "element < 0"),
            (Call(np.array([1.0, -1.0]), 2, True), RuntimeError, "entry < 0"),
            (Call(np.array([1.0, np.inf]), 2, True), RuntimeError, "infinity or NaN"),
            (Call(np.array([1.0, np.nan]), 1), RuntimeError, "nan"),
            (Call(np.array([[1.0, 1.0], [0.0, 0.0]]), 1), RuntimeError, "sum of probabilities <= 0"),
            (Call(np.zeros(3), 2, True), RuntimeError, "sum of probabilities <= 0"),
            (Call(np.ones(3), 4), RuntimeError, "4 > 3"),
            (Call(np.ones(3), 0), RuntimeError, "n_sample <= 0"),
            (Call(np.ones((2, 2, 2)), 1), RuntimeError, "1 or 2 dim"),
            (Call(np.ones(3, np.int64), 1), RuntimeError, "floating-point"),
        ),
    ),
    Row(
        "poisson",
        no_events,
        lambda x: x,
        grad=False,
        errors=(
            (Call(np.array([1.0, -1.0])), RuntimeError, "expected rate to be non-negative"),
            (Call(np.array([np.nan])), RuntimeError, "below 0, or NaN"),
            (Call(np.array([1, 2])), NotImplementedError, "'Long'"),
            (Call(1.0), TypeError, "must be Tensor, not float"),
        ),
    ),
    Row(
        "binomial",
        certain_trials,
        successes,
        grad=False,
        errors=(
            (Call(np.ones(2), np.ones(3)), RuntimeError, r"\(2\) must match the size of tensor b \(3\)"),
            (Call(np.ones(2), np.ones(2, np.float32)), RuntimeError, "float64 and float32"),
            (Call(np.ones(2, np.int64), np.ones(2)), ValueError, "count, got int64"),
            (Call(np.ones(2), 0.5), TypeError, "must be Tensor, not float"),
        ),
    ),
    Row(
        "_standard_gamma",
        impossible_shapes,
        lambda x: np.full_like(x, np.finfo(x.dtype).tiny),
        grad=False,
        errors=(
            (Call(np.ones(2, np.int64)), NotImplementedError, "'Long'"),
            (Call(np.ones(2, np.float16)), NotImplementedError, "'Half'; it takes float32 and float64"),
            (Call(1.0), TypeError, "must be Tensor, not float"),
        ),
    ),
    Row(
        "_sample_dirichlet",
        single_shares,
        lambda x: np.full_like(x, np.nextafter(x.dtype.type(1), x.dtype.type(0))),
        grad=False,
        errors=((Call(np.ones(2, np.int64)), NotImplementedError, "'Long'"), (Call(1.0), TypeError, "must be Tensor, not float")),
    ),
    Row(                                    # PyTorch's slopes have two to three digits; test_distributions.py asks for all of ours
        "_standard_gamma_grad",
        gamma_values,
        gamma_motion,
        grad=False,
        rtol={"float32": 5e-3, "float64": 5e-3},
        errors=(
            (Call(np.ones(2), np.ones(3)), RuntimeError, r"\(2\) must match the size of tensor b \(3\)"),
            (Call(np.ones(2), np.ones(2, np.float32)), RuntimeError, "Found dtype float32 but expected float64"),
            (Call(np.ones(2, np.int64), np.ones(2)), NotImplementedError, "'Long'"),
        ),
    ),
    Row(
        "_dirichlet_grad",
        shares,
        share_motion,
        grad=False,
        rtol={"float32": 2e-2, "float64": 2e-2},
        errors=(
            (Call(np.ones(2), np.ones(3), np.ones(1)), RuntimeError, r"\(2\) must match the size of tensor b \(3\)"),
            (Call(np.ones(2), np.ones(2, np.float32), np.ones(2)), RuntimeError, "Found dtype float32 but expected float64"),
        ),
    ),
]
