"""Layouts in which one dimension's indices are compressed to where each row, or column, begins: CSR, CSC, and BSR and BSC of blocks."""

from __future__ import annotations

from typing import Any

from taeda import ops
from taeda.dtype import bool_, int64
from taeda.layout import COMPRESSED, sparse_bsc, sparse_bsr, sparse_coo, sparse_csr
from taeda.sparse.places import coo_indices, sparse_dim
from taeda.sparse.tensor import coalesce, is_sparse, packed, to_dense, values_of


def batch_dims(s: Any) -> int:
    """Return how many dimensions come before those of a compressed matrix."""
    return int(s._places[0].ndim) - 1


def dense_dims(s: Any) -> int:
    """Return how many dimensions come behind those of a compressed matrix: each element is a tensor."""
    return int(s._held.ndim) - batch_dims(s) - (3 if COMPRESSED[s._layout][1] else 1)


def one_of(s: Any, dim: int, index: int) -> Any:
    """Return one matrix, or several, of a batch."""
    size = (*s.shape[:dim], *s.shape[dim + 1 :])
    return packed(s._layout, tuple(x.select(dim, index) for x in s._places), values_of(s).select(dim, index), size)


def matrices(s: Any) -> list[Any]:
    """Return the matrices of a batch, one by one."""
    n = batch_dims(s)
    parts = [x.flatten(0, n - 1).unbind() for x in (*s._places, values_of(s))]
    return [packed(s._layout, (a, b), v, tuple(s.shape[n:])) for a, b, v in zip(*parts, strict=True)]


def stacked(parts: list[Any], batch: tuple[int, ...]) -> Any:
    """Return matrices with as many elements each as a batch."""
    places = [ops.stack([y._places[i] for y in parts]) for i in range(2)]
    values = ops.stack([values_of(y) for y in parts])
    size = (*batch, *parts[0].shape)
    return packed(parts[0]._layout, tuple(p.reshape((*batch, -1)) for p in places), values.reshape((*batch, *values.shape[1:])), size)


def elements(s: Any) -> Any:
    """Return the values of a compressed matrix, of blocks those of each element."""
    values = values_of(s)
    return values.flatten(0, 2) if COMPRESSED[s._layout][1] else values


def to_coo(s: Any) -> Any:
    """Return a compressed matrix as a coalesced COO tensor."""
    if s._layout is sparse_coo:
        return s
    n = batch_dims(s)
    if n:
        parts = [to_coo(y) for y in matrices(s)]
        at = ops.ones(tuple(s.shape[:n])).nonzero().t()
        counts = ops.tensor([y._held.shape[0] for y in parts], dtype=int64)
        indices = ops.cat([at.repeat_interleave(counts, 1), ops.cat([y._places[0] for y in parts], 1)])
        return packed(sparse_coo, (indices,), ops.cat([values_of(y) for y in parts]), s.shape, True)
    made = packed(sparse_coo, (ops.stack(coo_indices(s)),), elements(s), s.shape)
    return coalesce(made)


def dense_of(s: Any) -> Any:
    """Return the elements of a compressed matrix, dense."""
    if batch_dims(s):
        return ops.stack([dense_of(y) for y in matrices(s)]).reshape(tuple(s.shape))
    rows, columns = coo_indices(s)
    values = elements(s)
    flat = values.new_zeros((s.shape[0] * s.shape[1], *values.shape[1:]))
    return flat.index_add_(0, rows * s.shape[1] + columns, values).reshape(tuple(s.shape))


def given_block(block: Any, op: str) -> tuple[int, int]:
    """Return the height and the width of a block, as given: one number for both, or two."""
    if isinstance(block, int) and not isinstance(block, bool):
        block = (block, block)
    if not isinstance(block, (tuple, list)) or not all(isinstance(n, int) for n in block):
        raise TypeError(f"[{op}] argument 'blocksize' must be an int or a tuple of two, got {block!r}")
    if len(block) != 2:
        raise RuntimeError(f"[{op}] blocksize needs to be a tuple of size 2, but got {len(block)}")
    if min(block) <= 0:
        raise RuntimeError(f"[{op}] blocksize needs to be positive, but got {list(block)}")
    return block[0], block[1]


def blocks_of(x: Any, block: tuple[int, int], op: str) -> Any:
    """Return a dense matrix, of numbers or of tensors, as (rows of blocks, columns of blocks, height, width, ...)."""
    high, wide = block
    if x.shape[0] % high or x.shape[1] % wide:
        raise RuntimeError(f"[{op}] tensor sparse size ({x.shape[0]},{x.shape[1]}) must be divisible by given blocksize ({high},{wide})")
    parts = x.reshape((x.shape[0] // high, high, x.shape[1] // wide, wide, *x.shape[2:]))
    return parts.permute((0, 2, 1, 3, *range(4, parts.ndim)))


def starts(lines: Any, n: int) -> Any:
    """Return where each of n sorted lines begins."""
    return ops.group_by(lines, n, True)[0]


def compress(layout: Any, rows: Any, columns: Any, values: Any, size: Any, lines: tuple[int, int], index_dtype: Any = int64) -> Any:
    """Return entries as a compressed matrix; lines: how many rows and columns there are, of blocks or elements."""
    axis = COMPRESSED[layout][0]
    major, minor = (rows, columns) if axis == 0 else (columns, rows)
    key = major * lines[1 - axis] + minor
    if key.numel() > 1 and not bool((key[1:] > key[:-1]).all()):
        order = key.argsort(stable=True)
        major, minor, values = major.index_select(0, order), minor.index_select(0, order), values.index_select(0, order)
    parts = starts(major, lines[axis]), minor.contiguous()
    return packed(layout, tuple(part.to(index_dtype) for part in parts), values, size)


def _behind(x: Any, dense: int) -> int:
    """Return how many dimensions come behind those of a matrix: ``dense`` of a dense tensor, of a sparse one what it says."""
    if not is_sparse(x):
        return dense
    return x.ndim - sparse_dim(x) if x._layout is sparse_coo else dense_dims(x)


def to_compressed(x: Any, layout: Any, block: Any = None, op: str = "to_sparse", dense: int = 0) -> Any:
    """Return a dense or sparse matrix, or a batch, in a compressed layout.

    block: the size of a block, for layouts of blocks; dense: how many of the last dimensions of a dense tensor belong to each element.
    """
    if is_sparse(x) and x._layout is layout and batch_dims(x) and block in (None, block_size(x)):
        return x
    n = x.ndim - 2 - _behind(x, dense)
    if n > 0 and not (is_sparse(x) and x._layout is sparse_coo):
        batch = tuple(x.shape[:n])
        found = [to_compressed(y, layout, block, op, dense) for y in (matrices(x) if is_sparse(x) else x.flatten(0, n - 1))]
        if len({y._held.shape for y in found}) != 1:
            raise RuntimeError(f"[{op}] Expect the same number of specified elements per batch, got {[y._held.shape[0] for y in found]}")
        return stacked(found, batch)
    if n:
        raise RuntimeError(f"[{op}] expected a matrix, with batch dimensions before it or dense ones behind it, got shape "
                           f"{tuple(x.shape)}" + (f" with {sparse_dim(x)} sparse dimensions" if is_sparse(x) else ""))
    if COMPRESSED[layout][1]:
        return _in_blocks(x, layout, block, op)
    if is_sparse(x):
        return _in_lines(x, layout)
    there = x.detach().ne(0).flatten(2).any(2) if dense else x.detach()
    rows, columns = there.nonzero().unbind(1)
    return compress(layout, rows, columns, x[rows, columns], x.shape, tuple(x.shape[:2]))


def _in_blocks(x: Any, layout: Any, block: Any, op: str) -> Any:
    """Return a matrix in a layout of blocks; without the size of one, in those that it has."""
    if block is None:
        if not (is_sparse(x) and x._layout in BLOCKS):
            raise RuntimeError(f"[{op}] conversion to {layout} requires blocksize")
        block = tuple(x._held.shape[1:3])
    block = given_block(block, op)
    index_dtype = x._places[0].dtype if is_sparse(x) else int64
    if is_sparse(x):                                     # a block for each in which there is an entry, of zero too
        row, column = coo_indices(x)
        x = dense_of(x) if x._layout in COMPRESSED else to_dense(x)
        parts = blocks_of(x, block, op)
        there = ops.zeros(tuple(parts.shape[:2]), dtype=bool_)
        there[row // block[0], column // block[1]] = True
    else:
        parts = blocks_of(x, block, op)
        there = parts.detach().ne(0).flatten(2).any(2)
    rows, columns = there.nonzero().unbind(1)
    return compress(layout, rows, columns, parts[rows, columns], x.shape, tuple(parts.shape[:2]), index_dtype)


def _in_lines(s: Any, layout: Any) -> Any:
    """Return a sparse matrix by rows, or by columns."""
    if s._layout is layout:
        return s
    index_dtype = s._places[0].dtype
    if s._layout is sparse_coo:
        s = coalesce(s)
        values = values_of(s)
    else:
        values = elements(s)
    rows, columns = coo_indices(s)
    if layout is sparse_csr and s._layout is sparse_coo:            # in order as they are
        return packed(layout, (ops.group_by(rows, s.shape[0], True)[0], columns.contiguous()), values, s.shape)
    return compress(layout, rows, columns, values, s.shape, tuple(s.shape[:2]), index_dtype)


def block_size(s: Any) -> tuple[int, int]:
    """Return the size of the blocks of a compressed matrix, (1, 1) without them."""
    n = batch_dims(s)
    return tuple(s._held.shape[n + 1 : n + 3]) if COMPRESSED[s._layout][1] else (1, 1)


BLOCKS = (sparse_bsr, sparse_bsc)
ROWS = (sparse_csr, sparse_bsr)
