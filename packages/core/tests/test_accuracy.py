"""The accuracy that docs/accuracy.md states, case by case; the numbers are those of accuracy.py."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import numpy as np
import pytest

import taeda
from accuracy import CASES, ELEMENTARY, LONG, Case, Lib, relative, ulps

WIDE = np.finfo(LONG).nmant > 52
LIB = Lib("taeda")


@pytest.mark.parametrize("case", CASES, ids=[c.name for c in CASES])
def test_the_error_is_within_what_is_stated(case: Case) -> None:
    if case.unit == "ulp" and not WIDE:
        pytest.skip("long double is no wider than double here")
    error = case.measure(LIB)
    assert error <= case.limit, f"{case.name} is off by {error:.3g} {case.unit}"


def test_the_document_says_the_same() -> None:
    script = pathlib.Path(__file__).parents[3] / "docs" / "make_accuracy.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_measures_see_an_error_of_one_unit() -> None:
    x = np.linspace(1, 2, 100, dtype=np.float32)
    off = np.nextafter(x, np.float32(3))
    assert ulps(x, x.astype(LONG)) == 0 and 0.9 < ulps(off, x.astype(LONG)) <= 2
    assert 5e-8 < relative(off, x) < 2e-7
    assert ulps(np.float32([np.inf]), np.array([1], LONG)) == np.inf


TWO = {"atan2": (np.arctan2, 0.7), "hypot": (np.hypot, 1), "pow": (np.power, 1), "fmod": (np.fmod, 0)}


@pytest.mark.skipif(not WIDE, reason="long double is no wider than double here")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", TWO)
def test_errors_of_two_arguments_stay_within_a_few_ulp(name: str, dtype: str) -> None:
    reference, most = TWO[name]
    rng = np.random.default_rng(6)
    x, y = rng.normal(0, 3, 20_000).astype(dtype), rng.normal(0, 3, 20_000).astype(dtype)
    x = np.abs(x) if name == "pow" else x
    x[::7] *= 1e6                                             # large quotients
    y[::11] *= 20                                             # large powers
    found = getattr(taeda, name)(taeda.from_numpy(x), taeda.from_numpy(y)).numpy()
    with np.errstate(all="ignore"):
        wanted = reference(x.astype(LONG), y.astype(LONG))
    normal = (np.abs(wanted) < (1e37 if dtype == "float32" else 1e307)) & (np.abs(wanted) > (1e-37 if dtype == "float32" else 1e-307))
    assert ulps(found[normal], wanted[normal]) <= most


# float64 over all of its range: reference, from, to, largest error (docs/accuracy.md says the same of a part)
FAR = {"exp": (np.exp, -708, 710, 0.6), "exp2": (np.exp2, -1022, 1024, 1), "expm1": (np.expm1, -800, 710, 0.7), "sinh": (np.sinh, -711, 711, 0.7),
       "cosh": (np.cosh, -711, 711, 0.7), "tanh": (np.tanh, -400, 400, 0.7), "log": (np.log, 0, 1.7e308, 0.7), "log2": (np.log2, 0, 1.7e308, 0.7),
       "log10": (np.log10, 0, 1.7e308, 0.7), "log1p": (np.log1p, -1, 1.7e308, 0.7), "asinh": (np.arcsinh, -1.7e308, 1.7e308, 0.7),
       "acosh": (np.arccosh, 1, 1.7e308, 0.7), "atanh": (np.arctanh, -1, 1, 0.7), "asin": (np.arcsin, -1, 1, 0.7), "acos": (np.arccos, -1, 1, 0.7),
       "atan": (np.arctan, -1.7e308, 1.7e308, 0.7)}  # fmt: skip


@pytest.mark.skipif(not WIDE, reason="long double is no wider than double here")
@pytest.mark.parametrize("name", FAR)
def test_float64_keeps_its_digits_from_end_to_end(name: str) -> None:
    reference, low, high, most = FAR[name]
    rng = np.random.default_rng(11)
    sizes = np.exp(rng.uniform(-700, 709, 20_000))
    x = np.concatenate([rng.uniform(low, high, 20_000) if high < 1e3 else sizes[:0], sizes, -sizes, np.exp(rng.uniform(-40, 3, 20_000))])
    x = np.concatenate([x, -x[-20_000:], 1 - x[-10_000:], 1 + x[-10_000:], np.array([low, high, 0.0, -0.0, 1.0, -1.0, 5e-324, -5e-324, 1e9, 1e-8])])
    x = x[(x >= low) & (x <= high)]
    found = getattr(taeda, name)(taeda.from_numpy(x)).numpy()
    with np.errstate(all="ignore"):
        wanted = reference(x.astype(LONG))
    assert ulps(found, wanted) <= most
    np.testing.assert_array_equal(np.signbit(found[found == 0]), np.signbit(wanted[found == 0]))


def test_powers_of_the_base_have_exact_logarithms() -> None:
    k = np.arange(-300, 301)
    np.testing.assert_array_equal(taeda.log10(taeda.tensor([float(f"1e{n}") for n in k], dtype=taeda.float64)).numpy(), k)
    np.testing.assert_array_equal(taeda.log2(taeda.from_numpy(np.ldexp(1.0, np.arange(-1074, 1024)))).numpy(), np.arange(-1074, 1024))
    np.testing.assert_array_equal(taeda.exp2(taeda.arange(-1074.0, 1024, dtype=taeda.float64)).numpy(), np.ldexp(1.0, np.arange(-1074, 1024)))


@pytest.mark.parametrize("exponent", [30.5, -17.25, 700.0])
def test_large_powers_of_float64_keep_their_digits(exponent: float) -> None:
    if not WIDE:
        pytest.skip("long double is no wider than double here")
    x = np.random.default_rng(7).uniform(0.5, 2, 10_000)
    assert ulps((taeda.from_numpy(x) ** exponent).numpy(), x.astype(LONG) ** LONG(exponent)) <= 1


def test_trigonometric_functions_of_large_arguments_are_those_of_libm() -> None:
    x = np.random.default_rng(8).uniform(1e6, 1e15, 2_000)
    for name, reference in (("sin", np.sin), ("cos", np.cos), ("tan", np.tan)):
        np.testing.assert_allclose(getattr(taeda, name)(taeda.from_numpy(x)).numpy(), reference(x), rtol=1e-15, atol=1e-16, err_msg=name)


@pytest.mark.parametrize("name", ELEMENTARY)
def test_a_strided_tensor_gives_what_a_contiguous_one_gives(name: str) -> None:
    x = taeda.linspace(0.3, 0.9, 1_001)
    np.testing.assert_allclose(getattr(taeda, name)(x[::2]).numpy(), getattr(taeda, name)(x[::2].contiguous()).numpy(), rtol=3e-7)
