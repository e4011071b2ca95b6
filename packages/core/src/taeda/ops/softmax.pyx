# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""softmax and log_softmax along one dimension.

Their vjps are one fused pass each; while the graph of the gradient is wanted too, the same formulas are
written with tensor operations instead.
"""
from cpython.number cimport PyIndex_Check

from taeda.autograd.node cimport Node
from taeda.dispatch cimport OUT, Op, any_needs_grad, as_tensor, contiguous, define, empty_like, launch, record, \
    to_dtype, wrap_dim
from taeda.dtype cimport code_of
from taeda.kernels.cpu.abi cimport Param, View
from taeda.tensor_base cimport TensorBase

from taeda.dispatch import write_exact

__all__ = ["softmax", "log_softmax", "softmin"]
PUBLIC = ("softmax", "log_softmax")


cdef int split(TensorBase x, int dim, Param* p) noexcept:
    """p: the sizes before, of, and after dimension dim, each the product of its dimensions."""
    cdef int d
    p[0].i = p[2].i = 1
    p[1].i = x.view.shape[dim] if x.view.ndim else 1
    for d in range(x.view.ndim):
        if d < dim:
            p[0].i *= x.view.shape[d]
        elif d > dim:
            p[2].i *= x.view.shape[d]
    return 0


cdef TensorBase backward(Op op, object cotangent, TensorBase y, int dim):
    cdef TensorBase g = contiguous(<TensorBase>cotangent), gx = empty_like(y)
    cdef View* t[3]
    cdef Param p[3]
    split(y, dim, p)
    t[0], t[1], t[2] = &gx.view, &g.view, &y.view
    if gx.view.numel:
        launch(op, y.view.dtype, y.device, 1, 3, t, p, 4 * y.view.numel)
    return gx


# softmax_backward: gx = y (g - sum g y)
cdef object softmax_vjp(Node n, object g):
    cdef TensorBase y = n.load(0)
    if any_needs_grad((g, y)):
        return y * (g - (g * y).sum(n.extra, keepdim=True))
    return backward(SOFTMAX_BACKWARD, g, y, n.extra)

# log_softmax_backward: gx = g - e^y sum g
cdef object log_softmax_vjp(Node n, object g):
    cdef TensorBase y = n.load(0)
    if any_needs_grad((g, y)):
        return g - (<object>y).exp() * g.sum(n.extra, keepdim=True)
    return backward(LOG_SOFTMAX_BACKWARD, g, y, n.extra)

cdef Op SOFTMAX = define("softmax", softmax_vjp, OUT)
cdef Op LOG_SOFTMAX = define("log_softmax", log_softmax_vjp, OUT)
cdef Op SOFTMAX_BACKWARD = define("softmax_backward", NULL)
cdef Op LOG_SOFTMAX_BACKWARD = define("log_softmax_backward", NULL)


cdef TensorBase forward(Op op, object input, object dim, object dtype, object out):
    cdef TensorBase x = as_tensor(input, op.name), y
    cdef View* t[2]
    cdef Param p[3]
    cdef int axis
    if not PyIndex_Check(dim):
        raise TypeError(f"[{op.name}] argument 'dim' must be int, not {type(dim).__name__}")
    axis = wrap_dim(op.name, dim, x.view.ndim)
    if dtype is not None:
        x = to_dtype(x, code_of(dtype, op.name))
    x = contiguous(x)
    y = empty_like(x)
    split(x, axis, p)
    t[0], t[1] = &y.view, &x.view
    if y.view.numel:
        launch(op, x.view.dtype, x.device, 1, 2, t, p, 4 * x.view.numel)
    record(op, y, (x,), (y,), axis)
    return y if out is None else <TensorBase>write_exact(out, y, op.name)


def softmax(input, dim, dtype=None, *, out=None):
    """Return exponentials that add up to one along a dimension: y = exp(x) / sum exp(x).

    dtype, if given, is what the input is cast to first.  The largest value is subtracted before the
    exponential, so large inputs do not overflow.

    >>> import taeda
    >>> taeda.softmax(taeda.tensor([0., 0., 1000.]), dim=0)
    tensor([0., 0., 1.])
    """
    return forward(SOFTMAX, input, dim, dtype, out)


def log_softmax(input, dim, dtype=None, *, out=None):
    """Return log(softmax(x)) along a dimension, as x - log sum exp(x), without rounding small values to zero.

    >>> import taeda
    >>> taeda.log_softmax(taeda.tensor([0., 1000.]), dim=0)
    tensor([-1000.,     0.])
    """
    return forward(LOG_SOFTMAX, input, dim, dtype, out)


def softmin(input, dim, dtype=None):
    """Return softmax(-x) along a dimension.

    >>> import taeda
    >>> from taeda import ops
    >>> ops.softmin(taeda.tensor([0., 1000.]), dim=0)
    tensor([1., 0.])
    """
    return forward(SOFTMAX, -input, dim, dtype, None)


METHODS = {"softmax": softmax, "log_softmax": log_softmax}
