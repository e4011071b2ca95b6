"""The same program under both profilers: names of rows, shapes, plans, nodes of a backward pass, and the form of the table."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import torch

import taeda

F: dict[str, Callable[[Any, Any], Any]] = {
    "matmul": lambda t, x: x @ x,
    "add": lambda t, x: x + 1,
    "rsub": lambda t, x: 1 - x,
    "pow": lambda t, x: x**2,
    "in place": lambda t, x: x.clone().mul_(2),
    "select": lambda t, x: x[0],
    "slice": lambda t, x: x[1:3],
    "index": lambda t, x: x[x > 8],
    "compare": lambda t, x: (x > 0, x == x, ~(x > 0)),
    "views": lambda t, x: (x.t(), x.view(-1), x.reshape(2, -1), x.permute(1, 0), x.unsqueeze(0), x.mT),
    "joins": lambda t, x: (t.cat([x, x]), t.stack([x, x]), x.split(2), x.chunk(2)),
    "reductions": lambda t, x: (x.sum(), x.mean(0), x.max(1), x.std(), x.argmax(), x.norm()),
    "softmax": lambda t, x: (t.softmax(x, 1), t.nn.functional.log_softmax(x, 1)),
    "losses": lambda t, x: (t.nn.functional.mse_loss(x, x), t.nn.functional.cross_entropy(x, t.zeros(4, dtype=t.long))),
    "layers": lambda t, x: (t.nn.functional.linear(x, x), t.nn.functional.layer_norm(x, (4,)), t.nn.functional.gelu(x)),
    "conv2d": lambda t, x: t.nn.functional.max_pool2d(t.nn.functional.conv2d(x[None, None], t.ones(1, 1, 3, 3)), 2),
    "new": lambda t, x: (t.zeros(3), t.ones(2), t.arange(3), t.full((2,), 1.0), t.empty(2)),
}


def recorded(lib: Any, run: Callable[[Any, Any], Any], **options: Any) -> Any:
    x = lib.arange(16.0).reshape(4, 4)
    run(lib, x)
    with lib.profiler.profile(activities=[lib.profiler.ProfilerActivity.CPU], record_shapes=True, **options) as p:
        run(lib, x)
    return p


@pytest.mark.parametrize("name", F)
def test_rows_have_pytorchs_names(name: str) -> None:
    mine, theirs = (recorded(lib, F[name]).events() for lib in (taeda, torch))
    missing = {e.name for e in mine} - {e.name for e in theirs}
    assert len(mine) > 0 and not missing
    shapes = {(e.name, str(e.input_shapes[:1])) for e in theirs}
    assert {(e.name, str(e.input_shapes[:1])) for e in mine if e.input_shapes and e.input_shapes[0]} <= shapes


def test_nodes_of_a_backward_pass() -> None:
    def run(lib: Any, x: Any) -> None:
        x = x.clone().requires_grad_()
        ((x @ x).exp() * x).sum().backward()

    found = []
    for lib in (taeda, torch):
        nodes = [e.name for e in recorded(lib, run).events() if e.name.endswith("Backward0")]
        found.append(nodes)
    assert found[0] == found[1]


@pytest.mark.parametrize("kind", ["SGD", "AdamW"])
def test_an_optimizers_step_has_a_row(kind: str) -> None:
    def run(lib: Any, x: Any) -> None:
        p = x.clone().requires_grad_()
        optimizer = getattr(lib.optim, kind)([p], lr=0.1)
        (p * p).sum().backward()
        optimizer.step()

    rows = [[e.name for e in recorded(lib, run).events() if "Optimizer.step" in e.name] for lib in (taeda, torch)]
    assert rows[0] == rows[1] == [f"Optimizer.step#{kind}.step"]


def test_zero_grad_of_an_optimizer_has_a_row() -> None:
    def run(lib: Any, x: Any) -> None:
        optimizer = lib.optim.SGD([x.clone().requires_grad_()], lr=0.1)
        optimizer.zero_grad()

    rows = [[e.name for e in recorded(lib, run).events() if "zero_grad" in e.name] for lib in (taeda, torch)]
    assert rows[0] == rows[1] == ["Optimizer.zero_grad#SGD.zero_grad"]


@pytest.mark.parametrize("workers", [0, 1])
def test_a_loaders_batches_have_rows(workers: int) -> None:
    def run(lib: Any, x: Any) -> None:
        loader = lib.utils.data.DataLoader(lib.utils.data.TensorDataset(x), batch_size=2, num_workers=workers)
        assert len(list(loader)) == 2

    rows = [[e.name for e in recorded(lib, run).events() if "DataLoader" in e.name] for lib in (taeda, torch)]
    kind = ("_SingleProcessDataLoaderIter", "_MultiProcessingDataLoaderIter")[workers]
    assert rows[0] == rows[1] == [f"enumerate(DataLoader)#{kind}.__next__"] * 3         # the third finds the end


def test_an_event_tells_where_it_ran() -> None:
    for lib in (taeda, torch):
        trace = recorded(lib, lambda lib, x: x.relu())
        for e in (next(e for e in trace.events() if e.name == "aten::relu"), trace.key_averages()[0], trace.events().total_average()):
            assert e.device_type in (lib.autograd.DeviceType.CPU, None), lib
            assert (e.use_device, e.overload_name or "", e.is_async, e.device_time_total_str) == (None, "", False, "0.000us")
            assert e.is_user_annotation in (False, None)
    assert {e.name: e.value for e in taeda.autograd.DeviceType} == {k: int(v) for k, v in torch.autograd.DeviceType.__members__.items()}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("plan", [
    {"wait": 1, "warmup": 1, "active": 2, "repeat": 2},
    {"wait": 0, "warmup": 1, "active": 1},
    {"wait": 2, "warmup": 0, "active": 3, "skip_first": 2, "repeat": 1},
    {"wait": 1, "warmup": 1, "active": 1, "skip_first": 2, "skip_first_wait": 1},
])  # fmt: skip
def test_plans(plan: dict[str, int]) -> None:
    texts = []
    for lib in (taeda, torch):
        act = lib.profiler.schedule(**plan)
        ready: list[Any] = []

        def on_ready(p: Any, ready: list[Any] = ready) -> None:
            ready.append((p.step_num, sum(e.name == "ProfilerStep*" for e in p.events())))

        cpu = [lib.profiler.ProfilerActivity.CPU]
        with lib.profiler.profile(activities=cpu, schedule=act, on_trace_ready=on_ready) as p:
            for _ in range(9):
                lib.ones(2)
                p.step()
        texts.append(([act(i).name for i in range(20)], ready))
    assert texts[0] == texts[1]


def test_tables_have_pytorchs_form() -> None:
    def run(lib: Any, x: Any) -> None:
        with lib.profiler.record_function("a block with quite a long name, longer than a column is wide"):
            x.exp()

    tables = []
    for lib in (taeda, torch):
        averages = recorded(lib, run).key_averages(group_by_input_shape=True)
        table = averages.table(sort_by="cpu_time_total", row_limit=10, header="H")
        tables.append(re.sub(r" +[\d.]+(%|us|ms)", lambda m: " " * (len(m[0]) - 1) + m[1], table))
    widths = [[len(line) for line in table.splitlines()[:-1]] for table in tables]
    assert widths[0] == widths[1]
    assert tables[0].splitlines()[:5] == tables[1].splitlines()[:5]
