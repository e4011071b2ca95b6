"""What programs for one process or many ask of ``torch.distributed``: there is one process.

``is_available()`` is False, as in a PyTorch that was built without it, so that a program which asks first runs on.
"""

from __future__ import annotations

import sys
from typing import Any, NoReturn

from taeda.distributed import fsdp, rpc, tensor

__all__ = [
    "barrier", "destroy_process_group", "fsdp", "get_rank", "get_world_size", "init_process_group", "is_available",
    "is_gloo_available", "is_initialized", "is_mpi_available", "is_nccl_available", "is_torchelastic_launched", "rpc", "tensor",
]  # fmt: skip


def is_available() -> bool:
    """Whether processes can work together: no."""
    return False


is_initialized = is_nccl_available = is_gloo_available = is_mpi_available = is_torchelastic_launched = is_available


def init_process_group(*args: Any, **kwargs: Any) -> NoReturn:
    """Raise RuntimeError: there is one process."""
    raise RuntimeError("[distributed.init_process_group] taeda trains in one process; ask taeda.distributed.is_available() first")


def _no_group(*args: Any, **kwargs: Any) -> NoReturn:
    """Raise ValueError, as PyTorch does before there is a group of processes."""
    raise ValueError(
        "[distributed] Default process group has not been initialized: taeda trains in one process; ask "
        "taeda.distributed.is_initialized() first"
    )


get_rank = get_world_size = barrier = destroy_process_group = _no_group

# the files in which earlier versions of PyTorch keep these, for programs that import from there
sys.modules.update({
    f"{__name__}._tensor": tensor, f"{__name__}._tensor.experimental": tensor, f"{__name__}.tensor.experimental": tensor,
    f"{__name__}._composable": fsdp, f"{__name__}._composable.fsdp": fsdp,
})  # fmt: skip
