"""Batching rules of functions that name dimensions: a sample's dimension d is the batch's d + 1.

``SHIFTED`` lists which parameters hold dimensions; what a call leaves out is filled in from the function's signature.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable
from typing import Any

from taeda import ops
from taeda.func.batched import RULES, at, batched, become, check_target, size_of, value_at, wrap
from taeda.func.rules_pointwise import aligned, pointwise
from taeda.operands import wrapped_dim
from taeda.tensor import Tensor

MISSING = inspect.Parameter.empty


@functools.cache
def signature(function: Any) -> tuple[tuple[str, ...], dict[str, Any]] | None:
    """Return the names and defaults of a function's parameters; None for one that takes any number."""
    parameters = inspect.signature(function).parameters.values()
    if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters):
        return None
    return tuple(p.name for p in parameters), {p.name: p.default for p in parameters}


def bound(func: Any, args: Any, kwargs: Any) -> dict[str, Any] | None:
    """Return the call's arguments by name with defaults filled in; None where that is not possible."""
    known = signature(getattr(func, "function", func))
    if known is None or len(args) > len(known[0]) or not set(kwargs) <= set(known[0]):
        return None
    found = {**known[1], **dict(zip(known[0], args, strict=False)), **kwargs}
    return None if any(v is MISSING for v in found.values()) else found


def others_batched(given: dict[Any, Any], first: Any, level: int) -> bool:
    """Whether a tensor besides the first is a batch of the level."""
    return any(at(x, level) for v in given.values() for x in (v if isinstance(v, (tuple, list)) else (v,)) if x is not first)


def shifted(*names: str, extra: int = 0) -> Callable[..., Any]:
    """Make the rule that counts the named dimensions from the batch's first; ``extra``: of a result with a dimension more."""

    def rule(func: Any, level: int, args: Any, kwargs: Any) -> Any:
        given = bound(func, args, kwargs)
        if given is None or not set(names) <= set(given):
            return NotImplemented
        first = next(iter(given))
        x = given[first]
        if not at(x, level) or others_batched(given, x, level):
            return NotImplemented
        value, rank = x._value, x.ndim
        lifted = rank == 0 and not extra
        if lifted:                                   # a 0-d sample counts as one with a dimension of size 1
            value, rank = value.unsqueeze(1), 1
        given[first] = value
        for name in names:
            d = given[name]
            if isinstance(d, (tuple, list)):
                given[name] = type(d)([wrapped_dim(func.__name__, i, rank + extra) + 1 for i in d])
            elif d is None:
                return NotImplemented
            else:
                given[name] = wrapped_dim(func.__name__, d, rank + extra) + 1
        found = run(func, given)
        if lifted:
            found = each(found, lambda y: y.squeeze(1) if y.ndim in (2, 3) and y.shape[1] == 1 else y)   # 3: unfold
        return wrap(found, level)

    return rule


def cross(func: Any, level: int, args: Any, kwargs: Any) -> Any:
    """Cross products along a dimension; samples have equal ranks, so that either batch has its dimension in front."""
    given = bound(func, args, kwargs)
    if given is None or given["input"].ndim != given["other"].ndim:
        return NotImplemented
    given["dim"] = wrapped_dim("linalg.cross", given["dim"], given["input"].ndim) + 1
    return wrap(func(*[value_at(given.pop(name), level) for name in ("input", "other")], **given), level)


def each(found: Any, f: Callable[[Any], Any]) -> Any:
    """Apply f to the tensor, or to each tensor of a tuple."""
    if isinstance(found, Tensor):
        return f(found)
    return type(found)([f(y) for y in found]) if isinstance(found, (tuple, list)) else found


def run(func: Any, given: dict[str, Any]) -> Any:
    """Call a function with its arguments by name, the tensor first; what has its default is left out."""
    function = getattr(func, "function", func)
    defaults = signature(function)[1]  # type: ignore[index]
    first, *rest = given
    return func(given[first], **{k: given[k] for k in rest if given[k] is not defaults[k]})


def reduction(full: str | None = None) -> Callable[..., Any]:
    """Make the rule of a reduction over ``dim``; without one it is over a sample's every dimension.

    ``full``: another function that does the latter, where the one with a dimension returns indices too.
    """
    by_dim = shifted("dim")

    def rule(func: Any, level: int, args: Any, kwargs: Any) -> Any:
        if "other" in kwargs or (len(args) > 1 and isinstance(args[1], Tensor)):      # max and min of two tensors
            return pointwise(func, level, args, kwargs)
        given = bound(func, args, kwargs)
        if given is None or "dim" not in given or given.get("p") == "nuc":
            return NotImplemented
        if isinstance(given["dim"], bool) and "unbiased" in given:        # std(x, False)
            given.update(dim=None, unbiased=given["dim"])
        if given["dim"] is not None and given["dim"] != ():
            return by_dim(func, level, args, kwargs)
        first = next(iter(given))
        x = given[first]
        if not at(x, level) or others_batched(given, x, level):
            return NotImplemented
        value, rank = x._value, x.ndim
        given[first] = value.unsqueeze(1) if rank == 0 else value.flatten(1)
        given["dim"] = 1
        keepdim = given.get("keepdim")
        if keepdim:
            given["keepdim"] = False
        found = getattr(ops, full)(given[first], 1) if full else run(func, given)
        if isinstance(found, tuple) and hasattr(found, "indices"):        # median
            found = found[0]
        if keepdim:
            found = each(found, lambda y: y.reshape((-1,) + (1,) * rank))
        return wrap(found, level)

    return rule


def sizes_of(args: Any, kwargs: Any) -> tuple[int, ...] | None:
    """Return the sizes that a call names one by one or as a sequence; None for anything else."""
    given = args[1:] or tuple(kwargs.values())
    if len(given) == 1 and isinstance(given[0], (tuple, list)):
        given = tuple(given[0])
    if not all(hasattr(s, "__index__") and not isinstance(s, Tensor) for s in given):
        return None
    return tuple(s.__index__() for s in given)


def view_like(func: Any, level: int, args: Any, kwargs: Any) -> Any:
    """view and reshape: the batch keeps its own dimension."""
    x, sizes = args[0], sizes_of(args, kwargs)
    if sizes is None or not at(x, level):
        return NotImplemented
    if size_of(level) == 0 and -1 in sizes:
        known = math.prod(s for s in sizes if s != -1)
        sizes = tuple(x.numel() // max(known, 1) if s == -1 else s for s in sizes)
    return batched(func(x._value, size_of(level), *sizes), level)


def expand(func: Any, level: int, args: Any, kwargs: Any) -> Any:
    """expand, broadcast_to: dimensions are added after the batch's."""
    x, sizes = args[0], sizes_of(args, kwargs)
    if sizes is None or not at(x, level) or len(sizes) < x.ndim:
        return NotImplemented
    return batched(aligned(x, len(sizes), level).expand(size_of(level), *sizes), level)


def repeat(func: Any, level: int, args: Any, kwargs: Any) -> Any:
    """repeat, tile: once along the batch."""
    x, times = args[0], sizes_of(args, kwargs)
    if times is None or not at(x, level):
        return NotImplemented
    if func.__name__ == "tile":
        times = (1,) * (x.ndim - len(times)) + times
    if len(times) < x.ndim:
        return NotImplemented
    return batched(aligned(x, len(times), level).repeat(1, *times), level)


def permute(func: Any, level: int, args: Any, kwargs: Any) -> Any:
    """permute: the batch's dimension stays first."""
    x, dims = args[0], sizes_of(args, kwargs)
    if dims is None or not at(x, level) or len(dims) != x.ndim:
        return NotImplemented
    return batched(x._value.permute(0, *[wrapped_dim("permute", d, x.ndim) + 1 for d in dims]), level)


def squeeze(func: Any, level: int, args: Any, kwargs: Any) -> Any:
    """squeeze: the batch's dimension stays, whatever its size."""
    x = args[0]
    dim = args[1] if len(args) > 1 else kwargs.get("dim")
    given = dim if isinstance(dim, (tuple, list)) else (dim,)
    dims = range(x.ndim) if dim is None else [wrapped_dim("squeeze", d, x.ndim) for d in given]
    value = x._value
    for d in sorted(dims, reverse=True):
        if d < x.ndim and x.shape[d] == 1:
            value = value.select(d + 1, 0)
    return batched(value.view_as(value) if value is x._value else value, level)


def transpose_2d(func: Any, level: int, args: Any, kwargs: Any) -> Any:
    """t: the transposed matrix of each sample."""
    x = args[0]
    if x.ndim > 2:
        return NotImplemented
    return batched(x._value.transpose(1, 2) if x.ndim == 2 else x._value, level)


def _reach(size: Any, stride: Any) -> int:
    """Return how far the last element of a layout lies from its first; -1 where it has none."""
    return -1 if 0 in size else sum((n - 1) * step for n, step in zip(size, stride, strict=True))


def as_strided(func: Any, level: int, args: Any, kwargs: Any) -> Any:
    """as_strided: the strides of a sample within its part of the batch.

    The offset counts from the start of the storage, as that of the first sample, and a view stays within its sample.
    """
    given = bound(func, args, kwargs)
    if given is None:
        return NotImplemented
    value = given["input"]._value
    if len(given["size"]) != len(given["stride"]):
        raise RuntimeError(f"[as_strided] vmap: size and stride must have the same length, got {list(given['size'])} and "
                           f"{list(given['stride'])}")
    if value.stride(0) == 0 and size_of(level) > 1:        # samples in one place: the gradient of a view of them all would be their sum
        return NotImplemented
    first, offset = value.storage_offset(), given["storage_offset"]
    offset = first if offset is None else offset
    if offset < first or offset + _reach(given["size"], given["stride"]) > first + _reach(value.shape[1:], value.stride()[1:]):
        raise RuntimeError(f"[as_strided] vmap: result = tensor.as_strided({list(given['size'])}, {list(given['stride'])}, {offset}) can "
                           f"access memory outside of `tensor`, a sample of shape {tuple(value.shape[1:])} at offset {first}")
    return batched(value.as_strided((size_of(level), *given["size"]), (value.stride(0), *given["stride"]), offset), level)


def is_contiguous(func: Any, level: int, args: Any, kwargs: Any) -> Any:
    """is_contiguous: whether a sample lies row by row, wherever the others are."""
    x = args[0]
    if len(args) > 1 or kwargs or not at(x, level):
        return same(func, level, args, kwargs)
    step = 1
    for size, stride in zip(reversed(x.shape), reversed(x.stride()), strict=True):
        if size != 1 and stride != step and x.numel():
            return False
        step *= size
    return True


def new_empty_strided(func: Any, level: int, args: Any, kwargs: Any) -> Any:
    """new_empty_strided: the samples one after another, each with these strides."""
    given = bound(func, args, kwargs)
    if given is None or not at(args[0], level):
        return NotImplemented
    size, stride = tuple(given["size"]), tuple(given["stride"])
    options = {k: given[k] for k in ("dtype", "device", "requires_grad") if given.get(k) is not None}
    return batched(args[0]._value.new_empty_strided((size_of(level), *size), (_reach(size, stride) + 1, *stride), **options), level)


def like_other(method: str) -> Callable[..., Any]:
    """Make the rule of view_as and the like: only the other tensor's sizes count."""

    def rule(func: Any, level: int, args: Any, kwargs: Any) -> Any:
        if len(args) != 2:
            return NotImplemented
        return getattr(args[0], method)(tuple(args[1].shape))

    return rule


def sum_to_size(func: Any, level: int, args: Any, kwargs: Any) -> Any:
    """sum_to_size: leading dimensions that the sizes do not have are summed after the batch's."""
    size = tuple(args[1]) if len(args) == 2 and isinstance(args[1], (tuple, list)) else args[1:]
    if kwargs or not at(args[0], level) or len(size) > args[0].ndim:
        return NotImplemented
    value, more = args[0]._value, args[0].ndim - len(size)
    if more:
        value = value.sum(tuple(range(1, more + 1)))
    return batched(value.sum_to_size((value.shape[0], *size)), level)


def flatten(func: Any, level: int, args: Any, kwargs: Any) -> Any:
    """flatten, ravel: of each sample."""
    x = args[0]
    if x.ndim == 0:
        for dim in (*args[1:], *kwargs.values()):
            wrapped_dim(func.__name__, dim, 0)
        return batched(x._value.unsqueeze(1), level)
    if func.__name__ == "ravel":
        return batched(x._value.flatten(1), level)
    return shifted("start_dim", "end_dim")(func, level, args, kwargs)


def in_place(name: str) -> Callable[..., Any]:
    """Make the rule of a view that a tensor itself becomes: ``unsqueeze_`` and the like, by the function that returns the view."""

    def rule(func: Any, level: int, args: Any, kwargs: Any) -> Any:
        target = args[0]
        check_target(func.__name__, target, level)
        become(target, getattr(target, name)(*args[1:], **kwargs)._value)
        return target

    return rule


def resize_(func: Any, level: int, args: Any, kwargs: Any) -> Any:
    """resize_: the first elements of each sample; more than there are cannot be had."""
    target, sizes = args[0], sizes_of(args, {})
    check_target("resize_", target, level)
    n = math.prod(sizes or ())
    if sizes is None or n > target.numel():
        raise RuntimeError(f"[resize_] vmap: a sample of shape {tuple(target.shape)} cannot be made larger, got {sizes}")
    become(target, target._value.reshape(size_of(level), -1)[:, :n].reshape(size_of(level), *sizes))
    return target


def one_hot(func: Any, level: int, args: Any, kwargs: Any) -> Any:
    """one_hot: the number of classes must be told, since the largest would have to be looked for."""
    x = args[0]
    if not at(x, level) or (args[1] if len(args) > 1 else kwargs.get("num_classes", -1)) == -1:
        return NotImplemented
    return batched(func(x._value, *args[1:], **kwargs), level)


def same(func: Any, level: int, args: Any, kwargs: Any) -> Any:
    """Functions of the last dimensions, or of none: they take a batch as it is."""
    if not at(args[0], level) or others_batched(dict(enumerate((*args, *kwargs.values()))), args[0], level):
        return NotImplemented
    found = func(args[0]._value, *args[1:], **kwargs)
    parts = found if isinstance(found, (tuple, list)) else (found,)
    if any(isinstance(y, Tensor) and y.shape[:1] != args[0]._value.shape[:1] for y in parts):     # qr(mode="r") gives an empty Q
        return NotImplemented
    return wrap(found, level)


def same_matrix(func: Any, level: int, args: Any, kwargs: Any) -> Any:
    """Functions of the last two dimensions."""
    return same(func, level, args, kwargs) if args[0].ndim >= 2 else NotImplemented


def new_sized(func: Any, level: int, args: Any, kwargs: Any) -> Any:
    """new_zeros and the like: a new tensor for each sample, so that it can be written into."""
    x, rest = args[0], args[1:]
    if not at(x, level):
        return NotImplemented
    if func.__name__ == "new_full":
        size = rest[0] if rest else kwargs.pop("size")
        return batched(func(x._value, (size_of(level), *size), *rest[1:], **kwargs), level)
    sizes = sizes_of(args, {k: v for k, v in kwargs.items() if k == "size"})
    if sizes is None:
        return NotImplemented
    options = {k: v for k, v in kwargs.items() if k != "size"}
    return batched(func(x._value, (size_of(level), *sizes), **options), level)


def joined(extra: int) -> Callable[..., Any]:
    """Make the rule of cat (0) or stack (1): what does not vary is expanded to the batch."""

    def rule(func: Any, level: int, args: Any, kwargs: Any) -> Any:
        given = bound(func, args, kwargs)
        if given is None or "dim" not in given:
            return NotImplemented
        first = next(iter(given))
        tensors = given[first]
        if not isinstance(tensors, (tuple, list)) or not all(isinstance(t, Tensor) for t in tensors):
            return NotImplemented
        rank = max(t.ndim for t in tensors)
        if not extra and (rank == 0 or any(t.ndim != rank for t in tensors)):
            return NotImplemented
        dim = wrapped_dim(func.__name__, given["dim"], rank + extra)
        return batched(func([value_at(t, level) for t in tensors], dim + 1), level)

    return rule


REDUCTIONS = [
    "sum", "nansum", "mean", "nanmean", "prod", "amax", "amin", "aminmax", "argmax", "argmin", "any", "all", "std", "var", "std_mean",
    "var_mean", "count_nonzero", "norm", "linalg_vector_norm", "logsumexp", "mode", "median", "nanmedian", "max", "min",
]
MATRIX = [
    "tril", "triu", "linalg_cholesky", "linalg_cholesky_ex", "cholesky", "linalg_lu_factor", "linalg_lu", "linalg_qr", "qr", "linalg_inv",
    "linalg_inv_ex", "inverse", "linalg_det", "det", "logdet", "linalg_slogdet", "slogdet", "linalg_eigh", "linalg_eigvalsh", "linalg_eig",
    "linalg_eigvals", "linalg_svd", "linalg_svdvals", "svd", "linalg_pinv", "pinverse", "linalg_matrix_exp", "matrix_exp",
    "linalg_matrix_power", "matrix_power", "linalg_cond", "cholesky_inverse", "adjoint",
]
SHIFTED: dict[str, tuple[str, ...]] = {
    **dict.fromkeys([
        "cumsum", "cumprod", "cummax", "cummin", "logcumsumexp", "softmax", "log_softmax", "softmin", "sort", "argsort", "topk", "kthvalue",
    ], ("dim",)),
    **dict.fromkeys([
        "select", "narrow", "unbind", "split", "split_with_sizes", "chunk", "tensor_split", "index_select", "unflatten", "glu", "diff",
    ], ("dim",)),
    **dict.fromkeys(("transpose", "swapaxes", "swapdims"), ("dim0", "dim1")),
    **dict.fromkeys(("movedim", "moveaxis"), ("source", "destination")),
    "diagonal": ("dim1", "dim2"),
    "unfold": ("dimension",),
}

for _name in REDUCTIONS:
    RULES[_name] = reduction({"max": "amax", "min": "amin"}.get(_name))
for _name, _dims in SHIFTED.items():
    RULES[_name] = shifted(*_dims)
for _name in ("view", "reshape"):
    RULES[_name] = view_like
for _name in ("expand", "broadcast_to"):
    RULES[_name] = expand
for _name in ("repeat", "tile"):
    RULES[_name] = repeat
for _name in [
    "contiguous", "to", "view_as_real", "view_as_complex", "zeros_like", "ones_like", "empty_like", "full_like",
    "new_tensor",
]:
    RULES[_name] = same
for _name in MATRIX:
    RULES[_name] = same_matrix
for _name in ("new_zeros", "new_ones", "new_empty", "new_full"):
    RULES[_name] = new_sized
for _name in ("cat", "concat", "concatenate"):
    RULES[_name] = joined(0)
RULES["sum_to_size"] = sum_to_size
RULES["is_contiguous"] = is_contiguous
RULES["new_empty_strided"] = new_empty_strided
RULES["linalg_cross"] = cross
RULES.update(as_strided=as_strided, view_as=like_other("view"), reshape_as=like_other("reshape"), expand_as=like_other("expand"))
RULES.update(permute=permute, squeeze=squeeze, t=transpose_2d, flatten=flatten, ravel=flatten, stack=joined(1))
RULES["unsqueeze"] = shifted("dim", extra=1)
RULES.update(resize_=resize_, one_hot=one_hot)
for _name in ("squeeze", "swapaxes", "swapdims", "t", "transpose", "unsqueeze"):
    RULES[f"{_name}_"] = in_place(_name)
