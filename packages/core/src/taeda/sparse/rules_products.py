"""Rules for products of matrices of which some are sparse."""

from __future__ import annotations

import math
import sys
from typing import Any

from taeda import ops
from taeda.autograd.function import Function
from taeda.autograd.grad_mode import is_grad_enabled
from taeda.autograd.node import named
from taeda.dtype import float32
from taeda.layout import COMPRESSED, sparse_coo, sparse_csc, sparse_csr
from taeda.sparse.compressed import BLOCKS, batch_dims, elements, matrices, stacked, to_compressed, to_coo
from taeda.sparse.pattern import pattern_of
from taeda.sparse.places import runs, sparse_dim
from taeda.sparse.rules_shape import stack, transpose, unsupported
from taeda.sparse.tensor import from_values, is_sparse, make, packed, rule, summed, unknown, values_of


class SparseTimesDense(Function):
    """s x, where s's gradient is the dense one of any product of matrices."""

    @staticmethod
    def forward(ctx: Any, s: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        ctx.s = s
        return _product(s.detach(), x)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        gs = ops.mm(g, x.t()) if ctx.needs_input_grad[0] else None
        return gs, mm(transpose(ctx.s, 0, 1), g) if ctx.needs_input_grad[1] else None


class DenseTimesSparse(Function):
    """x s, where s's gradient is the dense one of any product of matrices."""

    @staticmethod
    def forward(ctx: Any, x: Any, s: Any) -> Any:
        ctx.save_for_backward(x)
        ctx.s = s
        return _product(transpose(s.detach(), 0, 1), x.t()).t()

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        gs = ops.mm(x.t(), g) if ctx.needs_input_grad[1] else None
        return mm(g, transpose(ctx.s, 0, 1)) if ctx.needs_input_grad[0] else None, gs


SparseTimesDense._backward_cls.__name__ = DenseTimesSparse._backward_cls.__name__ = "MmBackward0"


def is_hybrid(x: Any) -> bool:
    """Whether a matrix has a dense dimension."""
    return is_sparse(x) and x._layout is sparse_coo and sparse_dim(x) != 2


def check_matrices(name: str, a: Any, b: Any) -> None:
    """Raise RuntimeError unless two matrices can be multiplied."""
    m, n = a.shape, b.shape
    if len(m) == len(n) == 2 and m[1] == n[0] and a.dtype is b.dtype and not (is_hybrid(a) or is_hybrid(b)):
        return
    for which, x in (("self", a), ("mat2", b)):
        if x.ndim != 2:
            raise RuntimeError(f"[{name}] {which} must be a matrix, got shape {tuple(x.shape)}")
        if is_hybrid(x):
            raise RuntimeError(f"[{name}] expected a matrix with 2 sparse dimensions, got {sparse_dim(x)} of shape {tuple(x.shape)}")
    if a.shape[1] != b.shape[0]:
        raise RuntimeError(f"[{name}] mat1 and mat2 shapes cannot be multiplied ({a.shape[0]}x{a.shape[1]} and {b.shape[0]}x{b.shape[1]})")
    if a.dtype != b.dtype:
        raise RuntimeError(f"[{name}] expected m1 and m2 to have the same dtype, but got: {a.dtype} != {b.dtype}")


def _product(s: Any, x: Any) -> Any:
    """A sparse matrix by a dense one; the sparse one's gradient is at its own elements."""
    return ops.sparse_product(pattern_of(s), elements_of(s), x)


def _both(name: str, a: Any, b: Any) -> Any:
    """A sparse matrix by a sparse one: every pair of entries a[i, k] and b[k, j] is a term of [i, j]."""
    check_matrices(name, a, b)
    layout = a._layout
    if layout in COMPRESSED or b._layout in COMPRESSED:
        found = _both(name, to_coo(a), to_coo(b))
        return to_compressed(found, sparse_csr if layout in (sparse_csr, sparse_coo, sparse_csc) else layout, a._held.shape[1:3] or None)
    rows, inner = a._places[0]
    columns = b._places[0][1]
    start, place = ops.group_by(b._places[0][0], b.shape[0])
    left, at = runs(start, inner)                                                       # left: the entry of a, of each term
    right = place.index_select(0, at)
    terms = values_of(a).index_select(0, left) * values_of(b).index_select(0, right)
    key = rows.index_select(0, left) * b.shape[1] + columns.index_select(0, right)
    keys, group = key.unique(return_inverse=True)
    indices = ops.stack([keys // max(b.shape[1], 1), keys % max(b.shape[1], 1)])
    return packed(sparse_coo, (indices,), summed(terms, group, keys.numel()), (a.shape[0], b.shape[1]), True)


def in_lower_precision(*matrices: Any) -> tuple[Any, ...]:
    """Return the factors of a product as autocast wants them."""
    casting = sys.modules.get("taeda.amp.casting")               # nobody has turned it on where it is not loaded
    if casting is None or not casting.is_autocast_enabled("cpu"):
        return matrices
    lower = casting.get_autocast_dtype("cpu")
    return tuple(x.to(lower) if x.dtype is float32 else x for x in matrices)


def product(name: str, a: Any, b: Any, masked: bool) -> Any:
    """A product with a sparse matrix; masked: its gradient is at its own elements."""
    if not (hasattr(a, "shape") and hasattr(b, "shape")):
        raise TypeError(f"[{name}] expected two tensors, got {type(a).__name__} and {type(b).__name__}")
    if is_sparse(a) and is_sparse(b):
        return _both(name, a, b)
    check_matrices(name, a, b)
    if not is_sparse(a):                         # x s = (s^T x^T)^T
        if not masked and b.requires_grad and is_grad_enabled() and not from_values(b):
            return DenseTimesSparse.apply(a, b)
        return product(name, transpose(b, 0, 1), a.t(), masked).t()
    if not masked and a.requires_grad and is_grad_enabled() and not from_values(a):
        return SparseTimesDense.apply(a, b)
    return _product(a, b)


@rule("mm", "spmm", "__matmul__")
def mm(a: Any, b: Any, *args: Any, **kwargs: Any) -> Any:
    a, b = in_lower_precision(a, b)
    found = product("mm", a, b, False)
    return named(found, "MmBackward0") if found.requires_grad and not is_sparse(found) else found


@rule("dsmm")
def dsmm(a: Any, b: Any) -> Any:
    return mm(a, b)


@rule("_sparse_mm")
def sparse_mm(a: Any, b: Any, reduce: Any = None) -> Any:
    if reduce is not None:
        return _reduced(a, b, reduce)
    if not (is_sparse(a) and is_sparse(b)):                      # autocast leaves a product of two sparse ones as it is
        a, b = in_lower_precision(a, b)
    return product("sparse.mm", a, b, True)


def _reduced(a: Any, b: Any, reduce: str) -> Any:
    """A product whose sums are means, largest or smallest terms."""
    check_matrices("sparse.mm", a, b)
    reduce = {"max": "amax", "min": "amin"}.get(reduce, reduce)
    if reduce not in ("sum", "mean", "amax", "amin"):
        raise RuntimeError(f"[sparse.mm] reduce must be one of sum, mean, max and min, got {reduce!r}")
    if reduce == "sum":
        return product("sparse.mm", a, b, True)
    rows, columns = pattern_of(a).entries
    terms = b.index_select(0, columns) * elements_of(a).unsqueeze(1)
    spread = rows.unsqueeze(1).expand(terms.shape)
    return terms.new_zeros((a.shape[0], b.shape[1])).scatter_reduce(0, spread, terms, reduce, include_self=False)


def elements_of(s: Any) -> Any:
    """The values of a sparse matrix, one per element."""
    return elements(s) if s._layout in BLOCKS else values_of(s)


@rule("mv")
def mv(s: Any, x: Any) -> Any:
    if not is_sparse(s) or is_sparse(x):
        raise unknown("mv", x if is_sparse(x) else s)
    if s.ndim != 2 or x.ndim != 1 or s.shape[1] != x.shape[0]:
        raise RuntimeError(f"[mv] size mismatch, got input of shape {tuple(s.shape)} and vec of shape {tuple(x.shape)}")
    if s._layout is sparse_csr and not s.requires_grad and s.dtype is x.dtype and "taeda.amp.casting" not in sys.modules:
        found = ops.sparse_product(pattern_of(s), s._held, x.unsqueeze(1)).squeeze(1)        # the common case has nothing more to ask
        return named(found, "MvBackward0") if found.requires_grad else found
    return named(mm(s, x.unsqueeze(1)).squeeze(1), "MvBackward0")


@rule("matmul", "__rmatmul__")
def matmul(a: Any, b: Any) -> Any:
    if a.ndim == 2 and b.ndim == 2:
        return mm(a, b)
    if a.ndim == 2 and b.ndim == 1 and is_sparse(a) and not is_sparse(b):
        return mv(a, b)
    if a.ndim == 1 and b.ndim == 2 and is_sparse(b) and not is_sparse(a):
        return mv(transpose(b, 0, 1), a)
    if a.ndim == 3 and b.ndim == 3:
        return bmm(a, b)
    raise unsupported("matmul")


@rule("addmm", "_sparse_addmm")
def addmm(x: Any, a: Any, b: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    (x,) = in_lower_precision(x)
    found = mm(a, b) if alpha == 1 else mm(a, b) * alpha
    if is_sparse(found) and not is_sparse(x):
        found = found.to_dense()
    if beta == 0:
        made = found
    else:
        scaled = x if beta == 1 else x * beta
        made = scaled + found if is_sparse(scaled) == is_sparse(found) or not is_sparse(scaled) else found + scaled
    return made if is_sparse(made) else named(made, "AddmmBackward0")


@rule("addmv")
def addmv(x: Any, a: Any, v: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    if is_sparse(x) or is_sparse(v):
        raise unknown("addmv", x if is_sparse(x) else v)
    if x.ndim > 1 or (x.ndim and x.shape[0] not in (1, a.shape[0])):
        raise RuntimeError(f"[addmv] input of shape {tuple(x.shape)} cannot be expanded to the {a.shape[0]} rows of the matrix")
    found = mv(a, v) if alpha == 1 else mv(a, v) * alpha
    return named(found if beta == 0 else (x if beta == 1 else x * beta) + found, "AddmvBackward0")


def _in_place(name: str, function: Any) -> None:
    """A dense tensor takes what is added to it, of its own shape."""

    @rule(name)
    def add(x: Any, a: Any, b: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
        if is_sparse(x):
            raise unknown(name, x)
        found = function(x, a, b, beta=beta, alpha=alpha)
        if found.shape != x.shape:
            raise RuntimeError(f"[{name}] input of shape {tuple(x.shape)} cannot hold the result of shape {tuple(found.shape)}")
        return x.copy_(found)


_in_place("addmm_", addmm)
_in_place("addmv_", addmv)


@rule("sspaddmm")
def sspaddmm(s: Any, a: Any, b: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    if not is_sparse(s):
        raise RuntimeError("[sspaddmm] expected a sparse tensor to add to")
    product_of = smm(a, b) * alpha
    scaled = s.detach() * beta
    indices = ops.cat([scaled._places[0], product_of._places[0]], 1)
    return make(sparse_coo, (indices,), ops.cat([scaled._held, product_of._held]), s.shape)


@rule("smm")
def smm(a: Any, b: Any) -> Any:
    """The product as a sparse tensor that has each element of the rows in which a has some."""
    found = hspmm(a, b)
    rows, columns = found._places[0][0], b.shape[1]
    indices = ops.stack([rows.repeat_interleave(columns), ops.arange(columns).repeat(rows.numel())])
    return make(sparse_coo, (indices,), found._held.reshape(-1), found.shape)


@rule("hspmm")
def hspmm(a: Any, b: Any) -> Any:
    """The product as a hybrid tensor: the rows in which a has some element."""
    check_matrices("hspmm", a, b)
    rows = a._places[0][0].unique()
    return make(sparse_coo, (rows.unsqueeze(0),), mm(a.detach(), b.detach()).index_select(0, rows), (a.shape[0], b.shape[1]))


@rule("bmm")
def bmm(a: Any, b: Any) -> Any:
    if not is_sparse(a):
        raise unknown("bmm", b)
    if a.ndim != 3 or b.ndim != 3 or a.shape[0] != b.shape[0] or a.shape[2] != b.shape[1]:
        raise RuntimeError(f"[bmm] Expected batches of matrices that can be multiplied, got {tuple(a.shape)} and {tuple(b.shape)}")
    if is_sparse(b):
        return stack([mm(x, y) for x, y in zip(a.unbind(0), b.unbind(0), strict=True)])
    if not a.shape[0]:
        return b.new_zeros((0, a.shape[1], b.shape[2]))
    return named(ops.stack([mm(x, y) for x, y in zip(a.unbind(0), b.unbind(0), strict=True)]), "BmmBackward0")


@rule("linear")
def linear(x: Any, weight: Any, bias: Any = None) -> Any:
    if is_sparse(x) and is_sparse(weight):
        raise unsupported("linear")
    if is_sparse(weight):
        flat = x.reshape(-1, x.shape[-1])
        found = mm(weight, flat.t()).t().reshape((*x.shape[:-1], weight.shape[0]))
    else:
        found = mm(x, weight.t())
    return found if bias is None else found + bias


@rule("sampled_addmm")
def sampled_addmm(s: Any, a: Any, b: Any, *, beta: Any = 1.0, alpha: Any = 1.0) -> Any:
    """beta s + alpha (a b at the places of s)."""
    if not is_sparse(s) or s._layout is not sparse_csr:
        raise RuntimeError(f"[sparse.sampled_addmm] Expected input tensor to have sparse csr layout, but got {s.layout}")
    batch = tuple(a.shape[:-2])
    if batch != b.shape[:-2] or (batch_dims(s) and batch != s.shape[:-2]):
        raise RuntimeError("[sparse.sampled_addmm] Expected self, mat1 and mat2 to have the same batch size, but got "
                           f"{list(s.shape[: batch_dims(s)])}, {list(batch)} and {list(b.shape[:-2])}")
    if batch:                                                # one matrix serves a whole batch
        patterns = matrices(s) if batch_dims(s) else [s] * math.prod(batch)
        parts = zip(patterns, a.flatten(0, -3), b.flatten(0, -3), strict=True)
        return stacked([sampled_addmm(x, y, z, beta=beta, alpha=alpha) for x, y, z in parts], batch)
    if tuple(s.shape) != (a.shape[0], b.shape[1]) or a.shape[1] != b.shape[0]:
        raise RuntimeError(f"[sparse.sampled_addmm] mat1 and mat2 shapes cannot be multiplied ({a.shape[0]}x{a.shape[1]} and {b.shape[0]}x"
                           f"{b.shape[1]}) to {tuple(s.shape)}")
    found = ops.sparse_sample(pattern_of(s), a, b.t())
    found = found if alpha == 1 else found * alpha
    if beta != 0:
        found = values_of(s) * beta + found
    return packed(s._layout, s._places, found, s.shape)


@rule("svd_lowrank")
def svd_lowrank(A: Any, q: Any = 6, niter: Any = 2, M: Any = None) -> Any:
    if M is not None:
        return ops.svd_lowrank(A.to_dense() if is_sparse(A) else A, q, niter, M.to_dense())
    made_of_products: Any = ops.svd_lowrank
    return made_of_products.function(A, q, niter)


@rule("pca_lowrank")
def pca_lowrank(A: Any, *args: Any, **kwargs: Any) -> Any:
    if not is_sparse(A):                                             # something else is
        raise unknown("pca_lowrank", next((x for x in (*args, *kwargs.values()) if is_sparse(x)), None))
    return ops.pca_lowrank(A.to_dense(), *args, **kwargs)            # less the means it is dense


@rule("lobpcg")
def lobpcg(A: Any, *args: Any, **kwargs: Any) -> Any:
    return ops.lobpcg(A.to_dense(), *[x.to_dense() if is_sparse(x) else x for x in args],
                      **{name: x.to_dense() if is_sparse(x) else x for name, x in kwargs.items()})


@rule("einsum", "tensordot")
def _reshaping(*args: Any, **kwargs: Any) -> Any:
    raise unsupported("reshape")


