"""Scans beyond their rows: rows alone, side by side and in blocks, ties, NaN, reversed ones (in derivatives), threads."""

from __future__ import annotations

import numpy as np
import pytest

import taeda
from any_threads import assert_same_for_any_threads

INF, NAN = float("inf"), float("nan")
SHAPES = [(1, 1), (3, 5), (7, 31), (9, 33), (6, 100), (2, 1000), (300, 4), (5000, 5)]


def draw(dtype: str, *shape: int) -> np.ndarray:
    rng = np.random.default_rng(sum(shape))
    if dtype.startswith("float"):
        return rng.standard_normal(shape).astype(dtype)
    return rng.integers(0, 2 if dtype == "bool" else 100, shape).astype(dtype)


@pytest.mark.parametrize("dtype", ["int64", "int32", "int8", "uint8", "bool", "float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES)
def test_sums_so_far(dtype: str, shape: tuple[int, int]) -> None:
    x = draw(dtype, *shape)
    t = taeda.from_numpy(x)
    for dim in (0, 1):
        wanted = np.cumsum(x, dim, dtype="float64" if x.dtype.kind == "f" else "int64")
        found = assert_same_for_any_threads(lambda dim=dim: t.cumsum(dim)).numpy()
        if x.dtype.kind == "f":
            np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-5)
        else:
            np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize("shape", SHAPES)
def test_sums_of_complex_numbers_are_those_of_their_parts(dtype: str, shape: tuple[int, int]) -> None:
    real, imag = draw("float64", *shape), draw("float64", *shape) + 1
    t = taeda.from_numpy((real + 1j * imag).astype(dtype))
    for dim in (0, 1):
        found = assert_same_for_any_threads(lambda dim=dim: t.cumsum(dim))
        within = {"rtol": 2e-7 if dtype == "complex64" else 1e-13, "atol": 1e-12}       # a row alone adds four real numbers at a time
        np.testing.assert_allclose(found.real, t.real.contiguous().cumsum(dim), **within)
        np.testing.assert_allclose(found.imag, t.imag.contiguous().cumsum(dim), **within)
        back = t.flip(dim).cumsum(dim).flip(dim)                       # a derivative's scan runs back
        u = t.clone().requires_grad_()
        assert taeda.equal(taeda.autograd.grad(u.cumsum(dim), u, t)[0], back)


def test_sums_of_integers_wrap_around() -> None:
    x = taeda.full((9,), 2**62)
    assert x.cumsum(0).tolist() == [2**62, -(2**63), -(2**62), 0] * 2 + [2**62]


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "int32", "int64"])
@pytest.mark.parametrize("shape", [(4001,), (3, 40), (40, 3), (40000, 2), (70, 4, 5)])
def test_sums_and_products_of_integers_wrap_around_in_the_dtype_asked_for(dtype, shape) -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(-1000, 1000, shape)
    t = taeda.from_numpy(x)
    for dim in range(len(shape)):
        for name in ("cumsum", "cumprod"):
            found = assert_same_for_any_threads(lambda dim=dim, name=name: getattr(t, name)(dim, dtype=getattr(taeda, dtype)))
            with np.errstate(over="ignore"):
                wanted = getattr(np, name)(x.astype(dtype), dim, dtype=dtype)
            assert str(found.dtype) == f"taeda.{dtype}" and np.array_equal(found.numpy(), wanted)
    assert t.to(taeda.int16).cumsum(0).dtype is taeda.int64                  # without one: in int64


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sums_that_are_not_finite_begin_where_they_do_one_step_after_the_other(dtype: str) -> None:
    most = float(np.finfo(dtype).max)
    for start in ([], [-most], [1.0] * 5):
        for part in ([most, most, -most, -most], [-most, most, most, -most], [1.0, INF, 2.0, -INF, 3.0], [NAN, 1.0, INF], [most, -most, -most]):
            x = np.array([*start, *part, 1.0, 2.0, 3.0], dtype=dtype)
            with np.errstate(all="ignore"):
                wanted = np.cumsum(x, dtype="float64").astype(dtype)
            found = taeda.from_numpy(x).cumsum(0).numpy()
            if dtype == "float32":                     # four at a time: what cancels may round otherwise
                wanted, found = (np.where(np.isfinite(a), 0, a) for a in (wanted, found))
            np.testing.assert_array_equal(found, wanted)


# few elements, which are read where they lie: one or two groups of lines, rows with gaps, turned, repeated, backwards; three, which are copied
EVEN = [((50, 4, 4), (0, 2, 1), ()), ((50, 4, 4), (0, 1, 2), (slice(None), slice(None), slice(0, 3))), ((700, 5), (1, 0), ()),
        ((5, 6, 7, 3), (0, 3, 1, 2), ()), ((5, 6, 7, 3), (2, 0, 1, 3), ()), ((30, 16, 8), (0, 1, 2), ()), ((30, 16, 8), (2, 0, 1), ()),
        ((30, 1, 17), (2, 1, 0), ()), ((9, 40), (0, 1), (slice(None), slice(0, 16))), ((9, 40), (1, 0), (slice(0, 16), slice(2, None, 3)))]


@pytest.mark.parametrize("dtype", ["int64", "float32", "float64"])
@pytest.mark.parametrize(("shape", "order", "part"), EVEN)
def test_short_scans_of_what_lies_anyhow(shape: tuple[int, ...], order: tuple[int, ...], part: tuple[slice, ...], dtype: str) -> None:
    x = draw(dtype, *shape) % 3 + 1
    t = taeda.from_numpy(x).permute(order)[part].detach().requires_grad_(dtype != "int64")
    a = x.transpose(order)[part]
    repeated = taeda.from_numpy(x).permute(order)[part][:1].expand(4, *a.shape[1:])
    for dim in range(a.ndim):
        found = assert_same_for_any_threads(lambda dim=dim: t.cumsum(dim))
        np.testing.assert_allclose(found.detach().numpy(), np.cumsum(a, dim, dtype="float64"), rtol=1e-6)
        assert found.is_contiguous() and taeda.equal(found, t.contiguous().cumsum(dim))
        products = assert_same_for_any_threads(lambda dim=dim: t.cumprod(dim))
        assert taeda.equal(products, t.contiguous().cumprod(dim))
        np.testing.assert_allclose(repeated.cumsum(dim).numpy(), np.cumsum(np.repeat(a[:1], 4, 0), dim, dtype="float64"), rtol=1e-6)
        if dtype != "int64":
            (slope,) = taeda.autograd.grad(found, t, taeda.from_numpy(x).permute(order)[part])
            np.testing.assert_allclose(slope.numpy(), np.flip(np.cumsum(np.flip(a, dim), dim, dtype="float64"), dim), rtol=1e-6)


@pytest.mark.parametrize("n", [5, 40])
def test_a_scan_that_runs_back(n: int) -> None:
    x = taeda.from_numpy(draw("float64", 6, n)).requires_grad_()
    g = draw("float64", 6, n)
    x.cumsum(1).backward(taeda.from_numpy(g))
    np.testing.assert_allclose(x.grad.numpy(), np.cumsum(g[:, ::-1], 1)[:, ::-1], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", ["int64", "int32", "int16", "int8", "uint8", "bool", "float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("order", ["drawn", "rising", "falling"])
def test_extremes_so_far_and_the_last_place_of_each(dtype: str, shape: tuple[int, int], order: str) -> None:
    x = draw(dtype, *shape)
    if order != "drawn":
        x = np.sort(x, 1)[:, :: 1 if order == "rising" else -1].copy()
    if dtype.startswith("float"):
        x[1::3, shape[1] // 2] = NAN
        x[::4, shape[1] // 3] = INF
    for name, best in (("cummax", np.maximum), ("cummin", np.minimum)):
        for t in (taeda.from_numpy(x), taeda.from_numpy(np.ascontiguousarray(x.T)).T):
            values, places = assert_same_for_any_threads(lambda t=t, name=name: getattr(t, name)(1))
            with np.errstate(invalid="ignore"):
                wanted = best.accumulate(x, 1)
            np.testing.assert_array_equal(values.numpy(), wanted)
            is_it = (x == wanted) | (np.isnan(x) if x.dtype.kind == "f" else False)
            at = np.maximum.accumulate(np.where(is_it, np.arange(shape[1]), 0), 1)
            np.testing.assert_array_equal(places.numpy(), at)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(1, 50), (3, 17), (40, 60), (300, 4)])
def test_logarithms_of_sums_so_far(dtype: str, shape: tuple[int, int]) -> None:
    x = (draw("float64", *shape) * 30).astype(dtype)
    for dim in (0, 1):
        found = assert_same_for_any_threads(lambda dim=dim: taeda.from_numpy(x).logcumsumexp(dim)).numpy()
        np.testing.assert_allclose(found, np.logaddexp.accumulate(x.astype("float64"), dim), rtol=3e-7 if dtype == "float32" else 1e-14)
    ends = np.array(
        [[-INF, -INF, 1, INF, 2, -INF], [0, NAN, 1, 2, 3, INF], [-INF, 800, -800, 800, 0, INF], [INF, INF, -INF, 0, 1, 2]], dtype
    )
    with np.errstate(invalid="ignore"):
        wanted = np.logaddexp.accumulate(ends.astype("float64"), 1)
    for t in (taeda.from_numpy(ends), taeda.from_numpy(np.ascontiguousarray(ends.T)).T):
        np.testing.assert_allclose(t.logcumsumexp(1).numpy(), wanted, rtol=1e-6)
        np.testing.assert_allclose(t[1].logcumsumexp(0).numpy(), wanted[1], rtol=1e-6)


@pytest.mark.parametrize("dtype", [taeda.complex64, taeda.complex128])
def test_nan_stays_nan_in_complex_logarithms_of_sums(dtype: taeda.dtype) -> None:
    for odd in (complex(1, NAN), complex(-INF, NAN), complex(INF, NAN), complex(NAN, 0)):
        for other in (1 + 2j, complex(INF, 0), complex(-INF, 1)):
            pair = taeda.tensor([odd, other], dtype=dtype)
            for x in (pair, pair.flip(0)):
                assert taeda.logaddexp(x[0], x[1]).isnan()
                assert x.logcumsumexp(0)[1].isnan()
    assert taeda.logaddexp(taeda.tensor(complex(INF, 0), dtype=dtype), taeda.tensor(1 + 2j, dtype=dtype)) == INF


@pytest.mark.parametrize("dtype", [taeda.float32, taeda.complex64])
def test_gradient_by_wider_coordinates_subtracts_in_their_dtype(dtype: taeda.dtype) -> None:
    taeda.manual_seed(0)
    x = taeda.randn(2000, dtype=dtype)
    places = taeda.randn(2000, dtype=taeda.float64)
    (found,) = taeda.gradient(x, spacing=[places])
    wide = x.to(taeda.complex128 if dtype.is_complex else taeda.float64)
    assert taeda.equal(found, taeda.gradient(wide, spacing=[places])[0]) and found.dtype is wide.dtype


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize("shape", [(1, 30), (3, 17), (20, 6), (300, 2)])
def test_complex_logarithms_of_sums_so_far(dtype: str, shape: tuple[int, int]) -> None:
    x = (draw("float64", *shape) * 2 + 1j * draw("float64", *shape) * 3).astype(dtype)
    for dim in (0, 1):
        found = assert_same_for_any_threads(lambda dim=dim: taeda.from_numpy(x).logcumsumexp(dim)).numpy()
        exact = np.cumsum(np.exp(x.astype("complex128")), dim)
        np.testing.assert_allclose(np.exp(found.astype("complex128")), exact, rtol=2e-5 if dtype == "complex64" else 1e-11)
        turned = taeda.from_numpy(np.ascontiguousarray(x.T)).T.logcumsumexp(dim)
        np.testing.assert_array_equal(turned.numpy(), found)
    ends = taeda.tensor([complex(-INF, 0), 1 + 2j, complex(INF, 1), 3 + 1j], dtype=getattr(taeda, dtype))
    assert ends.logcumsumexp(0).tolist() == [complex(-INF, 0), 1 + 2j, complex(INF, 1), complex(INF, 1)]


def test_derivatives_of_complex_logarithms_of_sums() -> None:
    x = taeda.tensor(draw("float64", 4, 3) + 1j * draw("float64", 4, 3)).requires_grad_()
    for dim in (0, 1):
        assert taeda.autograd.gradcheck(lambda z, d=dim: z.logcumsumexp(d), (x,))
        assert taeda.autograd.gradgradcheck(lambda z, d=dim: z.logcumsumexp(d), (x,))
    g = taeda.tensor([0, 1j, 0], dtype=taeda.complex128)
    z = taeda.tensor([1.0, 2j, 1 - 1j], dtype=taeda.complex128).requires_grad_()
    z.logcumsumexp(0).backward(g)
    total = np.exp([1.0, 2j])
    wanted = np.conj(total / total.sum()) * 1j
    np.testing.assert_allclose(z.grad.resolve_conj().numpy(), [*wanted, 0], atol=1e-15)
