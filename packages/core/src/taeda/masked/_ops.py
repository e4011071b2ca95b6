"""The masked operations: fill in what changes nothing, and run the plain one."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

from taeda import ops
from taeda.dtype import bool_, iinfo, int64, uint8
from taeda.layout import strided
from taeda.operands import need_tensor, wrapped_dim
from taeda.tensor import Tensor

__all__ = [
    "amax", "amin", "argmax", "argmin", "cumprod", "cumsum", "log_softmax", "logaddexp", "logsumexp", "mean", "median", "norm", "normalize",
    "prod", "softmax", "softmin", "std", "sum", "var",
]  # fmt: skip


_SPARSE = ("amax", "amin", "mean", "prod", "sum")         # these take sparse tensors too


# -- what all of them do ------------------------------------------------------------------------------------


def _expanded(op: str, mask: Tensor, input: Tensor) -> Tensor:
    """The mask as bool in the input's shape."""
    need_tensor(f"masked.{op}", "mask", mask)
    if mask.ndim > input.ndim:
        raise IndexError(f"[masked.{op}] expected broadcastable mask (got mask dimensionality higher than of the input), shapes "
                         f"{tuple(mask.shape)} and {tuple(input.shape)}")
    return (mask if mask.layout is strided else mask.to_dense()).to(bool_).expand(input.shape)


def _checked(op: str, input: Any, dtype: Any) -> Tensor:
    need_tensor(f"masked.{op}", "input", input)
    if input.layout is not strided and op not in _SPARSE:
        raise ValueError(f"[masked.{op}] expects strided tensor (got {input.layout} tensor); hint: .to_dense()")
    return input if dtype is None else input.to(dtype)


def _filled(op: str, input: Tensor, mask: Tensor | None, value: Callable[[Tensor], Any]) -> Tensor:
    """The input with ``value(input)`` where the mask is false."""
    return input if mask is None else ops.where(_expanded(op, mask, input), input, value(input))


def _lowest(op: str) -> Callable[[Tensor], Any]:
    def value(x: Tensor) -> Any:
        return -math.inf if x.is_floating_point() else iinfo(_ordered(op, x)).min

    return value


def _highest(op: str) -> Callable[[Tensor], Any]:
    def value(x: Tensor) -> Any:
        return math.inf if x.is_floating_point() else iinfo(_ordered(op, x)).max

    return value


def _ordered(op: str, x: Tensor) -> Any:
    """The dtype of integers; bool and complex numbers have no least element that leaves a maximum alone."""
    if x.is_complex():
        raise TypeError(f"[masked.{op}] complex numbers have no order, got {x.dtype}")
    if x.dtype is bool_:
        raise NotImplementedError(f"[masked.{op}] has no neutral value for bool; convert the input to integers")
    return x.dtype


def _log_zero(op: str) -> Callable[[Tensor], Any]:
    lowest = _lowest(op)
    return lambda x: -math.inf if x.is_complex() else lowest(x)


def _zero(x: Tensor) -> Any:
    return 0


def _one(x: Tensor) -> Any:
    return 1


def _dims(op: str, dim: Any, ndim: int) -> tuple[int, ...]:
    """The dimensions counted from the front, in order: all of them for None or none."""
    if dim is None or (isinstance(dim, (tuple, list)) and not dim):
        return tuple(range(ndim))
    found: list[int] = []
    for d in dim if isinstance(dim, (tuple, list)) else (dim,):
        if not isinstance(d, int):
            raise TypeError(f"[masked.{op}] argument 'dim' must be int or a tuple of ints, not {d!r}")
        d = wrapped_dim(f"masked.{op}", d, ndim)
        if d in found:
            raise RuntimeError(f"[masked.{op}] dim={d} appears multiple times in the list of dims")
        found.append(d)
    return tuple(sorted(found)) if ndim else ()


def _first(op: str, dim: Any, ndim: int) -> int:
    """The one dimension to go along; of None or several it is the first, as in PyTorch."""
    dims = _dims(op, dim, ndim)
    return dims[0] if dims else 0


def _of_sparse(op: str, x: Tensor, dim: Any, keepdim: Any, mask: Any, neutral: Any) -> Tensor:
    """The reduction of a sparse tensor."""
    from taeda.masked._sparse import reduced  # no program of dense tensors pays for its rules

    return reduced(op, x, _dims(op, dim, x.ndim), bool(keepdim), mask, neutral)


def _summed(x: Tensor, dims: tuple[int, ...], keepdim: Any) -> Tensor:
    return x.sum(dims, keepdim=bool(keepdim)) if x.ndim else x.sum()


def _total_dtype(input: Tensor) -> Any:
    """Sums and products of integers are int64."""
    return input.dtype if input.is_floating_point() or input.is_complex() else int64


# -- reductions ---------------------------------------------------------------------------------------------


def sum(input: Tensor, dim: Any = None, *, keepdim: Any = False, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """Return the sum of the elements that count; 0 where none does.

    Args:
        dim: a dimension or several; all if None.
        mask: broadcasts to the input; true where an element counts.

    >>> import taeda
    >>> taeda.masked.sum(taeda.tensor([[1.0, 2.0], [3.0, 4.0]]), 1, mask=taeda.tensor([[True, False], [False, False]]))
    tensor([1., 0.])
    """
    x = _checked("sum", input, dtype)
    dims = _dims("sum", dim, x.ndim)
    x = x if dtype is not None else x.to(_total_dtype(x))
    if x.layout is not strided:
        return _of_sparse("sum", x, dim, keepdim, mask, 0)
    y = _summed(_filled("sum", x, mask, _zero), dims, keepdim)
    return y if y.dtype is x.dtype else y.to(x.dtype)


def prod(input: Tensor, dim: Any = None, *, keepdim: Any = False, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """Return the product of the elements that count; 1 where none does.

    >>> import taeda
    >>> taeda.masked.prod(taeda.tensor([2.0, 3.0, 4.0]), mask=taeda.tensor([True, False, True]))
    tensor(8.)
    """
    x = _checked("prod", input, dtype)
    dims = () if dim == [] else _dims("prod", dim, x.ndim)               # PyTorch's alone takes an empty list for no dimension
    x = x if dtype is not None else x.to(_total_dtype(x))
    if x.layout is not strided:
        return _of_sparse("prod", x, dim, keepdim, mask, 1)
    y = _filled("prod", x, mask, _one)
    for d in reversed(dims):
        y = y.prod(d, keepdim=bool(keepdim))
    return y if y.dtype is x.dtype else y.to(x.dtype)


def _count(x: Tensor, dims: tuple[int, ...], keepdim: Any, mask: Tensor | None, op: str) -> Tensor:
    """How many elements count, as numbers."""
    counted = ops.ones_like(x, dtype=int64) if mask is None else _expanded(op, mask, x).to(int64)
    return _summed(counted, dims, keepdim)


def mean(input: Tensor, dim: Any = None, *, keepdim: Any = False, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """Return the mean of the elements that count; nan where none does.  ValueError for integers without ``dtype``.

    >>> import taeda
    >>> taeda.masked.mean(taeda.tensor([1.0, 2.0, 6.0]), mask=taeda.tensor([True, False, True]))
    tensor(3.5000)
    """
    x = _checked("mean", input, dtype)
    if dtype is None and not (x.is_floating_point() or x.is_complex()):
        raise ValueError(f"[masked.mean] Could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: "
                         f"{x.dtype}; give dtype")
    dims = _dims("mean", dim, x.ndim)
    if x.layout is not strided:
        return _of_sparse("mean", x, dim, keepdim, mask, 0)
    if mask is None:
        return x.mean(dims, keepdim=bool(keepdim)) if x.ndim else x.mean()
    return _summed(_filled("mean", x, mask, _zero), dims, keepdim) / _count(x, dims, keepdim, mask, "mean")


def _spread(op: str, input: Any, dim: Any, unbiased: bool | None, correction: Any, keepdim: Any, dtype: Any, mask: Tensor | None) -> Tensor:
    """The variance: the mean square of the distances from the mean, divided by count - correction."""
    if unbiased is not None and correction is not None:
        raise AssertionError(f"[masked.{op}] Only one of unbiased and correction may be given")
    x = _checked(op, input, dtype)
    if x.dtype is bool_:
        raise RuntimeError(f"[masked.{op}] Subtraction, the `-` operator, with a bool tensor is not supported; convert it to numbers")
    by = (1 if unbiased is None or unbiased else 0) if correction is None else correction
    dims = _dims(op, dim, x.ndim)
    count = _count(x, dims, True, mask, op)
    away = x - _summed(_filled(op, x, mask, _zero), dims, True) / count
    square = _filled(op, away * away.conj() if away.is_complex() else away * away, mask, _zero)
    if not keepdim:
        count = _count(x, dims, False, mask, op)
    total = _summed(square, dims, keepdim)
    if isinstance(by, float) and (total.is_floating_point() or total.is_complex()):
        count = count.to(total.real.dtype if total.is_complex() else total.dtype)
    return total / ((count - by).clamp_min(0) if by else count)


def var(
    input: Tensor, dim: Any = None, unbiased: bool | None = None, *, correction: Any = None, keepdim: Any = False, dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Return the variance of the elements that count, sum |x - mean|^2 / (count - correction); ``unbiased`` is a correction of 1.

    >>> import taeda
    >>> taeda.masked.var(taeda.tensor([1.0, 9.0, 3.0]), mask=taeda.tensor([True, False, True]))
    tensor(2.)
    """
    return _spread("var", input, dim, unbiased, correction, keepdim, dtype, mask)


def std(
    input: Tensor, dim: Any = None, unbiased: bool | None = None, *, correction: Any = None, keepdim: Any = False, dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Return the square root of :func:`var`.

    >>> import taeda
    >>> taeda.masked.std(taeda.tensor([1.0, 9.0, 5.0]), mask=taeda.tensor([True, False, True]), correction=0)
    tensor(2.)
    """
    return _spread("std", input, dim, unbiased, correction, keepdim, dtype, mask).sqrt()


def norm(
    input: Tensor, ord: Any = 2.0, dim: Any = None, *, keepdim: Any = False, dtype: Any = None, mask: Tensor | None = None
) -> Tensor:
    """Return the p-norm of the elements that count; 0 where none does (inf for the smallest, p = -inf).

    >>> import taeda
    >>> taeda.masked.norm(taeda.tensor([3.0, 9.0, 4.0]), mask=taeda.tensor([True, False, True]))
    tensor(5.)
    """
    x = _checked("norm", input, dtype)
    if not isinstance(ord, (int, float)):
        raise TypeError(f"[masked.norm] argument 'ord' must be a number, not {type(ord).__name__}")
    dims = _dims("norm", dim, x.ndim)
    filled = _filled("norm", x, mask, lambda x: math.inf if ord == -math.inf else 0)
    return ops.linalg_vector_norm(filled, ord, dims or None, bool(keepdim))


def _extreme(op: str, fill: Callable[[Tensor], Any]) -> Callable[..., Tensor]:
    def reduce(input: Tensor, dim: Any = None, *, keepdim: Any = False, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
        x = _checked(op, input, dtype)
        dims = _dims(op, dim, x.ndim)
        if x.layout is not strided:
            return _of_sparse(op, x, dim, keepdim, mask, fill(x))
        return getattr(_filled(op, x, mask, fill), op)(dims, keepdim=bool(keepdim))

    return reduce


def _place(op: str, fill: Callable[[Tensor], Any]) -> Callable[..., Tensor]:
    def reduce(input: Tensor, dim: int | None = None, *, keepdim: Any = False, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
        x = _checked(op, input, dtype)
        return getattr(_filled(op, x, mask, fill), op)(dim, keepdim=bool(keepdim)).to(x.dtype)

    return reduce


amax, amin = _extreme("amax", _lowest("amax")), _extreme("amin", _highest("amin"))
argmax, argmin = _place("argmax", _lowest("argmax")), _place("argmin", _highest("argmin"))
_EXAMPLE = """

>>> import taeda, taeda.masked
>>> x, mask = taeda.tensor([3.0, 9.0, 1.0]), taeda.tensor([True, False, True])
>>> taeda.masked.{}(x, {}mask=mask)
{}
"""
amax.__doc__ = ("Return the largest of the elements that count; -inf, or the least integer, where none does."
                + _EXAMPLE.format("amax", "", "tensor(3.)"))
amin.__doc__ = ("Return the smallest of the elements that count; inf, or the greatest integer, where none does."
                + _EXAMPLE.format("amin", "", "tensor(1.)"))
argmax.__doc__ = ("Return where the largest of the elements that count is, in the input's dtype; the first place where none counts."
                  + _EXAMPLE.format("argmax", "", "tensor(0.)"))
argmin.__doc__ = ("Return where the smallest of the elements that count is, in the input's dtype; the first place where none counts."
                  + _EXAMPLE.format("argmin", "", "tensor(2.)"))
for _name in ("amax", "amin", "argmax", "argmin"):
    globals()[_name].__name__ = globals()[_name].__qualname__ = _name


def median(input: Tensor, dim: int = -1, *, keepdim: Any = False, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """Return the lower median of the elements that count; nan where none does.

    ValueError for integers if all of a row is left out.  ``dtype`` is theirs alone: of floats, the result has their own.

    >>> import taeda
    >>> taeda.masked.median(taeda.tensor([1.0, 9.0, 3.0]), mask=taeda.tensor([True, False, True]))
    tensor(1.)
    """
    x = _checked("median", input, None)
    dim = _first("median", dim, x.ndim)
    if not x.is_floating_point() and (dtype is not None or x.dtype is bool_):
        y = median(x.to(uint8) if x.dtype is bool_ else x, dim, keepdim=keepdim, mask=mask)
        return y.to(x.dtype if dtype is None else dtype)
    if mask is None:
        return x.median(dim, keepdim=bool(keepdim)).values
    if x.is_floating_point():
        return _filled("median", x, mask, lambda x: math.nan).nanmedian(dim, keepdim=bool(keepdim)).values
    counts = _expanded("median", mask, x)
    if not bool(counts.any(dim).all()):
        raise ValueError("[masked.median] expects no fully masked out rows if dtype is not floating point, got "
                         f"{x.dtype} of shape {tuple(x.shape)}")
    # sorted with what is left out last, the lower median stands in the middle of those that count
    ordered = ops.where(counts, x, iinfo(x.dtype).max).sort(dim).values
    middle = (counts.sum(dim, keepdim=True) - 1) // 2
    y = ordered.gather(dim, middle)
    return y if keepdim else y.squeeze(dim)


def logsumexp(
    input: Tensor, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Tensor | None = None
) -> Tensor:
    """Return log sum exp of the elements that count, in the input's dtype; -inf where none does.

    >>> import taeda
    >>> taeda.masked.logsumexp(taeda.tensor([0.0, 5.0, 0.0]), mask=taeda.tensor([True, False, True]))
    tensor(0.6931)
    """
    x = _checked("logsumexp", input, dtype)
    dims = _dims("logsumexp", dim, x.ndim)
    y = ops.logsumexp(_filled("logsumexp", x, mask, _log_zero("logsumexp")), dims or 0, bool(keepdim))
    return y if y.dtype is x.dtype else y.to(x.dtype)


# -- along a dimension ----------------------------------------------------------------------------------------


def _along(op: str, fill: Callable[[Tensor], Any], what: str, shown: str) -> Callable[..., Tensor]:
    def scan(input: Tensor, dim: int, *, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
        x = _checked(op, input, dtype)
        dim = _first(op, dim, x.ndim)
        if op in ("cumsum", "cumprod"):
            if x.dtype is bool_:
                raise NotImplementedError(f"[masked.{op}] not implemented for bool; give dtype")
            return getattr(_filled(op, x, mask, fill), op)(dim, dtype=x.dtype)
        return getattr(ops, op)(_filled(op, x, mask, fill), dim)

    scan.__name__ = scan.__qualname__ = op
    scan.__doc__ = what + _EXAMPLE.format(op, "0, ", shown)
    return scan


cumsum = _along("cumsum", _zero, "Return running sums along ``dim``, in the input's dtype; what does not count adds 0.",
                "tensor([3., 3., 4.])")
cumprod = _along("cumprod", _one, "Return running products along ``dim``, in the input's dtype; what does not count is a factor of 1.",
                 "tensor([3., 3., 3.])")
softmax = _along(
    "softmax", _lowest("softmax"), "Return the softmax along ``dim`` of the elements that count, 0 elsewhere; nan where none does.",
    "tensor([0.8808, 0.0000, 0.1192])",
)
log_softmax = _along(
    "log_softmax", _lowest("log_softmax"), "Return the logarithm of :func:`softmax` of the elements that count, -inf elsewhere.",
    "tensor([-0.1269,    -inf, -2.1269])",
)


def softmin(input: Tensor, dim: int, *, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """Return the softmax of -input along ``dim`` of the elements that count, 0 elsewhere; nan where none does.

    >>> import taeda, taeda.masked
    >>> taeda.masked.softmin(taeda.tensor([0.0, 0.0, -99.0]), 0, mask=taeda.tensor([True, True, False]))
    tensor([0.5000, 0.5000, 0.0000])
    """
    x = _checked("softmin", input, dtype)
    return ops.softmax(-_filled("softmin", x, mask, _highest("softmin")), _first("softmin", dim, x.ndim))


def normalize(
    input: Tensor, ord: float, dim: int, *, eps: float = 1e-12, dtype: Any = None, mask: Tensor | None = None
) -> Tensor:
    """Return the elements that count divided by their p-norm along ``dim``, which is at least ``eps``; 0 elsewhere.

    >>> import taeda
    >>> taeda.masked.normalize(taeda.tensor([3.0, 9.0, 4.0]), 2.0, 0, mask=taeda.tensor([True, False, True]))
    tensor([0.6000, 0.0000, 0.8000])
    """
    x = _checked("normalize", input, dtype)
    length = norm(x, ord, dim, keepdim=True, mask=mask)
    return _filled("normalize", x, mask, _zero) / length.clamp_min(eps)


def logaddexp(
    input: Tensor, other: Tensor, *, dtype: Any = None, input_mask: Tensor | None = None, other_mask: Tensor | None = None
) -> Tensor:
    """Return log(e^input + e^other) of what counts in either; -inf where neither does.

    >>> import taeda
    >>> a = taeda.tensor([0.0, 1.0])
    >>> taeda.masked.logaddexp(a, a, input_mask=taeda.tensor([True, False]))
    tensor([0.6931, 1.0000])
    """
    x, y = _checked("logaddexp", input, dtype), _checked("logaddexp", other, dtype)
    lowest = _lowest("logaddexp")
    return ops.logaddexp(_filled("logaddexp", x, input_mask, lowest), _filled("logaddexp", y, other_mask, lowest))


def _of_masked(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Let a function take a MaskedTensor: what does not count in it does not either."""

    @functools.wraps(function)
    def call(input: Any, *args: Any, mask: Tensor | None = None, **kwargs: Any) -> Tensor:
        own = getattr(input, "_masked_mask", None)
        if own is None:
            return function(input, *args, mask=mask, **kwargs)
        return function(input.get_data(), *args, mask=own if mask is None else own & mask, **kwargs)

    return call


for _name in __all__:
    if _name != "logaddexp":
        globals()[_name] = _of_masked(globals()[_name])
