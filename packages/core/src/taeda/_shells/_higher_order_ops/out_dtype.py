"""Operators whose results have a dtype of their own."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

from taeda import Tensor, promote_types

__all__ = ["out_dtype"]


def out_dtype(op: Callable[..., Any], out_dtype: Any, *args: Any) -> Any:
    """Return ``op(*args)``, computed wide enough for ``out_dtype``, in that dtype: a product of int8 matrices, summed in int32.

    >>> import taeda
    >>> from taeda._higher_order_ops.out_dtype import out_dtype
    >>> out_dtype(taeda.mm, taeda.int32, *[taeda.full((1, 4), 100, dtype=taeda.int8), taeda.full((4, 1), 100, dtype=taeda.int8)])
    tensor([[40000]], dtype=taeda.int32)
    """
    wide = reduce(promote_types, [x.dtype for x in args if isinstance(x, Tensor)], out_dtype)
    return op(*[x.to(wide) if isinstance(x, Tensor) else x for x in args]).to(out_dtype)
