"""When each operation ran, and for how long, with the names of ``torch.profiler``.

A profiler is a mode (``taeda.overrides``): while it records, every call of a public function or method of a tensor goes
through it, in the thread that started it; without one nothing is looked at.  A backward pass is timed node by node, by hooks that
stay for that pass.  What an operation does inside of itself is its own time.

>>> import taeda
>>> from taeda.profiler import profile, record_function
>>> x = taeda.ones(4, 4)
>>> with profile(record_shapes=True) as p:
...     with record_function("forward"):
...         y = taeda.relu(x @ x)
>>> [(event.name, event.input_shapes) for event in p.events()]
[('forward', []), ('aten::matmul', [[4, 4], [4, 4]]), ('aten::relu', [[4, 4]])]
"""

from __future__ import annotations

import contextlib
import enum
import json
import os
import socket
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterable
from typing import Any

from taeda._once import warn_once
from taeda._override import mode_stack
from taeda._override_protocol import replace_modes
from taeda.autograd.engine import run_pass, set_runner
from taeda.kernels.cpu import runtime
from taeda.overrides import TorchFunctionMode
from taeda.profiler import itt
from taeda.profiler.events import EventList, FunctionEvent
from taeda.tensor_base import TensorBase
from taeda.utils.hooks import add_hook

__all__ = ["ProfilerAction", "ProfilerActivity", "itt", "kineto_available", "profile", "record_function", "schedule",
           "supported_activities", "tensorboard_trace_handler"]

profiler = sys.modules[f"{__name__}.profiler"] = sys.modules[__name__]       # PyTorch's is a package, and this a file of it


class ProfilerActivity(enum.IntEnum):
    """What is recorded; only the CPU is."""

    CPU = 0
    XPU = 1
    MTIA = 2
    CUDA = 3
    HPU = 4
    PrivateUse1 = 5


class ProfilerAction(enum.Enum):
    """What a profiler does in a step, as a ``schedule`` says.

    >>> from taeda.profiler import schedule
    >>> plan = schedule(wait=1, warmup=1, active=2)
    >>> [plan(step).name for step in range(4)]
    ['NONE', 'WARMUP', 'RECORD', 'RECORD_AND_SAVE']
    """

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3


def supported_activities() -> set[ProfilerActivity]:
    """Return what can be recorded.

    >>> from taeda.profiler import supported_activities
    >>> [activity.name for activity in supported_activities()]
    ['CPU']
    """
    return {ProfilerActivity.CPU}


def kineto_available() -> bool:
    """Whether the profilers of this module can be used: yes."""
    return True


def schedule(
    *, wait: int, warmup: int, active: int, repeat: int = 0, skip_first: int = 0, skip_first_wait: int = 0,
) -> Callable[[int], ProfilerAction]:
    """Return a function of the step's number: skip some, then cycles of waiting, warming up and recording.

    Args:
        wait, warmup, active: steps of each phase in a cycle.
        repeat: how many cycles; 0 goes on.
        skip_first: steps before the first cycle.
        skip_first_wait: if not 0, the first cycle does not wait.

    Raises:
        AssertionError: a negative number, or no active step.

    >>> from taeda.profiler import schedule
    >>> plan = schedule(wait=1, warmup=1, active=2, repeat=1)
    >>> [plan(step).name for step in range(5)]
    ['NONE', 'WARMUP', 'RECORD', 'RECORD_AND_SAVE', 'NONE']
    """
    if min(wait, warmup, repeat, skip_first) < 0 or active <= 0:
        raise AssertionError(
            f"[schedule] Invalid profiler schedule arguments. Got wait={wait} (need >= 0), warmup={warmup} (need >= 0), "
            f"active={active} (need > 0), repeat={repeat} (need >= 0), skip_first={skip_first} (need >= 0).")
    if warmup == 0:
        warnings.warn("Profiler won't be using warmup, this can skew profiler results", stacklevel=2)
    cycle = wait + warmup + active

    def action(step: int) -> ProfilerAction:
        if step < 0:
            raise AssertionError(f"[schedule] Step must be non-negative. Got {step}.")
        step -= skip_first
        if step >= 0 and skip_first_wait:
            step += wait
        if step < 0 or (repeat and step // cycle >= repeat):
            return ProfilerAction.NONE
        at = step % cycle
        if at < wait:
            return ProfilerAction.NONE
        if at < wait + warmup:
            return ProfilerAction.WARMUP
        return ProfilerAction.RECORD_AND_SAVE if at == cycle - 1 else ProfilerAction.RECORD

    return action


def _default_schedule_fn(_: int) -> ProfilerAction:
    """The schedule of a profiler that was given none."""
    return ProfilerAction.RECORD


def tensorboard_trace_handler(
    dir_name: str, worker_name: str | None = None, use_gzip: bool = False, use_python_export: bool = False,
) -> Callable[[profile], None]:
    """Return an ``on_trace_ready`` that writes each trace into a folder, as ``worker.time.pt.trace.json``.

    Raises RuntimeError if the folder cannot be made.

    >>> import os, taeda
    >>> from taeda.profiler import profile, tensorboard_trace_handler
    >>> with profile(on_trace_ready=tensorboard_trace_handler("runs", worker_name="me")):
    ...     y = taeda.ones(2) + 1
    >>> [name.startswith("me.") and name.endswith(".pt.trace.json") for name in os.listdir("runs")]
    [True]
    """
    def handle(prof: profile) -> None:
        try:
            os.makedirs(dir_name, exist_ok=True)
        except OSError as error:
            raise RuntimeError(f"[tensorboard_trace_handler] Can't create directory: {dir_name}") from error
        worker = worker_name or f"{socket.gethostname()}_{os.getpid()}"
        ending = ".gz" if use_gzip else ""
        prof.export_chrome_trace(os.path.join(dir_name, f"{worker}.{time.time_ns()}.pt.trace.json{ending}"))

    return handle


# -- recording ---------------------------------------------------------------------------------------

# What tells about a tensor and computes nothing: PyTorch has no row for it either.
SILENT = {"dim", "element_size", "get_device", "is_complex", "is_contiguous", "is_floating_point", "numel", "register_hook",
          "requires_grad_", "retain_grad", "size", "storage_offset", "stride"}
INDEXING = ("__getitem__", "__setitem__")
# What PyTorch calls otherwise.
ROWS = {"cross_entropy": "cross_entropy_loss", "norm": "linalg_vector_norm"}


def row_name(name: str, args: tuple[Any, ...]) -> str:
    """Return the name that PyTorch's tables have for a function."""
    if name in INDEXING:
        index = args[1] if len(args) > 1 else None
        parts = index if isinstance(index, tuple) else (index,)
        if any(isinstance(part, (TensorBase, list)) for part in parts):
            return "aten::index" if name == "__getitem__" else "aten::index_put_"
        if name == "__setitem__":
            return "aten::copy_" if len(args) > 2 and isinstance(args[2], TensorBase) else "aten::fill_"
        if any(isinstance(part, int) for part in parts):
            return "aten::select"
        if any(part is None for part in parts) and not any(isinstance(part, slice) for part in parts):
            return "aten::unsqueeze"
        return "aten::slice"
    return f"aten::{ROWS.get(name, name)}"


def allocated() -> int:
    """Return the bytes that tensors hold."""
    return int(runtime.memory_stats()["allocated_bytes.current"])


class _Recorder(TorchFunctionMode):
    """The events of one stretch of recording."""

    _looks_inside = True                # of the functions of nn that are made of others

    def __init__(self, shapes: bool, stacks: bool, memory: bool) -> None:
        self.events: list[FunctionEvent] = []
        self.open = threading.local()           # .stack: the events of this thread that have not ended
        self.shapes, self.stacks, self.memory = shapes, stacks, memory
        self.handles: list[Any] = []
        self.base_ns, self.origin = time.time_ns(), time.perf_counter_ns()

    def now(self) -> float:
        return (time.perf_counter_ns() - self.origin) / 1e3

    def begin(self, name: str, category: str, args: tuple[Any, ...] = ()) -> FunctionEvent:
        stack = self.open.__dict__.setdefault("stack", [])
        shapes = [list(x.shape) if isinstance(x, TensorBase) else [] for x in args] if self.shapes else []
        event = FunctionEvent(len(self.events) + 1, name, category, threading.get_native_id(), 0.0, shapes,
                              _stack() if self.stacks else [], stack[-1] if stack else None)
        self.events.append(event)
        stack.append(event)
        if self.memory:
            event.cpu_memory_usage = -allocated()
        event.time_range.start = event.time_range.end = self.now()      # last: what came before is not the event's time
        return event

    def end(self, event: FunctionEvent) -> None:
        now = self.now()
        stack = self.open.__dict__.get("stack", [])
        while event in stack:                   # what was left open inside ends with it
            inner = stack.pop()
            inner.time_range.end = now
            if self.memory:
                inner.cpu_memory_usage += allocated()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.__name__
        if name in SILENT or (name.startswith("__") and name not in INDEXING):      # a property, or a subclass's len()
            return func(*args, **(kwargs or {}))
        event = self.begin(row_name(name, args), "cpu_op", args)
        try:
            return func(*args, **(kwargs or {}))
        finally:
            self.end(event)

    def run_backward(self, roots: Any, *rest: Any) -> Any:
        """Run a backward pass with each of its nodes timed."""
        handles: list[Any] = []
        seen: set[Any] = set()
        stack = [getattr(root, "grad_fn", None) or getattr(root, "node", None) for root in roots]
        while stack:
            node = stack.pop()
            if node is None or node in seen:
                continue
            seen.add(node)
            stack.extend(edge[0] for edge in node.next_functions)
            if not hasattr(node, "variable"):       # a leaf's stand-in runs nothing
                handles += self.timed(node)
        outside = len(self.open.__dict__.get("stack", []))
        try:
            return run_pass(roots, *rest)
        finally:
            for event in self.open.__dict__.get("stack", [])[outside:]:      # of a node that raised
                self.end(event)
            for handle in handles:
                handle.remove()

    def timed(self, node: Any) -> tuple[Any, Any]:
        """Let two hooks time a node, and return their handles."""
        running: list[FunctionEvent] = []

        def before(grads: Any) -> None:
            running.append(self.begin(f"autograd::engine::evaluate_function: {node.name()}", "cpu_op"))
            self.begin(node.name(), "cpu_op", grads)

        def after(inputs: Any, grads: Any) -> None:
            if running:
                self.end(running.pop())

        return node.register_prehook(before), node.register_hook(after)

    def timed_steps(self) -> list[Any]:
        """Let hooks time each optimizer's step and zero_grad and a loader's batches, if there are any, and return their handles."""
        optim, data = sys.modules.get("taeda.optim.optimizer"), sys.modules.get("taeda.data.dataloader")
        batches = [] if data is None else [add_hook(data._timers, record_function)]
        if optim is None:
            return batches
        running: list[FunctionEvent] = []

        def before(optimizer: Any, args: Any, kwargs: Any) -> None:
            name = type(optimizer).__name__
            running.append(self.begin(f"Optimizer.step#{name}.step", "user_annotation"))

        def after(optimizer: Any, args: Any, kwargs: Any) -> None:
            if running:
                self.end(running.pop())

        return [*batches, optim.register_optimizer_step_pre_hook(before), optim.register_optimizer_step_post_hook(after),
                add_hook(optim._zero_grad_timers, record_function)]

    def start(self) -> None:
        global _recorder
        if _recorder is not None:
            raise RuntimeError("[profile] another profiler is recording; its block must end first")
        _recorder = self
        set_runner(self.run_backward)
        self.handles = self.timed_steps()
        replace_modes([self, *mode_stack()])       # outermost: it times what other modes let through

    def stop(self) -> None:
        global _recorder
        if _recorder is not self:
            return
        _recorder = None
        set_runner(None)
        for handle in self.handles:
            handle.remove()
        for event in list(self.open.__dict__.get("stack", [])):
            self.end(event)
        replace_modes([mode for mode in mode_stack() if mode is not self])


_recorder: _Recorder | None = None


def _profiler_enabled() -> bool:
    """Whether a profiler is recording."""
    return _recorder is not None


def _disable_profiler() -> None:
    """End the recording of whatever profiler there is, which keeps its events."""
    if _recorder is not None:
        _recorder.stop()


def _stack() -> list[str]:
    """Return where the program is, innermost first, without this package."""
    here = os.path.dirname(__file__)
    found, frame = [], sys._getframe(1)
    while frame is not None:
        if not frame.f_code.co_filename.startswith(here):
            found.append(f"{frame.f_code.co_filename}({frame.f_lineno}): {frame.f_code.co_name}")
        frame = frame.f_back  # type: ignore[assignment]
    return found


class record_function(contextlib.ContextDecorator):
    """Give a block of code, or a function, a row of its own in what a profiler records; without a profiler do nothing.

    >>> from taeda.profiler import record_function
    >>> with record_function("forward"):
    ...     x = 1 + 1
    """

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name, self.args = name, args
        self._running: list[tuple[_Recorder, FunctionEvent]] = []

    def _recreate_cm(self) -> record_function:
        return type(self)(self.name, self.args)

    def __enter__(self) -> record_function:
        if _recorder is not None:
            self._running.append((_recorder, _recorder.begin(self.name, "user_annotation")))
        return self

    def __exit__(self, *exception: Any) -> None:
        if self._running:
            recorder, event = self._running.pop()
            recorder.end(event)


class profile:
    """Record which operations run, when, and for how long.

    Args:
        activities: of which only ``ProfilerActivity.CPU`` gives events.
        schedule: a function of the step's number, see :func:`schedule`; without one everything is recorded.
        on_trace_ready: called with the profiler at the end of each recorded stretch.
        record_shapes: keep the shapes of the tensors among an operation's arguments.
        with_stack: keep the Python stack of each call.
        profile_memory: count the bytes that each call allocates, less those that it frees.
        with_flops: nothing is counted; a warning says so.

    >>> from taeda.profiler import profile, schedule
    >>> with profile(schedule=schedule(wait=0, warmup=1, active=1), on_trace_ready=lambda p: print(p.step_num)) as p:
    ...     for step in range(4):
    ...         p.step()
    2
    4
    """

    def __init__(
        self, *, activities: Iterable[ProfilerActivity] | None = None, schedule: Callable[[int], ProfilerAction] | None = None,
        on_trace_ready: Callable[[Any], Any] | None = None, record_shapes: bool = False, profile_memory: bool = False,
        with_stack: bool = False, with_flops: bool = False, with_modules: bool = False, experimental_config: Any = None,
        execution_trace_observer: Any = None, acc_events: bool = False, use_cuda: bool | None = None,
        custom_trace_id_callback: Callable[[], str] | None = None, post_processing_timeout_s: float | None = None,
    ) -> None:
        if with_flops:
            warnings.warn("[profile] with_flops: operations of arithmetic are not counted", stacklevel=2)
        self.activities = set(activities) if activities is not None else supported_activities()
        if not self.activities:
            raise AssertionError("[profile] No valid profiler activities found")
        if ProfilerActivity.CUDA in self.activities:
            warnings.warn("CUDA is not available, disabling CUDA profiling", stacklevel=2)
        self.schedule, self.on_trace_ready = schedule, on_trace_ready
        self.record_shapes, self.with_stack, self.profile_memory, self.acc_events = record_shapes, with_stack, profile_memory, acc_events
        self.metadata: dict[str, Any] = {}
        self.step_num = 0
        self.current_action = self._planned(0)
        self._recorder: _Recorder | None = None
        self._started = self._running = self._in_cycle = False
        self._step: FunctionEvent | None = None

    def _planned(self, step: int) -> ProfilerAction:
        """Ask the schedule, which may count its calls: once for each step."""
        return (self.schedule or _default_schedule_fn)(step)

    def _begin(self) -> None:
        """Start to record if this step is recorded, and give the step its row."""
        action = self.current_action
        if action is not ProfilerAction.NONE and not self._in_cycle and not self.acc_events and self._recorder is not None:
            warn_once("profile", "Warning: Profiler clears events at the end of each cycle. Only events from the current cycle will be "
                                 "reported. To keep events across cycles, set acc_events=True.", stacklevel=4)
        self._in_cycle = action is not ProfilerAction.NONE
        if action in (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE):
            if not self._running:
                fresh = _Recorder(self.record_shapes, self.with_stack, self.profile_memory)
                if self.acc_events and self._recorder is not None:
                    fresh.events, fresh.origin, fresh.base_ns = self._recorder.events, self._recorder.origin, self._recorder.base_ns
                fresh.start()
                self._recorder, self._running = fresh, True
            if self.schedule is not None and self._recorder is not None:
                self._step = self._recorder.begin("ProfilerStep*", "user_annotation")
                self._step.trace_name = f"ProfilerStep#{self.step_num}"

    def _end(self) -> None:
        """Stop to record and hand the trace over."""
        if self._running and self._recorder is not None:
            self._recorder.stop()
            self._running = False
            if self.on_trace_ready is not None:
                self.on_trace_ready(self)

    def start(self) -> None:
        """Start; what a ``with`` block does first."""
        self._started = True
        self._begin()

    def stop(self) -> None:
        """Stop; what a ``with`` block does last."""
        self._started = self._in_cycle = False
        self._end()

    def step(self) -> None:
        """Say that the next step begins: the schedule decides what becomes of it."""
        before = self.current_action
        self.current_action = self._planned(self.step_num + 1)
        if self._step is not None and self._recorder is not None:
            self._recorder.end(self._step)
            self._step = None
        self.step_num += 1
        self._in_cycle = self._in_cycle and before is not ProfilerAction.RECORD_AND_SAVE
        if before is ProfilerAction.RECORD_AND_SAVE or self.current_action in (ProfilerAction.NONE, ProfilerAction.WARMUP):
            self._end()
        if self._started:                       # outside of the block nothing is recorded
            self._begin()

    def __enter__(self) -> profile:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def events(self) -> EventList:
        """Return the events, in the order in which they began.

        Raises AssertionError before anything was recorded.

        >>> import taeda
        >>> with taeda.profiler.profile() as p:
        ...     y = taeda.ones(3).exp()
        >>> [event.name for event in p.events()]
        ['aten::ones', 'aten::exp']
        """
        if self._recorder is None:
            raise AssertionError("[profile] Profiler must be initialized before accessing events")
        return EventList(self._recorder.events, self.profile_memory)

    def key_averages(
        self, group_by_input_shape: bool = False, group_by_stack_n: int = 0, group_by_overload_name: bool = False,
    ) -> EventList:
        """Return the sums of events by name, and by shapes or the innermost frames if asked.

        Raises AssertionError before anything was recorded.

        >>> import taeda
        >>> with taeda.profiler.profile() as p:
        ...     y = taeda.ones(3) + taeda.ones(3)
        >>> {row.key: row.count for row in p.key_averages()}["aten::add"]
        1
        """
        if self._recorder is None:
            raise AssertionError("[profile] Profiler must be initialized before getting key averages")
        return self.events().key_averages(group_by_input_shape, group_by_stack_n)

    def add_metadata(self, key: str, value: str) -> None:
        """Let the trace have a text under a name of its own."""
        self.metadata[key] = value

    def add_metadata_json(self, key: str, value: str) -> None:
        """Let the trace have what ``value``, a JSON text, says under a name of its own.

        Raises ValueError if it is no JSON.
        """
        self.metadata[key] = json.loads(value)

    def export_chrome_trace(self, path: str | os.PathLike[str]) -> None:
        """Write the last recorded stretch for chrome://tracing or Perfetto; the file is replaced whole or not at all.

        >>> import json, taeda
        >>> with taeda.profiler.profile() as p:
        ...     y = taeda.ones(3).exp()
        >>> p.export_chrome_trace("trace.json")
        >>> with open("trace.json") as file:
        ...     "traceEvents" in json.load(file)
        True
        """
        self.events().export_chrome_trace(path, self._recorder.base_ns if self._recorder is not None else 0, os.fspath(path), self.metadata)

    def export_stacks(self, path: str | os.PathLike[str], metric: str = "self_cpu_time_total") -> None:
        """Write the stacks of the events for flame graphs, as `EventList.export_stacks`; they are kept by ``with_stack``."""
        self.events().export_stacks(path, metric)

    def __repr__(self) -> str:
        return "<unfinished taeda.profiler.profile>" if self._recorder is None else str(self.key_averages())
