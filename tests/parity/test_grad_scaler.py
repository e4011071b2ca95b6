"""taeda.amp.GradScaler beside torch.amp.GradScaler: scales, counts, parameters and gradients over a few iterations."""

import pytest
import torch

import taeda
from taeda.amp.grad_scaler import GradScaler


def run(lib, scaler_class, plan, dtype, **options):
    """Train for a few iterations; a letter of the plan says what happens in one."""
    scaler = scaler_class("cpu", init_scale=8.0, growth_interval=2, **options)
    p = lib.tensor([1.0, 2.0], dtype=getattr(lib, dtype), requires_grad=True)
    opt = lib.optim.SGD([p], lr=0.1)
    seen = []
    for what in plan:
        opt.zero_grad()
        scaler.scale((p * p).sum()).backward()
        if what in "in":
            p.grad[0] = float("inf" if what == "i" else "nan")
        for _ in range({"u": 1, "U": 2}.get(what, 0)):
            scaler.unscale_(opt)
        if what == "s":
            scaler.step(opt)
        scaler.step(opt)
        scaler.update({"w": 5.0, "t": lib.tensor(3.0)}.get(what))
        seen.append((p.detach().float().tolist(), scaler.get_scale(), scaler._get_growth_tracker(), scaler.state_dict()))
        if what not in "in":
            seen.append(p.grad.float().tolist())
    return seen, scaler.get_growth_factor(), scaler.get_backoff_factor(), scaler.get_growth_interval()


def told(f):
    try:
        return f()
    except Exception as error:
        return type(error)


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "float16"])
@pytest.mark.parametrize("plan", ["....", "i...i", "u.u.", "niu", "U", "s", "w.", "t.."])
def test_iterations_are_the_same(plan, dtype):
    mine = told(lambda: run(taeda, GradScaler, plan, dtype))
    assert mine == told(lambda: run(torch, torch.amp.GradScaler, plan, dtype))


@pytest.mark.parametrize("options", [{"growth_factor": 1.0}, {"backoff_factor": 1.0}, {"enabled": False}])
def test_options_are_taken_alike(options):
    found = [told(lambda: c("cpu", **options).state_dict()) for c in (GradScaler, torch.amp.GradScaler)]
    assert found[0] == found[1]


def test_states_are_exchanged():
    state = {"scale": 3.0, "growth_factor": 2.5, "backoff_factor": 0.1, "growth_interval": 7, "_growth_tracker": 3}
    for a, b in ((GradScaler, torch.amp.GradScaler), (torch.amp.GradScaler, GradScaler)):
        first, second = a("cpu"), b("cpu")
        first.load_state_dict(state)
        second.load_state_dict(first.state_dict())
        assert second.state_dict() == state
