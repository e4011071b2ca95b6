"""A training run that changes frameworks in the middle: checkpoints of model, optimizer and schedule, both ways."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import taeda
import taeda.nn
import taeda.optim

OPTIMIZERS = {
    "SGD": {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 1e-3},
    "Adam": {"lr": 0.01, "amsgrad": True},
    "AdamW": {"lr": 0.01},
    "RMSprop": {"lr": 0.005, "momentum": 0.5, "centered": True},
}


class Training:
    """The same small network, data, optimizer and schedule in either framework."""

    def __init__(self, lib: Any, name: str) -> None:
        self.lib = lib
        lib.manual_seed(3)
        nn = lib.nn  # no bias before normalisation: its gradient is rounding, and Adam would enlarge that
        self.model = nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 25, 3)
        )
        self.optimizer = getattr(lib.optim, name)(self.model.parameters(), **OPTIMIZERS[name])
        self.schedule = lib.optim.lr_scheduler.StepLR(self.optimizer, 4, gamma=0.5)
        rng = np.random.default_rng(0)
        self.x = lib.tensor(rng.normal(size=(16, 1, 5, 5)).astype(np.float32))
        self.y = lib.tensor(rng.integers(0, 3, 16))

    def steps(self, count: int) -> list[float]:
        losses = []
        for _ in range(count):
            self.optimizer.zero_grad()
            loss = self.lib.nn.functional.cross_entropy(self.model(self.x), self.y)
            loss.backward()
            self.optimizer.step()
            self.schedule.step()
            losses.append(loss.item())
        return losses

    def parts(self) -> dict[str, Any]:
        return {"model": self.model, "optimizer": self.optimizer, "schedule": self.schedule}

    def save(self, path: Path) -> None:
        self.lib.save({name: part.state_dict() for name, part in self.parts().items()}, path)

    def restore(self, path: Path) -> None:
        saved = self.lib.load(path, weights_only=True)
        for name, part in self.parts().items():
            part.load_state_dict(saved[name])


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize(("first", "second"), [(taeda, torch), (torch, taeda)], ids=["to torch", "from torch"])
def test_a_run_goes_on_in_the_other_framework(first: Any, second: Any, name: str, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    whole = Training(first, name)
    expected = whole.steps(12)
    begun, goes_on = Training(first, name), Training(second, name)
    losses = begun.steps(6)
    begun.save(path)
    goes_on.restore(path)
    losses += goes_on.steps(6)
    assert losses == pytest.approx(expected, rel=2e-4)
    assert goes_on.optimizer.param_groups[0]["lr"] == whole.optimizer.param_groups[0]["lr"]
    for ours, theirs in zip(goes_on.model.parameters(), whole.model.parameters(), strict=True):
        np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=1e-3, atol=2e-4)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_both_frameworks_train_alike_from_a_seed(name: str) -> None:
    assert Training(taeda, name).steps(20) == pytest.approx(Training(torch, name).steps(20), rel=2e-3)
