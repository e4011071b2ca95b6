"""Transformers: encoder, decoder, and both together (Vaswani et al., "Attention is all you need", 2017)."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Callable
from typing import Any

import taeda
from taeda import Tensor
from taeda.nn import functional as F, init
from taeda.nn.functional.attention import _canonical_mask, _none_or_dtype
from taeda.nn.modules.activation import GELU, ReLU
from taeda.nn.modules.attention import MultiheadAttention, fast_path_enabled, frozen
from taeda.nn.modules.container import ModuleList
from taeda.nn.modules.dropout import Dropout
from taeda.nn.modules.linear import Linear
from taeda.nn.modules.module import Module
from taeda.nn.modules.normalization import LayerNorm

__all__ = [
    "Transformer",
    "TransformerDecoder",
    "TransformerDecoderLayer",
    "TransformerEncoder",
    "TransformerEncoderLayer",
]

Activation = Callable[[Tensor], Tensor]


def _generate_square_subsequent_mask(size: int, device: Any = None, dtype: Any = None) -> Tensor:
    return taeda.full((size, size), -math.inf, dtype=dtype, device=device).triu(1)


# these have PyTorch's names: programs import them for encoders and decoders of their own
def _get_seq_len(src: Tensor, batch_first: bool) -> int:
    """Return the number of positions of (L, E), (L, B, E) or (B, L, E)."""
    return src.shape[0] if src.dim() == 2 or not batch_first else src.shape[1]


def _detect_is_causal_mask(mask: Tensor | None, is_causal: bool | None = None, size: int | None = None) -> bool:
    """Return the hint ``is_causal`` or, without one, whether the mask is the causal one, of that size if one is given."""
    if is_causal is not None or mask is None:
        return is_causal is True
    length = mask.shape[-2] if size is None else size
    if tuple(mask.shape) != (length, length):
        return False
    return bool((mask == _generate_square_subsequent_mask(length, mask.device, mask.dtype)).all())


def _get_activation_fn(activation: str | Activation) -> Activation:
    if not isinstance(activation, str):
        return activation
    if activation not in ("relu", "gelu"):
        raise RuntimeError(
            f"[Transformer] activation should be relu/gelu, not {activation}; any other may be given as a function"
        )
    return F.relu if activation == "relu" else F.gelu


def _get_clones(module: Module, n: int) -> ModuleList:
    """Return n copies, which all start from the same values."""
    return ModuleList([copy.deepcopy(module) for _ in range(n)])


class TransformerEncoderLayer(Module):
    """Self-attention and a feed-forward network, each with dropout, a shortcut and a norm.

    y = norm1(x + attention(x)); z = norm2(y + linear2(activation(linear1(y)))); with ``norm_first`` the norms stand
    before attention and network instead (Xiong et al., "On layer normalization in the transformer", 2020).

    Args:
        d_model: E, the width of x.
        nhead: divides it.
        dim_feedforward: the width between the two linear maps.
        dropout: probability, in training.
        activation: "relu", "gelu" or a function of a tensor.
        layer_norm_eps: added to the variance.
        batch_first: whether x is (B, L, E) and not (L, B, E).
        norm_first: where the norms stand.
        bias: whether linear maps and norms have biases.

    Shapes:
        x, z: (L, B, E), (B, L, E) with ``batch_first``, or (L, E).

    Raises:
        RuntimeError: activation is another string.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)(taeda.randn(3, 5, 8)).shape
    taeda.Size([3, 5, 8])
    """

    __constants__ = ["norm_first"]

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        made: dict[str, Any] = {"bias": bias, "device": device, "dtype": dtype}
        self.self_attn = MultiheadAttention(d_model, nhead, dropout=dropout, batch_first=batch_first, **made)
        self.linear1 = Linear(d_model, dim_feedforward, **made)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, **made)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, eps=layer_norm_eps, **made)
        self.norm2 = LayerNorm(d_model, eps=layer_norm_eps, **made)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        activation = _get_activation_fn(activation)
        relu = activation is F.relu or isinstance(activation, ReLU)
        gelu = activation is F.gelu or isinstance(activation, GELU)
        self.activation_relu_or_gelu = 1 if relu else 2 if gelu else 0
        self.activation = activation

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if not hasattr(self, "activation"):
            self.activation = F.relu

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        """Encode.

        Args:
            src_mask: (L, L) or (B nhead, L, L): True (or -inf) for positions that a position must not see.
            src_key_padding_mask: (B, L) or (L,): True (or -inf) for positions that nobody sees.
            is_causal: a hint that src_mask is the causal mask.
        """
        src_key_padding_mask = _canonical_mask(
            src_key_padding_mask, "src_key_padding_mask", _none_or_dtype(src_mask), "src_mask", src.dtype
        )
        src_mask = _canonical_mask(src_mask, "src_mask", None, "", src.dtype, check_other=False)
        x = src
        if self.norm_first:
            x = x + self._sa_block(self.norm1(x), src_mask, src_key_padding_mask, is_causal=is_causal)
            return x + self._ff_block(self.norm2(x))
        x = self.norm1(x + self._sa_block(x, src_mask, src_key_padding_mask, is_causal=is_causal))
        return self.norm2(x + self._ff_block(x))

    def _sa_block(
        self, x: Tensor, attn_mask: Tensor | None, key_padding_mask: Tensor | None, is_causal: bool = False
    ) -> Tensor:
        x = self.self_attn(
            x, x, x, attn_mask=attn_mask, key_padding_mask=key_padding_mask, need_weights=False, is_causal=is_causal
        )[0]
        return self.dropout1(x)

    def _ff_block(self, x: Tensor) -> Tensor:
        return self.dropout2(self.linear2(self.dropout(self.activation(self.linear1(x)))))


class TransformerDecoderLayer(Module):
    """Self-attention, attention to an encoder's memory and a feed-forward network.

    Each has dropout, a shortcut and a norm, after it or, with ``norm_first``, before it.

    Args:
        d_model: E, the width of all sequences.
        nhead: divides it.
        dim_feedforward: the width between the two linear maps.
        dropout: probability, in training.
        activation: "relu", "gelu" or a function of a tensor.
        layer_norm_eps: added to the variance.
        batch_first: whether sequences are (B, L, E) and not (L, B, E).
        norm_first: where the norms stand.
        bias: whether linear maps and norms have biases.

    Shapes:
        tgt and result: (T, B, E), (B, T, E) with ``batch_first``, or (T, E); memory alike with S positions.

    Raises:
        RuntimeError: activation is another string.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.TransformerDecoderLayer(8, 2, 16)(taeda.randn(5, 3, 8), taeda.randn(7, 3, 8)).shape
    taeda.Size([5, 3, 8])
    """

    __constants__ = ["norm_first"]

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        made: dict[str, Any] = {"bias": bias, "device": device, "dtype": dtype}
        self.self_attn = MultiheadAttention(d_model, nhead, dropout=dropout, batch_first=batch_first, **made)
        self.multihead_attn = MultiheadAttention(d_model, nhead, dropout=dropout, batch_first=batch_first, **made)
        self.linear1 = Linear(d_model, dim_feedforward, **made)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, **made)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, eps=layer_norm_eps, **made)
        self.norm2 = LayerNorm(d_model, eps=layer_norm_eps, **made)
        self.norm3 = LayerNorm(d_model, eps=layer_norm_eps, **made)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        self.dropout3 = Dropout(dropout)
        self.activation = _get_activation_fn(activation)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if not hasattr(self, "activation"):
            self.activation = F.relu

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Decode.

        Args:
            tgt_mask: (T, T) or (B nhead, T, T); True (or -inf) for what a position must not see.
            memory_mask: likewise, (T, S) or (B nhead, T, S).
            tgt_key_padding_mask: (B, T) or (T,); True (or -inf) for what nobody sees.
            memory_key_padding_mask: likewise, (B, S) or (S,).
            tgt_is_causal, memory_is_causal: hints that those masks are causal masks.
        """
        x = tgt
        of_self = (tgt_mask, tgt_key_padding_mask, tgt_is_causal)
        of_memory = (memory_mask, memory_key_padding_mask, memory_is_causal)
        if self.norm_first:
            x = x + self._sa_block(self.norm1(x), *of_self)
            x = x + self._mha_block(self.norm2(x), memory, *of_memory)
            return x + self._ff_block(self.norm3(x))
        x = self.norm1(x + self._sa_block(x, *of_self))
        x = self.norm2(x + self._mha_block(x, memory, *of_memory))
        return self.norm3(x + self._ff_block(x))

    def _sa_block(
        self, x: Tensor, attn_mask: Tensor | None, key_padding_mask: Tensor | None, is_causal: bool = False
    ) -> Tensor:
        x = self.self_attn(
            x, x, x, attn_mask=attn_mask, key_padding_mask=key_padding_mask, is_causal=is_causal, need_weights=False
        )[0]
        return self.dropout1(x)

    def _mha_block(
        self,
        x: Tensor,
        mem: Tensor,
        attn_mask: Tensor | None,
        key_padding_mask: Tensor | None,
        is_causal: bool = False,
    ) -> Tensor:
        x = self.multihead_attn(
            x,
            mem,
            mem,
            attn_mask=attn_mask,
            key_padding_mask=key_padding_mask,
            is_causal=is_causal,
            need_weights=False,
        )[0]
        return self.dropout2(x)

    def _ff_block(self, x: Tensor) -> Tensor:
        return self.dropout3(self.linear2(self.dropout(self.activation(self.linear1(x)))))


class TransformerEncoder(Module):
    """A stack of encoder layers, each a copy of the one given.

    Args:
        encoder_layer: what to copy; the copies start from equal values.
        num_layers: how often.
        norm: applied to the last layer's result.
        enable_nested_tensor: in evaluation, where PyTorch packs the sequences of a padded batch, give zeros at
            padded positions as it does.
        mask_check: whether that wants padding at the end of sequences only.

    Shapes:
        src and result: (L, B, E), (B, L, E) if the layers are ``batch_first``, or (L, E).

    >>> import taeda
    >>> from taeda import nn
    >>> layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    >>> nn.TransformerEncoder(layer, 2)(taeda.randn(3, 5, 8)).shape
    taeda.Size([3, 5, 8])
    """

    __constants__ = ["norm"]

    def __init__(
        self,
        encoder_layer: Module,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__()
        self.layers = _get_clones(encoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm
        self.enable_nested_tensor = enable_nested_tensor
        self.use_nested_tensor = enable_nested_tensor
        self.mask_check = mask_check
        reason = _why_not_nested(encoder_layer)
        if enable_nested_tensor and reason:
            warnings.warn(
                "enable_nested_tensor is True, but self.use_nested_tensor is False because " + reason, stacklevel=2
            )
            self.use_nested_tensor = False

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        """Encode by one layer after the other.

        Args:
            mask: (L, L) or (B nhead, L, L): True (or -inf) for positions that a position must not see.
            src_key_padding_mask: (B, L) or (L,): True (or -inf) for positions that nobody sees.
            is_causal: a hint that mask is the causal mask; None compares it.
        """
        src_key_padding_mask = _canonical_mask(
            src_key_padding_mask, "src_key_padding_mask", _none_or_dtype(mask), "mask", src.dtype
        )
        mask = _canonical_mask(mask, "mask", None, "", src.dtype, check_other=False)
        first: Any = self.layers[0]
        causal = _detect_is_causal_mask(mask, is_causal, _get_seq_len(src, first.self_attn.batch_first))
        x = src
        for layer in self.layers:
            x = layer(x, src_mask=mask, is_causal=causal, src_key_padding_mask=src_key_padding_mask)
        if mask is None and src_key_padding_mask is not None and self._packs(src, src_key_padding_mask, first):
            x = x.masked_fill((src_key_padding_mask != 0).unsqueeze(-1), 0.0)
        return x if self.norm is None else self.norm(x)

    def _packs(self, src: Tensor, padding: Tensor, layer: Any) -> bool:
        """Whether PyTorch would run the layers on the sequences without their padding, and put zeros there."""
        if not self.use_nested_tensor or layer.training or src.dim() != 3 or not fast_path_enabled():
            return False
        attention = layer.self_attn
        weights = [p for part in (attention, layer.norm1, layer.norm2, layer.linear1, layer.linear2)
                   for p in part.parameters()]  # fmt: skip
        if not frozen(src, *weights):
            return False
        hidden = padding != 0
        return not self.mask_check or not bool((hidden[:, :-1] & ~hidden[:, 1:]).any())


def _why_not_nested(layer: Module) -> str:
    """Say why PyTorch would not pack the sequences for layers like this one; "" where it would."""
    name = "encoder_layer"
    if not isinstance(layer, TransformerEncoderLayer):
        return f"{name} was not TransformerEncoderLayer"
    attention = layer.self_attn
    if layer.norm_first:
        return f"{name}.norm_first was True"
    if not attention.batch_first:
        return f"{name}.self_attn.batch_first was not True(use batch_first for better inference performance)"
    if not attention._qkv_same_embed_dim:
        return f"{name}.self_attn._qkv_same_embed_dim was not True"
    if attention.in_proj_bias is None:
        return f"{name}.self_attn was passed bias=False"
    if not layer.activation_relu_or_gelu:
        return f"{name}.activation_relu_or_gelu was not True"
    if layer.norm1.eps != layer.norm2.eps:
        return f"{name}.norm1.eps was not equal to {name}.norm2.eps"
    if attention.num_heads % 2:
        return f"{name}.self_attn.num_heads is odd"
    return ""


class TransformerDecoder(Module):
    """A stack of decoder layers, each a copy of the one given.

    Args:
        decoder_layer: what to copy; the copies start from equal values.
        num_layers: how often.
        norm: applied to the last layer's result.

    Shapes:
        tgt and result: (T, B, E), (B, T, E) if the layers are ``batch_first``, or (T, E); memory alike.

    >>> import taeda
    >>> from taeda import nn
    >>> decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(8, 2, 16), 2)
    >>> decoder(taeda.randn(5, 3, 8), taeda.randn(7, 3, 8)).shape
    taeda.Size([5, 3, 8])
    """

    __constants__ = ["norm"]

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = _get_clones(decoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Decode by one layer after the other; arguments as in ``TransformerDecoderLayer``.

        Without the hint tgt_is_causal, tgt_mask is compared with the causal mask.
        """
        first: Any = self.layers[0]
        causal = _detect_is_causal_mask(tgt_mask, tgt_is_causal, _get_seq_len(tgt, first.self_attn.batch_first))
        x = tgt
        for layer in self.layers:
            x = layer(
                x,
                memory,
                tgt_mask=tgt_mask,
                memory_mask=memory_mask,
                tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask,
                tgt_is_causal=causal,
                memory_is_causal=memory_is_causal,
            )
        return x if self.norm is None else self.norm(x)


class Transformer(Module):
    """An encoder of sources and a decoder of targets that attends to what the encoder gives.

    Args:
        d_model: E, the width of all sequences.
        nhead: divides it.
        num_encoder_layers, num_decoder_layers: how many layers.
        dim_feedforward: the width between a layer's two linear maps.
        dropout: probability, in training.
        activation: "relu", "gelu" or a function of a tensor.
        custom_encoder, custom_decoder: modules that stand in for either.
        layer_norm_eps: added to the variance.
        batch_first: whether sequences are (B, L, E) and not (L, B, E).
        norm_first: whether norms stand before attention and network.
        bias: whether linear maps and norms have biases.

    Shapes:
        src: (S, B, E), (B, S, E) with ``batch_first``, or (S, E); tgt and result alike with T positions.

    >>> import taeda
    >>> from taeda import nn
    >>> model = nn.Transformer(8, 2, 1, 1, 16, batch_first=True)
    >>> model(taeda.randn(3, 7, 8), taeda.randn(3, 5, 8)).shape
    taeda.Size([3, 5, 8])
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Activation = F.relu,
        custom_encoder: Any = None,
        custom_decoder: Any = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        made: dict[str, Any] = {"bias": bias, "device": device, "dtype": dtype}
        layer = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first)
        if custom_encoder is None:
            encoder_layer = TransformerEncoderLayer(*layer, **made)
            norm = LayerNorm(d_model, eps=layer_norm_eps, **made)
            custom_encoder = TransformerEncoder(encoder_layer, num_encoder_layers, norm)
        self.encoder = custom_encoder
        if custom_decoder is None:
            decoder_layer = TransformerDecoderLayer(*layer, **made)
            norm = LayerNorm(d_model, eps=layer_norm_eps, **made)
            custom_decoder = TransformerDecoder(decoder_layer, num_decoder_layers, norm)
        self.decoder = custom_decoder
        self._reset_parameters()
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Encode src, decode tgt.

        Args:
            src_mask: (S, S), or (B nhead, S, S); True (or -inf) for what a position must not see.
            tgt_mask, memory_mask: likewise, (T, T) and (T, S).
            src_key_padding_mask, memory_key_padding_mask: (B, S) or (S,); True (or -inf) for what nobody sees.
            tgt_key_padding_mask: likewise, (B, T) or (T,).
            src_is_causal, tgt_is_causal, memory_is_causal: hints that those masks are causal masks.

        Raises:
            RuntimeError: the batches differ, or a width is not d_model.
        """
        at = 0 if self.batch_first else 1
        shapes = f"got src of shape {tuple(src.shape)} and tgt of shape {tuple(tgt.shape)}"
        if src.dim() == 3 and src.shape[at] != tgt.shape[at]:
            raise RuntimeError(
                f"[Transformer] the batch number of src and tgt must be equal, {shapes}; "
                f"batch_first is {self.batch_first}, so dimension {at} is the batch"
            )
        if src.shape[-1] != self.d_model or tgt.shape[-1] != self.d_model:
            raise RuntimeError(
                f"[Transformer] the feature number of src and tgt must be equal to d_model={self.d_model}, {shapes}"
            )
        memory = self.encoder(
            src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal
        )
        return self.decoder(
            tgt,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Tensor:
        """Return the causal mask (sz, sz): -inf above the diagonal, 0 elsewhere.

        >>> from taeda import nn
        >>> nn.Transformer.generate_square_subsequent_mask(2)
        tensor([[0., -inf],
                [0., 0.]])
        """
        return _generate_square_subsequent_mask(sz, device, dtype)

    def _reset_parameters(self) -> None:
        for p in self.parameters():
            if p.dim() > 1:
                init.xavier_uniform_(p)
