"""What programs for one process or many ask of ``torch.distributed``: there is one process.

``is_available()`` is False, as in a PyTorch that was built without it, so that a program which asks first runs on.
"""

from __future__ import annotations

import enum
import sys
from typing import Any, NoReturn

from . import algorithms, autograd, checkpoint, device_mesh, fsdp, nn, optim, rpc, tensor
from .nn import no_group as _no_group

__all__ = [
    "GroupMember", "ProcessGroup", "ReduceOp", "Work", "algorithms", "all_gather", "all_gather_object", "all_reduce", "autograd", "barrier",
    "broadcast", "broadcast_object_list", "checkpoint", "destroy_process_group", "device_mesh", "fsdp", "gather", "get_backend", "get_rank",
    "get_world_size", "group", "init_process_group", "is_available", "is_gloo_available", "is_initialized", "is_mpi_available",
    "is_nccl_available", "is_torchelastic_launched", "new_group", "nn", "optim", "reduce", "reduce_scatter", "rpc", "scatter", "tensor",
]  # fmt: skip


def is_available() -> bool:
    """Whether processes can work together: no."""
    return False


is_initialized = is_nccl_available = is_gloo_available = is_mpi_available = is_torchelastic_launched = is_available


def init_process_group(*args: Any, **kwargs: Any) -> NoReturn:
    """Raise RuntimeError: there is one process."""
    raise RuntimeError("[distributed.init_process_group] taeda trains in one process; ask taeda.distributed.is_available() first")


class ProcessGroup:
    """Processes that work together, in the annotations of programs; nothing is one."""


class Work:
    """A call between processes that is still running, in the annotations of programs; nothing is one."""


get_rank = get_world_size = barrier = destroy_process_group = _no_group
all_gather = all_gather_object = all_reduce = broadcast = broadcast_object_list = gather = get_backend = new_group = reduce = _no_group
reduce_scatter = scatter = _no_group


class group:
    """Groups of processes by name: before there is one, all processes are None."""

    WORLD = None


class GroupMember(group):
    """What a process is in a group."""

    NON_GROUP_MEMBER = -100


class ReduceOp(enum.IntEnum):
    """How processes put their tensors together, for the arguments of what does."""

    SUM = 0
    AVG = 1
    PRODUCT = 2
    MIN = 3
    MAX = 4
    BAND = 5
    BOR = 6
    BXOR = 7


# the files in which earlier versions of PyTorch keep these, for programs that import from there
sys.modules.update({
    f"{__name__}.nn.functional": nn,
    f"{__name__}._tensor": tensor, f"{__name__}._tensor.experimental": tensor, f"{__name__}.tensor.experimental": tensor,
    f"{__name__}._composable": fsdp, f"{__name__}._composable.fsdp": fsdp, f"{__name__}.fsdp.fully_sharded_data_parallel": fsdp,
})  # fmt: skip
