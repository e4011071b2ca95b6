"""The functions of nn that PyTorch also has at its top level: ``taeda.pixel_shuffle``, losses whose reductions are numbers, and
what its attention calls for inference, as copies of it in programs do.

Core looks here for names that are no ops of its own (``taeda.triplet_margin_loss``); ``taeda.nn.functional`` shows none of them.
Losses reduce nothing by default, as PyTorch's do in fact, although its signatures say mean.
"""

from __future__ import annotations

from typing import Any

from taeda import Tensor, broadcast_tensors, ops
from taeda.nn import functional  # losses that autocast sees
from taeda.nn.functional import activation, pooling, vision
from taeda.nn.functional._common import need_tensors
from taeda.nn.functional.attention import attend
from taeda.nn.functional.lookup import renormalise
from taeda.nn.utils.weight_norm import _weight_norm, norm_except_dim
from taeda.ops.native import reduction_name

__all__ = [
    "_native_multi_head_attention", "_nested_tensor_from_mask_left_aligned", "_transformer_encoder_layer_fwd", "_weight_norm",
    "adaptive_max_pool1d", "channel_shuffle", "cosine_embedding_loss", "embedding_renorm_", "hinge_embedding_loss", "margin_ranking_loss",
    "max_pool1d_with_indices", "native_channel_shuffle", "norm_except_dim", "pixel_shuffle", "pixel_unshuffle",
    "poisson_nll_loss", "rrelu", "rrelu_", "triplet_margin_loss",
]  # fmt: skip

channel_shuffle = native_channel_shuffle = vision.channel_shuffle
pixel_shuffle, pixel_unshuffle = vision.pixel_shuffle, vision.pixel_unshuffle
rrelu_ = activation.rrelu_
max_pool1d_with_indices = pooling.max_pool1d_with_indices  # type: ignore[has-type]


def adaptive_max_pool1d(input: Tensor, output_size: Any) -> tuple[Tensor, Tensor]:
    """Return the maxima over ``output_size`` windows and their places.

    >>> import taeda
    >>> taeda.adaptive_max_pool1d(taeda.tensor([[1.0, 4.0, 2.0, 3.0]]), 2)
    (tensor([[4., 3.]]), tensor([[1, 3]]))
    """
    return pooling.adaptive_max_pool1d(input, output_size, True)


def rrelu(input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False, generator: Any = None) -> Tensor:
    """Return ``nn.functional.rrelu``; NotImplementedError where a generator is given.

    >>> import taeda
    >>> taeda.rrelu(taeda.tensor([-24.0, 1.0]))                            # the mean slope, 11 / 48
    tensor([-5.5000,  1.0000])
    """
    if generator is not None:
        raise NotImplementedError("[rrelu] draws from the default generator; seed it with taeda.manual_seed")
    return activation.rrelu(input, lower, upper, training)


def embedding_renorm_(input: Tensor, indices: Tensor, max_norm: float, norm_type: float) -> Tensor:
    """Scale the rows of a table that the indices name down to ``max_norm``, in place.

    >>> import taeda
    >>> taeda.embedding_renorm_(taeda.tensor([[3.0, 4.0], [3.0, 4.0]]), taeda.tensor([0]), 1.0, 2.0)
    tensor([[0.6000, 0.8000],
            [3.0000, 4.0000]])
    """
    need_tensors("embedding_renorm_", input, indices)
    renormalise(input, indices, max_norm, norm_type)
    return input


def hinge_embedding_loss(input: Tensor, target: Tensor, margin: float = 1.0, reduction: int = 0) -> Tensor:
    """Return ``nn.functional.hinge_embedding_loss``; ``reduction`` is 0 none, 1 mean or 2 sum.

    >>> import taeda
    >>> taeda.hinge_embedding_loss(taeda.tensor([0.25, 0.25]), taeda.tensor([1.0, -1.0]))
    tensor([0.2500, 0.7500])
    """
    name = reduction_name("hinge_embedding_loss", reduction)
    return functional.hinge_embedding_loss(input, target, margin, reduction=name)


def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: int = 0
) -> Tensor:
    """Return ``nn.functional.cosine_embedding_loss``; ``reduction`` is 0 none, 1 mean or 2 sum.

    >>> import taeda
    >>> taeda.cosine_embedding_loss(taeda.tensor([[1.0, 0.0]]), taeda.tensor([[0.0, 1.0]]), taeda.tensor([1.0]))
    tensor([1.])
    """
    name = reduction_name("cosine_embedding_loss", reduction)
    return functional.cosine_embedding_loss(input1, input2, target, margin, reduction=name)


def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: int = 0
) -> Tensor:
    """Return ``nn.functional.margin_ranking_loss`` of what broadcasts; ``reduction`` is 0 none, 1 mean or 2 sum.

    >>> import taeda
    >>> taeda.margin_ranking_loss(taeda.tensor([2.0, 0.0]), taeda.tensor([1.0, 1.0]), taeda.tensor([1.0, 1.0]))
    tensor([0., 1.])
    """
    name = reduction_name("margin_ranking_loss", reduction)
    need_tensors("margin_ranking_loss", input1, input2, target)
    if not input1.ndim == input2.ndim == target.ndim:           # which nn.functional refuses
        input1, input2, target = broadcast_tensors(input1, input2, target)
    return functional.margin_ranking_loss(input1, input2, target, margin, reduction=name)


def poisson_nll_loss(
    input: Tensor, target: Tensor, log_input: bool, full: bool, eps: float, reduction: int
) -> Tensor:
    """Return ``nn.functional.poisson_nll_loss``; ``reduction`` is 0 none, 1 mean or 2 sum.

    >>> import taeda
    >>> taeda.poisson_nll_loss(taeda.tensor([0.0, 1.0]), taeda.tensor([1.0, 2.0]), log_input=True, full=False, eps=1e-8, reduction=1)
    tensor(0.8591)
    """
    name = reduction_name("poisson_nll_loss", reduction)
    return functional.poisson_nll_loss(input, target, log_input, full, eps=eps, reduction=name)


def triplet_margin_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, margin: float = 1.0, p: float = 2, eps: float = 1e-6,
    swap: bool = False, reduction: int = 0,
) -> Tensor:
    """Return ``nn.functional.triplet_margin_loss``; ``reduction`` is 0 none, 1 mean or 2 sum.

    >>> import taeda
    >>> taeda.triplet_margin_loss(taeda.zeros(1, 2), taeda.zeros(1, 2), taeda.tensor([[0.3, 0.4]]))
    tensor([0.5000])
    """
    name = reduction_name("triplet_margin_loss", reduction)
    return functional.triplet_margin_loss(anchor, positive, negative, margin, p, eps, swap, reduction=name)


def _native_multi_head_attention(
    query: Tensor, key: Tensor, value: Tensor, embed_dim: int, num_head: int, qkv_weight: Tensor, qkv_bias: Tensor,
    proj_weight: Tensor, proj_bias: Tensor, mask: Tensor | None = None, need_weights: bool = True, average_attn_weights: bool = True,
    mask_type: int | None = None,
) -> tuple[Tensor, Tensor | None]:
    """Return multi-head attention of (B, L, E), and its weights.

    The mask says what is left out, and its type what it is: 0 (L, S), of pairs; 1 (B, S), of keys; 2 (B, heads, L, S), of both.
    """
    left_out = None if mask is None else mask.bool()
    keys = left_out if mask_type == 1 else None
    pairs = None if mask_type == 1 or left_out is None else left_out.flatten(0, 1) if mask_type == 2 else left_out
    return attend(
        query, key, value, embed_dim, num_head, (qkv_weight,), qkv_bias, (None, None), False, 0.0, proj_weight, proj_bias, keys,
        need_weights, pairs, average_attn_weights, False, (None, None), True,
    )  # fmt: skip


def _transformer_encoder_layer_fwd(
    src: Tensor, embed_dim: int, num_heads: int, qkv_weight: Tensor, qkv_bias: Tensor, proj_weight: Tensor, proj_bias: Tensor,
    use_gelu: bool, norm_first: bool, eps: float, norm_weight_1: Tensor, norm_bias_1: Tensor, norm_weight_2: Tensor, norm_bias_2: Tensor,
    ffn_weight_1: Tensor, ffn_bias_1: Tensor, ffn_weight_2: Tensor, ffn_bias_2: Tensor, mask: Tensor | None = None,
    mask_type: int | None = None,
) -> Tensor:
    """Return what ``nn.TransformerEncoderLayer`` of these weights makes of (B, L, E) in evaluation; masks as of the attention above."""

    def attended(x: Tensor) -> Tensor:
        weights = (qkv_weight, qkv_bias, proj_weight, proj_bias)
        return _native_multi_head_attention(x, x, x, embed_dim, num_heads, *weights, mask, False, True, mask_type)[0]

    def fed(x: Tensor) -> Tensor:
        hidden = ops.linear(x, ffn_weight_1, ffn_bias_1)
        return ops.linear(ops.gelu(hidden) if use_gelu else ops.relu(hidden), ffn_weight_2, ffn_bias_2)

    def norm(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        return ops.layer_norm(x, (embed_dim,), weight, bias, eps)

    if norm_first:
        x = src + attended(norm(src, norm_weight_1, norm_bias_1))
        return x + fed(norm(x, norm_weight_2, norm_bias_2))
    x = norm(src + attended(src), norm_weight_1, norm_bias_1)
    return norm(x + fed(x), norm_weight_2, norm_bias_2)


def _nested_tensor_from_mask_left_aligned(t: Tensor, mask: Tensor) -> bool:
    """Return False: whether padding could be left away as in a nested tensor is asked before one is made, and there is none."""
    return False
