"""Winograd's method of convolution beside the sum as it stands: values, gradients, what is not finite, threads, layouts, the switch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import taeda
from any_threads import assert_same_for_any_threads
from taeda.backends import cpu

Arrays = list[np.ndarray]


@pytest.fixture(autouse=True)
def settings() -> Iterator[None]:
    yield
    cpu.conv_precision = "fast"


def inputs(xs: tuple[int, ...], o: int, kernel: tuple[int, ...] = (3, 3), seed: int = 0) -> Arrays:
    rng = np.random.default_rng(seed)
    scale = np.float32(np.prod(kernel) * xs[1]) ** np.float32(0.5)
    return [rng.standard_normal(xs, np.float32), rng.standard_normal((o, xs[1], *kernel), np.float32) / scale,
            rng.standard_normal(o, np.float32)]  # fmt: skip


def step(arrays: Arrays, dtype: Any = taeda.float32, function: Callable[..., taeda.Tensor] = taeda.conv2d, **options: Any) -> Arrays:
    """Return y and the gradients of input, weight and bias for a fixed cotangent."""
    leaves = [taeda.from_numpy(a).to(dtype).requires_grad_() for a in arrays]
    y = function(*leaves, **options)
    g = taeda.from_numpy(np.random.default_rng(9).standard_normal(tuple(y.shape), np.float32)).to(dtype)
    return [t.detach().numpy() for t in (y, *taeda.autograd.grad(y, leaves, g))]


def both(arrays: Arrays, **options: Any) -> tuple[Arrays, Arrays]:
    cpu.conv_precision = "fast"
    fast = step(arrays, **options)
    cpu.conv_precision = "precise"
    return fast, step(arrays, **options)


def errors(got: Arrays, exact: Arrays) -> list[float]:
    """Return the largest errors as parts of the largest entries."""
    return [float(np.abs(a - b).max() / np.abs(b).max()) for a, b in zip(got, exact, strict=True)]


# input, output channels, padding: one lane more and less than vectors, panels, groups and ranges of channels; tiles one more and
# less than register tiles and blocks; edges that cut tiles in every way; few tiles for many channels and many for few
CASES = [((8, 8, 32, 28), 8, 1), ((2, 15, 30, 33), 33, 0), ((3, 20, 28, 8), 31, 2), ((2, 31, 23, 24), 12, (0, 1)), ((5, 64, 7, 7), 65, 1),
         ((1, 128, 14, 13), 40, (1, 3)), ((2, 129, 8, 8), 32, 1), ((1, 136, 11, 12), 136, 0), ((1, 257, 7, 7), 264, 1),
         ((7, 24, 12, 12), 24, (4, 2)),
         ((1, 15, 70, 66), 12, 1), ((73, 16, 7, 8), 15, 1), ((1, 40, 9, 200), 20, 1), ((3, 25, 24, 23), 49, (2, 0))]  # fmt: skip


@pytest.mark.parametrize(("xs", "o", "padding"), CASES)
def test_values_and_gradients(xs: tuple[int, ...], o: int, padding: Any) -> None:
    arrays = inputs(xs, o)
    exact = step(arrays, taeda.float64, padding=padding)
    fast, precise = both(arrays, padding=padding)
    assert max(errors(fast, exact)) < 5e-6 and max(errors(precise, exact)) < 2e-6
    assert all(not np.array_equal(a, b) for a, b in zip(fast[:2], precise[:2], strict=True)), "the case is too small: both were the sum"


# input, output channels, kernel, options: every kernel and stride there is a method for, with all remainders of padding; dilations that
# divide the image, that do not, and that leave some lattices empty; planes in front, strided and dilated; channels in each part that
# fill vectors and not
OTHERS: list[tuple[tuple[int, ...], int, tuple[int, ...], dict[str, Any]]] = [
    ((2, 24, 28, 28), 40, (3, 3), {"padding": 2, "dilation": 2}),
    ((3, 40, 31, 29), 33, (3, 3), {"padding": (3, 1), "dilation": (3, 1)}),
    ((1, 24, 100, 150), 40, (3, 3), {"padding": 6, "dilation": (7, 19)}),
    ((1, 40, 40, 200), 40, (3, 3), {"padding": (0, 5), "dilation": (4, 5)}),
    ((2, 24, 30, 29), 40, (5, 5), {"padding": 2}),
    ((1, 70, 17, 70), 35, (5, 5), {"padding": (0, 3)}),
    ((3, 40, 16, 18), 50, (5, 5), {"padding": (4, 1)}),
    *(((3, 61, 30, 28), 64, (k, k), {"padding": p, "stride": 2}) for k, p in ((4, 1), (4, 3), (5, 2), (5, 3), (6, 0), (6, 2))),
    ((3, 96, 58, 60), 96, (3, 3), {"padding": 0, "stride": 2}),
    ((3, 96, 59, 60), 96, (3, 3), {"padding": 1, "stride": 2}),
    ((2, 100, 18, 19), 96, (4, 4), {"padding": (1, 2), "stride": 2}),
    ((2, 16, 6, 20, 20), 32, (3, 3, 3), {"padding": 1}),
    ((2, 20, 6, 20, 22), 33, (3, 3, 3), {"padding": (1, 2, 0), "dilation": (2, 1, 1)}),
    ((2, 16, 7, 20, 20), 32, (2, 5, 5), {"padding": (0, 2, 2)}),
    ((2, 24, 5, 31, 32), 40, (3, 4, 4), {"padding": 1, "stride": (1, 2, 2)}),
    ((1, 40, 5, 33, 32), 40, (1, 3, 3), {"padding": (0, 2, 2), "dilation": (1, 2, 2)}),
]


def layer(kernel: tuple[int, ...]) -> Callable[..., taeda.Tensor]:
    return taeda.conv2d if len(kernel) == 2 else taeda.conv3d


@pytest.mark.parametrize(("xs", "o", "kernel", "options"), OTHERS)
def test_other_kernels(xs: tuple[int, ...], o: int, kernel: tuple[int, ...], options: dict[str, Any]) -> None:
    arrays = inputs(xs, o, kernel)
    exact = step(arrays, taeda.float64, layer(kernel), **options)
    fast, precise = both(arrays, function=layer(kernel), **options)
    assert max(errors(fast, exact)) < 6e-6 and max(errors(precise, exact)) < 2e-6
    assert all(not np.array_equal(a, b) for a, b in zip(fast[:3], precise[:3], strict=True)), "the case is too small: all three were sums"
    cpu.conv_precision = "fast"
    for n in (1, 2, 3):
        taeda.set_num_threads(n)
        again = step(arrays, function=layer(kernel), **options)
        assert all(np.array_equal(a, b) for a, b in zip(again, fast, strict=True))


def test_planes_that_are_strided() -> None:
    """The input gradient is a sum, the other two are not."""
    arrays = inputs((2, 16, 7, 20, 20), 32, (3, 3, 3))
    exact = step(arrays, taeda.float64, taeda.conv3d, padding=1, stride=(2, 1, 1))
    fast, precise = both(arrays, function=taeda.conv3d, padding=1, stride=(2, 1, 1))
    assert max(errors(fast, exact)) < 5e-6
    assert [np.array_equal(a, b) for a, b in zip(fast[:3], precise[:3], strict=True)] == [False, True, False]


@pytest.mark.parametrize(("xs", "o", "kernel", "options"), OTHERS[::3])
def test_other_kernels_beside_what_is_not_finite(xs: tuple[int, ...], o: int, kernel: tuple[int, ...], options: dict[str, Any]) -> None:
    arrays = inputs(xs, o, kernel)
    arrays[0].flat[arrays[0].size // 2 + 7] = np.inf
    fast, precise = both(arrays, function=layer(kernel), **options)
    assert 0 < (~np.isfinite(fast[0])).sum() < fast[0].size
    for a, b in ((fast[0], precise[0]), (fast[2], precise[2])):  # both are sums, but not always in the same order
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5 * np.abs(b[np.isfinite(b)]).max(initial=1))


@pytest.mark.parametrize(("xs", "o", "kernel", "options"), OTHERS[1::4])
def test_other_kernels_channels_last(xs: tuple[int, ...], o: int, kernel: tuple[int, ...], options: dict[str, Any]) -> None:
    arrays = inputs(xs, o, kernel)
    last = taeda.channels_last if len(kernel) == 2 else taeda.channels_last_3d
    want = step(arrays, function=layer(kernel), **options)
    leaves = [t.contiguous(memory_format=last) if t.dim() > 1 else t for t in map(taeda.from_numpy, arrays)]
    leaves = [t.detach().requires_grad_() for t in leaves]
    y = layer(kernel)(*leaves, **options)
    g = taeda.from_numpy(np.random.default_rng(9).standard_normal(tuple(y.shape), np.float32))
    assert y.is_contiguous(memory_format=last)
    for a, e in zip((y.detach(), *taeda.autograd.grad(y, leaves, g)), want, strict=True):
        np.testing.assert_allclose(a.numpy(), e, rtol=1e-5, atol=6e-6 * np.abs(e).max())


@pytest.mark.parametrize(("k", "padding", "extra"), [(3, 1, 1), (4, 1, 0), (4, 0, 1), (5, 2, 1), (6, 2, 0), (3, 0, 0)])
def test_transposed_strided_convolution(k: int, padding: int, extra: int) -> None:
    arrays = inputs((3, 96, 29, 28), 96, (k, k))
    options = {"stride": 2, "padding": padding, "output_padding": extra}
    exact = step(arrays, taeda.float64, taeda.conv_transpose2d, **options)
    fast, precise = both(arrays, function=taeda.conv_transpose2d, **options)
    assert max(errors(fast, exact)) < 6e-6 and not np.array_equal(fast[0], precise[0])


@pytest.mark.parametrize(("xs", "o", "padding"), CASES[::3] + [((40, 24, 22, 30), 24, 1), ((9, 64, 14, 14), 64, 1)])
def test_bits_do_not_depend_on_the_number_of_threads(xs: tuple[int, ...], o: int, padding: Any) -> None:
    arrays = inputs(xs, o)
    assert_same_for_any_threads(lambda: [a.tobytes() for a in step(arrays, padding=padding)])


# groups, channels and results of each, images of rows x columns, side of the kernel, options
GROUPED: list[tuple[int, int, int, tuple[int, int, int], int, dict[str, Any]]] = [
    (2, 16, 16, (2, 28, 28), 3, {"padding": 1}), (3, 40, 33, (1, 20, 13), 3, {"padding": 1}), (16, 16, 16, (2, 14, 14), 3, {"padding": 1}),
    (2, 24, 12, (2, 27, 27), 5, {"padding": 2}), (4, 32, 32, (4, 17, 15), 3, {"padding": 2, "dilation": 2}),
    (2, 64, 64, (4, 28, 28), 4, {"padding": 1, "stride": 2}), (5, 24, 24, (3, 28, 28), 3, {})]  # fmt: skip


@pytest.mark.parametrize(("groups", "c", "o", "image", "side", "options"), GROUPED)
def test_groups_are_convolutions_of_their_own(groups: int, c: int, o: int, image: tuple[int, int, int], side: int, options: dict[str, Any]) -> None:
    x, w, b = inputs((image[0], c * groups, *image[1:]), o * groups, (side, side))
    arrays = [x, w[:, :c] * np.float32(groups) ** np.float32(0.5), b]
    options = {**options, "groups": groups}
    fast, exact = both(arrays, **options)
    assert max(errors(fast, exact)) < 1e-5
    assert not np.array_equal(fast[0], exact[0])                       # it was Winograd's method
    assert_same_for_any_threads(lambda: [taeda.from_numpy(a) for a in step(arrays, **options)])
    cpu.conv_precision = "fast"
    for g in range(groups):
        alone = [x[:, g * c : (g + 1) * c], *(a[g * o : (g + 1) * o] for a in arrays[1:])]
        y = taeda.conv2d(*map(taeda.from_numpy, map(np.ascontiguousarray, alone)), **{**options, "groups": 1})
        np.testing.assert_allclose(fast[0][:, g * o : (g + 1) * o], y.numpy(), atol=2e-5)
    x[-1, c, 3, 3] = np.nan
    y = taeda.conv2d(*map(taeda.from_numpy, arrays), **options).isnan()
    assert y[-1, o : 2 * o].any() and y.sum() == y[-1, o : 2 * o].sum()


@pytest.mark.parametrize(("xs", "o"), [((8, 64, 28, 28), 64), ((2, 256, 14, 14), 256), ((4, 16, 56, 56), 16)])
def test_error_of_unit_variance(xs: tuple[int, ...], o: int) -> None:
    arrays = inputs(xs, o)
    exact = step(arrays, taeda.float64, padding=1)
    fast, precise = both(arrays, padding=1)
    assert max(np.abs(fast[k] - exact[k]).max() for k in (0, 1)) < 1.2e-5                    # y and dx have unit variance
    assert max(np.abs(precise[k] - exact[k]).max() for k in (0, 1)) < 4e-6
    assert errors(fast, exact)[2] < 4e-6


@pytest.mark.parametrize("offset", [10.0, 1000.0])
def test_error_beside_a_large_mean(offset: float) -> None:
    """Differences of large numbers: the error stays a small part of the sum of what is added up."""
    x, w, b = inputs((4, 32, 28, 28), 48)
    arrays = [x + np.float32(offset), w, b]
    exact = step(arrays, taeda.float64, padding=1)
    size = step([np.abs(a) for a in arrays], taeda.float64, padding=1)
    fast, precise = both(arrays, padding=1)
    assert (np.abs(fast[0] - exact[0]) / size[0]).max() < 4e-6
    assert (np.abs(precise[0] - exact[0]) / size[0]).max() < 5e-7
    assert errors(fast, exact)[2] < 1e-5


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan, 3e38])
@pytest.mark.parametrize("where", [0, 1])
@pytest.mark.parametrize(("xs", "o"), [((2, 16, 30, 30), 16), ((1, 64, 8, 8), 72)])
def test_what_is_not_finite_stays_where_the_sum_has_it(bad: float, where: int, xs: tuple[int, ...], o: int) -> None:
    arrays = inputs(xs, o)
    arrays[where][(0, 1, *((5, 6) if where == 0 else (0, 1)))] = bad
    fast, precise = both(arrays, padding=1)
    for k in (0, 1, 2):                                  # what spoils a tile gives the sum's bits; what does not is finite
        assert np.array_equal(np.isnan(fast[k]), np.isnan(precise[k])) and np.array_equal(np.isinf(fast[k]), np.isinf(precise[k]))
    if bad != 3e38:
        assert np.array_equal(fast[0], precise[0], equal_nan=True)
        if where == 0:
            seen = ~np.isfinite(fast[0][0, 0])
            assert seen[4:7, 5:8].all() and seen.sum() == 9


def test_a_cotangent_that_is_not_finite() -> None:
    x, w = (taeda.from_numpy(a).requires_grad_() for a in inputs((2, 16, 30, 30), 16)[:2])
    g = taeda.ones(2, 16, 30, 30)
    g[1, 3, 10, 11] = float("inf")
    results = []
    for how in ("fast", "precise"):
        cpu.conv_precision = how
        results.append([t.numpy() for t in taeda.autograd.grad(taeda.conv2d(x, w, padding=1), (x, w), g)])
    for a, b in zip(*results, strict=True):
        assert np.array_equal(a, b, equal_nan=True) and 0 < (~np.isfinite(a)).sum() < a.size


@pytest.mark.parametrize("which", ["x", "w", "both"])
def test_channels_last_and_views_give_the_same_bits(which: str) -> None:
    arrays = inputs((2, 20, 18, 19), 36)
    x, w, b = (taeda.from_numpy(a) for a in arrays)
    g = taeda.from_numpy(np.random.default_rng(9).standard_normal((2, 36, 18, 19), np.float32))
    want = step(arrays, padding=1)
    lay = lambda t, name: t.contiguous(memory_format=taeda.channels_last) if which in (name, "both") else t  # noqa: E731
    wide = taeda.from_numpy(np.repeat(arrays[0], 2, 3))[..., ::2]
    turned = taeda.from_numpy(np.ascontiguousarray(arrays[1].transpose(1, 0, 3, 2))).permute(1, 0, 3, 2)
    for leaves in ([lay(x, "x"), lay(w, "w"), b], [wide, turned, b]):
        leaves = [t.detach().requires_grad_() for t in leaves]
        y = taeda.conv2d(*leaves, padding=1)
        for a, e in zip((y.detach(), *taeda.autograd.grad(y, leaves, g)), want, strict=True):
            assert np.array_equal(a.numpy(), e) or a.dim() == 1 and np.allclose(a.numpy(), e, rtol=1e-5, atol=3e-5)


def test_one_image_expanded_over_a_batch() -> None:
    x, w, _ = (taeda.from_numpy(a) for a in inputs((1, 16, 20, 20), 24))
    y = taeda.conv2d(x.expand(3, 16, 20, 20), w, padding=1)
    assert taeda.equal(y[0], y[2]) and taeda.allclose(y[1:2], taeda.conv2d(x, w, padding=1), atol=1e-5)


@pytest.mark.parametrize("padding", [0, 1, 2])
def test_transposed_convolution(padding: int) -> None:
    arrays = inputs((2, 24, 17, 22), 40)
    arrays[1] = np.ascontiguousarray(arrays[1].transpose(1, 0, 2, 3))
    exact = step(arrays, taeda.float64, taeda.conv_transpose2d, padding=padding)
    fast, precise = both(arrays, function=taeda.conv_transpose2d, padding=padding)
    assert max(errors(fast, exact)) < 5e-6 and not np.array_equal(fast[0], precise[0])


def test_second_derivatives() -> None:
    results = []
    for dtype in (taeda.float32, taeda.float64):
        x, w = (taeda.from_numpy(a).to(dtype).requires_grad_() for a in inputs((2, 16, 24, 24), 16)[:2])
        first = taeda.autograd.grad((taeda.conv2d(x, w, padding=1) ** 3).sum(), (x, w), create_graph=True)
        results.append([t.detach().numpy() for t in taeda.autograd.grad(sum((t**2).sum() for t in first), (x, w))])
    assert max(errors(*results)) < 1e-5


@pytest.mark.parametrize("dtype", [taeda.float16, taeda.bfloat16])
def test_narrow_dtypes_are_as_near_as_they_can_be(dtype: Any) -> None:
    x, w, b = (taeda.from_numpy(a).to(dtype) for a in inputs((2, 16, 24, 24), 16))
    y = taeda.conv2d(x, w, b, padding=1)
    exact = taeda.conv2d(x.double(), w.double(), b.double(), padding=1)
    assert y.dtype == dtype and taeda.allclose(y.double(), exact, rtol=taeda.finfo(dtype).eps, atol=1e-5)


def test_no_images() -> None:
    x, w = taeda.zeros(0, 16, 24, 24, requires_grad=True), taeda.zeros(16, 16, 3, 3, requires_grad=True)
    y = taeda.conv2d(x, w, padding=1)
    dx, dw = taeda.autograd.grad(y, (x, w), y)
    assert y.shape == (0, 16, 24, 24) and dx.shape == x.shape and not dw.any()


def test_the_loss_of_a_training_run_is_the_sums() -> None:
    """A small network on pictures of CIFAR's shape: the curves of both methods lie within what float32 makes of any change."""
    rng = np.random.default_rng(3)
    x = taeda.from_numpy(rng.standard_normal((32, 3, 32, 32), np.float32) + np.arange(32, dtype=np.float32)[:, None, None, None] % 4 / 2)
    target = taeda.arange(32) % 4
    shapes = [(16, 3, 3, 3), (16, 16, 3, 3), (32, 16, 3, 3), (4, 32)]
    start = [rng.standard_normal(s, np.float32) * np.float32((2 / np.prod(s[1:])) ** 0.5) for s in shapes]

    def curve() -> list[float]:
        ws, losses = [taeda.from_numpy(a.copy()).requires_grad_() for a in start], []
        for _ in range(30):
            h = taeda.conv2d(x, ws[0], padding=1).relu()
            h = taeda.conv2d(taeda.ops.max_pool2d(taeda.conv2d(h, ws[1], padding=1).relu(), 2), ws[2], padding=1).relu()
            loss = taeda.ops.cross_entropy(h.mean((2, 3)) @ ws[3].t(), target)
            losses.append(loss.item())
            with taeda.no_grad():
                for w, g in zip(ws, taeda.autograd.grad(loss, ws), strict=True):
                    w -= 0.05 * g
        return losses

    curves = []
    for how in ("fast", "precise"):
        cpu.conv_precision = how
        curves.append(curve())
    assert curves[0][-1] < 0.7 * curves[0][0]
    np.testing.assert_allclose(*curves, rtol=5e-4)    # the steps are large: without optimisation sums part by 3e-4 at one of them


def test_the_switch() -> None:
    arrays = inputs((1, 16, 24, 24), 16)
    fast, precise = both(arrays, padding=1)
    with cpu.flags(conv_precision="fast"):
        assert np.array_equal(step(arrays, padding=1)[0], fast[0])
    assert cpu.conv_precision == "precise" and np.array_equal(step(arrays, padding=1)[0], precise[0])
    for bad in ("exact", None, 1):
        with pytest.raises(ValueError, match="conv_precision must be 'fast' or 'precise'"):
            cpu.conv_precision = bad
    with pytest.raises(ValueError, match="conv_precision"), cpu.flags(conv_precision="best"):
        pass
    assert cpu.conv_precision == "precise" and cpu.is_available() and cpu.get_cpu_capability() in ("DEFAULT", "AVX2", "AVX512")
