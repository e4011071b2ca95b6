"""Causal masks of two lengths as objects, which ``scaled_dot_product_attention`` takes for ``attn_mask``."""

from __future__ import annotations

import enum
import warnings
from typing import Any

import taeda
from taeda import Tensor
from taeda.nn import functional as F

__all__ = ["CausalBias", "CausalVariant", "causal_lower_right", "causal_upper_left"]


class CausalVariant(enum.IntEnum):
    """Which corner of the scores the diagonal of a causal mask runs through.

    >>> from taeda.nn.attention.bias import CausalBias, CausalVariant
    >>> CausalBias(CausalVariant.LOWER_RIGHT, 1, 3)._materialize().tolist()
    [[True, True, True]]
    """

    UPPER_LEFT = 1
    LOWER_RIGHT = 2


class CausalBias(Tensor):
    """A causal mask (seq_len_q, seq_len_kv): True where query i sees key j.

    UPPER_LEFT lets it see j <= i, LOWER_RIGHT j <= i + seq_len_kv - seq_len_q, so that the last query sees all keys.

    Args:
        variant: a ``CausalVariant``.
        seq_len_q, seq_len_kv: the numbers of queries and keys.

    Raises:
        AssertionError: variant is something else.

    >>> from taeda.nn.attention.bias import causal_lower_right, causal_upper_left
    >>> causal_upper_left(2, 3)._materialize().int().tolist(), causal_lower_right(2, 3)._materialize().int().tolist()
    ([[1, 0, 0], [1, 1, 0]], [[1, 1, 0], [1, 1, 1]])
    """

    variant: CausalVariant
    seq_len_q: int
    seq_len_kv: int

    def __new__(cls, variant: CausalVariant, seq_len_q: int, seq_len_kv: int) -> CausalBias:
        if not isinstance(variant, CausalVariant):
            raise AssertionError(f"[CausalBias] variant must be a CausalVariant, got {type(variant).__name__}")
        lower = variant == CausalVariant.LOWER_RIGHT
        if lower and seq_len_q > seq_len_kv:
            warnings.warn(
                "Lower right causal bias hides all keys from the first queries when seq_len_q > seq_len_kv; their "
                "results are zero",
                stacklevel=2,
            )
        seen = taeda.ones(seq_len_q, seq_len_kv, dtype=taeda.bool)
        self = super().__new__(cls, seen.tril(seq_len_kv - seq_len_q if lower else 0))  # type: ignore[call-arg]
        self.variant = variant
        self.seq_len_q = seq_len_q
        self.seq_len_kv = seq_len_kv
        return self

    def _materialize(self, device: Any = None) -> Tensor:
        return taeda.Tensor(self).to(device or "cpu")

    @staticmethod
    def _dispatch(
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attn_mask: CausalBias,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        scale: float | None = None,
        enable_gqa: bool = False,
    ) -> Tensor:
        """Attend without a mask in memory where the diagonal starts in the upper left corner."""
        if is_causal:
            raise ValueError("[CausalBias] CausalBias should not be used with causal=True")
        corner = attn_mask.variant == CausalVariant.UPPER_LEFT or attn_mask.seq_len_q == attn_mask.seq_len_kv
        mask = None if corner else attn_mask._materialize(query.device)
        return F.scaled_dot_product_attention(
            query, key, value, mask, dropout_p, corner, scale=scale, enable_gqa=enable_gqa
        )

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is F.scaled_dot_product_attention:
            return cls._dispatch(*args, **kwargs)
        return super().__torch_function__(func, types, args, kwargs)  # type: ignore[misc]

    def __repr__(self) -> str:
        return repr(self._materialize())


def _two(name: str, size: tuple[int, ...]) -> tuple[int, int]:
    if len(size) != 2:
        raise AssertionError(f"[{name}] {name} only supports 2D tensors, got size {size}")
    return size[0], size[1]


def causal_upper_left(*size: int) -> CausalBias:
    """Return the mask by which query i of (queries, keys) sees keys 0 to i.

    >>> from taeda.nn.attention.bias import causal_upper_left
    >>> causal_upper_left(2, 3)
    tensor([[ True, False, False],
            [ True,  True, False]])
    """
    return CausalBias(CausalVariant.UPPER_LEFT, *_two("causal_upper_left", size))


def causal_lower_right(*size: int) -> CausalBias:
    """Return the mask by which the last query of (queries, keys) sees all keys, the one before it all but one, ...

    >>> from taeda.nn.attention.bias import causal_lower_right
    >>> causal_lower_right(2, 3)
    tensor([[ True,  True, False],
            [ True,  True,  True]])
    """
    return CausalBias(CausalVariant.LOWER_RIGHT, *_two("causal_lower_right", size))
