"""Every row of taeda.nn's tests beside torch.nn: initial values, state, printing, results, gradients, empty batches."""

from __future__ import annotations

import copy
import pathlib
import pickle
import sys

import numpy as np
import pytest
import torch

import taeda

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "packages" / "nn" / "tests"))

import harness_nn as harness
from rows_nn import FUNCTIONS, LAYERS

pytestmark = pytest.mark.filterwarnings("ignore")  # of arguments that PyTorch calls deprecated


def array(x):
    return x.detach().numpy(force=True) if hasattr(x, "detach") else x  # force: PyTorch's gradients may be its lazy zeros


def assert_same(ours, theirs, rtol=1e-4, atol=2e-5):
    if not hasattr(theirs, "shape"):
        assert ours == theirs
        return
    assert tuple(ours.shape) == tuple(theirs.shape)
    assert str(ours.dtype).split(".")[-1] == str(theirs.dtype).split(".")[-1]
    np.testing.assert_allclose(array(ours), array(theirs), rtol=rtol, atol=atol)


def gradients(lib, results, leaves, seed):
    """Backward from random cotangents, of the floating-point results; the graph is kept."""
    rng = np.random.default_rng(seed)
    total = 0.0
    for r in harness.differentiable(results):
        total = total + (r * lib.tensor(rng.normal(size=tuple(r.shape))).to(r.dtype)).sum()
    if isinstance(total, float) or not leaves:
        return [None] * len(leaves)
    return lib.autograd.grad(total, leaves, create_graph=True, allow_unused=True)


def assert_alike(row, ours, theirs, dtype, seed, rtol=1e-4, atol=2e-5):
    """Results, first and second derivatives of one call in both frameworks."""
    found = []
    for lib, module in ((taeda, ours), (torch, theirs)):
        args, kwargs, leaves = harness.arguments(lib, row, dtype, seed, grad=row.grad)
        results = harness.call(lib, row, module, args, kwargs)
        leaves += [p for p in module.parameters() if p.requires_grad]
        first = gradients(lib, results, leaves, 1)
        found.append([results, first])
        try:
            found[-1].append(gradients(lib, first, leaves, 2) if row.grad and row.gradgrad else [])
        except RuntimeError as e:
            if lib is taeda or "not implemented" not in str(e):
                raise
            del found[0][2]  # a second derivative that PyTorch lacks
    for mine, other in zip(*found, strict=True):
        assert len(mine) == len(other)
        for a, b in zip(mine, other, strict=True):
            if a is None or b is None:  # an unused input has no gradient, or a gradient of zeros
                assert a is b or not np.any(array(b if a is None else a))
            else:
                assert_same(a, b, rtol, atol)


@pytest.mark.parametrize("row", LAYERS, ids=str)
def test_layer(row):
    ours, theirs = harness.build(taeda, row), harness.build(torch, row)
    assert repr(ours) == repr(theirs)
    mine, other = ours.state_dict(), theirs.state_dict()
    assert list(mine) == list(other)
    assert dict(mine._metadata) == dict(other._metadata)
    for key in mine:
        assert_same(mine[key], other[key], 1e-6, 5e-7)
    assert taeda.rand(1).item() == torch.rand(1).item(), "the same number of draws"
    theirs.load_state_dict({k: torch.tensor(array(v)) for k, v in mine.items()})
    ours.load_state_dict({k: taeda.tensor(array(v).copy()) for k, v in other.items()})
    assert_alike(row, ours, theirs, "float32", 0)
    for key, value in ours.state_dict().items():  # running statistics after a training step
        assert_same(value, theirs.state_dict()[key])
    assert_alike(row, ours.eval(), theirs.eval(), "float32", 1)
    assert repr(pickle.loads(pickle.dumps(ours))) == repr(copy.deepcopy(ours)) == repr(theirs)


@pytest.mark.parametrize("row", LAYERS, ids=str)
def test_float64(row):
    ours, theirs = harness.build(taeda, row, "float64"), harness.build(torch, row, "float64")
    ours.load_state_dict({k: taeda.tensor(array(v).copy()) for k, v in theirs.state_dict().items()})
    assert_alike(row, ours, theirs, "float64", 2, 1e-7, 1e-9)


# layers whose empty batch is treated otherwise, on purpose
EMPTY_DIFFERS = {
    "InstanceNorm2d",  # statistics of nothing: PyTorch fails with an IndexError where it keeps running ones
    "MultiLabelMarginLoss",  # PyTorch refuses a single sample without classes
    "TransformerEncoder",  # PyTorch's packing of padded sequences refuses a mask of another size by a RuntimeError
    "PixelUnshuffle",  # PyTorch gives an empty batch back as it is, in the input's shape
}


@pytest.mark.parametrize("row", [row for row in LAYERS if row.name not in EMPTY_DIFFERS], ids=str)
def test_no_samples(row):
    """A batch of nothing gives the same shape, or is refused by the same exception."""
    outcomes = []
    for lib in (taeda, torch):
        module = harness.build(lib, row).eval()
        args, kwargs, _ = harness.arguments(lib, row)
        try:
            results = harness.call(lib, row, module, [a[:0] if hasattr(a, "shape") and a.dim() else a for a in args], kwargs)
            outcomes.append([tuple(r.shape) for r in results])
        except Exception as e:
            outcomes.append(type(e).__name__)
    assert outcomes[0] == outcomes[1]


REFUSED = [(row, inputs) for row in LAYERS for inputs, _, _ in row.errors]


@pytest.mark.parametrize(("row", "inputs"), REFUSED, ids=str)
def test_refusals(row, inputs):
    for lib in (taeda, torch):
        args = [harness.tensor(lib, harness.numbers(v), "float32") for v in inputs]
        outcome = pytest.raises(Exception, harness.build(lib, row), *args)
        expected = next(e for i, e, _ in row.errors if i is inputs)
        assert issubclass(outcome.type, expected), outcome.value


@pytest.mark.parametrize("row", FUNCTIONS, ids=str)
def test_function(row):
    found = []
    for lib in (taeda, torch):
        results, leaves = harness.call_function(lib, row, grad=row.grad)
        found.append((results, gradients(lib, results, leaves, 1)))
    for mine, other in zip(*found, strict=True):
        assert len(mine) == len(other)
        for a, b in zip(mine, other, strict=True):
            if a is None or b is None:
                assert a is b or not np.any(array(b if a is None else a))
            else:
                assert_same(a, b)
