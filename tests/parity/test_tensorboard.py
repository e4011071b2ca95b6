"""What SummaryWriter writes, event by event, beside PyTorch's."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import pytest

import taeda

pytest.importorskip("tensorboard")
torch = pytest.importorskip("torch")
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader  # noqa: E402
from tensorboard.compat.proto.event_pb2 import Event  # noqa: E402
from torch.utils.tensorboard import SummaryWriter as TorchWriter  # noqa: E402

from taeda.utils.tensorboard import SummaryWriter  # noqa: E402


def write(writer: Any, lib: Any) -> None:
    """Call every method whose bytes are settled by its arguments."""
    rng = np.random.default_rng(0)
    tensor = lambda *shape: lib.from_numpy(rng.random(shape).astype(np.float32))  # noqa: E731
    writer.add_scalar("a", 1.5, 3)
    writer.add_scalar("b", lib.tensor([2.5]), 4, walltime=7.0)
    writer.add_scalar("new", 3, 1, new_style=True)
    writer.add_scalar("double", 0.1, 1, new_style=True, double_precision=True)
    writer.add_scalars("main/x", {"p": 1.0, "q": lib.tensor(2.0)}, 5)
    writer.add_histogram("normal", lib.from_numpy(rng.standard_normal(1000)), 1)
    writer.add_histogram("auto", rng.standard_normal(1000), 1, bins="auto")
    writer.add_histogram("joined", rng.integers(0, 9, 50), 2, bins=100, max_bins=7)
    writer.add_histogram("equal", lib.ones(5, dtype=lib.bfloat16) if lib is taeda else lib.ones(5), 1)
    writer.add_histogram("negative", -tensor(30), 1)
    writer.add_histogram_raw("raw", 0, 1, 2, 3, 4, [1, 2, 3], [4, 5, 6], 1)
    writer.add_image("floats", tensor(3, 8, 9), 1)
    writer.add_image("grey", tensor(1, 8, 9), 1)
    writer.add_image("bytes", (rng.random((8, 9, 3)) * 255).astype(np.uint8), 1, dataformats="HWC")
    writer.add_image("plane", rng.random((8, 9)), 1, dataformats="HW")
    writer.add_images("images", tensor(11, 3, 4, 5), 2)
    writer.add_images("grey images", tensor(3, 4, 5, 1), 2, dataformats="NHWC")
    writer.add_image_with_boxes("boxes", tensor(3, 40, 40), lib.tensor([[3.0, 4, 20, 30]]))
    writer.add_text("text", "hello *world*", 1)
    writer.add_pr_curve("curve", rng.integers(0, 2, 100), rng.random(100), 1)
    writer.add_pr_curve("weighted", rng.integers(0, 2, 100), tensor(100), 1, num_thresholds=20, weights=rng.random(100))
    writer.add_pr_curve_raw("counted", [5, 3], [4, 1], [0, 3], [0, 2], [0.5, 0.7], [1.0, 0.6], 1, num_thresholds=2)
    writer.add_custom_scalars({"c": {"x": ["Multiline", ["a", "b"]], "y": ["Margin", ["a", "b", "new"]]}})
    writer.add_custom_scalars_multilinechart(["a", "b"])
    writer.add_custom_scalars_marginchart(["a", "b", "new"], "k", "t")
    writer.add_mesh(
        "mesh",
        tensor(1, 5, 3),
        lib.from_numpy((rng.random((1, 5, 3)) * 255).astype(np.uint8)),
        lib.from_numpy(rng.integers(0, 5, (1, 2, 3))),
        config_dict={"z": 1, "a": 2},
    )
    writer.add_hparams(
        {"lr": 0.1, "bs": 4, "opt": "sgd", "on": True, "none": None},
        {"acc": 1.0, "loss": lib.tensor(2.0)},
        {"opt": ["sgd", "adam"], "lr": [0.1, 0.2]},
        "run",
    )
    writer.add_embedding(tensor(5, 3), list("abcde"), tensor(5, 3, 4, 4), global_step=2)
    writer.add_embedding(rng.random((3, 2)).astype(np.float32), [[1, 2], [3, 4], [5, 6]], tag="x y", metadata_header=["u", "v"])
    writer.add_tensor("tensor", lib.arange(6.0).reshape(2, 3), 1)
    writer.add_tensor("complex", lib.complex(lib.arange(4.0), -lib.ones(4)).reshape(2, 2), 1)
    writer.add_audio("sound", lib.from_numpy(rng.uniform(-1.2, 1.2, (1, 100)).astype(np.float32)), 1, 8000)


def read(folder: pathlib.Path) -> dict[str, Any]:
    """Return the events of each folder, without times and authors, and the bytes of other files."""
    found: dict[str, Any] = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = str(path.relative_to(folder))
        if "tfevents" not in name:
            found[name] = path.read_bytes()
            continue
        events = []
        for raw in RawEventFileLoader(str(path)).Load():
            event = Event.FromString(raw)
            event.wall_time = 7 if event.wall_time == 7 else 0
            event.ClearField("source_metadata")
            for value in event.summary.value:  # maps have no order
                plugin = value.metadata.plugin_data
                if plugin.plugin_name == "hparams":
                    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

                    plugin.content = str(HParamsPluginData.FromString(plugin.content)).encode()
            events.append(str(event))
        found[str(path.parent.relative_to(folder))] = events
    return found


def test_events_are_pytorchs(tmp_path: pathlib.Path) -> None:
    for lib, kind, place in ((torch, TorchWriter, "theirs"), (taeda, SummaryWriter, "ours")):
        with kind(tmp_path / place, purge_step=3, filename_suffix=".end") as writer:
            write(writer, lib)
    theirs, ours = read(tmp_path / "theirs"), read(tmp_path / "ours")
    assert ours.keys() == theirs.keys() and len(ours) == 10
    for name in theirs:
        assert ours[name] == theirs[name], name
    assert all(p.name.endswith(".end") for p in (tmp_path / "ours").glob("events*"))


@pytest.mark.parametrize(
    "call",
    [
        lambda w: w.add_scalar("a", "text"),
        lambda w: w.add_scalar("a", [1, 2]),
        lambda w: w.add_histogram("a", np.zeros(0)),
        lambda w: w.add_embedding(np.zeros(3)),
        lambda w: w.add_embedding(np.zeros((3, 2)), ["a"]),
        lambda w: w.add_hparams([], {}),
        lambda w: w.add_hparams({}, None),
        lambda w: w.add_hparams({"sizes": [32, 64]}, {}),
        lambda w: w.add_hparams({}, {"accuracy": [0.5]}),
        lambda w: w.add_histogram_raw("a", 0, 1, 2, 3, 4, [1], [1, 2]),
        lambda w: w.add_custom_scalars_marginchart(["a"]),
    ],
)
def test_exceptions(call: Any, tmp_path: pathlib.Path) -> None:
    kinds = []
    for kind in (TorchWriter, SummaryWriter):
        with kind(tmp_path) as writer, pytest.raises(Exception) as caught:  # noqa: PT011
            call(writer)
        kinds.append(type(caught.value))
    assert issubclass(kinds[1], kinds[0]), kinds


def test_a_graph_has_the_modules_and_parameters(tmp_path: pathlib.Path) -> None:
    from tensorboard.compat.proto.graph_pb2 import GraphDef

    from taeda import nn

    model = nn.Sequential(nn.Linear(3, 4), nn.Sequential(nn.ReLU()), nn.Linear(4, 2))
    with SummaryWriter(tmp_path) as writer:
        writer.add_graph(model, taeda.ones(1, 3))
    events = [Event.FromString(raw) for path in tmp_path.iterdir() for raw in RawEventFileLoader(str(path)).Load()]
    nodes = {n.name: n for e in events if e.graph_def for n in GraphDef.FromString(e.graph_def).node}
    assert {"input/input.0", "output/output.0", "Sequential/Linear[0]/weight", "Sequential/Linear[2]/bias"} <= nodes.keys()
    assert nodes["Sequential/Sequential[1]/ReLU[0]/Relu_0"].input == ["Sequential/Linear[0]/Addmm_0"]
    assert nodes["output/output.0"].input == ["Sequential/Linear[2]/Addmm_0"]
    assert all(source in nodes for n in nodes.values() for source in n.input)


@pytest.mark.parametrize("turned", [False, True])
def test_a_graph_keeps_every_edge_of_a_shortcut(turned: bool, tmp_path: pathlib.Path) -> None:
    from tensorboard.compat.proto.graph_pb2 import GraphDef

    from taeda import nn

    class Residual(nn.Module):
        def forward(self, x: Any) -> Any:
            y = x.exp()
            z = y.sin()
            return z + y if turned else y + z

    with SummaryWriter(tmp_path) as writer:
        writer.add_graph(Residual(), taeda.ones(3))
    events = [Event.FromString(raw) for path in tmp_path.iterdir() for raw in RawEventFileLoader(str(path)).Load()]
    nodes = {n.name: list(n.input) for e in events if e.graph_def for n in GraphDef.FromString(e.graph_def).node}
    assert nodes["Residual/Sin_0"] == ["Residual/Exp_0"] and nodes["Residual/Exp_0"] == ["input/input.0"]
    assert sorted(nodes["Residual/Add_0"]) == ["Residual/Exp_0", "Residual/Sin_0"]
