"""Attention of sequences of several lengths that lie one after another, without padding."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import taeda
from taeda import Tensor
from taeda.nn import functional as F

__all__ = ["AuxRequest", "varlen_attn", "varlen_attn_out"]


class AuxRequest(NamedTuple):
    """What :func:`varlen_attn` is to return besides the output.

    >>> from taeda.nn.attention.varlen import AuxRequest
    >>> AuxRequest(lse=True)
    AuxRequest(lse=True)
    """

    lse: bool = False


def varlen_attn(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    cu_seq_q: Tensor,
    cu_seq_k: Tensor | None,
    max_q: int,
    max_k: int,
    *,
    return_aux: AuxRequest | None = None,
    scale: float | None = None,
    window_size: tuple[int, int] = (-1, -1),
    enable_gqa: bool = False,
    seqused_k: Tensor | None = None,
    block_table: Tensor | None = None,
    num_splits: int | None = None,
) -> Tensor | tuple[Tensor, Tensor]:
    """Return the attention of N sequences, each to its own keys: softmax(scale q k^T) v, sequence by sequence.

    Args:
        query: (T_q, H_q, D), the sequences one after another.
        key, value: (T_k, H_kv, D) likewise.
        cu_seq_q, cu_seq_k: (N + 1,), where the sequences begin, and where the last one ends.
        max_q, max_k: the longest sequences' lengths; nothing depends on them.
        return_aux: with ``lse=True``, also return the logsumexp of the scores, float32, (H_q, T_q).
        scale: 1 / sqrt(D) by default.
        window_size: how many keys before and after its own place a query sees, -1: all; (-1, 0) is causal.  The last query
            stands at the last key.
        enable_gqa: let groups of H_q / H_kv heads of queries share a head of keys.
        seqused_k: (N,), how many of each sequence's keys count.
        num_splits: accepted; nothing is split.

    Raises:
        ValueError: heads or ``window_size`` do not fit.  NotImplementedError: with ``block_table``, for keys in pages.

    >>> import taeda
    >>> from taeda.nn.attention.varlen import varlen_attn
    >>> starts = taeda.tensor([0, 1, 3])                             # a sequence of one, and one of two
    >>> values = taeda.tensor([1.0, 2.0, 4.0]).reshape(3, 1, 1)
    >>> varlen_attn(taeda.zeros(3, 1, 1), taeda.zeros(3, 1, 1), values, starts, starts, 2, 2).flatten()
    tensor([1., 3., 3.])
    """
    if block_table is not None or cu_seq_k is None:
        raise NotImplementedError("[varlen_attn] keys in pages (block_table) are not supported; pass them one after another")
    heads_q, heads_k = query.size(1), key.size(1)
    if not enable_gqa and heads_q != heads_k:
        raise ValueError(
            f"[varlen_attn] Expect query and key/value to have the same number of heads but got Hq={heads_q} and "
            f"Hkv={heads_k}. Try setting enable_gqa=True for GQA."
        )
    if heads_q % heads_k != 0:
        raise ValueError(
            f"[varlen_attn] Expect number of query heads to be a multiple of kv heads for GQA but got Hq={heads_q} "
            f"and Hkv={heads_k}."
        )
    if len(window_size) != 2:
        raise ValueError(f"[varlen_attn] window_size must have length 2, got {len(window_size)}")
    scale = query.size(-1) ** -0.5 if scale is None else scale
    starts_q, starts_k = cu_seq_q.tolist(), cu_seq_k.tolist()
    used = [b - a for a, b in pairwise(starts_k)] if seqused_k is None else seqused_k.tolist()
    if any(a > b for a, b in pairwise([0, *starts_q, query.size(0)])):
        raise ValueError(f"[varlen_attn] cu_seq_q must rise from 0 to at most {query.size(0)}, the rows of query, got {starts_q}")
    outputs, sums = [], []
    for i, (start, end) in enumerate(pairwise(starts_q)):
        keys = slice(starts_k[i], min(starts_k[i] + used[i], starts_k[i + 1]))
        q, k, v = (t.transpose(0, 1) for t in (query[start:end], key[keys], value[keys]))
        k, v = (t.repeat_interleave(heads_q // heads_k, 0) if heads_q != heads_k else t for t in (k, v))
        seen = _window(q.size(1), k.size(1), window_size)
        outputs.append(F.scaled_dot_product_attention(q, k, v, attn_mask=seen, scale=scale).transpose(0, 1))
        if return_aux is not None and return_aux.lse:
            scores = (q @ k.mT).detach().float() * scale
            scores = scores if seen is None else scores.masked_fill(~seen, -float("inf"))
            sums.append(scores.logsumexp(-1))
    like = outputs[0] if outputs else query                      # of the dtype that autocast may choose
    nobody = [starts_q[0], query.size(0) - starts_q[-1]]         # rows before and behind all sequences: zeros, of no keys
    first, last = (like.new_zeros(n, heads_q, value.size(-1)) for n in nobody)
    out = taeda.cat([first, *outputs, last])
    if return_aux is None or not return_aux.lse:
        return out
    first, last = (query.new_full((heads_q, n), -float("inf"), dtype=taeda.float32) for n in nobody)
    return out, taeda.cat([first, *sums, last], 1)


def _window(queries: int, keys: int, window: tuple[int, int]) -> Tensor | None:
    """Return (queries, keys): True where a key is in the query's window; None where all are."""
    before, after = window
    if before < 0 and after < 0:
        return None
    place = taeda.arange(keys) - (taeda.arange(queries).unsqueeze(1) + keys - queries)
    seen = taeda.ones(queries, keys, dtype=taeda.bool)
    if before >= 0:
        seen = seen & (place >= -before)
    return seen & (place <= after) if after >= 0 else seen


def varlen_attn_out(
    out: Tensor,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    cu_seq_q: Tensor,
    cu_seq_k: Tensor | None,
    max_q: int,
    max_k: int,
    *,
    return_aux: AuxRequest | None = None,
    scale: float | None = None,
    window_size: tuple[int, int] = (-1, -1),
    enable_gqa: bool = False,
    seqused_k: Tensor | None = None,
    block_table: Tensor | None = None,
    num_splits: int | None = None,
) -> Tensor | tuple[Tensor, Tensor]:
    """Write :func:`varlen_attn`'s output into ``out``, and return it.

    >>> import taeda
    >>> from taeda.nn.attention.varlen import varlen_attn_out
    >>> x, starts = taeda.ones(2, 1, 1), taeda.tensor([0, 2])
    >>> varlen_attn_out(taeda.empty(2, 1, 1), x, x, x, starts, starts, 2, 2).flatten()
    tensor([1., 1.])
    """
    found = varlen_attn(
        query, key, value, cu_seq_q, cu_seq_k, max_q, max_k, return_aux=return_aux, scale=scale, window_size=window_size,
        enable_gqa=enable_gqa, seqused_k=seqused_k, block_table=block_table, num_splits=num_splits,
    )
    if isinstance(found, tuple):
        return out.copy_(found[0]), found[1]
    return out.copy_(found)
