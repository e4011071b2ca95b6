"""What the functions of several families share: reductions, in-place variants, argument checks."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import taeda
from taeda import Tensor
from taeda.autograd.node import named
from taeda.nn._reduction import legacy_get_string
from taeda.operands import tensor_from

REDUCTIONS = ("none", "mean", "sum")


def legacy_reduction(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """Turn the deprecated ``size_average`` and ``reduce`` into a ``reduction``, with PyTorch's warning."""
    if size_average is None and reduce is None:
        return reduction
    return legacy_get_string(size_average, reduce, stacklevel=4)  # where the loss was called


def check_reduction(op: str, reduction: str) -> None:
    """Raise ValueError unless ``reduction`` is one of none, mean, sum."""
    if reduction not in REDUCTIONS:
        raise ValueError(f"[{op}] {reduction} is not a valid value for reduction; it must be one of none, mean, sum")


def need_tensors(op: str, *values: Any) -> None:
    """Raise TypeError unless every value is a tensor."""
    for value in values:
        if not isinstance(value, Tensor):
            raise TypeError(f"[{op}] argument must be Tensor, not {type(value).__name__}{tensor_from(value)}")


def need_shapes(op: str, **tensors: Tensor) -> None:
    """Raise RuntimeError unless the tensors' shapes broadcast."""
    first, *rest = tensors.values()
    if all(first.shape == x.shape for x in rest):
        return
    try:
        taeda.broadcast_shapes(*(x.shape for x in tensors.values()))
    except RuntimeError:
        found = ", ".join(f"{name} {tuple(x.shape)}" for name, x in tensors.items())
        raise RuntimeError(f"[{op}] shapes must be the same, or broadcast: the sizes of each dimension must match; got {found}") from None


def reduced(op: str, loss: Tensor, reduction: str) -> Tensor:
    """Return the loss per element, its mean or its sum."""
    if reduction == "mean":
        return loss.mean()
    if reduction == "sum":
        return loss.sum()
    check_reduction(op, reduction)
    return loss


def in_place(fn: Callable[..., Tensor], input: Tensor, *args: Any, name: str | None = None) -> Tensor:
    """Write ``fn(input, *args)`` into ``input`` and return it.

    Where a gradient is wanted fn works on a copy: what it saves for backward must not be overwritten; the node shows ``name``.
    """
    need_tensors(getattr(fn, "__name__", "in_place"), input)
    source = input.clone() if input.requires_grad and taeda.is_grad_enabled() else input
    input.copy_(fn(source, *args))
    return input if name is None or source is input or input._is_view() else named(input, name)


def tuple_of(value: Any, n: int, op: str, name: str) -> tuple[int, ...]:
    """Return ``value`` as a tuple of n numbers: a number is repeated, a sequence must have n."""
    if isinstance(value, Sequence):
        if len(value) == 1:
            return (value[0],) * n
        if len(value) != n:
            raise RuntimeError(f"[{op}] {name} must be a number or {n} numbers, got {tuple(value)}")
        return tuple(value)
    return (value,) * n


def with_indices(pool: Callable[..., Any]) -> Callable[..., tuple[Tensor, Tensor]]:
    """Make the function that returns a pool's maxima and their places, whatever ``return_indices`` says."""
    at = pool.__code__.co_varnames.index("return_indices")

    @functools.wraps(pool)
    def found(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        if len(args) > at:
            return pool(*args[:at], True, *args[at + 1 :], **kwargs)
        return pool(*args, **{**kwargs, "return_indices": True})

    found.__name__ = found.__qualname__ = f"{pool.__name__}_with_indices"
    found.__doc__ = f"Return the maxima of ``{pool.__name__}`` and their places, whatever ``return_indices`` says; arguments as there."
    return found


def assert_int_or_pair(arg: Any, arg_name: str, message: str) -> None:
    """Raise AssertionError, with the message about this argument, unless it is a number or two."""
    assert isinstance(arg, int) or len(arg) == 2, message.format(arg_name)
