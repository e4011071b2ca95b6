"""Names of PyTorch's models in parts, one a process, for programs that ask whether they met one: nothing is an instance."""

from __future__ import annotations

import dataclasses
import enum
from typing import Any, NoReturn

__all__ = [
    "BackwardPrefetch", "CPUOffload", "FSDPModule", "FullyShardedDataParallel", "MixedPrecision", "MixedPrecisionPolicy",
    "ShardingStrategy", "StateDictType", "fully_shard",
]  # fmt: skip


class FSDPModule:
    """What ``fully_shard`` would add to a module's class."""

    def __new__(cls, *args: Any, **kwargs: Any) -> NoReturn:  # type: ignore[misc]
        """Raise NotImplementedError."""
        raise NotImplementedError(f"[{cls.__name__}] taeda trains in one process, with models that are whole")


class FullyShardedDataParallel(FSDPModule):
    """The wrapper of earlier programs."""


@dataclasses.dataclass(frozen=True)
class MixedPrecisionPolicy:
    """In which dtypes parts of a model compute, reduce and return."""

    param_dtype: Any = None
    reduce_dtype: Any = None
    output_dtype: Any = None
    cast_forward_inputs: bool = True


@dataclasses.dataclass
class MixedPrecision:
    """The same for the wrapper of earlier programs."""

    param_dtype: Any = None
    reduce_dtype: Any = None
    buffer_dtype: Any = None
    keep_low_precision_grads: bool = False
    cast_forward_inputs: bool = False
    cast_root_forward_inputs: bool = True


@dataclasses.dataclass
class CPUOffload:
    """Whether parameters wait in the CPU's memory."""

    offload_params: bool = False


class ShardingStrategy(enum.Enum):
    """What is cut in parts."""

    FULL_SHARD = 1
    SHARD_GRAD_OP = 2
    NO_SHARD = 3
    HYBRID_SHARD = 4
    _HYBRID_SHARD_ZERO2 = 5


class BackwardPrefetch(enum.Enum):
    """When the next parts are fetched."""

    BACKWARD_PRE = 1
    BACKWARD_POST = 2


class StateDictType(enum.Enum):
    """Whose parts a state dict has."""

    FULL_STATE_DICT = 1
    LOCAL_STATE_DICT = 2
    SHARDED_STATE_DICT = 3


def fully_shard(module: Any, **kwargs: Any) -> NoReturn:
    """Raise NotImplementedError: there is one process."""
    raise NotImplementedError("[fully_shard] taeda trains in one process; train the module as it is")
