"""Rows of reductions of runs of neighbours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from opinfo import Call, Row, array, layouts

KINDS = ("sum", "mean", "max", "min", "prod")
START = {"sum": 0.0, "mean": np.nan, "max": -np.inf, "min": np.inf, "prod": 1.0}
FULL = np.array([2, 1, 3])


def runs(rng: np.random.Generator) -> Iterator[Call]:
    for kind in KINDS:
        for x in layouts(array(rng, 6, 2)):
            yield Call(x, kind, lengths=FULL)
        yield Call(array(rng, 6), kind, lengths=np.array([1, 5], np.int32))
        yield Call(array(rng, 6, 2), kind, offsets=np.array([0, 2, 2, 5]), initial=0.5)
        yield Call(array(rng, 2, 5), kind, lengths=np.array([[2, 2, 1], [1, 1, 3]]), axis=1)
        yield Call(array(rng, 6), kind, lengths=np.array([2, 1]), unsafe=True)


def empty(rng: np.random.Generator) -> Iterator[Call]:
    for kind in KINDS:
        yield Call(array(rng, 6), kind, lengths=np.array([0, 6]))
        yield Call(array(rng, 6), kind, lengths=np.array([0, 6]), initial=2)
    yield Call(array(rng, 0, 3), "sum", lengths=np.array([0, 0]))


def segment_reduce(
    x: Any, kind: str, lengths: Any = None, offsets: Any = None, axis: int = 0, unsafe: bool = False, initial: Any = None
) -> Any:
    if axis:
        return np.stack([segment_reduce(a, kind, b) for a, b in zip(x, lengths, strict=True)])
    ends = np.cumsum([0, *lengths]) if offsets is None else offsets
    made = np.full((len(ends) - 1, *x.shape[1:]), START[kind] if initial is None else float(initial))
    f = {"sum": np.add, "mean": np.add, "max": np.maximum, "min": np.minimum, "prod": np.multiply}[kind]
    for s, (a, b) in enumerate(zip(ends[:-1], ends[1:], strict=True)):
        if a < b:
            whole = f.reduce(x[a:b], 0)
            made[s] = whole if initial is None else f(whole, initial)
            made[s] /= b - a if kind == "mean" else 1
    return made.astype(x.dtype)


X = np.zeros((6, 2))
ROWS = [
    Row("segment_reduce", runs, segment_reduce, dtypes=("float32", "float64"), gradgrad=False, errors=(
        (Call(X, "sum"), RuntimeError, "takes lengths or offsets, got neither"),
        (Call(X, "sum", indices=FULL), RuntimeError, "not indices"),
        (Call(X, "median", lengths=FULL), RuntimeError, "unsupported reduction 'median'"),
        (Call(X, "sum", lengths=np.array([2, 1])), RuntimeError, r"must sum to data.shape\[axis\] = 6, got \[\[2, 1\]\]"),
        (Call(X, "sum", lengths=np.array([7, -1])), RuntimeError, "must not be negative"),
        (Call(X, "sum", lengths=FULL, axis=1), RuntimeError, r"got \(3,\) for data of shape \(6, 2\) and axis 1"),
        (Call(X, "sum", lengths=FULL.astype(np.float32)), NotImplementedError, "int32 or int64"),
        (Call(X.astype(np.int64), "sum", lengths=FULL), NotImplementedError, "int64"))),
    Row("segment_reduce", empty, segment_reduce, grad=False),
]
