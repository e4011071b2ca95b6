"""A convolution, its input gradient or its weight gradient of batches that a pass meets: one of the same with more channels or images."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from taeda.func.batched import at, batched, deepest, size_of

RESULT, INPUT_GRADIENT, WEIGHT_GRADIENT = range(3)

# For each of the three, by which of its factors are batches (the first, the second, both): the dimension of each factor, and of the
# result, that takes the samples in, with whether it does so within each group.  A missing factor's is None; images are folded.
_SPREAD = {
    (RESULT, False, True): (None, (0, True), (1, True)), (RESULT, True, True): ((1, False), (0, False), (1, False)),
    (INPUT_GRADIENT, False, True): (None, (1, False), (1, True)), (INPUT_GRADIENT, True, True): ((1, False), (0, False), (1, False)),
    (WEIGHT_GRADIENT, True, False): ((1, True), None, (0, True)), (WEIGHT_GRADIENT, False, True): (None, (1, True), (1, False)),
    (WEIGHT_GRADIENT, True, True): ((1, False), (1, False), (0, False)),
}  # fmt: skip


def of_batches(product: Callable[..., Any], kind: int, geometry: list[int], a: Any, b: Any, shape: tuple[int, ...]) -> Any:
    """Return one of the three, of factors of which one at least is a batch; ``shape`` is that of a sample's result.

    ``geometry[1]`` is the number of groups: where both factors are batches, each sample is a group (or some) of its own.
    """
    level = deepest((a, b))
    size, groups = size_of(level), geometry[1]
    first, second = at(a, level), at(b, level)
    spread = _SPREAD.get((kind, first, second))
    if spread is None:                                      # images by weights that are the same for all: more images
        y = product(kind, geometry, a._value.flatten(0, 1), b, (size * shape[0], *shape[1:]))
        return batched(y.unflatten(0, (size, shape[0])), level)

    def taken_in(x: Any, how: tuple[int, bool] | None) -> Any:
        if how is None:
            return x
        d, within = how
        return x._value.unflatten(d + 1, (groups if within else 1, -1)).movedim(0, d + 1).flatten(d, d + 2)

    d, within = spread[2]
    if first and second:
        geometry = [geometry[0], groups * size, *geometry[2:]]
    y = product(kind, geometry, taken_in(a, spread[0]), taken_in(b, spread[1]), (*shape[:d], size * shape[d], *shape[d + 1:]))
    return batched(y.unflatten(d, (groups if within else 1, size, -1)).movedim(d + 1, 0).flatten(d + 1, d + 2), level)
