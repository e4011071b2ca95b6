"""Rows of arithmetic, comparison and logic of two tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from opinfo import ALL, FLOATS, Call, Row, array


def pairs(low: float = -2, high: float = 2, low2: float | None = None, high2: float | None = None,
          numbers: bool = True) -> Callable[[np.random.Generator], Iterator[Call]]:
    """Make samples of two operands: equal shapes, broadcasting both ways, 0-d, empty, layouts, numbers."""
    lo, hi = (low if low2 is None else low2), (high if high2 is None else high2)

    def samples(rng: np.random.Generator) -> Iterator[Call]:
        def a(*shape: int) -> np.ndarray:
            return array(rng, *shape, low=low, high=high)

        def b(*shape: int) -> np.ndarray:
            return array(rng, *shape, low=lo, high=hi)

        yield Call(a(), b())
        yield Call(a(3, 4), b(3, 4))
        yield Call(a(3, 4), b(4))
        yield Call(a(4), b(3, 1))
        yield Call(a(2, 1, 3), b(4, 1))
        yield Call(a(5), b())
        yield Call(a(), b(2, 3))
        yield Call(a(0), b(0))
        yield Call(a(3, 0), b(1))
        yield Call(a(3, 4).T, b(4, 3))
        yield Call(a(3, 4).T, b(3, 4).T)
        yield Call(a(2, 3, 4).transpose(2, 0, 1), b(2, 3))
        yield Call(a(6, 4)[::2], b(3, 8)[:, ::2])
        if numbers:
            yield Call(a(3, 4), 2)
            yield Call(a(3, 4), 1.5)
            yield Call(a(), 3)

    return samples


def extreme(rng: np.random.Generator) -> Iterator[Call]:
    values = np.array([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e-310, 1e300])
    yield Call(values[:, None].copy(), values.copy())


def with_extreme(samples: Callable[..., Iterator[Call]]) -> Callable[[np.random.Generator], Iterator[Call]]:
    def both(rng: np.random.Generator) -> Iterator[Call]:
        yield from samples(rng)
        yield from extreme(rng)

    return both


def scaled(samples: Callable[..., Iterator[Call]]) -> Callable[[np.random.Generator], Iterator[Call]]:
    def more(rng: np.random.Generator) -> Iterator[Call]:
        yield from samples(rng)
        yield Call(array(rng, 3, 4), array(rng, 4), alpha=2)
        yield Call(array(rng, 3, 4), 2, alpha=3)

    return more


MISMATCH = ((Call(np.zeros((2, 3)), np.zeros((2, 4))), RuntimeError, r"size of tensor a \(3\) must match the size of tensor b \(4\)"),)


def row(name: str, reference: Callable[..., Any], samples: Any = None, **options: Any) -> Row:
    options.setdefault("method", name)
    options.setdefault("inplace", f"{name}_")
    options.setdefault("out", True)
    options.setdefault("errors", MISMATCH)
    return Row(name, samples or with_extreme(pairs()), reference, **options)


def apart(rng: np.random.Generator) -> Iterator[Call]:
    """Pairs without near ties."""
    for call in pairs(numbers=False)(rng):
        a, b = call.args
        yield Call(np.asarray(np.round(a * 4) / 4), np.asarray(np.round(b * 4) / 4 + 0.1))
    yield from extreme(rng)


def ties(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(np.array([1.0, 2.0, 3.0]), np.array([1.0, 0.0, 3.0]))


def compare(name: str, f: Callable[..., Any]) -> Row:
    def samples(rng: np.random.Generator) -> Iterator[Call]:
        for call in with_extreme(pairs(numbers=not name.startswith("logical")))(rng):
            yield Call(*[np.asarray(np.round(x)) if isinstance(x, np.ndarray) else x for x in call.args])

    return Row(name, samples, f, dtypes=ALL, grad=False, method=name, out=True, errors=MISMATCH)


def bits(name: str, f: Callable[..., Any], boolean: bool = True) -> Row:
    def samples(rng: np.random.Generator) -> Iterator[Call]:
        yield Call(rng.integers(-50, 50, (3, 4)), rng.integers(0, 8, (4,)))
        yield Call(rng.integers(0, 50, (3,), dtype=np.int32), 3)
        yield Call(rng.integers(0, 50, (0,)), 3)
        if boolean:
            yield Call(np.array([True, False, True]), np.array([True, True, False]))

    return Row(name, samples, f, dtypes=("int64",), grad=False, method=name, inplace=f"{name}_",
               errors=((Call(np.zeros(2), np.zeros(2)), NotImplementedError, "not implemented for 'Double'"),))


def pow_samples(rng: np.random.Generator) -> Iterator[Call]:
    yield from pairs(0.3, 2.0, -2.0, 2.0)(rng)
    yield Call(array(rng, 3, 4), 3)
    yield Call(array(rng, 3), 0)
    yield Call(array(rng, 3), 1)
    yield Call(2.0, array(rng, 3))
    yield Call(np.array([0.0, 0.0, -1.0]), np.array([0.0, 2.0, 2.0]))


def power(a: Any, b: Any) -> Any:
    return np.power(np.asarray(a, dtype=np.float64) if isinstance(a, float) else a, b)


def nonzero(samples: Callable[..., Iterator[Call]]) -> Callable[[np.random.Generator], Iterator[Call]]:
    def made(rng: np.random.Generator) -> Iterator[Call]:
        for call in samples(rng):
            a, b = call.args
            yield Call(a, np.where(np.abs(b) < 1, np.copysign(1.5, b), b) if isinstance(b, np.ndarray) else b)

    return made


def three(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(array(rng, 3, 4), array(rng, 3, 4), array(rng, 3, 4, low=0.5))
    yield Call(array(rng, 3, 4), array(rng, 4), array(rng, 3, 1, low=0.5), value=0.5)
    yield Call(array(rng, 0), array(rng, 0), array(rng, 0))


def lerp_samples(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(array(rng, 3, 4), array(rng, 3, 4), 0.3)
    yield Call(array(rng, 3, 4), array(rng, 4), 0.7)
    yield Call(array(rng, 3, 4), array(rng, 3, 4), array(rng, 3, 1, low=0, high=1))
    yield Call(array(rng, 3), array(rng, 3), 1.0)


INTEGER_ZERO = (*MISMATCH, (Call(np.array([1, 2]), np.array([1, 0])), RuntimeError, "ZeroDivisionError"))
ROWS = [
    row("add", lambda a, b, alpha=1: a + alpha * np.asarray(b), scaled(with_extreme(pairs())), dtypes=ALL[:5]),
    row("sub", lambda a, b, alpha=1: a - alpha * np.asarray(b), scaled(with_extreme(pairs())), dtypes=FLOATS + ("int32", "int64"),
        errors=(*MISMATCH, (Call(np.array([True]), np.array([True])), RuntimeError, "two bool tensors is not supported"))),
    row("rsub", lambda a, b, alpha=1: np.asarray(b) - alpha * a, scaled(pairs()), inplace=None, method=None, out=False, errors=()),
    row("mul", lambda a, b: a * np.asarray(b), dtypes=FLOATS + ("int32", "int64")),
    row("div", lambda a, b: a / np.asarray(b), nonzero(pairs()), dtypes=FLOATS),
    Row("div", lambda rng: [Call(*c.args, rounding_mode=m) for c in nonzero(pairs(-9, 9, 1, 4))(rng) for m in ("floor", "trunc")],
        lambda a, b, rounding_mode: np.floor(a / b) if rounding_mode == "floor" else np.trunc(a / b), gradgrad=False,
        dtypes=FLOATS, errors=((Call(np.zeros(2), 1.0, rounding_mode="up"), RuntimeError, "rounding_mode"),)),
    row("floor_divide", np.floor_divide, nonzero(pairs(-9, 9)), dtypes=FLOATS + ("int32", "int64"), gradgrad=False, errors=INTEGER_ZERO),
    row("remainder", np.remainder, nonzero(pairs(-9, 9)), dtypes=FLOATS + ("int32", "int64"), errors=INTEGER_ZERO, gradgrad=False),
    row("fmod", np.fmod, nonzero(pairs(-9, 9)), dtypes=FLOATS + ("int32", "int64"), errors=INTEGER_ZERO, gradgrad=False),
    row("pow", power, pow_samples, method=None, inplace=None),
    Row("float_power", pairs(0.3, 2, -2, 2), lambda a, b: np.float_power(a, b), grad=False),
    row("maximum", np.maximum, apart, dtypes=ALL, inplace=None),
    row("minimum", np.minimum, apart, dtypes=ALL, inplace=None),
    Row("maximum", ties, np.maximum, grad=False),
    row("fmax", np.fmax, apart, inplace=None), row("fmin", np.fmin, apart, inplace=None),
    row("atan2", np.arctan2, pairs(0.3, 2, numbers=False)), row("hypot", np.hypot, pairs(0.3, 2, numbers=False)),
    row("copysign", np.copysign, pairs(0.3, 2), inplace=None),
    row("xlogy", lambda a, b: a * np.log(b), pairs(0.3, 2, 0.3, 2)),
    row("logaddexp", np.logaddexp, pairs(numbers=False), inplace=None),
    Row("addcmul", three, lambda x, a, b, value=1: x + value * a * b, method="addcmul", inplace="addcmul_"),
    Row("addcdiv", three, lambda x, a, b, value=1: x + value * a / b, method="addcdiv", inplace="addcdiv_",
        errors=((Call(np.zeros(2), np.array([1]), np.array([1])), RuntimeError, "Integer division"),)),
    Row("lerp", lerp_samples, lambda a, b, w: a + w * (b - a), method="lerp", inplace="lerp_"),
    compare("eq", np.equal), compare("ne", np.not_equal), compare("lt", np.less), compare("le", np.less_equal),
    compare("gt", np.greater), compare("ge", np.greater_equal),
    compare("logical_and", np.logical_and), compare("logical_or", np.logical_or), compare("logical_xor", np.logical_xor),
    bits("bitwise_and", np.bitwise_and), bits("bitwise_or", np.bitwise_or), bits("bitwise_xor", np.bitwise_xor),
    bits("bitwise_left_shift", np.left_shift, boolean=False), bits("bitwise_right_shift", np.right_shift, boolean=False),
]
