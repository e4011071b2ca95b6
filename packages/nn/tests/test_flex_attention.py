"""Attention with functions for scores and masks."""

from __future__ import annotations

import numpy as np
import pytest

import taeda
from taeda.nn import functional as F
from taeda.nn.attention.flex_attention import (
    AuxRequest,
    BlockMask,
    and_masks,
    create_block_mask,
    create_mask,
    flex_attention,
    noop_mask,
    or_masks,
)


def causal(b, h, q, k):
    return q >= k


def qkv(B=2, H=4, L=10, S=10, E=8, heads=4):
    taeda.manual_seed(0)
    return taeda.randn(B, H, L, E), taeda.randn(B, heads, S, E), taeda.randn(B, heads, S, E)


def assert_close(a, b):
    np.testing.assert_allclose(a.detach(), b.detach(), rtol=1e-5, atol=1e-6)


def test_a_block_mask_is_an_attention_mask():
    q, k, v = qkv()
    mask = create_block_mask(causal, None, None, 10, 10, BLOCK_SIZE=4)
    expected = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    assert_close(flex_attention(q, k, v, block_mask=mask), expected)
    assert_close(flex_attention(q, k, v, lambda s, b, h, i, j: s, mask), expected)
    assert_close(flex_attention(q, k, v, lambda s, b, h, i, j: taeda.where(i >= j, s, -float("inf"))), expected)


def test_scores_may_depend_on_every_index():
    """ALiBi's slopes by head, a learned bias by distance, documents by batch; gradients flow to what is captured."""
    q, k, v = qkv()
    slopes = taeda.tensor([0.5, 0.25, 0.125, 0.0625])
    bias = taeda.randn(19).requires_grad_()
    documents = taeda.tensor([[0] * 4 + [1] * 6, [0] * 7 + [1] * 3])
    mask = create_block_mask(lambda b, h, i, j: documents[b, i] == documents[b, j], 2, None, 10, 10)
    y = flex_attention(q, k, v, lambda s, b, h, i, j: s + slopes[h] * (j - i) + bias[i - j + 9], mask)
    place = taeda.arange(10)
    added = slopes[:, None, None] * (place - place[:, None]) + bias[place[:, None] - place + 9]
    same = documents[:, :, None] == documents[:, None, :]
    expected = F.scaled_dot_product_attention(q, k, v, added.masked_fill(~same[:, None], -float("inf")))
    assert_close(y, expected)
    assert_close(*(taeda.autograd.grad(t.pow(2).sum(), bias)[0] for t in (y, expected)))


def test_groups_scale_and_what_else_is_returned():
    q, k, v = qkv(heads=2)
    scores = q @ k.repeat_interleave(2, 1).mT * 0.3
    y, aux = flex_attention(q, k, v, scale=0.3, enable_gqa=True, return_aux=AuxRequest(lse=True, max_scores=True))
    assert_close(y, F.scaled_dot_product_attention(q, k, v, scale=0.3, enable_gqa=True))
    assert_close(aux.lse, scores.logsumexp(-1))
    assert_close(aux.max_scores, scores.amax(-1))
    assert_close(flex_attention(q, k, v, scale=0.3, enable_gqa=True, return_lse=True)[1], aux.lse)


def test_a_query_that_sees_nothing_gives_zeros():
    q, k, v = qkv()
    mask = create_block_mask(lambda b, h, i, j: i == 3, None, None, 10, 10)
    y, lse = flex_attention(q, k, v, lambda s, b, h, i, j: 2 * s, mask, return_lse=True)
    assert not y[:, :, [0, 9]].any() and y[:, :, 3].all()
    assert (lse[:, :, 0] == -float("inf")).all()


def test_blocks():
    mask = create_block_mask(causal, None, None, 300, 300)
    assert mask.shape == (1, 1, 300, 300) and mask.numel() == 90000
    assert mask.kv_num_blocks.tolist() == [[[1, 1, 3]]] and mask.full_kv_num_blocks.tolist() == [[[0, 1, 0]]]
    assert mask.kv_indices.tolist() == [[[[0, 1, 2], [1, 0, 2], [0, 1, 2]]]]
    assert mask.q_num_blocks.tolist() == [[[2, 2, 1]]]
    assert mask.to_dense().tolist() == [[[[1, 0, 0], [1, 1, 0], [1, 1, 1]]]]
    assert round(mask.sparsity(), 4) == -9.2267
    assert create_block_mask(causal, None, None, 300, 300, separate_full_blocks=False).kv_num_blocks.tolist() == [[[1, 2, 3]]]
    assert mask.to("cpu").to_dense().tolist() == mask.to_dense().tolist()


def test_masks_combine():
    near, odd = (lambda b, h, i, j: i - j < 3), (lambda b, h, i, j: j % 2 == 1)
    place = taeda.arange(6)
    i, j = place[:, None], place
    both = create_mask(and_masks(causal, near), None, None, 6, 6)[0, 0]
    assert taeda.equal(both, (i >= j) & (i - j < 3))
    assert taeda.equal(create_mask(or_masks(both_mod := causal, odd), 2, 3, 6, 6)[1, 2], (i >= j) | (j % 2 == 1))
    assert both_mod is causal and create_mask(noop_mask, 1, 1, 2, 3).all()
    with pytest.raises(RuntimeError, match="All inputs should be callable mask_mods"):
        and_masks(causal, 3)


def test_refusals():
    q, k, v = qkv()
    with pytest.raises(NotImplementedError, match=r"\[flex_attention\] query, key, and value must be 4D tensors"):
        flex_attention(q[0], k[0], v[0])
    with pytest.raises(ValueError, match=r"block_mask was created for block_mask.shape=\(1, 1, 12, 10\) but got query \(2, 4, 10, 8\)"):
        flex_attention(q, k, v, block_mask=create_block_mask(causal, None, None, 12, 10))
    with pytest.raises(ValueError, match="try setting enable_gqa=True"):
        flex_attention(q, k[:, :2], v[:, :2])


def test_a_block_mask_of_lists_of_blocks():
    mask = create_block_mask(causal, 2, 3, 100, 130, BLOCK_SIZE=32)
    lists = (mask.kv_num_blocks, mask.kv_indices, mask.full_kv_num_blocks, mask.full_kv_indices)
    again = BlockMask.from_kv_blocks(*lists, BLOCK_SIZE=32, mask_mod=causal, seq_lengths=(100, 130))
    for a, b in zip(mask.as_tuple()[2:-3], again.as_tuple()[2:-3], strict=True):
        assert a.tolist() == b.tolist()
    assert again.as_tuple()[:2] == (100, 130) and again.as_tuple(False)[0] == (100, 130) and again.as_tuple()[-3:] == (32, 32, causal)
    bare = BlockMask.from_kv_blocks(taeda.tensor([[[1, 2]]]), taeda.tensor([[[[0, 1], [1, 0]]]]), BLOCK_SIZE=(16, 8), compute_q_blocks=False)
    assert bare.seq_lengths == (32, 16) and bare.q_indices is None and bare.to_dense().tolist() == [[[[1, 0], [1, 1]]]]
    with pytest.raises(RuntimeError, match="at least 2 dimensions"):
        BlockMask.from_kv_blocks(taeda.tensor(1), taeda.tensor([0]))
    with pytest.raises(AssertionError, match="both provided or omitted"):
        BlockMask.from_kv_blocks(*lists[:3])


def test_a_part_of_a_block_mask():
    mask = create_block_mask(causal, 2, 3, 100, 130, BLOCK_SIZE=32)
    assert mask[0].shape == (1, 3, 100, 130) and mask[1, -1].to_dense().tolist() == mask.to_dense()[1:, 2:].tolist()
    assert mask[:, 1:2, taeda.tensor([1])].kv_indices.tolist() == mask.kv_indices[:, 1:2, 1:2].tolist()
    with pytest.raises(RuntimeError, match="Cannot use mask_mod from a sliced BlockMask"):
        mask[0].mask_mod(0, 0, 0, 0)


@pytest.mark.parametrize(("queries", "keys"), [(40, 70), (33, 32), (100, 31), (1, 1)])
def test_a_block_mask_for_fewer_queries_and_keys(queries, keys):
    small = create_block_mask(causal, 1, 1, 100, 130, BLOCK_SIZE=32)._adjust(queries, keys)
    assert small.shape == (1, 1, queries, keys)
    rows, cols = -(-queries // 32), -(-keys // 32)
    assert small.to_dense().tolist() == create_block_mask(causal, 1, 1, 100, 130, BLOCK_SIZE=32).to_dense()[..., :rows, :cols].tolist()
