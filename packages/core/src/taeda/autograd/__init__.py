"""Automatic differentiation: backward, grad, grad modes, user-written functions, gradient checks."""

from __future__ import annotations

from typing import Any

from taeda.autograd import graph
from taeda.autograd.backward import backward, grad
from taeda.autograd.function import Function, NestedIOFunction, once_differentiable
from taeda.autograd.grad_mode import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    no_grad,
    set_grad_enabled,
)
from taeda.autograd.gradcheck import GradcheckError, gradcheck, gradgradcheck

__all__ = [
    "Function", "GradcheckError", "NestedIOFunction", "Variable", "backward", "enable_grad", "function", "grad", "gradcheck",
    "gradgradcheck", "graph", "inference_mode", "is_grad_enabled", "no_grad", "once_differentiable", "set_grad_enabled",
]


def __getattr__(name: str) -> Any:
    if name == "functional":  # imported on first touch: most programs do without
        import importlib

        return importlib.import_module("taeda.autograd.functional")
    raise AttributeError(f"module 'taeda.autograd' has no attribute {name!r}")


class _VariableMeta(type):
    def __instancecheck__(cls, instance: Any) -> bool:
        from taeda.tensor import Tensor

        return isinstance(instance, Tensor)


class Variable(metaclass=_VariableMeta):
    """``Variable(tensor)`` returns the tensor itself: the two are one since PyTorch 0.4."""

    def __new__(cls, data: Any, requires_grad: bool = False, volatile: bool = False) -> Any:
        return data.detach().requires_grad_() if requires_grad else data
