"""Data types of the standard: conversion, promotion, limits; and how operands of two dtypes come to one.

The standard promotes by dtypes alone, so that a 0-d array counts as much as any other (in PyTorch it does not), and only a
Python number gives way to the array beside it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import taeda
from taeda import Tensor

SIGNED = ("int8", "int16", "int32", "int64")
UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
REAL = ("float32", "float64")
COMPLEX = ("complex64", "complex128")
KINDS = {
    "bool": ("bool",), "signed integer": SIGNED, "unsigned integer": UNSIGNED, "integral": SIGNED + UNSIGNED, "real floating": REAL,
    "complex floating": COMPLEX, "numeric": SIGNED + UNSIGNED + REAL + COMPLEX,
}  # fmt: skip


def need_array(op: str, x: Any) -> Tensor:
    """Return x, or raise TypeError if it is no array."""
    if not isinstance(x, Tensor):
        raise TypeError(f"[{op}] expected an array, got {type(x).__name__}")
    return x


def rank_of(dtype: Any) -> int:
    """0 for bool, 1 for integers, 2 for floating point, 3 for complex."""
    return 3 if dtype.is_complex else 2 if dtype.is_floating_point else 0 if dtype is taeda.bool else 1


def dtype_with(dtype: Any, number: Any) -> Any:
    """Return the dtype of an array beside a Python number: the array's, unless the number is of a higher kind."""
    rank = 0 if isinstance(number, bool) else 1 if isinstance(number, int) else 2 if isinstance(number, float) else 3
    have = rank_of(dtype)
    if rank == 3 and have == 2:
        return dtype.to_complex()
    if rank <= have and not (rank == 0 and have):
        return dtype
    raise TypeError(f"[array_api] a Python {type(number).__name__} does not go with an array of {dtype}; make it an array of the "
                    "dtype you mean")


def operands(op: str, x1: Any, x2: Any) -> tuple[Tensor, Tensor]:
    """Return two arrays, or an array and a Python number, as arrays of the dtype that they promote to."""
    if isinstance(x1, Tensor) and isinstance(x2, Tensor):
        if x1.dtype is x2.dtype:
            return x1, x2
        dtype = taeda.promote_types(x1.dtype, x2.dtype)
        return x1.to(dtype), x2.to(dtype)
    if isinstance(x1, Tensor) and isinstance(x2, (int, float, complex)):
        dtype = dtype_with(x1.dtype, x2)
        return x1.to(dtype), taeda.full((), x2, dtype=dtype, device=x1.device)
    if isinstance(x2, Tensor) and isinstance(x1, (int, float, complex)):
        second, first = operands(op, x2, x1)
        return first, second
    raise TypeError(f"[{op}] expected two arrays, or an array and a Python number, got {type(x1).__name__} and {type(x2).__name__}")


def same_dtype(op: str, arrays: Any) -> list[Tensor]:
    """Return the arrays in the dtype that all of them promote to."""
    found = [need_array(op, x) for x in arrays]
    dtype = result_type(*found) if found else None
    return [x.to(dtype) for x in found]


def result_type(*arrays_and_dtypes: Any) -> Any:
    """Return the dtype that arrays, dtypes and Python numbers promote to.

    >>> from taeda import array_api as xp
    >>> xp.result_type(xp.int8, xp.asarray([1, 2]), 3)
    taeda.int64
    """
    numbers = [x for x in arrays_and_dtypes if isinstance(x, (int, float, complex)) and not isinstance(x, (Tensor, taeda.dtype))]
    dtypes = [x.dtype if isinstance(x, Tensor) else x for x in arrays_and_dtypes if isinstance(x, (Tensor, taeda.dtype))]
    if len(numbers) + len(dtypes) != len(arrays_and_dtypes):
        raise TypeError(f"[result_type] expected arrays, dtypes and numbers, got {[type(x).__name__ for x in arrays_and_dtypes]}")
    if not dtypes:
        raise ValueError("[result_type] at least one array or dtype is required")
    dtype = dtypes[0]
    for other in dtypes[1:]:
        dtype = taeda.promote_types(dtype, other)
    for number in numbers:
        dtype = dtype_with(dtype, number)
    return dtype


def can_cast(from_: Any, to: Any, /) -> bool:
    """Whether the standard's promotion takes ``from_``, a dtype or an array, to ``to``: within one kind, or from real to complex."""
    dtype = from_.dtype if isinstance(from_, Tensor) else from_
    if not isinstance(dtype, taeda.dtype) or not isinstance(to, taeda.dtype):
        raise TypeError(f"[can_cast] expected a dtype or an array, and a dtype, got {type(from_).__name__} and {type(to).__name__}")
    kinds = (rank_of(dtype), rank_of(to))
    return (kinds[0] == kinds[1] or kinds == (2, 3)) and taeda.promote_types(dtype, to) is to


def isdtype(dtype: Any, kind: Any) -> bool:
    """Whether the dtype is of a kind: a dtype, a kind's name such as "integral", or a tuple of such.

    >>> from taeda import array_api as xp
    >>> xp.isdtype(xp.uint8, ("real floating", "unsigned integer"))
    True
    """
    if isinstance(kind, tuple):
        return any(isdtype(dtype, k) for k in kind)
    if isinstance(kind, taeda.dtype):
        return dtype is kind
    if not isinstance(kind, str):
        raise TypeError(f"[isdtype] kind must be a dtype, a str or a tuple of them, got {type(kind).__name__}")
    if kind not in KINDS:
        raise ValueError(f"[isdtype] no kind {kind!r}; the kinds are {', '.join(KINDS)}")
    return dtype.name in KINDS[kind]


def astype(x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Tensor:
    """Return x converted to a dtype; without ``copy``, x itself where nothing changes.  TypeError from complex to real."""
    need_array("astype", x)
    if x.is_complex() and not dtype.is_complex:
        raise TypeError(f"[astype] a complex array cannot be converted to {dtype}; take real(x), imag(x) or abs(x)")
    return x.to(device=x.device if device is None else device, dtype=dtype, copy=copy)


class FInfo(NamedTuple):
    """Limits of a floating-point dtype."""

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: Any


class IInfo(NamedTuple):
    """Limits of an integer dtype."""

    bits: int
    max: int
    min: int
    dtype: Any


def finfo(type: Any, /) -> FInfo:
    """Return the limits of a floating-point dtype, or of an array's; of a complex one those of its parts."""
    dtype = type.dtype if isinstance(type, Tensor) else type
    f = taeda.finfo(dtype)
    return FInfo(f.bits, f.eps, f.max, f.min, f.smallest_normal, dtype.to_real())


def iinfo(type: Any, /) -> IInfo:
    """Return the limits of an integer dtype, or of an array's."""
    dtype = type.dtype if isinstance(type, Tensor) else type
    i = taeda.iinfo(dtype)
    return IInfo(i.bits, i.max, i.min, dtype)
