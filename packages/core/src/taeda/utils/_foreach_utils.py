"""Lists of tensors by device and dtype, as optimizers that work on lists take them from PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taeda.tensor import Tensor

__all__ = [
    "_device_has_foreach_support", "_foreach_supported_types", "_get_foreach_kernels_supported_devices",
    "_get_fused_kernels_supported_devices", "_group_tensors_by_device_and_dtype", "_has_foreach_support",
]  # fmt: skip

TensorListList = list[list[Tensor | None]]
Indices = list[int]
_foreach_supported_types: list[type] = [Tensor]


def _get_foreach_kernels_supported_devices() -> list[str]:
    """Return the devices on which operations on lists are meant to be the default: on a CPU they gain nothing."""
    return ["cuda", "xpu"]


def _get_fused_kernels_supported_devices() -> list[str]:
    """Return the devices whose optimizers have fused steps."""
    return ["cpu", "cuda"]


def _device_has_foreach_support(device: Any) -> bool:
    return device.type == "cpu" or device.type in _get_foreach_kernels_supported_devices()


def _has_foreach_support(tensors: Sequence[Any], device: Any) -> bool:
    return _device_has_foreach_support(device) and all(t is None or type(t).__name__ in ("Tensor", "Parameter") for t in tensors)


def _group_tensors_by_device_and_dtype(
    tensorlistlist: Sequence[Sequence[Any]], with_indices: bool = False
) -> dict[tuple[Any, Any], tuple[list[list[Any]], list[int]]]:
    """Cut lists that belong together, place by place, into lists of one device and dtype each; the first list's tensors decide.

    Args:
        tensorlistlist: lists of one length; all but the first may hold None, or be empty.
        with_indices: whether the places of the tensors are told too.

    >>> import taeda
    >>> from taeda.utils._foreach_utils import _group_tensors_by_device_and_dtype
    >>> found = _group_tensors_by_device_and_dtype([[taeda.ones(1), taeda.ones(1, dtype=taeda.int64), taeda.zeros(1)]], with_indices=True)
    >>> [(str(dtype), indices) for (device, dtype), (lists, indices) in found.items()]
    [('taeda.float32', [0, 2]), ('taeda.int64', [1])]
    """
    lengths = [len(tensors) for tensors in tensorlistlist]
    if not lengths or any(length not in (0, lengths[0]) for length in lengths):
        raise RuntimeError(f"[_group_tensors_by_device_and_dtype] expected lists of one length, or empty ones, got lengths {lengths}")
    found: dict[tuple[Any, Any], tuple[list[list[Any]], list[int]]] = {}
    for i, t in enumerate(tensorlistlist[0]):
        lists, indices = found.setdefault((t.device, t.dtype), ([[] for _ in tensorlistlist], []))
        for one, tensors in zip(lists, tensorlistlist, strict=True):
            one.extend(tensors[i : i + 1])
        if with_indices:
            indices.append(i)
    return found
