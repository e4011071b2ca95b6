"""Rows of gather and scatter, index_select and kin, take and put."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from opinfo import ALL, Call, Row, array, layouts

LANES = [((5,), 0, (3,)), ((4, 3), 0, (2, 3)), ((4, 3), 1, (4, 5)), ((4, 3), -1, (2, 2)), ((2, 3, 4), 1, (2, 5, 4)),
         ((2, 3, 4), 0, (1, 2, 3)), ((2, 3, 4), 2, (2, 3, 1)), ((3,), 0, (0,)), ((), 0, ())]


def lane_indices(rng: np.random.Generator, distinct: bool = False) -> Iterator[tuple[np.ndarray, int, np.ndarray]]:
    """Yield x, dim and an index of another shape; distinct: none that names an element twice."""
    for shape, dim, wanted in LANES:
        size = shape[dim] if shape else 1
        index = rng.integers(0, size, wanted)
        if distinct and wanted:
            n = min(wanted[dim], size)
            index = rng.random(wanted[:dim % len(shape)] + (size,) + wanted[dim % len(shape) + 1:]).argsort(dim)
            index = np.take(index, range(n), dim)
        yield array(rng, *shape), dim, index
    for x in layouts(array(rng, 4, 3)):
        yield x, 0, np.asfortranarray(rng.permuted(np.arange(4)[:, None].repeat(3, 1), axis=0))


def gather_samples(rng: np.random.Generator) -> Iterator[Call]:
    for x, dim, index in lane_indices(rng):
        yield Call(x, dim, index)
    yield Call(array(rng, 40, 50), 1, rng.integers(0, 50, (40, 1)))


def gather(x: np.ndarray, dim: int, index: np.ndarray) -> np.ndarray:
    y = np.zeros(index.shape, x.dtype)
    for at in np.ndindex(*index.shape):
        y[at] = x[place(at, dim, index)]
    return y


def place(at: tuple[int, ...], dim: int, index: np.ndarray) -> tuple[int, ...]:
    if not at:
        return at
    dim %= len(at)
    return at[:dim] + (int(index[at]),) + at[dim + 1:]


def scatter_samples(number: bool, distinct: bool, *rest: Any, **more: Any) -> Callable[[np.random.Generator], Iterator[Call]]:
    def samples(rng: np.random.Generator) -> Iterator[Call]:
        for x, dim, index in lane_indices(rng, distinct):
            src = 1.5 if number else array(rng, *[n + 1 for n in index.shape] if index.size > 6 else index.shape, low=0.5)
            yield Call(x, dim, index, src, *rest, **more)

    return samples


def scatter_by(step: Callable[[Any, Any], Any]) -> Callable[..., np.ndarray]:
    def run(x: np.ndarray, dim: int, index: np.ndarray, src: Any, **more: Any) -> np.ndarray:
        y = x.copy()
        for at in np.ndindex(*index.shape):
            to = place(at, dim, index)
            y[to] = step(y[to], np.asarray(src)[at] if np.ndim(src) or not at else src)
        return y

    def any_source(x: np.ndarray, dim: int, index: np.ndarray, src: Any, **more: Any) -> np.ndarray:
        return run(x, dim, index, src if np.ndim(src) else np.full(index.shape, src), **more)

    return any_source


def scatter_reduce_samples(rng: np.random.Generator) -> Iterator[Call]:
    for reduce in ("sum", "prod", "mean", "amax", "amin"):
        for keep in (True, False):
            for x, dim, index in lane_indices(rng):
                yield Call(np.array(x + 0.1), dim, index, array(rng, *index.shape, low=0.5), reduce, include_self=keep)


def scatter_reduce(x: np.ndarray, dim: int, index: np.ndarray, src: np.ndarray, reduce: str, *, include_self: bool = True) -> np.ndarray:
    found: dict[tuple[int, ...], list[Any]] = {}
    for at in np.ndindex(*index.shape):
        to = place(at, dim, index)
        found.setdefault(to, [x[to]] if include_self else []).append(src[at])
    y = x.copy()
    how = {"sum": np.sum, "prod": np.prod, "mean": np.mean, "amax": np.max, "amin": np.min}[reduce]
    for to, values in found.items():
        y[to] = how(np.array(values))
    return y


ROWS_OF = [((5,), 0, 3), ((4, 3), 0, 6), ((4, 3), 1, 2), ((2, 3, 4), -2, 2), ((3, 2), 0, 0)]


def rows(rng: np.random.Generator) -> Iterator[tuple[np.ndarray, int, np.ndarray]]:
    for shape, dim, n in ROWS_OF:
        yield array(rng, *shape), dim, rng.integers(0, shape[dim], n)
    for x in layouts(array(rng, 4, 3)):
        yield x, 0, np.array([3, 1, 3])
        yield x, 1, np.array([2, 0])


def select_samples(rng: np.random.Generator) -> Iterator[Call]:
    for x, dim, index in rows(rng):
        yield Call(x, dim, index)
    yield Call(array(rng, 3, 2), 0, np.array(1))


def source_samples(distinct: bool) -> Callable[[np.random.Generator], Iterator[Call]]:
    def samples(rng: np.random.Generator) -> Iterator[Call]:
        for x, dim, index in rows(rng):
            index = np.unique(index)[::-1].copy() if distinct else index
            shape = list(x.shape)
            shape[dim] = index.size
            more = {} if distinct else {"alpha": 0.5}
            yield Call(x, dim, index, array(rng, *shape), **more)

    return samples


def fill_samples(rng: np.random.Generator) -> Iterator[Call]:
    for x, dim, index in rows(rng):
        yield Call(x, dim, index, 2.5)
    yield Call(array(rng, 3, 2), 1, np.array([0, -1]), array(rng))


def index_add(x: np.ndarray, dim: int, index: np.ndarray, source: np.ndarray, *, alpha: float = 1) -> np.ndarray:
    y = np.moveaxis(x, dim, 0).copy()
    np.add.at(y, index, alpha * np.moveaxis(source, dim, 0))
    return np.moveaxis(y, 0, dim)


def index_write(x: np.ndarray, dim: int, index: np.ndarray, source: Any) -> np.ndarray:
    y = np.moveaxis(x, dim, 0).copy()
    y[index] = np.moveaxis(source, dim, 0) if np.ndim(source) else source
    return np.moveaxis(y, 0, dim)


def take_samples(rng: np.random.Generator) -> Iterator[Call]:
    for x in layouts(array(rng, 3, 4)):
        yield Call(x, np.array([[0, 11], [-1, 4]]))
    yield Call(array(rng, 3), np.array([], dtype=np.int64))
    yield Call(array(rng), np.array([0, 0]))


def put_samples(rng: np.random.Generator) -> Iterator[Call]:
    for x in layouts(array(rng, 3, 4)):
        yield Call(x, np.array([[0, 11], [-3, 4]]), array(rng, 2, 2))
        yield Call(x, np.array([5, 5, 1]), array(rng, 3), True)


def put(x: np.ndarray, index: np.ndarray, source: np.ndarray, accumulate: bool = False) -> np.ndarray:
    y = x.reshape(-1).copy()
    if accumulate:
        np.add.at(y, index, source)
    else:
        y[index] = source
    return y.reshape(x.shape)


def along_samples(rng: np.random.Generator) -> Iterator[Call]:
    x = array(rng, 3, 4)
    yield Call(x, x.argsort(1), 1)
    yield Call(x, np.array([[1], [0], [-1]]), 1)
    yield Call(x, np.array([[1, 0]]), 0 - 1)
    yield Call(x, np.array([5, 0, 11]))


def along(x: np.ndarray, indices: np.ndarray, dim: int | None = None) -> np.ndarray:
    return np.take_along_axis(x, indices, dim) if dim is not None else x.reshape(-1)[indices.reshape(-1)]


def one_hot_samples(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(np.array([0, 2, 1]))
    yield Call(np.array([[1], [0]]), 4)
    yield Call(np.array(2), 3)
    yield Call(np.zeros((0, 2), np.int64), 3)


OUTSIDE = (
    (Call(np.zeros((3, 4)), 0, np.array([[3]])), RuntimeError, "index 3 is out of bounds for dimension 0 with size 3"),
    (Call(np.zeros((3, 4)), 0, np.array([[-1]])), RuntimeError, "index -1 is out of bounds for dimension 0 with size 3"),
    (Call(np.zeros((3, 4)), 0, np.array([0])), RuntimeError, "same number of dimensions"),
    (Call(np.zeros((3, 4)), 0, np.zeros((1, 5), np.int64)), RuntimeError, "Size does not match at dimension 1"),
    (Call(np.zeros((3, 4)), 2, np.array([[0]])), IndexError, "Dimension out of range"),
    (Call(np.zeros((3, 4)), 0, np.array([[0.5]])), RuntimeError, "Expected dtype int32/int64 for index"),
)


def with_source(src: Any) -> tuple[Any, ...]:
    return tuple((Call(*c.args, src), kind, text) for c, kind, text in OUTSIDE)


ROWS = [
    Row("gather", gather_samples, gather, dtypes=ALL, method="gather", out=True, errors=OUTSIDE),
    Row("scatter", scatter_samples(False, True), scatter_by(lambda old, new: new), method="scatter", inplace="scatter_",
        errors=with_source(np.zeros((1, 5)))),
    Row("scatter", scatter_samples(True, False), scatter_by(lambda old, new: new), method="scatter", inplace="scatter_"),
    Row("scatter", scatter_samples(False, False, reduce="add"), scatter_by(lambda old, new: old + new), grad=False,
        inplace="scatter_"),
    Row("scatter", scatter_samples(True, False, reduce="multiply"), scatter_by(lambda old, new: old * new), grad=False,
        inplace="scatter_"),
    Row("scatter_add", scatter_samples(False, False), scatter_by(lambda old, new: old + new), method="scatter_add",
        inplace="scatter_add_", errors=with_source(np.zeros((1, 5)))),
    Row("scatter_reduce", scatter_reduce_samples, scatter_reduce, method="scatter_reduce", inplace="scatter_reduce_"),
    Row("index_select", select_samples, lambda x, dim, i: np.take(x, i.reshape(-1), dim), dtypes=ALL, method="index_select",
        out=True, errors=(
        (Call(np.zeros((3, 4)), 0, np.array([3])), IndexError, "index out of range in self"),
        (Call(np.zeros((3, 4)), 0, np.array([-1])), IndexError, "index out of range in self"),
        (Call(np.zeros((3, 4)), 0, np.array([[0]])), IndexError, "Index is supposed to be a vector"),
        (Call(np.zeros((3, 4)), 0, np.array([0.5])), RuntimeError, "Expected dtype int32 or int64"),
    )),
    Row("index_add", source_samples(False), index_add, method="index_add", inplace="index_add_", errors=(
        (Call(np.zeros((3, 4)), 0, np.array([3]), np.zeros((1, 4))), RuntimeError, "index 3 is out of bounds"),
        (Call(np.zeros(3), 0, np.array([3]), np.zeros(1)), IndexError, "index out of range in self: index 3 is out of bounds"),
        (Call(np.zeros((3, 4)), 0, np.array([0]), np.zeros((2, 4))), RuntimeError, "Number of indices"),
        (Call(np.zeros((3, 4)), 0, np.array([0]), np.zeros((1, 3))), RuntimeError, "source tensor shape must match"),
    )),
    Row("index_copy", source_samples(True), index_write, method="index_copy", inplace="index_copy_", errors=(
        (Call(np.zeros((3, 4)), 0, np.array([3]), np.zeros((1, 4))), IndexError, "index 3 is out of bounds"),
        (Call(np.zeros((3, 4)), 0, np.array([0]), np.zeros((2, 4))), IndexError, "Number of indices"),
    )),
    Row("index_fill", fill_samples, index_write, method="index_fill", inplace="index_fill_", errors=(
        (Call(np.zeros((3, 4)), 0, np.array([3]), 1), IndexError, "index 3 is out of bounds"),
        (Call(np.zeros((3, 4)), 0, np.array([0]), np.zeros(2)), RuntimeError, "only supports a 0-dimensional value"),
    )),
    Row("take", take_samples, lambda x, i: x.reshape(-1)[i], dtypes=ALL, method="take", errors=(
        (Call(np.zeros(3), np.array([3])), IndexError, "out of range"),
    )),
    Row("put", put_samples, put, method="put", inplace="put_", errors=(
        (Call(np.zeros(3), np.array([3]), np.zeros(1)), IndexError, "out of"),
        (Call(np.zeros(3), np.array([0]), np.zeros(2)), IndexError, "same number of elements"),
    )),
    Row("take_along_dim", along_samples, along, dtypes=ALL, method="take_along_dim"),
    Row("one_hot", one_hot_samples, lambda i, n=-1: np.eye(n if n > 0 else i.max() + 1, dtype=np.int64)[i], grad=False,
        torch="nn.functional.one_hot", errors=(
        (Call(np.array([3]), 3), RuntimeError, "smaller than num_classes"),
        (Call(np.array([-1])), RuntimeError, "non-negative"),
        (Call(np.zeros(0, np.int64)), RuntimeError, "Can not infer total number of classes"),
    )),
]
