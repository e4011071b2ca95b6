"""PyTorch's TorchScript, whose decorators programs still carry: functions and modules come back as they are.

Nothing is compiled, so there are no archives either: ``taeda.save(model.state_dict(), path)`` keeps a model.

>>> import taeda
>>> @taeda.jit.unused
... def double(x):
...     return 2 * x
>>> double(taeda.tensor(3))
tensor(6)
"""

from __future__ import annotations

import builtins
import importlib
import types
import typing
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, Final as Final, NamedTuple, NoReturn

from taeda import _spoken
from taeda.futures import Future

__all__ = [
    "Attribute", "Error", "RecursiveScriptModule", "ScriptFunction", "ScriptModule", "ScriptWarning", "TensorType", "TopLevelTracedModule",
    "TracedModule", "TracerWarning", "Type", "annotate", "export", "fork", "freeze", "ignore", "interface", "is_scripting",
    "is_tracing", "isinstance", "load", "optimize_for_inference", "optimized_execution", "save", "script", "script_if_tracing",
    "script_method", "set_fusion_strategy", "trace", "trace_module", "unused", "wait",
]  # fmt: skip


def _deprecated(name: str) -> None:
    text = f"`{_spoken.name}.jit.{name}` is deprecated. Please switch to `{_spoken.name}.compile` or `{_spoken.name}.export`."
    warnings.warn(text, DeprecationWarning, stacklevel=1)      # of this file, as PyTorch's is of its own: seen by who asks for all


def script(obj: Any, *args: Any, **kwargs: Any) -> Any:
    """Return the function, class or module as it is."""
    _deprecated("script")
    return obj


def unused(obj: Any, *args: Any, **kwargs: Any) -> Any:
    """Return the function, class or module as it is."""
    return obj


def script_method(fn: Any) -> Any:
    """Return the method as it is."""
    _deprecated("script_method")
    return fn


export = interface = script_if_tracing = _script_if_tracing = _overload = _overload_method = unused


def ignore(drop: Any = False, **kwargs: Any) -> Any:
    """Return the function as it is; also called with options first.

    >>> import taeda
    >>> @taeda.jit.ignore
    ... def double(x):
    ...     return 2 * x
    >>> double(3)
    6
    """
    return drop if callable(drop) else lambda function: function


def annotate(the_type: Any, the_value: Any) -> Any:
    """Return the value as it is.

    >>> import taeda
    >>> taeda.jit.annotate(list[int], [])
    []
    """
    return the_value


def isinstance(obj: Any, target_type: Any) -> bool:
    """Whether a value is of a type, which may say what lists, tuples and dicts hold, or a tuple of types.

    >>> from taeda.jit import isinstance
    >>> isinstance([1, 2], list[int]), isinstance({"a": 1}, dict[str, float]), isinstance(None, int | None)
    (True, False, True)
    """
    if builtins.isinstance(target_type, tuple):
        return any(isinstance(obj, t) for t in target_type)
    kind, of = typing.get_origin(target_type), typing.get_args(target_type)
    if kind in (typing.Union, types.UnionType):
        return any(isinstance(obj, t) for t in of)
    if target_type in (None, Any):
        return target_type is Any or obj is None
    if kind is None:
        return builtins.isinstance(obj, target_type)
    if not builtins.isinstance(obj, kind):
        return False
    if kind is dict:
        return all(isinstance(k, of[0]) and isinstance(v, of[1]) for k, v in obj.items())
    if kind is tuple and of[-1:] != (...,):
        return len(obj) == len(of) and all(isinstance(x, t) for x, t in zip(obj, of, strict=True))
    return all(isinstance(x, of[0]) for x in obj)


class TracerWarning(Warning):
    """A trace may not hold for other inputs: a class for filters of warnings, nothing is traced."""

    @staticmethod
    def ignore_lib_warnings() -> None:
        """Show no such warning of the library's own: there is none."""


class ScriptWarning(Warning):
    """Compiled code may not do what its Python does: a class for filters of warnings, nothing is compiled."""


class Error(Exception):
    """What PyTorch's compiled code raises: a class to catch, nothing is compiled."""


class Attribute(NamedTuple):
    """A value and its type, which PyTorch's compiler takes for an attribute of a module; here it stays the pair."""

    value: Any
    type: Any


class Type:
    """The type of a value of compiled code, in the annotations of libraries; nothing is compiled, so that nothing is one."""


class TensorType(Type):
    """That of tensors."""


class _Modules(type):
    """Make a program's subclass of ScriptModule a module, which ScriptModule itself cannot be: its room needs no :mod:`taeda.nn`."""

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> Any:
        if bases and namespace.get("__module__") != __name__:      # a class that type() makes has none yet
            from taeda.nn import Module

            if not any(issubclass(base, Module) for base in bases):
                bases = (*bases, Module)
        return super().__new__(cls, name, bases, namespace)


class ScriptModule(metaclass=_Modules):
    """What PyTorch's compiled modules are; nothing is compiled here, and a class that a program derives is a plain module.

    >>> import taeda
    >>> class Twice(taeda.jit.ScriptModule):
    ...     def forward(self, x):
    ...         return 2 * x
    >>> Twice().eval()(taeda.tensor(3))
    tensor(6)
    """


class RecursiveScriptModule(ScriptModule):
    """What ``script`` makes of a module in PyTorch; no module is one."""


class TracedModule(ScriptModule):
    """What ``trace`` makes of a module's parts in PyTorch; no module is one."""


class TopLevelTracedModule(TracedModule):
    """What ``trace`` makes of a module in PyTorch; no module is one."""


class ScriptFunction:
    """What PyTorch's compiled functions are; nothing is compiled here, so that no function is one."""


def trace(func: Callable[..., Any], example_inputs: Any = None, *args: Any, **kwargs: Any) -> Callable[..., Any]:
    """Return the function or module as it is; it is not run."""
    _deprecated("trace")
    return func


def trace_module(mod: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
    """Return the module as it is; it is not run."""
    _deprecated("trace_method")
    return mod


def fork(func: Callable[..., Any], *args: Any, **kwargs: Any) -> Future:
    """Run a function at once, and return its result as a future.

    >>> from taeda.jit import fork, wait
    >>> wait(fork(lambda x: x + 1, 1))
    2
    """
    done: Future[Any] = Future()
    try:
        done.set_result(func(*args, **kwargs))
    except Exception as error:
        done.set_exception(error)
    return done


_fork = fork


def wait(future: Future) -> Any:
    """Return the result of a future of :func:`fork`, or raise what its function raised.

    >>> import taeda
    >>> taeda.jit.wait(taeda.jit.fork(max, 2, 3))
    3
    """
    if future is None:
        raise RuntimeError("[jit.wait] Future can't be None")
    if not builtins.isinstance(future, Future):
        raise TypeError(f"[jit.wait] expected what fork returned, got {type(future).__name__}")
    return future.wait()


_wait = wait


def optimized_execution(should_optimize: bool) -> Any:
    """Return a context that changes nothing."""
    return nullcontext()


def set_fusion_strategy(strategy: Any) -> Any:
    """Change nothing; return the strategy, which is the one that was."""
    return strategy


def freeze(mod: Any, *args: Any, **kwargs: Any) -> Any:
    """Return a module as it is; RuntimeError while it is in training.

    >>> import taeda
    >>> from taeda import nn
    >>> net = nn.Dropout().eval()
    >>> taeda.jit.freeze(net) is net
    True
    """
    if mod.training:
        raise RuntimeError("[jit.freeze] Freezing is currently only implemented for modules in eval mode. Please call .eval() first")
    return mod


def optimize_for_inference(mod: Any, *args: Any, **kwargs: Any) -> Any:
    """Return a module as it is, in evaluation mode."""
    return mod.eval()


def is_scripting() -> bool:
    """Whether code is being compiled: never.

    >>> import taeda
    >>> taeda.jit.is_scripting()
    False
    """
    return False


def is_tracing() -> bool:
    """Whether calls are being recorded: never.

    >>> import taeda
    >>> taeda.jit.is_tracing()
    False
    """
    return False


def save(*args: Any, **kwargs: Any) -> NoReturn:
    """Raise NotImplementedError: there are no archives of programs."""
    raise NotImplementedError("[jit.save] TorchScript archives are not written; keep a model with taeda.save(model.state_dict(), path)")


def load(*args: Any, **kwargs: Any) -> NoReturn:
    """Raise NotImplementedError: there are no archives of programs."""
    raise NotImplementedError("[jit.load] TorchScript archives are not read; build the model and load its state_dict")


def _get_trace_graph(*args: Any, **kwargs: Any) -> NoReturn:
    """Raise NotImplementedError: nothing is traced."""
    raise NotImplementedError("[jit._get_trace_graph] nothing is traced; count work with taeda.utils.flop_counter.FlopCounterMode")


del annotations      # of __future__: the name is that of a module here


def __getattr__(name: str) -> Any:
    """Return a module of this package that was not imported yet."""
    if name in ("_recursive", "_script", "_state", "_trace", "annotations"):
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
