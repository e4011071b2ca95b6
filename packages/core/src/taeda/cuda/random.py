"""The generators of the GPUs: there are none, so that seeding them does nothing."""

from __future__ import annotations

from typing import Any

from taeda.cuda._absent import needs_gpu

__all__ = [
    "get_rng_state", "get_rng_state_all", "initial_seed", "manual_seed", "manual_seed_all", "seed", "seed_all", "set_rng_state",
    "set_rng_state_all",
]  # fmt: skip


def manual_seed(seed: int) -> None:
    """Seed the GPU's generator; nothing to do without one."""


def manual_seed_all(seed: int) -> None:
    """Seed every GPU's generator; nothing to do without one."""


def seed() -> None:
    """Seed the GPU's generator at random; nothing to do without one."""


def seed_all() -> None:
    """Seed every GPU's generator at random; nothing to do without one."""


def get_rng_state_all() -> list[Any]:
    """Return the states of all GPUs' generators."""
    return []


def set_rng_state_all(new_states: Any) -> None:
    """Restore what :func:`get_rng_state_all` returned."""
    for state in new_states:
        set_rng_state(state)


initial_seed = needs_gpu("initial_seed", "Return the seed of the GPU's generator.")
get_rng_state = needs_gpu("get_rng_state", "Return the state of a GPU's generator.")
set_rng_state = needs_gpu("set_rng_state", "Restore the state of a GPU's generator.")
