"""Batches of small complex matrices, whose parts lie side by side in the lanes of vectors: the values, beside NumPy's."""

from __future__ import annotations

import math

import numpy as np
import pytest

import taeda
from any_threads import assert_same_for_any_threads
from batches import EPS, layouts, off
from taeda import linalg

SIZES = [1, 2, 3, 4, 5, 7, 8, 13, 16, 17, 31, 32, 33]
both_dtypes = pytest.mark.parametrize("dtype", ["complex64", "complex128"])


def drawn(*shape: int, dtype: str = "complex128", seed: int = 0, well: bool = False) -> np.ndarray:
    """Normal numbers; well: with a diagonal that keeps matrices far from singular ones."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
    if well:
        x = x + 3j * math.sqrt(shape[-1]) * np.eye(shape[-1])
    return x.astype(dtype)


@both_dtypes
@pytest.mark.parametrize("n", SIZES)
def test_factors_of_every_size_multiply_to_the_matrix(n, dtype):
    for count in (1, 8, 11):
        for m in {n, 1, 5, 17, 32}:
            x = drawn(count, m, n, dtype=dtype)
            for t in layouts(x):
                P, L, U = linalg.lu(t)
                assert off(P @ L @ U, x) < 6
                assert (L.real.abs() + L.imag.abs()).max() <= 2 and (L.diagonal(0, 1, 2) == 1).all()
        x = drawn(count, n, n, dtype=dtype)
        x = x @ x.conj().swapaxes(-1, -2) + np.eye(n, dtype=dtype)
        for t in layouts(x):
            L, U = linalg.cholesky(t), linalg.cholesky(t, upper=True)
            assert off(L @ L.mH, x, n) < 6 and (L.triu(1) == 0).all() and (L.diagonal(0, 1, 2).imag == 0).all()
            assert off(U, L.mH.numpy(), n) < 4


@both_dtypes
@pytest.mark.parametrize("n", SIZES)
def test_solutions_of_every_size_solve(n, dtype):
    x = drawn(9, n, n, dtype=dtype, well=True)
    one = np.broadcast_to(np.eye(n), x.shape)
    wide = x.astype("c16")
    for t in layouts(x):
        assert off(linalg.inv(t) @ t, one) < 6
        sign, size = linalg.slogdet(t)
        wanted = np.linalg.slogdet(wide)
        assert max(np.abs(sign.numpy() - wanted[0]).max(), np.abs(size.numpy() - wanted[1]).max()) < 16 * (n + 1) * EPS[dtype]
        if n < 17:
            assert np.abs(linalg.det(t).numpy() / np.linalg.det(wide) - 1).max() < 16 * (n + 1) * EPS[dtype]
        factors = linalg.lu_factor(t)
        for k in (0, 1, 3, 6, 33):
            b = drawn(9, n, k, dtype=dtype, seed=1)
            for right in layouts(b):
                assert off(t @ linalg.solve(t, right), b, 2) < 6
                assert off(t.mH @ linalg.lu_solve(*factors, right, adjoint=True), b, 2) < 6
                assert off(linalg.lu_solve(*factors, right.mT, left=False) @ t, b.swapaxes(-1, -2), 2) < 6
                assert off(linalg.solve(t, right.mT, left=False) @ t, b.swapaxes(-1, -2), 2) < 6
    L = linalg.cholesky(taeda.from_numpy(x @ x.conj().swapaxes(-1, -2)))
    b = drawn(9, n, 3, dtype=dtype, seed=1)
    for upper, factor in ((False, L), (True, L.mH.contiguous())):
        for right in layouts(b):
            assert off(L @ (L.mH @ taeda.cholesky_solve(right, factor, upper)), b, n + 1) < 8
        assert off(L @ (L.mH @ taeda.cholesky_inverse(factor, upper)), one, n + 1) < 8


@both_dtypes
@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("unit", [False, True])
def test_triangles_read_only_their_half(upper, unit, dtype):
    for n in (1, 2, 5, 8, 16, 31):
        full = 0.2 * drawn(10, n, n, dtype=dtype) / math.sqrt(n)
        triangle = np.triu(full, 1) if upper else np.tril(full, -1)
        triangle[:, range(n), range(n)] = 1 if unit else 1 + 2j
        full = np.where(np.tril(np.ones((n, n)), -1) if upper else np.triu(np.ones((n, n)), 1), math.nan, triangle).astype(dtype)
        if unit:
            full[:, range(n), range(n)] = math.nan
        for a in layouts(full):
            for k in (1, 2, 5, 40):
                b = drawn(10, n, k, dtype=dtype, seed=1)
                for right in layouts(b):
                    found = linalg.solve_triangular(a, right, upper=upper, unitriangular=unit)
                    assert off(taeda.from_numpy(triangle) @ found, b) < 6
                    found = linalg.solve_triangular(a, right.mT, upper=upper, unitriangular=unit, left=False)
                    assert off(found @ taeda.from_numpy(triangle), b.swapaxes(-1, -2)) < 6


@both_dtypes
def test_real_matrices_have_the_factors_of_real_kernels(dtype):
    for n in (2, 3, 8, 16):
        x = taeda.from_numpy(np.random.default_rng(n).integers(-2, 3, (40, n, n)).astype(dtype))
        for found, wanted in zip(linalg.lu_factor_ex(x), linalg.lu_factor_ex(x.real), strict=True):
            assert (found == wanted).all()


def test_pivots_are_the_first_of_the_largest_sums_of_parts():
    x = taeda.tensor([[3, 1], [2 + 2j, 1], [0, 1]], dtype=taeda.complex128).repeat(9, 1, 1)
    x[4, 1, 0] = 1 + 2j  # as large as 3 by that measure: the first one stays
    x[5, 2, 0] = -5j
    assert linalg.lu_factor_ex(x).pivots[:, 0].tolist() == [2, 2, 2, 2, 1, 3, 2, 2, 2]


def test_what_fails_is_told_matrix_by_matrix():
    x = taeda.eye(3, dtype=taeda.complex64).repeat(12, 1, 1)
    x[3] *= 1j
    x[9, 1, 1] = 0
    x[10] = 0
    with pytest.raises(linalg.LinAlgError, match=r"\[linalg.inv\] \(Batch element 9\): The diagonal element 2 is zero"):
        linalg.inv(x)
    with pytest.raises(linalg.LinAlgError, match=r"\[linalg.solve\] \(Batch element 9\): The solver failed"):
        linalg.solve(x, x)
    with pytest.raises(linalg.LinAlgError, match=r"\(Batch element 3\).*leading minor of order 1 is not positive-definite"):
        linalg.cholesky(x)
    assert linalg.inv_ex(x).info.tolist() == [0] * 9 + [2, 1, 0]
    assert linalg.det(x).tolist() == [1, 1, 1, -1j, 1, 1, 1, 1, 1, 0, 0, 1]
    assert linalg.slogdet(x).logabsdet[8:].tolist() == [0.0, -math.inf, -math.inf, 0.0]


def test_cholesky_reads_real_diagonals_and_keeps_what_follows_a_failure():
    x = drawn(8, 3, 3)
    x = x @ x.conj().swapaxes(-1, -2) + np.eye(3)
    t = taeda.from_numpy(x)
    spoiled = t.clone()
    spoiled[:, 1, 1] += 5j  # LAPACK does not look at them
    assert (linalg.cholesky(spoiled) == linalg.cholesky(t)).all()
    t[2, 1, 1] = -1
    L, info = linalg.cholesky_ex(t)
    assert info.tolist() == [0, 0, 2, 0, 0, 0, 0, 0]
    assert (L[2, 2, 1:] == t[2, 2, 1:]).all() and L[2, 0, 0] == t[2, 0, 0].real.sqrt()


@both_dtypes
def test_what_is_not_finite_stays_in_its_matrix(dtype):
    x = drawn(12, 4, 4, dtype=dtype, well=True)
    for value in (math.nan, math.inf, complex(0, math.nan)):
        spoiled = x.copy()
        spoiled[5, 1, 1] = value
        t, clean = taeda.from_numpy(spoiled), taeda.from_numpy(x)
        for f in (linalg.inv, linalg.det, lambda a: linalg.cholesky_ex(a @ a.mH).L, lambda a: linalg.solve(a, a[..., :1])):
            found, wanted = f(t), f(clean)
            assert value == math.inf or not found[5].isfinite().all()
            assert (taeda.cat((found[:5], found[6:])) == taeda.cat((wanted[:5], wanted[6:]))).all()


@both_dtypes
def test_sizes_near_the_ends_of_the_range_neither_overflow_nor_vanish(dtype):
    x = drawn(8, 5, 5, dtype=dtype, well=True)
    for exponent in (-100, 100) if dtype == "complex64" else (-960, 960):
        scale = 2.0**exponent
        t = taeda.from_numpy((x * scale).astype(dtype))
        assert off((t / scale) @ linalg.solve(t, t), x, 8) < 8
        assert off((linalg.inv(t) * scale) @ (t / scale), np.broadcast_to(np.eye(5), x.shape)) < 8
    least = taeda.full((8, 2, 2), 1j * float(np.finfo(dtype).smallest_subnormal), dtype=getattr(taeda, dtype))
    assert linalg.lu_factor_ex(least).LU[0].tolist()[1][0] == 1  # the reciprocal of the pivot is inf


@both_dtypes
def test_accuracy_is_lapacks(dtype):
    """Mean residuals |A B - C| / (|A| |B|) over many matrices, in units of eps; LAPACK's reach 0.46 for solutions, 0.3 for Cholesky."""
    for n in (2, 3, 8, 16, 32):
        t = taeda.from_numpy(drawn(64, n, n, dtype=dtype, seed=n))
        b, one = taeda.from_numpy(drawn(64, n, 3, dtype=dtype, seed=1)), taeda.eye(n, dtype=taeda.complex128)
        spd = t @ t.mH + taeda.eye(n, dtype=t.dtype)

        def residual(*terms: taeda.Tensor) -> float:
            p, q, r = (x.to(taeda.complex128) for x in terms)
            size = p.norm(dim=(-2, -1)) * q.norm(dim=(-2, -1))
            return float(((p @ q - r).norm(dim=(-2, -1)) / size).mean()) / EPS[dtype]

        L, (P, lower, upper) = linalg.cholesky(spd), linalg.lu(t)
        assert residual(t, linalg.inv(t), one) < 0.7 and residual(t, linalg.solve(t, b), b) < 0.7
        assert residual(L, L.mH, spd) < 0.4 and residual(lower, upper, P.mT @ t) < 0.3
        if n > 16:  # one at a time they go to LAPACK
            apart = taeda.stack([linalg.inv(a) for a in t])
            assert residual(t, linalg.inv(t), one) < 1.5 * residual(t, apart, one)
        assert np.median(np.abs(linalg.det(t).numpy() / np.linalg.det(t.numpy().astype("c16")) - 1)) < 8 * n * EPS[dtype]


def test_derivatives_of_batches():
    x = taeda.from_numpy(drawn(8, 3, 3, well=True)).requires_grad_()
    b = taeda.from_numpy(drawn(8, 3, 2, seed=1)).requires_grad_()
    for f in (linalg.inv, linalg.det, lambda a: linalg.slogdet(a)[1], lambda a: linalg.cholesky(a @ a.mH), linalg.lu):
        assert taeda.autograd.gradcheck(f, (x,))
    for g in (linalg.solve, lambda a, c: linalg.solve_triangular(a, c, upper=True), lambda a, c: taeda.cholesky_solve(c, a.tril())):
        assert taeda.autograd.gradcheck(g, (x, b))


def test_threads_change_no_bit():
    x = taeda.from_numpy(drawn(1003, 9, 9, dtype="complex64", well=True))
    assert_same_for_any_threads(lambda: (linalg.inv(x), linalg.det(x), linalg.cholesky(x @ x.mH), linalg.solve(x, x[..., :2])))
