"""Every row of ``rows_nn`` with a mode below autograd in force: the same results, the same gradients."""

import copy

import numpy as np
import pytest

import harness_nn as harness
import taeda
from rows_nn import FUNCTIONS, LAYERS
from taeda.utils._python_dispatch import TorchDispatchMode

pytestmark = pytest.mark.filterwarnings("ignore")


class Asked(TorchDispatchMode):
    """A mode that changes nothing and counts."""

    def __init__(self):
        self.names = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.append(str(func))
        return func(*args, **(kwargs or {}))


def outcome(results, leaves):
    """The results and the gradients of their sum."""
    found = [np.asarray(r.detach()) if isinstance(r, taeda.Tensor) else r for r in results]
    wanted = harness.differentiable(results)
    leaves = [x for x in leaves if x.requires_grad]
    if not wanted or not leaves:
        return found
    grads = taeda.autograd.grad(sum((r.abs() if r.is_complex() else r).sum() for r in wanted), leaves, allow_unused=True)
    return found + [None if g is None else np.asarray(g.to_dense()) for g in grads]


def assert_same(found, expected):
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        if isinstance(b, np.ndarray):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
        else:
            assert (a is None) == (b is None)


@pytest.mark.parametrize("row", [r for r in LAYERS if r.numeric], ids=str)
def test_layers(row):
    def run(module):
        args, kwargs, leaves = harness.arguments(taeda, row, grad=row.grad)
        return outcome(harness.call(taeda, row, module, args, kwargs), [*leaves, *module.parameters()])

    module = harness.build(taeda, row)
    twin = copy.deepcopy(module)
    expected = run(module)
    with Asked() as mode:
        found = run(twin)
    assert_same(found, expected)
    assert mode.names or row.name in ("Identity",)


@pytest.mark.parametrize("row", FUNCTIONS, ids=str)
def test_functions(row):
    expected = outcome(*harness.call_function(taeda, row))
    with Asked():
        found = outcome(*harness.call_function(taeda, row))
    assert_same(found, expected)
