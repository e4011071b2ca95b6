"""The optimizers of ``torch.distributed.optim`` that libraries test for: each shards its work among processes, and there is one."""

from __future__ import annotations

from typing import Any

__all__ = ["DistributedOptimizer", "PostLocalSGDOptimizer", "ZeroRedundancyOptimizer"]


class _Sharded:
    """What every one of them says."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(f"[{type(self).__name__}] taeda trains in one process; use the optimizer itself, from taeda.optim")


class DistributedOptimizer(_Sharded):
    """An optimizer of parameters in other processes; nothing is one."""


class PostLocalSGDOptimizer(_Sharded):
    """An optimizer that averages the processes' parameters now and then; nothing is one."""


class ZeroRedundancyOptimizer(_Sharded):
    """An optimizer whose state is divided among processes; nothing is one."""
