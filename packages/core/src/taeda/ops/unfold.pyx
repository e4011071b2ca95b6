# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Sliding windows of images as columns of a matrix, and back: each op is linear, and the other's derivative."""
from cpython.number cimport PyIndex_Check
from libc.stdint cimport int64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport Op, as_tensor, contiguous, define, empty_shape, launch, linear, needs_grad, record, to_dtype
from taeda.kernels.cpu.abi cimport BOOL, F32, Param, View
from taeda.tensor_base cimport TensorBase

from taeda.operands import as_index

__all__ = ["col2im", "im2col"]
PUBLIC = ()
METHODS = {}

cdef enum:
    SIZE = 8                    # where the image's size begins among the parameters: kernel, stride, padding,
    GRID = 10                   # dilation, size of the image, grid of windows (height and width each)
    GEOMETRY = 12


cdef int read_pair(str op, str name, object value, int64_t low, int64_t* out) except -1:
    """An int or a pair of ints, none below `low`, into out[0:2]."""
    cdef int i
    if PyIndex_Check(value) and not isinstance(value, bool):
        value = (value, value)
    if not isinstance(value, (tuple, list)):
        raise TypeError(f"[{op}] argument '{name}' must be tuple of ints, not {type(value).__name__}")
    value = tuple(value)                                   # a list may change while its numbers are read
    if len(value) != 2:
        raise RuntimeError(f"[{op}] It is expected {name} equals to 2, but got size {len(value)}")
    for i in range(2):
        if isinstance(value[i], bool) or not PyIndex_Check(value[i]):
            raise TypeError(f"[{op}] argument '{name}' must be tuple of ints, but found element of type "
                            f"{type(value[i]).__name__} at pos {i}")
        number = value[i] if type(value[i]) is int else as_index(op, value[i])
        if not low <= number < 1 << 31:
            rule = "non-negative" if low == 0 else "greater than zero" if number < low else "less than 2^31"
            raise RuntimeError(f"[{op}] {name} should be {rule}, but got {tuple(value)}")
        out[i] = number
    return 0


cdef int read_windows(str op, object kernel_size, object stride, object padding, object dilation, const int64_t* size,
                      Param* p) except -1:
    """Check a window's arguments and fill all parameters of the kernels."""
    cdef int64_t k[2]
    cdef int64_t s[2]
    cdef int64_t pad[2]
    cdef int64_t d[2]
    cdef int64_t room
    cdef int i
    read_pair(op, "kernel_size", kernel_size, 1, k)
    read_pair(op, "dilation", dilation, 1, d)
    read_pair(op, "padding", padding, 0, pad)
    read_pair(op, "stride", stride, 1, s)
    for i in range(2):
        room = size[i] + 2 * pad[i] - d[i] * (k[i] - 1) - 1
        p[i].i, p[2 + i].i, p[4 + i].i, p[6 + i].i, p[SIZE + i].i = k[i], s[i], pad[i], d[i], size[i]
        p[GRID + i].i = room // s[i] + 1 if room >= 0 else -((-room + s[i] - 1) // s[i]) + 1
    return 0


cdef object count_of_blocks(const Param* p):
    """How many windows there are: a Python number, since it may have more than 64 bits."""
    return <object>p[GRID].i * <object>p[GRID + 1].i


cdef str told(const Param* p):
    """The arguments for a message."""
    return (f"kernel_size={(p[0].i, p[1].i)}, dilation={(p[6].i, p[7].i)}, padding={(p[4].i, p[5].i)}, "
            f"stride={(p[2].i, p[3].i)}")


cdef TensorBase apply(Op op, TensorBase x, tuple shape, const Param* p):
    """Run one of the two on contiguous x; the result has the given shape."""
    cdef TensorBase y
    cdef View* t[2]
    x = contiguous(x)
    y = empty_shape(shape, x.view.dtype, x.device)
    t[0], t[1] = &y.view, &x.view
    launch(op, x.view.dtype, x.device, 1, 2, t, p, max(x.view.numel, y.view.numel))
    if needs_grad(x):
        record(op, y, (x,), None, (tuple([p[i].i for i in range(GEOMETRY)]), x.shape_tuple()))
    return y


cdef object transpose(Op op, Node n, object g):
    cdef Param p[GEOMETRY]
    cdef int i
    for i in range(GEOMETRY):
        p[i].i = n.extra[0][i]
    return apply(op, <TensorBase>g, n.extra[1], p)


cdef object im2col_vjp(Node n, object g):
    return transpose(COL2IM, n, g)

cdef Op IM2COL = linear(define("im2col", im2col_vjp, 0, 0, None, "Im2ColBackward0"))

cdef object col2im_vjp(Node n, object g):
    return transpose(IM2COL, n, g)

cdef Op COL2IM = linear(define("col2im", col2im_vjp, 0, 0, None, "Col2ImBackward0"))


cdef bint has_batch(str op, TensorBase x, int rank) except -1:
    """Whether x has `rank` dimensions rather than one less; only the batch may be empty."""
    cdef int d, batched = x.view.ndim == rank
    cdef bint good = batched or x.view.ndim == rank - 1
    if good:
        for d in range(batched, x.view.ndim):
            good = good and x.view.shape[d] > 0
    if not good:
        kind = IndexError if op == "im2col" and x.view.ndim < 3 else RuntimeError       # as PyTorch's
        raise kind(f"[{op}] Expected {rank - 1}D or {rank}D (batch mode) tensor with possibly 0 batch size and other "
                   f"non-zero dimensions for input, but got: {x.shape_tuple()}")
    return batched


def im2col(input, kernel_size, dilation, padding, stride):
    """Return the windows of (N, C, H, W) or (C, H, W) as columns: (N, C KH KW, L), L windows in row-major order.

    Sizes are ints or pairs (height, width).  RuntimeError where a window does not fit.

    >>> import taeda
    >>> from taeda import ops
    >>> ops.im2col(taeda.arange(6.).reshape(1, 2, 3), 2, 1, 0, 1)
    tensor([[0., 1.],
            [1., 2.],
            [3., 4.],
            [4., 5.]])
    """
    cdef TensorBase x = as_tensor(input, "im2col")
    cdef Param p[GEOMETRY]
    cdef int64_t size[2]
    cdef bint batched = has_batch("im2col", x, 4)
    cdef tuple shape = x.shape_tuple()
    size[0], size[1] = shape[batched + 1], shape[batched + 2]
    read_windows("im2col", kernel_size, stride, padding, dilation, size, p)
    if p[GRID].i < 1 or p[GRID + 1].i < 1:
        raise RuntimeError(f"[im2col] Given input with spatial size {(size[0], size[1])}, {told(p)}, calculated shape of the array "
                           f"of sliding blocks as {(p[GRID].i, p[GRID + 1].i)}, but its components must be at least one")
    shape = shape[:batched] + (shape[batched] * p[0].i * p[1].i, count_of_blocks(p))
    if x.view.dtype == BOOL:
        return to_dtype(apply(IM2COL, to_dtype(x, F32), shape, p), BOOL)
    return apply(IM2COL, x, shape, p)


def col2im(input, output_size, kernel_size, dilation, padding, stride):
    """Add the columns of :func:`im2col` up where they came from: (N, C KH KW, L) or (C KH KW, L) into (N, C, H, W).

    ``output_size`` is (H, W).  RuntimeError where the number of rows or columns does not fit.

    >>> import taeda
    >>> from taeda import ops
    >>> ops.col2im(taeda.ones(4, 2), (2, 3), 2, 1, 0, 1)
    tensor([[[1., 2., 1.],
             [1., 2., 1.]]])
    """
    cdef TensorBase x = as_tensor(input, "col2im")
    cdef Param p[GEOMETRY]
    cdef int64_t size[2]
    cdef bint batched = has_batch("col2im", x, 3)
    cdef tuple shape = x.shape_tuple()
    read_pair("col2im", "output_size", output_size, -(1 << 31), size)
    read_windows("col2im", kernel_size, stride, padding, dilation, size, p)
    rows, columns = shape[batched], shape[batched + 1]
    taps, blocks = p[0].i * p[1].i, count_of_blocks(p)
    if rows % taps:
        raise RuntimeError(f"[col2im] Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got "
                           f"input of shape {shape} and kernel_size={(p[0].i, p[1].i)}")
    if p[GRID].i < 1 or p[GRID + 1].i < 1 or columns != blocks:
        raise RuntimeError(f"[col2im] Given output_size={(size[0], size[1])}, {told(p)}, expected size of input's dimension 2 to match "
                           f"the calculated number of sliding blocks {p[GRID].i} * {p[GRID + 1].i} = {blocks}, but got input of shape "
                           f"{shape}")
    shape = shape[:batched] + (rows // taps, size[0], size[1])
    if x.view.dtype == BOOL:
        return to_dtype(apply(COL2IM, to_dtype(x, F32), shape, p), BOOL)
    return apply(COL2IM, x, shape, p)
