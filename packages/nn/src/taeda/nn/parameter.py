"""Tensors that a module owns: ``Parameter`` is trained, ``Buffer`` is only kept.

Both are plain tensors with another class; what an operator makes from them is a ``Tensor`` again.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import taeda
from taeda import Tensor
from taeda.overrides import _disabled_torch_function_impl

__all__ = ["Buffer", "Parameter"]


def _checked(data: Any, what: str) -> Any:
    if data is None:
        return taeda.empty(0)
    if not isinstance(data, Tensor):
        raise TypeError(
            f"[{what}] data must be a Tensor or None, got {type(data).__name__}; use taeda.tensor(...)"
        )
    return data


def _rebuild_parameter(data: Tensor, requires_grad: bool, backward_hooks: Any = None) -> Parameter:
    return Parameter(data, requires_grad)


def _rebuild_buffer(data: Tensor, requires_grad: bool, persistent: bool) -> Buffer:
    made = Buffer(data, persistent=persistent)
    if requires_grad:
        made.requires_grad_()
    return made


class Parameter(Tensor):
    """A tensor that a ``Module`` lists in ``parameters()`` when it is assigned as an attribute.

    Args:
        data: the tensor whose memory the parameter shares; None gives an empty one.
        requires_grad: whether gradients are wanted.

    Raises:
        TypeError: data is neither a tensor nor None.
        RuntimeError: gradients are asked for of an integer tensor.

    >>> import taeda
    >>> from taeda import nn
    >>> w = nn.Parameter(taeda.ones(2))
    >>> w
    Parameter containing:
    tensor([1., 1.], requires_grad=True)
    >>> type(w * 2).__name__
    'Tensor'
    """

    __torch_function__ = _disabled_torch_function_impl

    _is_param = True  # by which the core's printing knows subclasses of this class

    def __init__(self, data: Any = None, requires_grad: bool = True) -> None:
        super().__init__(_checked(data, "Parameter"))
        if requires_grad:
            self.requires_grad_()

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        if id(self) in memo:
            return memo[id(self)]
        made = type(self)(self.detach().clone(), self.requires_grad)
        memo[id(self)] = made
        return made

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()

    def __reduce_ex__(self, protocol: Any) -> Any:
        return _rebuild_parameter, (self.detach(), self.requires_grad, OrderedDict())


class Buffer(Tensor):
    """A tensor that a ``Module`` lists in ``buffers()`` when it is assigned as an attribute.

    Args:
        data: the tensor whose memory the buffer shares; None gives an empty one.
        persistent: whether the buffer is part of the module's ``state_dict``.

    >>> import taeda
    >>> from taeda import nn
    >>> m = nn.Module()
    >>> m.mean = nn.Buffer(taeda.zeros(2), persistent=False)
    >>> [name for name, _ in m.named_buffers()], list(m.state_dict())
    (['mean'], [])
    """

    persistent: bool
    __torch_function__ = _disabled_torch_function_impl

    def __init__(self, data: Any = None, *, persistent: bool = True) -> None:
        super().__init__(_checked(data, "Buffer"))
        if isinstance(data, Tensor) and data.requires_grad:
            self.requires_grad_()
        self.persistent = persistent

    def __deepcopy__(self, memo: dict[int, Any]) -> Buffer:
        if id(self) in memo:
            return memo[id(self)]
        made = _rebuild_buffer(self.detach().clone(), self.requires_grad, self.persistent)
        memo[id(self)] = made
        return made

    def __repr__(self) -> str:
        return repr(self.detach().requires_grad_(self.requires_grad))  # prints as the tensor that it is

    def __reduce_ex__(self, protocol: Any) -> Any:
        return _rebuild_buffer, (self.detach(), self.requires_grad, self.persistent)
