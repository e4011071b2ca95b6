"""Top-level names whose arguments PyTorch orders otherwise than the ops do, and methods of other kinds of tensors.

``taeda.ops.embedding`` takes its arguments as ``nn.functional`` does; programs that call ``torch.embedding`` find here what they
expect.  ``native.py`` has the layers' and losses'.
"""

from __future__ import annotations

import warnings
from math import prod

from taeda.autograd.node import named, written_copy
from taeda.operands import need_tensor
from taeda.ops import embedding as _embedding
from taeda.ops.creation import empty
from taeda.ops.rearrange import clone_in_place
from taeda.ops.sequences import linspace

__all__ = ["adjoint", "affine_grid_generator", "get_device"]
PUBLIC = (
    "adjoint", "affine_grid_generator", "as_strided_scatter", "embedding", "empty_permuted", "get_device", "is_distributed", "is_neg",
    "is_signed", "slice_inverse",
)  # fmt: skip


def embedding(weight, indices, padding_idx=-1, scale_grad_by_freq=False, sparse=False):
    """Return the rows of a table that the indices name: out[...] = weight[indices[...]].

    Args:
        weight: (rows, D).
        indices: integers of any shape.
        padding_idx: a row that gets no gradient; a negative one means none.
        sparse: the gradient is a sparse tensor, a row for each index.

    >>> import taeda
    >>> taeda.embedding(taeda.tensor([[1.0, 2.0], [3.0, 4.0]]), taeda.tensor([1]))
    tensor([[3., 4.]])
    """
    need_tensor("embedding", "weight", weight)
    padding = padding_idx if 0 <= padding_idx < weight.shape[0] else None
    return _embedding.embedding(indices, weight, padding, scale_grad_by_freq, sparse)  # type: ignore[attr-defined]


def affine_grid_generator(theta, size, align_corners):
    """Return the places that affine maps send the pixels of an image to, in coordinates from -1 to 1.

    y[n, i, j] = theta[n] (x_j, y_i, 1)^T.  With ``align_corners`` -1 and 1 are the centres of the outermost pixels, else
    their outer edges.

    Args:
        theta: (N, 2, 3), or (N, 3, 4) for volumes.
        size: (N, C, H, W) or (N, C, D, H, W).

    Returns (N, H, W, 2) or (N, D, H, W, 3), coordinates in the order x, y, z.

    >>> import taeda
    >>> taeda.affine_grid_generator(taeda.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]]), (1, 1, 1, 2), True)
    tensor([[[[-1.,  0.],
              [ 1.,  0.]]]])
    """
    need_tensor("affine_grid_generator", "theta", theta)
    sizes = list(size)
    if len(sizes) not in (4, 5):
        raise RuntimeError(f"[affine_grid_generator] needs 4d (spatial) or 5d (volumetric) sizes, got {tuple(sizes)}")
    n, dims = sizes[0], len(sizes) - 2
    if tuple(theta.shape) != (n, dims, dims + 1):
        raise RuntimeError(f"[affine_grid_generator] expected theta of shape {(n, dims, dims + 1)} for size {tuple(sizes)}, got "
                           f"{tuple(theta.shape)}")
    grid = theta.new_ones([*sizes[2:], dims + 1])
    for k, length in enumerate(reversed(sizes[2:])):            # x runs along the last dimension
        places = linspace(-1, 1, length, dtype=theta.dtype, device=theta.device) if length > 1 else theta.new_zeros(length)
        if not align_corners:
            places = places * ((length - 1) / length) if length else places
        grid.select(-1, k).copy_(places.reshape([-1] + [1] * k))
    return (grid.reshape(1, -1, dims + 1) @ theta.transpose(1, 2)).reshape([n, *sizes[2:], dims])


def empty_permuted(size, physical_layout, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """Return an uninitialised tensor whose dimensions follow each other in memory as ``physical_layout`` says, outermost first.

    RuntimeError unless it names each dimension of ``size`` once.

    >>> import taeda
    >>> taeda.empty_permuted((2, 3, 4), (2, 0, 1)).stride()
    (3, 1, 6)
    """
    sizes, order = tuple(size), tuple(physical_layout)
    if len(sizes) != len(order):
        raise RuntimeError(f"[empty_permuted] Number of dimensions in size does not match the length of the physical_layout; i.e. "
                           f"len(size) = {len(sizes)} is not equal to len(physical_layout) = {len(order)}")
    for at, d in enumerate(order):
        if not 0 <= d < len(sizes):
            raise RuntimeError(f"[empty_permuted] Dimension out of range (expected to be between 0 and {len(sizes) - 1}, but got {d} at "
                               f"index {at})")
        if d in order[:at]:
            raise RuntimeError(f"[empty_permuted] Duplicate dim not allowed, got {order}")
    y = empty([sizes[d] for d in order], dtype=dtype, layout=layout, device=device, pin_memory=pin_memory)
    return y.permute([order.index(d) for d in range(len(sizes))]).requires_grad_(bool(requires_grad))


def get_device(input):
    """Return the number of the GPU that holds the tensor, -1 for the CPU.

    >>> import taeda
    >>> taeda.get_device(taeda.ones(2))
    -1
    """
    need_tensor("get_device", "input", input)
    return input.get_device()


def adjoint(input):
    """Return the last two dimensions exchanged, and conjugated if complex.  Raises RuntimeError for vectors.

    >>> import taeda
    >>> taeda.adjoint(taeda.tensor([[1j, 2.0]]))
    tensor([[0.-1.j],
            [2.-0.j]])
    """
    need_tensor("adjoint", "input", input)
    return input.adjoint()


def is_neg(input):
    """Whether the tensor is a lazy negative: never, negatives are computed at once."""
    need_tensor("is_neg", "input", input)
    return input.is_neg()


def is_signed(input):
    """Whether the tensor's dtype has negative values.

    >>> import taeda
    >>> taeda.is_signed(taeda.tensor([1])), taeda.is_signed(taeda.tensor([1], dtype=taeda.uint8))
    (True, False)
    """
    need_tensor("is_signed", "input", input)
    return input.is_signed()


def is_distributed(input):
    """Return False: no tensor is spread over several processes."""
    need_tensor("is_distributed", "input", input)
    return False


def const_data_ptr(input):
    """Return the address of the first element."""
    return input.data_ptr()


def record_stream(input, stream):
    """Raise NotImplementedError: streams belong to a GPU's allocator."""
    raise NotImplementedError(f"[record_stream] is for tensors of a GPU, this one is on {input.device}")


def to_dense(input, dtype=None, *, masked_grad=None):
    """Return the tensor, which is dense already, in ``dtype``."""
    return input if dtype is None else input.to(dtype)


def _resized(op, input, shape):
    total = prod(shape)
    if total != input.numel():
        raise RuntimeError(f"[{op}] requested resize to {tuple(shape)} ({total} elements in total), but the given tensor has shape "
                           f"{tuple(input.shape)} ({input.numel()} elements); only the shape can change, not the number of elements")
    return input.contiguous().view(shape)


def resize(input, *sizes):
    """Return the elements in another shape of the same size.  Deprecated in PyTorch: use :func:`taeda.reshape`."""
    warnings.warn("non-inplace resize is deprecated; use reshape", UserWarning, stacklevel=2)
    return _resized("resize", input, tuple(sizes[0]) if len(sizes) == 1 and hasattr(sizes[0], "__len__") else sizes)


def resize_as(input, tensor):
    """Return the elements in the shape of another tensor of the same size."""
    warnings.warn("non-inplace resize_as is deprecated; use reshape_as", UserWarning, stacklevel=2)
    need_tensor("resize_as", "tensor", tensor)
    return _resized("resize_as", input, tensor.shape)


def resize_as_sparse_(input, the_template):
    """Raise NotImplementedError: for sparse tensors alone."""
    raise NotImplementedError("[resize_as_sparse_] is for sparse tensors, this one is dense; use resize_as_")


def slice_inverse(input, src, dim=0, start=None, end=None, step=1):
    """Return the tensor of which ``input`` is a slice: a view of its storage laid out as ``src`` is.

    >>> import taeda
    >>> x = taeda.arange(6)
    >>> taeda.slice_inverse(x[2:4], x, 0, 2, 4)
    tensor([0, 1, 2, 3, 4, 5])
    """
    need_tensor("slice_inverse", "input", input)
    need_tensor("slice_inverse", "src", src)
    return input.as_strided(src.shape, src.stride(), src.storage_offset())


def as_strided_scatter(input, src, size, stride, storage_offset=None):
    """Return a copy of input with src written into the layout that ``as_strided`` gives it.

    >>> import taeda
    >>> taeda.as_strided_scatter(taeda.zeros(5), taeda.ones(2), (2,), (3,))
    tensor([1., 0., 0., 1., 0.])
    """
    need_tensor("as_strided_scatter", "input", input)
    need_tensor("as_strided_scatter", "src", src)
    return named(written_copy(_as_strided_scatter_, clone_in_place(input), src, size, stride, storage_offset), "AsStridedScatterBackward0")


def _as_strided_scatter_(input, src, size, stride, storage_offset):
    part = input.as_strided(size, stride, storage_offset)
    if part.shape != src.shape:
        raise RuntimeError(f"[as_strided_scatter] expected src to have a size equal to the slice of self. src size = {list(src.shape)}, "
                           f"slice size = {list(part.shape)}")
    part.copy_(src)
    return input


METHODS = {
    "as_strided_scatter": as_strided_scatter,
    "const_data_ptr": const_data_ptr, "is_distributed": is_distributed, "record_stream": record_stream, "resize": resize,
    "resize_as": resize_as, "resize_as_sparse_": resize_as_sparse_, "slice_inverse": slice_inverse, "to_dense": to_dense,
}
