"""PyTorch's name for helpers that libraries take from it: lists of tensors as one, and the functions that its pickles name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from taeda import ops
from taeda._rebuild import rebuild_meta_v2 as _rebuild_meta_tensor_no_storage
from taeda._rebuild import rebuild_parameter as _rebuild_parameter
from taeda._rebuild import rebuild_parameter_with_state as _rebuild_parameter_with_state
from taeda._rebuild import rebuild_sparse as _rebuild_sparse_tensor
from taeda._rebuild import rebuild_v2 as _rebuild_tensor_v2
from taeda.device import device as _device

__all__ = [
    "_element_size", "_flatten_dense_tensors", "_get_device_index", "_rebuild_meta_tensor_no_storage", "_rebuild_parameter",
    "_rebuild_parameter_with_state", "_rebuild_sparse_tensor",
    "_rebuild_tensor", "_rebuild_tensor_v2", "_take_tensors", "_unflatten_dense_tensors",
]  # fmt: skip

_rebuild_tensor = _rebuild_tensor_v2                    # of the two, the later takes the earlier's arguments too


def _element_size(dtype: Any) -> int:
    """Return the bytes of an element of a dtype."""
    return int(dtype.itemsize)


def _flatten_dense_tensors(tensors: Sequence[Any]) -> Any:
    """Return the elements of all tensors one after another.

    >>> import taeda
    >>> _flatten_dense_tensors([taeda.ones(2), taeda.zeros(1, 2)]).tolist()
    [1.0, 1.0, 0.0, 0.0]
    """
    return ops.cat([t.reshape(-1) for t in tensors])


def _unflatten_dense_tensors(flat: Any, tensors: Sequence[Any]) -> tuple[Any, ...]:
    """Return views of what ``_flatten_dense_tensors`` made, each of the shape of a tensor.

    >>> import taeda
    >>> [t.tolist() for t in _unflatten_dense_tensors(taeda.arange(4), [taeda.ones(2), taeda.zeros(1, 2)])]
    [[0, 1], [[2, 3]]]
    """
    found, start = [], 0
    for t in tensors:
        found.append(flat.narrow(0, start, t.numel()).view(t.shape))
        start += t.numel()
    return tuple(found)


def _take_tensors(tensors: Sequence[Any], size_limit: int) -> Iterator[list[Any]]:
    """Yield the tensors in lists of one dtype, each closed before it would hold more than ``size_limit`` bytes."""
    lists: dict[Any, tuple[list[Any], int]] = {}
    for t in tensors:
        size = t.numel() * t.element_size()
        held, total = lists.get(t.dtype, ([], 0))
        if held and total + size > size_limit:
            yield held
            held, total = [], 0
        lists[t.dtype] = ([*held, t], total + size)
    for held, _ in lists.values():
        yield held


def _get_device_index(device: Any, optional: bool = False, allow_cpu: bool = False) -> int:
    """Return the number of a device: -1 of the CPU if ``allow_cpu``.  ValueError where it has none."""
    if isinstance(device, int) and not isinstance(device, bool):
        return device
    found = _device(device) if isinstance(device, str) else device
    if isinstance(found, _device):
        if found.type == "cpu" and allow_cpu:
            return -1
        if found.index is not None and found.type != "cpu":
            return int(found.index)
    raise ValueError(f"[_get_device_index] expected a device with an index, or an integer, but got: {device}")
