"""Gradients of each sample of a batch."""

import pytest

import taeda
from taeda import nn
from taeda.nn.utils._per_sample_grad import call_for_per_sample_grads


def model():
    taeda.manual_seed(0)
    return nn.Sequential(nn.Conv2d(2, 3, 2), nn.GroupNorm(1, 3), nn.ReLU(), nn.Flatten(), nn.Linear(12, 2))


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_one_gradient_a_sample(reduction):
    net, x = model(), taeda.randn(4, 2, 3, 3)
    y = call_for_per_sample_grads(net, loss_reduction=reduction)(x)
    taeda.testing.assert_close(y, net(x))
    getattr((y**2).sum(1), reduction)().backward()
    for b in range(4):
        wanted = taeda.autograd.grad((net(x[b : b + 1]) ** 2).sum(), list(net.parameters()))
        for p, g in zip(net.parameters(), wanted, strict=True):
            taeda.testing.assert_close(p.grad_sample[b], g, rtol=1e-4, atol=1e-5)
    assert all(p.grad is None for p in net.parameters())


def test_shared_and_frozen_parameters():
    layer = nn.Linear(3, 3)
    layer.bias.requires_grad_(False)
    twice = nn.Sequential(layer, layer)
    x = taeda.ones(2, 3)
    call_for_per_sample_grads(twice)(x).sum().backward()
    assert not hasattr(layer.bias, "grad_sample")
    (wanted,) = taeda.autograd.grad(twice(x[:1]).sum(), [layer.weight])
    taeda.testing.assert_close(layer.weight.grad_sample[0], wanted)


def test_batch_in_the_second_dimension():
    lstm, x = nn.LSTM(3, 2), taeda.randn(5, 4, 3)
    y, (h, _) = call_for_per_sample_grads(lstm, batch_first=False)(x)
    assert y.shape == (5, 4, 2) and h.shape == (1, 4, 2)
    y.sum().backward()
    (wanted,) = taeda.autograd.grad(lstm(x[:, 1:2])[0].sum(), [lstm.weight_ih_l0])
    taeda.testing.assert_close(lstm.weight_ih_l0.grad_sample[1], wanted)


def test_gradient_of_the_input():
    layer, x = nn.Linear(3, 2), taeda.ones(4, 3, requires_grad=True)
    call_for_per_sample_grads(layer)(x).sum().backward()
    taeda.testing.assert_close(x.grad, layer.weight.detach().sum(0).expand(4, 3))


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: call_for_per_sample_grads(3), "Module passed must be nn.Module, got int"),
        (lambda: call_for_per_sample_grads(nn.Linear(1, 1), loss_reduction="x"), "to be sum or mean, got x"),
        (lambda: call_for_per_sample_grads(nn.Linear(1, 1), batch_size="x"), "must be None or an integer, got str"),
        (lambda: call_for_per_sample_grads(nn.Linear(1, 1), batch_size=0), "must be positive, got 0"),
        (lambda: call_for_per_sample_grads(nn.BatchNorm1d(1)), "cannot handle function batch_norm"),
        (lambda: call_for_per_sample_grads(nn.Linear(1, 1))(3), "Unable to find a tensor"),
        (lambda: call_for_per_sample_grads(nn.Linear(1, 1))(taeda.ones(0, 1)), "0 is not a valid batch size"),
        (lambda: call_for_per_sample_grads(nn.Bilinear(1, 1, 1))(taeda.ones(2, 1), taeda.ones(3, 1)), "batch size 2 and one with batch size 3"),
    ],
)
def test_refusals(call, text):
    with pytest.raises(RuntimeError, match=text):
        call()


def test_second_call_needs_cleared_gradients():
    layer, x = nn.Linear(3, 2), taeda.ones(4, 3)
    call_for_per_sample_grads(layer)(x).sum().backward()
    with pytest.raises(RuntimeError, match="clear out the grad_sample of weight"):
        call_for_per_sample_grads(layer)(x)
    layer.weight.grad_sample = layer.bias.grad_sample = None
    call_for_per_sample_grads(layer)(x).sum().backward()
    assert layer.weight.grad_sample.shape == (4, 2, 3)
