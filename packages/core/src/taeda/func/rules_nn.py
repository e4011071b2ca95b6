"""Batching rules of layers and losses: samples that have a batch of their own are folded into one, where the weights are shared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from taeda.func.batched import RULES, at, batched, levels, outside, size_of, value_at
from taeda.func.rules_shape import bound, each, others_batched, run, same
from taeda.ops import arange
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


def convolution(dims: int, transposed: bool) -> Callable[..., Any]:
    """Make the rule of a convolution: with weights of its own each sample is a group of channels of one convolution."""
    shared = spatial(dims)

    def rule(func: Any, level: int, args: Any, kwargs: Any) -> Any:
        given = bound(func, args, kwargs)
        if given is None:
            return NotImplemented
        x, w, b = given["input"], given["weight"], given["bias"]
        if b is not None and at(b, level):
            given["bias"] = None
            return run(func, given) + b.reshape((-1,) + (1,) * dims)
        if not at(w, level):
            return shared(func, level, args, kwargs)
        if x.ndim not in (dims + 1, dims + 2) or w.ndim != dims + 2:
            return NotImplemented
        size, one = size_of(level), not at(x, level) and given["groups"] == 1 and not transposed
        if b is not None:
            given["bias"] = b.repeat(size)
        given["weight"] = w._value.flatten(0, 1)
        if one:                                      # the same input for all: their filters are those of one convolution
            given["input"] = x
        else:
            given["input"] = value_at(x, level).movedim(0, -dims - 2).flatten(-dims - 2, -dims - 1)
            given["groups"] = given["groups"] * size
        y = run(func, given)
        return batched(y.unflatten(-dims - 1, (size, -1)).movedim(-dims - 2, 0), level)

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
    """Refuse to write a batch of statistics into shared ones; the rest runs once per sample."""
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
    if len(batches) != 1 or batches[0] == "weight":
        return NotImplemented
    given[batches[0]] = given[batches[0]]._value
    return batched(run(func, given), level)


def attention(func: Any, level: int, args: Any, kwargs: Any) -> Any:
    """Attention has any number of leading dimensions: the batch is one more; a mask's missing ones come behind it."""
    given = bound(func, args, kwargs)
    if given is None:
        return NotImplemented
    drops, innermost = given["dropout_p"], levels()[-1]
    if drops and (innermost.number != level or innermost.randomness != "different"):         # weights dropped in all samples alike
        return NotImplemented
    query, mask = given["query"], given["attn_mask"]
    if not query.ndim == given["key"].ndim == given["value"].ndim >= 2:
        return NotImplemented
    for name in ("query", "key", "value"):
        given[name] = value_at(given[name], level)
    if mask is not None and at(mask, level):
        value = mask._value
        given["attn_mask"] = value.reshape(value.shape[:1] + (1,) * (query.ndim - mask.ndim) + value.shape[1:])
    return batched(outside(run, (func, given), {}) if drops else run(func, given), level)


def grid_sample(func: Any, level: int, args: Any, kwargs: Any) -> Any:
    """Fold the batch into that of the images and grids."""
    given = bound(func, args, kwargs)
    if given is None or given["input"].ndim not in (4, 5) or given["grid"].ndim != given["input"].ndim:
        return NotImplemented
    n = given["input"].shape[0]
    for name in ("input", "grid"):
        given[name] = value_at(given[name], level).flatten(0, 1)
    return batched(run(func, given).unflatten(0, (size_of(level), n)), level)


def embedding_bag(func: Any, level: int, args: Any, kwargs: Any) -> Any:
    """Fold the bags of all samples into one list; tables of their own are laid end to end, and their indices shifted."""
    given = bound(func, args, kwargs)
    if given is None or "input" not in given:          # the top level's function is made of this one
        return NotImplemented
    input, weight, offsets, factors = (given[name] for name in ("input", "weight", "offsets", "per_sample_weights"))
    size, own = size_of(level), at(weight, level)
    if given["include_last_offset"] or (own and given["padding_idx"] is not None) or input.ndim not in (1, 2) or weight.ndim != 2:
        return NotImplemented
    rows = value_at(input, level)
    samples = arange(size).reshape((size,) + (1,) * input.ndim)
    if own:
        given["weight"] = weight._value.flatten(0, 1)
        rows = rows + samples.to(rows.dtype) * weight.shape[0]
    given["input"] = rows.flatten(0, 1)
    if offsets is not None:
        starts = value_at(offsets, level)
        given["offsets"] = (starts + arange(size).to(starts.dtype)[:, None] * input.shape[0]).flatten()
    if factors is not None:
        given["per_sample_weights"] = value_at(factors, level).flatten(0, 1)
    return batched(run(func, given).unflatten(0, (size, -1)), level)


for _dims in (1, 2, 3):
    RULES[f"conv{_dims}d"] = convolution(_dims, False)
    RULES[f"conv_transpose{_dims}d"] = convolution(_dims, True)
for _name in ("max_pool", "avg_pool", "adaptive_avg_pool", "adaptive_max_pool"):
    for _dims in (1, 2, 3):
        RULES[f"{_name}{_dims}d"] = spatial(_dims)
for _name in ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits"):
    RULES[_name] = loss
RULES.update(
    layer_norm=layer_norm, rms_norm=layer_norm, group_norm=group_norm, batch_norm=batch_norm, cross_entropy=class_loss, nll_loss=class_loss,
    embedding=embedding, embedding_bag=embedding_bag, grid_sample=grid_sample, scaled_dot_product_attention=attention,
    im2col=spatial(2), col2im=spatial(1),
)
