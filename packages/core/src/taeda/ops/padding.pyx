# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Padding with a constant, a reflection, the edge, or the other end; negative amounts crop."""
from cpython.number cimport PyIndex_Check
from libc.stdint cimport int64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport Op, as_tensor, contiguous, define, empty, empty_shape, held_scalar, joint, launch, linear, needs_grad, record
from taeda.kernels.cpu.abi cimport MAX_DIM, Param, View
from taeda.operands cimport plain_number
from taeda.tensor_base cimport TensorBase

from taeda.ops.channels_last cimport channels_as_columns, channels_innermost, lies_channels_last, without_gaps

from taeda.operands import as_index

__all__ = ["pad", "constant_pad_nd"]
PUBLIC = ("constant_pad_nd",)
METHODS = {}

cdef enum:
    CONSTANT = 0
    REFLECT = 1
    REPLICATE = 2
    CIRCULAR = 3

cdef int64_t MOST = 1 << 60        # so that a size and two amounts have an int64 sum


ctypedef struct Amounts:           # of each dimension: what is put before and after it, and the result's size
    int64_t before[MAX_DIM]
    int64_t after[MAX_DIM]
    int64_t shape[MAX_DIM]


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


cdef inline void set_lefts(Param* p, const Rows* rows, const int64_t* lefts) noexcept:
    """What stands before each dimension of the views."""
    cdef int k, n = rows.x.ndim
    for k in range(n):
        p[k].i = lefts[k if not rows.last or k == 0 else 1 if k == n - 1 else k + 1]


cdef inline void read_sizes(tuple numbers, int64_t* sizes) except *:
    cdef int i
    for i in range(len(numbers)):
        sizes[i] = numbers[i]


cdef TensorBase padded(Op op, TensorBase x, const int64_t* lefts, const int64_t* shape, int mode, object value):
    """x with lefts[d] positions before dimension d, and of the shape given."""
    cdef TensorBase y = empty(x.view.ndim, shape, x.view.dtype, x.device), fill, z
    cdef View* t[3]
    cdef Rows rows
    cdef Param p[MAX_DIM + 1]
    cdef int d
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
    if needs_grad(x):
        record(op, y, (x,), None, (mode, tuple([lefts[d] for d in range(x.view.ndim)]), x.shape_tuple()))
    return y


# pad_backward: gx[table] += g; its derivative pads again
cdef object pad_backward_vjp(Node n, object g):
    cdef int64_t before[MAX_DIM]
    cdef int64_t sizes[MAX_DIM]
    mode, lefts, shape = n.extra
    read_sizes(lefts, before)
    read_sizes(shape, sizes)
    return padded(<Op>OPS[mode][1], <TensorBase>g, before, sizes, mode, 0)

cdef Op PAD_BACKWARD = linear(define("pad_backward", pad_backward_vjp))

cdef object pad_vjp(Node n, object cotangent):
    cdef TensorBase g = <TensorBase>cotangent, gx, source
    cdef View* t[2]
    cdef Rows rows
    cdef Param p[MAX_DIM + 1]
    cdef int64_t before[MAX_DIM]
    cdef int64_t sizes[MAX_DIM]
    cdef int d
    mode, lefts, shape = n.extra
    read_sizes(lefts, before)
    if mode == CONSTANT:                        # the transpose is to crop
        read_sizes(shape, sizes)
        for d in range(len(lefts)):
            before[d] = -before[d]
        return padded(<Op>OPS[CONSTANT][1], g, before, sizes, CONSTANT, 0)
    gx = empty_shape(shape, g.view.dtype, g.device)
    source = lay_out(&rows, gx, g, mode)
    p[0].i = mode
    set_lefts(p + 1, &rows, before)
    t[0], t[1] = &rows.y, &rows.x
    if gx.view.numel:
        launch(PAD_BACKWARD, g.view.dtype, g.device, 1, 2, t, p, g.view.numel)
    record(PAD_BACKWARD, gx, (g,), None, (mode, lefts, source.shape_tuple()))
    return gx

# OPS[mode][how many dimensions are padded]
cdef list OPS = [[None, define("constant_pad_nd", pad_vjp, 0, 0, "constant_pad")], [None], [None], [None]]
for _n in (1, 2, 3):
    OPS[REFLECT].append(joint(linear(define(f"reflection_pad{_n}d", pad_vjp, 0, 0, "pad", f"ReflectionPad{_n}DBackward0"))))
    OPS[REPLICATE].append(joint(linear(define(f"replication_pad{_n}d", pad_vjp, 0, 0, "pad", f"ReplicationPad{_n}DBackward0"))))
    OPS[CIRCULAR].append(linear(define(f"circular_pad{_n}d", pad_vjp, 0, 0, "pad", "CopySlices")))


cdef int read_pad(TensorBase x, object pad, Amounts* a) except -1:
    """Amounts before and after each dimension, from pairs that begin with the last one; return how many numbers there were."""
    cdef int i, d, n
    cdef int64_t amount
    if not isinstance(pad, (tuple, list)):
        raise TypeError(f"[pad] argument 'pad' must be tuple of ints, not {type(pad).__name__}")
    pad = tuple(pad)                                       # a list may change while its numbers are read
    for number in pad:
        if type(number) is not int and (isinstance(number, bool) or not PyIndex_Check(number)):
            raise TypeError(f"[pad] argument 'pad' must be tuple of ints, but found element of type {type(number).__name__}")
    n = len(pad)
    if n % 2:
        raise RuntimeError(f"[pad] Padding length must be divisible by 2, got pad={tuple(pad)}")
    if n > 2 * x.view.ndim:
        raise RuntimeError(f"[pad] Padding length should be less than or equal to two times the input dimension but got "
                           f"padding length {n} and input of dimension {x.view.ndim}")
    for d in range(x.view.ndim - n // 2):
        a.before[d] = a.after[d] = 0
    for i in range(n):
        number = pad[i]
        amount = number if type(number) is int else as_index("pad", number)
        if not -MOST <= amount <= MOST:
            raise RuntimeError(f"[pad] padding {amount} is beyond any tensor's size")
        if i % 2 == 0:
            a.before[x.view.ndim - 1 - i // 2] = amount
        else:
            a.after[x.view.ndim - 1 - i // 2] = amount
    return n


cdef int set_shape(TensorBase x, Amounts* a, int mode) except -1:
    """The shape of the result."""
    cdef int64_t before, after, n
    cdef int d
    for d in range(x.view.ndim):
        before, after, n = a.before[d], a.after[d], x.view.shape[d]
        a.shape[d] = n + before + after
        if a.shape[d] < 0 or (mode == CONSTANT and (n + before < 0 or n + after < 0)):
            raise RuntimeError(f"[pad] padding ({before}, {after}) leaves a negative size at dimension {d} of input of "
                               f"shape {x.shape_tuple()}; it can crop all elements, not more")
    return 0


cdef bint only_crops(TensorBase x, const Amounts* a) noexcept:
    cdef int d
    for d in range(x.view.ndim):
        if a.before[d] > 0 or a.after[d] > 0:
            return False
    return True


cdef object cropped(TensorBase x, const Amounts* a):
    """What is left of x, in the memory order of x, as a clone of that view has it; only what puts elements in makes rows."""
    cdef int d
    part = (<object>x).detach()
    for d in range(x.view.ndim):
        if a.before[d] or a.after[d]:
            part = part.narrow(d, -a.before[d], a.shape[d])
    y = part.clone()
    if needs_grad(x):
        record(<Op>(<list>OPS[CONSTANT])[1], y, (x,), None, (CONSTANT, tuple([a.before[d] for d in range(x.view.ndim)]), x.shape_tuple()))
    return y


def constant_pad_nd(input, pad, value=0):
    """Pad with a constant; see :func:`taeda.ops.pad`.

    >>> import taeda
    >>> taeda.constant_pad_nd(taeda.tensor([1, 2]), (1, 2), 7)
    tensor([7, 1, 2, 7, 7])
    """
    cdef TensorBase x = as_tensor(input, "pad")
    cdef Amounts a
    read_pad(x, pad, &a)
    set_shape(x, &a, CONSTANT)
    if not x.view.contiguous and not lies_channels_last(x) and only_crops(x, &a):
        return cropped(x, &a)
    return padded(<Op>(<list>OPS[CONSTANT])[1], x, a.before, a.shape, CONSTANT, plain_number("pad", "value", value))


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
    cdef int code, n, d, first
    cdef Amounts a
    cdef bint nothing = False
    if mode == "constant":
        if type(value) is int:
            value = float(value)                         # so that -1 does not wrap in unsigned dtypes, as it does in constant_pad_nd
        return constant_pad_nd(input, pad, 0 if value is None else value)
    if isinstance(pad, (tuple, list)):
        for amount in pad:
            if type(amount) is not int and (isinstance(amount, bool) or not PyIndex_Check(amount)):
                raise TypeError(f"[pad] argument 'pad' must be tuple of ints, but found element of type {type(amount).__name__}")
    code = REFLECT if mode == "reflect" else REPLICATE if mode == "replicate" else CIRCULAR if mode == "circular" else CONSTANT
    if code == CONSTANT:
        raise NotImplementedError(f"[pad] Unrecognised padding mode {mode}; use 'constant', 'reflect', 'replicate' or "
                                  "'circular'")
    if value is not None and value != 0:
        raise RuntimeError(f'[pad] Padding mode "{mode}" doesn\'t take in value argument, got {value}')
    n = read_pad(x, pad, &a) // 2
    first = x.view.ndim - n
    if not 1 <= n <= 3 or not 1 <= first <= 2:
        raise NotImplementedError(f"[pad] Padding size {len(pad)} is not supported for {x.view.ndim}D input tensor of shape "
                                  f"{x.shape_tuple()}: mode '{mode}' pads the last 1, 2 or 3 dimensions of an input with one "
                                  "or two more")
    set_shape(x, &a, code)
    for d in range(first - 1, x.view.ndim):
        nothing = nothing or x.view.shape[d] == 0
    if code != CIRCULAR and nothing:
        raise RuntimeError(f"[pad] Expected {n + 1}D or {n + 2}D (batch mode) tensor with possibly 0 batch size and other non-zero "
                           f"dimensions for input, but got: {list(x.shape_tuple())}")
    for d in range(first, x.view.ndim):
        check_amounts(x, &a, d, code, mode)
    if code != CIRCULAR:
        nothing = True
        for d in range(first, x.view.ndim):
            nothing = nothing and a.shape[d] < 1
        if nothing:
            raise RuntimeError(f"[pad] input of shape {list(x.shape_tuple())} is too small: the output would be {padded_sizes(x, &a)}")
    return padded(<Op>(<list>OPS[code])[n], x, a.before, a.shape, code, 0)


cdef list padded_sizes(TensorBase x, const Amounts* a):
    return [a.shape[d] for d in range(x.view.ndim)]


cdef int check_amounts(TensorBase x, const Amounts* a, int d, int code, object mode) except -1:
    """Refuse amounts of dimension d that there are no elements for."""
    cdef int64_t before = a.before[d], after = a.after[d], most = max(before, after), kept = x.view.shape[d]
    if code == REFLECT and most >= x.view.shape[d]:
        raise RuntimeError(f"[pad] Padding size should be less than the corresponding input dimension, but got: padding "
                           f"({before}, {after}) at dimension {d} of input {list(x.shape_tuple())}")
    if code == CIRCULAR and most > x.view.shape[d]:
        raise RuntimeError(f"[pad] Padding value causes wrapping around more than once: padding ({before}, {after}) "
                           f"at dimension {d} of input {list(x.shape_tuple())}")
    if code == CIRCULAR:
        kept += (before if before < 0 else 0) + (after if after < 0 else 0)
    if kept < 1 and 0 not in padded_sizes(x, a):
        raise RuntimeError(f"[pad] mode '{mode}' has nothing to take values from at dimension {d} of input "
                           f"{list(x.shape_tuple())} with padding ({before}, {after})")
    return 0
