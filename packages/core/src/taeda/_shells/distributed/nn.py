"""The collective functions that autograd follows, ``torch.distributed.nn.functional``: without a group of processes each refuses."""

from __future__ import annotations

from typing import Any, NoReturn

__all__ = ["all_gather", "all_reduce", "broadcast", "gather", "reduce", "reduce_scatter", "scatter"]


def no_group(*args: Any, **kwargs: Any) -> NoReturn:
    """Raise ValueError, as PyTorch does before there is a group of processes."""
    raise ValueError(
        "[distributed] Default process group has not been initialized: taeda trains in one process; ask "
        "taeda.distributed.is_initialized() first"
    )


all_gather = all_reduce = broadcast = gather = reduce = reduce_scatter = scatter = no_group
