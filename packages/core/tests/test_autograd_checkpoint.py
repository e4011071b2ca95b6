"""Checkpointing: gradients as without, less kept, the same random numbers, and errors where the two runs differ."""

from __future__ import annotations

import contextlib
import functools

import pytest

import taeda
from leaves import leaf
from taeda.utils.checkpoint import (
    CheckpointError,
    CheckpointPolicy,
    checkpoint,
    checkpoint_sequential,
    create_selective_checkpoint_contexts,
    set_checkpoint_early_stop,
)

both = pytest.mark.parametrize("reentrant", [False, True])


def body(x: taeda.Tensor, w: taeda.Tensor, scale: float = 1.0) -> taeda.Tensor:
    return (x * w).sin().exp() * scale


@both
def test_gradients_are_those_of_the_plain_function(reentrant: bool) -> None:
    x, w, plain_x, plain_w = leaf(0.1, 0.2), leaf(0.3, 0.4), leaf(0.1, 0.2), leaf(0.3, 0.4)
    checkpoint(body, x, w, 2.0, use_reentrant=reentrant).sum().backward()
    body(plain_x, plain_w, 2.0).sum().backward()
    assert x.grad.tolist() == plain_x.grad.tolist() and w.grad.tolist() == plain_w.grad.tolist()


@both
def test_an_argument_that_was_changed_in_place_is_refused(reentrant: bool) -> None:
    x, w = leaf(1, 2), taeda.ones(2, dtype=taeda.float64)
    for changed in (x * 2, w):
        y = checkpoint(taeda.mul, x, changed, use_reentrant=reentrant)
        changed.add_(1)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            y.sum().backward()


def test_hooks_outside_see_the_arguments_and_what_is_kept_beside() -> None:
    x, seen = leaf(1, 2), []
    with taeda.autograd.graph.saved_tensors_hooks(lambda t: seen.append(t.tolist()) or t.tolist(), lambda v: leaf(*v).detach()):
        y = checkpoint(lambda t: t.exp().exp(), x, use_reentrant=False).sin()
    y.sum().backward()
    assert seen[0] == [1, 2] and len(seen) == 2
    assert taeda.allclose(x.grad, x.exp().exp().cos() * x.exp().exp() * x.exp())


@both
@pytest.mark.parametrize("inside", [False, True])
def test_the_second_run_has_the_precision_of_the_first(reentrant: bool, inside: bool) -> None:
    x, w = (taeda.linspace(-1, 1, 6).reshape(2, 3).requires_grad_() for _ in range(2))
    dtypes = []

    def products(t: taeda.Tensor) -> taeda.Tensor:
        y = t @ w.mT
        dtypes.append(y.dtype)
        return (y * y).sum()

    with taeda.autocast("cpu", enabled=inside):
        plain = taeda.autograd.grad(products(x), x)[0]
        y = checkpoint(products, x, use_reentrant=reentrant)
    with taeda.autocast("cpu", enabled=not inside):
        y.backward()
    assert dtypes == [taeda.bfloat16 if inside else taeda.float32] * 3 and taeda.equal(x.grad, plain)


@both
def test_the_second_run_draws_the_same_random_numbers(reentrant: bool) -> None:
    x = leaf(*range(1, 21))
    y = checkpoint(lambda t: t * taeda.rand(20, dtype=taeda.float64) * t, x, use_reentrant=reentrant)
    after = taeda.get_rng_state()
    mask = (y / (x * x)).detach()
    y.sum().backward()
    assert taeda.allclose(x.grad, 2 * mask * x.detach()) and taeda.equal(taeda.get_rng_state(), after)


def test_the_second_run_stops_early_and_happens_once_a_pass() -> None:
    calls: list[int] = []

    def f(x):
        calls.append(1)
        y = x.sin()
        calls.append(2)
        z = y.exp()
        calls.append(3)
        return z * 2

    x = leaf(0.5)
    checkpoint(f, x, use_reentrant=False).backward()
    assert calls == [1, 2, 3, 1, 2]
    calls.clear()
    with set_checkpoint_early_stop(False):
        y = checkpoint(f, x, use_reentrant=False)
    y.backward(retain_graph=True)
    y.backward()
    assert calls == [1, 2, 3] * 3
    with pytest.raises(RuntimeError, match="second time"):
        y.backward()


def test_what_differentiates_inside_may_run_to_its_end_again() -> None:
    def slope(f):
        def wrapped(x):
            with taeda.enable_grad():
                return taeda.autograd.grad(f(x), x, create_graph=True)[0]
        return wrapped

    def f(x):
        return x.sin().exp()

    def kept(f):
        return lambda x: checkpoint(f, x, use_reentrant=False)

    expected = slope(slope(f))(leaf(0.5)).item()
    for stop in (True, False):
        with set_checkpoint_early_stop(stop):
            for g in (slope(kept(slope(f))), kept(slope(slope(kept(f)))), slope(kept(slope(kept(f))))):
                assert g(leaf(0.5)).item() == pytest.approx(expected, rel=1e-12)


def test_second_derivative_chosen_inputs_keywords_and_nesting() -> None:
    x, w = leaf(0.5), leaf(0.25)
    y = checkpoint(lambda a, b: checkpoint(body, a, w=b, use_reentrant=False).cos(), x, b=w, use_reentrant=False)
    (g,) = taeda.autograd.grad(y, x, create_graph=True)
    (gg,) = taeda.autograd.grad(g, x)
    plain = body(x, w).cos()
    (h,) = taeda.autograd.grad(plain, x, create_graph=True)
    (hh,) = taeda.autograd.grad(h, x)
    assert g.item() == pytest.approx(h.item()) and gg.item() == pytest.approx(hh.item())


def test_contexts_of_both_runs() -> None:
    log: list[str] = []

    @contextlib.contextmanager
    def note(name: str):
        log.append(name)
        yield

    x = leaf(0.5)
    checkpoint(taeda.sin, x, use_reentrant=False, context_fn=lambda: (note("first"), note("second"))).backward()
    assert log == ["first", "second"]


def test_selective_policies_change_no_result() -> None:
    x = leaf(0.5)
    y = leaf(0.5)
    y.exp().sin().backward()
    ops = taeda.ops.aten

    def policy(ctx, op, *args, **kwargs) -> CheckpointPolicy:
        return CheckpointPolicy.MUST_SAVE

    for given in (policy, [ops.exp.default]):
        x.grad = None
        contexts = functools.partial(create_selective_checkpoint_contexts, given)
        checkpoint(lambda t: t.exp().sin(), x, use_reentrant=False, context_fn=contexts).backward()
        assert x.grad.item() == y.grad.item()
    for wrong, error in (([ops.exp], ValueError), ([taeda.exp], ValueError), ((ops.exp.default,), TypeError), (None, TypeError)):
        with pytest.raises(error):
            create_selective_checkpoint_contexts(wrong)


def differing(first, second):
    runs: list[int] = []

    def f(x):
        runs.append(1)
        return first(x) if len(runs) == 1 else second(x)

    return f


def test_runs_that_differ_are_an_error() -> None:
    x = leaf(1, 2)
    y = checkpoint(differing(lambda t: t.sin(), lambda t: t.repeat(2).sin()), x, use_reentrant=False)
    with pytest.raises(CheckpointError, match="different metadata"):
        y.sum().backward()
    y = checkpoint(differing(lambda t: t.sin().exp(), lambda t: t.sin()), x, use_reentrant=False)
    with pytest.raises(CheckpointError, match=r"saved during forward: 2.*during recomputation: 1"):
        y.sum().backward()
    y = checkpoint(differing(lambda t: t.sin(), lambda t: t.sin().exp()), x, use_reentrant=False, early_stop=False)
    with pytest.raises(CheckpointError, match="more tensors during recomputation"):
        y.sum().backward()


def test_arguments_are_checked() -> None:
    x = leaf(1)
    with pytest.warns(UserWarning, match="use_reentrant parameter should be passed explicitly"):
        checkpoint(taeda.sin, x)
    with pytest.warns(UserWarning, match="None of the inputs have requires_grad=True"):
        assert not checkpoint(taeda.sin, taeda.ones(1), use_reentrant=True).requires_grad
    with pytest.raises(ValueError, match="Unexpected keyword arguments: foo"):
        checkpoint(taeda.sin, x, use_reentrant=True, foo=1)
    with pytest.raises(ValueError, match="only supported when use_reentrant=False"):
        checkpoint(taeda.sin, x, use_reentrant=True, debug=True)
    with pytest.raises(ValueError, match="determinism_check should be one of"):
        checkpoint(taeda.sin, x, use_reentrant=False, determinism_check="strict")
    with pytest.raises(RuntimeError, match=r"incompatible with .grad\(\)"):
        taeda.autograd.grad(checkpoint(taeda.sin, x, use_reentrant=True), x)


@both
def test_sequential(reentrant: bool) -> None:
    x, plain = leaf(0.5), leaf(0.5)
    checkpoint_sequential([taeda.sin, taeda.exp, taeda.cos, taeda.tanh], 2, x, use_reentrant=reentrant).backward()
    plain.sin().exp().cos().tanh().backward()
    assert x.grad.item() == plain.grad.item()


def clamped(x, y):
    x = x.clone()
    z = x * y
    x.clamp_(-0.1, 0.1)
    return z


def clamped_and_used(x, y):
    x = x.clone()
    z = x * y
    x.view(-1).clamp_(-0.1, 0.1)
    return z + x.detach().sin() * y


def doubled(x, y):
    z = x * 2
    w = z * y
    z.mul_(3)
    return w + z * y


@pytest.mark.parametrize(("function", "wanted"), [
    (clamped, ([3, 2], [0.5, 1])), (clamped_and_used, ([3, 2], [0.5 + 0.09983342, 1 + 0.09983342])), (doubled, ([24, 16], [4, 8])),
])
def test_the_second_run_keeps_what_the_function_writes_over(function, wanted) -> None:
    x, y = leaf(0.5, 1), leaf(3, 2)
    checkpoint(function, x, y, use_reentrant=False).sum().backward()
    assert x.grad.tolist() == pytest.approx(wanted[0]) and y.grad.tolist() == pytest.approx(wanted[1])


def test_the_context_of_selective_policies_holds_what_a_policy_reads() -> None:
    from taeda.utils.checkpoint import SAC_IGNORED_OPS, SelectiveCheckpointContext

    found = SelectiveCheckpointContext(is_recompute=False, op_output=3)
    assert (found.is_recompute, found.op_output, SAC_IGNORED_OPS) == (False, 3, set())
    assert SelectiveCheckpointContext(is_recompute=True).op_output is None
