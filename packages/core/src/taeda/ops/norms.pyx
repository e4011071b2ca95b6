# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Vector norms: (sum_i |x_i|^p)^(1/p), and its limits at p = 0, inf and -inf.

Sums are kept in float64, so squares of float32 neither overflow nor vanish.
"""
from libc.math cimport INFINITY
from libc.stdint cimport uint64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport Op, as_tensor, define, record, to_dtype, write_out
from taeda.dtype cimport code_of, differentiable, is_complex_, is_float, torch_name
from taeda.kernels.cpu.abi cimport Param
from taeda.operands cimport real_number
from taeda.ops.reduction cimport one_each, pick, read_dims, reduce_one, restore, share_back, way_back
from taeda.tensor_base cimport TensorBase

from taeda import _above
from taeda.autograd.node import named
from taeda.dtype import bfloat16, float16, float64

__all__ = ["dist", "norm", "vector_norm"]
PUBLIC = ("dist", "norm")


cdef object norm_vjp(Node n, object g):
    cdef object x = n.load(0), y = restore(n.load(1), n.extra[0])
    cdef double p = n.extra[1]
    if p == INFINITY or p == -INFINITY:
        return share_back(g, x.abs(), y, n.extra[0], True) * x.sign()
    g = restore(g, n.extra[0])
    if p == 0:
        return g * 0 * x.sign()
    if p == 1:
        return x.sign() * g
    # there the derivative is 0, and its own one stays finite; so is it where 1 / y is beyond the dtype
    zero = y <= (2.0 ** -1024 if y.dtype is float64 else 2.0 ** -128)
    y, g = y.masked_fill(zero, 1), g.masked_fill(zero, 0)
    if p == 2:                                       # one pass over x, but where g / y would leave float16's range
        return x / y * g if x.dtype is float16 else x * (g / y)
    if x.dtype in (float16, bfloat16):               # which hold few digits of a small part of the norm
        x, y = x.float(), y.float()
    part = x.abs() / y                               # powers of x itself might overflow or vanish
    return (x.sign() * part.masked_fill(x == 0, 1) ** (p - 1) * g).to(g.dtype)


cdef Op ZERO = define("vector_norm", norm_vjp, 0, 0, "norm_zero", "LinalgVectorNormBackward0")
cdef Op ONE = define("vector_norm", norm_vjp, 0, 0, "norm_one", "LinalgVectorNormBackward0")
cdef Op MAX = define("vector_norm", norm_vjp, 0, 0, "norm_max", "LinalgVectorNormBackward0")
cdef Op MIN = define("vector_norm", norm_vjp, 0, 0, "norm_min", "LinalgVectorNormBackward0")
cdef Op ANY = define("vector_norm", norm_vjp, 0, 0, "norm_p", "LinalgVectorNormBackward0")
cdef Op TWO = define("vector_norm", norm_vjp, 0, 0, "norm_two", "LinalgVectorNormBackward0")
cdef Op THREE = define("vector_norm", norm_vjp, 0, 0, "norm_three", "LinalgVectorNormBackward0")
cdef Op FOUR = define("vector_norm", norm_vjp, 0, 0, "norm_four", "LinalgVectorNormBackward0")
cdef Op LONE = define("vector_norm", norm_vjp, 0, 0, "abs", "LinalgVectorNormBackward0")      # of single elements, whatever p but 0


def vector_norm(x, ord=2, dim=None, keepdim=False, *, dtype=None, out=None):
    """Return the p-norm of the elements over all dimensions or those in ``dim``, p = ``ord``.

    y = (sum_i |x_i|^p)^(1/p); the largest |x_i| for inf, the smallest for -inf, the number of nonzero
    elements for 0.  Where the norm is 0 its gradient is taken as 0.

    Raises:
        RuntimeError: ``x`` is not floating point, or is empty and the norm has no neutral element.

    >>> import taeda
    >>> taeda.ops.vector_norm(taeda.tensor([3., 4.]))
    tensor(5.)
    """
    cdef TensorBase t = as_tensor(x, "vector_norm"), y
    cdef Param p[1]
    cdef uint64_t dims
    cdef Op op
    if isinstance(ord, complex):
        raise RuntimeError(f"[vector_norm] Expected a non-complex scalar as the order of norm, got {ord}")
    if is_complex_(t.view.dtype):
        if dtype is not None:
            t = to_dtype(t, code_of(dtype, "vector_norm"))
        t, dtype = <TensorBase>(<object>t).abs(), None
    if not is_float(t.view.dtype):
        raise RuntimeError(f"[vector_norm] Expected a floating point or complex tensor as input. Got "
                           f"{torch_name(t.view.dtype)}; convert with .float()")
    if dtype is not None:
        if not differentiable(code_of(dtype, "vector_norm")):
            raise RuntimeError(f"[vector_norm] dtype should be floating point or complex. Got {dtype}")
        t = to_dtype(t, code_of(dtype, "vector_norm"))
    p[0].f = real_number("vector_norm", "ord", ord)
    dims = read_dims("vector_norm", dim, t.view.ndim)
    op = TWO if p[0].f == 2 else ONE if p[0].f == 1 else MAX if p[0].f == INFINITY else MIN if p[0].f == -INFINITY \
        else ZERO if p[0].f == 0 else THREE if p[0].f == 3 else FOUR if p[0].f == 4 else ANY
    if t.view.numel == 0 and (p[0].f < 0 or p[0].f == INFINITY):
        for d in range(t.view.ndim):
            if dims >> d & 1 and t.view.shape[d] == 0:
                raise RuntimeError(f"[vector_norm] cannot compute the {ord} norm of shape {tuple(t.shape_tuple())} over "
                                   f"dimension {d}: it is empty and the operation does not have an identity")
    y = reduce_one(LONE if op is not ZERO and one_each(t, dims) else op, t, dims, keepdim, t.view.dtype, p)
    record(op, y, (t,), (t, y), (way_back(t, dims, keepdim), p[0].f))
    return y if out is None else write_out(out, y, "vector_norm")


def norm(input, p="fro", dim=None, keepdim=False, out=None, dtype=None, *, axis=None, keepdims=None):
    """Return the p-norm of all elements, or over the dimensions in ``dim``.

    ``p`` is a number, inf, -inf, "fro" (the 2-norm), or "nuc" (of matrices: the sum of singular values).  See
    :func:`taeda.linalg.vector_norm` and :func:`taeda.linalg.matrix_norm`.

    >>> import taeda
    >>> taeda.norm(taeda.tensor([[3., 0.], [0., 4.]]))
    tensor(5.)
    """
    dim, keepdim = pick("norm", dim, axis, "dim", "axis"), pick("norm", keepdim, keepdims, "keepdim", "keepdims")
    if isinstance(p, str) and p not in ("fro", "nuc"):
        raise RuntimeError(f"[norm] Order {p} not supported; p is a number, 'fro' or 'nuc'")
    if isinstance(p, str) and (p == "nuc" or (isinstance(dim, (tuple, list)) and len(dim) > 2)):
        dims = range(as_tensor(input, "norm").view.ndim) if dim is None else dim if isinstance(dim, (tuple, list)) else (dim,)
        return _above.matrix_norm(input, p, tuple(dims), keepdim, dtype=dtype, out=out)
    return vector_norm(input, 2 if p is None or isinstance(p, str) else p, dim, keepdim, dtype=dtype, out=out)


def dist(input, other, p=2):
    """Return the p-norm of input - other.

    >>> import taeda
    >>> taeda.dist(taeda.tensor([3., 4.]), taeda.zeros(2))
    tensor(5.)
    """
    as_tensor(other, "dist")
    return named(vector_norm(as_tensor(input, "dist") - other, p), "DistBackward0")


METHODS = {"dist": dist, "norm": norm}
