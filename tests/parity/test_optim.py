"""taeda.optim beside torch.optim: trajectories of 100 steps, states exchanged both ways, schedules, errors."""

import inspect
import itertools
import warnings

import numpy as np
import pytest
import taeda
import torch
from taeda import optim
from taeda.optim import lr_scheduler

SHAPES = ((7, 5), (5,), (), (2, 3, 4))
TOLERANCE = {"float32": {"rtol": 2e-5, "atol": 2e-5}, "float64": {"rtol": 1e-9, "atol": 1e-10}}


def pair(dtype, seed=0):
    rng = np.random.default_rng(seed)
    values = [rng.normal(size=s).astype(dtype) for s in SHAPES]
    return (
        [taeda.tensor(v, requires_grad=True) for v in values],
        [torch.tensor(v, requires_grad=True) for v in values],
        rng,
    )


def step_both(ours, theirs, a, b, rng, steps):
    for _ in range(steps):
        for p, q in zip(ours, theirs, strict=True):
            g = np.asarray(rng.normal(size=tuple(q.shape)), dtype=q.detach().numpy().dtype)
            p.grad = taeda.tensor(g)
            q.grad = torch.tensor(g)
        a.step()
        b.step()


def assert_same(ours, theirs, dtype):
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), **TOLERANCE[dtype])


def product(**choices):
    return [dict(zip(choices, values, strict=True)) for values in itertools.product(*choices.values())]


OPTIONS = [
    *[("SGD", {"lr": 0.01, **o}) for o in product(maximize=[False, True], weight_decay=[0.0, 0.1])],
    *[
        ("SGD", {"lr": 0.01, "momentum": 0.9, **o})
        for o in product(dampening=[0.0, 0.3], maximize=[False, True], weight_decay=[0.0, 0.1])
    ],
    *[
        ("SGD", {"lr": 0.01, "momentum": 0.9, "nesterov": True, **o})
        for o in product(maximize=[False, True], weight_decay=[0.0, 0.1])
    ],
    *[
        (name, {"lr": 0.01, **o})
        for name in ("Adam", "AdamW")
        for o in product(
            amsgrad=[False, True],
            maximize=[False, True],
            weight_decay=[0.0, 0.1],
            betas=[(0.9, 0.999), (0.3, 0.6)],
        )
    ],
    ("Adam", {"decoupled_weight_decay": True, "weight_decay": 0.1}),
    ("Adam", {"eps": 1e-3, "fused": True}),
    *[
        ("RMSprop", {"lr": 0.01, **o})
        for o in product(
            momentum=[0.0, 0.9], centered=[False, True], maximize=[False, True], weight_decay=[0.0, 0.1]
        )
    ],
    ("RMSprop", {"alpha": 0.3, "eps": 1e-4}),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "options"), OPTIONS, ids=lambda v: v if isinstance(v, str) else "")
def test_a_hundred_steps(name, options, dtype):
    ours, theirs, rng = pair(dtype)
    a, b = getattr(optim, name)(ours, **options), getattr(torch.optim, name)(theirs, **options)
    step_both(ours, theirs, a, b, rng, 100)
    assert_same(ours, theirs, dtype)
    ours_state, theirs_state = a.state_dict(), b.state_dict()
    assert ours_state["param_groups"] == theirs_state["param_groups"]
    for i, values in theirs_state["state"].items():
        assert list(ours_state["state"][i]) == list(values)
        for key, value in values.items():
            if value is None:
                assert ours_state["state"][i][key] is None
                continue
            mine = ours_state["state"][i][key]
            assert str(mine.dtype).split(".")[1] == str(value.dtype).split(".")[1]
            np.testing.assert_allclose(mine.numpy(), value.numpy(), **TOLERANCE[dtype])


NAMES = [
    ("SGD", {"momentum": 0.9}),
    ("Adam", {"amsgrad": True}),
    ("AdamW", {}),
    ("RMSprop", {"momentum": 0.9, "centered": True}),
]


@pytest.mark.parametrize(("name", "options"), NAMES)
def test_repr_is_the_same(name, options):
    ours, theirs, _ = pair("float32")
    assert repr(getattr(optim, name)(ours, **options)) == repr(getattr(torch.optim, name)(theirs, **options))


@pytest.mark.parametrize(("name", "options"), NAMES)
def test_states_are_exchanged_both_ways(name, options):
    ours, theirs, rng = pair("float64")
    a, b = (
        getattr(optim, name)(ours, lr=0.01, **options),
        getattr(torch.optim, name)(theirs, lr=0.01, **options),
    )
    step_both(ours, theirs, a, b, rng, 5)
    fresh = getattr(optim, name)(ours)
    fresh.load_state_dict(b.state_dict())
    back = getattr(torch.optim, name)(theirs)
    saved = a.state_dict()
    saved["state"] = {
        i: {k: torch.tensor(v.numpy()) for k, v in values.items()} for i, values in saved["state"].items()
    }
    back.load_state_dict(saved)
    step_both(ours, theirs, fresh, back, rng, 5)
    assert_same(ours, theirs, "float64")


SCHEDULES = [
    ("StepLR", {"step_size": 3}),
    ("MultiStepLR", {"milestones": [2, 5, 5, 9], "gamma": 0.3}),
    ("ConstantLR", {}),
    ("LinearLR", {"start_factor": 0.4, "end_factor": 0.1, "total_iters": 7}),
    ("ExponentialLR", {"gamma": 0.95}),
    ("PolynomialLR", {"total_iters": 9, "power": 1.5}),
    ("CosineAnnealingLR", {"T_max": 7, "eta_min": 0.01}),
    ("LambdaLR", {"lr_lambda": lambda t: 0.95**t}),
    ("MultiplicativeLR", {"lr_lambda": lambda t: 1 - 1 / (t + 2)}),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 0.5, "step_size_up": 3, "step_size_down": 5}),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 0.5, "step_size_up": 3, "mode": "triangular2"}),
    (
        "CyclicLR",
        {"base_lr": 0.1, "max_lr": [0.5, 0.7], "step_size_up": 3, "mode": "exp_range", "gamma": 0.9},
    ),
    ("CosineAnnealingWarmRestarts", {"T_0": 4, "T_mult": 2, "eta_min": 0.02}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 60}),
    (
        "OneCycleLR",
        {"max_lr": [0.5, 0.2], "total_steps": 60, "three_phase": True, "anneal_strategy": "linear"},
    ),
]


def optimizers():
    made = []
    for lib, opt in ((taeda, optim), (torch, torch.optim)):
        groups = [{"params": [lib.zeros(1, requires_grad=True)], "lr": lr} for lr in (0.3, 0.05)]
        made.append(opt.SGD(groups, lr=0.1, momentum=0.9))
    return made


@pytest.mark.parametrize(("name", "options"), SCHEDULES)
def test_schedules_give_the_same_rates_bit_for_bit(name, options):
    a, b = optimizers()
    s, t = getattr(lr_scheduler, name)(a, **options), getattr(torch.optim.lr_scheduler, name)(b, **options)
    for epoch in range(50):
        assert s.get_last_lr() == t.get_last_lr(), f"epoch {epoch}"
        assert [g["momentum"] for g in a.param_groups] == [g["momentum"] for g in b.param_groups]
        for x in (a, b, s, t):
            x.step()
    assert s.state_dict().keys() == t.state_dict().keys()
    a2, b2 = optimizers()
    s2, t2 = (
        getattr(lr_scheduler, name)(a2, **options),
        getattr(torch.optim.lr_scheduler, name)(b2, **options),
    )
    s2.load_state_dict(t.state_dict())
    t2.load_state_dict(s.state_dict())
    a2.load_state_dict(b.state_dict())
    b2.load_state_dict(a.state_dict())
    for _ in range(8):
        for x in (a2, b2, s2, t2):
            x.step()
        assert s2.get_last_lr() == t2.get_last_lr()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"mode": "max", "threshold": 0.1, "cooldown": 2, "patience": 1},
        {"patience": 2, "threshold_mode": "abs"},
    ],
)
def test_plateau_gives_the_same_rates(options):
    a, b = optimizers()
    s, t = (
        lr_scheduler.ReduceLROnPlateau(a, **options),
        torch.optim.lr_scheduler.ReduceLROnPlateau(b, **options),
    )
    for metric in np.random.default_rng(0).uniform(size=80):
        s.step(metric)
        t.step(metric)
        assert s.get_last_lr() == t.get_last_lr()
    assert s.state_dict() == t.state_dict()


def test_sequences_and_chains_give_the_same_rates():
    made = []
    for opt, sched in zip(optimizers(), (lr_scheduler, torch.optim.lr_scheduler), strict=True):
        parts = [sched.ConstantLR(opt), sched.ExponentialLR(opt, 0.9), sched.CosineAnnealingLR(opt, 5)]
        made.append((opt, sched.SequentialLR(opt, parts, [4, 9])))
    for _ in range(20):
        assert made[0][1].get_last_lr() == made[1][1].get_last_lr()
        for opt, schedule in made:
            opt.step()
            schedule.step()


CLASSES = ["SGD", "Adam", "AdamW", "RMSprop"]


@pytest.mark.parametrize("name", CLASSES)
def test_arguments_and_defaults_are_the_same(name):
    def signature(cls):
        return [(p.name, p.kind, p.default) for p in inspect.signature(cls).parameters.values()]

    assert signature(getattr(optim, name)) == signature(getattr(torch.optim, name))


@pytest.mark.parametrize("name", torch.optim.lr_scheduler.__all__)
def test_schedules_take_the_same_arguments(name):
    def signature(cls):
        return [(p.name, p.default) for p in inspect.signature(cls).parameters.values()]

    assert signature(getattr(lr_scheduler, name)) == signature(getattr(torch.optim.lr_scheduler, name))


@pytest.mark.parametrize(
    "case",
    [
        lambda lib, opt: opt.SGD(lib.ones(1, requires_grad=True)),
        lambda lib, opt: opt.SGD([]),
        lambda lib, opt: opt.SGD([1.0]),
        lambda lib, opt: opt.SGD([lib.ones(1, requires_grad=True) * 2]),
        lambda lib, opt: opt.SGD([{"params": {lib.ones(1, requires_grad=True)}}]),
        lambda lib, opt: opt.SGD([{"lr": 1.0}]),
        lambda lib, opt: opt.SGD([lib.ones(1)], lr=-1.0),
        lambda lib, opt: opt.SGD([lib.ones(1)], nesterov=True),
        lambda lib, opt: opt.Adam([lib.ones(1)], betas=(1.0, 0.9)),
        lambda lib, opt: opt.Adam([lib.ones(1)], lr=lib.ones(2)),
        lambda lib, opt: opt.Adam([lib.ones(1)], fused=True, foreach=True),
        lambda lib, opt: opt.RMSprop([lib.ones(1)], alpha=-0.1),
        lambda lib, opt: opt.SGD([lib.ones(1)]).load_state_dict({"state": {}, "param_groups": []}),
        lambda lib, opt: opt.SGD([lib.ones(1)]).load_state_dict({}),
        lambda lib, opt: opt.lr_scheduler.StepLR([1], 2),
        lambda lib, opt: opt.lr_scheduler.StepLR(opt.SGD([lib.ones(1)]), 2, last_epoch=3),
        lambda lib, opt: opt.lr_scheduler.LambdaLR(opt.SGD([lib.ones(1)]), [abs, abs]),
        lambda lib, opt: opt.lr_scheduler.OneCycleLR(opt.SGD([lib.ones(1)]), 0.1),
        lambda lib, opt: opt.lr_scheduler.ReduceLROnPlateau(opt.SGD([lib.ones(1)]), factor=1.0),
    ],
)
def test_errors_have_the_same_type(case):
    found = []
    for lib, opt in ((taeda, optim), (torch, torch.optim)):
        with pytest.raises(Exception) as caught, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            case(lib, opt)
        found.append(caught.type)
    assert found[0] is found[1]
