"""Where a sparse tensor has elements: its indices by dimension, as one number per element, or as rows and columns of a compressed matrix.

What was found out about indices is kept with them (:func:`known`).  Nothing here looks at values or goes through autograd.
"""

from __future__ import annotations

from typing import Any

from taeda import ops
from taeda.dtype import int64
from taeda.layout import COMPRESSED, sparse_coo


def writes(places: tuple[Any, ...]) -> int:
    """Return how often somebody has written into indices."""
    try:
        return places[0]._version if len(places) == 1 else places[0]._version + places[1]._version
    except RuntimeError:                                # made under inference_mode: such tensors do not tell
        return sum(x.untyped_storage()._version for x in places)


def known(s: Any) -> dict[str, Any]:
    """Return what was found out about the indices of a tensor, as long as nobody has written into them."""
    version = writes(s._places)
    if s._known.get("version", 0) != version:
        for name in ("linear", "grouping", "pattern", "in range", "matrix"):
            s._known.pop(name, None)
        s._known["version"] = version
    return s._known


def is_coalesced(s: Any) -> bool:
    """Whether the indices are known to be sorted, each there once."""
    return bool(s._known.get("coalesced", False))


def same_parts(a: Any, b: Any) -> bool:
    """Whether two tensors share their indices."""
    return a._layout is b._layout and (
        a._places is b._places or all(x is y or x.is_set_to(y) for x, y in zip(a._places, b._places, strict=True)))


def sparse_dim(s: Any) -> int:
    """How many dimensions the indices of a COO tensor speak of."""
    return len(s._places[0])


def linear_of(indices: Any, sizes: Any) -> Any:
    """Return each column of indices as one number, in the order of the elements of a tensor of the sizes."""
    found = None
    for row, size in zip(indices, sizes, strict=False):
        found = row if found is None else found * size + row
    return indices.new_zeros(indices.shape[1]) if found is None else found.contiguous()


def linear(s: Any) -> Any:
    """Return the indices of a COO tensor as one number an entry."""
    found = known(s)
    if "linear" not in found:
        found["linear"] = linear_of(s._places[0], s.shape[: sparse_dim(s)])
    return found["linear"]


def grouping(s: Any) -> tuple[Any, Any, Any]:
    """Return the order that sorts the entries; where, in it, each element's first entry is; and each entry's element, in that order.

    The last two are None where each element has one entry.
    """
    found = known(s)
    if "grouping" not in found:
        keys, order = linear(s).sort(stable=True)
        new = keys[1:] != keys[:-1]
        first = group = None
        if not bool(new.all()):
            new = ops.cat([new.new_ones(1), new])
            first, group = new.nonzero().reshape(-1), new.to(int64).cumsum(0) - 1
        found["grouping"] = order, first, group
    return found["grouping"]


def runs(start: Any, wanted: Any) -> tuple[Any, Any]:
    """Take the runs start[i] to start[i + 1] of each i of ``wanted`` in turn: which one each place comes from, and the places."""
    first = start.index_select(0, wanted)
    counts = start[1:].index_select(0, wanted) - first
    which = ops.arange(wanted.numel()).repeat_interleave(counts)
    return which, (first - counts.cumsum(0) + counts).index_select(0, which) + ops.arange(which.numel())


def in_range(s: Any) -> Any:
    """Return the linear indices of a COO tensor; IndexError unless all are within its sizes."""
    if "in range" not in known(s):
        indices = s._places[0]
        for d in range(sparse_dim(s)):
            if indices.shape[1] and (int(indices[d].min()) < 0 or int(indices[d].max()) >= s.shape[d]):
                raise IndexError(f"[sparse] an index of dimension {d} is out of bounds: {int(indices[d].min())} to {int(indices[d].max())} "
                                 f"for a tensor of shape {tuple(s.shape)}")
        s._known["in range"] = True
    return linear(s)


def check_starts(s: Any) -> None:
    """Raise RuntimeError unless the compressed indices, which come from a program, rise from 0 to the number of elements."""
    start, n = s._places[0], s._places[1].numel()
    axis, blocks, (name, _) = COMPRESSED[s._layout]
    lines = s.shape[axis] // (s._held.shape[1 + axis] if blocks else 1)
    if start.numel() != lines + 1 or int(start[0]) != 0 or int(start[-1]) != n or bool((start.diff() < 0).any()):
        ends = f"{int(start[0])} to {int(start[-1])}" if start.numel() else "none"
        raise RuntimeError(f"[sparse] {name} must rise from 0 to the number of elements, {n}, in {lines} steps, got {start.numel() - 1} "
                           f"steps, {ends}")


def block_places(s: Any) -> tuple[Any, Any]:
    """Return the row and the column of each value, of blocks in units of blocks."""
    found = known(s).get("matrix")
    if found is not None:
        return found  # type: ignore[no-any-return]
    compressed, plain = s._places
    if compressed.ndim != 1:
        raise NotImplementedError(f"[sparse] this operation takes no batches of compressed matrices, got shape {tuple(s.shape)}; hint: go "
                                  "through the batch, matrix by matrix")
    check_starts(s)
    lines = ops.arange(compressed.numel() - 1, dtype=int64).repeat_interleave(compressed.diff().to(int64))
    pair = lines, plain.to(int64)
    found = s._known["matrix"] = pair if COMPRESSED[s._layout][0] == 0 else pair[::-1]
    return found


def coo_indices(s: Any) -> tuple[Any, Any]:
    """Return the row and the column of each element of a matrix, in the order of its values."""
    if s._layout is sparse_coo:
        return s._places[0][0], s._places[0][1]
    rows, columns = block_places(s)
    if COMPRESSED[s._layout][1]:
        high, wide = s._held.shape[1:3]
        rows = (rows.reshape(-1, 1, 1) * high + ops.arange(high).reshape(1, -1, 1)).expand(-1, high, wide)
        columns = (columns.reshape(-1, 1, 1) * wide + ops.arange(wide).reshape(1, 1, -1)).expand(-1, high, wide)
        return rows.reshape(-1), columns.reshape(-1)
    return rows, columns


def dense_at(x: Any, like: Any) -> Any:
    """Return a dense matrix's elements where a compressed one has some, in the form of its values."""
    rows, columns = coo_indices(like)
    return x[rows, columns].reshape(like._held.shape)
