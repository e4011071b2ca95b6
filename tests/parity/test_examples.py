"""The examples run under PyTorch with their imports changed alone, and give the same numbers there."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from taeda.vision import datasets

EXAMPLES = Path(__file__).parents[2] / "examples"
IMPORTS = {
    "import taeda as torch": "import torch",
    "import taeda.nn.functional as F": "import torch.nn.functional as F",
    "import taeda.nn as nn": "import torch.nn as nn",
    "import taeda.optim as optim": "import torch.optim as optim",
    "from taeda import nn, optim": "from torch import nn, optim",
    "from taeda.data import": "from torch.utils.data import",
    "from taeda.autograd import": "from torch.autograd import",
    "from taeda.vision.datasets import Digits": "from digits_for_torch import Digits",
}


class Digits:
    """The embedded digits as PyTorch's tensors."""

    def __init__(self, train: bool) -> None:
        digits = datasets.Digits(train=train)
        self.data = torch.tensor(digits.data.numpy())
        self.targets = torch.tensor(digits.targets.numpy())


@pytest.fixture
def both(monkeypatch: pytest.MonkeyPatch) -> Any:
    module = types.ModuleType("digits_for_torch")
    module.Digits = Digits  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "digits_for_torch", module)

    def run(name: str, **arguments: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        source = (EXAMPLES / f"{name}.py").read_text()
        results = []
        for imports in ({}, IMPORTS):
            code = source
            for ours, theirs in imports.items():
                code = code.replace(ours, theirs)
            space: dict[str, Any] = {"__name__": f"{name}_under_test"}
            exec(compile(code, f"{name}.py", "exec"), space)
            results.append(space["main"](**arguments))
        return results[0], results[1]

    return run


def test_tensors(both: Any) -> None:
    ours, theirs = both("tensors")
    for part, values in theirs.items():
        for name, value in values.items():
            mine = ours[part][name]
            if isinstance(value, torch.Tensor):
                assert str(mine) == str(value), (part, name)
                np.testing.assert_allclose(mine.numpy(), value.numpy(), rtol=1e-6, err_msg=f"{part} {name}")
            else:
                assert str(mine) == str(value), (part, name)


def test_linear_regression(both: Any) -> None:
    ours, theirs = both("linear_regression")
    assert {k: ours[k] for k in ("loss", "w.grad", "b.grad")} == {k: theirs[k] for k in ("loss", "w.grad", "b.grad")}
    assert ours["w"] == pytest.approx(theirs["w"], abs=1e-6)


def test_the_road_to_nn(both: Any) -> None:
    ours, theirs = both("what_is_nn", epochs=3)
    np.testing.assert_allclose(
        ours["first"]["preds"].detach().numpy(), theirs["first"]["preds"].detach().numpy(), rtol=1e-4, atol=1e-5
    )
    for stage in ("tensors", "functional", "accuracy", "Module", "Linear", "optim"):
        assert ours[stage] == pytest.approx(theirs[stage], rel=2e-3), stage
    for stage in ("fit", "CNN", "Sequential", "any size"):
        assert ours[stage] == pytest.approx(theirs[stage], rel=5e-3), stage


def test_two_convolutions_and_two_linear_layers(both: Any) -> None:
    ours, theirs = both("two_conv_net", epochs=2)
    assert ours["losses"] == pytest.approx(theirs["losses"], rel=5e-3)
    assert ours["accuracy"] == pytest.approx(theirs["accuracy"], abs=0.02)


def test_a_function_a_module_and_a_dataset_of_ones_own(both: Any) -> None:
    ours, theirs = both("custom_function_module_dataset", epochs=10)
    assert ours["checked"] is theirs["checked"] is True
    assert ours["losses"] == pytest.approx(theirs["losses"], rel=1e-3)
    assert repr(ours["model"]) == repr(theirs["model"])
