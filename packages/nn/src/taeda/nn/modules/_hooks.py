"""Hooks of modules: where they are kept, how they are registered, and the call that runs them.

A call (``taeda.layer_call``) looks for hooks only once one was registered somewhere in the process, and then only on the
modules that have some: a model without hooks does not pay for them.
"""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar

import taeda
from taeda import Tensor
from taeda.layer_call import LayerCall, hooks_are_in_use
from taeda.nn.modules._backward_hooks import BackwardSession
from taeda.nn.modules._where import locate
from taeda.utils.hooks import RemovableHandle, add_hook

if TYPE_CHECKING:
    from taeda.nn.modules.module import Module

Hook = Callable[..., Any]

P = ParamSpec("P")
R = TypeVar("R", covariant=True)


class Forwards(Protocol[P, R]):
    """What has a ``forward``: by it a type checker knows what a call of the module takes and returns."""

    def forward(self, *args: P.args, **kwargs: P.kwargs) -> R: ...


_on_all = False  # a call hook was registered for every module


# -- hooks of every module ----------------------------------------------------------------------------
global_forward_pre: OrderedDict[int, Hook] = OrderedDict()
global_forward: OrderedDict[int, Hook] = OrderedDict()
global_forward_with_kwargs: OrderedDict[int, bool] = OrderedDict()
global_forward_always: OrderedDict[int, bool] = OrderedDict()
global_backward_pre: OrderedDict[int, Hook] = OrderedDict()
global_backward: OrderedDict[int, Hook] = OrderedDict()
global_is_full_backward: bool | None = None
global_module_registration: OrderedDict[int, Hook] = OrderedDict()
global_parameter_registration: OrderedDict[int, Hook] = OrderedDict()
global_buffer_registration: OrderedDict[int, Hook] = OrderedDict()


def _one_kind_of_backward_hook(other: bool, where: str) -> None:
    if other:
        raise RuntimeError(
            f"[register_backward_hook] Cannot use both regular backward hooks and full backward hooks {where}. Please use only one of them."
        )


def _add_global(hooks: OrderedDict[int, Hook], hook: Hook, *flags: Any) -> RemovableHandle:
    global _on_all
    _on_all = True
    hooks_are_in_use()
    return add_hook(hooks, hook, False, *flags)


def register_module_forward_pre_hook(hook: Hook) -> RemovableHandle:
    """Run ``hook(module, args)`` before the forward of every module; a return value replaces args.

    >>> import taeda
    >>> from taeda import nn
    >>> from taeda.nn.modules.module import register_module_forward_pre_hook
    >>> handle = register_module_forward_pre_hook(lambda module, args: print(type(module).__name__))
    >>> y = nn.Sequential(nn.Linear(2, 2), nn.ReLU())(taeda.ones(1, 2))
    Sequential
    Linear
    ReLU
    >>> handle.remove()
    """
    return _add_global(global_forward_pre, hook)


def register_module_forward_hook(
    hook: Hook, *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Run ``hook(module, args, output)`` after the forward of every module; a return value replaces output.

    Args:
        hook: called as said; ``hook(module, args, kwargs, output)`` with ``with_kwargs``.
        with_kwargs: hand on keyword arguments too.
        always_call: run it also where the forward raises.

    >>> import taeda
    >>> from taeda import nn
    >>> from taeda.nn.modules.module import register_module_forward_hook
    >>> shapes = []
    >>> handle = register_module_forward_hook(lambda module, args, y: shapes.append(tuple(y.shape)))
    >>> y = nn.Sequential(nn.Linear(2, 3), nn.ReLU())(taeda.ones(1, 2))
    >>> handle.remove()
    >>> shapes
    [(1, 3), (1, 3), (1, 3)]
    """
    flags = [global_forward_with_kwargs] if with_kwargs else []
    flags += [global_forward_always] if always_call else []
    return _add_global(global_forward, hook, *flags)


def register_module_backward_hook(hook: Hook) -> RemovableHandle:
    """Run ``hook`` on the gradients of every module's last operation (deprecated by PyTorch).

    ``register_module_full_backward_hook`` sees those of the modules' own inputs.

    Raises:
        RuntimeError: a full backward hook for every module is registered.
    """
    global global_is_full_backward
    _one_kind_of_backward_hook(global_is_full_backward is True, "as a global Module hook")
    global_is_full_backward = False
    return _add_global(global_backward, hook)


def register_module_full_backward_pre_hook(hook: Hook) -> RemovableHandle:
    """Run ``hook(module, grad_output)`` before the backward of every module.

    >>> import taeda
    >>> from taeda import nn
    >>> from taeda.nn.modules.module import register_module_full_backward_pre_hook
    >>> handle = register_module_full_backward_pre_hook(lambda module, g: print(type(module).__name__, g))
    >>> nn.ReLU()(taeda.ones(2, requires_grad=True)).sum().backward()
    ReLU (tensor([1., 1.]),)
    >>> handle.remove()
    """
    return _add_global(global_backward_pre, hook)


def register_module_full_backward_hook(hook: Hook) -> RemovableHandle:
    """Run ``hook(module, grad_input, grad_output)`` after the backward of every module; a return value replaces grad_input.

    >>> import taeda
    >>> from taeda import nn
    >>> from taeda.nn.modules.module import register_module_full_backward_hook
    >>> handle = register_module_full_backward_hook(lambda module, gx, gy: (2 * gx[0],))
    >>> x = taeda.ones(2, requires_grad=True)
    >>> nn.ReLU()(x).sum().backward()
    >>> handle.remove()
    >>> x.grad
    tensor([2., 2.])
    """
    global global_is_full_backward
    _one_kind_of_backward_hook(global_is_full_backward is False, "as a global Module hook")
    global_is_full_backward = True
    return _add_global(global_backward, hook)


def register_module_module_registration_hook(hook: Hook) -> RemovableHandle:
    """Run ``hook(module, name, submodule)`` whenever a submodule is registered; a return value replaces it.

    >>> from taeda import nn
    >>> from taeda.nn.modules.module import register_module_module_registration_hook
    >>> handle = register_module_module_registration_hook(lambda module, name, child: print(name, child))
    >>> net = nn.Sequential(nn.ReLU())
    0 ReLU()
    >>> handle.remove()
    """
    return add_hook(global_module_registration, hook)


def register_module_parameter_registration_hook(hook: Hook) -> RemovableHandle:
    """Run ``hook(module, name, parameter)`` whenever a parameter is registered; a return value replaces it.

    >>> from taeda import nn
    >>> from taeda.nn.modules.module import register_module_parameter_registration_hook
    >>> handle = register_module_parameter_registration_hook(lambda module, name, p: print(name, tuple(p.shape)))
    >>> layer = nn.Linear(2, 3)
    weight (3, 2)
    bias (3,)
    >>> handle.remove()
    """
    return add_hook(global_parameter_registration, hook)


def register_module_buffer_registration_hook(hook: Hook) -> RemovableHandle:
    """Run ``hook(module, name, buffer)`` whenever a buffer is registered; a return value replaces it.

    >>> import taeda
    >>> from taeda import nn
    >>> from taeda.nn.modules.module import register_module_buffer_registration_hook
    >>> handle = register_module_buffer_registration_hook(lambda module, name, buffer: print(name, buffer))
    >>> nn.Module().register_buffer("mean", taeda.zeros(2))
    mean tensor([0., 0.])
    >>> handle.remove()
    """
    return add_hook(global_buffer_registration, hook)


class _OfPython:
    """The first base of a module, written in Python.

    Libraries put mixins in front of finished classes (``cls.__bases__ = (Mixin, *cls.__bases__)``), which Python refuses where
    the first base is a class of C.
    """


class HookMethods(_OfPython, LayerCall):
    """The part of ``Module`` that is called and that registers hooks."""

    _hooked: bool = False  # this object has, or had, a call hook

    _forward_hooks: OrderedDict[int, Hook]
    _forward_hooks_with_kwargs: OrderedDict[int, bool]
    _forward_hooks_always_called: OrderedDict[int, bool]
    _forward_pre_hooks: OrderedDict[int, Hook]
    _forward_pre_hooks_with_kwargs: OrderedDict[int, bool]
    _backward_hooks: OrderedDict[int, Hook]
    _backward_pre_hooks: OrderedDict[int, Hook]
    _is_full_backward_hook: bool | None
    forward: Callable[..., Any]

    if TYPE_CHECKING:

        def __call__(self: Forwards[P, R], *args: P.args, **kwargs: P.kwargs) -> R: ...

    def _call_impl(self, *args: Any, **kwargs: Any) -> Any:
        """Call the module: for classes of programs with a ``__call__`` of their own, which end in this one of PyTorch's."""
        return LayerCall.__call__(self, *args, **kwargs)

    _wrapped_call_impl = _call_impl

    def _must_run_hooks(self) -> bool:
        return (self._hooked or _on_all) and has_hooks(self)

    def _call_with_hooks(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return call_with_hooks(self, args, kwargs)

    def _locate(self, error: Exception, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        locate(self, error, args, kwargs)

    def _mark_hooked(self) -> None:
        hooks_are_in_use()
        self.__dict__["_hooked"] = True

    def register_forward_pre_hook(
        self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Run ``hook(module, args)`` before each forward; what it returns replaces the arguments.

        Args:
            hook: with ``with_kwargs``, it is given ``(module, args, kwargs)`` and returns None or both.
            prepend: run it before the hooks that are there.

        >>> from taeda import nn
        >>> m = nn.Identity()
        >>> handle = m.register_forward_pre_hook(lambda module, args: (args[0] * 2,))
        >>> m(3)
        6
        """
        flags = [self._forward_pre_hooks_with_kwargs] if with_kwargs else []
        self._mark_hooked()
        return add_hook(self._forward_pre_hooks, hook, prepend, *flags)

    def register_forward_hook(
        self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """Run ``hook(module, args, output)`` after each forward; what it returns replaces the output.

        Args:
            hook: with ``with_kwargs``, it is given ``(module, args, kwargs, output)``.
            prepend: run it before the hooks that are there.
            always_call: run it also when the forward raises.

        >>> import taeda
        >>> from taeda import nn
        >>> layer = nn.Linear(2, 3)
        >>> handle = layer.register_forward_hook(lambda module, args, output: print(tuple(args[0].shape), "->", tuple(output.shape)))
        >>> _ = layer(taeda.zeros(4, 2))
        (4, 2) -> (4, 3)
        >>> handle.remove()
        """
        flags = [self._forward_hooks_with_kwargs] if with_kwargs else []
        flags += [self._forward_hooks_always_called] if always_call else []
        self._mark_hooked()
        return add_hook(self._forward_hooks, hook, prepend, *flags)

    def register_full_backward_pre_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Run ``hook(module, grad_output)`` before the module's gradients; it may return a new grad_output.

        >>> import taeda
        >>> from taeda import nn
        >>> layer, x = nn.Identity(), taeda.ones(2, requires_grad=True)
        >>> handle = layer.register_full_backward_pre_hook(lambda module, grad_output: (10 * grad_output[0],))
        >>> layer(x).sum().backward()
        >>> x.grad
        tensor([10., 10.])
        """
        self._mark_hooked()
        return add_hook(self._backward_pre_hooks, hook, prepend)

    def register_full_backward_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Run ``hook(module, grad_input, grad_output)`` when both are known; it may return a new grad_input.

        Raises:
            RuntimeError: the module has a hook from ``register_backward_hook``.

        >>> import taeda
        >>> from taeda import nn
        >>> layer = nn.ReLU()
        >>> handle = layer.register_full_backward_hook(lambda module, grad_input, grad_output: print(grad_input, grad_output))
        >>> layer(taeda.tensor([-1.0, 2.0], requires_grad=True)).sum().backward()
        (tensor([0., 1.]),) (tensor([1., 1.]),)
        """
        _one_kind_of_backward_hook(self._is_full_backward_hook is False, "on a single Module")
        self._is_full_backward_hook = True
        self._mark_hooked()
        return add_hook(self._backward_hooks, hook, prepend)

    def register_backward_hook(self, hook: Hook) -> RemovableHandle:
        """Run ``hook`` on the gradients of the module's last operation (deprecated by PyTorch).

        ``register_full_backward_hook`` sees those of the module's own inputs.
        """
        _one_kind_of_backward_hook(self._is_full_backward_hook is True, "on a single Module")
        self._is_full_backward_hook = False
        self._mark_hooked()
        return add_hook(self._backward_hooks, hook)


def has_hooks(module: Any) -> bool:
    """Say whether a call of ``module`` must run any hook."""
    return bool(
        module._forward_hooks
        or module._forward_pre_hooks
        or module._backward_hooks
        or module._backward_pre_hooks
        or global_forward
        or global_forward_pre
        or global_backward
        or global_backward_pre
    )


def call_with_hooks(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run ``module.forward`` between its hooks and those of every module."""
    called: set[int] = set()
    result = None
    try:
        for args, kwargs in _run_pre_hooks(module, args, kwargs):  # noqa: B007, B020 (kept after each hook: the next may raise)
            pass
        session = _backward_session(module)
        if session is not None:
            args = session.tap_inputs(args)
        result = module.forward(*args, **kwargs)
        for key, hook, with_kwargs in _forward_hooks(module):
            called.add(key)
            new = hook(module, args, kwargs, result) if with_kwargs else hook(module, args, result)
            if new is not None:
                result = new
        if session is not None:
            result = session.tap_outputs(result)
        last = _last_operation_hooks(module)
        if last:
            _hook_last_operation(module, args, result, last)
        return result
    except Exception:
        _run_always_called(module, args, kwargs, result, called)
        raise


def _run_pre_hooks(
    module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Yield the arguments that each hook leaves to the next."""
    for key, hook in (*global_forward_pre.items(), *module._forward_pre_hooks.items()):
        if key in module._forward_pre_hooks_with_kwargs:
            result = hook(module, args, kwargs)
            if result is None:
                continue
            if not (isinstance(result, tuple) and len(result) == 2):
                raise RuntimeError(
                    f"[forward_pre_hook] forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {result}."
                )
            args, kwargs = result
        else:
            result = hook(module, args)
            if result is not None:
                args = result if isinstance(result, tuple) else (result,)
        yield args, kwargs


def _forward_hooks(module: Module) -> list[tuple[int, Hook, bool]]:
    every = [(k, h, k in global_forward_with_kwargs) for k, h in global_forward.items()]
    return every + [(k, h, k in module._forward_hooks_with_kwargs) for k, h in module._forward_hooks.items()]


def _run_always_called(
    module: Module, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any, called: set[int]
) -> None:
    """After an exception: run the hooks that asked for it, on the result as far as there is one; none hides the exception."""
    for key, hook, with_kwargs in _forward_hooks(module):
        if key in called or not (key in global_forward_always or key in module._forward_hooks_always_called):
            continue
        try:
            if with_kwargs:
                hook(module, args, kwargs, result)
            else:
                hook(module, args, result)
        except Exception as e:
            kind = "global module" if key in global_forward else "module"
            warnings.warn(
                f"{kind} forward hook with ``always_call=True`` raised an exception that was silenced as "
                f"another error was raised in forward: {e!s}",
                stacklevel=2,
            )


def _backward_session(module: Module) -> BackwardSession | None:
    pre = [*global_backward_pre.values(), *module._backward_pre_hooks.values()]
    full = [] if global_is_full_backward is False else [*global_backward.values()]
    if module._is_full_backward_hook is not False:
        full += module._backward_hooks.values()
    return BackwardSession(module, full, pre) if full or pre else None


def _last_operation_hooks(module: Module) -> list[Hook]:
    """Return the hooks that are no full ones."""
    hooks = [*global_backward.values()] if global_is_full_backward is False else []
    if module._is_full_backward_hook is False:
        hooks += module._backward_hooks.values()
    return hooks


def _hook_last_operation(module: Module, args: tuple[Any, ...], result: Any, hooks: list[Hook]) -> None:
    first = result
    while not isinstance(first, Tensor):
        first = next(iter(first.values())) if isinstance(first, dict) else first[0]
    if first.grad_fn is None or not taeda.is_grad_enabled():
        return
    for hook in hooks:

        def run(grad_input: Any, grad_output: Any, hook: Hook = hook) -> Any:
            return hook(module, grad_input, grad_output)

        first.grad_fn.register_hook(run)
    _warn_of_missing_gradients(args, result, first.grad_fn)


def _warn_of_missing_gradients(args: tuple[Any, ...], result: Any, last: Any) -> None:
    """Warn where the gradients of the last operation are not those of the module's inputs and outputs."""
    results = (result,) if isinstance(result, Tensor) else result
    nodes = {r.grad_fn for r in _plain(results) if r.grad_fn is not None}
    better = " Please use register_full_backward_hook to get the documented behavior."
    if not _plain(results):
        when = "hooks on a Module that does not return a single Tensor or a tuple of Tensors"
        missing = "of the grad_output"
    elif not _plain(args):
        when = "hooks on a Module that does not take as input a single Tensor or a tuple of Tensors"
        missing = "of the grad_input"
    elif last not in nodes:
        when, missing, better = "hook when outputs are nested in python data structure", "grad_output", ""
    elif len(nodes) > 1:
        when, missing = "hook when outputs are generated by different autograd Nodes", "grad_output"
    elif {a.grad_fn for a in args if a.grad_fn is not None} != {node for node, _ in last.next_functions}:
        when, missing = "hook when the forward contains multiple autograd Nodes", "grad_input"
    else:
        return
    warnings.warn(
        f"Using {'' if when.startswith('hooks') else 'a '}non-full backward {when} is deprecated and will be removed in "
        f"future versions. This hook will be missing some {missing}.{better}",
        FutureWarning,
        stacklevel=5,
    )


def _plain(values: Any) -> tuple[Tensor, ...]:
    """Return a tuple of tensors as it is, and an empty one for anything else."""
    return values if isinstance(values, tuple) and all(isinstance(v, Tensor) for v in values) else ()
