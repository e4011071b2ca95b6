"""Membership and choice: which elements are in a set, which rows fold into which, all combinations of elements, a hash."""

from __future__ import annotations

import math
from numbers import Number

from taeda._once import warn_once
from taeda.autograd.grad_mode import is_grad_enabled
from taeda.autograd.node import named
from taeda.dispatch import in_place
from taeda.dtype import bool_, float64, int32, int64, type_name, uint64
from taeda.operands import need_tensor, wrapped_dim
from taeda.ops.gather import scatter_reduce, scatter_reduce_
from taeda.ops.join import stack
from taeda.ops.matmul import write_result
from taeda.ops.rearrange import repeat_interleave
from taeda.ops.searching import among
from taeda.ops.sequences import arange
from taeda.ops.triangles import triu_indices
from taeda.tensor_base import TensorBase

__all__ = ["combinations", "hash_tensor", "index_reduce", "index_reduce_", "isin"]
PUBLIC = ("combinations", "hash_tensor", "index_reduce", "isin")


def isin(elements, test_elements, *, assume_unique=False, invert=False, out=None):
    """Return where ``elements`` are among ``test_elements``; either may be a number.  nan is in nothing.

    Args:
        assume_unique: accepted; nothing is gained by it.
        invert: return where they are not.

    >>> import taeda
    >>> taeda.isin(taeda.tensor([[1, 2], [3, 4]]), taeda.tensor([2, 3]))
    tensor([[False,  True],
            [ True, False]])
    """
    both = isinstance(elements, TensorBase) and isinstance(test_elements, TensorBase)
    if not both and not isinstance(elements, TensorBase) and not isinstance(test_elements, TensorBase):
        raise TypeError(f"[isin] one of the arguments must be a Tensor, got {type(elements).__name__} and "
                        f"{type(test_elements).__name__}")
    if not both:                       # of a tensor it takes long to say that it is not a number
        elements, test_elements = (x.item() if isinstance(x, Number) and hasattr(x, "item") else x for x in (elements, test_elements))
    for x in (elements, test_elements):
        if not isinstance(x, (TensorBase, int, float)):
            raise TypeError(f"[isin] arguments must be Tensors or numbers, not {type(x).__name__}")
        if (x.dtype is bool_ or x.is_complex()) if isinstance(x, TensorBase) else isinstance(x, bool):
            raise RuntimeError(f"[isin] Unsupported input type encountered for isin(): {getattr(x, 'dtype', 'bool')}")
    if not isinstance(test_elements, TensorBase):
        found = elements == test_elements
    elif not isinstance(elements, TensorBase):
        found = (test_elements == elements).any()
    else:
        found = among(elements.detach(), test_elements.detach().reshape(-1))
    found = ~found if invert else found
    if isinstance(out, TensorBase) and out.dtype is not bool_:
        raise RuntimeError(f"[isin] Expected out tensor to have dtype taeda.bool, but got {out.dtype} instead")
    return found if out is None else write_result(out, found, "isin")


def _choices(n, r, with_replacement):
    """The places that combinations takes, a vector for each column: every row is followed by all that may come after its last place."""
    columns, last = [], None
    for k in range(r):
        end = n if with_replacement else n - r + k + 1              # what leaves too few places for the columns to come is left out
        if last is None:
            columns = [arange(max(end, 0))]
        else:
            first = last if with_replacement else last + 1
            counts = (end - first).clamp(min=0)
            rows = repeat_interleave(counts)
            starts = counts.cumsum(0) - counts
            columns = [c[rows] for c in columns]
            columns.append(arange(rows.shape[0]) - starts[rows] + first[rows])
        last = columns[-1]
    return columns


def combinations(input, r=2, with_replacement=False):
    """Return all combinations of ``r`` elements of a vector, one per row, in the order of Python's itertools.

    Raises RuntimeError for a negative ``r``, or where ``input`` is not a vector.

    >>> import taeda
    >>> taeda.combinations(taeda.tensor([1, 2, 3]))
    tensor([[1, 2],
            [1, 3],
            [2, 3]])
    """
    need_tensor("combinations", "input", input)
    if input.ndim != 1:
        raise RuntimeError(f"[combinations] Expect a 1D vector, but got shape {list(input.shape)}")
    if isinstance(r, TensorBase):
        r = int(r) if r.numel() == 1 and not (r.is_floating_point() or r.is_complex()) else None
    if isinstance(r, bool) or not hasattr(r, "__index__"):
        raise TypeError(f"[combinations] argument 'r' must be int, not {type(r).__name__}")
    if r < 0:
        raise RuntimeError(f"[combinations] Expect a non-negative number, but got {r}")
    if r == 0:
        return input.new_empty(0)
    n = input.shape[0]
    if r == 2:
        columns = triu_indices(n, n, 0 if with_replacement else 1, device=input.device)
    else:
        total = math.comb(n + r - 1 if with_replacement and n else n, r)
        if total * r * 8 >= 1 << 63:
            raise RuntimeError(f"[combinations] Storage size calculation overflowed with sizes={[total, r]}")
        if total == 0:
            return input.narrow(0, 0, 0).reshape(0, r)
        input.new_empty((total, r))          # is there so much memory?
        columns = [c.to(input.device) for c in _choices(n, r, with_replacement)]
    return stack([input.index_select(0, c.contiguous()) for c in columns], 1)


# -- index_reduce -----------------------------------------------------------------------------------------


def _spread(op, x, dim, index, source):
    """The checked index as scatter_reduce takes it: one place for every element of source."""
    for name, t in (("input", x), ("index", index), ("source", source)):
        need_tensor(op, name, t)
    d = wrapped_dim(op, dim, x.ndim)
    if index.ndim > 1:
        raise IndexError(f"[{op}] Index is supposed to be a vector, but got shape {tuple(index.shape)}")
    if index.dtype not in (int32, int64):
        raise RuntimeError(f"[{op}] Expected dtype int32/int64 for index but got: {index.dtype}")
    if x.dtype is not source.dtype:
        raise RuntimeError(f"[{op}] self ({x.dtype}) and source ({source.dtype}) must have the same scalar type")
    if source.ndim != x.ndim or any(a != b for i, (a, b) in enumerate(zip(source.shape, x.shape, strict=True)) if i != d):
        raise RuntimeError(f"[{op}] source tensor shape must match self tensor shape, excluding the specified dimension. Got "
                           f"self.shape = {list(x.shape)} source.shape = {list(source.shape)}")
    size = source.shape[d] if source.ndim else 1
    if index.numel() != size:
        raise RuntimeError(f"[{op}] Number of indices ({index.numel()}) should be equal to source.size(dim): ({size}), for dim: {d}")
    return d, index.to(int64).reshape([-1 if i == d else 1 for i in range(x.ndim)]).expand(source.shape)


def _reduced_rows(function, x, d, index, source, reduce, include_self):
    """scatter_reduce, which looks at the index before it writes anything, with index_reduce's error."""
    try:
        return function(x, d, index, source, reduce, include_self=include_self)
    except RuntimeError:
        rows = x.shape[d] if x.ndim else 1
        if index.numel() and not index.is_meta and not 0 <= index.min().item() <= index.max().item() < rows:
            raise IndexError(f"[index_reduce] index out of range in self: {index.min().item()} to {index.max().item()} for dimension {d} "
                             f"with size {rows}") from None
        raise


def _known(reduce):
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise RuntimeError(f"[index_reduce] Expected reduce to be one of prod, mean, amax or amin but got {reduce}")


def index_reduce(input, dim, index, source, reduce, *, include_self=True, out=None):
    """Reduce the rows of ``source`` into the rows of ``input`` that ``index`` names: y[index[i]] = reduce(y[index[i]], source[i]).

    Args:
        index: (n,) int32 or int64.
        source: input's shape but for n rows along ``dim``.
        reduce: "prod", "mean", "amax" or "amin".
        include_self: let input's own values take part.

    Raises:
        IndexError: an index is out of range.  RuntimeError: source or index does not fit.

    >>> import taeda
    >>> taeda.index_reduce(taeda.ones(2), 0, taeda.tensor([0, 0]), taeda.tensor([4.0, 7.0]), "mean")
    tensor([4., 1.])
    """
    warn_once("index_reduce", "index_reduce() is in beta and the API may change at any time.", 3)
    _known(reduce)
    d, index = _spread("index_reduce", input, dim, index, source)
    y = _reduced_rows(scatter_reduce, input, d, index, source, reduce, include_self)
    return named(write_result(out, y, "index_reduce"), "IndexReduceBackward0")


def index_reduce_(input, dim, index, source, reduce, *, include_self=True):
    """In-place :func:`index_reduce`."""
    warn_once("index_reduce", "index_reduce() is in beta and the API may change at any time.", 3)
    _known(reduce)
    d, spread = _spread("index_reduce", input, dim, index, source)
    if is_grad_enabled() and (input.requires_grad or source.requires_grad):      # by a node of its own name
        return in_place("index_reduce_", index_reduce, input, d, index, source, reduce, include_self=include_self)
    return _reduced_rows(scatter_reduce_, input, d, spread, source, reduce, include_self)


# -- hash_tensor ------------------------------------------------------------------------------------------


def hash_tensor(input, dim=(), *, keepdim=False, mode=0, out=None):
    """Return the exclusive or of the elements' bits, over all dimensions or those in ``dim``: uint64.

    Floats are hashed as float64, integers and bool as int64, so equal values of other dtypes hash alike.

    Raises RuntimeError for another ``mode`` than 0, the only one there is, and an ``out`` that is not uint64; IndexError for
    a dimension of size 0.

    >>> import taeda
    >>> taeda.hash_tensor(taeda.tensor([1, 2, 4])), taeda.hash_tensor(taeda.tensor([4, 1, 2]))
    (tensor(7, dtype=taeda.uint64), tensor(7, dtype=taeda.uint64))
    """
    need_tensor("hash_tensor", "input", input)
    if mode != 0:
        raise RuntimeError(f"[hash_tensor] Unknown hash_tensor mode: {mode}")
    if out is not None:
        need_tensor("hash_tensor", "out", out)
        if out.dtype != uint64:
            raise RuntimeError(f"[hash_tensor] Expected result to be of dtype uint64, but got {out.dtype}")
    if input.is_complex() and input.numel():
        raise NotImplementedError(f"[hash_tensor] not implemented for '{type_name(input.dtype)}'; hash its view_as_real")
    dim = () if dim is None else dim
    dims = sorted(wrapped_dim("hash_tensor", d, input.ndim) for d in ([dim] if hasattr(dim, "__index__") else dim))
    if len(set(dims)) < len(dims):
        raise RuntimeError(f"[hash_tensor] a dim appears multiple times in the list of dims {tuple(dim)}")
    dims = dims or list(range(input.ndim))
    if input.numel() == 0 and isinstance(dim, (tuple, list)) and not dim:
        raise RuntimeError(f"[hash_tensor] Expected reduction dim to be specified for input.numel() == 0, got shape {tuple(input.shape)}")
    for d in dims:
        if input.ndim and input.shape[d] == 0:
            raise IndexError(f"[hash_tensor] Expected reduction dim {d} to have non-zero size, got shape {tuple(input.shape)}")
    x = input.detach()
    bits = x.to(float64).view(int64) if x.is_floating_point() else x.to(int64)
    kept = [1 if i in dims else s for i, s in enumerate(input.shape)]
    folded = False
    if input.ndim:
        bits = bits.movedim(dims, list(range(-len(dims), 0))).flatten(input.ndim - len(dims))
        n, odd = bits.shape[-1], None
        folded = n != 1
        while n > 1:                                   # fold the halves onto each other
            if n % 2:
                odd = bits.select(-1, n - 1) if odd is None else odd ^ bits.select(-1, n - 1)
            n //= 2
            bits = bits.narrow(-1, 0, n) ^ bits.narrow(-1, n, n)
        bits = bits.select(-1, 0) if n else bits.sum(-1)
        if odd is not None:
            bits = bits ^ odd
    shape = kept if keepdim else [s for i, s in enumerate(input.shape) if i not in dims]
    found = bits.reshape(shape).view(uint64)
    return write_result(out, found if folded else found.clone(), "hash_tensor")


METHODS = {"hash_tensor": hash_tensor, "index_reduce": index_reduce, "index_reduce_": index_reduce_}
