# cython: language_level=3, boundscheck=False, wraparound=True, cdivision=True, initializedcheck=False
"""Broadcasting: views whose sizes of 1 are repeated without memory, and the shape that several tensors have in common."""
from libc.stdint cimport INT64_MAX, int64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport Op, as_strided_view, as_tensor, define, needs_grad, record_view
from taeda.kernels.cpu.abi cimport MAX_DIM
from taeda.operands cimport broadcast_shapes as common_shape
from taeda.ops.views cimport or_named, sizes_of
from taeda.tensor_base cimport TensorBase

from taeda.tensor_base import Size


cdef object expand_vjp(Node n, object g):
    return g.sum_to_size(n.extra)

cdef Op EXPAND = define("expand", expand_vjp)

def expand(input, *sizes, size=None, implicit=False):
    """Return a view with dimensions of size 1 repeated; -1 keeps a size, new dimensions come in front.

    >>> import taeda
    >>> taeda.tensor([[1], [2]]).expand(2, 3).shape
    taeda.Size([2, 3])
    """
    cdef TensorBase x = as_tensor(input, "expand"), y
    if not sizes and size is None:
        raise TypeError("[expand] expected sizes; () is no dimension")
    cdef tuple shape = sizes_of("expand", or_named("expand", sizes, "size", size))
    cdef int n = len(shape), lead = n - x.view.ndim, d
    cdef int64_t new_shape[MAX_DIM]
    cdef int64_t strides[MAX_DIM]
    if lead < 0:
        raise RuntimeError(f"[expand] the number of sizes provided ({n}) must be greater or equal to the number of "
                           f"dimensions in the tensor ({x.view.ndim}); shape {x.shape_tuple()} to {shape}")
    if n > MAX_DIM:
        raise RuntimeError(f"[expand] a tensor has at most {MAX_DIM} dimensions, got {n}")
    for d in range(n):
        size = shape[d]
        if size > INT64_MAX:
            raise RuntimeError(f"[expand] a size of {size} is more than 64 bits hold")
        if d < lead:
            if size < 0:
                raise RuntimeError(f"[expand] The expanded size of the tensor ({size}) isn't allowed in a leading, "
                                   f"non-existing dimension {d}")
            new_shape[d], strides[d] = size, 0
            continue
        have = x.view.shape[d - lead]
        if size == -1 or size == have:
            new_shape[d], strides[d] = have, x.view.strides[d - lead]
        elif have == 1 and size >= 0:
            new_shape[d], strides[d] = size, 0
        else:
            raise RuntimeError(f"[expand] The expanded size of the tensor ({size}) must match the existing size ({have}) at "
                               f"non-singleton dimension {d}. Target sizes: {list(shape)}. Tensor sizes: "
                               f"{list(x.shape_tuple())}")
    for d in range(min(lead, n - 1) - 1, -1, -1):     # a new dimension that repeats nothing spans what lies behind it
        if new_shape[d] == 1:
            strides[d] = new_shape[d + 1] * strides[d + 1]
    y = as_strided_view(x, n, new_shape, strides, x.offset)
    record_view(EXPAND, y, x, x.shape_tuple() if needs_grad(x) else None)
    return y

def expand_as(input, other):
    """Return :func:`expand` to the shape of another tensor."""
    return expand(input, as_tensor(other, "expand_as").shape_tuple())

def broadcast_to(input, *sizes, size=None):
    """Return :func:`expand` to ``size``, one tuple or number by number.

    A size of -1 keeps the dimension's own; the view's memory is not repeated, so it must not be written to in place.

    Raises:
        RuntimeError: a size is neither 1 nor the one asked for.

    >>> import taeda
    >>> taeda.broadcast_to(taeda.tensor([[1], [2]]), (2, 3))
    tensor([[1, 1, 1],
            [2, 2, 2]])
    """
    return expand(input, sizes_of("broadcast_to", or_named("broadcast_to", sizes, "size", size)))

def broadcast_tensors(*tensors):
    """Return the tensors expanded to their common shape.

    A tensor of that shape comes back itself, others as views.  RuntimeError where sizes differ and neither is 1, TypeError for what is
    no tensor.

    >>> import taeda
    >>> [x.shape for x in taeda.broadcast_tensors(taeda.ones(2, 1), taeda.ones(3))]
    [taeda.Size([2, 3]), taeda.Size([2, 3])]
    """
    if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        tensors = tensors[0]
    for i, t in enumerate(tensors):
        if not isinstance(t, TensorBase):
            raise TypeError(f"[broadcast_tensors] expected Tensor as element {i} in argument 0, but got {type(t).__name__}")
    shape = ()
    for t in tensors:
        shape = common_shape("broadcast_tensors", shape, (<TensorBase>t).shape_tuple())
    return tuple([t if t.shape == shape else expand(t, shape) for t in tensors])

def broadcast_shapes(*shapes):
    """Return the shape that tensors of these shapes broadcast to.

    Shapes are aligned at their last dimensions; sizes must agree or be 1.  RuntimeError where they do not.

    >>> import taeda
    >>> taeda.broadcast_shapes((2, 1), (3,), (1, 1, 1))
    taeda.Size([1, 2, 3])
    """
    result = ()
    for shape in shapes:
        shape = (shape,) if isinstance(shape, int) else tuple(shape)
        if any([s < 0 for s in shape]):
            raise ValueError(f"[broadcast_shapes] Trying to create tensor with negative dimension: {shape}")
        n = max(len(result), len(shape))
        a, b = (1,) * (n - len(result)) + tuple(result), (1,) * (n - len(shape)) + shape
        for x, y in zip(a, b):
            if x != y and x != 1 and y != 1:
                raise RuntimeError(f"[broadcast_shapes] Shape mismatch: objects cannot be broadcast to a single shape: "
                                   f"{', '.join([str(tuple(s) if not isinstance(s, int) else (s,)) for s in shapes])}")
        result = tuple([y if x == 1 else x for x, y in zip(a, b)])
    return Size(result)


PUBLIC = ("broadcast_to", "broadcast_tensors", "broadcast_shapes")
__all__ = PUBLIC + ("expand", "expand_as")
METHODS = {"broadcast_to": broadcast_to, "expand": expand, "expand_as": expand_as}
