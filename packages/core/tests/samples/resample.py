"""Rows of interpolate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from opinfo import Call, Row, array, layouts


def matrix(mode: str, n: int, out: int, align: bool, factor: float | None) -> np.ndarray:
    """Weights of n input positions in each of `out` outputs."""
    m = np.zeros((out, n))
    scale = n / out if factor is None else 1 / factor
    for i in range(out):
        if mode.startswith("nearest"):
            m[i, min(n - 1, int(np.float32(scale) * np.float32(i + 0.5 * (mode != "nearest"))))] = 1
            continue
        if align:
            x = i * (n - 1) / (out - 1) if out > 1 else 0.0
        else:
            x = scale * (i + 0.5) - 0.5
        if mode == "bicubic":
            base, a = int(np.floor(x)), -0.75
            for k in range(-1, 3):
                d = abs(x - base - k)
                w = (a + 2) * d**3 - (a + 3) * d**2 + 1 if d <= 1 else a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a
                m[i, min(max(base + k, 0), n - 1)] += w
        else:
            x = max(x, 0.0)
            base = min(int(x), n - 1)
            m[i, base] += 1 - (x - base)
            m[i, min(base + 1, n - 1)] += x - base
    return m


def interpolate(
    x: np.ndarray, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: Any = None,
    recompute_scale_factor: Any = None,
) -> np.ndarray:
    n = x.ndim - 2
    factors = [None] * n if scale_factor is None else list(np.broadcast_to(scale_factor, n))
    if size is None:
        sizes = [int(np.floor(s * f)) for s, f in zip(x.shape[2:], factors, strict=True)]
    else:
        sizes = list(np.broadcast_to(size, n))
    for d in range(n):
        factor = None if recompute_scale_factor or factors[d] is None else float(factors[d])
        m = matrix(mode, x.shape[d + 2], int(sizes[d]), bool(align_corners), factor)
        x = np.moveaxis(np.tensordot(m, x, (1, d + 2)), 0, d + 2)
    return x


def samples(rng: np.random.Generator) -> Iterator[Call]:
    for x in layouts(array(rng, 2, 2, 3, 4)):
        yield Call(x, scale_factor=2)
        yield Call(x, (5, 3), mode="bilinear")
    for mode, shape in (("nearest", (2, 1, 5)), ("nearest", (1, 2, 4, 3)), ("nearest", (1, 1, 2, 3, 2)),
                        ("nearest-exact", (2, 1, 5)), ("nearest-exact", (1, 2, 4, 3)), ("nearest-exact", (1, 1, 2, 3, 2))):
        x = array(rng, *shape)
        yield Call(x, 7, mode=mode)
        yield Call(x, 2, mode=mode)
        yield Call(x, scale_factor=1.7, mode=mode)
        yield Call(x, scale_factor=1.7, mode=mode, recompute_scale_factor=True)
    for mode, shape in (("linear", (2, 1, 5)), ("bilinear", (1, 2, 4, 3)), ("trilinear", (1, 1, 2, 3, 2)),
                        ("bicubic", (1, 2, 4, 3))):
        x = array(rng, *shape)
        for align in (False, True):
            yield Call(x, 7, mode=mode, align_corners=align)
            yield Call(x, 2, mode=mode, align_corners=align)
            yield Call(x, 1, mode=mode, align_corners=align)
            yield Call(x, scale_factor=1.7, mode=mode, align_corners=align)
        yield Call(x, scale_factor=1.7, mode=mode, recompute_scale_factor=True)
    yield Call(array(rng, 1, 2, 4, 3), scale_factor=(2, 0.7), mode="bilinear")
    yield Call(array(rng, 0, 2, 4, 3), 5)
    yield Call(array(rng, 1, 1, 3, 3), (3, 3), mode="bilinear")


X = np.ones((2, 3, 4, 4))

ROWS = [
    Row("interpolate", samples, interpolate, torch="nn.functional.interpolate", errors=(
        (Call(X), ValueError, r"\[interpolate\] either size or scale_factor should be defined"),
        (Call(X, 8, 2), ValueError, r"\[interpolate\] only one of size or scale_factor should be defined"),
        (Call(X, 8, mode="nearest", align_corners=True), ValueError, r"\[interpolate\] align_corners option can only be set"),
        (Call(X, 8, mode="linear"), NotImplementedError, r"\[interpolate\] Got 4D input, but linear mode needs 3D input"),
        (Call(X[0, 0], 8), NotImplementedError, r"\[interpolate\] Input Error: Only 3D, 4D and 5D.*\(got 2D\)"),
        (Call(X, 0), RuntimeError, r"\[interpolate\] Input and output sizes should be greater than 0"),
        (Call(X, (1, 2, 3)), ValueError, r"\[interpolate\] Input and output size must have the same number"),
        (Call(X, 8, recompute_scale_factor=True), ValueError, r"\[interpolate\] recompute_scale_factor is not meaningful"),
    )),
]
