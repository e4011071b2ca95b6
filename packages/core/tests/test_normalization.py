"""What rows cannot say of normalisation: running buffers, evaluation's gradient, accuracy, threads."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import taeda
from any_threads import assert_same_for_any_threads
from taeda import ops
from taeda.ops.batch_norm import batch_norm_here


def draw(*shape: int, dtype: str = "float64", seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


@pytest.mark.parametrize("shape", [(6, 3), (4, 3, 5), (2, 3, 4, 5)])
def test_running_buffers_move_towards_the_mean_and_the_unbiased_variance(shape: tuple[int, ...]) -> None:
    x, mean, var = draw(*shape), np.full(3, 2.0), np.full(3, 3.0)
    m, v = taeda.tensor(mean), taeda.tensor(var)
    ops.batch_norm(taeda.tensor(x), m, v, training=True, momentum=0.3)
    axes = (0, *range(2, x.ndim))
    np.testing.assert_allclose(m.numpy(), 0.7 * mean + 0.3 * x.mean(axes), rtol=1e-12)
    np.testing.assert_allclose(v.numpy(), 0.7 * var + 0.3 * x.var(axes, ddof=1), rtol=1e-12)


def test_running_buffers_that_are_views_are_written_through() -> None:
    x, store = taeda.tensor(draw(5, 3)), taeda.zeros(6, dtype=taeda.float64)
    ops.batch_norm(x, store[::2], taeda.zeros(3, dtype=taeda.float64), training=True, momentum=1.0)
    np.testing.assert_allclose(store[::2].numpy(), x.mean(0).numpy(), rtol=1e-12)
    assert store[1::2].tolist() == [0, 0, 0]


def test_writing_a_running_buffer_is_seen_by_its_version() -> None:
    m, v = taeda.zeros(3), taeda.ones(3)
    ops.batch_norm(taeda.ones(4, 3), m, v, training=True)
    assert (m._version, v._version) == (1, 1)


def test_a_failed_call_leaves_the_running_buffers_alone() -> None:
    m, v = taeda.zeros(3), taeda.ones(3)
    with pytest.raises(RuntimeError, match="weight should contain 3 elements"):
        ops.batch_norm(taeda.ones(4, 3), m, v, taeda.ones(2), training=True)
    assert (m.tolist(), v.tolist()) == ([0, 0, 0], [1, 1, 1])


def test_running_buffers_take_no_gradient() -> None:
    m = taeda.zeros(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="not differentiable with respect to the running buffers"):
        ops.batch_norm(taeda.ones(4, 3), m, taeda.ones(3))


@pytest.mark.parametrize("shape", [(4, 3), (2, 3, 5), (2, 3, 4, 5)])
def test_evaluation_has_first_and_second_derivatives(shape: tuple[int, ...]) -> None:
    mean, var = taeda.tensor([0.5, -1.0, 2.0], dtype=taeda.float64), taeda.tensor([1.0, 0.5, 2.0], dtype=taeda.float64)
    leaves = [taeda.tensor(draw(*s), requires_grad=True) for s in (shape, (3,), (3,))]

    def f(x: taeda.Tensor, w: taeda.Tensor, b: taeda.Tensor) -> taeda.Tensor:
        return ops.batch_norm(x, mean, var, w, b)

    assert taeda.autograd.gradcheck(f, leaves)
    assert taeda.autograd.gradgradcheck(f, leaves)


@pytest.mark.parametrize("shape", [(64, 4), (16, 4, 9), (8, 4, 40, 40)])
def test_float32_keeps_small_deviations_from_a_large_mean(shape: tuple[int, ...]) -> None:
    x = (draw(*shape) + 3000).astype("float32")
    exact = x.astype("float64")
    axes = (0, *range(2, x.ndim))
    want = (exact - exact.mean(axes, keepdims=True)) / np.sqrt(exact.var(axes, keepdims=True) + 1e-5)
    got = ops.batch_norm(taeda.tensor(x), None, None, training=True).numpy()
    np.testing.assert_allclose(got, want, atol=3e-4)
    rows = ops.layer_norm(taeda.tensor(x.reshape(shape[0], -1).copy()), (x[0].size,)).numpy()
    exact = exact.reshape(shape[0], -1)
    want = (exact - exact.mean(1, keepdims=True)) / np.sqrt(exact.var(1, keepdims=True) + 1e-5)
    np.testing.assert_allclose(rows, want, atol=3e-4)


@pytest.mark.parametrize("shape", [(2, 1), (131, 7), (130, 130), (67, 1030), (3, 2500), (9000, 5)])
@pytest.mark.parametrize("mean", [0.0, 1000.0])
def test_columns_are_normalised_block_by_block(shape: tuple[int, int], mean: float) -> None:
    x, g, (w, b) = draw(*shape) + mean, draw(*shape, seed=1), draw(2, shape[1], seed=2)
    momentum, eps, n = 0.25, 1e-3, shape[0]
    centred = x - x.mean(0)
    var = (centred**2).mean(0)
    hat = centred / np.sqrt(var + eps)
    gx = w / np.sqrt(var + eps) * (g - g.mean(0) - hat * (g * hat).mean(0))
    for dtype, tolerance in (("float64", 1e-9), ("float32", 2e-6 * max(1, mean / 10))):
        leaves = [taeda.tensor(each.astype(dtype), requires_grad=True) for each in (x, w, b)]
        running = taeda.zeros(shape[1], dtype=getattr(taeda, dtype)), taeda.ones(shape[1], dtype=getattr(taeda, dtype))

        def step():
            y = ops.batch_norm(leaves[0], *running, *leaves[1:], True, momentum, eps)
            return y, *taeda.autograd.grad(y, leaves, taeda.tensor(g.astype(dtype)))

        got = step()
        near = {"rtol": 100 * tolerance, "atol": (100 if n < 3 else 20) * tolerance}
        np.testing.assert_allclose(got[0].detach().numpy(), hat * w + b, **near)
        np.testing.assert_allclose(got[1].numpy(), gx, **near)
        np.testing.assert_allclose(got[2].numpy(), (g * hat).sum(0), rtol=100 * tolerance, atol=20 * tolerance * n**0.5)
        np.testing.assert_allclose(got[3].numpy(), g.sum(0), rtol=100 * tolerance, atol=20 * tolerance * n**0.5)
        np.testing.assert_allclose(running[0].numpy(), momentum * x.mean(0), **near)
        np.testing.assert_allclose(running[1].numpy(), 1 - momentum + momentum * var * n / (n - 1), **near)
        assert_same_for_any_threads(step, (1, 2, 5))


@pytest.mark.parametrize("shape", [(300, 130), (16, 8, 300), (4, 5, 70, 70)])
def test_threads_change_no_bit(shape: tuple[int, ...]) -> None:
    x = taeda.tensor(draw(*shape, dtype="float32"), requires_grad=True)
    w = taeda.ones(shape[1], requires_grad=True)
    v = taeda.ones(shape[-1], requires_grad=True)

    def step():
        y = ops.batch_norm(x, None, None, w, w, True)
        z = ops.layer_norm(x, (shape[-1],), v, v)
        u = ops.group_norm(x, 1, w, w) + ops.rms_norm(x, (shape[-1],), v)
        return y, z, u, taeda.autograd.grad((y, z, u), (x, w, v), [taeda.sin(k * x.detach()) for k in (1, 2, 3)])

    assert_same_for_any_threads(step, (1, 2, 5))


def test_weights_of_another_dtype_are_refused() -> None:
    w = taeda.ones(3, dtype=taeda.float64)
    with pytest.raises(RuntimeError, match=r"\[batch_norm\] mixed dtype .*weight .*Float.*Double"):
        ops.batch_norm(taeda.ones(4, 3), None, None, w, None, True)
    with pytest.raises(RuntimeError, match=r"\[layer_norm\] mixed dtype"):
        ops.layer_norm(taeda.ones(4, 3), (3,), w)


def test_instance_norm_averages_the_samples_statistics_into_the_buffers() -> None:
    x = draw(4, 3, 5)
    m, v = taeda.zeros(3, dtype=taeda.float64), taeda.ones(3, dtype=taeda.float64)
    ops.instance_norm(taeda.tensor(x), m, v, momentum=0.2)
    np.testing.assert_allclose(m.numpy(), 0.2 * x.mean((0, 2)), rtol=1e-12)
    np.testing.assert_allclose(v.numpy(), 0.8 + 0.2 * x.var(2, ddof=1).mean(0), rtol=1e-12)


@pytest.mark.parametrize("dtype", [taeda.float64, taeda.bfloat16])
@pytest.mark.parametrize("weighted", [True, False])
def test_buffers_of_instance_norm_may_have_another_dtype(dtype: taeda.dtype, weighted: bool) -> None:
    x = taeda.tensor(draw(4, 3, 5), dtype=dtype)
    w = taeda.full((3,), 2.0, dtype=dtype) if weighted else None
    m, v, wide_m, wide_v = taeda.zeros(3), taeda.ones(3), taeda.zeros(3, dtype=dtype), taeda.ones(3, dtype=dtype)
    for train in (True, False):
        y = ops.instance_norm(x, m, v, w, w, train)
        assert y.dtype == dtype and m.dtype == v.dtype == taeda.float32
        taeda.testing.assert_close(y, ops.instance_norm(x, wide_m, wide_v, w, w, train))
        for found, wanted in ((m, wide_m), (v, wide_v)):
            taeda.testing.assert_close(found, wanted.float(), rtol=1e-2, atol=1e-2)
    with pytest.raises(RuntimeError, match="mixed dtype"):
        ops.instance_norm(x.double(), m, v, taeda.ones(3))


@pytest.mark.parametrize("dtype", [taeda.float16, taeda.bfloat16])
@pytest.mark.parametrize("function", [ops.batch_norm, ops.instance_norm])
def test_buffers_of_a_narrow_dtype_are_moved(function: Any, dtype: taeda.dtype) -> None:
    x = taeda.tensor(draw(4, 3, 5) + 2, dtype=dtype)
    found = []
    for wide in (dtype, taeda.float32):
        m, v = taeda.zeros(3, dtype=wide), taeda.ones(6, dtype=wide)[::2]
        function(x.to(wide), m, v, None, None, True, momentum=0.25)
        found.append((m.float(), v.float()))
    for narrow, wide in zip(*found, strict=True):
        np.testing.assert_allclose(narrow.numpy(), wide.numpy(), rtol=1e-2)
    assert float(found[0][0].min()) > 0.3


def test_what_is_no_input_or_no_number_of_groups() -> None:
    with pytest.raises(ValueError, match=r"\[rms_norm\] Input tensor must have at least 2 dimensions, but got 1"):
        ops.rms_norm(taeda.ones(3), (3, 3))
    with pytest.raises(RuntimeError, match=r"\[rms_norm\] Given normalized_shape"):
        ops.rms_norm(taeda.ones(3, 4), (3, 3))
    for groups in (2.0, True):
        with pytest.raises(TypeError, match=r"\[group_norm\] argument 'num_groups' must be int"):
            ops.group_norm(taeda.ones(2, 4), groups)
    with pytest.raises(NotImplementedError, match=r"\[batch_norm\] not implemented for 'Long'"):
        ops.batch_norm(taeda.ones(4, 3, dtype=taeda.int64), taeda.zeros(3), taeda.ones(3))


def test_an_eps_of_zero_or_less() -> None:
    x, zeros, ones = taeda.tensor([[1.0, 2.0], [3.0, 5.0]]), taeda.zeros(2), taeda.ones(2)
    for eps in (0.0, -1.0):
        with pytest.raises(ValueError, match=r"\[batch_norm\] .*eps must be positive during training, but got"):
            ops.batch_norm(x, None, None, training=True, eps=eps)
    with pytest.raises(ValueError, match=r"\[batch_norm\] .*eps must be non-negative, but got -1.0"):
        ops.batch_norm(x, zeros, ones, eps=-1.0)
    assert ops.batch_norm(x, zeros, ones, eps=0.0).equal(x)
    assert ops.instance_norm(x[None], eps=0.0).tolist() == [[[-1.0, 1.0], [-1.0, 1.0]]]


@pytest.mark.parametrize("dtype", [taeda.float32, taeda.float64, taeda.bfloat16])
@pytest.mark.parametrize("shape", [(3, 5, 4, 6), (2, 70, 3, 3), (1, 3, 1, 2), (2, 64, 1, 1), (2, 3, 2, 4, 3)])
@pytest.mark.parametrize("training", [True, False])
def test_images_with_channels_innermost_stay_so(shape: tuple[int, ...], dtype: taeda.dtype, training: bool) -> None:
    taeda.manual_seed(0)
    form = taeda.channels_last if len(shape) == 4 else taeda.channels_last_3d
    x = taeda.randn(shape, dtype=dtype)
    c = shape[1]
    w, b = taeda.rand(c, dtype=dtype), taeda.randn(c, dtype=dtype)
    found = []
    for plain in (True, False):
        mean, var = taeda.zeros(c, dtype=dtype), taeda.ones(c, dtype=dtype)
        leaves = [t.clone().requires_grad_() for t in (x if plain else x.contiguous(memory_format=form), w, b)]
        y = ops.batch_norm(leaves[0], mean, var, *leaves[1:], training=training)
        grads = taeda.autograd.grad((y * y.detach().cos()).sum(), leaves)
        found.append([y, mean, var, *grads])
        if not plain and dtype != taeda.bfloat16 and x.numel() > c:
            assert y.is_contiguous(memory_format=form) and grads[0].is_contiguous(memory_format=form)
        if not plain:
            assert ops.group_norm(leaves[0], 1).is_contiguous(memory_format=form)
    for a, b in zip(*found, strict=True):
        error = (a.double() - b.double()).abs().max()
        assert error <= (0.05 if dtype == taeda.bfloat16 else 2e-5 if dtype == taeda.float32 else 1e-12) * (1 + a.double().abs().max())


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(("sizes", "order"), [((2, 3, 4, 1), (0, 2, 1, 3)), ((1, 3, 4, 1), (0, 2, 1, 3)), ((1, 3, 4, 1), (0, 2, 3, 1))])
def test_channels_lie_innermost_whatever_the_strides_of_sizes_of_1_are(
    sizes: tuple[int, ...], order: tuple[int, ...], training: bool
) -> None:
    x = taeda.rand(sizes).permute(order).requires_grad_()
    assert not x.is_contiguous() and x.is_contiguous(memory_format=taeda.channels_last)
    c = x.shape[1]
    mean, var, weight = taeda.rand(c), taeda.rand(c) + 0.5, taeda.rand(c)
    y = ops.batch_norm(x, mean.clone(), var.clone(), weight, None, training=training)
    wanted = ops.batch_norm(x.contiguous(), mean.clone(), var.clone(), weight, None, training=training)
    assert y.is_contiguous(memory_format=taeda.channels_last) and not y.is_contiguous() and wanted.is_contiguous()
    assert taeda.allclose(y, wanted)
    g = taeda.rand(y.shape)
    given, asked = (taeda.autograd.grad(out, x, g)[0] for out in (y, wanted))
    assert taeda.allclose(given, asked, atol=1e-6)
    assert ops.instance_norm(x.detach()).is_contiguous() and taeda.equal(ops.instance_norm(x), ops.instance_norm(x.contiguous()))


@pytest.mark.parametrize("dtype", [taeda.float32, taeda.float64])
@pytest.mark.parametrize("shape", [(2, 6, 4, 4), (3, 4, 1, 1), (1, 8, 40, 23), (2, 1100, 5, 30), (2, 6, 3, 7, 9), (1, 12, 1, 300)])
def test_groups_of_channels_that_lie_innermost(shape: tuple[int, ...], dtype: taeda.dtype) -> None:
    """One sample is more than a block of 128 rows, or of 1024 channels; large means cancel nothing."""
    taeda.manual_seed(0)
    form = taeda.channels_last if len(shape) == 4 else taeda.channels_last_3d
    x = taeda.randn(shape, dtype=dtype) + taeda.randn(shape[1], dtype=dtype).reshape(-1, *[1] * (len(shape) - 2)) * 30
    w, b = taeda.rand(2, shape[1], dtype=dtype).unbind()
    apart = taeda.cat([x, x], 1).contiguous(memory_format=form)[:, : shape[1]]      # with gaps
    for groups in (1, 2, shape[1] // 2):
        for parts in ((w, b), (w, None), (None, b), (None, None)):
            exact = ops.group_norm(x.double(), groups, *(None if t is None else t.double() for t in parts))
            for laid in (x.contiguous(memory_format=form), apart):
                y = assert_same_for_any_threads(lambda laid=laid, groups=groups, parts=parts: ops.group_norm(laid, groups, *parts))
                assert y.is_contiguous(memory_format=form) and y.dtype == dtype
                assert (y.double() - exact).abs().max() <= taeda.finfo(dtype).eps * 60
    leaf = apart[:1, :, :2, :2].detach().double().requires_grad_()
    assert taeda.autograd.gradcheck(lambda a: ops.group_norm(a, 2)[..., 0], (leaf,)) if shape[1] < 20 else True


def test_a_second_derivative_with_channels_innermost() -> None:
    x = taeda.randn(2, 3, 3, 2, dtype=taeda.float64).contiguous(memory_format=taeda.channels_last).requires_grad_()
    w = taeda.rand(3, dtype=taeda.float64, requires_grad=True)
    assert taeda.autograd.gradgradcheck(lambda a, b: ops.batch_norm(a, None, None, b, training=True), (x, w))


@pytest.mark.parametrize("dtype", [taeda.float16, taeda.bfloat16])
@pytest.mark.parametrize("n", [1, 2, 63, 1023, 2048, 5000])
def test_layer_norm_of_halves_is_that_of_float32_rounded(dtype: taeda.dtype, n: int) -> None:
    taeda.manual_seed(3)
    x, w, b = (taeda.randn(*s).to(dtype) for s in ((37, n), (n,), (n,)))
    for weights in ((w, b), (w, None), (None, b), (None, None)):
        wide = [None if t is None else t.float() for t in weights]
        assert taeda.equal(taeda.layer_norm(x, (n,), *weights), taeda.layer_norm(x.float(), (n,), *wide).to(dtype))
        y = assert_same_for_any_threads(lambda: taeda.rms_norm(x, (n,), weights[0]))
        assert taeda.equal(y, taeda.rms_norm(x.float(), (n,), wide[0], eps=2**-23).to(dtype))


def test_one_value_is_refused_by_layers_alone() -> None:
    x = taeda.tensor([[1.0, 2.0]])
    for refused in (lambda: ops.batch_norm(x, None, None, training=True), lambda: ops.group_norm(x, 2), lambda: ops.instance_norm(x[..., None])):
        with pytest.raises(ValueError, match="Expected more than 1"):
            refused()
    assert taeda.batch_norm(x, None, None, None, None, True, 0.1, 1e-5, False).tolist() == [[0, 0]]
    assert taeda.group_norm(x, 2).tolist() == [[0, 0]]
    nothing, w = taeda.ones(0, 6, 3, requires_grad=True), taeda.ones(6, requires_grad=True)
    gx, gw = taeda.autograd.grad(taeda.group_norm(nothing, 3, w).sum(), (nothing, w), create_graph=True)
    assert gx.shape == (0, 6, 3) and gw.tolist() == [0] * 6
    with taeda.autograd.forward_ad.dual_level():
        y = taeda.group_norm(taeda.autograd.forward_ad.make_dual(nothing.detach(), taeda.ones(0, 6, 3)), 3)
        assert taeda.autograd.forward_ad.unpack_dual(y).tangent.shape == (0, 6, 3)
    assert taeda.instance_norm(x[..., None], None, None, None, None, True, 0.1, 1e-5, False).tolist() == [[[0], [0]]]


def test_a_row_of_one_element_has_no_gradient() -> None:
    for width in (1.0, 3.7):
        x = taeda.full((2, 1), width, requires_grad=True)
        taeda.layer_norm(x, (1,), taeda.tensor([0.3]), taeda.tensor([0.1])).backward(taeda.tensor([[0.7], [-1.3]]))
        assert x.grad.tolist() == [[0], [0]]


def test_batch_norm_of_no_values_in_one_dimension() -> None:
    assert ops.batch_norm(taeda.ones(0), None, None, training=True).shape == (0,)
    assert ops.batch_norm(taeda.ones(0), None, None, taeda.ones(2), taeda.ones(2), True).shape == (0,)


def test_running_buffers_are_left_alone_by_an_update_that_fails():
    mean, flags = taeda.tensor([1.5, -2.0, 0.0]), taeda.tensor([True, False, True])
    with pytest.raises(RuntimeError, match=r"\[batch_norm_update_stats\] running_var must be a floating-point tensor, got taeda.bool"):
        taeda.batch_norm_update_stats(taeda.ones(2, 3), mean, flags, 0.1)
    with pytest.raises(RuntimeError, match=r"at least one element, but got input_sizes = \[0, 3\]"):
        taeda.batch_norm_update_stats(taeda.ones(0, 3), mean, mean.clone(), 0.1)
    with pytest.raises(RuntimeError, match="same device"):
        taeda.batch_norm_update_stats(taeda.ones(2, 3, device="meta"), mean, mean.clone(), 0.1)
    assert mean.tolist() == [1.5, -2.0, 0.0]


@pytest.mark.parametrize("dtype", [taeda.float16, taeda.bfloat16])
@pytest.mark.parametrize("shape", [(3, 5), (2, 5, 49), (4, 7, 9, 11), (2, 3, 1, 1), (40, 16, 30, 30)])
def test_batch_norm_of_halves_by_known_statistics_is_the_exact_one_rounded(dtype: taeda.dtype, shape: tuple[int, ...]) -> None:
    taeda.manual_seed(0)
    x = taeda.randn(shape).to(dtype)
    for of in (dtype, taeda.float32):
        mean, var, w, b = (taeda.rand(4, shape[1]) + 0.5).to(of)
        for images in (x, x.contiguous(memory_format=taeda.channels_last)) if len(shape) == 4 else (x,):
            for weight, bias in ((w, b), (w, None), (None, b), (None, None)):
                y = taeda.ops.batch_norm(images, mean, var, weight, bias)
                exact = taeda.ops.batch_norm(x.double(), *(None if t is None else t.double() for t in (mean, var, weight, bias)))
                assert y.dtype is dtype and y.stride() == images.stride()
                assert ((y.double() - exact).abs() <= exact.abs() * 0.51 * taeda.finfo(dtype).eps + 1e-6).all()
        g = x.clone().requires_grad_()                                      # with a derivative: the same, but for rounding
        assert taeda.allclose(taeda.ops.batch_norm(g, mean, var, w, b), taeda.ops.batch_norm(x, mean, var, w, b), rtol=0.02, atol=0.02)


@pytest.mark.parametrize("dtype", [taeda.float32, taeda.float64, taeda.float16, taeda.bfloat16], ids=str)
@pytest.mark.parametrize("shape", [(3, 5), (2, 3, 4), (2, 70, 1), (1, 3, 5, 7), (2, 40, 40, 41), (2, 3, 2, 2, 2)], ids=str)
def test_known_statistics_give_the_same_bits_with_and_without_gradients_and_in_place(dtype: taeda.dtype, shape: tuple[int, ...]) -> None:
    x = taeda.randn(shape).to(dtype)
    mean, w, b = taeda.randn(3, shape[1]).to(dtype).unbind()
    var = taeda.rand(shape[1]).to(dtype) + 0.1
    for laid in (x, x.to(memory_format=taeda.channels_last) if x.ndim == 4 else x.clone()):
        y = ops.batch_norm(laid, mean, var, w, b)
        exact = (laid.double() - along(mean, x)) / (along(var, x) + 1e-5).sqrt() * along(w, x) + along(b, x)
        assert (y.double() - exact).abs().max() <= taeda.finfo(dtype).eps * 8 * exact.abs().max()
        assert taeda.equal(ops.batch_norm(laid.clone().requires_grad_(), mean, var, w, b), y)
        assert y.stride() == laid.stride()
        here = laid.clone()
        assert batch_norm_here(here, mean, var, w, b, 1e-5, -0.5, 0.75)
        assert taeda.equal(here, y.clamp(-0.5, 0.75))


def along(w: taeda.Tensor, x: taeda.Tensor) -> taeda.Tensor:
    return w.double().reshape(-1, *[1] * (x.ndim - 2))


def test_what_is_not_normalised_in_place() -> None:
    x, w = taeda.randn(2, 3, 4), taeda.ones(3)
    strided, odd = taeda.randn(2, 4, 3).transpose(1, 2), taeda.randn(2, 3, 4, dtype=taeda.float64)
    before = [t.clone() for t in (x, strided, odd)]
    for input, parts in (
        (x, (None, None, w, w)), (x, (w, taeda.ones(4), w, w)), (x, (w, w, taeda.ones(6)[::2], w)), (x, (w, w, w.double(), w)),
        (x, (w, w, w.clone().requires_grad_(), w)), (strided, (w, w, w, w)), (odd, (w, w, w, w)), (x, (w, [1.0] * 3, w, w)),
    ):  # fmt: skip
        assert not batch_norm_here(input, *parts, 1e-5, 0.0, 1.0)
    assert all(map(taeda.equal, (x, strided, odd), before))


@pytest.mark.parametrize("shape", [(4, 3), (600, 3), (2, 3, 5), (1, 3, 5000)])
@pytest.mark.parametrize("dtype", [taeda.float32, taeda.float64, taeda.float16, taeda.bfloat16])
def test_the_running_mean_of_infinities_is_infinite(shape: tuple[int, ...], dtype: taeda.dtype) -> None:
    for value in (math.inf, -math.inf):
        x = taeda.ones(shape, dtype=dtype)
        x[0, 1] = value
        m, v = taeda.zeros(3, dtype=dtype), taeda.ones(3, dtype=dtype)
        ops.batch_norm(x, m, v, training=True, momentum=0.5)
        assert m.tolist() == [0.5, value, 0.5] and math.isnan(v[1].item()) and v[0] == v[2] == 0.5
    x[-1, 1] = math.inf                                         # both signs have no mean
    ops.batch_norm(x, m, v, training=True)
    assert math.isnan(m[1].item())


HALF_SHAPES = [(40, 6), (300, 1100), (3, 6, 5), (5, 6, 49), (2, 6, 16), (2, 6, 1023), (1, 6, 2500), (4, 6, 33, 32), (3, 6, 1, 1), (700, 4, 3, 3)]


@pytest.mark.parametrize("dtype", [taeda.float16, taeda.bfloat16], ids=str)
@pytest.mark.parametrize("shape", HALF_SHAPES, ids=str)
@pytest.mark.parametrize("kind", ["batch", "batch, channels last", "group", "group, channels last"])
def test_halves_are_normalised_as_exactly_as_they_round(dtype: taeda.dtype, shape: tuple[int, ...], kind: str) -> None:
    """Parameters are halves or, as under autocast, float32: then their gradients and the moments are, and x keeps its dtype and layout."""
    if "last" in kind and len(shape) != 4:
        return
    taeda.manual_seed(1)
    x, g = (taeda.randn(shape) + 2).to(dtype), taeda.randn(shape).to(dtype)
    if "last" in kind:
        x, g = (t.contiguous(memory_format=taeda.channels_last) for t in (x, g))
    axes, C, eps = (0, *range(2, len(shape))), shape[1], taeda.finfo(dtype).eps
    for of in (dtype, taeda.float32):
        parts = (taeda.rand(2, C) + 0.5).to(of).unbind()
        for weight, bias in (parts, (parts[0], None), (None, parts[1])):
            buffers = [taeda.zeros(C, dtype=of), taeda.ones(C, dtype=of)]
            leaves = [x.clone(), *(t.clone() for t in (weight, bias) if t is not None)]

            def function(image: taeda.Tensor, *rest: taeda.Tensor, weight=weight, bias=bias, buffers=buffers) -> taeda.Tensor:
                w = rest[0] if weight is not None else None
                b = rest[-1] if bias is not None else None
                return ops.batch_norm(image, *buffers, w, b, True) if kind[0] == "b" else ops.group_norm(image, 2, w, b)

            def step(leaves=leaves, function=function) -> tuple:
                inputs = [t.clone().requires_grad_() for t in leaves]
                y = function(*inputs)
                return y, *taeda.autograd.grad(y, inputs, g)

            y, *grads = step()
            exact_buffers = [taeda.zeros(C).double(), taeda.ones(C).double()]
            inputs = [t.double().requires_grad_() for t in leaves]
            exact = function(*inputs, buffers=exact_buffers)
            exact_grads = taeda.autograd.grad(exact, inputs, g.double())
            laid = taeda.empty(shape) if kind[0] == "b" and x.is_contiguous() else x
            assert y.dtype == dtype and y.stride() == laid.stride() and [t.dtype for t in grads] == [t.dtype for t in leaves]
            assert ((y.double() - exact).abs() <= exact.abs() * 0.51 * eps + 1e-5).all()
            if kind[0] == "b":
                n = x.numel() // C
                assert taeda.allclose(buffers[0].double(), 0.1 * x.double().mean(axes), rtol=eps if of == dtype else 1e-6, atol=1e-7)
                moved = 0.9 + 0.1 * x.double().var(axes, correction=0) * n / (n - 1)
                assert taeda.allclose(buffers[1].double(), moved, rtol=eps if of == dtype else 1e-6)
            for a, b in zip(grads, exact_grads, strict=True):       # of halves the moments are rounded before backward
                error = (a.double() - b).abs().max() / (1 + b.abs().max())
                assert error <= eps * (8 if of == dtype else 1)
            if weight is parts[0] and bias is not None:
                assert_same_for_any_threads(step, (1, 2, 5))


@pytest.mark.parametrize("dtype", [taeda.float16, taeda.bfloat16], ids=str)
def test_nan_and_infinity_of_halves_stay_in_their_channels(dtype: taeda.dtype) -> None:
    for shape in ((4, 3), (2, 3, 7), (2, 3, 40)):
        for value in (math.nan, math.inf):
            x = taeda.randn(shape).to(dtype)
            x[0, 1] = value
            y = ops.batch_norm(x, None, None, training=True)
            assert y[:, 1].isnan().all() and not y[:, ::2].isnan().any()
            w = taeda.tensor([1.0, -math.nan, 1.0])
            w.view(taeda.int32)[1] = 0x7FFFFFFF                          # a NaN with all bits, which must not round to -0
            y = ops.batch_norm(taeda.randn(shape).to(dtype), taeda.zeros(3), taeda.ones(3), w, taeda.zeros(3), True)
            assert y[:, 1].isnan().all() and not y[:, ::2].isnan().any()
            if len(shape) > 2:
                assert ops.group_norm(x, 3, w, None)[:, 1].isnan().all()


@pytest.mark.parametrize("function", [lambda x, w: ops.batch_norm(x, taeda.zeros(4), taeda.ones(4), w, None, True), lambda x, w: ops.group_norm(x, 2, w)])
def test_halves_beside_float32_parameters_are_one_op_and_have_a_second_derivative(function: Any) -> None:
    x, w = taeda.randn(6, 4, 10).bfloat16().requires_grad_(), (taeda.rand(4) + 0.5).requires_grad_()
    y = function(x, w)
    assert y.grad_fn.name() in ("NativeBatchNormBackward0", "NativeGroupNormBackward0")
    g = taeda.randn(6, 4, 10)
    found = []
    for leaf, weight in ((x, w), (x.detach().double().requires_grad_(), w.detach().double().requires_grad_())):
        out = ops.batch_norm(leaf, None, None, weight, None, True) if "Batch" in y.grad_fn.name() else ops.group_norm(leaf, 2, weight)
        first = taeda.autograd.grad(out, (leaf, weight), g.to(leaf.dtype), create_graph=True)
        assert [t.dtype for t in first] == [leaf.dtype, weight.dtype]
        found.append([*first, *taeda.autograd.grad(first[0].square().sum() + first[1].sin().sum(), (leaf, weight))])
    for a, b in zip(*found, strict=True):
        assert (a.double() - b).abs().max() <= 0.03 * (1 + b.abs().max())


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("shape", [(2, 1, 4, 4), (2, 3, 1, 1)])
def test_what_lies_in_both_orders_gives_a_row_major_result(shape: tuple[int, ...], training: bool) -> None:
    c = shape[1]
    x = taeda.tensor(draw(*shape)).to(memory_format=taeda.channels_last).requires_grad_()
    m, v = taeda.zeros(c, dtype=taeda.float64), taeda.ones(c, dtype=taeda.float64)
    y = ops.batch_norm(x, m, v, training=training)
    assert y.stride() == taeda.empty(shape).stride() != x.stride()
    m, v = taeda.zeros(c, dtype=taeda.float64), taeda.ones(c, dtype=taeda.float64)
    np.testing.assert_allclose(y.detach().numpy(), ops.batch_norm(x.detach().contiguous().clone(), m, v, training=training).numpy(), rtol=1e-12)
    assert taeda.autograd.gradcheck(lambda t: ops.batch_norm(t, None, None, training=True), (x,))


def test_running_buffers_may_have_tangents_in_training() -> None:
    from taeda.autograd import forward_ad

    with forward_ad.dual_level():
        x = forward_ad.make_dual(taeda.tensor(draw(4, 3)), taeda.tensor(draw(4, 3)))
        m, v = (forward_ad.make_dual(taeda.zeros(3, dtype=taeda.float64), taeda.ones(3, dtype=taeda.float64)) for _ in range(2))
        y = forward_ad.unpack_dual(ops.batch_norm(x, m, v, training=True, momentum=1.0))
        plain = forward_ad.unpack_dual(ops.batch_norm(x, None, None, training=True))
        assert y.tangent.tolist() == plain.tangent.tolist()
        np.testing.assert_allclose(m.numpy(), x.mean(0).numpy(), rtol=1e-12)
        assert forward_ad.unpack_dual(m).tangent.tolist() == [1, 1, 1]
        with pytest.raises(RuntimeError, match="not differentiable with respect to the running buffers"):
            ops.batch_norm(x, m, v)


def test_rms_norm_of_channels_last_lies_as_its_input() -> None:
    x = taeda.randn(2, 3, 4, 5).contiguous(memory_format=taeda.channels_last).requires_grad_()
    y = ops.rms_norm(x, (5,), taeda.full((5,), 2.0))
    assert y.stride() == x.stride() and ops.rms_norm(x.detach().contiguous(), (5,)).is_contiguous()
    plain = ops.rms_norm(x.detach().contiguous().requires_grad_(), (5,), taeda.full((5,), 2.0))
    assert y.equal(plain)
    (g,) = taeda.autograd.grad((y * y * y).sum(), x)
    z = x.detach().contiguous().requires_grad_()
    (h,) = taeda.autograd.grad((ops.rms_norm(z, (5,), taeda.full((5,), 2.0)) ** 3).sum(), z)
    taeda.testing.assert_close(g, h)


def test_second_derivatives_of_rows_of_no_elements() -> None:
    x, w = taeda.zeros(2, 0, requires_grad=True), taeda.ones(0, requires_grad=True)
    for y in (ops.layer_norm(x, (0,), w), ops.rms_norm(x, (0,), w)):
        g, gw = taeda.autograd.grad(y.sum(), (x, w), create_graph=True)
        assert g.shape == (2, 0) and gw.shape == (0,) and taeda.autograd.grad(g.sum(), x)[0].shape == (2, 0)


@pytest.mark.parametrize("dtype", [taeda.float16, taeda.bfloat16])
def test_gradients_of_rms_norm_of_halves_are_rounded_once(dtype: taeda.dtype) -> None:
    x, w, g = (taeda.tensor(draw(*shape, dtype="float32", seed=i)).to(dtype) for i, shape in enumerate([(40, 300), (300,), (40, 300)]))

    def gradients(dtype: taeda.dtype) -> tuple[taeda.Tensor, ...]:
        leaves = [t.to(dtype).detach().requires_grad_() for t in (x, w)]
        return taeda.autograd.grad(ops.rms_norm(leaves[0], (300,), leaves[1]), leaves, g.to(dtype))

    for found, wide in zip(gradients(dtype), gradients(taeda.float32), strict=True):
        assert taeda.equal(found, wide.to(dtype))


def test_group_norm_needs_more_than_one_value_a_group() -> None:
    for shape, groups in (((1, 1, 1), 1), ((1, 2, 1), 2), ((1, 4), 4)):
        with pytest.raises(ValueError, match="Expected more than 1 value per channel"):
            ops.group_norm(taeda.ones(shape), groups)
    with pytest.raises(RuntimeError, match="divisible by num_groups"):
        ops.group_norm(taeda.ones(1, 1, 2), 2)
    assert ops.group_norm(taeda.tensor([[1.0], [2.0]]), 1).tolist() == [[0.0], [0.0]]


@pytest.mark.parametrize("layout", ["channels first", "channels last", "rows"])
@pytest.mark.parametrize("dtype", [taeda.float32, taeda.float64, taeda.bfloat16])
def test_the_gradient_of_batch_norm_in_evaluation_does_not_depend_on_its_input(dtype: taeda.dtype, layout: str) -> None:
    x = taeda.randn(3, 5, 4, 4, dtype=dtype) if layout != "rows" else taeda.randn(48, 5, dtype=dtype)
    if layout == "channels last":
        x = x.contiguous(memory_format=taeda.channels_last)
    x[0, 0], x[1, 2] = math.nan, math.inf
    mean, var, w = taeda.zeros(5, dtype=dtype), taeda.full((5,), 4.0, dtype=dtype), taeda.arange(1.0, 6.0).to(dtype)
    leaf = x.requires_grad_()
    y = ops.batch_norm(leaf, mean, var, w, eps=0.0)
    g = taeda.randn(*y.shape, dtype=dtype)
    expected = g * (w / 2).reshape(1, 5, *[1] * (x.ndim - 2))
    assert taeda.autograd.grad(y, leaf, g)[0].equal(expected)
