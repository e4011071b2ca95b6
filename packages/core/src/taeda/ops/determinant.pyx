# cython: language_level=3, boundscheck=False, wraparound=True, cdivision=True, initializedcheck=False
"""Determinants, from the pivots of LU.

d det A = det A tr(A^-1 dA), so the gradient is g conj(det A) A^-H.  Where A is singular it is the adjugate,
which the singular vectors and the products of all singular values but one give.
"""
from taeda.autograd.node cimport Node
from taeda.dispatch cimport Op, define, record, record_multi, write_out
from taeda.dtype cimport is_complex_
from taeda.ops.linalg cimport give, lu_factors, need_float, need_square, recording
from taeda.tensor_base cimport META, TensorBase

from taeda.ops import return_types as types
from taeda.ops.eigen import linalg_svd
from taeda.ops.join import cat
from taeda.ops.masking import where
from taeda.ops.solve import linalg_lu_solve, linalg_solve

__all__ = ["det", "linalg_det", "linalg_slogdet", "logdet", "slogdet"]
PUBLIC = ("det", "logdet", "slogdet")


cdef object scaled_inverse(object A, object d):
    """d A^-H"""
    return linalg_solve(A.mH, d.unsqueeze(-1).expand(A.shape[:-1]).diag_embed())


# -- det ---------------------------------------------------------------------------------------------


cdef object adjugate(object A, object g):
    """g adj(A)^H = g conj(det U det V^H) U diag(products of the other singular values) V^H"""
    U, S, Vh = linalg_svd(A)
    one = S.new_ones(S.shape[:-1] + (1,))
    before, after = cat((one, S[..., :-1]), -1).cumprod(-1), cat((S[..., 1:], one), -1).flip(-1).cumprod(-1).flip(-1)
    turn = (linalg_det(U) * linalg_det(Vh)).conj() * g
    return turn.unsqueeze(-1).unsqueeze(-1) * ((U * (before * after).unsqueeze(-2)) @ Vh)


cdef object det_vjp(Node n, object g):
    cdef object A = n.raw(0), y = n.raw(1), d
    if (<TensorBase>A).view.numel == 0:
        return A.new_zeros(A.shape)
    d = g * y.conj()
    if (<TensorBase>A).device == META:
        return scaled_inverse(A, d)
    singular = y.detach() == 0
    if not singular.any():
        if recording():
            return scaled_inverse(A, d)
        return linalg_lu_solve(n.raw(2), n.raw(3), d.unsqueeze(-1).expand(A.shape[:-1]).diag_embed(), adjoint=True)
    if singular.all():
        return adjugate(A, g)
    x = A.new_zeros(A.shape)
    x = x.index_put((~singular,), scaled_inverse(A[~singular], d[~singular]))
    return x.index_put((singular,), adjugate(A[singular], g[singular]))

cdef Op DET = define("linalg_det", det_vjp, 0, 0, "getrf", "LinalgDetBackward0")


def linalg_det(A, *, out=None):
    """Return the determinants of square matrices (..., n, n); that of an empty matrix is 1.

    >>> import taeda
    >>> taeda.linalg.det(taeda.tensor([[3., 1.], [1., 2.]]))
    tensor(5.)
    """
    cdef TensorBase x = need_square("linalg.det", A), y
    need_float("linalg.det", x)
    LU, pivots, _, y = lu_factors(DET, x, 1)
    record(DET, y, (x,), (x, y, LU, pivots))
    return y if out is None else write_out(out, y, "linalg.det")


def det(input):
    """Return the determinants of square matrices; see ``taeda.linalg.det``.

    >>> import taeda
    >>> taeda.det(taeda.tensor([[2.0, 0.0], [0.0, 3.0]]))
    tensor(6.)
    """
    return linalg_det(input)


# -- log |det| ---------------------------------------------------------------------------------------


cdef object slogdet_vjp(Node n, object g):
    """gA = (glog + i Im(gsign conj(sign))) A^-H: a complex determinant turns too"""
    cdef object A = n.raw(0), sign = n.raw(1), d
    if (<TensorBase>A).view.numel == 0:
        return A.new_zeros(A.shape)
    d = 0 if g[1] is None else g[1]
    if g[0] is not None and is_complex_((<TensorBase>A).view.dtype):
        turn = g[0] * sign.conj()
        d = d + (turn - turn.conj()) * 0.5
    elif g[1] is None:
        return A.new_zeros(A.shape)
    d = d.to(A.dtype)
    if recording():
        return scaled_inverse(A, d)
    return linalg_lu_solve(n.raw(2), n.raw(3), d.unsqueeze(-1).expand(A.shape[:-1]).diag_embed(), adjoint=True)

cdef Op SLOGDET = define("linalg_slogdet", slogdet_vjp, 0, 0, "getrf", "LinalgSlogdetBackward0")


cdef tuple slogdet_of(str op, object input):
    cdef TensorBase A = need_square(op, input), sign, size
    need_float(op, A, True)
    LU, pivots, _, swapped = lu_factors(SLOGDET, A, 2)
    diagonal = LU.diagonal(0, -2, -1)
    sign, size = diagonal.sgn().prod(-1) * swapped, diagonal.abs().log().sum(-1)
    record_multi(SLOGDET, (sign, size), (A,), (A, sign, LU, pivots))
    return sign, size


def linalg_slogdet(A, *, out=None):
    """Return sign and log of the absolute value of determinants, which neither overflow nor vanish.

    A singular matrix has sign 0 and logabsdet -inf.

    >>> import taeda
    >>> taeda.linalg.slogdet(taeda.eye(2) * -1).sign
    tensor(1.)
    """
    return give("linalg.slogdet", types.linalg_slogdet, slogdet_of("linalg.slogdet", A), out)


def slogdet(input, *, out=None):
    """Return sign and log|det| of square matrices; see ``taeda.linalg.slogdet``.

    >>> import taeda
    >>> taeda.slogdet(taeda.tensor([[2.0, 0.0], [0.0, -3.0]]))
    taeda.return_types.slogdet(
    sign=tensor(-1.),
    logabsdet=tensor(1.7918))
    """
    return give("slogdet", types.slogdet, slogdet_of("linalg.slogdet", input), out)


def logdet(input):
    """Return the logarithms of the determinants of square matrices: -inf for 0, nan where a real one is negative.

    >>> import taeda
    >>> taeda.logdet(taeda.eye(3))
    tensor(0.)
    """
    sign, size = slogdet_of("logdet", input)
    if sign.is_complex():
        return sign.log() + size
    return where(sign == -1, float("nan"), size)


METHODS = {"det": det, "logdet": logdet, "slogdet": slogdet}
