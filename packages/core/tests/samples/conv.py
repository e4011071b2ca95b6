"""Rows of convolutions and their transposes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from opinfo import Call, Row, array, layouts


def pair(value: Any, n: int) -> tuple[int, ...]:
    return (value,) * n if isinstance(value, int) else tuple(value) * (n // len(value))


def convolve(x: np.ndarray, w: np.ndarray, b: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
             groups: int = 1) -> np.ndarray:
    """Add up one shifted, weighted input per tap of the kernel."""
    n = w.ndim - 2
    unbatched = x.ndim == n + 1
    x = x[None] if unbatched else x
    s, d, k = pair(stride, n), pair(dilation, n), w.shape[2:]
    if padding == "same":
        total = [e * (j - 1) for e, j in zip(d, k, strict=True)]
        p = [(t // 2, t - t // 2) for t in total]
    else:
        p = [(q, q) for q in pair(0 if padding == "valid" else padding, n)]
    x = np.pad(x, [(0, 0), (0, 0), *p])
    size = [(x.shape[2 + i] - d[i] * (k[i] - 1) - 1) // s[i] + 1 for i in range(n)]
    og, cg = w.shape[0] // groups, w.shape[1]
    y = np.zeros((x.shape[0], w.shape[0], *size), x.dtype)
    for g in range(groups):
        for tap in np.ndindex(*k):
            at = tuple(slice(t * e, t * e + (m - 1) * f + 1, f) for t, e, m, f in zip(tap, d, size, s, strict=True))
            part = x[(slice(None), slice(g * cg, (g + 1) * cg), *at)]
            y[:, g * og:(g + 1) * og] += np.einsum("nc...,oc->no...", part, w[(slice(g * og, (g + 1) * og), slice(None), *tap)])
    if b is not None:
        y += b.reshape(-1, *[1] * n)
    return y[0] if unbatched else y


def transposed(x: np.ndarray, w: np.ndarray, b: Any = None, stride: Any = 1, padding: Any = 0, output_padding: Any = 0,
               groups: int = 1, dilation: Any = 1) -> np.ndarray:
    """Let each input place add a scaled kernel to the result."""
    n = w.ndim - 2
    unbatched = x.ndim == n + 1
    x = x[None] if unbatched else x
    s, d, p, more, k = pair(stride, n), pair(dilation, n), pair(padding, n), pair(output_padding, n), w.shape[2:]
    full = [(x.shape[2 + i] - 1) * s[i] + d[i] * (k[i] - 1) + 1 + more[i] for i in range(n)]
    cg, og = w.shape[0] // groups, w.shape[1]
    y = np.zeros((x.shape[0], og * groups, *full), x.dtype)
    for g in range(groups):
        for tap in np.ndindex(*k):
            at = tuple(slice(t * e, t * e + (m - 1) * f + 1, f)
                       for t, e, m, f in zip(tap, d, x.shape[2:], s, strict=True))
            y[(slice(None), slice(g * og, (g + 1) * og), *at)] += np.einsum(
                "nc...,co->no...", x[:, g * cg:(g + 1) * cg], w[(slice(g * cg, (g + 1) * cg), slice(None), *tap)])
    y = y[(..., *[slice(p[i], full[i] - p[i]) for i in range(n)])]
    if b is not None:
        y = y + b.reshape(-1, *[1] * n)
    return y[0] if unbatched else y


def conv1d_samples(rng: np.random.Generator) -> Iterator[Call]:
    for x in layouts(array(rng, 2, 3, 7)):
        for w in layouts(array(rng, 4, 3, 3)):
            yield Call(x, w, array(rng, 4))
    x, w = array(rng, 2, 4, 8), array(rng, 6, 2, 3)
    for more in ({"stride": 2}, {"padding": 2}, {"dilation": 2}, {"stride": (3,), "padding": (1,)}, {"padding": "same"},
                 {"padding": "valid"}, {"padding": "same", "dilation": 3}):
        yield Call(x, w, array(rng, 6), groups=2, **more)
    yield Call(x, array(rng, 5, 4, 2), padding="same")
    yield Call(array(rng, 3, 6), array(rng, 2, 3, 6), array(rng, 2))
    yield Call(array(rng, 0, 3, 6), array(rng, 2, 3, 3))
    yield Call(x, array(rng, 4, 1, 3), groups=4)
    for more in ({}, {"stride": 2, "padding": 1}, {"dilation": 2, "padding": 2}, {"padding": "same"}):   # for gradients
        yield Call(array(rng, 1, 2, 4), array(rng, 2, 1, 2), array(rng, 2), groups=2, **more)


def conv2d_samples(rng: np.random.Generator) -> Iterator[Call]:
    for x in layouts(array(rng, 2, 3, 5, 4)):
        for w in layouts(array(rng, 4, 3, 3, 2)):
            yield Call(x, w, array(rng, 4))
    x, w = array(rng, 2, 4, 6, 5), array(rng, 6, 2, 3, 2)
    for more in ({"stride": 2}, {"padding": 1}, {"dilation": 2}, {"stride": (2, 1), "padding": (0, 2)}, {"padding": "same"},
                 {"stride": 3, "padding": 2, "dilation": (1, 2)}, {"stride": (2, 3), "padding": 1, "dilation": 2},
                 {"padding": "same", "dilation": (1, 3)}, {"stride": 7}):
        yield Call(x, w, array(rng, 6), groups=2, **more)
    yield Call(x, array(rng, 3, 4, 1, 1))
    yield Call(x, array(rng, 3, 4, 1, 1), stride=2)
    yield Call(x, array(rng, 4, 1, 3, 3), padding=1, groups=4)
    yield Call(array(rng, 3, 4, 4), array(rng, 17, 3, 3, 3), array(rng, 17), padding=1)
    yield Call(array(rng, 1, 1, 2, 2), array(rng, 1, 1, 5, 5), padding=3)
    yield Call(array(rng, 0, 3, 6, 6), array(rng, 2, 3, 3, 3), array(rng, 2))
    for more in ({}, {"stride": 2, "padding": 1}, {"dilation": (1, 2), "padding": 1}, {"padding": "same"}):
        yield Call(array(rng, 1, 2, 3, 3), array(rng, 2, 1, 2, 2), array(rng, 2), groups=2, **more)     # for gradients


def transpose1d_samples(rng: np.random.Generator) -> Iterator[Call]:
    for x in layouts(array(rng, 2, 3, 5)):
        yield Call(x, array(rng, 3, 4, 3), array(rng, 4))
    x, w = array(rng, 2, 4, 4), array(rng, 4, 3, 3)
    for more in ({"stride": 2}, {"padding": 1}, {"stride": 3, "padding": 1, "output_padding": 2}, {"dilation": 2},
                 {"stride": 2, "dilation": 3, "output_padding": 2}):
        yield Call(x, w, array(rng, 6), groups=2, **more)
    yield Call(array(rng, 3, 4), array(rng, 3, 2, 3))
    for more in ({}, {"stride": 2, "padding": 1, "output_padding": 1}, {"dilation": 2}):     # for gradients
        yield Call(array(rng, 1, 2, 3), array(rng, 2, 1, 2), array(rng, 2), groups=2, **more)


def transpose2d_samples(rng: np.random.Generator) -> Iterator[Call]:
    for x in layouts(array(rng, 2, 3, 3, 4)):
        yield Call(x, array(rng, 3, 4, 3, 2), array(rng, 4))
    x, w = array(rng, 2, 4, 3, 4), array(rng, 4, 3, 3, 2)
    for more in ({"stride": 2}, {"padding": 1}, {"stride": (3, 2), "padding": 1, "output_padding": (2, 1)}, {"dilation": 2},
                 {"stride": 2, "dilation": 3, "output_padding": 2}, {"stride": (1, 4)}):
        yield Call(x, w, array(rng, 6), groups=2, **more)
    yield Call(array(rng, 3, 4, 2), array(rng, 3, 2, 3, 3))
    yield Call(array(rng, 0, 3, 4, 2), array(rng, 3, 2, 3, 3), array(rng, 2))
    for more in ({}, {"stride": (1, 2), "padding": 1, "output_padding": (0, 1)}, {"dilation": 2}):     # for gradients
        yield Call(array(rng, 1, 2, 2, 3), array(rng, 2, 1, 2, 2), array(rng, 2), groups=2, **more)


def conv3d_samples(rng: np.random.Generator) -> Iterator[Call]:
    for x in layouts(array(rng, 2, 2, 3, 4, 3)):
        for w in layouts(array(rng, 3, 2, 2, 3, 2)):
            yield Call(x, w, array(rng, 3))
    x, w = array(rng, 2, 4, 4, 5, 6), array(rng, 6, 2, 3, 2, 3)
    for more in ({"stride": 2}, {"padding": 1}, {"stride": (1, 2, 3), "padding": (2, 0, 1)}, {"padding": "same"},
                 {"stride": (3, 1, 2), "padding": (1, 1, 2), "dilation": (1, 2, 2)}, {"padding": "same", "dilation": (2, 1, 3)},
                 {"padding": 3, "dilation": (3, 1, 2)}, {"padding": "valid"}, {"stride": 7, "padding": [1]}):
        yield Call(x, w, array(rng, 6), groups=2, **more)
    yield Call(x, array(rng, 17, 4, 1, 1, 1), array(rng, 17))
    yield Call(x, array(rng, 4, 1, 2, 3, 3), padding=1, groups=4)
    yield Call(array(rng, 2, 3, 3, 3), array(rng, 3, 2, 2, 2, 2), array(rng, 3), padding=1)
    yield Call(array(rng, 0, 1, 3, 3, 3), array(rng, 2, 1, 2, 2, 2))
    for more in ({}, {"stride": (1, 2, 1), "padding": (1, 0, 1)}, {"padding": "same", "dilation": (2, 1, 1)}):   # for gradients
        yield Call(array(rng, 1, 2, 2, 2, 2), array(rng, 2, 1, 2, 1, 2), array(rng, 2), groups=2, **more)


def transpose3d_samples(rng: np.random.Generator) -> Iterator[Call]:
    for x in layouts(array(rng, 2, 3, 2, 3, 4)):
        yield Call(x, array(rng, 3, 4, 2, 3, 2), array(rng, 4))
    x, w = array(rng, 2, 4, 3, 2, 4), array(rng, 4, 3, 2, 3, 2)
    for more in ({"stride": 2}, {"padding": (1, 1, 0)}, {"stride": (3, 1, 2), "padding": (1, 0, 1), "output_padding": (2, 0, 1)},
                 {"dilation": 2}, {"stride": 2, "dilation": 3, "output_padding": 2}, {"stride": (4, 1, 1)}):
        yield Call(x, w, array(rng, 6), groups=2, **more)
    yield Call(array(rng, 3, 4, 2, 2), array(rng, 3, 2, 3, 3, 1))
    yield Call(array(rng, 0, 3, 4, 2, 1), array(rng, 3, 2, 3, 3, 2), array(rng, 2))
    for more in ({}, {"stride": (2, 1, 1), "padding": (1, 0, 0), "output_padding": (1, 0, 0)}):     # for gradients
        yield Call(array(rng, 1, 2, 2, 2, 1), array(rng, 2, 1, 2, 1, 2), array(rng, 2), groups=2, **more)


def tbc_samples(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(array(rng, 5, 2, 3), array(rng, 2, 3, 4), array(rng, 4))      # PyTorch refuses other layouts
    yield Call(array(rng, 3, 2, 2), array(rng, 3, 2, 2), array(rng, 2), 1)
    yield Call(array(rng, 4, 0, 2), array(rng, 3, 2, 2), array(rng, 2))


def tbc(x: np.ndarray, w: np.ndarray, b: np.ndarray, pad: int = 0) -> np.ndarray:
    return convolve(x.transpose(1, 2, 0), w.transpose(2, 1, 0), b, padding=pad).transpose(2, 0, 1)


Z = np.zeros
X, V = Z((2, 3, 5, 5)), Z((4, 3, 3, 3))
SHARED = (
    (Call(X, Z((4, 2, 3, 3))), RuntimeError, r"weight of size \[4, 2, 3, 3\], expected input\[2, 3, 5, 5\] to have 2 channels, but got 3"),
    (Call(X, Z((4, 3, 3))), RuntimeError, "expected a 4-dimensional weight"),
    (Call(Z((5, 5)), V), RuntimeError, r"Expected 3D \(unbatched\) or 4D \(batched\)"),
    (Call(X, Z((4, 3, 6, 3))), RuntimeError, "Kernel size can't be greater than actual input size"),
    (Call(X, V, stride=0), RuntimeError, "non-positive stride"),
    (Call(X, V, stride=(1, -1)), RuntimeError, "non-positive stride"),
    (Call(X, V, stride=(1, 1, 1)), RuntimeError, "list of 2 values"),
    (Call(X, V, padding=-1), RuntimeError, "negative padding"),
    (Call(X, V, padding="full"), RuntimeError, "Invalid padding string"),
    (Call(X, V, padding="same", stride=2), RuntimeError, "strided convolutions"),
    (Call(X, V, dilation=0), RuntimeError, "non-positive dilation"),
    (Call(X, V, groups=0), RuntimeError, "non-positive groups"),
    (Call(Z((2, 6, 5, 5)), V, groups=2, stride=1.5), TypeError, "stride"),
    (Call(Z((2, 9, 5, 5)), V, groups=3), RuntimeError, "divisible"),
    (Call(X, V, Z(3)), RuntimeError, "bias to be 1-dimensional with 4 elements"),
    (Call(X, Z((4, 3, 3, 3), np.float32)), RuntimeError, "should be the same"),
    (Call(X, V, Z(4, np.float32)), RuntimeError, "should be the same"),
    (Call(X, Z((0, 3, 3, 3))), RuntimeError, "at least 1"),
    (Call(X, Z((4, 3, 0, 3))), RuntimeError, "greater than zero"),
    (Call([1], V), TypeError, "Tensor"),
    (Call(X, V, padding=1 << 40), RuntimeError, "2\\^31"),
    (Call(X, V, padding=1 << 30), RuntimeError, "memory"),
)
ROWS = [
    Row("conv1d", conv1d_samples, convolve, errors=(
        (Call(Z((2, 3, 5)), Z((4, 2, 3))), RuntimeError, "expected input"),
        (Call(Z((2, 3, 5)), Z((4, 3, 6))), RuntimeError, "Kernel size can't be greater"))),
    Row("conv2d", conv2d_samples, convolve, errors=SHARED),
    Row("conv_transpose1d", transpose1d_samples, transposed),
    Row("conv_transpose2d", transpose2d_samples, transposed, errors=(
        (Call(X, Z((3, 4, 3, 3)), output_padding=1), RuntimeError, "output padding must be smaller"),
        (Call(X, Z((4, 4, 3, 3))), RuntimeError, "to have 4 channels, but got 3"),
        (Call(X, Z((3, 4, 1, 1)), padding=3), RuntimeError, "Output size is too small"),
        (Call(X, Z((3, 4, 3, 3)), Z(3)), RuntimeError, "4 elements"))),
    Row("conv3d", conv3d_samples, convolve, errors=(
        (Call(Z((3, 4, 5)), Z((3, 2, 2, 2, 2))), RuntimeError, r"Expected 4D \(unbatched\) or 5D \(batched\) input to conv3d"),
        (Call(Z((1, 2, 3, 4, 5)), V), RuntimeError, "expected a 5-dimensional weight"),
        (Call(Z((1, 2, 3, 4, 5)), Z((3, 2, 4, 2, 2))), RuntimeError, "Kernel size can't be greater than actual input size"),
        (Call(Z((1, 2, 3, 4, 5)), Z((3, 2, 2, 2, 2)), stride=(1, 0, 1)), RuntimeError, "non-positive stride"),
        (Call(Z((1, 2, 3, 4, 5)), Z((3, 2, 2, 2, 2)), padding=(1, 1)), RuntimeError, "list of 3 values"))),
    Row("conv_transpose3d", transpose3d_samples, transposed, errors=(
        (Call(Z((1, 2, 3, 4, 5)), Z((2, 3, 2, 2, 2)), output_padding=1), RuntimeError, "output padding must be smaller"),
        (Call(Z((1, 2, 3, 4, 5)), Z((2, 3, 1, 1, 1)), padding=2), RuntimeError, "Output size is too small"))),
    Row("conv_tbc", tbc_samples, tbc, errors=(
        (Call(Z((5, 2)), Z((2, 3, 4)), Z(4)), RuntimeError, r"Input must have 3 dims.* \(5, 2\)"),
        (Call(Z((5, 2, 3)), Z((2, 3)), Z(4)), RuntimeError, "Weight tensor must have 3 dims"),
        (Call(Z((5, 2, 3)), Z((2, 2, 4)), Z(4)), RuntimeError, "Input dim 2"),
        (Call(Z((5, 2, 3)), Z((2, 3, 4)), Z(3)), RuntimeError, "Bias size must equal dim 2"),
        (Call(Z((5, 2, 3)), Z((8, 3, 4)), Z(4)), RuntimeError, "Kernel size"),
        (Call(Z((5, 2, 3)), Z((2, 3, 4)), None), TypeError, "Tensor"))),
]
