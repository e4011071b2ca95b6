"""Attention and Transformers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from rows_nn.row import Function, Layer, Made, normal

CAUSAL = np.triu(np.ones((4, 4), bool), 1)
SOME = np.array([[0, 1, 0, 0, 1], [1, 0, 0, 1, 0], [0, 0, 0, 0, 0], [0, 1, 1, 1, 0]], bool)  # (L, S), no row all hidden
PADDING = np.array([[0, 0, 0, 1, 1], [0, 0, 0, 0, 0], [0, 0, 1, 1, 1]], bool)  # (B, S)
ADDED = normal(4, 5, seed=5)
EACH = normal(6, 4, 5, seed=6)  # (B heads, L, S)

L, S, B, E = 4, 5, 3, 8
CROSS = ((L, B, E), (S, B, E), (S, B, E))
FIRST = ((B, L, E), (B, S, E), (B, S, E))


def self_attention(lib: Any, x: Any) -> tuple[Any, ...]:
    """Give one tensor as query, key and value."""
    return x, x, x


def mha(*args: Any, inputs: tuple[Any, ...] = CROSS, call: dict[str, Any] | None = None, **kwargs: Any) -> Layer:
    alone = len(inputs) == 1
    return Layer("MultiheadAttention", args or (E, 2), kwargs, inputs, call or {}, self_attention if alone else None)


def encoder_layer(**kwargs: Any) -> Made:
    return Made(lambda lib: lib.nn.TransformerEncoderLayer(E, 2, 6, **kwargs), f"encoder{kwargs}")


def decoder_layer(**kwargs: Any) -> Made:
    return Made(lambda lib: lib.nn.TransformerDecoderLayer(E, 2, 6, **kwargs), f"decoder{kwargs}")


NORM = Made(lambda lib: lib.nn.LayerNorm(E), "norm")
SILU = Made(lambda lib: lib.nn.functional.silu, "silu")
GELU = Made(lambda lib: lib.nn.GELU("tanh"), "GELU")
ENCODER, DECODER, STACK = "TransformerEncoderLayer", "TransformerDecoderLayer", "TransformerEncoder"

TINY = [  # few enough parameters for numerical derivatives
    Layer("MultiheadAttention", (2, 2), {"add_bias_kv": True}, ((2, 1, 2), (3, 1, 2), (3, 1, 2)), {"attn_mask": SOME[:2, :3]}),
    Layer("MultiheadAttention", (2, 1), {"kdim": 1, "dropout": 0.4}, ((1, 2, 2), (3, 2, 1), (3, 2, 2)), {"need_weights": False}),
    Layer("TransformerEncoderLayer", (2, 1, 2), {"activation": "gelu"}, ((2, 1, 2),)),
    Layer("TransformerDecoderLayer", (1, 1, 2), {"norm_first": True, "activation": "gelu"}, ((2, 1), (2, 1))),
]
LARGE = [
    mha(),
    mha(inputs=((L, B, E),)),
    mha(inputs=((B, L, E),), batch_first=True, call={"need_weights": False}),
    mha(inputs=((L, E),), call={"attn_mask": CAUSAL, "average_attn_weights": False}),
    mha(inputs=((L, E), (S, E), (S, E)), call={"need_weights": False, "key_padding_mask": PADDING[0]}),
    mha(call={"need_weights": False, "attn_mask": SOME}),
    mha(call={"attn_mask": SOME, "key_padding_mask": PADDING[[1, 1, 1]], "average_attn_weights": False}),
    mha(call={"attn_mask": ADDED}),
    mha(call={"attn_mask": EACH, "need_weights": False}),
    mha(inputs=FIRST, batch_first=True, call={"key_padding_mask": PADDING}),
    mha(inputs=FIRST, batch_first=True, call={"key_padding_mask": PADDING, "attn_mask": EACH > 1, "need_weights": False}),
    mha(inputs=((B, L, E),), batch_first=True, call={"attn_mask": CAUSAL, "is_causal": True, "need_weights": False}),
    mha(inputs=((L, B, E),), call={"attn_mask": CAUSAL, "is_causal": True}),
    mha(E, 4, 0.4, inputs=((B, L, E),), batch_first=True, call={"need_weights": False}),
    mha(E, 4, 0.4, inputs=CROSS, call={"average_attn_weights": False}),
    mha(E, 1, bias=False),
    mha(add_bias_kv=True, call={"key_padding_mask": PADDING}),
    mha(add_bias_kv=True, add_zero_attn=True, inputs=FIRST, batch_first=True, call={"attn_mask": SOME, "need_weights": False}),
    mha(add_zero_attn=True, call={"attn_mask": ADDED, "need_weights": False}),
    mha(E, 2, kdim=5, vdim=3, inputs=((L, B, E), (S, B, 5), (S, B, 3)), call={"key_padding_mask": PADDING}),
    mha(E, 4, kdim=5, bias=False, add_bias_kv=True, batch_first=True, inputs=((B, L, E), (B, S, 5), (B, S, E))),
    Layer(
        "MultiheadAttention",
        (E, 2),
        inputs=CROSS,
        errors=(
            (((E,), (E,), (E,)), AssertionError, r"query should be unbatched 2D or batched 3D tensor but received 1-D query"),
            (((L, B, E), (S, E), (S, E)), AssertionError, r"For batched \(3-D\) `query`, expected `key` and `value` to be 3-D"),
            (((L, B, 6), (S, B, E), (S, B, E)), AssertionError, r"was expecting embedding dimension of 8, but got 6"),
            (((L, B, E), (S, B, E), (L, B, E)), AssertionError, r"key shape \(5, 3, 8\) does not match value shape \(4, 3, 8\)"),
        ),
    ),
    Layer(ENCODER, (E, 2, 6), {"batch_first": True}, ((B, L, E),)),
    Layer(ENCODER, (E, 2, 6), {"dropout": 0.0, "activation": "gelu"}, ((L, B, E),), {"src_mask": CAUSAL}),
    Layer(ENCODER, (E, 4, 6), {"norm_first": True, "activation": SILU}, ((L, E),)),
    Layer(ENCODER, (E, 2, 6, 0.3, GELU, 0.1), {"batch_first": True, "bias": False}, ((B, S, E),), {"src_key_padding_mask": PADDING}),
    Layer(ENCODER, (E, 2, 6), {"norm_first": True}, ((L, B, E),), {"src_mask": CAUSAL, "is_causal": True}),
    Layer(DECODER, (E, 2, 6), {}, ((L, B, E), (S, B, E))),
    Layer(
        DECODER,
        (E, 2, 6),
        {"batch_first": True, "norm_first": True, "activation": "gelu", "bias": False},
        ((B, L, E), (B, S, E)),
        {"tgt_mask": CAUSAL, "memory_key_padding_mask": PADDING, "tgt_is_causal": True},
    ),
    Layer(DECODER, (E, 2, 6), {"dropout": 0.0, "activation": SILU}, ((L, E), (S, E)), {"memory_mask": SOME}),
    Layer(STACK, (encoder_layer(batch_first=True), 2), {}, ((B, S, E),), {"src_key_padding_mask": PADDING}),
    Layer(STACK, (encoder_layer(batch_first=True), 2), {"mask_check": False}, ((B, S, E),), {"src_key_padding_mask": ~PADDING}),
    Layer(STACK, (encoder_layer(dropout=0.0), 2, NORM), {}, ((L, B, E),), {"mask": CAUSAL}),
    Layer(STACK, (encoder_layer(batch_first=True), 1), {"enable_nested_tensor": False}, ((B, L, E),), {"mask": np.where(CAUSAL, -np.inf, 0)}),
    Layer("TransformerDecoder", (decoder_layer(), 2), {"norm": NORM}, ((L, B, E), (S, B, E)), {"tgt_mask": CAUSAL}),
    Layer("TransformerDecoder", (decoder_layer(batch_first=True), 1), {}, ((B, L, E), (B, S, E)), {"tgt_is_causal": False}),
    Layer("Transformer", (E, 2, 1, 1, 6), {}, ((S, B, E), (L, B, E))),
    Layer(
        "Transformer",
        (E, 2, 1, 2, 6, 0.0, "gelu"),
        {"batch_first": True, "norm_first": True},
        ((B, S, E), (B, L, E)),
        {"src_key_padding_mask": PADDING, "memory_key_padding_mask": PADDING, "tgt_mask": CAUSAL},
        errors=(
            (((B, S, E), (2, L, E)), RuntimeError, r"the batch number of src and tgt must be equal, got src of shape \(3, 5, 8\)"),
            (((B, S, E), (B, L, 6)), RuntimeError, r"the feature number of src and tgt must be equal to d_model=8"),
        ),
    ),
    Layer("Transformer", (E, 4, 1, 1, 6), {"bias": False, "activation": SILU}, ((S, E), (L, E))),
]
LAYERS = TINY + [replace(row, numeric=False) for row in LARGE]

Q, K, V = (1, 4, L, 3), (1, 4, S, 3), (1, 4, S, 3)
SDPA = "scaled_dot_product_attention"

FUNCTIONS = [
    Function(SDPA, (Q, K, V)),
    Function(SDPA, (Q, K, V), {"is_causal": True, "scale": 0.3}),
    Function(SDPA, (Q, K, V), {"attn_mask": ~SOME}),
    Function(SDPA, (Q, K, V), {"attn_mask": ~SOME, "is_causal": True}),
    Function(SDPA, (Q, K, V), {"attn_mask": np.zeros((4, 5), bool)}),
    Function(SDPA, (Q, K, V), {"dropout_p": 0.4}),
    Function(SDPA, (Q, (1, 2, S, 3), (1, 2, S, 3)), {"enable_gqa": True}),
    Function(SDPA, (Q, (1, 2, S, 3), (1, 1, S, 3)), {"enable_gqa": True, "dropout_p": 0.4}),
    Function(SDPA, ((L, 3), (S, 3), (S, 2))),
    Function(SDPA, ((2, L, 3), (1, S, 3), (S, 3)), {"attn_mask": ~SOME[:, :1]}),
    Function(SDPA, (Q, K, V, (L, S))),  # the mask is differentiated too
    Function(SDPA, (Q, K, V, (4, 1, S)), {"dropout_p": 0.4}),
    Function(
        "multi_head_attention_forward",
        (*CROSS, E, 2, (3 * E, E), (3 * E,), None, None, False, 0.0, (E, E), (E,)),
        {"static_k": normal(B * 2, 6, 4), "static_v": normal(B * 2, 6, 4)},
        numeric=False,
    ),
    Function(
        "multi_head_attention_forward",
        (*CROSS, E, 2, None, (3 * E,), (1, 1, E), (1, 1, E), True, 0.4, (E, E), None, True, PADDING, False),
        {
            "use_separate_proj_weight": True,
            "q_proj_weight": normal(E, E, seed=1),
            "k_proj_weight": normal(E, E, seed=2),
            "v_proj_weight": normal(E, E, seed=3),
        },
        numeric=False,
    ),
]
