"""Names of PyTorch's models in parts, one per process, for programs that ask whether they met one: nothing is an instance."""

from __future__ import annotations

import dataclasses
import enum
import sys
import types
from typing import Any, NoReturn

__all__ = [
    "BackwardPrefetch", "CPUOffload", "FSDPModule", "FullOptimStateDictConfig", "FullStateDictConfig", "FullyShardedDataParallel",
    "LocalOptimStateDictConfig", "LocalStateDictConfig", "MixedPrecision", "MixedPrecisionPolicy", "OptimStateDictConfig",
    "ShardedOptimStateDictConfig", "ShardedStateDictConfig", "ShardingStrategy", "StateDictConfig", "StateDictSettings", "StateDictType",
    "fully_shard",
]  # fmt: skip


class FSDPModule:
    """What ``fully_shard`` would add to a module's class."""

    def __new__(cls, *args: Any, **kwargs: Any) -> NoReturn:
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


@dataclasses.dataclass
class StateDictConfig:
    """How a state dict would be gathered from its parts."""

    offload_to_cpu: bool = False


@dataclasses.dataclass
class FullStateDictConfig(StateDictConfig):
    """Whole, perhaps in the first process only."""

    rank0_only: bool = False


@dataclasses.dataclass
class LocalStateDictConfig(StateDictConfig):
    """The process's own part."""


@dataclasses.dataclass
class ShardedStateDictConfig(StateDictConfig):
    """In parts."""

    _use_dtensor: bool = False


@dataclasses.dataclass
class OptimStateDictConfig:
    """The same for an optimizer's state."""

    offload_to_cpu: bool = True


@dataclasses.dataclass
class FullOptimStateDictConfig(OptimStateDictConfig):
    """Whole, perhaps in the first process only."""

    rank0_only: bool = False


@dataclasses.dataclass
class LocalOptimStateDictConfig(OptimStateDictConfig):
    """The process's own part."""

    offload_to_cpu: bool = False


@dataclasses.dataclass
class ShardedOptimStateDictConfig(OptimStateDictConfig):
    """In parts."""

    _use_dtensor: bool = False


@dataclasses.dataclass
class StateDictSettings:
    """Both together."""

    state_dict_type: StateDictType
    state_dict_config: StateDictConfig
    optim_state_dict_config: OptimStateDictConfig


def fully_shard(module: Any, **kwargs: Any) -> NoReturn:
    """Raise NotImplementedError: there is one process."""
    raise NotImplementedError("[fully_shard] taeda trains in one process; train the module as it is")


__path__: list[str] = []  # a package: PyTorch has these names in two rooms more
for _room in ("api", "fully_sharded_data_parallel"):
    globals()[_room] = sys.modules[f"{__name__}.{_room}"] = types.ModuleType(f"{__name__}.{_room}", __doc__)
    globals()[_room].__dict__.update({name: globals()[name] for name in __all__})
