"""Every row's calls through taeda and PyTorch side by side: values, dtypes, strides, gradients, exceptions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import harness
import taeda
from opinfo import EVERY, Call, Row

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


# of equal elements PyTorch's choice of index is its algorithm's: with few different values only the values are compared
ANY_OF_EQUALS = {"kthvalue", "topk", "mode", "median", "nanmedian", "sort", "argsort", "msort"}


def dtype_name(t: Any) -> str:
    return str(t.dtype).rpartition(".")[2]


def assert_same(mine: Any, theirs: Any, row: Row, dtype: str, what: str) -> None:
    a, b = harness.flat_outputs(mine), harness.flat_outputs(theirs)
    assert len(a) == len(b), f"{what}: {len(a)} results, PyTorch has {len(b)}"
    rtol, atol = harness.tolerance(row, dtype)
    for x, y in zip(a, b, strict=True):
        if not hasattr(y, "dtype"):
            assert x == y or (x != x and y != y), f"{what}: {x}, PyTorch has {y}"
            continue
        assert dtype_name(x) == dtype_name(y), f"{what}: dtype {x.dtype}, PyTorch has {y.dtype}"
        # integers may give floats, of the default dtype or of half of its precision inside
        least = (1e-10, 1e-12) if dtype in ("float64", "complex128") else (2e-5, 1e-6)
        harness.assert_close(x, y, max(rtol, least[0]), max(atol, least[1]), what)
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
        assert_same(harness.judged(row, found), harness.judged(row, wanted), row, dtype, f"{row.name} call {number} {call} in {dtype}")


def outcome(lib: Any, function: Any, call: Call) -> Any:
    """Return what the call gives, or the exception that it raises."""
    args, kwargs, _ = harness.tensors(lib, call)
    try:
        return harness.run_quietly(function, *args, **kwargs)
    except Exception as error:
        return error


def both_fail(mine: Any, theirs: Any, what: str) -> bool:
    """Whether both raised, of one kind; AssertionError where only one of them did."""
    if isinstance(theirs, Exception):
        assert isinstance(mine, Exception), f"{what}: nothing raised, PyTorch raises {type(theirs).__name__}: {str(theirs)[:150]}"
        same_name = type(mine).__name__ == type(theirs).__name__.removeprefix("_")
        related = same_name or issubclass(type(mine), type(theirs)) or issubclass(type(theirs), type(mine))
        assert related, f"{what}: {type(mine).__name__} ({str(mine)[:100]}), PyTorch raises {type(theirs).__name__}: {str(theirs)[:100]}"
        return True
    assert not isinstance(mine, Exception), f"{what}: {type(mine).__name__}: {str(mine)[:150]}; PyTorch gives a result"
    return False


def without_indices(row: Row, mine: Any, theirs: Any) -> tuple[Any, Any]:
    """Return both results, the values alone where equal elements have no order."""
    return (mine[0], theirs[0]) if row.name in ANY_OF_EQUALS and isinstance(theirs, tuple) else (mine, theirs)


INTEGERS = {"uint8", "int8", "int16", "int32", "int64", "bool"}
COMPLEX = {"complex64", "complex128"}
LOW = {"float16", "bfloat16"}
DIFFERENT = [                    # rows, dtypes in which they differ from PyTorch, and why
    ("ldexp", COMPLEX, "infinite powers of two make other infinities"), ("global_norm adaptive_avg_pool1d adaptive_avg_pool2d cummax cummin", COMPLEX, "no complex kernel"),
    ("linalg.vander", LOW, "more than PyTorch takes"),
    ("fft.fftn fft.ifftn fft.rfftn fft.irfftn fft.hfftn fft.ihfftn", {"int8", "int16"} | COMPLEX, "PyTorch's MKL refuses an empty batch"),
    ("linalg.inv_ex linalg.cond cholesky_inverse", COMPLEX | INTEGERS, "the samples are singular, or no factors"),
    ("svd_lowrank pca_lowrank", COMPLEX, "vectors are unique up to a factor"), ("stft", COMPLEX, "a signal without frames gives none"),
    ("linalg.matrix_exp matrix_exp logit cdist", LOW, "computed in float32; PyTorch's intermediate results overflow or round"),
    ("conv_transpose3d", LOW, "PyTorch adds the taps up in the narrow dtype"),
    ("addmm addmv baddbmm addbmm threshold", {"uint8"}, "PyTorch refuses a number that the byte cannot hold"), ("clamp", {"uint8"}, "PyTorch reads a negative bound as its byte"),
    ("chebyshev_polynomial_t chebyshev_polynomial_u", INTEGERS, "PyTorch's cosines are those of float32"),
    ("affine_grid_generator interpolate", {"uint8"}, "PyTorch's kernels for bytes round differently"), ("trapezoid", INTEGERS, "nothing added up is a float"), ("sinc", COMPLEX, "strides"),
    ("lstm gru rnn_tanh", COMPLEX, "rounding grows from step to step near the functions' poles"), ("gru_cell", LOW, "computed in float32; PyTorch's intermediate results round"),
]


def difference(row: Row, dtype: str) -> str | None:
    """Return why a row is not compared in a dtype."""
    return next((why for names, dtypes, why in DIFFERENT if row.name in names.split() and dtype in dtypes), None)


@pytest.mark.parametrize("dtype", EVERY)
@rows
def test_every_dtype(row: Row, dtype: str) -> None:
    if dtype in row.dtypes:
        pytest.skip("in test_values_dtypes_and_strides")
    if (why := difference(row, dtype)) is not None:
        pytest.skip(why)
    mine, theirs = both(row)
    for number, plain in enumerate(harness.calls_of(row)[:8]):
        call = harness.cast(plain, dtype)
        if not any(harness.is_value(a) for a in harness.arrays_in((plain.args, plain.kwargs))):
            continue
        what = f"{row.name} call {number} {call} in {dtype}"
        wanted, found = outcome(torch, theirs, call), outcome(taeda, mine, call)
        if isinstance(wanted, NotImplementedError) and not isinstance(found, Exception):
            continue                            # a dtype more than PyTorch has
        if isinstance(found, NotImplementedError) and any(a.size == 0 for a in harness.arrays_in((plain.args, plain.kwargs))):
            continue                            # PyTorch never comes to ask for the dtype's kernel where there is nothing to do
        if not both_fail(found, wanted, what):
            assert_same(*without_indices(row, found, wanted), row, dtype, what)


# beside the pointwise ops, those whose result does not hang on the order of its parts
EXTREMES_OF = {"amax", "amin", "max", "min", "aminmax", "argmax", "argmin", "all", "any", "cummax", "cummin", "sort", "argsort", "where", "isclose", "softmax", "log_softmax",
               "logsumexp", "unique", "searchsorted", "bucketize", "maximum", "minimum", "fmax", "fmin", "heaviside", "count_nonzero", "nonzero", "isin"}
OTHER_EXTREMES = {("renorm", "float32"), ("addmm", "float32"), ("sinc", "int64")}      # sums whose order decides; sin(pi 2^63)
EXTREMES = {"float32": [np.inf, -np.inf, np.nan, -0.0, 0.0, 1e-40, -1e-40, 3e38, -3e38, 1.0], "float64": [np.inf, -np.inf, np.nan, -0.0, 0.0, 5e-324, 1.5e308, -1.5e308, 1.0],
            "int64": [2**63 - 1, -(2**63), 0, -1, 1], "int32": [2**31 - 1, -(2**31), 0, -1, 1], "uint8": [255, 0, 1, 128]}


@pytest.mark.parametrize("dtype", EXTREMES)
@rows
def test_extreme_values(row: Row, dtype: str) -> None:
    """Infinities, nan, zeros with a sign, subnormals, and the limits of the integers in place of the values."""
    if dtype not in row.dtypes or (row.name, dtype) in OTHER_EXTREMES or (row.inplace is None and row.name not in EXTREMES_OF):
        pytest.skip("not of this dtype, or a sum whose order decides")
    mine, theirs = both(row)

    def extreme(a: np.ndarray) -> np.ndarray:
        return np.resize(np.array(EXTREMES[dtype], dtype=dtype), a.shape) if harness.is_value(a) else a

    for number, plain in enumerate(harness.calls_of(row)[:3]):
        call = Call(*harness.map_arrays(plain.args, extreme))
        call.kwargs = harness.map_arrays(plain.kwargs, extreme)
        what = f"{row.name} call {number} {call} of extreme {dtype}"
        wanted, found = outcome(torch, theirs, call), outcome(taeda, mine, call)
        if both_fail(found, wanted, what):
            continue
        found, wanted = without_indices(row, found, wanted)
        assert_same(found, wanted, row, dtype, what)
        if row.inplace is None:                 # the sign of a zero that is a sum depends on the order
            continue
        for x, y in zip(harness.flat_outputs(found), harness.flat_outputs(wanted), strict=True):
            if hasattr(y, "is_floating_point") and y.is_floating_point():
                a, b = harness.to_numpy(x), harness.to_numpy(y)
                np.testing.assert_array_equal(np.signbit(a[a == 0]), np.signbit(b[b == 0]), err_msg=f"{what}: signs of zeros")


# PyTorch casts inside of these, then fails or mixes dtypes: it joins tensors of a third dtype, or has no kernel for the lower one.
CAST_INSIDE = {"global_norm", "matrix_exp", "linalg.matrix_exp", "roll", "fft.fftshift", "fft.ifftshift", "linalg.vander", "nextafter",
               "lstm"}               # what PyTorch's lstm does depends on the processor: one kernel, steps, or an error
CASTS = (("float32", "bfloat16"), ("float32", "float16"), ("bfloat16", "bfloat16"), ("float64", "bfloat16"), ("float16", "bfloat16"))


@rows
def test_autocast(row: Row) -> None:
    """Under autocast: the dtypes of the results and, roughly, their values."""
    if row.name in CAST_INSIDE:
        pytest.skip("PyTorch's compositions fail here")
    mine, theirs = both(row)
    for dtype, lower in CASTS:
        for plain in harness.calls_of(row)[:4]:
            call = harness.cast(plain, dtype)
            if not any(harness.is_value(a) for a in harness.arrays_in((plain.args, plain.kwargs))):
                continue
            what = f"{row.name} {call} in {dtype} under autocast to {lower}"
            with torch.autocast("cpu", getattr(torch, lower)):
                wanted = outcome(torch, theirs, call)
            with taeda.autocast("cpu", getattr(taeda, lower)):
                found = outcome(taeda, mine, call)
            if isinstance(wanted, Exception) or (isinstance(found, NotImplementedError) and dtype in LOW):
                continue                            # no kernel, or a wrong call: other tests judge that
            assert not isinstance(found, Exception), f"{what}: {found!r}"
            for x, y in zip(harness.flat_outputs(found), harness.flat_outputs(wanted), strict=True):
                if hasattr(y, "dtype"):
                    assert dtype_name(x) == dtype_name(y), f"{what}: {x.dtype}, PyTorch has {y.dtype}"
                    if row.after is None and y.is_floating_point():
                        harness.assert_close(x, y, 4e-2, 4e-2, what)


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
