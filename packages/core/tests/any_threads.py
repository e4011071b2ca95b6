"""Results have the same bits for any number of threads; conftest puts the number back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import taeda

R = TypeVar("R")


def bits(x: Any) -> Any:
    """What two results must have in common: tensors' shapes, dtypes and bytes."""
    if isinstance(x, taeda.Tensor):
        return tuple(x.shape), x.dtype, x.detach().contiguous().flatten().view(taeda.uint8).numpy().tobytes()
    return [bits(each) for each in x] if isinstance(x, (tuple, list)) else x


def assert_same_for_any_threads(f: Callable[[], R], counts: Iterable[int] = (1, 2, 3)) -> R:
    """Hold f's results on each number of threads against each other; return the first."""
    results = []
    for n in counts:
        taeda.set_num_threads(n)
        results.append(f())
    for n, other in zip(counts, results, strict=True):
        assert bits(other) == bits(results[0]), f"{n} threads give other bits than {next(iter(counts))}"
    return results[0]
