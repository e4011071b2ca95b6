"""Calls of composed functions that PyTorch makes of plain operators: entries of the table of ``calls``.

Each gets the function's arguments by its own names and calls operators; NotImplemented: told by its own name after all.
Source: what PyTorch 2.13 dispatches for the same calls.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import taeda
from taeda._aten.classes import plain_like
from taeda._aten.nodes import aten, mm_rule, node, up_to_defaults
from taeda._aten.views import MADE as VIEWS
from taeda.tensor import Tensor

__all__ = ["MADE"]

# -- differences and sums of neighbours ------------------------------------------------------------------


def _diff(a: Any) -> Any:
    x, dim = a.input, a.dim
    parts = [p for p in (a.prepend, x, a.append) if p is not None]
    if not x.ndim or not -x.ndim <= dim < x.ndim or any(p.ndim != x.ndim for p in parts):
        return NotImplemented
    if not 0 <= a.n < sum(p.shape[dim] for p in parts):
        return NotImplemented
    if a.n == 0:
        return aten.copy_.default(aten.zeros_like.default(x), x)
    if len(parts) > 1:
        x = aten.cat.default(parts, *([dim] if dim else []))
    less = aten.logical_xor.default if x.dtype is taeda.bool else aten.sub.Tensor
    for _ in range(a.n):
        size = x.shape[dim]
        low = aten.slice.Tensor(x, dim, 0, size - 1)
        x = less(aten.slice.Tensor(x, dim, 1, size), low)
    return x


def _neighbours(y: Tensor, dim: int, step: Tensor | None) -> Any:
    """y[i] + y[i + 1], by the steps where these differ."""
    low = aten.slice.Tensor(y, dim, 0, -1)
    both = aten.add.Tensor(low, aten.slice.Tensor(y, dim, 1))
    return both if step is None else aten.mul.Tensor(both, step)


def _steps(x: Tensor, y: Tensor, dim: int) -> Any:
    """The distances between places, in the shape of y's dimensions."""
    if x.ndim == 1:
        x = aten.view.default(x, [x.shape[0] if d == dim else 1 for d in range(y.ndim)])
    low = aten.slice.Tensor(x, dim, 0, -1)
    return aten.sub.Tensor(aten.slice.Tensor(x, dim, 1), low)


def _trapezoid(a: Any) -> Any:
    y, dim = a.y, a.dim
    if not y.ndim or not -y.ndim <= dim < y.ndim or not y.shape[dim] or not y.is_floating_point():
        return NotImplemented
    if a.x is None:
        last = aten.select.int(y, dim, -1)
        half = aten.mul.Scalar(aten.add.Tensor(aten.select.int(y, dim, 0), last), 0.5)
        dx = 1.0 if a.dx is None else float(a.dx)
        return aten.mul.Scalar(aten.sub.Tensor(aten.sum.dim_IntList(y, [dim]), half), dx)
    dim %= y.ndim
    if a.dx is not None or a.x.ndim not in (1, y.ndim) or a.x.shape[dim if a.x.ndim > 1 else 0] != y.shape[dim]:
        return NotImplemented
    return aten.div.Scalar(aten.sum.dim_IntList(_neighbours(y, dim, _steps(a.x, y, dim)), [dim]), 2.0)


def _cumulative_trapezoid(a: Any) -> Any:
    y, dim = a.y, a.dim
    if not y.ndim or not -y.ndim <= dim < y.ndim or not y.shape[dim] or not y.is_floating_point():
        return NotImplemented
    if a.x is None:
        half = aten.mul.Scalar(_neighbours(y, dim, None), (1.0 if a.dx is None else float(a.dx)) / 2)
        return aten.cumsum.default(half, dim)
    dim %= y.ndim
    if a.dx is not None or a.x.ndim not in (1, y.ndim) or a.x.shape[dim if a.x.ndim > 1 else 0] != y.shape[dim]:
        return NotImplemented
    return aten.div.Scalar(aten.cumsum.default(_neighbours(y, dim, _steps(a.x, y, dim)), dim), 2.0)


# -- order -----------------------------------------------------------------------------------------------


def _argsort(a: Any) -> Any:
    dim = a.dim if a.axis is None else a.axis
    if not a.stable:
        return aten.sort.default(a.input, *up_to_defaults([dim, a.descending], (-1, False)))[1]
    more = {name: value for name, value, default in (("dim", dim, -1), ("descending", a.descending, False)) if value != default}
    return aten.sort.stable(a.input, stable=True, **more)[1]


# -- layouts of matrices -----------------------------------------------------------------------------------


def _kron(a: Any) -> Any:
    x, y = a.input, a.other
    n = max(x.ndim, y.ndim)
    if not n or x.dtype is not y.dtype:
        return NotImplemented
    high, wide = ([1] * (n - t.ndim) + list(t.shape) for t in (x, y))
    left = aten._unsafe_view.default(x, [s for size in high for s in (size, 1)])
    right = aten._unsafe_view.default(y, [s for size in wide for s in (1, size)])
    return aten._unsafe_view.default(aten.mul.Tensor(left, right), [p * q for p, q in zip(high, wide, strict=True)])


def _tensordot(a: Any) -> Any:
    if isinstance(a.dims, int):
        return _contracted(a.a, a.b, [*range(-a.dims, 0)], [*range(a.dims)])
    if isinstance(a.dims, (tuple, list)) and len(a.dims) == 2 and all(isinstance(d, (tuple, list)) for d in a.dims):
        return _contracted(a.a, a.b, list(a.dims[0]), list(a.dims[1]))
    return NotImplemented


def _inner(a: Any) -> Any:
    return _contracted(a.input, a.other, [-1], [-1])


def _contracted(x: Tensor, y: Tensor, over_x: list[int], over_y: list[int]) -> Any:
    """The product of two matrices that a sum over dimensions of both comes down to, or the one of two vectors."""
    if x.dtype is not y.dtype or not over_x or len(over_x) != len(over_y) or not (x.numel() and y.numel()):
        return NotImplemented
    if any(not -t.ndim <= d < t.ndim for t, over in ((x, over_x), (y, over_y)) for d in over):
        return NotImplemented
    if any(x.shape[d] != y.shape[e] for d, e in zip(over_x, over_y, strict=True)):
        return NotImplemented
    own_x, own_y = ([d for d in range(t.ndim) if d not in [k % t.ndim for k in over]] for t, over in ((x, over_x), (y, over_y)))
    size = [*(x.shape[d] for d in own_x), *(y.shape[d] for d in own_y)]
    if bool(own_x) != bool(own_y):
        return NotImplemented
    inner = math.prod(x.shape[d] for d in over_x)
    left, right = [inner] if not own_x else [-1, inner], [inner] if not own_y else [inner, -1]
    both = ((x, [*own_x, *over_x], left), (y, [*over_y, *own_y], right))
    try:
        shapes = [list(plain_like(t).permute(order).view(shape).shape) for t, order, shape in both]
    except RuntimeError:  # PyTorch copies
        return NotImplemented
    if not size:
        turned = [aten.permute.default(t, order) for t, order, _ in both]
        vectors = [t if t.ndim == 1 else aten.view.default(t, [inner]) for t in turned]
        return aten.view.default(aten.dot.default(*vectors), [])
    matrices = [aten.view.default(aten.permute.default(t, order), shape) for (t, order, _), shape in zip(both, shapes, strict=True)]
    return aten.view.default(node(aten.mm.default, mm_rule, *matrices), size)


def _grid(a: Any) -> Any:
    given = list(a.tensors[0] if len(a.tensors) == 1 and not isinstance(a.tensors[0], Tensor) else a.tensors)
    n = len(given)
    if n < 2 or a.indexing not in ("ij", "xy") or any(not isinstance(t, Tensor) or t.ndim > 1 for t in given):
        return NotImplemented
    if any((t.dtype, t.device) != (given[0].dtype, given[0].device) for t in given):
        return NotImplemented
    if a.indexing == "xy":  # the first runs along the second dimension
        given[0], given[1] = given[1], given[0]
    sizes = [t.numel() for t in given]
    made = [aten.expand.default(aten.view.default(t, [-1 if d == i else 1 for d in range(n)]), sizes) for i, t in enumerate(given)]
    if a.indexing == "xy":
        made[0], made[1] = made[1], made[0]
    return tuple(made)


def _columns(a: Any) -> Any:
    parts = [t if t.ndim > 1 else aten.view.default(t, [t.numel(), 1]) for t in a.tensors]
    return aten.cat.default(parts, 1) if parts else NotImplemented


def _side_by_side(a: Any) -> Any:
    if not a.tensors or any(not t.ndim for t in a.tensors):
        return NotImplemented
    return aten.cat.default(list(a.tensors), *([] if a.tensors[0].ndim == 1 else [1]))


def _one_below_the_other(a: Any) -> Any:
    if not a.tensors or any(not t.ndim for t in a.tensors):
        return NotImplemented
    return aten.cat.default([aten.unsqueeze.default(t, 0) if t.ndim == 1 else t for t in a.tensors])


def _deep(t: Tensor) -> Any:
    while t.ndim < 2:
        t = aten.unsqueeze.default(t, 0)
    return t if t.ndim > 2 else aten.unsqueeze.default(t, -1)


def _diag(a: Any) -> Any:
    more = [a.diagonal] if a.diagonal else []
    if a.input.ndim == 1:
        return aten.diag_embed.default(a.input, *more)
    return aten.diagonal_copy.default(a.input, *more) if a.input.ndim == 2 else NotImplemented


def _diagflat(a: Any) -> Any:
    x = a.input
    return aten.diag_embed.default(aten.view.default(x, [-1]), *([a.offset] if a.offset else [])) if x.is_contiguous() else NotImplemented


def _repeated(a: Any) -> Any:
    x, n = a.input, a.repeats
    if isinstance(n, bool) or (a.dim is not None and not -x.ndim <= a.dim < x.ndim):
        return NotImplemented
    if isinstance(n, Tensor) and n.ndim == 1 and a.dim is not None and x.ndim and n.shape[0] == x.shape[a.dim] and a.output_size is None:
        return aten.index_select.default(x, a.dim, aten.repeat_interleave.Tensor(n))
    if not isinstance(n, int) or a.output_size is not None or n < 1 or not x.numel() or (a.dim is None and x.ndim != 1):
        return NotImplemented
    dim = (0 if a.dim is None else a.dim) % x.ndim
    sizes = list(x.shape)
    wide = aten.expand.default(aten.unsqueeze.default(x, dim + 1), [*sizes[: dim + 1], n, *sizes[dim + 1 :]])
    copied = aten.clone.default(wide, memory_format=taeda.contiguous_format)
    return aten.view.default(copied, [*sizes[:dim], sizes[dim] * n, *sizes[dim + 1 :]])


def _tile(a: Any) -> Any:
    given = a.sizes if a.dims is None else (a.dims,)
    sizes = list(given[0]) if len(given) == 1 and not isinstance(given[0], int) else list(given)
    return aten.repeat.default(a.input, [1] * (a.input.ndim - len(sizes)) + sizes)


# -- arithmetic --------------------------------------------------------------------------------------------


def _cross(a: Any) -> Any:
    sizes = a.input.shape
    dim = next((d for d, n in enumerate(sizes) if n == 3), None) if a.dim is None else a.dim
    return NotImplemented if dim is None or sizes != a.other.shape else aten.linalg_cross.default(a.input, a.other, dim=dim)


def _isfinite(a: Any) -> Any:
    x = a.input
    if x.is_complex():
        return NotImplemented
    if not x.is_floating_point():
        return aten.ones_like.default(x, dtype=taeda.bool, memory_format=taeda.preserve_format)
    finite = aten.ne.Scalar(aten.abs.default(x), math.inf)
    return aten.mul.Tensor(aten.eq.Tensor(x, x), finite)


def _float_power(a: Any) -> Any:
    x, y = a.input, a.exponent
    if not isinstance(x, Tensor) or any(isinstance(t, complex) or (isinstance(t, Tensor) and t.is_complex()) for t in (x, y)):
        return NotImplemented
    wide = [aten._to_copy.default(t, dtype=taeda.float64) if t.dtype is not taeda.float64 else t for t in (x, y) if isinstance(t, Tensor)]
    return aten.pow.Tensor_Tensor(*wide) if len(wide) == 2 else aten.pow.Tensor_Scalar(wide[0], float(y))


def _matrix_power(x: Tensor, n: int) -> Any:
    if x.ndim != 2 or x.shape[0] != x.shape[1] or not 1 <= n <= 3:
        return NotImplemented
    if n == 1:
        return aten.clone.default(x, memory_format=taeda.contiguous_format)
    square = node(aten.mm.default, mm_rule, x, x)
    return square if n == 2 else node(aten.mm.default, mm_rule, square, x)


def _vector_norm(x: Tensor, given: list[Any], dtype: Any) -> Any:
    return aten.linalg_vector_norm.default(x, *up_to_defaults(given, (2, None, False)), **({} if dtype is None else {"dtype": dtype}))


def _linalg_norm(a: Any) -> Any:
    x, order, dim = a.A, a.ord, a.dim
    dim = [dim] if isinstance(dim, int) else None if dim is None else list(dim)
    if order is None:
        if dim is None and a.keepdim:
            return NotImplemented
        return (
            _vector_norm(x, [2.0, dim, a.keepdim], a.dtype)
            if dim is not None
            else aten.linalg_vector_norm.default(x, 2.0, **({} if a.dtype is None else {"dtype": a.dtype}))
        )
    if isinstance(order, str) or (len(dim) if dim is not None else x.ndim) != 1:
        return _matrix_norm(a)
    return _vector_norm(x, [order, dim, a.keepdim], a.dtype)


def _matrix_norm(a: Any) -> Any:
    """The norms that are those of rows, columns or of all."""
    x, dim = a.A, (-2, -1) if a.dim is None else a.dim
    if x.ndim < 2 or a.dtype is not None or isinstance(dim, int) or len(dim) != 2 or (a.dim is None and x.ndim != 2):
        return NotImplemented
    if any(not -x.ndim <= d < x.ndim for d in dim):
        return NotImplemented
    rows, columns = (d % x.ndim for d in dim)
    if rows == columns:
        return NotImplemented
    if a.ord == "fro":
        return _vector_norm(x, [2, [rows, columns], a.keepdim], None)
    if isinstance(a.ord, str) or abs(a.ord) not in (1, math.inf):
        return NotImplemented
    over, rest = (rows, columns) if abs(a.ord) == 1 else (columns, rows)
    sums = _vector_norm(x, [1.0, [over], a.keepdim], None)
    if not a.keepdim and rest > over:
        rest -= 1
    return (aten.amax if a.ord > 0 else aten.amin).default(sums, *up_to_defaults([[rest], a.keepdim], (None, False)))


def _vecdot(a: Any) -> Any:
    if not a.x.is_floating_point() or a.x.dtype is not a.y.dtype:
        return NotImplemented
    return aten.sum.dim_IntList(aten.mul.Tensor(a.x, a.y), [a.dim])


def _nanmean(a: Any) -> Any:
    x, dim, keepdim = a.input, (a.dim if a.axis is None else a.axis), bool(a.keepdim or a.keepdims)
    if a.dtype is not None or not x.is_floating_point():
        return NotImplemented
    dim = [dim] if isinstance(dim, int) else dim if dim is None else list(dim)
    plain = aten.detach.default(x)
    there = aten.logical_not_.default(aten.ne.Tensor(plain, plain))
    count = aten.sum.dim_IntList(there, dim, *([True] if keepdim else []))
    return aten.div.Tensor(aten.nansum.default(x, *up_to_defaults([dim, keepdim], (None, False))), count)


def _shift(sign: int) -> Callable[[Any], Any]:
    def make(a: Any) -> Any:
        x = a.input
        dims = [*range(x.ndim)] if a.dim is None else [a.dim] if isinstance(a.dim, int) else list(a.dim)
        if any(not -x.ndim <= d < x.ndim for d in dims):
            return NotImplemented
        return aten.roll.default(x, [(x.shape[d] + (sign < 0)) // 2 for d in dims], dims)

    return make


def _given(a: Any) -> Any:
    return a.input


def _positive(a: Any) -> Any:
    return NotImplemented if a.input.dtype is taeda.bool else a.input


def _of_reals(a: Any) -> Any:
    return NotImplemented if a.input.is_complex() else a.input


MADE: dict[str, Callable[[Any], Any]] = {
    "argsort": _argsort,
    "argwhere": lambda a: aten.nonzero.default(a.input) if a.input.ndim else NotImplemented,
    "column_stack": _columns,
    "conj": _of_reals,
    "conj_physical": _of_reals,
    "cross": _cross,
    "cumulative_trapezoid": _cumulative_trapezoid,
    "diag": _diag,
    "diagflat": _diagflat,
    "diff": _diff,
    "dstack": lambda a: aten.cat.default([_deep(t) for t in a.tensors], 2) if a.tensors else NotImplemented,
    "fft_fftshift": _shift(1),
    "fft_ifftshift": _shift(-1),
    "fliplr": lambda a: aten.flip.default(a.input, [1]) if a.input.ndim > 1 else NotImplemented,
    "flipud": lambda a: aten.flip.default(a.input, [0]) if a.input.ndim else NotImplemented,
    "float_power": _float_power,
    "ger": VIEWS["outer"],
    "hstack": _side_by_side,
    "inner": _inner,
    "isfinite": _isfinite,
    "kron": _kron,
    "linalg_diagonal": lambda a: aten.diagonal.default(a.A, a.offset, a.dim1, a.dim2),
    "linalg_matrix_norm": _matrix_norm,
    "linalg_matrix_power": lambda a: _matrix_power(a.A, a.n),
    "linalg_norm": _linalg_norm,
    "linalg_vecdot": _vecdot,
    "matrix_power": lambda a: _matrix_power(a.input, a.n),
    "meshgrid": _grid,
    "msort": lambda a: aten.sort.default(a.input, 0)[0],
    "nanmean": _nanmean,
    "positive": _positive,
    "repeat_interleave": _repeated,
    "real": _of_reals,
    "resolve_conj": _given,
    "resolve_neg": _given,
    "row_stack": _one_below_the_other,
    "tensordot": _tensordot,
    "tile": _tile,
    "trapezoid": _trapezoid,
    "trapz": _trapezoid,
    "vstack": _one_below_the_other,
}
