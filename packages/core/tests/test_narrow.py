"""Narrow dtypes: every value of 16 bits converts exactly, arithmetic is the wide one rounded, integers wrap around."""

from __future__ import annotations

import numpy as np
import pytest
import taeda


def test_every_float16_converts_as_numpy_does() -> None:
    bits = np.arange(1 << 16, dtype=np.uint16)
    half = taeda.from_numpy(bits.view(np.float16).copy())
    np.testing.assert_array_equal(half.float().numpy(), bits.view(np.float16).astype(np.float32))
    back = half.float().half().numpy()
    nan = np.isnan(bits.view(np.float16))
    np.testing.assert_array_equal(back.view(np.uint16)[~nan], bits[~nan])
    assert np.isnan(back[nan]).all()


def test_float32_rounds_to_the_nearest_half_ties_to_even() -> None:
    x = np.concatenate([np.linspace(-70000, 70000, 4001), 2.0 ** np.arange(-26, 17), 1 + np.arange(64) * 2.0**-12]).astype(np.float32)
    with np.errstate(over="ignore"):
        wanted = x.astype(np.float16)
    np.testing.assert_array_equal(taeda.from_numpy(x).half().numpy(), wanted)


def test_every_bfloat16_is_the_upper_half_of_a_float32() -> None:
    high = np.arange(1 << 16, dtype=np.uint32) << 16
    x = high.view(np.float32)
    finite = ~np.isnan(x)
    back = taeda.from_numpy(x.copy()).bfloat16().float().numpy()
    np.testing.assert_array_equal(back.view(np.uint32)[finite], high[finite])
    tie = (np.array([0x3F808000, 0x3F818000, 0x3F808001], dtype=np.uint32)).view(np.float32)
    assert taeda.from_numpy(tie.copy()).bfloat16().float().numpy().view(np.uint32).tolist() == [0x3F800000, 0x3F820000, 0x3F810000]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_a_number_beside_a_narrow_float_is_not_rounded(dtype: str) -> None:
    x = taeda.tensor([3.0], dtype=getattr(taeda, dtype))
    assert (x * 0.1).item() == taeda.tensor([3.0 * np.float32(0.1)]).to(x.dtype).item()
    assert (x + 1e-4).dtype is x.dtype and (x / 3).item() == 1.0


@pytest.mark.parametrize("dtype", ["int8", "int16", "uint8", "uint16", "uint32", "uint64", "int32", "int64"])
def test_integers_wrap_around(dtype: str) -> None:
    info = np.iinfo(dtype)
    a = np.array([info.max, info.min, 3, 7], dtype=dtype)
    b = np.array([2, 3, info.max, 5], dtype=dtype)
    x, y = taeda.from_numpy(a), taeda.from_numpy(b)
    with np.errstate(over="ignore"):
        for found, wanted in ((x + y, a + b), (x * y, a * b), (x - y, a - b), (x & y, a & b), (~x, ~a), (x // y, a // b), (x % y, a % b)):
            np.testing.assert_array_equal(found.numpy(), wanted)
        for found, wanted in ((x < y, a < b), (taeda.maximum(x, y), np.maximum(a, b)), (x.clamp(1, 5), np.clip(a, 1, 5))):
            np.testing.assert_array_equal(found.numpy(), wanted)


def test_kernels_without_a_narrow_loop_run_in_the_wide_dtype() -> None:
    x = taeda.arange(12, dtype=taeda.float32).reshape(3, 4).bfloat16()
    assert x.sum().dtype is taeda.bfloat16 and x.sum().item() == 66
    assert x.T.softmax(0).dtype is taeda.bfloat16
    assert (x @ x.T).tolist() == [[14, 38, 62], [38, 126, 214], [62, 214, 366]]
    assert x.cumsum(1)[2].tolist() == [8, 17, 27, 38]
    y = taeda.zeros(3, dtype=taeda.int8).index_put((taeda.tensor([1, 1]),), taeda.tensor([100, 100], dtype=taeda.int8), accumulate=True)
    assert y.tolist() == [0, -56, 0]
    values, at = taeda.tensor([3, -7, 5], dtype=taeda.int16).sort()
    assert values.dtype is taeda.int16 and values.tolist() == [-7, 3, 5] and at.tolist() == [1, 0, 2]


def test_float16_gradients_keep_the_dtype() -> None:
    x = taeda.tensor([1.0, 2.0, 4.0], dtype=taeda.float16, requires_grad=True)
    (x * x).sum().backward()
    assert x.grad.dtype is taeda.float16 and x.grad.tolist() == [2, 4, 8]


def test_bfloat16_has_no_numpy_dtype() -> None:
    with pytest.raises(TypeError, match="unsupported ScalarType"):
        taeda.ones(2, dtype=taeda.bfloat16).numpy()


@pytest.mark.parametrize("towards", [np.inf, -np.inf, 0.0])
def test_the_next_float16_is_numpys_for_every_one(towards: float) -> None:
    every = np.arange(1 << 16, dtype=np.uint16).view(np.float16).copy()
    found = taeda.nextafter(taeda.from_numpy(every), taeda.tensor(towards, dtype=taeda.float16)).numpy()
    with np.errstate(all="ignore"):
        wanted = np.nextafter(every, np.float16(towards))
    wanted[every == towards] = towards                          # of two zeros the second is the answer, NumPy's is the first
    nan = np.isnan(wanted)
    np.testing.assert_array_equal(np.isnan(found), nan)
    np.testing.assert_array_equal(found.view(np.uint16)[~nan], wanted.view(np.uint16)[~nan])


def test_the_next_bfloat16_is_one_bit_away() -> None:
    x = taeda.tensor([1.0, -1.0, 0.0, 3.0], dtype=taeda.bfloat16)
    assert taeda.nextafter(x, x.new_full((), 9.0)).tolist() == [1.0078125, -0.99609375, 2.0**-133, 3.015625]
    y = x.clone().nextafter_(x)
    assert y.tolist() == x.tolist()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_histograms_of_narrow_floats_take_a_range(dtype: str) -> None:
    x = taeda.tensor([0.5, -0.25, 0.75, -1.0, 1.0], dtype=getattr(taeda, dtype))
    hist, edges = taeda.histogram(x, 4, range=(-1.0, 1.0))
    assert hist.dtype == edges.dtype == x.dtype and hist.tolist() == [1, 1, 0, 3] and edges.tolist() == [-1, -0.5, 0, 0.5, 1]
    assert taeda.histogramdd(x[:4].reshape(2, 2), [1, 2], range=[-1.0, 1.0, -1.0, 1.0]).hist.tolist() == [[2, 0]]
    with pytest.raises(NotImplementedError, match="histogram"):
        taeda.histogram(x, 4)


def test_rms_norm_of_narrow_floats_adds_the_epsilon_of_float32() -> None:
    x = taeda.tensor([1e-4, 1e-4], dtype=taeda.float16)
    assert taeda.rms_norm(x, (2,)).tolist() == taeda.rms_norm(x.float(), (2,)).half().tolist()
