"""taeda.optim.lr_scheduler beside torch's: rates bit for bit, states exchanged, chains, sequences, resuming, errors."""

import copy
import inspect
import itertools
import warnings

import numpy as np
import pytest
import torch

import taeda
from taeda import optim
from taeda.optim import lr_scheduler

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
    (
        "CyclicLR",
        {"base_lr": 0.1, "max_lr": 0.5, "step_size_up": 3, "scale_fn": lambda x: 0.9**x, "scale_mode": "iterations"},
    ),
    ("CyclicLR", {"base_lr": [0.1, 0.2], "max_lr": 0.5, "step_size_up": 3, "cycle_momentum": False}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 60}),
    ("OneCycleLR", {"max_lr": 0.5, "epochs": 5, "steps_per_epoch": 12, "pct_start": 0.5, "div_factor": 10.0}),
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
    assert list(s.state_dict()) == list(t.state_dict())
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


@pytest.mark.parametrize("name", torch.optim.lr_scheduler.__all__)
def test_schedules_take_the_same_arguments(name):
    def signature(cls):
        return [(p.name, p.default) for p in inspect.signature(cls).parameters.values()]

    assert signature(getattr(lr_scheduler, name)) == signature(getattr(torch.optim.lr_scheduler, name))


def named(lib, name):
    return getattr(lib.optim.swa_utils if name == "SWALR" else lib.optim.lr_scheduler, name)


ALL = [
    *SCHEDULES,
    ("SWALR", {"swa_lr": 0.05, "anneal_epochs": 4}),
    ("SWALR", {"swa_lr": [0.05, 0.5], "anneal_epochs": 4, "anneal_strategy": "linear"}),
    ("SWALR", {"swa_lr": 0.05, "anneal_epochs": 0}),
]


def made(kind="SGD", tensor=False):
    """Return an optimizer of two groups in either library; rates are numbers or tensors."""
    for lib in (taeda, torch):
        groups = [
            {"params": [lib.zeros(1, requires_grad=True)], "lr": lib.tensor(lr) if tensor else lr}
            for lr in (0.3, 0.05)
        ]
        yield lib, getattr(lib.optim, kind)(groups, lr=0.1, **({"momentum": 0.9} if kind == "SGD" else {}))


def plain(value):
    """Turn tensors into marked numbers, so that values of both libraries compare."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return ("tensor", value.item()) if hasattr(value, "item") else value


def told(f):
    """Return a call's result or the type of its exception, and the categories of its warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = plain(f())
        except Exception as error:
            result = type(error)
    return result, [w.category for w in caught]


def assert_same(f, **how):
    mine, theirs = (told(lambda lib=lib, opt=opt: f(lib, opt)) for lib, opt in made(**how))
    assert mine == theirs


@pytest.mark.parametrize("tensor", [False, True])
@pytest.mark.parametrize("kind", ["SGD", "Adam"])
@pytest.mark.parametrize(("name", "options"), ALL)
def test_rates_momenta_and_groups_are_the_same(name, options, kind, tensor):
    def run(lib, opt):
        schedule = named(lib, name)(opt, **copy.deepcopy(options))
        seen = []
        for _ in range(20):
            seen.append(schedule.get_last_lr())
            seen.append([{k: v for k, v in group.items() if k != "params"} for group in opt.param_groups])
            opt.step()
            schedule.step()
        kept = {k: v for k, v in schedule.state_dict().items() if "lambda" not in k and "scale_fn" not in k}
        return seen, list(schedule.state_dict()), kept

    assert_same(run, kind=kind, tensor=tensor)


@pytest.mark.parametrize(("name", "options"), ALL)
def test_a_given_epoch_takes_the_closed_form_and_warns(name, options):
    def run(lib, opt):
        schedule = named(lib, name)(opt, **copy.deepcopy(options))
        opt.step()
        seen = []
        for epoch in (0, 3, 7, 2, 11, 4.5):
            seen += [told(lambda epoch=epoch: schedule.step(epoch)), schedule.get_last_lr(), schedule.last_epoch]
        return seen, told(schedule.get_lr)

    assert_same(run)


@pytest.mark.parametrize("last_epoch", [0, 4, 9])
@pytest.mark.parametrize(("name", "options"), ALL)
def test_a_schedule_goes_on_from_an_epoch(name, options, last_epoch):
    def run(lib, opt):
        seen = [told(lambda: named(lib, name)(opt, last_epoch=last_epoch, **copy.deepcopy(options)) and None)]
        for group in opt.param_groups:
            group.update(initial_lr=group["lr"], max_lr=0.5, min_lr=1e-3, max_momentum=0.9, base_momentum=0.8)
        schedule = named(lib, name)(opt, last_epoch=last_epoch, **copy.deepcopy(options))
        for _ in range(6):
            seen.append(schedule.get_last_lr())
            opt.step()
            schedule.step()
        return seen

    assert_same(run)


PARTS = {
    "constant": lambda lib, opt: lib.optim.lr_scheduler.ConstantLR(opt, 0.5, 3),
    "exponential": lambda lib, opt: lib.optim.lr_scheduler.ExponentialLR(opt, 0.9),
    "linear": lambda lib, opt: lib.optim.lr_scheduler.LinearLR(opt, 0.1, 1.0, 4),
    "cosine": lambda lib, opt: lib.optim.lr_scheduler.CosineAnnealingLR(opt, 5, 0.01),
    "restarts": lambda lib, opt: lib.optim.lr_scheduler.CosineAnnealingWarmRestarts(opt, 3),
    "steps": lambda lib, opt: lib.optim.lr_scheduler.MultiStepLR(opt, [2, 4]),
    "cycle": lambda lib, opt: lib.optim.lr_scheduler.CyclicLR(opt, 0.01, 0.5, 3),
    "once": lambda lib, opt: lib.optim.lr_scheduler.OneCycleLR(opt, 0.5, 60),
    "polynomial": lambda lib, opt: lib.optim.lr_scheduler.PolynomialLR(opt, 6, 2.0),
    "factors": lambda lib, opt: lib.optim.lr_scheduler.MultiplicativeLR(opt, lambda t: 0.9),
}


@pytest.mark.parametrize("chained", [False, True])
@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(PARTS, 2)))
def test_two_schedules_one_after_the_other_and_at_once(first, second, chained):
    def run(lib, opt):
        parts = [PARTS[first](lib, opt), PARTS[second](lib, opt)]
        rooms = lib.optim.lr_scheduler
        schedule = rooms.ChainedScheduler(parts, opt) if chained else rooms.SequentialLR(opt, parts, [4])
        seen = []
        for _ in range(15):
            seen.append(schedule.get_last_lr())
            opt.step()
            schedule.step()
        state = schedule.state_dict()
        kept = [{k: v for k, v in part.items() if k != "lr_lambdas"} for part in state.pop("_schedulers")]
        return seen, state, kept

    assert_same(run)


@pytest.mark.parametrize(
    "f",
    [
        lambda lib, opt: lib.optim.lr_scheduler.ExponentialLR(opt, 0.9).step(),
        lambda lib, opt: (lambda s: (s.step(), s.step()))(lib.optim.lr_scheduler.ExponentialLR(opt, 0.9)),
        lambda lib, opt: (lambda s: (opt.step(), s.step()))(lib.optim.lr_scheduler.ExponentialLR(opt, 0.9)),
        lambda lib, opt: (lambda s: (opt.step(lambda: 1.0), s.step()))(lib.optim.lr_scheduler.StepLR(opt, 2)),
    ],
)
def test_an_order_of_calls_is_warned_of_as_by_pytorch(f):
    assert_same(f)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("OneCycleLR", {"max_lr": 0.1, "total_steps": 0}),
        ("OneCycleLR", {"max_lr": 0.1, "total_steps": 2.5}),
        ("OneCycleLR", {"max_lr": 0.1, "epochs": 2}),
        ("OneCycleLR", {"max_lr": 0.1, "total_steps": 5, "pct_start": 2}),
        ("OneCycleLR", {"max_lr": 0.1, "total_steps": 5, "anneal_strategy": "x"}),
        ("OneCycleLR", {"max_lr": [0.1], "total_steps": 5}),
        ("CyclicLR", {"base_lr": 0.1, "max_lr": 0.2, "mode": "x"}),
        ("CyclicLR", {"base_lr": [0.1], "max_lr": 0.2}),
        ("CosineAnnealingWarmRestarts", {"T_0": 0}),
        ("CosineAnnealingWarmRestarts", {"T_0": 2, "T_mult": 0}),
        ("ConstantLR", {"factor": 2.0}),
        ("LinearLR", {"start_factor": 0.0}),
        ("LinearLR", {"start_factor": 0.5, "end_factor": 2.0}),
        ("LambdaLR", {"lr_lambda": [abs]}),
        ("MultiplicativeLR", {"lr_lambda": [3, 4]}),
        ("ReduceLROnPlateau", {"mode": "x"}),
        ("ReduceLROnPlateau", {"min_lr": [1]}),
        ("SequentialLR", {"schedulers": [], "milestones": []}),
        ("ChainedScheduler", {"schedulers": []}),
        ("SWALR", {"swa_lr": 0.1, "anneal_strategy": "x"}),
    ],
)
def test_options_are_refused_with_the_same_exception(name, options):
    assert_same(lambda lib, opt: named(lib, name)(opt, **options) and None)
