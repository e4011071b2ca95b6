"""Rows of the pointwise functions of one tensor and of the activations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import erf, nan
from typing import Any

import numpy as np

from opinfo import ALL, FLOATS, INTS, Call, Row, array, layouts

REAL = FLOATS + INTS
SPECIAL = np.array([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e-310, -1e-310, 1e300, -1e300, 0.5, -0.5])


def between(low: float, high: float, special: bool = True) -> Callable[[np.random.Generator], Iterator[Call]]:
    """Make samples with values in [low, high): 0-d, empty, odd sizes, layouts, and the extreme values."""

    def samples(rng: np.random.Generator) -> Iterator[Call]:
        yield Call(array(rng, low=low, high=high))
        yield Call(array(rng, 0))
        yield Call(array(rng, 3, 0, 2))
        yield Call(array(rng, 17, low=low, high=high))
        for x in layouts(array(rng, 3, 5, low=low, high=high)):
            yield Call(x)
        yield Call(array(rng, 2, 3, 4, low=low, high=high).transpose(1, 2, 0))
        yield Call(np.broadcast_to(array(rng, 4, 1, low=low, high=high), (4, 3)))
        if special:
            yield Call(SPECIAL.copy())

    return samples


def away(*points: float, special: bool = True) -> Callable[[np.random.Generator], Iterator[Call]]:
    """Make samples that keep a distance from the points where the function has a corner."""

    def samples(rng: np.random.Generator) -> Iterator[Call]:
        for call in between(-3, 3, special=special)(rng):
            x = np.array(call.args[0])
            if x.size and np.isfinite(x).all():
                for p in points:
                    x = np.where(np.abs(x - p) < 0.05, p + 0.1, x)
            yield Call(x)

    return samples


def row(name: str, reference: Callable[..., Any] | None, samples: Any = None, **options: Any) -> Row:
    options.setdefault("method", name)
    options.setdefault("inplace", f"{name}_")
    options.setdefault("out", True)
    return Row(name, samples or between(-2, 2), reference, **options)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return np.where(x >= 0, 1 / (1 + np.exp(-np.abs(x))), np.exp(-np.abs(x)) / (1 + np.exp(-np.abs(x))))


def erf_array(x: np.ndarray) -> np.ndarray:
    return np.vectorize(erf, otypes=[float])(x)


def gelu(x: np.ndarray, approximate: str = "none") -> np.ndarray:
    if approximate == "tanh":
        return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    return 0.5 * x * (1 + erf_array(x / np.sqrt(2)))


def gelu_samples(rng: np.random.Generator) -> Iterator[Call]:
    for call in between(-3, 3, special=False)(rng):
        yield call
        yield Call(*call.args, approximate="tanh")


def clamp_samples(rng: np.random.Generator) -> Iterator[Call]:
    x = np.array([-2.0, -1.3, -0.2, 0.4, 0.9, 1.7])
    for call in (Call(x, -1, 1), Call(x, 0), Call(x, None, 1), Call(x, min=-1.5, max=0.5), Call(x.reshape(2, 3).T, -1, 1), Call(x, 2, 1)):
        yield call
    yield Call(array(rng, 0), -1, 1)
    yield Call(np.array([np.nan, np.inf, -np.inf]), -1, 1)
    yield Call(array(rng, 3, 2), array(rng, 3, 2, low=-1, high=0), array(rng, 2, low=0, high=1))
    yield Call(array(rng, 3, 2), None, array(rng, 3, 1))


def clamp(x: np.ndarray, min: Any = None, max: Any = None) -> np.ndarray:
    y = x if min is None else np.maximum(x, min)
    return y if max is None else np.minimum(y, max)


def round_samples(rng: np.random.Generator) -> Iterator[Call]:
    yield from away(0.5, -0.5, 1.5, -1.5, 2.5, -2.5)(rng)


def half_samples(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(np.array([0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.49999999999999994]))


def decimals_samples(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(array(rng, 7, low=-100, high=100), decimals=2)
    yield Call(array(rng, 7, low=-100, high=100), decimals=-1)


def parameters(*rows: tuple[Any, ...]) -> Callable[[np.random.Generator], Iterator[Call]]:
    """Make samples of one tensor with each tuple of further arguments."""

    def samples(rng: np.random.Generator) -> Iterator[Call]:
        for p in rows:
            yield Call(array(rng, 3, 4, low=-3, high=3), *p)
            yield Call(array(rng, 5, 2, low=-3, high=3).T, *p)
            yield Call(array(rng), *p)
            yield Call(array(rng, 0), *p)

    return samples


def elu(x: np.ndarray, alpha: float = 1.0, scale: float = 1.0, input_scale: float = 1.0) -> np.ndarray:
    return scale * np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0) * input_scale))


WIDE = {"float32": 5e-5, "float64": 1e-10}
ROWS = [
    row("exp", np.exp), row("exp2", np.exp2), row("expm1", np.expm1), row("sqrt", np.sqrt, between(0.1, 4)),
    row("log", np.log, between(0.1, 4)), row("log1p", np.log1p, between(-0.9, 4)), row("log2", np.log2, between(0.1, 4)),
    row("log10", np.log10, between(0.1, 4)), row("rsqrt", lambda x: 1 / np.sqrt(x), between(0.1, 4)),
    row("reciprocal", lambda x: 1 / x, between(0.3, 3)), row("sin", np.sin, between(-30, 30)), row("cos", np.cos, between(-30, 30)),
    row("tan", np.tan, between(-1, 1)), row("sinh", np.sinh), row("cosh", np.cosh), row("tanh", np.tanh, between(-4, 4)),
    row("asin", np.arcsin, between(-0.9, 0.9)), row("acos", np.arccos, between(-0.9, 0.9)), row("atan", np.arctan),
    row("asinh", np.arcsinh, between(-4, 4)), row("acosh", np.arccosh, between(1.1, 4)), row("atanh", np.arctanh, between(-0.9, 0.9)),
    row("erf", erf_array, between(-3, 3), rtol=WIDE), row("erfc", lambda x: 1 - erf_array(x), between(-2, 2, special=False), rtol=WIDE),
    row("square", np.square, dtypes=REAL), row("abs", np.abs, away(0.0), dtypes=REAL), row("neg", np.negative, dtypes=REAL,
        errors=((Call(np.array([True])), RuntimeError, "bool tensor is not supported"),)),
    row("sign", lambda x: np.nan_to_num(np.sign(x)), away(0.0), dtypes=REAL, rtol={"float32": 0, "float64": 0}), row("floor", np.floor, away(-2, -1, 0, 1, 2), dtypes=REAL),
    row("ceil", np.ceil, away(-2, -1, 0, 1, 2), dtypes=REAL), row("trunc", np.trunc, away(-2, -1, 0, 1, 2), dtypes=REAL),
    row("frac", lambda x: x - np.trunc(x), between(0.1, 0.9, special=False)), row("round", np.round, round_samples, dtypes=REAL),
    Row("round", half_samples, np.round, grad=False, dtypes=("float64",)),
    Row("round", decimals_samples, lambda x, decimals: np.round(x, decimals), grad=False, rtol=WIDE),
    Row("isnan", between(-2, 2), np.isnan, grad=False, method="isnan"), Row("isinf", between(-2, 2), np.isinf, grad=False, method="isinf"),
    Row("isfinite", between(-2, 2), np.isfinite, grad=False, method="isfinite"), Row("signbit", between(-2, 2), np.signbit, grad=False),
    row("logical_not", np.logical_not, dtypes=ALL, grad=False, inplace=None),
    Row("bitwise_not", lambda rng: [Call(np.array([0, 5, -7])), Call(np.array([True, False])), Call(np.array(3))], np.invert, dtypes=("int64",),
        grad=False, method="bitwise_not", inplace="bitwise_not_", errors=((Call(np.array([1.0])), NotImplementedError, "not implemented for 'Double'"),)),
    Row("nan_to_num", lambda rng: [Call(array(rng, 3, 2)), Call(SPECIAL.copy(), 1.0, 2.0, -2.0)],
        lambda x, *a: np.nan_to_num(x, nan=a[0] if a else 0.0, posinf=a[1] if a else None, neginf=a[2] if a else None), method="nan_to_num",
        inplace="nan_to_num_"),
    row("relu", lambda x: np.where(np.isnan(x), nan, np.maximum(x, 0)) if x.dtype.kind == "f" else np.maximum(x, 0), away(0.0), dtypes=REAL, out=False),
    row("sigmoid", sigmoid, between(-6, 6)), Row("gelu", gelu_samples, gelu, torch="nn.functional.gelu", rtol=WIDE,
        atol={"float32": 2e-6, "float64": 1e-12}, errors=((Call(np.zeros(2), approximate="half"), RuntimeError, "'none' or 'tanh'"),)),
    Row("silu", between(-4, 4, special=False), lambda x: x * sigmoid(x), torch="nn.functional.silu"),
    Row("softplus", parameters((), (2.0,), (1.0, 0.5)), lambda x, b=1.0, t=20.0: np.where(x * b > t, x, np.log1p(np.exp(x * b)) / b),
        torch="nn.functional.softplus"),
    Row("log_sigmoid", between(-6, 6, special=False), lambda x: -np.log1p(np.exp(-x)), torch="nn.functional.logsigmoid"),
    Row("leaky_relu", parameters((), (0.2,)), lambda x, s=0.01: np.where(x > 0, x, s * x), torch="nn.functional.leaky_relu"),
    Row("hardtanh", parameters((), (-0.5, 1.5)), lambda x, low=-1.0, high=1.0: np.clip(x, low, high), torch="nn.functional.hardtanh"),
    Row("hardsigmoid", away(-3.0, 3.0), lambda x: np.clip(x + 3, 0, 6) / 6, torch="nn.functional.hardsigmoid"),
    # PyTorch's slope at nan is nan or 1, as the element falls into a vector or behind the last one
    Row("hardswish", away(-3.0, 3.0, special=False), lambda x: x * np.clip(x + 3, 0, 6) / 6, torch="nn.functional.hardswish", atol={"float32": 2e-6, "float64": 1e-12}),
    Row("softshrink", parameters((), (0.25,)), lambda x, l=0.5: np.where(x > l, x - l, np.where(x < -l, x + l, x * 0)),
        torch="nn.functional.softshrink", errors=((Call(np.zeros(2), -1.0), RuntimeError, "greater or equal to 0"),)),
    Row("elu", parameters((), (2.0,)), elu, torch="nn.functional.elu"),
    Row("elu", parameters((1.5, 2.0, 0.5),), elu, torch=None),
    Row("selu", between(-3, 3, special=False), lambda x: elu(x, 1.6732632423543772, 1.0507009873554805)),
    Row("celu", parameters((), (2.0,)), lambda x, a=1.0: np.where(x > 0, x, a * np.expm1(np.minimum(x, 0) / a))),
    Row("threshold", parameters((0.5, -1.0)), lambda x, t, v: np.where(x > t, x, v), torch="nn.functional.threshold"),
    Row("clamp", clamp_samples, clamp, dtypes=FLOATS, method="clamp", inplace="clamp_",
        errors=((Call(np.zeros(2)), RuntimeError, "must not be None"),)),
    Row("clamp_min", parameters((0.5,)), np.maximum, method="clamp_min", inplace="clamp_min_"),
    Row("clamp_max", parameters((0.5,)), np.minimum, method="clamp_max", inplace="clamp_max_"),
]
