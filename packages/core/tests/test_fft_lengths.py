"""Fourier transforms of every kind of length: each radix, split ones, prime ones; rows and columns; one and two threads."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import taeda
from any_threads import assert_same_for_any_threads

# small; powers; each radix twice; the largest radix; primes beyond it; split into equal and unequal parts; by a convolution of many
LENGTHS = [1, 2, 3, 4, 5, 6, 7, 8, 15, 16, 22, 25, 49, 63, 64, 72, 121, 127, 128, 131, 169, 243, 250, 256, 257, 262, 512, 625, 1000, 1009, 2048, 4099]
ROWS = [1, 3, 8, 11]                    # below, at and beyond the lanes of a vector
TOLERANCE = {"complex128": 4e-15, "complex64": 1e-6}


def draw(dtype: str, *shape: int, seed: int = 0) -> np.ndarray:
    """Draw a complex array."""
    rng = np.random.default_rng(seed)
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(dtype)


def assert_near(found: taeda.Tensor, expected: np.ndarray, dtype: str) -> None:
    """Compare with a result in double precision: the largest error over the largest value."""
    assert found.shape == expected.shape
    assert np.abs(found.numpy() - expected).max() <= TOLERANCE[dtype] * np.abs(expected).max()


@pytest.mark.parametrize("dtype", list(TOLERANCE))
@pytest.mark.parametrize("n", LENGTHS)
def test_rows(n: int, dtype: str) -> None:
    for rows in ROWS:
        z = draw(dtype, rows, n, seed=n)
        x, exact = taeda.from_numpy(z.copy()), z.astype("complex128")
        assert_near(taeda.fft.fft(x), np.fft.fft(exact), dtype)
        assert_near(taeda.fft.ifft(x), np.fft.ifft(exact), dtype)
        assert np.array_equal(x.numpy(), z)
        real = taeda.from_numpy(z.real.copy())
        assert_near(taeda.fft.fft(real), np.fft.fft(exact.real), dtype)
        assert_near(taeda.fft.rfft(real), np.fft.rfft(exact.real), dtype)
        half = np.ascontiguousarray(z[:, : n // 2 + 1])
        assert_near(taeda.fft.irfft(taeda.from_numpy(half), n), np.fft.irfft(half.astype("complex128"), n), dtype)


@pytest.mark.parametrize("dtype", list(TOLERANCE))
@pytest.mark.parametrize("n", [5, 17, 31, 56, 256, 343, 1000, 1024, 1155, 1331])
def test_many_rows(n: int, dtype: str) -> None:
    """Rows of any length are taken side by side from so many on, real ones too; the last vector is not full."""
    z = draw(dtype, 75, n, seed=n)
    x, exact = taeda.from_numpy(z), z.astype("complex128")
    assert_near(taeda.fft.fft(x), np.fft.fft(exact), dtype)
    assert_near(taeda.fft.ifft(x), np.fft.ifft(exact), dtype)
    assert_near(taeda.fft.rfft(x.real), np.fft.rfft(exact.real), dtype)
    half = np.ascontiguousarray(z[:, : n // 2 + 1])
    assert_near(taeda.fft.irfft(taeda.from_numpy(half), n), np.fft.irfft(half.astype("complex128"), n), dtype)
    huge = taeda.from_numpy(np.array(np.broadcast_to(np.float32([[1.0], [np.inf], [np.nan], [3.0]]), (4, n)))).repeat(16, 1)
    found = taeda.fft.rfft(huge)
    assert found[0::4].isfinite().all() and found[3::4].isfinite().all()        # a row does not see its neighbours


@pytest.mark.parametrize("shape", [(5, 3), (9, 8), (64, 9), (131, 2), (131, 10), (300, 12), (2, 30, 17), (3, 257, 5), (48, 13), (7, 40), (343, 19), (1000, 24)])
def test_columns_and_planes(shape: tuple[int, ...]) -> None:
    z = draw("complex64", *shape)
    x, exact = taeda.from_numpy(z), z.astype("complex128")
    for d in range(len(shape)):
        assert_near(taeda.fft.fft(x, dim=d), np.fft.fft(exact, axis=d), "complex64")
        assert_near(taeda.fft.ifft(x, dim=d), np.fft.ifft(exact, axis=d), "complex64")
        assert_near(taeda.fft.rfft(x.real, dim=d), np.fft.rfft(exact.real, axis=d), "complex64")
    for dims in ((0, 1), (1, 0), (-1, 0)):
        assert_near(taeda.fft.ifftn(x, dim=dims), np.fft.ifftn(exact, axes=dims), "complex64")
        assert_near(taeda.fft.fftn(x.real, dim=dims), np.fft.fftn(exact.real, axes=dims), "complex64")
        assert_near(taeda.fft.rfftn(x.real, dim=dims), np.fft.rfftn(exact.real, axes=dims), "complex64")
        sizes = [shape[dims[0]], 7]
        assert_near(taeda.fft.irfftn(x, s=sizes, dim=dims), np.fft.irfftn(exact, sizes, dims), "complex64")


@settings(max_examples=60, deadline=None)
@given(n=st.integers(1, 700), rows=st.integers(1, 20), seed=st.integers(0, 1000))
def test_any_length(n: int, rows: int, seed: int) -> None:
    z = draw("complex128", rows, n, seed=seed)
    x = taeda.from_numpy(z)
    assert_near(taeda.fft.fft(x), np.fft.fft(z), "complex128")
    assert_near(taeda.fft.ifft(taeda.fft.fft(x)), z, "complex128")
    energy = taeda.fft.fft(x, norm="ortho").abs().square().sum().item()                 # Parseval
    assert energy == pytest.approx((np.abs(z) ** 2).sum(), rel=1e-12)


@pytest.mark.parametrize("n", [24, 127, 1000, 1009, 40000])
def test_threads_give_the_same_bits(n: int) -> None:
    z = taeda.from_numpy(draw("complex64", 1 if n == 40000 else 75, n))
    assert_same_for_any_threads(lambda: (taeda.fft.fft(z), taeda.fft.rfft(z.real), taeda.fft.irfft(z, n)))


@pytest.mark.parametrize("n", [12, 127, 256, 1000, 1009])
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_row_that_is_not_finite_stays_alone(n: int, bad: float) -> None:
    x = taeda.from_numpy(draw("complex64", 9, n))
    clean = [taeda.fft.fft(x), taeda.fft.rfft(x.real), taeda.fft.irfft(x, n)]
    x[4, n // 3] = bad
    rest = [0, 1, 2, 3, 5, 6, 7, 8]
    for before, after in zip(clean, [taeda.fft.fft(x), taeda.fft.rfft(x.real), taeda.fft.irfft(x, n)], strict=True):
        assert taeda.equal(before[rest], after[rest])
        assert not after[4].isfinite().all()


def test_what_cannot_be_in_the_spectrum_of_real_numbers_does_not_count() -> None:
    z = taeda.tensor([1 + 5j, 2 - 1j, 3 + 7j])
    assert taeda.equal(taeda.fft.irfft(z, 4), taeda.fft.irfft(taeda.tensor([1, 2 - 1j, 3]), 4))
    assert taeda.equal(taeda.fft.irfft(z, 5), taeda.fft.irfft(taeda.tensor([1, 2 - 1j, 3 + 7j]), 5))


def test_more_lengths_than_are_kept() -> None:
    for n in [*range(1, 90), *range(1, 20)]:
        x = taeda.zeros(n)
        x[0] = 1
        assert taeda.equal(taeda.fft.fft(x), taeda.ones(n, dtype=taeda.complex64))


def test_views_are_transformed_as_they_are_seen() -> None:
    z = draw("complex128", 6, 20, 4)
    x = taeda.from_numpy(z)
    assert_near(taeda.fft.fft(x[::2, 3:17:2].mT, dim=1), np.fft.fft(z[::2, 3:17:2].swapaxes(1, 2), axis=1), "complex128")
    assert_near(taeda.fft.fft2(x.permute(2, 0, 1)), np.fft.fft2(z.transpose(2, 0, 1)), "complex128")
    assert_near(taeda.fft.fft(x.conj()), np.fft.fft(z.conj()), "complex128")
    assert_near(taeda.fft.fft(x[:1, 0].expand(5, 4)), np.fft.fft(np.broadcast_to(z[:1, 0], (5, 4))), "complex128")
