"""The optimizers' steps as functions beside PyTorch's: ``optim.adam.adam`` and its kin."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
import torch

import taeda
import taeda.optim

BETAS = {"beta1": 0.8, "beta2": 0.95, "lr": 0.1, "weight_decay": 0.02, "eps": 1e-6}
MOMENTS = ("exp_avgs", "exp_avg_sqs")
FUNCTIONAL: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "adam": ((*MOMENTS, "max_exp_avg_sqs"), {**BETAS, "amsgrad": True, "maximize": True}),
    "adamw": ((*MOMENTS, "max_exp_avg_sqs"), {**BETAS, "amsgrad": False, "maximize": False}),
    "rmsprop": (
        ("square_avgs", "grad_avgs", "momentum_buffer_list"),
        {"lr": 0.1, "alpha": 0.9, "eps": 1e-6, "weight_decay": 0.02, "momentum": 0.5, "centered": False},
    ),
    "adagrad": (("state_sums",), {"lr": 0.1, "weight_decay": 0.02, "lr_decay": 0.1, "eps": 1e-6, "maximize": False}),
    "adadelta": (("square_avgs", "acc_deltas"), {"lr": 0.1, "rho": 0.9, "eps": 1e-6, "weight_decay": 0.0, "maximize": True}),
    "adamax": (("exp_avgs", "exp_infs"), BETAS),
    "nadam": ((*MOMENTS, "mu_products"), {**BETAS, "momentum_decay": 0.01, "decoupled_weight_decay": True}),
    "radam": (MOMENTS, BETAS),
    "rprop": (("prevs", "step_sizes"), {"step_size_min": 1e-6, "step_size_max": 50, "etaminus": 0.5, "etaplus": 1.2}),
    "asgd": (("axs", "mus", "etas"), {"lambd": 0.1, "lr": 0.1, "t0": 1.0, "alpha": 0.7, "weight_decay": 0.02}),
}


def _lists(lib: Any, name: str) -> dict[str, Any]:
    """Parameters, gradients and fresh state for a step as a function, by the names of its arguments."""
    steps = [lib.tensor(2.0), lib.tensor(2.0)]
    made: dict[str, Any] = {"params": [], "grads": [], "state_steps": steps}
    rng = np.random.default_rng(0)
    for key in FUNCTIONAL[name][0]:
        fixed = {"mus": 0.9, "etas": 0.1, "mu_products": 0.8}.get(key)
        size = () if fixed else (5,)
        made[key] = [lib.tensor(np.full(size, fixed) if fixed else rng.random(size) + 0.1) for _ in range(2)]
    for key in ("params", "grads"):
        made[key] = [lib.tensor(rng.standard_normal(5)) for _ in range(2)]
    return made


@pytest.mark.parametrize("differentiable", [False, True])
@pytest.mark.parametrize("name", list(FUNCTIONAL))
def test_steps_as_functions(name: str, differentiable: bool) -> None:
    state, options = FUNCTIONAL[name]
    found = []
    for lib in (taeda, torch):
        step = getattr(importlib.import_module(f"{lib.__name__}.optim.{name}"), name)
        lists = _lists(lib, name)
        order = ["params", "grads", *state, "state_steps"]
        with lib.no_grad():
            for _ in range(3):
                step(*[lists[key] for key in order], differentiable=differentiable, **options)
        found.append([x.numpy() for key in order for x in lists[key]])
        if (lib, name) != (torch, "asgd"):
            with pytest.raises(RuntimeError, match="state_steps"):
                step(*[lists[key] for key in order[:-1]], [1, 1], **options)
    for mine, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-6, atol=1e-7)      # PyTorch's corrections are float32 in differentiable steps


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_sgd_as_a_function_makes_its_buffers(momentum: float) -> None:
    found = []
    for lib in (taeda, torch):
        step = importlib.import_module(f"{lib.__name__}.optim.sgd").sgd
        params, grads = [lib.ones(3), lib.ones(2)], [lib.full((3,), 0.5), lib.full((2,), 2.0)]
        buffers: list[Any] = [None, lib.ones(2)]
        options = {"weight_decay": 0.1, "dampening": 0.2, "lr": 0.1, "nesterov": False, "maximize": False}
        for _ in range(3):
            step(params, grads, buffers, momentum=momentum, **options)
        assert (buffers[0] is None) == (momentum == 0)
        found.append([x.numpy() for x in (*params, *buffers) if x is not None])
    for mine, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-6)


@pytest.mark.parametrize("lib", [taeda, torch])
@pytest.mark.parametrize("differentiable", [False, True])
def test_a_users_step_is_recorded_where_it_is_differentiable(lib: Any, differentiable: bool) -> None:
    optimizer = importlib.import_module(f"{lib.__name__}.optim.optimizer")

    class Descent(lib.optim.Optimizer):
        def __init__(self, params: Any) -> None:
            super().__init__(params, {"lr": lib.tensor(0.5), "differentiable": differentiable})

        @optimizer._use_grad_for_differentiable
        def step(self, closure: Any = None) -> bool:
            for group in self.param_groups:
                for p in group["params"]:
                    p.add_(p.grad, alpha=-optimizer._get_value(group["lr"]))
            return lib.is_grad_enabled()

    p = lib.ones(2, requires_grad=not differentiable)
    p.grad = lib.ones(2)
    assert Descent([p]).step() == differentiable
    assert p.tolist() == [0.5, 0.5]


@pytest.mark.parametrize("foreach", [False, True])
def test_an_optimizer_written_after_pytorchs_finds_what_these_share(foreach: bool) -> None:
    """As optimizers of libraries are: the names that they import, lists that are cut by dtype, a complex parameter among them."""
    found = []
    for lib in (taeda, torch):
        shared = importlib.import_module(f"{lib.__name__}.optim.optimizer")

        @shared._disable_dynamo_if_unsupported(single_tensor_fn=None)
        def update(params: Any, grads: Any, moments: Any, unused: Any, steps: Any, lr: Any, lib: Any = lib, shared: Any = shared) -> None:
            grouped = lib.optim.Optimizer._group_tensors_by_device_and_dtype([params, grads, moments, unused, steps])
            for (ps, gs, ms, none, counts), _ in grouped.values():
                assert none == []
                shared._view_as_real(ps, gs, ms)
                lib._foreach_add_(counts, 1)
                lib._foreach_lerp_(ms, gs, 0.5)
                lib._foreach_add_(ps, ms, alpha=-shared._get_value(shared._to_scalar(lr)))

        class Mean(lib.optim.Optimizer):
            def __init__(self, params: shared.ParamsT, lr: Any, foreach: bool, lib: Any = lib) -> None:
                super().__init__(params, {"lr": lr, "foreach": foreach, "differentiable": False})

            __init__.__doc__ = f"{shared._params_doc} {shared._foreach_doc} {shared._maximize_doc} {shared._capturable_doc} " + (
                f"{shared._differentiable_doc} {shared._fused_doc}")

            @shared._use_grad_for_differentiable
            def step(self, closure: Any = None, lib: Any = lib, shared: Any = shared, update: Any = update) -> None:
                self._accelerator_graph_capture_health_check()
                for group in self.param_groups:
                    params = [p for p in group["params"] if p.grad is not None]
                    for p in params:
                        if not self.state[p]:
                            self.state[p].update(step=lib.tensor(0.0, dtype=shared._get_scalar_dtype()), mean=lib.zeros_like(p))
                    assert shared._default_to_fused_or_foreach(params, False) == (False, False)
                    states = [self.state[p] for p in params]
                    lists = [params, [p.grad for p in params], [s["mean"] for s in states], [], [s["step"] for s in states]]
                    for part in [lists] if group["foreach"] else [[one[i : i + 1] for one in lists] for i in range(len(params))]:
                        update(*part, shared._stack_if_compiling(group["lr"]))

        values = (lib.tensor([1.0, 2.0]), lib.tensor([3.0], dtype=lib.float64), lib.tensor([1 + 2j]), lib.tensor([4.0]))
        params = [value.requires_grad_() for value in values]
        for p in params[:3]:
            p.grad = lib.ones_like(p) * 0.5
        optimizer = Mean(params, lib.tensor([0.5]), foreach)
        optimizer.step()
        optimizer.step()
        shared._device_dtype_check_for_fused(params[0])
        with pytest.raises(RuntimeError, match="fused=True"):
            shared._device_dtype_check_for_fused(params[2])
        found.append([x.detach().numpy() for p in params for x in (p, *optimizer.state[p].values())])
    assert len(found[0]) == 10
    for mine, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-6)


@pytest.mark.parametrize("amsgrad", [False, True])
def test_a_subclass_of_adam_steps_by_the_function(amsgrad: bool) -> None:
    found = []
    for lib in (taeda, torch):
        adam = importlib.import_module(f"{lib.__name__}.optim.adam").adam

        class Half(lib.optim.AdamW):
            def step(self, closure: Any = None, lib: Any = lib, adam: Any = adam) -> None:
                for group in self.param_groups:
                    lists: list[Any] = [[] for _ in range(6)]
                    has_complex = self._init_group(group, *lists)
                    assert not has_complex
                    with lib.no_grad():
                        adam(*lists, has_complex=has_complex, beta1=0.9, beta2=0.99, weight_decay=0.1, maximize=False, eps=1e-8,
                             lr=group["lr"] / 2, amsgrad=amsgrad, decoupled_weight_decay=True)

        params = [lib.ones(2, requires_grad=True), lib.ones(1, requires_grad=True)]
        params[0].grad = lib.tensor([0.5, -3.0])
        optimizer = Half(params, amsgrad=amsgrad)
        optimizer.step()
        optimizer.step()
        found.append([x.detach().numpy() for p in params for x in (p, *optimizer.state[p].values())])
    assert len(found[0]) == 5 + amsgrad
    for mine, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-6)


@pytest.mark.parametrize("lib", [taeda, torch])
def test_a_schedule_written_after_pytorchs_finds_what_these_share(lib: Any) -> None:
    shared = lib.optim.lr_scheduler

    class Fall(shared.LRScheduler):
        def __init__(self, optimizer: Any, low: Any) -> None:
            self.low = shared._format_param("low", optimizer, low)
            super().__init__(optimizer)

        def get_lr(self) -> list[Any]:
            shared._warn_get_lr_called_within_step(self)
            return [max(low, rate / 2**self.last_epoch) for low, rate in zip(self.low, self.base_lrs, strict=True)]

        def step(self, epoch: Any = None) -> None:
            self._step_count += 1
            self.last_epoch += 1
            with shared._enable_get_lr_call(self):
                rates = self.get_lr()
            for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
                shared._update_param_group_val(group, "lr", rate)
            self._last_lr = shared._param_groups_val_list(self.optimizer, "lr")

    optimizer = lib.optim.SGD([{"params": lib.ones(1), "lr": lib.tensor(2.0)}, {"params": lib.ones(1)}], lr=1.0)
    schedule = Fall(optimizer, [0.5, 0.25])
    for _ in range(3):
        schedule.step()
    assert [float(rate) for rate in schedule.get_last_lr()] == [0.5, 0.25]
    with pytest.warns(UserWarning, match="get_last_lr"):
        schedule.get_lr()
    with pytest.raises(ValueError, match="low must have the same length as optimizer.param_groups"):
        Fall(optimizer, [0.5])
