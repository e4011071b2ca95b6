"""Modes that see PyTorch's operators, forward and backward: ``TorchDispatchMode``."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from taeda import _aten_calls
from taeda._override import mode_stack, replace_modes
from taeda.overrides import TorchFunctionMode

__all__ = ["BaseTorchDispatchMode", "TorchDispatchMode", "is_traceable_wrapper_subclass"]


class TorchDispatchMode(TorchFunctionMode):
    """A context manager whose ``__torch_dispatch__(func, types, args, kwargs)`` sees every operator of its block, also of backward passes.

    ``func`` is an overload such as ``taeda.ops.aten.mm.default``; inside the mode is off, so that it may be called.  A function that is
    made of several operators is told by these: a linear layer by ``t`` and ``addmm``, a cross entropy by ``_log_softmax`` and
    ``nll_loss_forward``.  What is returned takes the operator's place, and derivatives are those of what was computed inside.  Modes in
    force see functions (``TorchFunctionMode``) before these see operators.

    >>> import taeda
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
        return _aten_calls.make(func, args, kwargs or {}, self)

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


def is_traceable_wrapper_subclass(t: Any) -> bool:
    """Whether a tensor is made of others that PyTorch's compiler knows to open: none is.

    >>> import taeda
    >>> is_traceable_wrapper_subclass(taeda.ones(2))
    False
    """
    return False


def _get_current_dispatch_mode() -> TorchDispatchMode | None:
    """Return the innermost mode that sees operators, if there is one."""
    return next((mode for mode in reversed(mode_stack()) if isinstance(mode, TorchDispatchMode)), None)


@contextlib.contextmanager
def _disable_current_modes() -> Iterator[list[Any]]:
    """A block without the modes that are in force."""
    were = replace_modes([mode for mode in mode_stack() if not isinstance(mode, TorchDispatchMode)])
    try:
        yield [mode for mode in were if isinstance(mode, TorchDispatchMode)]
    finally:
        replace_modes(were)
