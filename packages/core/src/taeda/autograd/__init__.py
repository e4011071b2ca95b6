"""Automatic differentiation: backward, grad, grad modes, user-written functions, gradient checks."""

from __future__ import annotations

import importlib
from typing import Any

from taeda.autograd import anomaly_mode, function, grad_mode, graph  # noqa: F401
from taeda.autograd.anomaly_mode import detect_anomaly, set_detect_anomaly
from taeda.autograd.backward import backward, grad
from taeda.autograd.function import Function, NestedIOFunction, once_differentiable
from taeda.autograd.grad_mode import (
    enable_grad,
    enforce_grad_layout_policy,
    inference_mode,
    is_grad_enabled,
    is_multithreading_enabled,
    is_view_replay_enabled,
    no_grad,
    set_grad_enabled,
    set_multithreading_enabled,
)
from taeda.autograd.gradcheck import GradcheckError, gradcheck, gradgradcheck
from taeda.autograd.saved import SavedTensor
from taeda.autograd.variable import Variable

__all__ = [
    "Function", "GradcheckError", "NestedIOFunction", "SavedTensor", "Variable", "backward", "detect_anomaly",
    "enable_grad",
    "enforce_grad_layout_policy", "grad", "grad_mode", "gradcheck", "gradgradcheck", "inference_mode",
    "is_grad_enabled", "is_multithreading_enabled", "is_view_replay_enabled", "no_grad", "once_differentiable", "set_detect_anomaly",
    "set_grad_enabled", "set_multithreading_enabled", "variable",
]


def variable(*args: Any, **kwargs: Any) -> Any:
    """Raise RuntimeError, as PyTorch does: tensors are variables."""
    raise RuntimeError("[variable] taeda.autograd.variable(...) is deprecated, use taeda.tensor(...) instead")


def __getattr__(name: str) -> Any:
    if name in ("forward_ad", "functional", "profiler", "profiler_util"):           # imported on first touch
        return importlib.import_module(f"taeda.autograd.{name}")
    if name == "DeviceType":
        return importlib.import_module("taeda.profiler.events").DeviceType
    if name in ("_disable_profiler", "_profiler_enabled", "kineto_available"):
        return getattr(importlib.import_module("taeda.profiler"), name)
    raise AttributeError(f"module 'taeda.autograd' has no attribute {name!r}")
