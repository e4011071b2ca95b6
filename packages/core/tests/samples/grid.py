"""Rows of sampling at grids, affine grids, and pools with windows at random places."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from opinfo import Call, Row, array, layouts


def fold(x: float, n: int, padding: str, align: bool) -> float:
    """A position outside of n pixels brought inside as the padding says."""
    if padding == "reflection":
        low, span = (0.0, n - 1.0) if align else (-0.5, float(n))
        rest = abs(x - low) % (2 * span) if span else 0.0
        x = min(rest, 2 * span - rest) + low if span else 0.0
    return min(max(x, 0.0), n - 1.0) if padding != "zeros" else x


def taps(x: float, n: int, mode: str, padding: str, align: bool) -> list[tuple[int, float]]:
    """(pixel, weight) along one dimension; a pixel outside counts as zero."""
    x = x / 2 * (n - 1) + (n - 1) / 2 if align else ((x + 1) * n - 1) / 2
    if mode == "bicubic":
        base, a = int(np.floor(x)), -0.75
        found = []
        for k in range(base - 1, base + 3):
            d = abs(x - k)
            w = (a + 2) * d**3 - (a + 3) * d**2 + 1 if d <= 1 else a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a
            found.append((int(fold(k, n, padding, align)), w))
        return found
    x = fold(x, n, padding, align)
    if mode == "nearest":
        return [(int(np.round(x)), 1.0)]
    base = int(np.floor(x))
    return [(base, 1 - (x - base)), (base + 1, x - base)]


def grid_sample(
    x: np.ndarray, grid: np.ndarray, mode: str = "bilinear", padding_mode: str = "zeros", align_corners: Any = None
) -> np.ndarray:
    sizes = x.shape[2:]
    y = np.zeros(x.shape[:2] + grid.shape[1:-1])
    for at in np.ndindex(*grid.shape[:-1]):
        point = [float(v) for v in grid[at][::-1]]
        lines = [taps(v, n, mode, padding_mode, bool(align_corners)) for v, n in zip(point, sizes, strict=True)]
        for parts in itertools.product(*lines):
            where = tuple(p[0] for p in parts)
            if all(0 <= i < n for i, n in zip(where, sizes, strict=True)):
                y[(at[0], slice(None), *at[1:])] += np.prod([p[1] for p in parts]) * x[(at[0], slice(None), *where)]
    return y


def samples(rng: np.random.Generator) -> Iterator[Call]:
    grid = array(rng, 2, 3, 2, 2, low=-1.4, high=1.4)
    for x in layouts(array(rng, 2, 2, 3, 4)):
        for g in layouts(grid):
            yield Call(x, g, align_corners=False)
    for mode, padding, align in itertools.product(
        ("bilinear", "nearest", "bicubic"), ("zeros", "border", "reflection"), (False, True)
    ):
        how = {"mode": mode, "padding_mode": padding, "align_corners": align}
        yield Call(array(rng, 2, 2, 3, 4), grid, **how)
        yield Call(array(rng, 1, 1, 1, 2), array(rng, 1, 2, 2, 2), **how)
        if mode != "bicubic":
            yield Call(array(rng, 1, 2, 3, 2, 4), array(rng, 1, 2, 1, 3, 3, low=-1.4, high=1.4), **how)
    yield Call(array(rng, 2, 0, 3, 4), grid, align_corners=False)
    yield Call(array(rng, 0, 2, 3, 4), array(rng, 0, 3, 2, 2), align_corners=False)
    yield Call(array(rng, 2, 2, 3, 4), array(rng, 2, 0, 2, 2), align_corners=False)
    yield Call(array(rng, 1, 3, 20, 20), array(rng, 1, 30, 20, 2), align_corners=True)


def affine_grid(theta: np.ndarray, size: Any, align_corners: Any = None) -> np.ndarray:
    points = size[2:]
    lines = [np.linspace(-1, 1, n) * (1 if align_corners else (n - 1) / n) if n > 1 else np.zeros(1) for n in points]
    mesh = np.meshgrid(*lines, indexing="ij")
    base = np.stack([*mesh[::-1], np.ones(points)], -1)
    return np.einsum("...k,njk->n...j", base, theta)


def affine_samples(rng: np.random.Generator) -> Iterator[Call]:
    for theta in layouts(array(rng, 2, 2, 3)):
        yield Call(theta, (2, 3, 4, 5), align_corners=False)
    yield Call(array(rng, 2, 2, 3), (2, 1, 3, 2), align_corners=True)
    yield Call(array(rng, 1, 2, 3), (1, 1, 1, 2), align_corners=False)
    yield Call(array(rng, 2, 3, 4), (2, 1, 2, 3, 4), align_corners=True)
    yield Call(array(rng, 1, 3, 4), (1, 1, 2, 1, 4), align_corners=False)


def fractional(x: np.ndarray, kernel: Any, output: Any, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    n = u.shape[-1]
    kernel, output = np.broadcast_to(kernel, n), np.broadcast_to(output, n)
    planes = x.reshape(-1, *x.shape[-n:])
    y = np.zeros((len(planes), *output))
    at = np.zeros(y.shape, np.int64)
    for c, plane in enumerate(planes):
        starts = []
        for d in range(n):
            draw, size, out = u.reshape(-1, n)[c, d if n == 3 else 1 - d], x.shape[x.ndim - n + d], output[d]
            step = (size - kernel[d]) / max(out - 1, 1)
            starts.append([int((i + draw) * step) - int(draw * step) for i in range(out - 1)] + [size - kernel[d]])
        for i in np.ndindex(*output):
            begin = [s[j] for s, j in zip(starts, i, strict=True)]
            window = plane[tuple(slice(b, b + k) for b, k in zip(begin, kernel, strict=True))]
            best = np.unravel_index(np.argmax(window), window.shape)
            y[(c, *i)] = window[best]
            at[(c, *i)] = np.ravel_multi_index([b + w for b, w in zip(begin, best, strict=True)], plane.shape)
    shape = x.shape[:-n] + tuple(output)
    return y.reshape(shape), at.reshape(shape)


def fractional2d(x: np.ndarray, kernel_size: Any, output_size: Any, _random_samples: np.ndarray) -> Any:
    return fractional(x, kernel_size, output_size, _random_samples)


def distinct(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Values of which none are close to each other: the largest stays the largest."""
    return rng.permutation(np.linspace(-2, 2, int(np.prod(shape)))).reshape(shape)


def places(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Draws that any dtype holds exactly."""
    return rng.integers(0, 16, shape) / 16


def pools(rng: np.random.Generator, n: int) -> Iterator[Call]:
    size = (4, 5, 6)[3 - n :]
    u = places(rng, 2, 2, n)
    for x in layouts(distinct(rng, 2, 2, *size)):
        yield Call(x, 2, output_size=2, _random_samples=u)
    yield Call(distinct(rng, 2, *size), (1, 2, 3)[3 - n :], output_size=(3, 2, 3)[3 - n :], _random_samples=u[:1])
    yield Call(distinct(rng, 2, 2, *size), 3, output_size=1, _random_samples=u)
    for small in ((1, 2, 3, 4), (2, 3, 3)) if n == 2 else ((1, 1, 3, 3, 3), (1, 3, 3, 4)):
        yield Call(distinct(rng, *small), 1, output_size=2, _random_samples=places(rng, 1, small[-n - 1], n))


X, G = np.ones((2, 3, 4, 4)), np.zeros((2, 1, 1, 2))
THETA = np.ones((2, 2, 3))

ROWS = [
    Row("ops.grid_sample", samples, grid_sample, torch="nn.functional.grid_sample", errors=(
        (Call(X, G, mode="cubic", align_corners=False), ValueError, r"\[grid_sample\] expected mode to be 'bilinear', .* got: 'cubic'"),
        (Call(X, G, padding_mode="same", align_corners=False), ValueError, r"\[grid_sample\] expected padding_mode to be"),
        (Call(X, G[:1], align_corners=False), RuntimeError, r"\[grid_sample\] expected grid and input to have same batch size"),
        (Call(X, G[..., :1], align_corners=False), RuntimeError, r"\[grid_sample\] expected grid to have size 2 in last dimension"),
        (Call(X[0], G, align_corners=False), RuntimeError, r"\[grid_sample\] expected 4D or 5D input"),
        (Call(X[:, :, :0], G, align_corners=False), RuntimeError, r"\[grid_sample\] expected input to have non-empty spatial"),
        (Call(X[..., None], np.zeros((2, 1, 1, 1, 3)), mode="bicubic", align_corners=False), RuntimeError,
         r"\[grid_sample\] bicubic interpolation only supports 4D input"),
        (Call(X, G.astype(np.float32), align_corners=False), RuntimeError, r"\[grid_sample\] expected scalar type Double but found Float"),
        (Call(np.ones((2, 3, 4, 4), np.int64), np.zeros((2, 1, 1, 2), np.int64), align_corners=False), NotImplementedError,
         r"\[grid_sample\] not implemented for 'Long'"),
    )),
    Row("ops.affine_grid", affine_samples, affine_grid, torch="nn.functional.affine_grid", errors=(
        (Call(THETA, (2, 3, 4), align_corners=False), NotImplementedError, r"\[affine_grid\] affine_grid only supports 4D and 5D sizes"),
        (Call(THETA[0], (2, 3, 4, 5), align_corners=False), ValueError, r"\[affine_grid\] Expected a batch of 2D affine matrices"),
        (Call(THETA, (2, 3, 0, 5), align_corners=False), ValueError, r"\[affine_grid\] Expected non-zero, positive output size"),
        (Call(THETA, (1, 3, 4, 5), align_corners=False), RuntimeError, r"\[affine_grid\] Expected theta and size to have the same batch"),
        (Call(np.ones((2, 2, 3), np.int64), (2, 3, 4, 5), align_corners=False), ValueError, r"\[affine_grid\] .*floating point type"),
    )),
    Row("ops.fractional_max_pool2d", lambda rng: pools(rng, 2), fractional2d,
        torch="nn.functional.fractional_max_pool2d_with_indices", errors=(
            (Call(X, 2, 5), RuntimeError, r"\[fractional_max_pool2d\] pool height 2 too large relative to input height 4"),
            (Call(X[:, :0], 2, 2), RuntimeError, r"\[fractional_max_pool2d\] Expected input to have non-zero size"),
            (Call(X, (1, 2, 3), 2), RuntimeError, r"\[fractional_max_pool2d\] kernel_size must either be a single Int or tuple"),
            (Call(X, 2, 2, _random_samples=np.ones((2, 3))), RuntimeError, r"\[fractional_max_pool2d\] Expect _random_samples"),
            (Call(X[0, 0], 2, 2), IndexError, r"\[fractional_max_pool2d\] Expected 3D or 4D tensor"),
        )),
    Row("ops.fractional_max_pool3d", lambda rng: pools(rng, 3), fractional2d,
        torch="nn.functional.fractional_max_pool3d_with_indices", errors=(
            (Call(X, 2, 2), RuntimeError, r"\[fractional_max_pool3d\] pool time 2 too large relative to input time 3"),
        )),
]
