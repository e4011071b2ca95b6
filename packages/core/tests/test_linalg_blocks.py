"""Single large matrices, whose columns threads share in blocks: values at the edges of panels and blocks, the same for any threads."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import taeda
from any_threads import assert_same_for_any_threads
from taeda import linalg

DTYPES = ["float32", "float64", "complex64", "complex128"]


def drawn(*shape: int, dtype: str, seed: int = 0) -> taeda.Tensor:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape)
    return taeda.from_numpy((x + 1j * rng.standard_normal(shape) if dtype.startswith("c") else x).astype(dtype))


def close(x: taeda.Tensor, wanted: taeda.Tensor, scale: float = 1.0) -> bool:
    """Within a few units of eps times the rows times scale."""
    assert x.shape == wanted.shape
    return float((x - wanted).abs().max()) < 8 * taeda.finfo(x.dtype).eps * max(x.shape) * scale


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("m", "n"), [(192, 192), (193, 225), (260, 200), (300, 320), (257, 257)])
def test_lu_of_large_matrices(m, n, dtype):
    x = drawn(m, n, dtype=dtype)
    P, L, U = linalg.lu(x)
    assert close(P @ L @ U, x, 2) and (L.tril(-1).abs() <= 1.5).all() and (P.sum(0) == 1).all()
    lu, pivots = linalg.lu_factor(x)
    assert (lu.tril(-1)[:, : min(m, n)] == L.tril(-1)).all() and (lu.triu()[: min(m, n)] == U).all()
    if m == n:
        sign, size = linalg.slogdet(x)
        wanted = np.linalg.slogdet(x.numpy().astype("c16" if x.is_complex() else "f8"))
        assert abs(sign.item() - wanted[0]) < 1e-3 and abs(size.item() / wanted[1] - 1) < 1e-4
        for k in (127, 128, 200):
            b = drawn(n, k, dtype=dtype, seed=1)
            X, Y = linalg.solve(x, b), linalg.lu_solve(lu, pivots, b, adjoint=True)
            assert close(x @ X, b, float(X.abs().max())) and close(x.mH @ Y, b, float(Y.abs().max()))
        inverse = linalg.inv(x)
        assert close(inverse @ x, taeda.eye(n, dtype=x.dtype), float(inverse.abs().max()) * 4)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("m", "n"), [(40, 40), (70, 64), (96, 96), (97, 130), (200, 128), (300, 161), (129, 400)])
def test_qr_of_large_matrices(m, n, dtype):
    x = drawn(m, n, dtype=dtype)
    for mode in ("reduced", "complete"):
        Q, R = linalg.qr(x, mode)
        assert close(Q @ R, x, 2) and close(Q.mH @ Q, taeda.eye(Q.shape[1], dtype=x.dtype)) and (R.tril(-1) == 0).all()
    assert (linalg.qr(x, "r").R == linalg.qr(x).R).all()
    if m >= n:
        assert close(linalg.householder_product(*taeda.geqrf(x)), linalg.qr(x).Q)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [48, 65, 100, 256, 301])
def test_inverses_from_cholesky_factors(n, dtype):
    x = drawn(n, n, dtype=dtype)
    A = x @ x.mH + n * taeda.eye(n, dtype=x.dtype)
    L = linalg.cholesky(A)
    for found in (taeda.cholesky_inverse(L), taeda.cholesky_inverse(L.mH.resolve_conj().contiguous(), upper=True)):
        assert close(found @ A, taeda.eye(n, dtype=x.dtype)) and (found == found.mH).all()
    L = L + drawn(n, n, dtype=dtype, seed=2).triu(1)             # the other half is not read
    assert (taeda.cholesky_inverse(L) == found.new_tensor(taeda.cholesky_inverse(L.tril()).numpy())).all()


def definite(n: int, dtype: str, *batch: int) -> taeda.Tensor:
    x = drawn(*batch, n, n, dtype=dtype)
    return x @ x.mH + n * taeda.eye(n, dtype=x.dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("n", "batch"), [(17, ()), (23, ()), (40, (3,)), (64, ()), (129, (2,)), (200, ()), (256, ()), (257, ()), (300, ()), (520, ())])
def test_cholesky_takes_columns_eight_at_a_time_or_in_squares(n, batch, dtype):
    A = definite(n, dtype, *batch)
    noise = A + drawn(*batch, n, n, dtype=dtype, seed=3).triu(1)             # what lies above the diagonal is not read
    L = linalg.cholesky(A)
    assert close(L @ L.mT, A, 2 * n) and (L.triu(1) == 0).all() and (L == linalg.cholesky(noise)).all()
    for bad in (0, n // 2, n - 1):
        broken = A.clone()
        broken[..., bad, bad] = -1
        factor, info = linalg.cholesky_ex(broken)
        assert (info == bad + 1).all() and (factor[..., :bad, :bad] == L[..., :bad, :bad]).all()
        broken[..., bad, bad] = float("nan")
        assert (linalg.cholesky_ex(broken).info == bad + 1).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("m", "n"), [(500, 5), (90, 40), (64, 33), (5, 500), (400, 100)])
def test_values_and_vectors_of_long_matrices(m, n, dtype):
    x = drawn(m, n, dtype=dtype)
    U, S, Vh = linalg.svd(x, full_matrices=False)
    wanted = np.linalg.svd(x.numpy().astype("c16" if x.is_complex() else "f8"), compute_uv=False)
    assert close(U * S @ Vh, x, 4) and close(linalg.svdvals(x) / S, taeda.ones_like(S), 4)
    assert np.abs(S.numpy() / wanted - 1).max() < 100 * taeda.finfo(x.dtype).eps
    for Q in (U, Vh.mH):
        assert close(Q.mH @ Q, taeda.eye(min(m, n), dtype=x.dtype)) and U.mT.is_contiguous()
    if m > n:
        b = drawn(m, 3, dtype=dtype, seed=1)
        found = linalg.lstsq(x, b)
        assert close(x.mH @ (x @ found.solution - b), taeda.zeros(n, 3, dtype=x.dtype), 8 * m**0.5) and found.rank == n
        x[:, -1] = x[:, 0]
        lost = linalg.lstsq(x, b)                                            # of least norm: both copies count the same
        assert lost.rank == n - 1 and close(lost.solution[-1], lost.solution[0])
    x[2, 3] = float("inf")
    assert linalg.svd(x, full_matrices=False).S.isnan().all() and linalg.svdvals(x).isnan().all()


def test_gradients_of_long_matrices():
    x = drawn(2, 70, 30, dtype="float64").requires_grad_()
    for y in (x, x.mT):
        U, S, Vh = linalg.svd(y, full_matrices=False)
        direct = taeda.autograd.grad((linalg.eigvalsh(x.mT @ x).clamp(min=0).sqrt() * taeda.arange(30.0)).sum(), x)[0]
        through = taeda.autograd.grad((S.flip(-1) * taeda.arange(30.0)).sum(), x, retain_graph=True)[0]
        again = taeda.autograd.grad((U * S.unsqueeze(-2) @ Vh).square().sum(), x)[0]
        assert close(direct, through, 1e3) and close(again, 2 * x.detach(), 1e3)


def test_the_first_pivot_that_is_zero_is_named():
    x = taeda.eye(300)
    x[250, 250] = 0
    x[280, 280] = 0
    assert linalg.lu_factor_ex(x).info == 251
    with pytest.raises(linalg.LinAlgError, match=r"\[linalg.inv\] The diagonal element 251 is zero"):
        linalg.inv(x)
    assert linalg.lu_factor_ex(taeda.eye(300).flip(0)).pivots.tolist() == [300 - i if i < 150 else i + 1 for i in range(300)]


def product(x: taeda.Tensor) -> taeda.Tensor:
    return x @ x[:, :201]


@pytest.mark.parametrize(
    ("f", "dtype"),
    [
        *[(f, "float32") for f in (linalg.inv, linalg.lu_factor, linalg.qr, linalg.det, taeda.cholesky_inverse, lambda x: linalg.solve(x, x))],
        *[(linalg.cholesky, dtype) for dtype in ("float32", "float64")],
        *[(product, dtype) for dtype in ("complex64", "complex128", "bfloat16")],
        (lambda x: x[:, :1] @ x[:1], "bfloat16"),
        (lambda x: x[:40] @ x, "bfloat16"),
    ],
)
def test_threads_change_no_bit(f: Callable[[taeda.Tensor], object], dtype: str):
    x = definite(270, "float32" if dtype == "bfloat16" else dtype).to(getattr(taeda, dtype))
    assert_same_for_any_threads(lambda: f(x))
