"""Graphs of fx beside PyTorch's: small ones made by chance, calls that are kept, models of vision."""

from __future__ import annotations

import functools
import operator
from typing import Any

import pytest
import torch
import torch.fx
from hypothesis import given, settings, strategies as st

import taeda
import taeda.fx
from fx_compared import assert_same, plain, told

UNARY = ("relu", "neg", "abs", "tanh", "sigmoid", "exp")
BINARY = ("add", "sub", "mul", "truediv", "pow", "lt", "matmul", "floordiv")
STEP = st.tuples(st.sampled_from(["function", "method", "operator", "number", "reflected", "index"]), st.sampled_from(UNARY), st.sampled_from(BINARY),
                 st.integers(0, 5), st.integers(0, 5), st.sampled_from([2, -1, 0.5, True]))  # fmt: skip


def built(lib: Any, steps: list[Any]) -> Any:
    def f(x, y):
        values = [x, y]
        for kind, unary, binary, i, j, number in steps:
            a, b = values[i % len(values)], values[j % len(values)]
            if kind == "function":
                values.append(getattr(lib, unary)(a))
            elif kind == "method":
                values.append(getattr(a, unary)())
            elif kind == "operator":
                values.append(getattr(operator, binary)(a, b))
            elif kind == "number":
                values.append(getattr(operator, "add" if binary == "matmul" else binary)(a, number))
            elif kind == "reflected":
                left = abs(number) if binary == "pow" else number       # PyTorch writes (-1) ** x as -1 ** x, another number
                values.append(getattr(operator, "mul" if binary == "matmul" else binary)(left, a))
            else:
                values.append(a[i:, :j])
        return values[-1], values[len(values) // 2]

    return lib.fx.symbolic_trace(f)


OPERATORS = ("aten.add_.Tensor", "aten.mul.out", "aten.relu_.default", "aten.add.Tensor", "aten.bernoulli.default", "aten.dropout.default",
             "aten.normal_.default", "rand", "randn", "randint", "randperm", "normal", "poisson", "multinomial", "dropout", "add")


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize("random", [True, False])
def test_the_same_calls_are_kept(name: str, random: bool) -> None:
    def kept(lib: Any) -> bool:
        graph = lib.fx.Graph()
        target = functools.reduce(getattr, name.split("."), lib.ops if "." in name else lib)
        return graph.call_function(target, (graph.placeholder("x"),)).is_impure(random)

    assert kept(taeda) == kept(torch)


@settings(max_examples=60, deadline=None)
@given(st.lists(STEP, min_size=1, max_size=9))
def test_graphs_made_by_chance_are_the_same(steps: list[Any]) -> None:
    ours, theirs = built(taeda, steps), built(torch, steps)
    assert_same(plain(told(ours)), plain(told(theirs)))
    assert ours.graph.eliminate_dead_code() == theirs.graph.eliminate_dead_code()
    ours.recompile(), theirs.recompile()
    assert ours.code == plain(theirs.code)


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_models_of_vision_trace_as_torchvisions(name: str) -> None:
    theirs = pytest.importorskip("torchvision")
    import taeda.vision

    mine = taeda.fx.symbolic_trace(getattr(taeda.vision.models, name)())
    assert mine.code == plain(torch.fx.symbolic_trace(getattr(theirs.models, name)()).code)
