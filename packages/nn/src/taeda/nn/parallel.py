"""Several devices at once: there is one here, and models run on it as they are."""

from __future__ import annotations

import sys
from types import GenericAlias
from typing import Any, NoReturn

from taeda import Tensor
from taeda.nn.modules.module import Module

__all__ = [
    "DataParallel", "DistributedDataParallel", "data_parallel", "gather", "parallel_apply", "replicate", "scatter", "scatter_kwargs",
]  # fmt: skip


class DataParallel(Module):
    """Run ``module`` on its one device, as PyTorch does where there is no accelerator.

    Its parameters are named ``module.<name>``, so that checkpoints of parallel models load.

    Args:
        module: the model.
        device_ids, output_device, dim: accepted, with nothing to divide.

    >>> import taeda
    >>> from taeda import nn
    >>> list(nn.DataParallel(nn.PReLU()).state_dict())
    ['module.weight']
    """

    __class_getitem__: Any = classmethod(GenericAlias)  # for annotations, DataParallel[Net]

    def __init__(self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0) -> None:
        super().__init__()
        self.module = module
        self.device_ids: list[Any] = []

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        return self.module(*inputs, **kwargs)


def data_parallel(
    module: Module,
    inputs: Any,
    device_ids: Any = None,
    output_device: Any = None,
    dim: int = 0,
    module_kwargs: dict[str, Any] | None = None,
) -> Any:
    """Call ``module`` on ``inputs``, a tuple or one argument, on its one device.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.parallel.data_parallel(nn.ReLU(), taeda.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    arguments = inputs if isinstance(inputs, tuple) else () if inputs is None else (inputs,)
    return module(*arguments, **(module_kwargs or {}))


class DistributedDataParallel(Module):
    """Refuse: there is no communication between processes."""

    def __init__(self, module: Module, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(
            "[DistributedDataParallel] there are no process groups in taeda; train in one process, or use nn.DataParallel, "
            "which runs the model as it is"
        )


def _one_device(*args: Any, **kwargs: Any) -> NoReturn:
    """Raise NotImplementedError: there is one device, nothing to cut for others or to collect from them."""
    raise NotImplementedError("[nn.parallel] there is one device in taeda; use chunk and cat, or the tensor as it is")


scatter = gather = scatter_kwargs = replicate = parallel_apply = _one_device
Broadcast = Gather = ReduceAddCoalesced = Scatter = _one_device         # of ``_functions``
broadcast = broadcast_coalesced = reduce_add = reduce_add_coalesced = _one_device       # of ``comm``


def get_a_var(obj: Any) -> Tensor | None:
    """Return the first tensor in nested lists, tuples and dicts, None where there is none."""
    if isinstance(obj, Tensor):
        return obj
    parts = obj.items() if isinstance(obj, dict) else obj if isinstance(obj, (list, tuple)) else ()
    return next((found for found in map(get_a_var, parts) if found is not None), None)


__path__: list[str] = []
# the files in which PyTorch keeps these, for programs that import from there
distributed = comm = scatter_gather = sys.modules[__name__]
sys.modules.update({f"{__name__}.{name}": distributed for name in (
    "_functions", "comm", "data_parallel", "distributed", "parallel_apply", "replicate", "scatter_gather",
)})
