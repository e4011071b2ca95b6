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
    "erf": (np.vectorize(math.erf), -4, 4, 6), "sqrt": (np.sqrt, 0, 1e30, 1),
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


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_ends_of_the_line(dtype: str) -> None:
    inf, nan = math.inf, math.nan
    x = taeda.tensor([inf, -inf, nan, 0.0], dtype=getattr(taeda, dtype))
    for name, wanted in (("exp", [inf, 0, nan, 1]), ("tanh", [1, -1, nan, 0]), ("sigmoid", [1, 0, nan, 0.5]), ("erf", [1, -1, nan, 0]), ("sin", [nan, nan, nan, 0]),
                         ("cos", [nan, nan, nan, 1]), ("log", [inf, nan, nan, -inf]), ("log1p", [inf, nan, nan, 0]), ("expm1", [inf, -1, nan, 0])):  # fmt: skip
        np.testing.assert_array_equal(getattr(taeda, name)(x).numpy(), np.array(wanted, dtype), err_msg=name)
