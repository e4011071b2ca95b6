# cython: language_level=3, boundscheck=False, wraparound=True, cdivision=True, initializedcheck=False
"""Factors of matrices: Cholesky, LU, QR and LDL.

The derivatives follow from differentiating A = L L^H, A = P L U and A = Q R and projecting each side on the
triangle or the skew part that its factor has (Iain Murray, "Differentiation of the Cholesky decomposition",
2016; Walter and Lehmann, "Algorithmic differentiation of linear algebra functions", 2012).
"""
from libc.stdint cimport int64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport Op, as_tensor, define, empty_shape, record_multi, write_out
from taeda.dtype cimport torch_name
from taeda.kernels.cpu.abi cimport F32, F64, I32, Param
from taeda.ops.linalg cimport (CHOLESKY_ALONE, alone, batch_element, batch_of, call, cols, columns, count_of, empty_columns,
                               first_failure, give, identity, lu_factors, need_float, need_matrix, need_square, numbers, permutation,
                               qr_in_blocks, rows, small, small_pairs, underivable)
from taeda.tensor_base cimport META, TensorBase

from taeda.autograd.node import named
from taeda.ops import return_types as types
from taeda.ops.creation import eye
from taeda.ops.join import cat
from taeda.ops.linalg import LinAlgError, deprecated
from taeda.ops.solve import linalg_solve_triangular

__all__ = ["cholesky", "geqrf", "linalg_cholesky", "linalg_cholesky_ex", "linalg_ldl_factor", "linalg_ldl_factor_ex", "linalg_lu",
           "linalg_lu_factor", "linalg_lu_factor_ex", "linalg_qr", "lu", "lu_unpack", "qr"]
PUBLIC = ("cholesky", "geqrf", "lu", "lu_unpack", "qr")


cdef object triangular(object A, object B, bint upper, bint left=True, bint unit=False):
    """Solve with a triangle."""
    return linalg_solve_triangular(A, B, upper=upper, left=left, unitriangular=unit)


# -- Cholesky: A = L L^H -----------------------------------------------------------------------------


cdef object cholesky_vjp(Node n, object g):
    """gA = sym(L^-H tril(L^H gL) L^-1), the diagonal of the triangle halved"""
    cdef object L = n.raw(0), phi
    g = g[0]
    if n.extra:
        L, g = L.mH, g.mH
    phi = (L.mH @ g).tril()
    phi = phi - 0.5 * phi.diagonal(0, -2, -1).diag_embed()
    phi = triangular(L, triangular(L.mH, phi, True), False, False)
    return (phi + phi.mH) * 0.5

cdef Op CHOLESKY = define("linalg_cholesky_ex", cholesky_vjp, 0, 0, "potrf", "LinalgCholeskyExBackward0")


cdef Op CHOLESKY_BLOCKS = define("linalg_cholesky_ex", NULL, 0, 0, "potrf_blocks")
cdef Op SMALL_CHOLESKY = define("linalg_cholesky_ex", NULL, 0, 0, "small_cholesky")


cdef tuple cholesky_of(str op, object input, bint upper, bint check):
    cdef TensorBase A = need_square(op, input), L, info
    cdef Param p[2]
    need_float(op, A)
    p[1].i = c"U" if upper else c"L"
    few = small_pairs(A, batch_of(A), rows(A), rows(A))
    if few:
        L, info = empty_columns(A, batch_of(A), rows(A), rows(A), A.view.dtype), empty_shape(batch_of(A), I32, A.device)
        call(SMALL_CHOLESKY, L, count_of(batch_of(A)), (L, info, A), p)
    else:
        L, info = columns(A), numbers(A, batch_of(A), I32)
        whole = not upper and (A.view.dtype == F32 or A.view.dtype == F64) and alone(batch_of(A), CHOLESKY_ALONE, rows(A))
        call(CHOLESKY_BLOCKS if whole else CHOLESKY, L, count_of(batch_of(A)) if rows(A) else 0, (L, info), p)
    failure = first_failure(info) if check else None
    if failure is not None:
        raise LinAlgError(f"[{op}] {batch_element(failure)}The factorization could not be completed because the input is not "
                          f"positive-definite (the leading minor of order {failure[1]} is not positive-definite).")
    record_multi(CHOLESKY, (L, info), (A,), (L,), upper)
    return L, info


def linalg_cholesky_ex(input, *, upper=False, check_errors=False, out=None):
    """Return Cholesky factors and ``info``: 0, or the order of the first minor that is not positive-definite.

    >>> import taeda
    >>> L, info = taeda.linalg.cholesky_ex(taeda.tensor([[4., 2.], [2., 0.]]))
    >>> info
    tensor(2, dtype=taeda.int32)
    """
    return give("linalg.cholesky_ex", types.linalg_cholesky_ex, cholesky_of("linalg.cholesky", input, upper, check_errors), out)


def linalg_cholesky(input, *, upper=False, out=None):
    """Factor Hermitian positive-definite matrices (..., n, n) as A = L L^H, or U^H U with ``upper``.

    Only the lower (upper) triangle is read.

    Raises LinAlgError, naming the place in the batch, where a matrix is not positive-definite.

    >>> import taeda
    >>> taeda.linalg.cholesky(taeda.tensor([[4., 2.], [2., 5.]]))
    tensor([[2., 0.],
            [1., 2.]])
    """
    L = cholesky_of("linalg.cholesky", input, upper, True)[0]
    return L if out is None else write_out(out, <TensorBase>L, "linalg.cholesky")


def cholesky(input, upper=False, *, out=None):
    """Factor positive-definite matrices; the former interface of :func:`taeda.linalg.cholesky`."""
    deprecated("cholesky", "linalg.cholesky")
    L = named(cholesky_of("cholesky", input, upper, True)[0], "CholeskyBackward0")
    return L if out is None else write_out(out, <TensorBase>L, "cholesky")


# -- LU: A = P L U -----------------------------------------------------------------------------------


cdef object unit_lower(TensorBase LU, int64_t k):
    """L of packed factors: what lies below the diagonal of the first k columns, and ones on it."""
    return LU[..., :k].tril(-1) + eye(rows(LU), k, dtype=(<object>LU).dtype, device=(<object>LU).device)


cdef object lu_vjp(Node n, object g):
    """square: gA = P L^-H (tril(L^H gL, -1) + triu(gU U^H)) U^-H; the part beyond the square is solved first"""
    cdef TensorBase LU = n.raw(0)
    cdef int64_t m = rows(LU), w = cols(LU), k = min(m, w)
    pivots, g = n.raw(1), g[0]
    L, U = unit_lower(LU, k), LU[..., :k, :].triu()
    gL, gU = g[..., :, :k].tril(-1), g[..., :k, :].triu()
    L1, U1 = L[..., :k, :], U[..., :, :k]
    beyond = None
    if w > k:                                  # A2 = P L U2
        beyond = triangular(L1.mH, gU[..., k:], True, True, True)
        gL, gU = gL - (beyond @ U[..., k:].mH).tril(-1), gU[..., :k]
    elif m > k:                                # A2 = L2 U
        beyond = triangular(U1.mH, gL[..., k:, :], False, False)
        gU = gU - L[..., k:, :].mH @ beyond
        gL = gL[..., :k, :]
    x = (L1.mH @ gL).tril(-1) + (gU @ U1.mH).triu()
    x = triangular(U1.mH, triangular(L1.mH, x, True, True, True), False, False)
    if beyond is not None:
        x = cat((x, beyond), -1 if w > k else -2)
    at = permutation("linalg.lu", <TensorBase>pivots, m)
    return x.new_zeros(x.shape).scatter(-2, at.unsqueeze(-1).expand(x.shape), x)

cdef Op LU_FACTOR = define("linalg_lu_factor_ex", lu_vjp, 0, 0, "getrf", "LinalgLuFactorExBackward0")


cdef tuple lu_of(str op, object input, bint pivot, bint check):
    cdef TensorBase A = as_tensor(input, op)
    if A.view.ndim < 2:
        raise RuntimeError(f"[{op}] Expected tensor with 2 or more dimensions. Got size: {list(A.shape_tuple())} instead")
    if not pivot:
        raise RuntimeError(f"[{op}] LU without pivoting is not implemented on the CPU")
    if not ((<object>A).is_floating_point() or (<object>A).is_complex()):
        raise NotImplementedError(f"[{op}] not implemented for '{torch_name(A.view.dtype)}'; convert with .float()")
    need_float(op, A)
    LU, pivots, info, _ = lu_factors(LU_FACTOR, A)
    failure = first_failure(info) if check else None
    if failure is not None:
        raise RuntimeError(f"[{op}] {batch_element(failure)}U[{failure[1]},{failure[1]}] is zero and using it on lu_solve would result "
                           "in a division by zero. If you still want to perform the factorization, consider calling linalg.lu(A, "
                           "pivot) or linalg.lu_factor_ex(A, pivot)")
    record_multi(LU_FACTOR, (LU, pivots, info), (A,), (LU, pivots))
    return LU, pivots, info


def linalg_lu_factor_ex(A, *, pivot=True, check_errors=False, out=None):
    """Return packed LU factors, pivots, and ``info``: 0, or k where the k-th pivot is zero.

    LinAlgError with ``check_errors`` where one is.

    >>> import taeda
    >>> taeda.linalg.lu_factor_ex(taeda.tensor([[1., 2.], [2., 4.]])).info
    tensor(2, dtype=taeda.int32)
    """
    return give("linalg.lu_factor_ex", types.linalg_lu_factor_ex, lu_of("linalg.lu_factor", A, pivot, check_errors), out)


def linalg_lu_factor(A, *, pivot=True, out=None):
    """Factor matrices (..., m, n) as A = P L U with partial pivoting: L and U packed in one, and the pivots.

    Pivots (int32, counted from 1) say with which row each row was exchanged.

    Raises RuntimeError where a pivot is zero.

    >>> import taeda
    >>> LU, pivots = taeda.linalg.lu_factor(taeda.tensor([[1., 2.], [4., 4.]]))
    >>> LU, pivots
    (tensor([[4.0000, 4.0000],
            [0.2500, 1.0000]]), tensor([2, 2], dtype=taeda.int32))
    """
    return give("linalg.lu_factor", types.linalg_lu_factor, lu_of("linalg.lu_factor", A, pivot, True)[:2], out)


def linalg_lu(A, *, pivot=True, out=None):
    """Factor matrices (..., m, n) as A = P L U: a permutation, a unit lower and an upper triangle.

    >>> import taeda
    >>> taeda.linalg.lu(taeda.tensor([[1., 2.], [2., 2.]])).L
    tensor([[1.0000, 0.0000],
            [0.5000, 1.0000]])
    """
    LU, pivots, _ = lu_of("linalg.lu", A, pivot, False)
    return give("linalg.lu", types.linalg_lu, unpacked("linalg.lu", LU, pivots, True, True, "LinalgLuBackward0"), out)


def lu(A, pivot=True, get_infos=False, out=None):
    """Return packed LU factors and pivots (and infos); the former interface of :func:`taeda.linalg.lu_factor`."""
    deprecated("lu", "linalg.lu_factor")
    found = lu_of("lu", A, pivot, False)
    if out is not None:
        return tuple(give("lu", list, found[:3 if get_infos else 2], out))
    return types._lu_with_info(found) if get_infos else found[:2]


cdef tuple unpacked(str op, TensorBase LU, TensorBase pivots, bint data, bint swaps, str node):
    cdef int64_t m = rows(LU), k = min(m, cols(LU))
    P = L = U = empty_shape((0,), LU.view.dtype, LU.device)
    if swaps:
        at = permutation(op, pivots, m)
        P = numbers(LU, batch_of(LU) + (m, m), LU.view.dtype)
        P.scatter_(-2, at.unsqueeze(-2), 1)
    if data:
        L, U = named(unit_lower(LU, k).contiguous(), node), named(LU[..., :k, :].contiguous().triu(), node)
    return P, L, U


def lu_unpack(LU_data, LU_pivots, unpack_data=True, unpack_pivots=True, *, out=None):
    """Return P, L and U from the packed factors and pivots of ``taeda.linalg.lu_factor``; empty where not asked for.

    >>> import taeda
    >>> A = taeda.tensor([[1., 2.], [4., 4.]])
    >>> P, L, U = taeda.lu_unpack(*taeda.linalg.lu_factor(A))
    >>> L, P @ L @ U
    (tensor([[1.0000, 0.0000],
            [0.2500, 1.0000]]), tensor([[1., 2.],
            [4., 4.]]))
    """
    cdef TensorBase LU = as_tensor(LU_data, "lu_unpack"), pivots = as_tensor(LU_pivots, "lu_unpack")
    if LU.view.ndim < 2:
        raise RuntimeError(f"[lu_unpack] Expected tensor with 2 or more dimensions. Got size: {list(LU.shape_tuple())} instead")
    if unpack_pivots and pivots.view.dtype != I32:
        raise RuntimeError("[lu_unpack] LU_pivots is expected to be a contiguous tensor of taeda.int32 dtype, as lu_factor gives them; "
                           f"got {str((<object>pivots).dtype)[6:]}")
    if unpack_pivots and pivots.shape_tuple()[:-1] != batch_of(LU):
        raise RuntimeError(f"[lu_unpack] the pivots must have the batch of the factors, got shapes {tuple(pivots.shape_tuple())} and "
                           f"{tuple(LU.shape_tuple())}")
    return give("lu_unpack", types.lu_unpack, unpacked("lu_unpack", LU, pivots, unpack_data, unpack_pivots, "LuUnpackBackward0"), out)


# -- QR ----------------------------------------------------------------------------------------------


cdef object skew_part(object W, bint is_complex):
    """The adjoint of C -> tril(C, -1) - tril(C, -1)^H + i Im diag C: tril(W - W^H, -1) + i Im diag W"""
    x = (W - W.mH).tril(-1)
    if is_complex:
        d = W.diagonal(0, -2, -1)
        x = x + ((d - d.conj()) * 0.5).diag_embed()
    return x


cdef object qr_vjp(Node n, object g):
    """gA = (gQ + Q (skew(W) - W)) R^-H, W = Q^H gQ - gR R^H; columns beyond the square: R2 = Q^H A2"""
    cdef TensorBase Q, R = n.raw(1)
    cdef int64_t k = rows(R), w = cols(R)
    cdef str mode = n.extra
    gQ, gR = g
    if mode == "r":
        raise RuntimeError("[linalg.qr] The derivative of linalg.qr depends on Q, which is not computed when mode='r'. Please use "
                           "linalg.qr(A, mode='reduced') if you are going to differentiate through linalg.qr.")
    Q = n.raw(0)
    if mode == "complete" and rows(Q) > w:
        raise RuntimeError("[linalg.qr] The QR decomposition is not differentiable when mode='complete' and nrows > ncols: Q has shape "
                           f"{tuple(Q.shape_tuple())}, R {tuple(R.shape_tuple())}")
    R1, beyond = R, None
    if w > k:
        R1 = R[..., :k]
        if gR is not None:
            beyond = Q @ gR[..., k:]
            more = Q @ R[..., k:] @ gR[..., k:].mH
            gQ = more if gQ is None else gQ + more
            gR = gR[..., :k]
    W = 0
    if gQ is not None:
        W = Q.mH @ gQ
    if gR is not None:
        W = W - gR.triu() @ R1.mH
    x = Q @ (skew_part(W, Q.is_complex()) - W)
    if gQ is not None:
        x = x + gQ
    x = triangular(R1.mH, x, False, False)
    if w > k:
        x = cat((x, x.new_zeros(x.shape[:-1] + (w - k,)) if beyond is None else beyond), -1)
    return x

cdef Op QR = define("linalg_qr", qr_vjp, 0, 0, "orgqr", "LinalgQrBackward0")
cdef Op GEQRF_BLOCKS = define("geqrf", NULL, 0, 0, "geqrf_blocks")
cdef Op Q_BLOCKS = define("linalg_qr", NULL, 0, 0, "orgqr_blocks")
cdef Op SMALL_QR = define("linalg_qr", NULL, 0, 0, "small_qr")
cdef Op GEQRF = define("geqrf", underivable, 0, 0, "geqrf", "GeqrfBackward0")


cdef tuple reflectors(TensorBase A):
    """geqrf's packed R and reflectors, and their scales."""
    cdef TensorBase packed = columns(A), tau
    cdef int64_t k = min(rows(A), cols(A))
    cdef Param p[1]
    tau = numbers(A, batch_of(A) + (k,), A.view.dtype)
    call(GEQRF_BLOCKS if qr_in_blocks(A) else GEQRF, packed, count_of(batch_of(A)) if k else 0, (packed, tau), p)
    return packed, tau


cdef tuple qr_of(str op, object input, str mode):
    cdef TensorBase A = need_matrix(op, input), packed, tau, Q, R
    cdef int64_t m = rows(A), w = cols(A), k = min(m, w), wide = m if mode == "complete" else k
    cdef Param p[3]
    cdef bint reduced = mode != "r"
    need_float(op, A)
    if small(A, batch_of(A), m, w):
        p[1].i, p[2].i = wide, reduced
        R = empty_columns(A, batch_of(A), wide, w, A.view.dtype)
        Q = empty_columns(A, batch_of(A), m, wide, A.view.dtype) if reduced else empty_shape((0,), A.view.dtype, A.device)
        call(SMALL_QR, A, count_of(batch_of(A)), (Q if reduced else R, R, A), p)
        record_multi(QR, (Q, R), (A,), (Q, R), mode)
        return Q, R
    packed, tau = reflectors(A)
    R = columns(<TensorBase>packed[..., :wide, :].triu())
    if mode == "r":
        Q = empty_shape((0,), A.view.dtype, A.device)
    elif k == 0:
        Q = columns(<TensorBase>identity(A, batch_of(A), wide)) if wide else empty_columns(A, batch_of(A), m, 0, A.view.dtype)
    else:
        Q = empty_columns(A, batch_of(A), m, wide, A.view.dtype)
        if A.device != META:
            Q[..., :k] = packed[..., :k]
        call(Q_BLOCKS if qr_in_blocks(Q) and wide == k else QR, Q, count_of(batch_of(A)), (Q, tau), p)
    record_multi(QR, (Q, R), (A,), (Q, R), mode)
    return Q, R


def linalg_qr(A, mode="reduced", *, out=None):
    """Factor matrices (..., m, n) as A = Q R, Q with orthonormal columns, R an upper triangle.

    ``mode`` is "reduced" (Q is m x k, k = min(m, n)), "complete" (Q is m x m) or "r" (no Q).  Differentiable in
    mode "reduced", and "complete" where m <= n, if the first k columns of A are independent.

    >>> import taeda
    >>> Q, R = taeda.linalg.qr(taeda.tensor([[3., 1.], [4., 2.]]))
    >>> R
    tensor([[-5.0000, -2.2000],
            [ 0.0000,  0.4000]])
    """
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(f"[linalg.qr] qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', or "
                           "'complete'")
    return give("linalg.qr", types.linalg_qr, qr_of("linalg.qr", A, mode), out)


def qr(input, some=True, *, out=None):
    """Return Q and R, reduced where ``some``; the former interface of :func:`taeda.linalg.qr`."""
    deprecated("qr", "linalg.qr")
    return give("qr", types.qr, qr_of("qr", input, "reduced" if some else "complete"), out)


def geqrf(input, *, out=None):
    """Return LAPACK's form of A = Q R: R and, below it, the reflectors whose product is Q; and their scales tau.

    ``taeda.linalg.householder_product`` makes Q of them.

    >>> import taeda
    >>> R, tau = taeda.geqrf(taeda.tensor([[3., 1.], [4., 2.]]))
    >>> R.triu()
    tensor([[-5.0000, -2.2000],
            [ 0.0000,  0.4000]])
    """
    cdef TensorBase A = need_matrix("geqrf", input, "input"), packed, tau
    need_float("geqrf", A)
    packed, tau = reflectors(A)
    record_multi(GEQRF, (packed, tau), (A,), None)
    return give("geqrf", types.geqrf, (packed, tau), out)


# -- LDL ---------------------------------------------------------------------------------------------


cdef Op LDL = define("linalg_ldl_factor_ex", underivable, 0, 0, "sytrf", "LinalgLdlFactorExBackward0")


cdef tuple ldl_of(str op, object input, bint hermitian, bint check):
    cdef TensorBase A = need_square(op, input), LD, pivots, info
    cdef Param p[3]
    need_float(op, A)
    LD, pivots, info = columns(A), numbers(A, batch_of(A) + (rows(A),), I32), numbers(A, batch_of(A), I32)
    p[1].i = c"L"
    p[2].i = hermitian
    call(LDL, LD, count_of(batch_of(A)) if rows(A) else 0, (LD, pivots, info), p)
    LD.tril_()
    failure = first_failure(info) if check else None
    if failure is not None:
        raise LinAlgError(f"[{op}] {batch_element(failure)}D[{failure[1]},{failure[1]}] is zero and using it in ldl_solve would divide by "
                          "zero; consider linalg.ldl_factor_ex")
    record_multi(LDL, (LD, pivots, info), (A,), None)
    return LD, pivots, info


def linalg_ldl_factor_ex(input, *, hermitian=False, check_errors=False, out=None):
    """Return packed LDL factors, pivots, and ``info``: 0, or k where D[k, k] is zero.  See :func:`taeda.linalg.ldl_factor`."""
    return give("linalg.ldl_factor_ex", types.linalg_ldl_factor_ex, ldl_of("linalg.ldl_factor_ex", input, hermitian, check_errors), out)


def linalg_ldl_factor(input, *, hermitian=False, out=None):
    """Factor symmetric (or Hermitian) matrices as A = L D L^T, D of blocks of 1 and 2; as LAPACK's sytrf packs them.

    Only the lower triangle is read.  Not differentiable.

    >>> import taeda
    >>> A = taeda.tensor([[4., 2.], [2., 3.]])
    >>> taeda.linalg.ldl_factor(A).LD.tril()
    tensor([[4.0000, 0.0000],
            [0.5000, 2.0000]])
    """
    return give("linalg.ldl_factor", types.linalg_ldl_factor, ldl_of("linalg.ldl_factor_ex", input, hermitian, True)[:2], out)


METHODS = {"cholesky": cholesky, "geqrf": geqrf, "lu": lu, "qr": qr}
