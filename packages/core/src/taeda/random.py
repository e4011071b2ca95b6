"""The default generator by functions: ``taeda.manual_seed`` and its kin."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from taeda.generator import default_generator

__all__ = [
    "default_generator",
    "fork_rng",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
    "seed",
    "set_rng_state",
    "thread_safe_generator",
]


def manual_seed(seed: int) -> Any:
    """Start the default generator's stream of ``seed`` and return the generator.

    Numbers drawn afterwards are those that PyTorch draws on the CPU after the same seed.

    Args:
        seed: an int in [-2^63, 2^64), or what ``int()`` makes one of.

    Raises:
        ValueError: where it is out of range or no number.

    >>> import taeda
    >>> _ = taeda.manual_seed(0)
    >>> taeda.rand(2)
    tensor([0.4963, 0.7682])
    """
    return default_generator.manual_seed(int(seed))


def seed() -> int:
    """Start the default generator from a seed that the system draws, and return the seed.

    >>> import taeda
    >>> taeda.seed() == taeda.initial_seed()
    True
    """
    number: int = default_generator.seed()
    return number


def initial_seed() -> int:
    """Return the seed that the default generator's stream started from.

    >>> import taeda
    >>> _ = taeda.manual_seed(7)
    >>> taeda.initial_seed()
    7
    """
    number: int = default_generator.initial_seed()
    return number


def get_rng_state() -> Any:
    """Return the default generator's state: a uint8 tensor of 5056 bytes, which PyTorch reads too.

    >>> import taeda
    >>> state = taeda.get_rng_state()
    >>> first = taeda.rand(3)
    >>> taeda.set_rng_state(state)
    >>> taeda.equal(taeda.rand(3), first)
    True
    """
    return default_generator.get_state()


def set_rng_state(new_state: Any) -> None:
    """Put the default generator into a state that ``get_rng_state`` gave, here or in PyTorch.

    >>> import taeda
    >>> state = taeda.get_rng_state()
    >>> first = taeda.rand(3)
    >>> taeda.set_rng_state(state)
    >>> taeda.equal(taeda.rand(3), first)
    True
    """
    default_generator.set_state(new_state)


def thread_safe_generator() -> Any:
    """Return None: PyTorch's data loaders give their worker threads generators by it; here workers are processes."""
    return None


@contextlib.contextmanager
def fork_rng(
    devices: Any = None,
    enabled: bool = True,
    _caller: str = "fork_rng",
    _devices_kw: str = "devices",
    device_type: str | None = None,
) -> Iterator[None]:
    """Draw inside the block without moving the default generator: its state is put back at the end.

    Args:
        devices: accepted for PyTorch's programs; only the CPU has a generator.
        enabled: False makes the block an ordinary one.

    >>> import taeda
    >>> _ = taeda.manual_seed(0)
    >>> with taeda.random.fork_rng():
    ...     _ = taeda.rand(100)
    >>> taeda.rand(2)
    tensor([0.4963, 0.7682])
    """
    if not enabled:
        yield
        return
    state = get_rng_state()
    try:
        yield
    finally:
        set_rng_state(state)
