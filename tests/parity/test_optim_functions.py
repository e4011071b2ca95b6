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
