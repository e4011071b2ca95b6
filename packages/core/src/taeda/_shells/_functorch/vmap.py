"""The pieces of vmap, for containers of tensors that open and close a batch themselves (``taeda.func.vmap`` calls their methods)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from taeda._C._functorch import _add_batch_dim, _remove_batch_dim, is_batchedtensor
from taeda.func.pytree import broadcast_prefix as _broadcast_to_and_flatten, tree_flatten, tree_unflatten
from taeda.func.vmap import vmap
from taeda.tensor import Tensor

__all__ = ["Tensor", "_add_batch_dim", "_broadcast_to_and_flatten", "_get_name", "_maybe_remove_batch_dim", "_remove_batch_dim",
           "is_batchedtensor", "tree_flatten", "tree_unflatten", "vmap"]


def _get_name(func: Callable[..., Any]) -> str:
    """Return how a function is called in errors."""
    return getattr(func, "__name__", repr(func))


def _maybe_remove_batch_dim(name: str, batched_output: Any, vmap_level: int, batch_size: int, out_dim: int | None) -> Any:
    """Return a result of the function ``name`` with its samples along ``out_dim``; None: it is not a batch and stays as it is."""
    if out_dim is None:
        if isinstance(batched_output, Tensor) and is_batchedtensor(batched_output):
            raise ValueError(f"[vmap] vmap({name}, ...): `{name}` can not return a BatchedTensor when out_dim is None")
        return batched_output
    if not isinstance(batched_output, Tensor):
        raise ValueError(f"[vmap] vmap({name}, ...): `{name}` must only return Tensors, got type {type(batched_output)}. Did you mean to "
                         "set out_dims= to None for output?")
    return _remove_batch_dim(batched_output, vmap_level, batch_size, out_dim)
