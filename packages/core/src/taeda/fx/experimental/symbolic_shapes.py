"""Questions about symbolic sizes: here sizes are numbers, so the answers are known."""

from __future__ import annotations

from typing import Any

__all__ = [
    "GuardOnDataDependentSymNode", "free_symbols", "free_unbacked_symbols", "guard_or_false", "guard_or_true", "guard_size_oblivious",
    "is_symbolic", "statically_known_false", "statically_known_true",
]  # fmt: skip


class GuardOnDataDependentSymNode(RuntimeError):
    """A decision by a size that is not known: never raised."""


def guard_or_false(a: Any) -> bool:
    """Return the truth of a condition."""
    return bool(a)


guard_or_true = guard_size_oblivious = statically_known_true = guard_or_false


def statically_known_false(a: Any) -> bool:
    """Return whether a condition is false."""
    return not a


def is_symbolic(val: Any) -> bool:
    """Return False: no size is symbolic."""
    return False


def free_symbols(val: Any) -> set[Any]:
    """Return no symbols."""
    return set()


free_unbacked_symbols = free_symbols
