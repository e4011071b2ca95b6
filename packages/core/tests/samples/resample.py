"""Rows of interpolate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from opinfo import Call, Row, array, layouts


def windows(mode: str, n: int, out: int, align: bool, scale: float) -> np.ndarray:
    """Weights of n input positions in each of `out` outputs, of a kernel as wide as an output is."""
    m = np.zeros((out, n))
    reach = {"bilinear": 1, "bicubic": 2, "lanczos": 3}[mode]
    scale = (n - 1) / (out - 1) if align and out > 1 else 0.0 if align else scale
    wide = max(scale, 1.0)
    for i in range(out):
        centre = scale * (i + 0.5)
        for k in range(max(int(centre - reach * wide + 0.5), 0), min(int(centre + reach * wide + 0.5), n)):
            d = abs(k - centre + 0.5) / wide
            if mode == "bilinear":
                m[i, k] = max(1 - d, 0)
            elif mode == "bicubic":
                m[i, k] = 1.5 * d**3 - 2.5 * d**2 + 1 if d < 1 else -0.5 * d**3 + 2.5 * d**2 - 4 * d + 2 if d < 2 else 0
            else:
                m[i, k] = np.sinc(d) * np.sinc(d / 3) if d < 3 else 0
        m[i] /= m[i].sum()
    return m


def matrix(mode: str, n: int, out: int, align: bool, factor: float | None) -> np.ndarray:
    """Weights of n input positions in each of `out` outputs."""
    m = np.zeros((out, n))
    scale = n / out if factor is None else 1 / factor
    if mode == "area":
        for i in range(out):
            first, end = i * n // out, -((-(i + 1) * n) // out)
            m[i, first:end] = 1 / (end - first)
        return m
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
    recompute_scale_factor: Any = None, antialias: bool = False,
) -> np.ndarray:
    n = x.ndim - 2
    factors = [None] * n if scale_factor is None else list(np.broadcast_to(scale_factor, n))
    if size is None:
        sizes = [int(np.floor(s * f)) for s, f in zip(x.shape[2:], factors, strict=True)]
    else:
        sizes = list(np.broadcast_to(size, n))
    for d in range(n):
        factor = None if recompute_scale_factor or factors[d] is None else float(factors[d])
        size, out = x.shape[d + 2], int(sizes[d])
        if antialias:
            m = windows(mode, size, out, bool(align_corners), size / out if factor is None else 1 / factor)
        else:
            m = matrix(mode, size, out, bool(align_corners), factor)
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
    for mode in ("bilinear", "bicubic", "lanczos"):
        for shape, size in (((1, 2, 7, 9), (3, 2)), ((1, 2, 4, 3), (7, 5)), ((2, 1, 3, 8), (3, 1)), ((1, 1, 6, 2), (2, 9))):
            yield Call(array(rng, *shape), size, mode=mode, antialias=True)
        yield Call(array(rng, 1, 2, 7, 9), scale_factor=0.4, mode=mode, antialias=True)
        if mode != "lanczos":
            yield Call(array(rng, 1, 2, 7, 9), (3, 2), mode=mode, align_corners=True, antialias=True)
    yield Call(array(rng, 1, 2, 5, 4, 3), (3, 2, 4), mode="area")
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
        (Call(X, 8, antialias=True), ValueError, r"\[interpolate\] Anti-alias option is restricted to bilinear, bicubic, and lanczos"),
        (Call(X, 8, mode="lanczos"), ValueError, r"\[interpolate\] Lanczos mode requires antialias=True"),
        (Call(X, 8, mode="lanczos", align_corners=True, antialias=True), ValueError, r"\[interpolate\] Lanczos mode does not support"),
        (Call(np.ones((2, 3, 4), np.uint8), 8, mode="linear"), NotImplementedError, r"\[interpolate\] mode 'linear' is not implemented"),
    )),
]
