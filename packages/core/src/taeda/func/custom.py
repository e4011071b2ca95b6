"""User-written functions (autograd.Function) under vmap: by their own rule, or once per sample."""

from __future__ import annotations

from typing import Any, NamedTuple

from taeda.func.batched import at, batched, deepest, levels, loop, origin_of
from taeda.func.pytree import broadcast_prefix, tree_flatten, tree_leaves, tree_map, tree_unflatten
from taeda.tensor import Tensor


class VmapInfo(NamedTuple):
    """What a Function's ``vmap`` is told of the level."""

    batch_size: int
    randomness: str


class _Apply:
    """The function as the loop over samples calls it."""

    def __init__(self, cls: Any) -> None:
        self.cls, self.__name__ = cls, cls.__name__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.cls.apply(*args, **kwargs)


def apply_to_batches(cls: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Apply a Function to arguments some of which are batches."""
    from taeda.autograd.function import Function

    level = deepest((args, kwargs))
    if cls.generate_vmap_rule:
        if cls.vmap is not Function.vmap:
            raise RuntimeError(f"[{cls.__name__}] You tried to vmap over {cls.__name__}, but it has both generate_vmap_rule=True and an "
                               "overridden vmap staticmethod. Please set generate_vmap_rule=False or delete the overridden vmap "
                               "staticmethod.")
        return loop(_Apply(cls), level, args, kwargs)
    if cls.vmap is Function.vmap:
        raise RuntimeError(f"[{cls.__name__}] You tried to vmap over {cls.__name__}, but it does not have vmap support. Please override "
                           "and implement the vmap staticmethod or set generate_vmap_rule=True.")
    if any(isinstance(x, Tensor) for x in tree_leaves(kwargs)):
        raise NotImplementedError(f"[{cls.__name__}] vmap of an autograd.Function with tensors among its keyword-only arguments is not "
                                  "supported; pass them by position")
    here = levels()[level - 1]
    in_dims = tree_map(lambda a: origin_of(a)[1] if at(a, level) else None, args)
    values = tree_map(lambda a: origin_of(a)[0] if at(a, level) else a, args)
    found = cls.vmap(VmapInfo(here.size, here.randomness), in_dims, *values, **kwargs)
    if not (isinstance(found, tuple) and len(found) == 2):
        raise RuntimeError(f"[{cls.__name__}] Expected the vmap staticmethod to have two returns, an output and out_dims with pytree "
                           "structure compatible with the output.")
    flat, spec = tree_flatten(found[0])
    dims = broadcast_prefix(found[1], spec)
    if dims is None:
        raise RuntimeError(f"[{cls.__name__}] the out_dims {found[1]} that the vmap staticmethod returned do not match its output")
    return tree_unflatten([batched(x, level, d) if isinstance(x, Tensor) and d is not None else x
                           for x, d in zip(flat, dims, strict=True)], spec)
