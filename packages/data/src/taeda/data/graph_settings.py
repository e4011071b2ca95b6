"""Settings for all pipes of a chain, by PyTorch's path: which share a worker takes, whether and by which seed pipes shuffle."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from taeda.data.datapipes.datapipe import IterDataPipe, MapDataPipe
from taeda.data.sampler import draw_seed

__all__ = ["apply_random_seed", "apply_sharding", "apply_shuffle_settings"]


def _pipes(found: Any, seen: set[int]) -> Iterator[Any]:
    """Yield a pipe and those that it is made of."""
    if isinstance(found, (list, tuple)):
        for x in found:
            yield from _pipes(x, seen)
    elif isinstance(found, (IterDataPipe, MapDataPipe)) and id(found) not in seen:
        seen.add(id(found))
        yield found
        for x in vars(found).values():
            yield from _pipes(x, seen)


def apply_sharding(datapipe: Any, num_of_instances: int, instance_id: int, sharding_group: Any = None) -> Any:
    """Tell every pipe that shares itself out (it has ``apply_sharding``) which share to give."""
    for pipe in _pipes(datapipe, set()):
        if callable(getattr(pipe, "apply_sharding", None)):
            pipe.apply_sharding(num_of_instances, instance_id)
    return datapipe


def apply_shuffle_settings(datapipe: Any, shuffle: bool | None = None) -> Any:
    """Turn the shuffling of every pipe that can (it has ``set_shuffle`` and ``set_seed``) on or off; None leaves it."""
    for pipe in _pipes(datapipe, set()) if shuffle is not None else ():
        if hasattr(pipe, "set_shuffle") and hasattr(pipe, "set_seed"):
            pipe.set_shuffle(shuffle)
    return datapipe


def apply_random_seed(datapipe: Any, rng: Any) -> Any:
    """Seed every pipe that draws (it has ``set_seed``) from a generator."""
    for pipe in _pipes(datapipe, set()):
        if callable(getattr(pipe, "set_seed", None)):
            pipe.set_seed(draw_seed(rng))
    return datapipe
