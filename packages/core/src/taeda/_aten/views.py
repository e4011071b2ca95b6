"""Calls that PyTorch makes of views and other plain operators: entries of the table of ``calls``.

Each gets the function's arguments by its own names and calls operators; NotImplemented: told by its own name after all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from taeda._aten.nodes import aten
from taeda.tensor import Tensor

__all__ = ["MADE"]


def _expanded(x: Tensor, sizes: Sequence[int]) -> Any:
    return aten.expand.default(x, list(sizes))


def _sizes(a: Any) -> list[int]:
    given = a.sizes if a.size is None else (a.size,)
    return list(given[0]) if len(given) == 1 and not isinstance(given[0], int) else list(given)


def _movedim(a: Any) -> Any:
    x, n = a.input, a.input.ndim
    one = isinstance(a.source, int)
    source, target = ([d % n for d in ((given,) if one else given)] for given in (a.source, a.destination))
    order: list[int] = [-1] * n
    for s, d in zip(source, target, strict=True):
        order[d] = s
    rest = iter(d for d in range(n) if d not in source)
    return aten.permute.default(x, [next(rest) if d < 0 else d for d in order])


def _sum_to_size(a: Any) -> Any:
    x = a.input
    size = _sizes(a)
    lead = x.ndim - len(size)
    if lead < 0 or any(s not in (1, n) for s, n in zip(size, x.shape[lead:], strict=True)):
        return NotImplemented
    over = [*range(lead), *(d + lead for d, s in enumerate(size) if s == 1 and x.shape[d + lead] != 1)]
    if over:
        x = aten.sum.dim_IntList(x, over, True)
    return aten.view.default(x, size) if lead else x


def _outer(a: Any) -> Any:
    x, y = a.input, getattr(a, "vec2", getattr(a, "other", None))
    if x.ndim != 1 or y is None or y.ndim != 1:
        return NotImplemented
    return aten.mul.Tensor(aten.view.default(x, [x.shape[0], 1]), y)


def _narrow(a: Any) -> Any:
    x, start = a.input, a.start
    if x.ndim == 0 or isinstance(start, Tensor) or not -x.ndim <= a.dim < x.ndim:
        return NotImplemented
    n = x.shape[a.dim]
    start += n if start < 0 else 0
    if not 0 <= start <= n or not 0 <= a.length <= n - start:
        return NotImplemented
    return aten.slice.Tensor(x, a.dim, start, start + a.length)


def _type_as(a: Any) -> Any:
    x, other = a.input, a.other
    if x.dtype == other.dtype and x.device == other.device:
        return x
    return aten._to_copy.default(x, dtype=other.dtype)


MADE: dict[str, Callable[[Any], Any]] = {
    "broadcast_to": lambda a: _expanded(a.input, _sizes(a)),
    "expand_as": lambda a: _expanded(a.input, a.other.shape),
    "movedim": _movedim,
    "narrow": _narrow,
    "outer": _outer,
    "square": lambda a: aten.pow.Tensor_Scalar(a.input, 2),
    "sum_to_size": _sum_to_size,
    "swapaxes": lambda a: aten.transpose.int(a.input, a.dim0, a.dim1),
    "type_as": _type_as,
    "view_as": lambda a: aten.view.default(a.input, list(a.other.shape)),
}
