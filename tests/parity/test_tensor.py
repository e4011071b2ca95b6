"""The same line of source with torch and with taeda as T: values, dtypes, shapes, strides, flags, exception types.

The lines are in ``expressions/``.  A line may hold several statements apart by ``;``: the last is the expression
that is compared.  What the names in a line stand for is in ``names``.
"""

from __future__ import annotations

import copy
import itertools
import math
import operator
import pathlib
import pickle
import warnings
from typing import Any

import numpy as np
import pytest
import torch

import taeda

FOLDER = pathlib.Path(__file__).parent / "expressions"
LINES = [
    pytest.param(line, id=f"{path.stem}-{number}")
    for path in sorted(FOLDER.glob("*.txt"))
    for number, line in enumerate(path.read_text().splitlines(), 1)
    if line and not line.startswith("#")
]


def names(lib: Any) -> dict[str, Any]:
    """Return what the names in an expression mean."""
    return {
        "T": lib, "np": np, "copy": copy, "math": math, "pickle": pickle, "inf": math.inf, "nan": math.nan,
        "x": lib.arange(6.0).reshape(2, 3) + 1,
        "i": lib.arange(6).reshape(2, 3),
        "b": lib.tensor([[True, False, True], [False, False, True]]),
        "u": lib.tensor([250, 3, 7], dtype=lib.uint8),
        "d": lib.tensor([0.5, -1.5, 2.5], dtype=lib.float64),
        "s": lib.tensor(3.0),
        "k": lib.tensor(2),
        "e": lib.empty(0, 3),
        "v": lib.tensor([1.0, -2.0, 3.0]),
        "n32": lib.tensor([1, -2, 3], dtype=lib.int32),
        "g": lib.tensor([1.0, 2.0, 3.0], requires_grad=True),
        "m": lib.empty(2, 3, device="meta"),
        "z": lib.tensor([True, False]),
    }


def seen(v: Any, lib: Any) -> Any:
    """Return a value as plain data, for a comparison between the libraries."""
    if isinstance(v, lib.Tensor):
        content = None if v.device.type == "meta" else plain(v.detach().tolist())
        return ("tensor", str(v.dtype).rpartition(".")[2], tuple(v.shape), tuple(v.stride()), v.requires_grad, content, str(v.device))
    if isinstance(v, (tuple, list)) and type(v).__name__ != "Size":
        return [seen(x, lib) for x in v]
    if isinstance(v, np.ndarray):
        return ("array", v.dtype.name, v.shape, v.strides, plain(v.tolist()))
    if isinstance(v, float):
        return plain(v)
    if isinstance(v, dict):
        return {str(key): seen(x, lib) for key, x in v.items()}
    return type(v).__name__, repr(v).replace("taeda.", "torch.")


def plain(v: Any) -> Any:
    """Return nested numbers with floats to five digits: the last bits may differ."""
    return [plain(x) for x in v] if isinstance(v, list) else f"{v:.5g}" if isinstance(v, float) else repr(v)


def outcome(source: str, lib: Any) -> Any:
    """Return what a line gives, or the name of its exception."""
    lib.manual_seed(0)
    scope = names(lib)
    *before, last = [part.strip() for part in source.split(";")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            exec("\n".join(before), scope)
            return seen(eval(last, scope), lib)
        except Exception as error:
            return f"raises {type(error).__name__}"


@pytest.mark.parametrize("line", LINES)
def test_a_line_gives_what_it_gives_with_torch(line: str) -> None:
    assert outcome(line, taeda) == outcome(line, torch), line


DTYPES = ("bool", "uint8", "int32", "int64", "float32", "float64")
OPERATORS = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "eq", "lt", "and_", "lshift")
SCALARS = (True, 3, 2.5, -1)


def operand(lib: Any, dtype: str, dims: int) -> Any:
    values = lib.tensor([1, 2, 3]).to(getattr(lib, dtype))
    return values if dims else values[1]


@pytest.mark.parametrize("name", OPERATORS)
def test_promotion_of_all_pairs_of_dtypes(name: str) -> None:
    def pairs(lib: Any) -> Any:
        for a, b in itertools.product(DTYPES, DTYPES):
            for p, q in itertools.product((0, 1), (0, 1)):
                yield f"{a} {p}d, {b} {q}d", operand(lib, a, p), operand(lib, b, q)
        for a, number in itertools.product(DTYPES, SCALARS):
            if name == "pow" and a == "bool" and number is True:      # PyTorch's one power within bool
                continue
            for p in (0, 1):
                yield f"{a} {p}d, {number!r}", operand(lib, a, p), number
                yield f"{number!r}, {a} {p}d", number, operand(lib, a, p)

    def result(lib: Any, a: Any, b: Any) -> Any:
        try:
            return seen(getattr(operator, name)(a, b), lib)
        except (RuntimeError, TypeError) as error:
            return type(error).__name__

    wrong = []
    for (what, a, b), (_, c, d) in zip(pairs(taeda), pairs(torch), strict=True):
        found, wanted = result(taeda, a, b), result(torch, c, d)
        if found != wanted:
            wrong.append(f"{name}({what}): {found}, PyTorch {wanted}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", ["iadd", "isub", "imul", "itruediv", "ifloordiv", "imod", "ipow", "iand"])
def test_in_place_operators_keep_or_refuse_dtypes(name: str) -> None:
    def result(lib: Any, a: str, b: Any) -> Any:
        x = operand(lib, a, 1)
        y = operand(lib, b, 1) if isinstance(b, str) else b
        try:
            found = getattr(operator, name)(x, y)
            return seen(found, lib), found is x
        except (RuntimeError, TypeError) as error:
            return type(error).__name__

    wrong = []
    for a, b in itertools.product(DTYPES, (*DTYPES, *SCALARS)):
        if name == "ipow" and a == "bool" and b is True:
            continue
        found, wanted = result(taeda, a, b), result(torch, a, b)
        if found != wanted:
            wrong.append(f"{name}({a}, {b}): {found}, PyTorch {wanted}")
    assert not wrong, "\n".join(wrong)


def layouts_of(lib: Any) -> list[Any]:
    base = lib.arange(120.0)
    shapes = [
        ((2, 3), (3, 1)), ((2, 3), (1, 2)), ((2, 1, 4), (1, 8, 2)), ((1, 3), (1, 1)), ((3, 1), (1, 3)), ((0, 3), (3, 1)), ((3, 0, 2), (1, 6, 3)),
        ((2, 3), (0, 1)), ((2, 3), (1, 0)), ((2, 3), (8, 2)), ((3, 2), (2, 8)), ((2, 3, 4), (4, 8, 1)), ((2, 3, 4), (1, 8, 2)), ((1, 1), (5, 7)),
        ((2, 1, 1, 3), (3, 1, 1, 1)), ((2, 2, 2, 2), (8, 1, 4, 2)), ((), ()), ((4,), (3,)), ((1,), (9,)),
    ]  # fmt: skip
    return [base.as_strided(size, stride) for size, stride in shapes]


@pytest.mark.parametrize("source", [
    "x.clone()", "T.empty_like(x)", "x.double()", "x.exp()", "x + x.clone()", "x.contiguous()", "T.zeros_like(x)", "x.neg().double()",
    "x.long()", "T.rand_like(x)", "x.to(T.float32, copy=True)", "x.add(x)", "copy.deepcopy(x)", "x.masked_fill(x > 1, 0.0)",
])  # fmt: skip
def test_strides_of_results_follow_the_input(source: str) -> None:
    for mine, theirs in zip(layouts_of(taeda), layouts_of(torch), strict=True):
        found = eval(source, {"x": mine, "T": taeda, "copy": copy})
        wanted = eval(source, {"x": theirs, "T": torch, "copy": copy})
        assert found.stride() == wanted.stride(), f"{source} of shape {tuple(mine.shape)}, strides {mine.stride()}"


AS_THIS_PROCESSOR = pytest.mark.skipif(torch.backends.cpu.get_cpu_capability() != "AVX2", reason="PyTorch's groups are as long as its vectors")


@AS_THIS_PROCESSOR
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16", "complex64", "complex128"])
def test_numbers_in_even_steps_are_the_same_bits(dtype: str) -> None:
    rng = np.random.default_rng(5)
    mine, theirs = getattr(taeda, dtype), getattr(torch, dtype)
    for n in [*range(1, 70), 500, 10007]:
        a, b = float(rng.normal() * 10), float(rng.normal() * 10)
        if dtype[0] == "c":
            a, b = complex(a, b), complex(b, a / 3)
        got, wanted = taeda.linspace(a, b, n, dtype=mine), torch.linspace(a, b, n, dtype=theirs)
        assert got.tolist() == wanted.tolist(), (a, b, n)
        if dtype[0] != "c":
            step = abs(b) / 7 + 0.01
            got, wanted = taeda.arange(a, a + step * (n - 0.5), step, dtype=mine), torch.arange(a, a + step * (n - 0.5), step, dtype=theirs)
            assert got.tolist() == wanted.tolist(), (a, step, n)


@pytest.mark.parametrize("name", ["float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu"])
def test_floats_of_a_byte_are_rounded_as_pytorch_does(name: str) -> None:
    rng = np.random.default_rng(0)
    anything = rng.integers(0, 2**32, 300_000, dtype=np.uint32).view(np.float32)
    near = (rng.standard_normal(100_000) * np.exp2(rng.integers(-20, 20, 100_000))).astype(np.float32)
    for x in (anything, near, np.arange(2**16, dtype=np.uint16).view(np.float16), near.astype(np.float64), near[:1000].astype(np.int64)):
        mine, theirs = (t.from_numpy(x).to(getattr(t, name)) for t in (taeda, torch))
        np.testing.assert_array_equal(mine.view(taeda.uint8).numpy(), theirs.view(torch.uint8).numpy())
    code = np.arange(256, dtype=np.uint8)
    for wide in ("float64", "float32", "float16", "bfloat16"):
        mine, theirs = (t.from_numpy(code).view(getattr(t, name)).to(getattr(t, wide)).double() for t in (taeda, torch))
        np.testing.assert_array_equal(mine.numpy(), theirs.numpy())
    for x in ([1.0, 2.0, 0.5], [1.0, 2.0], [[448.0, -0.25], [0.0, 4.0]]):
        assert repr(taeda.tensor(x, dtype=getattr(taeda, name))).replace("taeda", "torch") == repr(torch.tensor(x, dtype=getattr(torch, name)))
    assert [str(v) for v in (taeda.finfo(getattr(taeda, name)).max, taeda.finfo(getattr(taeda, name)).min)] == [
        str(v) for v in (torch.finfo(getattr(torch, name)).max, torch.finfo(getattr(torch, name)).min)]
