"""Reshaping as layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taeda import Tensor
from taeda.nn.modules.module import Module

__all__ = ["Flatten", "Unflatten"]


class Flatten(Module):
    """Join the dimensions from ``start_dim`` to ``end_dim`` into one.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.Flatten()(taeda.randn(32, 1, 5, 5)).shape
    taeda.Size([32, 25])
    """

    __constants__ = ["start_dim", "end_dim"]

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input: Tensor) -> Tensor:
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Split the dimension ``dim`` into several.

    Args:
        dim: its index.
        unflattened_size: the new sizes, one of which may be -1.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.Unflatten(1, (2, 5, 5))(taeda.randn(2, 50)).shape
    taeda.Size([2, 2, 5, 5])
    """

    __constants__ = ["dim", "unflattened_size"]

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        if not isinstance(dim, int):
            raise TypeError(f"[Unflatten] dim must be an int, got {type(dim).__name__}; named dimensions are not kept")
        if not isinstance(unflattened_size, (tuple, list)):
            raise TypeError(
                f"[Unflatten] unflattened_size must be a tuple of ints, but found type {type(unflattened_size).__name__}"
            )
        for i, elem in enumerate(unflattened_size):
            if not isinstance(elem, int):
                raise TypeError(
                    f"[Unflatten] unflattened_size must be tuple of ints, but found element of type {type(elem).__name__} at pos {i}"
                )
        self.dim = dim
        self.unflattened_size = unflattened_size

    def forward(self, input: Tensor) -> Any:
        return input.unflatten(self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
