"""Batching rules of indexing: a sample's index goes behind the batch's ``:``."""

from __future__ import annotations

from typing import Any

from taeda import ops
from taeda.dtype import bool_
from taeda.func.batched import RULES, NotForBatches, at, batched, check_target, size_of, value_at
from taeda.func.rules_pointwise import aligned
from taeda.func.rules_shape import bound
from taeda.operands import wrapped_dim
from taeda.tensor import Tensor


def as_tuple(index: Any) -> tuple[Any, ...]:
    """Return an index as one for each dimension; a short list of such is read as a tuple, as samples do (ops.indexing)."""
    if type(index) is list and len(index) < 32 and any(
        i is None or i is Ellipsis or isinstance(i, (Tensor, list, tuple, range, slice)) for i in index
    ):
        return tuple(index)
    return index if type(index) is tuple else (index,)


def basic(index: tuple[Any, ...]) -> bool:
    """Whether an index selects a view: numbers, slices, None and ``...`` alone."""
    return all(i is None or i is Ellipsis or isinstance(i, slice) or (type(i) is int) for i in index)


def getitem(func: Any, level: int, args: Any, kwargs: Any) -> Any:
    """x[index]."""
    x, index = args[0], as_tuple(args[1])
    for i in index:
        if isinstance(i, Tensor) and str(i.dtype).endswith("bool") and at(i, level):
            raise NotForBatches("[getitem] vmap: We do not support batching operators that can support dynamic shape. Attempting to batch "
                                "over indexing with a boolean mask.")
    if at(x, level):
        if basic(index):
            return batched(x._value[(slice(None), *index)], level)
        if advanced_together(index, level):
            return batched(x._value[(slice(None), *index)], level)
    if len(index) == 1 and at(index[0], level) and x.ndim:
        i = index[0]._value
        if not at(x, level):
            return batched(x[i], level)
        row = ops.arange(size_of(level), device=i.device).reshape((-1,) + (1,) * (i.ndim - 1))
        return batched(x._value[row, i], level)
    return NotImplemented


def advanced_together(index: tuple[Any, ...], level: int) -> bool:
    """Whether index tensors, the same for all samples, stand side by side with nothing but slices around: their place is kept."""
    kinds = ["t" if isinstance(i, (Tensor, list)) else "s" if isinstance(i, slice) or i is Ellipsis else "x" for i in index]
    if "x" in kinds or any(at(i, level) for i in index):
        return False
    return "t" in kinds and "s" not in "".join(kinds).strip("s")


def setitem(func: Any, level: int, args: Any, kwargs: Any) -> Any:
    """x[index] = value, through the view that the index selects."""
    x, index, value = args[0], as_tuple(args[1]), args[2]
    check_target("setitem", x, level)
    if not basic(index):
        return NotImplemented
    if not at(value, level):
        x._value[(slice(None), *index)] = value
        return None
    region = x._value[(slice(None), *index)]
    region.copy_(aligned(value, region.ndim - 1, level))
    return None


def gather(func: Any, level: int, args: Any, kwargs: Any) -> Any:
    """gather(x, dim, index) of samples with a dimension."""
    if len(args) != 3 or kwargs.get("sparse_grad"):
        return NotImplemented
    x, dim, index = args
    if x.ndim == 0 or x.ndim != index.ndim:
        return NotImplemented
    return batched(func(value_at(x, level), wrapped_dim("gather", dim, x.ndim) + 1, value_at(index, level)), level)


def index_select(func: Any, level: int, args: Any, kwargs: Any) -> Any:
    """index_select(x, dim, index): one index for all samples."""
    if len(args) != 3 or not at(args[0], level) or at(args[2], level) or args[0].ndim == 0:
        return NotImplemented
    x, dim, index = args
    return batched(func(x._value, wrapped_dim("index_select", dim, x.ndim) + 1, index), level)


def masked_select(func: Any, level: int, args: Any, kwargs: Any) -> Any:
    """One mask chooses the same elements of every sample; masks of the samples' own would choose differing numbers."""
    given = bound(func, args, kwargs)
    if given is None:
        return NotImplemented
    x, mask = given["input"], given["mask"]
    if at(mask, level):
        raise NotForBatches("[masked_select] vmap: We do not support batching operators that can output dynamic shape. Attempted to vmap "
                            "over the mask of masked_select.")
    if mask.dtype != bool_:
        return NotImplemented                              # refused where a sample is
    shape = ops.broadcast_shapes(x.shape, mask.shape)
    value = x._value.reshape((-1,) + (1,) * (len(shape) - x.ndim) + x.shape).expand((-1, *shape))
    return batched(value[:, mask.expand(shape)], level)


RULES.update(
    __getitem__=getitem, getitem=getitem, __setitem__=setitem, setitem=setitem, gather=gather, index_select=index_select,
    masked_select=masked_select,
)
