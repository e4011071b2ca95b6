"""Tensors without data that PyTorch's compiler runs programs on, for those that ask whether they have one; nothing is compiled."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from taeda.tensor import Tensor

__all__ = ["FakeTensor", "is_fake", "unset_fake_temporarily"]


class FakeTensor(Tensor):
    """A tensor of the compiler's; nothing makes one.  The meta device has tensors without data."""


def is_fake(x: Any) -> bool:
    """Whether a tensor is the compiler's: never."""
    return isinstance(x, FakeTensor)


def unset_fake_temporarily() -> AbstractContextManager[None]:
    """Return a context that changes nothing: no mode makes such tensors."""
    return nullcontext()
