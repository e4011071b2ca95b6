"""Rules for sums, norms and softmax: over the elements that are there."""

from __future__ import annotations

import math
from typing import Any

from taeda import ops
from taeda.autograd.function import Function
from taeda.autograd.grad_mode import is_grad_enabled
from taeda.dtype import int64
from taeda.layout import COMPRESSED
from taeda.operands import wrapped_dim
from taeda.sparse.compressed import to_compressed, to_coo
from taeda.sparse.places import linear_of, sparse_dim
from taeda.sparse.rules_form import need_coo
from taeda.sparse.tensor import coalesce, from_values, packed, rule, summed, unknown, values_of, with_values


class SumOfAll(Function):
    """The sum of all elements, of which each has the same gradient, those that are not there as well."""

    @staticmethod
    def forward(ctx: Any, s: Any, dtype: Any) -> Any:
        ctx.shape, ctx.dtype = tuple(s.shape), s.dtype
        return s._held.sum(dtype=dtype)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g.to(ctx.dtype).expand(ctx.shape), None


class SumOfDims(Function):
    """The same, of a list of all dimensions, which may be kept with size 1."""

    @staticmethod
    def forward(ctx: Any, s: Any, dtype: Any, size: tuple[int, ...]) -> Any:
        return SumOfAll.forward(ctx, s, dtype).reshape(size)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return (*SumOfAll.backward(ctx, g), None)


SumOfAll._backward_cls.__name__ = "SumBackward0"
SumOfDims._backward_cls.__name__ = "SumBackward1"


def dims_of(s: Any, dim: Any) -> list[int]:
    given = [dim] if hasattr(dim, "__index__") else list(dim)
    found = [wrapped_dim("sum", d, s.ndim) for d in given]
    if len(set(found)) != len(found):
        raise RuntimeError(f"[sum] dim {found[-1]} appears multiple times in the list of dims")
    return sorted(found)


def sum_over(s: Any, dims: list[int], dtype: Any, keepdim: bool = False) -> Any:
    """Sum over some dimensions: dense when none of the sparse ones is left."""
    s = coalesce(s)
    k = sparse_dim(s)
    values = values_of(s)
    if dtype is not None:
        values = values.to(dtype)
    elif values.dtype.name == "bool":
        values = values.to(int64)
    dense = [d - k + 1 for d in dims if d >= k]
    if dense:
        values = values.sum(dense, keepdim=keepdim)
    left = [d for d in range(k) if d not in dims]
    if len(left) == k:
        size = tuple(1 if d in dims else n for d, n in enumerate(s.shape) if keepdim or d not in dims)
        return packed(s._layout, s._places, values, size, True)
    if not left:
        total = values.sum(0)
        return total.reshape([1 if d in dims else n for d, n in enumerate(s.shape)]) if keepdim else total
    kept = s._places[0][left]
    if keepdim:
        kept = s._places[0].clone()
        kept[[d for d in dims if d < k]] = 0
    size = tuple(1 if d in dims else n for d, n in enumerate(s.shape) if keepdim or d not in dims)
    return coalesce(packed(s._layout, (kept,), values, size))


@rule("sum")
def sum(s: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, axis: Any = None) -> Any:
    dim = axis if dim is None else dim
    if dim is None or (not hasattr(dim, "__index__") and len(dim) == 0):
        dtype = dtype or (int64 if not (s.is_floating_point() or s.is_complex()) else None)
        if s.requires_grad and is_grad_enabled() and not from_values(s):
            return SumOfAll.apply(s, dtype)
        return values_of(s).sum(dtype=dtype)
    dtype = dtype or (int64 if not (s.is_floating_point() or s.is_complex()) else None)
    if s._layout in COMPRESSED:
        if not keepdim:
            raise RuntimeError("[sum] reduction operations on CSR tensors with keepdim=False is unsupported; hint: keepdim=True")
        return to_compressed(sum_over(to_coo(s), dims_of(s, dim), dtype, True), s._layout)
    dims = dims_of(s, dim)
    if len(dims) == s.ndim and s.requires_grad and is_grad_enabled() and not from_values(s):
        return SumOfDims.apply(s, dtype, (1,) * s.ndim if keepdim else ())
    return sum_over(s, dims, dtype, keepdim)


@rule("norm", "native_norm")
def norm(s: Any, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    if s._layout in COMPRESSED:
        raise unknown("norm", s)
    if dim is not None and len([dim] if hasattr(dim, "__index__") else dim) not in (0, s.ndim):
        raise RuntimeError("[norm] norm_sparse currently only supports full reductions, so 'dim' must either be empty or contain all "
                           f"dimensions of the input; got dim={dim} of shape {tuple(s.shape)}")
    if keepdim:
        raise RuntimeError("[norm] norm_sparse currently does not support keepdim=True")
    values = values_of(coalesce(s)).reshape(-1)
    return ops.norm(values, 2 if p in ("fro", None) else p, dtype=dtype)


# -- softmax -----------------------------------------------------------------------------------------


_FEW = 256              # lines without an entry that cost less than to find those that have some


def softmax_values(s: Any, dim: int, dtype: Any, log: bool) -> Any:
    """The (logarithms of) softmax among the entries that differ in one dimension alone; what is not there counts as minus infinity."""
    name = "log_softmax" if log else "softmax"
    need_coo(f"sparse.{name}", s)
    s = coalesce(s)
    dim, k = wrapped_dim(name, dim, s.ndim), sparse_dim(s)
    values = values_of(s)
    if dtype is not None:
        values = values.to(dtype)
    if not values.dtype.is_floating_point:
        raise RuntimeError(f"[sparse.{name}] \"softmax\" not implemented for '{values.dtype}'; give a dtype")
    if dim >= k:
        return s, getattr(ops, name)(values, dim - k + 1)
    if values.numel() == 0:
        return s, values
    others = [d for d in range(k) if d != dim]
    sizes = [s.shape[d] for d in others]
    line, lines = linear_of([s._places[0][d] for d in others], sizes) if others else s._places[0].new_zeros(len(values)), math.prod(sizes)
    if lines > _FEW + 4 * len(values):                    # else most lines have entries: those that have none cost less than a search
        found, line = line.unique(return_inverse=True)
        lines = found.numel()
    spread = line if values.ndim == 1 else line.reshape([-1] + [1] * (values.ndim - 1)).expand(values.shape)
    plain = values.detach()
    top = plain.new_full((lines, *values.shape[1:]), -math.inf).scatter_reduce(0, spread, plain, "amax").index_select(0, line)
    top = top.masked_fill(top.isinf(), 0)
    shifted = values - top
    weights = shifted.exp()
    total = summed(weights, line, lines).index_select(0, line)
    return s, shifted - total.log() if log else weights / total


@rule("_sparse_softmax")
def sparse_softmax(s: Any, dim: int, dtype: Any = None) -> Any:
    return with_values(*softmax_values(s, dim, dtype, False))


@rule("_sparse_log_softmax")
def sparse_log_softmax(s: Any, dim: int, dtype: Any = None) -> Any:
    return with_values(*softmax_values(s, dim, dtype, True))
