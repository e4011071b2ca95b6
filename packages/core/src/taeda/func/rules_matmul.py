"""Batching rules of products: vectors become matrices, the batch one more dimension in front."""

from __future__ import annotations

from typing import Any

from taeda.func.batched import RULES, at, batched, value_at, wrap
from taeda.func.rules_pointwise import aligned
from taeda.ops.matmul import times_transposed
from taeda.tensor import Tensor


def matmul(func: Any, level: int, args: Any, kwargs: Any) -> Any:
    """a @ b of samples of any rank."""
    a, b = operands(args, kwargs)
    if a.ndim == 0 or b.ndim == 0:
        return NotImplemented
    row, column = a.ndim == 1, b.ndim == 1
    if row:
        a = a.unsqueeze(0)
    if column:
        b = b.unsqueeze(1)
    rank = max(a.ndim, b.ndim)
    found = aligned(a, rank, level).matmul(aligned(b, rank, level))
    if column:
        found = found.squeeze(-1)
    if row:
        found = found.squeeze(-1 if column else -2)
    return batched(found, level)


def operands(args: Any, kwargs: Any) -> list[Any]:
    """Return the tensors of a call in order."""
    return [*args, *(v for k, v in kwargs.items() if k != "out")]


def product(*ranks: int) -> Any:
    """Make the rule of a product of samples of these ranks alone."""

    def rule(func: Any, level: int, args: Any, kwargs: Any) -> Any:
        given = operands(args, kwargs)
        if len(given) != 2 or [x.ndim for x in given] != list(ranks):
            return NotImplemented
        return matmul(func, level, args, kwargs)

    return rule


def outer(func: Any, level: int, args: Any, kwargs: Any) -> Any:
    """a b^T of vectors."""
    a, b = operands(args, kwargs)
    return a.unsqueeze(1) * b if a.ndim == b.ndim == 1 else NotImplemented


def linear(func: Any, level: int, args: Any, kwargs: Any) -> Any:
    """x w^T + b; with one weight for all samples the batch is just more rows."""
    x, weight, *bias = operands(args, kwargs)
    if weight.ndim != 2 or x.ndim == 0:
        return NotImplemented
    b = bias[0] if bias else None
    if not at(weight, level) and not at(b, level):
        return batched(func(x._value, weight, b), level)
    row = x.ndim == 1
    rank = max(x.ndim, 2)
    rows, w = aligned(x.unsqueeze(0) if row else x, rank, level), aligned(weight, rank, level)
    if (at(x, level) or at(weight, level)) and type(rows) is type(w) is Tensor:
        y = batched(times_transposed(rows, w), level)
        y = y.squeeze(0) if row else y
    else:
        y = x.matmul(weight.t())
    return y if b is None else y + b


def addmm(func: Any, level: int, args: Any, kwargs: Any) -> Any:
    """beta input + alpha (a @ b), in parts."""
    if len(args) != 3 or not set(kwargs) <= {"beta", "alpha"}:
        return NotImplemented
    x, a, b = args
    if (a.ndim, b.ndim) != {"addmm": (2, 2), "addmv": (2, 1), "baddbmm": (3, 3)}[func.__name__]:
        return NotImplemented
    y = a.matmul(b)
    if kwargs.get("alpha", 1) != 1:
        y = y * kwargs["alpha"]
    beta = kwargs.get("beta", 1)
    return y if beta == 0 else y + (x if beta == 1 else x * beta)


def solve(func: Any, level: int, args: Any, kwargs: Any) -> Any:
    """Solutions of systems of equations; a vector on the right is a matrix of one column."""
    if len(args) != 2:
        return NotImplemented
    A, B = args
    vector = B.ndim == 1 or (A.ndim - 1 == B.ndim and B.shape == A.shape[:-1])
    if A.ndim < 2 or (vector and not kwargs.get("left", True)):
        return NotImplemented
    found = matrices(func, level, (A, B.unsqueeze(-1) if vector else B), kwargs)
    return found.squeeze(-1) if vector else found


def matrices(func: Any, level: int, args: Any, kwargs: Any) -> Any:
    """Functions of two matrices whose batch dimensions broadcast: both get the batch in front."""
    if len(args) < 2 or args[0].ndim < 2 or args[1].ndim < 2:
        return NotImplemented
    rank = max(args[0].ndim, args[1].ndim)
    pair = [aligned(batched(value_at(x, level), level), rank, level) for x in args[:2]]
    return wrap(func(*pair, *args[2:], **kwargs), level)


RULES.update(
    matmul=matmul, mm=product(2, 2), bmm=product(3, 3), mv=product(2, 1), dot=product(1, 1), outer=outer, ger=outer, linear=linear,
    addmm=addmm, addmv=addmm, baddbmm=addmm, linalg_solve=solve, cholesky_solve=matrices, triangular_solve=matrices,
    linalg_solve_triangular=matrices,
)
