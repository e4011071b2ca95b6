"""GradScaler: scale, unscale, skip, and how the scale moves."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

import taeda
from taeda.amp.grad_scaler import GradScaler


class Descent:
    """p -= grad: the least that a scaler asks of an optimizer."""

    def __init__(self, *params: Any) -> None:
        self.param_groups = [{"params": list(params)}]
        self.steps = 0

    def step(self, *args: Any) -> Any:
        self.steps += 1
        with taeda.no_grad():
            for p in self.param_groups[0]["params"]:
                if p.grad is not None:
                    p -= p.grad
        return args[0] if args else None


def weight(dtype: Any = taeda.float32) -> Any:
    return taeda.tensor([1.0, 2.0], dtype=dtype, requires_grad=True)


def backward(scaler: Any, w: Any) -> None:
    w.grad = None
    scaler.scale((w * w).sum()).backward()


@pytest.mark.parametrize("dtype", [taeda.float32, taeda.float64, taeda.bfloat16])
def test_a_step_sees_unscaled_gradients_and_says_that_it_was_made(dtype: Any) -> None:
    w = weight(dtype)
    scaler, opt = GradScaler("cpu", init_scale=8.0), Descent(w)
    backward(scaler, w)
    assert w.grad.tolist() == [16.0, 32.0]
    assert scaler.step(opt) is True
    assert w.grad.tolist() == [2.0, 4.0] and w.tolist() == [-1.0, -2.0]
    scaler.update()
    backward(scaler, w)
    assert scaler.step(opt, "loss") == "loss"


@pytest.mark.parametrize("bad", [float("inf"), float("nan")])
def test_a_step_with_a_bad_gradient_is_skipped_and_the_scale_falls(bad: float) -> None:
    w = weight()
    scaler, opt = GradScaler("cpu", init_scale=8.0, backoff_factor=0.25), Descent(w)
    backward(scaler, w)
    w.grad[1] = bad
    assert scaler.step(opt) is False
    assert opt.steps == 0 and w.tolist() == [1.0, 2.0]
    assert opt._opt_called                              # type: ignore[attr-defined]
    scaler.update()
    assert scaler.get_scale() == 2.0


def test_the_scale_grows_after_an_interval_without_skips() -> None:
    w = weight()
    scaler, opt = GradScaler("cpu", init_scale=8.0, growth_factor=3.0, growth_interval=2), Descent(w)
    seen = []
    for bad in (False, False, False, True, False, False):
        backward(scaler, w)
        if bad:
            w.grad[0] = float("inf")
        scaler.step(opt)
        scaler.update()
        seen.append((scaler.get_scale(), scaler._get_growth_tracker()))
    assert seen == [(8.0, 1), (24.0, 0), (24.0, 1), (12.0, 0), (12.0, 1), (36.0, 0)]


def test_a_scale_that_would_overflow_stays() -> None:
    w = weight()
    scaler = GradScaler("cpu", init_scale=3e38, growth_interval=1)
    scaler.scale(w)
    w.grad = taeda.ones(2)
    scaler.step(Descent(w))
    scaler.update()
    assert scaler.get_scale() == pytest.approx(3e38)


def test_gradients_can_be_unscaled_once_before_the_step() -> None:
    w = weight()
    scaler, opt = GradScaler("cpu", init_scale=8.0), Descent(w)
    backward(scaler, w)
    scaler.unscale_(opt)
    assert w.grad.tolist() == [2.0, 4.0]
    with pytest.raises(RuntimeError, match="already been called on this optimizer"):
        scaler.unscale_(opt)
    scaler.step(opt)
    assert w.tolist() == [-1.0, -2.0]
    with pytest.raises(RuntimeError, match="called after step"):
        scaler.unscale_(opt)
    with pytest.raises(RuntimeError, match="already been called since the last update"):
        scaler.step(opt)


def test_several_optimizers_share_a_scale() -> None:
    a, b = weight(), weight()
    scaler = GradScaler("cpu", init_scale=8.0)
    opts = Descent(a), Descent(b)
    for loss in scaler.scale([(a * a).sum(), ((b * b).sum(),)]):
        (loss[0] if isinstance(loss, tuple) else loss).backward()
    a.grad[0] = float("nan")
    assert [scaler.step(opt) for opt in opts] == [False, True]
    scaler.update()
    assert scaler.get_scale() == 4.0


def test_an_optimizer_that_scales_by_itself_gets_scale_and_finding() -> None:
    class Own(Descent):
        _step_supports_amp_scaling = True

        def step(self, *args: Any) -> Any:
            self.seen = (self.grad_scale.item(), self.found_inf.item())       # type: ignore[attr-defined]

    w = weight()
    scaler, opt = GradScaler("cpu", init_scale=8.0), Own(w)
    backward(scaler, w)
    assert scaler.step(opt) is True and opt.seen == (8.0, 0.0)
    assert w.grad.tolist() == [16.0, 32.0] and not hasattr(opt, "grad_scale")
    scaler.update()
    w.grad[0] = float("inf")
    assert scaler.step(opt) is False and opt.seen == (8.0, 1.0)


def test_a_disabled_scaler_only_steps() -> None:
    w = weight()
    scaler, opt = GradScaler("cpu", enabled=False), Descent(w)
    backward(scaler, w)
    scaler.unscale_(opt)
    assert scaler.step(opt) is True and w.tolist() == [-1.0, -2.0]
    scaler.update()
    assert (scaler.get_scale(), scaler.state_dict(), scaler.is_enabled()) == (1.0, {}, False)
    with pytest.warns(UserWarning, match="CUDA is not available.  Disabling"):
        assert not GradScaler().is_enabled()


def test_a_state_goes_on_also_through_pickle() -> None:
    w = weight()
    scaler = GradScaler("cpu", init_scale=8.0, growth_interval=2)
    backward(scaler, w)
    scaler.step(Descent(w))
    with pytest.raises(AssertionError, match="only be pickled at the beginning"):
        pickle.dumps(scaler)
    scaler.update(4.0)
    state = scaler.state_dict()
    assert state == {"scale": 4.0, "growth_factor": 2.0, "backoff_factor": 0.5, "growth_interval": 2, "_growth_tracker": 0}
    other = GradScaler("cpu")
    other.load_state_dict({**state, "_growth_tracker": 1})
    for again in (other, pickle.loads(pickle.dumps(other))):
        backward(again, w)
        assert w.grad.tolist() == [4 * 2 * x for x in w.tolist()]
        again.step(Descent(w))
        again.update()
        assert again.get_scale() == 8.0
    with pytest.raises(RuntimeError, match="source state dict is empty"):
        other.load_state_dict({})


@pytest.mark.parametrize(
    ("case", "error", "text"),
    [
        (lambda s, o, w: GradScaler("cpu", growth_factor=1.0), AssertionError, "growth factor must be > 1.0, got 1.0"),
        (lambda s, o, w: GradScaler("cpu", backoff_factor=1.0), AssertionError, "backoff factor must be < 1.0, got 1.0"),
        (lambda s, o, w: s.step(o), AssertionError, "nothing has been scaled yet"),
        (lambda s, o, w: s.update(), AssertionError, "nothing has been scaled yet"),
        (lambda s, o, w: (s.scale(w), s.step(o)), AssertionError, "No inf checks were recorded for this optimizer"),
        (lambda s, o, w: (s.scale(w), s.update()), AssertionError, "No inf checks were recorded prior to update"),
        (lambda s, o, w: (s.scale(w), s.step(o, closure=max)), RuntimeError, "Closure use is not currently supported"),
        (lambda s, o, w: (s.scale(w), s.update(taeda.ones(2))), AssertionError, r"1-element tensor on cpu.*\(2,\)"),
        (lambda s, o, w: s.scale(3), ValueError, "must be a Tensor or an iterable of Tensors, got int"),
    ],
)
def test_misuse_is_refused(case: Any, error: type[Exception], text: str) -> None:
    w = weight()
    with pytest.raises(error, match=text):
        case(GradScaler("cpu"), Descent(w), w)


def test_float16_gradients_are_refused() -> None:
    w = weight(taeda.float16)
    scaler = GradScaler("cpu", init_scale=8.0)
    backward(scaler, w)
    with pytest.raises(ValueError, match=r"Attempting to unscale FP16 gradients: parameter 0, of shape \(2,\)"):
        scaler.step(Descent(w))


def test_sparse_float16_gradients_are_added_up_before_they_are_looked_at() -> None:
    """64000 twice at one place is beyond float16, though either is not."""
    w = taeda.zeros(3, dtype=taeda.float16)
    for values, found in (([64000.0, 32.0, 64000.0], 1.0), ([16.0, 32.0, 16.0], 0.0)):
        w.grad = taeda.sparse_coo_tensor(taeda.tensor([[2, 0, 2]]), taeda.tensor(values, dtype=taeda.float16), (3,))
        seen = GradScaler("cpu")._unscale_grads_(Descent(w), taeda.tensor(0.25), taeda.tensor(0.0), True)
        assert seen[w.device].item() == found
    assert w.grad.to_dense().tolist() == [8.0, 0.0, 8.0]


def test_a_step_that_takes_the_scaler_is_warned_of_in_pytorchs_words() -> None:
    class Taking(Descent):
        _step_supports_amp_scaling = True

        def step(self, grad_scaler: Any = None) -> Any:    # type: ignore[override]
            return grad_scaler

    w = weight()
    scaler = GradScaler("cpu", init_scale=4.0)
    backward(scaler, w)
    with pytest.warns(FutureWarning, match="^GradScaler is going to stop passing itself as a keyword argument"):
        scaler.step(Taking(w))


def test_parts_of_a_scaler_can_be_overridden_by_pytorchs_names() -> None:
    calls: list[Any] = []

    class Logging(GradScaler):
        def _unscale_grads_(self, optimizer: Any, inv_scale: Any, found_inf: Any, allow_fp16: bool) -> Any:
            calls.append((inv_scale.item(), found_inf.item(), allow_fp16))
            return super()._unscale_grads_(optimizer, inv_scale, found_inf, allow_fp16)

        def _maybe_opt_step(self, optimizer: Any, optimizer_state: Any, *args: Any, **kwargs: Any) -> Any:
            calls.append(dict(optimizer_state["found_inf_per_device"]))
            return super()._maybe_opt_step(optimizer, optimizer_state, *args, **kwargs)

    w = weight()
    scaler = Logging("cpu", init_scale=4.0)
    backward(scaler, w)
    scaler.step(Descent(w))
    assert calls == [(0.25, 0.0, False), {w.device: 0.0}]


def test_the_functions_that_scalers_are_made_of() -> None:
    scale, tracker = taeda.tensor(8.0), taeda.tensor(3, dtype=taeda.int32)
    assert taeda._amp_update_scale_(scale, tracker, taeda.tensor(0.0), 2.0, 0.5, 4) is scale
    assert (scale.item(), tracker.item()) == (16.0, 0)
    taeda._amp_update_scale_(scale, tracker, taeda.tensor(1.0), 2.0, 0.5, 4)
    assert (scale.item(), tracker.item()) == (8.0, 0)
    grads, found = [taeda.tensor([1.0, 2.0]), taeda.tensor([float("inf")])], taeda.tensor(0.0)
    taeda._amp_foreach_non_finite_check_and_unscale_(grads[:1], found, taeda.tensor(0.5))
    assert grads[0].tolist() == [0.5, 1.0] and found.item() == 0
    taeda._amp_foreach_non_finite_check_and_unscale_(grads, found, taeda.tensor(0.5))
    assert grads[0].tolist() == [0.25, 0.5] and found.item() == 1
