"""Rules for functions of each element: those that keep zero, sums and products."""

from __future__ import annotations

import math
from typing import Any

from taeda import ops
from taeda.autograd.function import Function
from taeda.autograd.grad_mode import is_grad_enabled
from taeda.autograd.node import named
from taeda.dtype import bool_, can_cast, complex128, float64, promote_types
from taeda.layout import COMPRESSED, sparse_coo
from taeda.sparse.compressed import batch_dims, dense_dims, dense_of, to_compressed, to_coo
from taeda.sparse.places import coo_indices, in_range, is_coalesced, linear, same_parts, sparse_dim
from taeda.sparse.rules_form import begin_write, write
from taeda.sparse.tensor import RULES, coalesce, is_sparse, packed, rule, unknown, values_of, with_values

# f(0) = 0, so that only the values change; of an element that is there several times, its sum is what counts
_KEEP_ZERO = """
abs absolute asin arcsin asinh arcsinh atan arctan atanh arctanh ceil deg2rad erf erfinv expm1 floor frac log1p nan_to_num rad2deg round
sgn sign sin sinh sqrt tan tanh trunc fix relu isnan isinf isposinf isneginf signbit angle
"""
_LINEAR = ("neg", "negative", "positive")               # of each entry as well


def _keeps_zero(name: str) -> None:
    @rule(name)
    def unary(s: Any, *args: Any, **kwargs: Any) -> Any:
        kwargs.pop("inplace", None)
        if s._layout is sparse_coo and name not in _LINEAR:
            s = coalesce(s)
        return with_values(s, getattr(ops, name)(values_of(s), *args, **kwargs))

    @rule(f"{name}_")
    def in_place(s: Any, *args: Any, **kwargs: Any) -> Any:
        if s._layout is sparse_coo and name not in _LINEAR and not is_coalesced(s):
            raise RuntimeError(f"[{name}_] {name}_ requires coalesced input")
        made = RULES[name](s, *args, **kwargs)
        if s.is_complex() and not made.is_complex():
            raise RuntimeError(f"[{name}_] In-place {name} is not supported for complex tensors.")
        return write(f"{name}_", s, made)


for _name in (*_KEEP_ZERO.split(), *_LINEAR):
    if hasattr(ops, _name):
        _keeps_zero(_name)


@rule("pow")
def pow(s: Any, exponent: Any) -> Any:
    if not is_sparse(s) or (hasattr(exponent, "ndim") and exponent.ndim):
        raise unknown("pow", s)
    if exponent == 0:
        raise RuntimeError("[pow] cannot raise to zeroth power on sparse tensor; it would make the result tensor dense")
    s = coalesce(s) if s._layout is sparse_coo else s
    return with_values(s, values_of(s) ** exponent)


@rule("float_power")
def float_power(s: Any, exponent: Any) -> Any:
    if not is_sparse(s) or isinstance(exponent, complex):
        raise unknown("float_power", s)
    return pow(s.to(complex128 if s.is_complex() else float64), exponent)


@rule("result_type")
def result_type(a: Any, b: Any) -> Any:
    return ops.result_type(*(x._held if is_sparse(x) else x for x in (a, b)))


@rule("square")
def square(s: Any) -> Any:
    return pow(s, 2)


# -- sums --------------------------------------------------------------------------------------------


class DensePlusSparse(Function):
    """x + alpha s."""

    @staticmethod
    def forward(ctx: Any, x: Any, s: Any, alpha: Any) -> Any:
        ctx.set_materialize_grads(False)
        ctx.alpha = alpha
        dtype = ops.result_type(x, s._held)
        return _add_entries(x.to(dtype, copy=True), s, alpha)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g, None if g is None else g if ctx.alpha == 1 else g * ctx.alpha, None


DensePlusSparse._backward_cls.__name__ = "AddBackward0"


def _dense_plus(x: Any, s: Any, alpha: Any) -> Any:
    """x + alpha s; a node is made where there is something to differentiate."""
    if is_grad_enabled() and (x.requires_grad or s.requires_grad):
        return DensePlusSparse.apply(x, s, alpha)
    return _add_entries(x.clone() if x.dtype is s._held.dtype else x.to(ops.result_type(x, s._held), copy=True), s, alpha)


def _add_entries(x: Any, s: Any, alpha: Any) -> Any:
    """Add a sparse tensor to a dense one, in place."""
    values = s._held if s._held.dtype is x.dtype else s._held.to(x.dtype)
    values = values if alpha == 1 else values * alpha
    if s._layout in COMPRESSED:
        if batch_dims(s) or dense_dims(s):
            return x.add_(dense_of(s), alpha=alpha)
        rows, columns = coo_indices(s)
        places, sizes = rows * s.shape[1] + columns, (s.shape[0] * s.shape[1],)
        values = values.reshape(-1)
    else:
        size, k = tuple(s.shape), sparse_dim(s)
        places, sizes = in_range(s), (math.prod(size[:k]), *size[k:])
    if x.is_contiguous():
        x.view(sizes).index_add_(0, places, values)
    else:
        x.copy_(x.reshape(sizes).index_add(0, places, values).reshape(x.shape))
    return x


def _same_size(name: str, a: Any, b: Any) -> None:
    if a.shape != b.shape:
        raise RuntimeError(f"[{name}] add: Expected 'self' and 'other' to have same sizes, but self has size {list(a.shape)} while other "
                           f"has size {list(b.shape)}")


def _checked_alpha(name: str, a: Any, b: Any, alpha: Any) -> Any:
    """Return alpha as a number; RuntimeError where it is of a kind that the sum's dtype is not."""
    alpha = alpha.item() if hasattr(alpha, "item") else alpha
    dtype, wrong = promote_types(a.dtype, b.dtype), ""
    if isinstance(alpha, bool) and dtype is not bool_:
        wrong = "Boolean alpha only supported for Boolean results"
    elif isinstance(alpha, float) and not (dtype.is_floating_point or dtype.is_complex):
        wrong = "For integral input tensors, argument alpha must not be a floating point number"
    elif isinstance(alpha, complex) and not dtype.is_complex:
        wrong = "For non-complex input tensors, argument alpha must not be a complex number"
    if wrong:
        raise RuntimeError(f"[{name}] {wrong}, got {alpha} for {a.dtype} and {b.dtype}")
    return bool(alpha) if dtype is bool_ else alpha              # 2 of them would be integers


def _sum(name: str, a: Any, b: Any, alpha: Any) -> Any:
    """a + alpha b."""
    if hasattr(a, "shape") and hasattr(b, "shape"):
        alpha = _checked_alpha(name, a, b, alpha)
    if not is_sparse(a):
        if not hasattr(a, "shape"):
            raise RuntimeError(f"[{name}] add(sparse, dense) is not supported. Use add(dense, sparse) instead.")
        _same_size(name, a, b)
        return _dense_plus(a, b, alpha)
    if not is_sparse(b):
        if a._layout in COMPRESSED and hasattr(b, "shape"):
            return _dense_plus(b if alpha == 1 else b * alpha, a, 1)
        raise RuntimeError(f"[{name}] add(sparse, dense) is not supported. Use add(dense, sparse) instead.")
    _same_size(name, a, b)
    va, vb = values_of(a), values_of(b)
    if va.dtype is not vb.dtype:
        dtype = ops.result_type(va, vb)
        va, vb = va.to(dtype), vb.to(dtype)
    vb = vb if alpha == 1 else vb * alpha
    if same_parts(a, b) and (a._layout in COMPRESSED or is_coalesced(a) or is_coalesced(b)):
        return with_values(a, va + vb)
    if a._layout in COMPRESSED or b._layout in COMPRESSED:
        found = _sum(name, to_coo(a), to_coo(b), alpha)
        return to_compressed(found, a._layout, va.shape[1:3] or None)
    if sparse_dim(a) != sparse_dim(b):
        if not (len(va) and len(vb)):                  # nothing has as many sparse dimensions as one likes
            return with_values(b, vb.clone()) if len(vb) else with_values(a, va.clone())
        raise RuntimeError(f"[{name}] add: expected 'self' and 'other' to have same number of sparse dimensions, got {sparse_dim(a)} and "
                           f"{sparse_dim(b)}")
    return merged(a, b, va, vb)


def merged(a: Any, b: Any, va: Any, vb: Any) -> Any:
    """The sum of two COO tensors: along both lists of entries, the smaller index first, equal ones together."""
    if not (va.is_contiguous() and vb.is_contiguous()):          # PyTorch's order: it shows in .grad of a table
        indices = ops.cat([a._places[0], b._places[0]], 1)
        return packed(sparse_coo, (indices,), ops.cat([va, vb]), a.shape)
    of_a, of_b, n = ops.merge(linear(a), linear(b))
    values = va.new_zeros((n, *va.shape[1:]))
    indices = a._places[0].new_empty((sparse_dim(a), n))
    indices[:, of_a] = a._places[0]
    indices[:, of_b] = b._places[0]
    if va.dtype.name == "bool":
        total = values.index_put((of_a,), va) | values.index_put((of_b,), vb)
    else:
        total = values.index_put((of_a,), va).index_add(0, of_b, vb)
    return packed(sparse_coo, (indices,), total, a.shape, is_coalesced(a) and is_coalesced(b))


@rule("add", "__add__")
def add(a: Any, b: Any, *, alpha: Any = 1) -> Any:
    return _sum("add", a, b, alpha)


@rule("sub", "subtract")
def sub(a: Any, b: Any, *, alpha: Any = 1) -> Any:
    return _sum("sub", a, b, -alpha)


@rule("rsub")
def rsub(a: Any, b: Any, *, alpha: Any = 1) -> Any:
    return _sum("rsub", b, a, -alpha)


def _in_place_sum(name: str, a: Any, b: Any, alpha: Any) -> Any:
    alpha = +(alpha.item() if hasattr(alpha, "item") else alpha)  # True is 1 here, as in PyTorch
    if is_sparse(a):
        if not is_sparse(b):
            raise RuntimeError(f"[{name}] add(sparse, dense) is not supported. Use add(dense, sparse) instead.")
        return write(name, a, _sum(name, a, b, alpha))
    alpha = _checked_alpha(name, a, b, alpha)
    _same_size(name, a, b)
    if is_grad_enabled() and (a.requires_grad or b.requires_grad):
        if a.requires_grad and a.is_leaf:
            return a.add_(b.to_dense(), alpha=alpha)              # which refuses it
        return named(a.copy_(_sum(name, a, b, alpha)), "AddBackward0")
    common = ops.result_type(a, b._held)
    if not can_cast(common, a.dtype):
        raise RuntimeError(f"[{name}] Can't convert result type {common} to output {a.dtype} in add operation")
    _add_entries(a, b, alpha)
    return a


@rule("add_", "__iadd__")
def add_(a: Any, b: Any, *, alpha: Any = 1) -> Any:
    return _in_place_sum("add_", a, b, alpha)


@rule("sub_", "subtract_")
def sub_(a: Any, b: Any, *, alpha: Any = 1) -> Any:
    return _in_place_sum("sub_", a, b, -alpha)


# -- products ----------------------------------------------------------------------------------------


def _is_number(x: Any) -> bool:
    return not hasattr(x, "shape") or (not is_sparse(x) and x.ndim == 0)


def _repeated(s: Any, sizes: Any) -> Any:
    """s again and again along new dimensions of these sizes, in front."""
    places, values, n = s._places[0], values_of(s), math.prod(sizes)
    front = ops.stack(ops.unravel_index(ops.arange(n), sizes)).repeat_interleave(places.shape[1], 1)
    places = ops.cat([front, places.repeat(1, n)])
    return packed(sparse_coo, (places,), values.repeat(n, *[1] * (values.ndim - 1)), (*sizes, *s.shape), is_coalesced(s))


def _times_dense(s: Any, x: Any) -> Any:
    """The elements of s by those of a dense tensor, which is spread to its shape."""
    if s._layout in COMPRESSED:
        rows, columns = coo_indices(s)
        return with_values(s, values_of(s) * x.expand(s.shape)[rows, columns].reshape(s._held.shape))
    if x.ndim > s.ndim:
        s = _repeated(s, x.shape[: x.ndim - s.ndim])
    k, spread = sparse_dim(s), x.expand(s.shape)
    return with_values(s, values_of(s) * (spread[tuple(s._places[0])] if k else spread.unsqueeze(0)))


def _times_sparse(a: Any, b: Any) -> Any:
    """The elements that both have: in the order, and as often, as the one that is not coalesced, or has fewer entries, has them."""
    for s, x in ((a, b), (b, a)):
        if x.ndim == 0 < s.ndim:
            return with_values(s, values_of(s) * x.to_dense())
    # dense dimensions broadcast, sparse ones do not
    k = sparse_dim(a) if a._layout is sparse_coo is b._layout and a.ndim == b.ndim and sparse_dim(a) == sparse_dim(b) else a.ndim
    if a.shape != b.shape and (k == a.ndim or a.shape[:k] != b.shape[:k]):
        raise RuntimeError(f"[mul] sparse operands must have the same shape in their sparse dimensions, got {tuple(a.shape)} and "
                           f"{tuple(b.shape)}")
    if a._layout in COMPRESSED or b._layout in COMPRESSED:
        layout = a._layout if a._layout in COMPRESSED else b._layout
        return to_compressed(_times_sparse(to_coo(a), to_coo(b)), layout, None)
    if same_parts(a, b) and (is_coalesced(a) or is_coalesced(b)):
        values = values_of(a) * values_of(b)
        return with_values(a, values) if a.shape == b.shape else packed(
            sparse_coo, a._places, values, (*a.shape[:k], *values.shape[1:]), True)
    if not is_coalesced(b):
        if is_coalesced(a) or a._nnz() >= b._nnz():
            a, b = b, a
        b = coalesce(b)
    known, wanted = linear(b), linear(a)
    at = ops.searchsorted(known, wanted).clamp(max=max(known.numel() - 1, 0))
    both = (known.index_select(0, at) == wanted).nonzero().reshape(-1) if known.numel() else at[:0]
    values = values_of(a).index_select(0, both) * values_of(b).index_select(0, at.index_select(0, both))
    return packed(sparse_coo, (a._places[0].index_select(1, both),), values, (*a.shape[:k], *values.shape[1:]), is_coalesced(a))


@rule("mul", "multiply", "__rmul__")
def mul(a: Any, b: Any) -> Any:
    if is_sparse(a) and is_sparse(b):
        return _times_sparse(a, b)
    s, x = (a, b) if is_sparse(a) else (b, a)
    return with_values(s, values_of(s) * x) if _is_number(x) else _times_dense(s, x)


def _quotient(name: str, s: Any, x: Any, kwargs: Any) -> Any:
    if not is_sparse(s) or not _is_number(x):
        raise RuntimeError(f"[{name}] Sparse division requires a scalar or zero-dim dense tensor divisor (got shape "
                           f"{list(getattr(x, 'shape', ()))} for divisor)")
    mode = kwargs.get("rounding_mode", "floor" if name == "floor_divide" else None)
    if mode is not None and s._layout is sparse_coo:
        s = coalesce(s)                     # a rounded sum is not the sum of rounded parts
    return with_values(s, ops.div(values_of(s), x, rounding_mode=mode))


def _division(name: str) -> None:
    @rule(name)
    def divide(s: Any, x: Any, **kwargs: Any) -> Any:
        return _quotient(name, s, x, kwargs)

    @rule(f"{name}_")
    def divide_(s: Any, x: Any, **kwargs: Any) -> Any:
        if not is_sparse(s):
            raise unknown(f"{name}_", x)
        return write(f"{name}_", s, _quotient(name, s, x, kwargs))


for _name in ("div", "divide", "true_divide", "floor_divide"):
    _division(_name)


@rule("mul_", "multiply_")
def mul_(a: Any, b: Any) -> Any:
    if not is_sparse(a):
        common = ops.result_type(a, b._held)
        if b._layout in COMPRESSED or not can_cast(common, a.dtype):
            raise RuntimeError(f"[mul_] a dense {a.dtype} tensor cannot take the product with a {b.dtype} one of layout {b._layout}")
        return named(a.copy_(mul(a, b).to_dense()), "MulBackward0")
    begin_write("mul_", a)
    return write("mul_", a, mul(a, b))


@rule("any")
def any_(s: Any, *dim: Any, **kwargs: Any) -> Any:
    if dim or kwargs:
        raise unknown("any.dim", s)
    return coalesce(to_coo(s))._held.any()


@rule("native_dropout", "dropout", "dropout_")
def dropout(s: Any, p: Any = 0.5, train: Any = True, *args: Any, **kwargs: Any) -> Any:
    if not train or p == 0:
        return s
    raise unknown("native_dropout", s)
