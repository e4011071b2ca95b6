"""The standard's functions that make arrays."""

from __future__ import annotations

from typing import Any

import taeda
from taeda import Tensor
from taeda.array_api._promotion import need_array, same_dtype


def asarray(obj: Any, /, *, dtype: Any = None, device: Any = None, copy: bool | None = None) -> Tensor:
    """Return numbers, nested sequences, buffers and other libraries' arrays as an array.

    ``copy``: True always, False never (ValueError where one is needed), None where one is needed.

    >>> from taeda import array_api as xp
    >>> xp.asarray([1.0, 2.0])
    tensor([1., 2.])
    """
    return taeda.asarray(obj, dtype=dtype, device=device, copy=copy)


def arange(start: Any, /, stop: Any = None, step: Any = 1, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Return start, start + step, ... up to but without stop; with one argument 0, 1, ..."""
    start, stop = (0, start) if stop is None else (start, stop)
    if step != 0 and (stop - start) * step <= 0:          # where PyTorch refuses the wrong direction, the standard has nothing
        whole = all(isinstance(x, int) for x in (start, stop, step))
        return taeda.empty(0, dtype=dtype or (taeda.int64 if whole else taeda.get_default_dtype()), device=device)
    return taeda.arange(start, stop, step, dtype=dtype, device=device)


def empty(shape: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Return an array whose elements are whatever was in memory."""
    return taeda.empty(shape, dtype=dtype, device=device)


def empty_like(x: Any, /, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Return :func:`empty` of x's shape, dtype and device."""
    return taeda.empty_like(x, dtype=dtype, device=device)


def eye(n_rows: int, n_cols: int | None = None, /, *, k: int = 0, dtype: Any = None, device: Any = None) -> Tensor:
    """Return zeros with ones on the k-th diagonal, which for positive k lies above the main one.

    >>> from taeda import array_api as xp
    >>> xp.eye(2, k=1)
    tensor([[0., 1.],
            [0., 0.]])
    """
    y = taeda.zeros((n_rows, n_rows if n_cols is None else n_cols), dtype=dtype, device=device)
    if -y.shape[0] < k < y.shape[1]:
        y.diagonal(k).fill_(1)
    return y


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """Return an array on the memory of another library's, or on a copy of it."""
    return taeda.from_dlpack(x, device=device, copy=copy)


def full(shape: Any, fill_value: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Return an array of one value; its dtype is the value's unless given."""
    return taeda.full((shape,) if isinstance(shape, int) else shape, fill_value, dtype=dtype, device=device)


def full_like(x: Any, /, fill_value: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Return one value in x's shape, dtype and device."""
    return taeda.full_like(x, fill_value, dtype=dtype, device=device)


def linspace(start: Any, stop: Any, /, num: int, *, dtype: Any = None, device: Any = None, endpoint: bool = True) -> Tensor:
    """Return ``num`` evenly spaced numbers from start to stop, with it or without.

    >>> from taeda import array_api as xp
    >>> xp.linspace(0, 1, 4, endpoint=False)
    tensor([0.0000, 0.2500, 0.5000, 0.7500])
    """
    if isinstance(start, complex) or isinstance(stop, complex):
        start, stop = complex(start), complex(stop)
        parts = taeda.float64 if dtype is None else dtype.to_real()
        wide = taeda.complex(linspace(start.real, stop.real, num, dtype=parts, device=device, endpoint=endpoint),
                             linspace(start.imag, stop.imag, num, dtype=parts, device=device, endpoint=endpoint))
        return wide.to(dtype or taeda.get_default_dtype().to_complex())
    if endpoint:
        return taeda.linspace(start, stop, num, dtype=dtype, device=device)
    return taeda.linspace(start, stop, num + 1, dtype=dtype, device=device)[:num].clone()


def meshgrid(*arrays: Any, indexing: str = "xy") -> list[Tensor]:
    """Return the coordinates of a grid's points: one array a dimension; "xy" exchanges the first two, as plots want."""
    if indexing not in ("xy", "ij"):
        raise ValueError(f'[meshgrid] indexing must be "xy" or "ij", got {indexing!r}')
    return list(taeda.meshgrid(*same_dtype("meshgrid", arrays), indexing=indexing)) if arrays else []


def ones(shape: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Return an array of ones."""
    return taeda.ones(shape, dtype=dtype, device=device)


def ones_like(x: Any, /, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Return ones in x's shape, dtype and device."""
    return taeda.ones_like(x, dtype=dtype, device=device)


def tril(x: Any, /, *, k: int = 0) -> Tensor:
    """Return x with zeros above the k-th diagonal."""
    return taeda.tril(need_array("tril", x), k)


def triu(x: Any, /, *, k: int = 0) -> Tensor:
    """Return x with zeros below the k-th diagonal."""
    return taeda.triu(need_array("triu", x), k)


def zeros(shape: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Return an array of zeros."""
    return taeda.zeros(shape, dtype=dtype, device=device)


def zeros_like(x: Any, /, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Return zeros in x's shape, dtype and device."""
    return taeda.zeros_like(x, dtype=dtype, device=device)
