"""Averaging functions, SWALR, and where nn is installed the averaged model."""

import copy
import importlib.util
import math

import pytest

import taeda
from taeda import optim
from taeda.optim import swa_utils

with_nn = pytest.mark.skipif(importlib.util.find_spec("taeda.nn") is None, reason="taeda-nn is not installed")


@pytest.mark.parametrize("count", [1, 3, taeda.tensor(3)])
def test_functions_average_lists_and_single_tensors_alike(count):
    n = int(count)
    values = [taeda.tensor([1.0, 2.0]), taeda.tensor([[3.0]])]
    start = [taeda.tensor([4.0, 4.0]), taeda.tensor([[-1.0]])]
    mean = [[4.0 + (v - 4.0) / (n + 1) for v in (1.0, 2.0)], [[-1.0 + 4.0 / (n + 1)]]]
    moving = [[0.9 * 4.0 + 0.1 * v for v in (1.0, 2.0)], [[-0.9 + 0.3]]]
    for multi, single, want in (
        (swa_utils.get_swa_multi_avg_fn(), swa_utils.get_swa_avg_fn(), mean),
        (swa_utils.get_ema_multi_avg_fn(0.9), swa_utils.get_ema_avg_fn(0.9), moving),
    ):
        averages = [x.clone() for x in start]
        multi(averages, values, count)
        for average, x, value, w in zip(averages, start, values, want, strict=True):
            assert taeda.allclose(average, taeda.tensor(w)), (average, w)
            assert taeda.allclose(single(x, value, count), taeda.tensor(w))


def test_integers_are_averaged_too():
    average = [taeda.tensor([10, 20])]
    swa_utils.get_ema_multi_avg_fn(0.5)(average, [taeda.tensor([20, 20])], 1)
    assert average[0].tolist() == [15, 20]
    swa_utils.get_swa_multi_avg_fn()(average, [taeda.tensor([18, 20])], 2)
    assert average[0].tolist() == [16, 20]


@pytest.mark.parametrize("decay", [-0.1, 1.1])
def test_a_decay_is_within_0_and_1(decay):
    for make in (swa_utils.get_ema_avg_fn, swa_utils.get_ema_multi_avg_fn):
        with pytest.raises(ValueError, match=f"Invalid decay value {decay}"):
            make(decay)


def optimizer():
    return optim.SGD([taeda.zeros(1, requires_grad=True)], lr=1.0)


@pytest.mark.parametrize("strategy", ["cos", "linear"])
def test_swalr_goes_to_its_rate_and_stays(strategy):
    opt = optimizer()
    schedule = swa_utils.SWALR(opt, swa_lr=0.2, anneal_epochs=4, anneal_strategy=strategy)
    for epoch in range(7):
        s = min(1, epoch / 4)
        a = (1 - math.cos(math.pi * s)) / 2 if strategy == "cos" else s
        assert schedule.get_last_lr()[0] == pytest.approx((1 - a) * 1.0 + a * 0.2)
        opt.step()
        schedule.step()


def test_swalr_wants_an_optimizer():
    with pytest.raises(TypeError, match=r"\[SWALR\] float is not an Optimizer"):
        swa_utils.SWALR(0.1, swa_lr=0.2)


def test_swalr_state_goes_on():
    opt = optimizer()
    schedule = swa_utils.SWALR(opt, swa_lr=0.2, anneal_epochs=4)
    for _ in range(2):
        opt.step()
        schedule.step()
    other = optimizer()
    again = swa_utils.SWALR(other, swa_lr=0.2, anneal_epochs=9, anneal_strategy="linear")
    again.load_state_dict(copy.deepcopy(schedule.state_dict()))
    other.load_state_dict(opt.state_dict())
    for x in (opt, other, schedule, again):
        x.step()
    assert schedule.get_last_lr() == again.get_last_lr()
    assert "anneal_func" not in schedule.state_dict()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"anneal_strategy": "other"}, "one of 'cos' or 'linear', instead got other"),
        ({"anneal_epochs": -1}, "equal or greater than 0, got -1"),
        ({"anneal_epochs": 1.5}, "equal or greater than 0, got 1.5"),
        ({"swa_lr": [0.1, 0.2]}, "swa_lr must have the same length"),
    ],
)
def test_swalr_refuses_other_options(options, text):
    with pytest.raises(ValueError, match=text):
        swa_utils.SWALR(optimizer(), **{"swa_lr": 0.1, **options})


@pytest.mark.skipif(importlib.util.find_spec("taeda.nn") is not None, reason="taeda-nn is installed here")
def test_an_averaged_model_needs_nn():
    with pytest.raises(ModuleNotFoundError, match="taeda.nn"):
        _ = swa_utils.AveragedModel


@with_nn
def test_the_room_has_no_other_names():
    with pytest.raises(AttributeError, match="no attribute 'Other'"):
        _ = swa_utils.Other


def network():
    from taeda import nn

    taeda.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))


def steps(model, averaged, n=5):
    opt = optim.SGD(model.parameters(), lr=0.1)
    seen, buffers = [], []
    for _ in range(n):
        opt.zero_grad()
        model(taeda.randn(6, 3)).square().sum().backward()
        opt.step()
        averaged.update_parameters(model)
        seen.append([p.detach().clone() for p in model.parameters()])
        buffers.append([b.detach().clone() for b in model.buffers()])
    return seen, buffers


@with_nn
def test_an_averaged_model_is_the_mean_of_all_models():
    model = network()
    averaged = swa_utils.AveragedModel(model)
    seen, buffers = steps(model, averaged)
    for i, p in enumerate(averaged.parameters()):
        assert taeda.allclose(p, sum(values[i] for values in seen) / 5, rtol=1e-5, atol=1e-6)
    for mine, b in zip(averaged.module.buffers(), buffers[-1], strict=True):
        assert taeda.equal(mine, b)
    assert averaged.n_averaged.item() == 5
    assert next(iter(averaged.state_dict())) == "n_averaged"


@with_nn
@pytest.mark.parametrize("kind", ["avg_fn", "multi_avg_fn"])
def test_an_averaged_model_follows_its_function(kind):
    model = network()
    make = swa_utils.get_ema_avg_fn if kind == "avg_fn" else swa_utils.get_ema_multi_avg_fn
    averaged = swa_utils.AveragedModel(model, **{kind: make(0.8)}, use_buffers=True)
    seen, buffers = steps(model, averaged)
    pairs = zip(
        [*averaged.module.parameters(), *averaged.module.buffers()],
        zip(*(a + b for a, b in zip(seen, buffers, strict=True)), strict=True),
        strict=True,
    )
    for mine, values in pairs:
        want = values[0]
        for value in values[1:]:
            want = (0.8 * want + 0.2 * value).to(value.dtype)
        assert taeda.allclose(mine.double(), want.double(), rtol=1e-5, atol=1e-6)


@with_nn
def test_only_one_function_can_be_given():
    with pytest.raises(AssertionError, match="Only one of avg_fn and multi_avg_fn"):
        swa_utils.AveragedModel(network(), avg_fn=max, multi_avg_fn=max)


@with_nn
def test_update_bn_takes_the_plain_mean_over_batches_and_restores_the_rest():
    model = network().eval()
    first = model[0]
    batches = [taeda.randn(6, 3) for _ in range(3)]
    swa_utils.update_bn([(batches[0], 1), [batches[1]], batches[2]], model)
    with taeda.no_grad():
        means = sum(first(x).mean(0) for x in batches) / 3
        variances = sum(first(x).var(0) for x in batches) / 3
    assert taeda.allclose(model[1].running_mean, means, atol=1e-6)
    assert taeda.allclose(model[1].running_var, variances, atol=1e-6)
    assert not model.training and model[1].momentum == 0.1
    swa_utils.update_bn(iter(()), first)


@with_nn
def test_update_bn_restores_mode_and_momentum_where_a_batch_fails():
    model = network().eval()
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        swa_utils.update_bn([taeda.randn(6, 5)], model)
    assert not model.training and model[1].momentum == 0.1
