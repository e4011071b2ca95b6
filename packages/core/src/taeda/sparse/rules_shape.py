"""Rules for what moves, picks and joins elements."""

from __future__ import annotations

from typing import Any

from taeda import ops
from taeda.autograd.function import Function
from taeda.autograd.grad_mode import is_grad_enabled
from taeda.layout import COMPRESSED, sparse_bsc, sparse_bsr, sparse_coo, sparse_csc, sparse_csr
from taeda.operands import wrapped_dim
from taeda.sparse.compressed import batch_dims, one_of, to_coo
from taeda.sparse.places import is_coalesced, known, runs, sparse_dim, writes
from taeda.sparse.rules_form import write
from taeda.sparse.tensor import NAMED, from_values, is_sparse, packed, rule, unknown, values_of, with_values

_TURNED = {sparse_csr: sparse_csc, sparse_csc: sparse_csr, sparse_bsr: sparse_bsc, sparse_bsc: sparse_bsr}


@rule("t")
def t(s: Any) -> Any:
    if s.ndim > 2 or (s._layout is sparse_coo and sparse_dim(s) != s.ndim):
        raise RuntimeError(f"[t] t() expects a tensor with <= 2 sparse and 0 dense dimensions, but got shape {tuple(s.shape)}")
    return _turned(s) if s.ndim == 2 else s


class Turned(Function):
    """A matrix with rows and columns exchanged; its gradient may have elements that the matrix has not, as that of a product."""

    @staticmethod
    def forward(ctx: Any, s: Any) -> Any:
        ctx.set_materialize_grads(False)
        return _turned(s.detach())

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return None if g is None else g.transpose(0, 1)


NAMED.add(Turned._backward_cls)


def _turned(s: Any) -> Any:
    """Return a matrix with rows and columns exchanged."""
    if s.requires_grad and is_grad_enabled() and not from_values(s):
        return Turned.apply(s)
    values, layout = values_of(s), s._layout
    rows, columns = s.shape
    if layout is sparse_coo:
        made = packed(sparse_coo, (s._places[0].flip(0),), values, (columns, rows))
    else:
        blocks = layout in (sparse_bsr, sparse_bsc)
        made = packed(_TURNED[layout], s._places, values.transpose(1, 2) if blocks else values, (columns, rows))
    if "pattern" in known(s):
        made._known["pattern"] = s._known["pattern"].transposed()
        made._known["version"] = writes(made._places)
    return made


@rule("transpose", "swapaxes", "swapdims", "_transpose")
def transpose(s: Any, dim0: int, dim1: int) -> Any:
    i, j = wrapped_dim("transpose", dim0, s.ndim), wrapped_dim("transpose", dim1, s.ndim)
    order = list(range(s.ndim))
    order[i], order[j] = order[j], order[i]
    return permute(s, order)


@rule("t_")
def t_(s: Any) -> Any:
    return _turned_in_place("t_", s, t(s))


@rule("transpose_", "swapaxes_", "swapdims_")
def transpose_(s: Any, dim0: int, dim1: int) -> Any:
    return _turned_in_place("transpose_", s, transpose(s, dim0, dim1))


def _turned_in_place(name: str, s: Any, found: Any) -> Any:
    if s._layout is not sparse_coo:
        raise RuntimeError(f"[{name}] in-place transposition is not supported for layout {s._layout}; hint: transpose")
    return s if found is s else write(name, s, found)


@rule("permute")
def permute(s: Any, *given: Any, dims: Any = None) -> Any:
    given = given if dims is None else (dims,)
    order = list(given[0]) if len(given) == 1 and hasattr(given[0], "__len__") else list(given)
    order = [wrapped_dim("permute", d, s.ndim) for d in order]
    if sorted(order) != list(range(s.ndim)):
        raise RuntimeError(f"[permute] permute(sparse): dims {order} are not an order of the {s.ndim} dimensions")
    if order == list(range(s.ndim)):
        return s.detach() if not s.requires_grad else with_values(s, values_of(s))
    return _turned(s) if order == [1, 0] and (s._layout is not sparse_coo or sparse_dim(s) == 2) else _permuted(s, order)


def _permuted(s: Any, order: list[int]) -> Any:
    size = tuple(s.shape[d] for d in order)
    values = values_of(s)
    if s._layout in COMPRESSED:
        n = batch_dims(s)
        if sorted(order[n : n + 2]) != [n, n + 1] or order[:n] + order[n + 2 :] != [d for d in range(s.ndim) if d not in (n, n + 1)]:
            raise RuntimeError(f"[permute] of a compressed tensor of shape {tuple(s.shape)} rows and columns can be exchanged, no more, "
                               f"got {order}")
        blocks = s._layout in (sparse_bsr, sparse_bsc)
        return packed(_TURNED[s._layout], s._places, values.transpose(n + 1, n + 2) if blocks else values, size)
    k = sparse_dim(s)
    if any((d < k) != (at < k) for at, d in enumerate(order)):
        raise RuntimeError(f"[permute] transpositions between sparse and dense dimensions are not supported, got {order} with {k} sparse "
                           "dimensions")
    dense = [d - k + 1 for d in order[k:]]
    if dense != list(range(1, len(dense) + 1)):
        values = values.permute([0, *dense])
    # sorted as before where the dimensions that move are dense
    coalesced = is_coalesced(s) and (order[:k] == list(range(k)))
    places = s._places[0].flip(0) if order[:k] == [1, 0] else s._places[0][order[:k]]
    return packed(sparse_coo, (places,), values, size, coalesced)


@rule("unsqueeze")
def unsqueeze(s: Any, dim: int) -> Any:
    s = to_coo(s)
    dim = wrapped_dim("unsqueeze", dim, s.ndim + 1)
    size = (*s.shape[:dim], 1, *s.shape[dim:])
    k, indices = sparse_dim(s), s._places[0]
    if dim <= k:
        rows = [*indices[:dim].unbind(0), indices.new_zeros(indices.shape[1]), *indices[dim:].unbind(0)]
        return packed(sparse_coo, (ops.stack(rows),), values_of(s), size, is_coalesced(s))
    return packed(sparse_coo, s._places, values_of(s).unsqueeze(dim - k + 1), size, is_coalesced(s))


# -- picking -----------------------------------------------------------------------------------------


@rule("select", "select_copy")
def select(s: Any, dim: int, index: int) -> Any:
    if s._layout in COMPRESSED:
        at = wrapped_dim("select", dim, s.ndim)
        if at < batch_dims(s) and -s.shape[at] <= index < s.shape[at]:
            return one_of(s, at, index % s.shape[at])
        s = to_coo(s)
    if s.ndim == 0:
        raise IndexError("[select] select() cannot be applied to a 0-dim tensor.")
    dim = wrapped_dim("select", dim, s.ndim)
    n, index = s.shape[dim], index.__index__()
    if not -n <= index < n:
        raise IndexError(f"[select] index {index} out of range for tensor of size {list(s.shape)} at dimension {dim}")
    index %= n
    size, k = (*s.shape[:dim], *s.shape[dim + 1 :]), sparse_dim(s)
    values = values_of(s)
    if dim >= k:
        return packed(sparse_coo, s._places, values.select(dim - k + 1, index), size, is_coalesced(s))
    found = (s._places[0][dim] == index).nonzero().reshape(-1)
    values = values.index_select(0, found)
    if k == 1:
        return values.sum(0, dtype=s.dtype)
    rows = [d for d in range(k) if d != dim]
    return packed(sparse_coo, (s._places[0][rows].index_select(1, found),), values, size, is_coalesced(s))


@rule("narrow_copy")
def narrow_copy(s: Any, dim: int, start: int, length: int) -> Any:
    if s._layout is not sparse_coo:
        raise unknown("narrow_copy", s)
    if not 0 <= dim < s.ndim:
        raise RuntimeError(f"[narrow_copy] Dimension {dim} out of range. Expecting 0 <= dim < {s.ndim}.")
    n = s.shape[dim]
    if not 0 <= start <= start + length <= n:
        raise RuntimeError(f"[narrow_copy] Invalid range to narrow. range(start, start+length) must be a subset of range(0, {n}), got "
                           f"start={start}, length={length}")
    size, k = (*s.shape[:dim], length, *s.shape[dim + 1 :]), sparse_dim(s)
    if dim >= k:
        return packed(sparse_coo, s._places, values_of(s).narrow(dim - k + 1, start, length).clone(), size, is_coalesced(s))
    places = s._places[0]
    kept = ((places[dim] >= start) & (places[dim] < start + length)).nonzero().reshape(-1)
    places = places.index_select(1, kept)
    places[dim] -= start
    return packed(sparse_coo, (places,), values_of(s).index_select(0, kept), size, is_coalesced(s))


@rule("__getitem__", "getitem")
def getitem(s: Any, index: Any) -> Any:
    if not is_sparse(s):
        raise unknown("index.Tensor", index if is_sparse(index) else None)
    items = list(index) if isinstance(index, tuple) else [index]
    taken = sum(x is not None and x is not ... for x in items)
    if ... in [x for x in items if x is ...]:
        at = next(i for i, x in enumerate(items) if x is ...)
        items[at : at + 1] = [slice(None)] * (s.ndim - taken)
    if taken > s.ndim:
        raise IndexError(f"[getitem] too many indices for tensor of dimension {s.ndim}")
    dim = 0
    for x in items:
        if x is None:
            s, dim = unsqueeze(s, dim), dim + 1
        elif isinstance(x, slice):
            if x != slice(None) and x.indices(s.shape[dim]) != (0, s.shape[dim], 1):
                raise NotImplementedError("[getitem] Could not run 'aten::as_strided' with arguments from the 'SparseCPU' backend: sparse "
                                          "tensors have no slices; hint: index_select")
            dim += 1
        elif isinstance(x, int) or (hasattr(x, "__index__") and not isinstance(x, bool) and not getattr(x, "ndim", 0)):
            s = select(s, dim, x.__index__()) if is_sparse(s) else s.select(dim, x.__index__())
        else:
            raise NotImplementedError("[getitem] Could not run 'aten::index.Tensor' with arguments from the 'SparseCPU' backend; hint: "
                                      "index_select")
    return s.detach() if not items else s


@rule("__setitem__")
def _setitem(x: Any, at: Any, value: Any) -> None:
    if is_sparse(x):
        raise TypeError(f"[setitem] Cannot assign to a sparse tensor, here of shape {tuple(x.shape)}; hint: .to_dense(), or new "
                        "indices and values")
    raise unknown("__setitem__", value if is_sparse(value) else at)


@rule("unbind")
def unbind(s: Any, dim: int = 0) -> Any:
    return tuple(select(s, dim, i) for i in range(s.shape[wrapped_dim("unbind", dim, s.ndim)]))


@rule("index_select")
def index_select(s: Any, dim: int, index: Any) -> Any:
    """Pick entries: along a sparse dimension those of each wanted index, grouped first, along a dense one parts of all values."""
    if not is_sparse(s) or is_sparse(index):
        raise unknown("index_select", index)
    layout, s = s._layout, to_coo(s)
    if s.ndim == 0:
        raise IndexError("[index_select] index_select() cannot be applied to a 0-dim tensor.")
    dim = wrapped_dim("index_select", dim, s.ndim)
    if index.ndim > 1 or index.dtype.name not in ("int64", "int32"):
        raise (IndexError if index.ndim > 1 else RuntimeError)(
            f"[index_select] index must be a vector of int32 or int64, got {index.dtype} of shape {tuple(index.shape)}")
    wanted = index.reshape(-1).long()
    n = s.shape[dim]
    low, high = map(int, wanted.aminmax()) if wanted.numel() else (0, 0)
    for at, i in enumerate(wanted.tolist() if low < -n or (high >= n and wanted.numel()) else ()):
        if not -n <= i < n:
            raise IndexError(f"[index_select] index contains {i} at position {at} that is out of range for tensor of size {list(s.shape)} "
                             f"at dimension {dim}")
    if low < 0:
        wanted = ops.where(wanted < 0, wanted + n, wanted)
    size, k = (*s.shape[:dim], wanted.numel(), *s.shape[dim + 1 :]), sparse_dim(s)
    if dim >= k:
        return packed(sparse_coo, s._places, values_of(s).index_select(dim - k + 1, wanted), size, is_coalesced(s))
    start, place = ops.group_by(s._places[0][dim], n)
    new, at = runs(start, wanted)
    entries = place.index_select(0, at)
    indices = s._places[0].index_select(1, entries)
    indices[dim] = new
    made = packed(sparse_coo, (indices,), values_of(s).index_select(0, entries), size, is_coalesced(s) and dim == 0)
    return made.to_sparse(layout=layout) if layout in COMPRESSED else made


@rule("embedding")
def embedding(input: Any, weight: Any, *args: Any, **kwargs: Any) -> Any:
    if is_sparse(input) or input.ndim != 1:
        raise unknown("embedding", weight)
    return index_select(weight, 0, input)


# -- joining -----------------------------------------------------------------------------------------


@rule("cat", "concat", "concatenate")
def cat(tensors: Any, dim: int = 0) -> Any:
    """Join entries: along a sparse dimension indices are moved on, along a dense one values are put between zeros."""
    tensors = list(tensors)
    for i, x in enumerate(tensors):
        if not is_sparse(x):
            raise RuntimeError(f"[cat] Concatenating sparse tensors, but a dense tensor was found at position {i}.")
    layout = tensors[0]._layout
    parts = [to_coo(x) for x in tensors]
    first = parts[0]
    dim, k = wrapped_dim("cat", dim, first.ndim), sparse_dim(first)
    for i, x in enumerate(parts):
        if sparse_dim(x) != k or x.ndim != first.ndim or any(
            a != b for d, (a, b) in enumerate(zip(x.shape, first.shape, strict=True)) if d != dim
        ):
            raise RuntimeError(f"[cat] All tensors must have the same shape: {list(first.shape)} (except in the concatenating dimension), "
                               f"with the same number of sparse dimensions, but found shape: {list(x.shape)} at position {i}")
    total = sum(x.shape[dim] for x in parts)
    size = (*first.shape[:dim], total, *first.shape[dim + 1 :])
    indices, values = ops.cat([x._places[0] for x in parts], 1), []
    before = entries = 0
    for x in parts:
        value = values_of(x)
        if dim < k:
            indices[dim].narrow(0, entries, value.shape[0]).add_(before)
        else:                                # what is before and behind is zero
            d = dim - k + 1
            front = value.new_zeros((*value.shape[:d], before, *value.shape[d + 1 :]))
            back = value.new_zeros((*value.shape[:d], total - before - value.shape[d], *value.shape[d + 1 :]))
            value = ops.cat([front, value, back], d)
        values.append(value)
        before, entries = before + x.shape[dim], entries + value.shape[0]
    made = packed(sparse_coo, (indices,), ops.cat(values, 0), size,
                  dim == 0 and k > 0 and all(is_coalesced(x) for x in parts))
    return made.to_sparse(layout=layout) if layout in COMPRESSED else made


@rule("stack")
def stack(tensors: Any, dim: int = 0) -> Any:
    tensors = list(tensors)
    return cat([unsqueeze(x, wrapped_dim("stack", dim, tensors[0].ndim + 1)) for x in tensors], dim)


@rule("atleast_1d")
def atleast_1d(*tensors: Any) -> Any:
    return _at_least(tensors, lambda s: s.unsqueeze(0) if s.ndim == 0 else s)


@rule("atleast_2d")
def atleast_2d(*tensors: Any) -> Any:
    return _at_least(tensors, lambda s: s if s.ndim > 1 else s.unsqueeze(0).unsqueeze(0) if s.ndim == 0 else s.unsqueeze(0))


@rule("atleast_3d")
def atleast_3d(*tensors: Any) -> Any:
    return _at_least(tensors, lambda s: s if s.ndim > 2 else (s if s.ndim == 2 else ops.atleast_2d(s)).unsqueeze(2))


def _at_least(tensors: tuple[Any, ...], one: Any) -> Any:
    """One tensor, or as many as there are in the arguments or in a list."""
    many = len(tensors) != 1 or isinstance(tensors[0], (list, tuple))
    found = tensors[0] if len(tensors) == 1 and many else tensors
    return tuple(one(s) for s in found) if many else one(tensors[0])


@rule("vstack", "row_stack")
def vstack(tensors: Any) -> Any:
    return cat(atleast_2d(list(tensors)), 0)


@rule("hstack")
def hstack(tensors: Any) -> Any:
    found = atleast_1d(list(tensors))
    return cat(found, 0 if found[0].ndim == 1 else 1)


@rule("dstack")
def dstack(tensors: Any) -> Any:
    return cat(atleast_3d(list(tensors)), 2)


@rule("column_stack")
def column_stack(tensors: Any) -> Any:
    return cat([ops.atleast_1d(s).unsqueeze(1) if s.ndim <= 1 else s for s in tensors], 1)


@rule("broadcast_tensors")
def broadcast_tensors(*tensors: Any) -> Any:
    found = list(tensors[0]) if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else list(tensors)
    if len({tuple(x.shape) for x in found}) == 1:
        return tuple(found)
    raise unsupported("expand")


def unsupported(name: str) -> RuntimeError:
    """The error of what changes shapes."""
    return RuntimeError(f"[{name}] {name} is not implemented for sparse tensors; hint: .to_dense()")


@rule("reshape", "flatten", "ravel", "unflatten")
def reshape(*args: Any, **kwargs: Any) -> Any:
    raise unsupported("reshape")


@rule("expand", "repeat", "expand_as", "broadcast_to", "tile")
def expand(s: Any, *size: Any, **kwargs: Any) -> Any:
    raise unsupported("expand")

