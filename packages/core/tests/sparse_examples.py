"""Sparse tensors for tests, and what they hold."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

import taeda

INDICES, VALUES = [[0, 1, 1], [2, 0, 2]], [3.0, 4.0, 5.0]


def example(**options: Any) -> Any:
    return taeda.sparse_coo_tensor(INDICES, VALUES, (2, 3), **options)


def twice() -> Any:
    """A tensor that has one element in two parts."""
    return taeda.sparse_coo_tensor([[1, 0, 1], [0, 2, 0]], VALUES, (2, 3))


@st.composite
def tensors(draw: Any, shape: tuple[int, int] | None = None) -> Any:
    rows, columns = shape or (draw(st.integers(1, 6)), draw(st.integers(1, 6)))
    n = draw(st.integers(0, 12))
    places = draw(st.lists(st.tuples(st.integers(0, rows - 1), st.integers(0, columns - 1)), min_size=n, max_size=n))
    values = draw(st.lists(st.integers(-4, 4), min_size=n, max_size=n))
    indices = taeda.tensor(places, dtype=taeda.int64).reshape(-1, 2).t()
    return taeda.sparse_coo_tensor(indices, taeda.tensor(values, dtype=taeda.float64), (rows, columns))


def dense(s: Any) -> Any:
    """The elements of a COO tensor, added one by one."""
    found = [[0.0] * s.shape[1] for _ in range(s.shape[0])]
    for (i, j), v in zip(s._indices().t().tolist(), s._values().tolist(), strict=True):
        found[i][j] += v
    return found
