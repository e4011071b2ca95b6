"""Every pointwise function and every reduction over a million float32 numbers: rows made from lists of names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rows import ROWS, Bench, Lib

N = 1_000_000


def names(text: str) -> list[str]:
    """Return the words of a text."""
    return text.split()


UNARY = names("""abs acos acosh asin asinh atan atanh ceil cos cosh deg2rad digamma erf erfc erfinv exp exp2 expm1 floor frac i0 isfinite isinf
isnan lgamma log log10 log1p log2 logical_not logit nan_to_num neg reciprocal round rsqrt sgn sigmoid sign signbit sin sinc sinh sqrt square
tan tanh trunc""")
SPECIAL = names("bessel_j0 bessel_j1 bessel_y0 bessel_y1 entr erfcx i0e i1 i1e log_ndtr ndtr ndtri spherical_bessel_j0")
BINARY = names("""add atan2 copysign div eq floor_divide fmax fmin fmod ge heaviside hypot igamma igammac lt logaddexp logaddexp2 logical_and maximum
minimum mul nextafter pow remainder sub xlogy""")
ACTIVATIONS = names("""celu elu gelu hardshrink hardsigmoid hardswish hardtanh leaky_relu logsigmoid mish relu relu6 selu silu softplus softshrink
softsign tanhshrink""")
EXPRESSIONS: dict[str, Callable[[Lib, Any, Any], Any]] = {
    "a ** 2": lambda lib, a, b: a**2, "a ** 1.7": lambda lib, a, b: a**1.7, "a * 2": lambda lib, a, b: a * 2,
    "addcmul": lambda lib, a, b: lib.T.addcmul(a, a, b), "addcdiv": lambda lib, a, b: lib.T.addcdiv(a, a, b),
    "lerp": lambda lib, a, b: lib.T.lerp(a, b, 0.3), "clamp": lambda lib, a, b: a.clamp(0.2, 0.7),
    "masked_fill": lambda lib, a, b: a.masked_fill(a > b, 0.0), "to float64": lambda lib, a, b: a.to(lib.T.float64),
    "to bfloat16": lambda lib, a, b: a.to(lib.T.bfloat16), "to int64": lambda lib, a, b: a.to(lib.T.int64), "clone": lambda lib, a, b: a.clone(),
    "dropout": lambda lib, a, b: lib.F.dropout(a, 0.5, True), "randn": lambda lib, a, b: lib.T.randn(N), "rand": lambda lib, a, b: lib.T.rand(N),
}
REDUCTIONS = names("""all amin any argmin count_nonzero logsumexp max min nansum norm prod std median""")
SCANS = names("cumsum cumprod cummax cummin logcumsumexp")


def function(lib: Lib, name: str) -> Any:
    """Return the function of a dotted name below the framework's top module."""
    found = lib.T
    for part in name.split("."):
        found = getattr(found, part)
    return found


def add(group: str, name: str, count: int, call: Callable[..., Any]) -> None:
    """Register a row of a function of so many tensors."""

    def make(lib: Lib) -> Callable[[], Any]:
        xs = [lib.T.rand(N) * 0.9 + (1.05 if name == "acosh" else 0.05) for _ in range(count)]
        return lambda: call(lib, *xs)

    ROWS.append(Bench(name, group, make))


def add_reduction(name: str, dim: int | None) -> None:
    """Register a row of a reduction or a scan."""

    def make(lib: Lib) -> Callable[[], Any]:
        x, f = lib.T.rand(1000, 1000), getattr(lib.T, name)
        if dim is None:
            return (lambda: f(x, (0, 1))) if name == "logsumexp" else lambda: f(x)
        return (lambda: f(x, dim=dim)) if name == "norm" else lambda: f(x, dim)

    title = f"{name}, dim {dim}"
    ROWS.append(Bench(title, "reductions, every one, 1M", make))


for _name in UNARY + [f"special.{n}" for n in SPECIAL]:
    add("pointwise, every one, 1M", _name, 1, lambda lib, x, n=_name: function(lib, n)(x))
for _name in BINARY:
    add("pointwise, every one, 1M", _name, 2, lambda lib, a, b, n=_name: function(lib, n)(a, b))
for _name in ACTIVATIONS:
    add("pointwise, every one, 1M", _name, 1, lambda lib, x, n=_name: getattr(lib.F, n)(x))
for _name, _call in EXPRESSIONS.items():
    add("pointwise, every one, 1M", _name, 2, _call)
for _name in REDUCTIONS:
    for _dim in (None, 0, 1):
        add_reduction(_name, _dim)
for _name in SCANS:
    for _dim in (0, 1):
        add_reduction(_name, _dim)
