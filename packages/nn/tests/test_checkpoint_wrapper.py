"""Layers that compute their activations again, by the wrappers of PyTorch's room for distributed algorithms."""

from __future__ import annotations

import functools
from typing import Any

import pytest

import taeda
from taeda import nn
from taeda.distributed.algorithms._checkpoint import checkpoint_wrapper as wrappers


def model() -> nn.Sequential:
    taeda.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5)), nn.Linear(4, 2))


def test_a_wrapped_model_has_the_same_state_gradients_and_draws() -> None:
    plain, wrapped = model(), model()
    wrappers.apply_activation_checkpointing(wrapped, check_fn=lambda m: isinstance(m, (nn.Linear, nn.Sequential)))
    assert [type(m) is wrappers.CheckpointWrapper for m in wrapped] == [True] * 3
    assert isinstance(wrapped[1][0], wrappers.CheckpointWrapper) and type(wrapped[1][1]) is nn.Dropout and wrapped[2].out_features == 2
    assert list(wrapped.state_dict()) == list(plain.state_dict()) and next(wrapped[0].named_parameters())[0] == "weight"
    wrapped.load_state_dict({k: v + 1 for k, v in plain.state_dict().items()})
    assert taeda.equal(wrapped[0].weight, plain[0].weight + 1)
    wrapped.load_state_dict(plain.state_dict())
    calls: list[int] = []
    wrapped[0].register_forward_pre_hook(lambda *args: None)
    wrapped[0]._checkpoint_wrapped_module.register_forward_pre_hook(lambda *args: calls.append(1))
    grads = []
    for m in (plain, wrapped):
        x = taeda.arange(6.0).reshape(2, 3).requires_grad_()
        taeda.manual_seed(1)
        m(x).sum().backward()
        grads.append([x.grad.tolist(), *(p.grad.tolist() for p in m.parameters())])
    assert grads[0] == grads[1] and len(calls) == 2


@pytest.mark.parametrize("impl", wrappers.CheckpointImpl)
def test_arguments_by_keyword_and_a_function_of_ones_own(impl: wrappers.CheckpointImpl) -> None:
    class Product(nn.Module):
        def forward(self, x: taeda.Tensor, *, y: taeda.Tensor) -> taeda.Tensor:
            return (x * y).sin()

    x = taeda.ones(2, requires_grad=True)
    wrappers.checkpoint_wrapper(Product(), impl)(x, y=x).sum().backward()
    assert taeda.allclose(x.grad, 2 * taeda.ones(2).cos())
    twice = wrappers.checkpoint_wrapper(nn.Identity(), checkpoint_fn=lambda f, x, times: f(x) * times, times=2)
    assert twice(taeda.ones(1)).item() == 2 and wrappers.offload_wrapper(nn.ReLU())(taeda.tensor([-1.0, 3.0])).tolist() == [0, 3]


def test_a_policy_is_asked_for_what_is_not_wrapped_yet() -> None:
    asked: list[tuple[Any, ...]] = []

    def policy(module: nn.Module, recurse: bool, nonwrapped_numel: int, least: int) -> bool:
        asked.append((type(module).__name__, recurse, nonwrapped_numel))
        return recurse or nonwrapped_numel >= least

    m = model()
    wrappers.apply_activation_checkpointing(m, auto_wrap_policy=functools.partial(policy, least=16))
    assert [isinstance(layer, wrappers.CheckpointWrapper) for layer in m] == [True, False, False]
    assert isinstance(m[1][0], wrappers.CheckpointWrapper) and ("Sequential", False, 0) in asked
