# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Max, average and adaptive pooling in one, two and three dimensions.

A 2-d pool is a 3-d pool over volumes of depth one, a 1-d pool of height one as well: they share their kernels.
Inputs are (N, C, L), (N, C, H, W) or (N, C, D, H, W), or the same without N.  Each backward pass is linear in
the cotangent and is an op of its own, whose derivative is the forward pass again: a gather for maxima, the same
average for averages.
"""
from cpython.bool cimport PyBool_Check
from cpython.number cimport PyIndex_Check
from libc.stdint cimport int64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport Op, as_tensor, contiguous, define, empty_shape, joint, launch, linear, needs_grad, record, write_out
from taeda.dtype cimport is_float
from taeda.kernels.cpu.abi cimport I64, Param, View
from taeda.ops.arguments cimport whole_numbers
from taeda.ops.channels_last cimport channels_as_columns, channels_innermost, laid_channels_last, lies_channels_last, without_gaps
from taeda.tensor_base cimport TensorBase

from taeda.operands import as_index

PUBLIC = ("max_pool1d", "max_pool2d", "max_pool3d", "avg_pool1d", "adaptive_avg_pool1d")
__all__ = PUBLIC + ("avg_pool2d", "avg_pool3d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d",
                    "adaptive_max_pool2d", "adaptive_max_pool3d")
METHODS = {}

cdef enum:
    SIZE = 12                   # where the input's sizes begin among a windowed kernel's parameters: kernel, stride,
    OUT = 15                    # padding, dilation, size in, size out (three each), then up to three flags
    FLAGS = 18
    GEOMETRY = 21

COUNTS = ("one int", "two ints", "three ints")


# -- arguments ---------------------------------------------------------------------------------------


cdef int read_sizes(str op, str name, object value, int n, int64_t* out) except -1:
    """An int, or one or n ints, into out[3 - n:3]; what stands before is left alone."""
    cdef int first = 3 - n, i
    if type(value) is int:
        for i in range(first, 3):
            out[i] = value
        return 0
    if isinstance(value, (tuple, list)):
        value = tuple(value)                               # a list may change while its numbers are read
        if len(value) != 1 and len(value) != n:
            raise RuntimeError(f"[{op}] {name} must either be a single int, or a tuple of {COUNTS[n - 1]}, got {tuple(value)}")
        for i in range(first, 3):
            item = value[0 if len(value) == 1 else i - first]
            if not PyIndex_Check(item) or PyBool_Check(item):
                raise TypeError(f"[{op}] argument '{name}' must be tuple of ints, but found element of type "
                                f"{type(item).__name__}")
            out[i] = item if type(item) is int else as_index(op, item)
        return 0
    if PyIndex_Check(value) and not PyBool_Check(value):
        for i in range(first, 3):
            out[i] = as_index(op, value)
        return 0
    raise TypeError(f"[{op}] argument '{name}' must be tuple of ints, not {type(value).__name__}")


cdef int64_t pooled_size(int64_t size, int64_t kernel, int64_t stride, int64_t pad, int64_t dilation,
                         bint ceil_mode) noexcept:
    """Number of windows; with ceil_mode a last one that starts inside the input or its left padding."""
    cdef int64_t room = size + 2 * pad - dilation * (kernel - 1) - 1 + (stride - 1 if ceil_mode else 0)
    cdef int64_t n = room // stride if room >= 0 else -((-room + stride - 1) // stride)
    n += 1
    if ceil_mode and (n - 1) * stride >= size + pad:
        n -= 1
    return n


cdef int check_input(str op, TensorBase x, int n, int first) except -1:
    """(C, ...) or (N, C, ...) with n spatial sizes; none of the sizes from dimension `first` is 0."""
    cdef int d, ndim = x.view.ndim
    cdef bint good = ndim == n + 1 or ndim == n + 2
    if good:
        for d in range(first, ndim):
            good = good and x.view.shape[d] > 0
    if not good:
        kind = IndexError if op == "avg_pool2d" and ndim < 3 else RuntimeError      # as PyTorch's
        raise kind(f"[{op}] Expected {n + 1}D or {n + 2}D (batch mode) tensor with optional 0 dim batch size for "
                   f"input, but got shape {x.shape_tuple()}")
    return 0


cdef int read_window(str op, TensorBase x, int n, object kernel_size, object stride, object padding, object dilation,
                     bint ceil_mode, Param* p) except -1:
    """Check a window's arguments and fill all parameters of its kernel but the flags."""
    cdef int64_t k[3]
    cdef int64_t s[3]
    cdef int64_t pad[3]
    cdef int64_t dil[3]
    cdef int64_t size[3]
    cdef int64_t out[3]
    cdef int d
    for d in range(3):
        k[d], s[d], pad[d], dil[d], size[d] = 1, 1, 0, 1, 1
    read_sizes(op, "kernel_size", kernel_size, n, k)
    if stride is None or (isinstance(stride, (tuple, list)) and len(stride) == 0):
        for d in range(3 - n, 3):
            s[d] = k[d]
    else:
        read_sizes(op, "stride", stride, n, s)
    read_sizes(op, "padding", padding, n, pad)
    read_sizes(op, "dilation", dilation, n, dil)
    check_input(op, x, n, x.view.ndim - n - 1)
    for d in range(3 - n, 3):
        size[d] = x.view.shape[x.view.ndim - 3 + d]
    for d in range(3):
        if k[d] <= 0:
            raise RuntimeError(f"[{op}] kernel_size must be greater than zero, but got {kernel_size}")
        if s[d] <= 0:
            raise RuntimeError(f"[{op}] stride must be greater than zero, but got {stride}")
        if dil[d] <= 0:
            raise RuntimeError(f"[{op}] dilation must be greater than zero, but got {dilation}")
        if pad[d] < 0:
            raise RuntimeError(f"[{op}] padding must be non-negative, but got {padding}")
        if max(k[d], s[d], pad[d], dil[d]) >= 1 << 31 or (k[d] - 1) * dil[d] >= 1 << 31:
            raise RuntimeError(f"[{op}] window is too large: kernel_size={kernel_size}, stride={stride}, "
                               f"padding={padding}, dilation={dilation}")
        if pad[d] > k[d] // 2:
            raise RuntimeError(f"[{op}] padding should be at most half of kernel size, but got "
                               f"padding={padding}, kernel_size={kernel_size} and dilation={dilation}")
        out[d] = pooled_size(size[d], k[d], s[d], pad[d], dil[d], ceil_mode)
    if <object>size[0] * size[1] * size[2] >= 1 << 31:
        raise RuntimeError(f"[{op}] {'planes' if n < 3 else 'volumes'} of 2^31 elements or more are not supported, got "
                           f"shape {x.shape_tuple()}")
    if min(out[0], out[1], out[2]) < 1:
        raise RuntimeError(f"[{op}] Given input of shape {x.shape_tuple()}. Calculated output size: "
                           f"{(out[0], out[1], out[2])[3 - n:]}. Output size is too small for kernel_size={kernel_size}, "
                           f"stride={stride}, padding={padding}, dilation={dilation}; hint: a larger input, or fewer strides and pools "
                           "before")
    for d in range(3):
        p[d].i, p[3 + d].i, p[6 + d].i, p[9 + d].i, p[SIZE + d].i, p[OUT + d].i = k[d], s[d], pad[d], dil[d], size[d], out[d]
    return 0


cdef TensorBase pooled(TensorBase x, int n, const Param* sizes, int dtype):
    """An empty result: x's leading sizes, then the last n of the three given."""
    cdef list shape = list(x.shape_tuple())
    cdef int d
    for d in range(n):
        shape[x.view.ndim - n + d] = sizes[3 - n + d].i
    return empty_shape(shape, dtype, x.device)


cdef inline bint is_global(const Param* p) noexcept:
    """Whether an adaptive pool has one window."""
    return p[OUT].i == 1 and p[OUT + 1].i == 1 and p[OUT + 2].i == 1


cdef tuple pack(const Param* p):
    return tuple([p[i].i for i in range(GEOMETRY)])


cdef bint lies_last(TensorBase x, int n) noexcept:
    """Whether x is a batch of images or volumes whose channels lie innermost."""
    return n > 1 and x.view.ndim == n + 2 and lies_channels_last(x)


cdef inline TensorBase packed_last(TensorBase x):
    """x, or a copy of it without history, with its channels innermost and no gaps."""
    return without_gaps(x) if lies_channels_last(x) else laid_channels_last(x)


ctypedef struct Columns:           # row-major views (N, H, W, C) of tensors whose channels lie innermost
    View v[3]
    int64_t room[3 * 10]


cdef inline View* column_view(Columns* c, int i, TensorBase x) noexcept:
    c.v[i] = channels_as_columns(&x.view, c.room + 10 * i)
    return &c.v[i]


# the same pools where channels lie innermost
cdef Op MAX_LAST = define("max_pool", NULL, 0, 0, "max_pool_last")
cdef Op MAX_LAST_BACKWARD = define("max_pool_backward", NULL, 0, 0, "max_pool_last_backward")
cdef Op AVG_LAST = define("avg_pool", NULL, 0, 0, "avg_pool_last")
cdef Op AVG_LAST_BACKWARD = define("avg_pool_backward", NULL, 0, 0, "avg_pool_last_backward")

# and of small maps, whose rows are too short for vectors, a group of channels at a time
cdef Op MAX_SMALL = define("max_pool", NULL, 0, 0, "max_pool_small")
cdef Op AVG_SMALL = define("avg_pool", NULL, 0, 0, "avg_pool_small")

cdef enum:
    SMALL = 256               # places of a small map: POOL_SMALL of the kernels
    SHORT = 32                # of a row
    GROUP = 8                 # maps from which lanes are filled


cdef inline bint are_small(TensorBase x, const Param* p) noexcept:
    cdef int64_t size = p[SIZE].i * p[SIZE + 1].i * p[SIZE + 2].i, windows = p[OUT].i * p[OUT + 1].i * p[OUT + 2].i
    return (is_float(x.view.dtype) and p[SIZE + 2].i <= SHORT and 0 < size <= SMALL and 0 < windows <= SMALL
            and x.view.numel >= GROUP * size)


cdef inline bint fill_vectors(const Param* p) noexcept:
    """Whether max_pool takes less time for small maps without places: windows of 2 x 2 that tile them, and rows of few taps that are not
    so short.
    """
    return p[SIZE].i == 1 and p[7].i == p[8].i == 0 and p[OUT + 2].i >= 4 and (
        p[1].i == p[2].i == p[4].i == p[5].i == 2 and p[OUT + 2].i % 4 < 2
        or p[SIZE + 1].i == 1 and (p[2].i == p[5].i or p[SIZE + 2].i > 16 and p[2].i <= 3))


# -- max ---------------------------------------------------------------------------------------------

# max_pool_backward: gx[at] += g, volume by volume
cdef object max_pool_backward_vjp(Node n, object g):
    cdef TensorBase at = n.load(0)
    cdef int spatial = n.extra
    if spatial == 1:
        return g.gather(-1, at)
    return g.flatten(-spatial).gather(-1, at.flatten(-spatial)).reshape(at.shape_tuple())

cdef tuple MAX_POOL_BACKWARD = tuple([
    define("max_pool_backward", max_pool_backward_vjp, 0, 0, None, f"MaxPool{n}DWithIndicesBackwardBackward0") for n in (2, 2, 3)])

cdef TensorBase max_pool_backward(object cotangent, TensorBase at, tuple shape, int spatial, tuple last):
    """last: the geometry of the windows where channels lie innermost, else None."""
    cdef TensorBase g = <TensorBase>cotangent, gx = empty_shape(shape, g.view.dtype, g.device), dense
    cdef Op op = MAX_POOL_BACKWARD[spatial - 1]
    cdef View* t[3]
    cdef Columns columns
    cdef Param p[GEOMETRY]
    cdef int d
    if last is not None and is_float(g.view.dtype):
        whole_numbers(last, GEOMETRY, p)
        dense, at = packed_last(g), packed_last(at)
        channels_innermost(gx)
        t[0], t[1], t[2] = column_view(&columns, 0, gx), column_view(&columns, 1, dense), column_view(&columns, 2, at)
        launch(MAX_LAST_BACKWARD, g.view.dtype, g.device, 1, 3, t, p, gx.view.numel)
    else:
        p[0].i = p[1].i = 1
        for d in range(spatial):
            p[0].i *= gx.view.shape[gx.view.ndim - 1 - d]
            p[1].i *= g.view.shape[g.view.ndim - 1 - d]
        dense, at = contiguous(g), contiguous(at)
        t[0], t[1], t[2] = &gx.view, &dense.view, &at.view
        launch(op, g.view.dtype, g.device, 1, 3, t, p, gx.view.numel)
    record(op, gx, (g,), (at,), spatial)
    return gx

cdef object max_pool_vjp(Node n, object g):
    return max_pool_backward(g, n.load(0), <tuple>n.extra[0], n.extra[1], n.extra[2])

cdef Op MAX_POOL1D = joint(define("max_pool1d", max_pool_vjp, 0, 0, "max_pool", "SqueezeBackward1"))
cdef Op MAX_POOL2D = joint(define("max_pool2d", max_pool_vjp, 0, 0, "max_pool", "MaxPool2DWithIndicesBackward0"))
cdef Op MAX_POOL3D = joint(define("max_pool3d", max_pool_vjp, 0, 0, "max_pool", "MaxPool3DWithIndicesBackward0"))

cdef tuple maxima(Op op, TensorBase x, int n, Param* p, bint last, bint wanted, bint adaptive):
    """(the largest value of each window, where it is or None); last: they lie as x does, channels innermost."""
    cdef TensorBase y = pooled(x, n, p + OUT, x.view.dtype), at = pooled(x, n, p + OUT, I64) if wanted else None, dense
    cdef View* t[3]
    cdef Columns columns
    p[FLAGS].i, p[FLAGS + 1].i = wanted, adaptive
    if last and is_float(x.view.dtype):
        dense = without_gaps(x)
        t[0], t[2] = column_view(&columns, 0, channels_innermost(y)), column_view(&columns, 2, dense)
        t[1] = column_view(&columns, 1, channels_innermost(at)) if wanted else t[0]
        launch(MAX_LAST, x.view.dtype, x.device, 2 if wanted else 1, 3, t, p, x.view.numel)
        return y, at
    dense = contiguous(x)
    t[0], t[1], t[2] = &y.view, &at.view if wanted else &y.view, &dense.view
    if are_small(x, p) and (wanted or adaptive or not fill_vectors(p)):
        op = MAX_SMALL
    launch(op, x.view.dtype, x.device, 2 if wanted else 1, 3, t, p, x.view.numel)
    return (laid_channels_last(y), laid_channels_last(at) if wanted else None) if last else (y, at)


cdef object max_pool(Op op, object input, int n, object kernel_size, object stride, object padding, object dilation,
                     bint ceil_mode, bint return_indices):
    cdef TensorBase x = as_tensor(input, op.name)
    cdef Param p[GEOMETRY]
    cdef bint last = lies_last(x, n), wanted = return_indices or needs_grad(x)
    read_window(op.name, x, n, kernel_size, stride, padding, dilation, ceil_mode, p)
    y, at = maxima(op, x, n, p, last, wanted, False)
    if wanted:
        record(op, y, (x,), (at,), (x.shape_tuple(), n, pack(p) if last else None))
    return (y, at) if return_indices else y


def max_pool1d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """Return the largest value of each window over the last dimension of (N, C, L) or (C, L).

        y[.., i] = max over k of x[.., i stride + k dilation - padding],  outside the input -inf

    stride is kernel_size by default; padding is at most half of it.  With ``ceil_mode`` a last
    window may hang over the end.  With ``return_indices`` the positions of the maxima (the first of equal
    ones) are returned too.

    >>> import taeda
    >>> taeda.max_pool1d(taeda.tensor([[1., 3., 2., 0.]]), 2)
    tensor([[3., 2.]])
    """
    return max_pool(MAX_POOL1D, input, 1, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool2d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """Return the largest value of each window over the last two dimensions of (N, C, H, W) or (C, H, W).

    Sizes are ints or pairs (height, width); otherwise as :func:`max_pool1d`.  Positions are h W + w.

    >>> import taeda
    >>> taeda.max_pool2d(taeda.arange(16.).reshape(1, 4, 4), 2)
    tensor([[[ 5.,  7.],
             [13., 15.]]])
    """
    return max_pool(MAX_POOL2D, input, 2, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool3d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """Return the largest value of each window over the last three dimensions of (N, C, D, H, W) or (C, D, H, W).

    Sizes are ints or triples (depth, height, width); otherwise as :func:`max_pool1d`.  Positions are
    (d H + h) W + w.

    >>> import taeda
    >>> taeda.max_pool3d(taeda.arange(8.).reshape(1, 2, 2, 2), 2)
    tensor([[[[7.]]]])
    """
    cdef TensorBase x = as_tensor(input, "max_pool3d")
    # of the unbatched pools, this one keeps channels innermost
    if x.view.ndim == 4 and x.view.strides[0] == 1 and not x.view.contiguous:
        batch = (<object>x).movedim(0, -1).unsqueeze(0).movedim(-1, 1)             # whose first stride says so too
        y = max_pool(MAX_POOL3D, batch, 3, kernel_size, stride, padding, dilation, ceil_mode, return_indices)
        return (y[0].squeeze(0), y[1].squeeze(0)) if return_indices else y.squeeze(0)
    return max_pool(MAX_POOL3D, x, 3, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


# -- average -----------------------------------------------------------------------------------------

cdef TensorBase windows_forward(Op op, TensorBase x, int n, Param* p, bint last, bint adaptive):
    """The mean of each window; last: it lies as x does, channels innermost."""
    cdef TensorBase y = pooled(x, n, p + OUT, x.view.dtype), dense
    cdef View* t[2]
    cdef Columns columns
    p[FLAGS + 2].i = adaptive
    if last and is_float(x.view.dtype):
        dense = without_gaps(x)
        t[0], t[1] = column_view(&columns, 0, channels_innermost(y)), column_view(&columns, 1, dense)
        launch(AVG_LAST, x.view.dtype, x.device, 1, 2, t, p, x.view.numel)
    else:
        dense = contiguous(x)
        t[0], t[1] = &y.view, &dense.view
        launch(AVG_SMALL if not adaptive and are_small(x, p) else op, x.view.dtype, x.device, 1, 2, t, p, x.view.numel)
        if last:
            y = laid_channels_last(y)
    if needs_grad(x):
        record(op, y, (x,), None, (pack(p), n, last))
    return y


cdef TensorBase avg_forward(Op op, TensorBase x, int n, Param* p):
    return windows_forward(op, x, n, p, n == 2 and lies_last(x, n), False)

# avg_pool_backward: each window's cotangent shared out evenly; its derivative is the average again
cdef object avg_pool_backward_vjp(Node node, object g):
    cdef Param p[GEOMETRY]
    whole_numbers(<tuple>node.extra[0], GEOMETRY, p)
    return avg_forward(AVG_POOL[node.extra[1] - 1], <TensorBase>g, node.extra[1], p)

cdef tuple AVG_POOL_BACKWARD = tuple([
    define("avg_pool_backward", avg_pool_backward_vjp, 0, 0, None, f"AvgPool{n}DBackwardBackward0") for n in (2, 2, 3)])

cdef TensorBase windows_backward(Op op, object cotangent, tuple geometry, int n, bint last):
    cdef TensorBase g = <TensorBase>cotangent, gx, dense
    cdef View* t[2]
    cdef Columns columns
    cdef Param p[GEOMETRY]
    whole_numbers(geometry, GEOMETRY, p)
    gx = pooled(g, n, p + SIZE, g.view.dtype)
    if last and is_float(g.view.dtype):
        dense = packed_last(g)
        t[0], t[1] = column_view(&columns, 0, channels_innermost(gx)), column_view(&columns, 1, dense)
        launch(AVG_LAST_BACKWARD, g.view.dtype, g.device, 1, 2, t, p, gx.view.numel)
    else:
        dense = contiguous(g)
        t[0], t[1] = &gx.view, &dense.view
        launch(op, g.view.dtype, g.device, 1, 2, t, p, gx.view.numel)
    record(op, gx, (g,), None, (geometry, n, last))
    return gx

cdef object avg_pool_vjp(Node node, object g):
    return windows_backward(AVG_POOL_BACKWARD[node.extra[1] - 1], g, <tuple>node.extra[0], node.extra[1], node.extra[2])

cdef tuple AVG_POOL = (joint(define("avg_pool1d", avg_pool_vjp, 0, 0, "avg_pool", "SqueezeBackward1")),
                       joint(define("avg_pool2d", avg_pool_vjp, 0, 0, "avg_pool", "AvgPool2DBackward0")),
                       joint(define("avg_pool3d", avg_pool_vjp, 0, 0, "avg_pool", "AvgPool3DBackward0")))

cdef object avg_pool(int n, object input, object kernel_size, object stride, object padding, bint ceil_mode,
                     bint count_include_pad, object divisor_override):
    cdef Op op = AVG_POOL[n - 1]
    cdef TensorBase x = as_tensor(input, op.name)
    cdef Param p[GEOMETRY]
    read_window(op.name, x, n, kernel_size, stride, padding, 1, ceil_mode, p)
    if n == 3 and not (p[0].i <= p[SIZE].i and p[1].i <= p[SIZE + 1].i and p[2].i <= p[SIZE + 2].i):     # PyTorch's rule
        raise RuntimeError(f"[{op.name}] input image of shape {x.shape_tuple()} smaller than kernel size {kernel_size}")
    if divisor_override is not None and divisor_override == 0:
        raise RuntimeError(f"[{op.name}] divisor_override must be not zero")
    p[FLAGS].i, p[FLAGS + 1].i = count_include_pad, 0 if divisor_override is None else divisor_override
    return avg_forward(op, x, n, p)


def avg_pool1d(input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
    """Return the mean of each window over the last dimension of (N, C, L) or (C, L).

    With ``count_include_pad`` the zeros of the padding count as values.

    >>> import taeda
    >>> taeda.avg_pool1d(taeda.tensor([[1., 3., 2., 0.]]), 2)
    tensor([[2., 1.]])
    """
    return avg_pool(1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


def avg_pool2d(input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True,
               divisor_override=None, *, out=None):
    """Return the mean of each window over the last two dimensions of (N, C, H, W) or (C, H, W).

    With ``count_include_pad`` the zeros of the padding count as values; ``divisor_override``, if given,
    divides the sums in place of the window's size.

    >>> import taeda
    >>> from taeda import ops
    >>> ops.avg_pool2d(taeda.arange(16.).reshape(1, 4, 4), 2)
    tensor([[[ 2.5000,  4.5000],
             [10.5000, 12.5000]]])
    """
    y = avg_pool(2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)
    return y if out is None else write_out(out, y, "avg_pool2d")


def avg_pool3d(input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True,
               divisor_override=None, *, out=None):
    """Return the mean of each window over the last three dimensions of (N, C, D, H, W) or (C, D, H, W).

    Otherwise as :func:`avg_pool2d`.

    >>> import taeda
    >>> from taeda import ops
    >>> ops.avg_pool3d(taeda.arange(8.).reshape(1, 2, 2, 2), 2)
    tensor([[[[3.5000]]]])
    """
    y = avg_pool(3, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)
    return y if out is None else write_out(out, y, "avg_pool3d")


# -- adaptive ----------------------------------------------------------------------------------------

cdef int read_adaptive(str op, TensorBase x, int n, object output_size, int first, Param* p) except -1:
    """Sizes of the result: ints, or None for the input's own."""
    cdef int d
    cdef list sizes = list(output_size) if isinstance(output_size, (tuple, list)) else [output_size] * n
    check_input(op, x, n, first)
    if len(sizes) != n:
        raise RuntimeError(f"[{op}] output_size must be {n} {'int' if n == 1 else 'ints'}, got {tuple(sizes)}")
    for d in range(GEOMETRY):
        p[d].i = 1
    for d in range(3 - n, 3):
        p[SIZE + d].i = x.view.shape[x.view.ndim - 3 + d]
        size = sizes[d - (3 - n)]
        if size is None:
            p[OUT + d].i = p[SIZE + d].i
            continue
        if not PyIndex_Check(size) or PyBool_Check(size):
            raise TypeError(f"[{op}] argument 'output_size' must be tuple of ints, not {type(size).__name__}")
        p[OUT + d].i = size if type(size) is int else as_index(op, size)
        if p[OUT + d].i < 0:
            raise RuntimeError(f"[{op}] elements of output_size must be greater than or equal to 0, got {tuple(sizes)}")
        if p[OUT + d].i >= 1 << 31:
            raise RuntimeError(f"[{op}] an output_size of 2^31 or more is not supported, got {tuple(sizes)}")
    return 0

cdef TensorBase adaptive_forward(Op op, TensorBase x, int n, Param* p):
    return windows_forward(op, x, n, p, lies_last(x, n) and (n == 2 or is_global(p)), True)

cdef object adaptive_avg_backward_vjp(Node node, object g):
    cdef Param p[GEOMETRY]
    whole_numbers(<tuple>node.extra[0], GEOMETRY, p)
    return adaptive_forward(averaging(node.extra[1], p), <TensorBase>g, node.extra[1], p)

cdef tuple ADAPTIVE_AVG_BACKWARD = tuple([
    linear(define("adaptive_avg_pool_backward", adaptive_avg_backward_vjp, 0, 0, None, f"AdaptiveAvgPool{n}DBackwardBackward0"))
    for n in (2, 2, 3)])

cdef object adaptive_avg_vjp(Node node, object g):
    return windows_backward(ADAPTIVE_AVG_BACKWARD[node.extra[1] - 1], g, <tuple>node.extra[0], node.extra[1], node.extra[2])

cdef tuple ADAPTIVE_AVG = tuple([
    joint(linear(define(f"adaptive_avg_pool{n}d", adaptive_avg_vjp, 0, 0, "adaptive_avg_pool",
                        "SqueezeBackward1" if n == 1 else f"AdaptiveAvgPool{n}DBackward0"))) for n in (1, 2, 3)])
cdef tuple GLOBAL_AVG = tuple([                     # means, as in PyTorch
    linear(define(f"adaptive_avg_pool{n}d", adaptive_avg_vjp, 0, 0, "mean", "SqueezeBackward1" if n == 1 else "MeanBackward1"))
    for n in (1, 2, 3)])
cdef tuple ADAPTIVE_MAX = tuple([
    joint(define(f"adaptive_max_pool{n}d", max_pool_vjp, 0, 0, "adaptive_max_pool",
                 "SqueezeBackward1" if n == 1 else f"AdaptiveMaxPool{n}DBackward0")) for n in (1, 2, 3)])

cdef Op averaging(int n, const Param* p):
    return (GLOBAL_AVG if is_global(p) else ADAPTIVE_AVG)[n - 1]

cdef object adaptive_avg(int n, object input, object output_size):
    cdef str name = (<Op>ADAPTIVE_AVG[n - 1]).name
    cdef TensorBase x = as_tensor(input, name)
    cdef Param p[GEOMETRY]
    read_adaptive(name, x, n, output_size, x.view.ndim - n, p)
    return adaptive_forward(averaging(n, p), x, n, p)

cdef object adaptive_max(int n, object input, object output_size, bint return_indices):
    cdef Op op = ADAPTIVE_MAX[n - 1]
    cdef TensorBase x = as_tensor(input, op.name)
    cdef Param p[GEOMETRY]
    cdef bint last = n == 2 and lies_last(x, n)
    read_adaptive(op.name, x, n, output_size, 1, p)
    y, at = maxima(op, x, n, p, last, True, True)
    record(op, y, (x,), (at,), (x.shape_tuple(), n, pack(p) if last else None))
    return (y, at) if return_indices else y


def adaptive_avg_pool1d(input, output_size):
    """Return ``output_size`` means over the last dimension of (N, C, L) or (C, L).

    Window i is [floor(i L / n), ceil((i + 1) L / n)) for n = output_size.

    >>> import taeda
    >>> taeda.adaptive_avg_pool1d(taeda.tensor([[1., 3., 2., 0., 4.]]), 2)
    tensor([[2., 2.]])
    """
    return adaptive_avg(1, input, output_size)


def adaptive_avg_pool2d(input, output_size):
    """Return (h, w) means over the last two dimensions of (N, C, H, W) or (C, H, W).

    output_size is one int, or a pair in which None keeps the input's size; windows are those of
    :func:`adaptive_avg_pool1d` in each direction.

    >>> import taeda
    >>> from taeda import ops
    >>> ops.adaptive_avg_pool2d(taeda.arange(16.).reshape(1, 4, 4), (1, None))
    tensor([[[6., 7., 8., 9.]]])
    """
    return adaptive_avg(2, input, output_size)


def adaptive_avg_pool3d(input, output_size):
    """Return (d, h, w) means over the last three dimensions of (N, C, D, H, W) or (C, D, H, W).

    output_size is one int, or a triple in which None keeps the input's size; windows are those of
    :func:`adaptive_avg_pool1d` in each direction.

    >>> import taeda
    >>> from taeda import ops
    >>> ops.adaptive_avg_pool3d(taeda.arange(8.).reshape(1, 2, 2, 2), (1, 1, None))
    tensor([[[[3., 4.]]]])
    """
    return adaptive_avg(3, input, output_size)


def adaptive_max_pool1d(input, output_size, return_indices=False):
    """Return ``output_size`` maxima over the last dimension of (N, C, L) or (C, L).

    Windows are those of :func:`adaptive_avg_pool1d`; positions are returned too if wanted.

    >>> import taeda
    >>> from taeda import ops
    >>> ops.adaptive_max_pool1d(taeda.tensor([[1., 3., 2., 0., 4.]]), 2, return_indices=True)
    (tensor([[3., 4.]]), tensor([[1, 4]]))
    """
    return adaptive_max(1, input, output_size, return_indices)


def adaptive_max_pool2d(input, output_size, return_indices=False):
    """Return (h, w) maxima over the last two dimensions of (N, C, H, W) or (C, H, W).

    Windows are those of :func:`adaptive_avg_pool2d`; positions, if wanted, are h W + w.

    >>> import taeda
    >>> from taeda import ops
    >>> ops.adaptive_max_pool2d(taeda.arange(16.).reshape(1, 4, 4), 1)
    tensor([[[15.]]])
    """
    return adaptive_max(2, input, output_size, return_indices)


def adaptive_max_pool3d(input, output_size, return_indices=False):
    """Return (d, h, w) maxima over the last three dimensions of (N, C, D, H, W) or (C, D, H, W).

    Windows are those of :func:`adaptive_avg_pool3d`; positions, if wanted, are (d H + h) W + w.

    >>> import taeda
    >>> from taeda import ops
    >>> ops.adaptive_max_pool3d(taeda.arange(8.).reshape(1, 2, 2, 2), 1)
    tensor([[[[7.]]]])
    """
    return adaptive_max(3, input, output_size, return_indices)
