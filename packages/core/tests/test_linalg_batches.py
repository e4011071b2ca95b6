"""Batches of small matrices, which are factored side by side in the lanes of vectors: the values, beside LAPACK's and NumPy's."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import taeda
from any_threads import assert_same_for_any_threads
from batches import EPS, layouts, off
from taeda import linalg

SIZES = [*range(21), 31, 32, 33]
both_dtypes = pytest.mark.parametrize("dtype", ["float32", "float64"])


def drawn(*shape: int, dtype: str = "float64", seed: int = 0, well: bool = False) -> np.ndarray:
    """Normal numbers; well: with a diagonal that keeps matrices far from singular ones."""
    x = np.random.default_rng(seed).standard_normal(shape)
    if well:
        x = x + 3 * math.sqrt(shape[-1]) * np.eye(shape[-1])
    return x.astype(dtype)


@both_dtypes
@pytest.mark.parametrize("n", SIZES)
def test_factors_of_every_size_multiply_to_the_matrix(n, dtype):
    for count in (8, 11):
        for m in {n, 1, 5, 17, 32}:
            x = drawn(count, m, n, dtype=dtype)
            for t in layouts(x):
                P, L, U = linalg.lu(t)
                assert off(P @ L @ U, x) < 4 and (L.abs() <= 1).all()
                for mode in ("reduced", "complete"):
                    Q, R = linalg.qr(t, mode)
                    assert off(Q @ R, x) < 8
                    assert off(Q.mT @ Q, np.broadcast_to(np.eye(Q.shape[-1]), (count, Q.shape[-1], Q.shape[-1])), 2) < 4
                    assert (R.tril(-1) == 0).all()
                assert (linalg.qr(t, "r").R == linalg.qr(t).R).all()
        x = drawn(count, n, n, dtype=dtype)
        x = x @ x.swapaxes(-1, -2) + np.eye(n, dtype=dtype)
        for t in layouts(x):
            L, U = linalg.cholesky(t), linalg.cholesky(t, upper=True)
            assert off(L @ L.mT, x, max(n, 1)) < 4 and (L.triu(1) == 0).all()
            assert off(U, L.mT.numpy(), max(n, 1)) < 4


@both_dtypes
@pytest.mark.parametrize("n", SIZES)
def test_solutions_of_every_size_solve(n, dtype):
    x = drawn(9, n, n, dtype=dtype, well=True)
    one = np.broadcast_to(np.eye(n), x.shape)
    for t in layouts(x):
        assert off(linalg.inv(t) @ t, one) < 4
        sign, size = linalg.slogdet(t)
        wanted = np.linalg.slogdet(x.astype("f8"))
        assert (sign.numpy() == wanted[0]).all() and np.abs(size.numpy() - wanted[1]).max() < 16 * (n + 1) * EPS[dtype]
        if n < 21:
            assert np.abs(linalg.det(t).numpy() / np.linalg.det(x.astype("f8")) - 1).max() < 16 * (n + 1) * EPS[dtype]
        for k in (0, 1, 3, 6, 33):
            b = drawn(9, n, k, dtype=dtype, seed=1)
            for right in layouts(b):
                assert off(t @ linalg.solve(t, right), b, 2) < 4
                assert off(t.mT @ linalg.lu_solve(*linalg.lu_factor(t), right, adjoint=True), b, 2) < 4
                assert off(linalg.solve(t, right.mT, left=False) @ t, b.swapaxes(-1, -2), 2) < 4
    L = linalg.cholesky(taeda.from_numpy(x @ x.swapaxes(-1, -2)))
    b = drawn(9, n, 3, dtype=dtype, seed=1)
    for upper, factor in ((False, L), (True, L.mT.contiguous())):
        found = taeda.cholesky_solve(taeda.from_numpy(b), factor, upper)
        assert off(L @ (L.mT @ found), b, n + 1) < 8
        assert off(L @ (L.mT @ taeda.cholesky_inverse(factor, upper)), one, n + 1) < 8


def symmetric(kind: str, n: int, count: int = 11) -> np.ndarray:
    x = np.random.default_rng(n).standard_normal((count, n, n))
    match kind:
        case "of rank 1":
            return x[:, :, :1] @ x[:, :, :1].swapaxes(-1, -2)
        case "graded":
            return (x + x.swapaxes(-1, -2)) * np.exp2(-2.0 * np.arange(n)) * np.exp2(-2.0 * np.arange(n))[:, None]
        case "of whole numbers":
            return np.round(x + x.swapaxes(-1, -2))
        case "large and small":
            return (x + x.swapaxes(-1, -2)) * np.exp2(np.linspace(-90, 90, count).round())[:, None, None]
        case "diagonal":
            return np.eye(n) * x
    return x + x.swapaxes(-1, -2)


KINDS = ["normal", "of rank 1", "graded", "of whole numbers", "large and small", "diagonal"]


def apart(found: np.ndarray, wanted: np.ndarray, size: np.ndarray, dtype: str) -> float:
    """The largest difference, in units of eps times the rows (or values) times the matrix's size."""
    assert found.shape == wanted.shape
    return float((np.abs(found - wanted) / size.reshape(-1, *[1] * (found.ndim - 1))).max() / (EPS[dtype] * found.shape[-1]))


@both_dtypes
@pytest.mark.parametrize("kind", KINDS)
def test_eigenvalues_and_vectors_of_every_size(kind, dtype):
    for n in [*range(1, 21), 25, 26, 32]:
        x = symmetric(kind, n).astype(dtype)
        wanted = np.linalg.eigvalsh(x.astype("f8"))
        size = np.abs(wanted).max(-1) + 1e-300
        for t in layouts(x):
            L, V = linalg.eigh(t)
            assert apart(L.numpy(), wanted, size, dtype) < 4 and apart(linalg.eigvalsh(t).numpy(), wanted, size, dtype) < 4
            assert (L.diff() >= 0).all()
            assert off(V.mT @ V, np.broadcast_to(np.eye(n), x.shape), 2) < 4
            v = V.numpy().astype("f8")
            assert apart((v * L.numpy()[:, None]) @ v.swapaxes(-1, -2), x, size, dtype) < 8


@both_dtypes
def test_eigenvalues_read_the_triangle_that_is_named(dtype):
    for n in (2, 3, 8, 17):
        x = symmetric("normal", n).astype(dtype)
        lower, upper = np.tril(x) + np.triu(np.full_like(x, np.nan), 1), np.triu(x) + np.tril(np.full_like(x, np.nan), -1)
        for t, u in zip(layouts(lower), layouts(upper), strict=True):
            assert (linalg.eigh(t).eigenvalues == linalg.eigvalsh(u, "U")).all()
            assert (linalg.eigh(t).eigenvectors == linalg.eigh(u, "U").eigenvectors).all()


@both_dtypes
@pytest.mark.parametrize("kind", KINDS)
def test_singular_values_and_pseudoinverses_of_every_size(kind, dtype):
    for n in [*range(1, 14), 16, 20, 32]:
        for m in {n, 1, 3, 9, 32}:
            x = (symmetric(kind, max(m, n))[:, :m, :n]).astype(dtype)
            wanted = np.linalg.svd(x.astype("f8"), compute_uv=False)
            size = wanted[:, 0] + 1e-300
            for t in layouts(x):
                S = linalg.svdvals(t)
                assert apart(S.numpy(), wanted, size * max(m, n) / min(m, n), dtype) < 4 and (S.diff() <= 0).all()
            if kind == "normal":
                P = linalg.pinv(taeda.from_numpy(x)).numpy().astype("f8")
                least = wanted[:, -1]
                assert apart(P, np.linalg.pinv(x.astype("f8")), size / least**2, dtype) < 16


@both_dtypes
@pytest.mark.parametrize("kind", KINDS)
def test_singular_vectors_of_square_matrices(kind, dtype):
    for n in range(1, 28):
        x = symmetric(kind, n).astype(dtype)
        one = np.broadcast_to(np.eye(n), x.shape)
        size = np.linalg.norm(x.astype("f8"), 2, axis=(-2, -1)) + 1e-300
        for t in layouts(x):
            U, S, Vh = linalg.svd(t)
            assert apart(((U * S[:, None]) @ Vh).numpy(), x.astype("f8"), size, dtype) < 6
            assert off(U.mT @ U, one) < 4 and off(Vh @ Vh.mT, one) < 4
            assert (S.diff() <= 0).all() and (S >= 0).all()
        assert all((a == b).all() for a, b in zip((U, S, Vh), linalg.svd(t, full_matrices=False), strict=True))


def test_singular_vectors_have_the_signs_of_lapack():
    for n in (2, 3, 4):
        x = drawn(200, n, n)
        U, S, Vh = (a.numpy() for a in linalg.svd(taeda.from_numpy(x)))
        u, s, vh = np.linalg.svd(x)
        signs = np.sign((U * u).sum(-2, keepdims=True))         # of a pair of vectors, where NumPy's LAPACK is another one
        np.testing.assert_allclose(U, u * signs, atol=1e-10)
        np.testing.assert_allclose(S, s, atol=1e-10)
        np.testing.assert_allclose(Vh, vh * signs.swapaxes(-1, -2), atol=1e-10)
    one = linalg.svd(taeda.tensor([[3.0, 1.0, 0.0], [1.0, 2.0, 1.0], [0.0, 1.0, -1.0]], dtype=taeda.float64).repeat(9, 1, 1))
    assert one.U[4].sign().tolist() == [[-1, 1, 1], [-1, -1, -1], [-1, -1, 1]]
    assert one.Vh[4].sign().tolist() == [[-1, -1, -1], [1, -1, -1], [-1, 1, -1]]
    zero = linalg.svd(taeda.zeros(2, 3, 3))
    assert (zero.U == taeda.eye(3)).all() and (zero.S == 0).all() and (zero.Vh == taeda.eye(3)).all()


def test_pseudoinverses_of_deficient_matrices_and_of_zero():
    x = drawn(10, 7, 3) @ drawn(10, 3, 5, seed=1)
    x[4] = 0
    np.testing.assert_allclose(linalg.pinv(taeda.from_numpy(x)).numpy(), np.linalg.pinv(x), atol=1e-13)
    assert linalg.matrix_rank(taeda.from_numpy(x)).tolist() == [3] * 4 + [0] + [3] * 5


def test_what_is_not_finite_is_told_matrix_by_matrix():
    x = taeda.eye(3).repeat(12, 1, 1)
    x[5, 1, 1] = math.inf
    L, V = linalg.eigh(x)
    assert L[5].isnan().all() and (V[5] == taeda.eye(3)).all() and (L[4] == 1).all() and (L[6] == 1).all()
    assert linalg.svdvals(x)[5].isnan().all() and (linalg.svdvals(x)[6] == 1).all()
    x[7, 2, 0] = math.nan
    for f in (linalg.eigh, linalg.eigvalsh, linalg.svdvals):
        with pytest.raises(linalg.LinAlgError, match=r"\(Batch element 7\): The algorithm failed .* contained non-finite"):
            f(x)


@both_dtypes
@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("unit", [False, True])
def test_triangles_read_only_their_half(upper, unit, dtype):
    for n in (1, 2, 5, 8, 16, 31):
        full = 0.2 * drawn(10, n, n, dtype=dtype) / math.sqrt(n)
        full[:, range(n), range(n)] = math.nan if unit else 2
        triangle = np.triu(full, 1) if upper else np.tril(full, -1)
        triangle[:, range(n), range(n)] = 1 if unit else 2
        full = np.where(np.tril(np.ones((n, n)), -1) if upper else np.triu(np.ones((n, n)), 1), math.nan, full).astype(dtype)
        for a in layouts(full):
            for k in (1, 2, 5, 40):
                b = drawn(10, n, k, dtype=dtype, seed=1)
                for right in layouts(b):
                    found = linalg.solve_triangular(a, right, upper=upper, unitriangular=unit)
                    assert off(taeda.from_numpy(triangle) @ found, b) < 4
                    found = linalg.solve_triangular(a, right.mT, upper=upper, unitriangular=unit, left=False)
                    assert off(found @ taeda.from_numpy(triangle), b.swapaxes(-1, -2)) < 4


def test_one_matrix_serves_a_batch_of_right_hand_sides():
    a, b = taeda.from_numpy(drawn(4, 4, well=True)), taeda.from_numpy(drawn(3, 5, 4, 2, seed=1))
    assert off(a @ linalg.solve(a, b), b.numpy()) < 8
    assert off(a.tril() @ linalg.solve_triangular(a, b, upper=False), b.numpy()) < 8
    assert off(b.mT @ a, (linalg.solve(a.expand(5, 4, 4), b.mT @ a @ a, left=False)).numpy(), 100) < 8
    many = taeda.from_numpy(drawn(3, 5, 4, 4, well=True, seed=2))
    assert off(many @ linalg.solve(many, b[0, 0]), np.broadcast_to(b[0, 0].numpy(), (3, 5, 4, 2))) < 8
    assert linalg.solve(many, b[..., 0]).shape == (3, 5, 4)


@both_dtypes
@pytest.mark.parametrize("n", [2, 3, 5, 8, 16, 32])
def test_pivots_are_the_first_of_the_largest_as_lapack_has_them(n, dtype):
    x = taeda.from_numpy(np.random.default_rng(n).integers(-2, 3, (40, n, n)).astype(dtype))
    x[3] = 0
    x[4, :, n // 2] = 0
    x[5] = 1
    x[6] = taeda.eye(n).flip(0)
    LU, pivots, info = linalg.lu_factor_ex(x)
    for i in range(40):
        one = linalg.lu_factor_ex(x[i])
        same = min(n, 2)              # ties of later columns depend on how sums were rounded
        assert (pivots[i, :same] == one.pivots[:same]).all()
        assert pivots[i].tolist() == one.pivots.tolist() or i > 6
    assert info[3] == 1 and 1 <= info[4] <= n // 2 + 1 and info[5] == 2 and info[6] == 0
    assert (LU[6] == taeda.eye(n)).all() and linalg.det(x)[6] == linalg.det(x[6])


def test_errors_name_the_first_matrix_that_fails():
    x = taeda.eye(3).repeat(12, 1, 1)
    x[9, 1, 1] = 0
    x[10] = 0
    with pytest.raises(linalg.LinAlgError, match=r"\[linalg.inv\] \(Batch element 9\): The diagonal element 2 is zero"):
        linalg.inv(x)
    with pytest.raises(linalg.LinAlgError, match=r"\[linalg.solve\] \(Batch element 9\): The solver failed"):
        linalg.solve(x, x)
    with pytest.raises(RuntimeError, match=r"\[linalg.lu_factor\] \(Batch element 9\): U\[2,2\] is zero"):
        linalg.lu_factor(x)
    with pytest.raises(linalg.LinAlgError, match=r"\(Batch element 9\).*leading minor of order 2 is not positive-definite"):
        linalg.cholesky(x)
    assert linalg.inv_ex(x).info.tolist() == linalg.cholesky_ex(x).info.tolist() == [0] * 9 + [2, 1, 0]
    assert linalg.det(x).tolist() == [1.0] * 9 + [0.0, 0.0, 1.0]
    assert linalg.slogdet(x).logabsdet[8:].tolist() == [0.0, -math.inf, -math.inf, 0.0]


@both_dtypes
def test_what_is_not_finite_stays_in_its_matrix(dtype):
    x = drawn(12, 4, 4, dtype=dtype, well=True)
    for value in (math.nan, math.inf):
        spoiled = x.copy()
        spoiled[5, 1, 1] = value
        t, clean = taeda.from_numpy(spoiled), taeda.from_numpy(x)
        for f in (linalg.inv, linalg.det, lambda a: linalg.qr(a).Q, lambda a: linalg.cholesky_ex(a @ a.mT).L,
                  lambda a: linalg.solve(a, a[..., :1])):
            found, wanted = f(t), f(clean)
            assert value == math.inf or not found[5].isfinite().all()
            assert (taeda.cat((found[:5], found[6:])) == taeda.cat((wanted[:5], wanted[6:]))).all()
        assert linalg.cholesky_ex(t @ t.mT).info[5] > 0


@both_dtypes
def test_sizes_near_the_ends_of_the_range_neither_overflow_nor_vanish(dtype):
    tiny, huge = (1e-30, 1e30) if dtype == "float32" else (1e-290, 1e290)
    x = drawn(8, 5, 5, dtype=dtype, well=True)
    for scale in (tiny, huge):
        t = taeda.from_numpy(x * np.asarray(scale, dtype))
        Q, R = linalg.qr(t)
        assert off(Q @ (R / scale), x, 4) < 8
        assert off(Q.mT @ Q, np.broadcast_to(np.eye(5), (8, 5, 5))) < 8
        assert off(t @ linalg.solve(t, t / scale), (t / scale).numpy(), 8) < 8
    least = taeda.full((8, 1, 1), np.finfo(dtype).smallest_subnormal, dtype=getattr(taeda, dtype)).expand(8, 2, 2)
    assert linalg.lu_factor_ex(least).LU[0].tolist()[1][0] == 1          # the reciprocal of the pivot is inf


def test_reflectors_keep_what_is_a_triangle_already():
    x = taeda.from_numpy(np.triu(drawn(8, 4, 4)))
    Q, R = linalg.qr(x)
    one = [linalg.qr(a) for a in x]
    assert (R.sign() == taeda.stack([a.R for a in one]).sign()).all()
    assert off(Q, np.stack([a.Q.numpy() for a in one])) < 4


@both_dtypes
def test_accuracy_is_lapacks(dtype):
    """Residuals in units of the rounding of one product, over many matrices: at most twice those of one matrix at a time."""
    for n in (3, 8, 16, 32):
        x = taeda.from_numpy(drawn(64, n, n, dtype=dtype, seed=n))
        spd, one, wide = x @ x.mT + taeda.eye(n, dtype=x.dtype), taeda.eye(n, dtype=taeda.float64), x.double()

        def residual(*terms: taeda.Tensor) -> taeda.Tensor:
            """|A B - C| / (|A| |B|) of each matrix."""
            a, b, c = (t.double() for t in terms)
            return (a @ b - c).norm(dim=(-2, -1)) / (a.norm(dim=(-2, -1)) * b.norm(dim=(-2, -1)))

        def lu(a: taeda.Tensor) -> tuple[taeda.Tensor, ...]:
            P, L, U = linalg.lu(a)
            return L, U, P.mT @ a

        formulas: dict[str, Callable[[taeda.Tensor], tuple[taeda.Tensor, ...]]] = {
            "inv": lambda a: (a, linalg.inv(a), one), "solve": lambda a: (a, linalg.solve(a, a.flip(-1)), a.flip(-1)), "lu": lu,
            "qr": lambda a: (*linalg.qr(a), a), "orthogonal": lambda a: (linalg.qr(a).Q.mT, linalg.qr(a).Q, one),
            "triangular": lambda a: (a.tril(), linalg.solve_triangular(a, a.flip(-1), upper=False), a.flip(-1))}
        for name, f in formulas.items():
            together, apart = residual(*f(x)), taeda.stack([residual(*f(a)) for a in x])
            assert together.mean() < 2 * apart.mean() + EPS[dtype] / 16, (name, n)
        together, apart = linalg.cholesky(spd), taeda.stack([linalg.cholesky(a) for a in spd])
        assert residual(together, together.mT, spd).mean() < 2 * residual(apart, apart.mT, spd).mean() + EPS[dtype] / 16
        assert (linalg.det(x).double() / linalg.det(wide) - 1).abs().median() < 8 * n * EPS[dtype]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 40), st.integers(0, 34), st.integers(0, 34), st.sampled_from(["float32", "float64"]), st.integers(0, 2**32 - 1),
       st.sampled_from([-20, 0, 20]))
def test_any_batch_of_any_shape(count, m, n, dtype, seed, exponent):
    x = (drawn(count, m, n, dtype=dtype, seed=seed) * 2.0**exponent).astype(dtype)
    if seed % 3 == 0 and x.size:
        x[..., -1] = x[..., 0]                                 # of lower rank
    t = next(a for i, a in enumerate(layouts(x)) if i == seed % 4)
    P, L, U = linalg.lu(t)
    assert off(P @ L @ U, x, 2.0**exponent) < 8
    Q, R = linalg.qr(t)
    assert off(Q @ R, x, 2.0**exponent) < 16
    assert off(Q.mT @ Q, np.broadcast_to(np.eye(Q.shape[-1]), (count, Q.shape[-1], Q.shape[-1])), 2) < 8
    if m == n and seed % 3:
        found, info = linalg.inv_ex(t)
        size = float(found.abs().max() * t.abs().max()) if x.size else 1.0
        assert info.sum() == 0 and off(found @ t, np.broadcast_to(np.eye(n), x.shape), size * n + 1) < 8


def test_derivatives_of_batches():
    x = taeda.from_numpy(drawn(8, 3, 3, well=True)).requires_grad_()
    b = taeda.from_numpy(drawn(8, 3, 2, seed=1)).requires_grad_()
    for f in (linalg.inv, linalg.det, lambda a: linalg.slogdet(a)[1], linalg.qr, lambda a: linalg.cholesky(a @ a.mT), linalg.lu):
        assert taeda.autograd.gradcheck(f, (x,))
    for g in (linalg.solve, lambda a, c: linalg.solve_triangular(a, c, upper=True), lambda a, c: taeda.cholesky_solve(c, a.tril())):
        assert taeda.autograd.gradcheck(g, (x, b))


def test_threads_change_no_bit():
    x = taeda.from_numpy(drawn(1003, 9, 9, dtype="float32", well=True))
    assert_same_for_any_threads(lambda: (linalg.inv(x), linalg.det(x), *linalg.qr(x), linalg.cholesky(x @ x.mT), linalg.solve(x, x[..., :2])))


@both_dtypes
def test_triangles_of_a_batch_that_threads_share(dtype):
    """Each thread of the batch solves its matrices alone, with the same function that has threads of its own for one matrix."""
    a, b = taeda.from_numpy(drawn(17, 40, 40, dtype=dtype, well=True)).tril(), taeda.from_numpy(drawn(17, 40, 12, dtype=dtype, seed=1))
    for x in assert_same_for_any_threads(lambda: (linalg.solve_triangular(a, b, upper=False),
                                                  linalg.solve_triangular(a.mT, b.mT, upper=True, left=False).mT)):
        assert off(a @ x, b.numpy()) < 8
    found = assert_same_for_any_threads(lambda: taeda.cholesky_solve(b, a))
    assert off(a @ (a.mT @ found), b.numpy(), 40) < 8


def test_meta_batches_have_the_strides_of_real_ones():
    x = drawn(9, 4, 3)
    real, meta = taeda.from_numpy(x), taeda.empty(9, 4, 3, dtype=taeda.float64, device="meta")
    for f in (lambda a: linalg.qr(a).R, lambda a: linalg.qr(a).Q, lambda a: linalg.lu_factor(a).LU, lambda a: linalg.inv(a[:, :3]),
              lambda a: linalg.det(a[:, :3]), lambda a: linalg.cholesky_ex(a[:, :3]).L, lambda a: linalg.solve(a[:, :3], a[:, :3])):
        assert f(real).shape == f(meta).shape and f(real).stride() == f(meta).stride()
