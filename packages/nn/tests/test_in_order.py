"""Modules called in a row without gradients: the same bits as one by one, and one by one wherever somebody looks."""

from __future__ import annotations

import copy

import pytest

import taeda
from taeda import nn
from taeda.nn.modules import _in_order
from taeda.overrides import TorchFunctionMode


def one_by_one(modules, x):
    for module in modules:
        x = module(x)
    return x


def norm_of(cls, channels, **kwargs):
    """A batch norm whose statistics and weights are no round numbers."""
    norm = cls(channels, **kwargs).eval()
    for t in (norm.running_mean, norm.weight, norm.bias):
        if t is not None:
            nn.init.normal_(t)
    if norm.running_var is not None:
        nn.init.uniform_(norm.running_var, 0.1, 2.0)
    return norm


@pytest.fixture
def count(monkeypatch):
    """How often a norm was done in place."""
    done = []

    def counted(*args):
        done.append(here(*args))
        return done[-1]

    here = _in_order.batch_norm_here
    monkeypatch.setattr(_in_order, "batch_norm_here", counted)
    return done


def net(after=None, **norm):
    return nn.Sequential(nn.Conv2d(3, 20, 3, bias=False), norm_of(nn.BatchNorm2d, 20, **norm), *([after] if after else [])).eval()


CASES = {
    "1d": lambda: (nn.Conv1d(3, 40, 3), norm_of(nn.BatchNorm1d, 40), nn.ReLU(), taeda.randn(2, 3, 300)),
    "2d": lambda: (nn.Conv2d(3, 20, 3), norm_of(nn.BatchNorm2d, 20), nn.ReLU(True), taeda.randn(1, 3, 40, 40)),
    "3d": lambda: (nn.Conv3d(2, 20, 3), norm_of(nn.BatchNorm3d, 20), nn.ReLU6(), taeda.randn(1, 2, 12, 12, 12)),
    "transposed": lambda: (nn.ConvTranspose2d(3, 20, 2, 2), norm_of(nn.BatchNorm2d, 20), nn.Hardtanh(-0.5, 0.25), taeda.randn(1, 3, 20, 20)),
    "no weights": lambda: (nn.Conv2d(3, 20, 3), norm_of(nn.BatchNorm2d, 20, affine=False), nn.SiLU(), taeda.randn(1, 3, 40, 40)),
}


@pytest.mark.parametrize("dtype", [taeda.float32, taeda.float64, taeda.bfloat16, taeda.float16], ids=str)
@pytest.mark.parametrize("case", CASES)
def test_the_same_bits(case, dtype, count):
    taeda.manual_seed(0)
    *modules, x = CASES[case]()
    row, x = nn.Sequential(*modules).eval().to(dtype), x.to(dtype)
    layouts = [x, x.to(memory_format=taeda.channels_last)] if x.ndim == 4 else [x]
    for laid in layouts:
        before = laid.clone()
        expected = one_by_one(row, laid)
        with taeda.no_grad():
            y = row(laid)
        assert taeda.equal(y, expected) and y.dtype == dtype and y.stride() == expected.stride()
        assert taeda.equal(laid, before)
    assert count == [True] * len(layouts)


def test_nan_and_infinities_pass(count):
    row = net(nn.ReLU6())
    x = taeda.randn(1, 3, 40, 40)
    x[0, 0, 3, 3], x[0, 1, 20, 20], x[0, 2, 30, 30] = float("nan"), float("inf"), float("-inf")
    with taeda.inference_mode():
        assert taeda.equal(taeda.nan_to_num(row(x), nan=7.0), taeda.nan_to_num(one_by_one(row, x), nan=7.0))
    assert count == [True]


def test_gradients_training_and_small_maps_go_one_by_one(count):
    row, x = net(nn.ReLU()), taeda.randn(1, 3, 40, 40)
    row(x).sum().backward()
    assert row[0].weight.grad is not None
    with taeda.no_grad():
        row(taeda.randn(1, 3, 5, 5))
        row.train()
        mean = row[1].running_mean.clone()
        row(x)
        assert not taeda.equal(row[1].running_mean, mean)
    assert count == []


def test_without_statistics(count):
    row, x = net(track_running_stats=False), taeda.randn(1, 3, 40, 40)
    with taeda.no_grad():
        y = row(x)
    assert abs(y.mean((0, 2, 3)) - row[1].bias).max() < 1e-5
    assert True not in count


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_hook_sees_every_result(place, count):
    row, x, seen = net(nn.ReLU()), taeda.randn(1, 3, 40, 40), []
    row[place].register_forward_hook(lambda module, args, output: seen.append((args[0], output)))
    with taeda.no_grad():
        y = row(x)
        values = [x, row[0](x), row[1](row[0](x)), one_by_one(row, x)]
    assert taeda.equal(y, values[3])
    assert taeda.equal(seen[0][0], values[place]) and taeda.equal(seen[0][1], values[place + 1])
    assert count == ([True] if place == 2 else [])


def test_own_classes_and_forwards_are_called(count, monkeypatch):
    kept = []

    class Keeping(nn.Conv2d):
        def forward(self, x):
            kept.append(super().forward(x))
            return kept[-1]

    x = taeda.randn(1, 3, 40, 40)
    with taeda.no_grad():
        row = nn.Sequential(Keeping(3, 20, 3), norm_of(nn.BatchNorm2d, 20)).eval()
        row(x)
        assert taeda.equal(kept[0], nn.functional.conv2d(x, row[0].weight, row[0].bias))
        row = net()
        row[0].forward = lambda x: kept[0]
        held = kept[0].clone()
        assert taeda.equal(row(x), row[1](held)) and taeda.equal(kept[0], held)
        row = net()
        row[1].forward = lambda x: x + 1
        assert taeda.equal(row(x), row[0](x) + 1)
        row = net()
        monkeypatch.setattr(nn.BatchNorm2d, "forward", lambda self, x: x * 2)
        assert taeda.equal(row(x), row[0](x) * 2)
    assert count == []


def test_modes_and_subclasses_see_every_call(count):
    class Log(TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            names.append(func.__name__)
            return func(*args, **(kwargs or {}))

    class Mine(taeda.Tensor):
        pass

    row, x, names = net(nn.ReLU()), taeda.randn(1, 3, 40, 40), []
    with taeda.no_grad():
        with Log():
            row(x)
        assert [name for name in names if name in ("conv2d", "batch_norm", "relu")] == ["conv2d", "batch_norm", "relu"]
        assert type(row(x.as_subclass(Mine))) is Mine
    assert count == []


def test_ensembles_and_copies(count):
    rows = [net(nn.ReLU()) for _ in range(3)]
    params, buffers = taeda.func.stack_module_state(rows)
    base, x = copy.deepcopy(rows[0]), taeda.randn(1, 3, 40, 40)
    with taeda.no_grad():
        y = taeda.vmap(lambda p, b: taeda.func.functional_call(base, (p, b), (x,)))(params, buffers)
        for k, row in enumerate(rows):
            assert taeda.allclose(y[k], one_by_one(row, x), atol=1e-5)
    assert True not in count


def test_a_norm_that_does_not_fit_is_named():
    row = nn.Sequential(nn.Conv2d(3, 20, 3), nn.BatchNorm2d(21)).eval()
    with taeda.no_grad(), pytest.raises(RuntimeError, match=r"in model\.1 \(BatchNorm2d\): .*\(1, 20, 38, 38\)"):
        row(taeda.randn(1, 3, 40, 40))
    row = nn.Sequential(nn.Conv2d(3, 60, 3), nn.BatchNorm2d(60)).eval()
    with taeda.no_grad(), pytest.raises(ValueError, match="expected 4D input"):
        row(taeda.randn(3, 40, 40))
    row = net(eps=-1.0)
    with taeda.no_grad(), pytest.raises(ValueError, match="eps must be non-negative"):
        row(taeda.randn(1, 3, 40, 40))
