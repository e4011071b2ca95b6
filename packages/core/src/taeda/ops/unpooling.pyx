# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The inverse of max pooling: maxima put back in the places that they were taken from."""
from libc.stdint cimport int64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport Op, as_tensor, check_same_device, contiguous, define, empty_shape, launch, record
from taeda.dtype cimport name_of
from taeda.kernels.cpu.abi cimport I64, Param, View
from taeda.ops.channels_last cimport laid_channels_last
from taeda.ops.pooling cimport check_input, lies_last, read_sizes
from taeda.tensor_base cimport TensorBase

__all__ = ("max_unpool2d", "max_unpool3d")


cdef object max_unpool_vjp(Node n, object g):
    cdef TensorBase at = n.load(0)
    cdef int spatial = n.extra
    return g.flatten(-spatial).gather(-1, at.flatten(-spatial)).reshape(at.shape_tuple())

cdef tuple MAX_UNPOOL = tuple([
    define(f"max_unpool{n}d", max_unpool_vjp, 0, 0, "max_unpool", f"MaxUnpool{n}DBackward0") for n in (2, 3)])

cdef object max_unpool(int n, object input, object indices, object output_size):
    """Zeros of ``output_size`` with each element of input at its index, counted in an image of n dimensions."""
    cdef Op op = MAX_UNPOOL[n - 2]
    cdef TensorBase x = as_tensor(input, op.name), at = as_tensor(indices, op.name), y, dense, places
    cdef View* t[3]
    cdef Param p[2]
    cdef int64_t sizes[3]
    cdef int64_t bad
    cdef int d
    if at.view.dtype != I64:
        raise RuntimeError(f"[{op.name}] elements in indices should be type int64 but got {name_of(at.view.dtype)}")
    if x.shape_tuple() != at.shape_tuple():
        raise RuntimeError(f"[{op.name}] Expected shape of indices to be same as that of the input tensor ({x.shape_tuple()}) but "
                           f"got indices tensor with shape: {at.shape_tuple()}")
    check_input(op.name, x, n, 1)
    check_same_device(op.name, (x, at))
    read_sizes(op.name, "output_size", output_size, n, sizes)
    cdef bint last = lies_last(x, n)
    dense, places = contiguous(x), contiguous(at)
    p[0].i = p[1].i = 1
    shape = x.shape_tuple()[:x.view.ndim - n]
    for d in range(3 - n, 3):
        if sizes[d] < 0:
            raise ValueError(f"[{op.name}] max_unpooling: output_size must contain non-negative spatial dimensions, but got "
                             f"{output_size}")
        shape += (sizes[d],)
    y = empty_shape(shape, x.view.dtype, x.device)         # which refuses sizes whose product has more than 64 bits
    for d in range(3 - n, 3):
        p[0].i *= sizes[d]
        p[1].i *= x.view.shape[x.view.ndim - 3 + d]
    t[0], t[1], t[2] = &y.view, &dense.view, &places.view
    bad = launch(op, x.view.dtype, x.device, 1, 3, t, p, y.view.numel)
    if bad > 0:
        raise RuntimeError(f"[{op.name}] Found an invalid max index: {(<object>at).flatten()[bad - 1].item()} (output volumes are of size "
                           f"{'x'.join(map(str, shape[-n:]))})")
    if last:
        y = laid_channels_last(y)
    record(op, y, (x,), (at,), n)
    return y


def max_unpool2d(input, indices, output_size):
    """Put the maxima of :func:`max_pool2d` back in their places in planes of ``output_size``, zeros elsewhere.

    ``indices`` (int64) has the shape of ``input``; of two values for one place the last stays.

    >>> import taeda
    >>> from taeda import ops
    >>> ops.max_unpool2d(taeda.ones(1, 1, 1), taeda.tensor([[[2]]]), (2, 2))
    tensor([[[0., 0.],
             [1., 0.]]])
    """
    return max_unpool(2, input, indices, output_size)


def max_unpool3d(input, indices, output_size):
    """Put the maxima of :func:`max_pool3d` back in their places in volumes of ``output_size``, zeros elsewhere.

    >>> import taeda
    >>> from taeda import ops
    >>> ops.max_unpool3d(taeda.ones(1, 1, 1, 1), taeda.tensor([[[[2]]]]), (1, 2, 2))
    tensor([[[[0., 0.],
              [1., 0.]]]])
    """
    return max_unpool(3, input, indices, output_size)
