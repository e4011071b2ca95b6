"""Multi-head attention."""

from __future__ import annotations

from typing import Any

import taeda
from taeda import Tensor
from taeda.nn import init
from taeda.nn.functional.attention import _canonical_mask, _none_or_dtype, attend
from taeda.nn.modules.linear import NonDynamicallyQuantizableLinear
from taeda.nn.modules.module import Module
from taeda.nn.parameter import Parameter

__all__ = ["MultiheadAttention"]


def fast_path_enabled() -> bool:
    """Whether ``taeda.backends.mha`` allows what PyTorch's fused inference does differently."""
    return taeda.backends.mha.get_fastpath_enabled()


def frozen(*tensors: Tensor | None) -> bool:
    """Whether no gradient of these tensors can be asked for."""
    return not (taeda.is_grad_enabled() and any(t is not None and t.requires_grad for t in tensors))


# PyTorch's names, for attention that programs wrote after its layer
def _check_arg_device(x: Tensor | None) -> bool:
    """Whether there is a fused kernel for the device of x."""
    return x is None or x.device.type in ("cpu", "cuda")


def _arg_requires_grad(x: Tensor | None) -> bool:
    return x is not None and x.requires_grad


def _is_make_fx_tracing() -> bool:
    """Whether operators are being traced: never."""
    return False


class MultiheadAttention(Module):
    """Several heads of attention side by side: y = concat_h(softmax(Q_h K_h^T / sqrt(d)) V_h) W_o + b_o.

    Q_h, K_h and V_h are projections of query, key and value to d = embed_dim / num_heads numbers (Vaswani et al.,
    2017).

    Args:
        embed_dim: E, the width of queries and results.
        num_heads: divides E.
        dropout: probability with which a weight is dropped in training.
        bias: whether the projections have biases.
        add_bias_kv: whether a learned key and value are appended to every sequence.
        add_zero_attn: whether a key and a value of zeros are appended.
        kdim, vdim: widths of keys and values, E if None.
        batch_first: whether the batch comes before the positions.

    Shapes:
        query: (L, B, E), (B, L, E) with ``batch_first``, or (L, E); key and value alike with S positions and
        widths kdim and vdim.  Results: as query, and the weights (B, L, S) or (L, S), None without
        ``need_weights``.

    Raises:
        ValueError: embed_dim or num_heads is not positive.
        AssertionError: num_heads does not divide embed_dim.

    >>> import taeda
    >>> from taeda import nn
    >>> attention = nn.MultiheadAttention(16, 4, batch_first=True)
    >>> x = taeda.randn(2, 5, 16)
    >>> y, weights = attention(x, x, x)
    >>> y.shape, weights.shape
    (taeda.Size([2, 5, 16]), taeda.Size([2, 5, 5]))
    """

    __constants__ = ["batch_first"]
    bias_k: Tensor | None
    bias_v: Tensor | None
    in_proj_weight: Tensor | None
    in_proj_bias: Tensor | None
    q_proj_weight: Tensor | None
    k_proj_weight: Tensor | None
    v_proj_weight: Tensor | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                "[MultiheadAttention] embed_dim and num_heads must be greater than 0, got "
                f"embed_dim={embed_dim} and num_heads={num_heads} instead"
            )
        super().__init__()
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self._qkv_same_embed_dim = self.kdim == embed_dim and self.vdim == embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.head_dim = embed_dim // num_heads
        if self.head_dim * num_heads != embed_dim:
            raise AssertionError(
                f"[MultiheadAttention] embed_dim must be divisible by num_heads, got {embed_dim} and {num_heads}"
            )

        def parameter(wanted: bool, *shape: int) -> Parameter | None:
            return Parameter(taeda.empty(shape, device=device, dtype=dtype)) if wanted else None

        packed, E = self._qkv_same_embed_dim, embed_dim
        self.register_parameter("q_proj_weight", parameter(not packed, E, E))
        self.register_parameter("k_proj_weight", parameter(not packed, E, self.kdim))
        self.register_parameter("v_proj_weight", parameter(not packed, E, self.vdim))
        self.register_parameter("in_proj_weight", parameter(packed, 3 * E, E))
        self.register_parameter("in_proj_bias", parameter(bias, 3 * E))
        self.out_proj = NonDynamicallyQuantizableLinear(E, E, bias=bias, device=device, dtype=dtype)
        self.bias_k = parameter(add_bias_kv, 1, 1, E)
        self.bias_v = parameter(add_bias_kv, 1, 1, E)
        self.add_zero_attn = add_zero_attn
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        for weight in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if weight is not None:
                init.xavier_uniform_(weight)
        if self.in_proj_bias is not None:
            init.zeros_(self.in_proj_bias)
            init.zeros_(self.out_proj.bias)
        for bias in (self.bias_k, self.bias_v):
            if bias is not None:
                init.xavier_normal_(bias)

    def __setstate__(self, state: dict[str, Any]) -> None:
        state.setdefault("_qkv_same_embed_dim", True)
        super().__setstate__(state)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Attend, and return the result and the weights.

        Args:
            key_padding_mask: (B, S) or (S,): True (or a number to add, -inf) for keys to leave out.
            need_weights: return the weights; without them memory does not grow with L S.
            attn_mask: (L, S) or (B num_heads, L, S): True (or -inf) for keys that a query must not see.
            average_attn_weights: whether the weights are a mean over heads or (B, num_heads, L, S).
            is_causal: a hint that attn_mask is the causal mask; it must be given with it.
        """
        key_padding_mask = _canonical_mask(
            key_padding_mask, "key_padding_mask", _none_or_dtype(attn_mask), "attn_mask", query.dtype
        )
        attn_mask = _canonical_mask(attn_mask, "attn_mask", None, "", query.dtype, check_other=False)
        if is_causal and self._infers_fused(query, key, value):
            is_causal = False
        weights = (
            (self.in_proj_weight,)
            if self._qkv_same_embed_dim
            else (None, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
        )
        batch_first = self.batch_first
        relaid = batch_first and self.training and query.dim() == key.dim() == value.dim() == 3
        if relaid:  # a result that lies in memory as PyTorch's does, so that dropout after it draws the same mask
            batch_first = False
            if query is key and key is value:
                query = key = value = query.transpose(0, 1)
            else:
                same = key is value
                query, key = query.transpose(0, 1), key.transpose(0, 1)
                value = key if same else value.transpose(0, 1)
        y, attention = attend(
            query,
            key,
            value,
            self.embed_dim,
            self.num_heads,
            weights,
            self.in_proj_bias,
            (self.bias_k, self.bias_v),
            self.add_zero_attn,
            self.dropout if self.training else 0.0,
            self.out_proj.weight,
            self.out_proj.bias,
            key_padding_mask,
            need_weights,
            attn_mask,
            average_attn_weights,
            is_causal,
            (None, None),
            batch_first,
        )
        return y.transpose(0, 1) if relaid else y, attention

    def _cure(self, *args: Any, **kwargs: Any) -> str | None:
        names = ("query", "key", "value", "key_padding_mask", "need_weights", "attn_mask")
        query, key, _, padding, _, mask = ({**dict(zip(names, args, strict=False)), **kwargs}.get(name) for name in names)
        if not (isinstance(query, Tensor) and isinstance(key, Tensor) and query.dim() == key.dim() == 3):
            return None
        if query.shape[-1] != self.embed_dim:
            return f"MultiheadAttention(embed_dim={self.embed_dim}) got a query of shape {tuple(query.shape)}"
        batch, length = (1, 0) if self.batch_first else (0, 1)  # as they are if batch_first is meant the other way
        swapped = (
            isinstance(padding, Tensor)
            and tuple(padding.shape) == (key.shape[batch], key.shape[length]) != (key.shape[length], key.shape[batch])
        ) or (
            isinstance(mask, Tensor)
            and tuple(mask.shape) == (query.shape[length], key.shape[length]) != (query.shape[batch], key.shape[batch])
        )
        if not swapped:
            return None
        first = self.batch_first
        return f"the mask is for {key.shape[length]} keys, and batch_first is {first}; did you mean batch_first={not first}?"

    def _infers_fused(self, query: Tensor, key: Tensor, value: Tensor) -> bool:
        """Whether PyTorch would take its fused inference, which goes by the masks alone and not by ``is_causal``."""
        return (
            query is key
            and key is value
            and query.dim() == 3
            and not self.training
            and self.batch_first
            and self._qkv_same_embed_dim
            and self.in_proj_bias is not None
            and self.bias_k is None
            and not self.add_zero_attn
            and self.num_heads % 2 == 0
            and fast_path_enabled()
            and frozen(query, self.in_proj_weight, self.in_proj_bias, self.out_proj.weight, self.out_proj.bias)
        )

    def merge_masks(
        self, attn_mask: Tensor | None, key_padding_mask: Tensor | None, query: Tensor
    ) -> tuple[Tensor | None, int | None]:
        """Return the sum of both masks and its kind: 1 for padding alone (B, S), 2 for (B, num_heads, L, L).

        >>> import taeda
        >>> from taeda import nn
        >>> masks = taeda.zeros(3, 3), taeda.zeros(1, 3)
        >>> merged, kind = nn.MultiheadAttention(4, 2).merge_masks(*masks, taeda.ones(1, 3, 4))
        >>> merged.shape, kind
        (taeda.Size([1, 2, 3, 3]), 2)
        """
        if attn_mask is None:
            return key_padding_mask, None if key_padding_mask is None else 1
        batch, length, _ = query.shape
        if attn_mask.dim() == 3:
            merged = attn_mask.view(batch, -1, length, length)
        else:
            merged = attn_mask.view(1, 1, length, length).expand(batch, self.num_heads, -1, -1)
        if key_padding_mask is not None:
            merged = merged + key_padding_mask.view(batch, 1, 1, length).expand(-1, self.num_heads, -1, -1)
        return merged, 2
