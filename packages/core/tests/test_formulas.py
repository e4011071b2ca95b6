"""The elementary functions against long double: the largest error in units in the last place."""

from __future__ import annotations

import math

import numpy as np
import pytest
import taeda

LONG = np.longdouble
FUNCTIONS = {  # reference in long double, range, most ulp
    "exp": (np.exp, -80, 80, 2), "log": (np.log, 1e-30, 1e30, 2), "tanh": (np.tanh, -9, 9, 4), "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), -80, 80, 4),
    "sin": (np.sin, -100, 100, 2), "cos": (np.cos, -100, 100, 2), "expm1": (np.expm1, -20, 80, 3), "log1p": (np.log1p, -0.999, 1e20, 3),
    "erf": (np.vectorize(math.erf), -4, 4, 8), "sqrt": (np.sqrt, 0, 1e30, 1),
    "exp2": (np.exp2, -120, 120, 2), "log2": (np.log2, 1e-30, 1e30, 2), "log10": (np.log10, 1e-30, 1e30, 2), "tan": (np.tan, -100, 100, 4),
    "sinh": (np.sinh, -88, 88, 3), "cosh": (np.cosh, -88, 88, 3), "asin": (np.arcsin, -1, 1, 3), "acos": (np.arccos, -1, 1, 3),
    "atan": (np.arctan, -50, 50, 3), "asinh": (np.arcsinh, -1e4, 1e4, 4), "acosh": (np.arccosh, 1, 1e20, 4), "atanh": (np.arctanh, -1, 1, 4),
    "erfc": (np.vectorize(math.erfc), -3, 5, 5),
}  # fmt: skip


@pytest.mark.skipif(np.finfo(LONG).nmant <= 52, reason="long double is no wider than double here")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_errors_stay_within_a_few_ulp(name: str, dtype: str) -> None:
    reference, low, high, most = FUNCTIONS[name]
    rng = np.random.default_rng(5)
    near = rng.uniform(max(low, -1), 1, 20_000)
    logs = np.exp(rng.uniform(np.log(low), np.log(high), 20_000)) if low > 0 else rng.uniform(low, high, 20_000)
    x = np.concatenate([logs, np.abs(near) + 1e-9 if low >= 0 else near]).astype(dtype)
    found = getattr(taeda, name)(taeda.from_numpy(x)).numpy()
    with np.errstate(all="ignore"):
        wanted = np.asarray(reference(x.astype(LONG)), dtype=LONG)
    ulp = np.abs(found.astype(LONG) - wanted) / np.spacing(np.abs(wanted.astype(dtype))).astype(LONG)
    worst = int(np.argmax(ulp))
    assert ulp[worst] <= most, f"{name}({x[worst]!r}) in {dtype} is off by {float(ulp[worst]):.2f} ulp"


TWO = {"atan2": (np.arctan2, 4), "hypot": (np.hypot, 1), "pow": (np.power, 1), "fmod": (np.fmod, 0)}


@pytest.mark.skipif(np.finfo(LONG).nmant <= 52, reason="long double is no wider than double here")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", TWO)
def test_errors_of_two_arguments_stay_within_a_few_ulp(name: str, dtype: str) -> None:
    reference, most = TWO[name]
    rng = np.random.default_rng(6)
    x, y = rng.normal(0, 3, 20_000).astype(dtype), rng.normal(0, 3, 20_000).astype(dtype)
    x = np.abs(x) if name == "pow" else x
    x[::7] *= 1e6                                             # large quotients
    found = getattr(taeda, name)(taeda.from_numpy(x), taeda.from_numpy(y)).numpy()
    wanted = reference(x.astype(LONG), y.astype(LONG))
    x, y, found, wanted = (v[np.abs(wanted) < 1e37] for v in (x, y, found, wanted))
    ulp = np.abs(found.astype(LONG) - wanted) / np.spacing(np.abs(wanted.astype(dtype))).astype(LONG)
    assert ulp.max() <= most, f"{name} in {dtype} is off by {float(ulp.max()):.2f} ulp"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_corners_of_two_arguments_are_those_of_c(dtype: str) -> None:
    inf, nan = math.inf, math.nan
    points = np.array([0.0, -0.0, 1, -1, 0.5, -0.5, 2, -2, 3, -3, inf, -inf, nan, 1.5, 1e30, -1e30, 16777217, 7e-41], dtype)
    x, y = (np.ravel(m) for m in np.meshgrid(points, points))
    for name, reference in (("pow", np.power), ("fmod", np.fmod), ("hypot", np.hypot), ("atan2", np.arctan2), ("nextafter", np.nextafter)):
        with np.errstate(all="ignore"):
            wanted = reference(x.astype("float64") if name == "pow" else x, y).astype(dtype)
        found = getattr(taeda, name)(taeda.from_numpy(x), taeda.from_numpy(y)).numpy()
        np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=0, err_msg=name)
        zero = wanted == 0
        np.testing.assert_array_equal(np.signbit(found[zero]), np.signbit(wanted[zero]), err_msg=name)


@pytest.mark.parametrize("exponent", [2, 3, 0.5, -1, -2, -0.5, 1.7, 0, -3])
def test_powers_by_one_number(exponent: float) -> None:
    x = np.linspace(0.1, 9, 1000)
    np.testing.assert_allclose((taeda.from_numpy(x) ** exponent).numpy(), x**exponent, rtol=1e-14)
    np.testing.assert_allclose((taeda.from_numpy(x.astype("float32")) ** exponent).numpy(), x**exponent, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_ends_of_the_line(dtype: str) -> None:
    inf, nan = math.inf, math.nan
    x = taeda.tensor([inf, -inf, nan, 0.0], dtype=getattr(taeda, dtype))
    for name, wanted in (("exp", [inf, 0, nan, 1]), ("tanh", [1, -1, nan, 0]), ("sigmoid", [1, 0, nan, 0.5]), ("erf", [1, -1, nan, 0]), ("sin", [nan, nan, nan, 0]),
                         ("cos", [nan, nan, nan, 1]), ("log", [inf, nan, nan, -inf]), ("log1p", [inf, nan, nan, 0]), ("expm1", [inf, -1, nan, 0])):  # fmt: skip
        np.testing.assert_array_equal(getattr(taeda, name)(x).numpy(), np.array(wanted, dtype), err_msg=name)
