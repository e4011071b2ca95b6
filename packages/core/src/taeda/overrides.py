"""Classes and modes that take over calls: PyTorch's ``__torch_function__`` protocol, as ``torch.overrides`` names it.

A subclass of Tensor keeps its class through operations and may see each of them; any other class with a
``__torch_function__`` can be passed where a tensor goes; a ``TorchFunctionMode`` sees every call in its block.

>>> import taeda
>>> class Named(taeda.Tensor):
...     @classmethod
...     def __torch_function__(cls, func, types, args=(), kwargs=None):
...         print(func.__name__)
...         return super().__torch_function__(func, types, args, kwargs)
>>> x = taeda.ones(2).as_subclass(Named)
>>> type(x * 2).__name__
mul
'Named'
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from taeda import _override, ops
from taeda._override import call_overrides, mode_stack as _mode_stack, overloaded_args
from taeda._override_attributes import plain_attributes, show_attributes
from taeda._override_protocol import (
    DisableTorchFunction,
    DisableTorchFunctionSubclass,
    disabled_torch_function,
    pop_mode,
    push_mode,
)
from taeda.tensor import Tensor

__all__ = [
    "BaseTorchFunctionMode", "DisableTorchFunction", "DisableTorchFunctionSubclass", "TorchFunctionMode", "enable_reentrant_dispatch",
    "get_default_nowrap_functions", "get_ignored_functions", "get_overridable_functions", "get_testing_overrides",
    "handle_torch_function", "has_torch_function", "has_torch_function_unary", "has_torch_function_variadic", "is_tensor_like",
    "is_tensor_method_or_property", "redispatch_function", "resolve_name", "wrap_torch_function",
]

_disabled_torch_function_impl = disabled_torch_function
_passing = threading.local()                # whether the next question, whether a call is taken over, is answered no


def has_torch_function(relevant_args: Any) -> bool:
    """Whether the class of one of the arguments, or a mode, takes calls over.

    >>> import taeda
    >>> taeda.overrides.has_torch_function((taeda.ones(2), 3))
    False
    """
    if getattr(_passing, "once", False):
        _passing.once = False
        return False
    return bool(_override.has_torch_function(relevant_args))


def redispatch_function(func: Callable[..., Any], types: Any, args: tuple[Any, ...], kwargs: dict[str, Any] | None) -> Any:
    """Call a function from inside of a ``__torch_function__`` without asking for it again; what it calls is asked for.

    Results of taeda's own functions are plain tensors. A function of the user's is told once that nobody takes it over, where it asks
    :func:`has_torch_function`.

    >>> import taeda
    >>> class Logged(taeda.Tensor):
    ...     @classmethod
    ...     def __torch_function__(cls, func, types, args=(), kwargs=None):
    ...         print(func.__name__)
    ...         return taeda.overrides.redispatch_function(func, types, args, kwargs)
    >>> type(taeda.ones(2).as_subclass(Logged) * 2).__name__
    mul
    'Tensor'
    """
    if isinstance(func, _override.Overridable) or not hasattr(func, "__code__"):
        with DisableTorchFunction():
            return func(*args, **(kwargs or {}))
    _passing.once = True
    try:
        return func(*args, **(kwargs or {}))
    finally:
        _passing.once = False


@contextlib.contextmanager
def enable_reentrant_dispatch() -> Iterator[None]:
    """Do nothing: what a ``__torch_dispatch__`` calls is dispatched anew as it is.

    >>> import taeda
    >>> with taeda.overrides.enable_reentrant_dispatch():
    ...     taeda.ones(1) + 1
    tensor([2.])
    """
    yield


def has_torch_function_unary(obj: Any) -> bool:
    """Whether the class of ``obj``, or a mode, takes calls over.

    >>> import taeda
    >>> taeda.overrides.has_torch_function_unary(taeda.ones(2))
    False
    """
    return bool(has_torch_function((obj,)))


def has_torch_function_variadic(*args: Any) -> bool:
    """Whether the class of an argument, or a mode, takes calls over."""
    return bool(has_torch_function(args))


def handle_torch_function(public_api: Callable[..., Any], relevant_args: Iterable[Any], *args: Any, **kwargs: Any) -> Any:
    """Hand a call to the arguments (or the mode) that take it over and return what the first of them answers.

    Args:
        public_api: the function that the user called.
        relevant_args: the arguments whose classes are asked, subclasses before their bases.

    Raises:
        TypeError: every one of them returned NotImplemented.

    >>> import taeda
    >>> from taeda.overrides import handle_torch_function
    >>> class Logged:
    ...     @classmethod
    ...     def __torch_function__(cls, func, types, args=(), kwargs=None):
    ...         return f"{func.__name__} was called"
    >>> def double(x):
    ...     return handle_torch_function(double, (x,), x) if taeda.overrides.has_torch_function((x,)) else x + x
    >>> double(Logged())
    'double was called'
    """
    return call_overrides(public_api, public_api, overloaded_args(tuple(relevant_args)), args, kwargs)


def wrap_torch_function(dispatcher: Callable[..., Iterable[Any]]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let classes take over a function of the user's; ``dispatcher`` returns the arguments that are asked.

    >>> import taeda
    >>> @taeda.overrides.wrap_torch_function(lambda a: (a,))
    ... def double(a):
    ...     return a + a
    >>> double(taeda.ones(1))
    tensor([2.])
    """
    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            relevant = tuple(dispatcher(*args, **kwargs))
            if has_torch_function(relevant):
                return handle_torch_function(wrapped, relevant, *args, **kwargs)
            return function(*args, **kwargs)

        return wrapped

    return decorate


def is_tensor_like(inp: Any) -> bool:
    """Whether a value is a Tensor, or of a class with a ``__torch_function__``.

    >>> import taeda
    >>> taeda.overrides.is_tensor_like(taeda.ones(2)), taeda.overrides.is_tensor_like([1.0, 1.0])
    (True, False)
    """
    return type(inp) is Tensor or hasattr(inp, "__torch_function__")


def get_default_nowrap_functions() -> set[Any]:
    """Return the getters whose value the default ``__torch_function__`` leaves as it is.

    >>> import taeda
    >>> taeda.Tensor.grad.__get__ in taeda.overrides.get_default_nowrap_functions()
    True
    """
    return {Tensor._base.__get__, Tensor.grad.__get__}


def get_ignored_functions() -> set[Any]:
    """Return the public functions that no argument can take over: what makes tensors from sizes and other objects.

    >>> import taeda
    >>> taeda.zeros in taeda.overrides.get_ignored_functions()
    True
    """
    import taeda

    names = [
        "arange", "as_tensor", "asarray", "empty", "empty_strided", "eye", "from_numpy", "frombuffer", "full", "get_default_dtype",
        "get_num_threads", "is_grad_enabled", "is_storage", "is_tensor", "linspace", "load", "logspace", "manual_seed", "ones",
        "promote_types", "can_cast", "rand", "randint", "randn", "randperm", "save", "seed", "set_default_dtype", "set_num_threads",
        "tensor", "zeros", "typename", "initial_seed", "set_rng_state", "get_rng_state", "bartlett_window", "blackman_window",
        "hamming_window", "hann_window", "kaiser_window", "tril_indices", "triu_indices", "empty_permuted",
    ]
    special = ("__init_subclass__", "__new__", "__torch_function__", "_make_subclass", "as_subclass", "__setattr__", "__delattr__",
               "__hash__")
    return {getattr(taeda, n) for n in names} | {getattr(Tensor, n) for n in special} | {taeda.fft.fftfreq, taeda.fft.rfftfreq}


def get_overridable_functions() -> dict[Any, list[Callable[..., Any]]]:
    """Return the functions that a class can take over, by where they are found.

    These are ``taeda``, ``taeda.Tensor`` and the rooms of functions, ``taeda.nn.functional`` among them where it is installed.

    >>> import taeda
    >>> taeda.add in taeda.overrides.get_overridable_functions()[taeda]
    True
    """
    import taeda

    ignored = get_ignored_functions()
    found: dict[Any, list[Callable[..., Any]]] = {
        taeda: [f for f in dict.fromkeys(ops.PUBLIC.values()) if f not in ignored],
        Tensor: list(dict.fromkeys(ops.METHODS.values())),
    }
    for name in ("linalg", "fft", "special", "nn.functional"):
        if name == "nn.functional" and importlib.util.find_spec("taeda.nn") is None:
            continue
        room = importlib.import_module(f"taeda.{name}")
        functions = dict.fromkeys(getattr(room, n) for n in room.__all__)
        found[room] = [f for f in functions if isinstance(f, _override.Function) and f not in ignored]  # type: ignore[misc]
    return found


def get_testing_overrides() -> dict[Callable[..., Any], Callable[..., Any]]:
    """Return, for each function that can be taken over, one of the same parameters that returns -1.

    >>> import taeda
    >>> taeda.overrides.get_testing_overrides()[taeda.add](1, 2)
    -1
    """
    import inspect

    found = {}
    for functions in get_overridable_functions().values():
        for function in functions:
            def dummy(*args: Any, **kwargs: Any) -> int:
                return -1

            dummy.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
            found[function] = dummy
    return found


def resolve_name(f: Any) -> str | None:
    """Return the name under which a function can be found, ``taeda.exp`` or ``taeda.Tensor.exp``.

    >>> import taeda
    >>> taeda.overrides.resolve_name(taeda.exp), taeda.overrides.resolve_name(taeda.Tensor.add_)
    ('taeda.exp', 'taeda.Tensor.add_')
    """
    if isinstance(f, _override.Method):
        return f"taeda.Tensor.{f.__name__}"  # type: ignore[attr-defined]
    if isinstance(f, _override.Function):
        name: Any = f.__name__  # type: ignore[attr-defined]
        if ops.PUBLIC.get(name) is f:
            return f"taeda.{name}"
        for room in ("linalg", "fft", "special"):
            short = name.removeprefix(f"{room}_")
            if getattr(sys.modules.get(f"taeda.{room}"), short, None) is f:
                return f"taeda.{room}.{short}"
        layers = sys.modules.get("taeda.nn.functional")          # where ops without a public name of their own are found
        return f"taeda.nn.functional.{name}" if getattr(layers, name, None) is f else f"{f.__module__}.{name}"
    own = getattr(f, "__name__", "")
    if own in ("__get__", "__set__", "__delete__"):
        for name, plain in plain_attributes(Tensor).items():
            if plain is f.__self__:
                return f"taeda.Tensor.{name}.{own}"
    if own and getattr(Tensor, own, None) is f:
        return f"taeda.Tensor.{own}"
    module, name = getattr(f, "__module__", None), getattr(f, "__qualname__", None)
    return None if name is None else name if module is None else f"{module}.{name}"


def is_tensor_method_or_property(func: Any) -> bool:
    """Whether a function that a ``__torch_function__`` got is a method or an attribute of Tensor.

    >>> import taeda
    >>> taeda.overrides.is_tensor_method_or_property(taeda.Tensor.add_), taeda.overrides.is_tensor_method_or_property(taeda.add)
    (True, False)
    """
    return isinstance(func, _override.Method) or func in vars(Tensor).values() or getattr(func, "__name__", None) == "__get__"


class TorchFunctionMode:
    """A context manager whose ``__torch_function__`` sees all calls of public functions in its block, of Tensor's methods and attributes.

    Inside of it the mode is off, so it may call functions itself.  An attribute is told by its getter, ``Tensor.shape.__get__``.

    >>> import taeda
    >>> class Log(taeda.overrides.TorchFunctionMode):
    ...     def __torch_function__(self, func, types, args=(), kwargs=None):
    ...         print(func.__name__)
    ...         return func(*args, **(kwargs or {}))
    >>> with Log():
    ...     y = taeda.zeros(2).exp()
    zeros
    exp
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise NotImplementedError(f"[{type(self).__name__}] a mode must have a __torch_function__ of its own")

    def __enter__(self) -> TorchFunctionMode:
        if not getattr(self, "_looks_inside", False):            # our own recorders count operations alone
            show_attributes(Tensor)
        push_mode(self)  # type: ignore[arg-type]
        return self

    def __exit__(self, *error: object) -> None:
        pop_mode()

    @classmethod
    def push(cls, *args: Any, **kwargs: Any) -> TorchFunctionMode:
        """Return an instance to be entered."""
        return cls(*args, **kwargs)


class BaseTorchFunctionMode(TorchFunctionMode):
    """A mode that changes nothing.

    >>> import taeda
    >>> with taeda.overrides.BaseTorchFunctionMode():
    ...     taeda.ones(2) + 1
    tensor([2., 2.])
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return func(*args, **(kwargs or {}))


def _get_current_function_mode() -> Any:
    stack = _mode_stack()
    return stack[-1] if stack else None
