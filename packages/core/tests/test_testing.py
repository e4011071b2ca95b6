"""assert_close by what it must tell apart, and the rooms whose functions return what they are given."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

import taeda
from taeda.testing import assert_close, make_tensor

one = taeda.ones(2)


@pytest.mark.parametrize(
    ("a", "b", "options"),
    [
        (one, one + 1e-6, {}), (one.double(), one.double() + 1e-8, {}), ([1, 2.0], [1, 2.0 + 1e-8], {}), ({"a": one}, {"a": one}, {}), (None, None, {}),
        (np.ones(2), np.ones(2), {}), (one.int(), one, {"check_dtype": False}), (one * float("nan"), one * float("nan"), {"equal_nan": True}),
        (1, 1.0, {"check_dtype": False}), (one, one + 0.5, {"rtol": 0, "atol": 0.5}), (taeda.ones(0), taeda.ones(0), {}), (1j, 1j + 1e-9, {}),
        (one.half(), one.half() + 1e-3, {}), (one.bool(), one.bool(), {}),
    ],
)  # fmt: skip
def test_what_is_close(a: Any, b: Any, options: dict[str, Any]) -> None:
    assert_close(a, b, **options)


@pytest.mark.parametrize(
    ("a", "b", "options", "text"),
    [
        (one, taeda.tensor([1.0, 2.0]), {}, r"not close!\n\nMismatched elements: 1 / 2 \(50.0%\)\nGreatest absolute difference: 1.0 at index \(1,\) "
         r"\(up to 1e-05 allowed\)\nGreatest relative difference: 0.5 at index \(1,\)"),
        (one, taeda.ones(3), {}, r"'shape' do not match: expected \[3\] but got \[2\]"),
        (one, one.double(), {}, "'dtype' do not match: expected taeda.float64 but got taeda.float32"),
        (one, taeda.ones(2, device="meta"), {}, "'device' do not match"), (1, 2, {}, "Expected 2 but got 1.\nAbsolute difference: 1\n"),
        (1.0, 1.5, {}, r"Scalars are not close!\n\nExpected 1.5 but got 1.0.\nAbsolute difference: 0.5 \(up to 1e-07 allowed\)\nRelative difference: 0.3333333333333333 "), (1.0, 1, {}, "types do not match"),
        (taeda.tensor(1), taeda.tensor(2), {}, r"Scalars are not equal!\n\nExpected 2 but got 1.\nAbsolute difference: 1\nRelative difference: 0.5$"),
        (1.0, 1.1, {"rtol": 0, "atol": 0.01}, r"Absolute difference: 0.10000000000000009 \(up to 0.01 allowed\)\nRelative.*up to 0 allowed\)$"),
        ([True], [False], {}, r"Booleans mismatch at \[0\]: True is not False"), ([1], [1, 2], {}, "The length of the sequences mismatch: expected 2 but got 1"),
        ([one, {"k": 1}], [one, {"k": 2}], {}, r"at \[1\]\['k'\]"), ({"a": 1}, {"b": 1}, {}, "keys of the mappings do not match"),
        (one * float("nan"), one * float("nan"), {}, "Mismatched elements: 2 / 2"), (taeda.tensor([2**62]), taeda.tensor([2**62 + 1]), {}, "absolute difference: 1 at"),
        (taeda.ones(1, 2).T, taeda.ones(2, 1), {"check_stride": True}, "'stride' do not match"), (one, one + 1, {"msg": "mine"}, "^mine$"),
        (True, None, {}, "None mismatch: expected None but got True"), ([None], [one], {}, r"None mismatch at \[0\]"),
        (one, one + 1, {"msg": lambda text: text.upper()}, "TENSOR-LIKES ARE NOT CLOSE"), (taeda.eye(2), taeda.ones(2, 2), {}, r"difference: 1.0 at index \(0, 1\)"),
    ],
)  # fmt: skip
def test_what_is_not_close_says_where_and_by_how_much(a: Any, b: Any, options: dict[str, Any], text: str) -> None:
    with pytest.raises(AssertionError, match=text):
        assert_close(a, b, **options)


def test_what_cannot_be_compared() -> None:
    for a, b in ((one, 1.0), (one, [1.0, 1.0]), (one, one.numpy()), (object(), object()), ("a", "a")):
        with pytest.raises(TypeError, match="cannot compare"):
            assert_close(a, b)
    with pytest.raises(ValueError, match="must both be specified"):
        assert_close(one, one, rtol=1)
    with pytest.raises(TypeError, match="types differ"):
        assert_close(one, 1, allow_subclasses=False)


def test_made_tensors() -> None:
    for d in (taeda.float32, taeda.int64, taeda.uint8, taeda.bool, taeda.complex64, taeda.bfloat16):
        x = make_tensor(3, 4, dtype=d, noncontiguous=True)
        assert x.shape == (3, 4) and x.dtype == d and not x.is_contiguous()
    assert make_tensor((50,), dtype=taeda.int32, low=-1, high=2, exclude_zero=True).unique().tolist() == [-1, 1]
    assert make_tensor(2, dtype=taeda.float64, requires_grad=True).requires_grad
    with pytest.raises(ValueError, match="must be less than"):
        make_tensor(2, dtype=taeda.float32, low=1, high=0)
    with pytest.raises(ValueError, match="holds nothing from"):
        make_tensor(2, dtype=taeda.float64, low=10**400, high=10**401)
    with pytest.warns(FutureWarning, match="^Passing `low==high` to `taeda.testing.make_tensor` for floating or complex types is deprecated"):
        assert make_tensor(2, dtype=taeda.float32, low=3, high=3).tolist() == [3.0, 3.0]
    with pytest.raises(ValueError, match="requires_grad must be False"):
        make_tensor(2, dtype=taeda.int64, requires_grad=True)


def test_scripts_and_traces_are_the_functions_themselves() -> None:
    jit = taeda.jit

    def f(x: taeda.Tensor) -> taeda.Tensor:
        return x * 2

    assert all(g(f) is f for g in (jit.unused, jit.export, jit.ignore, jit.ignore(drop=True), jit.script_if_tracing))
    with pytest.warns(DeprecationWarning, match="^`taeda.jit.script` is deprecated. Please switch to `taeda.compile`"):
        assert jit.script(f) is f
    with pytest.warns(DeprecationWarning, match="^`taeda.jit.trace` is deprecated"):
        assert jit.trace(f, (one,)) is f
    assert not jit.is_scripting() and not jit.is_tracing()
    assert not isinstance(f, jit.ScriptFunction) and issubclass(jit.TopLevelTracedModule, jit.ScriptModule)
    assert importlib.import_module("taeda.jit._script").RecursiveScriptModule is jit.RecursiveScriptModule
    assert not issubclass(jit.Error, RuntimeError) and jit.Attribute([], list[int]).value == []
    for g in (jit.save, jit.load):
        with pytest.raises(NotImplementedError, match="state_dict"):
            g("model.pt")


def test_there_is_no_accelerator() -> None:
    found = taeda.accelerator
    assert not found.is_available() and found.device_count() == 0 and found.current_accelerator() is None
    for ask in (found.current_device_index, found.synchronize, lambda: found.set_device_index(0)):
        with pytest.raises(RuntimeError, match="no CUDA device is available"):
            ask()
