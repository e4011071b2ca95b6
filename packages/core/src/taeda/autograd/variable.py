"""``Variable``, which a tensor was wrapped in before PyTorch 0.4."""

from __future__ import annotations

import warnings
from typing import Any

from taeda import _spoken
from taeda.autograd.passes import queue_callback
from taeda.tensor_base import TensorBase

__all__ = ["Variable"]


class _VariableMeta(type):
    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, TensorBase)


class _Engine:
    """The engine, as far as programs ask it for something."""

    @staticmethod
    def queue_callback(callback: Any) -> None:
        """Call ``callback()`` at the end of the backward pass that is under way; RuntimeError if there is none."""
        queue_callback(callback)


class Variable(metaclass=_VariableMeta):
    """``Variable(tensor)`` returns the tensor itself: the two are one since PyTorch 0.4.

    With ``requires_grad=True`` it returns a new leaf on the same memory; every tensor is an instance of the class.

    >>> import taeda
    >>> x = taeda.ones(2)
    >>> taeda.autograd.Variable(x) is x, taeda.autograd.Variable(x, requires_grad=True).requires_grad
    (True, True)
    """

    _execution_engine = _Engine()

    def __new__(cls, data: Any, requires_grad: bool = False, volatile: bool = False) -> Any:
        if volatile:
            text = "volatile was removed and now has no effect. Use `with taeda.no_grad():` instead."
            warnings.warn(_spoken.said(text), UserWarning, stacklevel=2)
        return data.detach().requires_grad_() if requires_grad else data
