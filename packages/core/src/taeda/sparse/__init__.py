"""Tensors of which most elements are zero, and what is done with them as PyTorch's ``torch.sparse`` does it.

``taeda.sparse_coo_tensor`` and kin make them (``creation``), ``tensor.to_sparse()`` does of dense ones.  Operations are those of any
tensor where they are defined; the functions here have gradients that are sparse as well.

>>> import taeda
>>> s = taeda.eye(3).to_sparse()
>>> taeda.sparse.mm(s, taeda.ones(3, 2)).shape
taeda.Size([3, 2])
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from taeda import ops
from taeda.dtype import int64
from taeda.layout import COMPRESSED, sparse_coo, sparse_csc, sparse_csr
from taeda.sparse import rules  # noqa: F401 (fills the table of what sparse tensors can do)
from taeda.sparse.creation import INVARIANTS
from taeda.sparse.legacy import NAMES as _TYPED
from taeda.sparse.rules_products import addmm as _addmm, check_matrices, in_lower_precision, product, sampled_addmm as _sampled, sparse_mm
from taeda.sparse.rules_reduce import dims_of, sparse_log_softmax, sparse_softmax, sum as _sum, sum_over
from taeda.sparse.tensor import called, is_sparse, make, values_of, with_values, written

__all__ = [
    "SparseSemiStructuredTensor", "addmm", "as_sparse_gradcheck", "check_sparse_tensor_invariants", "log_softmax", "mm", "sampled_addmm",
    "softmax", "spdiags", "spsolve", "sum", "to_sparse_semi_structured",
]  # fmt: skip

globals().update(_TYPED)


def mm(mat1: Any, mat2: Any, reduce: str | None = None) -> Any:
    """Return the product of two matrices, at least one of them sparse; sparse if both are.

    The gradient of a sparse matrix is sparse: it has the elements that the matrix has.

    Args:
        mat1: (n, m).
        mat2: (m, p).
        reduce: in place of the sum of the terms, "mean", "max" or "min", for a sparse matrix and a dense one.

    Raises RuntimeError for shapes or dtypes that do not fit.

    >>> import taeda
    >>> s = taeda.sparse_coo_tensor([[0, 1], [1, 0]], [2.0, 3.0])
    >>> taeda.sparse.mm(s, taeda.tensor([[1.0], [10.0]]))
    tensor([[20.],
            [ 3.]])
    """
    if not (is_sparse(mat1) or is_sparse(mat2)):
        check_matrices("sparse.mm", mat1, mat2)
        return ops.mm(mat1, mat2)
    return called(sparse_mm(mat1, mat2, reduce), "SparseSparseMatmulBackward0" if is_sparse(mat1) and is_sparse(mat2) else "")


def addmm(mat: Any, mat1: Any, mat2: Any, *, beta: float = 1.0, alpha: float = 1.0) -> Any:
    """Return beta mat + alpha (mat1 @ mat2) for a sparse mat1, whose gradient is sparse.

    >>> import taeda
    >>> s = taeda.sparse_coo_tensor([[0], [1]], [2.0], (2, 2))
    >>> taeda.sparse.addmm(taeda.ones(2, 2), s, taeda.eye(2), alpha=0.5)
    tensor([[1., 2.],
            [1., 1.]])
    """
    if not is_sparse(mat1):
        return _addmm(mat, mat1, mat2, beta=beta, alpha=alpha)
    mat, mat1, mat2 = in_lower_precision(mat, mat1, mat2)
    found = product("sparse.addmm", mat1, mat2, True)
    found = found if alpha == 1 else found * alpha
    if beta == 0:                                           # what does not fit is refused, though nothing of it counts
        ops.empty(tuple(mat.shape), device="meta").expand(found.shape)
        return found
    return (mat if beta == 1 else mat * beta) + found


def sampled_addmm(input: Any, mat1: Any, mat2: Any, *, beta: float = 1.0, alpha: float = 1.0, out: Any = None) -> Any:
    """Return beta input + alpha (mat1 @ mat2), of the product only the elements that the CSR matrix ``input`` has.

    >>> import taeda
    >>> s = taeda.eye(2).to_sparse_csr()
    >>> taeda.sparse.sampled_addmm(s, taeda.ones(2, 3), taeda.ones(3, 2)).values()
    tensor([4., 4.])
    """
    found = _sampled(input, mat1, mat2, beta=beta, alpha=alpha)
    return found if out is None else written("sampled_addmm", out, found)


def sum(input: Any, dim: Any = None, dtype: Any = None) -> Any:
    """Return the sum of a sparse tensor's elements, or that over some dimensions: sparse while a sparse dimension is left.

    The gradient is sparse.

    >>> import taeda
    >>> s = taeda.sparse_coo_tensor([[0, 1], [1, 1]], [2.0, 3.0])
    >>> taeda.sparse.sum(s), taeda.sparse.sum(s, 0).to_dense()
    (tensor(5.), tensor([0., 5.]))
    """
    if not is_sparse(input):
        raise RuntimeError(f"[sparse.sum] expected a sparse tensor, got layout {input.layout}; use taeda.sum")
    if dim is None:
        return values_of(input).sum(dtype=dtype)
    if input._layout in COMPRESSED:
        return _sum(input, dim, dtype=dtype)
    return called(sum_over(input, dims_of(input, dim), dtype), "SparseSumBackward0")


def softmax(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """Return the softmax among the elements that are there: what is not counts as minus infinity.

    >>> import taeda
    >>> taeda.sparse.softmax(taeda.sparse_coo_tensor([[0, 0], [0, 2]], [1.0, 1.0], (1, 3)), 1).values()
    tensor([0.5000, 0.5000])
    """
    return called(sparse_softmax(input, dim, dtype), "SparseSoftmaxBackward0")


def log_softmax(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """Return the logarithm of :func:`softmax`.

    >>> import taeda
    >>> x = taeda.sparse_coo_tensor([[0, 1]], [1.0, 1.0], (2,))
    >>> taeda.sparse.log_softmax(x, 0).to_dense()
    tensor([-0.6931, -0.6931])
    """
    return called(sparse_log_softmax(input, dim, dtype), "SparseLogSoftmaxBackward0")


def spdiags(diagonals: Any, offsets: Any, shape: Any, layout: Any = None) -> Any:
    """Return a matrix with the rows of ``diagonals`` on its diagonals: element j of a row is in column j.

    Args:
        diagonals: (k, n) or (n,).
        offsets: (k,), 0 the main diagonal, positive above it.
        shape: of the result.
        layout: COO by default, CSR or CSC.

    >>> import taeda
    >>> taeda.sparse.spdiags(taeda.tensor([[1.0, 2.0]]), taeda.tensor([1]), (2, 2)).to_dense()
    tensor([[0., 2.],
            [0., 0.]])
    """
    rows = diagonals.unsqueeze(0) if diagonals.ndim == 1 else diagonals
    places = offsets.reshape(-1)
    if rows.ndim != 2 or len(shape) != 2:
        raise RuntimeError(f"[sparse.spdiags] Diagonals must be vector or matrix and the output shape 2d, got {tuple(diagonals.shape)} and "
                           f"{tuple(shape)}")
    if offsets.ndim > 1 or offsets.dtype != int64:
        raise RuntimeError(f"[sparse.spdiags] Offsets must be a scalar or a vector of int64, got {offsets.dtype} of shape "
                           f"{tuple(offsets.shape)}")
    if places.numel() != rows.shape[0]:
        raise RuntimeError(f"[sparse.spdiags] Number of diagonals ({rows.shape[0]}) does not match the number of offsets "
                           f"({places.numel()})")
    if places.unique().numel() != places.numel():
        raise RuntimeError("[sparse.spdiags] Offset tensor contains duplicate values")
    if layout not in (None, sparse_coo, sparse_csr, sparse_csc):
        raise RuntimeError(f"[sparse.spdiags] Only output layouts (Sparse, SparseCsc, SparseCsr) are supported, got {layout}")
    column = ops.arange(min(rows.shape[1], shape[1])).expand(rows.shape[0], -1)
    row = column - places.unsqueeze(1)
    there = (row >= 0) & (row < shape[0])
    values = rows[:, : column.shape[1]]
    made = make(sparse_coo, (ops.stack([row[there], column[there]]),), values[there], tuple(shape))
    return made if layout in (None, sparse_coo) else made.coalesce().to_sparse(layout=layout)


def spsolve(input: Any, other: Any, *, left: bool = True) -> Any:
    """Raise RuntimeError: systems of sparse matrices need a solver for GPUs, in PyTorch as well."""
    raise RuntimeError("[sparse.spsolve] needs a GPU's solver; hint: taeda.linalg.solve(input.to_dense(), other)")


class SparseSemiStructuredTensor:
    """Of two in four elements, for GPUs alone: nothing is an instance of it."""

    @classmethod
    def from_dense(cls, original_tensor: Any) -> Any:
        """Raise NotImplementedError: there is no GPU."""
        raise NotImplementedError("[sparse] semi-structured tensors are for GPUs; hint: to_sparse_csr()")


def to_sparse_semi_structured(original_tensor: Any) -> Any:
    """Raise NotImplementedError: see :class:`SparseSemiStructuredTensor`."""
    return SparseSemiStructuredTensor.from_dense(original_tensor)


class check_sparse_tensor_invariants:
    """Whether new sparse tensors are checked: a switch, a ``with`` block, or a decorator of functions.

    >>> import taeda
    >>> with taeda.sparse.check_sparse_tensor_invariants():
    ...     taeda.sparse.check_sparse_tensor_invariants.is_enabled()
    True
    >>> taeda.sparse.check_sparse_tensor_invariants.is_enabled()
    False
    """

    @staticmethod
    def is_enabled() -> bool:
        """Whether they are checked."""
        return INVARIANTS["on"]

    @staticmethod
    def enable() -> None:
        """Check them from now on."""
        INVARIANTS["on"] = True

    @staticmethod
    def disable() -> None:
        """Check them no more."""
        INVARIANTS["on"] = False

    def __init__(self, enable: bool = True) -> None:
        self.state = enable
        self.saved: bool | None = None

    def __enter__(self) -> None:
        if self.saved is not None:
            raise RuntimeError("[check_sparse_tensor_invariants] This context manager instance is already activated. Use a different "
                               "context manager instance for context nesting.")
        self.saved, INVARIANTS["on"] = INVARIANTS["on"], self.state

    def __exit__(self, *error: Any) -> None:
        assert self.saved is not None
        INVARIANTS["on"], self.saved = self.saved, None

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def checked(*args: Any, **kwargs: Any) -> Any:
            with type(self)(self.state):
                return function(*args, **kwargs)

        return checked


def as_sparse_gradcheck(gradcheck: Callable[..., bool]) -> Callable[..., bool]:
    """Return a gradcheck for functions of sparse tensors: it differentiates by their values.

    >>> import taeda
    >>> check = taeda.sparse.as_sparse_gradcheck(taeda.autograd.gradcheck)
    >>> s = taeda.eye(2, dtype=taeda.float64).to_sparse().requires_grad_()
    >>> check(lambda x: x.to_dense(), s)
    True
    """

    @functools.wraps(gradcheck)
    def check(function: Callable[..., Any], inputs: Any, **kwargs: Any) -> bool:
        kwargs.pop("masked", None)
        return gradcheck(*of_values(function, inputs), **kwargs)

    return check


def of_values(function: Callable[..., Any], inputs: Any) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """Return a function of sparse tensors as one of their values with dense results, and those values as leaves."""
    given = tuple(inputs) if isinstance(inputs, (list, tuple)) else (inputs,)
    shells = tuple((s.detach().coalesce() if s.is_sparse else s.detach()) if is_sparse(s) else s for s in given)
    leaves = tuple(x._held.clone().requires_grad_(s.requires_grad) if is_sparse(s) else s for s, x in zip(given, shells, strict=True))

    def plain(*values: Any) -> Any:
        found = function(*[with_values(s, x) if is_sparse(s) else x for s, x in zip(shells, values, strict=True)])
        outs = tuple(x.to_dense() if is_sparse(x) else x for x in (found if isinstance(found, (list, tuple)) else (found,)))
        return outs if isinstance(found, (list, tuple)) else outs[0]

    return plain, leaves
