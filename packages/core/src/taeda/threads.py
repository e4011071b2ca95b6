"""How many threads the kernels use."""

from __future__ import annotations

import os

from taeda.kernels.cpu import runtime


def set_num_threads(n: int) -> None:
    """Use ``n`` threads in the kernels; results do not depend on it.

    Raises RuntimeError unless n is a positive int.

    >>> import taeda
    >>> before = taeda.get_num_threads()
    >>> taeda.set_num_threads(1)
    >>> taeda.get_num_threads()
    1
    >>> taeda.set_num_threads(before)
    """
    if not isinstance(n, int) or isinstance(n, bool):
        raise RuntimeError(f"[set_num_threads] expects an int, but got {type(n).__name__}")
    if n >= 2**63:
        raise ValueError(f"[set_num_threads] expects a number of 64 bits, got {n}")
    if n <= 0:
        raise RuntimeError(f"[set_num_threads] expects a positive integer, got {n}")
    runtime.set_num_threads(min(n, 1024))


def get_num_threads() -> int:
    """Return how many threads the kernels use: :func:`set_num_threads`.

    >>> import taeda
    >>> taeda.get_num_threads() >= 1
    True
    """
    return int(runtime.get_num_threads())


def _from_environment() -> int:
    given = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    if given.isdecimal() and len(given) < 19 and int(given) > 0:         # else no number of 64 bits, which libgomp passes over too
        return int(given)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


set_num_threads(_from_environment())
