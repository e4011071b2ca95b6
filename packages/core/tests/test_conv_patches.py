"""Convolutions whose windows lie side by side (ops/conv_patches), beside sums over the windows written out in float64."""

from __future__ import annotations

import itertools

import pytest

import taeda

CONV = {1: taeda.conv1d, 2: taeda.conv2d, 3: taeda.conv3d}
LAST = {2: taeda.channels_last, 3: taeda.channels_last_3d}
TOLERANCE = {taeda.float64: 1e-12, taeda.float32: 2e-5, taeda.bfloat16: 0.03}


def near(found: taeda.Tensor, expected: taeda.Tensor, dtype: taeda.dtype) -> bool:
    return bool((found.double() - expected).abs().max() <= TOLERANCE[dtype] * expected.abs().max())


def laid(x: taeda.Tensor, last: bool) -> taeda.Tensor:
    return x.contiguous(memory_format=LAST[x.dim() - 2]) if last else x


def by_windows(x: taeda.Tensor, w: taeda.Tensor, b: taeda.Tensor | None, k: int) -> taeda.Tensor:
    dims = x.dim() - 2
    for d in range(dims):
        x = x.unfold(2 + d, k, k)
    out, taps = "xyz"[:dims], "rst"[:dims]
    y = taeda.einsum(f"nc{out}{taps},mc{taps}->nm{out}", x, w)
    return y if b is None else y + b.reshape(-1, *[1] * dims)


CASES = [(dims, *case, last, bias) for dims, case, last, bias in itertools.product(
    (1, 2, 3), ((3, 16, 2, 20), (3, 7, 4, 33), (1, 5, 3, 31), (8, 16, 2, 21)), (False, True), (False, True)) if dims > 1 or not last]


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize(("dims", "channels", "results", "k", "size", "last", "bias"), CASES)
def test_patches_and_their_gradients(dtype: taeda.dtype, dims: int, channels: int, results: int, k: int, size: int, last: bool,
                                     bias: bool) -> None:
    taeda.manual_seed(0)
    x, w = taeda.randn(2, channels, *[size] * dims).to(dtype).double(), taeda.randn(results, channels, *[k] * dims).to(dtype).double()
    b = taeda.randn(results).to(dtype).double() if bias else None
    inputs = [t for t in (x, w, b) if t is not None]
    for t in inputs:
        t.requires_grad_()
    expected = by_windows(x, w, b, k)
    g = taeda.randn_like(expected).to(dtype).double()
    own = [laid(t.detach().to(dtype), last and t.dim() > 1).requires_grad_() for t in inputs]
    y = CONV[dims](own[0], own[1], own[2] if bias else None, stride=k)
    assert near(y, expected, dtype)
    for found, right in zip(taeda.autograd.grad(y, own, laid(g.to(dtype), last)), taeda.autograd.grad(expected, inputs, g), strict=True):
        assert near(found, right, dtype)


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("rest", [0, 1])
def test_transposed_patches_leave_the_bias_where_none_reaches(dtype: taeda.dtype, last: bool, rest: int) -> None:
    taeda.manual_seed(0)
    x, w, b = (taeda.randn(*s).to(dtype) for s in ((2, 6, 9, 8), (6, 5, 2, 2), (5,)))
    y = taeda.conv_transpose2d(laid(x, last), laid(w, last), b, stride=2, output_padding=rest)
    patches = taeda.einsum("nchw,cmrs->nmhrws", x.double(), w.double()).reshape(2, 5, 18, 16)
    expected = taeda.constant_pad_nd(patches, (0, rest, 0, rest)) + b.double().reshape(5, 1, 1)
    assert y.is_contiguous(memory_format=taeda.channels_last) == last
    assert near(y, expected, dtype)


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("stride", [1, 3])
@pytest.mark.parametrize("size", [8, 9])
def test_one_window_an_image(dtype: taeda.dtype, stride: int, size: int) -> None:
    if stride == 1 and size == 9:
        return                                   # then there are four
    taeda.manual_seed(0)
    x, w, b = (taeda.randn(*s).to(dtype).double().requires_grad_() for s in ((16, 32, size, size), (24, 32, 8, 8), (24,)))
    expected = taeda.einsum("nchw,mchw->nm", x[:, :, :8, :8], w)[..., None, None] + b.reshape(-1, 1, 1)
    own = [t.detach().to(dtype).requires_grad_() for t in (x, w, b)]
    y = taeda.conv2d(*own, stride=stride)
    g = taeda.randn_like(expected).to(dtype).double()
    assert near(y, expected, dtype)
    for found, right in zip(taeda.autograd.grad(y, own, g.to(dtype)), taeda.autograd.grad(expected, (x, w, b), g), strict=True):
        assert near(found, right, dtype)
