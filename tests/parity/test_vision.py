"""Models of torchvision with the same weights beside ours: results, gradients, printed forms, the state's keys."""

from typing import Any

import numpy as np
import pytest
import torch

import taeda
from taeda.vision import models

theirs = pytest.importorskip("torchvision").models

NEW = [(1, 8, 8, [3, 3, 3], [3, 3, 3], [1, 1, 1], [1, 4, 4]), (2, 8, 16, [3, 3, 3], [3, 3, 3], [1, 2, 2], [1, 2, 2])]
OLD = [(1, 8, 16, [], [3, 3, 3], [], [1, 2, 2]), (2, 16, 16, [3, 3, 3], [3, 3, 3], [1, 2, 2], [1, 1, 1])]


def both(make: Any, mode: str) -> tuple[Any, Any]:
    """Build a model on both sides from one seed."""
    torch.manual_seed(0), taeda.manual_seed(0)
    model, reference = make(models), make(theirs)
    state = reference.state_dict()
    assert list(model.state_dict()) == list(state) and repr(model) == repr(reference)
    for key, value in model.state_dict().items():
        assert np.array_equal(value.numpy(), state[key].numpy()), key
    return getattr(model, mode)(), getattr(reference, mode)()


def assert_same(model: Any, reference: Any, *arrays: Any) -> None:
    """Compare results and all gradients, of the parameters against the largest of all: some are zero but for rounding."""
    out, expected = model(*map(taeda.from_numpy, arrays)), reference(*map(torch.from_numpy, arrays))
    for x, y in zip(*([o] if not isinstance(o, list) else o for o in (out, expected)), strict=True):
        np.testing.assert_allclose(x.detach().numpy(), y.detach().numpy(), rtol=1e-4, atol=1e-4 * y.abs().max().item())
        x.square().mean().backward(retain_graph=True), y.square().mean().backward(retain_graph=True)
    top = max(p.grad.abs().max().item() for p in reference.parameters())
    for (name, p), q in zip(model.named_parameters(), reference.parameters(), strict=True):
        assert np.abs(p.grad.numpy() - q.grad.numpy()).max() <= 1e-3 * top, name


@pytest.mark.parametrize("mode", ["eval", "train"])
@pytest.mark.parametrize("cls", [False, True])
@pytest.mark.parametrize("blocks", [OLD, NEW], ids=["first", "second"])
def test_mvit(blocks: Any, cls: bool, mode: str) -> None:
    new = blocks is NEW

    def make(m: Any) -> Any:
        setting = [m.video.mvit.MSBlockConfig(*b) for b in blocks]
        options = {"attention_dropout": 0.1, "stochastic_depth_prob": 0.3, "num_classes": 5}
        return m.video.MViT((32, 24), 4, setting, new, cls, new, new, **options)

    model, reference = both(make, mode)
    torch.manual_seed(1), taeda.manual_seed(1)
    assert_same(model, reference, np.random.default_rng(0).uniform(-1, 1, (2, 3, 4, 32, 24)).astype(np.float32))


@pytest.mark.parametrize("mode", ["eval", "train"])
def test_raft(mode: str) -> None:
    model, reference = both(lambda m: m.optical_flow.raft_small(), mode)
    assert_same(model, reference, *np.random.default_rng(0).uniform(-1, 1, (2, 1, 3, 128, 128)).astype(np.float32))
