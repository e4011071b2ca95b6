"""Attention: of single heads, and of many with their projections."""

from __future__ import annotations

import math
import warnings
from typing import Any

import taeda
from taeda import Tensor, ops

__all__ = ["multi_head_attention_forward", "scaled_dot_product_attention"]

scaled_dot_product_attention = ops.scaled_dot_product_attention

_OP = "[multi_head_attention_forward]"


def _none_or_dtype(input: Tensor | None) -> Any:
    """Return the dtype of a mask, None where there is none."""
    if input is None:
        return None
    if isinstance(input, Tensor):
        return input.dtype
    raise RuntimeError(f"{_OP} a mask must be None or a Tensor, not {type(input).__name__}")


def _canonical_mask(
    mask: Tensor | None,
    mask_name: str,
    other_type: Any,
    other_name: str,
    target_type: Any,
    check_other: bool = True,
) -> Tensor | None:
    """Return a mask as numbers to add to the scores: True becomes -inf; a floating-point mask stays.

    Raises:
        AssertionError: it is of another dtype.  A UserWarning tells of two masks of different dtypes.
    """
    if mask is None:
        return None
    if mask.dtype != taeda.bool and not mask.is_floating_point():
        raise AssertionError(
            f"{_OP} only bool and floating types of {mask_name} are supported, got {mask.dtype} of shape "
            f"{tuple(mask.shape)}"
        )
    if check_other and other_type is not None and mask.dtype != other_type:
        warnings.warn(
            f"Support for mismatched {mask_name} and {other_name} is deprecated. Use same type for both instead.",
            stacklevel=3,
        )
    if mask.is_floating_point():
        return mask
    return taeda.zeros_like(mask, dtype=target_type).masked_fill_(mask, -math.inf)


def _in_projection_packed(
    q: Tensor, k: Tensor, v: Tensor, w: Tensor, b: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Return queries, keys and values by the weights ``w`` (3 E, E), each row-major."""
    q, k, v = _project_packed(q, k, v, w, b)
    return q.contiguous(), k.contiguous(), v.contiguous()


def _in_projection(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    w_q: Tensor,
    w_k: Tensor,
    w_v: Tensor,
    b_q: Tensor | None = None,
    b_k: Tensor | None = None,
    b_v: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return queries, keys and values, each by weights of its own; raise AssertionError where these do not fit."""
    n = q.size(-1)
    for name, w, b, width in (("q", w_q, b_q, n), ("k", w_k, b_k, k.size(-1)), ("v", w_v, b_v, v.size(-1))):
        if tuple(w.shape) != (n, width):
            raise AssertionError(f"[in_projection] expecting {name} weights shape of {(n, width)}, but got {tuple(w.shape)}")
        if b is not None and tuple(b.shape) != (n,):
            raise AssertionError(f"[in_projection] expecting {name} bias shape of {(n,)}, but got {tuple(b.shape)}")
    return ops.linear(q, w_q, b_q), ops.linear(k, w_k, b_k), ops.linear(v, w_v, b_v)


def _check_ranks(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    key_padding_mask: Tensor | None,
    attn_mask: Tensor | None,
    num_heads: int,
) -> bool:
    """Return whether there is a batch; raise AssertionError where ranks do not fit together."""
    if query.dim() not in (2, 3):
        raise AssertionError(
            f"{_OP} query should be unbatched 2D or batched 3D tensor but received {query.dim()}-D query tensor of "
            f"shape {tuple(query.shape)}"
        )
    batched = query.dim() == 3
    n = query.dim()
    what = f"For {'batched' if batched else 'unbatched'} ({n}-D) `query`"
    if key.dim() != n or value.dim() != n:
        raise AssertionError(
            f"{_OP} {what}, expected `key` and `value` to be {n}-D but found {key.dim()}-D and {value.dim()}-D "
            f"tensors respectively; shapes {tuple(query.shape)}, {tuple(key.shape)} and {tuple(value.shape)}"
        )
    if key_padding_mask is not None and key_padding_mask.dim() != n - 1:
        raise AssertionError(
            f"{_OP} {what}, expected `key_padding_mask` to be `None` or {n - 1}-D but found "
            f"{key_padding_mask.dim()}-D tensor of shape {tuple(key_padding_mask.shape)} instead"
        )
    if attn_mask is not None and attn_mask.dim() not in (2, 3):
        raise AssertionError(
            f"{_OP} {what}, expected `attn_mask` to be `None`, 2-D or 3-D but found {attn_mask.dim()}-D tensor of "
            f"shape {tuple(attn_mask.shape)} instead"
        )
    if not batched and attn_mask is not None and attn_mask.dim() == 3:
        expected = (num_heads, query.shape[0], key.shape[0])
        if tuple(attn_mask.shape) != expected:
            raise AssertionError(
                f"{_OP} Expected `attn_mask` shape to be {expected} but got {tuple(attn_mask.shape)}"
            )
    return batched


def _project_packed(
    query: Tensor, key: Tensor, value: Tensor, weight: Tensor, bias: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Project with one matrix (3 E, E): in one product where query, key and value are the same tensor."""
    width = query.shape[-1]
    if query is key and key is value:
        q, k, v = ops.linear(query, weight, bias).chunk(3, -1)
        return q, k, v
    if key is value:
        wq, wkv = weight.split([width, 2 * width])
        bq, bkv = (None, None) if bias is None else bias.split([width, 2 * width])
        k, v = ops.linear(key, wkv, bkv).chunk(2, -1)
        return ops.linear(query, wq, bq), k, v
    wq, wk, wv = weight.chunk(3)
    return _project(query, key, value, wq, wk, wv, bias)


def _project(
    query: Tensor, key: Tensor, value: Tensor, wq: Tensor, wk: Tensor, wv: Tensor, bias: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    bq, bk, bv = (None, None, None) if bias is None else bias.chunk(3)
    return ops.linear(query, wq, bq), ops.linear(key, wk, bk), ops.linear(value, wv, bv)


def _check_mask_sizes(
    attn_mask: Tensor | None, key_padding_mask: Tensor | None, batch: int, heads: int, targets: int, sources: int
) -> None:
    if attn_mask is not None:
        expected = (targets, sources) if attn_mask.dim() == 2 else (batch * heads, targets, sources)
        if tuple(attn_mask.shape) != expected:
            raise RuntimeError(
                f"{_OP} The shape of the {attn_mask.dim()}D attn_mask is {tuple(attn_mask.shape)}, but should be "
                f"{expected}."
            )
    if key_padding_mask is not None:
        for d, size in enumerate((batch, sources)):
            if key_padding_mask.shape[d] != size:
                raise AssertionError(
                    f"{_OP} Expected key_padded_mask.shape[{d}] to be {size}, but got {key_padding_mask.shape[d]} "
                    f"in shape {tuple(key_padding_mask.shape)}"
                )


def _merged(attn_mask: Tensor | None, key_padding_mask: Tensor | None, batch: int, heads: int) -> Tensor | None:
    """Return the sum of both masks, broadcastable to (batch, heads, targets, sources)."""
    if attn_mask is not None and attn_mask.dim() == 3:
        attn_mask = attn_mask.unflatten(0, (batch, heads))
    if key_padding_mask is None:
        return attn_mask
    padding = key_padding_mask[:, None, None, :]
    return padding if attn_mask is None else attn_mask + padding


def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """Project queries, keys and values, let every head attend, and project what they give.

    Args:
        query: (L, B, E) or (L, E).
        key: (S, B, Ek) or (S, Ek).
        value: (S, B, Ev) or (S, Ev).
        embed_dim_to_check: what E must be.
        num_heads: divides it.
        in_proj_weight: (3 E, E) for all three, or None beside ``use_separate_proj_weight``.
        in_proj_bias: (3 E,).
        bias_k, bias_v: (1, 1, E): one more key and value for every sequence.
        add_zero_attn: append a key and a value of zeros.
        dropout_p: probability of dropping a weight; only in ``training``.
        out_proj_weight: (E, E).
        out_proj_bias: (E,).
        key_padding_mask: (B, S) or (S,): True (or -inf) for keys that nobody sees.
        need_weights: return the weights too, which needs memory of L S.
        attn_mask: (L, S) or (B num_heads, L, S): True (or -inf) for keys that a query does not see.
        use_separate_proj_weight: project by q_proj_weight (E, E), k_proj_weight (E, Ek), v_proj_weight (E, Ev).
        static_k, static_v: (B num_heads, S, E / num_heads), instead of the projections of key and value.
        average_attn_weights: whether weights are (B, L, S), a mean over heads, or (B, num_heads, L, S).
        is_causal: a hint that attn_mask is the causal mask.

    Returns:
        (L, B, E) or (L, E), and the weights or None.

    Raises:
        AssertionError, RuntimeError: shapes do not fit.

    Source: Vaswani et al., "Attention is all you need" (2017).

    >>> import taeda, taeda.nn.functional as F
    >>> x, w = taeda.ones(3, 1, 2), taeda.eye(2)
    >>> y, weights = F.multi_head_attention_forward(
    ...     x, x, x, 2, 1, taeda.cat([w, w, w]), None, None, None, False, 0.0, w, None)
    >>> y.shape, weights[0, 0]
    (taeda.Size([3, 1, 2]), tensor([0.3333, 0.3333, 0.3333]))
    """
    weights = (in_proj_weight, q_proj_weight, k_proj_weight, v_proj_weight)
    return attend(
        query,
        key,
        value,
        embed_dim_to_check,
        num_heads,
        weights if use_separate_proj_weight else (in_proj_weight,),
        in_proj_bias,
        (bias_k, bias_v),
        add_zero_attn,
        dropout_p if training else 0.0,
        out_proj_weight,
        out_proj_bias,
        key_padding_mask,
        need_weights,
        attn_mask,
        average_attn_weights,
        is_causal,
        (static_k, static_v),
        False,
    )


def attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim: int,
    heads: int,
    in_weights: tuple[Tensor | None, ...],
    in_bias: Tensor | None,
    extra: tuple[Tensor | None, Tensor | None],
    add_zero_attn: bool,
    dropout_p: float,
    out_weight: Tensor,
    out_bias: Tensor | None,
    key_padding_mask: Tensor | None,
    need_weights: bool,
    attn_mask: Tensor | None,
    average_attn_weights: bool,
    is_causal: bool,
    static: tuple[Tensor | None, Tensor | None],
    batch_first: bool,
) -> tuple[Tensor, Tensor | None]:
    """Do multi-head attention in either order of dimensions: nothing is transposed but in views.

    in_weights is the packed matrix alone, or (None, those of query, key and value).
    """
    batched = _check_ranks(query, key, value, key_padding_mask, attn_mask, heads)
    at, time = (0, 1) if batch_first else (1, 0)  # where the batch and the positions are
    if not batched:
        query, key, value = _batch_of_one(query, key, value, at)
        key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    batch, targets, sources = query.shape[at], query.shape[time], key.shape[time]
    key_padding_mask = _canonical_mask(
        key_padding_mask, "key_padding_mask", _none_or_dtype(attn_mask), "attn_mask", query.dtype
    )
    attn_mask, is_causal = _mask_or_hint(attn_mask, is_causal, key_padding_mask is None and not need_weights, query.dtype)
    q, k, v = _projected(query, key, value, embed_dim, heads, in_weights, in_bias)
    _check_mask_sizes(attn_mask, None, batch, heads, targets, sources)

    k, v = _with_bias_rows(k, v, extra, static, batch, time)
    width = embed_dim // heads
    q = _split(q, heads, width, batch_first)
    k = _split(k, heads, width, batch_first) if static[0] is None else _static(static[0], "static_k", batch, heads, embed_dim)
    v = _split(v, heads, width, batch_first) if static[1] is None else _static(static[1], "static_v", batch, heads, embed_dim)
    if add_zero_attn:
        nothing = k.new_zeros((batch, heads, 1, width))
        k, v = taeda.cat([k, nothing], 2), taeda.cat([v, nothing], 2)
    more = int(extra[0] is not None) + int(add_zero_attn)  # keys that no mask speaks of
    if more:
        attn_mask = None if attn_mask is None else ops.pad(attn_mask, (0, more))
        key_padding_mask = None if key_padding_mask is None else ops.pad(key_padding_mask, (0, more))
    _check_mask_sizes(None, key_padding_mask, batch, heads, targets, k.shape[2])
    mask = _merged(attn_mask, key_padding_mask, batch, heads)

    weights: Tensor | None = None
    if need_weights:
        y, weights = _with_weights(q, k, v, mask, dropout_p, query.dtype)
        weights = weights.mean(1) if average_attn_weights else weights
    else:
        y = scaled_dot_product_attention(q, k, v, mask, dropout_p, is_causal)
    y = y.transpose(1, 2) if batch_first else y.permute(2, 0, 1, 3)
    y = ops.linear(y.reshape(query.shape[0], query.shape[1], embed_dim), out_weight, out_bias)
    if not batched:
        y = y.squeeze(at)
        weights = None if weights is None else weights.squeeze(0)
    return y, weights


def _batch_of_one(query: Tensor, key: Tensor, value: Tensor, at: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return the three with a batch dimension; where they are one tensor they stay one, which is projected at once."""
    if query is key and key is value:
        return (query.unsqueeze(at),) * 3
    return query.unsqueeze(at), key.unsqueeze(at), value.unsqueeze(at)


def _mask_or_hint(attn_mask: Tensor | None, is_causal: bool, hint_is_enough: bool, dtype: Any) -> tuple[Tensor | None, bool]:
    """Return the attention mask as numbers to add, or None and True where the hint that it is causal says it all."""
    if is_causal and attn_mask is None:
        raise RuntimeError(
            f"{_OP} Need attn_mask if specifying the is_causal hint. You may use the Transformer module method "
            "`generate_square_subsequent_mask` to create this mask."
        )
    if is_causal and hint_is_enough:
        return None, True
    return _canonical_mask(attn_mask, "attn_mask", None, "", dtype, check_other=False), False


def _split(x: Tensor, heads: int, width: int, batch_first: bool) -> Tensor:
    """Return a projection as (batch, heads, positions, width of a head)."""
    apart = x.unflatten(-1, (heads, width))
    return apart.transpose(1, 2) if batch_first else apart.permute(1, 2, 0, 3)


def _with_bias_rows(
    k: Tensor,
    v: Tensor,
    extra: tuple[Tensor | None, Tensor | None],
    static: tuple[Tensor | None, Tensor | None],
    batch: int,
    time: int,
) -> tuple[Tensor, Tensor]:
    """Append bias_k and bias_v, if there are such, as a last key and its value."""
    bias_k, bias_v = extra
    if (bias_k is None) != (bias_v is None):
        raise AssertionError(f"{_OP} bias_k and bias_v must both be set or both be None")
    if bias_k is None or bias_v is None:
        return k, v
    if static[0] is not None or static[1] is not None:
        raise AssertionError(f"{_OP} bias cannot be added to static key or value.")
    shape = (batch, 1, k.shape[-1]) if time == 1 else (1, batch, k.shape[-1])
    return taeda.cat([k, bias_k.expand(shape)], time), taeda.cat([v, bias_v.expand(shape)], time)


def _projected(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim: int,
    heads: int,
    in_weights: tuple[Tensor | None, ...],
    in_bias: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Check that widths and weights fit; return queries, keys and values as the heads see them."""
    if query.shape[-1] != embed_dim:
        raise AssertionError(
            f"{_OP} was expecting embedding dimension of {embed_dim}, but got {query.shape[-1]} in query of shape "
            f"{tuple(query.shape)}"
        )
    if embed_dim % heads:
        raise AssertionError(f"{_OP} embed_dim {embed_dim} not divisible by num_heads {heads}")
    if len(in_weights) == 1:
        if key.shape != value.shape:
            raise AssertionError(
                f"{_OP} key shape {tuple(key.shape)} does not match value shape {tuple(value.shape)}"
            )
        if in_weights[0] is None:
            raise AssertionError(f"{_OP} use_separate_proj_weight is False but in_proj_weight is None")
        return _project_packed(query, key, value, in_weights[0], in_bias)
    if key.shape[:2] != value.shape[:2]:
        raise AssertionError(
            f"{_OP} key's sequence and batch dims {tuple(key.shape[:2])} do not match value's {tuple(value.shape[:2])}"
        )
    for name, w in zip("qkv", in_weights[1:], strict=True):
        if w is None:
            raise AssertionError(f"{_OP} use_separate_proj_weight is True but {name}_proj_weight is None")
    _, wq, wk, wv = in_weights
    return _project(query, key, value, wq, wk, wv, in_bias)  # type: ignore[arg-type]


def _with_weights(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, dropout_p: float, dtype: Any
) -> tuple[Tensor, Tensor]:
    """Attend step by step; return the result, and the weights of each head after dropout."""
    scores = (q * math.sqrt(1.0 / q.shape[-1])).matmul(k.transpose(-2, -1))
    if mask is not None and scores.dtype != dtype:  # autocast's products take the mask as they take their operands
        mask = mask.to(scores.dtype)
    weights = (scores if mask is None else scores + mask).softmax(-1)
    if dropout_p > 0:
        weights = ops.dropout(weights, dropout_p, True)
    return weights.matmul(v), weights


def _static(x: Tensor, name: str, batch: int, heads: int, embed_dim: int) -> Tensor:
    """Keys or values that come projected: (batch * heads, positions, width) as (batch, heads, positions, width)."""
    for d, expected in ((0, batch * heads), (2, embed_dim // heads)):
        if x.shape[d] != expected:
            raise AssertionError(
                f"{_OP} expecting {name}.size({d}) of {expected}, but got {x.shape[d]} in shape {tuple(x.shape)}"
            )
    return x.unflatten(0, (batch, heads))
