"""The class of tensors that lie on many devices, for programs that ask whether they met one: nothing is an instance."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, NoReturn

from taeda.tensor import Tensor

from .device_mesh import DeviceMesh

__all__ = [
    "DTensor", "DeviceMesh", "Partial", "Placement", "Replicate", "Shard",
    "distribute_module", "distribute_tensor", "implicit_replication",
]  # fmt: skip


class Placement:
    """How a tensor lies on many devices: a description, which nothing here follows."""


@dataclass(frozen=True)
class Shard(Placement):
    """In parts along one dimension."""

    dim: int


@dataclass(frozen=True)
class Replicate(Placement):
    """The same everywhere."""


@dataclass(frozen=True)
class Partial(Placement):
    """In summands."""

    reduce_op: str = "sum"


class DTensor(Tensor):
    """A tensor in parts, one per process.  There is one process, and nothing makes one.

    >>> import taeda
    >>> from taeda.distributed.tensor import DTensor
    >>> isinstance(taeda.ones(2), DTensor)
    False
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> DTensor:
        """Raise NotImplementedError."""
        raise NotImplementedError("[DTensor] taeda trains in one process, whose tensors are whole; use taeda.Tensor")


def distribute_tensor(*args: Any, **kwargs: Any) -> NoReturn:
    """Raise NotImplementedError: there is one process."""
    raise NotImplementedError("[distribute_tensor] taeda trains in one process, whose tensors are whole")


distribute_module = distribute_tensor


def implicit_replication() -> AbstractContextManager[None]:
    """Return a context in which plain tensors count as copies on every device; there is one, and nothing changes."""
    return nullcontext()
