"""Running totals of any associative function: ``associative_scan``, as state-space models use it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import taeda
from taeda.func.pytree import tree_flatten, tree_unflatten
from taeda.tensor import Tensor

__all__ = ["associative_scan"]

Leaves = list[Tensor]


def associative_scan(
    combine_fn: Callable[[Any, Any], Any], xs: Any, dim: int, reverse: bool = False, combine_mode: str = "pointwise"
) -> Any:
    """Return y with y[0] = x[0], y[i] = combine_fn(y[i - 1], x[i]) along ``dim``, for a tensor or a tree of them.

    Neighbours are combined in pairs, the pairs scanned, and the places between filled in: log2(n) calls on slices, each of a whole
    slice at once, so that ``combine_fn`` sees a dimension in front; it is to be associative.

    Args:
        combine_fn: takes two trees like ``xs``, without the dimension, and returns one.
        reverse: start at the end.
        combine_mode: "generic" on the CPU, as PyTorch asks for; "pointwise" needs a GPU.

    Raises:
        ValueError: not a function, no tensor, a dimension out of range or of size 0, or "pointwise" on the CPU.

    >>> import taeda
    >>> from taeda.func.associative_scan import associative_scan
    >>> associative_scan(lambda x, y: x * y, taeda.tensor([1, 2, 3, 4]), 0, combine_mode="generic")
    tensor([ 1,  2,  6, 24])
    """
    leaves, spec = tree_flatten(xs)
    if not callable(combine_fn):
        raise ValueError(f"[associative_scan] combine_fn must be a callable, got {type(combine_fn).__name__}")
    if combine_mode not in ("pointwise", "generic"):
        raise ValueError(f"[associative_scan] combine_mode must be 'pointwise' or 'generic', got {combine_mode!r}")
    if not leaves or not all(isinstance(x, Tensor) for x in leaves):
        raise ValueError("[associative_scan] xs must be one tensor or more")
    if combine_mode == "pointwise":
        raise ValueError("[associative_scan] combine_mode 'pointwise' needs a GPU; pass combine_mode='generic'")
    dim = dim + leaves[0].ndim if dim < 0 else dim
    if any(not 0 <= dim < x.ndim or not x.shape[dim] for x in leaves):
        raise ValueError(f"[associative_scan] dim {dim} must be one of elements of xs, got shapes {[tuple(x.shape) for x in leaves]}")
    each = taeda.func.vmap(combine_fn, in_dims=(0, 0))

    def combine(a: Leaves, b: Leaves) -> Leaves:
        return tree_flatten(each(tree_unflatten(a, spec), tree_unflatten(b, spec)))[0]

    found = [x.transpose(0, dim) for x in leaves]
    found = _scan(combine, [x.flip(0) for x in found] if reverse else found)
    return tree_unflatten([(y.flip(0) if reverse else y).transpose(0, dim) for y in found], spec)


def _scan(combine: Callable[[Leaves, Leaves], Leaves], xs: Leaves) -> Leaves:
    n = len(xs[0])
    if n < 2:
        return xs
    odd = _scan(combine, combine([x[: n - 1 : 2] for x in xs], [x[1::2] for x in xs]))  # y[1], y[3], ...
    between = [x[2::2] for x in xs]
    if n > 2:
        between = combine([y[: len(x)] for y, x in zip(odd, between, strict=True)], between)
    result = []
    for x, y, z in zip(xs, odd, between, strict=True):
        even = taeda.cat([x[:1].to(y.dtype), z.to(y.dtype)])
        whole = taeda.stack([even[: len(y)], y], 1).flatten(0, 1)
        result.append(whole if n % 2 == 0 else taeda.cat([whole, even[-1:]]))
    return result
