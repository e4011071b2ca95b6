"""The stated accuracy of the ops: ONE table, from which docs/accuracy.md is made and which test_accuracy.py holds.

A case measures the largest error of an op against a reference of more digits, on inputs that are random, and on those that
are known to hurt.  It is measured in a :class:`Lib`, which is taeda's core or PyTorch; PyTorch's error is written beside the limit.

    python packages/core/tests/accuracy.py [torch]       measure all cases, here or in PyTorch, and print error and limit

PyTorch's errors are kept in accuracy_torch.json, which the second form writes.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import pathlib
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special as sp

LONG = np.longdouble
TORCH = pathlib.Path(__file__).with_name("accuracy_torch.json")     # case -> PyTorch's error
Array = np.ndarray[Any, Any]


class Lib:
    """The calls that the cases make, in taeda's core or in PyTorch."""

    def __init__(self, name: str) -> None:
        if name == "torch":
            import torch

            self.T: Any = torch
            self.F: Any = torch.nn.functional
        else:
            import taeda

            self.T, self.F = taeda, taeda.ops
        self.name = name

    def tensor(self, x: Array) -> Any:
        """Return a tensor with the numbers of an array."""
        return self.T.from_numpy(np.ascontiguousarray(x))

    def function(self, name: str) -> Callable[..., Any]:
        """Return a pointwise function, from the top or from ``special``."""
        return getattr(self.T, name, None) or getattr(self.T.special, name, None) or getattr(self.F, name)

    def optimizer(self, name: str, x: Array, gradient: Callable[[Any], Any], steps: int) -> Array:
        """Return where an optimizer with PyTorch's defaults and lr = 0.01 (SGD: momentum 0.9) arrives from x."""
        p = self.tensor(x.copy())
        if self.name == "torch":
            p.requires_grad_()
            kinds = {"adam": lambda: self.T.optim.Adam([p], lr=0.01), "sgd": lambda: self.T.optim.SGD([p], lr=0.01, momentum=0.9)}
            optimizer = kinds[name]()
            for _ in range(steps):
                p.grad = gradient(p.detach())
                optimizer.step()
            return np.asarray(p.detach().numpy())
        first, second, count = self.T.zeros_like(p), self.T.zeros_like(p), self.T.zeros(())
        for step in range(steps):
            if name == "adam":
                self.F.fused_adam_([p], [gradient(p)], [first], [second], [], [count], lr=0.01, beta1=0.9, beta2=0.999, eps=1e-8)
            else:
                self.F.fused_sgd_([p], [gradient(p)], [first], lr=0.01, momentum=0.9, first_step=step == 0)
        return np.asarray(p.numpy())


@dataclasses.dataclass(frozen=True)
class Case:
    """One stated number: the error of ``what`` on ``inputs`` is at most ``limit``, in ``unit``."""

    family: str
    what: str
    inputs: str
    unit: str
    limit: float
    measure: Callable[[Lib], float]

    @property
    def name(self) -> str:
        """Return what tests call it."""
        return f"{self.family}: {self.what}, {self.inputs}"


CASES: list[Case] = []


def case(family: str, what: str, inputs: str, unit: str, limit: float) -> Callable[[Callable[[Lib], float]], Callable[[Lib], float]]:
    """Add the decorated measurement to the table."""

    def add(measure: Callable[[Lib], float]) -> Callable[[Lib], float]:
        CASES.append(Case(family, what, inputs, unit, limit, measure))
        return measure

    return add


# -- how errors are measured


def ulps(found: Array, wanted: Array) -> float:
    """Return the largest error in units in the last place of the result's dtype; both nan or the same infinity is none."""
    with np.errstate(all="ignore"):
        rounded = wanted.astype(found.dtype)
        same = (found == rounded) | (np.isnan(found) & np.isnan(rounded))
        error = np.abs(found.astype(LONG) - wanted) / np.spacing(np.abs(rounded)).astype(LONG)
    return float(np.max(np.where(same & ~np.isfinite(rounded), 0, error)))


def relative(found: Array, wanted: Array) -> float:
    """Return the largest relative error, element by element; results below float32's normal numbers count by those."""
    wanted = np.asarray(wanted, dtype=np.float64)
    return float(np.max(np.abs(found.astype(np.float64) - wanted) / np.maximum(np.abs(wanted), 1e-37)))


def scaled(found: Array, wanted: Array) -> float:
    """Return the largest error over the largest result."""
    return float(np.max(np.abs(np.asarray(found, np.float64) - wanted)) / np.max(np.abs(wanted)))


def points(low: float, high: float, dtype: str, seed: int) -> Array:
    """Return numbers from [low, high], even and by their logarithms, small ones of both signs, and subnormal ones."""
    rng = np.random.default_rng(seed)
    even = rng.uniform(low, high, 20_000)
    small = rng.uniform(max(low, -1), min(high, 1), 20_000)
    tiny = np.exp(rng.uniform(math.log(1e-44 if dtype == "float32" else 1e-320), 0, 4_000))
    logs = np.exp(rng.uniform(math.log(max(low, 1e-30)), math.log(high), 10_000)) if low >= 0 else even[:0]
    x = np.concatenate([even, small, tiny, -tiny, logs]).astype(dtype)
    return x[(x >= low) & (x <= high)]


# -- elementary functions: range, ulp of float32 and float64

# fmt: off
ELEMENTARY: dict[str, tuple[Callable[[Array], Array], float, float, float, float]] = {
    "exp": (np.exp, -85, 88, 0.7, 0.6), "exp2": (np.exp2, -125, 127, 1, 1), "expm1": (np.expm1, -20, 88, 0.51, 0.7),
    "log": (np.log, 0, 1e30, 0.76, 0.7), "log2": (np.log2, 0, 1e30, 0.8, 0.7), "log10": (np.log10, 0, 1e30, 0.75, 0.7),
    "log1p": (np.log1p, -0.999, 1e20, 0.51, 0.7), "sqrt": (np.sqrt, 0, 1e30, 0.5, 0.5), "rsqrt": (lambda x: 1 / np.sqrt(x), 1e-30, 1e30, 1.5, 1.5),
    "sin": (np.sin, -1000, 1000, 0.9, 0.8), "cos": (np.cos, -1000, 1000, 0.9, 0.8), "tan": (np.tan, -1000, 1000, 1.2, 0.9),
    "asin": (np.arcsin, -1, 1, 0.65, 0.7), "acos": (np.arccos, -1, 1, 0.65, 0.7), "atan": (np.arctan, -50, 50, 0.51, 0.7),
    "sinh": (np.sinh, -88, 88, 0.51, 0.7), "cosh": (np.cosh, -88, 88, 0.51, 0.7), "tanh": (np.tanh, -10, 10, 0.51, 0.7),
    "asinh": (np.arcsinh, -1e4, 1e4, 0.51, 0.7), "acosh": (np.arccosh, 1, 1e20, 0.51, 0.7), "atanh": (np.arctanh, -1, 1, 0.51, 0.7),
    "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), -80, 80, 2.1, 2),
}
# fmt: on


def elementary(name: str, dtype: str) -> Callable[[Lib], float]:
    """Return the measurement of a function in a dtype."""
    reference, low, high, *_ = ELEMENTARY[name]

    def measure(lib: Lib) -> float:
        x = points(low, high, dtype, 5)
        with np.errstate(all="ignore"):
            return ulps(lib.function(name)(lib.tensor(x)).numpy(), reference(x.astype(LONG)))

    return measure


for _name, (_, _low, _high, *_limits) in ELEMENTARY.items():
    for _k, _dtype in enumerate(("float32", "float64")):
        CASES.append(Case("elementary functions", f"{_name}, {_dtype}", f"[{_low:g}, {_high:g}]", "ulp", _limits[_k], elementary(_name, _dtype)))


# -- special functions, relative error: name, reference in float64, range, limits of float32 and float64

# fmt: off
SPECIAL: dict[str, tuple[Callable[[Array], Array], float, float, float, float]] = {
    "erf": (sp.erf, -6, 6, 7e-8, 5e-16), "erfc": (sp.erfc, -3, 9, 2.2e-7, 1e-14), "erfinv": (sp.erfinv, -1, 1, 1.3e-7, 1e-12),
    "erfcx": (sp.erfcx, -5, 1e4, 1e-6, 1e-12), "special.ndtr": (sp.ndtr, -12, 12, 2.4e-7, 1e-12),
    "special.log_ndtr": (sp.log_ndtr, -1e3, 5, 1e-6, 1e-12), "special.ndtri": (sp.ndtri, 1e-30, 0.49, 1e-6, 1e-12),
    "lgamma": (sp.gammaln, 1e-3, 1e6, 1e-6, 1e-12), "digamma": (sp.digamma, 1e-3, 1e6, 1e-6, 1e-12),
    "logit": (sp.logit, 1e-6, 1, 1e-6, 1e-12), "sinc": (np.sinc, -0.9, 0.9, 1e-6, 1e-12),
    "i0": (sp.i0, -80, 80, 1e-6, 1e-12), "special.i0e": (sp.i0e, -1e3, 1e3, 1e-6, 1e-12),
    "special.i1": (sp.i1, -80, 80, 1e-6, 1e-12), "special.i1e": (sp.i1e, -1e3, 1e3, 1e-6, 1e-12),
    "special.modified_bessel_k0": (sp.k0, 1e-6, 80, 1e-6, 1e-12), "special.modified_bessel_k1": (sp.k1, 1e-6, 80, 1e-6, 1e-12),
}
# absolute error, of what oscillates
OSCILLATING: dict[str, tuple[Callable[[Array], Array], float, float, float, float]] = {
    "special.bessel_j0": (sp.j0, -1e3, 1e3, 1e-7, 1e-13), "special.bessel_j1": (sp.j1, -1e3, 1e3, 1e-7, 1e-13),
    "special.bessel_y0": (sp.y0, 0.1, 1e3, 2e-7, 1e-13), "special.bessel_y1": (sp.y1, 1, 1e3, 1e-7, 1e-13),
    "special.airy_ai": (lambda x: sp.airy(x)[0], -50, 20, 1e-7, 1e-12),
    "special.spherical_bessel_j0": (lambda x: sp.spherical_jn(0, x), 0, 1e3, 1e-7, 1e-13),
}
# fmt: on


def special(name: str, row: tuple[Any, ...], dtype: str, absolute: bool) -> Callable[[Lib], float]:
    """Return the measurement of a special function in a dtype."""

    def measure(lib: Lib) -> float:
        rng = np.random.default_rng(8)
        low, high = row[1], row[2]
        even = rng.uniform(low, high, 20_000)
        x = np.concatenate([even, np.exp(rng.uniform(math.log(low), math.log(high), 10_000))]) if low > 0 else even
        x = x.astype(dtype)
        x = x[(x > low) & (x < high)]
        found = lib.function(name.removeprefix("special."))(lib.tensor(x)).numpy()
        wanted = row[0](x.astype(np.float64))
        return float(np.max(np.abs(found - wanted))) if absolute else relative(found, wanted)

    return measure


for _table, _absolute in ((SPECIAL, False), (OSCILLATING, True)):
    for _name, _row in _table.items():
        for _k, _dtype in enumerate(("float32", "float64")):
            CASES.append(Case("special functions", f"{_name}, {_dtype}", f"[{_row[1]:g}, {_row[2]:g}]", "absolute" if _absolute else "relative",
                              _row[3 + _k], special(_name, _row, _dtype, _absolute)))  # fmt: skip


# -- sums, moments, norms


@case("sums", "sum", "10,000,000 times 0.1", "relative", 3e-7)
def _(lib: Lib) -> float:
    x = np.full(10_000_000, 0.1, np.float32)
    return abs(lib.tensor(x).sum().item() / (float(np.float32(0.1)) * 1e7) - 1)


@case("sums", "mean", "10,000,000 numbers of [0, 1)", "relative", 2e-7)
def _(lib: Lib) -> float:
    x = np.random.default_rng(1).random(10_000_000, np.float32)
    return abs(lib.tensor(x).mean().item() / x.astype(np.float64).mean() - 1)


@case("sums", "sum over dim 0", "100,000 x 8 of [0, 1)", "relative", 2e-7)
def _(lib: Lib) -> float:
    x = np.random.default_rng(2).random((100_000, 8), np.float32)
    return relative(lib.tensor(x).sum(0).numpy(), x.astype(np.float64).sum(0))


@case("sums", "cumsum", "1,000,000 numbers of [0, 1)", "relative", 1e-7)
def _(lib: Lib) -> float:
    x = np.random.default_rng(3).random(1_000_000, np.float32)
    return relative(lib.tensor(x).cumsum(0).numpy(), x.astype(np.float64).cumsum())


@case("sums", "var", "1,000,000 numbers of mean 1e4, deviation 1", "relative", 3e-7)
def _(lib: Lib) -> float:
    x = (1e4 + np.random.default_rng(4).standard_normal(1_000_000)).astype(np.float32)
    return abs(lib.tensor(x).var().item() / x.astype(np.float64).var(ddof=1) - 1)


@case("sums", "var over dim 1", "64 x 10,000 of mean 1e4, deviation 1", "relative", 3e-7)
def _(lib: Lib) -> float:
    x = (1e4 + np.random.default_rng(5).standard_normal((64, 10_000))).astype(np.float32)
    return relative(lib.tensor(x).var(1).numpy(), x.astype(np.float64).var(1, ddof=1))


@case("sums", "norm", "10,000,000 numbers of [0, 1)", "relative", 2e-7)
def _(lib: Lib) -> float:
    x = np.random.default_rng(6).random(10_000_000, np.float32)
    return abs(lib.tensor(x).norm().item() / np.linalg.norm(x.astype(np.float64)) - 1)


@case("sums", "norm of order 3", "100,000 normal numbers", "relative", 2e-7)
def _(lib: Lib) -> float:
    x = np.random.default_rng(7).standard_normal(100_000).astype(np.float32)
    return abs(lib.tensor(x).norm(3).item() / (np.abs(x.astype(np.float64)) ** 3).sum() ** (1 / 3) - 1)


# -- softmax and losses


def rows(seed: int, scale: float) -> Array:
    """Return 16 rows of 50,000 numbers."""
    return (np.random.default_rng(seed).standard_normal((16, 50_000)) * scale).astype(np.float32)


@case("softmax and losses", "softmax", "16 x 50,000, deviation 3", "relative", 2e-6)
def _(lib: Lib) -> float:
    x = rows(9, 3)
    return relative(lib.F.softmax(lib.tensor(x), -1).numpy(), sp.softmax(x.astype(np.float64), -1))


@case("softmax and losses", "softmax", "16 x 50,000, deviation 1e4", "absolute", 1e-7)
def _(lib: Lib) -> float:
    x = rows(10, 1e4)
    return float(np.max(np.abs(lib.F.softmax(lib.tensor(x), -1).numpy() - sp.softmax(x.astype(np.float64), -1))))


@case("softmax and losses", "log_softmax", "16 x 50,000, deviation 3", "relative", 1e-6)
def _(lib: Lib) -> float:
    x = rows(11, 3)
    return relative(lib.F.log_softmax(lib.tensor(x), -1).numpy(), sp.log_softmax(x.astype(np.float64), -1))


@case("softmax and losses", "logsumexp", "16 x 50,000 around 88, where exp overflows", "relative", 3e-7)
def _(lib: Lib) -> float:
    x = rows(12, 3) + np.float32(88)
    return relative(lib.T.logsumexp(lib.tensor(x), -1).numpy(), sp.logsumexp(x.astype(np.float64), -1))


@case("softmax and losses", "cross_entropy", "16 x 50,000, deviation 30", "relative", 1e-6)
def _(lib: Lib) -> float:
    x, t = rows(13, 30), np.arange(16) * 3_000
    wanted = -sp.log_softmax(x.astype(np.float64), -1)[np.arange(16), t].mean()
    return abs(lib.F.cross_entropy(lib.tensor(x), lib.tensor(t)).item() / wanted - 1)


@case("softmax and losses", "cross_entropy", "two classes 20 apart, the right one chosen", "absolute", 5e-7)
def _(lib: Lib) -> float:
    x = np.array([[20.0, 0.0], [0.0, 15.5]], np.float32)
    found = lib.F.cross_entropy(lib.tensor(x), lib.tensor(np.array([0, 1])), reduction="none").numpy()
    return float(np.max(np.abs(found - np.log1p(np.exp(-np.abs(x[:, 0] - x[:, 1]).astype(np.float64))))))


# -- products


def product(m: int, k: int, n: int) -> Callable[[Lib], float]:
    """Return the measurement of a product of normal matrices: the error over the product of their absolute values."""

    def measure(lib: Lib) -> float:
        rng = np.random.default_rng(14)
        a, b = rng.standard_normal((m, k)).astype(np.float32), rng.standard_normal((k, n)).astype(np.float32)
        wide, other = a.astype(np.float64), b.astype(np.float64)
        return float(np.max(np.abs((lib.tensor(a) @ lib.tensor(b)).numpy() - wide @ other) / (np.abs(wide) @ np.abs(other))))

    return measure


for _m, _k, _n in ((256, 256, 256), (64, 4096, 64), (1, 100_000, 1), (512, 64, 512)):
    CASES.append(Case("products", "matmul", f"{_m} x {_k} by {_k} x {_n}, normal", "|A| |B|", 5e-7, product(_m, _k, _n)))


@case("products", "scaled_dot_product_attention", "2 x 4 x 1,024 x 64, normal", "of the largest", 2e-6)
def _(lib: Lib) -> float:
    rng = np.random.default_rng(15)
    q, k, v = (rng.standard_normal((2, 4, 1024, 64)).astype(np.float32) for _ in range(3))
    wide = sp.softmax(q.astype(np.float64) @ k.astype(np.float64).swapaxes(-1, -2) / 8, -1) @ v
    return scaled(lib.F.scaled_dot_product_attention(*(lib.tensor(t) for t in (q, k, v))).numpy(), wide)


@case("products", "scaled_dot_product_attention", "the same with scores of deviation 50, causal", "of the largest", 2e-5)
def _(lib: Lib) -> float:
    rng = np.random.default_rng(16)
    q, k, v = (rng.standard_normal((1, 2, 512, 64)).astype(np.float32) for _ in range(3))
    scores = np.where(np.tri(512) > 0, (q * np.float32(50)).astype(np.float64) @ k.astype(np.float64).swapaxes(-1, -2) / 8, -np.inf)
    found = lib.F.scaled_dot_product_attention(lib.tensor(q * np.float32(50)), lib.tensor(k), lib.tensor(v), is_causal=True)
    return scaled(found.numpy(), sp.softmax(scores, -1) @ v)


# -- convolution: y, the gradients of x and of w, for cotangents like y


def convolved(x: Array, w: Array, g: Array) -> tuple[Array, Array, Array]:
    """Return the 3x3 convolution with padding 1, and its gradients for g, in float64."""
    x, w, g = (a.astype(np.float64) for a in (x, w, g))
    n, _, rows, cols = x.shape
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (2, 3))
    dx = np.zeros_like(padded)
    for i in range(3):
        for j in range(3):
            dx[:, :, i : i + rows, j : j + cols] += np.einsum("nohw,oc->nchw", g, w[:, :, i, j])
    return np.einsum("nchwij,ocij->nohw", windows, w, optimize=True), dx[:, :, 1:-1, 1:-1], np.einsum("nohw,nchwij->ocij", g, windows, optimize=True)


def convolution(precise: bool, which: int) -> Callable[[Lib], float]:
    """Return the measurement of a 3x3 convolution of 64 channels, or of one of its gradients, by one method."""

    def measure(lib: Lib) -> float:
        rng = np.random.default_rng(18)
        x, g = (rng.standard_normal((2, 64, 28, 28)).astype(np.float32) for _ in range(2))
        w = (rng.standard_normal((64, 64, 3, 3)) / 24).astype(np.float32)
        switch = getattr(lib.T.backends.cpu, "flags", None)        # PyTorch has one method
        with switch(conv_precision="precise" if precise else "fast") if switch else contextlib.nullcontext():
            a, b = lib.tensor(x).requires_grad_(), lib.tensor(w).requires_grad_()
            y = lib.T.conv2d(a, b, padding=1)
            y.backward(lib.tensor(g))
        return scaled((y.detach(), a.grad, b.grad)[which].numpy(), convolved(x, w, g)[which])

    return measure


for _which, _name in enumerate(("result", "gradient of x", "gradient of w")):
    for _precise, _limit in ((False, 3e-6), (True, 1e-6)):
        CASES.append(Case("convolution", f"3x3 conv2d, {_name}, {'precise' if _precise else 'fast'}", "2 x 64 x 28 x 28, 64 channels", "of the largest",
                          _limit, convolution(_precise, _which)))  # fmt: skip


def other_convolution(kernel: int, options: dict[str, int], which: int) -> Callable[[Lib], float]:
    """Return the measurement of a convolution of 64 channels, or of one of its gradients, beside the sum in float64."""

    def measure(lib: Lib) -> float:
        rng = np.random.default_rng(18)
        x = rng.standard_normal((2, 64, 28, 28))
        w = rng.standard_normal((64, 64, kernel, kernel)) / (8 * kernel)
        g = rng.standard_normal(tuple(lib.T.conv2d(lib.tensor(x), lib.tensor(w), **options).shape))
        results = []
        for dtype in (np.float32, np.float64):
            a, b = lib.tensor(x.astype(np.float32).astype(dtype)).requires_grad_(), lib.tensor(w.astype(np.float32).astype(dtype)).requires_grad_()
            y = lib.T.conv2d(a, b, **options)
            y.backward(lib.tensor(g.astype(np.float32).astype(dtype)))
            results.append((y.detach(), a.grad, b.grad)[which].numpy())
        return scaled(*results)

    return measure


for _kernel, _what, _options in ((3, "3x3 conv2d, dilation 2", {"padding": 2, "dilation": 2}), (5, "5x5 conv2d", {"padding": 2}),
                                 (4, "4x4 conv2d, stride 2", {"padding": 1, "stride": 2}),
                                 (5, "5x5 conv2d, stride 2", {"padding": 2, "stride": 2})):  # fmt: skip
    for _which, _name in enumerate(("result", "gradient of x", "gradient of w")):
        CASES.append(Case("convolution", f"{_what}, {_name}", "2 x 64 x 28 x 28, 64 channels", "of the largest", 4e-6,
                          other_convolution(_kernel, _options, _which)))  # fmt: skip


# -- normalisation: the result has variance 1, so errors are those of the input's deviations


def normalised(x: Array, axes: tuple[int, ...]) -> Array:
    """Return (x - mean) / sqrt(var + 1e-5) over axes, in float64."""
    wide = x.astype(np.float64)
    return np.asarray((wide - wide.mean(axes, keepdims=True)) / np.sqrt(wide.var(axes, keepdims=True) + 1e-5))


def shifted(shape: tuple[int, ...], mean: float) -> Array:
    """Return normal numbers around a mean."""
    return (mean + np.random.default_rng(17).standard_normal(shape)).astype(np.float32)


@case("normalisation", "layer_norm", "256 x 1,024, mean 0", "absolute", 1e-6)
def _(lib: Lib) -> float:
    x = shifted((256, 1024), 0)
    return float(np.max(np.abs(lib.F.layer_norm(lib.tensor(x), (1024,)).numpy() - normalised(x, (1,)))))


@case("normalisation", "layer_norm", "256 x 1,024, mean 1e4", "absolute", 5e-6)
def _(lib: Lib) -> float:
    x = shifted((256, 1024), 1e4)
    return float(np.max(np.abs(lib.F.layer_norm(lib.tensor(x), (1024,)).numpy() - normalised(x, (1,)))))


@case("normalisation", "batch_norm, training", "16 x 8 x 32 x 32, mean 0", "absolute", 2e-6)
def _(lib: Lib) -> float:
    x = shifted((16, 8, 32, 32), 0)
    return float(np.max(np.abs(lib.F.batch_norm(lib.tensor(x), None, None, training=True).numpy() - normalised(x, (0, 2, 3)))))


@case("normalisation", "batch_norm, training", "16 x 8 x 32 x 32, mean 1e4", "absolute", 5e-6)
def _(lib: Lib) -> float:
    x = shifted((16, 8, 32, 32), 1e4)
    return float(np.max(np.abs(lib.F.batch_norm(lib.tensor(x), None, None, training=True).numpy() - normalised(x, (0, 2, 3)))))


@case("normalisation", "group_norm of 4", "8 x 16 x 32 x 32, mean 1e4", "absolute", 5e-6)
def _(lib: Lib) -> float:
    x = shifted((8, 16, 32, 32), 1e4)
    wanted = normalised(x.reshape(8, 4, -1), (2,)).reshape(x.shape)
    return float(np.max(np.abs(lib.F.group_norm(lib.tensor(x), 4).numpy() - wanted)))


# -- optimizers: the path over 100 steps on f(x) = sum c x^2 / 2, whose curvature c goes from 0.01 to 10


def path(name: str) -> Callable[[Lib], float]:
    """Return the measurement of an optimizer in float32 against itself in float64."""

    def measure(lib: Lib) -> float:
        rng = np.random.default_rng(18)
        x, c = rng.standard_normal(1000), np.exp(rng.uniform(math.log(0.01), math.log(10), 1000))
        ends = []
        for dtype in (np.float32, np.float64):
            curvature = lib.tensor(c.astype(dtype))
            ends.append(lib.optimizer(name, x.astype(np.float32).astype(dtype), lambda p, curvature=curvature: curvature * p, 100))
        return scaled(ends[0], ends[1])

    return measure


for _name in ("sgd", "adam"):
    CASES.append(Case("optimizers", f"{_name}, 100 steps", "1,000 parameters of a quadratic function", "of the largest", 1e-5, path(_name)))


# -- the document


def table(family: str) -> str:
    """Return a family's table in Markdown."""
    torch = json.loads(TORCH.read_text())
    lines = ["| what | inputs | error is in | at most | PyTorch's |", "| --- | --- | --- | --- | --- |"]
    lines += [f"| {c.what} | {c.inputs} | {c.unit} | {c.limit:g} | {torch[c.name]:.2g} |".replace("|A| |B|", r"\|A\| \|B\|") for c in CASES if c.family == family]
    return "\n".join(lines)


if __name__ == "__main__":
    library = Lib(sys.argv[1] if len(sys.argv) > 1 else "taeda")
    errors = {c.name: float(f"{c.measure(library):.2g}") for c in CASES}
    for c in CASES:
        print(f"{errors[c.name]:9.2g}  at most {c.limit:7.2g}  {c.name}")
    if library.name == "torch":
        TORCH.write_text(json.dumps(errors, indent=1) + "\n")
