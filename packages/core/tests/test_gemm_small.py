"""Batches of tiny products (kernels/cpu/gemm_small): every shape around its limits, layout and broadcast, against NumPy's."""

import itertools

import numpy as np
import pytest

import taeda
from any_threads import assert_same_for_any_threads


def laid_out(x, how):
    """The same numbers with rows (0) or columns (1) in memory one behind the other, or as a part of larger matrices (2)."""
    if how == 0:
        return taeda.from_numpy(x)
    if how == 1:
        return taeda.from_numpy(np.ascontiguousarray(x.swapaxes(-2, -1))).mT
    wide = taeda.full((*x.shape[:-2], x.shape[-2] + 1, x.shape[-1] + 3), float("nan"), dtype=getattr(taeda, x.dtype.name))
    wide[..., :-1, :-3] = taeda.from_numpy(x)
    return wide[..., :-1, :-3]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("m", [1, 2, 3, 4, 5, 7, 8, 9, 64, 65])
def test_products_of_every_small_shape(dtype, m):
    rng = np.random.default_rng(m)
    for k, n in itertools.product((1, 2, 3, 5, 8, 16, 17), (1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 32, 33)):
        how, batch = rng.integers(0, 3, 2), int(rng.integers(1, 40))
        a, b = (rng.standard_normal((batch, *s)).astype(dtype) for s in ((m, k), (k, n)))
        y = (laid_out(a, how[0]) @ laid_out(b, how[1])).numpy()
        bound = np.abs(a).astype("f8") @ np.abs(b).astype("f8")
        off = np.abs(y - a.astype("f8") @ b.astype("f8")) / bound
        assert off.max() < (k + 1) * np.finfo(dtype).eps, (k, n, how)


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize("m", [1, 2, 3, 4, 5, 7, 8, 9])
def test_complex_products_of_every_small_shape(dtype, m):
    rng = np.random.default_rng(m)
    for k, n in itertools.product((1, 2, 3, 5, 8, 9), (1, 2, 3, 4, 5, 7, 8, 9)):
        how, batch = rng.integers(0, 3, 2), int(rng.integers(1, 40))
        a, b = ((rng.standard_normal((batch, *s)) + 1j * rng.standard_normal((batch, *s))).astype(dtype) for s in ((m, k), (k, n)))
        x, y = laid_out(a, how[0]), laid_out(b, how[1])
        bound = (np.abs(a).astype("f8") @ np.abs(b).astype("f8")) * (2 * k + 1) * np.finfo(dtype).eps
        for found, wanted in (((x @ y).numpy(), a.astype("c16") @ b), ((x.conj() @ y[:1]).numpy(), a.astype("c16").conj() @ b[:1])):
            assert (np.abs(found - wanted)[:1] < bound[:1]).all() and np.allclose(found, wanted, rtol=1e-4, atol=1e-4), (k, n, how)


def test_batch_dimensions_that_broadcast_or_lie_unevenly():
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((4, 1, 6, 2, 3)), rng.standard_normal((5, 1, 3, 4))
    a, b = taeda.from_numpy(x), taeda.from_numpy(y)
    np.testing.assert_allclose((a @ b).numpy(), x @ y, rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose((a.transpose(0, 2) @ b[::2]).numpy(), x.swapaxes(0, 2) @ y[::2], rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose((a[0, 0, 0] @ b).numpy(), x[0, 0, 0] @ y, rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose((a.flip(2)[:, :, 1::2] @ b).numpy(), x[:, :, ::-1][:, :, 1::2] @ y, rtol=1e-13, atol=1e-14)


def test_inf_and_nan_stay_in_their_row_and_column():
    a, b = taeda.ones(50, 3, 3), taeda.ones(50, 3, 5)
    a[7, 1, 2], b[9, 0, 3] = float("inf"), float("nan")
    y = a @ b
    assert y.isfinite().logical_not().sum() == 5 + 3
    assert (y[7, 1] == float("inf")).all() and y[9, :, 3].isnan().all()


def test_threads_change_no_bit_of_many_tiny_products():
    a, b = taeda.randn(30000, 3, 4), taeda.randn(30000, 4, 5)
    assert_same_for_any_threads(lambda: a @ b)
    z = taeda.randn(30000, 3, 4, dtype=taeda.complex64)
    assert_same_for_any_threads(lambda: z @ z.mH)


@pytest.mark.parametrize("dtype", [taeda.float64, taeda.complex128])
def test_gradients_of_tiny_products(dtype):
    a, b = (taeda.randn(3, *s, dtype=dtype, requires_grad=True) for s in ((2, 3), (3, 4)))
    assert taeda.autograd.gradcheck(taeda.bmm, (a, b)) and taeda.autograd.gradgradcheck(taeda.bmm, (a, b))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_summands_of_tiny_products(dtype):
    rng = np.random.default_rng(5)
    for m, k, n in ((1, 2, 1), (3, 3, 3), (8, 8, 8), (5, 16, 20), (2, 4, 7), (8, 1, 8), (64, 16, 16)):
        a, b = rng.standard_normal((37, m, k)).astype(dtype), rng.standard_normal((37, k, n)).astype(dtype)
        sizes = np.abs(a).astype("f8") @ np.abs(b).astype("f8")
        for shape in ((37, m, n), (1, m, n), (m, 1), (n,), (37, 1, 1), ()):
            s = rng.standard_normal(shape).astype(dtype)
            for how, (alpha, beta) in itertools.product((0, 1, 2), ((1, 1), (0.5, -2), (3, 0))):
                x, y = laid_out(a, how), laid_out(b, how)
                summand = laid_out(s, how) if len(shape) == 3 else taeda.from_numpy(s)
                if beta == 0:
                    summand = taeda.full_like(summand, float("nan"))          # which is not read
                wanted = alpha * (a.astype("f8") @ b.astype("f8")) + (beta * s if beta else 0)
                found = taeda.baddbmm(summand, x, y, alpha=alpha, beta=beta)
                bound = alpha * sizes + abs(beta) * np.abs(s)
                assert (np.abs(found.numpy() - wanted) / bound).max() < 8 * np.finfo(dtype).eps, (m, k, n, shape, how)
                if shape == (37, m, n):
                    inplace = summand.clone().baddbmm_(x, y, alpha=alpha, beta=beta)
                    assert (np.abs(inplace.numpy() - wanted) / bound).max() < 8 * np.finfo(dtype).eps


def test_gradients_and_threads_of_tiny_products_with_summands():
    s, a, b = (taeda.randn(*s, dtype=taeda.float64, requires_grad=True) for s in ((2, 4), (3, 2, 3), (3, 3, 4)))
    assert taeda.autograd.gradcheck(lambda *t: taeda.baddbmm(*t, beta=2, alpha=0.5), (s, a, b))
    s, a, b = taeda.randn(30000, 3, 5), taeda.randn(30000, 3, 4), taeda.randn(30000, 4, 5)
    assert_same_for_any_threads(lambda: taeda.baddbmm(s, a, b, alpha=0.3))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_products_of_few_results_and_many_terms(dtype):
    rng = np.random.default_rng(3)
    for m, n in itertools.product((1, 2, 3, 8, 9), repeat=2):
        for k in (511, 512, 513, 1000, 70001):
            a, b = rng.standard_normal((m, k)).astype(dtype), rng.standard_normal((k, n)).astype(dtype)
            wanted, bound = a.astype("f8") @ b.astype("f8"), np.abs(a).astype("f8") @ np.abs(b).astype("f8")
            for how in itertools.product((0, 1, 2), repeat=2):
                x, y = laid_out(a, how[0]), laid_out(b, how[1])
                one = assert_same_for_any_threads(lambda: x @ y, (1, 2))
                assert (np.abs(one.numpy() - wanted) / bound).max() < 16 * np.finfo(dtype).eps, (m, n, k, how)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_batches_of_products_of_few_results_and_many_terms(dtype):
    rng = np.random.default_rng(6)
    for m, n, k in itertools.product((1, 2, 3, 8, 9), (2, 5, 8, 9), (511, 512, 700)):
        a, b = rng.standard_normal((7, m, k)).astype(dtype), rng.standard_normal((7, k, n)).astype(dtype)
        wanted, bound = a.astype("f8") @ b.astype("f8"), np.abs(a).astype("f8") @ np.abs(b).astype("f8")
        for x, y in [*[(laid_out(a, how), laid_out(b, 2 - how)) for how in (0, 1, 2)],
                     (taeda.einsum("bmk->kbm", laid_out(a, 0)).contiguous().permute(1, 2, 0), laid_out(b.swapaxes(0, 1), 0).transpose(0, 1))]:
            assert (np.abs((x @ y).numpy() - wanted) / bound).max() < 16 * np.finfo(dtype).eps, (m, n, k, x.stride(), y.stride())
        shared = (laid_out(a, 0) @ laid_out(b[3:4], 0)).numpy()
        assert (np.abs(shared - a.astype("f8") @ b[3]) / (np.abs(a).astype("f8") @ np.abs(b[3]))).max() < 16 * np.finfo(dtype).eps, (m, n, k)
    taeda.manual_seed(0)
    a, b = (taeda.randn(60, 4000, n, dtype=getattr(taeda, dtype)) for n in (3, 5))
    assert_same_for_any_threads(lambda: a.mT @ b)


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "int16"])
def test_integers_wrap_around_in_products_of_every_size(dtype):
    rng = np.random.default_rng(4)
    info = np.iinfo(dtype)
    for m, k, n in ((1, 5, 3), (7, 16, 9), (40, 33, 50), (64, 64, 64), (13, 300, 70), (130, 257, 129)):
        a, b = (rng.integers(info.min, info.max, s, dtype=dtype, endpoint=True) for s in ((m, k), (k, n)))
        for how in itertools.product((0, 1), repeat=2):
            y = laid_out(a, how[0]) @ laid_out(b, how[1])
            np.testing.assert_array_equal(y.numpy(), a @ b)
