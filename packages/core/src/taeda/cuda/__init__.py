"""The GPU's room: without a GPU backend every use raises one clear error, and is_available() is False."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from taeda.device import no_cuda

__all__ = [
    "CUDAGraph", "Event", "Stream", "StreamContext", "current_device", "current_stream", "default_generators", "default_stream",
    "device_count", "empty_cache", "get_device_capability", "get_device_name", "get_device_properties", "get_rng_state",
    "get_rng_state_all", "graph", "init", "initial_seed", "ipc_collect", "is_available", "is_bf16_supported", "is_initialized",
    "is_tf32_supported",
    "manual_seed", "manual_seed_all", "max_memory_allocated", "max_memory_reserved", "mem_get_info", "memory_allocated",
    "memory_reserved", "reset_max_memory_allocated", "reset_max_memory_cached", "reset_peak_memory_stats", "seed", "seed_all",
    "set_device", "set_rng_state", "set_rng_state_all", "synchronize",
]  # fmt: skip


default_generators: tuple[Any, ...] = ()  # one a GPU


def is_available() -> bool:
    """Whether a GPU can be used."""
    return False


def device_count() -> int:
    """Return how many GPUs can be used."""
    return 0


def manual_seed(seed: int) -> None:
    """Seed the GPU's generator; nothing to do without one."""


def manual_seed_all(seed: int) -> None:
    """Seed every GPU's generator; nothing to do without one."""


def empty_cache() -> None:
    """Give cached GPU memory back; nothing to do without a GPU."""


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


def seed() -> None:
    """Seed the GPU's generator at random; nothing to do without one."""


def seed_all() -> None:
    """Seed every GPU's generator at random; nothing to do without one."""


def ipc_collect() -> None:
    """Give back GPU memory that other processes have released; nothing to do without a GPU."""


def reset_peak_memory_stats(device: Any = None) -> None:
    """Forget the largest use of GPU memory so far; nothing to do without a GPU."""


reset_max_memory_allocated = reset_max_memory_cached = reset_peak_memory_stats


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


def get_rng_state_all() -> list[Any]:
    """Return the states of all GPUs' generators."""
    return []


def set_rng_state_all(new_states: Any) -> None:
    """Restore what :func:`get_rng_state_all` returned."""
    for state in new_states:
        set_rng_state(state)


def _needs_gpu(name: str, doc: str) -> Callable[..., Any]:
    """Return a function that has no meaning without a GPU, and says so."""

    def function(*args: Any, **kwargs: Any) -> Any:
        raise no_cuda(f"cuda.{name}")

    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


class Stream:
    """A queue of a GPU's work; without a GPU there is none."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise no_cuda(f"cuda.{type(self).__name__}")


class Event(Stream):
    """A mark in a queue of a GPU's work; without a GPU there is none."""


class StreamContext(Stream):
    """The block in which a queue is the current one; without a GPU there is none."""


class CUDAGraph(Stream):
    """Work of a GPU that was recorded; without a GPU there is none."""


class graph(Stream):
    """The block whose work is recorded as a :class:`CUDAGraph`; without a GPU there is none."""


init = _needs_gpu("init", "Prepare the GPUs for use.")
initial_seed = _needs_gpu("initial_seed", "Return the seed of the GPU's generator.")
set_device = _needs_gpu("set_device", "Make a GPU the current one.")
mem_get_info = _needs_gpu("mem_get_info", "Return the free and the total bytes of a GPU's memory.")
current_stream = _needs_gpu("current_stream", "Return the queue that a GPU's work goes to.")
default_stream = _needs_gpu("default_stream", "Return a GPU's first queue.")
get_device_name = _needs_gpu("get_device_name", "Return a GPU's name.")
get_device_capability = _needs_gpu("get_device_capability", "Return a GPU's version as (major, minor).")
get_device_properties = _needs_gpu("get_device_properties", "Return what is known of a GPU.")
get_rng_state = _needs_gpu("get_rng_state", "Return the state of a GPU's generator.")
set_rng_state = _needs_gpu("set_rng_state", "Restore the state of a GPU's generator.")


def __getattr__(name: str) -> Any:
    if name in ("amp", "nvtx"):
        import importlib

        return importlib.import_module(f"taeda.cuda.{name}")
    if name.endswith("Tensor"):
        from taeda.legacy import GPU_NAMES

        if name in GPU_NAMES:
            return GPU_NAMES[name]
    raise AttributeError(f"module 'taeda.cuda' has no attribute {name!r}")
