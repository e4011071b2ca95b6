"""Products at every boundary of the blocks: tiles of 6 rows, panels of 16 columns, pieces of K, rows and columns packed at a time."""

from __future__ import annotations

import numpy as np
import pytest

import taeda
from any_threads import assert_same_for_any_threads

ROWS = (1, 2, 5, 6, 7, 23, 25, 95, 97, 103)
COLUMNS = (1, 3, 7, 8, 15, 16, 17, 33, 64, 129, 257)
TERMS = (1, 3, 127, 257, 383, 385, 640)


def check(got, x, y, scale=1.0, plus=0.0):
    """Compare with the product in float64, each result by the size of its own terms."""
    want = scale * (x.astype(np.float64) @ y.astype(np.float64)) + plus
    size = np.abs(scale) * (np.abs(x).astype(np.float64) @ np.abs(y).astype(np.float64)) + np.abs(plus)
    unit = 1.2e-7 if x.dtype == np.float32 else 2.3e-16
    assert got.shape == want.shape
    assert (np.abs(got.numpy() - want) <= 4 * unit * np.sqrt(x.shape[-1] + 8) * (size / np.sqrt(x.shape[-1]) + size / 8)).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("m", ROWS)
def test_every_boundary_of_rows_columns_and_terms(m, dtype):
    rng = np.random.default_rng(m)
    for n in COLUMNS:
        for k in TERMS:
            x, y = rng.standard_normal((m, k)).astype(dtype), rng.standard_normal((k, n)).astype(dtype)
            a, b = taeda.from_numpy(x), taeda.from_numpy(y)
            at, bt = a.t().contiguous().t(), b.t().contiguous().t()
            check(a @ b, x, y)
            check(at @ bt, x, y)
            check(a @ bt, x, y)
            check(at @ b, x, y)


@pytest.mark.parametrize(("m", "n", "k"), [(7, 5, 300), (25, 33, 40), (97, 40, 513), (130, 130, 130)])
def test_summands_and_factors_in_every_layout(m, n, k):
    rng = np.random.default_rng(0)
    x, y, s = (rng.standard_normal(shape).astype(np.float32) for shape in ((m, k), (k, n), (m, n)))
    a, b, c = taeda.from_numpy(x), taeda.from_numpy(y), taeda.from_numpy(s)
    for left in (a, a.t().contiguous().t()):
        for right in (b, b.t().contiguous().t()):
            check(taeda.addmm(c, left, right, beta=0.5, alpha=-2.0), x, y, -2.0, 0.5 * s.astype(np.float64))
            check(taeda.addmm(c[0], left, right), x, y, 1.0, s[:1].astype(np.float64))
            out = c.clone()
            out.addmm_(left, right)
            check(out, x, y, 1.0, s.astype(np.float64))
            wide = taeda.zeros(n + 3, m)
            wide[1 : n + 1].t().addmm_(left, right, beta=0.0)
            check(wide[1 : n + 1].t(), x, y)
            assert not wide[0].any() and not wide[n + 1 :].any()


def test_slices_are_read_within_their_bounds():
    """What stands beside an operand is NaN: a panel that is read too far would show."""
    for m, n, k in ((6, 17, 9), (30, 20, 65), (100, 100, 100)):
        x, y = taeda.full((m, k + 5), float("nan")), taeda.full((k, n + 3), float("nan"))
        x[:, 2 : k + 2], y[:, 1 : n + 1] = 1.0, 2.0
        got = x[:, 2 : k + 2] @ y[:, 1 : n + 1]
        assert (got == 2.0 * k).all()
        assert (y[:, 1 : n + 1].t() @ x[:, 2 : k + 2].t() if m == n == k else got == 2.0 * k).all()


@pytest.mark.parametrize(("batch", "m", "n", "k"), [(300, 16, 16, 16), (40, 5, 17, 33), (70, 24, 48, 64), (3, 100, 90, 300)])
def test_batches_of_small_matrices(batch, m, n, k):
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((batch, m, k)).astype(np.float32), rng.standard_normal((batch, k, n)).astype(np.float32)
    a, b = taeda.from_numpy(x), taeda.from_numpy(y)
    check(a @ b, x, y)
    check(a @ b.transpose(1, 2).contiguous().transpose(1, 2), x, y)
    check(a.transpose(1, 2).contiguous().transpose(1, 2) @ b, x, y)
    check(a[:1] @ b, x[:1], y)
    assert_same_for_any_threads(lambda: a @ b)


@pytest.mark.parametrize(("m", "n", "k"), [(64, 64, 4096), (3, 5, 5000), (128, 128, 1500), (64, 500, 64), (1000, 1000, 3), (128, 512, 784)])
def test_cuts_do_not_depend_on_threads(m, n, k):
    rng = np.random.default_rng(3)
    x, y = rng.standard_normal((m, k)).astype(np.float32), rng.standard_normal((k, n)).astype(np.float32)
    a, b = taeda.from_numpy(x), taeda.from_numpy(y)
    plain, added = assert_same_for_any_threads(lambda: (a @ b, taeda.addmm(taeda.ones(m, n), a, b, beta=2.0)))
    check(plain, x, y)
    check(added, x, y, 1.0, 2.0)


def test_infinity_stays_in_its_row_and_column():
    x, y = taeda.ones(40, 30), taeda.ones(30, 50)
    x[3, 4] = float("inf")
    y[5, 7] = float("nan")
    got = (x @ y).numpy()
    assert np.isnan(got[:, 7]).all() and np.isinf(np.delete(got[3], 7)).all()
    assert (np.delete(np.delete(got, 3, 0), 7, 1) == 30).all()


@pytest.mark.parametrize("dtype", ["float32", "float64", "int8", "int16", "int32", "int64"])
def test_few_rows_or_columns_are_dot_products_of_any_length(dtype):
    """Around them lies what must not be counted."""
    rng, whole = np.random.default_rng(3), dtype.startswith("int")
    bad = 100 if whole else np.nan
    for m, n in ((1, 9), (3, 4), (4, 50), (8, 7), (40, 1), (41, 2), (7, 8), (30, 9)):
        for k in (*range(30, 50), 64, 127, 129, 200):
            x, w = np.full((m, k + 9), bad, dtype), np.full((n + 2, k + 5), bad, dtype)
            x[:, 3 : k + 3] = rng.integers(-9, 9, (m, k)) if whole else rng.standard_normal((m, k))
            w[1 : n + 1, :k] = rng.integers(-9, 9, (n, k)) if whole else rng.standard_normal((n, k))
            got = taeda.from_numpy(x)[:, 3 : k + 3] @ taeda.from_numpy(w)[1 : n + 1, :k].t()
            if whole:
                assert np.array_equal(got.numpy(), x[:, 3 : k + 3] @ w[1 : n + 1, :k].T)
            else:
                check(got, x[:, 3 : k + 3], w[1 : n + 1, :k].T)
