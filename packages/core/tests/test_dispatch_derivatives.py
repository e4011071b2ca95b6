"""Classes with a ``__torch_dispatch__``: every operator with a derivative has one on them, with the values of plain tensors."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import harness
import taeda
from opinfo import Call, Row
from taeda.utils._python_dispatch import BaseTorchDispatchMode
from wrapper_class import Wrapper, seen

# draw once more for their results (a matrix, or noise that only one of both keeps), or differentiate what PyTorch calls integers' counts
OTHER = {"svd_lowrank", "pca_lowrank", "native_group_norm", "bincount", "histc", "histogram", "histogramdd"}
ROWS = {r.name: r for r in reversed(harness.load_rows()) if r.name not in OTHER}


def narrowed(a: np.ndarray) -> np.ndarray:
    return a.astype({"float64": np.float32, "complex128": np.complex64}.get(str(a.dtype), a.dtype))


def results(row: Row, call: Call, wrap: bool) -> Any:
    """The results, and gradients of the sum of their squares."""
    taeda.manual_seed(0)
    inputs = []

    def tensor(a: np.ndarray) -> Any:
        t = taeda.tensor(narrowed(a))
        grad = t.is_floating_point() or t.is_complex()
        if wrap:
            t = Wrapper(t, requires_grad=grad)
        elif grad:
            t.requires_grad_()
        if grad:
            inputs.append(t)
        return t

    args, kwargs = harness.map_arrays((call.args, call.kwargs), tensor)
    found = [y for y in harness.flat_outputs(harness.find(taeda, row.name)(*args, **kwargs)) if isinstance(y, taeda.Tensor)]
    total: Any = sum((y.abs() if y.is_complex() else y).square().sum() for y in found if y.requires_grad)
    grads = taeda.autograd.grad(total, inputs, allow_unused=True) if isinstance(total, taeda.Tensor) and inputs else ()
    return [getattr(x, "elem", x) for x in (*found, *grads)]


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_values_and_gradients_are_those_of_plain_tensors(row: Row) -> None:
    for call in harness.calls_of(row)[:4]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                expected = results(row, call, False)
            except (RuntimeError, TypeError, ValueError, IndexError):       # not in single precision, or no tensors
                continue
            found = results(row, call, True)
        assert len(found) == len(expected), call
        for x, y in zip(found, expected, strict=True):
            if x is None or y is None:
                assert x is y or not (x if y is None else y).any(), call
            else:
                taeda.testing.assert_close(x.detach(), y.detach(), rtol=1e-4, atol=1e-5, equal_nan=True)


def test_kernels_have_one_operator_for_a_derivative() -> None:
    x = Wrapper(taeda.tensor([[2.0, 1.0], [1.0, 3.0]]), requires_grad=True)
    y = taeda.linalg.det(x)
    seen.clear()
    (g,) = taeda.autograd.grad(y * y, x, create_graph=True)
    assert "linalg_det_backward.default" in seen and g.elem.tolist() == [[30.0, -10.0], [-10.0, 20.0]]
    plain = x.elem.clone().requires_grad_()
    (h,) = taeda.autograd.grad(taeda.linalg.det(plain) ** 2, plain, create_graph=True)
    (second,) = taeda.autograd.grad((h * h).sum(), plain)
    (found,) = taeda.autograd.grad((g * g).sum(), x)
    taeda.testing.assert_close(found.elem, second)


def test_results_that_are_arguments() -> None:
    a, b = (Wrapper(taeda.ones(*sizes), requires_grad=True) for sizes in ((3,), (2, 3)))
    x, y = taeda.broadcast_tensors(a, b)
    assert y is b
    (x * y).sum().backward()
    assert a.grad.elem.tolist() == [2.0] * 3 and b.grad.elem.tolist() == [[1.0] * 3] * 2


@pytest.mark.parametrize("name", ["feature_dropout", "alpha_dropout", "feature_alpha_dropout"])
def test_dropouts_draw_what_they_draw_for_plain_tensors(name: str) -> None:
    x = taeda.arange(1.0, 25.0).view(2, 3, 2, 2)
    taeda.manual_seed(3)
    expected = getattr(taeda, name)(x, 0.4, True)
    after = taeda.rand(1)
    for grad in (False, True):
        taeda.manual_seed(3)
        seen.clear()
        assert getattr(taeda, name)(Wrapper(x, requires_grad=grad), 0.4, True).elem.equal(expected)
        assert taeda.rand(1).equal(after) and seen[1] == "bernoulli_.float"


@pytest.mark.parametrize("call", [taeda.ops.gelu, lambda x: x @ x, lambda x: x.softmax(0), lambda x: x.sort()[0]])
def test_a_node_that_no_gradient_reaches_gives_none(call: Any) -> None:
    class First(taeda.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: taeda.Tensor, y: taeda.Tensor) -> taeda.Tensor:
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: taeda.Tensor) -> tuple[Any, None]:
            return g * 2, None

    x, z = taeda.ones(3, 3, requires_grad=True), taeda.ones(2, requires_grad=True)
    with BaseTorchDispatchMode():
        First.apply(z, call(x)).sum().backward()
    assert x.grad is None and z.grad.tolist() == [2, 2]
