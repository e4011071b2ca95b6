"""taeda.optim beside torch.optim: trajectories of 100 steps, states exchanged both ways, schedules, errors."""

import copy
import inspect
import itertools
import warnings
from typing import Any

import numpy as np
import pytest
import torch

import taeda
from taeda import optim

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
    *[
        ("Adamax", {"lr": 0.01, **o})
        for o in product(betas=[(0.9, 0.999), (0.3, 0.6)], maximize=[False, True], weight_decay=[0.0, 0.1])
    ],
    *[
        ("NAdam", {"lr": 0.01, "weight_decay": 0.1, **o})
        for o in product(
            betas=[(0.9, 0.999), (0.3, 0.6)],
            maximize=[False, True],
            momentum_decay=[4e-3, 0.5],
            decoupled_weight_decay=[False, True],
        )
    ],
    *[
        ("RAdam", {"lr": 0.01, "weight_decay": 0.1, **o})
        for o in product(
            betas=[(0.9, 0.999), (0.3, 0.6)], maximize=[False, True], decoupled_weight_decay=[False, True]
        )
    ],
    *[
        ("Adagrad", {"lr": 0.1, **o})
        for o in product(lr_decay=[0, 0.1], maximize=[False, True], initial_accumulator_value=[0, 0.5])
    ],
    ("Adagrad", {"weight_decay": 0.1, "fused": True}),
    *[
        ("Adadelta", {"lr": 1.0, **o})
        for o in product(rho=[0.9, 0.3], maximize=[False, True], weight_decay=[0.0, 0.1])
    ],
    *[
        ("Rprop", {"lr": 0.01, **o})
        for o in product(
            etas=[(0.5, 1.2), (0.3, 2.0)], step_sizes=[(1e-6, 50), (5e-3, 0.02)], maximize=[False, True]
        )
    ],
    *[
        ("ASGD", {"lr": 0.01, "alpha": 0.3, **o})
        for o in product(lambd=[1e-4, 0.1], maximize=[False, True], weight_decay=[0.0, 0.1], t0=[1e6, 20])
    ],
    *[
        ("Adafactor", {"lr": 0.01, **o})
        for o in product(
            beta2_decay=[-0.8, -0.3],
            maximize=[False, True],
            weight_decay=[0.0, 0.1],
            eps=[(None, 1e-3), (1e-2, 0.5)],
        )
    ],
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
    *[(name, {}) for name in ("Adamax", "NAdam", "RAdam", "Adagrad", "Adadelta", "Rprop", "ASGD", "Adafactor")],
]


@pytest.mark.parametrize(("name", "options"), [*NAMES, ("LBFGS", {}), ("SparseAdam", {})])
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


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize(("name", "options"), NAMES)
def test_narrow_parameters_take_the_same_path(name, options, dtype):
    rng = np.random.default_rng(3)
    values = [rng.normal(size=s).astype("float32") for s in ((8, 32), (32,), (4, 64))]
    ours = [taeda.tensor(v).to(getattr(taeda, dtype)).requires_grad_() for v in values]
    theirs = [torch.tensor(v).to(getattr(torch, dtype)).requires_grad_() for v in values]
    a, b = (
        getattr(lib, name)(params, lr=0.01, **options)
        for lib, params in ((optim, ours), (torch.optim, theirs))
    )
    for _ in range(10):
        for p, q in zip(ours, theirs, strict=True):
            g = rng.normal(size=tuple(q.shape)).astype("float32")
            p.grad, q.grad = taeda.tensor(g).to(p.dtype), torch.tensor(g).to(q.dtype)
        a.step()
        b.step()
    # PyTorch rounds where its vectors end; one that a product is rounded in is a unit in the last place apart
    loose = {"rtol": 0.02, "atol": 0.01} if dtype == "bfloat16" else {"rtol": 2e-3, "atol": 2e-3}
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.detach().float().numpy(), q.detach().float().numpy(), **loose)
    kept = [{k: str(v.dtype).split(".")[1] for k, v in o.state[x].items()} for o, x in ((a, ours[0]), (b, theirs[0]))]
    assert kept[0] == kept[1]


@pytest.mark.parametrize(("name", "options"), [row for row in NAMES if row[0] != "Adafactor"])
def test_complex_parameters_take_the_same_path(name, options):
    rng = np.random.default_rng(4)
    value = rng.normal(size=(5, 3)) + 1j * rng.normal(size=(5, 3))
    p, q = taeda.tensor(value, requires_grad=True), torch.tensor(value, requires_grad=True)
    a, b = getattr(optim, name)([p], lr=0.01, **options), getattr(torch.optim, name)([q], lr=0.01, **options)
    for _ in range(20):
        g = rng.normal(size=(5, 3)) + 1j * rng.normal(size=(5, 3))
        p.grad, q.grad = taeda.tensor(g), torch.tensor(g)
        a.step()
        b.step()
    np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-7, atol=1e-9)
    for key, kept in b.state[q].items():
        mine = a.state[p][key]
        assert str(mine.dtype).split(".")[1] == str(kept.dtype).split(".")[1]
        np.testing.assert_allclose(mine.numpy(), kept.numpy(), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("lr", [0.1, [0.1]])
@pytest.mark.parametrize(("name", "options"), NAMES)
def test_the_rate_may_be_a_tensor(name, options, lr):
    ours, theirs, rng = pair("float32")
    a = getattr(optim, name)(ours, lr=taeda.tensor(lr), **options)
    b = getattr(torch.optim, name)(theirs, lr=torch.tensor(lr), **options)
    step_both(ours, theirs, a, b, rng, 5)
    assert_same(ours, theirs, "float32")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"nesterov": False},
        {"adjust_lr_fn": "match_rms_adamw", "lr": 0.02},
        {"ns_steps": 3, "momentum": 0.5, "weight_decay": 0},
    ],
)
def test_muon_takes_the_same_path(options):
    rng = np.random.default_rng(0)
    values = [rng.normal(size=s).astype("float32") for s in ((8, 20), (20, 8), (16, 16), (1, 5), (16, 16))]
    ours = [taeda.tensor(v, requires_grad=True) for v in values]
    theirs = [torch.tensor(v, requires_grad=True) for v in values]
    a, b = optim.Muon(ours, **options), torch.optim.Muon(theirs, **options)
    step_both(ours, theirs, a, b, rng, 20)
    for p, q in zip(ours, theirs, strict=True):  # bfloat16 inside: a rounding is worth 4e-3 of a step
        np.testing.assert_allclose(
            p.detach().numpy(), q.detach().numpy(), atol=0.02 * 20 * options.get("lr", 1e-3)
        )
    assert repr(a) == repr(b)
    assert a.state_dict()["param_groups"] == b.state_dict()["param_groups"]


@pytest.mark.parametrize(
    "options",
    [
        {"lr": 0.01},
        {"line_search_fn": "strong_wolfe"},
        {"lr": 0.5, "history_size": 3, "max_iter": 7},
        {"lr": 0.1, "line_search_fn": "strong_wolfe", "max_iter": 5, "history_size": 2, "tolerance_grad": 1e-3},
    ],
)
def test_lbfgs_takes_the_same_path_and_as_many_evaluations(options):
    for start in (-1.2, 0.3, 3.0):
        seen = []
        for lib in (taeda, torch):
            w = lib.tensor([start, 1.0, 0.5, 2.0], dtype=lib.float64, requires_grad=True)
            v = lib.tensor([[0.5, 0.1]], dtype=lib.float64, requires_grad=True)
            opt = lib.optim.LBFGS([w, v], **options)

            def closure(opt=opt, w=w, v=v):
                opt.zero_grad()
                loss = ((1 - w[:-1]) ** 2 + 100 * (w[1:] - w[:-1] ** 2) ** 2).sum() + (v**4).sum() + v[0, 0] * w[0]
                loss.backward()
                return loss

            losses = [opt.step(closure).item() for _ in range(4)]
            seen.append((losses, w.tolist(), v.tolist(), opt.state_dict()["state"][0]))
        for mine, theirs in zip(seen[0][:3], seen[1][:3], strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-6, atol=1e-7)
        a, b = seen[0][3], seen[1][3]
        assert list(a) == list(b)
        assert (a["func_evals"], a["n_iter"]) == (b["func_evals"], b["n_iter"])
        assert [type(x).__name__ for x in a.values()] == [type(x).__name__ for x in b.values()]


@pytest.mark.parametrize("options", [{}, {"use_buffers": True}, {"avg_fn": "ema"}, {"multi_avg_fn": "ema"}])
def test_averaged_models_are_the_same(options):
    seen = []
    for lib in (taeda, torch):
        lib.manual_seed(0)
        utils, nn = lib.optim.swa_utils, lib.nn
        made = {
            "avg_fn": utils.get_ema_avg_fn(0.9),
            "multi_avg_fn": utils.get_ema_multi_avg_fn(0.9),
        }
        model = nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Linear(5, 2))
        averaged = utils.AveragedModel(model, **{k: made[k] if v == "ema" else v for k, v in options.items()})
        opt = lib.optim.SGD(model.parameters(), lr=1e-3)
        data = [lib.tensor(x) for x in np.random.default_rng(1).normal(size=(6, 6, 4)).astype("float32")]
        for x in data:
            opt.zero_grad()
            model(x).square().sum().backward()
            opt.step()
            averaged.update_parameters(model)
        before = {k: v.numpy().copy() for k, v in averaged.state_dict().items()}
        utils.update_bn(data, averaged)
        seen.append((before, {k: v.numpy() for k, v in averaged.state_dict().items()}, repr(averaged)))
    assert seen[0][2] == seen[1][2]
    for mine, theirs in zip(seen[0][:2], seen[1][:2], strict=True):
        assert list(mine) == list(theirs)
        for key in mine:
            assert mine[key].dtype == theirs[key].dtype
            np.testing.assert_allclose(mine[key], theirs[key], rtol=1e-5, atol=1e-6)


CLASSES = [name for name in torch.optim.__all__ if isinstance(getattr(torch.optim, name), type)]


@pytest.mark.parametrize("name", CLASSES)
def test_arguments_and_defaults_are_the_same(name):
    def signature(cls):
        return [(p.name, p.kind, p.default) for p in inspect.signature(cls).parameters.values()]

    assert signature(getattr(optim, name)) == signature(getattr(torch.optim, name))


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


def test_a_step_on_other_parameters_is_the_same() -> None:
    def run(t: Any) -> list[list[float]]:
        params = [t.tensor([1.0, -2.0], requires_grad=True), t.tensor([3.0], requires_grad=True)]
        opt = t.optim.AdamW([{"params": params[:1], "lr": 0.1}, {"params": params[1:]}], lr=0.01)
        for p in params:
            p.grad = p.detach() * 2
        opt.step()
        saved = copy.deepcopy(opt.state_dict())
        saved["param_groups"][1]["lr"] = 0.5
        others = {"a": t.tensor([0.5, 0.25]), "b": t.tensor([4.0])}
        with t.optim.swap_in_optimizer_params_and_state(opt, others, saved):
            for p in others.values():
                p.grad = p * 3
            opt.step()
        opt.step()
        states = [s[k].flatten() for of in (saved, opt.state_dict()) for s in of["state"].values() for k in ("step", "exp_avg", "exp_avg_sq")]
        return [x.detach().tolist() for x in (*others.values(), *params, *states)]

    for mine, theirs in zip(run(taeda), run(torch), strict=True):
        assert mine == pytest.approx(theirs, rel=1e-6, abs=1e-9)
