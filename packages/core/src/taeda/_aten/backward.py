"""PyTorch's operators that derivatives are made of: ``aten.convolution_backward`` and kin, by their arguments there.

Each takes the cotangent first and what its operator got, and gives the gradients that its mask asks for.  They are computed from the
operator itself, run again, so that they have derivatives of every order.  Source: the signatures of PyTorch's native functions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import taeda
from taeda import ops
from taeda.autograd import grad as gradients
from taeda.stand_ins import is_stand_in
from taeda.tensor import Tensor

__all__ = ["BACKWARD"]

_REDUCTIONS = ("none", "mean", "sum")


def _again(
    function: Callable[..., Any], given: Sequence[Tensor | None], mask: Sequence[bool], cotangent: Tensor
) -> tuple[Tensor | None, ...]:
    """The gradients of ``function(*given)`` by those tensors that the mask marks, None for the others."""
    if any(is_stand_in(x) for x in (*given, cotangent) if x is not None):          # of vmap: no leaves can be made inside
        chosen = [i for i, (x, wants) in enumerate(zip(given, mask, strict=True)) if wants and x is not None]
        pull = taeda.func.vjp(lambda *xs: function(*[xs[chosen.index(i)] if i in chosen else x for i, x in enumerate(given)]),
                              *[given[i] for i in chosen])[1]
        by = dict(zip(chosen, pull(cotangent), strict=True))
        return tuple(by.get(i) for i in range(len(given)))
    above = taeda.is_grad_enabled()
    with taeda.enable_grad():
        inputs = [
            x
            if x is None
            else x.view_as(x)
            if above and x.requires_grad
            else x.detach().requires_grad_(x.is_floating_point() or x.is_complex())
            for x in given
        ]
        wanted = [x for x, wants in zip(inputs, mask, strict=True) if wants and x is not None]
        found = iter(gradients(function(*inputs), wanted, cotangent, create_graph=above, allow_unused=True) if wanted else ())
    return tuple(next(found) if wants and x is not None else None for x, wants in zip(inputs, mask, strict=True))


def _of_one(function: Callable[..., Any]) -> Callable[..., Any]:
    """An operator ``(cotangent, x, ...)`` that gives the gradient by x."""

    def backward(grad_output: Tensor, x: Tensor, *args: Any, **kwargs: Any) -> Any:
        return _again(lambda x: function(x, *args, **kwargs), [x], [True], grad_output)[0]

    return backward


def _convolution_backward(
    grad_output: Tensor,
    x: Tensor,
    weight: Tensor,
    bias_sizes: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    transposed: bool,
    output_padding: Any,
    groups: int,
    output_mask: Sequence[bool],
) -> tuple[Any, ...]:
    options = stride, padding, dilation, transposed, output_padding, groups
    by_input, by_weight = _again(lambda x, w: ops.convolution(x, w, None, *options), [x, weight], output_mask[:2], grad_output)
    over = [0, *range(2, grad_output.ndim)]
    return by_input, by_weight, grad_output.sum(over) if output_mask[2] else None


def _group_norm_backward(
    grad_out: Tensor, x: Tensor, mean: Tensor, rstd: Tensor, weight: Any, N: int, C: int, HxW: int, group: int, output_mask: Sequence[bool]
) -> tuple[Any, ...]:
    """Of ``y = w (x - m) r + b`` over each group of channels, m and r being those of x."""
    wide, mean, rstd = x.reshape(N, group, -1), mean.unsqueeze(-1), rstd.unsqueeze(-1)
    if taeda.is_grad_enabled() and x.requires_grad:  # the moments as functions of x, the addend of the variance as it was
        var = wide.var(-1, unbiased=False, keepdim=True)
        mean, rstd = wide.mean(-1, keepdim=True), (var + (rstd**-2 - var).detach()).rsqrt()
    scaled = (wide - mean) * rstd
    over = [0, *range(2, x.ndim)]
    by_x = by_weight = None
    if output_mask[0]:
        g = (grad_out if weight is None else grad_out * weight.view(1, C, *[1] * (x.ndim - 2))).reshape(N, group, -1)
        by_x = ((g - g.mean(-1, keepdim=True) - scaled * (g * scaled).mean(-1, keepdim=True)) * rstd).view(x.shape)
    if output_mask[1]:
        by_weight = (grad_out * scaled.view(x.shape)).sum(over)
    return by_x, by_weight, grad_out.sum(over) if output_mask[2] else None


def _layer_norm_backward(
    grad_out: Tensor, x: Tensor, normalized_shape: Any, mean: Tensor, rstd: Tensor, weight: Any, bias: Any, output_mask: Sequence[bool]
) -> tuple[Any, ...]:
    """Of ``y = w (x - m) r + b`` over the last dimensions, m and r being those of x."""
    outer = list(range(x.ndim - len(normalized_shape)))
    inner = list(range(len(outer), x.ndim))
    if taeda.is_grad_enabled() and x.requires_grad:  # the moments as functions of x, the addend of the variance as it was
        var = x.var(inner, unbiased=False, keepdim=True)
        mean, rstd = x.mean(inner, keepdim=True), (var + (rstd**-2 - var).detach()).rsqrt()
    scaled = (x - mean) * rstd
    g = grad_out if weight is None else grad_out * weight
    by_x = (g - g.mean(inner, keepdim=True) - scaled * (g * scaled).mean(inner, keepdim=True)) * rstd if output_mask[0] else None
    by_weight, by_bias = (t.sum(outer) if outer else t for t in (grad_out * scaled, grad_out))
    return by_x, by_weight if output_mask[1] else None, by_bias if output_mask[2] else None


def _batch_norm_backward(
    grad_out: Tensor,
    x: Tensor,
    weight: Any,
    running_mean: Any,
    running_var: Any,
    save_mean: Any,
    save_invstd: Any,
    train: bool,
    eps: float,
    output_mask: Sequence[bool],
) -> tuple[Any, ...]:
    like = weight if weight is not None else x.new_ones(x.shape[1])
    mean, var = (None, None) if train else (running_mean, running_var)
    return _again(
        lambda x, w, b: ops.native_batch_norm(x, w, b, mean, var, train, 0.0, eps)[0],
        [x, like, like.new_zeros(like.shape)],
        output_mask,
        grad_out,
    )


def _nll_loss_backward(
    grad_output: Tensor, x: Tensor, target: Tensor, weight: Any, reduction: int, ignore_index: int, total_weight: Any
) -> Any:
    return _again(
        lambda x: ops.nll_loss(x, target, weight, ignore_index=ignore_index, reduction=_REDUCTIONS[reduction]), [x], [True], grad_output
    )[0]


def _pool_backward(
    grad_output: Tensor, x: Tensor, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool, indices: Tensor
) -> Tensor:
    flat = grad_output.new_zeros(*x.shape[:-2], x.shape[-2] * x.shape[-1])
    return flat.scatter_add(-1, indices.flatten(-2), grad_output.flatten(-2)).view(x.shape)


def _embedding_dense_backward(grad_output: Tensor, indices: Tensor, num_weights: int, padding_idx: int, scale_grad_by_freq: bool) -> Any:
    weight = grad_output.new_zeros(num_weights, grad_output.shape[-1])
    padding = padding_idx if padding_idx >= 0 else None
    return _again(lambda w: ops.embedding(indices, w, padding, scale_grad_by_freq), [weight], [True], grad_output)[0]


def _loss_backward(function: Callable[..., Any]) -> Callable[..., Any]:
    def backward(grad_output: Tensor, x: Tensor, target: Tensor, reduction: int = 1) -> Any:
        return _again(lambda x: function(x, target, reduction=_REDUCTIONS[reduction]), [x], [True], grad_output)[0]

    return backward


def _attention_backward(
    grad_out: Tensor,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    out: Tensor,
    logsumexp: Tensor,
    dropout_p: float,
    is_causal: bool,
    *,
    attn_mask: Any = None,
    scale: float | None = None,
) -> tuple[Any, ...]:
    def attend(q: Any, k: Any, v: Any) -> Any:
        return ops.scaled_dot_product_attention(q, k, v, attn_mask, 0.0, is_causal, scale=scale)

    return _again(attend, [query, key, value], [True] * 3, grad_out)


BACKWARD: dict[str, Callable[..., Any]] = {
    "_scaled_dot_product_flash_attention_for_cpu_backward": _attention_backward,
    "convolution_backward": _convolution_backward,
    "embedding_dense_backward": _embedding_dense_backward,
    "gelu_backward": _of_one(ops.gelu),
    "max_pool2d_with_indices_backward": _pool_backward,
    "mse_loss_backward": _loss_backward(ops.mse_loss),
    "native_batch_norm_backward": _batch_norm_backward,
    "native_group_norm_backward": _group_norm_backward,
    "native_layer_norm_backward": _layer_norm_backward,
    "nll_loss_backward": _nll_loss_backward,
    "silu_backward": _of_one(ops.silu),
}
