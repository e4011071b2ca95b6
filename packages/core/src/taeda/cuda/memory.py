"""The memory of the GPUs: without one nothing is held, and the statistics are empty."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from typing import Any

from taeda.cuda._absent import needs_gpu
from taeda.storage import OutOfMemoryError

__all__ = [
    "OutOfMemoryError", "caching_allocator_alloc", "caching_allocator_delete", "empty_cache", "get_allocator_backend", "host_memory_stats",
    "ipc_collect", "list_gpu_processes", "max_memory_allocated", "max_memory_cached", "max_memory_reserved", "mem_get_info",
    "memory_allocated", "memory_cached", "memory_reserved", "memory_snapshot", "memory_stats", "memory_stats_as_nested_dict",
    "memory_summary", "reset_accumulated_memory_stats", "reset_max_memory_allocated", "reset_max_memory_cached",
    "reset_peak_memory_stats", "set_per_process_memory_fraction",
]  # fmt: skip


def empty_cache() -> None:
    """Give cached GPU memory back; nothing to do without a GPU."""


def ipc_collect() -> None:
    """Give back GPU memory that other processes have released; nothing to do without a GPU."""


def reset_peak_memory_stats(device: Any = None) -> None:
    """Forget the largest use of GPU memory so far; nothing to do without a GPU."""


def memory_allocated(device: Any = None) -> int:
    """Return how many bytes of GPU memory tensors hold."""
    return 0


def max_memory_allocated(device: Any = None) -> int:
    """Return how many bytes of GPU memory tensors have held at most."""
    return 0


def memory_reserved(device: Any = None) -> int:
    """Return how many bytes of GPU memory the allocator holds."""
    return 0


def max_memory_reserved(device: Any = None) -> int:
    """Return how many bytes of GPU memory the allocator has held at most."""
    return 0


reset_max_memory_allocated = reset_max_memory_cached = reset_peak_memory_stats


def memory_cached(device: Any = None) -> int:
    """Return :func:`memory_reserved`, by its old name."""
    warnings.warn("`torch.cuda.memory_cached` has been renamed to `torch.cuda.memory_reserved`", FutureWarning, stacklevel=2)
    return memory_reserved(device)


def max_memory_cached(device: Any = None) -> int:
    """Return :func:`max_memory_reserved`, by its old name."""
    warnings.warn("`torch.cuda.max_memory_cached` has been renamed to `torch.cuda.max_memory_reserved`", FutureWarning, stacklevel=2)
    return max_memory_reserved(device)


def memory_stats(device: Any = None) -> dict[str, Any]:
    """Return the allocator's counts by name: none."""
    return OrderedDict()


def memory_stats_as_nested_dict(device: Any = None) -> dict[str, Any]:
    """Return the allocator's counts as a tree: none."""
    return {}


def host_memory_stats() -> dict[str, Any]:
    """Return the counts of pinned memory by name: none."""
    return OrderedDict()


mem_get_info = needs_gpu("mem_get_info", "Return the free and the total bytes of a GPU's memory.")
memory_summary = needs_gpu("memory_summary", "Return a table of the allocator's counts.")
memory_snapshot = needs_gpu("memory_snapshot", "Return the blocks that the allocator holds.")
list_gpu_processes = needs_gpu("list_gpu_processes", "Return the processes that hold a GPU's memory.")
get_allocator_backend = needs_gpu("get_allocator_backend", "Return the allocator's name.")
caching_allocator_alloc = needs_gpu("caching_allocator_alloc", "Return the address of new memory.")
caching_allocator_delete = needs_gpu("caching_allocator_delete", "Give back what was allocated by hand.")
reset_accumulated_memory_stats = needs_gpu("reset_accumulated_memory_stats", "Set the sums among the counts to 0.")
set_per_process_memory_fraction = needs_gpu("set_per_process_memory_fraction", "Bound this process's share of a GPU's memory.")
