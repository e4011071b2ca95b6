"""QR and least squares of single matrices and batches that lie in the caches: kernels/cpu/reflectors.h."""

from __future__ import annotations

import numpy as np
import pytest

import taeda
from any_threads import assert_same_for_any_threads
from taeda import linalg

DTYPES = ["float32", "float64", "complex64", "complex128"]


def drawn(*shape: int, dtype: taeda.dtype, seed: int = 0) -> taeda.Tensor:
    return taeda.randn(*shape, dtype=dtype, generator=taeda.Generator().manual_seed(seed))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("m", "n"), [(17, 17), (20, 33), (33, 20), (64, 64), (100, 37), (31, 1), (1, 31), (181, 179)])
def test_qr_has_the_signs_of_lapack_and_its_accuracy(m, n, dtype):
    x = drawn(2, m, n, dtype=getattr(taeda, dtype))
    Q, R = linalg.qr(x)
    eps, k = taeda.finfo(x.dtype).eps, min(m, n)
    wide = "complex128" if x.is_complex() else "float64"
    for i in range(2):
        q, r = np.linalg.qr(x[i].numpy().astype(wide))
        assert np.abs(R[i].numpy() - r).max() < 60 * eps * max(m, n) ** 0.5 * np.abs(r).max()
        assert (Q[i] @ R[i] - x[i]).abs().max() < 8 * eps * max(m, n) ** 0.5 * x[i].abs().max() * k**0.5
    assert (Q.mH @ Q - taeda.eye(k, dtype=x.dtype)).abs().max() < 8 * eps * max(m, n) ** 0.5
    assert (linalg.qr(x[0]).R == R[0]).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [1e-36, 1e-25, 1e25, 1e36])
def test_qr_of_very_large_and_very_small_numbers(size, dtype):
    x = drawn(24, 20, dtype=getattr(taeda, dtype))
    size = size if dtype in ("float32", "complex64") else size**8
    Q, R = linalg.qr(x * size)
    plain = linalg.qr(x)
    eps = taeda.finfo(x.dtype).eps
    assert (Q - plain.Q).abs().max() < 100 * eps and (R / size - plain.R).abs().max() < 100 * eps * plain.R.abs().max()


@pytest.mark.parametrize("dtype", DTYPES)
def test_qr_of_columns_without_numbers(dtype):
    x = drawn(20, 18, dtype=getattr(taeda, dtype))
    x[:, 3] = 0
    x[5:, 5] = 0
    Q, R = linalg.qr(x)
    eps = taeda.finfo(x.dtype).eps
    assert (Q @ R - x).abs().max() < 100 * eps and (Q.mH @ Q - taeda.eye(18, dtype=x.dtype)).abs().max() < 50 * eps
    assert linalg.qr(taeda.zeros(20, 18, dtype=x.dtype)).R.count_nonzero() == 0
    x[7, 7] = float("nan")
    assert linalg.qr(x).R[:, 8:].isnan().any() and not linalg.qr(x).R[:, :7].isnan().any()


@pytest.mark.parametrize("driver", ["gelsy", "gels"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("m", "n", "k"), [(17, 17, 1), (40, 20, 2), (90, 33, 9), (128, 128, 1), (300, 40, 3), (20, 1, 1)])
def test_least_squares_of_full_rank(m, n, k, dtype, driver):
    x = drawn(3, m, n, dtype=getattr(taeda, dtype))
    b = drawn(3, m, k, dtype=x.dtype, seed=1)
    found = linalg.lstsq(x, b, driver=driver)
    wide = "complex128" if x.is_complex() else "float64"
    for i in range(3):
        A, B = x[i].numpy().astype(wide), b[i].numpy().astype(wide)
        wanted, residuals, _, values = np.linalg.lstsq(A, B, rcond=None)
        error = np.abs(found.solution[i].numpy() - wanted).max() / np.abs(wanted).max()
        assert error < 40 * taeda.finfo(x.dtype).eps * (values[0] / values[-1]) * m**0.5
        if driver == "gels" and m > n:
            assert np.allclose(found.residuals[i].numpy(), residuals, rtol=1e-4)
    if driver == "gelsy":
        assert found.rank.tolist() == [n] * 3


@pytest.mark.parametrize("dtype", DTYPES)
def test_least_squares_without_full_rank(dtype):
    x = drawn(30, 20, dtype=getattr(taeda, dtype))
    x[:, 11] = x[:, 3] * 2
    x[:, 7] = 0
    b = drawn(30, 2, dtype=x.dtype, seed=1)
    found = linalg.lstsq(x, b)
    wide = "complex128" if x.is_complex() else "float64"
    wanted = np.linalg.lstsq(x.numpy().astype(wide), b.numpy().astype(wide), rcond=1e-5)[0]
    assert found.rank == 18 and np.abs(found.solution.numpy() - wanted).max() < (1e-4 if taeda.finfo(x.dtype).eps > 1e-10 else 1e-11)
    with pytest.raises(linalg.LinAlgError, match="does not have full rank"):
        linalg.lstsq(x, b, driver="gels")
    far = linalg.lstsq(drawn(20, 8, dtype=x.dtype) * 1e-30, b[:20] * 1e-30)                # LAPACK scales them
    near = linalg.lstsq(drawn(20, 8, dtype=x.dtype), b[:20])
    assert (far.solution - near.solution).abs().max() < 1e-3 and far.rank == near.rank == 8


def test_reflections_have_the_same_bits_on_any_number_of_threads():
    for dtype in DTYPES:
        x, b = drawn(9, 64, 40, dtype=getattr(taeda, dtype)), drawn(9, 64, 2, dtype=getattr(taeda, dtype))

        def factors(x: taeda.Tensor = x, b: taeda.Tensor = b) -> list[taeda.Tensor]:
            return [*linalg.qr(x), linalg.lstsq(x, b).solution, *linalg.qr(x[0]), linalg.lstsq(x[0], b[0]).solution]

        assert_same_for_any_threads(factors)


@pytest.mark.parametrize("driver", ["gelsy", "gels"])
@pytest.mark.parametrize(("m", "n", "k"), [(1500, 3, 2), (1000, 100, 1), (260, 250, 4), (800, 90, 7)])
def test_least_squares_of_matrices_beyond_the_caches(m, n, k, driver):
    x, b = drawn(m, n, dtype=taeda.float64), drawn(m, k, dtype=taeda.float64, seed=1)
    found = assert_same_for_any_threads(lambda: linalg.lstsq(x, b, driver=driver))
    wanted, residuals, _, _ = np.linalg.lstsq(x.numpy(), b.numpy(), rcond=None)
    assert np.allclose(found.solution.numpy(), wanted, rtol=1e-9, atol=1e-11)
    assert driver == "gelsy" or np.allclose(found.residuals.numpy(), residuals, rtol=1e-10)
