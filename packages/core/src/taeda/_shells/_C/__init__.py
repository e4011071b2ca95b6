"""The few names of PyTorch's compiled module that programs reach for."""

import enum as _enum
from typing import Any as _Any

from taeda._C import _functorch as _functorch
from taeda._C._functions import FFT as _fft, LINALG as _linalg, NN as _nn, SPECIAL as _special, VARIABLE as _VariableFunctions
from taeda._operator_names import below_autograd as _AutoDispatchBelowAutograd
from taeda._override_protocol import DisableTorchDispatch as _DisableTorchDispatch, disabled_torch_dispatch as _disabled_torch_dispatch_impl
from taeda.device import device
from taeda.dtype import dtype
from taeda.func.batched import are_active as _are_functorch_transforms_active
from taeda.generator import Generator, default_generator
from taeda.jit import TensorType
from taeda.linalg import LinAlgError as _LinAlgError
from taeda.ops.broadcasting import broadcast_shapes as _infer_size
from taeda.overrides import (
    DisableTorchFunction,
    DisableTorchFunctionSubclass,
    _disabled_torch_function_impl,
    has_torch_function as _has_torch_function,
)
from taeda.schema import Tag
from taeda.tensor import Tensor as _Tensor

__all__ = [
    "DisableTorchFunction", "DisableTorchFunctionSubclass", "DispatchKey", "DispatchKeySet", "Generator", "Graph", "ScriptObject", "Tag",
    "TensorBase", "TensorType", "Value", "_AutoDispatchBelowAutograd",
    "_DisableTorchDispatch", "_LinAlgError", "_TensorMeta", "_VariableFunctions", "_VariableFunctionsClass",
    "_are_functorch_transforms_active", "_disabled_torch_dispatch_impl",
    "_disabled_torch_function_impl", "_fft", "_functorch", "_get_default_device", "_get_privateuse1_backend_name",
    "_get_tracing_state", "_infer_size", "_is_tracing", "_jit_clear_class_registry", "_jit_override_can_fuse_on_cpu",
    "_jit_override_can_fuse_on_gpu",
    "_jit_set_nvfuser_enabled", "_jit_set_profiling_executor", "_jit_set_profiling_mode", "_jit_set_texpr_fuser_enabled", "_linalg",
    "_log_api_usage_once", "_nn", "_set_graph_executor_optimize", "_special", "default_generator", "device",
    "dtype",
]  # fmt: skip

TensorBase = _Tensor                                    # as a pickle of ``Tensor.relu`` calls the class
_VariableFunctionsClass = _VariableFunctions            # its functions belong to no object
_TensorMeta = type(_Tensor)                             # the class of the class, for annotations and for a program's own metaclasses


# what PyTorch is built with: the CPU, its threads and its linear algebra
_has_cuda = _has_cudnn = _has_cusparselt = _has_magma = _has_mps = _has_xpu = False
_has_mkldnn = _has_mkldnn_acl = _has_kleidiai = _has_eigen_sparse = has_mkl = False
has_lapack = has_openmp = has_spectral = True


class Graph:
    """A traced program, in the annotations of libraries; nothing is traced, so that nothing is one."""


class ScriptObject:
    """An object of a class of TorchScript; nothing is one."""


def _get_default_device() -> str:
    """Return the kind of device whose name printed tensors leave out."""
    return "cpu"


class Value:
    """A value of a traced program; nothing is one."""


def _add_docstr(obj: _Any, text: str) -> _Any:
    """Return a function as it is: it has documentation."""
    return obj


def _log_api_usage_once(event: str) -> None:
    """Do nothing: nobody counts who uses what."""


def _jit_set_profiling_mode(enabled: bool) -> bool:
    """Return False, what the setting was: nothing is compiled, so that there is nothing to profile."""
    return False


_jit_set_profiling_executor = _jit_set_profiling_mode


def _jit_override_can_fuse_on_cpu(value: bool) -> None:
    """Do nothing: no compiled program is there whose operations could be one."""


def _jit_clear_class_registry() -> None:
    """Do nothing: no class was compiled that could be forgotten."""


_set_graph_executor_optimize = _jit_override_can_fuse_on_cpu
_jit_override_can_fuse_on_gpu = _jit_set_nvfuser_enabled = _jit_set_texpr_fuser_enabled = _jit_override_can_fuse_on_cpu


DispatchKey = _enum.Enum("DispatchKey", (
    "CompositeExplicitAutograd CompositeImplicitAutograd Autograd Conjugate ZeroTensor Negative BackendSelect ADInplaceOrView Python "
    "PreDispatch Functionalize AutocastCPU AutocastMPS AutocastXPU AutocastCUDA CPU CUDA MPS XPU PrivateUse1 Meta Quantized Sparse "
    "SparseCsr AutogradFunctionality AutogradCPU AutogradCUDA AutogradMPS AutogradXPU AutogradMeta"))
DispatchKey.__doc__ = "PyTorch's names of what a call may be dispatched by, for those that write them down; here none is."


class DispatchKeySet:
    """Some of these names, as libraries put them together; nothing asks for them."""

    def __init__(self, *keys: DispatchKey) -> None:
        self._keys = frozenset(keys)

    def __or__(self, other: "DispatchKeySet") -> "DispatchKeySet":
        return DispatchKeySet(*self._keys, *other._keys)

    def has(self, key: DispatchKey) -> bool:
        """Whether a name is among them."""
        return key in self._keys


def _is_torch_function_mode_enabled() -> bool:
    """Whether a mode that sees every call is in force."""
    return bool(_has_torch_function(()))


def _is_tracing() -> bool:
    """Whether calls are being recorded in a trace: never."""
    return False


def _get_tracing_state() -> None:
    """Return the trace that calls are being recorded in: None, nothing is traced."""


def _get_privateuse1_backend_name() -> str:
    """Return the name of the kind of device that an extension would add."""
    return "privateuseone"
