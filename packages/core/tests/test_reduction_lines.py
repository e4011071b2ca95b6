"""Reductions to one result of short lines that have gaps between them: they are columns of a tile (kernels/cpu/reduce.h)."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import taeda
from any_threads import assert_same_for_any_threads


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int64", "uint8"])
@pytest.mark.parametrize("shape,columns", [((300, 24), 17), ((7, 50, 8), 5), ((3, 900, 70), 64), ((2, 40, 9), 1), ((15, 30), 20),
                                           ((3, 200, 130), 101), ((500, 330), 320), ((40, 340), 321), ((2, 3, 60, 100), 97)])
def test_all_of_short_lines_with_gaps_is_that_of_a_copy(shape: tuple[int, ...], columns: int, dtype: str) -> None:
    x = np.random.default_rng(0).integers(0, 9, shape).astype(dtype)
    part, t = x[..., :columns].astype(np.float64), taeda.tensor(x)[..., :columns]
    got = assert_same_for_any_threads(lambda: t.sum(dtype=taeda.float64))
    assert got.item() == part.sum()
    assert assert_same_for_any_threads(t.amax).item() == part.max() and t.min().item() == part.min()
    assert assert_same_for_any_threads(lambda: t.count_nonzero()).item() == np.count_nonzero(part)
    if t.is_floating_point():
        assert np.isclose(assert_same_for_any_threads(t.var).item(), part.var(ddof=1), rtol=2e-3 if dtype == "float16" else 1e-6)
        assert np.isclose(t.norm().item(), np.sqrt((part ** 2).sum()), rtol=2e-3 if dtype == "float16" else 1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("p", [0.5, 2.5, 7.0, -1.5])
@pytest.mark.parametrize("shape", [(3, 7), (2, 8), (5, 64), (4, 71), (300, 130), (1, 5000)])
def test_norms_of_any_order_along_rows_columns_and_lines_with_gaps(shape: tuple[int, int], p: float, dtype: str) -> None:
    x = np.random.default_rng(1).uniform(-9, 9, shape).astype(dtype)
    t, wide = taeda.tensor(x), taeda.tensor(np.repeat(x, 2, 1))[:, ::2]
    for dim in (0, 1, (0, 1)):
        wanted = (np.abs(x.astype(np.float64)) ** p).sum(dim) ** (1 / p)
        found = assert_same_for_any_threads(lambda dim=dim: taeda.linalg.vector_norm(t, p, dim))
        np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-6 if dtype == "float32" else 1e-14)
        np.testing.assert_allclose(taeda.linalg.vector_norm(wide, p, dim).numpy(), wanted, rtol=1e-6 if dtype == "float32" else 1e-14)
    zeros = taeda.linalg.vector_norm(taeda.zeros(2, 70, dtype=t.dtype), p, 1)
    assert zeros.tolist() == [0.0, 0.0]
    big = taeda.linalg.vector_norm(taeda.full((2, 70), 1e30, dtype=t.dtype), 7, 1)        # no power of float32 overflows
    np.testing.assert_allclose(big.numpy(), 1e30 * 70 ** (1 / 7), rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int32", "int16", "int8", "uint8", "bool"])
@pytest.mark.parametrize("name", ["sum", "amax", "amin", "any", "all", "prod", "mean", "norm"])
def test_columns_of_few_rows_and_rows_of_a_few_vectors(name: str, dtype: str) -> None:
    floats = dtype.startswith("float")
    if name in ("mean", "norm") and not floats or dtype == "bool" and name in ("amax", "amin", "prod"):
        pytest.skip("not defined")
    rng, numpy_of = np.random.default_rng(0), {"amax": np.max, "amin": np.min, "norm": np.linalg.norm}
    for few, many in itertools.product((2, 3, 7, 16, 17), (2, 15, 32, 33, 127, 1000)):
        x = rng.integers(1, 3, (few, many)).astype(dtype) if name == "prod" else rng.integers(0, 50, (few, many)).astype(dtype)
        x[:, rng.random(many) < 0.2] = 0 if name != "prod" else 1
        for a, dim in ((x.copy(), 0), (x.T.copy(), 1), (x.copy(), 1), (x.T.copy(), 0)):
            with np.errstate(over="ignore"):
                kept = {} if floats or name not in ("sum", "prod") else {"dtype": np.int64}
                wanted = numpy_of.get(name, getattr(np, name, None))(a, axis=dim, **kept)
            t = taeda.from_numpy(a)
            found = (t.norm(dim=dim) if name == "norm" else getattr(t, name)(dim)).numpy()
            np.testing.assert_allclose(found, wanted.astype(found.dtype), rtol=1e-5 if dtype == "float32" else 1e-12)
            if floats and name in ("amax", "amin", "sum"):          # nan from every place, and nowhere else
                at = rng.integers(a.shape[dim], size=a.shape[1 - dim])
                which = np.arange(a.shape[1 - dim])
                a[(at, which) if dim == 0 else (which, at)] = np.nan
                assert np.isnan(getattr(taeda.from_numpy(a), name)(dim).numpy()).all()
                a[(at[1:], which[1:]) if dim == 0 else (which[1:], at[1:])] = 1
                assert np.isnan(getattr(taeda.from_numpy(a), name)(dim).numpy()).tolist() == [True] + [False] * (len(which) - 1)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int64", "uint8"])
@pytest.mark.parametrize("shape", [(400, 3, 5), (40, 2, 16), (70, 8, 16), (33, 3, 5, 7), (15, 4, 6), (2000, 3, 9), (90, 17, 18), (600, 2, 160)])
def test_lines_of_several_results_side_by_side(shape: tuple[int, ...], dtype: str) -> None:
    x = np.random.default_rng(0).integers(0, 9, (shape[0] + 3, *shape[1:])).astype(dtype)
    dims = (0, *range(2, len(shape)))
    for a, t in ((x, taeda.tensor(x)), (x[::2], taeda.tensor(x)[::2]), (x[3:], taeda.tensor(x)[3:])):
        wide = a.astype(np.float64)
        assert assert_same_for_any_threads(lambda t=t: t.sum(dims, dtype=taeda.float64)).tolist() == wide.sum(dims).tolist()
        assert assert_same_for_any_threads(lambda t=t: t.amax(dims)).tolist() == wide.max(dims).tolist()
        assert t.count_nonzero(dims).tolist() == np.count_nonzero(a, dims).tolist()
        if t.is_floating_point():
            within = {"rtol": 2e-3 if dtype == "float16" else 1e-6}
            np.testing.assert_allclose(assert_same_for_any_threads(lambda t=t: t.var(dims)).numpy(), wide.var(dims, ddof=1), **within)
            np.testing.assert_allclose(t.logsumexp(dims).numpy(), np.log(np.exp(wide).sum(dims)), **within)


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "int64", "uint8"])
@pytest.mark.parametrize("shape", [(77, 42, 8), (77, 33, 4), (9, 100, 3), (5, 1000, 2), (50, 40, 31), (3, 31, 8), (2, 33, 33)])
def test_narrow_rows_whose_elements_lie_apart(shape: tuple[int, ...], dtype: str) -> None:
    wide = np.random.default_rng(1).integers(0, 5, (*shape[:2], 3 * shape[2])).astype(np.float64)
    for step, stop in ((2, 2 * shape[2]), (3, 3 * shape[2]), (1, shape[2])):
        a, t = wide[..., :stop:step], taeda.tensor(wide).to(getattr(taeda, dtype))[..., :stop:step]
        assert assert_same_for_any_threads(lambda t=t: t.sum(1, dtype=taeda.float64)).tolist() == a.sum(1).tolist()
        assert assert_same_for_any_threads(lambda t=t: t.amax(1)).tolist() == a.max(1).tolist()
        assert t.sum((0, 1), dtype=taeda.int64).tolist() == a.sum((0, 1)).tolist()
        assert t.argmax(1).tolist() == a.argmax(1).tolist()
        if t.is_floating_point():
            np.testing.assert_allclose(t.var(1).double().numpy(), a.var(1, ddof=1), rtol=1e-2 if dtype == "bfloat16" else 1e-5)
            np.testing.assert_allclose(t.logsumexp(1).double().numpy(), np.log(np.exp(a).sum(1)), rtol=1e-2 if dtype == "bfloat16" else 1e-5)
