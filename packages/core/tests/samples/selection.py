"""Rows of membership and choice, and of the names that exist for programs' sake."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from opinfo import ALL, FLOATS, INTS, Call, Row, array


def members(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(rng.integers(0, 9, (3, 4)), rng.integers(0, 9, (3,)))
    yield Call(rng.integers(0, 500, (3, 40)), rng.integers(0, 500, (2, 100)))
    yield Call(rng.integers(0, 9, (5,)), rng.integers(0, 9, (3,)), invert=True, assume_unique=True)
    yield Call(rng.integers(0, 9, (5,)), 3)
    yield Call(3, rng.integers(0, 9, (5,)))
    yield Call(np.array([1.0, np.nan, 2.5]), np.array([np.nan, 2.5]))
    yield Call(np.array([1.0, np.nan, 2.5]), np.r_[np.full(80, np.nan), 2.5, np.inf])
    yield Call(np.arange(6).reshape(2, 3), np.array([1.0, 2.5, 4.0]))
    yield Call(np.arange(4), np.zeros(0))


def isin(a: Any, b: Any, assume_unique: bool = False, invert: bool = False) -> Any:
    return np.isin(a, b, invert=invert)


def choices(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(array(rng, 4))
    yield Call(array(rng, 3), 2, True)
    yield Call(array(rng, 5), 3)
    yield Call(array(rng, 3), r=4, with_replacement=True)
    yield Call(array(rng, 3), 1)
    yield Call(array(rng, 3), 5)
    yield Call(array(rng, 7), 5)
    yield Call(array(rng, 0))
    yield Call(array(rng, 0), 1)


def combinations(x: Any, r: int = 2, with_replacement: bool = False) -> Any:
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    return np.array(list(choose(x, r)), dtype=x.dtype).reshape(-1, r)


def folds(rng: np.random.Generator) -> Iterator[Call]:
    for reduce in ("prod", "mean", "amax", "amin"):
        yield Call(array(rng, 3, 2, low=1, high=4), 0, np.array([0, 2, 0, 0]), array(rng, 4, 2, low=1, high=4), reduce)
        yield Call(array(rng, 2, 3), -1, np.array([1, 1], np.int32), array(rng, 2, 2), reduce, include_self=False)
    yield Call(array(rng, 2, 3), 0, np.array([], np.int64), array(rng, 0, 3), "mean")
    yield Call(array(rng), 0, np.array([0]), array(rng), "amax")
    yield Call(array(rng, 2, 3), 0, np.array(1), array(rng, 1, 3), "prod")


FOLD = {"prod": np.prod, "mean": np.mean, "amax": np.max, "amin": np.min}


def index_reduce(x: Any, dim: int, index: Any, source: Any, reduce: str, include_self: bool = True) -> Any:
    y = np.array(np.moveaxis(np.atleast_1d(x), dim, 0))
    s, index = np.moveaxis(np.atleast_1d(source), dim, 0), index.reshape(-1)
    for i in set(index.tolist()):
        rows = s[index == i]
        found = FOLD[reduce](np.concatenate([y[i : i + 1], rows]) if include_self else rows, axis=0)
        y[i] = np.floor(found) if y.dtype.kind in "iu" else found
    return np.moveaxis(y, 0, dim).reshape(x.shape)


def sparse_rows(rng: np.random.Generator) -> Iterator[Call]:
    x = np.round(array(rng, 3, 4))
    yield Call(x, size=3)
    yield Call(x, size=20, fill_value=-7)
    yield Call(np.zeros((2, 0)), size=2)
    yield Call(np.array(3.0), size=1)


def nonzero_static(x: Any, size: int, fill_value: int = -1) -> Any:
    y = np.full((size, x.ndim), fill_value)
    found = np.argwhere(x)[:size]
    y[: len(found)] = found
    return y


def images(rng: np.random.Generator) -> Iterator[Call]:
    for corners in (True, False):
        yield Call(array(rng, 2, 2, 3), (2, 1, 2, 3), corners)
        yield Call(array(rng, 1, 3, 4), [1, 1, 2, 1, 2], corners)


def affine_grid(theta: Any, size: Any, align_corners: bool) -> Any:
    axes = [(np.linspace(-1, 1, n) if n > 1 else np.zeros(n)) * (1 if align_corners else (n - 1) / n) for n in size[2:]]
    grid = np.stack([*np.meshgrid(*axes, indexing="ij")[::-1], np.ones(size[2:])], -1)
    return np.einsum("...k,ndk->n...d", grid, theta)


def batch_norm(x: Any, w: Any, b: Any, mean: Any, var: Any, training: bool, momentum: float, eps: float, cudnn: bool) -> Any:
    mean, var = (x.mean(0), x.var(0)) if training else (mean, var)
    return (x - mean) / np.sqrt(var + eps) * (1 if w is None else w) + (0 if b is None else b)


def batches(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(array(rng, 4, 3), array(rng, 3), array(rng, 3), None, None, True, 0.1, 1e-5, True)


def small(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(array(rng, 3, 4))
    yield Call(array(rng, 2, 0, 3))


def bits(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(array(rng, 3, 4))
    yield Call(array(rng, 3, 5, 2), 1)
    yield Call(array(rng, 3, 5, 2), dim=(0, -1), keepdim=True)
    yield Call(array(rng))
    yield Call(array(rng, 0, 2), 1)


def hash_tensor(x: Any, dim: Any = (), keepdim: bool = False) -> Any:
    axes = (dim,) if isinstance(dim, int) else tuple(dim) or tuple(range(x.ndim))
    whole = x.astype(np.float64 if x.dtype.kind == "f" else np.int64).view(np.uint64)
    return np.bitwise_xor.reduce(whole, axis=axes, keepdims=keepdim) if x.ndim else whole


def slopes(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(array(rng, 3, 4), np.array(0.25))
    yield Call(array(rng, 2, 3, 2), array(rng, 3))
    yield Call(array(rng, 4), array(rng, 1))
    yield Call(array(rng), array(rng, 1))


def prelu(x: Any, w: Any) -> Any:
    w = w.reshape([-1] + [1] * (x.ndim - 2)) if w.size > 1 else w.reshape(())
    return np.where(x > 0, x, w * x)


def halves(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(array(rng, 3, 4))
    yield Call(array(rng, 4, 3), 0)
    yield Call(array(rng, 2, 6, 3), dim=-2)
    yield Call(array(rng, 0, 4))


def glu(x: Any, dim: int = -1) -> Any:
    a, b = np.split(x, 2, dim)
    return a / (1 + np.exp(-b))


ROWS = [
    Row("glu", halves, glu, errors=(
        (Call(np.zeros(3)), RuntimeError, "dimension -1 is size 3"), (Call(np.zeros(())), RuntimeError, "0-dimensional"),
        (Call(np.zeros(4, np.int64)), NotImplementedError, "not implemented for 'Long'"), (Call(np.zeros(4), 1), IndexError, "out of range"))),
    Row("isin", members, isin, dtypes=FLOATS, grad=False, errors=(
        (Call(1, 2), TypeError, "must be a Tensor, got"),
        (Call(np.array([True]), np.array([1])), RuntimeError, "Unsupported input type"),
        (Call(np.array([1]), [1]), TypeError, "not list"))),
    Row("combinations", choices, combinations, dtypes=ALL, errors=(
        (Call(np.zeros((2, 2))), RuntimeError, r"Expect a 1D vector, but got shape \[2, 2\]"),
        (Call(np.zeros(2), -1), RuntimeError, "non-negative number, but got -1"),
        (Call(np.zeros(10000), 10), RuntimeError, "Storage size calculation overflowed"),
        (Call(np.zeros(1), 2**60, True), RuntimeError, "Storage size calculation overflowed"))),
    Row("index_reduce", folds, index_reduce, dtypes=FLOATS + INTS[1:], method="index_reduce", inplace="index_reduce_", out=True,
        errors=(
            (Call(np.zeros((2, 3)), 0, np.array([0]), np.zeros((1, 3)), "sum"), RuntimeError, "one of prod, mean, amax or amin"),
            (Call(np.zeros((2, 3)), 0, np.array([2]), np.zeros((1, 3)), "mean"), IndexError, "out of range in self: 2"),
            (Call(np.zeros((2, 3)), 0, np.array([0, 1]), np.zeros((1, 3)), "mean"), RuntimeError, r"Number of indices \(2\)"),
            (Call(np.zeros((2, 3)), 0, np.array([0]), np.zeros((1, 4)), "mean"), RuntimeError, "must match self tensor shape"),
            (Call(np.zeros((2, 3)), 0, np.array([[0]]), np.zeros((1, 3)), "mean"), IndexError, "supposed to be a vector"),
            (Call(np.zeros((2, 3)), 0, np.array([0.0]), np.zeros((1, 3)), "mean"), RuntimeError, "int32/int64 for index"))),
    Row("nonzero_static", sparse_rows, nonzero_static, dtypes=ALL, grad=False, method="nonzero_static", out=True, errors=(
        (Call(np.zeros(2), size=-1), RuntimeError, "non-negative integer"),)),
    Row("affine_grid_generator", images, affine_grid, errors=(
        (Call(np.zeros((1, 2, 3)), (2, 2), True), RuntimeError, "4d .spatial. or 5d"),
        (Call(np.zeros((1, 2, 2)), (1, 1, 2, 2), True), RuntimeError, r"expected theta of shape \(1, 2, 3\)"))),
    Row("batch_norm", batches, batch_norm),
    Row("batch_norm", lambda rng: [Call(array(rng, 4, 3), None, None, array(rng, 3), np.ones(3), False, 0.1, 1e-5, False)], batch_norm,
        grad=False),
    Row("embedding", lambda rng: [Call(array(rng, 4, 3), np.array([[0, 3], [1, 1]])), Call(array(rng, 4, 3), np.array([2, 2]), -2)],
        lambda w, i, padding=-1: w[i]),
    Row("embedding", lambda rng: [Call(array(rng, 4, 3), np.array([2, 2, 0]), 2)], lambda w, i, padding: w[i], grad=False),
    Row("hardshrink", lambda rng: [*small(rng), Call(array(rng, 3, 4), 1.0)],
        lambda x, lambd=0.5: np.where(np.abs(x) > lambd, x, 0), method="hardshrink", out=True, errors=(
        (Call(np.array([1])), NotImplementedError, "not implemented for 'Long'"),)),
    Row("prelu", slopes, prelu, method="prelu", errors=(
        (Call(np.zeros((2, 3)), np.zeros(2)), RuntimeError, r"got weight \(2,\) for input \(2, 3\)"),
        (Call(np.zeros(2, np.int64), np.zeros(1)), RuntimeError, "Type promoting not supported"))),
    Row("hash_tensor", bits, hash_tensor, dtypes=ALL, grad=False, method="hash_tensor", errors=(
        (Call(np.zeros(2), mode=1), RuntimeError, "Unknown hash_tensor mode: 1"),
        (Call(np.zeros(2), out=2), TypeError, "argument 'out' must be Tensor, not int"),
        (Call(np.zeros((0, 2)), 0), IndexError, "non-zero size"))),
    Row("adjoint", small, lambda x: np.swapaxes(x, -1, -2), dtypes=ALL, method="adjoint", errors=(
        (Call(np.zeros(2)), RuntimeError, "matrices"),)),
    Row("get_device", small, lambda x: -1, dtypes=ALL, grad=False, method="get_device"),
]
