"""Names of PyTorch's models in parts, one a process, for programs that ask whether they met one: nothing is an instance."""

from __future__ import annotations

import dataclasses
from typing import Any, NoReturn

__all__ = ["FSDPModule", "FullyShardedDataParallel", "MixedPrecisionPolicy", "fully_shard"]


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


def fully_shard(module: Any, **kwargs: Any) -> NoReturn:
    """Raise NotImplementedError: there is one process."""
    raise NotImplementedError("[fully_shard] taeda trains in one process; train the module as it is")
