"""Batching rules of layers and losses: samples that have a batch of their own are folded into one, where the weights are shared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from taeda.func.batched import RULES, at, batched, size_of, value_at
from taeda.func.rules_shape import bound, each, others_batched, run, same
from taeda.tensor import Tensor


def spatial(dims: int) -> Callable[..., Any]:
    """Make the rule of a function of (N, C, *) or (C, *) with ``dims`` spatial dimensions."""

    def rule(func: Any, level: int, args: Any, kwargs: Any) -> Any:
        given = bound(func, args, kwargs)
        if given is None:
            return NotImplemented
        first = next(iter(given))
        x = given[first]
        if not at(x, level) or others_batched(given, x, level) or x.ndim not in (dims + 1, dims + 2):
            return NotImplemented
        if x.ndim == dims + 1:
            given[first] = x._value
            found = run(func, given)
        else:
            given[first] = x._value.flatten(0, 1)
            found = each(run(func, given), lambda y: y.unflatten(0, (size_of(level), x.shape[0])))
        return each(found, lambda y: batched(y, level))

    return rule


def layer_norm(func: Any, level: int, args: Any, kwargs: Any) -> Any:
    """Normalise the batch as it is; scale and shift apart where they vary."""
    given = bound(func, args, kwargs)
    if given is None:
        return NotImplemented
    x, weight, bias = given["input"], given["weight"], given.get("bias")
    if not others_batched(given, x, level):
        return same(func, level, args, kwargs)
    given["weight"] = None
    if "bias" in given:
        given["bias"] = None
    y = run(func, given)
    if weight is not None:
        y = y * weight
    return y if bias is None else y + bias


def group_norm(func: Any, level: int, args: Any, kwargs: Any) -> Any:
    """Fold the batch into (N, C, *) where the weights are shared."""
    given = bound(func, args, kwargs)
    if given is None:
        return NotImplemented
    first = next(iter(given))
    x = given[first]
    if not at(x, level) or others_batched(given, x, level) or x.ndim < 2:
        return NotImplemented
    given[first] = x._value.flatten(0, 1)
    return batched(run(func, given).unflatten(0, (size_of(level), x.shape[0])), level)


def batch_norm(func: Any, level: int, args: Any, kwargs: Any) -> Any:
    """Refuse to write a batch of statistics into shared ones; the rest runs once a sample."""
    given = bound(func, args, kwargs)
    if given is not None and given.get("training") and given.get("running_mean") is not None and at(given["input"], level) and not at(
        given["running_mean"], level
    ):
        raise RuntimeError(
            "[batch_norm] vmap: Batch norm got a batched tensor as input while the running_mean or running_var, which will be updated in "
            "place, were not batched. If you are using vmap, use taeda.func.replace_all_batch_norm_modules_, or call eval()."
        )
    return NotImplemented


def reduced(y: Any, how: str) -> Any:
    """Return the losses of a sample's elements reduced as asked for."""
    return y.mean() if how == "mean" else y.sum() if how == "sum" else y


def loss(func: Any, level: int, args: Any, kwargs: Any) -> Any:
    """Losses of two tensors of one shape: pointwise on the batch, then each sample's own reduction."""
    given = bound(func, args, kwargs)
    if given is None or given.get("weight") is not None or given.get("pos_weight") is not None:
        return NotImplemented
    x, target = list(given.values())[:2]
    how = given.get("reduction")
    if x.shape != target.shape or how not in ("none", "mean", "sum"):
        return NotImplemented
    first, second = list(given)[:2]
    given[first], given[second], given["reduction"] = value_at(x, level), value_at(target, level), "none"
    return reduced(batched(run(func, given), level), how)


def class_loss(func: Any, level: int, args: Any, kwargs: Any) -> Any:
    """nll_loss and cross_entropy of class numbers, folded into one batch."""
    given = bound(func, args, kwargs)
    if given is None or given.get("weight") is not None or given.get("label_smoothing"):
        return NotImplemented
    x, target = list(given.values())[:2]
    how = given.get("reduction")
    if how not in ("none", "mean", "sum") or target.is_floating_point() or x.ndim not in (1, 2) or target.ndim != x.ndim - 1:
        return NotImplemented
    first, second = list(given)[:2]
    fold = x.ndim == 2
    given[first], given[second], given["reduction"] = value_at(x, level), value_at(target, level), "none"
    if fold:
        given[first], given[second] = given[first].flatten(0, 1), given[second].flatten(0, 1)
    y = run(func, given)
    y = batched(y.unflatten(0, (size_of(level), x.shape[0])) if fold else y, level)
    if how != "mean":
        return reduced(y, how)
    return y.sum() / (target != given.get("ignore_index", -100)).sum()


def embedding(func: Any, level: int, args: Any, kwargs: Any) -> Any:
    """Rows of one table for a batch of indices."""
    given = bound(func, args, kwargs)
    if given is None:
        return NotImplemented
    batches = [k for k, v in given.items() if isinstance(v, Tensor) and at(v, level)]
    if len(batches) != 1 or given[batches[0]].is_floating_point():
        return NotImplemented
    given[batches[0]] = given[batches[0]]._value
    return batched(run(func, given), level)


for _name in ("conv", "conv_transpose", "max_pool", "avg_pool", "adaptive_avg_pool", "adaptive_max_pool"):
    for _dims in (1, 2, 3):
        RULES[f"{_name}{_dims}d"] = spatial(_dims)
for _name in ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits"):
    RULES[_name] = loss
RULES.update(
    layer_norm=layer_norm, rms_norm=layer_norm, group_norm=group_norm, batch_norm=batch_norm, cross_entropy=class_loss, nll_loss=class_loss,
    embedding=embedding, im2col=spatial(2), col2im=spatial(1),
)
