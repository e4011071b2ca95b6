"""The few names of PyTorch's compiled module that programs reach for."""

from taeda.linalg import LinAlgError as _LinAlgError
from taeda.overrides import DisableTorchFunction, DisableTorchFunctionSubclass, _disabled_torch_function_impl

__all__ = ["DisableTorchFunction", "DisableTorchFunctionSubclass", "Graph", "Value", "_LinAlgError", "_disabled_torch_function_impl"]


class Graph:
    """A traced program, in the annotations of libraries; nothing is traced, so that nothing is one."""


class Value:
    """A value of a traced program; nothing is one."""
