# cython: language_level=3, boundscheck=False, wraparound=True, cdivision=True, initializedcheck=False
"""Scans: every element becomes the reduction of what came before it along one dimension, and of itself.

The kernels run forwards or from the end, so the way back of a cumulative sum is one more scan and needs
neither a flip nor a copy.
"""
from cpython.number cimport PyIndex_Check
from libc.stdint cimport int64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport (Op, as_tensor, contiguous, define, empty_like, empty_shape, launch, linear, needs_grad, record, record_multi,
                             to_dtype, wrap_dim, write_out)
from taeda.dtype cimport code_of, is_complex_, is_integral
from taeda.kernels.cpu.abi cimport F32, F64, I8, I16, I32, I64, U8, Param, View
from taeda.ops.reduction cimport dtype_with, pick, write_pair
from taeda.tensor_base cimport CPU, META, STAND_IN, TensorBase, is_wrapper

from taeda.dispatch import in_place
from taeda.ops import return_types as types
from taeda.ops.join import stack
from taeda.ops.reduction import refuse_two_dtypes

__all__ = ["cummax", "cummin", "cumprod", "cumsum", "logcumsumexp"]
PUBLIC = ("cummax", "cummin", "cumprod", "cumsum", "logcumsumexp")


cdef int axis_of(str op, TensorBase x, object dim, object axis) except -1:
    dim = pick(op, dim, axis, "dim", "axis")
    if dim is None or not PyIndex_Check(dim) or isinstance(dim, bool):
        raise TypeError(f"[{op}] argument 'dim' must be int, not {type(dim).__name__}")
    return wrap_dim(op, dim, x.view.ndim)


cdef enum:
    SHORT = 16                  # elements, and columns of what lies row-major, up to which a register holds each line's sum
    COLUMNS = 8


cdef bint is_short(TensorBase x, int d, Param* p):
    """Whether few elements are scanned that lie in at most rows of lines; p: see kernels/cpu/cumulative."""
    cdef View* v = &x.view
    cdef int64_t[2] sizes, steps, to
    cdef int64_t stride = 1
    cdef int e, groups = 0, inner = -1
    if x.device != CPU or v.numel == 0 or v.ndim == 0 or v.shape[d] > SHORT or v.dtype not in (F32, F64, I32, I64):
        return False
    for e in range(v.ndim - 1, -1, -1):
        if e == d:
            if v.contiguous and (stride == 1 or stride > COLUMNS):
                return False
            p[3].i, p[6].i, inner = v.strides[e], stride, -1
        elif v.shape[e] != 1:
            if inner < 0 or v.strides[e] != v.shape[inner] * v.strides[inner]:
                if groups == 2:
                    return False
                sizes[groups], steps[groups], to[groups] = 1, v.strides[e], stride
                groups += 1
            sizes[groups - 1] *= v.shape[e]
            inner = e
        stride *= v.shape[e]
    if groups == 0:
        return False
    p[0].i, p[2].i, p[5].i = sizes[0], steps[0], to[0]
    p[1].i, p[4].i = steps[groups - 1], to[groups - 1]           # of one row nobody reads them
    return True


cdef TensorBase scan_one(Op op, TensorBase x, int d, bint back, bint lines=False):
    """Run op's kernel along d, from the end if back; lines: it has a way for few elements, which reads them where they lie."""
    cdef Param p[10]
    cdef bint short = lines and is_short(x, d, p + 3)
    cdef TensorBase y, flat = x if x.view.contiguous or short else contiguous(x.detach())
    cdef View* t[2]
    y = empty_like(x)
    t[0], t[1] = &y.view, &flat.view
    p[0].i, p[1].i, p[2].i = d, back, short
    launch(op, x.view.dtype, x.device, 1, 2, t, p, x.view.numel)
    return y


cdef TensorBase summand(str op, object input, object dtype):
    """The input in the dtype that it is accumulated in: integers in int64, in int32 where the result is no wider, as both wrap around."""
    cdef TensorBase x = as_tensor(input, op)
    if dtype is not None:
        x = to_dtype(x, code_of(dtype, op))
    if not is_integral(x.view.dtype):
        return x
    return to_dtype(x, I32 if dtype is not None and x.view.dtype in (U8, I8, I16, I32) else I64)


cdef int keep_dtype(str op, object input, object dtype) except -1:
    """In place there is no other dtype than the tensor's."""
    if dtype is not None and code_of(dtype, op) != as_tensor(input, op).view.dtype:
        raise RuntimeError(f"[{op}] Bad in-place call: input tensor dtype {input.dtype} and output tensor dtype {dtype} should match")
    return 0


cdef object finish(str op, TensorBase y, object dtype, object out):
    if dtype is not None:
        y = to_dtype(y, code_of(dtype, op))
    return y if out is None else write_out(out, y, op)


# -- cumsum: y_i = x_0 + ... + x_i ------------------------------------------------------------------------


cdef object cumsum_vjp(Node n, object g):
    if (<TensorBase>g).device == STAND_IN and not is_wrapper(<TensorBase>g):           # a batch of cotangents
        return g.cumsum(n.extra[0]) if n.extra[1] else g.flip(n.extra[0]).cumsum(n.extra[0]).flip(n.extra[0])
    return run_cumsum(<TensorBase>g, n.extra[0], not n.extra[1])

cdef Op CUMSUM = linear(define("cumsum", cumsum_vjp))


cdef TensorBase run_cumsum(TensorBase x, int d, bint back):
    cdef TensorBase y = scan_one(CUMSUM, x, d, back, True)
    record(CUMSUM, y, (x,), None, (d, back))
    return y


def cumsum(input, dim=None, *, dtype=None, out=None, axis=None):
    """Return the running sums along ``dim``: y_i = x_0 + ... + x_i.  Integers and bool are summed in int64.

    >>> import taeda
    >>> taeda.cumsum(taeda.tensor([1., 2., 3.]), 0)
    tensor([1., 3., 6.])
    """
    refuse_two_dtypes("cumsum", dtype, out)
    dtype = dtype_with(dtype, out)
    cdef TensorBase x = summand("cumsum", input, dtype)
    return finish("cumsum", run_cumsum(x, axis_of("cumsum", x, dim, axis), False), dtype, out)


def cumsum_(input, dim=None, *, dtype=None, axis=None):
    """In-place :func:`cumsum`."""
    keep_dtype("cumsum_", input, dtype)
    return in_place("cumsum_", cumsum, input, dim, dtype=dtype, axis=axis)


# -- cumprod: y_i = x_0 ... x_i ---------------------------------------------------------------------------


cdef object cumprod_vjp(Node n, object g):
    """reverse cumsum of g y, over x; with zeros: (product before k) (sum of g_i times what lies between k and i)"""
    cdef object x = n.load(0), y = n.load(1), before
    cdef int d = n.extra
    cdef list parts, xs
    if (<TensorBase>x).view.ndim == 0:
        return g
    if (<TensorBase>x).device == META or not (x == 0).any():
        return run_cumsum(<TensorBase>(g * y), d, True) / x
    parts, xs = list(g.unbind(d)), list(x.unbind(d))
    for i in range(len(parts) - 2, -1, -1):              # s_i = g_i + x_(i+1) s_(i+1)
        parts[i] = parts[i] + xs[i + 1] * parts[i + 1]
    before = [xs[0].new_ones(xs[0].shape)]
    for i in range(len(xs) - 1):
        before.append(before[i] * xs[i])
    return stack(before, d) * stack(parts, d)

cdef Op CUMPROD = define("cumprod", cumprod_vjp)


def cumprod(input, dim=None, *, dtype=None, out=None, axis=None):
    """Return the running products along ``dim``: y_i = x_0 ... x_i.

    >>> import taeda
    >>> taeda.cumprod(taeda.tensor([1., 2., 3.]), 0)
    tensor([1., 2., 6.])
    """
    refuse_two_dtypes("cumprod", dtype, out)
    dtype = dtype_with(dtype, out)
    cdef TensorBase x = summand("cumprod", input, dtype), y
    cdef int d = axis_of("cumprod", x, dim, axis)
    y = scan_one(CUMPROD, x, d, False, True)
    record(CUMPROD, y, (x,), (x, y), d)
    return finish("cumprod", y, dtype, out)


def cumprod_(input, dim=None, *, dtype=None, axis=None):
    """In-place :func:`cumprod`."""
    keep_dtype("cumprod_", input, dtype)
    return in_place("cumprod_", cumprod, input, dim, dtype=dtype, axis=axis)


# -- logcumsumexp: y_i = log(exp(x_0) + ... + exp(x_i)) ---------------------------------------------------


cdef object logcumsumexp_linear(object x, object y, object g, int d, bint back):
    """The same by the matrix exp(x_k - y_i): where g is differentiated, since a logarithm has no derivative at a g of 0."""
    if (<TensorBase>x).view.ndim == 0:
        return (x - y).exp() * g
    x, y, g = x.movedim(d, -1).unsqueeze(-1), y.movedim(d, -1).unsqueeze(-2), g.movedim(d, -1).unsqueeze(-1)
    apart = (x - y).new_ones(x.shape[-2], x.shape[-2]).tril_(-1) != 0
    weights = (x - y).masked_fill(apart if back else apart.t(), -float("inf")).exp()
    return (weights @ g).squeeze(-1).movedim(-1, d)


cdef object logcumsumexp_vjp(Node n, object g):
    """exp(x_k) sum_(i>=k) g_i exp(-y_i), as logarithms, for positive and negative real g apart"""
    cdef object x = n.load(0), y = n.load(1), sign, total = None
    cdef int d = n.extra[0]
    cdef bint back = not n.extra[1], parts = is_complex_((<TensorBase>x).view.dtype)
    y = y.masked_fill((y.real if parts else y) == -float("inf"), 0)
    if needs_grad(<TensorBase>g):
        return logcumsumexp_linear(x, y, g, d, back)
    if parts:
        none = g == 0
        part = g.masked_fill(none, 1).log().masked_fill(none, -float("inf"))
        return (run_logcumsumexp(<TensorBase>(part - y), d, back) + x).exp()
    for sign in (1, -1):
        part = g * sign
        none = part <= 0
        part = part.masked_fill(none, 1).log().masked_fill(none, -float("inf"))
        part = (run_logcumsumexp(<TensorBase>(part - y), d, back) + x).exp() * sign
        total = part if total is None else total + part
    return total

cdef Op LOGCUMSUMEXP = define("logcumsumexp", logcumsumexp_vjp)


cdef TensorBase run_logcumsumexp(TensorBase x, int d, bint back):
    cdef TensorBase y = scan_one(LOGCUMSUMEXP, x, d, back)
    record(LOGCUMSUMEXP, y, (x,), (x, y), (d, back))
    return y


def logcumsumexp(input, dim=None, *, out=None, axis=None):
    """Return the running log-sum-exp along ``dim``: y_i = log(exp(x_0) + ... + exp(x_i)), safe from overflow.

    >>> import taeda
    >>> taeda.logcumsumexp(taeda.zeros(3), 0)
    tensor([0.0000, 0.6931, 1.0986])
    """
    cdef TensorBase x = as_tensor(input, "logcumsumexp")
    cdef int d = axis_of("logcumsumexp", x, dim, axis)
    return finish("logcumsumexp", run_logcumsumexp(x, d, False), None, out)


# -- cummax, cummin: the extreme element so far, and its last place ---------------------------------------


cdef object extreme_vjp(Node n, object g):
    cdef object at = n.load(0)
    if (<TensorBase>at).view.ndim == 0:
        return g[0]
    return g[0].new_zeros(at.shape).scatter_add(n.extra, at, g[0])

cdef Op CUMMAX = define("cummax", extreme_vjp)
cdef Op CUMMIN = define("cummin", extreme_vjp)


cdef object extreme(Op op, object result, object input, object dim, object axis, object out):
    cdef TensorBase x = as_tensor(input, op.name), y, at, flat
    cdef int d = axis_of(op.name, x, dim, axis)
    cdef View* t[3]
    cdef Param p[2]
    flat = contiguous(x.detach()) if not x.view.contiguous else x
    y = empty_like(x)
    at = empty_shape(x.shape_tuple(), I64, x.device)
    t[0], t[1], t[2] = &y.view, &at.view, &flat.view
    p[0].i, p[1].i = d, 0
    launch(op, x.view.dtype, x.device, 2, 3, t, p, x.view.numel)
    record_multi(op, (y, at), (x,), (at,), d)
    return result((y, at) if out is None else write_pair(out, y, at, op.name))


def cummax(input, dim=None, *, out=None, axis=None):
    """Return (values, indices) of the largest element so far along ``dim``; of equals the last.  NaN stays.

    >>> import taeda
    >>> taeda.cummax(taeda.tensor([1., 3., 2.]), 0).values
    tensor([1., 3., 3.])
    """
    return extreme(CUMMAX, types.cummax, input, dim, axis, out)


def cummin(input, dim=None, *, out=None, axis=None):
    """Return (values, indices) of the smallest element so far along ``dim``; of equals the last.  NaN stays.

    >>> import taeda
    >>> taeda.cummin(taeda.tensor([3., 1., 2.]), 0).indices
    tensor([0, 1, 1])
    """
    return extreme(CUMMIN, types.cummin, input, dim, axis, out)


METHODS = {"cummax": cummax, "cummin": cummin, "cumprod": cumprod, "cumprod_": cumprod_, "cumsum": cumsum,
           "cumsum_": cumsum_, "logcumsumexp": logcumsumexp}
