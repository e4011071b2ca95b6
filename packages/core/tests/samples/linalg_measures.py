"""Rows of linear algebra: norms, functions of matrices, products that are not those of matrices."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from typing import Any

import numpy as np

from opinfo import FLOATS, INTS, Call, Row, array, layouts
from samples.linalg import spread

Z = np.zeros
ORDERS = ("fro", "nuc", 2, -2, 1, -1, inf, -inf)
NUMBERS = FLOATS + INTS


def matrix_norm_samples(rng: np.random.Generator) -> Iterator[Call]:
    for ord in ORDERS:
        yield Call(spread(rng, 3, 2), ord)
    for ord in ORDERS:
        yield Call(spread(rng, 2, 3, 4), ord, dim=(2, 0), keepdim=True)
        yield Call(spread(rng, 0, 2, 2), ord)
    for ord in ("fro", "nuc", 2, 1, inf):
        yield Call(Z((2, 0)), ord)
        yield Call(Z((3, 0, 2)), ord, keepdim=True)
    for x in layouts(spread(rng, 3, 2)):
        yield Call(x)


def matrix_norm(x: np.ndarray, ord: Any = "fro", dim: tuple[int, int] = (-2, -1), keepdim: bool = False) -> Any:
    x = np.moveaxis(x, dim, (-2, -1))
    values = np.linalg.svd(x, compute_uv=False)
    size = np.abs(x)
    y = {"fro": lambda: np.sqrt((x * x).sum((-2, -1))), "nuc": lambda: values.sum(-1), 2: lambda: values.max(-1, initial=0),
         -2: lambda: values.min(-1), 1: lambda: size.sum(-2).max(-1, initial=0), -1: lambda: size.sum(-2).min(-1),
         inf: lambda: size.sum(-1).max(-1, initial=0), -inf: lambda: size.sum(-1).min(-1)}[ord]()
    return np.expand_dims(y, dim) if keepdim else y


def norm_samples(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(array(rng, 3))
    yield Call(array(rng, 2, 2, 2))
    yield Call(array(rng))
    for ord in (1, 2, 3, 0.5, inf, -inf, 0):
        yield Call(array(rng, 4), ord)
        yield Call(array(rng, 2, 3), ord, dim=1)
    for ord in ORDERS:
        yield Call(spread(rng, 2, 3), ord)
        yield Call(spread(rng, 2, 2, 3), ord, dim=(1, 2), keepdim=True)
    yield Call(array(rng, 2, 3), dim=(0, 1))
    yield Call(array(rng, 2, 3), dim=0, keepdim=True)


def old_norm_samples(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(spread(rng, 2, 3), "nuc")
    yield Call(spread(rng, 2, 3, 2), "nuc", dim=(0, 2), keepdim=True)
    yield Call(array(rng, 2, 3, 2), "fro")
    yield Call(array(rng, 2, 3, 2), "fro", dim=(0, 2))


def cond_samples(rng: np.random.Generator) -> Iterator[Call]:
    for p in (None, *ORDERS):
        yield Call(spread(rng, 3, 3), p)
        yield Call(spread(rng, 2, 2, 2), p)
        yield Call(Z((0, 2, 2)), p)
    yield Call(spread(rng, 3, 2))
    yield Call(spread(rng, 2, 3), -2)
    yield Call(Z((0, 0)))


def cond_extremes(rng: np.random.Generator) -> Iterator[Call]:
    for p in (2, "nuc"):                            # of ones, the smaller singular value is 0 or what rounding leaves
        yield Call(np.diag([1.0, 0.0]), p)
    for p in ("fro", 1, inf):
        yield Call(np.ones((2, 2)), p)
    yield Call(np.full((2, 2), np.nan), 1)
    yield Call(np.stack([np.ones((2, 2)), np.eye(2)]), 1)


def exp_samples(rng: np.random.Generator) -> Iterator[Call]:
    for shape in ((3, 3), (1, 1), (2, 2, 2), (0, 0), (0, 2, 2)):
        yield Call(array(rng, *shape, low=-1, high=1))
    for scale in (1e-8, 0.1, 3.0, 10.0):
        yield Call(array(rng, 3, 3, low=-1, high=1) * scale)
    yield Call(np.stack([np.eye(2) * 0.01, np.array([[1.0, 8.0], [0.0, 2.0]]), Z((2, 2))]))
    for x in layouts(array(rng, 2, 2)):
        yield Call(x)


def exponential(x: np.ndarray) -> np.ndarray:
    """Scaling far down, Taylor's series, squaring."""
    x, term = x / 2**8, np.broadcast_to(np.eye(x.shape[-1]), x.shape)
    y = term
    for k in range(1, 30):
        term = term @ x / k
        y = y + term
    for _ in range(8):
        y = y @ y
    return y


def power_samples(rng: np.random.Generator) -> Iterator[Call]:
    for n in range(8):
        yield Call(spread(rng, 2, 2) * 0.5, n)
    yield Call(spread(rng, 2, 2, 2), 3)
    yield Call(Z((0, 0)), 2)


def negative_powers(rng: np.random.Generator) -> Iterator[Call]:
    for n in (-1, -2, -3):
        yield Call(spread(rng, 2, 2), n)
    yield Call(spread(rng, 2, 2, 2), -2)


def cross_samples(rng: np.random.Generator) -> Iterator[Call]:
    for x, y in zip(layouts(array(rng, 2, 3)), layouts(array(rng, 2, 3)), strict=True):
        yield Call(x, y)
    yield Call(array(rng, 3, 2), array(rng, 3, 2), dim=0)
    yield Call(array(rng, 1, 3), array(rng, 4, 3), dim=1)
    yield Call(array(rng, 2, 3, 2), array(rng, 2, 3, 1), dim=-2)
    yield Call(array(rng, 2, 3, 1, 4), array(rng, 1, 3, 2, 4), dim=1)
    yield Call(array(rng, 3), array(rng, 3))
    yield Call(array(rng, 0, 3), array(rng, 0, 3))


def cross(x: np.ndarray, y: np.ndarray, dim: int = -1) -> np.ndarray:
    (a, b, c), (d, e, f) = np.moveaxis(x, dim, 0), np.moveaxis(y, dim, 0)
    return np.stack([b * f - c * e, c * d - a * f, a * e - b * d], dim)


def kron_samples(rng: np.random.Generator) -> Iterator[Call]:
    for a, b in (((2, 3), (3, 2)), ((2,), (3,)), ((2,), (2, 2)), ((2, 2, 2), (1, 3)), ((), (2, 2)), ((), ()), ((0, 2), (2, 2))):
        yield Call(array(rng, *a), array(rng, *b))


def vecdot_samples(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(array(rng, 2, 3), array(rng, 2, 3))
    yield Call(array(rng, 2, 3), array(rng, 3))
    yield Call(array(rng, 2, 3), array(rng, 2, 1), dim=0)
    yield Call(array(rng, 2, 0), array(rng, 2, 0))
    yield Call(array(rng), array(rng))


def tensorinv_samples(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(spread(rng, 4, 4).reshape(2, 2, 4))
    yield Call(spread(rng, 4, 4).reshape(4, 2, 2), ind=1)
    yield Call(spread(rng, 6, 6).reshape(2, 3, 3, 2), ind=2)


def tensorsolve_samples(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(spread(rng, 4, 4).reshape(2, 2, 4), array(rng, 2, 2))
    yield Call(spread(rng, 4, 4).reshape(4, 2, 2), array(rng, 4))
    yield Call(np.moveaxis(spread(rng, 6, 6).reshape(3, 2, 2, 3), 2, 0).copy(), array(rng, 3, 2), dims=(0,))


def lobpcg_samples(rng: np.random.Generator) -> Iterator[Call]:
    x, b = spread(rng, 6, 6), spread(rng, 6, 6)
    yield Call(x + x.T, 2)
    yield Call(x + x.T)
    yield Call(x + x.T, 2, b @ b.T, largest=False)


def lobpcg(A: np.ndarray, k: int = 1, B: np.ndarray | None = None, largest: bool = True) -> tuple[np.ndarray, np.ndarray]:
    E, V = np.linalg.eig(A if B is None else np.linalg.solve(B, A))
    E, V = E.real, V.real
    V = V / np.sqrt(np.einsum("ij,ik,kj->j", V, np.eye(len(A)) if B is None else B, V))
    order = np.argsort(-E if largest else E)[:k]
    return E[order], V[:, order] ** 2


NO_MATRIX = (Call(Z(3)), RuntimeError, "must have at least 2 dimensions")
NO_FLOAT = (Call(Z((2, 2), np.int64)), RuntimeError, "Expected a floating point or complex tensor as input")
LOOSE: dict[str, Any] = {"rtol": {"float32": 2e-4, "float64": 1e-9}, "atol": {"float32": 2e-5, "float64": 1e-11}}

ROWS = [
    Row("linalg.matrix_norm", matrix_norm_samples, matrix_norm, out=True, **LOOSE, errors=(
        NO_MATRIX, NO_FLOAT, (Call(Z((2, 2)), 3), RuntimeError, "Order 3 not supported"),
        (Call(Z((2, 2)), "x"), RuntimeError, "Order x not supported"), (Call(Z((2, 2)), dim=(0, 0)), RuntimeError, "dims must be different"),
        (Call(Z((2, 2)), dim=(0,)), RuntimeError, "dim must be a 2-tuple. Got 0"), (Call(Z((2, 2)), dim=0), TypeError, "tuple of two ints"),
        (Call(Z((2, 2)), dtype=2), TypeError, "dtype must be a taeda.dtype such as taeda.float32, got 2"),
        (Call(Z((2, 2)), dim=(0, 2)), IndexError, "out of range"))),
    Row("linalg.norm", norm_samples, None, out=True, **LOOSE, errors=(
        (Call(Z((2, 2, 2)), 2), RuntimeError, "the input must be 1D or 2D. Got 3D"),
        (Call(Z(2), "nuc"), RuntimeError, "at least 2 dimensions"),
        (Call(Z((2, 2, 2)), dim=(0, 1, 2)), RuntimeError, r"of length 1 or 2. Got \[0, 1, 2\]"),
        (Call(Z((2, 2)), "fro", dim=1), RuntimeError, "dim must be a 2-tuple. Got 1"))),
    Row("linalg.vector_norm", lambda rng: iter([Call(array(rng, 3)), Call(array(rng, 2, 3), 1, dim=0)]), None, out=True),
    Row("norm", old_norm_samples, None, method="norm", **LOOSE, errors=(
        (Call(Z((2, 2, 2)), "nuc"), RuntimeError, "dim must be a 2-tuple. Got 0, 1, 2"),
        (Call(Z((2, 2)), "x"), RuntimeError, "Order x not supported"))),
    Row("frobenius_norm", lambda rng: iter([Call(array(rng, 2, 3), dim=(0, 1)), Call(array(rng, 2, 3), dim=1), Call(array(rng, 2), dim=())]),
        lambda x, dim: np.sqrt((x * x).sum(dim or None)), errors=((Call(Z((2, 2, 2)), dim=(0, 1, 2)), RuntimeError, "at most 2 dimensions"),)),
    Row("nuclear_norm", lambda rng: iter([Call(spread(rng, 2, 3)), Call(spread(rng, 2, 2, 3), dim=(0, 2), keepdim=True)]),
        lambda x, dim=(-2, -1), keepdim=False: matrix_norm(x, "nuc", dim, keepdim), **LOOSE),
    Row("linalg.cond", cond_samples, None, out=True, **LOOSE, errors=(
        NO_MATRIX, (Call(Z((2, 3)), 1), RuntimeError, "square"), (Call(Z((2, 2)), 3), RuntimeError, "invalid norm type: 3"),
        (Call(Z((2, 2)), "x"), RuntimeError, "invalid norm type: x"))),
    Row("linalg.cond", cond_extremes, None, grad=False, rtol={"float32": 1.0, "float64": 1.0}),
    Row("linalg.matrix_exp", exp_samples, exponential, rtol={"float32": 2e-4, "float64": 1e-9}, atol={"float32": 1e-4, "float64": 1e-9}, errors=(
        NO_MATRIX, NO_FLOAT, (Call(Z((2, 3))), RuntimeError, "square matrices, but they are 2 by 3"))),
    Row("matrix_exp", exp_samples, None, method="matrix_exp", rtol={"float32": 2e-4, "float64": 1e-9}, atol={"float32": 1e-4, "float64": 1e-9}),
    Row("linalg.matrix_power", power_samples, np.linalg.matrix_power, NUMBERS, out=True, strides=False, **LOOSE, errors=(
        (Call(Z((2, 2)), 1.5), TypeError, "must be int, not float"), (Call(Z((2, 3)), 2), RuntimeError, "square"),
        (Call(np.ones((2, 2)), -2), RuntimeError, "singular"), (Call(np.ones((2, 2), np.int64), -1), RuntimeError, "floating point"))),
    Row("matrix_power", negative_powers, np.linalg.matrix_power, method="matrix_power", strides=False, **LOOSE),
    Row("linalg.cross", cross_samples, cross, NUMBERS, out=True, errors=(
        (Call(Z((2, 3)), Z(3)), RuntimeError, "same number of dimensions"), (Call(Z(2), Z(2)), RuntimeError, "must have length 3. Got 2 and 2"),
        (Call(Z(3), Z(3, np.float32)), RuntimeError, "same dtype"), (Call(Z(3, bool), Z(3, bool)), NotImplementedError, "'Bool'"))),
    Row("cross", lambda rng: iter([Call(array(rng, 3, 2, 3), array(rng, 3, 2, 3)), Call(array(rng, 3, 3), array(rng, 3, 3), dim=1)]), None,
        method="cross", out=True, errors=((Call(Z((2, 2)), Z((2, 2))), RuntimeError, "no dimension of size 3"),)),
    Row("kron", kron_samples, np.kron, NUMBERS, method="kron", out=True, strides=False),
    Row("linalg.vecdot", vecdot_samples, None, out=True, errors=(
        (Call(Z(3, np.int64), Z(3, np.int64)), RuntimeError, "floating point"), (Call(Z(3), Z(3, np.float32)), RuntimeError, "same dtype"))),
    Row("linalg.vander", lambda rng: iter([Call(array(rng, 3)), Call(array(rng, 2, 3), N=2), Call(array(rng, 2), N=5)]), None, NUMBERS, errors=(
        (Call(Z(3), N=1), RuntimeError, "N must be greater than 1"), (Call(Z(3, bool)), RuntimeError, "bool"))),
    Row("vander", lambda rng: iter([Call(array(rng, 3)), Call(array(rng, 3), 5, True), Call(array(rng, 2), 0), Call(array(rng, 2), 1)]),
        lambda x, N=None, increasing=False: np.vander(x if x.dtype.kind == "f" else x.astype(np.int64), N, increasing), NUMBERS, strides=False,
        errors=((Call(Z((2, 2))), RuntimeError, "one-dimensional"), (Call(Z(2), -1), RuntimeError, "non-negative"))),
    Row("linalg.tensorinv", tensorinv_samples, lambda x, ind=2: np.linalg.tensorinv(x, ind), out=True, strides=False, **LOOSE, errors=(
        (Call(Z((2, 3)), 1), RuntimeError, "but got 3 != 2"), (Call(Z((2, 2)), 0), RuntimeError, "strictly positive integer"),
        (Call(np.ones((2, 2)), 1), RuntimeError, "singular"))),
    Row("linalg.tensorsolve", tensorsolve_samples, None, out=True, **LOOSE, errors=((Call(Z((2, 3)), Z(2)), RuntimeError, "but got 3 != 2"),)),
    Row("linalg.diagonal", lambda rng: iter([Call(array(rng, 2, 3, 4)), Call(array(rng, 2, 3, 4), offset=1, dim1=0)]), None,
        errors=((Call(Z(3)), IndexError, "Dimension out of range"),)),
    Row("linalg.matmul", lambda rng: iter([Call(array(rng, 2, 3), array(rng, 3, 2))]), np.matmul, NUMBERS, out=True),
    Row("linalg.multi_dot", lambda rng: iter([Call([array(rng, 2, 3), array(rng, 3, 2), array(rng, 2)])]), np.linalg.multi_dot),
    Row("svd_lowrank", lambda rng: iter([Call(spread(rng, 4, 3), 3), Call(spread(rng, 2, 3, 4), 3, 1, array(rng, 2, 3, 4))]), None, strides=False,
        after=lambda r: (r[0] * r[0], r[1], r[2] * r[2]), gradgrad=False, layout=False, **LOOSE),
    Row("pca_lowrank", lambda rng: iter([Call(spread(rng, 4, 3), 3), Call(spread(rng, 3, 4), 3, False)]), None, grad=False,
        after=lambda r: (r[1],), layout=False, strides=False, **LOOSE, errors=((Call(Z((2, 2)), 6), ValueError, "not greater than"),)),
    Row("lobpcg", lobpcg_samples, lobpcg, torch=None, before=lambda A, *rest: ((A + A.mT) * 0.5, *rest),
        after=lambda r: (r[0], r[1] * r[1]), **LOOSE, errors=((Call(np.eye(3), 2), ValueError, "smaller than 3 x"),)),
    *[Row(name, lambda rng: iter(()), None, grad=False, layout=False, dtypes=(), errors=(
        (Call(*[np.eye(2)] * (2 if name in ("lstsq", "solve") else 1)), RuntimeError, f"{name}\\] This function was deprecated since version 1.9 and is now removed"),))
      for name in ("eig", "lstsq", "matrix_rank", "solve", "symeig")],
]
