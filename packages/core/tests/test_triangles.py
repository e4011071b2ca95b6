"""Triangles of some right-hand sides, which kernels/cpu/triangles.h solves: sizes about its rows, panels and groups."""

from __future__ import annotations

import numpy as np
import pytest

import taeda
from any_threads import assert_same_for_any_threads
from taeda import linalg

ORDERS = (33, 64, 65, 71, 136, 200)
SIDES = (4, 5, 8, 9, 17, 32, 63, 64, 65)


def problem(n: int, sides: int, dtype: taeda.dtype) -> tuple[taeda.Tensor, taeda.Tensor]:
    """A full matrix whose triangles are well conditioned, also with ones on the diagonal, and right-hand sides."""
    g = taeda.Generator().manual_seed(n * 100 + sides)
    a = taeda.randn(n, n, generator=g, dtype=dtype) / (4 * n) + taeda.eye(n, dtype=dtype) * 2
    return a, taeda.randn(n, sides, generator=g, dtype=dtype)


def residual(a: taeda.Tensor, x: taeda.Tensor, b: taeda.Tensor) -> float:
    """|A x - b| over the size of what is added up, in units of the dtype's precision."""
    A, X, B = (np.asarray(t.numpy(), dtype=np.float64) for t in (a, x, b))
    return float((np.abs(A @ X - B) / (np.abs(A) @ np.abs(X))).max() / taeda.finfo(b.dtype).eps)


@pytest.mark.parametrize("dtype", [taeda.float32, taeda.float64])
@pytest.mark.parametrize("n", ORDERS)
def test_every_side_and_triangle(n: int, dtype: taeda.dtype) -> None:
    for sides in SIDES:
        a, b = problem(n, sides, dtype)
        kept, wanted = a.clone(), b.clone()
        for upper in (False, True):
            for unit in (False, True):
                triangle = a.triu() if upper else a.tril()
                if unit:
                    triangle = triangle - taeda.diag(triangle.diagonal()) + taeda.eye(n, dtype=dtype)
                x = linalg.solve_triangular(a, b, upper=upper, unitriangular=unit)
                y = linalg.solve_triangular(a, b.mT, upper=upper, unitriangular=unit, left=False)
                z = linalg.solve_triangular(a.mT, b, upper=not upper, unitriangular=unit)
                assert residual(triangle, x, b) < 4 + n / 8
                assert residual(triangle.mT, y.mT, b) < 4 + n / 8
                assert residual(triangle.mT, z, b) < 4 + n / 8
        assert taeda.equal(a, kept) and taeda.equal(b, wanted)


@pytest.mark.parametrize("dtype", [taeda.float32, taeda.float64])
def test_factors_of_cholesky(dtype: taeda.dtype) -> None:
    for n in ORDERS:
        for sides in SIDES:
            a, b = problem(n, sides, dtype)
            square = a @ a.mT
            factor = linalg.cholesky(square)
            assert residual(square, taeda.cholesky_solve(b, factor), b) < 4 + n / 4
            assert residual(square, taeda.cholesky_solve(b, factor.mT.contiguous(), upper=True), b) < 4 + n / 4


@pytest.mark.parametrize("dtype", [taeda.float32, taeda.float64])
def test_threads_share_the_sides_and_change_no_bit(dtype: taeda.dtype) -> None:
    for sides in (9, 20, 32, 61):
        a, b = problem(300, sides, dtype)
        assert_same_for_any_threads(lambda a=a, b=b: (linalg.solve_triangular(a, b, upper=False), taeda.cholesky_solve(b, a.tril()),
                                                      linalg.solve_triangular(a, b.mT, upper=True, left=False)))


def test_a_side_does_not_depend_on_those_beside_it() -> None:
    a, b = problem(200, 24, taeda.float32)
    whole = linalg.solve_triangular(a, b, upper=False)
    for first, last in ((0, 8), (3, 9), (8, 24), (20, 24)):
        assert taeda.equal(linalg.solve_triangular(a, b[:, first:last], upper=False), whole[:, first:last])


def test_singular_triangles_and_what_is_no_number() -> None:
    a, b = problem(100, 16, taeda.float32)
    a[50, 50] = 0
    x = linalg.solve_triangular(a, b, upper=False)
    assert x[:50].isfinite().all() and x[50].isinf().all() and not x[51:].isfinite().any()
    a, b = problem(100, 16, taeda.float32)
    b[10, 3] = taeda.nan
    x = linalg.solve_triangular(a, b, upper=False)
    assert x[10:, 3].isnan().all() and x[:10].isfinite().all() and x[:, :3].isfinite().all() and x[:, 4:].isfinite().all()
    a, b = problem(100, 16, taeda.float32)
    x = linalg.solve_triangular(taeda.where(taeda.ones(100, 100).triu(1) > 0, taeda.nan, a), b, upper=False)
    assert taeda.equal(x, linalg.solve_triangular(a.tril(), b, upper=False))       # the other triangle is not read


def test_gradients() -> None:
    a, b = (t.requires_grad_() for t in problem(40, 5, taeda.float64))
    assert taeda.autograd.gradcheck(lambda a, b: linalg.solve_triangular(a, b, upper=False), (a, b), fast_mode=True)
