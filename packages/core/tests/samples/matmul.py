"""Rows of matrix products, products with a summand, einsum and tensordot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from opinfo import FLOATS, INTS, Call, Row, array, layouts

Samples = Callable[[np.random.Generator], Iterator[Call]]
NUMBERS = FLOATS + INTS


def pairs(*shapes: tuple[tuple[int, ...], tuple[int, ...]], strided: bool = True) -> Samples:
    """Yield calls of two arrays; of the first pair of shapes, every combination of memory layouts."""
    def samples(rng: np.random.Generator) -> Iterator[Call]:
        for k, (a, b) in enumerate(shapes):
            x, y = array(rng, *a), array(rng, *b)
            if k or not strided:
                yield Call(x, y)
                continue
            for u in layouts(x):
                for v in layouts(y):
                    yield Call(u, v)

    return samples


MATMUL = (((3, 4), (4, 5)), ((1, 1), (1, 1)), ((17, 3), (3, 1)), ((1, 7), (7, 9)), ((0, 3), (3, 2)), ((2, 0), (0, 3)),
          ((4,), (4,)), ((0,), (0,)), ((3, 4), (4,)), ((4,), (4, 3)), ((2, 3, 4), (4, 5)), ((2, 3, 4), (4,)),
          ((4,), (2, 4, 3)), ((3, 4), (2, 4, 5)), ((2, 3, 4), (2, 4, 5)), ((2, 1, 3, 4), (5, 4, 2)),
          ((1, 3, 4), (2, 4, 1)), ((2, 0, 4), (4, 5)), ((0, 3, 4), (4, 5)), ((2, 3, 0), (2, 0, 1)))


def summand_samples(shape: tuple[int, ...], a: tuple[int, ...], b: tuple[int, ...]) -> Samples:
    """Yield calls of (input, a, b): input broadcast in all ways, factors beta and alpha, layouts, no sum at all."""
    def samples(rng: np.random.Generator) -> Iterator[Call]:
        smaller = [shape] + [shape[k:] for k in range(1, len(shape) + 1)] + [(1,) * len(shape)]
        for s in smaller:
            yield Call(array(rng, *s), array(rng, *a), array(rng, *b))
        yield Call(array(rng, *shape), array(rng, *a), array(rng, *b), beta=0.5, alpha=-2.0)
        yield Call(array(rng, *shape), array(rng, *a), array(rng, *b), beta=2, alpha=0)
        yield Call(np.full(shape, np.nan), array(rng, *a), array(rng, *b), beta=0)
        for x, u, v in zip(layouts(array(rng, *shape)), layouts(array(rng, *a)), layouts(array(rng, *b)), strict=False):
            yield Call(x, u, v, beta=3.0)
        k = a[:-1] + (0,)
        yield Call(array(rng, *shape), array(rng, *k), array(rng, *(b[:-2] + (0,) + b[-1:] if len(b) > 1 else (0,))), beta=2)

    return samples


def add_product(x: Any, a: Any, b: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    return alpha * (a @ b) + (beta * x if beta else 0)


def addbmm(x: Any, a: Any, b: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    return alpha * (a @ b).sum(0) + (beta * x if beta else 0)


def addr(x: Any, a: Any, b: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    return alpha * np.outer(a, b) + (beta * x if beta else 0)


def addr_samples(rng: np.random.Generator) -> Iterator[Call]:
    for s in ((3, 4), (4,), (), (3, 1)):
        yield Call(array(rng, *s), array(rng, 3), array(rng, 4))
    yield Call(array(rng, 3, 4), array(rng, 3), array(rng, 4), beta=0.5, alpha=3.0)
    yield Call(np.full((3, 4), np.nan), array(rng, 3), array(rng, 4), beta=0)
    yield Call(array(rng, 0, 4), array(rng, 0), array(rng, 4))


def linear_samples(rng: np.random.Generator) -> Iterator[Call]:
    for x in layouts(array(rng, 5, 3)):
        for w in layouts(array(rng, 4, 3)):
            yield Call(x, w, array(rng, 4))
    for shape in ((3,), (2, 3), (2, 5, 3), (2, 1, 5, 3), (0, 3), (2, 0, 3)):
        yield Call(array(rng, *shape), array(rng, 4, 3))
        yield Call(array(rng, *shape), array(rng, 4, 3), array(rng, 4))
    yield Call(array(rng, 4, 2, 3).swapaxes(0, 1), array(rng, 4, 3), array(rng, 4))
    yield Call(array(rng, 2, 3), array(rng, 3))
    yield Call(array(rng, 2, 0), array(rng, 4, 0), array(rng, 4))
    yield Call(array(rng, 2, 3), array(rng, 4, 3), array(rng, 8)[::2])
    yield Call(array(rng, 6)[::2], array(rng, 4, 3), array(rng, 4))


def linear(x: Any, w: Any, b: Any = None) -> Any:
    y = x @ w.T
    return y if b is None else y + b


def bilinear_samples(rng: np.random.Generator) -> Iterator[Call]:
    for lead in ((2,), (2, 5), (), (0,)):
        yield Call(array(rng, *lead, 3), array(rng, *lead, 4), array(rng, 2, 3, 4), array(rng, 2))
    yield Call(array(rng, 2, 3), array(rng, 2, 4), array(rng, 2, 3, 4))


def bilinear(x: Any, y: Any, w: Any, b: Any = 0) -> Any:
    return np.einsum("...n,onm,...m->...o", x, w, y) + b


EINSUM = (("ij,jk->ik", (3, 4), (4, 5)), ("ij,jk", (3, 4), (4, 5)), ("ij->ji", (3, 4)), ("ij", (3, 4)), ("ba", (3, 4)),
          ("ii", (3, 3)), ("ii->i", (3, 3)), ("iij->j", (3, 3, 2)), ("ij->", (3, 4)), ("i,i->", (3,), (3,)),
          ("i,j->ij", (3,), (4,)), ("ij,ij->ij", (3, 4), (3, 4)), ("bij,bjk->bik", (2, 3, 4), (2, 4, 5)),
          ("bij,bjk->ki", (2, 3, 4), (2, 4, 5)), ("...ij,...jk->...ik", (2, 3, 4), (4, 5)),
          ("...ij,...jk->...ik", (2, 1, 3, 4), (5, 4, 2)), ("i...,i->...", (3, 2, 4), (3,)), ("...->...", (2, 3)),
          ("bn,anm,bm->ba", (2, 3), (5, 3, 4), (2, 4)), ("ij,kl,m->jlm", (2, 3), (4, 2), (3,)),
          ("bhqd,bhkd->bhqk", (2, 2, 3, 4), (2, 2, 5, 4)), ("ij,jk->ik", (1, 4), (4, 0)), ("ij,jk->ik", (2, 0), (0, 3)),
          (",->", (), ()), ("ij,->ij", (2, 3), ()), ("ij,ij->i", (3, 1), (3, 4)), ("iijj->ij", (2, 2, 3, 3)),
          ("a b , b c -> a c", (2, 3), (3, 4)))


def einsum_samples(rng: np.random.Generator) -> Iterator[Call]:
    for equation, *shapes in EINSUM:
        yield Call(equation, *[array(rng, *s) for s in shapes])
    for x in layouts(array(rng, 3, 4)):
        yield Call("ij,kj->ik", x, x)


def einsum(equation: str, *arrays: Any) -> Any:
    return np.einsum(equation.replace(" ", ""), *arrays)


def tensordot_samples(rng: np.random.Generator) -> Iterator[Call]:
    a, b = array(rng, 2, 3, 4), array(rng, 3, 4, 5)
    yield Call(a, b)
    yield Call(a, b, dims=2)
    yield Call(a, b, dims=0)
    yield Call(a, array(rng, 4, 2), dims=1)
    yield Call(a, array(rng, 5, 2, 4), dims=([0, 2], [1, 2]))
    yield Call(a, array(rng, 5, 2, 4), dims=([-1], [-1]))
    yield Call(array(rng, 2, 0), array(rng, 0, 3), dims=1)


def chain_samples(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(array(rng, 2, 3), array(rng, 3, 4))
    yield Call(array(rng, 2, 7), array(rng, 7, 1), array(rng, 1, 6), array(rng, 6, 3))


def multi_dot_samples(rng: np.random.Generator) -> Iterator[Call]:
    yield Call([array(rng, 2, 7), array(rng, 7, 1), array(rng, 1, 6), array(rng, 6, 3)])
    yield Call([array(rng, 7), array(rng, 7, 3), array(rng, 3)])
    yield Call([array(rng, 2, 7), array(rng, 7)])


Z = np.zeros
ROWS = [
    Row("matmul", pairs(*MATMUL), np.matmul, NUMBERS, method="matmul", out=True, errors=(
        (Call(Z((2, 3)), Z((4, 5))), RuntimeError, r"\[matmul\] mat1 and mat2 shapes cannot be multiplied \(2x3 and 4x5\): last dimension of input \(2, 3\) must match"),
        (Call(Z((2, 3)), Z(4)), RuntimeError, r"\(4,\)"),
        (Call(Z(()), Z(4)), RuntimeError, "at least 1D"),
        (Call(Z((2, 3, 4)), Z((3, 4, 5))), RuntimeError, "batch dimensions"),
        (Call(Z((2, 3)), 3), TypeError, "Tensor"),
        (Call(Z((2, 3)), Z((3, 4), np.float32)), RuntimeError, "expected m1 and m2 to have the same dtype"))),
    Row("mm", pairs(*MATMUL[:6]), np.matmul, NUMBERS, method="mm", out=True, errors=(
        (Call(Z((2, 3)), Z((4, 5))), RuntimeError, "shapes cannot be multiplied"),
        (Call(Z((2, 3, 4)), Z((4, 5))), RuntimeError, "must be a matrix"))),
    Row("bmm", pairs(((2, 3, 4), (2, 4, 5)), ((1, 1, 1), (1, 1, 1)), ((0, 3, 4), (0, 4, 5)), ((3, 2, 0), (3, 0, 2)),
                     ((2, 1, 5), (2, 5, 1))), np.matmul, NUMBERS, method="bmm", out=True, errors=(
        (Call(Z((2, 3, 4)), Z((3, 4, 5))), RuntimeError, "Expected size for first two dimensions of batch2"),
        (Call(Z((3, 4)), Z((4, 5))), RuntimeError, "3D"))),
    Row("mv", pairs(((3, 4), (4,)), ((0, 4), (4,)), ((3, 0), (0,)), ((1, 1), (1,))), np.matmul, NUMBERS, method="mv",
        out=True, errors=((Call(Z((2, 3)), Z(4)), RuntimeError, r"\(2, 3\)"), (Call(Z(3), Z(3)), RuntimeError, "matrix"))),
    Row("dot", pairs(((5,), (5,)), ((0,), (0,)), ((1,), (1,)), ((70,), (70,))), np.dot, NUMBERS, method="dot", out=True,
        errors=((Call(Z(2), Z(3)), RuntimeError, "same number of elements"),
                (Call(Z((2, 2)), Z(2)), RuntimeError, "1D tensors expected"))),
    Row("vdot", pairs(((5,), (5,)), ((0,), (0,))), np.vdot, NUMBERS, method="vdot", out=True),
    Row("outer", pairs(((3,), (4,)), ((0,), (4,)), ((1,), (1,))), np.outer, NUMBERS, method="outer", out=True,
        errors=((Call(Z((2, 2)), Z(2)), RuntimeError, "vector"),)),
    Row("ger", pairs(((3,), (4,)),), np.outer, NUMBERS, method="ger", out=True),
    Row("inner", pairs(((2, 3), (4, 3)), ((3,), (3,)), ((2, 3), (3,)), ((), (2, 3)), ((2, 5, 3), (4, 3)), ((2, 0), (3, 0))),
        np.inner, NUMBERS, method="inner", out=True,
        errors=((Call(Z((2, 3)), Z((2, 4))), RuntimeError, "last dimension"),)),
    Row("linear", linear_samples, linear, torch="nn.functional.linear", errors=(
        (Call(Z((2, 3)), Z((4, 5))), RuntimeError, r"\(2, 3\).*\(4, 5\)"),
        (Call(Z((2, 3)), Z((4, 3)), Z(3)), RuntimeError, r"bias must have shape \(4,\)"),
        (Call(Z((2, 3)), Z((4, 3), np.float32)), RuntimeError, "same dtype"))),
    Row("bilinear", bilinear_samples, bilinear, torch="nn.functional.bilinear", errors=(
        (Call(Z((2, 3)), Z((2, 4)), Z((2, 4, 4))), RuntimeError, r"\(2, 4, 4\)"),)),
    Row("addmm", summand_samples((3, 5), (3, 4), (4, 5)), add_product, method="addmm", inplace="addmm_", out=True, errors=(
        (Call(Z((2, 2)), Z((3, 4)), Z((4, 5))), RuntimeError, "expandable"),
        (Call(Z((3, 5)), Z((3, 4)), Z((3, 5))), RuntimeError, "cannot be multiplied"),
        (Call(Z((3, 5)), Z((3, 4)), Z((4, 5)), alpha="2"), TypeError, "alpha"))),
    Row("addmv", summand_samples((3,), (3, 4), (4,)), add_product, method="addmv", inplace="addmv_", out=True, errors=(
        (Call(Z(2), Z((3, 4)), Z(4)), RuntimeError, "expandable"),)),
    Row("baddbmm", summand_samples((2, 2, 3), (2, 2, 2), (2, 2, 3)), add_product, method="baddbmm", inplace="baddbmm_",
        out=True, errors=((Call(Z((2, 3, 4)), Z((2, 3, 4)), Z((2, 4, 5))), RuntimeError, "expandable"),)),
    Row("addbmm", summand_samples((2, 3), (2, 2, 2), (2, 2, 3)), addbmm, method="addbmm", inplace="addbmm_", out=True),
    Row("addr", addr_samples, addr, method="addr", inplace="addr_", out=True, errors=(
        (Call(Z((3, 3)), Z(3), Z(4)), RuntimeError, "expandable"),)),
    Row("einsum", einsum_samples, einsum, NUMBERS, errors=(
        (Call("ij,jk", Z((2, 3)), Z((4, 5))), RuntimeError, "subscript j has size 3 and 4"),
        (Call("ij", Z(2)), RuntimeError, "number of subscripts"),
        (Call("ij->k", Z((2, 2))), RuntimeError, "does not appear"),
        (Call("ij->ii", Z((2, 2))), RuntimeError, "more than once"),
        (Call("i,j", Z(2)), RuntimeError, "2 operands"),
        (Call("i1", Z((2, 2))), RuntimeError, "a-zA-Z"),
        (Call("i.j", Z((2, 2))), RuntimeError, "ellipsis"),
        (Call("ii", Z((2, 3))), RuntimeError, "sizes don't match"))),
    Row("tensordot", tensordot_samples, lambda a, b, dims=2: np.tensordot(a, b, dims), NUMBERS, errors=(
        (Call(Z((2, 3)), Z((2, 3)), dims=1), RuntimeError, "contracted dimensions"),
        (Call(Z((2, 3)), Z((3, 2)), dims=3), RuntimeError, "dims"),
        (Call(Z((2, 3)), Z((3, 2)), dims=-1), RuntimeError, "dims >= 0"),
        (Call(Z((2, 3)), Z((3, 2)), dims=([2], [0])), IndexError, r"\[tensordot\] Dimension out of range"),
        (Call(Z(()), Z(()), dims=([0], [0])), IndexError, r"\[tensordot\] Dimension specified as 0 but tensor has no dimensions"))),
    Row("chain_matmul", chain_samples, lambda *m: np.linalg.multi_dot(m)),
    Row("multi_dot", multi_dot_samples, np.linalg.multi_dot, torch="linalg.multi_dot", errors=(
        (Call([Z((2, 3))]), RuntimeError, "at least 2"), (Call([Z((2, 3)), Z((2, 3))]), RuntimeError, "cannot be multiplied"))),
]
