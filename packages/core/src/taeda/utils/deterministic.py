"""PyTorch's switches of deterministic runs: memory is not filled here, so the switch changes nothing."""

from __future__ import annotations

__all__: list[str] = []

fill_uninitialized_memory = True
