"""taeda.profiler: which events there are, how they nest, and how they are shown.  No test asserts how long something takes."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

import pytest

import taeda
import taeda.autograd.profiler
from taeda import _once, _override
from taeda.overrides import TorchFunctionMode
from taeda.profiler import ProfilerActivity, profile, record_function, schedule, tensorboard_trace_handler


def names(p: profile) -> list[str]:
    return [event.name for event in p.events()]


def test_operations_have_rows_with_shapes_and_nest() -> None:
    x = taeda.ones(2, 3)
    with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as p:
        with record_function("outer"):
            y = (x @ x.t() + 1).relu()
            with record_function("inner"):
                y[0]
                y[0:1]
                y[y > 0]
                y.size()
        y[0] = 1
        y *= 2
    assert [(e.name, e.input_shapes) for e in p.events()] == [
        ("outer", []), ("aten::t", [[2, 3]]), ("aten::matmul", [[2, 3], [3, 2]]), ("aten::add", [[2, 2], []]), ("aten::relu", [[2, 2]]),
        ("inner", []), ("aten::select", [[2, 2], []]), ("aten::slice", [[2, 2], []]), ("aten::gt", [[2, 2], []]),
        ("aten::index", [[2, 2], [2, 2]]), ("aten::fill_", [[2, 2], [], []]), ("aten::mul_", [[2, 2], []]),
    ]
    assert_nested(p.events())
    by_name = {e.name: e for e in p.events()}
    assert by_name["inner"].cpu_parent is by_name["outer"] and by_name["aten::index"].cpu_parent is by_name["inner"]
    assert by_name["aten::mul_"].cpu_parent is None and by_name["inner"].is_user_annotation
    assert y.tolist() == [[2, 2], [8, 8]]


def assert_nested(events: Any) -> None:
    for event in events:
        assert event.time_range.start <= event.time_range.end and event.self_cpu_time_total >= -1e-6
        for child in event.cpu_children:
            assert event.time_range.start <= child.time_range.start and child.time_range.end <= event.time_range.end
            assert child.cpu_parent is event


def test_backward_passes_have_a_row_for_each_node_and_leave_no_hook() -> None:
    x = taeda.ones(3, 3, requires_grad=True)
    loss = (x @ x).exp().sum()
    with profile() as p:
        loss.backward(retain_graph=True)
        (g,) = taeda.autograd.grad(loss, x, retain_graph=True)
    nodes = ["SumBackward0", "ExpBackward0", "MmBackward0"]
    assert [n for n in names(p) if n.endswith("Backward0") and ":" not in n] == nodes * 2
    assert sum(n == "autograd::engine::evaluate_function: MmBackward0" for n in names(p)) == 2
    assert_nested(p.events())
    assert taeda.equal(g, x.grad) and g[0, 0].item() == pytest.approx(6 * 20.0855, rel=1e-4)
    before = len(p.events())
    loss.backward()
    assert len(p.events()) == before and taeda.allclose(x.grad, 2 * g)


class Fails(taeda.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x * 1

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        raise ValueError("no derivative")


def test_a_node_that_raises_ends_with_its_pass() -> None:
    x = taeda.ones(1, requires_grad=True)
    with profile() as p:
        loss = Fails.apply(x).sum()
        with record_function("pass"), pytest.raises(ValueError, match="no derivative"):
            loss.backward()
        taeda.ones(1)
    (node,) = [e for e in p.events() if e.name == "FailsBackward"]
    assert node.cpu_parent is not None and node.cpu_parent.cpu_parent.name == "pass"
    assert p.events()[-1].name == "aten::ones" and p.events()[-1].cpu_parent is None
    assert_nested(p.events())


def test_second_derivatives_go_through() -> None:
    x = taeda.tensor([2.0], requires_grad=True)
    with profile() as p:
        (g,) = taeda.autograd.grad((x**3).sum(), x, create_graph=True)
        g.sum().backward()
    assert x.grad.tolist() == [12.0] and "PowBackward0" in names(p)


def test_nothing_stays_behind() -> None:
    x = taeda.ones(2)
    with pytest.raises(ZeroDivisionError), profile() as p, record_function("left open"):
        x.exp()
        1 / 0  # noqa: B018
    assert names(p) == ["left open", "aten::exp"] and not _override.mode_stack()
    x.exp()
    assert len(p.events()) == 2
    with profile(), pytest.raises(RuntimeError, match="another profiler"):
        profile().start()
    assert not _override.mode_stack()


class Double(TorchFunctionMode):
    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return func(*args, **(kwargs or {})) * 2


def test_modes_around_and_inside_keep_their_place() -> None:
    x = taeda.ones(1)
    with Double():
        p = profile()
        p.start()
        y = x + 1
        with Double():
            z = x + 1
        p.stop()
        w = x + 1
    assert y.item() == w.item() == 4 and z.item() == 16
    assert x.exp().item() == pytest.approx(2.71828, rel=1e-4)


def test_sums_and_tables() -> None:
    x = taeda.ones(2, 2)
    with profile(record_shapes=True, profile_memory=True) as p:
        kept = [x + 1, x + 1, taeda.ones(64, 4) + 1, x.exp()]
    assert len(kept) == 4
    sums = p.key_averages()
    assert [(s.key, s.count) for s in sums] == [("aten::add", 3), ("aten::ones", 1), ("aten::exp", 1)]
    add = sums[0]
    assert add.cpu_time == pytest.approx(add.cpu_time_total / 3) and add.cpu_time_total > 0
    assert add.cpu_memory_usage >= 64 * 4 * 4 + 2 * 16
    by_shape = p.key_averages(group_by_input_shape=True)
    assert [(s.count, s.input_shapes) for s in by_shape if s.key == "aten::add"] == [(2, [[2, 2], []]), (1, [[64, 4], []])]
    assert p.events().total_average().count == 5
    assert p.events().self_cpu_time_total == pytest.approx(sum(e.cpu_time_total for e in p.events()))
    lines = sums.table(sort_by="count", row_limit=1, header="Sums").splitlines()
    assert lines[1] == "Sums" and lines[3].split() == (
        "Name Self CPU % Self CPU CPU total % CPU total CPU time avg CPU Mem Self CPU Mem # of Calls").split()
    assert lines[5].split()[0] == "aten::add" and lines[5].split()[-1] == "3" and lines[-1].startswith("Self CPU time total: ")
    assert "Input Shapes" in by_shape.table() and "[[64, 4], []]" in by_shape.table()
    with pytest.raises(AttributeError, match="speed"):
        sums.table(sort_by="speed")
    with pytest.raises(ValueError, match="time_unit"):
        sums.table(time_unit="h")


def test_stacks_point_at_the_program() -> None:
    with profile(with_stack=True) as p:
        taeda.ones(1)
    assert "test_profiler.py" in p.events()[0].stack[0] and "test_stacks" in p.events()[0].stack[0]
    assert p.key_averages(group_by_stack_n=1)[0].stack == p.events()[0].stack[:1]
    with pytest.warns(UserWarning, match="with_flops"):
        profile(with_flops=True)


@pytest.mark.parametrize(("plan", "expected"), [
    ({"wait": 1, "warmup": 1, "active": 2, "repeat": 1}, [(4, 2)]),
    ({"wait": 1, "warmup": 1, "active": 2, "repeat": 2}, [(4, 2), (8, 2)]),
    ({"wait": 0, "warmup": 1, "active": 1, "repeat": 2}, [(2, 1), (4, 1)]),
    ({"wait": 1, "warmup": 2, "active": 3}, [(6, 3), (9, 1)]),
])
def test_steps_follow_the_schedule(plan: dict[str, int], expected: list[tuple[int, int]]) -> None:
    ready: list[tuple[int, int]] = []
    x = taeda.ones(1)

    def on_ready(p: profile) -> None:
        steps = [e for e in p.events() if e.name == "ProfilerStep*"]
        assert all(s.trace_name == f"ProfilerStep#{s.trace_name[13:]}" for s in steps)
        ready.append((p.step_num, len(steps)))

    with profile(schedule=schedule(**plan), on_trace_ready=on_ready) as p:
        for _ in range(9):
            x.exp()
            p.step()
    assert ready == expected


@pytest.mark.parametrize("keep", [False, True])
def test_a_second_cycle_says_once_that_it_clears_the_first(keep: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_once, "_told", set())
    said: list[int] = []
    with warnings.catch_warnings(record=True) as told, profile(schedule=schedule(wait=1, warmup=1, active=2), acc_events=keep) as p:
        warnings.simplefilter("always")
        for _ in range(11):
            p.step()
            said.append(len(told))
    assert said == [0] * 11 if keep else [0] * 4 + [1] * 7
    assert keep or str(told[0].message).startswith("Warning: Profiler clears events at the end of each cycle. Only events")


def test_a_schedule_is_asked_once_for_each_step() -> None:
    asked: list[int] = []
    ready: list[int] = []

    def plan(step: int) -> taeda.profiler.ProfilerAction:
        asked.append(step)
        return taeda.profiler.ProfilerAction.RECORD_AND_SAVE if len(asked) % 2 else taeda.profiler.ProfilerAction.WARMUP

    with profile(schedule=plan, on_trace_ready=lambda p: ready.append(p.step_num)) as p:
        assert p.current_action is taeda.profiler.ProfilerAction.RECORD_AND_SAVE
        for _ in range(4):
            p.step()
        assert p.current_action is taeda.profiler.ProfilerAction.RECORD_AND_SAVE
    assert asked == [0, 1, 2, 3, 4] and ready == [1, 3, 4]


def test_schedules() -> None:
    plan = schedule(wait=1, warmup=1, active=2, repeat=2, skip_first=1)
    assert [plan(i).value for i in range(11)] == [0, 0, 1, 2, 3, 0, 1, 2, 3, 0, 0]
    for words in ({"wait": -1, "warmup": 1, "active": 1}, {"wait": 0, "warmup": 1, "active": 0}):
        with pytest.raises(AssertionError, match="Invalid profiler schedule"):
            schedule(**words)
    with pytest.warns(UserWarning, match="^Profiler won't be using warmup"):
        schedule(wait=0, warmup=0, active=1)
    for ask in ("events", "key_averages"):
        with pytest.raises(AssertionError, match="must be initialized"):
            getattr(profile(), ask)()


def test_traces_are_trace_events(tmp_path: Path) -> None:
    with profile(record_shapes=True, on_trace_ready=tensorboard_trace_handler(str(tmp_path / "log"), "me")) as p:
        with record_function("block"):
            taeda.ones(2).exp()
    p.add_metadata("run", "first")
    p.add_metadata_json("sizes", "[1, 2]")
    p.export_chrome_trace(str(tmp_path / "trace.json"))
    trace = json.loads((tmp_path / "trace.json").read_text())
    assert trace["run"] == "first" and trace["sizes"] == [1, 2]
    spans = [e for e in trace["traceEvents"] if e["ph"] == "X"]
    assert [(e["name"], e["cat"]) for e in spans] == [("block", "user_annotation"), ("aten::ones", "cpu_op"), ("aten::exp", "cpu_op")]
    assert all(e["dur"] >= 0 and e["tid"] == threading.get_native_id() for e in spans) and spans[2]["args"]["Input Dims"] == [[2]]
    (file,) = (tmp_path / "log").iterdir()
    assert file.name.startswith("me.") and file.name.endswith(".pt.trace.json")
    assert len(json.loads(file.read_text())["traceEvents"]) == len(trace["traceEvents"])


def test_older_names() -> None:
    with taeda.autograd.profiler.profile(enabled=False) as off:
        taeda.ones(1)
    with taeda.autograd.profiler.profile() as p:
        taeda.ones(1).exp()
    assert off._recorder is None and [e.name for e in p.function_events] == ["aten::ones", "aten::exp"]
    assert p.self_cpu_time_total > 0 and "aten::exp" in p.table() and p.total_average().count == 2

    @record_function("whole")
    def again(n: int) -> int:
        return n if n == 0 else again(n - 1)

    with profile() as q:
        again(2)
    assert names(q) == ["whole"] * 3 and q.events()[2].cpu_parent is q.events()[1]


def test_what_libraries_ask_before_they_profile() -> None:
    import taeda.profiler.profiler as room

    assert room is taeda.profiler and room._default_schedule_fn(7) is taeda.profiler.ProfilerAction.RECORD
    assert taeda.autograd.kineto_available() and not taeda.autograd._profiler_enabled()
    left = profile()
    left.start()
    taeda.ones(1)
    assert taeda.autograd._profiler_enabled()
    taeda.autograd._disable_profiler()
    taeda.autograd._disable_profiler()
    assert not taeda.autograd._profiler_enabled() and names(left) == ["aten::ones"]
    with profile() as p:
        left.stop()
        taeda.ones(1).exp()
    assert names(p) == ["aten::ones", "aten::exp"]


def test_the_older_room_is_reached_without_an_import_of_its_own() -> None:
    program = "import taeda\nwith taeda.autograd.profiler.record_function('step'):\n    print(taeda.ones(1).item())"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ran.stdout == "1.0\n", ran.stderr


def test_marks_for_vtune_are_taken_and_do_nothing() -> None:
    itt = importlib.import_module("taeda.profiler.itt")
    assert taeda.profiler.itt is itt and not itt.is_available()
    with itt.range("{} of {}", 1, 2), taeda.autograd.profiler.emit_itt():
        assert itt.range_push("step") is itt.mark("now") is itt.range_pop() is None


def test_a_step_outside_of_the_block_records_nothing() -> None:
    p = profile()
    p.step()
    assert not taeda.autograd.profiler._is_profiler_enabled
    with p:
        assert taeda.autograd.profiler._is_profiler_enabled
        taeda.ones(2).exp()
    p.step()
    assert not taeda.autograd.profiler._is_profiler_enabled
    taeda.ones(2).sin()
    assert names(p) == ["aten::ones", "aten::exp"]


def test_stacks_are_written_for_flame_graphs(tmp_path: Path) -> None:
    x = taeda.ones(200, 200)
    with profile(with_stack=True) as p:
        x @ x
    p.export_stacks(tmp_path / "stacks")
    (line,) = (tmp_path / "stacks").read_text().splitlines()
    frames, _, value = line.rpartition(" ")
    assert int(value) == int(p.events()[0].self_cpu_time_total)
    assert frames.split(";")[-1].endswith("test_stacks_are_written_for_flame_graphs") and " " not in frames
    p.events().export_stacks(tmp_path / "none", "self_cuda_time_total")
    assert (tmp_path / "none").read_text() == ""
    with pytest.raises(ValueError, match="metric should be one of"):
        p.export_stacks(tmp_path / "stacks", "count")


def test_a_gpu_that_is_asked_for_is_warned_of() -> None:
    with pytest.warns(UserWarning, match="^CUDA is not available, disabling CUDA profiling"):
        p = profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA])
    with p:
        taeda.ones(2).add(1)
    assert "add" in "".join(row.key for row in p.key_averages())
