# cython: language_level=3, boundscheck=False, wraparound=True, cdivision=True, initializedcheck=False
"""Products of Householder reflectors H = I - tau v v^H, as ``taeda.geqrf`` gives them: v is 1 at its place, 0 above.

Backwards the reflectors are undone one at a time.  With X what a reflector met, and G the cotangent of what
it left: gtau = -(v^H G)(v^H X)^H, gv = -conj(tau) G (v^H X)^H - tau X (v^H G)^H, and G becomes H^H G.
"""
from libc.stdint cimport int64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport Op, as_tensor, define, record, write_out
from taeda.dtype cimport torch_name
from taeda.kernels.cpu.abi cimport Param
from taeda.ops.linalg cimport (batch_of, call, cols, columns, count_of, empty_columns, need_float, qr_in_blocks, readable, rows)
from taeda.tensor_base cimport META, TensorBase

from taeda.autograd.node import own
from taeda.ops.creation import eye
from taeda.ops.join import cat, stack

__all__ = ["linalg_householder_product", "orgqr", "ormqr"]
PUBLIC = ("orgqr", "ormqr")


cdef object unit_matrix(object like, int64_t m, int64_t n):
    return eye(m, n, dtype=like.dtype, device=like.device)


cdef tuple way_back(object A, object tau, object C, object g, bint adjoint, bint want_reflectors):
    """Cotangents of A, tau and C for H_1 .. H_k C, or H_k^H .. H_1^H C if adjoint."""
    cdef int64_t m = rows(<TensorBase>A), w = cols(<TensorBase>A), k = tau.shape[-1], i
    V = A[..., :k].tril(-1) + unit_matrix(A, m, k)
    order = list(range(k) if adjoint else range(k - 1, -1, -1))
    met, gv, gt = {}, {}, {}
    x = C
    for i in order:
        met[i] = x
        if want_reflectors:
            v, t = V[..., i:i + 1], scale(tau, i, adjoint)
            x = x - t * (v @ (v.mH @ x))
    for i in reversed(order):
        v, t, x = V[..., i:i + 1], scale(tau, i, adjoint), met[i]
        z = v.mH @ g
        if want_reflectors:
            y = v.mH @ x
            gt[i] = -(z @ y.mH)[..., 0, 0]
            gv[i] = -(t.conj() * (g @ y.mH)) - t * (x @ z.mH)
        g = g - t.conj() * (v @ z)
    if not want_reflectors:
        return None, None, g
    if k == 0:
        return A.new_zeros(A.shape), tau.new_zeros(tau.shape), g
    gA = cat([gv[i] for i in range(k)], -1).tril(-1)
    if w > k:
        gA = cat((gA, A.new_zeros(A.shape[:-1] + (w - k,))), -1)
    gtau = stack([gt[i] for i in range(k)], -1)
    return gA, gtau.conj() if adjoint else gtau, g


cdef object scale(object tau, int64_t i, bint adjoint):
    t = tau[..., i:i + 1].unsqueeze(-1)
    return t.conj() if adjoint else t


cdef int check(str op, TensorBase A, TensorBase tau) except -1:
    if A.view.ndim < 2:
        raise RuntimeError(f"[{op}] input must have at least 2 dimensions; its shape is {tuple(A.shape_tuple())}")
    if tau.view.ndim < 1:
        raise IndexError(f"[{op}] Dimension specified as -1 but tensor has no dimensions: tau must have at least 1")
    if tau.shape_tuple()[:-1] != batch_of(A):
        raise RuntimeError(f"[{op}] Expected batch dimensions of tau to be equal to input.shape[:-2], but got shapes "
                           f"{tuple(tau.shape_tuple())} and {tuple(A.shape_tuple())}")
    if tau.view.dtype != A.view.dtype:
        raise RuntimeError(f"[{op}] tau dtype {torch_name(tau.view.dtype)} does not match input dtype {torch_name(A.view.dtype)}")
    return 0


# -- Q itself ----------------------------------------------------------------------------------------


cdef object product_vjp(Node n, object g):
    cdef TensorBase A = n.raw(0)
    return way_back(A, n.raw(1), unit_matrix(A, rows(A), cols(A)), g, False, True)[:2]

cdef Op Q_BLOCKS = define("linalg_householder_product", NULL, 0, 0, "orgqr_blocks")
cdef Op PRODUCT = define("linalg_householder_product", product_vjp, 0, 0, "orgqr", "LinalgHouseholderProductBackward0")


def linalg_householder_product(A, tau, *, out=None):
    """Return the first n columns of H_1 .. H_k, H_i = I - tau_i v_i v_i^H.

    A is (..., m, n) with m >= n, v_i below the diagonal of column i; tau is (..., k), k <= n.

    >>> import taeda
    >>> a, tau = taeda.geqrf(taeda.tensor([[3., 1.], [4., 2.]]))
    >>> taeda.linalg.householder_product(a, tau)
    tensor([[-0.6000, -0.8000],
            [-0.8000,  0.6000]])
    """
    cdef str op = "linalg.householder_product"
    cdef TensorBase a = as_tensor(A, op), t = as_tensor(tau, op), Q
    cdef Param p[1]
    cdef bint whole
    if a.view.ndim >= 2 and rows(a) < cols(a):
        raise RuntimeError(f"[{op}] input.shape[-2] must be greater than or equal to input.shape[-1], got {tuple(a.shape_tuple())}")
    if a.view.ndim >= 2 and t.view.ndim >= 1 and cols(a) < t.view.shape[t.view.ndim - 1]:
        raise RuntimeError(f"[{op}] input.shape[-1] must be greater than or equal to tau.shape[-1], got shapes {tuple(a.shape_tuple())} "
                           f"and {tuple(t.shape_tuple())}")
    check(op, a, t)
    need_float(op, a)
    if t.view.numel == 0:
        Q = empty_columns(a, batch_of(a), rows(a), cols(a), a.view.dtype)
        if Q.device != META:
            Q.copy_(unit_matrix(a, rows(a), cols(a)))
    else:
        Q = columns(a)
        whole = qr_in_blocks(a) and t.view.shape[t.view.ndim - 1] == cols(a)
        call(Q_BLOCKS if whole else PRODUCT, Q, count_of(batch_of(a)) if Q.view.numel else 0, (Q, t.contiguous()), p)
    record(PRODUCT, Q, (a, t), (a, t))
    return Q if out is None else write_out(out, Q, op)


def orgqr(input, tau, *, out=None):
    """Return Q from geqrf's reflectors; see :func:`taeda.linalg.householder_product`."""
    return linalg_householder_product(input, tau, out=out)


# -- Q times a matrix --------------------------------------------------------------------------------


cdef object ormqr_vjp(Node n, object g):
    return way_back(n.raw(0), n.raw(1), n.raw(2), g, n.extra, n.needs(0) or n.needs(1))

cdef Op ORMQR = define("ormqr", ormqr_vjp, 0, 0, "ormqr", "OrmqrBackward0")


def ormqr(input, tau, other, left=True, transpose=False, *, out=None):
    """Multiply by the square Q of geqrf's reflectors without making it: Q C, or C Q where ``left`` is False.

    ``transpose`` takes Q^H.  input is (..., m, k), tau (..., k), other (..., m, n), or (..., n, m) on the right.

    >>> import taeda
    >>> A, C = taeda.tensor([[3., 1.], [4., 2.]]), taeda.eye(2)
    >>> taeda.allclose(taeda.ormqr(*taeda.geqrf(A), C), taeda.linalg.qr(A).Q)
    True
    """
    cdef TensorBase a = as_tensor(input, "ormqr"), t = as_tensor(tau, "ormqr"), c = as_tensor(other, "ormqr"), y
    cdef Param p[3]
    if a.view.ndim < 2 or c.view.ndim < 2:
        raise RuntimeError(f"[ormqr] {'input' if a.view.ndim < 2 else 'other'} must have at least 2 dimensions; the shapes are "
                           f"{tuple(a.shape_tuple())} and {tuple(c.shape_tuple())}")
    side = -2 if left else -1
    along = rows(c) if left else cols(c)
    if along != rows(a):
        raise RuntimeError(f"[ormqr] other.shape[{side}] must be equal to input.shape[-2], got shapes {tuple(c.shape_tuple())} and "
                           f"{tuple(a.shape_tuple())}")
    if t.view.ndim < 1 or t.view.shape[t.view.ndim - 1] != min(along, cols(a)):
        raise RuntimeError(f"[ormqr] tau.shape[-1] must be equal to min(other.shape[{side}], input.shape[-1]), got shapes "
                           f"{tuple(t.shape_tuple())}, {tuple(c.shape_tuple())} and {tuple(a.shape_tuple())}")
    check("ormqr", a, t)
    if c.view.dtype != a.view.dtype or batch_of(c) != batch_of(a):
        raise RuntimeError(f"[ormqr] other must have input's dtype and batch dimensions, got {torch_name(c.view.dtype)} "
                           f"{tuple(c.shape_tuple())} and {torch_name(a.view.dtype)} {tuple(a.shape_tuple())}")
    need_float("ormqr", a)
    if not left:
        y = own(ormqr(a, t, c.mH, True, not transpose).mH.mT.contiguous().mT)    # columns, as on the left
    else:
        y = columns(c)
        p[1].i = c"L"
        p[2].i = c"T" if transpose else c"N"
        call(ORMQR, y, count_of(batch_of(a)) if y.view.numel and t.view.numel else 0, (y, readable(a), t.contiguous()), p)
        record(ORMQR, y, (a, t, c), (a, t, c), bool(transpose))
    return y if out is None else write_out(out, y, "ormqr")


METHODS = {"orgqr": orgqr, "ormqr": ormqr}
