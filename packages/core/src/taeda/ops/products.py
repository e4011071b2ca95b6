"""Products that are neither those of matrices nor plain ones: Kronecker, of several matrices, powers; and tensors as matrices."""

from __future__ import annotations

import math

from taeda.autograd.node import own
from taeda.operands import need_tensor
from taeda.ops.einsum import multi_dot
from taeda.ops.join import cat
from taeda.ops.matmul import matmul, write_result
from taeda.ops.solve import linalg_inv, linalg_solve

__all__ = ["kron", "linalg_diagonal", "linalg_matmul", "linalg_multi_dot", "linalg_tensorinv", "linalg_tensorsolve", "linalg_vander",
           "vander"]
PUBLIC = ("kron", "vander")

_SMALL = 4096              # elements of a result whose making costs less than more calls
_SHORT = 64                # elements of a run that cost as much as its start


def kron(input, other, *, out=None):
    """Return the Kronecker product: y[i p + k, j q + l] = input[i, j] other[k, l], other being (p, q); any rank.

    >>> import taeda
    >>> taeda.kron(taeda.tensor([1., 10.]), taeda.tensor([1., 2.]))
    tensor([ 1.,  2., 10., 20.])
    """
    need_tensor("kron", "input", input)
    need_tensor("kron", "other", other)
    if input.ndim == other.ndim == 2 and input.numel() * other.numel() <= _SMALL:
        (m, n), (p, q) = input.shape, other.shape
        y = (input.reshape(m, 1, n, 1) * other.reshape(p, 1, q)).reshape(m * p, n * q)
        return write_result(out, own(y, "UnsafeViewBackward0"), "kron")
    if input.ndim == other.ndim == 1:
        return write_result(out, own((input.reshape(-1, 1) * other).reshape(-1), "UnsafeViewBackward0"), "kron")
    rank = max(input.ndim, other.ndim)
    a, b = (1,) * (rank - input.ndim) + tuple(input.shape), (1,) * (rank - other.ndim) + tuple(other.shape)
    shape = [m * n for m, n in zip(a, b, strict=True)]
    x, y = input.reshape([n for size in a for n in (size, 1)]), other.reshape([n for size in b for n in (1, size)])
    if 1 < y.numel() < x.numel() * y.numel() and b[-1] < _SHORT:          # rows of the result, not short pieces of them, are multiplied
        x = x.expand(*x.shape[:-1], b[-1]).reshape(*x.shape[:-2], shape[-1])
        y = y.expand(*y.shape[:-2], a[-1], b[-1]).reshape(*y.shape[:-2], shape[-1])
    return write_result(out, own((x * y).reshape(shape), "UnsafeViewBackward0"), "kron")


def _powers(x, count):
    """x^0 .. x^(count - 1) along a new last dimension."""
    if count == 0:
        return x.new_empty((*x.shape, 0))
    ones = x.new_ones((*x.shape, 1))
    return cat((ones, x.unsqueeze(-1).expand(*x.shape, count - 1).cumprod(-1).to(x.dtype)), -1) if count > 1 else ones


def linalg_vander(x, *, N=None):
    """Return Vandermonde matrices (..., n, N): powers 0 to N - 1 of the elements of x (..., n); N is n if not said.

    >>> import taeda
    >>> taeda.linalg.vander(taeda.tensor([2., 3.]), N=3)
    tensor([[1., 2., 4.],
            [1., 3., 9.]])
    """
    need_tensor("linalg.vander", "x", x)
    if x.dtype.name in ("bool", "float16", "bfloat16"):
        raise RuntimeError(f"[linalg.vander] supports float32, float64, complex and integer tensors, but got {x.dtype}")
    if N is None:
        N = x.shape[-1] if x.ndim else 1
    if N <= 1:
        raise RuntimeError(f"[linalg.vander] N must be greater than 1, got {N}")
    if not x.is_floating_point() and not x.is_complex():
        x = x.long()
    return _powers(x if x.ndim else x.reshape(1), N)


def vander(x, N=None, increasing=False):
    """Return the Vandermonde matrix of a vector: powers of its elements along rows, the highest first if not ``increasing``.

    >>> import taeda
    >>> taeda.vander(taeda.tensor([2, 3]))
    tensor([[2, 1],
            [3, 1]])
    """
    need_tensor("vander", "x", x)
    if x.ndim != 1:
        raise RuntimeError(f"[vander] x must be a one-dimensional tensor, got shape {tuple(x.shape)}")
    N = x.shape[0] if N is None else N
    if isinstance(N, bool) or not hasattr(N, "__index__"):
        raise TypeError(f"[vander] argument 'N' must be int, not {type(N).__name__}")
    if N < 0:
        raise RuntimeError(f"[vander] N must be non-negative, got {N}")
    if not x.is_floating_point() and not x.is_complex():
        x = x.long()
    powers = _powers(x, N)
    return powers if increasing else powers.flip(-1)


# -- names of taeda.linalg for what stands elsewhere -----------------------------------------------------------------


def linalg_diagonal(A, *, offset=0, dim1=-2, dim2=-1):
    """Return a view of the diagonals of matrices; see ``taeda.diagonal``.

    >>> import taeda
    >>> taeda.linalg.diagonal(taeda.eye(3), offset=1)
    tensor([0., 0.])
    """
    need_tensor("linalg.diagonal", "A", A)
    return A.diagonal(offset, dim1, dim2)


def linalg_matmul(input, other, *, out=None):
    """Multiply tensors as matrices; see :func:`taeda.matmul`."""
    return matmul(input, other, out=out)


def linalg_multi_dot(tensors, *, out=None):
    """Multiply two or more matrices in the cheapest order; the first and last may be vectors.

    >>> import taeda
    >>> taeda.linalg.multi_dot([taeda.ones(2, 3), taeda.ones(3, 4), taeda.ones(4)])
    tensor([12., 12.])
    """
    return multi_dot(tensors, out=out)


# -- tensors as matrices -----------------------------------------------------------------------------


def linalg_tensorinv(A, ind=2, *, out=None):
    """Return the inverse of tensordot with A: the first ``ind`` dimensions are A's rows, the others its columns.

    The result has the shape A.shape[ind:] + A.shape[:ind].

    Raises RuntimeError where rows and columns are not as many, or ``ind`` is not positive; LinAlgError where A is singular.

    >>> import taeda
    >>> taeda.linalg.tensorinv(2 * taeda.eye(4).view(4, 2, 2), ind=1).shape
    taeda.Size([2, 2, 4])
    """
    op = "linalg.tensorinv"
    need_tensor(op, "A", A)
    if ind <= 0:
        raise RuntimeError(f"[{op}] Expected a strictly positive integer for 'ind', but got {ind}")
    before, after = tuple(A.shape[:ind]), tuple(A.shape[ind:])
    if math.prod(before) != math.prod(after):
        raise RuntimeError(f"[{op}] Expected self to satisfy the requirement prod(self.shape[ind:]) == prod(self.shape[:ind]), but got "
                           f"{math.prod(after)} != {math.prod(before)}")
    return write_result(out, linalg_inv(A.reshape(math.prod(before), math.prod(after))).reshape(after + before), op)


def linalg_tensorsolve(A, B, dims=None, *, out=None):
    """Return X such that tensordot(A, X, X.ndim) = B; ``dims`` of A are moved to its end first.

    The result has the shape A.shape[B.ndim:].

    Raises RuntimeError where A has not as many rows, prod(B.shape), as columns; LinAlgError where it is singular.

    >>> import taeda
    >>> taeda.linalg.tensorsolve(2 * taeda.eye(4).view(2, 2, 4), taeda.ones(2, 2))
    tensor([0.5000, 0.5000, 0.5000, 0.5000])
    """
    op = "linalg.tensorsolve"
    need_tensor(op, "A", A)
    need_tensor(op, "B", B)
    if dims is not None:
        A = A.movedim(tuple(dims), tuple(range(A.ndim - len(dims), A.ndim)))
    before, after = tuple(A.shape[:B.ndim]), tuple(A.shape[B.ndim:])
    n = math.prod(after)
    if n != B.numel():
        raise RuntimeError(f"[{op}] Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == "
                           f"prod(self.shape[:other.ndim]), but got {n} != {math.prod(before)}")
    return write_result(out, linalg_solve(A.reshape(n, n), B.reshape(n)).reshape(after), op)


METHODS = {"kron": kron}
