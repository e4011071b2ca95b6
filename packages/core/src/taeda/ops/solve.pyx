# cython: language_level=3, boundscheck=False, wraparound=True, cdivision=True, initializedcheck=False
"""Systems of linear equations A X = B: by LU, by given factors, by triangles; and the inverse.

Each primitive takes matrices of one batch; vectors, right-hand sides of X A = B and broadcasting are views
around it.  Backwards, every solution needs one more solution with A^H: gB = A^-H g, gA = -gB X^H.
"""
from libc.stdint cimport int32_t, int64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport Op, as_tensor, define, record, record_multi, write_out
from taeda.dtype cimport is_complex_
from taeda.kernels.cpu.abi cimport I32, Param
from taeda.ops.linalg cimport (INVERSE_ALONE, SIDES_ALONE, alone, batch_element, batch_of, call, cols, columns, common_batch, count_of,
                               empty_columns,
                               first_failure, give, identity, in_columns, lu_factors, need_float, need_matrix, need_same, need_square,
                               permutation, readable, recording, rows, small_pairs, underivable, with_batch)
from taeda.tensor_base cimport CPU, TensorBase

from taeda.autograd.node import own
from taeda.ops import return_types as types
from taeda.ops.linalg import LinAlgError, deprecated

__all__ = ["cholesky_inverse", "cholesky_solve", "inverse", "linalg_inv", "linalg_inv_ex", "linalg_ldl_solve", "linalg_lu_solve",
           "linalg_solve", "linalg_solve_ex", "linalg_solve_triangular", "lu_solve", "triangular_solve"]
PUBLIC = ("cholesky_inverse", "cholesky_solve", "inverse", "lu_solve", "triangular_solve")


cdef int check_sizes(str op, TensorBase A, TensorBase B, bint left) except -1:
    if (rows(B) if left else cols(B)) != rows(A):
        raise RuntimeError(f"[{op}] Incompatible shapes of A and B for the equation {'AX = B' if left else 'XA = B'} "
                           f"({rows(A)}x{cols(A)} and {rows(B)}x{cols(B)})")
    return 0


# -- A X = B by LU -----------------------------------------------------------------------------------


cdef object solve_vjp(Node n, object g):
    cdef TensorBase A = n.raw(0)
    X = n.raw(1)
    if recording():
        gB = linalg_solve(A.mH, g)
    else:
        gB = linalg_lu_solve(n.raw(2), n.raw(3), g, adjoint=True)
    return -(gB @ X.mH) if n.needs(0) else None, gB

cdef Op FACTOR = define("linalg_solve", NULL, 0, 0, "getrf", "LinalgSolveFactors")
cdef Op SOLVE = define("linalg_solve_ex", solve_vjp, 0, 0, "getrs", "LinalgSolveExBackward0")


cdef Op SOLVE_BLOCKS = define("linalg_solve_ex", NULL, 0, 0, "getrs_blocks")
cdef Op SMALL_SOLVE = define("linalg_solve_ex", NULL, 0, 0, "small_from_lu")


cdef TensorBase substituted(Op op, TensorBase B, TensorBase LU, TensorBase pivots, int how):
    """The solution for LU's matrices, which may lack batch dimensions that B has; without B, the inverse."""
    cdef Param p[2]
    cdef tuple batch = batch_of(LU if B is None else B)
    cdef TensorBase X
    p[1].i = how
    if batch_of(LU) != batch:
        pivots = pivots.expand(batch + (rows(LU),))
    if small_pairs(LU, batch, rows(LU), rows(LU)) and (B is None or B.view.numel):
        X = empty_columns(LU, batch, rows(LU), rows(LU) if B is None else cols(B), LU.view.dtype)
        call(SMALL_SOLVE, X, count_of(batch), (X, with_batch(LU, batch), pivots.contiguous(), B), p)
        return X
    if batch_of(LU) != batch:
        LU = columns(<TensorBase>with_batch(LU, batch))
    X = columns(<TensorBase>identity(LU, batch, rows(LU)) if B is None else B)
    if alone(batch, SIDES_ALONE, min(rows(X), cols(X))):
        op = SOLVE_BLOCKS
    call(op, X, count_of(batch) if X.view.numel else 0, (X, readable(LU), pivots.contiguous()), p)
    return X


def linalg_solve_ex(A, B, *, left=True, check_errors=False, out=None):
    """Solve A X = B (or X A = B) and say in ``info`` which matrices are singular instead of raising.

    ``info`` (int32, one a matrix) is 0, or k where the k-th pivot is zero.  See ``taeda.linalg.solve``.

    >>> import taeda
    >>> taeda.linalg.solve_ex(taeda.tensor([[2., 0.], [0., 4.]]), taeda.ones(2)).result
    tensor([0.5000, 0.2500])
    """
    return give("linalg.solve_ex", types.linalg_solve_ex, solve_any("linalg.solve", A, B, left, check_errors), out)


cdef tuple solve_any(str op, object first, object second, bint left, bint check):
    """X of A X = B (X A = B where not ``left``), and which pivot is 0; ``check`` raises LinAlgError for one."""
    cdef TensorBase A = need_square(op, first), B = as_tensor(second, op), X, LU, pivots, info
    cdef tuple batch
    cdef bint vector = B.view.ndim == 1 or (B.view.ndim == A.view.ndim - 1 and B.shape_tuple() == A.shape_tuple()[:-1])
    need_float(op, A, True)
    need_same(op, A, B, "A", "B")
    if vector:
        if not left:
            raise RuntimeError(f"[{op}] Vector broadcasting of the left hand side is not supported for left=False. In this case "
                               f"{op} is equivalent to B / A.squeeze(-1); the shapes are {tuple(A.shape_tuple())} and "
                               f"{tuple(B.shape_tuple())}")
        B = B.unsqueeze(-1)
    need_matrix(op, B, "B")
    check_sizes(op, A, B, left)
    if not left:
        A, B = A.mT, B.mT
    LU, pivots, info, _ = lu_factors(FACTOR, A)
    failure = first_failure(info) if check else None
    if failure is not None:
        raise LinAlgError(f"[{op}] {batch_element(failure)}The solver failed because the input matrix is singular.")
    batch = common_batch(op, A, B)
    A, B = with_batch(A, batch), with_batch(B, batch)
    X = substituted(SOLVE, B, LU, pivots, c"N")
    record(SOLVE, X, (A, B), (A, X, LU, pivots))
    if not vector and left:
        return X, info
    return own(X.squeeze(-1) if vector else X.mT, "LinalgSolveExBackward0"), info


def linalg_solve(A, B, *, left=True, out=None):
    """Solve the systems A X = B of square matrices, or X A = B where ``left`` is False.

    A is (..., n, n), B (..., n, k), or (..., n) for a vector each; batches broadcast.

    Raises:
        LinAlgError: a matrix is singular; the message names its place in the batch.
        RuntimeError: shapes or dtypes do not fit.

    >>> import taeda
    >>> taeda.linalg.solve(taeda.tensor([[2., 0.], [0., 4.]]), taeda.tensor([2., 2.]))
    tensor([1.0000, 0.5000])
    """
    X = solve_any("linalg.solve", A, B, left, True)[0]
    return X if out is None else write_out(out, <TensorBase>X, "linalg.solve")


# -- the inverse -------------------------------------------------------------------------------------


cdef object inv_vjp(Node n, object g):
    Y = n.raw(0).mH
    return -(Y @ g[0] @ Y)

cdef Op INV = define("linalg_inv_ex", inv_vjp, 0, 0, "getrs", "LinalgInvExBackward0")


cdef tuple invert(str op, object input, bint check):
    cdef TensorBase A = need_square(op, input), LU, pivots, info, Y
    need_float(op, A, True)
    LU, pivots, info, _ = lu_factors(FACTOR, A)
    failure = first_failure(info) if check else None
    if failure is not None:
        raise LinAlgError(f"[{op}] {batch_element(failure)}The diagonal element {failure[1]} is zero, the inversion could not be "
                          "completed because the input matrix is singular.")
    Y = substituted(INV, None, LU, pivots, c"N")
    record_multi(INV, (Y, info), (A,), (Y,))
    return Y, info


def linalg_inv_ex(A, *, check_errors=False, out=None):
    """Return the inverses and ``info``: 0, or k where the k-th pivot is zero and the matrix has no inverse.

    >>> import taeda
    >>> taeda.linalg.inv_ex(taeda.tensor([[2., 0.], [0., 0.]])).info
    tensor(2, dtype=taeda.int32)
    """
    return give("linalg.inv_ex", types.linalg_inv_ex, invert("linalg.inv", A, check_errors), out)


def linalg_inv(A, *, out=None):
    """Return the inverses of square matrices (..., n, n).

    Raises LinAlgError, naming the place in the batch, where a matrix is singular.

    >>> import taeda
    >>> taeda.linalg.inv(taeda.tensor([[2., 0.], [0., 4.]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    Y = invert("linalg.inv", A, True)[0]
    return Y if out is None else write_out(out, <TensorBase>Y, "linalg.inv")


def inverse(input, *, out=None):
    """Return the inverses of square matrices; see ``taeda.linalg.inv``.

    >>> import taeda
    >>> taeda.inverse(taeda.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    return linalg_inv(input, out=out)


# -- triangles ---------------------------------------------------------------------------------------


cdef object triangular_vjp(Node n, object g):
    upper, left, unit = n.extra
    A, X = n.raw(0), n.raw(1)
    gB = linalg_solve_triangular(A.mH, g, upper=not upper, left=left, unitriangular=unit)
    gA = None
    if n.needs(0):
        gA = -(gB @ X.mH) if left else -(X.mH @ gB)
        gA = gA.triu(1 if unit else 0) if upper else gA.tril(-1 if unit else 0)
    return gA, gB

cdef Op TRIANGULAR = define("linalg_solve_triangular", triangular_vjp, 0, 0, "trsm", "LinalgSolveTriangularBackward0")
cdef Op SMALL_TRIANGULAR = define("linalg_solve_triangular", NULL, 0, 0, "small_triangular")


def linalg_solve_triangular(A, B, *, upper, left=True, unitriangular=False, out=None):
    """Solve A X = B (or X A = B) where A is a triangle; the other half of A is not read, nor a unit diagonal.

    A is (..., n, n), B (..., n, k); batches broadcast.  A zero on the diagonal gives inf and nan.

    >>> import taeda
    >>> taeda.linalg.solve_triangular(taeda.tensor([[2., 0.], [2., 1.]]), taeda.tensor([[2.], [3.]]), upper=False)
    tensor([[1.],
            [1.]])
    """
    cdef str op = "linalg.solve_triangular"
    cdef TensorBase a = need_square(op, A), b = need_matrix(op, B, "B"), X, t
    cdef Param p[5]
    cdef tuple batch
    cdef bint turned
    need_same(op, a, b, "A", "B")
    need_float(op, a)
    check_sizes(op, a, b, left)
    batch = common_batch(op, a, b)
    a, b = with_batch(a, batch), with_batch(b, batch)
    p[1].i = c"L" if left else c"R"
    p[4].i = c"U" if unitriangular else c"N"
    if small_pairs(a, batch, rows(a), rows(a)) and b.view.numel:
        X = empty_columns(b, batch, rows(b), cols(b), b.view.dtype)
        p[2].i, p[3].i = c"U" if upper else c"L", c"N"
        call(SMALL_TRIANGULAR, X, count_of(batch), (X, a, b), p)
        record(TRIANGULAR, X, (a, b), (a, X), (bool(upper), bool(left), bool(unitriangular)))
        return X if out is None else write_out(out, X, op)
    X = columns(b)
    t = a.detach().mT
    turned = not in_columns(a) and in_columns(t)             # rows are a transposed matrix of columns: no copy
    if not turned:
        t = readable(a)
    p[2].i = c"U" if upper != turned else c"L"
    p[3].i = c"T" if turned else c"N"
    call(TRIANGULAR, X, count_of(batch) if X.view.numel else 0, (X, t), p)
    record(TRIANGULAR, X, (a, b), (a, X), (bool(upper), bool(left), bool(unitriangular)))
    return X if out is None else write_out(out, X, op)


def triangular_solve(b, A, upper=True, transpose=False, unitriangular=False, *, out=None):
    """Solve A X = b (A^T X = b with ``transpose``) where A is a triangle; return X and a copy of A.

    The former interface of :func:`taeda.linalg.solve_triangular`.
    """
    cdef TensorBase B = as_tensor(b, "triangular_solve"), a = as_tensor(A, "triangular_solve")
    deprecated("triangular_solve", "linalg.solve_triangular")
    if B.view.ndim < 2 or a.view.ndim < 2:
        raise RuntimeError(f"[triangular_solve] both arguments should have at least 2 dimensions, but b has {B.view.ndim} and A has "
                           f"{a.view.ndim}")
    batch = common_batch("triangular_solve", need_square("triangular_solve", a), B)
    X = own(linalg_solve_triangular(a.mT if transpose else a, B, upper=bool(upper) != bool(transpose), unitriangular=unitriangular),
            "TriangularSolveBackward0")
    copy = own(with_batch(a, batch).mT.clone().contiguous().mT)
    return give("triangular_solve", types.triangular_solve, (X, copy), out)


# -- from factors ------------------------------------------------------------------------------------


cdef object lu_solve_vjp(Node n, object g):
    """gA as for any solution; then A = P L U: gL = P^T gA U^H below the diagonal, gU = L^H P^T gA above"""
    cdef bint adjoint = n.extra
    cdef TensorBase LU = n.raw(0)
    pivots, X = n.raw(1), n.raw(2)
    gB = linalg_lu_solve(LU, pivots, g, adjoint=not adjoint)
    if not n.needs(0):
        return None, None, gB
    gA = -(X @ gB.mH) if adjoint else -(gB @ X.mH)
    gA = gA.gather(-2, permutation("linalg.lu_solve", <TensorBase>pivots, rows(LU)).unsqueeze(-1).expand(gA.shape))
    L = LU.tril(-1) + identity(LU, (), rows(LU))
    return (gA @ LU.triu().mH).tril(-1) + (L.mH @ gA).triu(), None, gB

cdef Op LU_SOLVE = define("linalg_lu_solve", lu_solve_vjp, 0, 0, "getrs", "LinalgLuSolveBackward0")


def linalg_lu_solve(LU, pivots, B, *, left=True, adjoint=False, out=None):
    """Solve A X = B (X A = B; A^H X = B with ``adjoint``) where ``LU, pivots = taeda.linalg.lu_factor(A)``.

    >>> import taeda
    >>> LU, pivots = taeda.linalg.lu_factor(taeda.tensor([[2., 0.], [0., 4.]]))
    >>> taeda.linalg.lu_solve(LU, pivots, taeda.ones(2, 1))
    tensor([[0.5000],
            [0.2500]])
    """
    cdef str op = "linalg.lu_solve"
    cdef TensorBase lu = need_square(op, LU), piv = as_tensor(pivots, op), b = need_matrix(op, B, "B"), X
    if piv.view.dtype != I32:
        raise RuntimeError(f"[{op}] pivots should be a Tensor of scalar type torch.int32, as lu_factor gives them")
    need_float(op, lu)
    need_same(op, lu, b, "LU", "B")
    check_sizes(op, lu, b, left)
    if piv.view.ndim < 1 or piv.shape_tuple()[:-1] != batch_of(lu) or piv.view.shape[piv.view.ndim - 1] != rows(lu):
        raise RuntimeError(f"[{op}] Number of pivots per batch should be same as the dimension of the matrix: the shapes are "
                           f"{tuple(piv.shape_tuple())} and {tuple(lu.shape_tuple())}")
    permutation(op, piv, rows(lu))             # raises for a pivot that would let LAPACK write outside the matrix
    if not left:
        X = own(linalg_lu_solve(lu, piv, b.mH, adjoint=not adjoint).mH, "LinalgLuSolveBackward0")
    else:
        batch = common_batch(op, lu, b)
        lu, b = with_batch(lu, batch), with_batch(b, batch)
        piv = piv.expand(batch + (rows(lu),))
        X = substituted(LU_SOLVE, b, lu, piv, (c"C" if is_complex_(lu.view.dtype) else c"T") if adjoint else c"N")
        record(LU_SOLVE, X, (lu, None, b), (lu, piv, X), bool(adjoint))
    return X if out is None else write_out(out, X, op)


def lu_solve(b, LU_data, LU_pivots, *, out=None):
    """Solve A X = b where ``LU_data, LU_pivots`` are A's LU factors; the former order of :func:`taeda.linalg.lu_solve`."""
    deprecated("lu_solve", "linalg.lu_solve")
    return linalg_lu_solve(LU_data, LU_pivots, b, out=out)


cdef object cholesky_solve_vjp(Node n, object g):
    cdef bint upper = n.extra
    L, X = n.raw(1), n.raw(2)
    gB = cholesky_solve(g, L, upper)
    if not n.needs(1):
        return gB, None
    gA = -(gB @ X.mH)
    gA = gA + gA.mH
    return gB, L @ gA if upper else gA @ L     # in the half that is not read too, as PyTorch's

cdef Op CHOLESKY_SOLVE = define("cholesky_solve", cholesky_solve_vjp, 0, 0, "potrs", "CholeskySolveBackward0")
cdef Op SMALL_CHOLESKY_SOLVE = define("cholesky_solve", NULL, 0, 0, "small_from_cholesky")


def cholesky_solve(B, L, upper=False, *, out=None):
    """Solve A X = B where A = L L^H (U^H U with ``upper``) is given by its Cholesky factor.

    L is (..., n, n), B (..., n, k); batches broadcast.  Only the factor's triangle is read.

    >>> import taeda
    >>> taeda.cholesky_solve(taeda.tensor([[8.]]), taeda.tensor([[2.]]))
    tensor([[2.]])
    """
    cdef str op = "cholesky_solve"
    cdef TensorBase b = as_tensor(B, op), factor = as_tensor(L, op), X
    cdef Param p[2]
    if b.view.ndim < 2 or factor.view.ndim < 2:
        raise RuntimeError(f"[{op}] B and L should have at least 2 dimensions, but have {b.view.ndim} and {factor.view.ndim}")
    need_square(op, factor)
    need_same(op, b, factor, "b", "A")
    if rows(b) != rows(factor):
        raise RuntimeError(f"[{op}] Incompatible matrix sizes for cholesky_solve: each A matrix is {rows(factor)} by {rows(factor)} but "
                           f"each b matrix is {rows(b)} by {cols(b)}")
    need_float(op, factor)
    batch = common_batch(op, b, factor)
    b, factor = with_batch(b, batch), with_batch(factor, batch)
    p[1].i = c"U" if upper else c"L"
    if small_pairs(factor, batch, rows(factor), rows(factor)) and b.view.numel:
        X = empty_columns(b, batch, rows(b), cols(b), b.view.dtype)
        call(SMALL_CHOLESKY_SOLVE, X, count_of(batch), (X, factor, b), p)
    else:
        X = columns(b)
        call(CHOLESKY_SOLVE, X, count_of(batch) if X.view.numel else 0, (X, readable(factor)), p)
    record(CHOLESKY_SOLVE, X, (b, factor), (None, factor, X), bool(upper))
    return X if out is None else write_out(out, X, op)


cdef object cholesky_inverse_vjp(Node n, object g):
    """gA = -Y g Y for Y = A^-1, as any inverse; then as in cholesky_solve"""
    L, Y = n.raw(0), n.raw(1)
    gA = -(Y @ (g + g.mH) @ Y)
    return L @ gA if n.extra else gA @ L

cdef Op CHOLESKY_INVERSE = define("cholesky_inverse", cholesky_inverse_vjp, 0, 0, "potri", "CholeskyInverseBackward0")
cdef Op INVERSE_BLOCKS = define("cholesky_inverse", NULL, 0, 0, "potri_blocks")


def cholesky_inverse(L, upper=False, *, out=None):
    """Return the inverses of the matrices whose Cholesky factors are given: (L L^H)^-1, or (U^H U)^-1.

    >>> import taeda
    >>> A = taeda.tensor([[4., 2.], [2., 2.]])
    >>> taeda.cholesky_inverse(taeda.linalg.cholesky(A))
    tensor([[ 0.5000, -0.5000],
            [-0.5000,  1.0000]])
    """
    cdef TensorBase factor = need_square("cholesky_inverse", L, "L"), X
    cdef tuple batch = batch_of(factor)
    cdef Param p[2]
    need_float("cholesky_inverse", factor)
    zero = (<object>factor).detach().diagonal(0, -2, -1) == 0
    if not zero.is_meta and zero.any():
        at = zero.nonzero()[0].tolist()
        where = f"(Batch element {zero.reshape(-1, rows(factor)).any(-1).nonzero()[0, 0]}): " if len(at) > 1 else ""
        raise LinAlgError(f"[cholesky_inverse] {where}The diagonal element {at[len(at) - 1] + 1} is zero, the inversion could not be "
                          "completed because the input matrix is singular.")
    p[1].i = c"U" if upper else c"L"
    if small_pairs(factor, batch, rows(factor), rows(factor)):
        X = empty_columns(factor, batch, rows(factor), rows(factor), factor.view.dtype)
        call(SMALL_CHOLESKY_SOLVE, X, count_of(batch), (X, factor, identity(factor, batch, rows(factor))), p)
    elif alone(batch, INVERSE_ALONE, rows(factor)):
        X = empty_columns(factor, batch, rows(factor), rows(factor), factor.view.dtype)
        call(INVERSE_BLOCKS, X, 1, (X, readable(factor)), p)
    else:
        X = columns(factor)
        call(CHOLESKY_INVERSE, X, count_of(batch) if X.view.numel else 0, (X,), p)
    record(CHOLESKY_INVERSE, X, (factor,), (factor, X), bool(upper))
    return X if out is None else write_out(out, X, "cholesky_inverse")


cdef bint are_pivots(const int32_t* p, int64_t count, int64_t n) noexcept:
    """Whether these are numbers of n rows, those of blocks of two negative: by others LAPACK would write outside of the matrix."""
    cdef int64_t k = 0
    while k < count:
        if not 1 <= (-<int64_t>p[k] if p[k] < 0 else p[k]) <= n:
            return False
        if p[k] < 0:                               # its partner is the next one of the same matrix
            k += 1
            if k % n == 0 or not -n <= p[k] < 0:
                return False
        k += 1
    return True

cdef Op LDL_SOLVE = define("linalg_ldl_solve", underivable, 0, 0, "sytrs", "LinalgLdlSolveBackward0")


def linalg_ldl_solve(LD, pivots, B, *, hermitian=False, out=None):
    """Solve A X = B where ``LD, pivots = taeda.linalg.ldl_factor(A)``; not differentiable.

    >>> import taeda
    >>> A, B = taeda.tensor([[4., 2.], [2., 3.]]), taeda.tensor([[8.], [7.]])
    >>> taeda.linalg.ldl_solve(*taeda.linalg.ldl_factor(A), B)
    tensor([[1.2500],
            [1.5000]])
    """
    cdef str op = "linalg.ldl_solve"
    cdef TensorBase ld = need_square(op, LD, "LD"), piv = as_tensor(pivots, op), b = need_matrix(op, B, "B"), X
    cdef Param p[3]
    if (<object>piv).is_floating_point() or (<object>piv).is_complex() or piv.view.dtype != I32:
        raise RuntimeError(f"[{op}] Expected pivots to be integers (int32), as ldl_factor gives them")
    need_same(op, ld, b, "LD", "B")
    need_float(op, ld)
    check_sizes(op, ld, b, True)
    if piv.shape_tuple() != ld.shape_tuple()[:-1]:
        raise RuntimeError(f"[{op}] Expected LD.shape[:-1] and pivots.shape to be the same, but got pivots with shape "
                           f"{list(piv.shape_tuple())} for LD of shape {list(ld.shape_tuple())}")
    piv = piv.contiguous()
    if piv.device == CPU and not are_pivots(<int32_t*>piv.view.data, piv.view.numel, rows(ld)):
        raise RuntimeError(f"[{op}] pivots must be between 1 and {rows(ld)}, or two by two their negatives, as ldl_factor gives them")
    batch = common_batch(op, ld, b)
    ld, b = with_batch(ld, batch), with_batch(b, batch)
    X = columns(b)
    p[1].i = c"L"
    p[2].i = bool(hermitian)
    call(LDL_SOLVE, X, count_of(batch) if X.view.numel else 0,
         (X, readable(ld), piv.expand(batch + (rows(ld),)).contiguous()), p)
    record(LDL_SOLVE, X, (ld, b), None)
    return X if out is None else write_out(out, X, op)


METHODS = {"cholesky_inverse": cholesky_inverse, "cholesky_solve": cholesky_solve, "inverse": inverse, "lu_solve": lu_solve,
           "triangular_solve": triangular_solve}
