"""taeda.array_api: the names and signatures of the standard, and values beside NumPy, whose namespace conforms to it too."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import taeda
from taeda import array_api as xp

# The standard 2024.12, name by name.  "/" ends the positional-only parameters, "*" begins the keyword-only ones.
SIGNATURES = """
arange(start, /, stop, step, *, dtype, device)
asarray(obj, /, *, dtype, device, copy)
empty(shape, *, dtype, device)
empty_like(x, /, *, dtype, device)
eye(n_rows, n_cols, /, *, k, dtype, device)
from_dlpack(x, /, *, device, copy)
full(shape, fill_value, *, dtype, device)
full_like(x, /, fill_value, *, dtype, device)
linspace(start, stop, /, num, *, dtype, device, endpoint)
ones(shape, *, dtype, device)
ones_like(x, /, *, dtype, device)
tril(x, /, *, k)
triu(x, /, *, k)
zeros(shape, *, dtype, device)
zeros_like(x, /, *, dtype, device)
astype(x, dtype, /, *, copy, device)
can_cast(from_, to, /)
finfo(type, /)
iinfo(type, /)
isdtype(dtype, kind)
clip(x, /, min, max)
matmul(x1, x2, /)
matrix_transpose(x, /)
tensordot(x1, x2, /, *, axes)
vecdot(x1, x2, /, *, axis)
broadcast_to(x, /, shape)
concat(arrays, /, *, axis)
expand_dims(x, /, axis)
flip(x, /, *, axis)
moveaxis(x, source, destination, /)
permute_dims(x, /, axes)
repeat(x, repeats, /, *, axis)
reshape(x, /, shape, *, copy)
roll(x, /, shift, *, axis)
squeeze(x, /, axis)
stack(arrays, /, *, axis)
tile(x, repetitions, /)
unstack(x, /, *, axis)
take(x, indices, /, *, axis)
take_along_axis(x, indices, /, *, axis)
argmax(x, /, *, axis, keepdims)
argmin(x, /, *, axis, keepdims)
count_nonzero(x, /, *, axis, keepdims)
nonzero(x, /)
searchsorted(x1, x2, /, *, side, sorter)
where(condition, x1, x2, /)
unique_all(x, /)
unique_counts(x, /)
unique_inverse(x, /)
unique_values(x, /)
argsort(x, /, *, axis, descending, stable)
sort(x, /, *, axis, descending, stable)
cumulative_prod(x, /, *, axis, dtype, include_initial)
cumulative_sum(x, /, *, axis, dtype, include_initial)
max(x, /, *, axis, keepdims)
mean(x, /, *, axis, keepdims)
min(x, /, *, axis, keepdims)
prod(x, /, *, axis, dtype, keepdims)
std(x, /, *, axis, correction, keepdims)
sum(x, /, *, axis, dtype, keepdims)
var(x, /, *, axis, correction, keepdims)
all(x, /, *, axis, keepdims)
any(x, /, *, axis, keepdims)
diff(x, /, *, axis, n, prepend, append)
linalg.cholesky(x, /, *, upper)
linalg.cross(x1, x2, /, *, axis)
linalg.det(x, /)
linalg.diagonal(x, /, *, offset)
linalg.eigh(x, /)
linalg.eigvalsh(x, /)
linalg.inv(x, /)
linalg.matmul(x1, x2, /)
linalg.matrix_norm(x, /, *, keepdims, ord)
linalg.matrix_power(x, n, /)
linalg.matrix_rank(x, /, *, rtol)
linalg.matrix_transpose(x, /)
linalg.outer(x1, x2, /)
linalg.pinv(x, /, *, rtol)
linalg.qr(x, /, *, mode)
linalg.slogdet(x, /)
linalg.solve(x1, x2, /)
linalg.svd(x, /, *, full_matrices)
linalg.svdvals(x, /)
linalg.tensordot(x1, x2, /, *, axes)
linalg.trace(x, /, *, offset, dtype)
linalg.vecdot(x1, x2, /, *, axis)
linalg.vector_norm(x, /, *, axis, keepdims, ord)
fft.fft(x, /, *, n, axis, norm)
fft.ifft(x, /, *, n, axis, norm)
fft.fftn(x, /, *, s, axes, norm)
fft.ifftn(x, /, *, s, axes, norm)
fft.rfft(x, /, *, n, axis, norm)
fft.irfft(x, /, *, n, axis, norm)
fft.rfftn(x, /, *, s, axes, norm)
fft.irfftn(x, /, *, s, axes, norm)
fft.hfft(x, /, *, n, axis, norm)
fft.ihfft(x, /, *, n, axis, norm)
fft.fftfreq(n, /, *, d, dtype, device)
fft.rfftfreq(n, /, *, d, dtype, device)
fft.fftshift(x, /, *, axes)
fft.ifftshift(x, /, *, axes)
""".split("\n")[1:-1]
UNARY = """abs acos acosh asin asinh atan atanh bitwise_invert ceil conj cos cosh exp expm1 floor imag isfinite isinf isnan log log1p
log2 log10 logical_not negative positive real reciprocal round sign signbit sin sinh square sqrt tan tanh trunc""".split()
BINARY = """add atan2 bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor copysign divide equal floor_divide
greater greater_equal hypot less less_equal logaddexp logical_and logical_or logical_xor maximum minimum multiply nextafter not_equal pow
remainder subtract""".split()
NAMES = "e inf nan newaxis pi broadcast_arrays meshgrid result_type __array_namespace_info__ __array_api_version__".split()
FLOATS, COMPLEXES = ("float32", "float64"), ("complex64", "complex128")
INTS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
CONFORMING = getattr(np, "__array_api_version__", "") >= "2024.12"
beside_numpy = pytest.mark.skipif(not CONFORMING, reason="this NumPy does not conform to the standard 2024.12")


def found(name: str) -> Any:
    """Walk a dotted name from the namespace."""
    value: Any = xp
    for part in name.split("."):
        value = getattr(value, part)
    return value


@pytest.mark.parametrize("line", SIGNATURES, ids=[s.partition("(")[0] for s in SIGNATURES])
def test_signatures_are_the_standards(line: str) -> None:
    name, _, parameters = line.rstrip(")").partition("(")
    wanted: list[tuple[str, Any]] = []
    keyword = False
    for p in parameters.split(", "):
        if p == "/":
            wanted = [(n, inspect.Parameter.POSITIONAL_ONLY) for n, _ in wanted]
        elif p == "*":
            keyword = True
        else:
            wanted.append((p, inspect.Parameter.KEYWORD_ONLY if keyword else inspect.Parameter.POSITIONAL_OR_KEYWORD))
    assert [(p.name, p.kind) for p in inspect.signature(found(name)).parameters.values()] == wanted


@pytest.mark.parametrize("name", [*UNARY, *BINARY])
def test_elementwise_functions_take_their_operands_by_position(name: str) -> None:
    parameters = list(inspect.signature(found(name)).parameters.values())
    assert [p.name for p in parameters] == (["x"] if name in UNARY else ["x1", "x2"])
    assert all(p.kind is inspect.Parameter.POSITIONAL_ONLY for p in parameters) and found(name).__name__ == name and found(name).__doc__


def test_every_name_is_listed() -> None:
    names = {s.partition("(")[0] for s in SIGNATURES if "." not in s.partition("(")[0]} | {*UNARY, *BINARY, *NAMES, *INTS, *FLOATS, *COMPLEXES}
    assert set(xp.__all__) == names | {"bool", "fft", "linalg"} and all(hasattr(xp, n) for n in xp.__all__)


def test_a_tensor_names_the_namespace() -> None:
    x = taeda.ones(2)
    assert x.__array_namespace__() is xp and x.__array_namespace__(api_version="2023.12") is xp and xp.__array_api_version__ == "2024.12"
    with pytest.raises(ValueError, match=r"\[__array_namespace__\] version '1999.1'"):
        x.__array_namespace__(api_version="1999.1")
    assert x.to_device("cpu") is x and x.to_device("meta").device.type == "meta"
    with pytest.raises(ValueError, match=r"\[to_device\] stream must be None"):
        x.to_device("cpu", stream=1)


def values(dtype: str, shape: tuple[int, ...] = (2, 3), seed: int = 0) -> np.ndarray:
    """Draw an array in which every function has something to do."""
    rng = np.random.default_rng(seed)
    if dtype == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    if dtype in INTS:
        return rng.integers(0 if dtype[0] == "u" else -5, 6, shape).astype(dtype)
    x = rng.uniform(-0.9, 0.9, shape)
    return (x + 1j * rng.uniform(-0.9, 0.9, shape) if dtype in COMPLEXES else x).astype(dtype)


def same(mine: Any, theirs: Any, what: str) -> None:
    """Compare arrays, tuples of them, or plain values."""
    if isinstance(theirs, (tuple, list)):
        assert len(mine) == len(theirs), what
        for a, b in zip(mine, theirs, strict=True):
            same(a, b, what)
        return
    theirs = np.asarray(theirs)
    assert (mine.dtype.name, tuple(mine.shape)) == (theirs.dtype.name, theirs.shape), what
    tolerance = 2e-5 if mine.dtype.name in ("float32", "complex64") else 1e-12
    np.testing.assert_allclose(mine.numpy(), theirs, rtol=tolerance, atol=tolerance, err_msg=what)


def check(name: str, *args: Any, **kwargs: Any) -> None:
    """Compare a call in both namespaces; NumPy arrays stand for arrays, strings of dtypes for dtypes."""

    def ours(a: Any) -> Any:
        if isinstance(a, np.ndarray):
            return taeda.from_numpy(a.copy())
        if isinstance(a, (list, tuple)):
            return type(a)(ours(v) for v in a)
        return getattr(xp, a) if isinstance(a, str) and a in (*INTS, *FLOATS, *COMPLEXES, "bool") else a

    theirs: Any = np
    for part in name.split("."):
        theirs = getattr(theirs, part)
    with np.errstate(all="ignore"):
        wanted = theirs(*args, **kwargs)
    same(found(name)(*[ours(a) for a in args], **{k: ours(v) for k, v in kwargs.items()}), wanted, f"{name}{args}{kwargs}")


KINDS_OF = {
    **dict.fromkeys(UNARY, (*FLOATS, *COMPLEXES)),
    **dict.fromkeys(("ceil", "floor", "trunc"), (*INTS, *FLOATS)),
    **dict.fromkeys(("abs", "isfinite", "isinf", "isnan", "negative", "positive", "round", "sign", "square"), (*INTS, *FLOATS, *COMPLEXES)),
    "real": COMPLEXES, "imag": COMPLEXES, "conj": COMPLEXES, "signbit": FLOATS, "bitwise_invert": ("bool", *INTS), "logical_not": ("bool",),
}  # fmt: skip
UNSIGNED_TOO = {"negative": ("int8", "int64", *FLOATS, *COMPLEXES)}


@beside_numpy
@pytest.mark.parametrize("name", UNARY)
def test_unary_functions(name: str) -> None:
    for dtype in UNSIGNED_TOO.get(name, KINDS_OF[name]):
        x = values(dtype)
        if name in ("log", "log2", "log10", "sqrt", "reciprocal") and dtype in FLOATS:
            x = np.abs(x) + np.asarray(0.1, dtype)
        if name == "acosh" and dtype in FLOATS:
            x = np.abs(x) + 1
        check(name, x)


KINDS_OF_PAIRS = {
    **dict.fromkeys(("add", "multiply", "subtract", "equal", "not_equal"), (*INTS, *FLOATS, *COMPLEXES)),
    **dict.fromkeys(("greater", "greater_equal", "less", "less_equal", "maximum", "minimum", "floor_divide", "remainder"), (*INTS, *FLOATS)),
    **dict.fromkeys(("atan2", "copysign", "hypot", "logaddexp", "nextafter"), FLOATS),
    **dict.fromkeys(("bitwise_and", "bitwise_or", "bitwise_xor"), ("bool", *INTS)),
    **dict.fromkeys(("bitwise_left_shift", "bitwise_right_shift"), INTS),
    **dict.fromkeys(("logical_and", "logical_or", "logical_xor"), ("bool",)),
    "divide": (*FLOATS, *COMPLEXES), "pow": (*INTS, *FLOATS, *COMPLEXES),
}  # fmt: skip


@beside_numpy
@pytest.mark.parametrize("name", BINARY)
def test_binary_functions_broadcast_and_promote(name: str) -> None:
    kinds = KINDS_OF_PAIRS[name]
    for dtype in kinds:
        x, y = values(dtype), values(dtype, (3,), 1)
        if name in ("floor_divide", "remainder"):
            y = np.where(y == 0, np.ones((), dtype), y)
        if name in ("pow", "bitwise_left_shift", "bitwise_right_shift"):
            y = np.abs(y).astype(dtype)
            x = np.abs(x).astype(dtype) if dtype in FLOATS else x
        check(name, x, y)
        if dtype not in ("bool", "uint64", *COMPLEXES) and name not in ("nextafter",):
            check(name, x, 2 if dtype in INTS else 0.5)
    if {"int8", "int32"} <= {*kinds}:             # a 0-d array counts as much as any other
        check(name, np.abs(values("int8")) + np.int8(1), np.asarray(2, "int32"))
        check(name, np.abs(values("uint8")) + np.uint8(1), np.asarray(2, "int8"))
    if {"float32", "float64"} <= {*kinds}:
        check(name, np.abs(values("float32")) + np.float32(1), np.asarray(2.0, "float64"))


X = values("float64", (2, 3, 4))
V = values("float64", (5,))
CALLS: list[tuple[Any, ...]] = [
    ("arange", 3), ("arange", 1, 7, 2), ("arange", 5, 1), ("arange", 5, 1, -2), ("arange", 3, {"dtype": "float32"}),
    ("eye", 2, 3, {"k": 1, "dtype": "int8"}), ("eye", 3, {"k": -1, "dtype": "float64"}), ("eye", 2, {"k": 9, "dtype": "bool"}),
    ("full", (2,), 3), ("full", 2, True), ("linspace", 0, 1, 4, {"endpoint": False, "dtype": "float64"}),
    ("linspace", -1, 2, 7, {"dtype": "float64"}), ("linspace", 0, 1 + 2j, 3, {"dtype": "complex128"}),
    ("linspace", 0, 5, 1, {"dtype": "float64"}), ("meshgrid", V, values("float64", (2,))), ("meshgrid", V, V[:2], {"indexing": "ij"}),
    ("tril", X, {"k": 1}), ("triu", X, {"k": -1}), ("ones", 3, {"dtype": "int16"}), ("zeros", (2, 0), {"dtype": "uint64"}),
    ("clip", V, -0.5, 0.5), ("clip", V, {"max": 0.1}), ("clip", X, np.full(4, -0.3), np.full((3, 1), 0.3)), ("clip", values("uint8"), 1, 3),
    ("matmul", X, np.swapaxes(X, 1, 2)), ("matmul", values("int16"), values("int16", (3,))), ("matrix_transpose", X),
    ("tensordot", X, X, {"axes": ((0, 2), (0, 2))}),
    ("tensordot", V, V, {"axes": 0}), ("vecdot", X, X[0], {"axis": -2}), ("vecdot", values("complex64"), values("complex64", (3,), 2)),
    ("vecdot", values("int8"), values("int8")),
    ("broadcast_to", V, (2, 5)), ("concat", [X, X], {"axis": 1}), ("concat", [X, V], {"axis": None}),
    ("concat", [values("int8"), values("int32")]), ("expand_dims", X, {"axis": -2}), ("flip", X), ("flip", X, {"axis": (0, -1)}),
    ("moveaxis", X, 0, -1), ("moveaxis", X, (0, 1), (1, 2)), ("permute_dims", X, (2, 0, 1)), ("repeat", V, 2), ("repeat", X, 2, {"axis": 1}),
    ("repeat", V, np.arange(5, dtype="int8")), ("repeat", X, 2), ("reshape", X, (6, -1)), ("roll", X, 5), ("roll", X, 1, {"axis": (0, 2)}),
    ("roll", X, (1, -1), {"axis": (0, 2)}), ("squeeze", X[:1, :, :1], (0, 2)), ("squeeze", X[:1], 0), ("stack", [X, X], {"axis": -1}),
    ("tile", V, (2, 2)), ("tile", X, (2,)), ("unstack", X, {"axis": 1}),
    ("take", V, np.asarray([0, -1, 2], "int8")), ("take", X, np.asarray([2, 0]), {"axis": -1}),
    ("take_along_axis", X, np.argsort(X, axis=1), {"axis": 1}), ("argmax", X), ("argmax", X, {"axis": 1, "keepdims": True}),
    ("argmin", X, {"axis": -1}), ("count_nonzero", values("int8"), {"axis": (0, 1)}), ("count_nonzero", values("bool"), {"keepdims": True}),
    ("nonzero", values("int8")), ("searchsorted", np.sort(V), X), ("searchsorted", V, V, {"side": "right", "sorter": np.argsort(V)}),
    ("where", X > 0, X, X[0]), ("where", X > 0, values("int8", (4,)), np.asarray(1, "int16")),
    ("argsort", X, {"axis": 0}), ("sort", X, {"axis": 1}),
    ("unique_all", values("int16")), ("unique_counts", values("uint8")), ("unique_inverse", values("int64")),
    ("unique_all", np.asarray([[2j, 1], [1, 2j]], "complex64")), ("unique_values", np.asarray([np.nan, 1.0, np.nan, 1.0])), ("unique_counts", np.asarray([np.nan, 1.0, np.nan, 1.0])),
    *[("sum", values(d)) for d in (*INTS, *FLOATS, *COMPLEXES, "bool")], *[("prod", values(d), {"axis": 1}) for d in (*INTS, *FLOATS)],
    ("sum", X, {"axis": (0, 2), "keepdims": True}), ("sum", values("uint8"), {"dtype": "int16"}), ("prod", X, {"axis": (0, -1)}),
    ("prod", X, {"keepdims": True}), ("mean", X, {"axis": (0, 1)}), ("mean", values("float32")), ("var", X, {"axis": 1, "correction": 1.0}),
    ("var", X), ("std", X, {"axis": (1, 2), "correction": 0.5, "keepdims": True}), ("max", X, {"axis": (0, 2)}), ("min", X),
    ("max", values("uint16"), {"axis": 0, "keepdims": True}), ("all", values("int8"), {"axis": 1}), ("any", X, {"axis": (0, 1), "keepdims": True}),
    ("all", np.ones((0, 2))), ("any", np.ones((0, 2)), {"axis": 0}), ("sum", np.asarray(3, "int8")), ("prod", np.ones((0,))),
    ("cumulative_sum", values("uint8", (4,))), ("cumulative_sum", X, {"axis": 1, "include_initial": True}),
    ("cumulative_prod", values("int8", (4,))), ("cumulative_prod", X, {"axis": -1, "include_initial": True}),
    ("cumulative_sum", V, {"dtype": "float32"}), ("diff", X, {"axis": 1, "n": 2}), ("diff", V, {"prepend": V[:1], "append": V[:2]}),
    ("astype", V, "int32"), ("astype", V, "complex64"), ("astype", values("int8"), "bool"),
]  # fmt: skip


@beside_numpy
@pytest.mark.parametrize("call", CALLS, ids=[f"{c[0]}-{i}" for i, c in enumerate(CALLS)])
def test_functions_beside_numpy(call: tuple[Any, ...]) -> None:
    name, *args = call
    kwargs = args.pop() if isinstance(args[-1], dict) else {}
    check(name, *args, **kwargs)


def test_sorting_down_keeps_the_order_of_equals() -> None:
    x = xp.asarray([1, 3, 1, 3])
    assert xp.argsort(x, descending=True).tolist() == [1, 3, 0, 2] and xp.sort(x, descending=True).tolist() == [3, 3, 1, 1]


def test_signs_of_zeros_and_nans_are_the_standards() -> None:
    nan, inf = xp.nan, xp.inf
    assert str(xp.sign(xp.asarray([nan, 0.0, -inf])).tolist()) == "[nan, 0.0, -1.0]"
    assert str(xp.remainder(xp.asarray([0.0, -0.0, 6.0, -1.0]), xp.asarray([-1.0, 1.0, -3.0, inf])).tolist()) == "[-0.0, 0.0, -0.0, inf]"


def test_unique_tells_where_each_value_is_first() -> None:
    found = xp.unique_all(xp.asarray([[3, 1], [3, 2]]))
    assert found.values.tolist() == [1, 2, 3] and found.indices.tolist() == [1, 3, 0]
    assert found.inverse_indices.tolist() == [[2, 0], [2, 1]] and found.counts.tolist() == [1, 1, 2]


def test_python_numbers_give_way_to_the_array_beside_them() -> None:
    assert xp.add(xp.ones(2, dtype=xp.int8), 1).dtype is xp.int8 and xp.multiply(2, xp.ones(2)).dtype is xp.float32
    assert xp.multiply(1j, xp.ones(2, dtype=xp.float64)).dtype is xp.complex128
    assert xp.where(xp.asarray([True, False]), 2, xp.ones(2)).tolist() == [2, 1]
    for a, b in ((xp.ones(2, dtype=xp.int8), 1.5), (xp.ones(2, dtype=xp.bool), 1), (xp.ones(2), True)):
        with pytest.raises(TypeError, match="does not go with an array of"):
            xp.add(a, b)
    with pytest.raises(TypeError, match=r"\[add\] expected two arrays"):
        xp.add(1, 2)


def test_promotion_and_kinds() -> None:
    assert xp.result_type(xp.uint8, xp.int8) is xp.int16 and xp.result_type(xp.float32, 1j) is xp.complex64
    assert xp.result_type(xp.ones(1, dtype=xp.int8), xp.asarray(1, dtype=xp.int32), 4) is xp.int32
    assert xp.can_cast(xp.int8, xp.int16) and not xp.can_cast(xp.ones(1, dtype=xp.int16), xp.int8) and not xp.can_cast(xp.uint8, xp.int8)
    assert xp.can_cast(xp.float32, xp.complex64) and not xp.can_cast(xp.int8, xp.float64) and not xp.can_cast(xp.bool, xp.int8)
    assert xp.isdtype(xp.float32, "real floating") and xp.isdtype(xp.int8, ("bool", "signed integer")) and not xp.isdtype(xp.bool, "numeric")
    assert xp.isdtype(xp.uint8, xp.uint8) and xp.isdtype(xp.complex64, "numeric") and not xp.isdtype(xp.uint8, "signed integer")
    with pytest.raises(ValueError, match="no kind 'real'"):
        xp.isdtype(xp.float32, "real")
    with pytest.raises(ValueError, match="at least one array or dtype"):
        xp.result_type(1, 2)
    assert xp.finfo(xp.complex64).dtype is xp.float32 and xp.finfo(xp.ones(1)).bits == 32 and xp.iinfo(xp.int16).max == 32767
    with pytest.raises(TypeError, match=r"\[astype\] a complex array cannot be converted"):
        xp.astype(xp.ones(1, dtype=xp.complex64), xp.float32)
    x = xp.ones(1)
    assert xp.astype(x, xp.float32, copy=False) is x and xp.astype(x, xp.float32) is not x


def test_copies_are_made_when_asked_and_refused_when_forbidden() -> None:
    a = np.arange(4.0)
    assert xp.asarray(a, copy=False).data_ptr() == a.ctypes.data != xp.asarray(a, copy=True).data_ptr()
    x = xp.asarray(a)
    assert xp.reshape(x, (2, 2), copy=False).data_ptr() == x.data_ptr() != xp.reshape(x, (2, 2), copy=True).data_ptr()
    for refused in (lambda: xp.asarray([1.0], copy=False), lambda: xp.reshape(xp.ones((2, 3)).T, (6,), copy=False)):
        with pytest.raises(ValueError, match="copy"):
            refused()


ERRORS: list[tuple[Callable[[], Any], type[BaseException], str]] = [
    (lambda: xp.exp(1.0), TypeError, r"\[exp\] expected an array, got float"),
    (lambda: xp.squeeze(xp.ones((2, 1)), 0), ValueError, r"\[squeeze\] axis 0 has size 2"),
    (lambda: xp.take(xp.ones((2, 2)), xp.asarray([0])), ValueError, r"\[take\] axis is required"),
    (lambda: xp.nonzero(xp.asarray(1)), ValueError, r"\[nonzero\] a 0-d array"),
    (lambda: xp.cumulative_sum(xp.ones((2, 2))), ValueError, r"\[cumulative_sum\] axis is required"),
    (lambda: xp.sum(xp.ones(2), axis=1), IndexError, "axis 1 is out of range"),
    (lambda: xp.meshgrid(xp.ones(2), indexing="yx"), ValueError, 'must be "xy" or "ij"'),
    (lambda: xp.searchsorted(xp.ones(2), xp.ones(2), side="middle"), ValueError, 'must be "left" or "right"'),
    (lambda: xp.vecdot(xp.ones(2), xp.ones(3)), ValueError, r"\[vecdot\] axis -1 has size 2 in x1 and 3 in x2"),
    (lambda: xp.linalg.cross(xp.ones((2, 3)), xp.ones(1)), ValueError, r"\[cross\] axis -1 must have size 3"),
    (lambda: xp.matrix_transpose(xp.ones(2)), ValueError, r"\[matrix_transpose\]"),
    (lambda: xp.linalg.qr(xp.ones((2, 2)), mode="r"), ValueError, r"\[qr\] mode must be"),
    (lambda: xp.expand_dims(xp.ones(2), axis=3), IndexError, "out of range"),
]


@pytest.mark.parametrize(("call", "error", "text"), ERRORS)
def test_errors(call: Callable[[], Any], error: type[BaseException], text: str) -> None:
    with pytest.raises(error, match=text):
        call()


def test_inspection() -> None:
    info = xp.__array_namespace_info__()
    assert info.capabilities() == {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}
    assert info.default_device() == taeda.device("cpu") and info.devices() == [taeda.device("cpu")]
    assert info.default_dtypes() == {"real floating": xp.float32, "complex floating": xp.complex64, "integral": xp.int64, "indexing": xp.int64}
    assert sorted(info.dtypes()) == sorted(("bool", *INTS, *FLOATS, *COMPLEXES)) and info.dtypes(kind="real floating") == {
        "float32": xp.float32, "float64": xp.float64}  # fmt: skip
    assert list(info.dtypes(kind=("bool", "complex floating"))) == ["bool", "complex64", "complex128"]
    deepest = xp.ones((1,) * 64)
    assert deepest.ndim == info.capabilities()["max dimensions"]


SQUARE = np.asarray([[4.0, 1.0, 0.5], [1.0, 3.0, 0.2], [0.5, 0.2, 5.0]]) + np.zeros((2, 1, 1))
LINALG: list[tuple[Any, ...]] = [
    ("cholesky", SQUARE), ("cross", X[:, :3, :3], X[0, :, :3]), ("det", SQUARE), ("diagonal", SQUARE, {"offset": 1}), ("eigvalsh", SQUARE),
    ("inv", SQUARE), ("matrix_norm", X), ("matrix_norm", X, {"ord": "nuc", "keepdims": True}), ("matrix_norm", X, {"ord": -np.inf}),
    ("matrix_power", SQUARE, -2), ("matrix_rank", SQUARE), ("outer", V, V[:2]), ("pinv", X), ("slogdet", SQUARE), ("solve", SQUARE, X[0, :, 0]),
    ("solve", SQUARE, X[0, :, :2]), ("solve", SQUARE[0], X[:, :, :2]), ("svdvals", X), ("trace", values("int8", (2, 3, 3)), {"offset": -1}),
    ("trace", SQUARE, {"dtype": "float32"}), ("vector_norm", X), ("vector_norm", X, {"axis": (0, 2), "ord": 1, "keepdims": True}),
    ("vector_norm", X, {"axis": 1, "ord": np.inf}),
]  # fmt: skip


@beside_numpy
@pytest.mark.parametrize("call", LINALG, ids=[f"{c[0]}-{i}" for i, c in enumerate(LINALG)])
def test_linear_algebra_beside_numpy(call: tuple[Any, ...]) -> None:
    name, *args = call
    kwargs = args.pop() if isinstance(args[-1], dict) else {}
    check(f"linalg.{name}", *args, **kwargs)


def test_factors_multiply_to_their_matrix() -> None:
    x, s = taeda.from_numpy(X), taeda.from_numpy(SQUARE)
    u, d, vh = xp.linalg.svd(x, full_matrices=False)
    q, r = xp.linalg.qr(x)
    w, v = xp.linalg.eigh(s)
    for y, wanted in ((u * d[:, None, :] @ vh, x), (q @ r, x), (v * w[:, None, :] @ v.mT, s)):
        assert xp.all(xp.abs(y - wanted) < 1e-12)
    assert xp.linalg.svd(x).U.shape == (2, 3, 3) and xp.linalg.eigh(s).eigenvalues.shape == (2, 3) and xp.linalg.slogdet(s).logabsdet.shape == (2,)


@beside_numpy
@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"])
def test_transforms_of_one_axis_beside_numpy(name: str) -> None:
    x = X if name in ("rfft", "ihfft") else values("complex128", (2, 3, 4))
    check(f"fft.{name}", x, axis=1, n=5, norm="ortho")
    check(f"fft.{name}", x.astype("float32" if x.dtype.kind == "f" else "complex64"))


@beside_numpy
@pytest.mark.parametrize("name", ["fftn", "ifftn", "rfftn", "irfftn"])
def test_transforms_of_several_axes_beside_numpy(name: str) -> None:
    x = X if name == "rfftn" else values("complex128", (2, 3, 4))
    check(f"fft.{name}", x, s=(3, 4), axes=(2, 0), norm="forward")
    check(f"fft.{name}", x)


@beside_numpy
def test_frequencies_and_shifts_beside_numpy() -> None:
    check("fft.fftshift", X, axes=(0, 2))
    check("fft.ifftshift", X)
    same(xp.fft.fftfreq(5, d=0.5, dtype=xp.float64), np.fft.fftfreq(5, 0.5), "fftfreq")
    same(xp.fft.rfftfreq(6, d=0.5, dtype=xp.float64), np.fft.rfftfreq(6, 0.5), "rfftfreq")


@beside_numpy
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("name", ["all", "any", "max", "mean", "min", "prod", "std", "sum", "var"])
def test_a_reduction_over_no_axes_leaves_each_element(name: str, keepdims: bool) -> None:
    for x in (X, X[0, 0, 0]):
        same(getattr(xp, name)(xp.asarray(x), axis=(), keepdims=keepdims), getattr(np, name)(x, axis=(), keepdims=keepdims), name)
    assert xp.linalg.vector_norm(xp.asarray(X), axis=(), keepdims=keepdims).numpy().tolist() == abs(X).tolist()
