"""Rows of differences, derivatives and integrals of samples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from opinfo import FLOATS, Call, Row, array

GIVEN = FLOATS + ("int32", "int64")


def differences(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(array(rng, 5))
    yield Call(array(rng, 3, 4))
    yield Call(array(rng, 3, 4), 2, 0)
    yield Call(array(rng, 3, 4), n=0)
    yield Call(array(rng, 3, 4), n=9)
    yield Call(array(rng, 2, 3, 4), 1, -2)
    yield Call(array(rng, 3, 4), dim=1, prepend=array(rng, 3, 2), append=array(rng, 3, 1))
    yield Call(array(rng, 3, 4), 3, dim=0, append=array(rng, 1, 4))
    yield Call(array(rng, 2, 0))
    yield Call(array(rng, 0, 2), dim=0)
    yield Call(array(rng, 4, 3).T)


def diff(x: Any, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None) -> Any:
    y = np.concatenate([a for a in (prepend, x, append) if a is not None], dim)
    for _ in range(n):
        y = np.diff(y, axis=dim)
    return y


def fields(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(array(rng, 5))
    yield Call(array(rng, 3, 4))
    yield Call(array(rng, 3, 4), spacing=2)
    yield Call(array(rng, 3, 4), spacing=0.5, dim=-1)
    yield Call(array(rng, 3, 4), spacing=(2.0, 0.5), edge_order=2)
    yield Call(array(rng, 3, 4, 3), dim=(2, 0), edge_order=2)
    yield Call(array(rng, 3, 4), spacing=[np.array([0.0, 1.0, 4.0]), np.array([1.0, 2.0, 4.0, 5.0])])
    yield Call(array(rng, 4, 3), spacing=[np.array([0.0, 1.0, 4.0, 5.0])], dim=0, edge_order=2)
    yield Call(array(rng, 2))
    yield Call(array(rng, 3), edge_order=2)


def gradient(x: Any, spacing: Any = 1, dim: Any = None, edge_order: int = 1) -> Any:
    axes = tuple(range(x.ndim)) if dim is None else (dim,) if isinstance(dim, int) else dim
    steps = list(spacing) if isinstance(spacing, (list, tuple)) else [spacing] * len(axes)
    return [np.gradient(x, h, axis=axis, edge_order=edge_order) for h, axis in zip(steps, axes, strict=True)]


def curves(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(array(rng, 5))
    yield Call(array(rng, 3, 4), dx=0.5)
    yield Call(array(rng, 3, 4), dim=0, dx=2)
    yield Call(array(rng, 3, 4), array(rng, 4))
    yield Call(array(rng, 3, 4), array(rng, 3), dim=0)
    yield Call(array(rng, 2, 3, 4), array(rng, 3, 4), dim=1)
    yield Call(array(rng, 2, 3), array(rng, 2, 3))
    yield Call(array(rng, 4, 3).T, array(rng, 3, 4))
    yield Call(array(rng, 2, 1))


def areas(y: Any, x: Any = None, dx: float = 1, dim: int = -1) -> Any:
    if x is not None:
        places = x if x.ndim == 1 else np.moveaxis(x.reshape([1] * (y.ndim - x.ndim) + list(x.shape)), dim, -1)
        dx = np.diff(places)
    y = np.moveaxis(y, dim, -1)
    return dx * (y[..., 1:] + y[..., :-1]) / 2, dim


def trapezoid(*args: Any, **kwargs: Any) -> Any:
    return areas(*args, **kwargs)[0].sum(-1)


def cumulative_trapezoid(*args: Any, **kwargs: Any) -> Any:
    parts, dim = areas(*args, **kwargs)
    return np.moveaxis(np.cumsum(parts, -1), -1, dim)


def curve_errors(scalar: str) -> tuple[Any, ...]:
    return (
        (Call(np.array([True, False])), RuntimeError, "bool is not supported"),
        (Call(np.zeros((2, 3)), np.zeros(2)), RuntimeError, r"one `x` value for each sample point, got 2 for the 3"),
        (Call(np.zeros(3), 2), TypeError, "must be Tensor"),
        (Call(np.array(1.0)), IndexError, scalar),
        (Call(np.zeros(3), dim=1), IndexError, "Dimension out of range"),
    )


ROWS = [
    Row("diff", differences, diff, dtypes=GIVEN, method="diff", out=True, errors=(
        (Call(np.array(1.0)), RuntimeError, "at least one-dimensional"),
        (Call(np.zeros(3), -1), RuntimeError, "non-negative but got -1"),
        (Call(np.zeros((2, 3)), prepend=np.zeros(3)), RuntimeError, r"same dimension as input, got shapes \(3,\) and \(2, 3\)"),
        (Call(np.zeros((2, 3)), append=np.zeros((3, 1))), RuntimeError, "except along the differencing dimension"),
        (Call(np.zeros(3), 1.5), TypeError, "must be int"),
        (Call(np.zeros(3), 1, 1), IndexError, "Dimension out of range"))),
    Row("diff", lambda rng: [Call(rng.random(7) > 0.5), Call(rng.random((2, 5)) > 0.5, 2)], diff, dtypes=("bool",), grad=False),
    Row("gradient", fields, gradient, dtypes=FLOATS, errors=(
        (Call(np.zeros(4), edge_order=3), RuntimeError, "edge_order=1 and edge_order=2"),
        (Call(np.zeros(2), edge_order=2), RuntimeError, r"at least edge_order\+1 = 3, got shape \(2,\)"),
        (Call(np.zeros((3, 3)), spacing=[1.0]), RuntimeError, "each of the 2 dimensions, but got 1"),
        (Call(np.zeros((3, 3)), dim=(0, 0)), RuntimeError, "dim 0 appears multiple times"),
        (Call(np.zeros(3), spacing=np.zeros(3)), TypeError, "spacing"),
        (Call(np.zeros(3, np.uint8)), RuntimeError, "does not support uint8"))),
    Row("trapezoid", curves, trapezoid, dtypes=FLOATS, errors=curve_errors("no dimensions")),
    Row("trapezoid", lambda rng: [Call(array(rng, 2, 0)), Call(array(rng, 0, 2))], trapezoid, dtypes=FLOATS, grad=False),
    Row("trapz", curves, trapezoid, dtypes=FLOATS),
    Row("cumulative_trapezoid", curves, cumulative_trapezoid, dtypes=FLOATS, errors=curve_errors("no dimensions")),
]
