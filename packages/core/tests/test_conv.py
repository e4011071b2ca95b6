"""What rows cannot say of convolutions: threads, sizes that fill and overflow tiles, accuracy, meta tensors."""

from __future__ import annotations

import numpy as np
import pytest

import taeda
from conv_checks import check_bits_by_threads, check_values_and_gradients
from samples.conv import convolve

# (N, C, H, W), (O, C / groups, KH, KW), options: one lane more than a panel, more than four panels, places that
# cross images, sums longer than a block, several chunks of padded images, a stride that skips pixels
CASES = [((3, 1, 9, 7), (17, 1, 3, 3), {"padding": 1}),
         ((5, 16, 7, 7), (10, 16, 3, 3), {"padding": 1, "stride": 2}),
         ((2, 33, 5, 5), (70, 33, 3, 3), {"padding": 1}),
         ((1, 40, 12, 13), (34, 20, 3, 2), {"groups": 2, "padding": (2, 1), "stride": (1, 2), "dilation": (2, 1)}),
         ((2, 8, 11, 11), (8, 1, 3, 3), {"groups": 8, "padding": 1, "stride": 2}),
         ((2, 3, 10, 10), (6, 3, 2, 2), {"stride": 5}),
         ((1, 20, 300, 200), (2, 20, 1, 3), {"padding": (0, 1)}),
         ((2, 5, 4, 6, 7), (17, 5, 3, 3, 2), {"padding": (1, 1, 0), "stride": (1, 2, 1)}),
         ((1, 8, 7, 5, 6), (40, 4, 2, 3, 3), {"groups": 2, "padding": (2, 0, 1), "stride": (3, 1, 2), "dilation": (2, 1, 2)}),
         ((3, 16, 2, 3, 4), (33, 16, 1, 1, 1), {})]


@pytest.mark.parametrize(("xs", "ws", "options"), CASES)
def test_bits_do_not_depend_on_the_number_of_threads(xs, ws, options):
    check_bits_by_threads(xs, ws, options)


@pytest.mark.parametrize(("xs", "ws", "options"), CASES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_and_gradients_of_all_tile_shapes(xs, ws, options, dtype):
    check_values_and_gradients(xs, ws, options, dtype)


def test_float32_error_stays_small_over_a_long_sum():
    rng = np.random.default_rng(5)
    x, w = rng.random((1, 512, 6, 6), np.float32), rng.random((3, 512, 3, 3), np.float32)
    exact = convolve(x.astype(np.float64), w.astype(np.float64))
    y = taeda.conv2d(taeda.from_numpy(x), taeda.from_numpy(w)).numpy()
    assert (np.abs(y - exact) / exact).max() < 2e-6


def test_nan_stays_where_its_window_is():
    x = taeda.zeros(1, 1, 8, 8)
    x[0, 0, 0, 0] = float("nan")
    y = taeda.conv2d(x, taeda.ones(20, 1, 3, 3), padding=1).isnan()
    assert y[:, :, :2, :2].all() and y.sum() == 20 * 4


def test_transposed_convolution_is_the_gradient_of_convolution():
    rng = np.random.default_rng(6)
    x, w = taeda.from_numpy(rng.standard_normal((2, 4, 7, 6))).requires_grad_(), taeda.from_numpy(
        rng.standard_normal((6, 4, 3, 2)))
    y = taeda.conv2d(x, w, stride=2, padding=1)
    g = taeda.from_numpy(rng.standard_normal(tuple(y.shape)))
    y.backward(g)
    more = (7 - ((y.shape[2] - 1) * 2 - 2 + 3), 6 - ((y.shape[3] - 1) * 2 - 2 + 2))
    assert taeda.allclose(taeda.conv_transpose2d(g, w, stride=2, padding=1, output_padding=more), x.grad)


def test_channels_last_and_sliced_inputs_give_the_same_values():
    rng = np.random.default_rng(7)
    x, w = rng.standard_normal((2, 6, 5, 5)), rng.standard_normal((4, 6, 3, 3))
    want = taeda.conv2d(taeda.from_numpy(x), taeda.from_numpy(w), padding=1)
    last = taeda.from_numpy(np.ascontiguousarray(x.transpose(0, 2, 3, 1))).permute(0, 3, 1, 2)
    for padding in (0, 1):
        want = taeda.conv2d(taeda.from_numpy(x), taeda.from_numpy(w), padding=padding)
        assert taeda.allclose(taeda.conv2d(last, taeda.from_numpy(w), padding=padding), want)
        wide = taeda.from_numpy(np.repeat(x, 2, 3))[..., ::2]
        assert taeda.allclose(taeda.conv2d(wide, taeda.from_numpy(w), padding=padding), want)
        one = taeda.from_numpy(x[:1]).expand(2, 6, 5, 5)
        both = taeda.conv2d(one, taeda.from_numpy(w), padding=padding)
        assert taeda.equal(both[0], both[1])


@pytest.mark.parametrize(("xs", "ws", "options"), [((2, 3, 6, 5), (4, 3, 3, 2), {}), ((2, 20, 6, 5), (40, 10, 3, 2), {"padding": 1, "groups": 2}),
                                                   ((2, 8, 6, 5), (8, 2, 3, 3), {"groups": 4, "stride": 2})])
@pytest.mark.parametrize("which", ["x", "w", "both"])
def test_results_lie_channels_last_where_the_input_or_the_weight_does(xs, ws, options, which):
    rng = np.random.default_rng(11)
    x, w = taeda.from_numpy(rng.standard_normal(xs)), taeda.from_numpy(rng.standard_normal(ws))
    last = [t.contiguous(memory_format=taeda.channels_last) if which in (name, "both") else t for name, t in (("x", x), ("w", w))]
    plain, last = [t.clone().requires_grad_() for t in (x, w)], [t.requires_grad_() for t in last]
    y, z = taeda.conv2d(*plain, **options), taeda.conv2d(*last, **options)
    assert z.is_contiguous(memory_format=taeda.channels_last) and not z.is_contiguous()
    g = taeda.from_numpy(rng.standard_normal(tuple(y.shape)))
    for a, b in zip((y, *taeda.autograd.grad(y, plain, g)), (z, *taeda.autograd.grad(z, last, g)), strict=True):
        assert taeda.allclose(a, b)
        assert b.is_contiguous(memory_format=taeda.channels_last)
    back = taeda.conv_transpose2d(z.detach(), last[1].detach(), **{k: v for k, v in options.items() if k != "padding"})
    assert back.is_contiguous(memory_format=taeda.channels_last)
    assert taeda.allclose(back, taeda.conv_transpose2d(y.detach(), plain[1].detach(), **{k: v for k, v in options.items() if k != "padding"}))


def test_only_wanted_gradients_are_made_and_saved():
    x, w = taeda.ones(1, 1, 3, 3), taeda.ones(1, 1, 2, 2, requires_grad=True)
    y = taeda.conv2d(x, w)
    with taeda.no_grad():
        w += 1                                         # the gradient of w needs x alone
    y.sum().backward()
    assert w.grad.tolist() == [[[[4.0, 4.0], [4.0, 4.0]]]] and x.grad is None


def test_node_has_pytorchs_name():
    x, w = taeda.ones(1, 1, 3, 3), taeda.ones(1, 1, 2, 2, requires_grad=True)
    assert taeda.conv2d(x, w).grad_fn.name() == "ConvolutionBackward0"
    assert taeda.conv_transpose2d(x, w).grad_fn.name() == "ConvolutionBackward0"


@pytest.mark.parametrize(("n", "options"), [(1, {"stride": 2, "padding": 1}), (2, {"groups": 2, "dilation": (1, 2), "padding": (0, 2)}),
                                            (3, {"stride": (1, 2, 3), "padding": (2, 1, 0)}), (3, {"padding": "same"})])
def test_integers_are_convolved_exactly_and_wrap(n, options):
    rng = np.random.default_rng(9)
    x, w = rng.integers(-100, 100, (2, 4, 5, 6, 4)[:n + 2]), rng.integers(-100, 100, (6, 4 // options.get("groups", 1), 2, 3, 2)[:n + 2])
    b = rng.integers(-9, 9, 6)
    exact = convolve(x, w, b, **options)
    for dtype in (np.int64, np.int32, np.int16, np.int8, np.uint8):
        y = getattr(taeda, f"conv{n}d")(*(taeda.from_numpy(a.astype(dtype)) for a in (x, w, b)), **options).numpy()
        assert y.dtype == dtype
        np.testing.assert_array_equal(y, exact.astype(dtype))


def test_transposed_convolution_of_integers_is_that_of_floats():
    rng = np.random.default_rng(10)
    x, w = taeda.from_numpy(rng.integers(-9, 9, (2, 4, 3, 2, 4))), taeda.from_numpy(rng.integers(-9, 9, (4, 3, 2, 3, 2)))
    options = {"stride": (2, 1, 3), "padding": (1, 1, 0), "output_padding": (1, 0, 2), "groups": 2}
    y = taeda.conv_transpose3d(x, w, taeda.arange(6), **options)
    assert y.dtype == taeda.int64
    assert taeda.equal(y.double(), taeda.conv_transpose3d(x.double(), w.double(), taeda.arange(6.0).double(), **options))


@pytest.mark.parametrize("n", [1, 2, 3])
def test_no_input_channels_leave_the_bias(n):
    x, w = taeda.zeros(2, 0, *[4] * n, requires_grad=True), taeda.zeros(3, 0, *[2] * n, requires_grad=True)
    y = getattr(taeda, f"conv{n}d")(x, w, taeda.tensor([1.0, 2.0, 3.0]))
    assert y.shape == (2, 3, *[3] * n) and taeda.equal(y.mean(list(range(2, n + 2))), taeda.tensor([[1.0, 2.0, 3.0]] * 2))
    y.sum().backward()
    assert x.grad.shape == x.shape and w.grad.shape == w.shape


@pytest.mark.parametrize("arguments", [(0.5, "w"), ("x", 0.5), ("x", "w", 0.5), ("real", "w"), ("x", "w", "real")])
def test_a_complex_convolution_wants_tensors_of_one_type(arguments):
    made = {"x": taeda.zeros(1, 1, 3, dtype=taeda.complex64), "w": taeda.zeros(1, 1, 2, dtype=taeda.complex64), "real": taeda.zeros(1)}
    kind, text = (RuntimeError, r"\[conv1d\] Input type") if "real" in arguments else (TypeError, r"\[conv1d\] .*Tensor")
    with pytest.raises(kind, match=text):
        taeda.conv1d(*(made.get(a, a) for a in arguments))


def test_bools_have_no_convolution():
    with pytest.raises(NotImplementedError, match=r"\[convolution\] not implemented for 'Bool'"):
        taeda.conv2d(taeda.ones(1, 1, 3, 3, dtype=taeda.bool), taeda.ones(1, 1, 2, 2, dtype=taeda.bool))


def test_meta_tensors_give_shapes_without_memory():
    x, w = taeda.empty(64, 3, 224, 224, device="meta"), taeda.empty(64, 3, 7, 7, device="meta", requires_grad=True)
    y = taeda.conv2d(x, w, stride=2, padding=3)
    assert y.shape == (64, 64, 112, 112) and y.device.type == "meta"
    (g,) = taeda.autograd.grad(y.sum(), w)
    assert g.shape == w.shape
    with pytest.raises(RuntimeError, match="same device"):
        taeda.conv2d(taeda.ones(1, 3, 8, 8), w)


# few channels a group or few terms: pixels are the lanes; stride and dilation split planes into parts
FEW = [((2, 5, 9, 11), (5, 1, 3, 3), {"groups": 5, "padding": 1}), ((2, 9, 12, 10), (9, 1, 3, 2), {"groups": 9, "stride": 2}),
       ((1, 8, 13, 14), (16, 1, 3, 3), {"groups": 8, "stride": (3, 2), "padding": (0, 2), "dilation": (2, 3)}),
       ((2, 16, 8, 9), (24, 2, 2, 3), {"groups": 8, "padding": 1}), ((3, 1, 7, 8), (11, 1, 3, 3), {"stride": 2}),
       ((1, 3, 6, 2500), (5, 3, 1, 3), {"padding": (0, 1)}), ((2, 40, 5, 5), (3, 40, 3, 3), {"padding": 1}),
       ((2, 9, 4, 5, 6), (9, 1, 3, 3, 3), {"groups": 9, "padding": 1}),
       ((1, 8, 5, 7, 6), (16, 1, 2, 3, 3), {"groups": 8, "stride": (2, 1, 3), "padding": (1, 2, 0), "dilation": (3, 2, 1)}),
       ((2, 3, 4, 5, 40), (5, 3, 3, 1, 3), {"stride": (1, 1, 2), "padding": (2, 0, 1)})]


@pytest.mark.parametrize(("xs", "ws", "options"), FEW)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_few_channels(xs, ws, options, dtype):
    check_values_and_gradients(xs, ws, options, dtype)


@pytest.mark.parametrize(("xs", "ws", "options"), FEW)
def test_few_channels_do_not_depend_on_the_number_of_threads(xs, ws, options):
    check_bits_by_threads(xs, ws, options)


def test_depthwise_gradient_takes_nothing_from_pixels_that_no_window_of_its_tap_holds():
    x = taeda.zeros(1, 8, 4, 4)
    x[..., 3] = float("nan")                           # the last column is met by the last tap alone
    w = taeda.zeros(8, 1, 1, 2, requires_grad=True)
    taeda.conv2d(x, w, groups=8).sum().backward()
    assert w.grad[..., 1].isnan().all() and (w.grad[..., 0] == 0).all()


def test_depthwise_reads_expanded_and_channels_last_tensors():
    rng = np.random.default_rng(8)
    x, w = rng.standard_normal((2, 8, 5, 5)), taeda.from_numpy(rng.standard_normal((8, 1, 3, 3))).requires_grad_()
    last = taeda.from_numpy(np.ascontiguousarray(x.transpose(0, 2, 3, 1))).permute(0, 3, 1, 2).requires_grad_()
    plain = taeda.from_numpy(x).requires_grad_()
    for leaf in (last, plain):
        taeda.conv2d(leaf, w, groups=8).sum().backward()       # the cotangent is one number, expanded
    assert taeda.allclose(last.grad, plain.grad)
    g = taeda.from_numpy(rng.standard_normal((2, 1, 3, 3))).expand(2, 8, 3, 3)
    (a,), (b,) = (taeda.autograd.grad(taeda.conv2d(plain, w, groups=8), plain, c) for c in (g, g.contiguous()))
    assert taeda.equal(a, b)
