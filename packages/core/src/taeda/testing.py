"""Comparison of results in tests: values within the tolerance that a dtype deserves, and everything else exactly.

>>> import taeda
>>> taeda.testing.assert_close(taeda.tensor([1.0, 2.0]), taeda.tensor([1.0, 2.0 + 1e-7]))
>>> taeda.testing.assert_close([taeda.ones(2), 3], [taeda.ones(2), 4])
Traceback (most recent call last):
    ...
AssertionError: [assert_close] Scalars are not equal at [1]!
<BLANKLINE>
Expected 4 but got 3.
Absolute difference: 1
Relative difference: 0.25
"""

from __future__ import annotations

import math
import numbers
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import taeda
from taeda import _spoken
from taeda.dtype import dtype
from taeda.tensor import Tensor

__all__ = ["assert_allclose", "assert_close", "make_tensor"]

# dtype -> (rtol, atol); integers and bools must be equal
TOLERANCES: dict[dtype, tuple[float, float]] = {
    taeda.float16: (1e-3, 1e-5), taeda.bfloat16: (1.6e-2, 1e-5), taeda.float32: (1.3e-6, 1e-5), taeda.float64: (1e-7, 1e-7),
    taeda.complex64: (1.3e-6, 1e-5), taeda.complex128: (1e-7, 1e-7),
}  # fmt: skip


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: str | Callable[[str], str] | None = None,
) -> None:
    """Raise AssertionError unless |actual - expected| <= atol + rtol |expected| everywhere.

    Args:
        actual, expected: tensors, arrays, numbers, or sequences and mappings of them, of one structure.
        rtol, atol: both or none; none are those of the dtype (of two dtypes the larger), 0 for integers.
        equal_nan: whether nan equals nan.
        check_device, check_dtype, check_layout, check_stride: whether these must agree too.
        msg: the error's text, or a function that makes it of ours.

    Raises TypeError for what cannot be compared, ValueError if one of rtol and atol is missing.

    >>> import taeda
    >>> taeda.testing.assert_close({"a": 1.0}, {"a": 1.0 + 1e-9})
    """
    if (rtol is None) != (atol is None):
        raise ValueError(f"[assert_close] rtol and atol must both be specified or both be unspecified, but got rtol={rtol} and atol={atol}")
    options = {
        "rtol": rtol, "atol": atol, "equal_nan": equal_nan, "allow_subclasses": allow_subclasses,
        "layout": check_layout,
        "checks": [name for name, on in (("device", check_device), ("dtype", check_dtype), ("stride", check_stride)) if on],
    }  # fmt: skip
    text = difference(actual, expected, "", options)
    if text is not None:
        raise AssertionError(f"[assert_close] {text}" if msg is None else msg(f"[assert_close] {text}") if callable(msg) else msg)


def difference(actual: Any, expected: Any, at: str, options: dict[str, Any]) -> str | None:
    """Return what differs, None if nothing does."""
    place = f" at {at}" if at else ""
    pair = actual, expected
    if not options["allow_subclasses"] and type(actual) is not type(expected):
        raise TypeError(f"[assert_close] types differ{place}: {type(actual).__name__} and {type(expected).__name__}")
    if all(x is None for x in pair):
        return None
    if all(isinstance(x, Mapping) for x in pair):
        if actual.keys() != expected.keys():
            return f"The keys of the mappings do not match{place}: expected {sorted(map(str, expected))} but got {sorted(map(str, actual))}"
        found = (difference(actual[key], expected[key], f"{at}[{key!r}]", options) for key in actual)
        return next((text for text in found if text is not None), None)
    if all(isinstance(x, Sequence) and not isinstance(x, str) for x in pair):
        if len(actual) != len(expected):
            return f"The length of the sequences mismatch{place}: expected {len(expected)} but got {len(actual)}"
        found = (difference(a, b, f"{at}[{i}]", options) for i, (a, b) in enumerate(zip(*pair, strict=True)))
        return next((text for text in found if text is not None), None)
    if all(isinstance(x, numbers.Number) or (hasattr(x, "dtype") and not hasattr(x, "__len__")) for x in pair) and not any(
        isinstance(x, Tensor) for x in pair
    ):
        actual, expected = pair = tuple(x.item() if hasattr(x, "dtype") else x for x in pair)     # NumPy's scalars
        if "dtype" in options["checks"] and type(actual) is not type(expected):
            return f"The (d)types do not match{place}: expected {type(expected).__name__} but got {type(actual).__name__}"
        if isinstance(actual, bool) and isinstance(expected, bool):
            return None if actual is expected else f"Booleans mismatch{place}: {actual} is not {expected}"
        one, other = (taeda.tensor(x, dtype=wide(x)) for x in pair)
        return compared(one, other, place, options | {"checks": ()})
    related = isinstance(actual, type(expected)) or isinstance(expected, type(actual))
    if related and all(isinstance(x, Tensor) or hasattr(x, "__array__") for x in pair):
        one, other = map(taeda.as_tensor, pair)
        return compared(one, other, place, options)
    if actual is None or expected is None:
        return f"None mismatch{place}: expected {expected!r} but got {actual!r}"
    raise TypeError(f"[assert_close] cannot compare {type(actual).__name__} with {type(expected).__name__}{place}; convert one of them")


def wide(x: Any) -> dtype:
    """Return the widest dtype of a number's kind, as which numbers are compared."""
    kinds = ((bool, taeda.bool), (int, taeda.int64), (float, taeda.float64))
    return next((d for kind, d in kinds if isinstance(x, kind)), taeda.complex128)


def compared(a: Tensor, b: Tensor, place: str, options: dict[str, Any]) -> str | None:
    """Compare two tensors."""
    if a.shape != b.shape:
        return f"The values for attribute 'shape' do not match{place}: expected {list(b.shape)} but got {list(a.shape)}"
    for name in options["checks"]:
        one, two = ((x.stride() if name == "stride" else getattr(x, name)) for x in (a, b))
        if one != two:
            return f"The values for attribute {name!r} do not match{place}: expected {two} but got {one}"
    if a.layout is not b.layout:
        if not options["layout"]:
            return compared(a.to_dense(), b.to_dense(), place, options)
        return f"The values for attribute 'layout' do not match{place}: expected {b.layout} but got {a.layout}"
    if a.layout is not taeda.strided:
        return compared_sparse(a, b, place, options)
    if a.is_meta or b.is_meta:                           # nothing to compare
        return None
    rtol, atol = default_tolerances(a, b) if options["rtol"] is None else (options["rtol"], options["atol"])
    common = taeda.promote_types(a.dtype, b.dtype)
    a, b = a.detach().to(common), b.detach().to(common)
    wrong = ~taeda.isclose(a, b, rtol=rtol, atol=atol, equal_nan=options["equal_nan"])
    return report(a, b, wrong, rtol, atol, place) if wrong.any() else None


def default_tolerances(a: Tensor, b: Tensor) -> tuple[float, float]:
    """Return rtol and atol for two tensors: of their dtypes' the larger."""
    one, other = (TOLERANCES.get(x.dtype, (0.0, 0.0)) for x in (a, b))
    return max(one[0], other[0]), max(one[1], other[1])


def report(a: Tensor, b: Tensor, wrong: Tensor, rtol: float, atol: float, place: str) -> str:
    """Say how far two tensors of one dtype are apart, which are so in the elements ``wrong``."""
    wides = ((a.is_complex(), taeda.complex128), (a.is_floating_point(), taeda.float64), (a.dtype == taeda.bool, taeda.int64))
    exact = next((d for fits, d in wides if fits), a.dtype)
    off = (a.to(exact) - b.to(exact)).abs()
    relative = off.double() / b.to(exact).abs()
    limits = {"absolute": (off, atol), "relative": (relative, rtol)}
    if a.ndim == 0:
        allowed = [f" (up to {limit} allowed)" if rtol or atol else "" for limit in (atol, rtol)]
        return (
            f"Scalars are not {'close' if rtol or atol else 'equal'}{place}!\n\nExpected {b.item()} but got {a.item()}.\n"
            f"Absolute difference: {off.item()}{allowed[0]}\nRelative difference: {relative.item()}{allowed[1]}"
        )
    lines = [f"Tensor-likes are not {'close' if rtol or atol else 'equal'}{place}!", ""]
    count = int(wrong.sum())
    lines.append(f"Mismatched elements: {count} / {a.numel()} ({100 * count / a.numel():.1f}%)")
    for kind, (values, limit) in limits.items():
        values = values.double().masked_fill(~wrong, -math.inf)
        values = values.masked_fill(values.isnan(), math.inf)
        index = int(values.argmax())
        where = tuple(int(i) for i in taeda.unravel_index(taeda.tensor(index), a.shape))
        value = off.flatten()[index].item() if kind == "absolute" else relative.flatten()[index].item()
        lines.append(f"Greatest {kind} difference: {value} at index {where}" + (f" (up to {limit} allowed)" if rtol or atol else ""))
    return "\n".join(lines)


def compared_sparse(a: Any, b: Any, place: str, options: dict[str, Any]) -> str | None:
    """Compare two sparse tensors of one layout: how many elements they have, their indices, which must be equal, and their values."""
    if a.is_sparse:
        if a._nnz() != b._nnz():
            return f"The number of specified values in sparse COO tensors does not match{place}: expected {b._nnz()} but got {a._nnz()}"
        a, b = a.detach().coalesce(), b.detach().coalesce()
    exact = options | {"checks": (), "rtol": 0.0, "atol": 0.0}
    for what, one, other, how in (*((" indices", x, y, exact) for x, y in zip(a._places, b._places, strict=True)),
                                  (" values", a._values(), b._values(), options | {"checks": ()})):
        text = compared(one, other, place, how)
        if text is not None:
            return text.replace("Tensor-likes", f"Sparse {str(a.layout).rpartition('_')[2].upper()}{what}")
    return None


def make_tensor(
    *shape: Any,
    dtype: dtype,
    device: Any = None,
    low: float | None = None,
    high: float | None = None,
    requires_grad: bool = False,
    noncontiguous: bool = False,
    exclude_zero: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Return random numbers, uniform in [low, high): by default [-9, 9), of integers [-9, 10), of bytes [0, 10), of bools [0, 2).

    Args:
        shape: sizes, or one tuple.
        noncontiguous: let gaps lie between the elements.
        exclude_zero: put the smallest positive number, or 1, in place of 0.

    >>> import taeda
    >>> x = taeda.testing.make_tensor(2, 3, dtype=taeda.int64, low=1, high=3)
    >>> bool(((x == 1) | (x == 2)).all())
    True
    """
    sizes = tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], Sequence) else shape
    fraction = dtype.is_floating_point or dtype.is_complex
    unsigned = dtype in (taeda.bool, taeda.uint8)
    low = (0 if unsigned else -9) if low is None else low
    high = (2 if dtype == taeda.bool else 10 if unsigned or not fraction else 9) if high is None else high
    if low != low or high != high:                              # also of integers beyond every float
        raise ValueError(f"[make_tensor] `low` and `high` cannot be NaN, but got {low=} and {high=}")
    if low == high and fraction:
        text = "Passing `low==high` to `taeda.testing.make_tensor` for floating or complex types is deprecated; use taeda.full"
        warnings.warn(_spoken.said(text), FutureWarning, stacklevel=2)
    elif low >= high:
        raise ValueError(f"[make_tensor] `low` must be less than `high`, but got {low} >= {high}")
    least, most = span(dtype)
    if high < least or low >= most:
        raise ValueError(f"[make_tensor] {dtype} holds nothing from {low} to {high}: only from {least} to {most}")
    low, high = min(max(low, least), most), min(max(high, least), most)
    if noncontiguous and memory_format is not None:
        raise ValueError(f"[make_tensor] `noncontiguous` and `memory_format` exclude each other, got {memory_format}")
    if requires_grad and not fraction:
        raise ValueError(f"[make_tensor] requires_grad must be False for the integral dtype {dtype}")
    gaps = noncontiguous and math.prod(sizes) > 1
    drawn = (*sizes[:-1], 2 * sizes[-1]) if gaps else sizes
    if fraction:
        x = taeda.empty(drawn, dtype=dtype, device=device)
        parts = taeda.view_as_real(x) if dtype.is_complex else x
        wide = high - low >= taeda.finfo(dtype).max           # more than uniform_ takes
        parts.uniform_(low / 2, high / 2).mul_(2) if wide else parts.uniform_(low, high)
    else:
        x = taeda.randint(math.ceil(low), math.ceil(high), drawn, dtype=dtype, device=device)
    if gaps:
        x = x[..., 1::2]
    elif memory_format is not None:
        x = x.clone(memory_format=memory_format)
    if exclude_zero:
        x[x == 0] = taeda.finfo(dtype).tiny if fraction else 1
    return x.requires_grad_(requires_grad) if requires_grad else x


def span(dtype: dtype) -> tuple[float, float]:
    """Return the least number of a dtype, and the one that its numbers stay below."""
    if dtype.is_floating_point or dtype.is_complex:
        return taeda.finfo(dtype).min, taeda.finfo(dtype).max
    if dtype == taeda.bool:
        return 0, 2
    return taeda.iinfo(dtype).min, taeda.iinfo(dtype).max + (dtype != taeda.int64)       # randint counts in int64


def assert_allclose(
    actual: Any, expected: Any, rtol: float | None = None, atol: float | None = None, equal_nan: bool = True, msg: str = ""
) -> None:
    """Compare by :func:`assert_close`, whose former name this is: dtypes and devices may differ, and nan equals nan.

    >>> import warnings, taeda
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     taeda.testing.assert_allclose(taeda.tensor([1.0]), taeda.tensor([1.0 + 1e-7], dtype=taeda.float64))
    """
    warnings.warn(f"`{_spoken.name}.testing.assert_allclose()` is deprecated since 1.12 and will be removed in a future release. "
                  f"Please use `{_spoken.name}.testing.assert_close()` instead.", FutureWarning, stacklevel=2)
    actual, expected = (x if isinstance(x, taeda.Tensor) else taeda.tensor(x) for x in (actual, expected))
    if rtol is None and atol is None:
        rtol, atol = default_tolerances(actual, expected)
    assert_close(actual, expected, rtol=rtol, atol=atol, equal_nan=equal_nan, check_dtype=False, msg=msg or None)
