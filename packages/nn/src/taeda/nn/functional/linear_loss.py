"""The loss of a classifier's last layer: a linear map and its cross entropy in one, by parts of the batch."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, replace
from typing import Any

import taeda
from taeda import Tensor, ops
from taeda.autograd import Function
from taeda.nn.functional._common import REDUCTIONS, need_tensors
from taeda.stand_ins import is_stand_in

__all__ = ["linear_cross_entropy"]

_FLOATS = (taeda.float16, taeda.bfloat16, taeda.float32, taeda.float64)


@dataclass(slots=True, frozen=True)
class LinearCrossEntropyOptions:
    """How ``linear_cross_entropy`` goes through the batch by parts, so that the logits of all samples never exist.

    That pays where there are more classes than features.  Loss and gradients are computed together in the forward
    pass (with reduction "none" the gradients in the backward pass); they have no second derivative.  Under ``vmap`` the
    logits are made whole.

    Args:
        allow_retain_graph: keep the gradients after a backward pass, so that a second one is possible.
        batch_chunk_size: samples of a part; None: all, or what chunking_method says.
        chunking_method: "aspect_ratio:k" takes parts whose logits are a k-th of the inputs in size, rounded up to a
            power of two; "auto" is "aspect_ratio:2", or batch_chunk_size where it is given.
        acc_policy: "auto", "accurate", "balanced" or "compact"; accepted: logits and sums are in acc_dtype.
        acc_dtype: of what is computed; None: float32 for float16 and bfloat16, else the input's.

    Raises:
        ValueError: an argument has none of these values.

    >>> from taeda import nn
    >>> nn.LinearCrossEntropyOptions(batch_chunk_size=64).batch_chunk_size
    64
    """

    allow_retain_graph: bool = False
    batch_chunk_size: int | None = None
    chunking_method: str | None = "auto"
    acc_policy: str = "auto"
    acc_dtype: Any = None

    def __post_init__(self) -> None:
        if self.acc_policy not in ("auto", "accurate", "balanced", "compact"):
            raise ValueError(f"[LinearCrossEntropyOptions] invalid acc_policy: {self.acc_policy!r}")
        if self.chunking_method not in (None, "auto"):
            name, colon, factor = str(self.chunking_method).partition(":")
            if name != "aspect_ratio" or (colon and not (factor.isdigit() and int(factor) > 0)):
                raise ValueError(f"[LinearCrossEntropyOptions] invalid chunking_method: {self.chunking_method!r}")
        size = self.batch_chunk_size
        if size is not None and not (isinstance(size, int) and size > 0):
            raise ValueError(f"[LinearCrossEntropyOptions] batch_chunk_size must be positive int or None, got {size!r}")
        if self.acc_dtype is not None and self.acc_dtype not in _FLOATS:
            raise ValueError(
                f"[LinearCrossEntropyOptions] acc_dtype must be one of "
                f"{{None, taeda.float16, taeda.bfloat16, taeda.float32, taeda.float64}}, got "
                f"{self.acc_dtype!r}. Pass acc_dtype=None to let the op pick automatically."
            )

    def _adjust(self, batch: int, features: int, classes: int, dtype: Any) -> LinearCrossEntropyOptions:
        """Return the options with numbers in place of "auto" and None."""
        method, size = self.chunking_method, self.batch_chunk_size
        if method == "auto":
            method = None if size is not None else "aspect_ratio:2"
        chunk = batch if size is None else min(size, batch)
        if method is not None:
            factor = int(method.partition(":")[2] or 1)
            wanted = math.ceil(batch / max(1, math.ceil(classes / max(1, features))))
            chunk = min((1 << max(wanted - 1, 0).bit_length()) // factor, batch)
            if size is not None and size != chunk:
                raise ValueError(
                    f"[LinearCrossEntropyOptions] batch_chunk_size (={size}) and chunking_method ('{method}') give "
                    f"different chunk sizes ({size} vs {chunk}); pass only one."
                )
        acc = self.acc_dtype
        if acc is None:
            acc = taeda.float32 if dtype in (taeda.float16, taeda.bfloat16) else dtype
        elif acc is not dtype and not (dtype in (taeda.float16, taeda.bfloat16) and acc is taeda.float32):
            raise RuntimeError(
                "[linear_cross_entropy] supports float32 acc_dtype with float16/bfloat16 inputs, but got "
                f"{acc} acc_dtype and {dtype} inputs."
            )
        return replace(self, batch_chunk_size=max(1, chunk), chunking_method=method, acc_dtype=acc)


def linear_cross_entropy(
    input: Tensor,
    linear_weight: Tensor,
    target: Tensor,
    *,
    linear_bias: Tensor | None = None,
    weight: Tensor | None = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    options: LinearCrossEntropyOptions | None = None,
) -> Tensor:
    """Return ``cross_entropy(linear(input, linear_weight, linear_bias), target)``.

    Args:
        input: (F,) or (N, F).
        linear_weight: (C, F) or (C, d1, ..., F), with it target has d1, ... too.
        target: classes, () or (N, d1, ...); or probabilities of the logits' shape (C,) or (N, C, d1, ...).
        linear_bias: (C, d1, ...).
        weight: (C,), of each class.
        reduction: none, mean or sum.
        ignore_index: class that counts nothing (-100).
        label_smoothing: share spread over all classes.
        options: go through the batch by parts, see ``LinearCrossEntropyOptions``.

    Raises:
        RuntimeError: shapes do not fit, or ignore_index is given for a target of probabilities.

    >>> import taeda, taeda.nn.functional as F
    >>> F.linear_cross_entropy(taeda.zeros(2, 3), taeda.ones(4, 3), taeda.tensor([0, 3]))
    tensor(1.3863)
    """
    need_tensors("linear_cross_entropy", input, linear_weight, target)
    logits_shape = _check(input, linear_weight, linear_bias)
    if tuple(target.shape) == logits_shape and ignore_index is not None:
        raise RuntimeError(
            "[linear_cross_entropy] ignore_index cannot be specified when target contains probabilities"
        )
    ignored = -100 if ignore_index is None else ignore_index
    if options is not None:
        parts = reduction in REDUCTIONS and label_smoothing == 0 and target.dtype is taeda.int64
        if not parts or linear_weight.ndim != 2:
            warnings.warn(
                "linear_cross_entropy: ``options`` ignored; chunked path needs reduction in {'mean','sum','none'}, "
                "label_smoothing == 0, target.dtype == int64, out_features == (). Got "
                f"reduction={reduction!r}, label_smoothing={label_smoothing}, target.dtype={target.dtype}, "
                f"out_features={tuple(linear_weight.shape[1:-1])}.",
                stacklevel=2,
            )
        elif not any(is_stand_in(x) for x in (input, linear_weight, target, linear_bias, weight)):
            return _by_parts(input, linear_weight, target, linear_bias, weight, reduction, ignored, options)
    logits = ops.linear(input, linear_weight.reshape(-1, input.shape[-1])).reshape(logits_shape)
    if linear_bias is not None:
        logits = logits + linear_bias
    return ops.cross_entropy(logits, target, weight, ignored, reduction, label_smoothing)


def _check(input: Tensor, linear_weight: Tensor, linear_bias: Tensor | None) -> tuple[int, ...]:
    """Return the shape of the logits; RuntimeError where the shapes do not fit."""
    x, w = tuple(input.shape), tuple(linear_weight.shape)
    if len(x) not in (1, 2):
        raise RuntimeError(
            f"[linear_cross_entropy] expected input with dimensionality 1 or 2, got {len(x)}; shape {x}"
        )
    if len(w) < 2:
        raise RuntimeError(
            f"[linear_cross_entropy] expected linear_weight with dimensionality at least 2, got {len(w)}; shape {w}"
        )
    if x[-1] != w[-1]:
        raise RuntimeError(
            "[linear_cross_entropy] expected equal input and linear_weight last dimensions (in_features), got "
            f"{x[-1]} and {w[-1]}, respectively; shapes {x} and {w}"
        )
    if linear_bias is not None and tuple(linear_bias.shape) != w[:-1]:
        raise RuntimeError(
            f"[linear_cross_entropy] expected linear_bias shape {w[:-1]}, got {tuple(linear_bias.shape)}"
        )
    if len(w) > 2 and len(x) == 1:
        raise RuntimeError(
            f"[linear_cross_entropy] K-dimensional loss defined by linear_weight shape {w} requires batched input, "
            f"(N, {x[-1]}), got unbatched input with shape {x}"
        )
    return (*x[:-1], *w[:-1])


def _by_parts(
    input: Tensor,
    linear_weight: Tensor,
    target: Tensor,
    linear_bias: Tensor | None,
    weight: Tensor | None,
    reduction: str,
    ignored: int,
    options: LinearCrossEntropyOptions,
) -> Tensor:
    single = input.ndim == 1
    if single:
        input, target = input.unsqueeze(0), target.unsqueeze(0)
    options = options._adjust(input.shape[0], input.shape[1], linear_weight.shape[0], input.dtype)
    loss = _Parts.apply(input, linear_weight, linear_bias, target, weight, reduction, ignored, options)
    return loss.squeeze(0) if single and reduction == "none" else loss


class _Parts(Function):
    """Loss, and with a scalar one the gradients too, of one part of the batch after another."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        w: Tensor,
        b: Tensor | None,
        target: Tensor,
        weight: Tensor | None,
        reduction: str,
        ignored: int,
        options: LinearCrossEntropyOptions,
    ) -> Tensor:
        ctx.options, ctx.ignored, ctx.reduction = options, ignored, reduction
        ctx.wanted = ctx.needs_input_grad[:3]
        if reduction == "none":
            ctx.save_for_backward(x, w, b, target, weight)
            return _losses(x, w, b, target, weight, ignored, options)
        scale: Any = 1.0
        if reduction == "mean":
            counted = target != ignored
            total = counted if weight is None else weight[target.masked_fill(~counted, 0)] * counted
            scale = 1 / total.sum().to(options.acc_dtype)
        loss, ctx.grads = _loss_and_grads(x, w, b, target, weight, ignored, options, ctx.wanted, None)
        ctx.grads = [None if g is None else (g * scale).to(x.dtype) for g in ctx.grads]
        return (loss * scale).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        if ctx.reduction == "none":
            x, w, b, target, weight = ctx.saved_tensors
            _, grads = _loss_and_grads(x, w, b, target, weight, ctx.ignored, ctx.options, ctx.wanted, g)
            return (*(None if d is None else d.to(x.dtype) for d in grads), *(None,) * 5)
        if ctx.grads is None:
            raise RuntimeError(
                "[linear_cross_entropy] chunked backward called twice; retain_graph=True needs "
                "LinearCrossEntropyOptions(allow_retain_graph=True), and double backward options=None"
            )
        grads = [None if d is None else d * g for d in ctx.grads]
        if not ctx.options.allow_retain_graph:
            ctx.grads = None
        return (*grads, *(None,) * 5)


def _logits(x: Tensor, w: Tensor, b: Tensor | None, options: LinearCrossEntropyOptions) -> Tensor:
    acc = options.acc_dtype
    return ops.linear(x.to(acc), w.to(acc), None if b is None else b.to(acc))


def _losses(
    x: Tensor,
    w: Tensor,
    b: Tensor | None,
    target: Tensor,
    weight: Tensor | None,
    ignored: int,
    options: LinearCrossEntropyOptions,
) -> Tensor:
    step = options.batch_chunk_size or 1
    class_weight = None if weight is None else weight.to(options.acc_dtype)
    parts = [
        ops.cross_entropy(_logits(xs, w, b, options), ts, class_weight, ignored, "none")
        for xs, ts in zip(x.split(step), target.split(step), strict=True)
    ]
    return taeda.cat(parts).to(x.dtype)


def _loss_and_grads(
    x: Tensor,
    w: Tensor,
    b: Tensor | None,
    target: Tensor,
    weight: Tensor | None,
    ignored: int,
    options: LinearCrossEntropyOptions,
    wanted: tuple[bool, ...],
    g: Tensor | None,
) -> tuple[Tensor, list[Tensor | None]]:
    """Return the summed loss and its gradients by x, w and b; with g that of the losses weighted with it."""
    acc, step = options.acc_dtype, options.batch_chunk_size or 1
    class_weight = None if weight is None else weight.to(acc)
    loss = taeda.zeros((), dtype=acc, device=x.device)
    gx = taeda.zeros(x.shape, dtype=acc, device=x.device) if wanted[0] else None
    gw = taeda.zeros(w.shape, dtype=acc, device=x.device) if wanted[1] else None
    gb = taeda.zeros(w.shape[:1], dtype=acc, device=x.device) if wanted[2] else None
    for start in range(0, x.shape[0], step):
        part = slice(start, start + step)
        xs = x[part].to(acc)
        logits = _logits(xs, w, b, options)
        if not any(wanted):
            loss = loss + ops.cross_entropy(logits, target[part], class_weight, ignored, "sum")
            continue
        with taeda.enable_grad():
            logits.requires_grad_()
            each = ops.cross_entropy(
                logits, target[part], class_weight, ignored, "sum" if g is None else "none"
            )
            (slope,) = taeda.autograd.grad(each, logits, None if g is None else g[part].to(acc))
        loss = loss + each.detach().sum()
        if gx is not None:
            gx[part] = slope @ w.to(acc)
        if gw is not None:
            gw += slope.mT @ xs
        if gb is not None:
            gb += slope.sum(0)
    return loss, [gx, gw, gb]
