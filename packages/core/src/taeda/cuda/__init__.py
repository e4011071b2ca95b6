"""The GPU's room: without a GPU backend every use raises one clear error, and is_available() is False."""

from __future__ import annotations

import importlib
from typing import Any

from taeda.cuda import memory, random
from taeda.cuda._absent import needs_gpu
from taeda.cuda.memory import (
    OutOfMemoryError,
    caching_allocator_alloc,
    caching_allocator_delete,
    empty_cache,
    get_allocator_backend,
    host_memory_stats,
    ipc_collect,
    list_gpu_processes,
    max_memory_allocated,
    max_memory_cached,
    max_memory_reserved,
    mem_get_info,
    memory_allocated,
    memory_cached,
    memory_reserved,
    memory_snapshot,
    memory_stats,
    memory_stats_as_nested_dict,
    memory_summary,
    reset_accumulated_memory_stats,
    reset_max_memory_allocated,
    reset_max_memory_cached,
    reset_peak_memory_stats,
    set_per_process_memory_fraction,
)  # fmt: skip
from taeda.cuda.random import (
    get_rng_state,
    get_rng_state_all,
    initial_seed,
    manual_seed,
    manual_seed_all,
    seed,
    seed_all,
    set_rng_state,
    set_rng_state_all,
)  # fmt: skip
from taeda.device import device as _device, no_cuda

__all__ = [
    "CUDAGraph", "Event", "ExternalStream", "OutOfMemoryError", "Stream", "StreamContext", "caching_allocator_alloc",
    "caching_allocator_delete", "can_device_access_peer", "check_error", "clock_rate", "cudart", "current_blas_handle",
    "current_device", "current_stream", "default_generators", "default_stream", "device", "device_count", "device_of",
    "empty_cache", "get_allocator_backend", "get_arch_list", "get_device_capability", "get_device_name", "get_device_properties",
    "get_gencode_flags", "get_rng_state", "get_rng_state_all", "get_sync_debug_mode", "graph", "has_half", "has_magma",
    "host_memory_stats", "init", "initial_seed", "ipc_collect", "is_available", "is_bf16_supported",
    "is_current_stream_capturing", "is_initialized", "is_tf32_supported", "list_gpu_processes", "make_graphed_callables",
    "manual_seed", "manual_seed_all", "max_memory_allocated", "max_memory_cached", "max_memory_reserved", "mem_get_info",
    "memory", "memory_allocated", "memory_cached", "memory_reserved", "memory_snapshot", "memory_stats",
    "memory_stats_as_nested_dict", "memory_summary", "power_draw", "random", "reset_accumulated_memory_stats",
    "reset_max_memory_allocated", "reset_max_memory_cached", "reset_peak_memory_stats", "seed", "seed_all", "set_device",
    "set_per_process_memory_fraction", "set_rng_state", "set_rng_state_all", "set_stream", "set_sync_debug_mode", "stream",
    "synchronize", "temperature", "utilization",
]  # fmt: skip


default_generators: tuple[Any, ...] = ()  # one a GPU
has_half, has_magma = True, False


def is_available() -> bool:
    """Whether a GPU can be used."""
    return False


def device_count() -> int:
    """Return how many GPUs can be used."""
    return 0


def synchronize(device: Any = None) -> None:
    """Wait for the GPU's work."""
    raise no_cuda("cuda.synchronize")


def current_device() -> int:
    """Return the current GPU's number."""
    raise no_cuda("cuda.current_device")


def _lazy_call(callable: Any, **kwargs: Any) -> None:
    """Keep a call for the first use of a GPU, as PyTorch does: it is never made."""


_initialized = False


def is_initialized() -> bool:
    """Whether a GPU has been used: never."""
    return False


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Whether the GPU computes with bfloat16; there is none."""
    return False


def is_tf32_supported() -> bool:
    """Whether the GPU multiplies with TF32; there is none."""
    return False


def get_arch_list() -> list[str]:
    """Return the kinds of GPU that there is code for: none."""
    return []


def get_gencode_flags() -> str:
    """Return the compiler's options for those kinds."""
    return ""


class device:
    """The block in which a GPU is the current one; a negative number, or None, chooses none."""

    def __init__(self, device: Any) -> None:
        self.idx = -1 if device is None else _index(device)

    def __enter__(self) -> None:
        if self.idx >= 0:
            raise no_cuda("cuda.device")

    def __exit__(self, *error: Any) -> None:
        return None


class device_of(device):
    """The block in which a tensor's GPU is the current one; a tensor that lies on none chooses none."""

    def __init__(self, obj: Any) -> None:
        super().__init__(obj.get_device() if obj.is_cuda else -1)


def _index(device: Any) -> int:
    if isinstance(device, int):
        return device
    named = _device(device)
    if named.type != "cuda":
        raise ValueError(f"[cuda.device] Expected a cuda device, but got: {named}")
    return named.index or 0


class Stream:
    """A queue of a GPU's work; without a GPU there is none."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise no_cuda(f"cuda.{type(self).__name__}")


class Event(Stream):
    """A mark in a queue of a GPU's work; without a GPU there is none."""


class ExternalStream(Stream):
    """A queue that another library made; without a GPU there is none."""


class StreamContext:
    """The block in which a queue is the current one; None changes nothing."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def __enter__(self) -> None:
        if self.stream is not None:
            raise no_cuda("cuda.stream")

    def __exit__(self, *error: Any) -> None:
        return None


def stream(stream: Any) -> StreamContext:
    """Return the block in which a queue is the current one; None changes nothing."""
    return StreamContext(stream)


def set_stream(stream: Any) -> None:
    """Make a queue the current one; None changes nothing."""
    if stream is not None:
        raise no_cuda("cuda.set_stream")


class CUDAGraph(Stream):
    """Work of a GPU that was recorded; without a GPU there is none."""


class graph(Stream):
    """The block whose work is recorded as a :class:`CUDAGraph`; without a GPU there is none."""


init = needs_gpu("init", "Prepare the GPUs for use.")
set_device = needs_gpu("set_device", "Make a GPU the current one.")
can_device_access_peer = needs_gpu("can_device_access_peer", "Whether a GPU reads another's memory.")
check_error = needs_gpu("check_error", "Raise what a code of CUDA's means.")
clock_rate = needs_gpu("clock_rate", "Return a GPU's clock in MHz.")
cudart = needs_gpu("cudart", "Return CUDA's library.")
current_blas_handle = needs_gpu("current_blas_handle", "Return the address of the state of cuBLAS.")
get_sync_debug_mode = needs_gpu("get_sync_debug_mode", "Return what becomes of calls that wait for the GPU.")
set_sync_debug_mode = needs_gpu("set_sync_debug_mode", "Say what becomes of calls that wait for the GPU.")
is_current_stream_capturing = needs_gpu("is_current_stream_capturing", "Whether the GPU's work is being recorded.")
make_graphed_callables = needs_gpu("make_graphed_callables", "Return functions that replay recorded work.")
power_draw = needs_gpu("power_draw", "Return a GPU's power in mW.")
temperature = needs_gpu("temperature", "Return a GPU's temperature in degrees Celsius.")
utilization = needs_gpu("utilization", "Return the share of time, in percent, in which a GPU worked.")
current_stream = needs_gpu("current_stream", "Return the queue that a GPU's work goes to.")
default_stream = needs_gpu("default_stream", "Return a GPU's first queue.")
get_device_name = needs_gpu("get_device_name", "Return a GPU's name.")
get_device_capability = needs_gpu("get_device_capability", "Return a GPU's version as (major, minor).")
get_device_properties = needs_gpu("get_device_properties", "Return what is known of a GPU.")


def __getattr__(name: str) -> Any:
    if name in ("amp", "comm", "nvtx", "profiler"):
        return importlib.import_module(f"taeda.cuda.{name}")
    if name == "AcceleratorError":
        return importlib.import_module("taeda.absent").AcceleratorError
    if name.endswith("Tensor"):
        from taeda.legacy import GPU_NAMES

        if name in GPU_NAMES:
            return GPU_NAMES[name]
    raise AttributeError(f"module 'taeda.cuda' has no attribute {name!r}")
