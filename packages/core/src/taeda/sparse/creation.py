"""``sparse_coo_tensor``, ``sparse_csr_tensor`` and kin: sparse tensors of indices and values, and the checks of these."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from taeda import ops
from taeda.device import as_device
from taeda.dtype import bool_, get_default_dtype, int64
from taeda.layout import COMPRESSED, sparse_bsc, sparse_bsr, sparse_coo, sparse_csc, sparse_csr
from taeda.sparse.places import linear_of
from taeda.sparse.tensor import is_sparse, make, packed
from taeda.tensor import Tensor
from taeda.tensor_base import Size

INVARIANTS = {"on": False}                # whether new sparse tensors are checked; see check_sparse_tensor_invariants

__all__ = [
    "sparse_bsc_tensor", "sparse_bsr_tensor", "sparse_compressed_tensor", "sparse_coo_tensor", "sparse_csc_tensor", "sparse_csr_tensor",
]  # fmt: skip


def _numbers(data: Any, dtype: Any, device: Any) -> Any:
    """Values as a tensor: one that is given keeps its place in the graph."""
    if isinstance(data, Tensor):
        return data if dtype is None and device is None else data.to(device=device or data.device, dtype=dtype or data.dtype)
    return ops.tensor(data, dtype=dtype, device=device)


def _indices(data: Any, device: Any) -> Any:
    if isinstance(data, Tensor) and data.dtype is int64 and data.device == device:
        return data.detach()
    found = data.detach() if isinstance(data, Tensor) else ops.tensor(data)
    return found.to(device=device or found.device, dtype=int64)


def empty_of(size: Any, layout: Any, dtype: Any, device: Any, sparse_dims: int | None = None) -> Any:
    """Return a sparse tensor without entries."""
    if layout not in COMPRESSED and layout is not sparse_coo:
        raise NotImplementedError(f"[empty] layout {layout} is not supported")
    size = tuple(int(n) for n in size)
    dtype = dtype or get_default_dtype()
    where: dict[str, Any] = {"device": device}
    if layout is sparse_coo:
        k = len(size) if sparse_dims is None else sparse_dims
        made = ops.zeros((k, 0), dtype=int64, **where), ops.zeros((0, *size[k:]), dtype=dtype, **where)
        return make(layout, made[:1], made[1], size, True)
    if len(size) < 2:
        raise RuntimeError(f"[empty] a tensor of layout {layout} has two dimensions at least, got size {list(size)}")
    if COMPRESSED[layout][1]:
        raise RuntimeError(f"[empty] a tensor of layout {layout} needs the size of its blocks; hint: sparse_bsr_tensor")
    batch, lines = size[:-2], size[-2 + COMPRESSED[layout][0]]
    indices = ops.zeros((*batch, lines + 1), dtype=int64, **where), ops.zeros((*batch, 0), dtype=int64, **where)
    return make(layout, indices, ops.zeros((*batch, 0), dtype=dtype, **where), size)


def new_of(s: Any, *args: Any, size: Any = None, device: Any = None) -> Any:
    """Return an empty tensor of a size in this layout, or one of the indices and values given."""
    args = args if size is None else (Size(size),)
    if s._layout is not sparse_coo:
        return Tensor.new(s, *args, **({} if device is None else {"device": device}))
    if device is not None and as_device(device).type != s.device.type:
        raise RuntimeError(f"[new] legacy constructor expects device type: {s.device.type} but device type: "
                           f"{as_device(device).type} was passed")
    if len(args) in (2, 3) and isinstance(args[0], Tensor) and isinstance(args[1], Tensor):
        return sparse_coo_tensor(args[0], args[1].to(s.dtype), *args[2:], device=device)
    if len(args) == 1 and isinstance(args[0], (list, tuple)) and not isinstance(args[0], Size):
        raise TypeError("[new] SparseTensor.new(sequence) only accepts sizes.  Please use sparse_coo_tensor() to construct a sparse "
                        "tensor from a sequence.")
    sizes = args[0] if len(args) == 1 and isinstance(args[0], Size) else args or (0,)
    if not all(hasattr(n, "__index__") and not isinstance(n, Tensor) for n in sizes):
        raise TypeError("[new] new() received an invalid combination of arguments: it takes sizes, or indices, values and a size, got "
                        f"({', '.join(type(x).__name__ for x in args)})")
    return empty_of(sizes, s._layout, s.dtype, s.device)


def check_coo(indices: Any, values: Any, size: tuple[int, ...]) -> None:
    """Raise RuntimeError unless the indices are within the sizes."""
    if indices.is_meta:
        return
    for d in range(indices.shape[0]):
        if indices.shape[1] == 0:
            break
        low, high = int(indices[d].min()), int(indices[d].max())
        if low < 0:
            raise RuntimeError(f"[sparse_coo_tensor] found negative index {low} for dim {d}")
        if high >= size[d]:
            raise RuntimeError(f"[sparse_coo_tensor] size is inconsistent with indices: for dim {d}, size is {size[d]} but found index "
                               f"{high}")


def _smallest_size(indices: Any, values: Any) -> tuple[int, ...]:
    """Return the smallest size that holds the indices."""
    k = indices.shape[0]
    if indices.shape[1] == 0:
        return (*[0] * k, *values.shape[1:])
    check_coo(indices, values, (1 << 62,) * k)
    return (*(int(indices[d].max()) + 1 for d in range(k)), *values.shape[1:])


def _checked_size(op: str, size: Any, k: int, values: Any) -> tuple[int, ...]:
    """Return a size as a tuple; RuntimeError where it does not fit k sparse dimensions and the values."""
    sizes = tuple(int(n) for n in size)
    if any(n < 0 for n in sizes):
        raise RuntimeError(f"[{op}] numel: Trying to create tensor with negative dimension {min(sizes)}: {sizes}")
    if len(sizes) != k + values.ndim - 1:
        raise RuntimeError(f"[{op}] 'len(size) == sparse_dim + dense_dim' is not satisfied: len(size) = {len(sizes)}, sparse_dim = {k}, "
                           f"dense_dim = {values.ndim - 1}")
    if sizes[k:] != tuple(values.shape[1:]):
        raise RuntimeError(f"[{op}] values has incorrect size, expected {[values.shape[0], *sizes[k:]]}, got {list(values.shape)}")
    return sizes


def sparse_coo_tensor(
    indices: Any = None,
    values: Any = None,
    size: Any = None,
    *,
    dtype: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    check_invariants: bool | None = None,
    is_coalesced: bool | None = None,
) -> Any:
    """Return a tensor in coordinate format: ``values[j]`` is at ``indices[:, j]``, values of one place add up, the rest is zero.

    Args:
        indices: (sparse dimensions, n) integers; or the size of a tensor without entries, alone.
        values: (n, *dense dimensions); autograd goes on to it.
        size: the shape; by default the smallest that holds the indices.
        dtype, device: of the values, by default theirs.
        requires_grad: make the tensor a leaf.
        check_invariants: check the indices; by default what ``taeda.sparse.check_sparse_tensor_invariants`` says.
        is_coalesced: say that the indices are sorted and differ.

    Raises RuntimeError for sizes that do not fit.

    >>> import taeda
    >>> s = taeda.sparse_coo_tensor([[0, 1, 1], [2, 0, 2]], [3.0, 4.0, 5.0], (2, 3))
    >>> s.to_dense()
    tensor([[0., 0., 3.],
            [4., 0., 5.]])
    """
    op = "sparse_coo_tensor"
    device = None if device is None else as_device(device)
    if values is None or (size is None and isinstance(values, (tuple, list)) and isinstance(indices, (tuple, list)) and not indices):
        if values is not None:
            raise TypeError(f"[{op}] expected indices and values, got {indices!r} and {values!r}")
        sizes = indices if size is None else size
        if sizes is None:
            raise TypeError(f"[{op}] expected indices and values, or a size; got nothing")
        made = empty_of(sizes, sparse_coo, dtype or get_default_dtype(), device)
        return made.requires_grad_() if requires_grad else made
    values = _numbers(values, dtype, device)
    indices = _indices(indices, device or values.device)
    values = values.reshape(1) if values.ndim == 0 else values              # a number is that of one element
    if indices.ndim != 2:
        raise RuntimeError(f"[{op}] indices must be sparse_dim x nnz, but got: {list(indices.shape)}")
    if indices.shape[1] != values.shape[0]:
        raise RuntimeError(f"[{op}] indices and values must have same nnz, but got nnz from indices: {indices.shape[1]}, nnz from values: "
                           f"{values.shape[0]}")
    sizes = _smallest_size(indices, values) if size is None else _checked_size(op, size, indices.shape[0], values)
    if INVARIANTS["on"] if check_invariants is None else check_invariants:
        check_coo(indices, values, sizes)
        if is_coalesced:
            key = linear_of(indices, sizes[: indices.shape[0]])
            if not bool((key[1:] > key[:-1]).all()):
                raise RuntimeError(f"[{op}] cannot set is_coalesced to true if indices correspond to uncoalesced COO tensor")
    if requires_grad:                                    # a leaf of its own
        values = values.detach()
    made = packed(sparse_coo, (indices,), values, sizes, bool(is_coalesced))
    return made.requires_grad_() if requires_grad else made


def check_compressed(layout: Any, compressed: Any, plain: Any, values: Any, size: tuple[int, ...], ordered: bool = True) -> None:
    """Raise RuntimeError unless the indices are those of a matrix of the size, where ``ordered`` sorted and distinct in each line."""
    axis, blocks, names = COMPRESSED[layout]
    batch = tuple(compressed.shape[:-1])
    k = len(batch)
    if not tuple(plain.shape[:-1]) == tuple(values.shape[:k]) == tuple(size[:k]) == batch:
        raise RuntimeError(f"[sparse_compressed_tensor] all batch dimensions of {names[0]} (={list(batch)}), {names[1]} "
                           f"(={list(plain.shape[:-1])}), values (={list(values.shape[:k])}), and size (={list(size[:k])}) must be equal")
    block = tuple(values.shape[k + 1 : k + 3]) if blocks else (1, 1)
    for d in range(2):
        if not block[d] or size[k + d] % block[d]:
            raise RuntimeError(f"[sparse_compressed_tensor] tensor shape[{k + d}] (={size[k + d]}) must be divisible with blocksize[{d}] "
                               f"(={block[d]}) as defined by values shape")
    major, minor = size[k + axis] // block[axis], size[k + 1 - axis] // block[1 - axis]
    if compressed.shape[-1] != major + 1:
        raise RuntimeError(f"[sparse_compressed_tensor] {names[0]}.shape[-1] must be equal to the number of rows or columns + 1 "
                           f"({major + 1}), but got {compressed.shape[-1]}")
    n = plain.shape[-1]
    if compressed.numel() and bool((compressed[..., 0] != 0).any() or (compressed[..., -1] != n).any()):
        raise RuntimeError(f"[sparse_compressed_tensor] `{names[0]}[..., 0] == 0` and `{names[0]}[..., -1] == nnz` are not satisfied: "
                           f"{compressed[..., 0].tolist()} and {compressed[..., -1].tolist()} for nnz = {n}")
    if bool((compressed.diff() < 0).any()) or bool((compressed.diff() > minor).any()):
        raise RuntimeError(f"[sparse_compressed_tensor] `0 <= {names[0]}[..., 1:] - {names[0]}[..., :-1] <= {minor}` is not satisfied.")
    if plain.numel() and (int(plain.min()) < 0 or int(plain.max()) >= minor):
        raise RuntimeError(f"[sparse_compressed_tensor] `0 <= {names[1]} < {minor}` is not satisfied.")
    if ordered and n > 1:
        begins = ops.zeros((*batch, n + 1), dtype=bool_).scatter(-1, compressed.to(int64), True)[..., 1:n]
        if not bool(((plain.diff() > 0) | begins).all()):
            line = f"{names[1]}[..., {names[0]}[..., i - 1]:{names[0]}[..., i]]"
            raise RuntimeError(f"[sparse_compressed_tensor] `{line} for all i = 1, ..., {major} are sorted and distinct along the last "
                               "dimension values` is not satisfied.")


def sparse_compressed_tensor(
    compressed_indices: Any,
    plain_indices: Any,
    values: Any,
    size: Any = None,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    check_invariants: bool | None = None,
) -> Any:
    """Return a matrix in a compressed layout: row (or column) i has the entries ``compressed_indices[i]`` to ``[i + 1]``.

    Args:
        compressed_indices: (rows + 1,), or columns for CSC and BSC.
        plain_indices: (n,) the other dimension's.
        values: (n,), or (n, height, width) of blocks; autograd goes on to it.
        size: the shape; by default the smallest that holds the indices.
        layout: ``taeda.sparse_csr``, ``sparse_csc``, ``sparse_bsr`` or ``sparse_bsc``.
        requires_grad: make the tensor a leaf.
        check_invariants: as for :func:`sparse_coo_tensor`.

    >>> import taeda
    >>> s = taeda.sparse_compressed_tensor([0, 1, 2], [1, 0], [3.0, 4.0], (2, 2), layout=taeda.sparse_csr)
    >>> s.to_dense()
    tensor([[0., 3.],
            [4., 0.]])
    """
    op = "sparse_compressed_tensor" if layout is None else f"{layout!r}_tensor".rpartition(".")[2]
    if layout not in COMPRESSED:
        raise RuntimeError(f"[{op}] expected a layout of sparse_csr, sparse_csc, sparse_bsr and sparse_bsc, got {layout}")
    values = _numbers(values, dtype, device)
    parts = []
    for x in (compressed_indices, plain_indices):
        x = x.detach() if isinstance(x, Tensor) else ops.tensor(x, dtype=int64)
        if x.dtype.name not in ("int32", "int64"):
            raise RuntimeError(f"[{op}] compressed and plain indices must be Int or Long, got {x.dtype}")
        parts.append(x.to(values.device))
    if parts[0].dtype != parts[1].dtype:
        raise RuntimeError(f"[{op}] compressed_indices and plain_indices dtype must match, got {parts[0].dtype} and {parts[1].dtype}")
    axis, blocks, _ = COMPRESSED[layout]
    if parts[1].shape[-1] != values.shape[parts[1].ndim - 1]:
        raise RuntimeError(f"[{op}] number of specified elements must be the same in plain_indices and values, got "
                           f"{parts[1].shape[-1]} and {values.shape[parts[1].ndim - 1]}")
    block = tuple(values.shape[parts[1].ndim : parts[1].ndim + 2]) if blocks else (1, 1)
    if size is None:
        lines = (parts[0].shape[-1] - 1, int(parts[1].max()) + 1 if parts[1].numel() else 0)
        pair = lines if axis == 0 else lines[::-1]
        dense = values.shape[parts[1].ndim + 2 * bool(blocks) :]
        sizes: tuple[int, ...] = (*parts[0].shape[:-1], pair[0] * block[0], pair[1] * block[1], *dense)
    else:
        sizes = tuple(int(n) for n in size)
    if INVARIANTS["on"] if check_invariants is None else check_invariants:
        check_compressed(layout, parts[0], parts[1], values, sizes)
    made = packed(layout, tuple(parts), values.detach() if requires_grad else values, sizes)
    return made.requires_grad_() if requires_grad else made


def _of_layout(layout: Any, name: str, first: str, second: str, what: str) -> Callable[..., Any]:
    axis, blocks, _ = COMPRESSED[layout]
    values = "[[[3.]], [[4.]]]" if blocks else "[3., 4.]"
    shown = "tensor([[0., 3.],\n        [4., 0.]])" if axis == 0 else "tensor([[0., 4.],\n        [3., 0.]])"

    def function(compressed: Any, plain: Any, values: Any, size: Any = None, **options: Any) -> Any:
        options.pop("layout", None)
        return sparse_compressed_tensor(compressed, plain, values, size, layout=layout, **options)

    def named(*args: Any, **kwargs: Any) -> Any:
        for given, ours in ((first, "compressed"), (second, "plain")):
            if given in kwargs:
                kwargs[ours] = kwargs.pop(given)
        return function(*args, **kwargs)

    named.__name__ = named.__qualname__ = name
    named.__doc__ = (f"Return a matrix in {what} format, ``{name}({first}, {second}, values, size=None, *, dtype, device, requires_grad, "
                     "check_invariants)``: see :func:`taeda.sparse_compressed_tensor`.\n\n"
                     f">>> import taeda\n>>> taeda.{name}([0, 1, 2], [1, 0], {values}).to_dense()\n{shown}")
    return named


sparse_csr_tensor = _of_layout(sparse_csr, "sparse_csr_tensor", "crow_indices", "col_indices", "compressed sparse row")
sparse_csc_tensor = _of_layout(sparse_csc, "sparse_csc_tensor", "ccol_indices", "row_indices", "compressed sparse column")
sparse_bsr_tensor = _of_layout(sparse_bsr, "sparse_bsr_tensor", "crow_indices", "col_indices", "block compressed sparse row")
sparse_bsc_tensor = _of_layout(sparse_bsc, "sparse_bsc_tensor", "ccol_indices", "row_indices", "block compressed sparse column")


def validate_coo(indices: Any, values: Any, size: Any, is_coalesced: Any = None, check_pinning: Any = None) -> None:
    """Raise RuntimeError unless a COO tensor can be made of these."""
    sparse_coo_tensor(indices, values, size, check_invariants=True, is_coalesced=is_coalesced)


def coo_unsafe(indices: Any, values: Any, size: Any, is_coalesced: Any = None, **options: Any) -> Any:
    """Return a COO tensor without any check."""
    return packed(sparse_coo, (indices,), values, tuple(size), bool(is_coalesced))


def copy_of(data: Any, dtype: Any) -> Any:
    """Return a copy of a sparse tensor without history, in a dtype: ``taeda.tensor(s)``."""
    assert is_sparse(data)
    return data.detach().clone() if dtype is None else data.detach().to(dtype, copy=True)
