"""Batches of matrices for tests: the same numbers in every layout, and how far results are from what is wanted."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import taeda

EPS = {"float32": 2.0**-23, "float64": 2.0**-52, "complex64": 2.0**-23, "complex128": 2.0**-52}


def layouts(x: np.ndarray) -> Iterator[taeda.Tensor]:
    """The same matrices by rows, by columns, with gaps, and out of a transposed batch."""
    yield taeda.from_numpy(x)
    yield taeda.from_numpy(np.ascontiguousarray(x.swapaxes(-1, -2))).mT
    yield taeda.from_numpy(np.repeat(x, 2, axis=-1))[..., ::2]
    yield taeda.from_numpy(np.ascontiguousarray(x.T)).permute(*range(x.ndim - 1, -1, -1))


def off(x: taeda.Tensor, wanted: np.ndarray, scale: float = 1.0) -> float:
    """The largest difference, in units of eps times the size times scale."""
    assert tuple(x.shape) == wanted.shape
    found = x.numpy()
    return float(np.abs(found - wanted).max() / (EPS[str(found.dtype)] * max(wanted.shape[-2:]) * scale)) if wanted.size else 0.0
