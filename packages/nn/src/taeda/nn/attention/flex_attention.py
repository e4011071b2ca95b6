"""Attention whose scores a function changes and whose mask a function tells.

``score_mod(score, b, h, q_idx, kv_idx)`` and ``mask_mod(b, h, q_idx, kv_idx)`` are called once, with indices that
broadcast against the scores (B, H, L, S): all that works on 0-d tensors entry by entry works on them at once.  A mask
alone runs by blocks; a ``score_mod`` holds the whole matrix of scores, as PyTorch does without compilation.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import taeda
from taeda import Tensor
from taeda.nn import functional as F

__all__ = [
    "AuxOutput",
    "AuxRequest",
    "BlockMask",
    "and_masks",
    "create_block_mask",
    "create_mask",
    "flex_attention",
    "noop_mask",
    "or_masks",
]

_DEFAULT_SPARSE_BLOCK_SIZE = 128
MaskMod = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
ScoreMod = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]


class AuxRequest(NamedTuple):
    """What ``flex_attention`` returns besides its result, as an ``AuxOutput``: ``lse``, ``max_scores``.

    >>> from taeda.nn.attention.flex_attention import AuxRequest
    >>> AuxRequest(lse=True)
    AuxRequest(lse=True, max_scores=False)
    """

    lse: bool = False
    max_scores: bool = False


class AuxOutput(NamedTuple):
    """What ``flex_attention`` returns besides its result where an ``AuxRequest`` asks for it.

    ``lse`` has the logarithms of the sums of exponentials, ``max_scores`` the largest scores, (B, H, L) each; None what was not asked for.

    >>> import taeda
    >>> from taeda.nn.attention.flex_attention import AuxRequest, flex_attention
    >>> q = taeda.zeros(1, 1, 2, 4)
    >>> y, aux = flex_attention(q, q, q, return_aux=AuxRequest(lse=True))
    >>> aux.lse, aux.max_scores                              # two keys of score 0: log 2
    (tensor([[[0.6931, 0.6931]]]), None)
    """

    lse: Tensor | None = None
    max_scores: Tensor | None = None


def noop_mask(batch: Tensor, head: Tensor, token_q: Tensor, token_kv: Tensor) -> Tensor:
    """Hide nothing.

    >>> from taeda.nn.attention.flex_attention import create_mask, noop_mask
    >>> create_mask(noop_mask, None, None, 2, 2)[0, 0]
    tensor([[True, True],
            [True, True]])
    """
    return batch.new_ones(size=(), dtype=taeda.bool, device=batch.device)


def _joined(op: str, mask_mods: tuple[MaskMod, ...], join: Callable[[Tensor, Tensor], Tensor], start: bool) -> MaskMod:
    for mod in mask_mods:
        if not callable(mod):
            raise RuntimeError(f"[{op}] All inputs should be callable mask_mods: {mask_mods}")

    def mask_mod(b: Tensor, h: Tensor, q_idx: Tensor, kv_idx: Tensor) -> Tensor:
        result = taeda.full((), start, dtype=taeda.bool, device=b.device)
        for mod in mask_mods:
            result = join(result, mod(b, h, q_idx, kv_idx))
        return result

    return mask_mod


def and_masks(*mask_mods: MaskMod) -> MaskMod:
    """Return the mask that shows what all of the masks show.

    >>> from taeda.nn.attention.flex_attention import and_masks, create_mask
    >>> causal, near = lambda b, h, q, k: q >= k, lambda b, h, q, k: q - k < 2
    >>> create_mask(and_masks(causal, near), None, None, 3, 3)[0, 0].int()
    tensor([[1, 0, 0],
            [1, 1, 0],
            [0, 1, 1]], dtype=taeda.int32)
    """
    return _joined("and_masks", mask_mods, lambda a, b: a & b, True)


def or_masks(*mask_mods: MaskMod) -> MaskMod:
    """Return the mask that shows what any of the masks shows.

    >>> from taeda.nn.attention.flex_attention import create_mask, or_masks
    >>> itself, first = lambda b, h, q, k: q == k, lambda b, h, q, k: k == 0
    >>> create_mask(or_masks(itself, first), None, None, 3, 3)[0, 0].int()
    tensor([[1, 0, 0],
            [1, 1, 0],
            [1, 0, 1]], dtype=taeda.int32)
    """
    return _joined("or_masks", mask_mods, lambda a, b: a | b, False)


def _indices(B: int, H: int, L: int, S: int, device: Any) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the four indices of a score, each along its own dimension of (B, H, L, S)."""
    b, h, q, k = (taeda.arange(n, device=device) for n in (B, H, L, S))
    return b[:, None, None, None], h[:, None, None], q[:, None], k


def create_mask(
    mod_fn: Any, B: int | None, H: int | None, Q_LEN: int, KV_LEN: int, device: Any = None
) -> Tensor:
    """Return what a mask_mod tells as a bool tensor (B, H, Q_LEN, KV_LEN), None counting as 1.

    >>> from taeda.nn.attention.flex_attention import create_mask
    >>> create_mask(lambda b, h, q, k: q >= k, None, None, 2, 2)
    tensor([[[[ True, False],
              [ True,  True]]]])
    """
    shape = (B or 1, H or 1, Q_LEN, KV_LEN)
    seen = mod_fn(*_indices(*shape, device))
    return seen.to(taeda.bool).expand(shape)


def _ordered(blocks: Tensor) -> tuple[Tensor, Tensor]:
    """Return how many blocks of each row are set, and their numbers with those that are set in front."""
    return blocks.sum(-1).to(taeda.int32), blocks.to(taeda.int32).argsort(-1, descending=True, stable=True).to(taeda.int32)


_LISTS = [f"{full}{by}_{what}" for by in ("kv", "q") for full in ("", "full_") for what in ("num_blocks", "indices")]


def _sliced(batch: Tensor, head: Tensor, token_q: Tensor, token_kv: Tensor) -> Tensor:
    raise RuntimeError(
        "[BlockMask] Cannot use mask_mod from a sliced BlockMask: block_mask[...] does not know where its rows come from; set "
        "mask_mod of the slice to one made from the original BlockMask's"
    )


class BlockMask:
    """A mask_mod with what it tells of whole blocks: which have anything to see, and which nothing hidden.

    ``kv_num_blocks`` (B, H, rows) and ``kv_indices`` (B, H, rows, columns) list the blocks of each row that are seen in
    part, ``full_kv_num_blocks`` and ``full_kv_indices`` those seen whole; ``q_...`` the same by columns.

    >>> from taeda.nn.attention.flex_attention import create_block_mask
    >>> mask = create_block_mask(lambda b, h, q, k: q >= k, None, None, 256, 256, BLOCK_SIZE=128)
    >>> mask.shape, mask.sparsity(), mask.kv_num_blocks.tolist(), mask.full_kv_num_blocks.tolist()
    ((1, 1, 256, 256), 25.0, [[[1, 1]]], [[[0, 1]]])
    """

    def __init__(
        self,
        seq_lengths: tuple[int, int],
        kv_num_blocks: Tensor,
        kv_indices: Tensor,
        full_kv_num_blocks: Tensor | None,
        full_kv_indices: Tensor | None,
        q_num_blocks: Tensor | None,
        q_indices: Tensor | None,
        full_q_num_blocks: Tensor | None,
        full_q_indices: Tensor | None,
        BLOCK_SIZE: tuple[int, int] = (_DEFAULT_SPARSE_BLOCK_SIZE, _DEFAULT_SPARSE_BLOCK_SIZE),
        mask_mod: MaskMod = noop_mask,
    ) -> None:
        if kv_indices.dim() < 2:
            raise RuntimeError("[BlockMask] BlockMask must have at least 2 dimensions")
        self.seq_lengths = seq_lengths
        self.kv_num_blocks, self.kv_indices = kv_num_blocks, kv_indices
        self.full_kv_num_blocks, self.full_kv_indices = full_kv_num_blocks, full_kv_indices
        self.q_num_blocks, self.q_indices = q_num_blocks, q_indices
        self.full_q_num_blocks, self.full_q_indices = full_q_num_blocks, full_q_indices
        self.BLOCK_SIZE = BLOCK_SIZE
        self.mask_mod = mask_mod

    @classmethod
    def from_kv_blocks(
        cls,
        kv_num_blocks: Tensor,
        kv_indices: Tensor,
        full_kv_num_blocks: Tensor | None = None,
        full_kv_indices: Tensor | None = None,
        BLOCK_SIZE: int | tuple[int, int] = _DEFAULT_SPARSE_BLOCK_SIZE,
        mask_mod: MaskMod | None = None,
        seq_lengths: tuple[int, int] | None = None,
        compute_q_blocks: bool = True,
    ) -> BlockMask:
        """Make a mask of the lists of each row's blocks; those of each column follow from them.

        Without ``seq_lengths`` there are as many queries and keys as the blocks have room for.

        >>> import taeda
        >>> from taeda.nn.attention.flex_attention import BlockMask
        >>> counts, columns = taeda.tensor([[[1, 2]]]), taeda.tensor([[[[0, 1], [0, 1]]]])
        >>> BlockMask.from_kv_blocks(counts, columns, BLOCK_SIZE=16).to_dense()[0, 0]
        tensor([[1, 0],
                [1, 1]], dtype=taeda.int32)
        """
        if kv_indices.dim() < 2:
            raise RuntimeError(f"[BlockMask] BlockMask must have at least 2 dimensions, got kv_indices of shape {tuple(kv_indices.shape)}")
        if (full_kv_num_blocks is None) != (full_kv_indices is None):
            raise AssertionError("[BlockMask] full_kv_num_blocks and full_kv_indices must be both provided or omitted")
        lists: list[Any] = [kv_num_blocks, kv_indices, full_kv_num_blocks, full_kv_indices]
        for counts, indices in (lists[:2], lists[2:]):
            known = compute_q_blocks and counts is not None
            lists += _ordered(_dense(counts, indices).mT) if known else (None, None)
        size = (BLOCK_SIZE, BLOCK_SIZE) if isinstance(BLOCK_SIZE, int) else BLOCK_SIZE
        if seq_lengths is None:
            seq_lengths = kv_indices.shape[-2] * size[0], kv_indices.shape[-1] * size[1]
        named = dict(zip(_LISTS, lists, strict=True))
        return cls(seq_lengths, **named, BLOCK_SIZE=size, mask_mod=mask_mod or noop_mask)

    def _rebuilt(self, counts_and_indices: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]], **changed: Any) -> BlockMask:
        """Return a mask of the lists of rows that a function gives for these."""
        lists: list[Any] = [*counts_and_indices(self.kv_num_blocks, self.kv_indices)]
        if self.full_kv_num_blocks is not None and self.full_kv_indices is not None:
            lists += counts_and_indices(self.full_kv_num_blocks, self.full_kv_indices)
        named = dict(zip(_LISTS, lists, strict=False))
        return self.from_kv_blocks(**named, BLOCK_SIZE=self.BLOCK_SIZE, compute_q_blocks=self.q_indices is not None, **changed)

    def __getitem__(self, index: Any) -> BlockMask:
        """Return the mask of some batches, heads and rows of blocks; an int keeps its dimension, as one of size 1.

        Its ``mask_mod`` knows nothing of that and raises until it is set anew.
        """
        index = (*(index if isinstance(index, tuple) else (index,)), slice(None), slice(None), slice(None))[:3]
        part = tuple(
            (slice(i + n, i + n + 1) if -n <= i < 0 else slice(i, i + 1)) if isinstance(i, int) else i
            for i, n in zip(index, self.kv_num_blocks.shape[:3], strict=True)
        )
        return self._rebuilt(lambda *lists: tuple(x[part] for x in lists), mask_mod=_sliced, seq_lengths=self.seq_lengths)

    def _adjust(self, new_q_len: int, new_kv_len: int) -> BlockMask:
        """Return the mask of the first queries and keys only."""
        rows, cols = -(-new_q_len // self.BLOCK_SIZE[0]), -(-new_kv_len // self.BLOCK_SIZE[1])

        def cropped(counts: Tensor, indices: Tensor) -> tuple[Tensor, Tensor]:
            indices, counts = indices[:, :, :rows, :cols], counts[:, :, :rows].clamp(max=cols)
            return (indices < counts[..., None]).sum(-1).to(taeda.int32), indices

        return self._rebuilt(cropped, mask_mod=self.mask_mod, seq_lengths=(new_q_len, new_kv_len))

    def as_tuple(self, flatten: bool = True) -> tuple[Any, ...]:
        """Return (queries, keys, the eight lists, rows and columns of a block, mask_mod); sizes in pairs unless ``flatten``."""
        lengths, size = (self.seq_lengths, self.BLOCK_SIZE) if flatten else ((self.seq_lengths,), (self.BLOCK_SIZE,))
        return (*lengths, *(getattr(self, name) for name in _LISTS), *size, self.mask_mod)

    @property
    def shape(self) -> tuple[int, ...]:
        """(B, H, queries, keys)."""
        return (*self.kv_indices.shape[:-2], *self.seq_lengths)

    def numel(self) -> int:
        """Return how many entries the mask has."""
        return math.prod(self.shape)

    def to_dense(self) -> Tensor:
        """Return which blocks have anything to see, (B, H, rows, columns) of 0 and 1."""
        dense = _dense(self.kv_num_blocks, self.kv_indices)
        if self.full_kv_num_blocks is not None and self.full_kv_indices is not None:
            dense = dense | _dense(self.full_kv_num_blocks, self.full_kv_indices)
        return dense.to(taeda.int32)

    def sparsity(self) -> float:
        """Return the percentage of the mask's entries that lie outside the blocks with anything to see."""
        seen = int(self.to_dense().sum()) * self.BLOCK_SIZE[0] * self.BLOCK_SIZE[1]
        return 100 * (1 - seen / self.numel())

    def to(self, device: Any) -> BlockMask:
        """Return the mask with its tensors on a device."""
        moved: dict[str, Any] = {n: None if (t := getattr(self, n)) is None else t.to(device) for n in _LISTS}
        return BlockMask(self.seq_lengths, **moved, BLOCK_SIZE=self.BLOCK_SIZE, mask_mod=self.mask_mod)

    def __repr__(self) -> str:
        return f"BlockMask(shape={self.shape}, sparsity={self.sparsity():.2f}%)"


def _dense(counts: Tensor, indices: Tensor) -> Tensor:
    """Undo ``_ordered``: a bool for each block.  What is not listed goes to a column of its own, which is left off."""
    cols = indices.shape[-1]
    listed = taeda.arange(cols, device=indices.device) < counts[..., None]
    place = indices.masked_fill(~listed, cols).long()
    return F.pad(taeda.zeros_like(listed), (0, 1)).scatter(-1, place, listed)[..., :cols]


def create_block_mask(
    mask_mod: MaskMod,
    B: int | None,
    H: int | None,
    Q_LEN: int,
    KV_LEN: int,
    device: Any = None,
    BLOCK_SIZE: int | tuple[int, int] = _DEFAULT_SPARSE_BLOCK_SIZE,
    _compile: bool = False,
    separate_full_blocks: bool = True,
) -> BlockMask:
    """Make a ``BlockMask`` of a function.

    Args:
        mask_mod: (b, h, q_idx, kv_idx) -> whether the query sees the key.
        B, H: batch and heads that the mask depends on, None where it does not.
        Q_LEN, KV_LEN: numbers of queries and keys.
        BLOCK_SIZE: queries and keys of a block, or both.
        separate_full_blocks: whether blocks seen whole are listed apart.

    >>> from taeda.nn.attention.flex_attention import create_block_mask
    >>> create_block_mask(lambda b, h, q, k: q >= k, None, None, 256, 256).to_dense()[0, 0]
    tensor([[1, 0],
            [1, 1]], dtype=taeda.int32)
    """
    rows, cols = (BLOCK_SIZE, BLOCK_SIZE) if isinstance(BLOCK_SIZE, int) else BLOCK_SIZE
    mask = create_mask(mask_mod, B, H, Q_LEN, KV_LEN, device)
    padded = F.pad(mask, (0, -KV_LEN % cols, 0, -Q_LEN % rows), value=False)
    blocks = padded.unflatten(-1, (-1, cols)).unflatten(-3, (-1, rows)).sum((-1, -3))
    full = blocks == rows * cols
    if not separate_full_blocks:
        full = taeda.zeros_like(full)
    part = (blocks > 0) & ~full
    lists: Any = [*_ordered(part), *_ordered(full), *_ordered(part.mT), *_ordered(full.mT)]
    if not separate_full_blocks:
        lists[2] = lists[3] = lists[6] = lists[7] = None
    named = dict(zip(_LISTS, lists, strict=True))
    return BlockMask((Q_LEN, KV_LEN), **named, BLOCK_SIZE=(rows, cols), mask_mod=mask_mod)


def flex_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    score_mod: ScoreMod | None = None,
    block_mask: BlockMask | None = None,
    scale: float | None = None,
    enable_gqa: bool = False,
    return_lse: bool = False,
    kernel_options: Any = None,
    *,
    return_aux: AuxRequest | None = None,
) -> Any:
    """Attend, the scores changed by a function: y = softmax(score_mod(scale Q K^T) where block_mask shows) V.

    Args:
        query: (B, H, L, E).
        key: (B, Hk, S, E).
        value: (B, Hk, S, D).
        score_mod: (score, b, h, q_idx, kv_idx) -> score.
        block_mask: what a query sees, made by ``create_block_mask``.
        scale: 1 / sqrt(E) if None.
        enable_gqa: key and value have fewer heads, Hk dividing H.
        return_lse: return the logarithms of the sums of exponentials too, (B, H, L).
        kernel_options: accepted.
        return_aux: what to return besides, as an ``AuxOutput``.

    Raises:
        NotImplementedError: an operand is not 4-D.
        ValueError: sizes do not fit.

    >>> import taeda
    >>> from taeda.nn.attention.flex_attention import flex_attention
    >>> x = taeda.ones(1, 1, 2, 4)
    >>> flex_attention(x, x, x, lambda score, b, h, q, k: score - (q - k).abs()).shape
    taeda.Size([1, 1, 2, 4])
    """
    shapes = f"query {tuple(query.shape)}, key {tuple(key.shape)}, value {tuple(value.shape)}"
    if query.dim() != 4 or key.dim() != 4 or value.dim() != 4:
        raise NotImplementedError(f"[flex_attention] query, key, and value must be 4D tensors, got {shapes}")
    B, H, L, E = query.shape
    S = key.shape[-2]
    if not enable_gqa and key.shape[1] != H:
        raise ValueError(
            f"[flex_attention] Expect query and key/value to have the same number of heads but got {shapes}; "
            "try setting enable_gqa=True for GQA"
        )
    if block_mask is not None:
        wanted = (block_mask.shape[0] in (1, B), block_mask.shape[1] in (1, H), block_mask.seq_lengths == (L, S))
        if not all(wanted):
            raise ValueError(
                f"[flex_attention] block_mask was created for block_mask.shape={block_mask.shape} but got {shapes}; "
                "create a new block mask with the correct sizes"
            )
    places = _indices(B, H, L, S, query.device)
    mask = None if block_mask is None else block_mask.mask_mod(*places).to(taeda.bool)
    if mask is not None and mask.dim() != 4:
        mask = mask.expand((1,) * (4 - mask.dim()) + (*mask.shape,))
    aux = return_aux or AuxRequest(lse=return_lse)
    if score_mod is None and not any(aux):
        y = F.scaled_dot_product_attention(query, key, value, mask, scale=scale, enable_gqa=enable_gqa)
        return (y, AuxOutput()) if return_aux is not None else y
    if enable_gqa:
        key, value = (x.repeat_interleave(H // x.shape[1], 1) for x in (key, value))
    scores = (query @ key.mT) * (1 / math.sqrt(E) if scale is None else scale)
    if score_mod is not None:
        scores = score_mod(scores, *places).to(query.dtype)
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    none = (scores.detach() == -math.inf).all(-1, keepdim=True)
    y = scores.masked_fill(none, 0.0).softmax(-1).masked_fill(none, 0.0) @ value
    lse = scores.logsumexp(-1) if aux.lse else None
    if return_aux is None:
        return (y, lse) if return_lse else y
    return y, AuxOutput(lse, scores.amax(-1) if aux.max_scores else None)
