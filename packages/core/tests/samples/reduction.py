"""Rows of the reductions: sums, products, moments, norms, extremes, truth and closeness."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from opinfo import ALL, FLOATS, INTS, Call, Row, array, layouts

NUMBERS = FLOATS + INTS


def axis_of(x: np.ndarray, dim: Any) -> Any:
    """NumPy's axis for a PyTorch dim: None or empty is all, and a 0-d tensor has the dims 0 and -1."""
    if dim is None or x.ndim == 0 or (isinstance(dim, (tuple, list)) and not dim):
        return None
    return tuple(dim) if isinstance(dim, list) else dim


def over(f: Callable[..., Any]) -> Callable[..., Any]:
    """Make a reference (x, dim, keepdim) of a NumPy reduction (x, axis, keepdims)."""

    def reference(x: np.ndarray, dim: Any = None, keepdim: bool = False) -> np.ndarray:
        y = np.asarray(f(x, axis=axis_of(x, dim), keepdims=keepdim))
        return y.astype(np.int64) if y.dtype.kind in "iu" and x.dtype.kind in "iub" and f in WIDE else y

    return reference


WIDE = (np.sum, np.prod, np.count_nonzero)      # integers and bool give int64


def one_dim(rng: np.random.Generator) -> Iterator[Call]:
    """No dimension, then each single one; odd sizes, every layout, 0-d and sizes of one."""
    yield Call(array(rng))
    yield Call(array(rng), 0)
    for x in layouts(array(rng, 3, 5)):
        yield Call(x)
        yield Call(x, 0)
        yield Call(x, -1, keepdim=True)
    for dim in range(3):
        yield Call(array(rng, 2, 3, 4), dim)
    yield Call(array(rng, 1, 7, 1), 1)
    yield Call(array(rng, 37), 0)
    yield Call(array(rng, 3, 0, 2), 2)


def many_dims(rng: np.random.Generator) -> Iterator[Call]:
    """As one_dim, with lists of dimensions and keywords."""
    yield from one_dim(rng)
    yield Call(array(rng, 2, 3, 4), dim=(0, 2))
    yield Call(array(rng, 2, 3, 4), dim=[1, -1], keepdim=True)
    yield Call(array(rng, 2, 3, 4), dim=(0, 1, 2))
    yield Call(array(rng, 2, 3), dim=())
    yield Call(array(rng, 2, 2, 2, 3), dim=(1, 3))


def with_empty(rng: np.random.Generator) -> Iterator[Call]:
    """As many_dims, and reductions of nothing."""
    yield from many_dims(rng)
    yield Call(array(rng, 0))
    yield Call(array(rng, 0, 3), 0)
    yield Call(array(rng, 2, 0), 1, keepdim=True)


def products(rng: np.random.Generator) -> Iterator[Call]:
    """As one_dim with factors near 1, and with one, two and only zeros."""
    for call in one_dim(rng):
        yield Call(np.asarray(call.args[0] * 0.2 + 1.2), *call.args[1:], **call.kwargs)
    for zeros in ([1], [0, 3], [0, 1, 2, 3]):
        x = array(rng, 4)
        x[zeros] = 0
        yield Call(x)
        yield Call(np.stack([x, array(rng, 4)]), 1)
    yield Call(array(rng, 0))


def moments(rng: np.random.Generator) -> Iterator[Call]:
    """Dimensions and corrections, by each spelling."""
    for x in layouts(array(rng, 4, 5)):
        yield Call(x)
        yield Call(x, 0)
        yield Call(x, dim=1, keepdim=True, correction=0)
    yield Call(array(rng, 2, 3, 4), dim=(0, 2), correction=2)
    yield Call(array(rng, 6), unbiased=False)
    yield Call(array(rng, 5) + 1000, 0)


def var_reference(x: np.ndarray, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False,
                  correction: float | None = None) -> np.ndarray:
    """Variance by NumPy, in float64."""
    if correction is None:
        correction = 1 if unbiased is None or unbiased else 0
    return np.var(x, axis=axis_of(x, dim), ddof=correction, keepdims=keepdim, dtype=np.float64).astype(x.dtype)


def std_reference(*args: Any, **kwargs: Any) -> np.ndarray:
    """Standard deviation by NumPy."""
    return np.sqrt(var_reference(*args, **kwargs))


def with_mean(f: Callable[..., np.ndarray]) -> Callable[..., Any]:
    """The pair (f, mean)."""

    def reference(x: np.ndarray, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False,
                  correction: float | None = None) -> tuple[np.ndarray, np.ndarray]:
        return (f(x, dim, unbiased, keepdim, correction),
                np.asarray(np.mean(x, axis=axis_of(x, dim), keepdims=keepdim, dtype=np.float64)).astype(x.dtype))

    return reference


def norms(rng: np.random.Generator) -> Iterator[Call]:
    """Every order over every kind of dims, away from 0."""
    for p in ("fro", 0, 1, 2, 3, 1.5, 0.5, -1, float("inf"), float("-inf")):
        x = array(rng, 3, 4, low=0.3, high=2.0) * np.where(rng.random((3, 4)) < 0.5, -1, 1)
        yield Call(x, p)
        yield Call(x, p, 0)
        yield Call(x, p=p, dim=(0, 1), keepdim=True)
    for x in layouts(array(rng, 2, 5, 3, low=0.5)):
        yield Call(x, 2, (0, 2))
    yield Call(array(rng))
    yield Call(array(rng, 0))
    yield Call(array(rng, 0, 3), 1, 0)


def norm_reference(x: np.ndarray, p: Any = "fro", dim: Any = None, keepdim: bool = False) -> np.ndarray:
    """(sum |x|^p)^(1/p) and its limits, in float64."""
    a, axis = np.abs(x.astype(np.float64)), axis_of(x, dim)
    p = 2 if p == "fro" else p
    if p == 0:
        y = np.sum(a != 0, axis=axis, keepdims=keepdim)
    elif abs(p) == float("inf"):
        y = (np.max if p > 0 else np.min)(a, axis=axis, keepdims=keepdim)
    else:
        y = np.sum(a**p, axis=axis, keepdims=keepdim) ** (1 / p)
    return np.asarray(y).astype(x.dtype)


def vector_norms(rng: np.random.Generator) -> Iterator[Call]:
    """The calls of norm, with an order that is a number."""
    for call in norms(rng):
        args = [2 if isinstance(a, str) else a for a in call.args]
        kwargs = {{"p": "ord"}.get(k, k): (2 if isinstance(v, str) else v) for k, v in call.kwargs.items()}
        yield Call(*args, **kwargs)


def vector_norm_reference(x: np.ndarray, ord: Any = 2, dim: Any = None, keepdim: bool = False) -> np.ndarray:
    """As norm_reference."""
    return norm_reference(x, ord, dim, keepdim)


def logsumexps(rng: np.random.Generator) -> Iterator[Call]:
    """All dims; large values, -inf beside numbers, and rows of -inf or inf alone."""
    for x in layouts(array(rng, 3, 5)):
        yield Call(x, 0)
        yield Call(x, (0, 1))
        yield Call(x, -1, keepdim=True)
    yield Call(array(rng), 0)
    yield Call(array(rng, 4) + 900, 0)
    yield Call(array(rng, 4) - 900, 0)
    yield Call(array(rng, 0, 3), 0)


def logsumexp_reference(x: np.ndarray, dim: Any, keepdim: bool = False) -> np.ndarray:
    """log sum exp in float64 with the maximum taken out."""
    x = x.astype(np.float64) if x.dtype.kind != "f" else x
    wide, axis = x.astype(np.float64), axis_of(x, dim)
    top = np.max(wide, axis=axis, keepdims=True, initial=-1e300)
    with np.errstate(divide="ignore"):
        y = np.log(np.sum(np.exp(wide - top), axis=axis, keepdims=True)) + top
    return (y if keepdim else y.reshape(np.sum(wide, axis=axis).shape)).astype(x.dtype)


def extreme(name: str, pick: Callable[..., Any], place: Callable[..., Any]) -> Callable[..., Any]:
    """Reference of max and min: one value, or values and indices along dim."""

    def reference(x: np.ndarray, dim: Any = None, keepdim: bool = False) -> Any:
        if dim is None:
            return pick(x)
        axis = axis_of(x, dim)
        return pick(x, axis=axis, keepdims=keepdim), place(x, axis=axis, keepdims=keepdim)

    reference.__name__ = name
    return reference


def argument(place: Callable[..., Any]) -> Callable[..., Any]:
    """Reference of argmax and argmin."""
    return lambda x, dim=None, keepdim=False: np.asarray(place(x, axis=axis_of(x, dim), keepdims=keepdim))


def truth(f: Callable[..., Any]) -> Callable[..., Any]:
    """Reference of any and all, whose empty list of dims means none at all."""

    def reference(x: np.ndarray, dim: Any = None, keepdim: bool = False) -> np.ndarray:
        y = x != 0 if isinstance(dim, (tuple, list)) and not dim else f(x != 0, axis=axis_of(x, dim), keepdims=keepdim)
        return np.asarray(y).astype(np.uint8 if x.dtype == np.uint8 else bool)

    return reference


def flags(rng: np.random.Generator) -> Iterator[Call]:
    """As with_empty, with about half the elements zero."""
    for call in with_empty(rng):
        x = call.args[0]
        yield Call(np.where(rng.random(x.shape) < 0.5, 0.0, np.round(x * 3)), *call.args[1:], **call.kwargs)
    yield Call(np.zeros((2, 3)), 1)
    yield Call(np.ones((2, 3)), 1)


def counts(rng: np.random.Generator) -> Iterator[Call]:
    """As flags without keepdim, which count_nonzero does not have."""
    for call in flags(rng):
        if "keepdim" not in call.kwargs:
            yield call


def nan_reference(f: Callable[..., Any]) -> Callable[..., Any]:
    """Reference that leaves NaN out."""
    return lambda x, dim=None, keepdim=False: np.asarray(f(x, axis=axis_of(x, dim), keepdims=keepdim))


def matrices(rng: np.random.Generator) -> Iterator[Call]:
    """Square, wide, tall, empty."""
    for shape in ((3, 3), (2, 5), (5, 2), (1, 1), (0, 3)):
        for x in layouts(array(rng, *shape)):
            yield Call(x)


def pairs(rng: np.random.Generator) -> Iterator[Call]:
    """Two tensors that are equal, nearly, and far; broadcast; with inf and NaN."""
    x = array(rng, 3, 4)
    yield Call(x, x.copy())
    yield Call(x, x + 1e-9)
    yield Call(x, x + 0.1, rtol=0.2)
    yield Call(x, x[0] + 1e-3, atol=1e-2)
    odd = np.array([np.nan, np.inf, -np.inf, np.inf, 1.0])
    yield Call(odd, odd.copy())
    yield Call(odd, odd.copy(), equal_nan=True)
    yield Call(odd, odd[::-1].copy())
    yield Call(array(rng, 0), array(rng, 0))


def distances(rng: np.random.Generator) -> Iterator[Call]:
    """Norms of differences, broadcast."""
    yield Call(array(rng, 3, 4), array(rng, 3, 4))
    yield Call(array(rng, 3, 4), array(rng, 4), 1)
    yield Call(array(rng, 3, 4), array(rng, 3, 1), p=3)


def sizes(rng: np.random.Generator) -> Iterator[Call]:
    """What broadcasting to (2, 3, 4) may have come from."""
    for shape in ((2, 3, 4), (3, 4), (1, 3, 1), (4,), (1,), ()):
        yield Call(array(rng, 2, 3, 4), shape)


def to_size(x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Sum down to a shape."""
    lead = x.ndim - len(shape)
    axes = tuple(range(lead)) + tuple(d for d in range(lead, x.ndim) if shape[d - lead] == 1)
    return np.sum(x, axis=axes, keepdims=True).reshape(shape)


SUM_ERRORS = (
    (Call(np.ones((2, 2)), 2), IndexError, r"\[sum\] Dimension out of range"),
    (Call(np.ones((2, 2)), (0, 0)), RuntimeError, r"\[sum\] dim 0 appears multiple times"),
    (Call(np.ones(2), "a"), TypeError, r"\[sum\] argument 'dim' must be int"),
)
WHOLE = np.ones((2, 2), dtype=np.int64)


def empty_errors(name: str, kind: type[Exception] = RuntimeError) -> tuple[Any, ...]:
    """What a reduction without a neutral element raises of nothing, and of a wrong dim."""
    return (
        (Call(np.ones(0)), kind, rf"\[{name}\] Expected reduction dim to be specified"),
        (Call(np.ones((0, 3)), 0), IndexError, rf"\[{name}\] Expected reduction dim 0 to have non-zero size"),
        (Call(np.ones(3), 1), IndexError, rf"\[{name}\] Dimension out of range"),
    )


ROWS = [
    Row("sum", with_empty, over(np.sum), dtypes=ALL, method="sum", out=True, errors=SUM_ERRORS),
    Row("mean", many_dims, over(np.mean), method="mean", out=True,
        errors=((Call(WHOLE), RuntimeError, r"\[mean\] could not infer output dtype.*Long"),)),
    Row("nansum", with_empty, nan_reference(np.nansum), method="nansum", out=True),
    Row("nanmean", many_dims, nan_reference(np.nanmean), method="nanmean", out=True),
    Row("prod", products, over(np.prod), dtypes=NUMBERS, method="prod", out=True,
        errors=((Call(np.ones((2, 2)), (0, 1)), TypeError, r"\[prod\] argument 'dim' must be int"),)),
    Row("var", moments, var_reference, method="var", out=True,
        errors=((Call(WHOLE), RuntimeError, r"\[var\] std and var only support floating point"),)),
    Row("std", moments, std_reference, method="std", out=True),
    Row("var_mean", moments, with_mean(var_reference)),
    Row("std_mean", moments, with_mean(std_reference)),
    Row("norm", norms, norm_reference, method="norm", out=True,
        errors=((Call(np.ones(0), float("inf")), RuntimeError, r"cannot compute the inf norm of shape \(0,\)"),
                (Call(WHOLE), RuntimeError, r"Expected a floating point.*Long"),
                (Call(np.ones(2), "x"), RuntimeError, r"\[norm\] Order x not supported"))),
    Row("vector_norm", vector_norms, vector_norm_reference, torch="linalg.vector_norm", out=True),
    Row("logsumexp", logsumexps, logsumexp_reference, method="logsumexp", out=True),
    Row("amax", many_dims, over(np.max), dtypes=ALL, method="amax", out=True, errors=empty_errors("amax")),
    Row("amin", many_dims, over(np.min), dtypes=ALL, method="amin", out=True, errors=empty_errors("amin")),
    Row("max", one_dim, extreme("max", np.max, np.argmax), dtypes=ALL, method="max", errors=empty_errors("max")),
    Row("min", one_dim, extreme("min", np.min, np.argmin), dtypes=ALL, method="min", errors=empty_errors("min")),
    Row("aminmax", lambda rng: (Call(x, **k) for x in layouts(array(rng, 3, 4)) for k in ({}, {"dim": 0}, {"dim": -1})),
        lambda x, dim=None: (np.min(x, axis=dim), np.max(x, axis=dim)), dtypes=ALL, method="aminmax"),
    Row("argmax", one_dim, argument(np.argmax), dtypes=NUMBERS, grad=False, method="argmax", out=True,
        errors=empty_errors("argmax", IndexError)),
    Row("argmin", one_dim, argument(np.argmin), dtypes=NUMBERS, grad=False, method="argmin", out=True,
        errors=empty_errors("argmin", IndexError)),
    Row("any", flags, truth(np.any), dtypes=ALL, grad=False, method="any", out=True),
    Row("all", flags, truth(np.all), dtypes=ALL, grad=False, method="all", out=True),
    Row("count_nonzero", counts, lambda x, dim=None: np.asarray(np.count_nonzero(x, axis=axis_of(x, dim))), dtypes=ALL,
        grad=False, method="count_nonzero"),
    Row("trace", matrices, lambda x: np.asarray(np.trace(x)), method="trace",
        errors=((Call(np.ones(3)), RuntimeError, r"\[trace\] expected a matrix"),)),
    Row("sum_to_size", sizes, to_size, torch=None, method="sum_to_size",
        errors=((Call(np.ones((2, 2)), (3,)), RuntimeError, r"size \[3\] is not expandable to size \[2, 2\]"),)),
    Row("dist", distances, lambda a, b, p=2: norm_reference(np.asarray(a - b), p), method="dist"),
    Row("isclose", pairs, lambda a, b, **k: np.isclose(a, b, **k), grad=False, method="isclose",
        errors=((Call(np.ones(2), WHOLE), RuntimeError, r"\[isclose\] .* did not match Long"),
                (Call(np.ones(2), np.ones(2), -1.0), RuntimeError, r"\[isclose\] rtol must be"))),
    Row("allclose", pairs, lambda a, b, **k: np.allclose(a, b, **k), grad=False, method="allclose"),
    Row("equal", lambda rng: (Call(a.args[0], a.args[1]) for a in pairs(rng)), np.array_equal, grad=False,
        method="equal"),
]
