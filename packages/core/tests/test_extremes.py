"""The largest and the smallest element, and where it stands: ties, NaN, both at once, every length."""

from __future__ import annotations

import math

import numpy as np
import pytest

import taeda

INF, NAN = float("inf"), float("nan")


def test_nan_wins_every_extreme():
    x = taeda.tensor([[1.0, NAN, 3.0, NAN], [4.0, INF, -INF, 0.0]])
    for values, indices in (x.max(1), x.min(1)):
        assert math.isnan(values[0])
        assert indices[0].item() == 1
    assert x.max(1).indices[1].item() == 1
    assert x.min(1).indices[1].item() == 2
    assert math.isnan(x.amax()) and math.isnan(x.min()) and math.isnan(x.norm(-INF))
    assert x.argmax().item() == 1
    long = taeda.zeros(5000)
    long[4321] = NAN
    assert math.isnan(long.max()) and long.argmin().item() == 4321
    assert taeda.stack([long, long], 1).argmax(0).tolist() == [4321, 4321]
    assert math.isnan(x.logsumexp(1)[0])


def test_max_of_two_tensors_is_the_elementwise_maximum():
    a, b = taeda.tensor([1.0, 5.0]), taeda.tensor([4.0, 2.0])
    assert taeda.max(a, b).tolist() == a.max(b).tolist() == taeda.max(a, other=b).tolist() == [4, 5]
    assert taeda.min(a, b).tolist() == [1, 2]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nan_anywhere_in_a_long_row_is_its_extreme(dtype):
    for n in (7, 31, 32, 33, 64, 65, 100, 1025):
        for at in {0, 1, n // 2, n - 1}:
            x = np.arange(n, dtype=dtype)
            x[at] = np.nan
            t = taeda.from_numpy(x)
            assert t.amax().isnan() and t.amin().isnan() and t.max(0)[1] == at and taeda.stack([t, t], 1).amax(0).isnan().all()
            t[at] = float("inf")
            assert t.amax() == float("inf") and not t.amin().isnan()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extremes_of_rows_of_every_length_see_each_element(dtype: type) -> None:
    for n in (*range(28, 40), *range(60, 70), 95, 96, 100, 127, 128, 129, 200):
        x = np.tile(np.linspace(-1, 1, n, dtype=dtype), (n, 1))
        np.fill_diagonal(x, 5)                                     # row i has its largest at i
        np.testing.assert_array_equal(taeda.amax(taeda.from_numpy(x), 1).numpy(), np.full(n, 5, dtype))
        np.testing.assert_array_equal(taeda.amin(taeda.from_numpy(-x), 1).numpy(), np.full(n, -5, dtype))
        np.fill_diagonal(x, NAN)
        assert np.isnan(taeda.amax(taeda.from_numpy(x), 1).numpy()).all() and np.isnan(taeda.amin(taeda.from_numpy(x), 1).numpy()).all()


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16", "int64", "int32", "int8", "uint8", "bool"])
@pytest.mark.parametrize("shape", [(1,), (33,), (31, 33), (1500, 70), (70, 1500), (9000, 3), (3, 5, 7)])
def test_both_extremes_in_one_walk(dtype: str, shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(0).integers(-100, 100, shape)
    x = taeda.tensor(values.tolist()).to(getattr(taeda, dtype))
    for y in (x, x.transpose(0, -1), x[..., ::2]):
        seen = y.to(taeda.float64).numpy()
        for dim in (None, 0, -1):
            low, high = y.aminmax() if dim is None else y.aminmax(dim=dim)
            assert low.dtype == high.dtype == x.dtype
            np.testing.assert_array_equal(low.to(taeda.float64).numpy(), seen.min(dim))
            np.testing.assert_array_equal(high.to(taeda.float64).numpy(), seen.max(dim))


def test_both_extremes_of_what_holds_nan_are_nan() -> None:
    x = taeda.zeros(100, 100)
    x[50, 3] = math.nan
    assert all(v.isnan().item() for v in x.aminmax())
    assert [int(v.isnan().sum()) for v in x.aminmax(dim=0)] == [1, 1]


def test_the_place_of_an_only_element_is_0() -> None:
    x = taeda.rand(3, 1, 4)
    assert x.argmax(1).tolist() == [[0] * 4] * 3 and x.argmin(1, keepdim=True).shape == (3, 1, 4)
    assert x.to("meta").argmax(1).shape == (3, 4)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int32", "uint8"])
@pytest.mark.parametrize("shape", [(1000, 2), (5000, 3), (20003, 7), (2048, 16), (1025, 2), (700, 8)])
def test_the_first_extreme_of_long_narrow_columns(dtype: str, shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    for high in (3, 200):
        x = rng.integers(0, high, shape).astype(dtype)
        for nan in (False, True)[:1 + dtype.startswith("f")]:
            if nan:
                x[rng.integers(0, shape[0], 3), rng.integers(0, shape[1], 3)] = np.nan
            for largest in (True, False):
                values, places = taeda.tensor(x).max(0) if largest else taeda.tensor(x).min(0)
                wanted = x.argmax(0) if largest else x.argmin(0)
                assert places.tolist() == wanted.tolist()
                assert np.array_equal(values.numpy(), np.take_along_axis(x, wanted[None], 0)[0], equal_nan=nan)
