"""Images whose channels lie innermost in memory: results and gradients lie as their input does, and hold the same values."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import taeda
from any_threads import assert_same_for_any_threads
from taeda import Tensor, ops

OPS: dict[str, Callable[[Tensor], Tensor]] = {
    "cat": lambda x: taeda.cat([x, x[:, :2], x], 1),
    "cat of batches": lambda x: taeda.cat([x, x]),
    "cat of rows": lambda x: taeda.cat([x[:, :, 1:], x], 2),
    "roll": lambda x: taeda.roll(x, (1, -2), (1, 3)),
    "lerp": lambda x: taeda.lerp(x, x * x, 0.25),
    "addcmul": lambda x: taeda.addcmul(x, x, x[:, :, :1, :1], value=2),
    "addcdiv": lambda x: taeda.addcdiv(x, x, x * x + 1),
    "batch_norm": lambda x: ops.batch_norm(x, None, None, training=True),
    "batch_norm in eval": lambda x: ops.batch_norm(x, taeda.zeros(5, dtype=x.dtype), taeda.ones(5, dtype=x.dtype)),
    "group_norm": lambda x: taeda.group_norm(x, 5),
    "prelu": lambda x: taeda.prelu(x, taeda.tensor([0.1, 0.2, 0.3, 0.4, 0.5], dtype=x.dtype)),
    "nearest": lambda x: ops.interpolate(x, scale_factor=2),
    "bilinear": lambda x: ops.interpolate(x, size=(9, 4), mode="bilinear"),
    "bilinear, corners": lambda x: ops.interpolate(x, size=(3, 13), mode="bilinear", align_corners=True),
    "bicubic": lambda x: ops.interpolate(x, scale_factor=1.5, mode="bicubic"),
    "windows": lambda x: ops.interpolate(x, size=(3, 4), mode="bilinear", antialias=True),
    "pad": lambda x: ops.pad(x, (1, 2, 0, -1)),
    "reflect": lambda x: ops.pad(x, (1, 2, 2, 1), "reflect"),
    "max_pool": lambda x: ops.max_pool2d(x, 3, 2, 1),
    "avg_pool": lambda x: ops.avg_pool2d(x, 2),
    "depthwise": lambda x: taeda.conv2d(x, taeda.ones(5, 1, 3, 3, dtype=x.dtype), groups=5),
    "1x1": lambda x: taeda.conv2d(x, taeda.ones(4, 5, 1, 1, dtype=x.dtype)),
}


def innermost(x: Tensor) -> Tensor:
    return x.contiguous(memory_format=taeda.channels_last)


@pytest.mark.parametrize("name", OPS)
def test_results_and_gradients_lie_as_the_input(name: str) -> None:
    plain = taeda.tensor(np.random.default_rng(1).normal(size=(2, 5, 6, 7)), requires_grad=True)
    last = innermost(plain.detach()).requires_grad_()
    a, b = OPS[name](plain), OPS[name](last)
    assert b.is_contiguous(memory_format=taeda.channels_last) and not b.is_contiguous()
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-12, atol=1e-13)
    ga, gb = (taeda.autograd.grad((y * y.detach().cos()).sum(), x)[0] for y, x in ((a, plain), (b, last)))
    assert gb.is_contiguous(memory_format=taeda.channels_last) and not gb.is_contiguous()
    np.testing.assert_allclose(ga.numpy(), gb.numpy(), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("part", [(slice(None), slice(1, 6)), (slice(None), slice(0, 5), slice(1, 7), slice(2, 9)), (slice(None), slice(None, None, 2))])
@pytest.mark.parametrize("name", OPS)
def test_memory_with_gaps(name: str, part: tuple[slice, ...]) -> None:
    x = taeda.tensor(np.random.default_rng(2).normal(size=(2, 9, 8, 10)))
    plain, last = (t[part] for t in (x, innermost(x)))
    np.testing.assert_allclose(OPS[name](plain).numpy(), OPS[name](last).numpy(), rtol=1e-12, atol=1e-13)
    plain, last = plain.clone().requires_grad_(), last.requires_grad_()
    ga, gb = (taeda.autograd.grad(OPS[name](t).cos().sum(), t)[0] for t in (plain, last))
    np.testing.assert_allclose(ga.numpy(), gb.numpy(), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("dtype", [taeda.bfloat16, taeda.float16])
@pytest.mark.parametrize("name", ["cat", "batch_norm", "nearest", "bilinear", "max_pool", "avg_pool", "pad"])
def test_narrow_dtypes(name: str, dtype: taeda.dtype) -> None:
    x = taeda.tensor(np.random.default_rng(3).normal(size=(2, 5, 6, 7))).to(dtype)
    a, b = OPS[name](x), OPS[name](innermost(x))
    assert b.is_contiguous(memory_format=taeda.channels_last)
    np.testing.assert_allclose(a.double().numpy(), b.double().numpy(), rtol=2**-7, atol=2**-7)


def test_one_pixel_and_empty_images() -> None:
    for shape in ((2, 5, 1, 1), (0, 5, 4, 4), (2, 5, 1, 7)):
        x = taeda.ones(shape)
        y = innermost(x)
        assert taeda.equal(taeda.cat([x, x], 1), taeda.cat([y, y], 1)) and taeda.equal(taeda.stack([x, x], 2), taeda.stack([y, y], 2))
        assert taeda.equal(ops.interpolate(x, size=(3, 3)), ops.interpolate(y, size=(3, 3)))


def test_strides_tell_the_order_where_sizes_of_1_leave_nothing_to_move() -> None:
    last = taeda.channels_last
    for shape, strides in (((4, 8, 1, 1), (8, 1, 8, 8)), ((8, 1, 3, 3), (9, 1, 3, 1)), ((1, 1, 4, 1), (4, 1, 1, 1))):
        x = taeda.rand(shape, requires_grad=True)
        moved = x.to(memory_format=last)
        assert moved.stride() == strides and moved.to(memory_format=last) is moved and moved.data_ptr() != x.data_ptr()
        assert x.clone(memory_format=last).stride() == taeda.empty(shape, memory_format=last).stride() == strides
        assert moved.clone().stride() == taeda.zeros_like(x, memory_format=last).stride() == strides
        assert x.contiguous(memory_format=last) is x and moved.equal(x)
        moved.sum().backward()
        assert x.grad is not None and x.grad.eq(1).all()
    x = taeda.rand(2, 8, 5, 5)
    weight, by_channel = taeda.rand(4, 8, 1, 1), taeda.rand(8, 1, 3, 3)
    assert taeda.conv2d(x, weight).stride(1) == 25 and taeda.conv2d(x, weight.to(memory_format=last)).stride(1) == 1
    assert taeda.conv2d(x, by_channel.to(memory_format=last), groups=8).stride(1) == 1


@pytest.mark.parametrize(("shape", "strides"), [((10, 3, 1, 1), (3, 1, 3, 3)), ((10, 1, 4, 4), (16, 1, 4, 1))])
def test_strides_of_sizes_of_1_count_where_operands_differ_in_shape(shape: tuple[int, ...], strides: tuple[int, ...]) -> None:
    """As in PyTorch: a number beside the image is an operand of another shape, an exponent or a weight of lerp is none."""
    x, last = taeda.rand(shape).to(memory_format=taeda.channels_last), taeda.rand(shape[-1])
    for y in (x + 2, 2 - x, x == 2, x * taeda.tensor(2.0), x + last, last * x, x > x[:1], taeda.where(x > 0, x, 0.0), taeda.maximum(x, x[:1]), x.flip(0)):
        assert y.stride() == strides
    for y in (x.exp(), x + x, x**2, taeda.lerp(x, x, 0.3), x.masked_fill(x > 2, 1), x.clamp(0, 1), x.relu(), taeda.addcmul(x, x, x)):
        assert y.stride() == taeda.empty(shape).stride()
    assert taeda.equal(x + 2, x.contiguous() + 2) and taeda.equal(x.flip(0), x.contiguous().flip(0))


@pytest.mark.parametrize("dim", range(5))
def test_stacks(dim: int) -> None:
    x = taeda.arange(2.0 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    a, b = taeda.stack([x, x + 1], dim), taeda.stack([innermost(x), innermost(x + 1)], dim)
    assert taeda.equal(a, b)
    if dim < 4:
        assert b.flatten(dim, dim + 1).is_contiguous(memory_format=taeda.channels_last)
    leaf = innermost(x).requires_grad_()
    (taeda.stack([leaf, leaf * 2], dim) * a).sum().backward()
    want = (a * 1).select(dim, 0) + 2 * a.select(dim, 1)
    assert taeda.equal(leaf.grad, want)


def test_mixed_orders_give_row_major_results() -> None:
    x = taeda.rand(2, 3, 4, 5)
    assert taeda.cat([x, innermost(x)], 1).is_contiguous() and taeda.stack([innermost(x), x]).is_contiguous()


def test_leaves_take_gradients_in_their_order_without_a_copy() -> None:
    leaf = innermost(taeda.rand(2, 3, 4, 5)).requires_grad_()
    leaf.relu().backward(innermost(taeda.ones(2, 3, 4, 5)))
    assert leaf.grad.stride() == leaf.stride()
    plain = taeda.rand(2, 3, 4, 5, requires_grad=True)
    (plain * 2).backward(innermost(taeda.ones(2, 3, 4, 5)))
    assert plain.grad.is_contiguous() and taeda.equal(plain.grad, taeda.full((2, 3, 4, 5), 2.0))


@pytest.mark.parametrize("name", ["nearest", "bilinear", "bicubic", "batch_norm", "cat", "group_norm", "prelu"])
def test_bits_do_not_depend_on_the_number_of_threads(name: str) -> None:
    x = innermost(taeda.tensor(np.random.default_rng(4).normal(size=(3, 5, 61, 67)), dtype=taeda.float32)).requires_grad_()

    def step():
        y = OPS[name](x)
        return y, taeda.autograd.grad(y.cos().sum(), x)

    assert_same_for_any_threads(step)


@pytest.mark.parametrize("shape", [(2, 6, 5, 7), (1, 6, 1, 3), (2, 6, 3, 4, 5)])
def test_group_norm_with_weights_is_that_of_the_contiguous_image(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(6)
    form = taeda.channels_last if len(shape) == 4 else taeda.channels_last_3d
    x, w, b, g = (taeda.tensor(rng.normal(size=s) + 3) for s in (shape, (6,), (6,), shape))

    def derivatives(laid: Tensor) -> list[np.ndarray]:
        leaves = [t.clone().requires_grad_() for t in (laid, w, b)]
        y = taeda.group_norm(leaves[0], 3, leaves[1], leaves[2])
        first = taeda.autograd.grad((y * g).sum(), leaves, create_graph=True)
        second = taeda.autograd.grad(first[0].square().sum() + first[1].square().sum(), leaves[:2])
        assert y.stride() == laid.stride()
        return [t.detach().numpy() for t in (y, *first, *second)]

    for found, wanted in zip(derivatives(x.contiguous(memory_format=form)), derivatives(x), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9)


def test_group_norm_keeps_its_accuracy_far_from_zero() -> None:
    x = np.random.default_rng(7).normal(size=(2, 8, 9, 9)).astype(np.float32) + np.float32(100)
    exact = x.astype(np.float64).reshape(2, 4, -1)
    exact = ((exact - exact.mean(-1, keepdims=True)) / np.sqrt(exact.var(-1, keepdims=True) + 1e-5)).reshape(x.shape)
    np.testing.assert_allclose(taeda.group_norm(innermost(taeda.from_numpy(x)), 4).numpy(), exact, rtol=0, atol=3e-5)


@pytest.mark.parametrize("channels", [1, 3, 8, 700])
@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
def test_prelu_of_rows_is_the_formula(channels: int, dtype: str) -> None:
    kind = getattr(taeda, dtype)
    rng = np.random.default_rng(8)
    w = taeda.tensor(rng.normal(size=channels)).to(kind)
    for shape in ((37, channels), (2, channels, 5, 7)):
        x, g = (taeda.tensor(rng.normal(size=shape)).to(kind) for _ in range(2))
        x, g = (innermost(x), innermost(g)) if len(shape) == 4 else (x, g)
        leaves = [x.clone().requires_grad_(), w.clone().requires_grad_()]
        y = taeda.prelu(*leaves)
        gx, gw = taeda.autograd.grad(y, leaves, g)
        assert y.stride() == gx.stride() == x.stride()
        wide = w.double().reshape((-1, *[1] * (len(shape) - 2)))
        below = (x <= 0).double()
        others = [d for d in range(len(shape)) if d != 1]
        tolerance = {"float32": 1e-6, "float64": 1e-13, "bfloat16": 1e-2}[dtype]
        for found, wanted in ((y, x.double() * (1 - below + below * wide)), (gx, g.double() * (1 - below + below * wide)),
                              (gw, (g.double() * x.double() * below).sum(others))):
            np.testing.assert_allclose(found.detach().double().numpy(), wanted.numpy(), rtol=tolerance, atol=tolerance * 10)


@pytest.mark.parametrize("sizes", [((33, 47), (20, 61)), ((100, 90), (31, 17)), ((1, 5), (3, 2)), ((64, 64), (64, 30)), ((17, 4), (40, 3))])
@pytest.mark.parametrize("channels", [1, 3, 4, 17])
def test_bytes_whose_channels_lie_innermost_are_resized_to_the_same_bits(channels: int, sizes: tuple[tuple[int, int], tuple[int, int]]) -> None:
    x = taeda.tensor(np.random.default_rng(channels).integers(0, 256, (2, channels, *sizes[0])).astype("uint8"))
    last = x.contiguous(memory_format=taeda.channels_last)
    for mode in ("bilinear", "bicubic"):
        for antialias in (False, True):
            found = ops.interpolate(last, sizes[1], mode=mode, antialias=antialias)
            assert taeda.equal(found, ops.interpolate(x, sizes[1], mode=mode, antialias=antialias))
            assert found.is_contiguous(memory_format=taeda.channels_last)


def test_a_copy_with_channels_innermost_is_no_view() -> None:
    x = taeda.arange(24.0).reshape(1, 3, 2, 4).requires_grad_()
    for y, name in (
        (x.contiguous(memory_format=taeda.channels_last), "CloneBackward0"), (x.clone(memory_format=taeda.channels_last), "CloneBackward0"),
        (x.to(memory_format=taeda.channels_last), "ToCopyBackward0"),
    ):  # fmt: skip
        assert type(y.grad_fn).__name__ == name
        assert (y._is_view(), y.stride(), y.tolist()) == (False, (24, 1, 12, 3), x.tolist())
        y.detach_()                                    # refused of views
        assert y.is_leaf
    (x.contiguous(memory_format=taeda.channels_last) * x.detach()).sum().backward()
    assert taeda.equal(x.grad, x)
    volume = taeda.ones(2, 3, 2, 2, 2)
    assert not volume.to(memory_format=taeda.channels_last_3d)._is_view()
    assert not taeda.ones(2, 1, 1, 1).contiguous(memory_format=taeda.channels_last)._is_view()


@pytest.mark.parametrize("results", [1, 7, 20, 40])
@pytest.mark.parametrize(("channels", "k", "stride"), [(1, 3, 1), (1, 4, 2), (3, 2, 1), (2, 2, 2)])
def test_convolutions_of_few_terms_give_the_sums_of_planes(channels: int, k: int, stride: int, results: int) -> None:
    taeda.manual_seed(0)
    x, w, b = (taeda.randn(*s, dtype=taeda.float64) for s in ((2, channels, 13, 11), (results, channels, k, k), (results,)))
    y = taeda.conv2d(x.contiguous(memory_format=taeda.channels_last), w.contiguous(memory_format=taeda.channels_last), b, stride=stride, padding=1)
    windows = taeda.constant_pad_nd(x, (1, 1, 1, 1)).unfold(2, k, stride).unfold(3, k, stride)
    assert (y - taeda.einsum("nchwrs,ocrs->nohw", windows, w) - b.reshape(-1, 1, 1)).abs().max() < 1e-12
