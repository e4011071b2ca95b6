"""``taeda.compile`` of a module: a wrapper of PyTorch's shape, through which programs and checkpoints reach the module."""

from __future__ import annotations

import copy
import io
import pickle

import pytest

import taeda
from taeda import nn
from taeda._dynamo.eval_frame import OptimizedModule


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 3)
        self.register_buffer("scale", taeda.full((1,), 2.0))
        self.steps = 4

    def forward(self, x, times: int = 1):
        return self.layer(x) * self.scale * times

    def twice(self, x):
        return x * 2


def test_a_module_is_wrapped_and_the_wrapper_computes_what_it_does() -> None:
    assert not isinstance(taeda.compile(taeda.sin), OptimizedModule)
    model = Model()
    compiled = taeda.compile(model, mode="reduce-overhead")
    x = taeda.randn(4, 2)
    assert type(compiled) is OptimizedModule and compiled._orig_mod is model and taeda.compile(compiled) is compiled
    assert taeda.equal(compiled(x, times=3), model(x, 3))
    assert taeda.compile(model, disable=True) is model
    assert repr(compiled).splitlines()[:2] == ["OptimizedModule(", "  (_orig_mod): Model("]
    assert [name for name, _ in compiled.named_modules()] == ["", "_orig_mod", "_orig_mod.layer"]


def test_its_state_has_the_names_that_checkpoints_of_compiled_models_have() -> None:
    model = Model()
    compiled = taeda.compile(model)
    assert list(compiled.state_dict()) == ["_orig_mod.scale", "_orig_mod.layer.weight", "_orig_mod.layer.bias"]
    file = io.BytesIO()
    taeda.save(compiled.state_dict(), file)
    file.seek(0)
    other = taeda.compile(Model())
    other.load_state_dict(taeda.load(file))
    assert taeda.equal(other.layer.weight, model.layer.weight)
    bare = {name.removeprefix("_orig_mod."): t for name, t in compiled.state_dict().items()}
    assert other._orig_mod.load_state_dict(bare).missing_keys == []
    with pytest.raises(RuntimeError, match="_orig_mod.scale"):
        compiled.load_state_dict(bare)


def test_attributes_are_read_from_and_written_to_the_module() -> None:
    model = Model()
    compiled = taeda.compile(model)
    assert compiled.steps == 4 and compiled.layer is model.layer and compiled.twice(3) == 6 and "twice" in dir(compiled)
    compiled.steps = 7
    compiled.head = nn.Linear(3, 1)
    assert model.steps == 7 and "steps" not in vars(compiled) and "_orig_mod.head.bias" in compiled.state_dict()
    del compiled.head
    assert "head" not in model._modules
    compiled.eval()
    assert not model.training and not model.layer.training and not compiled.training
    compiled.training = True
    assert model.training and not model.layer.training
    with pytest.raises(AttributeError, match="'Model' object has no attribute 'missing'"):
        compiled.missing  # noqa: B018
    assert len(taeda.compile(nn.Sequential(nn.ReLU(), nn.ReLU()))) == 2
    with pytest.raises(TypeError, match="'Model' has no len"):
        len(compiled)
    assert compiled.dynamo_ctx(model.forward) == model.forward


def test_it_is_copied_converted_and_trained_as_the_module_is() -> None:
    compiled = taeda.compile(Model())
    for twin in (copy.deepcopy(compiled), pickle.loads(pickle.dumps(compiled))):
        assert type(twin) is OptimizedModule and twin.layer is not compiled.layer
        assert taeda.equal(twin.layer.weight, compiled.layer.weight)
    called = []
    compiled.register_forward_hook(lambda module, args, y: called.append(module))
    compiled(taeda.ones(1, 2)).sum().backward()
    assert called == [compiled] and compiled.layer.weight.grad.sum().item() == 12
    assert [p.grad is not None for p in compiled.parameters()] == [True, True]
    assert compiled.to(taeda.float64) is compiled and compiled.layer.weight.dtype is taeda.float64


def test_a_part_of_a_model_may_be_compiled() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    model[0] = taeda.compile(model[0])
    assert list(model.state_dict()) == ["0._orig_mod.weight", "0._orig_mod.bias", "1.weight", "1.bias"]
    assert model(taeda.ones(1, 2)).shape == (1, 2)
