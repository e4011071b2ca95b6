# cython: language_level=3, boundscheck=False, wraparound=True, cdivision=True, initializedcheck=False
"""Least squares and the pseudoinverse.

dP = -P dA P + P P^H dA^H (I - A P) + (I - P A) dA^H P^H P where the rank stays the same (Golub and Pereyra,
"The differentiation of pseudo-inverses and nonlinear least squares problems whose variables separate", 1973).
"""
from libc.stdint cimport int64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport Op, as_tensor, define, empty_shape, record, record_multi, write_out
from taeda.dtype cimport torch_name
from taeda.kernels.cpu.abi cimport C64, C128, F32, F64, I32, I64, Param
from taeda.ops.linalg cimport (batch_element, batch_of, call, cols, columns, common_batch, count_of, empty_columns,
                               first_failure, in_caches, numbers, rows, with_batch)
from taeda.tensor_base cimport META, TensorBase

from taeda.autograd.node import own
from taeda.dtype import finfo
from taeda.ops import return_types as types
from taeda.ops.binary_functions import maximum
from taeda.ops.conversion import as_tensor as tensor_of
from taeda.ops.eigen import linalg_eigh, svd_of_any_sign
from taeda.ops.factor import geqrf
from taeda.ops.join import cat
from taeda.ops.linalg import LinAlgError

__all__ = ["linalg_lstsq", "linalg_pinv", "pinverse"]
PUBLIC = ("pinverse",)


# -- the pseudoinverse -------------------------------------------------------------------------------


cdef object pinv_back(object A, object P, object g):
    Ph, gh = P.mH, g.mH
    K = gh @ P
    KPh = K @ Ph
    return KPh - (P @ K).mH - A @ (P @ KPh) + Ph @ (P @ (gh - K @ A))


cdef object pinv_vjp(Node n, object g):
    return pinv_back(n.raw(0), n.raw(1), g)

cdef Op PINV = define("linalg_pinv", pinv_vjp, 0, 0, "gesdd", "LinalgPinvBackward0")


def threshold_of(op, sizes, values, atol, rtol):
    """The value at and below which a singular value counts as zero: max(atol, rtol times the largest).

    Without both, rtol is eps max(m, n); with atol alone, 0.  Both may be tensors of the batch's shape.
    """
    for name, tolerance in (("atol", atol), ("rtol", rtol)):
        if isinstance(tolerance, TensorBase) and tolerance.is_complex():
            raise RuntimeError(f"[{op}] {name} tensor of complex type is not supported. Got "
                               f"{torch_name((<TensorBase>tolerance).view.dtype)}")
    if rtol is None:
        rtol = finfo(values.dtype).eps * max(sizes) if atol is None or (not isinstance(atol, TensorBase) and atol <= 0) else 0.0
    atol = 0.0 if atol is None else atol
    largest = values.amax(-1)
    rtol, atol = [x.to(values.dtype) if isinstance(x, TensorBase) else tensor_of(x, dtype=values.dtype, device=values.device)
                  for x in (rtol, atol)]
    return maximum(rtol * largest, atol)


cdef TensorBase pinv_of(object input, object atol, object rtol, bint hermitian):
    cdef TensorBase A = as_tensor(input, "linalg.pinv"), P
    if A.view.ndim < 2 or A.view.dtype not in (F32, F64, C64, C128):
        raise RuntimeError(f"[linalg.pinv] expected a tensor with 2 or more dimensions of float, double, cfloat or cdouble types, got "
                           f"{torch_name(A.view.dtype)} of shape {tuple(A.shape_tuple())}")
    if A.view.numel == 0:
        P = empty_shape(batch_of(A) + (cols(A), rows(A)), A.view.dtype, A.device)
    else:
        if hermitian:
            S, U = linalg_eigh(A.detach())
            size, Vh = S.abs(), U.mH
        else:
            U, S, Vh = svd_of_any_sign("linalg.pinv", A)
            size = S
        small = size <= threshold_of("linalg.pinv", (rows(A), cols(A)), size, atol, rtol).unsqueeze(-1)
        small = small | (S != S)
        inverse = S.masked_fill(small, 1).reciprocal().masked_fill(small, 0)
        P = (Vh.mH * inverse.unsqueeze(-2)) @ U.mH
    record(PINV, P, (A,), (A, P))
    return P


def linalg_pinv(A, rcond=None, hermitian=False, *, atol=None, rtol=None, out=None):
    """Return the Moore-Penrose inverses of matrices (..., m, n), from their singular values.

    Values of at most max(``atol``, ``rtol`` times the largest) count as zero; ``rcond`` is another name of
    rtol.  ``hermitian`` takes eigenvalues instead.  Differentiable where the rank does not change.

    >>> import taeda
    >>> taeda.linalg.pinv(taeda.tensor([[2., 0.], [0., 0.]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.0000]])
    """
    P = pinv_of(A, atol, rtol if rcond is None else rcond, hermitian)
    return P if out is None else write_out(out, P, "linalg.pinv")


def pinverse(input, rcond=1e-15):
    """Return the Moore-Penrose inverses; see ``taeda.linalg.pinv``.

    >>> import taeda
    >>> taeda.pinverse(taeda.tensor([[2.0, 0.0]]))
    tensor([[0.5000],
            [0.0000]])
    """
    return pinv_of(input, None, rcond, False)


# -- least squares -----------------------------------------------------------------------------------


cdef object lstsq_vjp(Node n, object g):
    """X = P B: gB = P^H gX, gA as the pseudoinverse's with gX B^H; residuals |A X - B|^2 do not move with X"""
    cdef object A = n.raw(0), B = n.raw(1), gA = None, gB = None
    gX, gR = g[0], g[1]
    if gX is not None:
        P = linalg_pinv(A)
        gB = P.mH @ gX
        gA = pinv_back(A, P, gX @ B.mH)
    if gR is not None and gR.numel():          # residuals that were not computed are empty
        X = n.raw(2)
        off = 2 * (A @ X - B) * gR.unsqueeze(-2)
        gA, gB = (off @ X.mH, -off) if gA is None else (gA + off @ X.mH, gB - off)
    return gA, gB

cdef Op GELS = define("linalg_lstsq", lstsq_vjp, 0, 0, "gels", "LinalgLstsqBackward0")
cdef Op GELSY = define("linalg_lstsq", lstsq_vjp, 0, 0, "gelsy", "LinalgLstsqBackward0")
cdef Op GELSD = define("linalg_lstsq", lstsq_vjp, 0, 0, "gelsd", "LinalgLstsqBackward0")
cdef Op GELSS = define("linalg_lstsq", lstsq_vjp, 0, 0, "gelss", "LinalgLstsqBackward0")
cdef dict DRIVERS = {"gels": GELS, "gelsy": GELSY, "gelsd": GELSD, "gelss": GELSS}


cdef int check_system(str op, TensorBase a, TensorBase b, object driver) except -1:
    """Are A and B of dimensions and a dtype that there are drivers for, and is this one?"""
    if a.view.ndim < 2:
        raise RuntimeError(f"[{op}] input must have at least 2 dimensions; its shape is {tuple(a.shape_tuple())}")
    if b.view.ndim < 1:
        raise RuntimeError(f"[{op}] other must have at least 1 dimension; it is a number")
    if a.view.dtype != b.view.dtype:
        raise RuntimeError(f"[{op}] Expected input and other to have the same dtype, but got input's dtype {torch_name(a.view.dtype)} and "
                           f"other's dtype {torch_name(b.view.dtype)}")
    if driver not in DRIVERS:
        raise RuntimeError(f"[{op}] parameter `driver` should be one of (gels, gelsy, gelsd, gelss), got {driver!r}")
    if a.view.dtype not in (F32, F64, C64, C128):
        raise RuntimeError(f"[{op}] This function doesn't handle types other than float and double, real or complex; got "
                           f"{torch_name(a.view.dtype)}")
    return 0


cdef TensorBase by_triangle(TensorBase a, TensorBase b, TensorBase X, int64_t w):
    """Put the system of the triangle into X in place of a long one: [A B] = Q [R Q^H B].  Return R; None if not all of it is finite."""
    packed = geqrf(cat((a.detach(), b.detach()), -1))[0]
    R = columns(<TensorBase>packed[..., :w, :w].triu())
    if not R.isfinite().all():
        return None
    X[..., :w, :] = packed[..., :w, w:]
    X[..., w:, :] = packed[..., w:, w:].triu()                       # as long as the residuals
    return R


cdef int refuse_failure(str op, object driver, TensorBase info) except -1:
    """Raise the error of the first matrix for which the kernel found no solution."""
    failure = first_failure(info)
    if failure is None:
        return 0
    why = ("the input contained non-finite values" if failure[1] < 0 else "the input matrix does not have full rank (error code: "
           f"{failure[1]})" if driver == "gels" else f"the singular values did not converge (error code: {failure[1]})")
    raise LinAlgError(f"[{op}] {batch_element(failure)}The least squares solution could not be computed because {why}.")


def linalg_lstsq(A, B, rcond=None, *, driver=None, out=None):
    """Return the X that make |A X - B| smallest (and of those the smallest X), and what LAPACK says of A.

    A is (..., m, n), B (..., m, k), or (..., m) for a vector each; batches broadcast.  ``driver`` is "gelsy"
    (QR with pivots, the default), "gels" (QR, for full rank only), "gelsd" or "gelss" (SVD).  Singular values
    of at most ``rcond`` times the largest count as zero (default: eps max(m, n)).

    The result has ``solution``; ``residuals``, |A X - B|^2 a column, where m > n, the rank is full and the
    driver is not gelsy; ``rank`` but for gels; ``singular_values`` for gelsd and gelss, both of A's own batch.
    What is missing is empty.

    Raises LinAlgError: the driver is gels and a matrix has not full rank, or an input holds inf or nan.

    >>> import taeda
    >>> A, b = taeda.tensor([[1., 0.], [1., 1.], [1., 2.]]), taeda.tensor([[1.], [3.], [5.]])
    >>> taeda.linalg.lstsq(A, b).solution.round(decimals=4)
    tensor([[1.],
            [2.]])
    """
    cdef str op = "linalg.lstsq"
    cdef TensorBase a = as_tensor(A, op), b = as_tensor(B, op), X, S, rank, info, lost, R
    cdef Op kernel
    cdef int64_t m, w
    cdef Param p[2]
    cdef bint vector
    cdef double tolerance = 0 if rcond is None else rcond
    driver = "gelsy" if driver is None else driver
    check_system(op, a, b, driver)
    vector = b.view.ndim == 1 or b.shape_tuple() == a.shape_tuple()[:-1]
    if vector:
        b = b.unsqueeze(-1)
    if not 0 <= a.view.ndim - b.view.ndim <= 1:
        raise RuntimeError(f"[{op}] input.dim() must be greater or equal to other.dim() and (input.dim() - other.dim()) <= 1, got shapes "
                           f"{tuple(a.shape_tuple())} and {tuple(b.shape_tuple())}")
    batch = common_batch(op, a, b)
    if rows(a) != rows(b):
        raise RuntimeError(f"[{op}] input.size(-2) should match other.size(-{1 if vector else 2}), got {rows(a)} and {rows(b)}")
    given = batch_of(a)
    a, b = with_batch(a, batch), with_batch(b, batch)
    m, w = rows(a), cols(a)
    X = empty_columns(a, batch, max(m, w), cols(b), a.view.dtype)
    X.zero_()
    X[..., :m, :] = b.detach()
    S = numbers(a, batch + (min(m, w),), F32 if a.view.dtype in (F32, C64) else F64)
    rank, info = numbers(a, batch, I64), numbers(a, batch, I32)
    p[1].f = finfo((<object>S).dtype).eps * max(m, w) if rcond is None else tolerance
    kernel = <Op>DRIVERS[driver]
    lost = columns(a)
    if (kernel is GELSY or kernel is GELS) and m >= 2 * w and 0 < cols(b) <= w and a.device != META and not in_caches(a, w + cols(b)):
        R = by_triangle(a, b, X, w)
        lost = lost if R is None else R
    if min(m, w) and cols(b):
        call(kernel, a, count_of(batch), (lost, X, S, rank, info), p)
    elif min(m, w) == 0 and w:
        X.zero_()
    refuse_failure(op, driver, info)
    residuals = empty_shape((0,), S.view.dtype, a.device)
    solution = X[..., :w, :].detach()
    if a.device == META and m > w and driver in ("gelsd", "gelss"):
        raise NotImplementedError(f"[{op}] the shape of the residuals depends on the rank, which a meta tensor does not have")
    if m > w and (driver == "gels" or (driver != "gelsy" and bool((rank == w).all()))):
        rest = X[..., w:, :].abs()
        residuals = (rest * rest).sum(-2)
    for d, n in enumerate(given):                # what is said of A, once for each that was given
        if n < batch[d]:
            rank, S = (<object>rank).narrow(d, 0, n), (<object>S).narrow(d, 0, n)
    record_multi(kernel, (solution, residuals), (a, b), (a, b, solution))
    found = (own(solution.squeeze(-1)) if vector else solution, residuals, empty_shape((0,), I64, a.device) if driver == "gels" else rank,
             S if driver in ("gelsd", "gelss") else empty_shape((0,), S.view.dtype, a.device))
    return types.linalg_lstsq(found if out is None else [write_out(o, y, op) for o, y in zip(out, found)])


METHODS = {"pinverse": pinverse}
