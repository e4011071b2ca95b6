"""Lazy layers: shapes come once, from an input or from a state_dict, and the objects stay the same."""

from __future__ import annotations

import copy
import io
import pickle

import numpy as np
import pytest

import taeda
from taeda import nn
from taeda.nn.modules.lazy import LazyModuleMixin
from taeda.nn.parameter import is_lazy

CASES = [
    ("LazyLinear", (3,), {}, (2, 5)),
    ("LazyConv1d", (4, 3), {}, (2, 6, 9)),
    ("LazyConv2d", (4, 3), {"groups": 2, "bias": False}, (2, 6, 5, 5)),
    ("LazyConv3d", (4, 2), {}, (2, 6, 3, 3, 3)),
    ("LazyConvTranspose1d", (4, 3), {}, (2, 6, 9)),
    ("LazyConvTranspose2d", (4, 3), {"groups": 2}, (2, 6, 5, 5)),
    ("LazyConvTranspose3d", (4, 2), {"groups": 2}, (2, 6, 3, 3, 3)),
    ("LazyBatchNorm1d", (), {}, (4, 3)),
    ("LazyBatchNorm2d", (), {}, (4, 3, 2, 2)),
    ("LazyBatchNorm3d", (), {"affine": False}, (4, 3, 2, 2, 2)),
    ("LazyInstanceNorm1d", (), {}, (4, 3, 5)),
    ("LazyInstanceNorm2d", (), {}, (3, 5, 5)),
    ("LazyInstanceNorm3d", (), {}, (4, 3, 2, 2, 2)),
]


def make(name, args, kwargs):
    return getattr(nn, name)(*args, **kwargs)


@pytest.mark.parametrize(("name", "args", "kwargs", "shape"), CASES, ids=[c[0] for c in CASES])
def test_a_lazy_layer_becomes_the_layer_it_stands_for(name, args, kwargs, shape):
    layer = make(name, args, kwargs)
    before = dict(layer.named_parameters())
    assert layer.has_uninitialized_params() and repr(layer).startswith(name)
    taeda.manual_seed(1)
    x = taeda.randn(*shape)
    state = taeda.get_rng_state()
    y = layer(x)
    eager = getattr(nn, name.removeprefix("Lazy"))
    assert type(layer) is eager and not layer._forward_pre_hooks and not layer._load_state_dict_pre_hooks
    assert all(p is before[n] and type(p) is nn.Parameter for n, p in layer.named_parameters()), "an optimizer may hold them"
    taeda.set_rng_state(state)
    options = {"affine": True, "track_running_stats": True} if "Instance" in name else {}
    channels = shape[0] if "Instance" in name and len(shape) == 3 and name.endswith("2d") else shape[1]
    twin = eager(channels, *args, **options, **kwargs)
    assert repr(twin) == repr(layer) and list(twin.state_dict()) == list(layer.state_dict())
    np.testing.assert_array_equal(y.detach(), twin(x).detach(), err_msg="the same draws give the same weights")


def test_a_lazy_convolution_prints_what_is_not_the_default_whatever_its_kernel():
    layer = nn.LazyConv2d(6, kernel_size=(2,), dilation=3)
    assert repr(layer) == "LazyConv2d(0, 6, kernel_size=(2,), stride=(1, 1), dilation=(3, 3))"


@pytest.mark.parametrize(("name", "args", "kwargs", "shape"), CASES, ids=[c[0] for c in CASES])
def test_copies_and_state_dicts_of_lazy_layers(name, args, kwargs, shape):
    x = taeda.randn(*shape)
    source = make(name, args, kwargs)
    y = source(x).detach()
    for layer in (copy.deepcopy(make(name, args, kwargs)), pickle.loads(pickle.dumps(make(name, args, kwargs)))):
        assert layer.has_uninitialized_params()
        layer.load_state_dict(make(name, args, kwargs).state_dict())  # lazy into lazy: nothing changes
        assert layer.has_uninitialized_params()
        layer.load_state_dict(source.state_dict())
        if "Batch" in name or "Instance" in name:
            layer.eval(), source.eval()
            y = source(x).detach()
        np.testing.assert_allclose(layer(x).detach(), y, rtol=1e-6, atol=1e-7)
        assert repr(layer) == repr(source)
    with pytest.raises(RuntimeError, match="Can't access the shape of an uninitialized parameter or buffer"):
        source.load_state_dict(make(name, args, kwargs).state_dict())


def test_removing_the_hooks_of_a_copy_leaves_the_original_lazy():
    layer = nn.LazyLinear(2)
    copy.deepcopy(layer)(taeda.ones(1, 3))
    assert layer.has_uninitialized_params() and len(layer._forward_pre_hooks) == 1
    assert layer(taeda.ones(1, 5)).shape == (1, 2)


def test_lazy_layers_and_their_states_go_to_a_file():
    for layer, x in ((nn.LazyBatchNorm1d(dtype=taeda.float64), taeda.ones(2, 3).double()), (nn.LazyLinear(2), taeda.ones(1, 3))):
        for what in (layer, layer.state_dict()):
            file = io.BytesIO()
            taeda.save(what, file)
            file.seek(0)
            found = taeda.load(file, weights_only=False)
            if what is not layer:
                empty = type(layer)(*([2] if x.shape[0] == 1 else []))
                empty.load_state_dict(found)
                found = empty.to(x.dtype)
            assert found.has_uninitialized_params() and found.weight.dtype == layer.weight.dtype
            assert found(x).dtype == x.dtype and found.weight.shape[-1] == 3


def test_dtype_and_device_are_kept_until_the_shape_is_known():
    layer = nn.LazyLinear(2, dtype=taeda.float64)
    assert copy.deepcopy(layer).weight.dtype == pickle.loads(pickle.dumps(layer)).weight.dtype == taeda.float64
    assert layer(taeda.ones(1, 3, dtype=taeda.float64)).dtype == taeda.float64
    assert nn.LazyLinear(2).double()(taeda.ones(1, 3, dtype=taeda.float64)).dtype == taeda.float64
    assert nn.LazyConv2d(2, 3, device="meta")(taeda.empty(1, 3, 4, 4, device="meta")).shape == (1, 2, 2, 2)
    norm = nn.LazyBatchNorm1d().to(taeda.float64)
    assert norm.running_var.dtype == taeda.float64 and norm.has_uninitialized_params()
    assert norm(taeda.ones(2, 3, dtype=taeda.float64)).dtype == taeda.float64 and norm.running_var.shape == (3,)
    for layer in (nn.LazyBatchNorm1d(), nn.LazyLinear(2)):
        assert layer.to("meta")(taeda.ones(2, 3, device="meta")).is_meta


def test_nothing_but_moving_is_allowed_before():
    w = nn.UninitializedParameter()
    assert repr(w) == "<UninitializedParameter>" and is_lazy(w) and isinstance(w, nn.Parameter) and w.requires_grad
    for use in (lambda: w + 1, lambda: w.numel(), lambda: taeda.exp(w), lambda: w.requires_grad_(False), lambda: w.detach()):
        with pytest.raises(ValueError, match=r"Attempted to use an uninitialized parameter in \w+. This error happens when"):
            use()
    with pytest.raises(RuntimeError, match="Can't share memory on an uninitialized parameter"):
        w.share_memory_()
    with pytest.raises(ValueError, match="uninitialized parameters"), pytest.warns(FutureWarning):
        nn.utils.weight_norm(nn.LazyLinear(2))


def test_refusals():
    with pytest.raises(RuntimeError, match=r"in LazyConv2d: \[LazyConv2d\] Expected 3D \(unbatched\) or 4D"):
        nn.LazyConv2d(4, 3)(taeda.ones(2, 3))
    with pytest.raises(ValueError, match=r"in_channels must be divisible by groups; got 3 and 2"):
        nn.LazyConv2d(4, 3, groups=2)(taeda.ones(2, 3, 8, 8))
    loaded = nn.LazyLinear(3)
    loaded.load_state_dict(nn.Linear(5, 3).state_dict())
    with pytest.raises(AssertionError, match="The in_features inferred from input: 4 is not equal to in_features from"):
        loaded(taeda.ones(2, 4))

    class Forgetful(LazyModuleMixin, nn.Linear):
        def __init__(self):
            super().__init__(1, 1)
            self.more = nn.UninitializedBuffer()

        def initialize_parameters(self, x):
            pass

    with pytest.raises(RuntimeError, match="module Forgetful has not been fully initialized"):
        Forgetful()(taeda.ones(1, 1))
    with pytest.raises(NotImplementedError, match="initialize_parameters is not implemented for LazyModuleMixin"):
        LazyModuleMixin()(taeda.ones(1))


def test_training_a_lazy_model():
    taeda.manual_seed(0)
    net = nn.Sequential(nn.LazyLinear(8), nn.ReLU(), nn.LazyLinear(1))
    x = taeda.randn(32, 3)
    net(x)  # the dry run
    before = [p.detach().clone() for p in net.parameters()]
    nn.functional.mse_loss(net(x), x.sum(1, keepdim=True)).backward()
    with taeda.no_grad():
        for p in net.parameters():
            p -= 0.1 * p.grad
    assert all(bool((p != b).any()) for p, b in zip(net.parameters(), before, strict=True))
