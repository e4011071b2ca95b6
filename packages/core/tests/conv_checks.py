"""What holds for a convolution of any size, whichever kernel computes it."""

from __future__ import annotations

import numpy as np

import taeda
from any_threads import assert_same_for_any_threads
from samples.conv import convolve


def gradients(x, w, b, g, **options):
    """Return y and the gradients of input, weight and bias as NumPy arrays."""
    leaves = [taeda.from_numpy(a).requires_grad_() for a in (x, w, b)]
    y = (taeda.conv1d, taeda.conv2d, taeda.conv3d)[x.ndim - 3](*leaves, **options)
    y.backward(taeda.from_numpy(g(tuple(y.shape))))
    return [y.detach().numpy(), *[leaf.grad.numpy() for leaf in leaves]]


def check_bits_by_threads(xs, ws, options):
    """The result and all gradients have the same bits on one, two and three threads."""
    rng = np.random.default_rng(0)
    x, w, b = (rng.standard_normal(s, np.float32) for s in (xs, ws, ws[:1]))
    g = lambda s: np.random.default_rng(1).standard_normal(s, np.float32)  # noqa: E731
    assert_same_for_any_threads(lambda: [a.tobytes() for a in gradients(x, w, b, g, **options)])


def check_values_and_gradients(xs, ws, options, dtype):
    """The result is the sum's, and the gradients are its transposes in input and weight."""
    rng = np.random.default_rng(3)
    x, w, b = (rng.standard_normal(s) for s in (xs, ws, ws[:1]))
    y, dx, dw, db = gradients(*(a.astype(dtype) for a in (x, w, b)), lambda s: np.random.default_rng(4).standard_normal(s)
                              .astype(dtype), **options)
    g = np.random.default_rng(4).standard_normal(y.shape)
    tolerance = 1e-4 if dtype == np.float32 else 1e-11
    np.testing.assert_allclose(y, convolve(x, w, b, **options), rtol=tolerance, atol=tolerance * 10)
    # <g, conv(u, v)> = <dx, u> for v = w, and = <dw, v> for u = x: the gradients' defining property
    for _ in range(3):
        u, v = rng.standard_normal(xs), rng.standard_normal(ws)
        for got, want in ((dx * u, convolve(u, w, **options)), (dw * v, convolve(x, v, **options))):
            exact = (want * g).sum()
            assert abs(got.sum(dtype=np.float64) - exact) <= tolerance * (np.abs(want * g).sum() + 1)
    np.testing.assert_allclose(db, g.sum((0, *range(2, g.ndim))), rtol=tolerance, atol=tolerance * 100)
