"""Tensors that a module owns: ``Parameter`` is trained, ``Buffer`` is only kept.

A parameter is a plain tensor with another class, a buffer one with a mark; what an operator makes from them is a
``Tensor`` again.  Those of lazy modules have no shape yet: they are ``UninitializedParameter`` and ``UninitializedBuffer``
until ``materialize``.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Self

import taeda
from taeda import Tensor, _spoken
from taeda.overrides import DisableTorchFunctionSubclass, _disabled_torch_function_impl

__all__ = [
    "Buffer",
    "Parameter",
    "UninitializedBuffer",
    "UninitializedParameter",
    "UninitializedTensorMixin",
    "is_lazy",
]


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


def _rebuild_parameter_with_state(data: Tensor, requires_grad: bool, backward_hooks: Any, state: dict[str, Any]) -> Parameter:
    made = _rebuild_parameter(data, requires_grad)
    made.__dict__.update(state)
    return made


class _ParameterMeta(type):
    def __instancecheck__(cls, instance: Any) -> bool:
        """Take tensors of users' classes for Parameters, too, if ``Parameter(...)`` has made them."""
        return super().__instancecheck__(instance) or (
            cls is Parameter and isinstance(instance, Tensor) and getattr(instance, "_is_param", False)
        )


class Parameter(Tensor, metaclass=_ParameterMeta):
    """A tensor that a ``Module`` lists in ``parameters()`` when it is assigned as an attribute.

    Args:
        data: the tensor whose memory the parameter shares; None gives an empty one. One of a class of your own keeps it.
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

    def __new__(cls, data: Any = None, requires_grad: bool = True) -> Self:
        data = _checked(data, "Parameter")
        if requires_grad and not (data.is_floating_point() or data.is_complex()):
            raise RuntimeError(
                f"[Parameter] Only Tensors of floating point and complex dtype can require gradients, got {data.dtype}; convert with "
                ".float(), or give requires_grad=False"
            )
        if type(data) in (Tensor, Parameter, Buffer):
            return Tensor._make_subclass(cls, data, requires_grad)
        made = data.detach().requires_grad_(requires_grad)
        if type(made) is not type(data):
            raise RuntimeError(
                f"[Parameter] detach() of a {type(data).__name__} gives a {type(made).__name__}; it has to keep the class"
            )
        made._is_param = True
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        if id(self) in memo:
            return memo[id(self)]
        made = type(self)(self.detach().clone(), self.requires_grad)
        memo[id(self)] = made
        return made

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()

    def __reduce_ex__(self, protocol: Any) -> Any:
        made: Any = (self.detach(), self.requires_grad, OrderedDict())
        return (_rebuild_parameter_with_state, (*made, self.__dict__)) if self.__dict__ else (_rebuild_parameter, made)


class _BufferMeta(type):
    def __instancecheck__(cls, instance: Any) -> bool:
        """Take every tensor that ``Buffer(...)`` has made for a Buffer: it has the class that its data has."""
        return super().__instancecheck__(instance) or (
            cls is Buffer and isinstance(instance, Tensor) and getattr(instance, "_is_buffer", False)
        )


class Buffer(Tensor, metaclass=_BufferMeta):
    """A tensor that a ``Module`` lists in ``buffers()`` when it is assigned as an attribute.

    Args:
        data: the tensor whose memory and class the buffer shares; None gives an empty one.
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

    def __new__(cls, data: Any = None, *, persistent: bool = True) -> Any:
        data = _checked(data, "Buffer")
        made: Any = data.detach().requires_grad_(data.requires_grad)
        made.persistent, made._is_buffer = persistent, True
        return made


class UninitializedTensorMixin:
    """What the two classes below share: they can be moved, cast and ``materialize``d, and nothing else."""

    _allowed = frozenset(
        [
            "__get__", "__hash__", "__set__", "bfloat16", "char", "copy_", "cpu", "cuda", "double", "float", "get_device",
            "half", "int", "is_complex", "is_floating_point", "long", "short", "size", "to", "type",
        ]
    )  # fmt: skip
    cls_to_become: type[Tensor]

    def materialize(self, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Become a parameter (or a buffer) of this shape, whose values are whatever the memory holds.

        Args:
            shape: of the tensor.
            device, dtype: its own where they are not given.
        """
        this: Any = self
        this.data = taeda.empty(shape, device=device or this.data.device, dtype=dtype or this.data.dtype)
        this.__class__ = self.cls_to_become

    @property
    def shape(self) -> Any:
        raise RuntimeError(
            f"[{type(self).__name__}] Can't access the shape of an uninitialized parameter or buffer. This error usually "
            "happens in `load_state_dict` when trying to load an uninitialized parameter into an initialized one. Call "
            "`forward` to initialize the parameters before accessing their attributes."
        )

    def share_memory_(self) -> Any:
        raise RuntimeError(
            f"[{type(self).__name__}] Can't share memory on an uninitialized parameter or buffer. Call `forward` to "
            "initialize the parameters before calling `module.share_memory()`."
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __reduce_ex__(self, protocol: Any) -> Any:
        this: Any = self
        return type(self), (this.requires_grad, this.data.device, this.data.dtype)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) not in memo:
            this: Any = self
            memo[id(self)] = type(this)(this.requires_grad, this.data.device, this.data.dtype)
        return memo[id(self)]

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, "__name__", str(func))
        if name in cls._allowed:
            with DisableTorchFunctionSubclass():
                return func(*args, **(kwargs or {}))
        raise ValueError(
            f"[{name}] Attempted to use an uninitialized parameter in {name}. This error happens when you are using a "
            f"`LazyModule` or explicitly manipulating `taeda.nn.parameter.{cls.__name__}` objects. When using LazyModules "
            "Call `forward` with a dummy batch to initialize the parameters before calling functions of taeda"
        )


class UninitializedParameter(UninitializedTensorMixin, Parameter):
    """A parameter whose shape is not known yet; ``materialize`` makes it a ``Parameter``.

    Args:
        requires_grad: whether gradients will be wanted.
        device, dtype: of the parameter it becomes.

    Raises:
        ValueError: it is used in an operation.
        RuntimeError: its shape is asked for.

    >>> import taeda
    >>> from taeda import nn
    >>> w = nn.UninitializedParameter()
    >>> w
    <UninitializedParameter>
    >>> w.materialize((2, 3))
    >>> type(w).__name__, w.shape
    ('Parameter', taeda.Size([2, 3]))
    """

    cls_to_become = Parameter

    def __new__(cls, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> Any:
        return super().__new__(cls, taeda.empty(0, device=device, dtype=dtype), requires_grad)


class UninitializedBuffer(UninitializedTensorMixin, Buffer):
    """A buffer whose shape is not known yet; ``materialize`` makes it a ``Buffer``.

    Args:
        requires_grad: as of the tensor it becomes.
        device, dtype: of the tensor it becomes.
        persistent: whether the buffer is part of the module's ``state_dict``.

    >>> from taeda import nn
    >>> mean = nn.UninitializedBuffer()
    >>> mean.materialize((2,))
    >>> type(mean).__name__, mean.requires_grad
    ('Buffer', False)
    """

    cls_to_become = Buffer  # Tensor itself is not a class that an object can be turned into

    def __new__(
        cls, requires_grad: bool = False, device: Any = None, dtype: Any = None, persistent: bool = True
    ) -> Any:
        data = taeda.empty(0, device=device, dtype=dtype)
        made = Tensor._make_subclass(cls, data, requires_grad)
        made.persistent, made._is_buffer = persistent, True
        return made


def is_lazy(param: Any) -> bool:
    """Say whether ``param`` is an ``UninitializedParameter`` or an ``UninitializedBuffer``.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.parameter.is_lazy(nn.UninitializedParameter()), nn.parameter.is_lazy(nn.Parameter(taeda.ones(2)))
    (True, False)
    """
    return isinstance(param, UninitializedTensorMixin)


def republish(room: str) -> None:
    """Let the classes say that they are of another library's module, as ``Tensor`` does then."""
    for cls in (Parameter, Buffer, UninitializedParameter, UninitializedBuffer):
        cls.__module__ = f"{room}.nn.parameter"


republish(_spoken.name)
