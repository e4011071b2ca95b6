"""The same tensor through both libraries' printing, character for character."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings, strategies as st

import taeda

FLOATS = ("float16", "bfloat16", "float32", "float64")
COMPLEX = ("complex64", "complex128")
INTEGERS = ("uint8", "int8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "bool")

SHAPES = st.lists(st.sampled_from([0, 1, 2, 3, 4, 7, 8, 40]), max_size=4).filter(lambda s: math.prod(s) <= 2000)
OPTIONS = st.fixed_dictionaries({}, optional={
    "precision": st.integers(0, 8), "threshold": st.sampled_from([0, 5, 20, 1000]), "edgeitems": st.integers(0, 4),
    "linewidth": st.sampled_from([10, 30, 80, 120]), "profile": st.sampled_from(["default", "short", "full"]),
    "sci_mode": st.sampled_from([True, False]),
})  # fmt: skip
KINDS = st.sampled_from(["plain", "tiny", "huge", "whole", "zeros", "spread", "limits", "odd", "whole odd"])


def numbers(seed: int, kind: str, shape: tuple[int, ...]) -> np.ndarray:
    """Float64 values of one of the kinds that printing tells apart."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape)
    power = rng.uniform(0, 12)
    if kind == "tiny":
        x = x * 10**-power
    elif kind == "huge":
        x = x * 10**power
    elif kind in ("whole", "whole odd"):
        x = np.round(x * 10 ** (power / 2))
    elif kind == "zeros":
        x = x * 0
    elif kind == "spread":
        x = x * 10.0 ** rng.integers(-9, 9, shape)
    elif kind == "limits":
        x = rng.choice([1e8, 1e8 + 8, 1e-4, 0.99e-4, 1000.0, 1000.5, 1.0, 99999.5, 0.99999], shape)
    x = np.asarray(x)
    if kind.endswith("odd") and x.size:
        x.reshape(-1)[rng.integers(x.size, size=2)] = rng.choice([np.nan, np.inf, -np.inf, 0.0, -0.0], 2)
    return x


def pair(dtype: str, seed: int, kind: str, shape: tuple[int, ...]) -> tuple[Any, Any]:
    """The same tensor of both libraries, by way of dtypes that NumPy has."""
    x = numbers(seed, kind, shape)
    if dtype in COMPLEX:
        array = np.empty(shape, dtype)
        array.real, array.imag = x, numbers(seed + 1, kind if seed % 2 else "plain", shape)
    elif dtype in INTEGERS:
        whole = np.nan_to_num(x * 3, posinf=0, neginf=0)
        low, high = (0, 1) if dtype == "bool" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
        array = np.array([min(max(int(v), low), high) for v in whole.reshape(-1)], dtype=dtype).reshape(shape)
    else:
        array = x.astype("float32" if dtype in ("bfloat16", "float16") else dtype)
    a, b = taeda.from_numpy(array), torch.from_numpy(array)
    return a.to(getattr(taeda, dtype)), b.to(getattr(torch, dtype))


@contextlib.contextmanager
def printing(default: str, options: dict[str, Any]) -> Iterator[None]:
    try:
        for t in (taeda, torch):
            t.set_default_dtype(getattr(t, default))
            t.set_printoptions(**options)
        yield
    finally:
        for t in (taeda, torch):
            t.set_default_dtype(t.float32)
            t.set_printoptions(profile="default")


def assert_same(a: Any, b: Any) -> None:
    assert repr(a).replace("dtype=taeda.", "dtype=torch.") == repr(b)
    assert str(a).replace("dtype=taeda.", "dtype=torch.") == str(b)


@settings(max_examples=1500, deadline=None, derandomize=True, database=None)
@given(st.sampled_from(FLOATS + COMPLEX + INTEGERS), st.integers(0, 10**6), KINDS, SHAPES, OPTIONS,
       st.sampled_from(["float32"] * 6 + ["float64", "float16", "bfloat16"]), st.sampled_from(["", "leaf", "node", "meta"]), st.booleans())  # fmt: skip
@example("float32", 0, "plain", [40, 40], {"edgeitems": 0, "threshold": 5}, "float32", "", False)
@example("complex64", 1, "odd", [2000], {}, "float32", "node", False)
def test_texts_are_equal(
    dtype: str, seed: int, kind: str, shape: list[int], options: dict[str, Any], default: str, how: str, turned: bool
) -> None:
    a, b = pair(dtype, seed, kind, tuple(shape))
    if turned and len(shape) > 1:
        a, b = a.transpose(0, -1), b.transpose(0, -1)
    if how in ("leaf", "node") and dtype not in INTEGERS:
        a, b = a.requires_grad_(), b.requires_grad_()
        if how == "node":
            a, b = a.clone(), b.clone()
    if how == "meta":
        a, b = a.to("meta"), b.to("meta")
    with printing(default, options):
        assert_same(a, b)


@pytest.mark.parametrize("dtype", FLOATS + COMPLEX + INTEGERS)
def test_a_scalar_is_formatted_as_its_number(dtype: str) -> None:
    for kind in ("plain", "whole", "tiny", "huge"):
        a, b = pair(dtype, 3, kind, ())
        for spec in ("", ">12", ".2f", "d", "e", "g", "+.3e", "x", "<8", "%", "s"):
            found: list[Any] = []
            for x in (a, b):
                try:
                    found.append(format(x, spec))
                except (TypeError, ValueError) as e:
                    found.append(type(e))
            assert found[0] == found[1], (kind, spec)


class Sub:
    """Makes a subclass of either library's Tensor."""

    def __new__(cls, t: Any) -> Any:
        return type("Sub", (t.Tensor,), {})


# what is printed beside tensors; t is either library
THINGS = [
    *(f"t.finfo(t.{d})" for d in (*FLOATS, *COMPLEX)), "t.finfo()", *(f"t.iinfo(t.{d})" for d in INTEGERS[:-1]),
    "str(t.finfo(t.half))", "t.float32", "t.half", "t.cfloat", "t.bool", "t.complex32", "t.device('cpu')", "t.device('cpu:0')",
    "t.device('meta')", "str(t.device('cpu', 0))", "t.Size([2, 3])", "t.Size([])", "str(t.Size((2,)))", "t.Size([2, 3])[1:]",
    "t.channels_last", "t.contiguous_format", "t.preserve_format", "t.channels_last_3d", "t.strided",
    "t.nn.Parameter(t.tensor([1., 2.]))", "t.nn.Parameter(t.tensor(1.), requires_grad=False)", "str(t.nn.Parameter(t.ones(2, 2)))",
    "t.nn.Parameter(t.tensor([1]), requires_grad=False)", "t.nn.Parameter(t.ones(2, device='meta'))",
    "t.nn.Parameter(t.ones(2, dtype=t.float64)).detach()", "t.ones(2).as_subclass(Sub(t))",
    "type('P', (t.nn.Parameter,), {})(t.ones(2))", "[t.ones(2)]", "{'a': t.ones(2)}",
    "(t.tensor(1), t.Size([1]))", "f'{t.tensor(3)}'", "f'{t.tensor(3.25, requires_grad=True):.1f}'", "f'{t.tensor([3.25])}'",
    "f'{t.tensor(3, device=\"meta\")}'", "'%.3f' % t.tensor(2.5)", "'%d' % t.tensor(2)", "'%s' % t.tensor(2)", "f'{t.tensor(1.5)!r}'",
    "f'{t.nn.Parameter(t.tensor(1.5))}'", "f'{t.tensor(1 + 2j):.2f}'", "t.tensor([1 + 2j]).conj()", "t.ones(2, dtype=t.complex64).imag",
    "t.tensor([[], []], dtype=t.int64)", "t.tensor([[]])", "t.zeros(3, 0, 2)", "t.empty(0, dtype=t.complex64)",
    "t.ones(3, requires_grad=True)[:2].sum()", "t.ones(3, 3, requires_grad=True)[0].split(1)[0]", "t.ones(3, requires_grad=True).max()",
    "t.tensor([65504., 1e-3]).half()", "t.tensor([0.1, 3e38]).bfloat16()", "t.tensor([float('inf'), 1.]).half()",
]  # fmt: skip


@pytest.mark.parametrize("thing", THINGS)
def test_other_things_are_printed_alike(thing: str) -> None:
    a, b = (repr(eval(thing, {"t": t, "Sub": Sub})) for t in (taeda, torch))
    assert a.replace("taeda.", "torch.") == b


@pytest.mark.parametrize("thing", ["f'{t.ones(2):.2f}'", "f'{t.ones((), device=\"meta\"):d}'", "f'{t.tensor(3.5):d}'", "f'{t.tensor(1j):d}'",
                                   "f'{t.tensor(1.5).as_subclass(Sub(t)):.1f}'", "f'{t.nn.Parameter(t.tensor(1.5)):.2f}'", "t.iinfo(t.bool)",
                                   "t.iinfo(t.float32)", "t.finfo(t.int32)", "t.dtype()"])  # fmt: skip
def test_what_cannot_be_printed_raises_alike(thing: str) -> None:
    kinds = []
    for t in (torch, taeda):
        with pytest.raises(Exception) as caught:
            eval(thing, {"t": t, "Sub": Sub})
        kinds.append(caught.type)
    assert issubclass(kinds[1], kinds[0])
