"""The standard's functions of each element, by the ops of the same meaning."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import taeda
from taeda import Tensor
from taeda.array_api._promotion import need_array, operands

# name in the standard: (op of taeda, what it returns)
UNARY = {
    "abs": ("abs", "|x|"),
    "acos": ("acos", "the inverse cosine"),
    "acosh": ("acosh", "the inverse hyperbolic cosine"),
    "asin": ("asin", "the inverse sine"),
    "asinh": ("asinh", "the inverse hyperbolic sine"),
    "atan": ("atan", "the inverse tangent"),
    "atanh": ("atanh", "the inverse hyperbolic tangent"),
    "bitwise_invert": ("bitwise_not", "~x"),
    "ceil": ("ceil", "the smallest integer not below x"),
    "conj": ("conj", "the complex conjugate"),
    "cos": ("cos", "the cosine"),
    "cosh": ("cosh", "the hyperbolic cosine"),
    "exp": ("exp", "e to the power x"),
    "expm1": ("expm1", "exp(x) - 1, accurate near 0"),
    "floor": ("floor", "the largest integer not above x"),
    "isfinite": ("isfinite", "whether x is neither infinite nor NaN"),
    "isinf": ("isinf", "whether x is infinite"),
    "isnan": ("isnan", "whether x is NaN"),
    "log": ("log", "the natural logarithm"),
    "log10": ("log10", "the logarithm to base 10"),
    "log1p": ("log1p", "log(1 + x), accurate near 0"),
    "log2": ("log2", "the logarithm to base 2"),
    "logical_not": ("logical_not", "whether x is zero"),
    "negative": ("neg", "-x"),
    "real": ("real", "the real part"),
    "reciprocal": ("reciprocal", "1 / x"),
    "signbit": ("signbit", "whether the sign bit is set"),
    "sin": ("sin", "the sine"),
    "sinh": ("sinh", "the hyperbolic sine"),
    "sqrt": ("sqrt", "the square root"),
    "square": ("square", "x x"),
    "tan": ("tan", "the tangent"),
    "tanh": ("tanh", "the hyperbolic tangent"),
    "trunc": ("trunc", "x without its fraction"),
}
BINARY = {
    "add": ("add", "x1 + x2"),
    "atan2": ("atan2", "the angle of the point (x2, x1)"),
    "bitwise_and": ("bitwise_and", "x1 & x2"),
    "bitwise_left_shift": ("bitwise_left_shift", "x1 << x2"),
    "bitwise_or": ("bitwise_or", "x1 | x2"),
    "bitwise_right_shift": ("bitwise_right_shift", "x1 >> x2"),
    "bitwise_xor": ("bitwise_xor", "x1 ^ x2"),
    "copysign": ("copysign", "|x1| with the sign of x2"),
    "divide": ("div", "x1 / x2"),
    "equal": ("eq", "x1 == x2"),
    "floor_divide": ("floor_divide", "floor(x1 / x2)"),
    "greater": ("gt", "x1 > x2"),
    "greater_equal": ("ge", "x1 >= x2"),
    "hypot": ("hypot", "sqrt(x1 x1 + x2 x2)"),
    "less": ("lt", "x1 < x2"),
    "less_equal": ("le", "x1 <= x2"),
    "logaddexp": ("logaddexp", "log(exp(x1) + exp(x2))"),
    "logical_and": ("logical_and", "whether neither is zero"),
    "logical_or": ("logical_or", "whether one is not zero"),
    "logical_xor": ("logical_xor", "whether exactly one is not zero"),
    "maximum": ("maximum", "the larger of the two"),
    "minimum": ("minimum", "the smaller of the two"),
    "multiply": ("mul", "x1 x2"),
    "nextafter": ("nextafter", "the number after x1 on the way to x2"),
    "not_equal": ("ne", "x1 != x2"),
    "pow": ("pow", "x1 to the power x2"),
    "subtract": ("sub", "x1 - x2"),
}


def _unary(name: str, op: str, returns: str) -> Callable[[Any], Tensor]:
    f = getattr(taeda, op)

    def function(x: Any, /) -> Tensor:
        return f(need_array(name, x))

    return _named(function, name, f"Return {returns}, of each element.")


def _binary(name: str, op: str, returns: str) -> Callable[[Any, Any], Tensor]:
    f = getattr(taeda, op)

    def function(x1: Any, x2: Any, /) -> Tensor:
        return f(*operands(name, x1, x2))

    return _named(function, name, f"Return {returns}, element by element; one of the two may be a Python number.")


def _named(function: Callable[..., Tensor], name: str, doc: str) -> Callable[..., Tensor]:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


FUNCTIONS = {
    **{name: _unary(name, *row) for name, row in UNARY.items()},
    **{name: _binary(name, *row) for name, row in BINARY.items()},
}


def imag(x: Any, /) -> Tensor:
    """Return the imaginary part of each element, zeros for real arrays."""
    return taeda.imag(x) if need_array("imag", x).is_complex() else taeda.zeros_like(x)


def positive(x: Any, /) -> Tensor:
    """Return +x: a copy."""
    return need_array("positive", x).clone()


def round(x: Any, /) -> Tensor:
    """Return the nearest integer, of two equally near the even one; of complex numbers by parts."""
    if need_array("round", x).is_complex():
        return taeda.complex(taeda.round(x.real), taeda.round(x.imag))
    return taeda.round(x)


def clip(x: Any, /, min: Any = None, max: Any = None) -> Tensor:
    """Return each element, or the nearer bound if it lies outside of [min, max]; bounds are arrays or Python numbers."""
    need_array("clip", x)
    bounds = [b.to(x.dtype) if isinstance(b, Tensor) else b for b in (min, max)]
    if any(isinstance(b, Tensor) for b in bounds):
        bounds = [b if b is None or isinstance(b, Tensor) else taeda.full((), b, dtype=x.dtype, device=x.device) for b in bounds]
    return x.clone() if min is None and max is None else taeda.clamp(x, *bounds)


def remainder(x1: Any, x2: Any, /) -> Tensor:
    """Return x1 - x2 floor(x1 / x2), element by element, with the sign of x2, zeros too; one of the two may be a Python number."""
    first, second = operands("remainder", x1, x2)
    y = taeda.remainder(first, second)
    return taeda.where(y == 0, taeda.copysign(y, second), y) if y.is_floating_point() else y


def sign(x: Any, /) -> Tensor:
    """Return x / |x|, of each element: 0 at 0, NaN at NaN."""
    y = taeda.sgn(need_array("sign", x))
    return taeda.where(taeda.isnan(x), x, y) if x.is_floating_point() else y
