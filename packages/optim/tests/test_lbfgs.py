"""LBFGS: it finds minima, keeps to its limits, and goes on from a saved state."""

import pickle

import pytest

import taeda
from taeda import optim


def rosenbrock(w):
    return ((1 - w[:-1]) ** 2 + 100 * (w[1:] - w[:-1] ** 2) ** 2).sum()


def minimise(opt, w, steps=1):
    calls = [0]

    def closure():
        calls[0] += 1
        opt.zero_grad()
        loss = rosenbrock(w)
        loss.backward()
        return loss

    losses = [opt.step(closure).item() for _ in range(steps)]
    return losses, calls[0]


def test_lbfgs_finds_the_minimum_of_a_curved_valley():
    w = taeda.tensor([-1.2, 1.0], dtype=taeda.float64, requires_grad=True)
    opt = optim.LBFGS([w], line_search_fn="strong_wolfe", max_iter=50)
    losses, _ = minimise(opt, w, 6)
    assert w.tolist() == pytest.approx([1.0] * 2, abs=1e-4)
    assert losses[0] > 20 and losses[-1] < 1e-8


def test_lbfgs_solves_a_quadratic_in_as_many_steps_as_it_has_dimensions():
    a = taeda.tensor([1.0, 10.0, 100.0], dtype=taeda.float64)
    w = taeda.tensor([1.0, -2.0, 3.0], dtype=taeda.float64, requires_grad=True)
    opt = optim.LBFGS([w], line_search_fn="strong_wolfe", max_iter=20)

    def closure():
        opt.zero_grad()
        loss = (a * w * w).sum()
        loss.backward()
        return loss

    opt.step(closure)
    assert w.abs().max().item() < 1e-6
    state = opt.state[w]
    assert len(state["old_dirs"]) == len(state["old_stps"]) == len(state["ro"]) <= state["n_iter"]


def test_lbfgs_keeps_to_its_limits():
    for most in (3, 8):
        w = taeda.tensor([-1.2, 1.0], requires_grad=True)
        opt = optim.LBFGS([w], lr=1e-3, max_iter=most, max_eval=5)
        _, calls = minimise(opt, w)
        assert calls <= 5 and opt.state[w]["n_iter"] <= most
        assert opt.state[w]["func_evals"] == calls
    w = taeda.tensor([-1.2, 1.0], requires_grad=True)
    opt = optim.LBFGS([w], lr=1e-3, history_size=2, max_iter=6)
    minimise(opt, w, 2)
    assert len(opt.state[w]["old_dirs"]) == 2


def test_lbfgs_steps_complex_and_unused_parameters_and_goes_on_from_a_saved_state():
    z = taeda.tensor([1.0 + 2.0j], dtype=taeda.complex128, requires_grad=True)
    unused = taeda.ones(2, dtype=taeda.float64, requires_grad=True)
    opt = optim.LBFGS([z, unused], max_iter=10, line_search_fn="strong_wolfe")

    def closure():
        opt.zero_grad()
        loss = (z - (3.0 - 1.0j)).abs().square().sum()
        loss.backward()
        return loss

    opt.step(closure)
    assert abs(z.item() - (3.0 - 1.0j)) < 1e-6 and unused.tolist() == [1.0, 1.0]
    w = taeda.tensor([-1.2, 1.0], dtype=taeda.float64, requires_grad=True)
    first = optim.LBFGS([w], lr=1e-2, max_iter=5)
    minimise(first, w)
    other = w.detach().clone().requires_grad_()
    second = optim.LBFGS([other])
    second.load_state_dict(first.state_dict())
    minimise(first, w)
    minimise(second, other)
    assert w.tolist() == other.tolist()
    assert pickle.loads(pickle.dumps(first)).state_dict()["state"][0]["n_iter"] == 10


def test_lbfgs_refuses_groups_and_other_searches():
    a, b = taeda.zeros(2, requires_grad=True), taeda.ones(1, requires_grad=True)
    with pytest.raises(ValueError, match="parameter groups"):
        optim.LBFGS([{"params": [a]}, {"params": [b]}])
    opt = optim.LBFGS([a], line_search_fn="other")
    with pytest.raises(RuntimeError, match="only 'strong_wolfe' is supported.*'other'"):
        minimise(opt, a)
