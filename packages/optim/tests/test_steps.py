"""Trajectories of every optimizer against the formulas in NumPy, float64, for every option."""

import itertools

import numpy as np
import pytest

import taeda
from taeda import optim

SHAPES = ((3, 4), (5,), (1,), ())
STEPS = 12


def start(seed=0):
    rng = np.random.default_rng(seed)
    values = [rng.normal(size=s) for s in SHAPES]
    grads = [[rng.normal(size=s) for s in SHAPES] for _ in range(STEPS)]
    return values, grads


def parameters(values, dtype=None):
    dtype = dtype or taeda.float64
    return [taeda.tensor(v, dtype=dtype, requires_grad=True) for v in values]


def run(optimizer, params, grads):
    for step in grads:
        for p, g in zip(params, step, strict=True):
            p.grad = taeda.tensor(g, dtype=p.dtype)
        optimizer.step()
    return [p.detach().numpy() for p in params]


def numpy_sgd(p, grads, lr, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False, maximize=False):
    buffer = None
    for g in grads:
        d = (-g if maximize else g) + weight_decay * p
        if momentum:
            buffer = d if buffer is None else momentum * buffer + (1 - dampening) * d
            d = d + momentum * buffer if nesterov else buffer
        p = p - lr * d
    return p


def numpy_adam(p, grads, lr, betas, eps, weight_decay, amsgrad, maximize, decoupled):
    m, v, top = np.zeros_like(p), np.zeros_like(p), np.zeros_like(p)
    b1, b2 = betas
    for t, g in enumerate(grads, 1):
        d = -g if maximize else g
        if decoupled:
            p = p * (1 - lr * weight_decay)
        else:
            d = d + weight_decay * p
        m = b1 * m + (1 - b1) * d
        v = b2 * v + (1 - b2) * d * d
        top = np.maximum(top, v)
        second = top if amsgrad else v
        p = p - lr * (m / (1 - b1**t)) / (np.sqrt(second / (1 - b2**t)) + eps)
    return p


def numpy_rmsprop(p, grads, lr, alpha, eps, weight_decay, momentum, centered, maximize):
    square, mean, buffer = np.zeros_like(p), np.zeros_like(p), np.zeros_like(p)
    for g in grads:
        d = (-g if maximize else g) + weight_decay * p
        square = alpha * square + (1 - alpha) * d * d
        mean = alpha * mean + (1 - alpha) * d
        r = np.sqrt(square - mean * mean if centered else square) + eps
        buffer = momentum * buffer + d / r
        p = p - lr * buffer
    return p


def assert_follows(make, reference, rtol=1e-11):
    values, grads = start()
    params = parameters(values)
    got = run(make(params), params, grads)
    for i, value in enumerate(values):
        want = reference(value, [g[i] for g in grads])
        np.testing.assert_allclose(got[i], want, rtol=rtol, atol=1e-13)


@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
@pytest.mark.parametrize(
    ("momentum", "dampening", "nesterov"),
    [(0.0, 0.0, False), (0.9, 0.0, False), (0.9, 0.25, False), (0.9, 0.0, True)],
)
def test_sgd_follows_its_formula(momentum, dampening, nesterov, weight_decay, maximize):
    options = {
        "momentum": momentum,
        "dampening": dampening,
        "nesterov": nesterov,
        "weight_decay": weight_decay,
        "maximize": maximize,
    }
    assert_follows(lambda ps: optim.SGD(ps, lr=0.1, **options), lambda p, g: numpy_sgd(p, g, 0.1, **options))


@pytest.mark.parametrize(
    ("amsgrad", "maximize", "weight_decay", "decoupled", "betas"),
    list(
        itertools.product([False, True], [False, True], [0.0, 0.1], [False, True], [(0.9, 0.999), (0.4, 0.7)])
    ),
)
def test_adam_follows_its_formula(amsgrad, maximize, weight_decay, decoupled, betas):
    def make(ps):
        return optim.Adam(
            ps, 0.1, betas, 1e-6, weight_decay, amsgrad, maximize=maximize, decoupled_weight_decay=decoupled
        )

    assert_follows(make, lambda p, g: numpy_adam(p, g, 0.1, betas, 1e-6, weight_decay, amsgrad, maximize, decoupled))


def test_adamw_is_adam_with_decoupled_decay_of_one_percent():
    assert_follows(
        lambda ps: optim.AdamW(ps, 0.1),
        lambda p, g: numpy_adam(p, g, 0.1, (0.9, 0.999), 1e-8, 1e-2, False, False, True),
    )


@pytest.mark.parametrize(
    ("momentum", "centered", "maximize", "weight_decay"),
    list(itertools.product([0.0, 0.9], [False, True], [False, True], [0.0, 0.1])),
)
def test_rmsprop_follows_its_formula(momentum, centered, maximize, weight_decay):
    assert_follows(
        lambda ps: optim.RMSprop(ps, 0.01, 0.9, 1e-6, weight_decay, momentum, centered, maximize=maximize),
        lambda p, g: numpy_rmsprop(p, g, 0.01, 0.9, 1e-6, weight_decay, momentum, centered, maximize),
    )


@pytest.mark.parametrize("options", [{"foreach": True}, {"fused": True}, {"foreach": False, "fused": False}])
@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW"])
def test_switches_change_nothing(name, options):
    values, grads = start()
    cls = getattr(optim, name)
    plain, switched = parameters(values), parameters(values)
    a, b = run(cls(plain, lr=0.1), plain, grads), run(cls(switched, lr=0.1, **options), switched, grads)
    for x, y in zip(a, b, strict=True):
        np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize("cls", [optim.SGD, optim.Adam, optim.AdamW, optim.RMSprop])
def test_lr_may_be_a_tensor_that_changes(cls):
    values, grads = start()
    numbers, tensors = parameters(values), parameters(values)
    lr = taeda.tensor(0.125)
    a, b = cls(numbers, lr=0.125), cls(tensors, lr=lr)
    run(a, numbers, grads[:3])
    run(b, tensors, grads[:3])
    a.param_groups[0]["lr"] = 0.25
    lr.fill_(0.25)
    for x, y in zip(run(a, numbers, grads[3:]), run(b, tensors, grads[3:]), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-12)


@pytest.mark.parametrize("cls", [optim.SGD, optim.Adam, optim.RMSprop])
def test_parameters_without_gradient_are_left_alone(cls):
    a = taeda.ones(2, requires_grad=True)
    b = taeda.ones(2, requires_grad=True)
    opt = cls([a, b], lr=0.5)
    a.grad = taeda.ones(2)
    opt.step()
    assert b.tolist() == [1.0, 1.0] and a.tolist() != [1.0, 1.0]
    assert b not in opt.state


def test_a_parameter_may_get_its_first_gradient_later():
    late, both = parameters([np.ones(2)])[0], parameters([np.ones(2)])[0]
    opt = optim.SGD([late, both], lr=0.1, momentum=0.9)
    both.grad = taeda.ones(2, dtype=taeda.float64)
    opt.step()
    late.grad = taeda.ones(2, dtype=taeda.float64)
    opt.step()
    np.testing.assert_allclose(late.detach().numpy(), numpy_sgd(np.ones(2), [np.ones(2)], 0.1, 0.9))
    np.testing.assert_allclose(both.detach().numpy(), numpy_sgd(np.ones(2), [np.ones(2)] * 2, 0.1, 0.9))


def test_float32_stays_within_rounding_over_many_steps():
    rng = np.random.default_rng(2)
    value = rng.normal(size=(20,))
    grads = [rng.normal(size=(20,)) for _ in range(100)]
    p = taeda.tensor(value, dtype=taeda.float32, requires_grad=True)
    opt = optim.Adam([p], lr=0.01)
    for g in grads:
        p.grad = taeda.tensor(g, dtype=taeda.float32)
        opt.step()
    want = numpy_adam(value, grads, 0.01, (0.9, 0.999), 1e-8, 0.0, False, False, False)
    np.testing.assert_allclose(p.detach().numpy(), want, rtol=1e-5, atol=1e-5)


def test_a_step_is_one_in_place_write_and_keeps_the_object():
    p = taeda.ones(3, requires_grad=True)
    view = p.detach()
    version = p._version
    p.grad = taeda.ones(3)
    optim.SGD([p], lr=1.0).step()
    assert view.tolist() == [0.0, 0.0, 0.0]
    assert p._version > version and p.is_leaf and p.requires_grad


def test_a_saved_value_that_a_step_changed_is_noticed():
    p = taeda.ones(3, requires_grad=True)
    loss = (p * p).sum()
    p.grad = taeda.ones(3)
    optim.Adam([p]).step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_closure_is_run_with_grad_and_its_loss_returned():
    p = taeda.tensor([2.0], requires_grad=True)
    opt = optim.SGD([p], lr=0.25)

    def closure():
        opt.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with taeda.no_grad():
        assert opt.step(closure).item() == 4.0
    assert p.item() == 1.0


def test_many_parameters_and_large_ones_step_like_small_ones():
    rng = np.random.default_rng(3)
    values = [rng.normal(size=(i % 7 + 1, 3)) for i in range(120)] + [rng.normal(size=(3, 33333))]
    grads = [[rng.normal(size=v.shape) for v in values] for _ in range(2)]
    params = parameters(values)
    got = run(optim.Adam(params, lr=0.1), params, grads)
    for i, value in enumerate(values):
        want = numpy_adam(value, [g[i] for g in grads], 0.1, (0.9, 0.999), 1e-8, 0.0, False, False, False)
        np.testing.assert_allclose(got[i], want, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum_is_laid_out_as_the_gradient(nesterov):
    start, slope = taeda.arange(32.0).reshape(4, 8), taeda.arange(32.0).reshape(8, 4).t() - 7
    p = start.clone().requires_grad_()
    p.grad = slope
    opt = optim.SGD([p], lr=0.5, momentum=0.5, weight_decay=0.25, nesterov=nesterov)
    expected, buffer = start.clone(), None
    for _ in range(3):
        opt.step()
        g = slope + 0.25 * expected
        buffer = g if buffer is None else 0.5 * buffer + g
        expected = expected - 0.5 * (g + 0.5 * buffer if nesterov else buffer)
    assert opt.state[p]["momentum_buffer"].stride() == (1, 4)
    taeda.testing.assert_close(p.detach(), expected)
    taeda.testing.assert_close(opt.state[p]["momentum_buffer"], buffer)
