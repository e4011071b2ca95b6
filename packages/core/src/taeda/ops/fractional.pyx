# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Fractional max pooling in two and three dimensions: windows at pseudo-random places (Graham 2015)."""
from cpython.number cimport PyIndex_Check
from libc.stdint cimport int64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport Op, as_tensor, check_same_device, contiguous, define, empty, empty_shape, joint, launch, record
from taeda.dtype cimport is_float, name_of, torch_name
from taeda.kernels.cpu.abi cimport F32, F64, I64, Param, View
from taeda.tensor_base cimport CPU, TensorBase

from taeda.dtype import int64
from taeda.operands import as_index
from taeda.ops.creation import full
from taeda.ops.join import cat
from taeda.ops.random import rand
from taeda.ops.sequences import arange

__all__ = ["fractional_max_pool2d", "fractional_max_pool3d"]
PUBLIC = ()
METHODS = {}

cdef tuple SIDES = ("time", "height", "width")

# gx[at] += g, plane by plane; its derivative gathers
cdef object pool_backward_vjp(Node n, object g):
    cdef TensorBase at = n.load(0)
    return g.flatten(-<int>n.extra).gather(-1, (<object>at).flatten(-<int>n.extra)).reshape(at.shape_tuple())

cdef Op BACKWARD_2D = define("fractional_max_pool2d_backward", pool_backward_vjp, 0, 0, "max_pool_backward",
                             "FractionalMaxPool2DBackwardBackward0")
cdef Op BACKWARD_3D = define("fractional_max_pool3d_backward", pool_backward_vjp, 0, 0, "max_pool_backward",
                             "FractionalMaxPool3DBackwardBackward0")

cdef object pool_vjp(Node n, object cotangent):
    cdef TensorBase g = contiguous(<TensorBase>cotangent), at = n.load(0), gx
    cdef View* t[3]
    cdef Param p[2]
    cdef int d, spatial = n.extra[1]
    cdef Op op = BACKWARD_2D if spatial == 2 else BACKWARD_3D
    gx = empty_shape(n.extra[0], g.view.dtype, g.device)
    p[0].i = p[1].i = 1
    for d in range(1, spatial + 1):
        p[0].i *= gx.view.shape[gx.view.ndim - d]
        p[1].i *= g.view.shape[g.view.ndim - d]
    t[0], t[1], t[2] = &gx.view, &g.view, &at.view
    if g.view.numel:
        launch(op, g.view.dtype, g.device, 1, 3, t, p, gx.view.numel)
    else:
        (<object>gx).zero_()
    record(op, gx, (g,), (at,), spatial)
    return gx

cdef Op POOL_2D = joint(define("fractional_max_pool2d", pool_vjp, 0, 0, "fractional_max_pool", "FractionalMaxPool2DBackward0"))
cdef Op POOL_3D = joint(define("fractional_max_pool3d", pool_vjp, 0, 0, "fractional_max_pool", "FractionalMaxPool3DBackward0"))


cdef tuple one_each(str op, str name, object value, int n):
    """An int, or n ints."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,) * n
    if len(values) != n:
        raise RuntimeError(f"[{op}] {name} must either be a single Int or tuple of {n} Ints, got {value}")
    for v in values:
        if not PyIndex_Check(v):
            raise TypeError(f"[{op}] argument '{name}' must be tuple of ints, but found element of type {type(v).__name__}")
    return tuple([v if type(v) is int else as_index(op, v) for v in values])


cdef object draws(str op, TensorBase x, int n, object samples):
    """One number in [0, 1) a channel and dimension: (N, C, n)."""
    cdef int64_t N = x.view.shape[0] if x.view.ndim == n + 2 else 1, C = x.view.shape[x.view.ndim - n - 1]
    cdef TensorBase u
    if samples is None:
        return rand(N, C, n, dtype=(<object>x).dtype, device=(<object>x).device)
    u = as_tensor(samples, op)
    check_same_device(op, (x, u))
    if u.view.dtype != x.view.dtype:
        raise RuntimeError(f"[{op}] Expect _random_samples to have the same dtype as input, got {name_of(u.view.dtype)} and "
                           f"{name_of(x.view.dtype)}")
    if u.view.ndim != 3 or u.view.shape[0] < N or u.view.shape[1] != C or u.view.shape[2] != n:
        raise RuntimeError(f"[{op}] Expect _random_samples to have shape {(N, C, n)}, got {u.shape_tuple()}, for input of shape "
                           f"{x.shape_tuple()}")
    return (<object>u)[:N].detach()


ctypedef fused real:
    float
    double


cdef void starts_of(real* u, int64_t* at, int64_t channels, int n, tuple sizes, tuple kernel, tuple out):
    """``window_starts`` of draws in a row, written to ``at``."""
    cdef int64_t room[3]
    cdef int64_t count[3]
    cdef int64_t c, i
    cdef int d
    cdef real draw, step
    for d in range(n):
        room[d], count[d] = <int64_t>sizes[d] - <int64_t>kernel[d], out[d]
    for c in range(channels):
        for d in range(n):
            if count[d] > 1:
                draw, step = u[c * n + (d if n == 3 else 1 - d)], <real>room[d] / <real>(count[d] - 1)
                for i in range(count[d] - 1):                    # of draws that are none in [0, 1), inside all the same
                    at[i] = max(min(<int64_t>((<real>i + draw) * step) - <int64_t>(draw * step), room[d]), <int64_t>0)
                at += count[d] - 1
            if count[d] > 0:
                at[0] = room[d]
                at += 1


cdef TensorBase window_starts(object u, tuple sizes, tuple kernel, tuple out):
    """Where each channel's windows start, along one dimension after another: (N, C, sum of out).

    Window i < out - 1 starts at floor((i + u) a) - floor(u a) with a = (size - kernel) / (out - 1), and the last one at
    size - kernel: all in the draws' dtype, so that windows of narrow ones lie where PyTorch's do.
    """
    cdef list parts = []
    cdef int d, n = len(sizes)
    cdef TensorBase row, made
    cdef int64_t shape[3]
    if (<TensorBase>u).device == CPU and ((<TensorBase>u).view.dtype == F32 or (<TensorBase>u).view.dtype == F64):
        row = contiguous(<TensorBase>u)
        shape[0], shape[1], shape[2] = row.view.shape[0], row.view.shape[1], sum(out)
        made = empty(3, shape, I64, CPU)
        if made.view.numel and row.view.dtype == F32:
            starts_of(<float*>row.view.data, <int64_t*>made.view.data, shape[0] * shape[1], n, sizes, kernel, out)
        elif made.view.numel:
            starts_of(<double*>row.view.data, <int64_t*>made.view.data, shape[0] * shape[1], n, sizes, kernel, out)
        return made
    for d in range(n):
        room = sizes[d] - kernel[d]
        if out[d] > 1:
            draw = u.select(-1, d if n == 3 else 1 - d).unsqueeze(-1)              # an image's are for width, height
            step = full((), room, dtype=u.dtype, device=u.device) / full((), out[d] - 1, dtype=u.dtype, device=u.device)
            begins = ((arange(out[d] - 1, dtype=u.dtype, device=u.device) + draw) * step).long() - (draw * step).long()
            parts.append(begins.clamp(0, room))
        parts.append(full((*u.shape[:2], min(out[d], 1)), room, dtype=int64, device=u.device))
    return cat(parts, -1)


cdef object fractional(Op op, object input, int n, object kernel_size, object output_size, object samples):
    """The maxima and their places; windows are ``kernel_size``, and begin where ``samples`` say."""
    cdef TensorBase x = as_tensor(input, op.name), y, at, starts
    cdef View* t[4]
    cdef Param p[4]
    cdef int d
    kernel, out = one_each(op.name, "kernel_size", kernel_size, n), one_each(op.name, "output_size", output_size, n)
    if x.view.ndim != n + 1 and x.view.ndim != n + 2:
        raise IndexError(f"[{op.name}] Expected {n + 1}D or {n + 2}D tensor, but got shape {x.shape_tuple()}")
    if not is_float(x.view.dtype):
        raise NotImplementedError(f"[{op.name}] not implemented for '{torch_name(x.view.dtype)}'; it takes floating point tensors")
    for d in range(1, x.view.ndim):
        if x.view.shape[d] == 0:
            raise RuntimeError(f"[{op.name}] Expected input to have non-zero size for non-batch dimensions, but got "
                               f"{x.shape_tuple()} with dimension {d} being empty.")
    u = draws(op.name, x, n, samples)
    p[0].i, p[1].i = n, 1
    for d in range(n):
        size = x.view.shape[x.view.ndim - n + d]
        # PyTorch wants one place more in volumes than in images
        if kernel[d] < 0 or out[d] < 0 or out[d] + kernel[d] - 1 > size - (n == 3):
            raise RuntimeError(f"[{op.name}] pool {SIDES[3 - n + d]} {kernel[d]} too large relative to input {SIDES[3 - n + d]} {size}, "
                               f"for input of shape {x.shape_tuple()} and output size {out}")
        p[4 - n + d].i = kernel[d]
    starts = window_starts(u, x.shape_tuple()[x.view.ndim - n:], kernel, out)
    x = contiguous(x)
    shape = x.shape_tuple()[:x.view.ndim - n] + out
    y, at = empty_shape(shape, x.view.dtype, x.device), empty_shape(shape, I64, x.device)
    t[0], t[1], t[2], t[3] = &y.view, &at.view, &x.view, &starts.view
    if y.view.numel:
        launch(op, x.view.dtype, x.device, 2, 4, t, p, x.view.numel)
    record(op, y, (x,), (at,), (x.shape_tuple(), n))
    return y, at


def fractional_max_pool2d(input, kernel_size, output_size, _random_samples=None):
    """Return the largest values, and their places, of windows at pseudo-random places of (N, C, H, W) or (C, H, W).

    Window i of n along a side of size s starts at floor((i + u) a) - floor(u a) with a = (s - kernel) / (n - 1), and the
    last one at s - kernel; u is drawn from [0, 1) for each channel and side.

    Args:
        kernel_size, output_size: ints, or pairs (height, width).
        _random_samples: the draws u, (N, C, 2) for width and height, in place of new ones.

    Raises RuntimeError where the windows do not fit. Source: Graham 2015, https://arxiv.org/abs/1412.6071.

    >>> import taeda
    >>> from taeda import ops
    >>> ops.fractional_max_pool2d(taeda.arange(9.).reshape(1, 3, 3), 2, 1)
    (tensor([[[8.]]]), tensor([[[8]]]))
    """
    return fractional(POOL_2D, input, 2, kernel_size, output_size, _random_samples)


def fractional_max_pool3d(input, kernel_size, output_size, _random_samples=None):
    """Return the largest values, and their places, of windows at pseudo-random places of (N, C, D, H, W) or (C, D, H, W).

    Sizes are ints or triples (depth, height, width), ``_random_samples`` (N, C, 3) for depth, height and width; otherwise
    as :func:`fractional_max_pool2d`.

    >>> import taeda
    >>> from taeda import ops
    >>> ops.fractional_max_pool3d(taeda.arange(27.).reshape(1, 3, 3, 3), 2, 1)[0]
    tensor([[[[26.]]]])
    """
    return fractional(POOL_3D, input, 3, kernel_size, output_size, _random_samples)
