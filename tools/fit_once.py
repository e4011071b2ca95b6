"""Print the polynomials of kernels/cpu/once.h and fused.h, lowest term first, and the largest error of each as a power of two.

    python tools/fit_once.py

A fit is the minimax polynomial of an error that is weighted by what becomes of it in the function, found by Lawson's iterations: least
squares whose weights are multiplied by the errors that they leave.  Values come from mpmath.  Those of fused.h are rounded to float32.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath as mp
import numpy as np

mp.mp.dps = 40
NODES, ROUNDS = 2000, 200
Function = Callable[[Any], Any]


def fit(f: Function, low: float, high: float, degree: int, weight: Function) -> tuple[np.ndarray[Any, Any], float]:
    """Return the coefficients for f on [low, high], and the largest weighted error."""
    x = (low + high) / 2 + (high - low) / 2 * np.cos(np.pi * (np.arange(NODES) + 0.5) / NODES)
    y, w = (np.array([float(g(mp.mpf(t))) for t in x]) for g in (f, weight))
    powers = x[:, None] ** np.arange(degree + 1)
    share = np.ones(NODES)
    for _ in range(ROUNDS):
        s = np.sqrt(share) * w
        c = np.linalg.lstsq(powers * s[:, None], y * s, rcond=None)[0]
        error = np.abs(powers @ c - y) * w
        share = np.maximum(share * error / (share * error).max(), 1e-14)
    return c, float(error.max())


def over_root(f: Function) -> Function:
    """f(x) / x as a function of x^2, for an odd f with slope 1."""
    return lambda z: f(mp.sqrt(z)) / mp.sqrt(z)


def relative(f: Function) -> Function:
    """The weight of an error that counts over the value itself."""
    return lambda x: 1 / f(x)


def erfc_power(c: Any) -> Any:
    """log(erfc(c)) / c."""
    return mp.log(mp.erfc(c)) / c


def scaled_erfc(u: Any) -> Any:
    """(1 + 2x) e^(x^2) erfc(x) by u = (x - 2) / (x + 2)."""
    x = 2 * (1 + u) / (1 - u)
    return (1 + 2 * x) * mp.exp(x * x) * mp.erfc(x)


def erfinv_over_x(w: Any) -> Any:
    """erfinv(x) / x by w = -log(1 - x^2), by Newton's steps on erfc."""
    x = mp.sqrt(-mp.expm1(-w))
    far, y = mp.exp(-w) / (1 + x), mp.sqrt(w) * mp.mpf("0.9") if w > 1 else mp.sqrt(mp.pi) / 2 * x
    for _ in range(60):
        step = (mp.erfc(y) - far) / (-2 / mp.sqrt(mp.pi) * mp.exp(-y * y))
        y -= step / (1 + y * step)
    return y / x


HALF_LN2, EIGHTH, QUARTER = 0.34658, float(mp.tan(mp.pi / 8)) ** 2 * 1.0001, float(mp.pi / 4) * 1.0001
FITS: list[tuple[str, Function, float, float, int, Function]] = [
    ("(e^r - 1 - r) / r^2 by r", lambda r: (mp.exp(r) - 1 - r) / r**2, -HALF_LN2, HALF_LN2, 5, lambda r: r * r * mp.exp(-r)),
    ("2 atanh(s) / s by s^2", over_root(lambda s: 2 * mp.atanh(s)), 0, float(3 - 2 * mp.sqrt(2)) ** 2, 4, lambda z: 1),
    ("sin(r) / r by r^2", over_root(mp.sin), 0, QUARTER**2, 4, lambda z: 1),
    ("cos(r) by r^2", lambda z: mp.cos(mp.sqrt(z)), 0, QUARTER**2, 4, lambda z: 1),
    ("atan(r) / r by r^2", over_root(mp.atan), 0, EIGHTH, 6, relative(over_root(mp.atan))),
    ("asin(s) / s by s^2", over_root(mp.asin), 0, 0.25, 7, relative(over_root(mp.asin))),
    ("log(erfc(c)) / c by c", erfc_power, 0, 4, 9, lambda c: mp.erfc(c) * c / mp.erf(c)),
    ("(1 + 2c) e^(c^2) erfc(c) by (c - 2) / (c + 2)", scaled_erfc, -1, 0.68, 13, relative(scaled_erfc)),
    ("erfinv(x) / x by (w - 4) / 4", lambda u: erfinv_over_x(4 + 4 * u), -1, 1, 15, lambda u: 1 / erfinv_over_x(4 + 4 * u)),
    ("erfinv(x) / x by (w - 12) / 4", lambda v: erfinv_over_x(12 + 4 * v), -1, 1, 11, lambda v: 1 / erfinv_over_x(12 + 4 * v)),
]  # fmt: skip

def beyond(f: Function) -> Function:
    """(f(x) / x - 1) / x^2 as a function of x^2, for an odd f with slope 1."""
    return lambda z: (over_root(f)(z) - 1) / z


def erf_beyond_slope(z: Any) -> Any:
    """erf(x) / x - 1 by z = x^2."""
    return over_root(mp.erf)(z) - 1


def erfcx_over_s(u: Any) -> Any:
    """e^(c^2) erfc(c) (c + 2) by u = 1 - 4 / (c + 2)."""
    c = 2 * (1 + u) / (1 - u)
    return mp.exp(c * c) * mp.erfc(c) * (c + 2)


def erfinv_slope(u: Any) -> Any:
    """(erfinv(x) / x - sqrt(pi) / 2) / w by u = (w - 4) / 4."""
    w = max(4 + 4 * u, mp.mpf("1e-3"))
    return (erfinv_over_x(w) - mp.sqrt(mp.pi) / 2) / w


SQRT_2 = float(mp.sqrt(2))
FUSED_FITS: list[tuple[str, Function, float, float, int, Function]] = [
    ("(log(1 + f) - f + f^2 / 2) / f^3 by f", lambda f: (mp.log1p(f) - f + f * f / 2) / f**3, 1 / SQRT_2 - 1, SQRT_2 - 1, 7,
     lambda f: f**3 / mp.log1p(f)),
    ("(sin(r) / r - 1) / r^2 by r^2", beyond(mp.sin), 1e-6, QUARTER**2, 3, lambda z: z),
    ("(cos(r) - 1 + r^2 / 2) / r^4 by r^2", lambda z: (mp.cos(mp.sqrt(z)) - 1 + z / 2) / z**2, 1e-4, QUARTER**2, 2, lambda z: z * z),
    ("(asin(s) / s - 1) / s^2 by s^2", beyond(mp.asin), 1e-6, 0.25, 5, lambda z: z / over_root(mp.asin)(z)),
    ("erf(x) / x - 1 by x^2", erf_beyond_slope, 1e-8, 1, 6, lambda z: 1 / (1 + erf_beyond_slope(z))),
    ("log(erfc(1 + t) / erfc(1)) by t", lambda t: mp.log(mp.erfc(1 + t) / mp.erfc(1)), 0, 2.96, 5,
     lambda t: mp.erfc(1 + t) / mp.erf(1 + t)),
    ("(e^r - 1 - r) / r^2 by r, for erf", lambda r: (mp.exp(r) - 1 - r) / r**2, -HALF_LN2, HALF_LN2, 3, lambda r: r * r * mp.exp(-r)),
    ("e^(c^2) erfc(c) (c + 2) by 1 - 4 / (c + 2)", erfcx_over_s, -1, 0.68, 10, relative(erfcx_over_s)),
    ("(erfinv(x) / x - sqrt(pi) / 2) / w by (w - 4) / 4", erfinv_slope, -1, 1, 10,
     lambda u: (4 + 4 * u) / (erfinv_slope(u) * (4 + 4 * u) + mp.sqrt(mp.pi) / 2)),
]  # fmt: skip


if __name__ == "__main__":
    for name, *row in [*FITS, *FUSED_FITS]:
        found, worst = fit(*row)
        print(f"{name}: 2^{np.log2(worst):.1f}", *(f"    {k!r}" for k in found.tolist()), sep="\n")
