"""Tensors that gradients end in."""

from __future__ import annotations

import taeda


def leaf(*values: float) -> taeda.Tensor:
    """A vector of float64 that takes gradients."""
    return taeda.tensor(list(values), dtype=taeda.float64, requires_grad=True)
