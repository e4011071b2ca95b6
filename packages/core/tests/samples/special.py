"""Rows of the special functions.  References: series and integrals that have nothing in common with the kernels' formulas.

``test_special.py`` holds values of 17 digits and the poles; the tolerances here are those of the references.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.polynomial import chebyshev, hermite, hermite_e, laguerre, legendre

from opinfo import FLOATS, Call, Row, array, layouts

Samples = Callable[[np.random.Generator], Iterator[Call]]
RTOL = {"float32": 2e-5, "float64": 1e-10, "int64": 2e-5}
ATOL = {"float32": 2e-6, "float64": 1e-12, "int64": 2e-6}


def between(low: float, high: float) -> Samples:
    """Make samples with values in [low, high): 0-d, empty, odd sizes, layouts."""

    def samples(rng: np.random.Generator) -> Iterator[Call]:
        yield Call(array(rng, low=low, high=high))
        yield Call(array(rng, 0))
        yield Call(array(rng, 3, 0, 2))
        yield Call(array(rng, 17, low=low, high=high))
        for x in layouts(array(rng, 3, 5, low=low, high=high)):
            yield Call(x)
        yield Call(np.broadcast_to(array(rng, 4, 1, low=low, high=high), (4, 3)))

    return samples


def pairs(low: float, high: float, low2: float, high2: float, numbers: bool = True) -> Samples:
    """Make samples of two operands: equal shapes, broadcasting, 0-d, empty, layouts, numbers."""

    def samples(rng: np.random.Generator) -> Iterator[Call]:
        def a(*shape: int) -> np.ndarray:
            return array(rng, *shape, low=low, high=high)

        def b(*shape: int) -> np.ndarray:
            return array(rng, *shape, low=low2, high=high2)

        yield Call(a(), b())
        yield Call(a(3, 4), b(4))
        yield Call(a(4), b(3, 1))
        yield Call(a(0), b(0))
        yield Call(a(3, 4).T, b(4, 3))
        yield Call(a(6, 4)[::2], b(3, 8)[:, ::2])
        if numbers:
            yield Call(a(3, 4), 2)
            yield Call(a(5), 1.5)
            yield Call(3, b(2, 3))

    return samples


def with_order(samples: Samples, *orders: int, first: bool = False) -> Samples:
    """Put each of the orders behind the tensor, or before it."""

    def more(rng: np.random.Generator) -> Iterator[Call]:
        for call in samples(rng):
            for n in orders:
                yield Call(n, *call.args) if first else Call(*call.args, n)

    return more


def degrees(low: float, high: float) -> Samples:
    """Make samples of a polynomial: arguments beside degrees from -1 to 40, and numbers on either side."""

    def samples(rng: np.random.Generator) -> Iterator[Call]:
        yield Call(array(rng, 12, low=low, high=high), rng.integers(-1, 41, 12).astype(float))
        yield Call(array(rng, 3, 1, low=low, high=high), np.arange(8.0))
        yield Call(np.array([-1.0, 0.0, 1.0]), np.array([[31.0], [5.0]]))
        yield Call(array(rng, 4, low=low, high=high), 3)
        yield Call(0.3, np.arange(5.0))
        yield Call(array(rng, 2, low=low, high=high), 2.7)
        yield Call(array(rng, 0), array(rng, 0))
        yield Call(array(rng, low=low, high=high), rng.integers(0, 3, (2, 2)))

    return samples


# -- references


def each(f: Callable[..., float]) -> Callable[..., np.ndarray]:
    """f of numbers as a function of arrays."""
    return np.vectorize(f, otypes=[float])


def hurwitz(s: Any, q: Any) -> np.ndarray:
    """sum_k (q + k)^-s: 3000 terms and the integral of the rest with its first corrections."""
    s, q = np.asarray(s, float), np.asarray(q, float)
    k = np.arange(3000.0)
    a = q + 3000.0
    head = ((q[..., None] + k) ** -s[..., None]).sum(-1) if s.ndim else ((q[..., None] + k) ** -s).sum(-1)
    return np.asarray(head + a ** (1 - s) / (s - 1) + a**-s / 2 + s * a ** (-s - 1) / 12)


def digamma(x: Any) -> np.ndarray:
    """ln(x + 1000) by its asymptotic series less sum 1 / (x + k)."""
    x = np.asarray(x, float)
    a = x + 1000.0
    return np.asarray(np.log(a) - 0.5 / a - 1 / (12 * a**2) - (1 / (x[..., None] + np.arange(1000.0))).sum(-1))


def polygamma(n: int, x: Any) -> np.ndarray:
    return digamma(x) if n == 0 else np.asarray((-1) ** (n + 1) * math.factorial(n) * hurwitz(n + 1.0, np.asarray(x, float)))


def mvlgamma(x: Any, p: int) -> np.ndarray:
    return np.asarray(p * (p - 1) / 4 * math.log(math.pi) + sum(each(math.lgamma)(np.asarray(x) - j / 2) for j in range(p)))


def igamma(a: float, x: float) -> float:
    """The power series, summed whatever the argument."""
    terms = np.cumprod(x / (a + np.arange(1.0, 400.0)))
    return float(math.exp(a * math.log(x) - x - math.lgamma(a + 1)) * (1 + terms.sum()))


def erfinv(x: float) -> float:
    return NormalDist().inv_cdf((x + 1) / 2) / math.sqrt(2)


def cosine_integral(order: int, kernel: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Callable[[Any], np.ndarray]:
    """The mean over a turn of kernel(x, t), by the trapezoidal rule, which converges geometrically for periodic functions."""
    t = np.arange(400) * (2 * math.pi / 400)
    return lambda x: np.asarray(kernel(np.asarray(x, float)[..., None], t).mean(-1))


def macdonald(order: int, scaled: bool) -> Callable[[Any], np.ndarray]:
    """K(x) = int_0^inf e^(-x cosh t) cosh(order t) dt by the trapezoidal rule; times e^x if scaled."""
    t = np.linspace(0, 7, 2001)
    weight = np.where(t == 0, 0.5, 1.0) * (t[1] - t[0]) * np.cosh(order * t)
    return lambda x: np.asarray((np.exp(-np.asarray(x, float)[..., None] * (np.cosh(t) - scaled)) * weight).sum(-1))


def airy(x: Any) -> np.ndarray:
    """The power series about 0, of use for |x| < 4."""
    x = np.asarray(x, float)
    f, g = np.ones_like(x), x.copy()
    total = f / (3 ** (2 / 3) * math.gamma(2 / 3)) - g / (3 ** (1 / 3) * math.gamma(1 / 3))
    for k in range(1, 40):
        f, g = f * x**3 / ((3 * k - 1) * (3 * k)), g * x**3 / ((3 * k) * (3 * k + 1))
        total = total + f / (3 ** (2 / 3) * math.gamma(2 / 3)) - g / (3 ** (1 / 3) * math.gamma(1 / 3))
    return np.asarray(total)


def neumann(x: float, order: int) -> float:
    """Y0 and Y1 by their power series, of use for x < 6."""
    half, total, harmonic = x / 2, 0.0, 0.0
    j = sum((-1) ** k * half ** (2 * k + order) / (math.factorial(k) * math.factorial(k + order)) for k in range(40))
    for k in range(40):
        harmonic += 1 / k if k else 0
        both = 2 * harmonic + (1 / (k + 1) if order else 0)
        total += (-1) ** k * both * half ** (2 * k + order) / (math.factorial(k) * math.factorial(k + order))
    gamma = 0.57721566490153286061
    return 2 / math.pi * ((math.log(half) + gamma) * j) - total / math.pi - (1 / (math.pi * half) if order else 0)


def series(value: Callable[..., Any]) -> Callable[..., np.ndarray]:
    """numpy.polynomial's evaluation of the basis function of degree n, 0 for negative n."""

    def one(x: float, n: float) -> float:
        return 0.0 if n < 0 else float(value(x, [0.0] * int(n) + [1.0]))

    return each(one)


def like_chebyshev(first: Callable[[float], float], shifted: bool = False) -> Callable[..., np.ndarray]:
    """p_k = 2 x p_(k-1) - p_(k-2) from 1 and first(x)."""

    def one(x: float, n: float) -> float:
        x = 2 * x - 1 if shifted else x
        p, q = 1.0, first(x)
        for _ in range(int(n)):
            p, q = q, 2 * x * q - p
        return 0.0 if n < 0 else p

    return each(one)


# -- rows


def row(name: str, reference: Callable[..., Any] | None, samples: Samples, **options: Any) -> Row:
    """A function of taeda itself, with its method and in-place form."""
    options.setdefault("method", name)
    options.setdefault("inplace", f"{name}_")
    options.setdefault("out", True)
    return Row(name, samples, reference, rtol=options.pop("rtol", RTOL), atol=ATOL, **options)


def room(name: str, reference: Callable[..., Any] | None, samples: Samples, **options: Any) -> Row:
    """A function of taeda.special alone."""
    options.setdefault("torch", f"special.{name}")
    return Row(name, samples, reference, out=True, rtol=options.pop("rtol", RTOL), atol=options.pop("atol", ATOL), **options)


WITH_INTEGERS = (*FLOATS, "int64")


def constant(name: str, reference: Callable[..., Any], samples: Samples) -> Row:
    """One that PyTorch does not differentiate; its values have 7 digits, so tests/parity/test_special.py compares them apart."""
    return room(name, reference, samples, grad=False, dtypes=WITH_INTEGERS, torch=None)


def polynomial(name: str, reference: Callable[..., Any], samples: Samples, **options: Any) -> Row:
    """One of the polynomials: PyTorch computes the float32 ones in float32, which costs it some digits near zeros."""
    loose = {"float32": 1e-4, "float64": 1e-10, "int64": 1e-4}
    return room(name, reference, samples, grad=False, dtypes=WITH_INTEGERS, rtol=loose, atol={**loose, "float64": 1e-11}, **options)


COARSE = {"float32": 2e-5, "float64": 2e-8, "int64": 2e-5}         # PyTorch's trigamma and igamma have no more digits
TENSOR = (Call([1.0]), TypeError, "must be Tensor, not")
NEGATIVE = (Call(-1, np.ones(2)), RuntimeError, "does not support negative n")
NOT_INT = (Call(1.0, np.ones(2)), TypeError, "must be int, not float")
INTEGERS = (Call(np.array([1, 2]), np.array([1, 2])), NotImplementedError, "not implemented for integers")
NUMBER = (Call(np.ones(2), 2.0), TypeError, "must be Tensor, not")
MISMATCH = (Call(np.ones((2, 3)), np.ones((2, 4))), RuntimeError, r"size of tensor a \(3\) must match the size of tensor b \(4\)")
NUMBERS = (Call(2, 3), TypeError, "one operand must be a Tensor, got int and int")

ROWS = [
    row("lgamma", each(math.lgamma), between(1.1, 9), dtypes=WITH_INTEGERS, errors=(TENSOR,)),
    row("lgamma", each(math.lgamma), between(-2.9, -2.1)),
    row("digamma", digamma, between(0.3, 12), dtypes=FLOATS, errors=(TENSOR,)), row("digamma", digamma, between(-1.8, -1.2)),
    Row("polygamma", with_order(between(0.5, 9), 0, 1, 2, 5, first=True), polygamma, dtypes=FLOATS, out=True, rtol=COARSE, errors=(NEGATIVE, NOT_INT)),
    Row("polygamma", with_order(between(-1.7, -1.3), 2, 3, first=True), polygamma, out=True, rtol=RTOL),
    row("mvlgamma", mvlgamma, with_order(between(3.1, 9), 1, 2, 5), dtypes=WITH_INTEGERS, strides=False,
        errors=((Call(np.ones(2), 0), RuntimeError, "p has to be greater than or equal to 1"), (Call(np.ones(2), 1.5), TypeError, "must be int"),
                (Call(np.array([True]), 1), RuntimeError, "may not be a boolean tensor"))),
    row("igamma", each(igamma), pairs(0.2, 6, 0.2, 12, numbers=False), grad=False, rtol=COARSE, errors=(MISMATCH, INTEGERS, NUMBER)),
    row("igammac", each(lambda a, x: 1 - igamma(a, x)), pairs(0.2, 6, 0.2, 12, numbers=False), grad=False, rtol=COARSE,
        errors=(MISMATCH, INTEGERS, NUMBER)),
    room("zeta", hurwitz, pairs(1.3, 9, 0.3, 20), grad=False, errors=(MISMATCH, NUMBERS)),
    row("erfinv", each(erfinv), between(-0.95, 0.95), errors=(TENSOR,)),
    room("erfcx", each(lambda x: math.exp(x * x) * math.erfc(x)), between(-3, 6)),
    room("ndtr", each(lambda x: math.erfc(-x / math.sqrt(2)) / 2), between(-5, 5), dtypes=WITH_INTEGERS),
    room("log_ndtr", each(lambda x: math.log(math.erfc(-x / math.sqrt(2)) / 2)), between(-8, 3)),
    room("ndtri", each(NormalDist().inv_cdf), between(0.01, 0.99)),
    room("entr", lambda x: -x * np.log(x), between(0.05, 4)),
    room("xlog1py", lambda a, b: a * np.log1p(b), pairs(0.3, 2, -0.7, 2), errors=(MISMATCH, NUMBERS)),
    row("logit", lambda x, eps=None: np.log(x / (1 - x)), between(0.05, 0.95), errors=((Call(np.ones(2), "a"), TypeError, "must be float, not str"),)),
    row("logit", lambda x, eps: np.log(np.clip(x, eps, 1 - eps) / (1 - np.clip(x, eps, 1 - eps))),
        lambda rng: [Call(np.array([-0.5, 0.1, 0.3, 0.6, 0.85, 1.5]), e) for e in (0.2, 0.01)]),
    row("sinc", np.sinc, between(-4, 4), dtypes=WITH_INTEGERS, errors=(TENSOR,)),
    # apart from PyTorch, whose derivative cancels next to 0
    row("sinc", np.sinc, lambda rng: iter([Call(np.array([1e-9, -1e-3, 0.2, -0.24, 0.26]))]), torch=None),
    row("i0", np.i0, between(-9, 9), dtypes=WITH_INTEGERS, errors=(TENSOR,)), room("i0e", lambda x: np.i0(x) * np.exp(-np.abs(x)), between(-12, 12)),
    room("i1", cosine_integral(1, lambda x, t: np.exp(x * np.cos(t)) * np.cos(t)), between(-9, 9)),
    room("i1e", cosine_integral(1, lambda x, t: np.exp(x * np.cos(t) - np.abs(x)) * np.cos(t)), between(-12, 12)),
    constant("bessel_j0", cosine_integral(0, lambda x, t: np.cos(x * np.sin(t))), between(-40, 40)),
    constant("bessel_j1", cosine_integral(1, lambda x, t: np.cos(t - x * np.sin(t))), between(-40, 40)),
    constant("bessel_y0", each(lambda x: neumann(x, 0)), between(1.1, 6)), constant("bessel_y1", each(lambda x: neumann(x, 1)), between(1.1, 6)),
    constant("modified_bessel_i0", np.i0, between(-9, 9)),
    constant("modified_bessel_i1", cosine_integral(1, lambda x, t: np.exp(x * np.cos(t)) * np.cos(t)), between(-9, 9)),
    constant("modified_bessel_k0", macdonald(0, False), between(1.1, 9)), constant("modified_bessel_k1", macdonald(1, False), between(1.1, 9)),
    constant("scaled_modified_bessel_k0", macdonald(0, True), between(1.1, 20)),
    constant("scaled_modified_bessel_k1", macdonald(1, True), between(1.1, 20)),
    constant("airy_ai", airy, between(-4, 4)), constant("spherical_bessel_j0", lambda x: np.sinc(x / np.pi), between(-9, 9)),
    polynomial("chebyshev_polynomial_t", series(chebyshev.chebval), degrees(-1.2, 1.2), errors=(MISMATCH, NUMBERS)),
    polynomial("chebyshev_polynomial_u", like_chebyshev(lambda x: 2 * x), degrees(-1.2, 1.2)),
    polynomial("chebyshev_polynomial_v", like_chebyshev(lambda x: 2 * x - 1), degrees(-1.2, 1.2)),
    polynomial("chebyshev_polynomial_w", like_chebyshev(lambda x: 2 * x + 1), degrees(-1.2, 1.2)),
    polynomial("shifted_chebyshev_polynomial_t", like_chebyshev(lambda x: x, True), degrees(-0.1, 1.1)),
    polynomial("shifted_chebyshev_polynomial_u", like_chebyshev(lambda x: 2 * x, True), degrees(-0.1, 1.1)),
    polynomial("shifted_chebyshev_polynomial_v", like_chebyshev(lambda x: 2 * x - 1, True), degrees(-0.1, 1.1)),
    polynomial("shifted_chebyshev_polynomial_w", like_chebyshev(lambda x: 2 * x + 1, True), degrees(-0.1, 1.1)),
    polynomial("hermite_polynomial_h", series(hermite.hermval), degrees(-2, 2)), polynomial("hermite_polynomial_he", series(hermite_e.hermeval), degrees(-3, 3)),
    polynomial("laguerre_polynomial_l", series(laguerre.lagval), degrees(0, 9)), polynomial("legendre_polynomial_p", series(legendre.legval), degrees(-1, 1)),
]
