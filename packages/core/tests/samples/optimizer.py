"""Rows of the reductions beside the optimizer steps; the steps themselves are in test_optimizer.py."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from opinfo import Call, Row, array, layouts


def norm_samples(rng: np.random.Generator) -> Iterator[Call]:
    yield Call([array(rng, 3)])
    yield Call([array(rng), array(rng, 2, 3), array(rng, 0), array(rng, 17)])
    yield Call([array(rng, 5, low=1e-3, high=2e-3), array(rng, 40000)])
    for x in layouts(array(rng, 4, 5)):
        yield Call([x, array(rng, 2)])


def total_norm(tensors: list[np.ndarray]) -> np.ndarray:
    return np.sqrt(np.sum([np.sum(np.square(x, dtype=np.float64)) for x in tensors]))


ROWS = [
    Row(
        "global_norm",
        norm_samples,
        total_norm,
        grad=False,
        torch="nn.utils.get_total_norm",
        errors=(
            (Call([np.ones(2), np.ones(2, np.float32)]), RuntimeError, "must share one floating dtype"),
            (Call([np.ones(2, np.int64)]), RuntimeError, "must share one floating dtype"),
            (Call([1.0]), TypeError, "must be a Tensor, got float"),
        ),
    )
]
