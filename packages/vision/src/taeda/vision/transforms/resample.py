"""Resizing tensors: each axis is one product with a matrix of weights.

Output pixel i of an axis is the sum over j of w[i, j] x[j]. With antialiasing the filter is stretched by the
scale when an image shrinks, as Pillow does, so that a tensor and a PIL image resize alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

import taeda

__all__ = ["resize_tensor"]


def _triangle(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.maximum(0.0, 1.0 - np.abs(x))


def _cubic(a: float) -> Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]]:
    """Return Keys' cubic kernel (1981) with slope a at 1."""

    def kernel(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        x = np.abs(x)
        near = ((a + 2) * x - (a + 3)) * x * x + 1
        far = a * (((x - 5) * x + 8) * x - 4)
        return np.where(x < 1, near, np.where(x < 2, far, 0.0))

    return kernel


@lru_cache(maxsize=64)
def _weights(n_in: int, n_out: int, mode: str, antialias: bool) -> np.ndarray[Any, Any]:
    """Return the n_out x n_in weights of one axis, float64."""
    scale = n_in / n_out
    # With antialiasing a cubic has slope -0.5, as in Pillow; without, -0.75, as in PyTorch.
    filter_ = _triangle if mode == "bilinear" else _cubic(-0.5 if antialias else -0.75)
    radius = 1.0 if mode == "bilinear" else 2.0
    weights = np.zeros((n_out, n_in))
    centers = (np.arange(n_out) + 0.5) * scale
    if antialias:
        stretch = max(scale, 1.0)
        for i, center in enumerate(centers):
            low = max(int(center - radius * stretch + 0.5), 0)
            high = min(int(center + radius * stretch + 0.5), n_in)
            w = filter_((np.arange(low, high) - center + 0.5) / stretch)
            weights[i, low:high] = w / w.sum()
        return weights
    position = centers - 0.5
    if mode == "bilinear":
        position = np.maximum(position, 0.0)
    taps = np.arange(1 - int(radius), int(radius) + 1)
    for i, x in enumerate(position):
        base = math.floor(x)
        # Pixels past the border count as the border's: weights that fall on the same pixel add up.
        np.add.at(weights[i], np.clip(base + taps, 0, n_in - 1), filter_(x - base - taps))
    return weights


def _nearest(n_in: int, n_out: int, exact: bool) -> taeda.Tensor:
    rows = np.floor((np.arange(n_out) + (0.5 if exact else 0.0)) * (n_in / n_out)).astype(np.int64)
    return taeda.from_numpy(np.minimum(rows, n_in - 1))


def resize_tensor(img: taeda.Tensor, height: int, width: int, mode: str, antialias: bool) -> taeda.Tensor:
    """Resize the last two dimensions of `img`: ... x H x W gives ... x height x width.

    Args:
        img: any real dtype; whole numbers are rounded, and kept in 0 ... 255 where they are uint8.
        mode: ``nearest``, ``nearest-exact``, ``bilinear`` or ``bicubic``.
        antialias: stretch the filter where the image shrinks; without meaning for the nearest modes.
    """
    h, w = img.shape[-2:]
    if mode.startswith("nearest"):
        exact = mode == "nearest-exact"
        rows, columns = _nearest(h, height, exact), _nearest(w, width, exact)
        return img.index_select(img.dim() - 2, rows).index_select(img.dim() - 1, columns)
    x = img if img.is_floating_point() else img.to(taeda.float32)
    if width != w:
        right = taeda.from_numpy(np.ascontiguousarray(_weights(w, width, mode, antialias).T)).to(x.dtype)
        x = x @ right.to(x.device)
    if height != h:
        left = taeda.from_numpy(_weights(h, height, mode, antialias)).to(x.dtype)
        x = left.to(x.device) @ x
    if img.is_floating_point():
        return x
    if img.dtype == taeda.uint8:
        x = x.clamp(0, 255)
    return x.round().to(img.dtype)
