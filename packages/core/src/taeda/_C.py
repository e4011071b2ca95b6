"""The few names of PyTorch's compiled module that programs reach for."""

from taeda.linalg import LinAlgError as _LinAlgError
from taeda.overrides import DisableTorchFunction, DisableTorchFunctionSubclass, _disabled_torch_function_impl

__all__ = ["DisableTorchFunction", "DisableTorchFunctionSubclass", "_LinAlgError", "_disabled_torch_function_impl"]
