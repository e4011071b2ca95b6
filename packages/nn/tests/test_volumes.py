"""What rows cannot say of layers of volumes and windows: sizes that are asked for, weights of the caller's, inverses, refusals."""

from __future__ import annotations

import re

import numpy as np
import pytest

import taeda
from taeda import nn
from taeda.nn import functional as F


def draw(*shape: int, seed: int = 0) -> taeda.Tensor:
    return taeda.tensor(np.random.default_rng(seed).normal(size=shape))


@pytest.mark.parametrize(("n", "size"), [(1, [8]), (2, (8, 9)), (3, (7, 9, 8))])
def test_output_size_picks_one_of_the_sizes_that_convolution_maps_alike(n, size):
    down = getattr(nn, f"Conv{n}d")(1, 2, 3, stride=3, bias=False)
    up = getattr(nn, f"ConvTranspose{n}d")(2, 1, 3, stride=3, bias=False)
    small = down(taeda.randn(1, 1, *size))
    assert up(small, output_size=size).shape == (1, 1, *size)
    assert taeda.equal(up(small, size), up(small, output_size=(1, 1, *size)))
    low = [3 * s for s in small.shape[2:]]
    if tuple(low) != tuple(size):
        assert up(small).shape == (1, 1, *low)


def test_output_size_out_of_range_names_the_range():
    up = nn.ConvTranspose3d(1, 1, 2, stride=2)
    with pytest.raises(ValueError, match=r"requested an output size of \[4, 6, 4\], but valid sizes range from \[4, 4, 4\] to \[5, 5, 5\]"):
        up(taeda.ones(1, 1, 2, 2, 2), output_size=[4, 6, 4])
    with pytest.raises(ValueError, match="output_size must have 3 or 5 elements"):
        up(taeda.ones(1, 1, 2, 2, 2), output_size=[4, 4])


@pytest.mark.parametrize(("make", "text"), [
    (lambda: nn.Conv3d(4, 4, 3, groups=3), "in_channels must be divisible by groups"),
    (lambda: nn.Conv3d(3, 4, 3, groups=3), "out_channels must be divisible by groups"),
    (lambda: nn.Conv3d(4, 4, 3, groups=0), "groups must be a positive integer"),
    (lambda: nn.Conv3d(4, 4, 3, padding="full"), "Invalid padding string"),
    (lambda: nn.Conv3d(4, 4, 3, padding="same", stride=(1, 2, 1)), "not supported for strided convolutions"),
    (lambda: nn.Conv3d(4, 4, 3, padding_mode="mirror"), "padding_mode must be one of"),
    (lambda: nn.ConvTranspose3d(4, 4, 3, padding_mode="circular"), 'Only "zeros" padding mode is supported for ConvTranspose3d'),
])
def test_arguments_that_make_no_layer(make, text):
    with pytest.raises(ValueError, match=text):
        make()


@pytest.mark.parametrize(("shape", "hint"), [
    ((5, 6, 7), r"got \(5, 6, 7\); it takes \(B, C, D, H, W\)"),
    ((2, 5, 6, 7, 3), r"channels come before positions: did you mean x.permute\(0, 4, 1, 2, 3\)\?"),
    ((2, 4, 5, 6, 7), "dimension 1 must be 3, its channels"),
])
def test_a_wrong_input_of_a_volume_layer_is_met_with_a_hint(shape, hint):
    with pytest.raises(RuntimeError) as caught:
        nn.Sequential(nn.Conv3d(3, 4, 2))(taeda.zeros(shape))
    told = str(caught.value) + " ".join(getattr(caught.value, "__notes__", []))
    assert re.search(hint, told), told


def test_a_subclass_convolves_by_a_weight_of_its_own():
    class Standardised(nn.Conv3d):
        def forward(self, input):
            weight = self.weight - self.weight.mean((1, 2, 3, 4), keepdim=True)
            return self._conv_forward(input, weight, self.bias)

    layer = Standardised(2, 3, 2, padding=1, padding_mode="replicate").double()
    constant = layer(taeda.ones(1, 2, 3, 3, 3).double())
    assert taeda.allclose(constant, layer.bias.reshape(1, 3, 1, 1, 1).expand_as(constant))


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
def test_padding_modes_are_padding_and_a_convolution(mode):
    layer = nn.Conv3d(2, 3, (2, 3, 2), padding=(1, 1, 0), padding_mode=mode).double()
    x = draw(1, 2, 4, 3, 5)
    padded = F.pad(x, (0, 0, 1, 1, 1, 1), mode=mode)
    assert taeda.allclose(layer(x), F.conv3d(padded, layer.weight, layer.bias))


@pytest.mark.parametrize("window", [{"kernel_size": 2}, {"kernel_size": (2, 3), "dilation": (1, 2), "padding": (1, 2), "stride": (2, 1)}])
def test_fold_is_the_transpose_of_unfold(window):
    x, columns = draw(2, 3, 5, 6), F.unfold(draw(2, 3, 5, 6, seed=1), **window)
    assert taeda.allclose((F.unfold(x, **window) * columns).sum(), (x * F.fold(columns, (5, 6), **window)).sum())
    times = F.fold(F.unfold(taeda.ones(1, 1, 5, 6).double(), **window), (5, 6), **window)
    assert taeda.allclose(F.fold(F.unfold(x, **window), (5, 6), **window), times * x)


@pytest.mark.parametrize("dtype", [taeda.float32, taeda.float64])
@pytest.mark.parametrize("shape", [(3, 4), (9, 8), (5, 40), (40, 3)])
@pytest.mark.parametrize(("kernel", "stride", "padding", "dilation"), [
    ((2, 3), (1, 1), (0, 0), (1, 1)), ((3, 3), (1, 1), (1, 1), (1, 1)), ((3, 2), (2, 1), (2, 1), (1, 2)), ((2, 2), (1, 3), (1, 4), (2, 1)),
    ((3, 3), (2, 2), (5, 3), (1, 1)), ((1, 1), (1, 1), (2, 0), (1, 1)),
])
def test_each_row_of_unfold_is_a_shifted_window_of_the_padded_image(dtype, shape, kernel, stride, padding, dilation):
    x = draw(2, 3, *shape).to(dtype)
    padded = F.pad(x, (padding[1], padding[1], padding[0], padding[0]))
    high, wide = [n - d * (k - 1) for n, d, k in zip(padded.shape[2:], dilation, kernel)]
    taps = [padded[:, :, d * dilation[0]:d * dilation[0] + high:stride[0], r * dilation[1]:r * dilation[1] + wide:stride[1]].flatten(2)
            for d in range(kernel[0]) for r in range(kernel[1])]
    assert taeda.equal(F.unfold(x, kernel, dilation, padding, stride), taeda.stack(taps, 2).flatten(1, 2))


def test_a_convolution_is_a_product_with_the_unfolded_input():
    x, w = draw(2, 3, 6, 5), draw(4, 3, 2, 3, seed=1)
    product = w.flatten(1) @ F.unfold(x, (2, 3), padding=1)
    assert taeda.allclose(product.unflatten(2, (7, 5)), F.conv2d(x, w, padding=1))


def test_unpooling_puts_every_maximum_back():
    x = draw(2, 3, 5, 4, 7)
    y, at = F.max_pool3d_with_indices(x, 2)
    back = F.max_unpool3d(y, at, 2, output_size=x.shape)
    assert back.shape == x.shape
    assert taeda.equal(back[back != 0], x[back != 0]) and int((back != 0).sum()) == y.numel()
    with pytest.raises(ValueError, match=r"should be a sequence containing 3 or 5 elements, but it has a length of '4'"):
        F.max_unpool3d(y, at, 2, output_size=(3, 5, 4, 7))
    with pytest.raises(ValueError, match=r"dim 2 must be between 4 and 8"):
        F.max_unpool3d(y, at, 2, output_size=(5, 4, 9))
    with pytest.raises(RuntimeError, match="Found an invalid max index: 64"):
        F.max_unpool3d(taeda.ones(1, 1, 2, 2, 2), taeda.full((1, 1, 2, 2, 2), 64), 2)


def test_a_tuple_of_sizes_needs_as_many_dimensions():
    with pytest.raises(ValueError, match=r"\[adaptive_avg_pool3d\] Input dimension should be at least 4"):
        F.adaptive_avg_pool3d(taeda.ones(2, 3, 4), (1, None, 2))
    with pytest.raises(RuntimeError, match="output_size must be 2 ints"):
        F.adaptive_avg_pool2d(taeda.ones(2, 3, 4, 5), (1, 1, 1))


def test_lp_pooling_of_an_infinite_order_takes_the_largest():
    x = draw(1, 2, 4, 4, 4)
    assert taeda.equal(nn.LPPool3d(float("inf"), 2)(x), F.max_pool3d(x.abs(), 2))
    assert taeda.equal(F.lp_pool3d(x, -float("inf"), 2), -F.max_pool3d(-x.abs(), 2))
    with pytest.raises(ValueError, match="kernel_size must be a number or 3 numbers"):
        F.lp_pool3d(x, 2, (2, 2))


@pytest.mark.parametrize(("n", "last"), [(2, taeda.channels_last), (3, taeda.channels_last_3d)])
def test_weights_change_their_memory_format_and_nothing_else(n, last):
    conv, up = getattr(nn, f"Conv{n}d"), getattr(nn, f"ConvTranspose{n}d")
    model = nn.Sequential(conv(3, 4, 2), nn.Sequential(up(4, 5, 2)), nn.Linear(3, 3))
    x = taeda.randn(2, 3, *[4] * n, generator=taeda.Generator().manual_seed(0))[..., :4]
    layers, parameter = [model[0], model[1][0]], model[0].weight
    before = [layer.weight.detach().clone() for layer in layers], layers[1](layers[0](x))
    convert = getattr(nn.utils, f"convert_conv{n}d_weight_memory_format")
    assert convert(model, last) is model and model[0].weight is parameter
    for layer, weight in zip(layers, before[0], strict=True):
        assert layer.weight.is_contiguous(memory_format=last) and taeda.equal(layer.weight, weight)
    assert taeda.allclose(layers[1](layers[0](x)), before[1], atol=1e-6)
    other = getattr(nn.utils, f"convert_conv{5 - n}d_weight_memory_format")
    assert other(model, taeda.contiguous_format)[0].weight.is_contiguous(memory_format=last)


def test_a_mean_of_all_takes_any_number_of_dimensions_before_them():
    x = draw(2, 3, 4, 5, 6)                                         # (batch, time, channels, height, width)
    assert taeda.equal(nn.AdaptiveAvgPool2d(1)(x), x.mean((-2, -1), keepdim=True))
    assert taeda.equal(F.adaptive_avg_pool2d(x, (1, 1)), x.mean((-2, -1), keepdim=True))
    assert F.adaptive_avg_pool3d(x[None], [1, 1, 1]).shape == (1, 2, 3, 1, 1, 1)
    with pytest.raises(RuntimeError, match=r"\[adaptive_avg_pool2d\] Expected 3D or 4D"):
        F.adaptive_avg_pool2d(x, 2)


@pytest.mark.parametrize("options", [{"padding": "same"}, {"padding": "valid"}, {}])
def test_a_kernel_of_another_number_of_dimensions_is_refused_in_words_of_the_convolution(options):
    with pytest.raises(RuntimeError, match=r"\[conv2d\] expected a 4-dimensional weight for input of shape \(1, 3, 8, 8\), but got weight of"):
        nn.Conv2d(3, 8, (3,), **options)(taeda.ones(1, 3, 8, 8))
