"""What a profiler recorded: events, their sums by name, and both as a table and as a trace for chrome://tracing or Perfetto."""

from __future__ import annotations

import enum
import json
import os
from collections.abc import Iterable
from typing import Any

from taeda._atomic import replacing

__all__ = ["DeviceType", "EventList", "FunctionEvent", "FunctionEventAvg", "Interval"]

STACK_ROWS = 5                          # how much of a call stack a table shows
UNITS = (("s", 1e6), ("ms", 1e3))       # in microseconds


def time_text(us: float, unit: str | None = None) -> str:
    """Return microseconds with a unit: s from a second on, ms from a millisecond on."""
    for name, length in UNITS:
        if unit == name or (unit is None and us >= length):
            return f"{us / length:.3f}{name}"
    return f"{us:.3f}us"


def memory_text(n: int) -> str:
    """Return a number of bytes with a unit."""
    for name, power in (("GB", 30), ("MB", 20), ("KB", 10)):
        if abs(n) >= 1 << power:
            return f"{n / (1 << power):.2f} {name}"
    return f"{n} B"


class Interval:
    """From ``start`` to ``end``, in microseconds since the profiler started."""

    def __init__(self, start: float, end: float) -> None:
        self.start, self.end = start, end

    def elapsed_us(self) -> float:
        """Return the length."""
        return self.end - self.start


DeviceType = enum.Enum("DeviceType", {
    "CPU": 0, "CUDA": 1, "MKLDNN": 2, "OPENGL": 3, "OPENCL": 4, "IDEEP": 5, "HIP": 6, "FPGA": 7, "MAIA": 8, "XLA": 9, "Vulkan": 10,
    "Metal": 11, "XPU": 12, "MPS": 13, "MTIA": 19, "Meta": 14, "HPU": 15, "VE": 16, "Lazy": 17, "IPU": 18, "PrivateUse1": 20,
})      # fmt: skip
DeviceType.__doc__ = """Where an event ran, by PyTorch's names and numbers; here that is always ``CPU``.

>>> from taeda.profiler.events import DeviceType
>>> DeviceType.CPU, DeviceType(1)
(<DeviceType.CPU: 0>, <DeviceType.CUDA: 1>)
"""


class _Times:
    """What events and sums of events share: texts of their times, and zeros for the devices that there are not."""

    cpu_time_total: float
    self_cpu_time_total: float
    count: int
    device_time = device_time_total = self_device_time_total = cuda_time = cuda_time_total = self_cuda_time_total = 0.0
    device_memory_usage = self_device_memory_usage = 0
    device_time_str = device_time_total_str = self_device_time_total_str = "0.000us"
    is_async = is_remote = is_legacy = False
    device_type, use_device = DeviceType.CPU, None
    node_id, flops, scope, overload_name = -1, 0, 0, ""

    @property
    def cpu_time(self) -> float:
        """Microseconds a call."""
        return self.cpu_time_total / self.count if self.count else 0.0

    @property
    def cpu_time_str(self) -> str:
        """``cpu_time`` with a unit."""
        return time_text(self.cpu_time)

    @property
    def cpu_time_total_str(self) -> str:
        """``cpu_time_total`` with a unit."""
        return time_text(self.cpu_time_total)

    @property
    def self_cpu_time_total_str(self) -> str:
        """``self_cpu_time_total`` with a unit."""
        return time_text(self.self_cpu_time_total)


class FunctionEvent(_Times):
    """One call: its name, when it ran, in which thread, and the events inside of it.

    >>> import taeda
    >>> from taeda.profiler import profile, record_function
    >>> with profile() as prof:
    ...     with record_function("step"):
    ...         total = taeda.ones(4).sum()
    >>> step = next(event for event in prof.events() if event.name == "step")
    >>> [child.name for child in step.cpu_children], step.is_user_annotation
    (['aten::ones', 'aten::sum'], True)
    """

    count = 1
    sequence_nr, fwd_thread = -1, 0

    def __init__(self, id: int, name: str, category: str, thread: int, start: float, shapes: list[list[int]], stack: list[str],
                 parent: FunctionEvent | None) -> None:
        self.id, self.name, self.category, self.thread = id, name, category, thread
        self.trace_name = name
        self.time_range = Interval(start, start)
        self.input_shapes, self.stack = shapes, stack
        self.cpu_memory_usage = 0
        self.cpu_parent = parent
        self.cpu_children: list[FunctionEvent] = []
        if parent is not None:
            parent.cpu_children.append(self)

    @property
    def key(self) -> str:
        """What events are added up by: the name."""
        return self.name

    @property
    def is_user_annotation(self) -> bool:
        """Whether it comes from ``record_function``."""
        return self.category == "user_annotation"

    @property
    def cpu_time_total(self) -> float:  # type: ignore[override]
        """Microseconds from start to end."""
        return self.time_range.elapsed_us()

    @property
    def self_cpu_time_total(self) -> float:  # type: ignore[override]
        """Microseconds outside of the events inside of it."""
        return self.cpu_time_total - sum(child.cpu_time_total for child in self.cpu_children)

    @property
    def self_cpu_memory_usage(self) -> int:
        """Bytes that were allocated, less those that were freed, outside of the events inside of it."""
        return self.cpu_memory_usage - sum(child.cpu_memory_usage for child in self.cpu_children)

    def __repr__(self) -> str:
        return (f"<FunctionEvent id={self.id} name={self.name} cpu_time={self.cpu_time_str} start_us={self.time_range.start} "
                f"end_us={self.time_range.end} cpu_children={[c.id for c in self.cpu_children]} thread={self.thread} "
                f"input_shapes={self.input_shapes}>")


class FunctionEventAvg(_Times):
    """The sum of the events of one name (and shapes, and stack, where they are grouped by those).

    >>> import taeda
    >>> from taeda.profiler import profile
    >>> x = taeda.ones(4)
    >>> with profile() as prof:
    ...     x = x.exp().exp()
    >>> [(sum_.key, sum_.count) for sum_ in prof.key_averages()]
    [('aten::exp', 2)]
    """

    def __init__(self, key: str, input_shapes: Any = "", stack: list[str] | None = None) -> None:
        self.key, self.input_shapes, self.stack = key, input_shapes, stack or []
        self.count, self.cpu_time_total, self.self_cpu_time_total = 0, 0.0, 0.0
        self.cpu_memory_usage = self.self_cpu_memory_usage = 0
        self.is_user_annotation = False
        self.cpu_parent: FunctionEvent | None = None
        self.cpu_children: list[FunctionEvent] = []

    def add(self, other: FunctionEvent | FunctionEventAvg) -> FunctionEventAvg:
        """Add an event, or a sum of them, and return self."""
        self.count += other.count
        self.cpu_time_total += other.cpu_time_total
        self.self_cpu_time_total += other.self_cpu_time_total
        self.cpu_memory_usage += other.cpu_memory_usage
        self.self_cpu_memory_usage += other.self_cpu_memory_usage
        return self

    def __repr__(self) -> str:
        return (f"<FunctionEventAvg key={self.key} self_cpu_time={self.self_cpu_time_total_str} cpu_time={self.cpu_time_str}  "
                f"input_shapes={self.input_shapes}>")


class EventList(list[Any]):
    """Events, or sums of them, with tables and traces.

    >>> import taeda
    >>> from taeda.profiler import profile
    >>> x = taeda.ones(2, 3)
    >>> with profile(record_shapes=True) as prof:
    ...     y = x.exp() + x.t().exp().t()
    >>> events = prof.events()
    >>> [(average.key, average.input_shapes) for average in events.key_averages(group_by_input_shapes=True)]
    [('aten::exp', [[2, 3]]), ('aten::t', [[2, 3]]), ('aten::exp', [[3, 2]]), ('aten::t', [[3, 2]]), ('aten::add', [[2, 3], [2, 3]])]
    """

    def __init__(self, events: Iterable[Any] = (), with_memory: bool = False) -> None:
        super().__init__(events)
        self.with_memory = with_memory

    @property
    def self_cpu_time_total(self) -> float:
        """Microseconds of all of them, each moment counted once."""
        return float(sum(event.self_cpu_time_total for event in self))

    def key_averages(
        self, group_by_input_shapes: bool = False, group_by_stack_n: int = 0, group_by_overload_name: bool = False,
    ) -> EventList:
        """Return the sums by name, in the order in which the names came first."""
        sums: dict[Any, FunctionEventAvg] = {}
        for event in self:
            shapes = event.input_shapes if group_by_input_shapes else ""
            stack = event.stack[:group_by_stack_n]
            key = (event.key, str(shapes), tuple(stack))
            if key not in sums:
                sums[key] = FunctionEventAvg(event.key, shapes, stack)
                sums[key].cpu_parent = event.cpu_parent
                sums[key].is_user_annotation = event.is_user_annotation
            sums[key].add(event)
        return EventList(sums.values(), self.with_memory)

    supported_export_stacks_metrics = ("self_cpu_time_total", "self_cuda_time_total", "self_xpu_time_total", "self_privateuse1_time_total")

    def export_stacks(self, path: str | os.PathLike[str], metric: str = "self_cpu_time_total") -> None:
        """Write a line for each event that has a stack: its frames, the outermost first, between semicolons, and its microseconds.

        Raises:
            ValueError: the metric is none of PyTorch's times; those of GPUs are 0, and what took no time is left out.
        """
        if metric not in self.supported_export_stacks_metrics:
            raise ValueError(f"[export_stacks] metric should be one of {list(self.supported_export_stacks_metrics)}, got {metric!r}")
        clean = str.maketrans(" ;\t\n", "____")
        with open(path, "w", encoding="utf-8") as file:
            for event in self:
                value = int(getattr(event, metric, 0))
                if event.stack and value > 0:
                    file.write(";".join(frame.translate(clean) for frame in reversed(event.stack)) + f" {value}\n")

    def total_average(self) -> FunctionEventAvg:
        """Return the sum of all."""
        total = FunctionEventAvg("Total")
        for event in self:
            total.add(event)
        return total

    def table(
        self, sort_by: str | None = None, row_limit: int = 100, max_src_column_width: int = 75, max_name_column_width: int = 55,
        max_shapes_column_width: int = 80, header: str | None = None, top_level_events_only: bool = False, time_unit: str | None = None,
    ) -> str:
        """Return the events as a table.

        Args:
            sort_by: an attribute, such as "cpu_time_total", "self_cpu_time_total" or "count"; the largest comes first.
            row_limit: how many rows are shown; -1 shows all.
            header: a line above the table.
            top_level_events_only: leave out what ran inside of something else.
            time_unit: "s", "ms" or "us" for all times.

        Raises:
            AttributeError: events have no attribute of that name.
        """
        if not self:
            return ""
        if time_unit not in (None, "s", "ms", "us"):
            raise ValueError(f"[table] time_unit must be s, ms or us, got {time_unit!r}")
        if sort_by is not None and not hasattr(self[0], sort_by):
            raise AttributeError(f"[table] events have no {sort_by!r} to be sorted by; they have cpu_time_total, self_cpu_time_total, "
                                 "count and others")
        events = list(self) if sort_by is None else sorted(self, key=lambda event: getattr(event, sort_by), reverse=True)
        if top_level_events_only:
            events = [event for event in events if event.cpu_parent is None]
        events = events if row_limit < 0 else events[:row_limit]
        total = self.self_cpu_time_total
        titles = ["Name", "Self CPU %", "Self CPU", "CPU total %", "CPU total", "CPU time avg"]
        memory = self.with_memory
        titles += ["CPU Mem", "Self CPU Mem", "# of Calls"] if memory else ["# of Calls"]
        rows = [[
            event.key, share(event.self_cpu_time_total, total), time_text(event.self_cpu_time_total, time_unit),
            share(event.cpu_time_total, total), time_text(event.cpu_time_total, time_unit), time_text(event.cpu_time, time_unit),
            *([memory_text(event.cpu_memory_usage), memory_text(event.self_cpu_memory_usage)] if memory else []), str(event.count),
        ] for event in events]
        widths = [min(max((len(row[0]) for row in rows), default=4) + 4, max_name_column_width)] + [12] * (len(titles) - 1)
        for title, texts, most in (
            ("Input Shapes", [str(event.input_shapes) if event.input_shapes != "" else "" for event in events], max_shapes_column_width),
            ("Source Location", ["; ".join(event.stack[:STACK_ROWS]) for event in events], max_src_column_width),
        ):
            if any(texts):
                titles.append(title)
                widths.append(min(max(map(len, texts)) + 4, most))
                for row, text in zip(rows, texts, strict=True):
                    row.append(text)

        def line(cells: Iterable[str]) -> str:
            return "".join(f"{cell if len(cell) <= w else cell[:w - 3] + '...':>{w}}  " for cell, w in zip(cells, widths, strict=True))

        rule = line("-" * w for w in widths)
        lines = [rule, line(titles), rule, *map(line, rows), rule, f"Self CPU time total: {time_text(total, time_unit)}", ""]
        if header is not None:
            lines = ["=" * len(rule.rstrip()), header, *lines]
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.table()

    def export_chrome_trace(
        self, path: str | os.PathLike[str], base_ns: int = 0, name: str = "", metadata: dict[str, Any] | None = None,
    ) -> None:
        """Write the events to a file that chrome://tracing and Perfetto read: the trace-event format, times in microseconds.

        The file is replaced whole or not at all.  A path that ends in .gz is compressed.
        """
        pid = os.getpid()
        trace: list[dict[str, Any]] = [
            {"ph": "M", "name": "process_name", "ts": base_ns / 1e3, "pid": pid, "tid": 0, "args": {"name": "python"}},
            {"ph": "M", "name": "process_labels", "ts": base_ns / 1e3, "pid": pid, "tid": 0, "args": {"labels": "CPU"}},
        ]
        for event in self:
            args: dict[str, Any] = {"External id": event.id}
            if event.input_shapes:
                args["Input Dims"] = event.input_shapes
            if event.stack:
                args["Call stack"] = ";".join(event.stack)
            trace.append({
                "ph": "X", "cat": event.category, "name": event.trace_name, "pid": pid, "tid": event.thread,
                "ts": base_ns / 1e3 + event.time_range.start, "dur": event.time_range.elapsed_us(), "args": args,
            })
        document = {
            **(metadata or {}), "schemaVersion": 1, "displayTimeUnit": "ms", "baseTimeNanoseconds": base_ns, "traceEvents": trace,
            "traceName": name,
        }
        data = json.dumps(document).encode()
        if os.fspath(path).endswith(".gz"):
            import gzip

            data = gzip.compress(data)
        with replacing(os.fspath(path)) as file:
            file.write(data)


def share(part: float, whole: float) -> str:
    """Return a percentage."""
    return f"{part * 100 / whole:.2f}%" if whole else "0.00%"
