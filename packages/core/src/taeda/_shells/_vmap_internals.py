"""PyTorch's room of its first vmap, from which libraries take the function still."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from taeda.func.vmap import vmap as _mapped

__all__ = ["_vmap", "vmap"]


def vmap(func: Callable[..., Any], in_dims: Any = 0, out_dims: Any = 0) -> Callable[..., Any]:
    """Return :func:`taeda.func.vmap` of a function.

    >>> import taeda
    >>> from taeda._vmap_internals import vmap
    >>> vmap(taeda.dot)(taeda.ones(2, 3), taeda.arange(6.0).view(2, 3))
    tensor([ 3., 12.])
    """
    return _mapped(func, in_dims, out_dims)


def _vmap(
    func: Callable[..., Any], in_dims: Any = 0, out_dims: Any = 0, allow_none_pass_through: bool = False,
) -> Callable[..., Any]:
    """Return the same; with ``allow_none_pass_through`` the function may give None, or a tuple with None in it.

    >>> import taeda
    >>> from taeda._vmap_internals import _vmap
    >>> _vmap(lambda x: (x.sum(), None), allow_none_pass_through=True)(taeda.ones(2, 3))
    (tensor([3., 3.]), None)
    """
    if not allow_none_pass_through:
        return _mapped(func, in_dims, out_dims)

    def run(*args: Any) -> Any:
        shown: list[Any] = []

        def values(*samples: Any) -> tuple[Any, ...]:
            result = func(*samples)
            shown[:] = [result]
            return tuple(x for x in (result if isinstance(result, tuple) else (result,)) if x is not None)

        batches = iter(_mapped(values, in_dims, out_dims)(*args))
        (result,) = shown
        if isinstance(result, tuple):
            return tuple(None if x is None else next(batches) for x in result)
        return None if result is None else next(batches)

    return run
