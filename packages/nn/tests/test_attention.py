"""Attention layers: what the rows do not say."""

from __future__ import annotations

import copy
import math
import warnings

import numpy as np
import pytest

import taeda
from taeda import nn
from taeda.nn import functional as F
from taeda.nn.attention import SDPBackend, sdpa_kernel
from taeda.nn.attention.bias import CausalBias, CausalVariant, causal_lower_right, causal_upper_left
from taeda.nn.attention.varlen import AuxRequest, varlen_attn

PADDING = taeda.tensor([[0, 0, 0, 1, 1], [0, 0, 0, 0, 0], [0, 1, 1, 1, 1]]).bool()


def assert_close(a, b, rtol=1e-5, atol=1e-6):
    np.testing.assert_allclose(a.detach(), b.detach(), rtol=rtol, atol=atol)


def encoder(**kwargs):
    taeda.manual_seed(0)
    return nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2, **kwargs).eval()


# -- multi-head attention ---------------------------------------------------------------------------------------------


def test_both_roads_give_the_same():
    """With and without weights, batch first or not, batch by batch or all at once."""
    taeda.manual_seed(0)
    a, b = nn.MultiheadAttention(8, 2), nn.MultiheadAttention(8, 2, batch_first=True)
    b.load_state_dict(a.state_dict())
    q, k = taeda.randn(3, 4, 8), taeda.randn(3, 5, 8)
    y, weights = b(q, k, k, key_padding_mask=PADDING)
    assert_close(b(q, k, k, key_padding_mask=PADDING, need_weights=False)[0], y)
    assert_close(a(q.transpose(0, 1), k.transpose(0, 1), k.transpose(0, 1), PADDING)[0].transpose(0, 1), y)
    assert_close(weights.sum(-1), taeda.ones(3, 4))
    assert not weights[0, :, 3:].any()
    for i in range(3):
        assert_close(b(q[i], k[i], k[i], key_padding_mask=PADDING[i])[0], y[i])
    short = k[2, :1]
    assert_close(b(q[2], short, short)[0], y[2])


def test_bool_and_added_masks_are_the_same_mask():
    m = nn.MultiheadAttention(8, 2, batch_first=True)
    x = taeda.randn(3, 5, 8)
    hidden = taeda.ones(5, 5).triu(1).bool()
    added = nn.Transformer.generate_square_subsequent_mask(5)
    for weights in (True, False):
        expected = m(x, x, x, attn_mask=hidden, need_weights=weights)[0]
        assert_close(m(x, x, x, attn_mask=added, need_weights=weights)[0], expected)
        assert_close(m(x, x, x, attn_mask=added, need_weights=weights, is_causal=True)[0], expected)
        later = x.clone()
        later[:, 3:] += 1
        assert_close(m(later, later, later, attn_mask=hidden, need_weights=weights)[0][:, :3], expected[:, :3], 0, 1e-7)


def test_without_positions_attention_is_equivariant():
    m = nn.MultiheadAttention(8, 4, batch_first=True, dtype=taeda.float64)
    x, order = taeda.randn(2, 6, 8, dtype=taeda.float64), taeda.tensor([3, 1, 5, 0, 2, 4])
    assert_close(m(x[:, order], x[:, order], x[:, order])[0], m(x, x, x)[0][:, order], 1e-12, 1e-12)


def test_the_hint_needs_its_mask():
    m = nn.MultiheadAttention(8, 2)
    x = taeda.randn(4, 3, 8)
    with pytest.raises(RuntimeError, match=r"\[multi_head_attention_forward\] Need attn_mask if specifying the is_causal hint"):
        m(x, x, x, is_causal=True)


def test_two_masks_of_different_dtypes_warn():
    m = nn.MultiheadAttention(8, 2, batch_first=True)
    x = taeda.randn(3, 5, 8)
    with pytest.warns(UserWarning, match="Support for mismatched key_padding_mask and attn_mask is deprecated"):
        m(x, x, x, key_padding_mask=PADDING, attn_mask=taeda.zeros(5, 5))


@pytest.mark.parametrize(
    ("masks", "exception", "text"),
    [
        ({"attn_mask": taeda.zeros(3, 5)}, RuntimeError, r"The shape of the 2D attn_mask is \(3, 5\), but should be \(5, 5\)"),
        ({"attn_mask": taeda.zeros(2, 5, 5)}, RuntimeError, r"The shape of the 3D attn_mask is \(2, 5, 5\), but should be \(6, 5, 5\)"),
        ({"attn_mask": taeda.zeros(1, 1, 5, 5)}, AssertionError, r"expected `attn_mask` to be `None`, 2-D or 3-D but found 4-D"),
        ({"key_padding_mask": PADDING[:2]}, AssertionError, r"Expected key_padded_mask.shape\[0\] to be 3, but got 2"),
        ({"key_padding_mask": PADDING[:, :4]}, AssertionError, r"Expected key_padded_mask.shape\[1\] to be 5, but got 4"),
        ({"key_padding_mask": PADDING[0]}, AssertionError, r"expected `key_padding_mask` to be `None` or 2-D but found 1-D"),
        ({"key_padding_mask": PADDING.int()}, AssertionError, "only bool and floating types of key_padding_mask are supported"),
    ],
)  # fmt: skip
def test_masks_that_do_not_fit(masks, exception, text):
    x = taeda.randn(3, 5, 8)
    m = nn.MultiheadAttention(8, 2, batch_first=True)
    with pytest.raises(exception, match=text):
        m(x, x, x, **masks)


def test_arguments_of_the_layer():
    with pytest.raises(AssertionError, match=r"\[MultiheadAttention\] embed_dim must be divisible by num_heads, got 8 and 3"):
        nn.MultiheadAttention(8, 3)
    with pytest.raises(ValueError, match="embed_dim and num_heads must be greater than 0, got embed_dim=8 and num_heads=0"):
        nn.MultiheadAttention(8, 0)
    with pytest.raises(RuntimeError, match="activation should be relu/gelu, not tanh"):
        nn.TransformerEncoderLayer(8, 2, activation="tanh")


def test_merged_masks():
    m = nn.MultiheadAttention(8, 2)
    padding, mask, x = taeda.zeros(3, 5), taeda.ones(5, 5), taeda.ones(3, 5, 8)
    assert m.merge_masks(None, None, x) == (None, None)
    assert m.merge_masks(None, padding, x) == (padding, 1)
    merged, kind = m.merge_masks(mask, padding, x)
    assert kind == 2 and taeda.equal(merged, taeda.ones(3, 2, 5, 5))


# -- Transformers -----------------------------------------------------------------------------------------------------


def test_copies_of_a_layer_start_equal_and_go_their_own_way():
    model = encoder()
    first, second = model.layers
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        assert taeda.equal(a, b) and a is not b
    with taeda.no_grad():
        first.linear1.weight.zero_()
    assert second.linear1.weight.any()


def test_padded_positions_are_zero_in_inference():
    """As in PyTorch, which packs the sequences there; their results are those of training."""
    model, x = encoder(), taeda.randn(3, 5, 8)
    trained = model(x, src_key_padding_mask=PADDING)
    assert trained[PADDING].all()
    with taeda.no_grad():
        y = model(x, src_key_padding_mask=PADDING)
        assert not y[PADDING].any()
        assert_close(y[~PADDING], trained[~PADDING])
        for other in (model(x, mask=taeda.zeros(5, 5).bool(), src_key_padding_mask=PADDING),
                      encoder(enable_nested_tensor=False)(x, src_key_padding_mask=PADDING)):  # fmt: skip
            assert_close(other, trained)
        left = PADDING.flip(1)
        assert model(x, src_key_padding_mask=left)[left].all()
        try:
            taeda.backends.mha.set_fastpath_enabled(False)
            assert_close(model(x, src_key_padding_mask=PADDING), trained)
        finally:
            taeda.backends.mha.set_fastpath_enabled(True)


def test_a_sequence_of_nothing_but_padding_stays_finite():
    model, x = encoder(), taeda.randn(2, 5, 8)
    y = model(x, src_key_padding_mask=taeda.ones(2, 5).bool())
    assert y.isfinite().all()
    y.sum().backward()
    assert all(p.grad.isfinite().all() for p in model.parameters())


def test_what_keeps_pytorch_from_packing_is_said():
    with pytest.warns(UserWarning, match=r"self\.use_nested_tensor is False because encoder_layer\.self_attn\.batch_first was not True"):
        nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2), 1)
    with pytest.warns(UserWarning, match="encoder_layer was not TransformerEncoderLayer"):
        nn.TransformerEncoder(nn.Linear(2, 2), 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2), 1, enable_nested_tensor=False)
        encoder()


def test_a_causal_encoder_and_decoder_leak_nothing():
    taeda.manual_seed(0)
    model = nn.Transformer(8, 2, 1, 2, 16, batch_first=True).eval()
    mask = nn.Transformer.generate_square_subsequent_mask(6)
    src, tgt = taeda.randn(2, 5, 8), taeda.randn(2, 6, 8)
    before = model(src, tgt, tgt_mask=mask)
    assert taeda.equal(model(src, tgt, tgt_mask=mask, tgt_is_causal=True), before)
    tgt[:, 4:] = 100.0
    assert_close(model(src, tgt, tgt_mask=mask)[:, :4], before[:, :4], 0, 1e-6)


def test_own_layers_in_the_stacks():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.self_attn = nn.MultiheadAttention(8, 2)
            self.seen = []

        def forward(self, src, src_mask=None, is_causal=None, src_key_padding_mask=None):
            self.seen.append((src_mask.dtype, is_causal))
            return 2 * src

    stack = nn.TransformerEncoder(Twice(), 3, enable_nested_tensor=False)
    x = taeda.ones(5, 2, 8)
    assert taeda.equal(stack(x, mask=taeda.ones(5, 5).triu(1).bool()), 8 * x)
    assert stack.layers[2].seen == [(taeda.float32, True)]
    model = nn.Transformer(8, 2, custom_encoder=stack, custom_decoder=copy.deepcopy(stack))
    assert model.encoder is stack


def test_hooks_see_every_part():
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).eval()
    seen = []
    for name, part in layer.named_modules():
        part.register_forward_hook(lambda m, a, y, name=name: seen.append(name))
    with taeda.no_grad():
        layer(taeda.randn(2, 3, 8))
    assert seen == ["self_attn", "dropout1", "norm1", "linear1", "dropout", "linear2", "dropout2", "norm2", ""]


def test_generated_mask():
    mask = nn.Transformer.generate_square_subsequent_mask(3, dtype=taeda.float64)
    assert mask.dtype == taeda.float64
    assert mask.tolist() == [[0, -np.inf, -np.inf], [0, 0, -np.inf], [0, 0, 0]]


# -- nn.attention -----------------------------------------------------------------------------------------------------


def test_the_choice_of_a_backend_is_noted_and_put_back():
    x = taeda.randn(1, 2, 3, 4)
    expected = F.scaled_dot_product_attention(x, x, x)
    cuda = taeda.backends.cuda
    for chosen in (SDPBackend.MATH, [SDPBackend.FLASH_ATTENTION, SDPBackend.CUDNN_ATTENTION], []):
        with sdpa_kernel(chosen):
            assert cuda.math_sdp_enabled() == (chosen is SDPBackend.MATH)
            assert cuda.flash_sdp_enabled() == cuda.cudnn_sdp_enabled() == (isinstance(chosen, list) and len(chosen) == 2)
            assert taeda.equal(F.scaled_dot_product_attention(x, x, x), expected)
    assert cuda.math_sdp_enabled() and cuda.flash_sdp_enabled() and cuda.mem_efficient_sdp_enabled()
    with pytest.raises(AssertionError, match=r"\[sdpa_kernel\] Backend must be an instance of SDPBackend or a list"), sdpa_kernel("math"):
        pass
    with pytest.warns(FutureWarning, match="sdp_kernel"), cuda.sdp_kernel(enable_flash=False):
        assert not cuda.flash_sdp_enabled()
    assert cuda.flash_sdp_enabled() and cuda.SDPBackend is SDPBackend


@pytest.mark.parametrize(("queries", "keys"), [(4, 4), (3, 5), (5, 3)])
def test_causal_biases(queries, keys):
    taeda.manual_seed(0)
    q, k, v = taeda.randn(2, 3, queries, 4), taeda.randn(2, 3, keys, 4), taeda.randn(2, 3, keys, 4)
    full = taeda.ones(queries, keys).bool()
    upper = causal_upper_left(queries, keys)
    assert_close(F.scaled_dot_product_attention(q, k, v, upper), F.scaled_dot_product_attention(q, k, v, full.tril()))
    if queries > keys:
        with pytest.warns(UserWarning, match="Lower right causal bias hides all keys"):
            lower = causal_lower_right(queries, keys)
    else:
        lower = causal_lower_right(queries, keys)
    assert_close(F.scaled_dot_product_attention(q, k, v, lower), F.scaled_dot_product_attention(q, k, v, full.tril(keys - queries)))
    assert lower.variant == CausalVariant.LOWER_RIGHT and repr(upper) == repr(full.tril())
    with pytest.raises(ValueError, match="CausalBias should not be used with causal=True"):
        F.scaled_dot_product_attention(q, k, v, upper, is_causal=True)


def test_arguments_of_causal_biases():
    with pytest.raises(AssertionError, match="causal_upper_left only supports 2D tensors"):
        causal_upper_left(1, 2, 3)
    with pytest.raises(AssertionError, match="variant must be a CausalVariant, got int"):
        CausalBias(1, 2, 3)


def test_projections_that_copies_of_the_layer_call():
    w, b = taeda.arange(12.0).view(6, 2), taeda.arange(6.0)
    x, y = taeda.tensor([[1.0, 2.0]]), taeda.tensor([[0.0, -1.0]])
    by_hand = [x @ w[:2].T + b[:2], y @ w[2:4].T + b[2:4], y @ w[4:].T + b[4:]]
    for k, v in ((y, y), (y, y.clone())):
        assert [p.tolist() for p in F._in_projection_packed(x, k, v, w, b)] == [p.tolist() for p in by_hand]
    assert [p.tolist() for p in F._in_projection_packed(x, x, x, w)] == [(x @ part.T).tolist() for part in w.chunk(3)]
    assert [p.tolist() for p in F._in_projection(x, y, y, *w.chunk(3), *b.chunk(3))] == [p.tolist() for p in by_hand]
    with pytest.raises(AssertionError, match=r"\[in_projection\] expecting v weights shape of \(2, 2\), but got \(1, 2\)"):
        F._in_projection(x, y, y, w[:2], w[:2], w[:1])
    with pytest.raises(AssertionError, match=r"\[in_projection\] expecting k bias shape of \(2,\), but got \(3,\)"):
        F._in_projection(x, y, y, *w.chunk(3), None, b[:3])
    assert F._mha_shape_check(x[None], y[None], y[None], None, None, 1) and not F._mha_shape_check(x, y, y, None, None, 1)


def test_what_pytorchs_functional_imports_is_found_there():
    chosen = F.boolean_dispatch("two", 1, False, lambda x, two: (x, x), lambda x, two=False: x, "here", "chosen")
    assert (chosen(1), chosen(1, True), chosen.__name__) == (1, (1, 1), "chosen")
    assert F.has_torch_function((taeda.ones(1),)) is False and taeda.nn.utils.clip_grad._get_total_norm([taeda.tensor([3.0, 4.0])]).item() == 5


@pytest.mark.parametrize("window", [(-1, -1), (-1, 0), (1, 0), (0, 1)])
def test_attention_of_sequences_in_a_row_is_that_of_each(window):
    starts_q, starts_k = taeda.tensor([0, 2, 5]), taeda.tensor([0, 3, 7])
    q = taeda.randn(5, 4, 3, dtype=taeda.float64, requires_grad=True)
    k, v = (taeda.randn(7, 2, 3, dtype=taeda.float64, requires_grad=True) for _ in range(2))
    out, lse = varlen_attn(
        q, k, v, starts_q, starts_k, 3, 4, return_aux=AuxRequest(lse=True), window_size=window, enable_gqa=True, scale=0.5
    )
    assert out.shape == (5, 4, 3) and lse.shape == (4, 5) and lse.dtype == taeda.float32
    for i, (start, end, first, last) in enumerate(((0, 2, 0, 3), (2, 5, 3, 7))):
        for h in range(4):
            for row in range(start, end):
                own = row - start + (last - first) - (end - start)
                scores = [
                    (q[row, h] * k[j, h // 2]).sum().item() * 0.5
                    for j in range(first, last)
                    if (window[0] < 0 or j - first >= own - window[0]) and (window[1] < 0 or j - first <= own + window[1])
                ]
                assert lse[h, row].item() == pytest.approx(math.log(sum(map(math.exp, scores))), abs=1e-5), (i, h, row)
    weights = taeda.exp((q[0, 0] @ k[:3, 0].T) * 0.5)
    if window == (-1, -1):
        assert taeda.allclose(out[0, 0], (weights / weights.sum()) @ v[:3, 0])
    out.sum().backward()
    assert all(t.grad.isfinite().all() for t in (q, k, v)) and v.grad.sum().item() == pytest.approx(5 * 4 * 3)


def test_attention_of_sequences_in_a_row_may_leave_keys_out_and_refuses_what_does_not_fit():
    x, starts = taeda.randn(4, 1, 2), taeda.tensor([0, 4])
    short = varlen_attn(x, x, x, starts, starts, 4, 4, seqused_k=taeda.tensor([2]))
    assert taeda.allclose(short, varlen_attn(x, x[:2], x[:2], starts, taeda.tensor([0, 2]), 4, 2))
    inner = taeda.tensor([1, 3, 3])                              # the first row and the last belong to nobody, and a sequence is empty
    y, lse = varlen_attn(x, x, x, inner, inner, 2, 2, return_aux=AuxRequest(lse=True))
    assert taeda.allclose(y[1:3], varlen_attn(x[1:3], x[1:3], x[1:3], taeda.tensor([0, 2]), taeda.tensor([0, 2]), 2, 2))
    assert y.shape == x.shape and not y[[0, 3]].any() and lse.isfinite().tolist() == [[False, True, True, False]]
    y, lse = varlen_attn(x, x, x, starts, taeda.tensor([0, 0]), 4, 0, return_aux=AuxRequest(lse=True))      # nobody sees a key
    assert not y.any() and bool((lse == -math.inf).all())
    with taeda.autocast("cpu", dtype=taeda.bfloat16):
        assert varlen_attn(x, x, x, starts, starts, 4, 4).dtype == varlen_attn(x, x, x, inner, inner, 2, 2).dtype == taeda.bfloat16
    for wrong in ([0, 5], [2, 1], [-1, 4]):
        with pytest.raises(ValueError, match="cu_seq_q must rise from 0 to at most 4"):
            varlen_attn(x, x, x, taeda.tensor(wrong), starts, 4, 4)
    with pytest.raises(ValueError, match="Hq=2 and Hkv=1"):
        varlen_attn(taeda.randn(4, 2, 2), x, x, starts, starts, 4, 4)
    with pytest.raises(NotImplementedError, match="pages"):
        varlen_attn(x, x, x, starts, starts, 4, 4, block_table=taeda.zeros(1, 1, dtype=taeda.int32))


def test_a_layer_of_a_transformer_drops_for_each_sample_of_a_vmap_or_for_all_alike():
    taeda.manual_seed(0)
    layer, x = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.5), taeda.rand(6, 8).expand(3, 6, 8)
    run = taeda.func.vmap(layer, randomness="same")(x)
    assert taeda.equal(run[0], run[1]) and not taeda.equal(run[0], layer(x[0]))
    run = taeda.func.vmap(layer, randomness="different")(x)
    assert not taeda.equal(run[0], run[1]) and not taeda.equal(run[1], run[2])
