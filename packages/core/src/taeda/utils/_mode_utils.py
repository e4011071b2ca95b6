"""A block without ``__torch_dispatch__``: PyTorch's ``torch.utils._mode_utils``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from taeda._override_protocol import DisableTorchDispatch as _DisableTorchDispatch

__all__ = ["all_same_mode", "no_dispatch"]


class no_dispatch(_DisableTorchDispatch):
    """In a ``with`` block neither modes nor classes are told of operators: a class's tensor that has memory is a plain one.

    >>> import taeda
    >>> from taeda.utils._mode_utils import no_dispatch
    >>> with no_dispatch():
    ...     taeda.ones(2) + 1
    tensor([2., 2.])
    """


def all_same_mode(modes: Iterable[Any]) -> bool:
    """Whether all are the mode that is first among them."""
    found = tuple(modes)
    return all(mode is found[0] for mode in found)
