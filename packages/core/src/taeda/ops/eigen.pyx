# cython: language_level=3, boundscheck=False, wraparound=True, cdivision=True, initializedcheck=False
"""Eigenvalues and singular values.

Vectors are fixed only up to a factor (a sign; e^(i phi) in the complex case), so a loss must not depend on
it: a complex one that does is refused when it is differentiated.  Derivatives divide by differences of
eigenvalues; equal ones give inf and nan, as they have to (Mike Giles, "Collected matrix derivative results
for forward and reverse mode algorithmic differentiation", 2008).
"""
from libc.stdint cimport int64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport Op, any_needs_grad, as_tensor, define, empty_shape, record_multi, write_out
from taeda.dtype cimport is_complex_, is_integral, name_of, torch_name
from taeda.kernels.cpu.abi cimport C64, C128, F32, F64, I32, Param
from taeda.ops.linalg cimport (LONG_AREA, batch_element, batch_of, call, cols, columns, count_of, empty_columns, first_failure, give,
                               identity, need_float, need_matrix, need_square, numbers, rows, small)
from taeda.tensor_base cimport META, TensorBase

from taeda.autograd.node import own
from taeda.ops import return_types as types
from taeda.ops.factor import geqrf
from taeda.ops.linalg import LinAlgError
from taeda.ops.reflectors import linalg_householder_product
from taeda.ops.solve import linalg_solve

__all__ = ["linalg_eig", "linalg_eigh", "linalg_eigvals", "linalg_eigvalsh", "linalg_svd", "linalg_svdvals", "svd"]
PUBLIC = ("svd",)


cdef int real_code(int dtype) noexcept:
    return F32 if dtype == C64 else F64 if dtype == C128 else dtype


cdef int raise_failure(str op, TensorBase info, str values) except -1:
    failure = first_failure(info)
    if failure is None:
        return 0
    if failure[1] < 0:
        raise LinAlgError(f"[{op}] {batch_element(failure)}The algorithm failed to converge because the input matrix contained "
                          "non-finite values.")
    raise LinAlgError(f"[{op}] {batch_element(failure)}The algorithm failed to converge because the input matrix is ill-conditioned or "
                      f"has too many repeated {values} (error code: {failure[1]}).")


cdef object differences(object L):
    """E_ij = L_j - L_i, and 1 on the diagonal"""
    E = L.unsqueeze(-2) - L.unsqueeze(-1)
    return E + identity(<TensorBase>L, (), L.shape[-1])


cdef object with_diagonal(object x, object d):
    """x with d (or zeros, for None) on its diagonals"""
    x = x - x.diagonal(0, -2, -1).diag_embed()
    return x if d is None else x + d.diag_embed()


cdef int check_gauge(str op, str what, TensorBase d) except -1:
    """The imaginary part of sum conj(v) gv is the derivative along v e^(i phi): it must vanish."""
    if not is_complex_(d.view.dtype) or d.device == META:
        return 0
    d = d.detach().imag
    if not d.allclose(d.new_zeros(d.shape), rtol=1e-2, atol=1e-2):
        raise RuntimeError(f"[{op}] The {what} in the complex case are specified up to multiplication by e^{{i phi}}. The specified loss "
                           "function depends on this quantity, so it is ill-defined.")
    return 0


# -- Hermitian matrices: A = V diag(L) V^H -----------------------------------------------------------


cdef object eigh_vjp(Node n, object g):
    """gA = V (diag(gL) + skew(V^H gV) / E) V^H: the skew part alone makes gA Hermitian, whatever gV is (a second derivative's is not)"""
    cdef object V = n.raw(1), x
    gL, gV = g
    if gV is None:
        return (V * gL.unsqueeze(-2)) @ V.mH
    x = V.mH @ gV
    check_gauge("linalg.eigh", "eigenvectors", x.diagonal(0, -2, -1))
    x = with_diagonal((x - x.mH) / (2 * differences(n.raw(0))), None if gL is None else gL.to(V.dtype))
    return V @ x @ V.mH

cdef Op EIGH = define("linalg_eigh", eigh_vjp, 0, 0, "syevd", "LinalgEighBackward0")


cdef Op SMALL_EIGH = define("linalg_eigh", NULL, 0, 0, "small_eigh")

cdef enum:
    OTHER_SIGNS = 26         # rows from which on PyTorch's eigenvectors have the signs of LAPACK's


cdef tuple eigh_of(object input, object UPLO, bint vectors):
    cdef TensorBase A = need_square("linalg.eigh", input), V, L, info
    cdef Param p[3]
    if not isinstance(UPLO, str) or UPLO.upper() not in ("L", "U"):
        raise RuntimeError(f"[linalg.eigh] Expected UPLO argument to be 'L' or 'U', but got {UPLO}")
    need_vectors("linalg.eigh", A)
    vectors = vectors or any_needs_grad((A,))
    p[1].i = c"V" if vectors else c"N"
    p[2].i = c"U" if UPLO.upper() == "U" else c"L"
    if (not vectors or rows(A) < OTHER_SIGNS) and small(A, batch_of(A), rows(A), rows(A)):
        V = empty_columns(A, batch_of(A), rows(A), rows(A), A.view.dtype) if vectors else A
        L, info = empty_shape(batch_of(A) + (rows(A),), A.view.dtype, A.device), empty_shape(batch_of(A), I32, A.device)
        call(SMALL_EIGH, A, count_of(batch_of(A)), (V, L, info, A), p)
        raise_failure("linalg.eigh", info, "eigenvalues")
        record_multi(EIGH, (L, V), (A,), (L, V))
        return L, V
    V, L, info = columns(A), numbers(A, batch_of(A) + (rows(A),), real_code(A.view.dtype)), numbers(A, batch_of(A), I32)
    call(EIGH, V, count_of(batch_of(A)) if rows(A) else 0, (V, L, info), p)
    raise_failure("linalg.eigh", info, "eigenvalues")
    record_multi(EIGH, (L, V), (A,), (L, V))
    return L, V


cdef int need_vectors(str op, TensorBase A) except -1:
    if is_integral(A.view.dtype):
        raise NotImplementedError(f"[{op}] not implemented for '{torch_name(A.view.dtype)}'; convert with .float()")
    need_float(op, A)
    return 0


def linalg_eigh(A, UPLO="L", *, out=None):
    """Return the eigenvalues (ascending, real) and orthonormal eigenvectors (columns) of Hermitian matrices.

    Only the triangle that ``UPLO`` names is read.

    Raises LinAlgError where a matrix holds nan or the iteration does not converge.

    >>> import taeda
    >>> taeda.linalg.eigh(taeda.tensor([[2., 0.], [0., 1.]])).eigenvalues
    tensor([1., 2.])
    """
    return give("linalg.eigh", types.linalg_eigh, eigh_of(A, UPLO, True), out)


def linalg_eigvalsh(A, UPLO="L", *, out=None):
    """Return the eigenvalues of Hermitian matrices, ascending; see ``taeda.linalg.eigh``.

    >>> import taeda
    >>> taeda.linalg.eigvalsh(taeda.tensor([[3., 0.], [0., -1.]]))
    tensor([-1.,  3.])
    """
    L = eigh_of(A, UPLO, False)[0]
    return L if out is None else write_out(out, <TensorBase>L, "linalg.eigvalsh")


# -- any square matrices: A V = V diag(L) ------------------------------------------------------------


cdef object eig_vjp(Node n, object g):
    """gA = V^-H (diag(gL) + (V^H gV - V^H V diag(Re V^H gV)) / conj(E)) V^H"""
    cdef object V = n.raw(1), x
    gL, gV = g
    if gV is None:
        x = gL.unsqueeze(-1) * V.mH
    else:
        x = V.mH @ gV
        d = x.diagonal(0, -2, -1)
        check_gauge("linalg.eig", "eigenvectors", d)
        x = x - V.mH @ (V * d.real.unsqueeze(-2))
        x = with_diagonal(x / differences(n.raw(0)).conj(), gL) @ V.mH
    x = linalg_solve(V.mH, x)
    return x if n.extra else x.real

cdef Op EIG = define("linalg_eig", eig_vjp, 0, 0, "geev", "LinalgEigBackward0")


cdef tuple eig_of(object input, bint vectors):
    cdef TensorBase A = need_square("linalg.eig", input), work, L, V, info
    cdef int dtype
    cdef Param p[2]
    if is_integral(A.view.dtype):
        raise RuntimeError(f"[linalg.eig] Expected a floating point or complex tensor as input. Got {name_of(A.view.dtype)}; convert with "
                           ".float()")
    need_float("linalg.eig", A)
    dtype = C64 if A.view.dtype == F32 else C128 if A.view.dtype == F64 else A.view.dtype
    vectors = vectors or any_needs_grad((A,))
    work, info = columns(A), numbers(A, batch_of(A), I32)
    L, V = empty_shape(batch_of(A) + (rows(A),), dtype, A.device), empty_columns(A, batch_of(A), rows(A), cols(A), dtype)
    p[1].i = c"V" if vectors else c"N"
    call(EIG, A, count_of(batch_of(A)) if rows(A) else 0, (work, L, V, info), p)
    failure = first_failure(info)
    if failure is not None and failure[1] < 0:
        raise RuntimeError(f"[linalg.eig] {batch_element(failure)}input tensor should not contain infs or NaNs.")
    raise_failure("linalg.eig", info, "eigenvalues")
    record_multi(EIG, (L, V), (A,), (L, V), bool(is_complex_(A.view.dtype)))
    return L, V


def linalg_eig(A, *, out=None):
    """Return the eigenvalues and eigenvectors (columns, of norm 1) of square matrices, always complex, in no order.

    Raises:
        RuntimeError: a matrix holds inf or nan.
        LinAlgError: the iteration does not converge.

    >>> import taeda
    >>> taeda.linalg.eig(taeda.tensor([[2., 1.], [0., 1.]])).eigenvalues.real
    tensor([2., 1.])
    """
    return give("linalg.eig", types.linalg_eig, eig_of(A, True), out)


def linalg_eigvals(A, *, out=None):
    """Return the eigenvalues of square matrices, always complex; see ``taeda.linalg.eig``.

    >>> import taeda
    >>> taeda.linalg.eigvals(taeda.tensor([[0., -1.], [1., 0.]]))
    tensor([0.+1.j, 0.-1.j])
    """
    L = eig_of(A, False)[0]
    return L if out is None else write_out(out, <TensorBase>L, "linalg.eigvals")


# -- singular values: A = U diag(S) V^H --------------------------------------------------------------


cdef object svd_vjp(Node n, object g):
    """gA = U (skew(U^H gU)/E S + S skew(V^H gV)/E + diag(gS)) V^H, and what of gU and gV stands off the columns of U and V"""
    cdef object U = n.raw(0), S = n.raw(1), Vh = n.raw(2), x = None
    cdef int64_t k = S.shape[-1], m = U.shape[-2], w = Vh.shape[-1]
    gU, gS, gVh = g
    if k == 0 or S.shape.numel() == 0:
        return U.new_zeros(U.shape[:-2] + (m, w))
    U, Vh = U[..., :k], Vh[..., :k, :]
    if gU is None and gVh is None:
        return (U * gS.unsqueeze(-2)) @ Vh
    rise = S.unsqueeze(-2) - S.unsqueeze(-1)
    E = rise * (S.unsqueeze(-2) + S.unsqueeze(-1)) + identity(<TensorBase>S, (), k)
    turned = 0
    if gU is not None:
        gU = gU[..., :k]
        UhgU = U.mH @ gU
        turned = UhgU.diagonal(0, -2, -1)
        skew = UhgU - UhgU.mH
        x = skew / E * S.unsqueeze(-2)
    if gVh is not None:
        gVh = gVh[..., :k, :]
        VhgV = Vh @ gVh.mH
        turned = turned + VhgV.diagonal(0, -2, -1)
        part = (VhgV - VhgV.mH) / E * S.unsqueeze(-1)
        x = part if x is None else x + part
    check_gauge("linalg.svd", "singular vectors", <TensorBase>turned)
    if gS is not None:
        x = x + gS.diag_embed()
    if gU is not None and U.is_complex():
        x = x + (skew.diagonal(0, -2, -1) / (2 * S)).diag_embed()
    x = U @ x
    if gU is not None and m > k:
        x = x + (gU - U @ UhgU) / S.unsqueeze(-2)
    x = x @ Vh
    if gVh is not None and w > k:
        x = x + U @ ((gVh - VhgV.mH @ Vh) / S.unsqueeze(-1))
    return x

cdef Op SVD = define("linalg_svd", svd_vjp, 0, 0, "gesdd", "LinalgSvdBackward0")


cdef Op SMALL_SVD = define("linalg_svd", NULL, 0, 0, "small_svd")


cdef bint turns_pairs(TensorBase A, tuple batch, bint vectors) except -1:
    """Are pairs of columns turned (small_svd)?  Beyond these sizes LAPACK is faster: measured on Zen 4 in batches and alone."""
    cdef int64_t k = min(rows(A), cols(A))
    if not small(A, batch, rows(A), cols(A)):
        return False
    return k <= 8 or count_of(batch) >= 8 and (vectors or k <= (24 if A.view.dtype == F32 else 12))


cdef bint long_enough(TensorBase A) except -1:
    """Is A so much longer than wide (or wider than long) that its values are better taken from a triangle?  LAPACK draws the same line."""
    cdef int64_t k = min(rows(A), cols(A)), m = max(rows(A), cols(A))
    return k > 0 and m >= k * 11 // 6 and m * k >= LONG_AREA and A.device != META


cdef tuple svd_by_triangle(str op, TensorBase A, bint vectors):
    """U, S and Vh, thin, of a long or wide A from the triangle of its QR (or that of A^H); None where a number is not finite."""
    cdef bint wide = rows(A) < cols(A)
    cdef int64_t k = min(rows(A), cols(A))
    packed, tau = geqrf(A.mH if wide else A)
    R = packed[..., :k, :].triu()
    if not bool(R.isfinite().all()):
        return None
    if not vectors:
        return None, some_svd(op, R, False)[1], None
    U, S, Vh = svd_of(op, R.mH if wide else R, False, True)
    Q = linalg_householder_product(packed, tau)
    if wide:
        return U, S, own((Q.conj() @ Vh.mT).mT)     # transposed products: results lie by columns
    return own((U.mT @ Q.mT).mT), S, Vh


cdef tuple some_svd(str op, TensorBase A, bint vectors):
    """S, and the first U and Vh with vectors whose signs nobody sees; without history."""
    cdef tuple batch = batch_of(A)
    cdef int64_t m = rows(A), w = cols(A), k = min(m, w)
    cdef TensorBase S, info, U = None, V = None
    cdef Param p[2]
    if not turns_pairs(A, batch, vectors):
        if not vectors and long_enough(A):
            found = svd_by_triangle(op, A.detach(), False)
            if found is not None:
                return found
        U, S, Vh = svd_of(op, A.detach(), False, vectors)
        return U, S, Vh
    S, info = empty_shape(batch + (k,), A.view.dtype, A.device), empty_shape(batch, I32, A.device)
    if vectors:
        U, V = empty_columns(A, batch, m, k, A.view.dtype), empty_columns(A, batch, w, k, A.view.dtype)
    p[1].i = m < w
    call(SMALL_SVD, A, count_of(batch), (A, S, info, U, V), p)
    raise_failure(op, info, "singular values")
    return U, S, None if V is None else V.mT


def svd_of_any_sign(op, A):
    """Return U, S and Vh without history for what is made of all three: whose signs they are makes no difference then."""
    return some_svd(op, A, True)


cdef tuple svd_of(str op, object input, bint full, bint vectors, object driver=None):
    cdef TensorBase A = need_matrix(op, input), U, S, Vh, info
    cdef int64_t m, w, k
    cdef Param p[2]
    need_float(op, A)
    if driver is not None:
        raise RuntimeError(f"[{op}] keyword argument `driver=` is only supported on CUDA inputs with cuSOLVER backend.")
    m, w, k = rows(A), cols(A), min(rows(A), cols(A))
    vectors = vectors or any_needs_grad((A,))
    if vectors and not full and long_enough(A):
        found = svd_by_triangle(op, A.detach(), True)
        if found is not None:
            record_multi(SVD, found, (A,), found)
            return found
    S, info = numbers(A, batch_of(A) + (k,), real_code(A.view.dtype)), numbers(A, batch_of(A), I32)
    U = empty_columns(A, batch_of(A), m, m if full else k, A.view.dtype)
    Vh = empty_columns(A, batch_of(A), w if full else k, w, A.view.dtype)
    p[1].i = c"N" if not vectors else c"A" if full else c"S"
    if k:
        call(SVD, A, count_of(batch_of(A)), (columns(A), S, U, Vh, info), p)
        raise_failure(op, info, "singular values")
    elif A.device != META:                     # no values: any basis will do
        for t in (U, Vh):
            t.zero_().diagonal(0, -2, -1).fill_(1)
    record_multi(SVD, (U, S, Vh), (A,), (U, S, Vh))
    return U, S, Vh


def linalg_svd(A, full_matrices=True, *, driver=None, out=None):
    """Factor matrices (..., m, n) as A = U diag(S) Vh, S descending; U and Vh square, or thin without ``full_matrices``.

    Backwards only the first min(m, n) vectors count; singular values must differ if a loss uses the vectors.

    Raises LinAlgError where a matrix holds nan or the iteration does not converge.

    >>> import taeda
    >>> taeda.linalg.svd(taeda.tensor([[0., 2.], [1., 0.]])).S
    tensor([2., 1.])
    """
    return give("linalg.svd", types.linalg_svd, svd_of("linalg.svd", A, full_matrices, True, driver), out)


def linalg_svdvals(A, *, driver=None, out=None):
    """Return the singular values of matrices, descending; see ``taeda.linalg.svd``.

    >>> import taeda
    >>> taeda.linalg.svdvals(taeda.tensor([[0., 2.], [-3., 0.]]))
    tensor([3., 2.])
    """
    cdef TensorBase x = need_matrix("linalg.svd", A)
    if driver is None and not any_needs_grad((x,)) and x.view.dtype in (F32, F64):
        S = some_svd("linalg.svd", x, False)[1]
    else:
        S = svd_of("linalg.svd", A, False, False, driver)[1]
    return S if out is None else write_out(out, <TensorBase>S, "linalg.svdvals")


def svd(input, some=True, compute_uv=True, *, out=None):
    """Return U, S and V with A = U diag(S) V^H; the former interface of :func:`taeda.linalg.svd`, which returns V^H.

    Without ``compute_uv`` the vectors are zeros.
    """
    cdef TensorBase A = as_tensor(input, "svd")
    if not compute_uv:
        S = linalg_svdvals(need_matrix("linalg.svd", A))
        U = numbers(A, batch_of(A) + (rows(A), rows(A)), A.view.dtype)
        return give("svd", types.svd, (U, S, numbers(A, batch_of(A) + (cols(A), cols(A)), A.view.dtype)), out)
    U, S, Vh = svd_of("linalg.svd", A, not some, True)
    return give("svd", types.svd, (U, S, Vh.mH), out)


METHODS = {"svd": svd}
