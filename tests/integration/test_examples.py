"""The example programs: each runs, and what it returns is what it should be."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

import taeda

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(autouse=True)
def _path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES))


def run(name: str, **arguments: Any) -> dict[str, Any]:
    sys.modules.pop(name, None)
    results: dict[str, Any] = importlib.import_module(name).main(**arguments)
    return results


def test_tensors() -> None:
    results = run("tensors")
    made, sums = results["create"], results["arithmetic"]
    assert made["vector"].tolist() == [1, 2, 3]
    assert made["vector"].dtype == taeda.int64
    assert made["from_numpy"].tolist() == [[5, 6], [7, 8]]
    assert made["zeros"].shape == (3, 3)
    assert made["ones"].sum().item() == 8.0
    assert made["randn"].shape == (5, 5)
    assert made["steps"].tolist() == [0.0, 0.25, 0.5, 0.75]
    assert sums["sum"].tolist() == [[6, 8], [10, 12]]
    assert sums["product"].tolist() == [[5, 12], [21, 32]]
    assert sums["matrix product"].tolist() == sums["operator"].tolist() == [[19, 22], [43, 50]]
    assert sums["dot"].item() == 32
    assert sums["transposed"].tolist() == [[1, 3], [2, 4]]
    assert results["index"]["x"].tolist() == [[0, 1, 100, 3], [4, 5, 6, 7], [-1, -1, 10, 11]]
    assert results["index"]["even"].tolist() == [0, 2, 4, 6, 8, 10]
    assert results["storage"]["x"].tolist() == [[0.0, 0.0, 0.0], [0.0, 7.0, 0.0]]
    assert results["storage"]["same"]
    assert results["devices"]["product"] == 100.0
    assert results["gradient"]["y"] == 36.0
    assert results["gradient"]["grad"].tolist() == [3.0, 12.0, 27.0]


def test_linear_regression_has_the_gradients_worked_out_on_paper() -> None:
    results = run("linear_regression")
    assert results["loss"] == 13.375
    assert results["w.grad"] == -20.0
    assert results["b.grad"] == -6.5
    assert results["w"] == pytest.approx(2.0, abs=1e-5)
    assert results["b"] == pytest.approx(0.0, abs=1e-5)


def test_the_road_to_nn() -> None:
    results = run("what_is_nn")
    first = results["first"]
    assert first["preds"].shape == (64, 10)
    assert "grad_fn=<SelectBackward0>" in repr(first["preds"][0])
    assert 1.5 < first["loss"].item() < 3.5
    assert first["accuracy"].item() < 0.5
    assert results["functional"] == pytest.approx(results["tensors"], rel=1e-5)
    assert results["accuracy"] > 0.9
    for stage in ("tensors", "Module", "Linear", "optim"):
        assert results[stage] < 0.3, stage
    assert results["fit"][-1] < min(0.35, results["fit"][0])
    for stage in ("CNN", "Sequential", "any size"):
        assert results[stage][0] > 2.0, stage
        assert results[stage][-1] < 1.0, stage


def test_two_convolutions_and_two_linear_layers() -> None:
    results = run("two_conv_net")
    assert results["losses"][0] > 1.0
    assert results["losses"][-1] < 0.1
    assert results["accuracy"] > 0.95


def test_a_function_a_module_and_a_dataset_of_ones_own() -> None:
    results = run("custom_function_module_dataset")
    assert results["checked"] is True
    assert results["losses"][-1] < 0.01
    assert repr(results["model"].first) == "Dense(inputs=1, outputs=24)"
    assert [name for name, _ in results["model"].named_parameters()] == [
        "first.weight",
        "first.bias",
        "second.weight",
        "second.bias",
    ]
