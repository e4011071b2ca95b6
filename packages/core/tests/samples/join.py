"""Rows of cat, stack and what is made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from opinfo import ALL, Call, Row, array, layouts


def cat_samples(rng: np.random.Generator) -> Iterator[Call]:
    yield Call([array(rng, 3)])
    yield Call([array(rng, 3), array(rng, 1), array(rng, 0)])
    yield Call((array(rng, 2, 3), array(rng, 1, 3)))
    yield Call([array(rng, 2, 3), array(rng, 2, 1), array(rng, 2, 4)], 1)
    yield Call([array(rng, 2, 3, 4), array(rng, 2, 3, 1)], dim=-1)
    yield Call([array(rng, 0, 3), array(rng, 2, 3)], 0)
    yield Call([array(rng, 0), array(rng, 2, 3)], 1)
    yield Call([array(rng, 0), array(rng, 0)])
    yield Call([array(rng, 17, 33), array(rng, 17, 5)], 1)
    for x in layouts(array(rng, 3, 4)):
        yield Call([x, array(rng, 3, 4), x[::-1].copy()], 0)
        yield Call([array(rng, 3, 1), x], 1)


def stack_samples(rng: np.random.Generator) -> Iterator[Call]:
    yield Call([array(rng), array(rng)])
    yield Call([array(rng, 3)])
    yield Call([array(rng, 2, 3), array(rng, 2, 3)], dim=1)
    yield Call((array(rng, 2, 3), array(rng, 2, 3), array(rng, 2, 3)), -1)
    yield Call([array(rng, 0, 3), array(rng, 0, 3)], 1)
    for x in layouts(array(rng, 3, 4)):
        yield Call([x, array(rng, 3, 4)], 1)


def beside(*shapes: list[tuple[int, ...]]) -> Callable[[np.random.Generator], Iterator[Call]]:
    def samples(rng: np.random.Generator) -> Iterator[Call]:
        for group in shapes:
            yield Call([array(rng, *shape) for shape in group])

    return samples


def grid_samples(rng: np.random.Generator) -> Iterator[Call]:
    for indexing in ("ij", "xy"):
        yield Call(array(rng, 3), array(rng, 2), indexing=indexing)
        yield Call(array(rng, 3), array(rng, 2), array(rng, 4), indexing=indexing)
        yield Call(array(rng, 3), indexing=indexing)
    yield Call(array(rng), array(rng, 2), indexing="ij")


def product_samples(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(array(rng, 3))
    yield Call(array(rng, 3), array(rng, 2))
    yield Call(array(rng, 2), array(rng, 1), array(rng, 3))


def block_samples(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(array(rng, 2, 3), array(rng, 1, 2))
    yield Call(array(rng), array(rng, 3), array(rng, 2, 2))


def cat(tensors: list[np.ndarray], dim: int = 0) -> np.ndarray:
    kept = [t for t in tensors if t.shape != (0,)] or tensors
    return np.concatenate(kept, dim)


def block_diag(*tensors: np.ndarray) -> np.ndarray:
    blocks = [np.atleast_2d(t) for t in tensors]
    y = np.zeros((sum(b.shape[0] for b in blocks), sum(b.shape[1] for b in blocks)))
    i = j = 0
    for b in blocks:
        y[i:i + b.shape[0], j:j + b.shape[1]] = b
        i, j = i + b.shape[0], j + b.shape[1]
    return y


def product(*tensors: np.ndarray) -> np.ndarray:
    grids = np.meshgrid(*tensors, indexing="ij")
    return tensors[0] if len(tensors) == 1 else np.stack([g.reshape(-1) for g in grids], 1)


def each(f: Callable[[np.ndarray], np.ndarray]) -> Callable[..., Any]:
    def run(*xs: Any) -> Any:
        if len(xs) == 1 and isinstance(xs[0], np.ndarray):
            return f(xs[0])
        return tuple(f(x) for x in (xs[0] if isinstance(xs[0], list) else xs))

    return run


VECTORS = [[(3,), (2,)], [(), ()], [(2, 3), (2, 1)]]
SAME = [[(3,), (3,)], [(), ()], [(2, 3), (2, 3)], [(2, 3, 1), (2, 3, 1)]]
BAD_CAT = (
    (Call([np.zeros((2, 3)), np.zeros((2, 4))]), RuntimeError,
     "Sizes of tensors must match except in dimension 0. Expected size 3 but got size 4"),
    (Call([np.zeros((2, 3)), np.zeros(3)]), RuntimeError, "must have same number of dimensions: got 2 and 1"),
    (Call([np.zeros(()), np.zeros(3)]), RuntimeError, "zero-dimensional tensor"),
    (Call([np.zeros(3)], 1), IndexError, "Dimension out of range"),
    (Call([]), ValueError, "non-empty"),
    (Call([np.zeros(3), 5]), TypeError, "expected Tensor as element 1"),
    (Call(np.zeros(3)), TypeError, "must be tuple of Tensors, not Tensor"),
)

ROWS = [
    Row("cat", cat_samples, cat, dtypes=ALL, out=True, errors=BAD_CAT),
    Row("concat", cat_samples, cat, out=True),
    Row("concatenate", cat_samples, cat, out=True),
    Row("stack", stack_samples, lambda xs, dim=0: np.stack(xs, dim), dtypes=ALL, out=True, errors=(
        (Call([np.zeros(3), np.zeros(2)]), RuntimeError, r"equal size, but got \[3\] at entry 0 and \[2\] at entry 1"),
        (Call([]), RuntimeError, "non-empty"),
        (Call([np.zeros(3)], 2), IndexError, "Dimension out of range"),
    )),
    Row("atleast_1d", lambda rng: [Call(array(rng)), Call(array(rng, 2, 3)), Call([array(rng), array(rng, 2)])], each(np.atleast_1d)),
    Row("atleast_2d", lambda rng: [Call(array(rng)), Call(array(rng, 3)), Call(array(rng, 2), array(rng, 2, 3))], each(np.atleast_2d)),
    Row("atleast_3d", lambda rng: [Call(array(rng)), Call(array(rng, 3)), Call(array(rng, 2, 3)), Call(array(rng, 2, 3, 1, 2))],
        each(np.atleast_3d)),
    Row("hstack", beside(*VECTORS), np.hstack, out=True),
    Row("vstack", beside(*SAME, [(3,), (2, 3)]), np.vstack, out=True),
    Row("row_stack", beside(*SAME), np.vstack, out=True),
    Row("dstack", beside(*SAME), np.dstack, out=True),
    Row("column_stack", beside([(3,), (3,)], [(3, 2), (3,)], [(), ()]),
        lambda xs: np.concatenate([x if x.ndim > 1 else x.reshape(-1, 1) for x in xs], 1), out=True),
    Row("meshgrid", grid_samples, lambda *xs, indexing: tuple(np.meshgrid(*xs, indexing=indexing)), errors=(
        (Call(np.zeros(2), np.zeros(2), indexing="no"), RuntimeError, "indexing must be one of"),
        (Call(np.zeros((2, 2)), indexing="ij"), RuntimeError, "0D or 1D"),
        (Call(np.zeros(2), np.zeros(2, np.int64), indexing="ij"), RuntimeError, "same dtype"),
    )),
    Row("cartesian_prod", product_samples, product, errors=((Call(np.zeros((2, 2))), RuntimeError, "Expect a 1D vector"),)),
    Row("block_diag", block_samples, block_diag, errors=((Call(np.zeros((2, 2, 2))), RuntimeError, "2 or fewer dimensions"),)),
]
