"""Parametrisations and the norms built on them; their mathematics, and that the module stays a module."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref

import numpy as np
import pytest

import taeda
from taeda import nn
from taeda.autograd import gradcheck
from taeda.nn.utils import parametrizations, parametrize


class Symmetric(nn.Module):
    def forward(self, x):
        return x.triu() + x.triu(1).T

    def right_inverse(self, x):
        return x.triu()


class Sum(nn.Module):
    def forward(self, x, y):
        return x + y

    def right_inverse(self, z):
        return z / 4, 3 * z / 4


class Inverse(nn.Module):
    def __init__(self, value):
        super().__init__()
        self.value = value

    def forward(self, x):
        return x

    def right_inverse(self, x):
        return self.value


def test_a_parametrised_weight_trains_and_keeps_its_property():
    layer = parametrize.register_parametrization(nn.Linear(3, 3), "weight", Symmetric())
    x = taeda.randn(2, 3)
    for _ in range(3):
        layer.zero_grad()
        layer(x).square().sum().backward()
        with taeda.no_grad():
            for p in layer.parameters():
                p -= 0.1 * p.grad
        assert bool((layer.weight == layer.weight.T).all())
    assert [n for n, _ in layer.named_parameters()] == ["bias", "parametrizations.weight.original"]


def test_the_original_is_the_same_object_before_and_after():
    layer = nn.Linear(3, 3)
    weight, value = layer.weight, layer.weight.detach().clone()
    parametrize.register_parametrization(layer, "weight", Symmetric())
    assert layer.parametrizations.weight.original is weight
    parametrize.remove_parametrizations(layer, "weight")
    assert layer.weight is weight and type(layer) is nn.Linear
    np.testing.assert_array_equal(weight.detach(), (value.triu() + value.triu(1).T))
    parametrize.register_parametrization(layer, "weight", Symmetric())
    parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)
    np.testing.assert_array_equal(layer.weight.detach(), value.triu())


def test_assignment_goes_through_the_inverse():
    layer = parametrize.register_parametrization(nn.Linear(2, 2), "weight", Symmetric())
    layer.weight = taeda.tensor([[1.0, 2.0], [5.0, 3.0]])
    assert layer.weight.tolist() == [[1.0, 2.0], [2.0, 3.0]]
    several = parametrize.register_parametrization(nn.Linear(2, 2), "weight", Sum())
    assert list(several.state_dict()) == ["bias", "parametrizations.weight.original0", "parametrizations.weight.original1"]
    several.weight = taeda.full((2, 2), 4.0)
    assert several.parametrizations.weight.original0.tolist() == [[1.0, 1.0], [1.0, 1.0]]
    with pytest.raises(ValueError, match=r"Cannot leave unparametrized \(`leave_parametrized=False`\)"):
        parametrize.remove_parametrizations(several, "weight", leave_parametrized=False)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "'right_inverse' must return a Tensor or a Sequence of tensors"),
        ([3], "Got element 0 of the sequence with type int"),
        (taeda.zeros(2, 2, dtype=taeda.float64), "it may not change the dtype"),
        (taeda.zeros(3), "may not change the shape of the tensor, unless `unsafe`"),
    ],
    ids=["number", "numbers", "dtype", "shape"],
)
def test_what_an_inverse_may_not_return(value, text):
    layer = nn.Linear(2, 2)
    with pytest.raises(ValueError, match=text):
        parametrize.register_parametrization(layer, "weight", Inverse(value))
    parametrize.register_parametrization(layer := nn.Linear(2, 2), "weight", Symmetric())
    with pytest.raises(ValueError):
        parametrize.register_parametrization(layer, "weight", Inverse(value))
    assert len(layer.parametrizations.weight) == 1


def test_copies_are_independent():
    layer = parametrize.register_parametrization(nn.Linear(2, 2), "weight", Symmetric())
    other = copy.deepcopy(layer)
    assert type(other).__name__ == "ParametrizedLinear"
    np.testing.assert_array_equal(other.weight.detach(), layer.weight.detach())
    parametrize.remove_parametrizations(other, "weight")
    assert parametrize.is_parametrized(layer, "weight") and layer(taeda.ones(1, 2)).shape == (1, 2)
    with pytest.raises(RuntimeError, match="Serialization of parametrized modules is only supported through state_dict"):
        pickle.dumps(layer)
    fresh = parametrize.register_parametrization(nn.Linear(2, 2), "weight", Symmetric())
    fresh.load_state_dict(layer.state_dict())
    np.testing.assert_array_equal(fresh.weight.detach(), layer.weight.detach())


def test_cached_values_are_of_one_block_and_one_module():
    first, second = (parametrizations.weight_norm(nn.Linear(2, 2)) for _ in range(2))
    with parametrize.cached():
        with parametrize.cached():
            w = first.weight
            assert w is first.weight and w is not second.weight
        assert w is first.weight
    assert w is not first.weight


def test_a_parametrised_module_is_freed_without_the_collector():
    layer = parametrizations.weight_norm(nn.Linear(2, 2))
    gone = weakref.ref(layer)
    gc.disable()
    try:
        del layer
        assert gone() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (3, 5), (2, 3, 3)], ids=str)
@pytest.mark.parametrize("orthogonal_map", ["matrix_exp", "cayley", "householder"])
@pytest.mark.parametrize("trivial", [True, False])
def test_orthogonal_stays_orthogonal_and_has_its_derivative(shape, orthogonal_map, trivial):
    taeda.manual_seed(0)
    module = nn.Module()
    module.w = nn.Parameter(taeda.randn(*shape, dtype=taeda.float64))
    parametrizations.orthogonal(module, "w", orthogonal_map, use_trivialization=trivial)
    original = module.parametrizations.w.original

    def is_orthogonal():
        q = module.w if shape[-2] >= shape[-1] else module.w.mT
        return taeda.allclose(q.mT @ q, taeda.eye(min(shape[-2:]), dtype=taeda.float64).expand(*shape[:-2], -1, -1))

    assert is_orthogonal()
    with taeda.no_grad():
        original += 0.1 * taeda.randn(*shape, dtype=taeda.float64).tril(-1)
    assert is_orthogonal()
    part = module.parametrizations.w[0]
    start = original.detach().tril(-1).requires_grad_()
    rest = original.detach() - start.detach()  # of householder: the signs on the diagonal, which have no derivative
    assert gradcheck(lambda x: part(x.tril(-1) + rest), start)


def test_orthogonal_takes_what_is_assigned():
    layer = parametrizations.orthogonal(nn.Linear(4, 4))
    q, _ = taeda.linalg.qr(taeda.randn(4, 4))
    layer.weight = q
    np.testing.assert_allclose(layer.weight.detach(), q, atol=1e-5)
    with pytest.raises(ValueError, match="Expected a matrix or batch of matrices of shape"):
        layer.weight = taeda.zeros(3, 3)
    with pytest.raises(NotImplementedError, match="use_trivialization=False"):
        parametrizations.orthogonal(nn.Linear(4, 4), use_trivialization=False).weight = q
    with pytest.raises(ValueError, match="Got a tensor of 1 dimensions"):
        parametrizations.orthogonal(nn.Linear(2, 2), "bias")
    with pytest.raises(ValueError, match='orthogonal_map has to be one of "matrix_exp", "cayley", "householder". Got: x'):
        parametrizations.orthogonal(nn.Linear(2, 2), orthogonal_map="x")
    with pytest.raises(ValueError, match="The householder parametrization does not support complex tensors"):
        parametrizations.orthogonal(nn.Linear(2, 2, dtype=taeda.complex64), orthogonal_map="householder")


def test_unitary():
    module = nn.Module()
    module.w = nn.Parameter(taeda.randn(3, 3, dtype=taeda.complex128))
    parametrizations.orthogonal(module, "w")
    w = module.w.detach().numpy()
    np.testing.assert_allclose(w.conj().T @ w, np.eye(3), atol=1e-10)


@pytest.mark.parametrize("dim", [0, 1, None])
def test_weight_norm_splits_length_and_direction(dim):
    layer = nn.Conv1d(3, 4, 2).double()
    weight = layer.weight.detach().clone()
    parametrizations.weight_norm(layer, dim=dim)
    g, v = layer.parametrizations.weight.original0, layer.parametrizations.weight.original1
    axes = tuple(d for d in range(3) if d != dim)
    np.testing.assert_allclose(g.detach(), np.linalg.norm(weight.numpy().reshape(-1)) if dim is None else
                               np.sqrt((weight.numpy() ** 2).sum(axes, keepdims=True)))
    np.testing.assert_allclose(layer.weight.detach(), weight)
    assert gradcheck(layer.parametrizations.weight[0], (g.detach().requires_grad_(), v.detach().requires_grad_()))
    with taeda.no_grad():
        g.mul_(2), v.mul_(5)
    np.testing.assert_allclose(layer.weight.detach(), 2 * weight)


def test_a_normed_weight_is_row_major_however_its_direction_lies():
    layer = nn.utils.parametrizations.weight_norm(nn.Conv2d(1, 6, 3, padding=1)).to(memory_format=taeda.channels_last)
    v, g = layer.parametrizations.weight.original1, layer.parametrizations.weight.original0
    assert layer.weight.stride() == (9, 9, 3, 1) and layer(taeda.randn(2, 1, 5, 5)).stride() == (150, 25, 5, 1)
    assert taeda._weight_norm(v, g).equal(layer.weight)


@pytest.mark.parametrize("dim", [0, 1])
@pytest.mark.parametrize("dtype", [taeda.float16, taeda.bfloat16])
def test_weight_norms_of_halves_are_rounded_once(dtype, dim):
    v = (taeda.randn(20, 300, generator=taeda.Generator().manual_seed(0)) * 1e-4).to(dtype).requires_grad_()
    g = taeda.ones((20, 1) if dim == 0 else (1, 300), dtype=dtype)
    wide = v.detach().float().requires_grad_()
    y, z = taeda._weight_norm(v, g, dim), taeda._weight_norm(wide, g.float(), dim)
    assert y.dtype is dtype and y.equal(z.to(dtype))
    weight = taeda.arange(6000.0).reshape(20, 300).sin()
    found, expected = (taeda.autograd.grad((a.float() * weight).sum(), b)[0].float() for a, b in ((y, v), (z, wide)))
    assert (found - expected).abs().max() < 0.01 * expected.abs().max()


def test_the_older_weight_norm_is_a_hook():
    layer = nn.Linear(3, 2)
    weight = layer.weight.detach().clone()
    with pytest.warns(FutureWarning, match="`taeda.nn.utils.weight_norm` is deprecated in favor of"):
        assert nn.utils.weight_norm(layer) is layer
    assert list(layer.state_dict()) == ["bias", "weight_g", "weight_v"]
    with taeda.no_grad():
        layer.weight_g.mul_(3)
    x = taeda.ones(1, 3)
    np.testing.assert_allclose((layer(x) - layer.bias).detach(), 3 * (x @ weight.T), rtol=1e-5)
    newer = parametrizations.weight_norm(nn.Linear(3, 2))
    assert str(newer.load_state_dict(layer.state_dict())) == "<All keys matched successfully>"
    np.testing.assert_allclose(newer(x).detach(), layer(x).detach(), rtol=1e-6)
    with pytest.warns(FutureWarning), pytest.raises(RuntimeError, match="Cannot register two weight_norm hooks"):
        nn.utils.weight_norm(layer)
    nn.utils.remove_weight_norm(layer)
    np.testing.assert_allclose(layer.weight.detach(), 3 * weight, rtol=1e-6)
    assert isinstance(layer.weight, nn.Parameter) and not layer._forward_pre_hooks
    with pytest.raises(ValueError, match="weight_norm of 'weight' not found in Linear"):
        nn.utils.remove_weight_norm(layer)


@pytest.mark.parametrize("older", [False, True])
def test_spectral_norm_divides_by_the_largest_singular_value(older):
    taeda.manual_seed(0)
    layer = (nn.utils if older else parametrizations).spectral_norm(nn.Linear(6, 5))
    x = taeda.randn(2, 6)
    for _ in range(100):
        layer(x)
    assert taeda.linalg.matrix_norm(layer.weight, 2).item() == pytest.approx(1, abs=1e-4)
    layer.eval()
    u = layer.weight_u if older else layer.parametrizations.weight[0]._u
    before = u.clone()
    layer(x)
    assert bool((u == before).all()), "no steps in evaluation"
    if older:
        weight = layer.weight.detach()
        nn.utils.remove_spectral_norm(layer)
        np.testing.assert_allclose(layer.weight.detach(), weight)
        assert not (layer._forward_pre_hooks or layer._state_dict_hooks or layer._load_state_dict_pre_hooks)


def test_two_forwards_of_a_spectrally_normed_layer_before_backward():
    """The vectors are moved in place by each forward; backward must see those of its own."""
    for make in (parametrizations.spectral_norm, nn.utils.spectral_norm):
        layer = make(nn.Linear(3, 3))
        apart = copy.deepcopy(layer)
        x = taeda.randn(2, 3)
        (layer(x).sum() + layer(2 * x).sum()).backward()
        apart(x).sum().backward()
        apart(2 * x).sum().backward()
        for p, q in zip(layer.parameters(), apart.parameters(), strict=True):
            np.testing.assert_allclose(p.grad, q.grad, rtol=1e-5)


def test_spectral_norm_of_transposed_convolutions_and_refusals():
    module = parametrizations.spectral_norm(nn.ConvTranspose2d(3, 5, 2))
    assert module.parametrizations.weight[0]._u.shape == (5,)
    assert parametrizations.spectral_norm(nn.Linear(2, 3), "bias").bias.norm().item() == pytest.approx(1)
    with pytest.raises(ValueError, match="Expected n_power_iterations to be positive"):
        parametrizations.spectral_norm(nn.Linear(2, 2), n_power_iterations=0)
    with pytest.raises(IndexError, match="Dimension out of range"):
        parametrizations.spectral_norm(nn.Linear(2, 2), dim=2)
    with pytest.raises(ValueError, match="has no parameter or buffer with name 'x'"):
        parametrizations.spectral_norm(nn.Linear(2, 2), "x")


def test_vmap_and_functional_call_see_the_originals():
    layer = parametrize.register_parametrization(nn.Linear(2, 2, bias=False), "weight", Symmetric())
    given = {"parametrizations.weight.original": taeda.ones(2, 2)}
    assert taeda.func.functional_call(layer, given, taeda.ones(1, 2)).tolist() == [[2.0, 2.0]]


def test_swapping_parameters_lets_a_parametrisation_change_their_class():
    class Mark(taeda.Tensor):
        pass

    class Marked(nn.Module):
        def forward(self, x):
            return x.as_subclass(taeda.Tensor) * 2

        def right_inverse(self, x):
            return (x / 2).as_subclass(Mark)

    try:
        taeda.__future__.set_swap_module_params_on_conversion(True)
        layer = nn.Linear(2, 2)
        weight, before = layer.weight, layer.weight.detach().clone()
        parametrize.register_parametrization(layer, "weight", Marked())
        original = layer.parametrizations.weight.original
        assert original is weight and isinstance(original, Mark) and isinstance(original, nn.Parameter)
        assert original.requires_grad and bool((layer.weight == before).all())
        layer.weight = taeda.ones(2, 2)
        assert layer.parametrizations.weight.original is weight and weight.tolist() == [[0.5, 0.5], [0.5, 0.5]]
        parametrize.remove_parametrizations(layer, "weight")
        assert layer.weight is weight and type(weight) is nn.Parameter and weight.tolist() == [[1, 1], [1, 1]]
    finally:
        taeda.__future__.set_swap_module_params_on_conversion(False)
