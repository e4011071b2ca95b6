# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Padding with a constant, a reflection, the edge, or the other end; negative amounts crop."""
from libc.stdint cimport int64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport Op, as_tensor, contiguous, define, empty_shape, held_scalar, launch, linear, record
from taeda.kernels.cpu.abi cimport MAX_DIM, Param, View
from taeda.tensor_base cimport TensorBase

from taeda.ops.channels_last cimport channels_as_columns, channels_innermost, lies_channels_last, without_gaps

__all__ = ["pad", "constant_pad_nd"]
PUBLIC = ("constant_pad_nd",)
METHODS = {}

cdef enum:
    CONSTANT = 0
    REFLECT = 1
    REPLICATE = 2
    CIRCULAR = 3


ctypedef struct Rows:              # result and input as row-major views: images whose channels lie innermost are (N, H, W, C)
    View y, x
    int64_t room[4 * MAX_DIM]
    bint last


cdef inline TensorBase lay_out(Rows* rows, TensorBase y, TensorBase x, int mode):
    """Describe x, and fresh y in the same memory order (PyTorch's circular mode gives row-major results); return what x became."""
    rows.last = mode != CIRCULAR and lies_channels_last(x)
    if rows.last:
        x = without_gaps(x)
        channels_innermost(y)
        rows.y, rows.x = channels_as_columns(&y.view, rows.room), channels_as_columns(&x.view, rows.room + 2 * MAX_DIM)
    else:
        x = contiguous(x)
        rows.y, rows.x = y.view, x.view
    return x


cdef inline int set_lefts(Param* p, const Rows* rows, tuple lefts) except -1:
    """What stands before each dimension of the views."""
    cdef int k, n = rows.x.ndim
    for k in range(n):
        p[k].i = lefts[k if not rows.last or k == 0 else 1 if k == n - 1 else k + 1]
    return 0


cdef TensorBase padded(Op op, TensorBase x, tuple lefts, tuple shape, int mode, object value):
    """x with lefts[d] positions before dimension d, and of the shape given."""
    cdef TensorBase y = empty_shape(shape, x.view.dtype, x.device), fill, z
    cdef View* t[3]
    cdef Rows rows
    cdef Param p[MAX_DIM + 1]
    z = lay_out(&rows, y, x, mode)
    p[0].i = mode
    set_lefts(p + (mode != CONSTANT), &rows, lefts)
    t[0], t[1] = &rows.y, &rows.x
    if y.view.numel and y.view.ndim:
        if mode == CONSTANT:
            fill = held_scalar(value, x.view.dtype, x.device)
            t[2] = &fill.view
        launch(op, x.view.dtype, x.device, 1, 3 if mode == CONSTANT else 2, t, p, y.view.numel)
    elif y.view.numel:
        (<object>y).copy_(z)
    record(op, y, (x,), None, (mode, lefts, x.shape_tuple()))
    return y


# pad_backward: gx[table] += g; its derivative pads again
cdef object pad_backward_vjp(Node n, object g):
    mode, lefts, shape = n.extra
    return padded(OPS[mode, 1], <TensorBase>g, lefts, shape, mode, 0)

cdef Op PAD_BACKWARD = linear(define("pad_backward", pad_backward_vjp))

cdef object pad_vjp(Node n, object cotangent):
    cdef TensorBase g = <TensorBase>cotangent, gx, source
    cdef View* t[2]
    cdef Rows rows
    cdef Param p[MAX_DIM + 1]
    mode, lefts, shape = n.extra
    if mode == CONSTANT:                        # the transpose is to crop
        return padded(OPS[CONSTANT, 1], g, tuple([-left for left in lefts]), shape, CONSTANT, 0)
    gx = empty_shape(shape, g.view.dtype, g.device)
    source = lay_out(&rows, gx, g, mode)
    p[0].i = mode
    set_lefts(p + 1, &rows, lefts)
    t[0], t[1] = &rows.y, &rows.x
    if gx.view.numel:
        launch(PAD_BACKWARD, g.view.dtype, g.device, 1, 2, t, p, g.view.numel)
    record(PAD_BACKWARD, gx, (g,), None, (mode, lefts, source.shape_tuple()))
    return gx

# (mode, how many dimensions are padded) -> op
cdef dict OPS = {(CONSTANT, 1): define("constant_pad_nd", pad_vjp, 0, 0, "constant_pad")}
for _n in (1, 2, 3):
    OPS[REFLECT, _n] = linear(define(f"reflection_pad{_n}d", pad_vjp, 0, 0, "pad", f"ReflectionPad{_n}DBackward0"))
    OPS[REPLICATE, _n] = linear(define(f"replication_pad{_n}d", pad_vjp, 0, 0, "pad", f"ReplicationPad{_n}DBackward0"))
    OPS[CIRCULAR, _n] = linear(define(f"circular_pad{_n}d", pad_vjp, 0, 0, "pad", "CopySlices"))


cdef tuple read_pad(str op, TensorBase x, object pad):
    """(amounts before, amounts after) each dimension, from pairs that begin with the last one."""
    cdef list before = [0] * x.view.ndim, after = [0] * x.view.ndim, amounts
    cdef int i, d
    if not isinstance(pad, (tuple, list)):
        raise TypeError(f"[{op}] argument 'pad' must be tuple of ints, not {type(pad).__name__}")
    amounts = []
    for a in pad:
        if not hasattr(a, "__index__"):
            raise TypeError(f"[{op}] argument 'pad' must be tuple of ints, but found element of type {type(a).__name__}")
        amounts.append(a.__index__())
    if len(amounts) % 2:
        raise RuntimeError(f"[{op}] Padding length must be divisible by 2, got pad={tuple(amounts)}")
    if len(amounts) > 2 * x.view.ndim:
        raise RuntimeError(f"[{op}] Padding length should be less than or equal to two times the input dimension but got "
                           f"padding length {len(amounts)} and input of dimension {x.view.ndim}")
    for i in range(len(amounts) // 2):
        d = x.view.ndim - 1 - i
        before[d], after[d] = amounts[2 * i], amounts[2 * i + 1]
    return tuple(before), tuple(after)


cdef tuple padded_shape(str op, TensorBase x, tuple before, tuple after, int mode):
    cdef list shape = []
    cdef int d
    for d in range(x.view.ndim):
        size = x.view.shape[d] + before[d] + after[d]
        left = x.view.shape[d] + min(before[d], 0), x.view.shape[d] + min(after[d], 0)
        if size < 0 or (mode == CONSTANT and min(left) < 0):
            raise RuntimeError(f"[{op}] padding ({before[d]}, {after[d]}) leaves a negative size at dimension {d} of input of "
                               f"shape {x.shape_tuple()}; it can crop all elements, not more")
        shape.append(size)
    return tuple(shape)


def constant_pad_nd(input, pad, value=0):
    """Pad with a constant; see :func:`taeda.ops.pad`.

    >>> import taeda
    >>> taeda.constant_pad_nd(taeda.tensor([1, 2]), (1, 2), 7)
    tensor([7, 1, 2, 7, 7])
    """
    cdef TensorBase x = as_tensor(input, "pad")
    before, after = read_pad("pad", x, pad)
    return padded(<Op>OPS[CONSTANT, 1], x, before, padded_shape("pad", x, before, after, CONSTANT), CONSTANT, value)


def pad(input, pad, mode="constant", value=None):
    """Put elements before and after the last dimensions, or take them away.

    Args:
        input: any tensor; for the modes other than 'constant', (C, ...) or (N, C, ...) with one, two or
            three padded dimensions behind, all of them named by ``pad``.
        pad: pairs (before, after), the last dimension's first; negative amounts crop.
        mode: 'constant', 'reflect' (around the edge element), 'replicate' (the edge element) or 'circular'
            (from the other end).
        value: what 'constant' puts in, 0 by default.

    >>> import taeda
    >>> from taeda import ops
    >>> ops.pad(taeda.tensor([[1, 2, 3]]), (1, 1))
    tensor([[0, 1, 2, 3, 0]])
    >>> ops.pad(taeda.tensor([[1, 2, 3]]), (2, 1), mode="reflect")
    tensor([[3, 2, 1, 2, 3, 2]])
    """
    cdef TensorBase x = as_tensor(input, "pad")
    cdef int code, n, d
    cdef tuple before, after, shape
    if mode == "constant":
        return constant_pad_nd(input, pad, 0 if value is None else value)
    if isinstance(pad, (tuple, list)):
        for amount in pad:
            if not hasattr(amount, "__index__"):
                raise TypeError(f"[pad] argument 'pad' must be tuple of ints, but found element of type {type(amount).__name__}")
    if mode not in ("reflect", "replicate", "circular"):
        raise NotImplementedError(f"[pad] Unrecognised padding mode {mode}; use 'constant', 'reflect', 'replicate' or "
                                  "'circular'")
    if value is not None and value != 0:
        raise RuntimeError(f'[pad] Padding mode "{mode}" doesn\'t take in value argument, got {value}')
    code = REFLECT if mode == "reflect" else REPLICATE if mode == "replicate" else CIRCULAR
    before, after = read_pad("pad", x, pad)
    n = len(pad) // 2
    if not 1 <= n <= 3 or x.view.ndim not in (n + 1, n + 2):
        raise NotImplementedError(f"[pad] Padding size {len(pad)} is not supported for {x.view.ndim}D input tensor of shape "
                                  f"{x.shape_tuple()}: mode '{mode}' pads the last 1, 2 or 3 dimensions of an input with one "
                                  "or two more")
    shape = padded_shape("pad", x, before, after, code)
    if code != CIRCULAR and 0 in x.shape_tuple()[x.view.ndim - n - 1:]:
        raise RuntimeError(f"[pad] Expected {n + 1}D or {n + 2}D (batch mode) tensor with possibly 0 batch size and other non-zero "
                           f"dimensions for input, but got: {list(x.shape_tuple())}")
    for d in range(x.view.ndim - n, x.view.ndim):
        most = max(before[d], after[d])
        if code == REFLECT and most >= x.view.shape[d]:
            raise RuntimeError(f"[pad] Padding size should be less than the corresponding input dimension, but got: padding "
                               f"({before[d]}, {after[d]}) at dimension {d} of input {list(x.shape_tuple())}")
        if code == CIRCULAR and most > x.view.shape[d]:
            raise RuntimeError(f"[pad] Padding value causes wrapping around more than once: padding ({before[d]}, {after[d]}) "
                               f"at dimension {d} of input {list(x.shape_tuple())}")
        kept = x.view.shape[d] + min(before[d], 0) + min(after[d], 0) if code == CIRCULAR else x.view.shape[d]
        if kept < 1 and 0 not in shape:
            raise RuntimeError(f"[pad] mode '{mode}' has nothing to take values from at dimension {d} of input "
                               f"{list(x.shape_tuple())} with padding ({before[d]}, {after[d]})")
    if code != CIRCULAR and max(shape[x.view.ndim - n:]) < 1:
        raise RuntimeError(f"[pad] input of shape {list(x.shape_tuple())} is too small: the output would be {list(shape)}")
    return padded(<Op>OPS[code, n], x, before, shape, code, 0)
