"""What functorch once tried out, by that path."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from taeda.func import functionalize, hessian, jacfwd, jvp, replace_all_batch_norm_modules_, vmap
from taeda.func.vmap import inputs_of

__all__ = ["chunk_vmap", "functionalize", "hessian", "jacfwd", "jvp", "replace_all_batch_norm_modules_"]


def chunk_vmap(
    func: Callable[..., Any], in_dims: Any = 0, out_dims: Any = 0, randomness: str = "error", chunks: int = 2,
) -> Callable[..., Any]:
    """Return ``vmap`` of a function that runs the batch in so many parts; ``vmap(chunk_size=)`` says how large they are instead."""
    @functools.wraps(func)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        size = inputs_of(getattr(func, "__name__", repr(func)), in_dims, args)[0]
        return vmap(func, in_dims, out_dims, randomness, chunk_size=max(1, -(-size // chunks)))(*args, **kwargs)

    return mapped
