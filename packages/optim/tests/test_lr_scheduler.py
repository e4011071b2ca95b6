"""Schedules against their closed forms, saving and loading, warnings and errors."""

import copy
import math
import pickle
import warnings

import pytest

import taeda
from taeda import optim
from taeda.optim import lr_scheduler

LRS = (0.5, 0.125)


def optimizer(momentum=0.0):
    groups = [{"params": [taeda.zeros(1, requires_grad=True)], "lr": lr} for lr in LRS]
    return optim.SGD(groups, lr=1.0, momentum=momentum)


def rates(opt, schedule, epochs=20):
    """Collect each group's rate in every epoch."""
    seen = []
    for _ in range(epochs):
        assert schedule.get_last_lr() == [g["lr"] for g in opt.param_groups]
        seen.append([g["lr"] for g in opt.param_groups])
        opt.step()
        schedule.step()
    return seen


def closed(factor, epochs=20):
    return [[lr * factor(t) for lr in LRS] for t in range(epochs)]


def assert_close(got, want):
    for t, (a, b) in enumerate(zip(got, want, strict=True)):
        assert a == pytest.approx(b, rel=1e-12, abs=1e-15), f"epoch {t}"


CLOSED = [
    ("StepLR", {"step_size": 3, "gamma": 0.5}, lambda t: 0.5 ** (t // 3)),
    (
        "MultiStepLR",
        {"milestones": [2, 5, 5, 9], "gamma": 0.5},
        lambda t: 0.5 ** ((t >= 2) + 2 * (t >= 5) + (t >= 9)),
    ),
    ("ConstantLR", {"factor": 0.25, "total_iters": 4}, lambda t: 0.25 if t < 4 else 1.0),
    (
        "LinearLR",
        {"start_factor": 0.5, "end_factor": 0.125, "total_iters": 6},
        lambda t: 0.5 + (0.125 - 0.5) * min(t, 6) / 6,
    ),
    ("ExponentialLR", {"gamma": 0.9}, lambda t: 0.9**t),
    ("PolynomialLR", {"total_iters": 8, "power": 2.0}, lambda t: (1 - min(t, 8) / 8) ** 2),
    ("CosineAnnealingLR", {"T_max": 7}, lambda t: (1 + math.cos(math.pi * t / 7)) / 2),
    ("LambdaLR", {"lr_lambda": lambda t: 1 / (1 + t)}, lambda t: 1 / (1 + t)),
    ("MultiplicativeLR", {"lr_lambda": lambda t: 0.5}, lambda t: 0.5**t),
    ("CosineAnnealingWarmRestarts", {"T_0": 5}, lambda t: (1 + math.cos(math.pi * (t % 5) / 5)) / 2),
]


@pytest.mark.parametrize(("name", "options", "factor"), CLOSED, ids=[c[0] for c in CLOSED])
def test_rates_follow_the_closed_form(name, options, factor):
    opt = optimizer()
    assert_close(rates(opt, getattr(lr_scheduler, name)(opt, **options)), closed(factor))


@pytest.mark.parametrize(("name", "options", "factor"), CLOSED, ids=[c[0] for c in CLOSED])
def test_a_loaded_schedule_goes_on_as_the_saved_one_would(name, options, factor):
    opt = optimizer()
    schedule = getattr(lr_scheduler, name)(opt, **options)
    rates(opt, schedule, 6)
    other = optimizer()
    resumed = getattr(lr_scheduler, name)(other, **options)
    other.load_state_dict(opt.state_dict())
    resumed.load_state_dict(schedule.state_dict())
    assert resumed.last_epoch == 6
    assert "optimizer" not in schedule.state_dict()
    assert_close(rates(other, resumed, 8), closed(factor, 14)[6:])


def test_a_schedule_may_start_at_a_later_epoch():
    opt = optimizer()
    rates(opt, lr_scheduler.StepLR(opt, 3, gamma=0.5), 4)
    resumed = lr_scheduler.StepLR(opt, 3, gamma=0.5, last_epoch=3)
    assert resumed.last_epoch == 4
    assert_close(rates(opt, resumed, 5), closed(lambda t: 0.5 ** (t // 3), 9)[4:])
    with pytest.raises(KeyError, match="initial_lr"):
        lr_scheduler.StepLR(optimizer(), 3, last_epoch=2)


def test_cosine_with_a_floor():
    opt = optimizer()
    got = rates(opt, lr_scheduler.CosineAnnealingLR(opt, T_max=4, eta_min=0.1))
    want = [[0.1 + (lr - 0.1) * (1 + math.cos(math.pi * t / 4)) / 2 for lr in LRS] for t in range(20)]
    assert_close(got, want)


def test_lambdas_may_differ_by_group_and_objects_are_saved():
    class Power:
        def __init__(self, base):
            self.base = base

        def __call__(self, t):
            return self.base**t

    opt = optimizer()
    schedule = lr_scheduler.LambdaLR(opt, [Power(0.5), lambda t: 1.0])
    assert_close(rates(opt, schedule, 3), [[0.5 * 0.5**t, 0.125] for t in range(3)])
    saved = schedule.state_dict()
    assert saved["lr_lambdas"] == [{"base": 0.5}, None]
    other = lr_scheduler.LambdaLR(optimizer(), [Power(0.9), lambda t: 1.0])
    other.load_state_dict(saved)
    assert other.lr_lambdas[0].base == 0.5
    with pytest.raises(ValueError, match="Expected 2 lr_lambdas, but got 1"):
        lr_scheduler.LambdaLR(optimizer(), [Power(0.5)])
    with pytest.raises(TypeError, match="should be a function"):
        lr_scheduler.MultiplicativeLR(optimizer(), 0.5)


def triangle(t, up, down):
    x = t % (up + down)
    return x / up if x <= up else (up + down - x) / down


@pytest.mark.parametrize(
    ("options", "height"),
    [
        ({}, lambda t: 1.0),
        ({"mode": "triangular2"}, lambda t: 0.5 ** (t // 7)),
        ({"mode": "exp_range", "gamma": 0.9}, lambda t: 0.9**t),
        ({"scale_fn": lambda c: 1 / c}, lambda t: 1 / (1 + t // 7)),
    ],
)
def test_cyclic_rates_rise_and_fall_in_lines(options, height):
    opt = optimizer()
    schedule = lr_scheduler.CyclicLR(
        opt, 0.1, [0.5, 0.9], step_size_up=3, step_size_down=4, cycle_momentum=False, **options
    )
    want = [[0.1 + (top - 0.1) * triangle(t, 3, 4) * height(t) for top in (0.5, 0.9)] for t in range(20)]
    assert_close(rates(opt, schedule), want)


def test_momentum_moves_against_the_rate():
    opt = optimizer(momentum=0.5)
    schedule = lr_scheduler.CyclicLR(opt, 0.1, 0.5, step_size_up=4, base_momentum=0.7, max_momentum=0.9)
    seen = []
    for _ in range(9):
        seen.append(opt.param_groups[0]["momentum"])
        opt.step()
        schedule.step()
    assert seen == pytest.approx([0.9, 0.85, 0.8, 0.75, 0.7, 0.75, 0.8, 0.85, 0.9])
    adam = optim.Adam([taeda.zeros(1, requires_grad=True)])
    lr_scheduler.OneCycleLR(adam, 0.1, total_steps=10)
    assert adam.param_groups[0]["betas"] == (0.95, 0.999)
    with pytest.raises(ValueError, match="must support momentum"):
        lr_scheduler.CyclicLR(optim.Optimizer([taeda.zeros(1, requires_grad=True)], {"lr": 0.1}), 0.1, 0.5)


def test_one_cycle_begins_low_peaks_and_ends_lower():
    opt = optimizer()
    schedule = lr_scheduler.OneCycleLR(
        opt,
        1.0,
        total_steps=11,
        pct_start=0.5,
        anneal_strategy="linear",
        div_factor=10.0,
        final_div_factor=100.0,
        cycle_momentum=False,
    )
    got = [r[0] for r in rates(opt, schedule, 11)]
    assert got[0] == pytest.approx(0.1)
    assert got[-1] == pytest.approx(0.001)
    peak = 0.5 * 11 - 1
    want = [
        0.1 + 0.9 * t / peak if t <= peak else 1 + (0.001 - 1) * (t - peak) / (10 - peak) for t in range(11)
    ]
    assert got == pytest.approx(want)
    with pytest.raises(ValueError, match="total number of|total steps is 11"):
        opt.step()
        schedule.step()


def test_one_cycle_in_three_phases_comes_back_to_the_start():
    opt = optimizer()
    schedule = lr_scheduler.OneCycleLR(
        opt, 1.0, epochs=5, steps_per_epoch=4, pct_start=0.25, three_phase=True, cycle_momentum=False
    )
    got = [r[0] for r in rates(opt, schedule, 20)]
    assert got[0] == pytest.approx(0.04) and got[4] == pytest.approx(1.0) and got[8] == pytest.approx(0.04)
    assert got[-1] == pytest.approx(0.04 / 1e4)


def test_warm_restarts_lengthen_and_take_fractions():
    opt = optimizer()
    schedule = lr_scheduler.CosineAnnealingWarmRestarts(opt, T_0=2, T_mult=2)
    got = [r[0] for r in rates(opt, schedule, 8)]
    fall = [(1 + math.cos(math.pi * i / n)) / 4 for n in (2, 4, 8) for i in range(n)]
    assert got == pytest.approx(fall[:8])
    schedule.step(0.5)
    assert schedule.get_last_lr()[0] == pytest.approx((1 + math.cos(math.pi / 4)) / 4)
    with pytest.raises(ValueError, match="non-negative"):
        schedule.step(-1)


def test_sequential_hands_over_at_its_milestones():
    opt = optimizer()
    schedule = lr_scheduler.SequentialLR(
        opt,
        [lr_scheduler.LinearLR(opt, 0.25, total_iters=3), lr_scheduler.ExponentialLR(opt, 0.5)],
        milestones=[4],
    )
    want = closed(lambda t: 0.25 + 0.75 * min(t, 3) / 3 if t < 4 else 0.5 ** (t - 4), 9)
    assert_close(rates(opt, schedule, 9), want)
    again = optimizer()
    resumed = lr_scheduler.SequentialLR(
        again,
        [lr_scheduler.LinearLR(again, 0.25, total_iters=3), lr_scheduler.ExponentialLR(again, 0.5)],
        milestones=[4],
    )
    again.load_state_dict(opt.state_dict())
    resumed.load_state_dict(schedule.state_dict())
    assert_close(rates(again, resumed, 2), closed(lambda t: 0.5 ** (t - 4), 11)[9:])


def test_chained_schedules_multiply():
    opt = optimizer()
    schedule = lr_scheduler.ChainedScheduler(
        [lr_scheduler.ConstantLR(opt, 0.5, total_iters=3), lr_scheduler.ExponentialLR(opt, 0.9)]
    )
    assert_close(rates(opt, schedule, 8), closed(lambda t: (0.5 if t < 3 else 1.0) * 0.9**t, 8))


def test_combined_schedules_refuse_what_does_not_fit():
    opt, other = optimizer(), optimizer()
    one = lr_scheduler.ConstantLR(opt)
    with pytest.raises(ValueError, match="same optimizer"):
        lr_scheduler.SequentialLR(opt, [one, lr_scheduler.ConstantLR(other)], [1])
    with pytest.raises(ValueError, match="2 schedulers and 0 milestones"):
        lr_scheduler.SequentialLR(opt, [one, lr_scheduler.ConstantLR(opt)], [])
    with pytest.raises(ValueError, match="ReduceLROnPlateau"):
        lr_scheduler.ChainedScheduler([lr_scheduler.ReduceLROnPlateau(opt)])
    with pytest.raises(ValueError, match="at least one"):
        lr_scheduler.ChainedScheduler([])
    with pytest.raises(TypeError, match="optimizer"):
        lr_scheduler.ChainedScheduler([object()], opt)


# -- plateau ----------------------------------------------------------------------------------------------


def test_plateau_waits_cools_down_and_stops_at_the_floor():
    opt = optimizer()
    schedule = lr_scheduler.ReduceLROnPlateau(opt, factor=0.5, patience=1, cooldown=1, min_lr=[0.2, 0.0])
    seen = []
    for loss in (1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0):
        schedule.step(taeda.tensor(loss))
        seen.append(schedule.get_last_lr()[0])
    assert seen == [0.5, 0.5, 0.25, 0.25, 0.25, 0.2, 0.2, 0.2]
    assert opt.param_groups[1]["lr"] == 0.125 / 4


@pytest.mark.parametrize(
    ("mode", "threshold_mode", "better", "worse"),
    [
        ("min", "rel", 0.89, 0.91),
        ("min", "abs", 0.89, 0.91),
        ("max", "rel", 1.11, 1.09),
        ("max", "abs", 1.11, 1.09),
    ],
)
def test_plateau_counts_only_improvements_beyond_the_threshold(mode, threshold_mode, better, worse):
    schedule = lr_scheduler.ReduceLROnPlateau(optimizer(), mode, threshold=0.1, threshold_mode=threshold_mode)
    schedule.step(1.0)
    schedule.step(worse)
    assert schedule.num_bad_epochs == 1 and schedule.best == 1.0
    schedule.step(better)
    assert schedule.num_bad_epochs == 0 and schedule.best == better


def test_plateau_saves_and_loads_and_a_nan_is_no_improvement():
    schedule = lr_scheduler.ReduceLROnPlateau(optimizer(), patience=2)
    for loss in (1.0, float("nan"), 1.0):
        schedule.step(loss)
    assert schedule.best == 1.0 and schedule.num_bad_epochs == 2
    other = lr_scheduler.ReduceLROnPlateau(optimizer(), patience=9)
    other.load_state_dict(schedule.state_dict())
    assert (other.patience, other.best, other.num_bad_epochs, other.last_epoch) == (2, 1.0, 2, 3)


def test_plateau_follows_added_groups():
    opt = optimizer()
    schedule = lr_scheduler.ReduceLROnPlateau(opt, patience=0, factor=0.5)
    opt.add_param_group({"params": [taeda.zeros(1, requires_grad=True)], "lr": 8.0})
    schedule.step(1.0)
    schedule.step(1.0)
    assert opt.param_groups[2]["lr"] == 4.0


def test_plateau_hands_the_epoch_to_a_replaced_reduction():
    schedule = lr_scheduler.ReduceLROnPlateau(optimizer(), patience=1)
    seen = []
    schedule._reduce_lr = seen.append
    for _ in range(5):
        schedule.step(1.0)
    assert seen == [3, 5]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"factor": 1.0}, "Factor"),
        ({"mode": "up"}, "mode up"),
        ({"threshold_mode": "up"}, "threshold mode up"),
        ({"min_lr": [0.1]}, "expected 2 min_lrs, got 1"),
    ],
)
def test_plateau_refuses_wrong_options(options, text):
    with pytest.raises(ValueError, match=text):
        lr_scheduler.ReduceLROnPlateau(optimizer(), **options)


# -- what all share ---------------------------------------------------------------------------------------


def test_a_tensor_lr_is_changed_in_place():
    lr = taeda.tensor(1.0)
    opt = optim.SGD([taeda.zeros(1, requires_grad=True)], lr=lr)
    schedule = lr_scheduler.ExponentialLR(opt, 0.5)
    opt.step()
    schedule.step()
    assert lr.item() == 0.5 and opt.param_groups[0]["lr"] is lr
    assert schedule.base_lrs[0].item() == 1.0


def test_an_optimizer_around_another_that_never_called_init_is_not_blamed(recwarn):
    class Around(optim.Optimizer):
        def __init__(self, inner):
            self.inner = inner
            self.param_groups, self.defaults, self.state = inner.param_groups, inner.defaults, inner.state

        def step(self, closure=None):
            return self.inner.step(closure)

    around = Around(optimizer())
    schedule = lr_scheduler.ExponentialLR(around, 0.5)
    rate = around.param_groups[0]["lr"]
    around.step()
    schedule.step()
    assert around.param_groups[0]["lr"] == rate * 0.5 and not recwarn.list


def test_the_order_is_warned_about_only_when_it_is_wrong():
    opt = optimizer()
    schedule = lr_scheduler.ExponentialLR(opt, 0.5)
    with pytest.warns(UserWarning, match="before `optimizer.step"):
        schedule.step()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        schedule.step()
        right = optimizer()
        schedule = lr_scheduler.ExponentialLR(right, 0.5)
        right.step()
        schedule.step()
        early = optimizer()
        early.step()  # stepped before the schedule was made
        lr_scheduler.ExponentialLR(early, 0.5).step()
        replaced = optimizer()
        replaced.step = lambda: None  # cannot be watched
        schedule = lr_scheduler.ExponentialLR(replaced, 0.5)
        schedule.step()
        same = optimizer()
        schedule = lr_scheduler.ExponentialLR(same, 0.5)
        same.step = same.step
        other = copy.deepcopy(schedule)
        for one in (schedule, other):
            one.optimizer.step()
            one.step()
    overridden = optimizer()
    schedule = lr_scheduler.ExponentialLR(overridden, 0.5)
    overridden.step = lambda: None
    with pytest.warns(UserWarning, match="Seems like `optimizer.step.*overridden after learning rate scheduler init"):
        schedule.step()


def test_asking_for_the_rate_outside_a_step_warns():
    schedule = lr_scheduler.ExponentialLR(optimizer(), 0.5)
    with pytest.warns(UserWarning, match="get_last_lr"):
        schedule.get_lr()


def test_the_epoch_argument_uses_the_closed_form_and_warns():
    opt = optimizer()
    schedule = lr_scheduler.StepLR(opt, 3, gamma=0.5)
    opt.step()
    with pytest.warns(UserWarning, match="deprecated"):
        schedule.step(7)
    assert schedule.last_epoch == 7 and opt.param_groups[0]["lr"] == 0.125


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda o: lr_scheduler.StepLR(o, 0), ValueError, "step_size"),
        (lambda o: lr_scheduler.CosineAnnealingLR(o, 0), ValueError, "T_max"),
        (lambda o: lr_scheduler.ConstantLR(o, 1.5), ValueError, "between 0 and 1"),
        (lambda o: lr_scheduler.LinearLR(o, 0.0), ValueError, "greater than 0"),
        (lambda o: lr_scheduler.LinearLR(o, 0.5, 2.0), ValueError, "between 0 and 1"),
        (lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 0), ValueError, "T_0"),
        (lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 2, 0), ValueError, "T_mult"),
        (lambda o: lr_scheduler.CyclicLR(o, 0.1, [0.5]), ValueError, "same length"),
        (lambda o: lr_scheduler.CyclicLR(o, 0.1, 0.5, mode="square"), ValueError, "mode is invalid"),
        (lambda o: lr_scheduler.OneCycleLR(o, 0.1), ValueError, "total_steps OR"),
        (
            lambda o: lr_scheduler.OneCycleLR(o, 0.1, total_steps=0),
            ValueError,
            "positive integer total_steps",
        ),
        (lambda o: lr_scheduler.OneCycleLR(o, 0.1, total_steps=9, pct_start=2.0), ValueError, "pct_start"),
        (lambda o: lr_scheduler.OneCycleLR(o, 0.1, total_steps=9, anneal_strategy="x"), ValueError, "cos"),
        (lambda o: lr_scheduler.StepLR([1], 2), TypeError, "list is not an Optimizer"),
        (lambda o: lr_scheduler.MultiStepLR(o, 30), TypeError, "milestones must be a list of epochs, got 30"),
    ],
)
def test_wrong_options_are_refused(make, error, text):
    with pytest.raises(error, match=text):
        make(optimizer())


def test_a_schedule_can_be_pickled():
    opt = optimizer()
    schedule = lr_scheduler.StepLR(opt, 3, gamma=0.5)
    rates(opt, schedule, 4)
    again = pickle.loads(pickle.dumps(schedule))
    assert again.last_epoch == 4
    assert_close(rates(again.optimizer, again, 3), closed(lambda t: 0.5 ** (t // 3), 7)[4:])


def test_a_step_that_a_scaler_skipped_counts_as_one():
    """No warning of a wrong order: the program called both in the right one (warnings are errors here)."""
    p = taeda.ones(1, requires_grad=True)
    opt = optim.SGD([p], lr=1.0)
    schedule = optim.lr_scheduler.ExponentialLR(opt, 0.5)
    scaler = taeda.amp.GradScaler("cpu")
    scaler.scale(p.sum()).backward()
    p.grad.fill_(float("inf"))
    assert scaler.step(opt) is False and p.item() == 1.0
    schedule.step()
    assert schedule.get_last_lr() == [0.5]


def test_one_cycle_goes_on_from_a_state_of_older_versions():
    def schedule():
        return lr_scheduler.OneCycleLR(optimizer(), 1.0, total_steps=6, cycle_momentum=False)

    old, new = schedule(), schedule()
    state = old.state_dict()
    del state["_anneal_func_type"]
    state["anneal_func"] = lr_scheduler.OneCycleLR._annealing_cos  # what PyTorch before 2.1 had instead
    new.load_state_dict(pickle.loads(pickle.dumps(state, 2)))
    for _ in range(5):
        for s in (old, new):
            s.optimizer.step()
            s.step()
        assert new.get_last_lr() == old.get_last_lr()
    cos, linear = lr_scheduler.OneCycleLR._annealing_cos, lr_scheduler.OneCycleLR._annealing_linear
    assert cos(1.0, 3.0, 0.5) == pytest.approx(2.0) and cos(1.0, 3.0, 1.0) == 3.0 and linear(1.0, 3.0, 0.25) == 1.5
