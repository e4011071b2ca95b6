"""Rows of distances between rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from opinfo import Call, Row, array

INF = np.inf


def norm(d: Any, p: float, keepdims: bool = False) -> Any:
    return np.linalg.norm(d, p, -1, keepdims) if d.shape[-1] else np.zeros(d.shape[:-1])


def rows(rng: np.random.Generator) -> Iterator[Call]:
    for p in (2.0, 1, 3, 1.5, INF, 0):
        yield Call(array(rng, 3, 4), array(rng, 2, 4), p)
    yield Call(array(rng, 2, 1, 3, 2), array(rng, 2, 4, 2))
    yield Call(array(rng, 30, 3), array(rng, 4, 3))
    yield Call(array(rng, 3, 2), array(rng, 2, 2), compute_mode="use_mm_for_euclid_dist")
    yield Call(array(rng, 26, 2), array(rng, 2, 2), compute_mode="donot_use_mm_for_euclid_dist")
    yield Call(array(rng, 0, 3), array(rng, 2, 3))
    yield Call(array(rng, 2, 0), array(rng, 3, 0))
    yield Call(array(rng, 4, 3).T, array(rng, 2, 4))
    for p in (0, 1, 2, 3, INF):                   # more than a panel, a run and a turned piece
        yield Call(array(rng, 3, 261), array(rng, 18, 261), p)
        yield Call(array(rng, 67, 1), array(rng, 17, 1), p, compute_mode="donot_use_mm_for_euclid_dist")
        yield Call(array(rng, 3, 70, 5), array(rng, 3, 2, 5), p, compute_mode="donot_use_mm_for_euclid_dist")     # panels of the first's rows


def cdist(a: Any, b: Any, p: float = 2, compute_mode: str = "") -> Any:
    return norm(a[..., :, None, :] - b[..., None, :, :], p)


def all_pairs(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(array(rng, 4, 3))
    for p in (1, 2.5, INF, 0):
        yield Call(array(rng, 4, 3), p)
    yield Call(array(rng, 1, 3))
    yield Call(array(rng, 3, 4).T)
    yield Call(array(rng, 70, 2), 1)


def pdist(x: Any, p: float = 2) -> Any:
    i, j = np.triu_indices(len(x), 1)
    return norm(x[i] - x[j], p)


def two(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(array(rng, 3, 4), array(rng, 3, 4))
    yield Call(array(rng, 3, 4), array(rng, 4))
    yield Call(array(rng, 2, 3), array(rng, 4, 1, 3))


def along(rng: np.random.Generator) -> Iterator[Call]:
    yield from two(rng)
    yield Call(array(rng, 3, 4), array(rng, 3, 4), dim=0)
    yield Call(array(rng, 3), array(rng, 3), 0, 1e-3)


def cosine(a: Any, b: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    a, b = np.broadcast_arrays(a, b)
    n = [np.maximum(np.sqrt((x * x).sum(dim, keepdims=True)), eps) for x in (a, b)]
    return (a / n[0] * b / n[1]).sum(dim)


def apart(rng: np.random.Generator) -> Iterator[Call]:
    yield from two(rng)
    yield Call(array(rng, 3, 4), array(rng, 3, 4), 1, 1e-3, True)
    yield Call(array(rng, 5), array(rng, 5), INF)


def pairwise(a: Any, b: Any, p: float = 2, eps: float = 1e-6, keepdim: bool = False) -> Any:
    return norm(a - b + eps, p, keepdim)


def long_rows(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(array(rng, 3, 4), 2, 0, 1.5)
    yield Call(array(rng, 3, 4), 1, 1, 2)
    yield Call(array(rng, 2, 3, 2), INF, -1, 0.5)
    yield Call(array(rng, 2, 3), 2.5, 0, 1e3)
    yield Call(array(rng, 2, 3), 3, 0, 0)


def renorm(x: Any, p: float, dim: int, maxnorm: float) -> Any:
    flat = np.moveaxis(x, dim, 0).reshape(x.shape[dim], -1)
    n = np.linalg.norm(flat, p, 1)
    factor = np.where(n > maxnorm, maxnorm / (n + 1e-7), 1)
    return x * factor.reshape([-1 if i == dim % x.ndim else 1 for i in range(x.ndim)])


ROWS = [
    Row("cdist", rows, cdist, atol={"float32": 5e-6, "float64": 1e-12}, rtol={"float32": 5e-5, "float64": 1e-10}, errors=(
        (Call(np.zeros(3), np.zeros((2, 3))), RuntimeError, r"at least 2D tensors, X1 got: 1D"),
        (Call(np.zeros((2, 3)), np.zeros((2, 4))), RuntimeError, "same number of columns. X1: 3 X2: 4"),
        (Call(np.zeros((2, 3)), np.zeros((2, 3)), -1), RuntimeError, "non-negative p"),
        (Call(np.zeros((2, 3)), np.zeros((2, 3)), compute_mode="fast"), ValueError, "not a valid value for compute_mode"),
        (Call(np.zeros((2, 3)), np.zeros((2, 3)), None), TypeError, "'p' must be float"),
        (Call(np.zeros((2, 3)), np.zeros((2, 3), np.float32)), RuntimeError, "expected one dtype"),
        (Call(np.zeros((2, 3), np.int64), np.zeros((2, 3), np.int64)), RuntimeError, "floating-point dtypes"))),
    Row("pdist", all_pairs, pdist, errors=(
        (Call(np.zeros(3)), RuntimeError, r"only supports 2D tensors, got: 1D; shape \(3,\)"),
        (Call(np.zeros((2, 3)), -1), RuntimeError, "non-negative p"),
        (Call(np.zeros((2, 3), np.int64)), RuntimeError, "floating-point dtypes"))),
    Row("cosine_similarity", along, cosine, errors=(
        (Call(np.zeros(2, np.int64), np.zeros(2, np.int64)), RuntimeError, "common dtype is taeda.int64"),
        (Call(np.zeros(2), np.zeros(2)), IndexError, "Dimension out of range"))),
    Row("cosine_similarity", lambda rng: [Call(array(rng, 2, 3), np.zeros((2, 3)))], cosine, grad=False),
    Row("pairwise_distance", apart, pairwise, errors=(
        (Call(np.zeros((2, 3)), np.zeros((2, 4))), RuntimeError, "must match the size"),)),
    Row("renorm", long_rows, renorm, method="renorm", inplace="renorm_", out=True, errors=(
        (Call(np.zeros(3), 2, 0, 1), RuntimeError, r"at least 2 dimensions, got shape \(3,\)"),
        (Call(np.zeros((2, 3)), 0, 0, 1), RuntimeError, "non-positive-norm"),
        (Call(np.zeros((2, 3)), 2, 0, -1), RuntimeError, "maxnorm to be >= 0"),
        (Call(np.zeros((2, 3)), 2, 2, 1), IndexError, "Dimension out of range"))),
]
