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


TWO = {"atan2": (np.arctan2, 2.5), "hypot": (np.hypot, 1), "pow": (np.power, 1), "fmod": (np.fmod, 0)}


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
