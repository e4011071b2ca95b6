"""Modes that see PyTorch's operators, forward and backward: ``TorchDispatchMode``."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from taeda._aten import calls
from taeda._operator_names import OpOverload
from taeda._override import dispatched_args, mode_stack
from taeda._override_protocol import replace_modes
from taeda.overrides import TorchFunctionMode
from taeda.tensor import Tensor

__all__ = [
    "BaseTorchDispatchMode", "TorchDispatchMode", "is_traceable_wrapper_subclass", "is_traceable_wrapper_subclass_type",
    "return_and_correct_aliasing", "transform_subclass",
]  # fmt: skip


class TorchDispatchMode(TorchFunctionMode):
    """A context manager whose ``__torch_dispatch__(func, types, args, kwargs)`` sees every operator of its block, also of backward passes.

    ``func`` is an overload such as ``taeda.ops.aten.mm.default``; inside the mode is off, so that it may be called.  A function that is
    made of several operators is told by these: a linear layer by ``t`` and ``addmm``, a cross entropy by ``_log_softmax`` and
    ``nll_loss_forward``.  What is returned takes the operator's place, and derivatives are those of what was computed inside.  Modes in
    force see functions (``TorchFunctionMode``) before these see operators.

    >>> import taeda
    >>> from taeda.utils._python_dispatch import TorchDispatchMode
    >>> class Log(TorchDispatchMode):
    ...     def __torch_dispatch__(self, func, types, args=(), kwargs=None):
    ...         print(func)
    ...         return func(*args, **(kwargs or {}))
    >>> with Log():
    ...     y = taeda.ones(2, 3) @ taeda.ones(3, 4)
    aten.ones.default
    aten.ones.default
    aten.mm.default
    """

    _looks_inside = True                # of the functions of nn that are made of others

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None) -> Any:
        """Say what an operator gives: to be defined by classes that derive from this one."""
        raise NotImplementedError(f"[{type(self).__name__}] a mode must have a __torch_dispatch__ of its own")

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if isinstance(func, OpOverload):                    # an operator of a program's own is told whole
            return self.__torch_dispatch__(func, tuple(type(x) for x in dispatched_args(args, kwargs or {})), args, kwargs or {})
        return calls.make(func, args, kwargs or {}, self)

    def __enter__(self) -> TorchDispatchMode:
        modes = list(mode_stack())      # below the modes that see functions
        modes.insert(sum(isinstance(mode, TorchDispatchMode) for mode in modes), self)
        replace_modes(modes)
        return self

    def __exit__(self, *error: object) -> None:
        modes = list(mode_stack())
        for i in reversed(range(len(modes))):
            if modes[i] is self:
                del modes[i]
                break
        replace_modes(modes)


class BaseTorchDispatchMode(TorchDispatchMode):
    """A mode that changes nothing."""

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None) -> Any:
        return func(*args, **(kwargs or {}))


# -- classes made of other tensors ------------------------------------------------------------------------


def is_traceable_wrapper_subclass_type(t: type) -> bool:
    """Whether a class is a subclass of Tensor whose instances come apart: with ``__tensor_flatten__`` and ``__tensor_unflatten__``."""
    return issubclass(t, Tensor) and t is not Tensor and hasattr(t, "__tensor_flatten__") and hasattr(t, "__tensor_unflatten__")


def is_traceable_wrapper_subclass(t: Any) -> bool:
    """Whether a tensor is made of others, into which its ``__tensor_flatten__`` takes it apart.

    >>> import taeda
    >>> from taeda.utils._python_dispatch import is_traceable_wrapper_subclass
    >>> is_traceable_wrapper_subclass(taeda.ones(2))
    False
    """
    return is_traceable_wrapper_subclass_type(type(t))


def transform_subclass(
    t: Any, callback: Callable[[str, Tensor], Any], outer_size: Any = None, outer_stride: Any = None
) -> Any:
    """Return another tensor of t's class, made of ``callback(name, inner tensor)`` of each tensor that t is made of.

    Args:
        outer_size, outer_stride: of the new one; those of t where they are not given.
    """
    names, context = t.__tensor_flatten__()
    inner = {name: callback(name, getattr(t, name)) for name in names}
    size = outer_size if outer_size is not None else t.size()
    stride = outer_stride if outer_stride is not None else t.stride()
    made = type(t).__tensor_unflatten__(inner, context, size, stride)
    if tuple(made.shape) != tuple(size) or tuple(made.stride()) != tuple(stride):
        raise AssertionError(f"[transform_subclass] Expected return value from {type(t)}__tensor_unflatten__() to have shape equal to "
                             f"{tuple(size)} and strides equal to {tuple(stride)}, but got: {tuple(made.shape)} and {tuple(made.stride())}")
    return made


def return_and_correct_aliasing(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], out: Any) -> Any:
    """Return what a ``__torch_dispatch__`` should of the operator ``func`` that gave ``out``: what was written to, where it writes.

    What the memory of a view is, its class says; nothing is changed about it here.
    """
    written = kwargs.get("out")
    if written is not None:
        return written
    name = func.__name__.partition(".")[0]
    writes = name.endswith("_") and not name.endswith("__")
    return args[0] if writes and isinstance(args[0], Tensor) else out


# -- which modes are in force ----------------------------------------------------------------------------


def _get_current_dispatch_mode_stack() -> list[TorchDispatchMode]:
    """Return the modes that are told of operators, the outermost first."""
    return [mode for mode in mode_stack() if isinstance(mode, TorchDispatchMode)]


def _get_current_dispatch_mode() -> TorchDispatchMode | None:
    """Return the innermost mode that is told of operators, or None."""
    return next(reversed(_get_current_dispatch_mode_stack()), None)


@contextlib.contextmanager
def _disable_current_modes() -> Iterator[list[Any]]:
    """A block without the modes that are in force."""
    were = replace_modes([mode for mode in mode_stack() if not isinstance(mode, TorchDispatchMode)])
    try:
        yield [mode for mode in were if isinstance(mode, TorchDispatchMode)]
    finally:
        replace_modes(were)
