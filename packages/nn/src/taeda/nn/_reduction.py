"""Reductions of losses by PyTorch's older names and numbers, which copies of its losses use as ``F._Reduction``."""

from __future__ import annotations

import warnings

from taeda import Tensor

__all__ = ["get_enum", "legacy_get_enum", "legacy_get_string"]

_NUMBERS = {"none": 0, "mean": 1, "sum": 2}


def get_enum(reduction: str) -> int:
    """Return the number of a reduction: none 0, mean 1, sum 2; ValueError for any other name.

    >>> from taeda.nn._reduction import get_enum
    >>> get_enum("mean")
    1
    """
    if reduction == "elementwise_mean":
        warnings.warn("reduction='elementwise_mean' is deprecated. Please use reduction='mean' instead.", stacklevel=2)
        return 1
    if reduction not in _NUMBERS:
        raise ValueError(f"[get_enum] {reduction} is not a valid value for reduction; it must be one of none, mean, sum")
    return _NUMBERS[reduction]


def legacy_get_string(
    size_average: bool | None, reduce: bool | None, emit_warning: bool = True, *, stacklevel: int = 3
) -> str:
    """Return the reduction that the deprecated ``size_average`` and ``reduce`` mean; None is True.

    >>> from taeda.nn._reduction import legacy_get_string
    >>> legacy_get_string(False, None, emit_warning=False)
    'sum'
    """
    for value in (size_average, reduce):
        if isinstance(value, Tensor) and value.numel() != 1:       # nn.MSELoss(input, target)
            raise RuntimeError("[loss] Boolean value of Tensor with more than one value is ambiguous: size_average and reduce are True or "
                               "False; a loss is made, then called with tensors, as in nn.MSELoss()(input, target)")
    size_average, reduce = size_average is None or size_average, reduce is None or reduce
    name = ("mean" if size_average else "sum") if reduce else "none"
    if emit_warning:
        warnings.warn(f"size_average and reduce args will be deprecated, please use reduction='{name}' instead.", stacklevel=stacklevel)
    return name


def legacy_get_enum(size_average: bool | None, reduce: bool | None, emit_warning: bool = True) -> int:
    """Return the number of the reduction that the deprecated arguments mean."""
    return get_enum(legacy_get_string(size_average, reduce, emit_warning))
