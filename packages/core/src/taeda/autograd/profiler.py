"""PyTorch's older names for ``taeda.profiler``: ``profile`` takes ``enabled`` and has the tables as its own methods."""

from __future__ import annotations

from typing import Any

from taeda import profiler
from taeda.device import no_cuda
from taeda.profiler import kineto_available, record_function
from taeda.profiler.events import DeviceType, EventList, FunctionEvent, FunctionEventAvg

__all__ = [
    "DeviceType", "EventList", "FunctionEvent", "FunctionEventAvg", "emit_itt", "emit_nvtx", "kineto_available", "profile",
    "record_function",
]  # fmt: skip


class profile(profiler.profile):
    """Record the operations of a ``with`` block, or nothing where ``enabled`` is False.

    >>> import taeda
    >>> from taeda.autograd.profiler import profile
    >>> with profile() as p:
    ...     y = taeda.ones(2) + 1
    >>> [event.key for event in p.key_averages()]
    ['aten::ones', 'aten::add']
    """

    def __init__(self, enabled: bool = True, *, use_cuda: bool = False, use_device: str | None = None, record_shapes: bool = False,
                 with_flops: bool = False, profile_memory: bool = False, with_stack: bool = False, **options: Any) -> None:
        super().__init__(record_shapes=record_shapes, with_flops=with_flops, profile_memory=profile_memory, with_stack=with_stack)
        self.enabled = enabled

    def start(self) -> None:
        """Start, if enabled."""
        if self.enabled:
            super().start()

    @property
    def function_events(self) -> EventList:
        """The events."""
        return self.events()

    @property
    def self_cpu_time_total(self) -> float:
        """Microseconds of all events, each moment counted once."""
        return self.events().self_cpu_time_total

    def table(self, *args: Any, **kwargs: Any) -> str:
        """Return the events as a table, see ``EventList.table``."""
        return self.events().table(*args, **kwargs)

    def total_average(self) -> FunctionEventAvg:
        """Return the sum of all events."""
        return self.events().total_average()


class emit_itt:
    """Mark each operation for Intel's VTune, which does not see taeda's; nothing is marked."""

    def __init__(self, enabled: bool = True, record_shapes: bool = False) -> None:
        self.enabled, self.record_shapes = enabled, record_shapes

    def __enter__(self) -> emit_itt:
        return self

    def __exit__(self, *error: object) -> None:
        """Leave it."""


class emit_nvtx:
    """Mark each operation for the tools that watch a GPU; entering it needs one, unless ``enabled`` is False."""

    def __init__(self, enabled: bool = True, record_shapes: bool = False) -> None:
        self.enabled, self.record_shapes = enabled, record_shapes

    def __enter__(self) -> emit_nvtx:
        if self.enabled:
            raise no_cuda("autograd.profiler.emit_nvtx")
        return self

    def __exit__(self, *error: object) -> None:
        """Leave it."""


def __getattr__(name: str) -> Any:
    if name == "_is_profiler_enabled":                  # a variable in PyTorch, which libraries read
        return profiler._profiler_enabled()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
