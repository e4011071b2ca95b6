"""The harness sees a broken op: each check is given an op that breaks just its rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import harness
import taeda
from opinfo import Call, Row


class Library:
    """taeda with one function more."""

    __name__ = "library"

    def __init__(self, op: Callable[..., Any]) -> None:
        self.op = op

    def __getattr__(self, name: str) -> Any:
        return getattr(taeda, name)


class Crooked(taeda.autograd.Function):
    """exp, whose gradient is off by one in a hundred."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        y = x.exp()
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * ctx.saved_tensors[0] * 1.01


class Flat(Crooked):
    """exp, whose gradient is right and has no derivative of its own."""

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * ctx.saved_tensors[0].detach()


def samples(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(rng.uniform(-1, 1, (2, 3)))
    yield Call(rng.uniform(-1, 1, 4))


def in_place(x: Any) -> Any:
    return x.exp_()


def of_memory(x: Any) -> Any:
    """Read the memory in order, whatever the strides say."""
    return x.as_strided(tuple(x.shape), taeda.empty(tuple(x.shape)).stride()).exp()


def half(x: Any, out: Any = None) -> Any:
    return x.exp() if out is None else x.exp()


def row(**options: Any) -> Row:
    return Row("op", samples, np.exp, **options)


def test_a_right_op_passes_every_check() -> None:
    lib = Library(taeda.exp)
    right = row(method="exp", inplace="exp_", out=True)
    for dtype in ("float16", "bfloat16", "float32", "float64", "complex64", "complex128"):
        assert harness.check_forward(lib, right, dtype) == 2
    assert harness.check_gradient(lib, right, 1) == harness.check_gradient(lib, right, 2) == 2
    assert harness.check_strided(lib, right) == harness.check_expanded(lib, right) == harness.check_out(lib, right) == harness.check_meta(lib, right) == 2
    harness.check_forms(lib, right)


@pytest.mark.parametrize(("op", "check", "text"), [
    (lambda x: x.exp() * (1 + 1e-3), lambda lib: harness.check_forward(lib, row(), "float32"), "Not equal to tolerance"),
    (lambda x: x.exp().reshape(-1), lambda lib: harness.check_forward(lib, row(), "float64"), "shape"),
    (lambda x: (x.exp(), x), lambda lib: harness.check_forward(lib, row(), "float64"), "2 results, expected 1"),
    (in_place, lambda lib: harness.check_forward(lib, row(), "float64"), "changed an input"),
    (Crooked.apply, lambda lib: harness.check_gradient(lib, row(), 1), "op"),
    (Flat.apply, lambda lib: harness.check_gradient(lib, row(), 2), "op"),
    (of_memory, lambda lib: harness.check_strided(lib, row()), "strided inputs"),
    (lambda x: x.as_strided((x.numel(),), (1,)).exp().reshape(x.shape) if x.stride()[0] else x * 0, lambda lib: harness.check_expanded(lib, row()), "expanded inputs"),
    (lambda x: x.exp() * 1.0001, lambda lib: harness.check_forms(lib, row(method="exp")), "as method"),
    (half, lambda lib: harness.check_out(lib, row(out=True)), "out="),
    (lambda x: x.exp().float() if x.is_meta else x.exp(), lambda lib: harness.check_meta(lib, row()), "on meta"),
], ids=["value", "shape", "count", "mutated input", "gradient", "second gradient", "strides", "expanded", "method", "out", "dtype on meta"])
def test_a_broken_op_fails(op: Callable[..., Any], check: Callable[[Any], Any], text: str) -> None:
    with pytest.raises((AssertionError, RuntimeError), match=text):
        check(Library(op))


def test_rows_of_a_name_get_ids_of_their_own() -> None:
    assert harness.row_ids([row(), row(), Row("other", samples)]) == ["op", "op-2", "other"]
