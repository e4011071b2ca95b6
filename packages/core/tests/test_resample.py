"""What rows cannot say of interpolation: bytes, PyTorch's rule for images that double, threads."""

from __future__ import annotations

import math

import numpy as np
import pytest

import taeda
from any_threads import assert_same_for_any_threads
from taeda import ops


def test_bytes_are_copied_by_nearest_and_not_blended() -> None:
    x = taeda.arange(4, dtype=taeda.uint8).reshape(1, 1, 2, 2)
    y = ops.interpolate(x, scale_factor=2)
    assert y.dtype == taeda.uint8
    assert y[0, 0].tolist() == [[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 3, 3], [2, 2, 3, 3]]
    with pytest.raises(NotImplementedError, match="not implemented for 'Long'"):
        ops.interpolate(x.to(taeda.int64), scale_factor=2)


@pytest.mark.parametrize("dtype", [taeda.float16, taeda.bfloat16], ids=str)
@pytest.mark.parametrize("mode", ["nearest", "nearest-exact"])
def test_nearest_of_halves_copies_their_bits(dtype: taeda.dtype, mode: str) -> None:
    for shape, size in (((2, 3, 50), 33), ((2, 5, 9, 7), (20, 13)), ((1, 70, 40, 40), (80, 81)), ((2, 3, 4, 5, 6), (7, 5, 13))):
        x = (taeda.arange(int(np.prod(shape))) * 40503 % 65536).to(taeda.uint16).view(dtype).reshape(shape)      # NaNs of all kinds too
        forms = {4: taeda.channels_last, 5: taeda.channels_last_3d}
        for laid in (x, x.contiguous(memory_format=forms[x.ndim])) if x.ndim > 3 else (x,):
            y = assert_same_for_any_threads(lambda laid=laid, size=size: ops.interpolate(laid, size, mode=mode))
            at = ops.interpolate(taeda.arange(x[0, 0].numel()).double().reshape(1, 1, *x.shape[2:]), size, mode=mode).long().flatten()
            wanted = x.flatten(2)[:, :, at].reshape(y.shape)
            assert y.dtype == dtype and taeda.equal(y.contiguous().view(taeda.uint16), wanted.view(taeda.uint16))
            assert x.ndim == 3 or y.is_contiguous(memory_format=forms[x.ndim]) == laid.is_contiguous(memory_format=forms[x.ndim])
        leaf = taeda.rand(shape).to(dtype).requires_grad_()
        g = taeda.autograd.grad(ops.interpolate(leaf, size, mode=mode).sum(), leaf)[0]
        assert taeda.equal(g.double(), at.bincount(minlength=x[0, 0].numel()).double().reshape(x.shape[2:]).expand(shape))
    with pytest.raises(NotImplementedError, match="not implemented"):
        ops.interpolate(x.view(taeda.uint16), size, mode=mode)


@pytest.mark.parametrize("factor, size", [(1.03, 24), (2.02, 48)])
def test_an_image_whose_size_stays_or_doubles_is_copied_and_a_signal_follows_the_factor(factor: float, size: int) -> None:
    signal = taeda.arange(24.0).reshape(1, 1, 24)
    image = signal.reshape(1, 1, 24, 1).expand(1, 1, 24, 3)
    by_factor = np.minimum(np.floor(np.arange(size, dtype="float32") * np.float32(1 / factor)), 23)
    copied = np.arange(size) // (size // 24)
    assert not np.array_equal(by_factor, copied)
    np.testing.assert_array_equal(ops.interpolate(signal, scale_factor=factor)[0, 0].numpy(), by_factor)
    np.testing.assert_array_equal(ops.interpolate(image, scale_factor=(factor, 1.0))[0, 0, :, 0].numpy(), copied)


def test_the_mean_of_an_area() -> None:
    x = taeda.arange(16.0).reshape(1, 1, 4, 4)
    assert ops.interpolate(x, size=2, mode="area").flatten().tolist() == [2.5, 4.5, 10.5, 12.5]


def test_circular_padding_wraps_what_cropping_left() -> None:
    assert ops.pad(taeda.arange(5.0).reshape(1, 5), (2, -1), "circular").tolist() == [[2, 3, 0, 1, 2, 3]]


@pytest.mark.parametrize("mode", ["nearest", "bilinear", "bicubic"])
def test_threads_change_no_bit(mode: str) -> None:
    def step():
        x = taeda.tensor(np.random.default_rng(0).normal(size=(3, 5, 41, 43)).astype("float32"), requires_grad=True)
        y = ops.interpolate(x, size=(60, 37), mode=mode)
        z = ops.pad(x, (3, 2, 1, 4), "reflect")
        return y, z, taeda.autograd.grad((y, z), x, (taeda.sin(y.detach()), taeda.sin(z.detach())))

    assert_same_for_any_threads(step, (1, 2, 5))


PADS = {"constant": (1, 2, 0, 1), "crop": (-1, 2, 1, -2), "reflect": (1, 2, 2, 1), "replicate": (3, 0, 1, 1), "circular": (2, 1, 0, 3)}


@pytest.mark.parametrize("dtype", [taeda.float32, taeda.bfloat16, taeda.int64, taeda.bool, taeda.complex64])
@pytest.mark.parametrize("mode", PADS)
def test_padded_images_with_channels_innermost_stay_so(mode: str, dtype: taeda.dtype) -> None:
    x = (taeda.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5) % 7).to(dtype)
    last = x.contiguous(memory_format=taeda.channels_last)
    y, z = (ops.pad(t, PADS[mode], "constant" if mode == "crop" else mode) for t in (x, last))
    assert taeda.equal(y, z) and (mode == "circular") != z.is_contiguous(memory_format=taeda.channels_last)      # as PyTorch has it
    if dtype == taeda.float32:
        for t in (x, last):
            t.requires_grad_()
        one, two = (taeda.autograd.grad((ops.pad(t, PADS[mode], "constant" if mode == "crop" else mode) * y.cos()).sum(), t)[0] for t in (x, last))
        assert taeda.equal(one, two)


@pytest.mark.parametrize("layout", [taeda.contiguous_format, taeda.channels_last])
@pytest.mark.parametrize("pads", [(1, 2, 3, 1), (2, -1, -3, 2), (-1, -2, 0, 0), (0, 0, 2, 2), (3, 3, -6, 0)])
@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
def test_gradients_of_padding_gather_what_came_from_each_place(mode: str, pads: tuple[int, ...], layout: taeda.memory_format) -> None:
    for shape in ((2, 3, 7, 6), (1, 40, 9, 70)):
        rng = np.random.default_rng(sum(shape))
        places = ops.pad(taeda.arange(math.prod(shape), dtype=taeda.float64).reshape(shape), pads, mode=mode)
        g = taeda.tensor(rng.normal(size=tuple(places.shape))).contiguous(memory_format=layout)
        x = taeda.zeros(shape, dtype=taeda.float64).contiguous(memory_format=layout).requires_grad_()
        found = assert_same_for_any_threads(lambda x=x, g=g: taeda.autograd.grad(ops.pad(x, pads, mode=mode), x, g)[0])
        expected = np.bincount(places.flatten().long().numpy(), g.contiguous().flatten().numpy(), math.prod(shape))
        np.testing.assert_allclose(found.numpy(), expected.reshape(shape), rtol=0, atol=1e-12)


def test_padding_reads_slices_of_images_with_channels_innermost() -> None:
    x = taeda.arange(2.0 * 5 * 6 * 7).reshape(2, 5, 6, 7)
    last = x.contiguous(memory_format=taeda.channels_last)
    for mode in ("constant", "reflect", "replicate"):
        for part in ((slice(None), slice(1, 4)), (slice(None), slice(None), slice(2, 6), slice(1, 5))):
            assert taeda.equal(ops.pad(last[part], (1, 2, 2, 1), mode), ops.pad(x[part], (1, 2, 2, 1), mode))


def test_all_dimensions_of_images_with_channels_innermost_can_be_padded() -> None:
    x = taeda.arange(2.0 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    for pad in ((0, 0, 0, 0, 1, 2), (1, 0, 2, -1, 0, 3, 1, 1)):
        y = ops.pad(x.contiguous(memory_format=taeda.channels_last), pad, value=3)
        assert taeda.equal(y, ops.pad(x, pad, value=3)) and y.is_contiguous(memory_format=taeda.channels_last)


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "bilinear", "bicubic", "area"])
def test_resized_images_with_channels_innermost_stay_so(mode: str) -> None:
    x = taeda.randn(2, 3, 4, 5)
    y, z = (ops.interpolate(t, size=(7, 3), mode=mode) for t in (x, x.contiguous(memory_format=taeda.channels_last)))
    assert taeda.allclose(y, z, rtol=1e-6, atol=1e-6) and z.is_contiguous(memory_format=taeda.channels_last)


@pytest.mark.parametrize("dtype", [taeda.float32, taeda.float64])
@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "bilinear", "bicubic"])
def test_gradients_of_resized_images_with_channels_innermost(mode: str, dtype: taeda.dtype) -> None:
    """Each place gathers what is sent to it elsewhere, from none to dozens of outputs."""
    for channels, size, out in ((3, (4, 5), (7, 3)), (17, (1, 6), (9, 12)), (40, (9, 11), (4, 5)), (8, (3, 3), (40, 1))):
        x = taeda.randn(2, channels, *size, dtype=dtype, requires_grad=True)
        last = x.detach().contiguous(memory_format=taeda.channels_last).requires_grad_()
        for aligned in (None, True) if mode.startswith("bi") else (None,):
            y = ops.interpolate(x, size=out, mode=mode, align_corners=aligned)
            g = taeda.randn_like(y)
            (want,) = taeda.autograd.grad(y, x, g)
            (found,) = taeda.autograd.grad(ops.interpolate(last, size=out, mode=mode, align_corners=aligned), last, g)
            assert taeda.allclose(found, want, rtol=1e-4, atol=1e-5) and found.is_contiguous(memory_format=taeda.channels_last)


@pytest.mark.parametrize("factor", [1e20, -1e20, float("inf"), float("nan")])
def test_sizes_beyond_integers_are_refused(factor: float) -> None:
    with pytest.raises(RuntimeError, match=r"\[interpolate\] a size of .* cannot be converted to an integer"):
        ops.interpolate(taeda.ones(1, 1, 4, 4), scale_factor=factor)


@pytest.mark.parametrize("mode", ["trilinear", "nearest", "nearest-exact"])
@pytest.mark.parametrize("dtype", [taeda.float16, taeda.bfloat16])
def test_volumes_of_halves_are_rounded_once(dtype: taeda.dtype, mode: str) -> None:
    x = taeda.randn(2, 3, 5, 4, 3).to(dtype).requires_grad_()
    wide = x.detach().float().requires_grad_()
    y, want = (ops.interpolate(v, scale_factor=2, mode=mode) for v in (x, wide))
    g = taeda.randn(y.shape).to(dtype)
    y.backward(g)
    want.backward(g.float())
    assert y.dtype is dtype and taeda.equal(y, want.to(dtype)) and taeda.equal(x.grad, wide.grad.to(dtype))
    assert y.grad_fn.name() == want.grad_fn.name()


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact"])
@pytest.mark.parametrize(("size", "out"), [((14, 9), (28, 18)), ((25, 6), (29, 5)), ((5, 7), (5, 14)), ((3, 40), (9, 40)), ((6, 5), (2, 3)),
                                           ((1, 1), (4, 3)), ((4, 4), (3, 8))])
def test_the_gradient_of_nearest_sums_what_each_place_gave(mode: str, size: tuple[int, int], out: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    place = taeda.arange(float(size[0] * size[1])).reshape(1, 1, *size)
    came_from = ops.interpolate(place, out, mode=mode).flatten().long().numpy()
    g = rng.integers(-50, 50, (30, 3, *out)).astype(np.float32)
    x = taeda.zeros(30, 3, *size).requires_grad_()
    ops.interpolate(x, out, mode=mode).backward(taeda.from_numpy(g))
    wanted = np.zeros((90, size[0] * size[1]), np.float32)
    np.add.at(wanted, (slice(None), came_from), g.reshape(90, -1))
    np.testing.assert_array_equal(x.grad.numpy().reshape(90, -1), wanted)
