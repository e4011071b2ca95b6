"""What is done to modules, beside torch: lazy layers, parametrisations, norms, pruning, fusion, hooks.

A scenario is run with either framework and returns what it saw; exceptions are compared by type and text.
"""

from __future__ import annotations

import copy
import math
import re
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.utils.prune
import torch.nn.utils.stateless

import taeda

SCENARIOS: list[Any] = []


def scenario(*variants):
    """Compare what the function returns for each of the variants."""

    def register(function):
        SCENARIOS.extend((function, v) for v in (variants or ((),)))
        return function

    return register


@dataclass
class Values:
    """What is compared of a tensor."""

    kind: str
    dtype: str
    values: np.ndarray


def plain(lib, value):
    """Turn a result into what both frameworks share, at once: it may be written to later."""
    if isinstance(value, Values):
        return value
    if isinstance(value, lib.Tensor):
        if lib.nn.parameter.is_lazy(value):
            return repr(value)
        return Values(type(value).__name__, str(value.dtype).split(".")[-1], value.detach().numpy().astype(np.float64))
    if isinstance(value, list | tuple):
        return [plain(lib, v) for v in value]
    return re.sub(r"in model[^:]*: |\[\w+\] ", "", str(value).replace("torch", "taeda"))


def assert_equal(a, b):
    if isinstance(a, list):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            assert_equal(x, y)
    elif isinstance(a, Values):
        assert (a.kind, a.dtype) == (b.kind, b.dtype)
        np.testing.assert_allclose(a.values, b.values, rtol=2e-4, atol=2e-5)
    else:
        assert a == b


def seen(lib, call):
    """Return the call's result, or its exception; and the warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = plain(lib, call())
        except Exception as e:
            text = re.sub(r"^in \w+: ", "", plain(lib, str(e.args[0])))  # whose it is; ours go on with shapes and cures
            result = f"{type(e).__name__}: {text.split(';')[0][:38]}"
    return [result, *(f"{w.category.__name__}: {plain(lib, str(w.message))[:60]}" for w in caught)]


def numbers(lib, *shape):
    return lib.tensor(np.random.default_rng(5).normal(size=shape).astype(np.float32))


# -- lazy layers --------------------------------------------------------------------------------------
@scenario(
    ("LazyLinear", (3,), {}, (2, 5)),
    ("LazyLinear", (3,), {"bias": False}, (2, 5)),
    ("LazyConv1d", (4, 3), {}, (2, 6, 9)),
    ("LazyConv2d", (4, 3), {"groups": 2, "padding": 1, "bias": False}, (2, 6, 5, 5)),
    ("LazyConv2d", (4, 3), {"padding": "same", "padding_mode": "reflect"}, (6, 5, 5)),
    ("LazyConv2d", (4, 3), {"groups": 4}, (2, 6, 5, 5)),
    ("LazyConv2d", (4, 3), {}, (2, 6)),
    ("LazyConvTranspose1d", (4, 3), {}, (2, 6, 9)),
    ("LazyConvTranspose2d", (4, 3), {"stride": 2, "output_padding": 1, "groups": 2}, (2, 6, 5, 5)),
    ("LazyConv3d", (4, 2), {"padding": 1}, (2, 6, 3, 3, 3)),
    ("LazyConvTranspose3d", (4, 2), {"groups": 2}, (2, 6, 3, 3, 3)),
    ("LazyBatchNorm1d", (), {}, (4, 3)),
    ("LazyBatchNorm2d", (), {"affine": False}, (4, 3, 2, 2)),
    ("LazyBatchNorm3d", (), {"track_running_stats": False, "momentum": None}, (4, 3, 2, 2, 2)),
    ("LazyBatchNorm1d", (), {"bias": False}, (4, 3, 2)),
    ("LazyInstanceNorm1d", (), {}, (4, 3, 5)),
    ("LazyInstanceNorm2d", (), {"affine": False}, (4, 3, 2, 2)),
    ("LazyInstanceNorm3d", (), {"track_running_stats": False}, (4, 3, 2, 2, 2)),
)
def lazy(lib, name, args, kwargs, shape):
    def make():
        lib.manual_seed(3)
        return getattr(lib.nn, name)(*args, **kwargs)

    layer, x = make(), numbers(lib, *shape)
    yield repr(layer), layer.state_dict().keys(), layer.has_uninitialized_params()
    yield seen(lib, lambda: layer(x)), repr(layer), type(layer).__name__, len(layer._forward_pre_hooks)
    if layer.state_dict() and not any(lib.nn.parameter.is_lazy(t) for t in layer.state_dict().values()):
        yield layer.state_dict().keys(), list(layer.state_dict().values())
        loaded = make()
        yield loaded.load_state_dict(layer.state_dict()), list(loaded.state_dict().values())
        again = make()
        yield again.load_state_dict(make().state_dict()), seen(lib, lambda: layer.load_state_dict(again.state_dict()))


@scenario()
def uninitialized(lib):
    for call in (
        lambda p: p,
        lambda p: p.shape,
        lambda p: p + 1,
        lambda p: p.numel(),
        lambda p: p.requires_grad_(False),
        lambda p: p.dtype,
        lambda p: p.double().dtype,
        lambda p: copy.deepcopy(p),
        lambda p: p.materialize((2, 3), dtype=lib.float64),
        lambda p: (type(p).__name__, p.shape, p.dtype, p.requires_grad),
    ):
        if call.__code__.co_names != ("materialize",):
            result = seen(lib, lambda c=call: c(lib.nn.UninitializedParameter()))
            yield result[0].split(" in ")[0] if isinstance(result[0], str) else result


# -- parametrisations ---------------------------------------------------------------------------------
def kinds(lib):
    """Return parametrisations of several kinds, good and bad."""

    class Symmetric(lib.nn.Module):
        def forward(self, x):
            return x.triu() + x.triu(1).mT

        def right_inverse(self, x):
            return x.triu()

    class Double(lib.nn.Module):
        def forward(self, x):
            return 2 * x

    class Product(lib.nn.Module):
        def forward(self, x, y):
            return x * y

        def right_inverse(self, x):
            return x.abs(), x.sign()

    class Row(lib.nn.Module):
        def forward(self, x):
            return x[:1]

    class Wide(lib.nn.Module):
        def forward(self, x):
            return x.double()

    class Number(lib.nn.Module):
        def forward(self, x):
            return 3

    return {c.__name__: c for c in (Symmetric, Double, Product, Row, Wide, Number)}


@scenario(("Symmetric",), ("Double",), ("Product",), ("Row",), ("Wide",), ("Number",))
def parametrized(lib, kind):
    P, make, x = lib.nn.utils.parametrize, kinds(lib)[kind], numbers(lib, 2, 3)
    lib.manual_seed(0)
    layer = lib.nn.Linear(3, 3)
    result = seen(lib, lambda: P.register_parametrization(layer, "weight", make()))
    yield result
    if result[0].startswith("ValueError"):
        yield list(layer.state_dict()), type(layer).__name__
        return
    yield repr(layer), list(layer.state_dict()), [n for n, _ in layer.named_modules()], layer(x), layer.weight
    yield P.is_parametrized(layer), P.is_parametrized(layer, "bias"), P.type_before_parametrizations(layer).__name__
    layer(x).sum().backward()
    yield [p.grad for p in layer.parameters()]
    yield seen(lib, lambda: setattr(layer, "weight", lib.arange(9.0).reshape(3, 3))), layer.weight
    with P.cached():
        yield layer.weight is layer.weight
    yield layer.weight is layer.weight, seen(lib, lambda: setattr(layer, "weight", lib.nn.Parameter(x)))
    other = copy.deepcopy(layer)
    yield type(other).__name__, other.weight, other.load_state_dict(layer.state_dict())
    P.register_parametrization(layer, "weight", kinds(lib)["Double"]())
    yield layer.weight, seen(lib, lambda: setattr(layer, "weight", x))
    P.remove_parametrizations(layer, "weight")
    yield repr(layer), layer.weight, [n for n, _ in layer.named_parameters()], type(layer).__name__
    yield seen(lib, lambda: P.remove_parametrizations(layer, "weight"))


@scenario()
def parametrized_elsewhere(lib):
    P, kind = lib.nn.utils.parametrize, kinds(lib)
    lib.manual_seed(0)
    norm = P.register_parametrization(lib.nn.BatchNorm1d(3), "running_mean", kind["Double"]())
    yield list(norm.state_dict()), norm(numbers(lib, 4, 3)), norm.running_mean
    yield seen(lib, lambda: P.register_parametrization(lib.nn.Linear(2, 2), "foo", kind["Double"]()))
    yield seen(lib, lambda: P.ParametrizationList([], lib.nn.Parameter(lib.zeros(2))))
    source, target = lib.nn.Linear(3, 3), lib.nn.Linear(3, 3)
    P.register_parametrization(source, "weight", kind["Symmetric"]())
    P.register_parametrization(source, "bias", kind["Product"]())
    P.transfer_parametrizations_and_params(source, target)
    yield list(target.state_dict()), target.weight, target.bias
    yield source.double().weight, source.eval().parametrizations.weight.training


@scenario(*((s, m, t) for s in ((4, 4), (5, 3), (3, 5)) for m in (None, "matrix_exp", "cayley", "householder") for t in (True, False)))
def orthogonal(lib, shape, orthogonal_map, trivial):
    lib.manual_seed(1)
    layer = lib.nn.Linear(shape[1], shape[0])
    make = lib.nn.utils.parametrizations.orthogonal
    yield seen(lib, lambda: make(layer, orthogonal_map=orthogonal_map, use_trivialization=trivial))
    yield list(layer.state_dict()), layer.weight
    (layer.weight * numbers(lib, *shape)).sum().backward()
    yield next(p.grad for n, p in layer.named_parameters() if n != "bias")
    q = np.linalg.qr(np.random.default_rng(2).normal(size=(5, 5)))[0][: shape[0], : shape[1]]
    if shape == (4, 4):
        q = np.linalg.qr(np.random.default_rng(2).normal(size=(4, 4)))[0]
    yield seen(lib, lambda: setattr(layer, "weight", lib.tensor(q.astype(np.float32)))), layer.weight


LAYERS = {
    "linear": (lambda lib: lib.nn.Linear(3, 4), (2, 3)),
    "conv": (lambda lib: lib.nn.Conv2d(3, 2, 2), (2, 3, 4, 4)),
    "transposed": (lambda lib: lib.nn.ConvTranspose2d(3, 2, 2), (2, 3, 4, 4)),
}


@scenario(*((k, d, new) for k in LAYERS for d in (0, 1, None) for new in (True, False)))
def weight_norm(lib, kind, dim, new):
    U, (make, shape) = lib.nn.utils, LAYERS[kind]
    lib.manual_seed(2)
    layer, x = make(lib), numbers(lib, *shape)
    yield seen(lib, lambda: (U.parametrizations if new else U).weight_norm(layer, dim=dim))
    yield [(k, v) for k, v in layer.state_dict().items()], layer.weight, [n for n, _ in layer.named_parameters()]
    layer(x).square().sum().backward()
    yield [p.grad for p in layer.parameters()]
    with lib.no_grad():
        list(layer.parameters())[-1].mul_(2)
    yield layer(x), layer(x + 1)
    if not new:
        yield seen(lib, lambda: U.weight_norm(layer, dim=dim)), U.remove_weight_norm(layer).weight, list(layer.state_dict())
        yield seen(lib, lambda: U.remove_weight_norm(layer))
        newer = U.parametrizations.weight_norm(make(lib), dim=dim)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield newer.load_state_dict(U.weight_norm(layer, dim=dim).state_dict()), newer.weight


@scenario(*((k, new) for k in LAYERS for new in (True, False)))
def spectral_norm(lib, kind, new):
    U, (make, shape) = lib.nn.utils, LAYERS[kind]
    lib.manual_seed(2)
    layer, x = make(lib), numbers(lib, *shape)
    yield seen(lib, lambda: (U.parametrizations if new else U).spectral_norm(layer, n_power_iterations=2))
    yield layer(x), [(k, v) for k, v in layer.state_dict().items()]
    layer(x).square().sum().backward()
    yield [p.grad for p in layer.parameters()], list(layer.state_dict().values())
    layer.eval()
    yield layer(x), layer(x), layer.state_dict()._metadata
    if not new:
        yield seen(lib, lambda: U.spectral_norm(layer))
        old = dict(layer.state_dict())
        v = old.pop("weight_v")
        old["weight"] = layer.weight.detach().clone()
        other = U.spectral_norm(make(lib))
        yield other.load_state_dict(old), bool((other.weight_v - v).abs().max() < 1e-3)
        yield U.remove_spectral_norm(layer).weight, list(layer.state_dict()), len(layer._forward_pre_hooks)
        yield seen(lib, lambda: U.remove_spectral_norm(layer))


# -- pruning ------------------------------------------------------------------------------------------
WAYS = [
    ("random_unstructured", {}),
    ("l1_unstructured", {}),
    ("random_structured", {"dim": 0}),
    ("random_structured", {"dim": -1}),
    ("ln_structured", {"n": 2, "dim": 1}),
    ("ln_structured", {"n": math.inf, "dim": -2}),
]


@scenario(*((k, n, o, a) for k in ("linear", "conv") for n, o in WAYS for a in (0, 1, 2, 0.3, 1.0, 70)))
def pruned(lib, kind, name, options, amount):
    prune, (make, shape) = lib.nn.utils.prune, LAYERS[kind]
    lib.manual_seed(4)
    layer = make(lib)
    for _ in range(2):
        result = seen(lib, lambda: getattr(prune, name)(layer, "weight", amount=amount, **options))
        yield result, [n for n, _ in layer.named_parameters()]
        if result[0].startswith("ValueError"):
            return
        yield layer.weight_mask, layer.weight, layer.weight_orig, list(layer.state_dict()), len(layer._forward_pre_hooks)
    prune.l1_unstructured(layer, "weight", 0.2)
    yield layer.weight_mask, prune.is_pruned(lib.nn.Sequential(layer)), prune.is_pruned(lib.nn.ReLU())
    layer(numbers(lib, *shape)).sum().backward()
    yield layer.weight_orig.grad, seen(lib, lambda: prune.remove(layer, "weight")), layer.weight, list(layer.state_dict())
    yield seen(lib, lambda: prune.remove(layer, "weight")), len(layer._forward_pre_hooks)


@scenario()
def pruned_otherwise(lib):
    prune = lib.nn.utils.prune
    lib.manual_seed(2)
    net = lib.nn.Sequential(lib.nn.Linear(3, 4), lib.nn.Linear(4, 1))
    pairs = [(net[0], "weight"), (net[1], "weight"), (net[0], "bias")]
    for amount in (5, 0.5):
        prune.global_unstructured(pairs, prune.L1Unstructured, amount=amount)
        yield list(net.buffers()), net(numbers(lib, 2, 3)), list(net.state_dict())
    for bad in (
        lambda: prune.global_unstructured(pairs, prune.LnStructured, amount=1, n=2),
        lambda: prune.global_unstructured(3, prune.L1Unstructured, amount=1),
        lambda: prune.random_structured(lib.nn.Linear(2, 2), "bias", 1, 0),
        lambda: prune.random_structured(lib.nn.Linear(2, 2), "weight", 1, 2),
        lambda: prune.l1_unstructured(lib.nn.Linear(2, 2), "weight", "a"),
        lambda: prune.l1_unstructured(lib.nn.Linear(2, 2), "weight", -1),
        lambda: prune.l1_unstructured(lib.nn.Linear(2, 2), "weight", 1.1),
        lambda: prune.l1_unstructured(lib.nn.Linear(2, 2), "weight", 1, importance_scores=lib.ones(3)),
        lambda: prune.custom_from_mask(lib.nn.Linear(3, 1), "bias", lib.tensor([0, 1])),
    ):
        yield seen(lib, bad)
    scores = lib.arange(6.0).reshape(2, 3)
    yield prune.l1_unstructured(lib.nn.Linear(3, 2), "weight", 3, importance_scores=scores).weight_mask
    yield prune.identity(lib.nn.Linear(2, 2), "bias").bias_mask
    yield prune.L1Unstructured(2).prune(lib.arange(4.0), default_mask=lib.tensor([1.0, 1, 1, 0]))


# -- the others ---------------------------------------------------------------------------------------
@scenario(("Conv2d", (3, 4, 3), "BatchNorm2d", False, (2, 3, 5, 5)), ("ConvTranspose2d", (3, 4, 3), "BatchNorm2d", True, (2, 3, 5, 5)))
def fused(lib, conv, args, norm, transpose, shape):
    lib.manual_seed(5)
    conv, norm = getattr(lib.nn, conv)(*args), getattr(lib.nn, norm)(4)
    norm(conv(lib.randn(*shape)))
    made = lib.nn.utils.fuse_conv_bn_eval(conv.eval(), norm.eval(), transpose)
    yield made(numbers(lib, *shape)), made.weight, made.bias, made.training
    linear, norm = lib.nn.Linear(3, 4, bias=False).eval(), lib.nn.BatchNorm1d(4).eval()
    yield lib.nn.utils.fuse_linear_bn_eval(linear, norm)(numbers(lib, 2, 3))
    yield seen(lib, lambda: lib.nn.utils.fuse_linear_bn_eval(linear, lib.nn.BatchNorm1d(3).eval()))


@scenario()
def small_ones(lib):
    U, nn = lib.nn.utils, lib.nn
    lib.manual_seed(0)
    layer = U.skip_init(nn.Linear, 3, 4)
    yield lib.rand(1), layer.weight.shape, seen(lib, lambda: U.skip_init(nn.ReLU)), seen(lib, lambda: U.skip_init(int))
    layer = nn.Linear(2, 2)
    given = {"weight": lib.eye(2), "bias": lib.zeros(2)}
    yield seen(lib, lambda: U.stateless.functional_call(layer, given, lib.ones(1, 2)))
    p = nn.Parameter(lib.zeros(2))
    p.grad = lib.tensor([3.0, 4.0])
    yield seen(lib, lambda: U.clip_grad_norm([p], 1.0)), p.grad, seen(lib, lambda: U.clip_grad_norm_((q for q in []), 1.0))


@scenario()
def hooks(lib):
    log: list[Any] = []

    class Three(lib.nn.Module):
        def forward(self, a, b, c=None):
            return a * b, a + b, "text"

    a, b = lib.tensor([1.0, 2.0], requires_grad=True), lib.tensor([3.0, 4.0])
    module = Three()
    module.register_full_backward_hook(lambda m, gi, go: log.append((gi, go)))
    module.register_full_backward_pre_hook(lambda m, go: log.append(go))
    module(a, b)[0].sum().backward()
    yield list(log), a.grad
    for register, hook in (
        ("register_full_backward_hook", lambda m, gi, go: (gi[0],)),
        ("register_full_backward_pre_hook", lambda m, go: (go[0],)),
    ):
        module = Three()
        getattr(module, register)(hook)
        yield seen(lib, lambda m=module: m(a, b)[0].sum().backward())

    class Pair(lib.nn.Module):
        def forward(self, x):
            return [x * 2, x]

    module = Pair()
    module.register_full_backward_hook(lambda *args: log.append("never"))
    yield seen(lib, lambda: module(a)[0].sum().backward())
    for make in (lambda: lib.nn.Sequential(lib.nn.ReLU(), lib.nn.ReLU()), lib.nn.ReLU, Pair, Three):
        module = make()
        module.register_backward_hook(lambda *args: None)
        yield seen(lib, lambda m=module: m(a, b) if isinstance(m, Three) else m(a))[1:]
    layer = lib.nn.Linear(2, 2)
    handle = layer.register_forward_hook(lambda m, x, y: y * 0)
    other = copy.deepcopy(layer)
    handle.remove()
    yield other(b), len(layer._forward_hooks), len(other._forward_hooks)
    names: list[str] = []
    registered = lib.nn.modules.module.register_module_buffer_registration_hook(lambda m, n, t: names.append(n))
    with registered:
        lib.nn.Module().register_buffer("none", None)
    yield names


@scenario()
def names_and_kinds(lib):
    nn = lib.nn

    def assigned(first, second):
        module = nn.Module()
        module.x = first
        module.x = second
        return [list(r) for r in (module._parameters, module._buffers, module._modules)]

    values = (nn.Parameter(lib.zeros(1)), nn.Buffer(lib.zeros(1)), nn.ReLU(), lib.zeros(1), None, 3)
    for first in values:
        for second in values:
            yield seen(lib, lambda f=first, s=second: assigned(f, s))
    layer = nn.Linear(2, 2)
    layer.register_load_state_dict_post_hook(lambda m, keys: 1)
    yield seen(lib, lambda: layer.load_state_dict(layer.state_dict())), seen(lib, lambda: layer.to(lib.complex64).weight.dtype)


@pytest.mark.parametrize(("function", "variant"), SCENARIOS, ids=lambda v: v.__name__ if callable(v) else str(v).replace(" ", ""))
def test_scenario(function, variant):
    ours, theirs = ([plain(lib, v) for v in function(lib, *variant)] for lib in (taeda, torch))
    assert_equal(ours, theirs)


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize(("stride", "padding", "dilation", "groups"), [(1, 0, 1, 1), (2, 1, 1, 2), (3, 2, 2, 1)])
def test_gradients_of_convolutions_alone(n: int, stride: int, padding: int, dilation: int, groups: int) -> None:
    rng = np.random.default_rng(n)
    size = (2, 4, 11, 10, 9)[: n + 2]
    kernel = (6, 4 // groups, 3, 2, 3)[: n + 2]
    x, w = rng.standard_normal(size), rng.standard_normal(kernel)
    options = (stride, padding, dilation, groups)
    shape = getattr(torch, f"conv{n}d")(torch.tensor(x), torch.tensor(w), None, *options).shape
    g, found = rng.standard_normal(shape), []
    for lib in (taeda, torch):
        a, b, c = (lib.tensor(v).requires_grad_() for v in (x, w, g))
        first = getattr(lib.nn.grad, f"conv{n}d_input")(size, b, c, *options)
        second = getattr(lib.nn.grad, f"conv{n}d_weight")(a, kernel, c, *options)
        further = lib.autograd.grad((first * first).sum() + (second * second).sum(), (a, b, c))
        found.append([v.detach().numpy() for v in (first, second, *further)])
        with lib.no_grad():
            assert not getattr(lib.nn.grad, f"conv{n}d_weight")(a, kernel, c, *options).requires_grad
        with pytest.raises(RuntimeError):
            getattr(lib.nn.grad, f"conv{n}d_input")(size[1:], b, c, *options)
        with pytest.raises(RuntimeError, match="channels, but got 5 channels instead"):
            getattr(lib.nn.grad, f"conv{n}d_input")((2, 5, *size[2:]), b, c, *options)
    for mine, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("arguments", [(None, None), (False, None), (True, False), (None, False), (False, True)])
def test_older_names_of_reductions(arguments: tuple[bool | None, bool | None]) -> None:
    mine, theirs = taeda.nn.functional._Reduction, torch.nn.functional._Reduction
    with pytest.warns(UserWarning, match="size_average and reduce args will be deprecated"):
        name = mine.legacy_get_string(*arguments)
    assert name == theirs.legacy_get_string(*arguments, emit_warning=False)
    assert mine.legacy_get_enum(*arguments, emit_warning=False) == theirs.get_enum(name) == mine.get_enum(name)
    with pytest.warns(UserWarning, match="elementwise_mean"):
        assert mine.get_enum("elementwise_mean") == 1
    with pytest.raises(ValueError, match="not a valid value for reduction"):
        mine.get_enum("average")


def test_constants_of_layers_are_pytorchs() -> None:
    layers = [name for name, c in vars(taeda.nn).items() if isinstance(c, type) and issubclass(c, taeda.nn.Module) and hasattr(torch.nn, name)]
    said = {name: list(getattr(getattr(taeda.nn, name), "__constants__", [])) for name in layers}
    assert said == {name: list(getattr(getattr(torch.nn, name), "__constants__", [])) for name in layers}
