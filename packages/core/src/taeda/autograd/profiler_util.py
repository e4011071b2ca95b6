"""The file in which PyTorch keeps what its profilers show, for programs that import from there."""

from taeda.profiler.events import DeviceType, EventList, FunctionEvent, FunctionEventAvg, Interval, time_text as _format_time

__all__ = ["DeviceType", "EventList", "FunctionEvent", "FunctionEventAvg", "Interval", "_format_time"]
