"""The kernels of convolution that shapes choose: panels of pixels, sums tap by tap, products of planes, depthwise, swapped roles."""

from __future__ import annotations

import numpy as np
import pytest

import taeda
from any_threads import assert_same_for_any_threads
from conv_checks import check_bits_by_threads, check_values_and_gradients
from samples.conv import convolve

# input, weight, options: panels that end in the middle of a row and of an image, sums cut in pieces and not, rows of
# weights that fill the last tile or not, more of them than one pass takes, strides that are gathered, weights in tiles
PIXELS = [((3, 17, 7, 7), (13, 17, 1, 1), {}), ((2, 40, 4, 4), (25, 40, 1, 1), {}), ((1, 330, 5, 7), (9, 330, 1, 1), {}),
          ((1, 530, 23, 23), (20, 530, 1, 1), {}), ((2, 20, 9, 15), (40, 20, 1, 1), {"stride": 2}),
          ((2, 40, 9, 8), (18, 40, 3, 3), {"padding": 1}), ((1, 10, 17, 33), (12, 10, 5, 5), {"padding": 2}),
          ((1, 18, 6, 31), (270, 18, 2, 3), {"padding": (1, 1)}), ((4, 24, 6, 5), (36, 12, 3, 3), {"groups": 2, "stride": 3}),
          ((2, 18, 14, 14), (20, 18, 3, 3), {"padding": 2, "dilation": 2}), ((1, 20, 40, 3), (17, 20, 3, 1), {}),
          ((1, 12, 5, 6, 9), (10, 12, 3, 2, 3), {"padding": (1, 0, 1)})]
# the input gradient tap by tap: bands of an image, of a signal and of a volume, many images in a strip, images of one pixel, sums
# cut in pieces, blocks of channels, places that no tap reaches, residues that dx does not have
TAPS = [((1, 3, 40, 37), (20, 3, 3, 3), {"padding": 1}), ((1, 2, 700), (18, 2, 5), {"stride": 2, "padding": 2}),
        ((1, 2, 19, 5, 6), (16, 2, 3, 2, 2), {"stride": (1, 2, 1), "padding": (1, 0, 1)}), ((9, 20, 4, 4), (24, 20, 3, 3), {}),
        ((70, 5, 3, 3), (40, 5, 3, 3), {}), ((3, 4, 9, 11), (340, 4, 3, 3), {}),
        ((2, 70, 5, 5), (32, 35, 4, 4), {"groups": 2, "stride": 2, "padding": 1}), ((5, 2, 7, 6), (17, 2, 2, 2), {"stride": 3}),
        ((2, 3, 1, 30), (16, 3, 3, 5), {"padding": (1, 2), "stride": 4}), ((1, 2, 64, 64), (33, 2, 3, 2), {"dilation": (2, 3)})]
# strided, and few input channels
CLASSES = [((2, 3, 20, 23), (18, 3, 7, 7), {"stride": 2, "padding": 3}), ((1, 3, 11, 13), (20, 3, 3, 3), {"stride": 2, "padding": 1}),
           ((1, 2, 17, 19), (24, 2, 5, 6), {"stride": (3, 4), "padding": (1, 2)}), ((2, 16, 8, 6), (32, 16, 2, 2), {"stride": 2}),
           ((1, 6, 5, 4, 7), (34, 3, 2, 2, 2), {"stride": 2, "groups": 2, "padding": (0, 1, 1)})]
# a weight gradient whose lanes are input channels
ROLES = [((2, 33, 9, 11), (3, 33, 3, 5), {"padding": (1, 2)}), ((1, 18, 12, 7), (2, 18, 4, 2), {"dilation": (2, 1)}),
         ((2, 40, 6, 5), (6, 20, 3, 3), {"groups": 2, "padding": 2}), ((3, 17, 21), (5, 17, 3), {}), ((1, 16, 4, 5, 6), (1, 16, 2, 3, 2), {})]
# weight gradients of many groups: of eight results and of few, whose lanes are pixels
ROLES += [((2, 64, 6, 5), (64, 8, 3, 3), {"padding": 1, "groups": 8}), ((2, 27, 6, 7), (45, 3, 3, 3), {"padding": 1, "groups": 9}),
          ((2, 40, 9, 10), (48, 20, 3, 3), {"padding": 1, "groups": 2, "stride": 2})]
# kernels as large as images; strides whose windows overlap, of few and of many channels; few results
WHOLE = [((5, 6, 3, 4), (7, 6, 3, 4), {}), ((1, 3, 5), (1, 3, 5), {}), ((4, 2, 2, 3, 2), (9, 2, 2, 3, 2), {})]
# in groups: one kernel a channel, several, several channels a kernel; one image, signals and volumes
WHOLE += [((5, 24, 7, 7), (24, 1, 7, 7), {"groups": 24}), ((3, 19, 14, 13), (19, 1, 14, 13), {"groups": 19}), ((1, 9, 4, 6), (27, 1, 4, 6), {"groups": 9}),
          ((6, 12, 5, 3), (20, 3, 5, 3), {"groups": 4}), ((2, 8, 33), (8, 1, 33), {"groups": 8}), ((70, 6, 2, 3, 4), (4, 3, 2, 3, 4), {"groups": 2})]
SPLIT = [((2, 3, 15, 23), (18, 3, 7, 5), {"stride": (2, 3), "padding": 3}), ((2, 34, 8, 9), (13, 34, 4, 4), {"stride": 2, "padding": 1}),
         ((1, 5, 6, 9, 10), (11, 5, 2, 3, 3), {"stride": 2, "padding": 1}), ((2, 9, 12, 33), (3, 9, 3, 3), {"stride": (3, 2), "dilation": (1, 2)}),
         ((1, 70, 40, 64), (2, 70, 3, 3), {"padding": 1}), ((2, 20, 7, 16), (20, 20, 3, 3), {}), ((3, 5, 9, 14), (4, 5, 1, 1), {})]
# one image of few pixels, as matrices
PLANES = [((1, 7, 3, 5), (9, 7, 1, 1), {}), ((1, 1, 4, 4), (5, 1, 1, 1), {}), ((1, 6, 1, 1), (4, 6, 1, 1), {}), ((1, 5, 40), (3, 5, 1), {}),
          ((1, 4, 2, 3, 3), (6, 4, 1, 1, 1), {})]
# one tap of few results or few channels, an image of planes at a time: signals, images, volumes, fewer pixels than that pays for
FEW_RESULTS = [((3, c, *size), (o, c, *[1] * len(size)), {})
               for c, o, size in ((7, 1, (5, 9)), (40, 1, (33,)), (64, 3, (4, 5)), (1, 1, (6, 7)), (2, 30, (5, 5)), (20, 16, (7, 6)), (3, 9, (2, 3, 5)), (18, 2, (3, 3)), (33, 5, (17,)))]
DEPTHWISE = [((2, 3, h, w), (3, 1, k, k), {"groups": 3, "padding": p, "stride": s})
             for h, w, k, p, s in ((7, 7, 3, 1, 1), (8, 16, 3, 0, 1), (9, 17, 3, 1, 2), (4, 5, 3, 3, 2), (6, 31, 5, 2, 1), (11, 9, 5, 2, 2),
                                   (9, 24, 7, 3, 1), (15, 10, 7, 3, 2), (3, 1, 3, 1, 1), (14, 9, 7, 3, 1), (13, 18, 5, 2, 2),
                                   (20, 11, 5, 2, 1), (22, 8, 3, 1, 1), (7, 7, 7, 3, 1))]
DEPTHWISE += [((2, 3, h, w), (3, 1, k, k), {"groups": 3, "padding": p, "stride": 3})
              for h, w, k, p in ((9, 27, 3, 0), (10, 8, 3, 1), (28, 29, 5, 2), (7, 60, 5, 4), (30, 13, 7, 3), (7, 8, 7, 0))]
# planes that are framed some together: more than fit, the last ones fewer
DEPTHWISE += [((3, c, h, w), (c, 1, k, k), {"groups": c, "padding": k // 2, "stride": s})
              for c, h, w, k, s in ((37, 7, 7, 3, 1), (35, 7, 7, 7, 1), (18, 14, 13, 5, 1), (19, 14, 14, 3, 2), (21, 7, 3, 3, 1), (17, 1, 9, 3, 1))]
# what is turned, channels innermost: planes with one kernel each, strided groups of eight; all images together and some at a time
DEPTHWISE += [((2, 40, 14, 12), (40, 1, 5, 5), {"groups": 40, "padding": 2, "stride": 2}), ((3, 19, 10, 9), (19, 1, 7, 7), {"groups": 19, "padding": 3})]
# kernels of 9 x 9: rows by eight, four and one, planes narrower than a vector
DEPTHWISE += [((2, c, h, w), (c, 1, 9, 9), {"groups": c, "padding": p, "stride": s})
              for c, h, w, p, s in ((3, 14, 14, 4, 1), (5, 29, 21, 2, 1), (2, 13, 7, 5, 1), (4, 15, 12, 4, 2), (3, 9, 12, 9, 1))]
# signals: rows of less than a vector, of some and of more than four, every stride and dilations, more padding than the kernel reaches back
DEPTHWISE += [((3, c, w), (c, 1, k), {"groups": c, "padding": p, "stride": s, "dilation": d})
              for c, w, k, p, s, d in ((40, 16, 3, 1, 1, 1), (7, 5, 3, 1, 1, 1), (19, 70, 7, 3, 1, 1), (6, 150, 5, 2, 2, 1), (9, 131, 3, 0, 3, 1), (5, 200, 5, 2, 4, 1),
                                       (4, 90, 4, 3, 3, 2), (3, 64, 31, 15, 1, 1), (3, 100, 3, 8, 1, 4), (2, 33, 2, 5, 4, 3), (3, 40, 1, 0, 2, 1), (2, 37, 3, 4, 5, 1))]
# any other kernel and dilation: rows of a residue by eight, seven and four, too few of them, planes narrower than one and than two vectors
DEPTHWISE += [((2, 3, h, w), (3, 1, kh, kw), {"groups": 3, "padding": p, "stride": s, "dilation": d})
              for h, w, kh, kw, p, s, d in ((20, 21, 3, 3, 2, 1, 2), (30, 28, 5, 5, 6, 1, 3), (33, 16, 7, 7, 6, 1, 2), (14, 14, 3, 3, 4, 1, 4), (25, 25, 9, 9, 4, 1, 3),
                                            (17, 30, 4, 4, 1, 1, 1), (18, 27, 4, 4, 1, 2, 1), (19, 13, 6, 6, 2, 1, 1), (26, 25, 11, 11, 5, 1, 1), (22, 35, 3, 5, 1, 1, 1),
                                            (12, 23, 1, 7, (0, 3), 1, 1), (3, 40, 2, 2, 0, 1, 1), (31, 12, 7, 1, (3, 0), 1, 1), (21, 34, 5, 3, (4, 1), (2, 3), (2, 1)),
                                            (29, 30, 3, 3, 0, (5, 4), 1), (15, 24, 3, 3, 7, 1, 2), (13, 40, 12, 20, (6, 9), 1, 1), (40, 20, 5, 5, 4, 2, 2))]
TURNED = [((2, 24, 9, 8), (24, 8, 3, 3), {"groups": 3, "padding": 1, "stride": 2}), ((3, 14, 7, 11), (10, 7, 3, 2), {"groups": 2, "stride": (2, 3)}),
          ((5, 32, 40, 30), (20, 8, 3, 3), {"groups": 4, "padding": 1, "stride": 2})]
# taps that meet only padding: on both sides, on one, all but those of one pixel, more padding than the first tap reaches back
DROPPED = [((2, 20, 6, 7), (18, 20, 3, 3), {"padding": 12, "dilation": 12}), ((1, 9, 5, 6), (4, 9, 3, 4), {"padding": (6, 9), "dilation": (6, 5)}),
           ((3, 17, 1, 1), (20, 17, 3, 3), {"padding": 1}), ((2, 18, 2, 2), (17, 18, 5, 3), {"padding": (2, 1), "stride": 2}),
           ((2, 5, 6, 4), (7, 5, 3, 3), {"padding": (10, 4), "dilation": (12, 4)}), ((1, 4, 3, 2, 2), (6, 4, 3, 3, 3), {"padding": 4, "dilation": 4}),
           ((2, 8, 3), (4, 8, 5), {"padding": 8, "dilation": 4})]
# places by the taps that they have: kernels as wide as images or wider, lanes and channels that fill nothing, by strides and along
# one axis, places of one image that are joined, weights of a lane that lie far apart, an axis of too many segments, rows of volumes
PLACES = [((6, 33, 7, 7), (19, 33, 7, 7), {"padding": 3}), ((1, 30, 6, 5), (35, 30, 5, 5), {"padding": (2, 3)}), ((9, 40, 2, 2), (40, 40, 3, 3), {"padding": 1}),
          ((5, 24, 9, 8), (24, 24, 5, 3), {"padding": (2, 1), "stride": 2}), ((3, 270, 5), (24, 270, 5), {"padding": 2}),
          ((2, 20, 3, 3, 4), (20, 20, 3, 3, 3), {"padding": 1}), ((2, 16, 4, 3, 3), (16, 16, 9, 9, 9), {"padding": 4}), ((2, 24, 20), (24, 24, 31), {"padding": 15})]
# results in parts: taps that many places do not have, on every axis, by strides, of three dimensions
PARTS = [((4, 64, 9, 7), (40, 64, 3, 3), {"padding": (7, 5), "dilation": (7, 5)}), ((3, 50, 70), (40, 50, 3), {"padding": 60, "dilation": 60}),
         ((4, 40, 12, 12), (70, 40, 3, 5), {"padding": (10, 8), "dilation": (10, 4), "stride": (1, 2)}),
         ((2, 40, 6, 7, 8), (40, 40, 3, 1, 3), {"padding": (5, 0, 6), "dilation": (5, 1, 6)}),
         ((4, 64, 9, 9), (40, 64, 3, 3), {"padding": 9, "dilation": 8})]
# in groups: one panel of results or several, lanes that fill nothing, more channels than are turned at a time
PARTS += [((6, 48, 7, 7), (48, 16, 3, 3), {"padding": 1, "groups": 3}), ((5, 68, 6, 5), (102, 34, 3, 3), {"padding": (1, 2), "groups": 2}),
          ((4, 72, 7, 6), (90, 24, 5, 3), {"padding": (2, 1), "groups": 3}), ((9, 36, 5, 7), (80, 9, 3, 3), {"padding": 1, "groups": 4, "stride": (1, 2)}),
          ((2, 32, 4, 5, 4), (40, 16, 3, 3, 3), {"padding": 1, "groups": 2}), ((3, 64, 14, 14), (64, 16, 3, 3), {"padding": 1, "groups": 4})]
# a few places by many weights: windows that overlap and that leave pixels out, several images, volumes, signals, taps that meet nothing
FEW = [((1, 40, 3, 2), (64, 40, 3, 3), {"padding": 1}), ((2, 30, 5, 4), (72, 30, 3, 2), {"padding": (1, 0), "stride": 2}),
       ((1, 50, 2, 2, 2), (70, 50, 3, 3, 3), {"padding": 1}), ((3, 60, 9), (80, 60, 5), {"padding": 2, "dilation": 2, "stride": 3}),
       ((1, 33, 6, 7), (160, 33, 4, 4), {"padding": 2, "dilation": (1, 2)}), ((2, 64, 1, 1), (64, 64, 3, 3), {"padding": 1}),
       ((1, 70, 8, 7), (50, 70, 2, 2), {"stride": (3, 4)})]
ALL = FEW + FEW_RESULTS + PIXELS + TURNED + DROPPED + PLACES + PARTS + PLANES + WHOLE + SPLIT + ROLES + TAPS + CLASSES + DEPTHWISE


@pytest.mark.parametrize(("xs", "ws", "options"), ALL)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_and_gradients(xs, ws, options, dtype):
    check_values_and_gradients(xs, ws, options, dtype)


@pytest.mark.parametrize(("xs", "ws", "options"), ALL)
def test_bits_do_not_depend_on_the_number_of_threads(xs, ws, options):
    check_bits_by_threads(xs, ws, options)


@pytest.mark.parametrize(("xs", "ws", "options"), [PIXELS[5], PIXELS[0], FEW_RESULTS[0], FEW_RESULTS[3], TAPS[3], CLASSES[0], DEPTHWISE[2], PLACES[0], PARTS[0], WHOLE[3], WHOLE[6]])
def test_weights_and_inputs_may_lie_anyhow(xs, ws, options):
    rng = np.random.default_rng(2)
    x, w = rng.standard_normal((xs[1], xs[0], *xs[2:])), rng.standard_normal((ws[1], ws[0], *ws[2:]))
    want = convolve(x.swapaxes(0, 1), w.swapaxes(0, 1), **options)
    u, v = (taeda.from_numpy(a).requires_grad_() for a in (x, w))
    y = taeda.conv2d(u.transpose(0, 1), v.transpose(0, 1), **options)
    np.testing.assert_allclose(y.detach().numpy(), want, rtol=1e-11, atol=1e-11)
    g = rng.standard_normal(want.shape)
    (y * taeda.from_numpy(g)).sum().backward()
    plain = [taeda.from_numpy(np.ascontiguousarray(a.swapaxes(0, 1))).requires_grad_() for a in (x, w)]
    (taeda.conv2d(*plain, **options) * taeda.from_numpy(g)).sum().backward()
    for got, same in zip((u, v), plain, strict=True):
        np.testing.assert_allclose(got.grad.numpy().swapaxes(0, 1), same.grad.numpy(), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(("xs", "ws", "options"), CLASSES[:3])
@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_a_cotangent_that_is_not_finite_reaches_only_what_its_window_met(xs, ws, options, bad):
    rng = np.random.default_rng(6)
    x, w = taeda.from_numpy(rng.standard_normal(xs)).requires_grad_(), taeda.from_numpy(rng.standard_normal(ws))
    y = taeda.conv2d(x, w, **options)
    hot = np.zeros(tuple(y.shape))
    hot[0, 1, 1, 2] = 1
    (met,) = taeda.autograd.grad(y, x, taeda.from_numpy(hot), retain_graph=True)
    g = rng.standard_normal(hot.shape)
    g[hot == 1] = bad
    (dx,) = taeda.autograd.grad(y, x, taeda.from_numpy(g))
    np.testing.assert_array_equal(np.isfinite(dx.numpy()), met.numpy() == 0)


def test_a_depthwise_kernel_that_is_not_finite_reaches_only_its_own_residue_class():
    x, w = taeda.ones(1, 2, 8, 8, requires_grad=True), taeda.ones(2, 1, 3, 3)
    w[0, 0, 0, 0] = float("inf")                   # the first tap meets even rows and columns of the padded image
    taeda.conv2d(x, w, stride=2, padding=1, groups=2).sum().backward()
    finite = np.isfinite(x.grad.numpy())
    assert not finite[0, 0, 1:6:2, 1:6:2].any()
    assert finite[0, 0, 0::2].all() and finite[0, 0, :, 0::2].all() and finite[0, 1].all()


def test_nan_beside_a_depthwise_row_stays_outside():
    x = taeda.zeros(1, 2, 3, 13)
    x[0, 0, 1, 12] = float("nan")
    y = taeda.conv2d(x, taeda.ones(2, 1, 3, 3), padding=1, groups=2).isnan()
    assert y[0, 0, :, 11:].all() and y.sum() == 6


@pytest.mark.parametrize("cols", [7, 13])
def test_a_plane_that_is_not_finite_reaches_only_its_own_depthwise_weights(cols):
    x, g = taeda.ones(2, 40, 7, cols), taeda.ones(2, 40, 7, cols)
    x[1, 5] = float("nan")
    g[0, 9] = float("inf")
    w = taeda.zeros(40, 1, 3, 3, requires_grad=True)
    (dw,) = taeda.autograd.grad(taeda.conv2d(x, w, padding=1, groups=40), w, g)
    assert sorted({int(c) for c in (~dw.isfinite()).nonzero()[:, 0]}) == [5, 9]
    assert dw[0, 0].tolist() == [[2 * rows * n for n in (cols - 1, cols, cols - 1)] for rows in (6, 7, 6)]


@pytest.mark.parametrize(("xs", "ws", "options"), [PIXELS[1], PIXELS[5], CLASSES[1], DEPTHWISE[2], PLACES[2], PARTS[-1], WHOLE[3]])
def test_half_precision_is_computed_in_float32(xs, ws, options):
    rng = np.random.default_rng(9)
    x, w = (rng.standard_normal(s).astype(np.float16) for s in (xs, ws))
    y = taeda.conv2d(taeda.from_numpy(x), taeda.from_numpy(w), **options)
    assert y.dtype == taeda.float16
    want = convolve(x.astype(np.float64), w.astype(np.float64), **options)
    np.testing.assert_allclose(y.numpy(), want, rtol=1e-3, atol=1e-2)


# channels innermost: depthwise kernels of any size, fewer channels than a vector and more, rows and columns of which no tap or not all
# lie inside, strides wider than the kernel; kernels of one tap as products
LAST = [((2, c, h, w), (c, 1, kh, kw), {"groups": c, "padding": p, "stride": s, "dilation": d})
        for c, h, w, kh, kw, p, s, d in ((3, 7, 9, 3, 3, 1, 1, 1), (8, 5, 4, 3, 3, 1, 2, 1), (17, 9, 14, 5, 3, 2, 1, 1), (12, 6, 21, 7, 7, 3, 1, 1),
                                         (40, 9, 10, 3, 3, 2, 1, 2), (9, 11, 12, 1, 3, 1, 3, 1), (16, 4, 3, 5, 5, 4, 2, 2), (8, 13, 7, 2, 2, 0, (3, 2), 1))]
# results taken seven at a time: kernels of one row and of more rows than the image has, padding of more than half, the last ones reach back
LAST += [((2, c, h, w), (c, 1, kh, kw), {"groups": c, "padding": p, "stride": s})
         for c, h, w, kh, kw, p, s in ((9, 7, 7, 7, 7, 3, 1), (20, 5, 11, 3, 3, 1, 1), (8, 2, 16, 5, 5, (2, 4), 1), (24, 9, 15, 1, 7, (0, 1), 1),
                                       (17, 6, 7, 3, 5, (1, 2), (2, 1)), (16, 4, 33, 3, 3, 1, 1), (64, 8, 9, 7, 7, 6, 1), (33, 3, 12, 3, 3, 0, 1))]
# rows of some times as many taps: padding of more than a part, images narrower than the kernel
LAST += [((2, c, h, w), (c, 1, kh, kw), {"groups": c, "padding": p})
         for c, h, w, kh, kw, p in ((16, 7, 12, 9, 9, 4), (9, 5, 13, 1, 15, (0, 7)), (24, 9, 7, 3, 14, (1, 8)), (8, 4, 8, 2, 6, (1, 5)), (20, 6, 30, 3, 9, (1, 0)))]
# one tap by strides: every stride-th pixel is copied
LAST += [((3, 12, 9, 8), (20, 12, 1, 1), {"stride": 2}), ((2, 48, 6, 7), (8, 48, 1, 1), {"stride": (2, 3)}),
         ((2, 5, 7, 3), (9, 5, 1, 1), {"stride": (1, 2)}), ((2, 8, 3, 3), (4, 8, 1, 1), {"stride": 4})]
LAST += [((2, 5, 7, 3), (9, 5, 1, 1), {}), ((1, 16, 6, 6), (1, 16, 1, 1), {}), ((3, 64, 1, 1), (24, 64, 1, 1), {}), ((4, 33, 5, 8), (40, 33, 1, 1), {})]

# groups of two, four and eight channels: one vector and more than go through the rows together, strides, dilations, volumes
LAST += [((2, g * n, *size), (g * n, n, *k), {"groups": g, "padding": p, "stride": s, "dilation": d})
         for g, n, size, k, p, s, d in ((4, 2, (7, 9), (3, 3), 1, 1, 1), (18, 2, (5, 14), (3, 3), 1, 1, 1), (2, 4, (9, 6), (3, 3), 1, 2, 1), (10, 4, (8, 13), (3, 3), 2, 1, 2),
                                        (8, 4, (6, 21), (5, 5), 2, 1, 1), (24, 4, (11, 10), (2, 3), (1, 0), (2, 3), 1), (4, 4, (4, 3), (3, 3), 3, 1, 3), (3, 8, (7, 9), (3, 3), 1, 1, 1),
                                        (6, 4, (5, 7), (1, 1), 0, 1, 1), (5, 4, (6, 7), (3, 3), 1, 1, 1), (2, 4, (5, 4, 9), (3, 3, 3), 1, 1, 1), (12, 2, (4, 6, 5), (2, 3, 3), 1, 2, 1))]
# volumes: planes that no tap or not all of them meet, strides and dilations along depth, fewer channels than a vector, rows seven at a time
DEEP = [((2, 16, 5, 7, 8), (16, 1, 3, 3, 3), {"groups": 16, "padding": 1}), ((1, 9, 6, 5, 9), (9, 1, 3, 3, 3), {"groups": 9, "padding": 1, "stride": 2}),
        ((2, 3, 4, 3, 6), (3, 1, 2, 1, 3), {"groups": 3, "padding": (1, 0, 2)}), ((1, 24, 7, 4, 7), (24, 1, 5, 1, 5), {"groups": 24, "padding": (4, 0, 2)}),
        ((2, 8, 6, 6, 6), (8, 1, 3, 2, 3), {"groups": 8, "padding": (2, 1, 2), "dilation": (2, 1, 2), "stride": (3, 1, 2)})]


ORDER = {4: taeda.channels_last, 5: taeda.channels_last_3d}


def innermost(a: np.ndarray) -> taeda.Tensor:
    return taeda.from_numpy(a).contiguous(memory_format=ORDER[a.ndim])


@pytest.mark.parametrize(("xs", "ws", "options"), LAST + DEEP)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_images_with_channels_innermost(xs, ws, options, dtype):
    rng, conv = np.random.default_rng(11), taeda.conv2d if len(xs) == 4 else taeda.conv3d
    x, w, b = (rng.standard_normal(s) for s in (xs, ws, ws[:1]))
    g = rng.standard_normal(convolve(x, w, b, **options).shape)
    tolerance = 1e-4 if dtype == np.float32 else 1e-11

    def step():
        leaves = [innermost(a.astype(dtype)).requires_grad_() for a in (x, w)] + [taeda.from_numpy(b.astype(dtype)).requires_grad_()]
        y = conv(*leaves, **options)
        y.backward(innermost(g.astype(dtype)))
        return y, leaves, [leaf.grad for leaf in leaves]

    y, leaves, _ = assert_same_for_any_threads(step)
    plain = [taeda.from_numpy(a).requires_grad_() for a in (x, w, b)]
    want = conv(*plain, **options)
    np.testing.assert_allclose(want.detach().numpy(), convolve(x, w, b, **options), rtol=1e-11, atol=1e-11)
    want.backward(taeda.from_numpy(g))
    for got, exact in ((y.detach(), want.detach()), *((a.grad, e.grad) for a, e in zip(leaves, plain, strict=True))):
        np.testing.assert_allclose(got.numpy(), exact.numpy(), rtol=tolerance, atol=tolerance * 10)
    for t in (y, leaves[0].grad) if len(xs) == 4 or dtype == np.float32 else ():       # PyTorch follows volumes in float32 alone
        assert t.is_contiguous(memory_format=ORDER[len(xs)])


def test_second_derivatives_with_channels_innermost():
    rng = np.random.default_rng(12)
    for xs, ws, options in (LAST[1], LAST[8]):
        x, w = (innermost(rng.standard_normal(s)).requires_grad_() for s in ((1, *xs[1:]), ws))
        assert taeda.autograd.gradgradcheck(lambda x, w, o=options: taeda.conv2d(x, w, **o), (x, w))


def test_a_pixel_with_channels_innermost_that_is_not_finite_reaches_only_its_windows():
    x = np.zeros((1, 8, 6, 6), np.float32)
    x[0, 3, 2, 4] = np.nan
    y = taeda.conv2d(innermost(x), taeda.ones(8, 1, 3, 3), padding=1, groups=8).isnan().nonzero().numpy()
    assert set(map(tuple, y)) == {(0, 3, h, w) for h in (1, 2, 3) for w in (3, 4, 5)}


def test_a_plain_cotangent_serves_images_with_channels_innermost():
    rng = np.random.default_rng(13)
    x, w = innermost(rng.standard_normal((2, 8, 5, 6))).requires_grad_(), innermost(rng.standard_normal((8, 1, 3, 3))).requires_grad_()
    g = taeda.from_numpy(rng.standard_normal((2, 8, 5, 6)))
    taeda.conv2d(x, w, padding=1, groups=8).backward(g)
    a, b = x.detach().contiguous().requires_grad_(), w.detach().contiguous().requires_grad_()
    taeda.conv2d(a, b, padding=1, groups=8).backward(g)
    np.testing.assert_allclose(x.grad.numpy(), a.grad.numpy(), rtol=1e-12)
    np.testing.assert_allclose(w.grad.numpy(), b.grad.numpy(), rtol=1e-12)


def test_an_input_that_is_not_finite_reaches_only_the_taps_that_meet_it():
    x = np.ones((1, 20, 4, 4))
    x[0, 7, 3, 3] = np.inf                          # only the last tap of a 3x3 kernel meets the last pixel
    w = taeda.ones(2, 20, 3, 3, dtype=taeda.float64, requires_grad=True)
    taeda.conv2d(taeda.from_numpy(x), w).sum().backward()
    assert (~np.isfinite(w.grad.numpy())).nonzero()[1].tolist() == [7, 7]
    assert w.grad[:, 7, 2, 2].tolist() == [np.inf, np.inf]


# groups of few results, whose panels are half as wide with channels innermost: more of them than share a table, lanes that fill nothing
NARROW = [((2, 32, 9, 8), (40, 4, 3, 3), {"padding": 1, "groups": 8, "stride": (1, 2)}), ((3, 42, 14, 11), (48, 7, 3, 3), {"padding": (2, 1), "groups": 6}),
          ((2, 48, 12, 13), (32, 6, 5, 3), {"padding": 1, "groups": 8, "dilation": (1, 2)})]
# few terms: whole panels of results are written where they belong, what is left of one is not; in groups, by strides
SHORT = [((2, 1, 9, 11), (32, 1, 3, 3), {"padding": 1}), ((3, 1, 12, 7), (70, 1, 3, 5), {"stride": 2}), ((1, 1, 5, 5), (16, 1, 2, 2), {}),
         ((2, 3, 9, 10), (48, 3, 3, 3), {"padding": 1, "stride": (1, 2)}), ((2, 2, 8, 9), (21, 2, 3, 3), {"dilation": 2}),
         ((2, 6, 7, 8), (96, 3, 3, 3), {"groups": 2, "padding": 1}), ((2, 40, 9, 7), (20, 40, 2, 3), {"stride": 2, "padding": 1})]


@pytest.mark.parametrize(("xs", "ws", "options"), [*NARROW, *SHORT, FEW[0], FEW[1], FEW[4], FEW[5], FEW[6], PLACES[0], PLACES[2], PLACES[3], PARTS[0], PARTS[-6], PARTS[-4], ((4, 70, 12, 12), (11, 70, 3, 3), {"padding": 3, "dilation": 3}),
                                                   ((2, 18, 9, 8), (70, 18, 3, 3), {"padding": 1, "stride": 2})])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_places_of_images_with_channels_innermost(xs, ws, options, dtype):
    rng = np.random.default_rng(12)
    x, w, b = (rng.standard_normal(s).astype(dtype) for s in (xs, ws, ws[:1]))
    u, v = (taeda.from_numpy(a).to(memory_format=taeda.channels_last).requires_grad_() for a in (x, w))
    y = taeda.conv2d(u, v, taeda.from_numpy(b), **options)
    assert y.is_contiguous(memory_format=taeda.channels_last)
    limit = 1e-11 if dtype == np.float64 else 2e-4
    np.testing.assert_allclose(y.detach().numpy(), convolve(x, w, **options) + b[:, None, None], rtol=limit, atol=limit)
    g = taeda.from_numpy(rng.standard_normal(tuple(y.shape)).astype(dtype))
    plain = [taeda.from_numpy(a.astype(np.float64)).requires_grad_() for a in (x, w)]
    for got, want in zip(taeda.autograd.grad(y, (u, v), g), taeda.autograd.grad(taeda.conv2d(*plain, **options), plain, g.double()), strict=True):
        np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=limit, atol=limit)


@pytest.mark.parametrize("order", [taeda.contiguous_format, taeda.channels_last])
@pytest.mark.parametrize(("size", "kernel", "options"), [((2, 2), 2, {"stride": 2}), ((3, 2), 4, {"stride": 2, "padding": 1, "output_padding": 1}),
                                                         ((2, 3), 3, {"dilation": 2, "padding": 2})])
def test_a_few_places_are_transposed_with_a_bias(size, kernel, options, order):
    rng = np.random.default_rng(15)
    x, w, b = rng.standard_normal((1, 60, *size)), rng.standard_normal((60, 50, kernel, kernel)), rng.standard_normal(50)
    u, v = (taeda.from_numpy(a.astype(np.float32)).contiguous(memory_format=order) for a in (x, w))
    y = taeda.conv_transpose2d(u, v, taeda.from_numpy(b.astype(np.float32)), **options)
    assert y.is_contiguous(memory_format=order)
    s, p, d = options.get("stride", 1), options.get("padding", 0), options.get("dilation", 1)
    whole = np.zeros((1, 50, *((n - 1) * s + (kernel - 1) * d + 1 + s for n in size)))
    for i, j in np.ndindex(kernel, kernel):
        whole[:, :, i * d : i * d + (size[0] - 1) * s + 1 : s, j * d : j * d + (size[1] - 1) * s + 1 : s] += np.einsum("nihw,io->nohw", x, w[:, :, i, j])
    want = whole[:, :, p : p + y.shape[2], p : p + y.shape[3]] + b[:, None, None]
    np.testing.assert_allclose(y.numpy(), want, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("xs", "ws", "options"), [*NARROW, *SHORT, FEW[0], FEW[4], FEW[5], ((3, 24, 15, 14), (40, 24, 3, 3), {"padding": 1, "stride": 2})])
def test_bits_with_channels_innermost_do_not_depend_on_the_number_of_threads(xs, ws, options):
    taeda.manual_seed(16)
    x, w, b = (taeda.randn(s) for s in (xs, ws, ws[:1]))
    u, v = (a.to(memory_format=taeda.channels_last).requires_grad_() for a in (x, w))

    def run():
        y = taeda.conv2d(u, v, b, **options)
        return [y, *taeda.autograd.grad(y, (u, v), taeda.cos(y.detach()))]

    want = taeda.conv2d(x.double(), w.double(), b.double(), **options)
    assert (assert_same_for_any_threads(run)[0] - want).abs().max() < 1e-4


@pytest.mark.parametrize("order", [taeda.contiguous_format, taeda.channels_last])
@pytest.mark.parametrize(("xs", "ws", "options"), [FEW[0], FEW[1], FEW[4], WHOLE[3], WHOLE[4], WHOLE[6]])
def test_a_few_places_of_bfloat16_are_rounded_once(xs, ws, options, order):
    taeda.manual_seed(17)
    x, w, b = (taeda.randn(s).bfloat16() for s in (xs, ws, ws[:1]))
    u, v = (a.contiguous(memory_format=order).requires_grad_() for a in (x, w))
    y = taeda.conv2d(u, v, b, **options)
    g = taeda.randn(y.shape).bfloat16()
    wide = [a.double().requires_grad_() for a in (x, w)]
    want = taeda.conv2d(*wide, b.double(), **options)
    for got, exact in zip([y, *taeda.autograd.grad(y, (u, v), g)], [want, *taeda.autograd.grad(want, wide, g.double())], strict=True):
        assert got.dtype == taeda.bfloat16
        np.testing.assert_allclose(got.detach().double().numpy(), exact.detach().numpy(), rtol=2**-8, atol=2e-4)


def test_images_are_framed_a_few_at_a_time():
    rng = np.random.default_rng(13)
    x, w = rng.standard_normal((15, 1700, 12, 12)), rng.standard_normal((8, 1700, 3, 3))
    u, v = (taeda.from_numpy(a.astype(np.float32)).requires_grad_() for a in (x, w))
    y = taeda.conv2d(u, v, padding=6, dilation=6)
    np.testing.assert_allclose(y.detach().numpy(), convolve(x, w, padding=6, dilation=6), rtol=1e-3, atol=2e-3)
    (dw,) = taeda.autograd.grad(y, v, taeda.ones_like(y))
    for i in range(3):                             # the sum of the pixels that a tap meets
        rows = slice(max(0, 6 * i - 6), min(12, 6 * i + 6))
        np.testing.assert_allclose(dw[3, :, i, 0].numpy(), x[:, :, rows, :6].sum((0, 2, 3)), rtol=1e-3, atol=1e-3)


def test_a_weight_gradient_in_places_is_right_beside_what_is_not_finite():
    rng = np.random.default_rng(14)
    x = rng.standard_normal((4, 40, 6, 6))
    x[1, 2, 0, 0] = np.inf
    for w in (taeda.zeros(8, 40, 5, 5, dtype=taeda.float64, requires_grad=True), taeda.zeros(48, 40, 5, 5, dtype=taeda.float64, requires_grad=True)):
        (dw,) = taeda.autograd.grad(taeda.conv2d(taeda.from_numpy(x), w, padding=2).sum(), w)
        met = np.zeros((5, 5), bool)
        met[:3, :3] = True                         # only these taps reach the corner
        np.testing.assert_array_equal(np.isinf(dw[:, 2].numpy()), np.broadcast_to(met, (w.shape[0], 5, 5)))
        assert taeda.isfinite(dw[:, 3:]).all()


@pytest.mark.parametrize("dtype", [taeda.float32, taeda.bfloat16])
@pytest.mark.parametrize(("size", "kernel", "options"), [((2, 2), (7, 7), {"padding": 3}), ((4, 4), (5, 5), {"padding": 2}),
                                                         ((1, 5), (1, 7), {"padding": (0, 3)}),
                                                         ((4, 5), (3, 3), {"padding": 1, "stride": 2}), ((7, 2), (7, 7), {"padding": 3})])
def test_small_planes_with_kernels_of_their_own(size, kernel, options, dtype):
    taeda.manual_seed(18)
    x, w, b = (taeda.randn(s).to(dtype) for s in ((3, 17, *size), (17, 1, *kernel), (17,)))
    wide = [a.double().requires_grad_() for a in (x, w)]
    want = taeda.conv2d(*wide, b.double(), groups=17, **options)
    g = taeda.randn(want.shape).to(dtype)
    exact = [want, *taeda.autograd.grad(want, wide, g.double())]
    for order in (taeda.contiguous_format, taeda.channels_last):
        u, v = (a.contiguous(memory_format=order).requires_grad_() for a in (x, w))

        def run(u=u, v=v):
            y = taeda.conv2d(u, v, b, groups=17, **options)
            return [y, *taeda.autograd.grad(y, (u, v), g)]

        for got, one in zip(assert_same_for_any_threads(run), exact, strict=True):
            assert got.dtype == dtype
            limit = 2**-8 if dtype == taeda.bfloat16 else 2e-5
            np.testing.assert_allclose(got.detach().double().numpy(), one.detach().numpy(), rtol=limit, atol=2e-5)
