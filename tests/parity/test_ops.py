"""Every row's calls through taeda and PyTorch side by side: values, dtypes, strides, gradients, exceptions."""

from __future__ import annotations

from typing import Any

import harness
import numpy as np
import pytest
import taeda
import torch
from opinfo import Call, Row

ROWS = [r for r in harness.load_rows() if r.torch is not None]
IDS = harness.row_ids(ROWS)
rows = pytest.mark.parametrize("row", ROWS, ids=IDS)


def both(row: Row) -> tuple[Any, Any]:
    """Return taeda's function and PyTorch's."""
    if row.torch or "." in row.name:
        theirs: Any = torch
        for part in (row.torch or row.name).split("."):
            theirs = getattr(theirs, part)
    else:
        theirs = getattr(torch, row.name, None) or getattr(torch.nn.functional, row.name)
    return harness.find(taeda, row.name), theirs


def dtype_name(t: Any) -> str:
    return str(t.dtype).rpartition(".")[2]


def compare(mine: Any, theirs: Any, row: Row, dtype: str, what: str) -> None:
    a, b = harness.flat_outputs(mine), harness.flat_outputs(theirs)
    assert len(a) == len(b), f"{what}: {len(a)} results, PyTorch has {len(b)}"
    rtol, atol = harness.tolerance(row, dtype)
    for x, y in zip(a, b, strict=True):
        if not hasattr(y, "dtype"):
            assert x == y or (x != x and y != y), f"{what}: {x}, PyTorch has {y}"
            continue
        assert dtype_name(x) == dtype_name(y), f"{what}: dtype {x.dtype}, PyTorch has {y.dtype}"
        harness.assert_close(x, y, max(rtol, 2e-5 if dtype == "float32" else 1e-10), max(atol, 1e-6 if dtype == "float32" else 1e-12), what)
        if y.numel() > 1 and row.strides:
            same = all(p == q for p, q, n in zip(x.stride(), y.stride(), y.shape, strict=True) if n > 1)
            assert same, f"{what}: strides {x.stride()}, PyTorch has {y.stride()}"


@pytest.mark.parametrize(
    ("row", "dtype"),
    [pytest.param(r, d, id=f"{i}-{d}") for r, i in zip(ROWS, IDS, strict=True) for d in r.dtypes],
)
def test_values_dtypes_and_strides(row: Row, dtype: str) -> None:
    mine, theirs = both(row)
    for number, plain in enumerate(harness.calls_of(row)):
        call = harness.cast(plain, dtype)
        args, kwargs, _ = harness.tensors(torch, call)
        try:
            wanted = harness.run_quietly(theirs, *args, **kwargs)
        except Exception as error:  # then taeda must raise too, and of the same kind
            args, kwargs, _ = harness.tensors(taeda, call)
            with pytest.raises(type(error)):
                harness.run_quietly(mine, *args, **kwargs)
            continue
        args, kwargs, _ = harness.tensors(taeda, call)
        found = harness.run_quietly(mine, *args, **kwargs)
        compare(harness.judged(row, found), harness.judged(row, wanted), row, dtype, f"{row.name} call {number} {call} in {dtype}")


def gradients(lib: Any, function: Any, call: Call) -> list[Any] | None:
    """Return the gradients of a weighted sum of the outputs with respect to the value inputs."""
    args, kwargs, values = harness.tensors(lib, call, grad=True)
    found = harness.flat_outputs(harness.run_quietly(function, *args, **kwargs))
    outs = [o for o in found if hasattr(o, "requires_grad") and o.requires_grad]
    if not outs:
        return None
    total = None
    for o in outs:
        o = lib.view_as_real(o.resolve_conj()) if o.is_complex() else o
        weight = lib.from_numpy(np.cos(np.arange(o.numel(), dtype=np.float64)).reshape(tuple(o.shape)))
        part = (o * weight).sum()
        total = part if total is None else total + part
    return list(lib.autograd.grad(total, values, allow_unused=True))


@rows
def test_gradients(row: Row) -> None:
    if not row.grad:
        pytest.skip("not differentiable")
    mine, theirs = both(row)
    for call in harness.calls_of(row):
        try:
            wanted = gradients(torch, harness.graded(row, theirs), call)
        except (RuntimeError, IndexError, TypeError, ValueError):
            continue
        found = gradients(taeda, harness.graded(row, mine), call)
        assert (found is None) == (wanted is None), f"{row.name} {call}: differentiable {found is not None}, PyTorch {wanted is not None}"
        for i, (a, b) in enumerate(zip(found or [], wanted or [], strict=True)):
            if b is None or a is None:
                # no gradient and a gradient of zeros mean the same to a user
                assert a is None or not harness.to_numpy(a).any(), f"{row.name} {call}: gradient {i} is not None"
                assert b is None or not harness.to_numpy(b).any(), f"{row.name} {call}: gradient {i} is None"
                continue
            harness.assert_close(a, b, 1e-7, 1e-9, f"{row.name} {call}: gradient of input {i}")


ERRORS = [pytest.param(r, *e, id=f"{i}-{n}") for r, i in zip(ROWS, IDS, strict=True) for n, e in enumerate(r.errors)]


@pytest.mark.parametrize(("row", "call", "error", "text"), ERRORS)
def test_errors_have_the_same_type(row: Row, call: Call, error: type[BaseException], text: str) -> None:
    _, theirs = both(row)
    args, kwargs, _ = harness.tensors(torch, call)
    try:
        harness.run_quietly(theirs, *args, **kwargs)
    except AttributeError:
        return                          # PyTorch's Python code tripped over the argument before any check
    except Exception as wanted:
        assert issubclass(error, type(wanted)) or issubclass(type(wanted), error), f"{row.name} {call}: PyTorch raises {type(wanted).__name__}"
