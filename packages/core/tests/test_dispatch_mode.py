"""Modes below autograd: every row of ``samples`` gives the same results and gradients in one; what modes see and may return."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import pytest

import harness
import taeda
from taeda.utils._python_dispatch import (
    BaseTorchDispatchMode,
    TorchDispatchMode,
    is_traceable_wrapper_subclass,
    return_and_correct_aliasing,
    transform_subclass,
)

pytestmark = pytest.mark.filterwarnings("ignore")
ROWS = harness.load_rows()
INDEX = taeda.zeros(1, 3, dtype=taeda.int64)


def outcome(function: Any, call: Any) -> list[Any]:
    """The results, and the gradients of the sum of what has some."""
    taeda.manual_seed(1)
    args, kwargs, values = harness.tensors(taeda, call, grad=True)
    outs = harness.flat_outputs(function(*args, **kwargs))
    wanted = [x for x in outs if isinstance(x, taeda.Tensor) and x.requires_grad]
    if not wanted:
        return outs
    grads = taeda.autograd.grad(sum((x.abs() if x.is_complex() else x).sum() for x in wanted), values, allow_unused=True)
    return [*outs, *(g for g in grads if g is not None)]


@pytest.mark.parametrize("row", [row for row in ROWS if row.before is None], ids=harness.row_ids([row for row in ROWS if row.before is None]))
def test_a_mode_that_changes_nothing_changes_nothing(row: Any) -> None:
    function = harness.find(taeda, row.name)
    for call in harness.calls_of(row)[:3]:
        try:
            expected = outcome(function, call)
        except RuntimeError:                   # what cannot be differentiated as it is called
            continue
        with BaseTorchDispatchMode():
            found = outcome(function, call)
        assert len(found) == len(expected)
        for a, b in zip(found, expected, strict=True):
            if isinstance(b, taeda.Tensor) and b.device.type == "cpu":
                assert a.dtype == b.dtype and a.shape == b.shape
                np.testing.assert_allclose(harness.to_numpy(a), harness.to_numpy(b), rtol=1e-3, atol=1e-4)


class Told(TorchDispatchMode):
    def __init__(self, answers: bool = True) -> None:
        self.answers, self.names = answers, list[str]()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.names.append(str(func).removeprefix("aten."))
        return func(*args, **(kwargs or {})) if self.answers else NotImplemented


@pytest.mark.parametrize(("source", "names"), [
    ("taeda.diff(x)", "slice.Tensor slice.Tensor sub.Tensor"), ("taeda.diff(x > 2)", "gt.Scalar slice.Tensor slice.Tensor logical_xor.default"),
    ("taeda.kron(x, x)", "_unsafe_view.default _unsafe_view.default mul.Tensor _unsafe_view.default"), ("x.argsort()", "sort.default"),
    ("taeda.inner(x, x)", "permute.default view.default permute.default view.default mm.default view.default"),
    ("taeda.isfinite(x)", "abs.default ne.Scalar eq.Tensor mul.Tensor"), ("taeda.msort(x)", "sort.default"),
    ("taeda.trapezoid(x)", "select.int select.int add.Tensor mul.Scalar sum.dim_IntList sub.Tensor mul.Scalar"), ("taeda.real(x)", ""),
    ("x.repeat_interleave(2, 0)", "unsqueeze.default expand.default clone.default view.default"), ("taeda.fliplr(x)", "flip.default"),
    ("taeda.linalg.matrix_norm(x, 1)", "linalg_vector_norm.default amax.default"), ("x.mH", "transpose.int"),
    ("taeda.meshgrid([x[0], x[1]], indexing='xy')[1]", "select.int select.int view.default expand.default view.default expand.default"),
])
def test_composed_functions_are_told_by_their_parts(source: str, names: str) -> None:
    names_there = {"taeda": taeda, "x": taeda.arange(6.0).reshape(2, 3)}
    expected = eval(source, names_there)
    with Told() as told:
        found = eval(source, names_there)
    assert told.names == names.split()
    assert found.dtype == expected.dtype and found.tolist() == expected.tolist()


@pytest.mark.parametrize("source", [
    "taeda.meshgrid(x, x.long(), indexing='ij')", "x.repeat_interleave(2, 3)", "x.repeat_interleave(taeda.tensor([1, 2, 3]), 3)",
    "x.repeat_interleave(True)", "taeda.linalg.vecdot(x.long(), x.long())", "taeda.linalg.vecdot(x, x + 1j)", "taeda.positive(x > 2)",
    "taeda.linalg.norm(taeda.ones(2, 3), 'fro', 0)", "taeda.linalg.matrix_norm(taeda.ones(2, 3), 1, (1, 1))",
    "taeda.linalg.matrix_norm(taeda.ones(2, 3), 1, (0, 5))",
])
def test_composed_functions_refuse_inside_of_a_mode_what_they_refuse_outside(source: str) -> None:
    names_there = {"taeda": taeda, "x": taeda.arange(3.0)}
    said = []
    for mode in (contextlib.nullcontext(), Told()):
        with pytest.raises((IndexError, RuntimeError, TypeError)) as caught, mode:
            eval(source, names_there)
        said.append((caught.type, str(caught.value)))
    assert said[0] == said[1]


def test_views_by_other_names_and_overloads_are_told_as_pytorchs() -> None:
    x = taeda.ones(2, 3)
    with Told() as mode:
        x.movedim(0, 1), x.expand_as(x), x.narrow(1, -2, 1), x.sum_to_size(3), x.lerp(x, 0.5), x % 2, taeda.maximum(x, x), x.unbind()
    assert mode.names == ["permute.default", "expand.default", "slice.Tensor", "sum.dim_IntList", "view.default", "lerp.Scalar",
                          "remainder.Scalar", "maximum.default", "unbind.int"]  # fmt: skip


def test_numbers_are_lifted() -> None:
    told = []

    class Telling(TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            told.append(str(func))
            return func(*args, **(kwargs or {}))

    x = taeda.ones(2)
    with Telling():
        taeda.tensor([1.0]), taeda.as_tensor([1]), taeda.asarray([1]), taeda.from_numpy(np.ones(2)), x.new_tensor([1.0])
    assert told == ["aten.lift_fresh.default"] * 5


def test_a_mode_that_leaves_an_operator_to_others_has_none() -> None:
    x = taeda.zeros(2)
    with Told() as outer, pytest.raises(TypeError, match=r"\[aten.exp.default\] Multiple dispatch failed"), Told(False):
        x.exp()
    assert not outer.names


def test_tensors_that_come_apart() -> None:
    class Pair(taeda.Tensor):
        def __tensor_flatten__(self) -> Any:
            return ["other"], None

        @staticmethod
        def __tensor_unflatten__(inner: Any, context: Any, size: Any, stride: Any) -> Any:
            made = inner["other"].as_subclass(Pair)
            made.other = inner["other"]
            return made

    x = taeda.ones(2, 3).as_subclass(Pair)
    x.other = taeda.zeros(2, 3)
    y = transform_subclass(x, lambda name, inner: inner + 1)
    assert is_traceable_wrapper_subclass(x) and not is_traceable_wrapper_subclass(x.other)
    assert type(y) is Pair and y.other.tolist() == [[1.0] * 3] * 2
    with pytest.raises(AssertionError, match="__tensor_unflatten__"):
        transform_subclass(x, lambda name, inner: inner[0])
    add = taeda.ops.aten.add
    assert return_and_correct_aliasing(add.Tensor, (x, 1), {}, y) is y and return_and_correct_aliasing(add.out, (x, 1), {"out": x}, y) is x
    assert return_and_correct_aliasing(taeda.ops.aten.add_.Tensor, (x, 1), {}, y) is x


def test_results_that_no_derivative_reads_may_be_written_to() -> None:
    x = taeda.tensor([[1.0, -2.0], [3.0, 4.0]], requires_grad=True)
    wanted = taeda.autograd.grad(taeda.mm(x, x).relu_().sum(), x)[0]
    for product in (lambda: taeda.mm(x, x), lambda: taeda.addmm(taeda.zeros(2), x, x), lambda: taeda.bmm(x[None], x[None])[0]):
        with BaseTorchDispatchMode():
            y = product()
            y.relu_()
            assert (taeda.autograd.grad(y.sum(), x)[0] == wanted).all()
    with BaseTorchDispatchMode(), pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y = x.softmax(1)
        y.mul_(2)
        y.sum().backward()


def test_products_over_no_elements_are_zeros() -> None:
    class Same(TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            return func(*args, **(kwargs or {}))

    linear = taeda.ops.linear
    x, y = taeda.ones(5, 4, 0, requires_grad=True), taeda.ones(0, 3, requires_grad=True)
    w, b = taeda.ones(3, 0, requires_grad=True), taeda.arange(3.0, requires_grad=True)
    with Same():
        found = x @ y
        layer = linear(x, w, b)
        (found.sum() + layer.sum()).backward()
        assert linear(taeda.ones(4, 0, 2), taeda.ones(3, 2), b).shape == (4, 0, 3)
    assert found.shape == layer.shape == (5, 4, 3) and not found.any() and layer[1, 2].tolist() == [0.0, 1.0, 2.0]
    assert (x.grad.shape, y.grad.shape, w.grad.shape, b.grad.tolist()) == ((5, 4, 0), (0, 3), (3, 0), [20.0] * 3)


A = taeda.tensor([[1.0, -2.0, 3.0], [4.0, 0.5, -6.0]])
AT = taeda.tensor([1])
# call, the operators that it comes to, as attributes of aten
NAMED = [
    (lambda: A.greater(1), ["gt.Scalar"]), (lambda: A.less_equal(A), ["le.Tensor"]), (lambda: A.subtract(1), ["sub.Tensor"]),
    (lambda: A.div(2, rounding_mode="floor"), ["div.Tensor_mode"]), (lambda: A.clip(0, 1), ["clamp.default"]),
    (lambda: A.clamp(A, A), ["clamp.Tensor"]), (lambda: A.round(decimals=1), ["round.decimals"]), (lambda: A.copysign(-1.0), ["copysign.Scalar"]),
    (lambda: A.max(A.neg()), ["neg.default", "maximum.default"]), (lambda: A.norm(), ["linalg_vector_norm.default"]),
    (lambda: taeda.norm(A, 1, 0, True), ["linalg_vector_norm.default"]), (lambda: A.abs().polygamma(1), ["abs.default", "polygamma.default"]),
    (lambda: A.where(A > 0, -A), ["gt.Scalar", "neg.default", "where.self"]),
    (lambda: taeda.where(A > 0)[0], ["gt.Scalar", "nonzero.default", "unbind.int"]), (lambda: A.index_put((AT,), A[0]), ["select.int", "index_put.default"]),
    (lambda: A.clone().index_put_((AT,), A[0]), ["clone.default", "select.int", "index_put_.default"]),
    (lambda: A.split([1, 2], 1)[1], ["split_with_sizes.default"]), (lambda: taeda.ops.pad(A, (1, 2)), ["constant_pad_nd.default"]),
    (lambda: taeda.ops.pad(A, (1, 1), "reflect"), ["reflection_pad1d.default"]), (lambda: taeda.std_mean(A, 0)[1], ["std_mean.correction"]),
]


@pytest.mark.parametrize(("call", "names"), NAMED, ids=[names[-1] for _, names in NAMED])
def test_a_mode_can_tell_operators_by_their_attributes_of_aten(call: Any, names: list[str]) -> None:
    told: list[Any] = []

    class Mode(TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            told.append(func)
            return func(*args, **(kwargs or {}))

    with Mode():
        found = call()
    assert [func.__name__ for func in told] == names and taeda.equal(found, call())
    for func in told:
        assert getattr(getattr(taeda.ops.aten, func._opname), func._overloadname) is func


@pytest.mark.parametrize(("call", "told"), [
    (lambda x: x.sum(dim=1, keepdim=True), ("aten.sum.dim_IntList", ([1], True), {})),
    (lambda x: x.sum(axis=0), ("aten.sum.dim_IntList", ([0],), {})),
    (lambda x: taeda.pow(input=x, exponent=2), ("aten.pow.Tensor_Scalar", (2,), {})),
    (lambda x: x.clamp(max=1), ("aten.clamp.default", (None, 1), {})),
    (lambda x: x.var(dim=1, unbiased=False), ("aten.var.correction", ([1],), {"correction": 0})),
    (lambda x: x.split(split_size=1, dim=0), ("aten.split.Tensor", (1,), {})),
    (lambda x: x.permute(dims=(1, 0)), ("aten.permute.default", ([1, 0],), {})),
    (lambda x: x.scatter(dim=0, index=INDEX, value=2.0), ("aten.scatter.value", (0, INDEX, 2.0), {})),
    (lambda x: x.sort(dim=0, stable=True), ("aten.sort.stable", (), {"dim": 0, "stable": True})),
    (lambda x: x.div(2, rounding_mode="floor"), ("aten.div.Tensor_mode", (2,), {"rounding_mode": "floor"})),
])  # fmt: skip
def test_arguments_by_keyword_come_at_the_places_of_the_operators(call: Any, told: Any) -> None:
    heard = []

    class Log(TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            heard.append((str(func), args[1:], kwargs or {}))
            return func(*args, **(kwargs or {}))

    x = taeda.arange(6.0).reshape(2, 3)
    with Log():
        found = call(x)
    assert heard == [told]
    for a, b in zip(*(y if isinstance(y, tuple) else (y,) for y in (found, call(x))), strict=True):
        assert a.equal(b)
