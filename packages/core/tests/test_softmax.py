"""Softmax and log_softmax beyond their rows: lengths that end inside of a vector, what vanishes, threads."""

from __future__ import annotations

import os

import numpy as np
import pytest

import taeda
from any_threads import assert_same_for_any_threads

LENGTHS = [1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 40, 47, 48, 49, 50, 63, 64, 65, 100, 1023, 1024, 1025, 1031, 1040, 2100]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", LENGTHS)
def test_rows_of_every_length(n: int, dtype: str) -> None:
    x = np.random.default_rng(n).normal(size=(9, n)).astype(dtype) * 4
    wide = x.astype(np.float64)
    shifted = wide - wide.max(1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    limit = 3e-6 if dtype == "float32" else 1e-14         # differences of numbers up to 16 are rounded
    limit *= 2 if "TAEDA_SANITIZED" in os.environ else 1  # products and sums are not fused there
    t = taeda.tensor(x)
    assert np.abs(taeda.log_softmax(t, 1).numpy() - logs).max() < limit * 4
    assert np.abs(taeda.softmax(t, 1).numpy() / np.exp(logs) - 1).max() < limit
    assert_same_for_any_threads(lambda: taeda.softmax(t.repeat(700, 1), 1))
    assert_same_for_any_threads(lambda: taeda.log_softmax(t.repeat(700, 1), 1))


@pytest.mark.parametrize("dtype,below", [("float32", 89.0), ("float64", 710.0)])
@pytest.mark.parametrize("n", [5, 40, 50])
def test_what_is_masked_gets_nothing(n: int, dtype: str, below: float) -> None:
    x = np.zeros((10, n), dtype)
    x[:, 1::2] = -np.inf
    x[:, 2] = -below
    y = taeda.softmax(taeda.tensor(x), 1).numpy()
    assert (y[:, 1::2] == 0).all() and (y[:, 2] == 0).all()
    assert np.allclose(y[:, 0], 1 / ((n + 1) // 2 - 1))


@pytest.mark.parametrize("n", [5, 40, 50])
def test_nan_and_rows_of_nothing_give_nan(n: int) -> None:
    x = np.zeros((10, n), "float32")
    x[3, n - 1] = np.nan
    x[4] = -np.inf
    for f in (taeda.softmax, taeda.log_softmax):
        y = f(taeda.tensor(x), 1).numpy()
        assert np.isnan(y[3:5]).all() and not np.isnan(y[:3]).any() and not np.isnan(y[5:]).any()
