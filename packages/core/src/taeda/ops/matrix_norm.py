"""Norms of matrices and what is measured with them: condition numbers and ranks.

All are compositions: norms of vectors, sums, singular values.
"""

from __future__ import annotations

import math
from operator import index
from typing import Any

from taeda.autograd.node import named, own
from taeda.dtype import bool_, complex128, dtype as _dtype, float32, float64, int64
from taeda.operands import need_tensor, wrapped_dim
from taeda.ops.eigen import linalg_eigvalsh, linalg_svdvals
from taeda.ops.least_squares import threshold_of
from taeda.ops.matmul import write_result
from taeda.ops.norms import vector_norm
from taeda.ops.solve import linalg_inv_ex

__all__ = ["frobenius_norm", "linalg_cond", "linalg_matrix_norm", "linalg_matrix_rank", "linalg_norm", "linalg_vector_norm",
           "nuclear_norm"]
PUBLIC = ("frobenius_norm", "nuclear_norm")
METHODS: dict = {}

_SINGULAR = ("nuc", 2, -2)
_PYTHON = {bool: bool_, int: int64, float: float64, complex: complex128}
_ORDERS = (1, -1, math.inf, -math.inf, 2, -2)


def _two_dims(op: str, dim: Any, ndim: int) -> tuple[int, int]:
    """Return the two dimensions of the matrices, counted from the front."""
    if not isinstance(dim, (tuple, list)):
        raise TypeError(f"[{op}] argument 'dim' must be a tuple of two ints, not {type(dim).__name__}")
    if len(dim) != 2:
        raise RuntimeError(f"[{op}] dim must be a 2-tuple. Got {', '.join(map(str, dim))}")
    for d in dim:
        if not hasattr(d, "__index__"):
            raise TypeError(f"[{op}] argument 'dim' must be a tuple of two ints, but it has an element of type {type(d).__name__}")
    first, second = (wrapped_dim(op, index(d), ndim) for d in dim)           # True is 1 here, as in PyTorch
    if first == second:
        raise RuntimeError(f"[{op}] dims must be different. Got ({dim[0]}, {dim[1]})")
    return first, second


def _check_operand(op: str, A: Any, ord: Any) -> None:
    if A.ndim < 2:
        raise RuntimeError(f"[{op}] The input tensor A must have at least 2 dimensions; its shape is {tuple(A.shape)}")
    if not (A.is_floating_point() or A.is_complex()):
        raise RuntimeError(f"[{op}] Expected a floating point or complex tensor as input. Got {str(A.dtype)[6:]}; convert with .float()")
    if ord in _SINGULAR and A.dtype.to_real() not in (float32, float64):
        raise RuntimeError(f"[{op}] Low precision dtypes not supported. Got {str(A.dtype)[6:]}; convert with .float()")


def linalg_vector_norm(x, ord=2, dim=None, keepdim=False, *, dtype=None, out=None):
    """Return the p-norm of the elements over all dimensions or those in ``dim``; see ``taeda.norm`` for its powers.

    >>> import taeda
    >>> taeda.linalg.vector_norm(taeda.tensor([3., 4.]))
    tensor(5.)
    """
    return vector_norm(x, ord, dim, keepdim, dtype=dtype, out=out)


def linalg_matrix_norm(A, ord="fro", dim=(-2, -1), keepdim=False, *, dtype=None, out=None):
    """Return a norm of the matrices in two dimensions.

    ``ord`` is "fro" (root of the sum of squares), "nuc" (sum of singular values), 2 or -2 (largest or smallest
    singular value), 1 or -1 (largest or smallest column sum of absolute values), inf or -inf (of row sums).

    Raises RuntimeError for another order, fewer than two dimensions or a dtype that is not floating point.

    >>> import taeda
    >>> taeda.linalg.matrix_norm(taeda.tensor([[3., 0.], [0., -4.]]), "nuc")
    tensor(7.)
    """
    op = "linalg.matrix_norm"
    need_tensor(op, "A", A)
    _check_operand(op, A, ord)
    if isinstance(ord, bool) or ord not in (*_ORDERS, "fro", "nuc"):
        raise RuntimeError(f"[{op}] Order {ord} not supported; use 'fro', 'nuc', 1, -1, 2, -2, inf or -inf")
    row, column = _two_dims(op, dim, A.ndim)
    if dtype is not None:
        dtype = _PYTHON.get(dtype, dtype) if isinstance(dtype, type) else dtype
        if not isinstance(dtype, _dtype):
            raise TypeError(f"[{op}] dtype must be a taeda.dtype such as taeda.float32, got {dtype!r} ({type(dtype).__name__})")
        if dtype.is_complex != A.dtype.is_complex or dtype.itemsize < A.dtype.itemsize:
            raise RuntimeError(f"[{op}] the dtype of the input ({A.dtype}) should be convertible without narrowing to the specified dtype "
                               f"({dtype})")
        A = A.to(dtype)
    if ord == "fro":
        return vector_norm(A, 2, (row, column), keepdim, out=out)
    if ord in _SINGULAR:
        values = linalg_svdvals(A.movedim((row, column), (-2, -1)))
        if ord == 2 and values.shape[-1] == 0:             # the largest of no values
            found = values.new_zeros(values.shape[:-1])
        else:
            found = values.sum(-1) if ord == "nuc" else values.amax(-1) if ord == 2 else values.amin(-1)
        if keepdim:
            for d in sorted((row, column)):
                found = found.unsqueeze(d)
            found = named(found, "PermuteBackward0")
        return write_result(out, found, op)
    summed, compared = (row, column) if abs(ord) == 1 else (column, row)
    sums = vector_norm(A, 1, summed, True)
    if ord > 0 and sums.shape[compared] == 0:
        found = sums.detach().sum(compared, True)          # the largest of no sums
    else:
        found = sums.amax(compared, True) if ord > 0 else sums.amin(compared, True)
    if not keepdim:
        found = own(found.squeeze((row, column)), "AmaxBackward0" if ord > 0 else "AminBackward0")
    return write_result(out, found, op)


def linalg_norm(A, ord=None, dim=None, keepdim=False, *, out=None, dtype=None):
    """Return a norm of vectors or matrices: of vectors over one dimension, of matrices over two.

    Without ``ord`` and ``dim`` it is the 2-norm of all elements.  See ``vector_norm`` and ``matrix_norm``.

    >>> import taeda
    >>> taeda.linalg.norm(taeda.tensor([[3., 0.], [0., 4.]]), 1)
    tensor(4.)
    """
    op = "linalg.norm"
    need_tensor(op, "A", A)
    dims = dim if dim is None or isinstance(dim, (tuple, list)) else (dim,)
    if dims is not None and len(dims) not in (1, 2):
        raise RuntimeError(f"[{op}] If dim is specified, it must be of length 1 or 2. Got {list(dims)}")
    if isinstance(ord, str):
        if dims is None and A.ndim > 2:
            raise RuntimeError(f"[{op}] If dim is not specified but ord is, the input must be 1D or 2D. Got {A.ndim}D.")
        return linalg_matrix_norm(A, ord, (-2, -1) if dims is None else dims, keepdim, dtype=dtype, out=out)
    if ord is not None and dims is None and A.ndim not in (1, 2):
        raise RuntimeError(f"[{op}] If dim is not specified but ord is, the input must be 1D or 2D. Got {A.ndim}D.")
    if ord is not None and (len(dims) == 2 if dims is not None else A.ndim == 2):
        return linalg_matrix_norm(A, ord, (0, 1) if dims is None else dims, keepdim, dtype=dtype, out=out)
    return vector_norm(A, 2 if ord is None else ord, dims, keepdim, dtype=dtype, out=out)


def frobenius_norm(input, dim, keepdim=False, *, out=None):
    """Return the root of the sum of squares over one or two dimensions (over all for an empty list).

    >>> import taeda
    >>> taeda.frobenius_norm(taeda.tensor([[3.0, 0.0], [0.0, 4.0]]), (0, 1))
    tensor(5.)
    """
    dims = dim if isinstance(dim, (tuple, list)) else (dim,)
    if len(dims) > 2:
        raise RuntimeError(f"[frobenius_norm] Expected at most 2 dimensions, but got {len(dims)} dimensions instead.")
    return named(vector_norm(input, 2, dims or None, keepdim, out=out), "NormBackward1")


def nuclear_norm(input, dim=(-2, -1), keepdim=False, *, out=None):
    """Return the sums of the singular values of the matrices in two dimensions.

    >>> import taeda
    >>> taeda.nuclear_norm(taeda.tensor([[3.0, 0.0], [0.0, 4.0]]))
    tensor(7.)
    """
    return linalg_matrix_norm(input, "nuc", dim, keepdim, out=out)


def linalg_cond(A, p=None, *, out=None):
    """Return condition numbers: the norm of A times that of its inverse; of singular values for None, 2 and -2.

    ``p`` is None, "fro", "nuc", 1, -1, 2, -2, inf or -inf.  A singular matrix has condition inf.

    >>> import taeda
    >>> taeda.linalg.cond(taeda.tensor([[4., 0.], [0., 2.]]))
    tensor(2.)
    """
    op = "linalg.cond"
    need_tensor(op, "A", A)
    if A.ndim < 2:
        raise RuntimeError(f"[{op}] The input tensor must have at least 2 dimensions; its shape is {tuple(A.shape)}")
    if p is not None and (isinstance(p, bool) or p not in (*_ORDERS, "fro", "nuc")):
        raise RuntimeError(f"[{op}] linalg.cond got an invalid norm type: {p}")
    if p is None or p in (2, -2):
        values = linalg_svdvals(A)
        if A.numel() == 0:
            return write_result(out, values.new_zeros(values.shape[:-1]), op)
        large, small = values[..., 0], values[..., -1]
        return write_result(out, named(small / large if p == -2 else large / small, "SqueezeBackward1"), op)
    if A.numel() == 0:
        return write_result(out, A.new_zeros(A.shape[:-2]).abs(), op)
    if A.shape[-1] != A.shape[-2]:
        raise RuntimeError(f"[{op}] A must be batches of square matrices for p={p}, but they are {A.shape[-2]} by {A.shape[-1]} matrices")
    if p == "nuc":
        # the singular values serve both; those of the inverse are their reciprocals
        values = linalg_svdvals(A)
        return write_result(out, values.sum(-1) * values.reciprocal().sum(-1), op)
    inverse, info = linalg_inv_ex(A)
    found = linalg_matrix_norm(A, p) * linalg_matrix_norm(inverse, p)
    if not A.is_meta:
        found = named(found.masked_fill((info != 0) | (found != found), math.inf), "NanToNumBackward0")
    return write_result(out, found, op)


def linalg_matrix_rank(A, tol=None, hermitian=False, *, atol=None, rtol=None, out=None):
    """Count the singular values (absolute eigenvalues if ``hermitian``) above max(``atol``, ``rtol`` times the largest).

    ``tol`` is another name of atol, with rtol = 0.  By default rtol is eps max(m, n).

    >>> import taeda
    >>> taeda.linalg.matrix_rank(taeda.ones(3, 3))
    tensor(1)
    """
    op = "linalg.matrix_rank"
    need_tensor(op, "A", A)
    if A.ndim < 2:
        raise RuntimeError(f"[{op}] The input tensor input must have at least 2 dimensions; its shape is {tuple(A.shape)}")
    if A.dtype.to_real() not in (float32, float64):
        raise RuntimeError(f"[{op}] This function doesn't handle types other than float and double, real or complex; got {A.dtype}")
    if tol is not None:
        atol, rtol = tol, 0.0
    A = A.detach()
    if A.numel() == 0:
        return write_result(out, A.new_zeros(A.shape[:-2]).abs().long(), op)
    values = linalg_eigvalsh(A).abs() if hermitian else linalg_svdvals(A)
    limit = threshold_of(op, A.shape[-2:], values, atol, rtol)
    return write_result(out, (values > limit.unsqueeze(-1)).sum(-1), op)
