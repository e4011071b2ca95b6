"""What PyTorch keeps of ``func`` in its compiled module, as far as programs call it: how tensors inside of vmap are made and opened."""

from __future__ import annotations

from typing import Any

from taeda.func.batched import BatchedTensor, at, batched, origin_of

__all__ = ["_add_batch_dim", "_remove_batch_dim", "get_unwrapped", "is_batchedtensor", "is_legacy_batchedtensor", "maybe_get_bdim",
           "maybe_get_level"]


def _add_batch_dim(tensor: Any, in_dim: int, level: int) -> Any:
    """Return a batch, whose samples lie along ``in_dim``, as one tensor of a level."""
    return batched(tensor, level, in_dim % tensor.dim())


def _remove_batch_dim(tensor: Any, level: int, batch_size: int, out_dim: int) -> Any:
    """Return the batch behind a tensor of a level, its samples along ``out_dim``; what is none is expanded."""
    value = tensor._value if at(tensor, level) else tensor.expand((batch_size, *tensor.shape))
    return value.movedim(0, out_dim) if out_dim else value


def is_batchedtensor(tensor: Any) -> bool:
    """Whether a tensor stands for a batch inside of vmap."""
    return isinstance(tensor, BatchedTensor)


def is_legacy_batchedtensor(tensor: Any) -> bool:
    """Whether a tensor is a batch of PyTorch's first vmap: never, there is one kind."""
    return False


def get_unwrapped(tensor: Any) -> Any:
    """Return what a batch of the innermost level holds.  RuntimeError for what is not a batch."""
    if not isinstance(tensor, BatchedTensor):
        raise RuntimeError("[get_unwrapped] No wrappers present!")
    return origin_of(tensor)[0]


def maybe_get_bdim(tensor: Any) -> int:
    """Return the dimension along which the samples lie in ``get_unwrapped``; -1 for what is not a batch."""
    return origin_of(tensor)[1] if isinstance(tensor, BatchedTensor) else -1


def maybe_get_level(tensor: Any) -> int:
    """Return the number of the vmap that a batch belongs to; -1 for what is not a batch."""
    return tensor._level if isinstance(tensor, BatchedTensor) else -1
