"""``Module``: what every layer and every model is.

Its parts live beside it: ``_registry`` (named members), ``_members`` (finding them), ``_hooks`` and ``_backward_hooks``,
``_state`` (state_dict), ``_convert`` (devices and dtypes), ``_where`` (paths in error messages).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Self

import taeda
from taeda import Tensor
from taeda.nn.modules import _hooks
from taeda.nn.modules._convert import ConvertMethods
from taeda.nn.modules._hooks import (
    HookMethods,
    RemovableHandle,
    global_backward as _global_backward_hooks,  # noqa: F401 (copies of Module use these)
    global_backward_pre as _global_backward_pre_hooks,  # noqa: F401
    global_buffer_registration as _global_buffer_registration_hooks,  # noqa: F401
    global_forward as _global_forward_hooks,  # noqa: F401
    global_forward_always as _global_forward_hooks_always_called,  # noqa: F401
    global_forward_pre as _global_forward_pre_hooks,  # noqa: F401
    global_forward_with_kwargs as _global_forward_hooks_with_kwargs,  # noqa: F401
    global_module_registration as _global_module_registration_hooks,  # noqa: F401
    global_parameter_registration as _global_parameter_registration_hooks,  # noqa: F401
    has_hooks,
    register_module_backward_hook,
    register_module_buffer_registration_hook,
    register_module_forward_hook,
    register_module_forward_pre_hook,
    register_module_full_backward_hook,
    register_module_full_backward_pre_hook,
    register_module_module_registration_hook,
    register_module_parameter_registration_hook,
)
from taeda.nn.modules._members import MemberMethods
from taeda.nn.modules._registry import Registry
from taeda.nn.modules._state import (
    EXTRA_STATE as _EXTRA_STATE_KEY_SUFFIX,  # noqa: F401 (programs import it from here)
    StateMethods,
    _IncompatibleKeys as _IncompatibleKeys,  # programs import it from here
    _WrappedHook as _WrappedHook,  # pickles have it here
)
from taeda.nn.parameter import Buffer, Parameter

__all__ = [
    "Module",
    "RemovableHandle",
    "register_module_backward_hook",
    "register_module_buffer_registration_hook",
    "register_module_forward_hook",
    "register_module_forward_pre_hook",
    "register_module_full_backward_hook",
    "register_module_full_backward_pre_hook",
    "register_module_module_registration_hook",
    "register_module_parameter_registration_hook",
]

_HOOK_DICTS = (
    "_backward_pre_hooks",
    "_backward_hooks",
    "_forward_hooks",
    "_forward_hooks_with_kwargs",
    "_forward_hooks_always_called",
    "_forward_pre_hooks",
    "_forward_pre_hooks_with_kwargs",
    "_state_dict_hooks",
    "_state_dict_pre_hooks",
    "_load_state_dict_pre_hooks",
    "_load_state_dict_post_hooks",
)


def indent(text: str, spaces: int) -> str:
    """Return a text with so many spaces before each line but the first; lines without anything to see become empty."""
    first, *rest = text.split("\n")
    return "\n".join([first, *(" " * spaces + line if line.strip() else "" for line in rest)])


_addindent = indent  # its name in PyTorch, for code that prints modules itself


def _cure_of(value: Any) -> str:
    """Say how what should have been a parameter becomes one."""
    if isinstance(value, Tensor):
        return "; wrap it in nn.Parameter"
    return "; nn.Parameter(taeda.tensor(...)) makes one" if isinstance(value, (int, float, list, tuple)) else ""


def _stands_for_tensor(value: Any) -> bool:
    """Whether a value is a tensor, or takes functions of tensors over, as the proxies of ``taeda.fx`` do."""
    return isinstance(value, Tensor) or hasattr(value, "__torch_function__")


class _CallSignature:
    """What ``inspect.signature`` says of a module: what its class's call takes, which is written in C and tells nothing."""

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            raise AttributeError("__signature__")                       # of the class: that of its __init__
        import inspect

        call = type(instance).__call__
        if call is not HookMethods.__call__:
            return inspect.signature(call.__get__(instance))
        kinds = {"args": inspect.Parameter.VAR_POSITIONAL, "kwargs": inspect.Parameter.VAR_KEYWORD}
        return inspect.Signature([inspect.Parameter(name, kind) for name, kind in kinds.items()])


class Module(HookMethods, MemberMethods, StateMethods, ConvertMethods):
    """A layer or a model: parameters, buffers and child modules under names, and a ``forward``.

    Assign a ``Parameter`` or a ``Module`` as an attribute and it is registered; write ``forward``; call the
    object.

    >>> import taeda
    >>> from taeda import nn
    >>> class Scale(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.factor = nn.Parameter(taeda.tensor(2.0))
    ...     def forward(self, x):
    ...         return x * self.factor
    >>> Scale()(taeda.ones(2)).tolist()
    [2.0, 2.0]
    >>> [name for name, _ in Scale().named_parameters()]
    ['factor']
    """

    dump_patches: bool = False
    call_super_init: bool = False
    training: bool
    __signature__ = _CallSignature()
    _is_full_backward_hook: bool | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if self.call_super_init is False and (args or kwargs):
            if kwargs:
                raise TypeError(
                    f"{type(self).__name__}.__init__() got an unexpected keyword argument '{next(iter(kwargs))}'"
                )
            raise TypeError(
                f"{type(self).__name__}.__init__() takes 1 positional argument but {len(args) + 1} were given"
            )
        d = self.__dict__
        d["training"] = True
        d["_parameters"] = Registry(self)
        d["_buffers"] = Registry(self)
        d["_non_persistent_buffers_set"] = set()
        d["_is_full_backward_hook"] = None
        for name in _HOOK_DICTS:
            d[name] = OrderedDict()
        d["_modules"] = Registry(self)
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    # -- calling --------------------------------------------------------------------------------------
    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the module's output; every subclass writes its own."""
        raise NotImplementedError(
            f'Module [{type(self).__name__}] is missing the required "forward" function; define forward(self, x) in the class'
        )

    def _cure(self, *args: Any, **kwargs: Any) -> str | None:
        """Say what would help after ``forward(*args, **kwargs)`` failed, or None where it is not known."""
        return None

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Accept what PyTorch's ``compile`` does; the kernels are compiled already.

        Raises:
            whatever ``taeda.compile`` raises for these arguments.
        """
        taeda.compile(self, *args, **kwargs)

    # -- registering ----------------------------------------------------------------------------------
    def _check_name(self, kind: str, name: Any, registry: str) -> None:
        if registry not in self.__dict__:
            raise self._too_soon(kind)
        if not isinstance(name, str):
            raise TypeError(f"[{type(self).__name__}] {kind} name should be a string. Got {type(name).__name__}")
        if "." in name:
            raise KeyError(f'[{type(self).__name__}] {kind} name can\'t contain ".", got: {name}; dots part the names of a path')
        if name == "":
            raise KeyError(f'[{type(self).__name__}] {kind} name can\'t be empty string ""')
        if name not in self.__dict__[registry] and self._has(name):
            raise KeyError(f"[{type(self).__name__}] attribute '{name}' already exists; choose another name, or del the attribute first")

    def _too_soon(self, kind: str) -> AttributeError:
        return AttributeError(
            f"[{type(self).__name__}] cannot assign {kind} before Module.__init__() call: super().__init__() comes first"
        )

    def _has(self, name: str) -> bool:
        # hasattr alone would end in __getattr__ for every new name: 1 us where this takes 0.1.
        d = self.__dict__
        if name in d or any(name in d[registry] for registry in ("_parameters", "_buffers", "_modules")):
            return True
        return hasattr(type(self), name) and hasattr(self, name)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter under ``name``; None keeps the name free of a value.

        Raises:
            TypeError: param is no ``Parameter``.
            KeyError: the name is taken, empty or has a dot.
            ValueError: param is the result of an operation.

        >>> import taeda
        >>> from taeda import nn
        >>> net = nn.Module()
        >>> net.register_parameter("scale", nn.Parameter(taeda.ones(2)))
        >>> net.register_parameter("shift", None)
        >>> [name for name, _ in net.named_parameters()], net.shift
        (['scale'], None)
        """
        self._check_name("parameter", name, "_parameters")
        if param is not None:
            if not isinstance(param, Parameter):
                raise TypeError(
                    f"[{type(self).__name__}] cannot assign '{taeda.typename(param)}' object to parameter '{name}' "
                    "(taeda.nn.Parameter or None required)" + _cure_of(param)
                )
            if param.grad_fn is not None:
                raise ValueError(
                    f"[{type(self).__name__}] Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be created "
                    f"explicitly. To express '{name}' as a function of another Tensor, compute the value in the "
                    "forward() method."
                )
            for hook in _hooks.global_parameter_registration.values():
                result = hook(self, name, param)
                if result is not None:
                    param = result
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that is not a parameter, such as a running mean.

        Args:
            name: the attribute it is reached by.
            tensor: the buffer; None keeps the name free of a value.
            persistent: whether it is part of ``state_dict``.

        >>> import taeda
        >>> from taeda import nn
        >>> m = nn.Module()
        >>> m.register_buffer("mean", taeda.zeros(2))
        >>> m.mean
        tensor([0., 0.])
        """
        self._check_name("buffer", name, "_buffers")
        if tensor is not None and not _stands_for_tensor(tensor):
            raise TypeError(
                f"[{type(self).__name__}] cannot assign '{taeda.typename(tensor)}' object to buffer '{name}' "
                "(taeda Tensor or None required); taeda.tensor(...) makes one of numbers"
            )
        for hook in _hooks.global_buffer_registration.values():
            result = hook(self, name, tensor)
            if result is not None:
                tensor = result
        self._buffers[name] = tensor
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a child module under ``name``.

        Raises:
            TypeError: module is no ``Module``.
            KeyError: the name is taken, empty or has a dot.

        >>> from taeda import nn
        >>> net = nn.Module()
        >>> net.add_module("act", nn.ReLU())
        >>> net.act
        ReLU()
        """
        if not isinstance(module, Module) and module is not None:
            hint = ""
            if isinstance(module, (list, tuple)):
                hint = f"; unpack it: {type(self).__name__}(*layers)"
            elif isinstance(module, type):
                hint = f" but a class; make a layer of it: {module.__name__}(...)"
            elif callable(module):
                hint = " but a function; call it in forward, or take the layer that does the same"
            raise TypeError(f"[{type(self).__name__}] {taeda.typename(module)} is not a Module subclass{hint}")
        self._check_name("module", name, "_modules")
        self._put_module(name, module)

    def register_module(self, name: str, module: Module | None) -> None:
        """Add a child module under ``name`` (another name of ``add_module``)."""
        self.add_module(name, module)

    def _put_module(self, name: str, module: Module | None) -> None:
        for hook in _hooks.global_module_registration.values():
            result = hook(self, name, module)
            if result is not None:
                module = result
        self._modules[name] = module

    def __setattr__(self, name: str, value: Any) -> None:
        d = self.__dict__
        if isinstance(value, Parameter):
            if "_parameters" not in d:
                raise self._too_soon("parameters")
            self._forget(name, "_parameters")
            self.register_parameter(name, value)
        elif name in d.get("_parameters", ()):
            if value is not None:
                raise TypeError(
                    f"[{type(self).__name__}] cannot assign '{taeda.typename(value)}' as parameter '{name}' "
                    "(taeda.nn.Parameter or None expected)" + _cure_of(value)
                )
            self.register_parameter(name, None)
        elif isinstance(value, Module):
            if "_modules" not in d:
                raise self._too_soon("module")
            self._forget(name, "_modules")
            self._put_module(name, value)
        elif name in d.get("_modules", ()):
            if value is not None:
                raise TypeError(
                    f"[{type(self).__name__}] cannot assign '{taeda.typename(value)}' as child module '{name}' "
                    "(taeda.nn.Module or None expected); a module's name is its own: give the result another"
                )
            self._put_module(name, None)
        elif isinstance(value, Buffer) or name in d.get("_buffers", ()):
            if "_buffers" not in d:
                raise self._too_soon("buffer")
            if value is not None and not _stands_for_tensor(value):
                raise TypeError(
                    f"[{type(self).__name__}] cannot assign '{taeda.typename(value)}' as buffer '{name}' "
                    "(taeda.nn.Buffer, taeda.Tensor or None expected)"
                )
            persistent = value.persistent if isinstance(value, Buffer) else name not in d["_non_persistent_buffers_set"]
            # by the default where that will do: programs have register_buffer without it
            self.register_buffer(name, value, *(() if persistent else (False,)))
        elif name in ("_parameters", "_buffers", "_modules"):
            for member in d.get(name, ()):              # the attributes that repeat what is replaced
                d.pop(member, None)
            d[name] = Registry(self, value)
        else:
            object.__setattr__(self, name, value)

    def _forget(self, name: str, kept: str) -> None:
        """Take ``name`` away from everything but the registry ``kept``."""
        d = self.__dict__
        for registry in ("_parameters", "_buffers", "_modules"):
            if registry != kept and name in d[registry]:
                del d[registry][name]
        if kept != "_buffers":
            d["_non_persistent_buffers_set"].discard(name)
        if name not in d[kept]:
            d.pop(name, None)

    def __getattr__(self, name: str) -> Any:
        # Reached only when there is no such attribute: members are attributes too, as a rule (see Registry).
        for registry in ("_parameters", "_buffers", "_modules"):
            members = self.__dict__.get(registry)
            if members is not None and name in members:
                return members[name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'", name=name, obj=self)

    def __delattr__(self, name: str) -> None:
        for registry in ("_parameters", "_buffers", "_modules"):
            if name in self.__dict__.get(registry, ()):
                del self.__dict__[registry][name]
                self._non_persistent_buffers_set.discard(name)
                return
        if name not in self.__dict__ and not hasattr(type(self), name):
            raise AttributeError(
                f"'{type(self).__name__}' object has no attribute '{name}'", name=name, obj=self
            )
        super().__delattr__(name)

    # -- changing all at once -------------------------------------------------------------------------
    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """Call ``fn`` on every module below this one, then on this one; often to initialise.

        >>> from taeda import nn
        >>> net = nn.Sequential(nn.Linear(1, 1), nn.ReLU())
        >>> _ = net.apply(lambda m: print(type(m).__name__))
        Linear
        ReLU
        Sequential
        """
        if self._modules:
            for module in self.children():
                module.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True) -> Self:
        """Set training mode, of all modules below too: dropout drops, batch norm uses the batch's statistics; return the module.

        Raises:
            ValueError: ``mode`` is not a bool.

        >>> from taeda import nn
        >>> net = nn.Sequential(nn.Dropout())
        >>> net.train().training, net.train(False)[0].training
        (True, False)
        """
        if not isinstance(mode, bool):
            raise ValueError(f"[{type(self).__name__}.train] training mode is expected to be boolean, got {mode!r}")
        if type(self).__setattr__ is Module.__setattr__:
            object.__setattr__(self, "training", mode)     # no member: what __setattr__ looks for takes a microsecond
        else:
            self.training = mode
        if self._modules:
            for module in self.children():
                module.train(mode)
        return self

    def eval(self) -> Self:
        """Set evaluation mode, the same as ``train(False)``: dropout does nothing, batch norm uses its running statistics.

        Gradients are recorded all the same; ``taeda.no_grad()`` is what leaves them out.

        >>> import taeda
        >>> from taeda import nn
        >>> nn.Dropout(0.9).eval()(taeda.ones(3))
        tensor([1., 1., 1.])
        """
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Say of all parameters whether gradients are wanted, such as to freeze a part of a model; return the module.

        >>> from taeda import nn
        >>> net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
        >>> _ = net[0].requires_grad_(False)
        >>> [name for name, p in net.named_parameters() if p.requires_grad]
        ['1.weight', '1.bias']
        """
        for param in self.parameters():
            param.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or with ``set_to_none=False`` fill them with zero.

        >>> import taeda
        >>> from taeda import nn
        >>> layer = nn.Linear(2, 1)
        >>> layer(taeda.ones(2)).backward()
        >>> layer.zero_grad()
        >>> print(layer.weight.grad)
        None
        """
        for param in self.parameters():
            if param.grad is not None:
                if set_to_none:
                    param.grad = None
                elif param.grad.grad_fn is not None:
                    param.grad.detach_().zero_()
                else:
                    param.grad.requires_grad_(False).zero_()

    # -- copying --------------------------------------------------------------------------------------
    def __getstate__(self) -> dict[str, Any]:
        """Return ``__dict__`` without the attributes that repeat a registry's entries."""
        return self._without_repeats(self.__dict__)

    @staticmethod
    def _without_repeats(state: dict[str, Any]) -> dict[str, Any]:
        state = state.copy()
        for registry in ("_parameters", "_buffers", "_modules"):
            for name in state.get(registry, ()):
                state.pop(name, None)
        return state

    def __reduce_ex__(self, protocol: Any) -> Any:
        # A class's own __getstate__ and __setstate__ may hand on __dict__ as it is: a repeated entry in it would not follow its registry.
        made = super().__reduce_ex__(protocol)
        if not isinstance(made, tuple) or len(made) < 3 or type(self).__getstate__ is Module.__getstate__ or type(made[2]) is not dict:
            return made
        return (*made[:2], self._without_repeats(made[2]), *made[3:])

    def __setstate__(self, state: dict[str, Any]) -> None:
        d = self.__dict__
        d.update(state)
        for name in _HOOK_DICTS:
            if name not in d:
                d[name] = OrderedDict()
        d.setdefault("_non_persistent_buffers_set", set())
        d.setdefault("_is_full_backward_hook", None)
        for registry in ("_parameters", "_buffers", "_modules"):
            d[registry] = Registry(self, d.get(registry, {}))
        if has_hooks(self):
            self._mark_hooked()

    # -- showing --------------------------------------------------------------------------------------
    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """Return what stands between the brackets of ``repr``; a subclass gives its arguments.

        >>> from taeda import nn
        >>> class Scale(nn.Module):
        ...     def extra_repr(self):
        ...         return "factor=2"
        >>> Scale()
        Scale(factor=2)
        """
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        head = extra.split("\n") if extra else []
        below = [f"({name}): {indent(repr(module), 2)}" for name, module in self._modules.items()]
        if not below and len(head) <= 1:
            return f"{self._get_name()}({extra})"
        return f"{self._get_name()}(\n  " + "\n  ".join(head + below) + "\n)"

    def __dir__(self) -> list[str]:
        names = {*dir(type(self)), *self.__dict__}
        for registry in ("_parameters", "_buffers", "_modules"):
            names.update(self.__dict__.get(registry, ()))
        return sorted(name for name in names if not name[:1].isdigit())


Registry.lookup = Module.__getattr__
