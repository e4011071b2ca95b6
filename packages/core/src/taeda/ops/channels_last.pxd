# Tensors whose channels lie innermost in memory: what convolutions and pools of such tensors return too.
from libc.stdint cimport int64_t

from taeda.dispatch cimport copy_into, empty_as
from taeda.kernels.cpu.abi cimport View
from taeda.tensor_base cimport TensorBase, refresh


cdef inline bint lies_channels_last(TensorBase x) noexcept:
    """Whether x is (N, C, *) with C innermost, by PyTorch's rule for the sizes of 1 that leave a choice."""
    cdef int64_t least = 0
    cdef int k, d, n = x.view.ndim
    if n < 4 or x.view.numel == 0 or x.view.strides[1] == 0:
        return False
    for k in range(n):
        d = 1 if k == 0 else 0 if k == n - 1 else n - k        # C, W, H, N
        if x.view.strides[d] < least or (d == 0 and least == x.view.strides[1]):
            return False
        least = x.view.strides[d] * x.view.shape[d]
    return True


cdef inline TensorBase channels_innermost(TensorBase fresh):
    """Reorder the memory of a tensor that nothing has been written to yet."""
    cdef int64_t stride = 1
    cdef int k, d, n = fresh.view.ndim
    for k in range(n):
        d = 1 if k == 0 else 0 if k == n - 1 else n - k
        fresh.view.strides[d] = stride
        stride *= fresh.view.shape[d]
    refresh(fresh)
    return fresh


cdef inline TensorBase laid_channels_last(TensorBase y):
    """A copy of y without history, channels innermost."""
    cdef TensorBase z = channels_innermost(empty_as(y, y.view.dtype, y.device))
    copy_into(z, y)
    return z


cdef inline TensorBase without_gaps(TensorBase x):
    """x whose channels lie innermost, or a copy of it without history if its memory has gaps."""
    cdef int64_t stride = 1
    cdef int k, d, n = x.view.ndim
    for k in range(n):
        d = 1 if k == 0 else 0 if k == n - 1 else n - k
        if x.view.shape[d] != 1 and x.view.strides[d] != stride:
            return laid_channels_last(x)
        stride *= x.view.shape[d]
    return x


cdef inline View channels_as_columns(const View* v, int64_t* room) noexcept:
    """The view of (N, C, H, W) as one of (N, H, W, C), row-major if channels lie innermost without gaps; room: 2 ndim numbers."""
    cdef View rows = v[0]
    cdef int64_t stride = 1
    cdef int k, d, n = v.ndim
    rows.shape, rows.strides, rows.contiguous = room, room + n, True
    for k in range(n - 1, -1, -1):
        d = 0 if k == 0 else 1 if k == n - 1 else k + 1
        rows.shape[k], rows.strides[k] = v.shape[d], v.strides[d]
        if v.shape[d] == 1:
            rows.strides[k] = stride             # which says nothing
        elif v.strides[d] != stride:
            rows.contiguous = False
        stride *= v.shape[d]
    return rows
