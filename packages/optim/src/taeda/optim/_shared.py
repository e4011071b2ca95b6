"""What optimizers that a program wrote after PyTorch's take from ``optim.optimizer``, by PyTorch's names; taeda's own need little of it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import taeda
from taeda import Tensor
from taeda.utils._foreach_utils import _get_fused_kernels_supported_devices

__all__ = [
    "DeviceDict", "DeviceDtypeDict", "StateDict", "_capturable_doc", "_default_to_fused_or_foreach", "_device_dtype_check_for_fused",
    "_differentiable_doc", "_disable_dynamo_if_unsupported", "_foreach_doc", "_fused_doc", "_get_capturable_supported_devices",
    "_get_scalar_dtype", "_get_value", "_maximize_doc", "_params_doc", "_stack_if_compiling", "_to_scalar",
    "_use_grad_for_differentiable", "_view_as_real",
]  # fmt: skip

StateDict = dict[str, Any]
DeviceDict = dict[taeda.device | None, Tensor]
DeviceDtypeDict = dict[tuple[taeda.device, taeda.dtype] | None, Tensor]

# lines of docstrings, for f-strings with those of a class's own arguments
_params_doc = "params (iterable): tensors, (name, tensor) pairs, or dicts with options of their own"
_foreach_doc = "foreach (bool, optional): whether the step works on lists of tensors (default: None)"
_fused_doc = "fused (bool, optional): whether the step is one call for all tensors (default: None)"
_capturable_doc = "capturable (bool, optional): whether the step can be captured in a graph (default: False)"
_differentiable_doc = "differentiable (bool, optional): whether autograd records the step (default: False)"
_maximize_doc = "maximize (bool, optional): climb instead of descending (default: False)"


def _use_grad_for_differentiable(step: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate the ``step`` of a user's optimizer: autograd records it if the optimizer is ``differentiable``."""

    @functools.wraps(step)
    def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        with taeda.set_grad_enabled(self.defaults["differentiable"]):
            return step(self, *args, **kwargs)

    return run


def _disable_dynamo_if_unsupported(single_tensor_fn: Callable[..., Any] | None = None) -> Callable[..., Any]:
    """Decorate a step on lists, which nothing compiles here: it stays as it is."""
    return lambda step: step


def _stack_if_compiling(x: Any) -> Any:
    return x


def _get_value(x: Any) -> Any:
    """Return a one-element tensor as a number, a number as it is."""
    return x.item() if isinstance(x, Tensor) else x


def _to_scalar(x: Any) -> Any:
    """Return a one-element tensor as a 0-d one, anything else as it is."""
    return x.squeeze() if isinstance(x, Tensor) and x.dim() != 0 else x


def _get_scalar_dtype(is_fused: bool | None = None) -> Any:
    """Return the dtype of a step count: float32, or float64 where that is the default dtype."""
    return taeda.float64 if not is_fused and taeda.get_default_dtype() == taeda.float64 else taeda.float32


def _view_as_real(params: list[Tensor], *state_and_grads: list[Tensor]) -> None:
    """Replace the complex parameters in their list, and what belongs to them in the others, by the real tensors that share their memory."""
    for i, p in enumerate(params):
        if p.is_complex():
            for tensors in (params, *state_and_grads):
                tensors[i] = taeda.view_as_real(tensors[i])


def _default_to_fused_or_foreach(params: list[Any], differentiable: bool, use_fused: bool = False) -> tuple[bool, bool]:
    """Return (fused, foreach): what an optimizer of PyTorch's would choose; on the CPU its steps go tensor by tensor."""
    if differentiable or not use_fused:
        return False, False
    return all(p is None or p.is_floating_point() for p in params), False


def _device_dtype_check_for_fused(p: Tensor, cuda_unsupported: bool = False) -> None:
    """Raise RuntimeError for a parameter that a fused step would not take."""
    devices = [kind for kind in _get_fused_kernels_supported_devices() if not (cuda_unsupported and kind == "cuda")]
    if p.device.type not in devices or not p.is_floating_point():
        raise RuntimeError(
            f"`fused=True` requires all the params to be floating point Tensors of supported devices: {devices}, but got {p.dtype} "
            f"of shape {tuple(p.shape)} on {p.device}"
        )


def _get_capturable_supported_devices(supports_xla: bool = True) -> list[str]:
    """Return the kinds of devices on which PyTorch can record a step; none of them is here."""
    return ["cuda", "xpu", "hpu", "privateuseone", *(["xla"] if supports_xla else [])]
