"""Every row of ``rows_nn``: gradients to second order, copies, layouts, dtypes, empty batches, refusals."""

from __future__ import annotations

import copy
import inspect
import io
import pickle

import numpy as np
import pytest

import harness_nn as harness
import taeda
from rows_nn import FUNCTIONS, LAYERS
from taeda import nn
from taeda.autograd import gradcheck, gradgradcheck

pytestmark = pytest.mark.filterwarnings("ignore")  # of arguments that PyTorch calls deprecated


def values(results):
    return [np.asarray(r.detach()) if isinstance(r, taeda.Tensor) else r for r in results]


def assert_close(ours, expected, rtol=1e-5, atol=1e-6):
    assert len(ours) == len(expected)
    for a, b in zip(ours, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


def of_parameters(row, module):
    """Return (function of leaves and parameters, leaves and parameters) for gradient checks."""
    args, kwargs, leaves = harness.arguments(taeda, row, "float64", grad=True)
    names = [name for name, p in module.named_parameters() if p.requires_grad]
    params = [p.detach().clone().requires_grad_() for _, p in module.named_parameters() if p.requires_grad]
    buffers = {name: b.clone() for name, b in module.named_buffers()}

    def run(*tensors):
        given = iter(tensors[: len(leaves)])

        def put(value):
            if isinstance(value, tuple):
                return tuple(put(v) for v in value)
            return next(given) if any(value is leaf for leaf in leaves) else value

        new = dict(zip(names, tensors[len(leaves) :], strict=True))
        state = {name: b.clone() for name, b in buffers.items()}

        def forward(*a, **k):
            return taeda.func.functional_call(module, {**new, **state}, a, k)

        return tuple(harness.differentiable(harness.call(taeda, row, forward, [put(a) for a in args], kwargs)))

    return run, [*leaves, *params]


@pytest.mark.parametrize("row", [r for r in LAYERS if r.grad and r.numeric], ids=str)
def test_gradients_to_second_order(row):
    run, tensors = of_parameters(row, harness.build(taeda, row, "float64"))
    if not tensors:
        return
    assert gradcheck(run, tensors)
    if row.gradgrad:
        assert gradgradcheck(run, tensors)


@pytest.mark.parametrize("row", LAYERS, ids=str)
def test_copies_are_equal(row):
    """A deep copy, a pickled one and one that loads the state give the same results; printing and inputs stay."""
    module = harness.build(taeda, row).eval()
    args, kwargs, _ = harness.arguments(taeda, row)
    before = values(harness.flat([args, list(kwargs.values())]))
    expected = values(harness.call(taeda, row, module, args, kwargs))
    assert_close(values(harness.flat([args, list(kwargs.values())])), before, 0, 0)
    buffer = io.BytesIO()
    taeda.save(module.state_dict(), buffer)
    buffer.seek(0)
    loaded = harness.build(taeda, row)
    with taeda.no_grad():
        for p in loaded.parameters():
            p.mul_(0.5)
    loaded.load_state_dict(taeda.load(buffer))
    for other in (copy.deepcopy(module), pickle.loads(pickle.dumps(module)), loaded.eval()):
        assert repr(other) == repr(module)
        assert_close(values(harness.call(taeda, row, other, args, kwargs)), expected, 1e-6, 1e-7)


@pytest.mark.parametrize("row", LAYERS, ids=str)
def test_layout_in_memory_does_not_matter(row):
    module = harness.build(taeda, row).eval()
    args, kwargs, _ = harness.arguments(taeda, row)
    expected = values(harness.call(taeda, row, module, args, kwargs))

    def strided(value):
        if isinstance(value, tuple):
            return tuple(strided(v) for v in value)
        if not isinstance(value, taeda.Tensor) or value.dim() == 0:
            return value
        return taeda.stack([value, taeda.zeros_like(value)], -1)[..., 0].transpose(0, -1).contiguous().transpose(0, -1)

    got = harness.call(taeda, row, module, [strided(a) for a in args], {k: strided(v) for k, v in kwargs.items()})
    assert_close(values(got), expected)


@pytest.mark.parametrize("row", LAYERS, ids=str)
def test_float64_agrees_and_keeps_its_dtype(row):
    results = {}
    for dtype in ("float32", "float64"):
        module = harness.build(taeda, row, dtype).eval()
        args, kwargs, _ = harness.arguments(taeda, row, dtype)
        results[dtype] = harness.call(taeda, row, module, args, kwargs)
    for a, b in zip(results["float32"], results["float64"], strict=True):
        assert not a.dtype.is_floating_point or (a.dtype, b.dtype) == (taeda.float32, taeda.float64)
    assert_close(values(results["float32"]), values(results["float64"]), 2e-4, 2e-5)


@pytest.mark.parametrize("row", [r for r in LAYERS if r.empty is not None], ids=str)
def test_empty_batch(row):
    module = harness.build(taeda, row).eval()
    args, kwargs, _ = harness.arguments(taeda, row)
    full = harness.call(taeda, row, module, args, kwargs)
    nothing = [a[:0] if isinstance(a, taeda.Tensor) else a for a in args]
    if not row.empty:
        with pytest.raises((RuntimeError, ValueError), match=r"\["):
            harness.call(taeda, row, module, nothing, kwargs)
        return
    for a, b in zip(harness.call(taeda, row, module, nothing, kwargs), full, strict=True):
        assert tuple(a.shape) == (0, *b.shape[1:])


REFUSED = [(row, *error) for row in LAYERS for error in row.errors]


@pytest.mark.parametrize(("row", "inputs", "exception", "text"), REFUSED, ids=lambda v: str(v) if isinstance(v, str) else "")
def test_refusals(row, inputs, exception, text):
    module = harness.build(taeda, row)
    args = [harness.tensor(taeda, harness.numbers(v), "float32") for v in inputs]
    with pytest.raises(exception, match=text):
        module(*args)


@pytest.mark.parametrize("row", FUNCTIONS, ids=str)
def test_functions(row):
    """Gradients to second order of the functions that have them."""
    results, leaves = harness.call_function(taeda, row, "float64")
    if not (row.grad and row.numeric and leaves and harness.differentiable(results)):
        assert all(np.isfinite(v).all() for v in values(results))
        return

    def run(*tensors):
        given = iter(tensors)
        leaf_ids = {id(leaf) for leaf in leaves}
        arrays = [harness.numbers(v, 10 * i) for i, v in enumerate(row.inputs)]
        made: list = []
        args = [harness.tensor(taeda, a, "float64", made if not (row.targets and i) else None) for i, a in enumerate(arrays)]
        made_ids = {id(m) for m in made}
        assert len(made_ids) == len(leaf_ids)

        def put(value):
            if isinstance(value, tuple):
                return tuple(put(v) for v in value)
            return next(given) if id(value) in made_ids else value

        kwargs = {k: harness.tensor(taeda, v, "float64") for k, v in row.kwargs.items()}
        taeda.manual_seed(5)
        found = list(harness.flat(getattr(nn.functional, row.name)(*[put(a) for a in args], **kwargs)))
        return tuple(harness.differentiable(found))

    assert gradcheck(run, leaves)
    if row.gradgrad:
        assert gradgradcheck(run, leaves)


# classes that are no layers of their own: containers and frames, each tested in its own file
FRAMES = {"Module", "Container", "Sequential", "ModuleList", "ModuleDict", "ParameterList", "ParameterDict",
          "RNNBase", "RNNCellBase", "DataParallel"}  # fmt: skip


def test_every_layer_has_a_row():
    classes = {n for n, c in vars(nn).items() if inspect.isclass(c) and issubclass(c, nn.Module)}
    classes -= {n for n in classes if n.startswith("Lazy")}  # in test_lazy.py: they turn into the layers of the rows
    assert sorted(classes - FRAMES - {row.name for row in LAYERS}) == []
