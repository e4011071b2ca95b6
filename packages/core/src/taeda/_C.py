"""The few names of PyTorch's compiled module that programs reach for."""

import importlib as _importlib
from typing import Any as _Any

from taeda.linalg import LinAlgError as _LinAlgError
from taeda.overrides import DisableTorchFunction, DisableTorchFunctionSubclass, _disabled_torch_function_impl
from taeda.tensor import Tensor as _Tensor

__all__ = [
    "DisableTorchFunction", "DisableTorchFunctionSubclass", "Graph", "Value", "_LinAlgError", "_TensorMeta",
    "_disabled_torch_function_impl", "_jit_set_profiling_executor", "_jit_set_profiling_mode", "_log_api_usage_once", "_nn",
]  # fmt: skip

_TensorMeta = type(_Tensor)                             # the class of the class, for annotations and for metaclasses of one's own


class Graph:
    """A traced program, in the annotations of libraries; nothing is traced, so that nothing is one."""


class Value:
    """A value of a traced program; nothing is one."""


def _log_api_usage_once(event: str) -> None:
    """Do nothing: nobody counts who uses what."""


def _jit_set_profiling_mode(enabled: bool) -> bool:
    """Return False, what the setting was: nothing is compiled, so that there is nothing to profile."""
    return False


_jit_set_profiling_executor = _jit_set_profiling_mode


class _nn:
    """What PyTorch keeps of ``nn`` in its compiled module, as far as programs call it."""

    @staticmethod
    def _parse_to(*args: _Any, **kwargs: _Any) -> _Any:
        """Return (device, dtype, non_blocking, memory_format) of the arguments that ``Module.to`` takes."""
        return _importlib.import_module("taeda.nn.modules._convert").parse_to(args, kwargs)
