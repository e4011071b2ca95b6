"""Convolutions of bfloat16 by multiply-adds of pairs: values to the last rounding, whatever the layout; bits on any number of threads."""

from __future__ import annotations

import numpy as np
import pytest

import taeda
from any_threads import assert_same_for_any_threads

# odd channels, groups, panels of 64, 48, 32 and 16 lanes, tiles that end within a row, blocks that end within an image, strides, dilation,
# rows of odd length, one tap by a stride, signals and volumes, taps that meet only padding on one side
SHAPES = [((2, 17, 9, 7), (33, 17, 3, 3), {"padding": 1, "stride": 2}), ((3, 32, 12, 12), (48, 32, 5, 3), {"padding": (2, 1)}),
          ((2, 66, 7, 7), (70, 33, 3, 3), {"padding": 1, "groups": 2}), ((1, 40, 13, 11), (112, 40, 1, 1), {"stride": 2}),
          ((2, 3, 21, 18), (16, 3, 7, 7), {"padding": 3, "stride": 2}), ((2, 20, 14, 9), (24, 20, 4, 4), {"padding": 1, "stride": 2}),
          ((4, 24, 10, 10), (20, 24, 3, 2), {"dilation": (2, 3), "padding": (2, 0)}), ((3, 32, 8, 8), (160, 32, 2, 2), {}),
          ((2, 18, 51), (130, 18, 5), {"padding": 2}), ((1, 19, 40), (40, 19, 4), {"stride": 3, "dilation": 2}),
          ((2, 16, 5, 6, 7), (33, 16, 3, 3, 3), {"padding": 1}), ((1, 10, 4, 9, 5), (18, 10, 2, 3, 1), {"stride": (1, 2, 2)}),
          ((2, 128, 10, 10), (64, 4, 3, 3), {"padding": 1, "groups": 32}),
          ((1, 16, 6, 5), (36, 16, 3, 3), {"padding": (3, 1), "dilation": 3})]


def orders(ndim: int) -> list[taeda.memory_format]:
    last = {4: [taeda.channels_last], 5: [taeda.channels_last_3d]}
    return [taeda.contiguous_format, *last.get(ndim, [])]


def operands(xs, ws, order=taeda.contiguous_format):
    taeda.manual_seed(3)
    x, w, b = (taeda.randn(s).bfloat16() for s in (xs, ws, ws[:1]))
    return x.contiguous(memory_format=order).requires_grad_(), w.contiguous(memory_format=order).requires_grad_(), b


def convolution(ndim: int, transposed: bool = False):
    return getattr(taeda, f"conv{'_transpose' * transposed}{ndim - 2}d")


def assert_rounded_once(got, exact):
    assert got.dtype == taeda.bfloat16
    exact = exact.detach().numpy()
    np.testing.assert_allclose(got.detach().double().numpy(), exact, rtol=2**-8, atol=2e-5 * np.abs(exact).max())


@pytest.mark.parametrize(("xs", "ws", "options"), SHAPES)
def test_results_and_gradients_are_rounded_once(xs, ws, options):
    for order in orders(len(xs)):
        x, w, b = operands(xs, ws, order)
        f = convolution(len(xs))
        y = f(x, w, b, **options)
        assert y.is_contiguous(memory_format=order if y.ndim == 4 else taeda.contiguous_format)
        g = taeda.randn(y.shape).bfloat16().contiguous(memory_format=order)
        wide = [a.detach().double().requires_grad_() for a in (x, w)]
        want = f(*wide, b.double(), **options)
        assert_rounded_once(y, want)
        for got, exact in zip(taeda.autograd.grad(y, (x, w), g), taeda.autograd.grad(want, wide, g.double()), strict=True):
            assert_rounded_once(got, exact)


@pytest.mark.parametrize("mixed", [(True, False), (False, True)])
def test_images_and_weights_lie_differently(mixed):
    x, w, b = operands((2, 34, 9, 8), (40, 34, 3, 3))
    formats = [taeda.channels_last if last else taeda.contiguous_format for last in mixed]
    u, v = (a.detach().contiguous(memory_format=m) for a, m in zip((x, w), formats, strict=True))
    assert_rounded_once(taeda.conv2d(u, v, b, padding=1), taeda.conv2d(x.detach().double(), w.detach().double(), b.double(), padding=1))
    part = u[:, :, 1:, ::2]                            # rows and pixels that lie apart
    assert_rounded_once(taeda.conv2d(part, v, padding=1), taeda.conv2d(part.double(), w.detach().double(), padding=1))


@pytest.mark.parametrize("order", [taeda.contiguous_format, taeda.channels_last])
@pytest.mark.parametrize(("k", "options"), [(4, {"stride": 2, "padding": 1}), (2, {"stride": 2}),
                                            (3, {"stride": 2, "padding": 1, "output_padding": 1})])
def test_transposed_convolutions_add_their_bias_before_rounding(k, options, order):
    taeda.manual_seed(4)
    x, w = (taeda.randn(s).bfloat16().contiguous(memory_format=order) for s in ((3, 34, 7, 6), (34, 21, k, k)))
    b = taeda.randn(21).bfloat16()
    y = taeda.conv_transpose2d(x, w, b, **options)
    assert y.is_contiguous(memory_format=order)
    assert_rounded_once(y, taeda.conv_transpose2d(x.double(), w.double(), b.double(), **options))


@pytest.mark.parametrize(("xs", "ws", "options"), [SHAPES[0], SHAPES[2], SHAPES[7], SHAPES[10],
                                                   ((5, 64, 20, 20), (64, 64, 3, 3), {"padding": 1, "stride": 2})])
def test_bits_do_not_depend_on_the_number_of_threads(xs, ws, options):
    for order in orders(len(xs)):
        x, w, b = operands(xs, ws, order)
        y = convolution(len(xs))(x, w, b, **options)
        g = taeda.randn(y.shape).bfloat16()

        def run(x=x, w=w, b=b, g=g):
            y = convolution(len(xs))(x, w, b, **options)
            return [y, *taeda.autograd.grad(y, (x, w), g)]

        assert_same_for_any_threads(run)


def test_what_is_not_finite_reaches_no_more_weights_than_it_meets():
    x = taeda.zeros(2, 16, 5, 5, dtype=taeda.bfloat16)
    x[1, 3, 2, 0] = float("inf")
    w = taeda.zeros(40, 16, 1, 1, dtype=taeda.bfloat16, requires_grad=True)
    g = taeda.zeros(2, 40, 5, 5, dtype=taeda.bfloat16)
    g[:, :, :, 1:] = 1                                 # the infinite pixel's is 0; it lies behind the last one of a row of five
    (dw,) = taeda.autograd.grad(taeda.conv2d(x, w), w, g)
    assert dw[:, 3].isnan().all()
    assert (dw[:, [c for c in range(16) if c != 3]] == 0).all()
    (dw,) = taeda.autograd.grad(taeda.conv2d(x[:, :, :, 1:], w), w, g[:, :, :, 1:])
    assert (dw == 0).all()
