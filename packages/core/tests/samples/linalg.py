"""Rows of linear algebra: factors, solvers, determinants, eigenvalues, singular values.

Samples are well conditioned.  Where an op reads one triangle of a symmetric matrix, ``before`` makes its
input symmetric so that every entry counts; where vectors are defined up to a sign, ``after`` takes what is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from opinfo import Call, Row, array, layouts

Samples = Callable[[np.random.Generator], Iterator[Call]]
Z = np.zeros
SQUARES = ((3, 3), (1, 1), (2, 3, 3), (2, 1, 2, 2), (0, 0), (0, 2, 2), (2, 0, 0))
ANY_SHAPES = ((4, 3), (3, 4), (3, 3), (2, 3, 2), (2, 2, 3), (1, 1), (1, 3), (0, 0), (0, 3), (3, 0), (0, 2, 2), (2, 0, 3))


def square(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """A matrix with singular values from about 1 to 3."""
    return array(rng, *shape, low=-0.5, high=0.5) + np.broadcast_to(2 * np.eye(shape[-1])[::-1], shape)


def positive(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """A symmetric positive-definite matrix whose eigenvalues are apart."""
    x = array(rng, *shape, low=-0.3, high=0.3)
    return x @ np.swapaxes(x, -1, -2) + np.eye(shape[-1]) * np.arange(1, shape[-1] + 1)


def symmetric_array(rng: np.random.Generator, *shape: int) -> np.ndarray:
    x = array(rng, *shape)
    return x + np.swapaxes(x, -1, -2)


def each(make: Callable[..., np.ndarray], shapes: tuple[tuple[int, ...], ...], **options: Any) -> Samples:
    """One call a shape; the first in every layout."""
    def samples(rng: np.random.Generator) -> Iterator[Call]:
        for x in layouts(make(rng, *shapes[0])):
            yield Call(x, **options)
        for shape in shapes[1:]:
            yield Call(make(rng, *shape), **options)

    return samples


def both(*samples: Samples) -> Samples:
    def all_samples(rng: np.random.Generator) -> Iterator[Call]:
        for s in samples:
            yield from s(rng)

    return all_samples


def symmetric(x: Any, *rest: Any) -> tuple[Any, ...]:
    return ((x + x.mT) * 0.5, *rest)


def triangle(x: Any, upper: bool = False) -> tuple[Any, ...]:
    return x.triu() if upper else x.tril(), upper


def second_triangle(B: Any, L: Any, upper: bool = False) -> tuple[Any, ...]:
    return (B, *triangle(L, upper))


def spread(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """A matrix whose singular values, row sums and column sums are apart."""
    x = array(rng, *shape, low=-0.4, high=0.4)
    for i in range(min(shape[-2:])):
        x[..., i, i] += 1.5 * (i + 1)
    return x


def some_singular(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(spread(rng, 3, 3) * np.array([1.0, 1.0, 0.0]))
    yield Call(spread(rng, 2, 3, 3) * np.array([1.0, 1.0, 0.0]))
    yield Call(np.stack([spread(rng, 2, 2), spread(rng, 2, 2) * np.array([1.0, 0.0])]))


def logdet(x: np.ndarray) -> np.ndarray:
    sign, size = np.linalg.slogdet(x)
    return np.where(sign < 0, np.nan, size)


def solve_samples(rng: np.random.Generator) -> Iterator[Call]:
    for a, b in (((3, 3), (3, 2)), ((2, 3, 3), (2, 3, 1)), ((3, 3), (2, 3, 1)), ((2, 1, 2, 2), (3, 2, 2)), ((3, 3), (3,)),
                 ((2, 3, 3), (2, 3)), ((2, 3, 3), (3,)), ((1, 1), (1, 1)), ((0, 0), (0, 2)), ((2, 2), (2, 0)), ((0, 2, 2), (0, 2, 1))):
        yield Call(square(rng, *a), array(rng, *b))
    yield Call(square(rng, 3, 3), array(rng, 2, 3), left=False)
    yield Call(square(rng, 2, 2, 2), array(rng, 1, 2), left=False)
    for x, y in zip(layouts(square(rng, 3, 3)), layouts(array(rng, 3, 2)), strict=True):
        yield Call(x, y)


def solve(A: np.ndarray, B: np.ndarray, left: bool = True) -> np.ndarray:
    if B.ndim == 1 or B.shape == A.shape[:-1]:
        return np.linalg.solve(A, np.broadcast_to(B, A.shape[:-1])[..., None])[..., 0]
    if not left:
        return np.swapaxes(np.linalg.solve(np.swapaxes(A, -1, -2), np.swapaxes(B, -1, -2)), -1, -2)
    return np.linalg.solve(A, B)


def triangular_samples(rng: np.random.Generator) -> Iterator[Call]:
    for upper in (False, True):
        for unit in (False, True):
            yield Call(spread(rng, 3, 3), array(rng, 3, 2), upper=upper, unitriangular=unit)
            yield Call(spread(rng, 2, 2, 2), array(rng, 3, 2), upper=upper, left=False, unitriangular=unit)
    yield Call(spread(rng, 2, 3, 3), array(rng, 3, 1), upper=True)
    yield Call(spread(rng, 3, 3), array(rng, 2, 3, 1), upper=False)
    yield Call(spread(rng, 0, 0), array(rng, 0, 2), upper=True)
    yield Call(spread(rng, 2, 2), array(rng, 2, 0), upper=True)
    for x in layouts(spread(rng, 3, 3)):
        yield Call(x, array(rng, 3, 1), upper=True)


def solve_triangular(A: np.ndarray, B: np.ndarray, upper: bool, left: bool = True, unitriangular: bool = False) -> np.ndarray:
    T = np.triu(A) if upper else np.tril(A)
    if unitriangular:
        T = T - T * np.eye(T.shape[-1]) + np.eye(T.shape[-1])
    return solve(T, B, left)


def triangular_solve_samples(rng: np.random.Generator) -> Iterator[Call]:
    for upper in (True, False):
        yield Call(array(rng, 3, 2), spread(rng, 3, 3), upper)
        yield Call(array(rng, 3, 1), spread(rng, 2, 3, 3), upper, True)
        yield Call(array(rng, 2, 3, 1), spread(rng, 3, 3), upper, False, True)


def cholesky_solve_samples(rng: np.random.Generator) -> Iterator[Call]:
    for upper in (False, True):
        for a, b in (((3, 3), (3, 2)), ((2, 2, 2), (2, 1)), ((2, 2), (3, 2, 1)), ((0, 0), (0, 1)), ((0, 2, 2), (0, 2, 1))):
            L = np.linalg.cholesky(positive(rng, *a))
            yield Call(array(rng, *b), np.swapaxes(L, -1, -2).copy() if upper else L, upper)


def cholesky_solve(B: np.ndarray, L: np.ndarray, upper: bool) -> np.ndarray:
    L = np.swapaxes(np.triu(L), -1, -2) if upper else np.tril(L)
    return np.linalg.solve(L @ np.swapaxes(L, -1, -2), B)


def cholesky_inverse_samples(rng: np.random.Generator) -> Iterator[Call]:
    for shape in ((3, 3), (2, 2, 2), (1, 1), (0, 0)):
        yield Call(np.linalg.cholesky(positive(rng, *shape)))
        yield Call(np.swapaxes(np.linalg.cholesky(positive(rng, *shape)), -1, -2).copy(), True)


def lu_factors(a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Packed LU and pivots of square matrices."""
    a = a.copy()
    pivots = np.zeros(a.shape[:-1], np.int32)
    for at in np.ndindex(*a.shape[:-2]):
        x = a[at]
        for k in range(len(x)):
            p = k + int(np.argmax(np.abs(x[k:, k])))
            pivots[at][k] = p + 1
            x[[k, p]] = x[[p, k]]
            x[k + 1:, k] /= x[k, k]
            x[k + 1:, k + 1:] -= np.outer(x[k + 1:, k], x[k, k + 1:])
    return a, pivots


def lu_solve_samples(rng: np.random.Generator) -> Iterator[Call]:
    for a, b in (((3, 3), (3, 2)), ((2, 2, 2), (2, 1)), ((2, 2), (3, 2, 1)), ((0, 0), (0, 1))):
        yield Call(*lu_factors(square(rng, *a)), array(rng, *b))
        yield Call(*lu_factors(square(rng, *a)), array(rng, *b), adjoint=True)
    yield Call(*lu_factors(square(rng, 3, 3)), array(rng, 2, 3), left=False)
    yield Call(*lu_factors(square(rng, 3, 3)), array(rng, 2, 3), left=False, adjoint=True)


def old_lu_solve_samples(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(array(rng, 3, 2), *lu_factors(square(rng, 3, 3)))
    yield Call(array(rng, 2, 2, 1), *lu_factors(square(rng, 2, 2, 2)))


def lu_unpack_samples(rng: np.random.Generator) -> Iterator[Call]:
    for shape in ((3, 3), (2, 2, 2), (0, 0)):
        yield Call(*lu_factors(square(rng, *shape)))
    yield Call(*lu_factors(square(rng, 3, 3)), unpack_data=False)
    yield Call(*lu_factors(square(rng, 3, 3)), unpack_pivots=False)
    yield Call(array(rng, 2, 4), np.array([2, 2], np.int32))
    yield Call(array(rng, 4, 2), np.array([3, 4], np.int32))


def qr_samples(rng: np.random.Generator) -> Iterator[Call]:
    for shape in ANY_SHAPES:
        yield Call(spread(rng, *shape))
    for shape in ((3, 3), (2, 3), (3, 0), (0, 3), (2, 2, 3)):
        yield Call(spread(rng, *shape), mode="complete")
    for x in layouts(spread(rng, 3, 2)):
        yield Call(x)


def qr_values(rng: np.random.Generator) -> Iterator[Call]:
    for shape in ((4, 2), (2, 4), (3, 0), (2, 3, 2)):
        yield Call(spread(rng, *shape), mode="complete")
        yield Call(spread(rng, *shape), mode="r")


def reflectors(rng: np.random.Generator, m: int, n: int, k: int, *batch: int) -> tuple[np.ndarray, np.ndarray]:
    """Reflectors as geqrf makes them: tau = 2 / |v|^2."""
    a = array(rng, *batch, m, n)
    v = np.tril(a, -1) + np.eye(m, n)
    return a, (2 / (v * v).sum(-2))[..., :k]


def householder_samples(rng: np.random.Generator) -> Iterator[Call]:
    for m, n, k, *batch in ((4, 3, 3), (4, 3, 2), (3, 3, 3), (3, 2, 2, 2), (3, 2, 0), (2, 1, 1, 0)):
        yield Call(*reflectors(rng, m, n, k, *batch))


def householder(a: np.ndarray, tau: np.ndarray) -> np.ndarray:
    m, n = a.shape[-2:]
    out = np.broadcast_to(np.eye(m, n), a.shape)
    v = np.tril(a, -1) + np.eye(m, n)
    for i in reversed(range(tau.shape[-1])):
        u = v[..., i:i + 1]
        out = out - tau[..., i, None, None] * (u @ (np.swapaxes(u, -1, -2) @ out))
    return out


def ormqr_samples(rng: np.random.Generator) -> Iterator[Call]:
    for transpose in (False, True):
        yield Call(*reflectors(rng, 3, 2, 2), array(rng, 3, 2), True, transpose)
        yield Call(*reflectors(rng, 3, 2, 2), array(rng, 2, 3), False, transpose)
        yield Call(*reflectors(rng, 3, 2, 2, 2), array(rng, 2, 3, 1), True, transpose)
    yield Call(*reflectors(rng, 3, 3, 3), array(rng, 3, 0))


def ldl_samples(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(np.diag([2.0, 4.0]), np.array([1, 2], np.int32), array(rng, 2, 3))
    yield Call(np.array([[2.0, 0.0], [0.5, 3.0]]), np.array([1, 2], np.int32), array(rng, 2, 2, 1))


def lstsq_samples(rng: np.random.Generator) -> Iterator[Call]:
    for driver in (None, "gels", "gelsy", "gelsd", "gelss"):
        for a, b in (((4, 2), (4, 2)), ((2, 4), (2, 1)), ((3, 3), (3, 1)), ((2, 3, 2), (2, 3, 1)), ((3, 2), (3,)), ((2, 3, 2), (2, 3)),
                     ((2, 3, 2), (1, 3, 1)), ((0, 2), (0, 1)), ((2, 0), (2, 1)), ((0, 3, 2), (0, 3, 1)), ((3, 2), (3, 0))):
            if driver is None or (0 not in a and 0 not in b):
                yield Call(spread(rng, *a), array(rng, *b), driver=driver)


def deficient_lstsq(rng: np.random.Generator) -> Iterator[Call]:
    # not gelsy: PyTorch hands it pivots that nobody has set, so its rank changes from call to call
    yield Call(np.diag([3.0, 2.0, 0.1]), array(rng, 3, 1), rcond=0.5, driver="gelsd")
    yield Call(np.diag([3.0, 2.0, 0.1]), array(rng, 3, 1), rcond=0.5, driver="gelss")
    yield Call(np.ones((3, 2)), array(rng, 3, 1), driver="gelsd")


def pinv_samples(rng: np.random.Generator) -> Iterator[Call]:
    for shape in ANY_SHAPES:
        yield Call(spread(rng, *shape))


def deficient_pinv(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(np.diag([3.0, 1.0, 0.0]))
    yield Call(np.diag([3.0, 1.0, 0.01]), rtol=0.1)
    yield Call(np.diag([3.0, 1.0, 0.01]), 0.1)
    yield Call(np.diag([3.0, 1.0, 0.01]), atol=0.5)
    yield Call(np.stack([np.diag([3.0, 1.0]), np.diag([3.0, 0.4])]), atol=np.array([0.5, 0.5]), rtol=np.array([0.1, 0.0]))


def rank_samples(rng: np.random.Generator) -> Iterator[Call]:
    for shape in ANY_SHAPES:
        yield Call(spread(rng, *shape))
    yield Call(np.ones((2, 3, 3)))
    yield Call(np.diag([3.0, 1.0, 0.01]), 0.5)
    yield Call(np.diag([3.0, 1.0, 0.01]), tol=2.0)
    yield Call(np.diag([3.0, 1.0, 0.01]), rtol=0.1)
    yield Call(np.diag([3.0, -1.0, 0.01]), atol=0.5, hermitian=True)


def svd_values(r: Any) -> Any:
    """What does not depend on signs; of square factors the vectors that belong to values."""
    U, S, Vh = r
    k = S.shape[-1]
    U, Vh = U[..., :k], Vh[..., :k, :]
    return U * U, S, Vh * Vh, U @ Vh


NOT_SQUARE = (Call(Z((2, 3))), RuntimeError, "must be batches of square matrices, but they are 2 by 3")
NO_MATRIX = (Call(Z(3)), RuntimeError, "must have at least 2 dimensions")
NO_FLOAT = (Call(Z((2, 2), np.int64)), RuntimeError, "Expected a floating point or complex tensor as input. Got Long")
UNKNOWN_TYPE = (Call(Z((2, 2), np.int64)), NotImplementedError, "not implemented for 'Long'")
NO_TENSOR = (Call(3.0), TypeError, "must be Tensor, not")
SINGULAR = np.stack([np.eye(3), np.ones((3, 3))])
NAN = np.stack([np.eye(2), np.full((2, 2), np.nan)])
LOOSE = {"rtol": {"float32": 2e-4, "float64": 1e-9}, "atol": {"float32": 2e-5, "float64": 1e-11}}
PLAIN = {"out": True, **LOOSE}

ROWS = [
    Row("linalg.inv", each(square, SQUARES), np.linalg.inv, **PLAIN, errors=(
        NOT_SQUARE, NO_MATRIX, NO_FLOAT, NO_TENSOR,
        (Call(SINGULAR), RuntimeError, r"\[linalg.inv\] \(Batch element 1\): The diagonal element 2 is zero, the inversion could not"),
        (Call(np.ones((2, 2))), RuntimeError, r"\[linalg.inv\] The diagonal element 2 is zero"))),
    Row("inverse", each(square, SQUARES[:3]), np.linalg.inv, method="inverse", **PLAIN),
    Row("linalg.inv_ex", each(square, SQUARES), None, **LOOSE),
    Row("linalg.inv_ex", each(lambda rng, *s: np.ones(s), ((2, 2),)), None, grad=False),
    Row("linalg.det", each(square, SQUARES), np.linalg.det, **PLAIN, errors=(NOT_SQUARE, NO_MATRIX, NO_FLOAT)),
    Row("det", each(square, SQUARES[:3]), np.linalg.det, method="det", **LOOSE),
    Row("ops.det", some_singular, np.linalg.det, torch=None, **LOOSE),         # PyTorch's gradient is 0 there
    Row("linalg.slogdet", each(square, SQUARES), lambda x: tuple(np.linalg.slogdet(x)), **LOOSE, errors=(NOT_SQUARE, NO_FLOAT)),
    Row("slogdet", each(square, SQUARES), lambda x: tuple(np.linalg.slogdet(x)), method="slogdet", **LOOSE),
    Row("logdet", each(positive, SQUARES), logdet, method="logdet", **LOOSE, errors=(NOT_SQUARE, NO_FLOAT)),
    Row("linalg.cholesky", each(positive, SQUARES), np.linalg.cholesky, before=symmetric, **PLAIN, errors=(
        NOT_SQUARE, NO_MATRIX, NO_FLOAT,
        (Call(SINGULAR), RuntimeError, r"\(Batch element 1\): .* not positive-definite \(the leading minor of order 2 is not"),
        (Call(np.full((2, 2), np.nan)), RuntimeError, "leading minor of order 1"))),
    Row("linalg.cholesky", each(positive, SQUARES, upper=True), lambda x, upper: np.swapaxes(np.linalg.cholesky(x), -1, -2),
        before=symmetric, **PLAIN),
    Row("cholesky", each(positive, SQUARES[:3]), np.linalg.cholesky, method="cholesky", before=symmetric, **PLAIN),
    Row("linalg.cholesky_ex", each(positive, SQUARES), None, before=symmetric, **LOOSE),
    Row("cholesky_solve", cholesky_solve_samples, cholesky_solve, method="cholesky_solve", before=second_triangle, **PLAIN, errors=(
        (Call(Z((2, 1)), Z((3, 3))), RuntimeError, "each A matrix is 3 by 3 but each b matrix is 2 by 1"),
        (Call(Z(2), Z((2, 2))), RuntimeError, "at least 2 dimensions"))),
    Row("cholesky_inverse", cholesky_inverse_samples, lambda L, upper=False: np.linalg.inv(
        np.swapaxes(L, -1, -2) @ L if upper else L @ np.swapaxes(L, -1, -2)), method="cholesky_inverse", before=triangle, **PLAIN, errors=(
            NOT_SQUARE, (Call(np.diag([1.0, 0.0])), RuntimeError, "The diagonal element 2 is zero"))),
    Row("linalg.lu", each(spread, ANY_SHAPES), None, **LOOSE, errors=(
        (Call(Z(3)), RuntimeError, "2 or more dimensions"), UNKNOWN_TYPE,
        (Call(Z((2, 2)), pivot=False), RuntimeError, "LU without pivoting is not implemented on the CPU"))),
    Row("linalg.lu", each(square, SQUARES), None, **LOOSE),
    Row("linalg.lu_factor", each(spread, ANY_SHAPES), None, **LOOSE, errors=(
        (Call(SINGULAR), RuntimeError, r"\(Batch element 1\): U\[2,2\] is zero"),)),
    Row("linalg.lu_factor_ex", both(each(square, SQUARES), each(lambda rng, *s: np.ones(s), ((2, 2),))), None, grad=False, **LOOSE),
    Row("lu", each(square, SQUARES[:3]), None, method="lu", **LOOSE),
    Row("lu_unpack", lu_unpack_samples, None, **LOOSE, errors=(
        (Call(np.eye(2), np.array([1, 2])), RuntimeError, "int32"),
        (Call(np.eye(2), np.array([5, 2], np.int32)), RuntimeError, "between 1 and 2 inclusive"))),
    Row("linalg.lu_solve", lu_solve_samples, None, **PLAIN, strides=False, errors=(
        (Call(np.eye(2), np.array([1, 2]), Z((2, 1))), RuntimeError, "int32"),
        (Call(np.eye(2), np.array([1, 2, 3], np.int32), Z((2, 1))), RuntimeError, "Number of pivots per batch"),
        (Call(np.eye(2), np.array([0, 3], np.int32), Z((2, 1))), RuntimeError, "pivots must be between 1 and 2"),
        (Call(np.eye(2), np.array([1, 2], np.int32), Z((3, 1))), RuntimeError, "Incompatible shapes of A and B"))),
    Row("lu_solve", old_lu_solve_samples, None, method="lu_solve", **PLAIN),
    Row("linalg.qr", qr_samples, None, **LOOSE, errors=(
        NO_MATRIX, NO_FLOAT, (Call(Z((2, 2)), "x"), RuntimeError, "qr received unrecognized mode 'x' but expected one of 'reduced'"))),
    Row("linalg.qr", qr_values, None, grad=False, **LOOSE),
    Row("qr", each(spread, ((3, 2), (2, 3))), None, method="qr", **LOOSE),
    Row("geqrf", each(spread, ANY_SHAPES), None, grad=False, method="geqrf", **LOOSE),
    Row("linalg.householder_product", householder_samples, householder, **PLAIN, errors=(
        (Call(Z((2, 3)), Z(2)), RuntimeError, r"input.shape\[-2\] must be greater than or equal to input.shape\[-1\]"),
        (Call(Z((3, 2)), Z(3)), RuntimeError, r"input.shape\[-1\] must be greater than or equal to tau.shape\[-1\]"),
        (Call(Z((2, 3, 2)), Z((3, 2))), RuntimeError, "batch dimensions of tau"),
        (Call(Z((3, 2)), Z(2, np.float32)), RuntimeError, "tau dtype Float does not match input dtype Double"))),
    Row("orgqr", householder_samples, householder, method="orgqr", **PLAIN),
    Row("ormqr", ormqr_samples, None, method="ormqr", **PLAIN, strides=False, errors=(
        (Call(Z((3, 2)), Z(2), Z((2, 3))), RuntimeError, r"other.shape\[-2\] must be equal to input.shape\[-2\]"),
        (Call(Z((3, 2)), Z(3), Z((3, 3))), RuntimeError, r"tau.shape\[-1\] must be equal to min"))),
    Row("linalg.ldl_factor", each(positive, SQUARES), None, grad=False, **LOOSE, errors=(NOT_SQUARE, NO_FLOAT)),
    Row("linalg.ldl_factor_ex", each(symmetric_array, SQUARES), None, grad=False, **LOOSE),
    Row("linalg.ldl_solve", ldl_samples, None, grad=False, **PLAIN, errors=(
        (Call(np.eye(2), np.array([9, 2], np.int32), Z((2, 1))), RuntimeError, "pivots must be between"),)),
    Row("linalg.solve", solve_samples, solve, **PLAIN, strides=False, errors=(
        (Call(np.ones((2, 2, 2)), Z((2, 2, 1))), RuntimeError, r"\(Batch element 0\): The solver failed because the input matrix is singular"),
        (Call(Z((2, 2)), Z((3, 1))), RuntimeError, r"equation AX = B \(2x2 and 3x1\)"),
        (Call(Z((2, 2)), Z((3, 1)), left=False), RuntimeError, "equation XA = B"),
        (Call(Z((2, 2)), Z((2, 1), np.float32)), RuntimeError, "same dtype"),
        (Call(np.eye(2), Z(())), RuntimeError, "B must have at least 2 dimensions"),
        (Call(np.ones((2, 2, 2)) + np.eye(2), Z((3, 2, 1))), RuntimeError, "size of tensor a"),
        (Call(Z((2, 3)), Z((2, 1))), RuntimeError, "square"))),
    Row("linalg.solve_ex", solve_samples, None, **LOOSE, strides=False),
    Row("linalg.solve_triangular", triangular_samples, solve_triangular, **PLAIN, strides=False, errors=(
        (Call(Z((2, 2)), Z((3, 1)), upper=True), RuntimeError, r"\(2x2 and 3x1\)"),
        (Call(Z((2, 2)), Z(2), upper=True), RuntimeError, "at least 2 dimensions"))),
    Row("linalg.solve_triangular", lambda rng: iter([Call(Z((2, 2)), np.ones((2, 1)), upper=True)]), None, grad=False, strides=False),
    Row("triangular_solve", triangular_solve_samples, None, method="triangular_solve", strides=False, **LOOSE),
    Row("linalg.lstsq", lstsq_samples, None, strides=False, **LOOSE, errors=(
        (Call(np.ones((3, 2)), np.ones((2, 1))), RuntimeError, r"input.size\(-2\) should match other.size\(-2\)"),
        (Call(np.ones((3, 2)), np.ones((3, 1)), driver="x"), RuntimeError, "gels, gelsy, gelsd, gelss"),
        (Call(np.eye(2)[[0, 0, 0]], np.ones((3, 1)), driver="gels"), RuntimeError, "does not have full rank"),
        (Call(np.full((3, 2), np.nan), np.ones((3, 1))), RuntimeError, "non-finite"),
        (Call(Z(3), Z(3)), RuntimeError, "at least 2 dimensions"))),
    Row("linalg.lstsq", deficient_lstsq, None, grad=False, strides=False, **LOOSE),
    Row("linalg.pinv", pinv_samples, None, strides=False, **PLAIN, errors=(
        (Call(Z(3)), RuntimeError, "2 or more dimensions"), (Call(Z((2, 2), np.int64)), RuntimeError, "Long"))),
    Row("linalg.pinv", deficient_pinv, None, grad=False, strides=False, **PLAIN),
    Row("linalg.pinv", each(positive, SQUARES, hermitian=True), lambda x, hermitian: np.linalg.inv(x), strides=False, before=symmetric,
        **PLAIN),
    Row("pinverse", each(spread, ((3, 2), (2, 3))), np.linalg.pinv, method="pinverse", strides=False, **LOOSE),
    Row("linalg.eigh", each(positive, SQUARES), None, before=symmetric, after=lambda r: (r[0], r[1] * r[1]), strides=False, **LOOSE, errors=(
        NOT_SQUARE, NO_MATRIX, UNKNOWN_TYPE, (Call(np.eye(2), "x"), RuntimeError, "Expected UPLO argument to be 'L' or 'U', but got x"),
        (Call(NAN), RuntimeError, r"\(Batch element 1\): The algorithm failed to converge because the input matrix"))),
    Row("linalg.eigh", each(positive, SQUARES[:3], UPLO="U"), None, before=symmetric, after=lambda r: (r[0], r[1] * r[1]), strides=False,
        **LOOSE),
    Row("linalg.eigvalsh", each(positive, SQUARES), np.linalg.eigvalsh, before=symmetric, **PLAIN, errors=(NOT_SQUARE,)),
    Row("linalg.svd", each(spread, ANY_SHAPES), None, after=svd_values, strides=False, **LOOSE, errors=(
        NO_MATRIX, NO_FLOAT, (Call(NAN), RuntimeError, r"\(Batch element 1\): .* because the input matrix contained non-finite values"),
        (Call(np.eye(2), driver="gesvd"), RuntimeError, "only supported on CUDA"))),
    Row("linalg.svd", each(spread, ANY_SHAPES, full_matrices=False), None, after=svd_values, strides=False, **LOOSE),
    Row("svd", each(spread, ANY_SHAPES), None, method=None, after=lambda r: svd_values((r[0], r[1], r[2].mT)), strides=False, **LOOSE),
    Row("svd", each(spread, ((3, 2), (2, 2, 3)), compute_uv=False), None, method="svd", strides=False, **LOOSE),
    Row("linalg.svdvals", each(spread, ANY_SHAPES), lambda x: np.linalg.svd(x, compute_uv=False), **PLAIN, errors=(NO_FLOAT,)),
    Row("linalg.matrix_rank", rank_samples, None, grad=False, out=True, errors=(
        NO_MATRIX, (Call(Z((2, 2), np.int64)), RuntimeError, "other than float and double"))),
]
