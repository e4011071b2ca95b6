"""What rows cannot say of pools: positions, ties, NaN, integers, threads."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

import taeda
from any_threads import assert_same_for_any_threads
from taeda import ops


def grid(text: str) -> taeda.Tensor:
    return taeda.tensor([[[float(v) for v in line.split()] for line in text.split("/")]])


@pytest.mark.parametrize("pool", [
    lambda x: ops.max_pool2d(x, 2, return_indices=True),
    lambda x: ops.max_pool2d(x, (2, 2), (3, 5), return_indices=True),
    lambda x: ops.adaptive_max_pool2d(x, 1, return_indices=True),
])
def test_the_first_of_equal_maxima_in_row_major_order_wins(pool) -> None:
    value, at = pool(grid("1 2 / 2 1"))
    assert (value.item(), at.item()) == (2.0, 1)
    x = grid("1 2 / 2 1").requires_grad_()
    pool(x)[0].sum().backward()
    assert x.grad.tolist() == [[[0.0, 1.0], [0.0, 0.0]]]


@pytest.mark.parametrize("kernel, stride, padding", [(2, 2, 0), (3, 1, 1), (2, 3, 1)])
@pytest.mark.parametrize("width", [4, 40])
def test_positions_lead_back_to_the_maxima(kernel: int, stride: int, padding: int, width: int) -> None:
    x = taeda.tensor(np.random.default_rng(0).normal(size=(2, 3, 6, width)))
    value, at = ops.max_pool2d(x, kernel, stride, padding, return_indices=True)
    assert at.dtype == taeda.int64
    assert taeda.equal(x.flatten(2).gather(2, at.flatten(2)), value.flatten(2))


@pytest.mark.parametrize("width", [5, 40])
@pytest.mark.parametrize("options", [{"kernel_size": 2}, {"kernel_size": 3, "stride": (2, 1, 1), "padding": 1},
                                     {"kernel_size": 2, "stride": 1, "dilation": (2, 1, 3)}])
def test_positions_in_a_volume_lead_back_to_the_maxima(options: dict, width: int) -> None:
    x = taeda.tensor(np.random.default_rng(0).normal(size=(2, 3, 5, 4, width)))
    value, at = ops.max_pool3d(x, **options, return_indices=True)
    assert taeda.equal(x.flatten(2).gather(2, at.flatten(2)), value.flatten(2))
    value, at = ops.adaptive_max_pool3d(x, (2, 3, 4), return_indices=True)
    assert taeda.equal(x.flatten(2).gather(2, at.flatten(2)), value.flatten(2))


@pytest.mark.parametrize("width", [3, 30])
def test_the_first_of_equal_maxima_in_a_volume_wins_and_a_nan_more(width: int) -> None:
    x = taeda.zeros(1, 2, 2, width)
    assert ops.max_pool3d(x, 2, 1, return_indices=True)[1].flatten().tolist() == list(range(width - 1))
    x[0, 1, 0, 1] = float("nan")
    y, at = ops.max_pool3d(x, 2, 1, return_indices=True)
    assert y.flatten()[:2].isnan().all() and y.isnan().sum() == 2 and at.flatten()[:2].tolist() == [2 * width + 1] * 2


@pytest.mark.parametrize("width", [4, 40])
def test_a_nan_in_a_window_comes_out(width: int) -> None:
    x = taeda.zeros(1, 4, width)
    x[0, 1, 2] = float("nan")
    for kernel, stride, padding in ((2, 2, 0), (3, 2, 1)):
        y, at = ops.max_pool2d(x, kernel, stride, padding, return_indices=True)
        assert y.isnan().sum().item() > 0
        assert set(at[y.isnan()].tolist()) == {width + 2}
    assert ops.avg_pool2d(x, 2).isnan().sum().item() == 1


def test_nothing_but_minus_infinity_keeps_a_position_inside() -> None:
    y, at = ops.max_pool2d(taeda.full((1, 3, 3), -np.inf), 3, 2, 1, return_indices=True)
    assert bool((y == -np.inf).all())
    assert at.flatten().tolist() == [0, 1, 3, 4]


@pytest.mark.parametrize("dtype", [taeda.uint8, taeda.int32, taeda.int64])
def test_maxima_of_integers(dtype: taeda.dtype) -> None:
    x = taeda.arange(64).reshape(1, 8, 8).to(dtype)
    assert ops.max_pool2d(x, 2).flatten().tolist() == [9 + 2 * j + 16 * i for i in range(4) for j in range(4)]
    assert ops.max_pool2d(-x if dtype != taeda.uint8 else x, 8).dtype == dtype


@pytest.mark.parametrize(("size", "kernel", "stride", "padding"), [(3000, 3, 2, 1), (3000, 700, 5, 300), (1300, 500, 1, 250), (1200, 600, 600, 0)])
def test_rows_that_take_several_tiles(size: int, kernel: int, stride: int, padding: int) -> None:
    x = taeda.tensor(np.random.default_rng(1).normal(size=(1, 2, 2, size)), requires_grad=True)
    rows = ops.pad(x, (padding, padding), value=-np.inf).unfold(3, kernel, stride)
    value, at = ops.max_pool2d(x, (2, kernel), (1, stride), (0, padding), return_indices=True)
    assert taeda.equal(value, rows.amax((2, 4)).unsqueeze(2))
    assert taeda.equal(x.flatten(2).gather(2, at.flatten(2)), value.flatten(2))
    assert taeda.equal(ops.max_pool2d(x.detach(), (2, kernel), (1, stride), (0, padding)), value)
    mean = ops.avg_pool2d(x, (2, kernel), (1, stride), (0, padding))
    rows = ops.pad(x, (padding, padding)).unfold(3, kernel, stride)
    assert taeda.allclose(mean, rows.mean((2, 4)).unsqueeze(2))
    g = taeda.cos(mean.detach() * 9)
    assert taeda.allclose(taeda.autograd.grad(mean, x, g)[0], taeda.autograd.grad(rows.mean((2, 4)).unsqueeze(2), x, g)[0])


@pytest.mark.parametrize(("size", "windows"), [(3000, 7), (1500, 1), (1025, 3), (600, 700)])
def test_adaptive_rows_that_take_several_tiles(size: int, windows: int) -> None:
    x = taeda.tensor(np.random.default_rng(2).normal(size=(1, 2, 3, size)), requires_grad=True)
    parts = [(i * size // windows, -(-(i + 1) * size // windows)) for i in range(windows)]
    value, at = ops.adaptive_max_pool2d(x, (1, windows), return_indices=True)
    assert taeda.equal(value, taeda.stack([x[..., a:b].amax((2, 3)) for a, b in parts], -1).unsqueeze(2))
    assert taeda.equal(x.flatten(2).gather(2, at.flatten(2)), value.flatten(2))
    mean, wanted = ops.adaptive_avg_pool2d(x, (1, windows)), taeda.stack([x[..., a:b].mean((2, 3)) for a, b in parts], -1).unsqueeze(2)
    assert taeda.allclose(mean, wanted)
    g = taeda.cos(mean.detach() * 9)
    assert taeda.allclose(taeda.autograd.grad(mean, x, g)[0], taeda.autograd.grad(wanted, x, g)[0])


def test_the_last_nan_of_a_window_gives_the_position() -> None:
    x = taeda.arange(48.0).reshape(1, 2, 4, 6)
    x[0, 0, 1, 1] = x[0, 0, 1, 2] = x[0, 1, 0, 0] = float("nan")
    assert ops.max_pool3d(x, (2, 4, 6), return_indices=True)[1].item() == 24
    assert ops.adaptive_max_pool2d(x, 1, return_indices=True)[1].flatten().tolist() == [8, 0]


@pytest.mark.parametrize("width", [2, 40])
def test_windows_that_step_over_the_input_are_minus_infinity(width: int) -> None:
    y, at = ops.max_pool2d(taeda.zeros(1, 4, width), (2, 1), 1, (1, 0), dilation=(5, 1), return_indices=True)
    assert y.tolist() == [[[-np.inf] * width]]
    assert at.min() >= 0 and at.max() < 4 * width


@pytest.mark.parametrize("pool", [
    lambda x: ops.max_pool2d(x, 2, return_indices=True), lambda x: (ops.avg_pool2d(x, 2),), lambda x: (ops.adaptive_avg_pool2d(x, 3),),
    lambda x: ops.adaptive_max_pool2d(x, 3, return_indices=True), lambda x: (ops.max_pool2d(x.detach(), 3, 1),)])
def test_pools_of_images_lie_as_their_input(pool) -> None:
    x = taeda.tensor(np.random.default_rng(3).normal(size=(2, 3, 6, 5)), requires_grad=True)
    last = x.detach().contiguous(memory_format=taeda.channels_last).requires_grad_()
    for a, b in zip(pool(x), pool(last), strict=True):
        assert taeda.allclose(a, b, rtol=1e-14, atol=1e-14) and b.is_contiguous(memory_format=taeda.channels_last) and a.is_contiguous()
        if b.requires_grad:
            assert taeda.allclose(*(taeda.autograd.grad(y.cos().sum(), at)[0] for y, at in ((a, x), (b, last))), rtol=1e-13, atol=1e-14)


def test_only_maxima_and_global_means_of_volumes_lie_as_their_input() -> None:
    x = taeda.randn(2, 3, 4, 5, 6).contiguous(memory_format=taeda.channels_last_3d)
    for pool, kept in ((ops.max_pool3d, True), (ops.avg_pool3d, False), (ops.adaptive_avg_pool3d, False), (ops.adaptive_max_pool3d, False)):
        assert pool(x, 2).is_contiguous(memory_format=taeda.channels_last_3d) == kept
        assert taeda.equal(pool(x, 2), pool(x.contiguous(), 2))
    assert ops.adaptive_avg_pool3d(x, 1).stride() == (3, 1, 3, 3, 3)
    volume, want = x[0].requires_grad_(), ops.max_pool3d(x[0].contiguous(), 2, return_indices=True)
    for y, right in zip(ops.max_pool3d(volume, 2, return_indices=True), want, strict=True):
        assert y.stride() == (1, 18, 9, 3) and taeda.equal(y, right)
    ops.max_pool3d(volume, 2).sum().backward()
    assert volume.grad.sum() == 3 * 2 * 2 * 3


def test_a_window_of_zeros_around_the_input_counts_as_asked() -> None:
    x = taeda.ones(1, 2, 2)
    assert ops.avg_pool2d(x, 3, 1, 1).flatten().tolist() == pytest.approx([4 / 9] * 4)
    assert ops.avg_pool2d(x, 3, 1, 1, count_include_pad=False).flatten().tolist() == [1.0] * 4


def test_a_1d_pool_is_not_taken_for_the_unbatched_2d_one() -> None:
    x = taeda.ones(2, 3, 8)
    assert ops.max_pool1d(x, 2).shape == (2, 3, 4)
    assert ops.max_pool2d(x, 2).shape == (2, 1, 4)


def test_threads_change_no_bit() -> None:
    def step():
        x = taeda.tensor(np.random.default_rng(0).normal(size=(7, 9, 33, 35)).astype("float32"), requires_grad=True)
        outs = [ops.max_pool2d(x, 3, 2, 1), ops.avg_pool2d(x, 3, 1, 1), ops.adaptive_avg_pool2d(x, 5),
                ops.adaptive_max_pool2d(x, 5), ops.max_pool3d(x, 3, 2, 1), ops.avg_pool3d(x, 3, 1, 1),
                ops.adaptive_avg_pool3d(x, (2, 5, 5)), ops.adaptive_max_pool3d(x, (2, 5, 5))]
        return outs, [taeda.autograd.grad(y, x, taeda.sin(y.detach()))[0] for y in outs]

    assert_same_for_any_threads(step, (1, 2, 5))


@pytest.mark.parametrize("size, kernel, stride", [
    ((1, 7, 7), (1, 7, 7), None), ((1, 8, 9), (1, 2, 2), None), ((4, 6, 5), (2, 3, 2), None), ((3, 9, 9), (2, 2, 3), (1, 3, 4)),
    ((1, 1, 512), (1, 1, 4), None), ((1, 2, 513), (1, 2, 3), None), ((2, 5, 30), (2, 4, 7), (2, 1, 2)),
])
def test_averages_of_windows_inside_and_their_gradients(size: tuple[int, ...], kernel: tuple[int, ...], stride: tuple[int, ...] | None) -> None:
    x = taeda.tensor(np.random.default_rng(3).normal(size=(2, 3, *size)), requires_grad=True)
    steps = stride or kernel
    y = ops.avg_pool3d(x, kernel, stride)
    windows = x.detach()
    for d in range(3):
        windows = windows.unfold(2 + d, kernel[d], steps[d])
    assert y.shape == windows.shape[:5] and taeda.allclose(y, windows.mean((5, 6, 7)))
    g = taeda.tensor(np.random.default_rng(4).normal(size=tuple(y.shape)))
    expected = taeda.zeros_like(x.detach())
    for o in np.ndindex(*y.shape[2:]):
        box = tuple(slice(o[d] * steps[d], o[d] * steps[d] + kernel[d]) for d in range(3))
        expected[(slice(None), slice(None), *box)] += g[(slice(None), slice(None), *o)][..., None, None, None] / np.prod(kernel)
    assert taeda.allclose(taeda.autograd.grad(y, x, g)[0], expected)
    assert taeda.allclose(ops.avg_pool3d(x, kernel, stride, divisor_override=5) * 5, y * int(np.prod(kernel)))


LAST = {
    "max": lambda x: ops.max_pool2d(x, 2, return_indices=True),
    "max padded": lambda x: ops.max_pool2d(x, (3, 2), 1, (1, 1), return_indices=True),
    "max dilated": lambda x: ops.max_pool2d(x, 3, 2, 1, 2, ceil_mode=True, return_indices=True),
    "max wide": lambda x: ops.max_pool2d(x, 5, 1, 2, return_indices=True),
    "adaptive max": lambda x: ops.adaptive_max_pool2d(x, (3, 4), return_indices=True),
    "global max": lambda x: ops.adaptive_max_pool2d(x, 1, return_indices=True),
    "avg": lambda x: (ops.avg_pool2d(x, 2),),
    "avg padded": lambda x: (ops.avg_pool2d(x, 3, 2, 1, ceil_mode=True),),
    "avg inside": lambda x: (ops.avg_pool2d(x, 3, 1, 1, count_include_pad=False),),
    "avg divided": lambda x: (ops.avg_pool2d(x, (2, 3), 3, divisor_override=5),),
    "adaptive avg": lambda x: (ops.adaptive_avg_pool2d(x, (3, 7)),),
    "adaptive even": lambda x: (ops.adaptive_avg_pool2d(x, (3, 2)),),
    "global": lambda x: (ops.adaptive_avg_pool2d(x, 1),),
}


@pytest.mark.parametrize("channels", [1, 3, 8, 17, 40, 57])
@pytest.mark.parametrize("name", LAST)
def test_pools_with_channels_innermost_give_what_others_give(name: str, channels: int) -> None:
    values = np.random.default_rng(5).integers(-3, 4, (2, channels, 9, 8)).astype(np.float64)       # many equal ones
    plain = taeda.tensor(values, requires_grad=True)
    last = plain.detach().contiguous(memory_format=taeda.channels_last).requires_grad_()

    def step():
        last.grad = None
        results = LAST[name](last)
        (results[0] * results[0].detach().cos()).sum().backward()
        return *results, last.grad

    *results, _ = assert_same_for_any_threads(step)
    for a, b in zip(LAST[name](plain), results, strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-14)
    a = LAST[name](plain)[0]
    (a * a.detach().cos()).sum().backward()
    np.testing.assert_allclose(plain.grad.numpy(), last.grad.numpy(), rtol=1e-13, atol=1e-15)
    if channels > 1:
        assert last.grad.is_contiguous(memory_format=taeda.channels_last)


@pytest.mark.parametrize("dtype", [taeda.float32, taeda.bfloat16, taeda.int64])
def test_extremes_pass_pools_with_channels_innermost(dtype: taeda.dtype) -> None:
    x = taeda.zeros(1, 9, 4, 4)
    x[0, 1, 1, 1], x[0, 2, 0, 1], x[0, 2, 1, 0], x[0, 3], x[0, 4, 3, 3] = float("nan"), float("inf"), float("inf"), float("-inf"), -0.0
    x = x.to(dtype)
    last = x.contiguous(memory_format=taeda.channels_last)
    for a, b in zip(ops.max_pool2d(x, 3, 2, 1, return_indices=True), ops.max_pool2d(last, 3, 2, 1, return_indices=True), strict=True):
        np.testing.assert_array_equal(a.double().numpy(), b.double().numpy())
    if dtype != taeda.int64:
        for pool in (lambda t: ops.avg_pool2d(t, 3, 2, 1), lambda t: ops.adaptive_avg_pool2d(t, 3)):
            np.testing.assert_array_equal(pool(x).double().numpy(), pool(last).double().numpy())


def test_pools_read_slices_of_images_with_channels_innermost() -> None:
    x = taeda.tensor(np.random.default_rng(6).normal(size=(2, 9, 8, 7)))
    last = x.contiguous(memory_format=taeda.channels_last)
    for part in ((slice(None), slice(1, 6)), (slice(None), slice(None), slice(2, 8), slice(1, 6))):
        for pool in (lambda t: ops.max_pool2d(t, 2), lambda t: ops.avg_pool2d(t, 2), lambda t: ops.adaptive_max_pool2d(t, 2)):
            np.testing.assert_allclose(pool(last[part]).numpy(), pool(x[part]).numpy(), rtol=1e-13, atol=1e-14)


def test_second_derivatives_of_pools_with_channels_innermost() -> None:
    x = taeda.tensor(np.random.default_rng(7).normal(size=(1, 3, 5, 6))).contiguous(memory_format=taeda.channels_last).requires_grad_()
    for pool in (lambda t: ops.max_pool2d(t, 2), lambda t: ops.avg_pool2d(t, 3, 2, 1), lambda t: ops.adaptive_avg_pool2d(t, 2)):
        assert taeda.autograd.gradcheck(lambda t: pool(t) ** 2, x) and taeda.autograd.gradgradcheck(lambda t: pool(t) ** 2, x)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("length", "windows"), [(1000, 1), (1000, 33), (37, 4), (64, 8), (1500, 2), (9, 20)])
def test_adaptive_maxima_of_few_values(length: int, windows: int, dtype: str) -> None:
    """The first of equal maxima, or the last NaN, in long windows too, where the value is found before its place; means beside them."""
    rng = np.random.default_rng(length)
    for nans in (0, 0.02, 0.3):
        x = rng.integers(-2, 3, (4, length)).astype(dtype)
        x[rng.random(x.shape) < nans] = np.nan
        y, at = ops.adaptive_max_pool1d(taeda.tensor(x), windows, return_indices=True)
        means = ops.adaptive_avg_pool1d(taeda.tensor(x), windows).numpy()
        for i in range(windows):
            first, end = i * length // windows, -(-(i + 1) * length // windows)
            for row in range(4):
                window = x[row, first:end]
                bad = np.flatnonzero(np.isnan(window))
                place = first + (bad[-1] if bad.size else window.argmax())
                assert at[row, i].item() == place
                np.testing.assert_array_equal(y[row, i].item(), x[row, place])
                np.testing.assert_allclose(means[row, i], window.mean(), atol=1e-6)


@pytest.mark.parametrize("shape", [(5, 3, 1, 1), (2, 3, 4, 5), (2, 3, 2, 4, 5)])
def test_adaptive_averages_of_one_element_each_are_a_copy(shape: tuple[int, ...]) -> None:
    x = taeda.rand(shape, requires_grad=True)
    y = (ops.adaptive_avg_pool2d if len(shape) == 4 else ops.adaptive_avg_pool3d)(x, shape[2:])
    assert y.tolist() == x.tolist() and y.data_ptr() != x.data_ptr()
    g = taeda.rand(shape)
    y.backward(g)
    assert x.grad.tolist() == g.tolist()


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
@pytest.mark.parametrize(("taps", "stride", "dilation"), [(1, 1, 1), (2, 1, 3), (3, 2, 1), (4, 1, 2), (5, 1, 1), (6, 3, 2), (7, 2, 1)])
def test_windows_that_lie_inside_have_the_largest_of_their_taps(taps: int, stride: int, dilation: int, dtype: str) -> None:
    x = np.random.default_rng(taps).permutation(2 * 3 * 61).reshape(2, 3, 61).astype(dtype)
    if dtype != "int64":
        x[1, 2, 30] = np.nan
    reach = (taps - 1) * dilation + 1
    want = np.lib.stride_tricks.sliding_window_view(x, reach, axis=2)[:, :, ::stride, ::dilation].max(-1)      # a NaN is the largest here too
    np.testing.assert_array_equal(ops.max_pool1d(taeda.from_numpy(x), taps, stride, 0, dilation).numpy(), want)


SMALL = {
    "max": lambda x: ops.max_pool2d(x, 3, 2, 1, return_indices=True),
    "max alone": lambda x: (ops.max_pool2d(x, 3, 2, 1),),
    "max dilated": lambda x: ops.max_pool2d(x, 2, 1, 1, 2, return_indices=True),
    "max whole": lambda x: (ops.max_pool2d(x, tuple(x.shape[-2:])),),
    "max 1d": lambda x: ops.max_pool1d(x[..., :5, :].flatten(2), 2, 1, 1, return_indices=True),
    "max 3d": lambda x: ops.max_pool3d(x[:, None], 2, 2, 1, return_indices=True),
    "adaptive max": lambda x: ops.adaptive_max_pool2d(x, (2, 3), return_indices=True),
    "avg": lambda x: (ops.avg_pool2d(x, 3, 2, 1),),
    "avg inside": lambda x: (ops.avg_pool2d(x, 3, 1, 1, ceil_mode=True, count_include_pad=False),),
    "avg divided": lambda x: (ops.avg_pool2d(x, 2, divisor_override=3),),
    "avg 1d": lambda x: (ops.avg_pool1d(x[..., :5, :].flatten(2), 3, 2, 1),),
    "avg 3d": lambda x: (ops.avg_pool3d(x[:, None], 2, 2, 1),),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", SMALL)
def test_many_small_maps_give_what_each_gives(name: str, dtype: str) -> None:
    values = np.random.default_rng(9).integers(-3, 4, (53, 3, 7, 6)).astype(dtype)        # many equal ones; the last group is not full
    values[17, 1, 2, 3], values[18, :, 4, :] = np.nan, -np.inf
    x = taeda.tensor(values, requires_grad=True)
    together = assert_same_for_any_threads(lambda: SMALL[name](x))
    for i in (0, 17, 18, 52):
        for a, b in zip(SMALL[name](x[i:i + 1]), together, strict=True):
            np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy()[i:i + 1], rtol=1e-6 if dtype == "float32" else 1e-14)


@pytest.mark.parametrize("size", [16, 24, 33, 57])
@pytest.mark.parametrize("options", [(2,), (3, 2, 1), (3, 1, 1), (4, 1, 2, 1), (2, 1, 1, 2), (3,)])
def test_maxima_of_rows_without_places(size: int, options: tuple[int, ...]) -> None:
    x = np.random.default_rng(10).normal(size=(6, 5, size)).astype("float32")
    x[3, 2, 0], x[3, 3, -1], x[4, 1] = np.nan, np.nan, -np.inf
    with_places, _ = ops.max_pool1d(taeda.tensor(x), *options, return_indices=True)
    np.testing.assert_array_equal(ops.max_pool1d(taeda.tensor(x), *options).numpy(), with_places.numpy())


@pytest.mark.parametrize("dtype", [taeda.bfloat16, taeda.float32, taeda.float64], ids=str)
@pytest.mark.parametrize("channels", [1, 2, 3, 5, 7, 9])
def test_maxima_of_few_channels_that_lie_innermost_give_back_what_planes_do(dtype: taeda.dtype, channels: int) -> None:
    x = (taeda.arange(3 * channels * 13 * 12) * 37 % 101).reshape(3, channels, 13, 12).to(dtype)
    for kernel, stride, pad in ((2, 2, 0), (3, 2, 1), (3, 1, 1), ((1, 4), (5, 2), 0)):
        found = []
        for image in (x, x.contiguous(memory_format=taeda.channels_last)):
            leaf = image.clone().requires_grad_()
            y, at = taeda.ops.max_pool2d(leaf, kernel, stride, pad, return_indices=True)
            g = (taeda.arange(y.numel()) % 7 - 3).reshape(y.shape).to(dtype)
            found.append((y, at, assert_same_for_any_threads(lambda y=y, leaf=leaf, g=g: taeda.autograd.grad(y, leaf, g, retain_graph=True)[0])))
        assert all(map(taeda.equal, *found)), (kernel, stride)


@pytest.mark.parametrize("dtype", [taeda.float16, taeda.bfloat16], ids=str)
@pytest.mark.parametrize("channels", [1, 8, 12, 40, 70])
def test_averages_of_halves_with_channels_innermost_are_those_of_floats(channels: int, dtype: taeda.dtype) -> None:
    rng = np.random.default_rng(channels)
    x = taeda.tensor(rng.normal(size=(2, channels, 9, 7))).to(dtype).contiguous(memory_format=taeda.channels_last)
    for pool in (
        lambda t: ops.avg_pool2d(t, 2), lambda t: ops.avg_pool2d(t, 3, 2, 1), lambda t: ops.avg_pool2d(t, 3, 1, 1, count_include_pad=False),
        lambda t: ops.avg_pool2d(t, (2, 3), divisor_override=-5), lambda t: ops.adaptive_avg_pool2d(t, (4, 3)),
    ):
        half, wide = (t.detach().requires_grad_() for t in (x, x.float()))
        y, z = pool(half), pool(wide)
        g = taeda.tensor(rng.normal(size=tuple(y.shape))).to(dtype)
        (a,), (b,) = taeda.autograd.grad(y, half, g), taeda.autograd.grad(z, wide, g.float())
        for one, two in ((y, z), (a, b)):
            assert one.dtype is dtype and one.is_contiguous(memory_format=taeda.channels_last) and taeda.equal(one, two.to(dtype))


def test_the_baseline_leaves_the_state_of_the_x87_unit_alone() -> None:
    code = ("import numpy as np, taeda; x = taeda.randn(2, 1, 14, 15); taeda.ops.adaptive_max_pool2d(x, 1); taeda.ops.max_pool2d(x, 1, 2)\n"
            "print(float(np.longdouble(2) * np.longdouble(3)))")
    env = {**os.environ, "TAEDA_CPU": "baseline"}
    assert subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True).stdout == "6.0\n"
