"""Modules of taeda.nn as functions of their parameters: ensembles and per-sample gradients against loops."""

from __future__ import annotations

from typing import Any

import pytest

import taeda
import taeda.nn.functional as F
from taeda import nn
from taeda.func import functional_call, grad, jacfwd, jacrev, replace_all_batch_norm_modules_, stack_module_state, vmap


def mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 5), nn.LayerNorm(5), nn.Tanh(), nn.Linear(5, 2))


def test_an_ensemble_runs_as_one_model() -> None:
    taeda.manual_seed(0)
    models = [mlp() for _ in range(4)]
    x = taeda.randn(6, 3)
    params, buffers = stack_module_state(models)
    assert all(p.is_leaf and p.requires_grad and type(p) is taeda.Tensor for p in params.values())

    def run(p: Any, b: Any, x: Any) -> Any:
        return functional_call(models[0], (p, b), (x,))

    found = vmap(run, in_dims=(0, 0, None))(params, buffers, x)
    assert taeda.allclose(found, taeda.stack([m(x) for m in models]), atol=1e-6)
    found.square().sum().backward()
    for i, model in enumerate(models):
        model(x).square().sum().backward()
        for name, p in model.named_parameters():
            assert taeda.allclose(params[name].grad[i], p.grad, atol=1e-5)


def test_gradients_of_samples_are_those_of_a_loop() -> None:
    taeda.manual_seed(0)
    model = mlp()
    x, y = taeda.randn(6, 3), taeda.tensor([0, 1, 1, 0, 1, 0])
    params = {name: p.detach() for name, p in model.named_parameters()}

    def loss(p: Any, x: Any, y: Any) -> Any:
        return F.cross_entropy(functional_call(model, p, (x.unsqueeze(0),)), y.unsqueeze(0))

    found = vmap(grad(loss), in_dims=(None, 0, 0))(params, x, y)
    for i in range(6):
        model.zero_grad()
        F.cross_entropy(model(x[i : i + 1]), y[i : i + 1]).backward()
        for name, p in model.named_parameters():
            assert taeda.allclose(found[name][i], p.grad, atol=1e-6)


def test_parameters_are_put_back_whatever_happens() -> None:
    model = nn.Linear(2, 2)
    weight = model.weight
    with pytest.raises(RuntimeError):
        functional_call(model, {"weight": taeda.ones(5, 5)}, (taeda.ones(1, 2),))
    assert model.weight is weight and model._parameters["weight"] is weight


def test_tied_weights_are_replaced_together() -> None:
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False))
    model[1].weight = model[0].weight
    x, eye = taeda.ones(1, 2), taeda.eye(2)
    assert functional_call(model, {"0.weight": 2 * eye}, (x,)).tolist() == [[4, 4]]
    assert functional_call(model, {"0.weight": eye, "1.weight": eye}, (x,)).tolist() == [[1, 1]]
    with pytest.raises(ValueError, match="multiple values for keys"):
        functional_call(model, {"0.weight": eye, "1.weight": eye.clone()}, (x,))
    separate = functional_call(model, {"0.weight": 0 * eye}, (x,), tie_weights=False)
    assert separate.tolist() == [[0, 0]]


class Shifts(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(2, 2, bias=False)
        self.register_buffer("count", taeda.zeros(1))
        self.shift = taeda.ones(2)

    def forward(self, x: taeda.Tensor) -> taeda.Tensor:
        self.count = self.count + 1
        return self.inner(x) + self.shift + getattr(self, "extra", 0)


def test_what_is_none_or_an_attribute_is_replaced_too() -> None:
    model, x, eye = Shifts(), taeda.tensor([[1.0, 2.0]]), taeda.eye(2)
    assert functional_call(model, {"inner.weight": eye, "inner.bias": taeda.tensor([10.0, 20.0])}, x).tolist() == [[12, 23]]
    assert functional_call(model, {"inner.weight": eye, "shift": taeda.zeros(2), "extra": 5 * x}, x).tolist() == [[6, 12]]
    assert model.inner.bias is None and model.shift.tolist() == [1, 1] and not hasattr(model, "extra")


def test_a_buffer_that_is_made_anew_is_the_callers_new_state() -> None:
    model, state = Shifts(), {"count": taeda.tensor([5.0])}
    functional_call(model, state, taeda.ones(1, 2))
    assert state["count"].tolist() == [6.0] and model.count.tolist() == [0.0]


@pytest.mark.parametrize(("call", "error", "text"), [
    (lambda m: functional_call(m, {"weight": 3}, (taeda.ones(1, 2),)), TypeError, "expected a Tensor for 'weight', got int"),
    (lambda m: functional_call(m, {"in_features": taeda.ones(1)}, (taeda.ones(1, 2),)), TypeError, "'in_features' is no tensor, but int"),
    (lambda m: functional_call(m, {"weight.x": taeda.ones(1)}, (taeda.ones(1, 2),)), TypeError, "expected a module, got Parameter"),
    (lambda m: functional_call(m, {"": taeda.ones(1)}, (taeda.ones(1, 2),)), KeyError, "can't be empty"),
    (lambda m: functional_call(m, {"x": taeda.ones(1)}, (taeda.ones(1, 2),), strict=True), RuntimeError, "Unexpected key\\(s\\): 'x'"),
    (lambda m: functional_call(m, 3, (taeda.ones(1, 2),)), ValueError, "Expected parameter_and_buffer_dicts to be a dict"),
    (lambda m: functional_call(m, ({"bias": taeda.ones(2)},) * 2, (taeda.ones(1, 2),)), ValueError, "appeared in multiple dictionaries"),
    (lambda m: stack_module_state([]), RuntimeError, "at least one model"),
    (lambda m: stack_module_state([m, nn.ReLU()]), RuntimeError, "same class"),
    (lambda m: stack_module_state([m, nn.Linear(2, 2).eval()]), RuntimeError, "same training/eval mode"),
])  # fmt: skip
def test_errors_say_what_is_wrong(call: Any, error: type[BaseException], text: str) -> None:
    with pytest.raises(error, match=text):
        call(nn.Linear(2, 2))


def test_batch_norms_are_freed_of_their_statistics() -> None:
    model = nn.Sequential(nn.Conv1d(1, 2, 1), nn.BatchNorm1d(2))
    x = taeda.randn(3, 4, 1, 5)
    with pytest.raises(RuntimeError, match="running_mean or running_var"):
        vmap(model)(x)
    replace_all_batch_norm_modules_(model)
    assert model[1].running_mean is None and not model[1].track_running_stats
    assert taeda.allclose(vmap(model)(x), taeda.stack([model(part) for part in x]), atol=1e-6)


def test_parameters_and_buffers_make_plain_tensors() -> None:
    p, b = nn.Parameter(taeda.ones(2)), nn.Buffer(taeda.ones(2))
    assert {type(v) for v in (p + 1, p.exp(), p[0], p.data, b * p, taeda.cat([p, b]), p.detach())} == {taeda.Tensor}
    assert repr(p).startswith("Parameter containing:") and str(p) == repr(p)


def test_models_as_functions_are_found_in_pytorchs_room() -> None:
    from taeda._functorch.make_functional import make_functional, make_functional_with_buffers

    model, x = mlp(), taeda.randn(6, 3)
    function, params = make_functional(model)
    assert function(params, x).equal(model(x)) and function([p * 0 for p in params], x).count_nonzero() == 0
    function, params, buffers = make_functional_with_buffers(nn.BatchNorm1d(3).eval())
    assert len(params) == 2 and len(buffers) == 3 and function(params, buffers, x).shape == x.shape


@pytest.mark.parametrize("f", [F.mish, F.celu, F.selu, F.logsigmoid, F.softsign, F.tanhshrink, F.glu])
def test_a_batch_of_cotangents_passes_activations_that_are_made_of_others(f: Any) -> None:
    x = taeda.tensor([[-2.0, 0.3], [0.8, 4.0]], dtype=taeda.float64)
    assert taeda.allclose(jacrev(f)(x), jacfwd(f)(x)) and taeda.allclose(vmap(jacrev(f), 0)(x[None])[0], jacfwd(f)(x))
