"""Pruning: how much, which entries, twice, globally, for good."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import taeda
from taeda import nn
from taeda.nn.utils import prune


def layer():
    taeda.manual_seed(4)
    return nn.Linear(4, 5)


@pytest.mark.parametrize(("amount", "left"), [(0, 20), (3, 17), (0.25, 15), (1.0, 0)])
def test_l1_prunes_the_smallest(amount, left):
    m = layer()
    weight = m.weight.detach().clone()
    assert prune.l1_unstructured(m, "weight", amount) is m
    mask = m.weight_mask.bool()
    assert int(mask.sum()) == left and (left == 0 or amount == 0 or weight.abs()[mask].min() > weight.abs()[~mask].max())
    np.testing.assert_array_equal(m.weight.detach(), weight * m.weight_mask)
    assert [n for n, _ in m.named_parameters()] == ["bias", "weight_orig"]


def test_random_pruning_follows_the_seed():
    masks = []
    for _ in range(2):
        masks.append(prune.random_unstructured(layer(), "weight", 0.5).weight_mask.tolist())
    assert masks[0] == masks[1] and sum(map(sum, masks[0])) == 10
    structured = prune.random_structured(layer(), "weight", 2, dim=0).weight_mask
    assert sorted(structured.sum(1).tolist()) == [0, 0, 4, 4, 4]


@pytest.mark.parametrize("n", [1, 2, float("inf")])
def test_ln_prunes_the_channels_of_smallest_norm(n):
    m = layer()
    norms = m.weight.detach().norm(n, 0)
    mask = prune.ln_structured(m, "weight", 0.5, n=n, dim=1).weight_mask
    assert set(mask.sum(0).nonzero().flatten().tolist()) == set(norms.topk(2).indices.tolist())


def test_a_second_pruning_is_among_what_is_left():
    m = prune.l1_unstructured(layer(), "weight", 0.5)
    first = m.weight_mask.clone()
    prune.l1_unstructured(m, "weight", 0.5)
    assert int(m.weight_mask.sum()) == 5 and bool((m.weight_mask <= first).all())
    (hook,) = m._forward_pre_hooks.values()
    assert isinstance(hook, prune.PruningContainer) and len(hook) == 2 and hook[0].amount == 0.5
    prune.ln_structured(m, "weight", 1, n=2, dim=0)
    assert len(hook) == 3 and len(m._forward_pre_hooks) == 1


def test_training_leaves_pruned_entries_out():
    m = prune.l1_unstructured(layer(), "weight", 0.5)
    m(taeda.ones(2, 4)).sum().backward()
    np.testing.assert_array_equal(m.weight_orig.grad != 0, m.weight_mask.bool())
    with taeda.no_grad():
        m.weight_orig += 1
    m(taeda.ones(2, 4))  # the hook makes the weight anew
    np.testing.assert_array_equal(m.weight.detach(), (m.weight_orig * m.weight_mask).detach())


def test_state_dicts_and_removal():
    m = prune.l1_unstructured(layer(), "weight", 0.5)
    other = prune.identity(nn.Linear(4, 5), "weight")
    other.load_state_dict(m.state_dict())
    x = taeda.randn(2, 4)
    np.testing.assert_allclose(other(x).detach(), m(x).detach())
    original = m.weight_orig
    assert prune.is_pruned(nn.Sequential(m)) and prune.remove(m, "weight") is m and not prune.is_pruned(m)
    assert m.weight is original and list(m.state_dict()) == ["bias", "weight"] and int((m.weight == 0).sum()) == 10
    with pytest.raises(ValueError, match="Parameter 'weight' of module Linear.* has to be pruned before pruning can be removed"):
        prune.remove(m, "weight")
    assert copy.deepcopy(m).weight.shape == (5, 4)


def test_global_pruning_compares_across_modules():
    net = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    with taeda.no_grad():
        net[0].weight.fill_(0.1)
        net[1].weight.fill_(1.0)
        net[0].weight[0, 0] = 5
    prune.global_unstructured(((m, "weight") for m in net), prune.L1Unstructured, amount=11)
    assert int(net[0].weight_mask.sum()) == 1 and int(net[1].weight_mask.sum()) == 8
    with pytest.raises(TypeError, match='Only "unstructured" PRUNING_TYPE supported'):
        prune.global_unstructured([(net[0], "weight")], prune.LnStructured, amount=1, n=2)
    with pytest.raises(TypeError, match="parameters is not an Iterable"):
        prune.global_unstructured(3, prune.L1Unstructured, amount=1)
    with pytest.raises(TypeError, match="importance_scores must be of type dict"):
        prune.global_unstructured([(net[0], "weight")], prune.L1Unstructured, importance_scores=[], amount=1)


def test_masks_and_scores_of_the_callers_own():
    m = prune.custom_from_mask(nn.Linear(3, 2), "bias", taeda.tensor([0, 1]))
    assert m.bias[0].item() == 0 and m.bias_mask.dtype == taeda.float32
    scored = prune.l1_unstructured(nn.Linear(3, 1), "weight", 1, importance_scores=taeda.tensor([[2.0, 1.0, 3.0]]))
    assert scored.weight_mask.tolist() == [[1.0, 0.0, 1.0]]

    class EveryOther(prune.BasePruningMethod):
        PRUNING_TYPE = "unstructured"

        def compute_mask(self, t, default_mask):
            mask = default_mask.clone()
            mask.view(-1)[::2] = 0
            return mask

    m = nn.Linear(3, 4)
    EveryOther.apply(m, "bias")
    assert m.bias_mask.tolist() == [0.0, 1.0, 0.0, 1.0]
    EveryOther.apply(m, "bias")
    assert m.bias_mask.tolist() == [0.0, 0.0, 0.0, 1.0]


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda m: prune.l1_unstructured(m, "weight", "a"), TypeError, "Invalid type for amount: a. Must be int or float."),
        (lambda m: prune.l1_unstructured(m, "weight", -1), ValueError, "amount=-1 should either be a float in the range"),
        (lambda m: prune.l1_unstructured(m, "weight", 1.1), ValueError, "amount=1.1 should either be a float in the range"),
        (lambda m: prune.l1_unstructured(m, "weight", 21), ValueError, "amount=21 should be smaller than the number of"),
        (lambda m: prune.random_structured(m, "bias", 1, 0), ValueError, "can only be applied to multidimensional tensors"),
        (lambda m: prune.random_structured(m, "weight", 1, 2), IndexError, "Invalid index 2 for tensor of size"),
        (lambda m: prune.l1_unstructured(m, "weight", 1, taeda.ones(3)), AssertionError, "importance_scores should have the same"),
        (lambda m: prune.custom_from_mask(m, "bias", taeda.ones(3)), AssertionError, "must match self.mask shape"),
        (lambda m: prune.l1_unstructured(m, "foo", 1), AttributeError, "'Linear' object has no attribute 'foo'"),
    ],
)  # fmt: skip
def test_a_refused_pruning_leaves_the_module_as_it_was(call, kind, text):
    m = layer()
    with pytest.raises(kind, match=text):
        call(m)
    assert {n for n, _ in m.named_parameters()} == {"weight", "bias"} and not list(m.buffers()) and not m._forward_pre_hooks


def test_containers_refuse_what_does_not_fit():
    container = prune.PruningContainer()
    container._tensor_name = "weight"
    with pytest.raises(TypeError, match="is not a BasePruningMethod subclass"):
        container.add_pruning_method(3)
    other = prune.L1Unstructured(1)
    other._tensor_name = "bias"
    with pytest.raises(ValueError, match="Can only add pruning methods acting on the parameter named 'weight'.*Found 'bias'"):
        container.add_pruning_method(other)
