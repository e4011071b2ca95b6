"""Optimizer: parameter groups, the state of each parameter, saving and loading both, hooks around a step."""

from __future__ import annotations

import functools
import os
import warnings
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any, ClassVar

import taeda
from taeda import Tensor
from taeda.optim._shared import *  # noqa: F403  programs find it here
from taeda.optim._shared import _get_scalar_dtype
from taeda.utils._foreach_utils import (
    Indices as Indices,
    TensorListList as TensorListList,
    _foreach_supported_types as _foreach_supported_types,
    _get_foreach_kernels_supported_devices as _get_foreach_kernels_supported_devices,
    _get_fused_kernels_supported_devices as _get_fused_kernels_supported_devices,
    _group_tensors_by_device_and_dtype,
)
from taeda.utils.hooks import RemovableHandle, add_hook

__all__ = ["Optimizer", "register_optimizer_step_post_hook", "register_optimizer_step_pre_hook", "required"]


class _Required:
    """Stands in ``defaults`` for an option that every parameter group must give."""

    def __repr__(self) -> str:
        return "<required parameter>"


required = _Required()

ParamsT = Iterable[Tensor] | Iterable[dict[str, Any]] | Iterable[tuple[str, Tensor]]


_global_pre_hooks: OrderedDict[int, Callable[..., Any]] = OrderedDict()
_global_post_hooks: OrderedDict[int, Callable[..., Any]] = OrderedDict()
_zero_grad_timers: OrderedDict[int, Callable[[str], Any]] = OrderedDict()     # a running profiler's record_function


def register_optimizer_step_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(optimizer, args, kwargs)`` before each step of any optimizer; it may return both anew."""
    return add_hook(_global_pre_hooks, hook)


def register_optimizer_step_post_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(optimizer, args, kwargs)`` after every step of every optimizer."""
    return add_hook(_global_post_hooks, hook)


def _hooked(step: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a class's step: hooks around it, and a note that the optimizer has stepped, for the schedules."""

    @functools.wraps(step)
    def run(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
        if not (_global_pre_hooks or _global_post_hooks or self._optimizer_step_pre_hooks or self._optimizer_step_post_hooks):
            out = step(self, *args, **kwargs)
            self._opt_called = True
            return out
        whole = (self, *args)  # PyTorch's hooks see the optimizer in args
        for hook in (*_global_pre_hooks.values(), *self._optimizer_step_pre_hooks.values()):
            new = hook(self, whole, kwargs)
            if new is None:
                continue
            if not (isinstance(new, tuple) and len(new) == 2):
                raise RuntimeError(
                    f"[{self._name}.step] {hook} must return None or a tuple of (new_args, new_kwargs), but got {new!r}"
                )
            whole, kwargs = new
        out = step(*whole, **kwargs)
        self._opt_called = True
        for hook in (*self._optimizer_step_post_hooks.values(), *_global_post_hooks.values()):
            hook(self, whole, kwargs)
        return out

    run.hooked = True  # type: ignore[attr-defined]
    return run


_HOOK_DICTS = tuple(f"_optimizer_{when}_hooks" for when in (
    "step_pre", "step_post", "state_dict_pre", "state_dict_post", "load_state_dict_pre", "load_state_dict_post"))
_UNCHANGING = frozenset((bool, float, int, str, type(None)))  # types of options that need no copy


def _copied(groups: Any) -> Any:
    """Copy parameter groups of a saved state; most options are numbers, which ``deepcopy`` takes its time to find out."""
    if type(groups) is not list or not all(type(group) is dict for group in groups):
        return deepcopy(groups)
    memo: dict[int, Any] = {}
    return [{key: value if type(value) in _UNCHANGING else deepcopy(value, memo) for key, value in group.items()} for group in groups]


class Optimizer:
    """Base of all optimizers.

    Args:
        params: an iterable of tensors, of (name, tensor) pairs, or of dicts, each a parameter group with
            options of its own; the order must be the same from run to run.
        defaults: options of the groups that do not give their own.

    Raises TypeError for a single tensor or a set, ValueError for no parameters and for non-leaf tensors.

    A subclass defines ``step``:

    >>> import taeda
    >>> from taeda.optim import Optimizer
    >>> class SignDescent(Optimizer):
    ...     def __init__(self, params, lr=0.1):
    ...         super().__init__(params, {"lr": lr})
    ...     @taeda.no_grad()
    ...     def step(self, closure=None):
    ...         for group in self.param_groups:
    ...             for p in group["params"]:
    ...                 p -= group["lr"] * p.grad.sign()
    >>> w = taeda.tensor([1.0, -1.0], requires_grad=True)
    >>> opt = SignDescent([w], lr=0.5)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w.tolist()
    [0.5, -0.5]
    """

    _numbers: ClassVar[tuple[str, ...]] = ("step",)  # state that is one number, whatever the parameter's shape

    defaults: dict[str, Any]
    state: defaultdict[Any, Any]
    param_groups: list[dict[str, Any]]
    _opt_called: bool = False
    _watched_step: Any = None  # the function that its step was when its schedule was made
    _optimizer_step_pre_hooks: OrderedDict[int, Callable[..., Any]]
    _optimizer_step_post_hooks: OrderedDict[int, Callable[..., Any]]
    _optimizer_state_dict_pre_hooks: OrderedDict[int, Callable[..., Any]]
    _optimizer_state_dict_post_hooks: OrderedDict[int, Callable[..., Any]]
    _optimizer_load_state_dict_pre_hooks: OrderedDict[int, Callable[..., Any]]
    _optimizer_load_state_dict_post_hooks: OrderedDict[int, Callable[..., Any]]

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self._prepare()
        if isinstance(params, Tensor):
            raise TypeError(
                f"[{self._name}] params argument given to the optimizer should be an iterable of Tensors "
                f"or dicts, but got a Tensor of shape {tuple(params.shape)}; put it in a list"
            )
        if type(params) is not list and not isinstance(params, Iterable):  # asking the abstract class takes a third of a microsecond
            raise TypeError(
                f"[{self._name}] params argument given to the optimizer should be an iterable of Tensors or dicts, but got {_what(params)}"
            )
        self.state = defaultdict(dict)
        self.param_groups = []
        groups = list(params)
        if not groups:
            raise ValueError(
                f"[{self._name}] optimizer got an empty parameter list; a generator such as model.parameters() can be read only "
                "once, and layers in a plain list are not the model's: put them in nn.ModuleList"
            )
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    @property
    def _name(self) -> str:
        return type(self).__name__

    def _prepare(self) -> None:
        """Give the object what is not saved with it: hooks, and the class a wrapped step."""
        d = self.__dict__
        for name in _HOOK_DICTS:
            if name not in d:
                d[name] = OrderedDict()
        self._patch_step_function()

    def _patch_step_function(self) -> None:
        """Let the class's step run the hooks: for optimizers around another one, which do not call ``__init__``."""
        cls = type(self)
        if not getattr(cls.step, "hooked", False):
            cls.step = _hooked(cls.step)  # type: ignore[method-assign]

    profile_hook_step = staticmethod(_hooked)  # PyTorch's name of it

    def _cuda_graph_capture_health_check(self) -> None:
        """Do nothing: steps that programs write after PyTorch's begin with it, and nothing is captured here."""

    _accelerator_graph_capture_health_check = _cuda_graph_capture_health_check

    def __getstate__(self) -> dict[str, Any]:
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._prepare()
        self.defaults.setdefault("differentiable", False)

    def __repr__(self) -> str:
        text = f"{self._name} ("
        for i, group in enumerate(self.param_groups):
            text += f"\nParameter Group {i}\n"
            text += "".join(f"    {key}: {group[key]}\n" for key in sorted(group) if key != "params")
        return text + ")"

    # -- hooks -----------------------------------------------------------------------------------------

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` before each step; it may return both anew."""
        return add_hook(self._optimizer_step_pre_hooks, hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` after each step."""
        return add_hook(self._optimizer_step_post_hooks, hook)

    def register_state_dict_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer)`` before the state is collected."""
        return add_hook(self._optimizer_state_dict_pre_hooks, hook, prepend)

    def register_state_dict_post_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` after it; what it returns, unless None, is used instead."""
        return add_hook(self._optimizer_state_dict_post_hooks, hook, prepend)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` before loading; it may return another dict to load."""
        return add_hook(self._optimizer_load_state_dict_pre_hooks, hook, prepend)

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer)`` after loading."""
        return add_hook(self._optimizer_load_state_dict_post_hooks, hook, prepend)

    # -- saving and loading ----------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Return ``{"state": {index: ...}, "param_groups": [...]}``; parameters are named by their position.

        The tensors in it are those of the optimizer, not copies.

        >>> import taeda
        >>> from taeda import optim
        >>> opt = optim.SGD([taeda.ones(2, requires_grad=True)], lr=0.1, momentum=0.9)
        >>> saved = opt.state_dict()
        >>> saved["state"], saved["param_groups"][0]["momentum"], saved["param_groups"][0]["params"]
        ({}, 0.9, [0])
        """
        for hook in self._optimizer_state_dict_pre_hooks.values():
            hook(self)
        index: dict[int, int] = {}
        start = 0
        groups = []
        for group in self.param_groups:
            for i, p in enumerate(group["params"], start):
                index.setdefault(id(p), i)
            start += len(group["params"])
            packed = {key: value for key, value in group.items() if key != "params"}
            packed["params"] = [index[id(p)] for p in group["params"]]
            groups.append(packed)
        state = {index[id(key)] if isinstance(key, Tensor) else key: value for key, value in self.state.items()}
        result: dict[str, Any] = {"state": state, "param_groups": groups}
        for hook in self._optimizer_state_dict_post_hooks.values():
            new = hook(self, result)
            if new is not None:
                result = new
        return result

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what ``state_dict()`` of an optimizer with the same groups returned, also PyTorch's.

        Tensors are copied, to each parameter's dtype and device; nothing changes where an error is raised.

        Raises ValueError where the number of groups, or of parameters in one, or the shape of a state differs;
        KeyError for what is missing, TypeError for what is no optimizer's state.

        >>> import taeda
        >>> from taeda import optim
        >>> first, second = (optim.Adam([taeda.ones(2, requires_grad=True)], lr=lr) for lr in (0.1, 0.5))
        >>> second.load_state_dict(first.state_dict())
        >>> second.param_groups[0]["lr"]
        0.1
        """
        if not hasattr(state_dict, "copy"):
            hint = "; taeda.load(path) reads a file" if isinstance(state_dict, (str, os.PathLike)) else ""
            raise AttributeError(f"[{self._name}.load_state_dict] expected a dict, got {type(state_dict).__name__}{hint}")
        state_dict = state_dict.copy()
        for hook in self._optimizer_load_state_dict_pre_hooks.values():
            new = hook(self, state_dict)
            if new is not None:
                state_dict = new
        for key in ("state", "param_groups"):
            if key not in state_dict:
                raise KeyError(f"[{self._name}.load_state_dict] no {key!r} in the state_dict; its keys are {list(state_dict)}")
        saved = _copied(state_dict["param_groups"])
        _check_layout(self._name, state_dict["state"], saved)
        if len(saved) != len(self.param_groups):
            raise ValueError(
                f"[{self._name}.load_state_dict] loaded state dict has a different number of parameter "
                f"groups: {len(saved)}, the optimizer has {len(self.param_groups)}"
            )
        for i, (group, new) in enumerate(zip(self.param_groups, saved, strict=True)):
            if len(group["params"]) != len(new["params"]):
                raise ValueError(
                    f"[{self._name}.load_state_dict] loaded state dict contains a parameter group that "
                    f"doesn't match the size of optimizer's group: group {i} has {len(new['params'])} "
                    f"parameters there, {len(group['params'])} here"
                )
        targets: dict[Any, tuple[Tensor, dict[str, Any]]] = {}
        for group, new in zip(self.param_groups, saved, strict=True):
            targets.update((index, (p, new)) for index, p in zip(new["params"], group["params"], strict=True))
        state: defaultdict[Any, Any] = defaultdict(dict)
        for index, values in state_dict["state"].items():
            if index in targets:
                p, group = targets[index]
                needed = self._needed_state(group)
                if needed is not None:
                    self._check_state(index, p, values, needed)
                state[p] = self._fit(values, p, group)
            else:
                state[index] = values
        for group, new in zip(self.param_groups, saved, strict=True):
            new["params"] = group["params"]
            if "param_names" in group:
                new.setdefault("param_names", group["param_names"])
            for name, default in self.defaults.items():  # an option that the saver did not know yet
                if name in group and default is not required:
                    new.setdefault(name, default)
        self.__setstate__({"state": state, "param_groups": saved})
        for hook in self._optimizer_load_state_dict_post_hooks.values():
            hook(self)

    def _needed_state(self, group: dict[str, Any]) -> tuple[str, ...] | None:
        """Name what the state of a parameter must hold to be loaded; None: this class does not say."""
        return None

    def _check_state(self, index: Any, p: Tensor, values: Any, needed: tuple[str, ...]) -> None:
        """Raise where a parameter's loaded state lacks something, or is that of a parameter of another shape."""
        where = f"[{self._name}.load_state_dict] the state of parameter {index}"
        if not isinstance(values, dict):
            raise TypeError(f"{where} must be a dict, got {type(values).__name__}")
        for key in needed if values else ():  # nothing yet: it is made in the first step
            if key not in values:
                raise KeyError(f"{where} has no {key!r}; it has {list(values)}: was it saved by another optimizer?")
        for key, value in values.items():
            shape = getattr(value, "shape", None)
            if key in self._numbers:
                if not isinstance(value, (int, float)) and (shape is None or value.numel() != 1):
                    raise TypeError(f"{where} must have one number as {key!r}, got {type(value).__name__}")
            elif shape is None:
                if key in needed:
                    raise TypeError(f"{where} must have a Tensor as {key!r}, got {type(value).__name__}")
            elif tuple(shape) != tuple(p.shape):
                raise ValueError(
                    f"{where} has {key!r} of shape {tuple(shape)}, but the parameter's is {tuple(p.shape)}: "
                    f"is it the state of another model?"
                )

    def _fit(self, value: Any, p: Tensor, group: dict[str, Any], key: Any = None) -> Any:
        """Copy a piece of loaded state to where its parameter lives; a step count keeps its own dtype."""
        if value is None or isinstance(value, (int, float, str)):
            return value
        if not isinstance(value, Tensor) and hasattr(value, "__array__"):
            value = taeda.tensor(value.__array__())  # another framework's tensor, or NumPy's array
        if isinstance(value, Tensor):
            if key != "step":
                kept = not p.is_floating_point() or (key in self._numbers and p.itemsize < 4)
                dtype = value.dtype if kept else p.dtype
                moved = value if value.dtype is dtype and value.device == p.device else value.to(device=p.device, dtype=dtype)
            elif group.get("capturable") or group.get("fused"):
                moved = value.to(device=p.device, dtype=taeda.float32)
            else:
                moved = value
            return moved.detach().clone() if moved is value else moved
        if isinstance(value, dict):
            return {k: self._fit(v, p, group, k) for k, v in value.items()}
        if isinstance(value, (list, tuple, set)):
            return type(value)(self._fit(v, p, group) for v in value)
        return value

    # -- gradients and steps ---------------------------------------------------------------------------

    @staticmethod
    def _group_tensors_by_device_and_dtype(tensorlistlist: list[list[Any]], with_indices: bool = False) -> dict[Any, Any]:
        """Return parallel lists cut up by the device and dtype of the first list's tensors: (lists, where they stood)."""
        return _group_tensors_by_device_and_dtype(tensorlistlist, with_indices)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop the gradients of all parameters, or fill them with zeros where ``set_to_none`` is False.

        >>> import taeda
        >>> from taeda import optim
        >>> w = taeda.ones(1, requires_grad=True)
        >>> opt = optim.SGD([w], lr=0.1)
        >>> w.sum().backward()
        >>> opt.zero_grad()
        >>> print(w.grad)
        None
        """
        if not _zero_grad_timers:
            self._drop_gradients(set_to_none)
            return
        with next(iter(_zero_grad_timers.values()))(f"Optimizer.zero_grad#{self._name}.zero_grad"):
            self._drop_gradients(set_to_none)

    def _drop_gradients(self, set_to_none: bool) -> None:
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none:
                    p.grad = None
                    continue
                g = p.grad
                if g is not None:
                    if g.grad_fn is not None:
                        g.detach_()
                    else:
                        g.requires_grad_(False)
                    g.zero_()

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update all parameters; ``closure`` evaluates the model anew, and its loss is returned.

        >>> import taeda
        >>> from taeda import optim
        >>> w = taeda.tensor([3.0], requires_grad=True)
        >>> opt = optim.SGD([w], lr=0.5)
        >>> (w ** 2).sum().backward()
        >>> opt.step()
        >>> w
        tensor([0.], requires_grad=True)
        """
        raise NotImplementedError(f"[{self._name}] a subclass of Optimizer must define step")

    def _checked(self, params: Any) -> tuple[list[Tensor], list[str]]:
        """Return the parameters that a group is given, and their names if they have some; TypeError or ValueError for what is none."""
        if isinstance(params, set):
            raise TypeError(
                f"[{self._name}] optimizer parameters need to be organized in ordered collections, but "
                f"the ordering of tensors in sets will change between runs. Please use a list instead."
            )
        if type(params) is not list and not isinstance(params, Iterable):
            raise TypeError(f"[{self._name}] 'params' of a parameter group must be an iterable of Tensors, but got {_what(params)}")
        items = [params] if isinstance(params, Tensor) else list(params)
        names = [item[0] for item in items if isinstance(item, tuple)]
        if names and len(names) != len(items):
            raise ValueError(
                f"[{self._name}] all optimizer params should be with/without names. Some param names are "
                f"missing: {len(names)} of {len(items)} are named"
            )
        tensors = [item[1] for item in items] if names else items
        anything = self.defaults.get("differentiable")
        for i, p in enumerate(tensors):
            if not isinstance(p, Tensor):
                hint = "; keys are no parameters: give the values" if isinstance(p, str) else ""
                raise TypeError(
                    f"[{self._name}] optimizer can only optimize Tensors, but one of the params is {type(p).__name__} "
                    f"(at position {i}){hint}"
                )
            if not (p.is_leaf or anything or p.retains_grad):
                raise ValueError(
                    f"[{self._name}] can't optimize a non-leaf Tensor: the parameter at position {i}, of "
                    f"shape {tuple(p.shape)}, is a result of {type(p.grad_fn).__name__}; "
                    f"detach() it, or build it under taeda.no_grad()"
                )
        return tensors, names

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters with options of its own, such as layers that are unfrozen later.

        Raises TypeError for a group that is not a dict, parameters in a set, or what is not a tensor; ValueError for non-leaf tensors, a
        parameter that another group has, missing options, and names for some parameters only.

        >>> import taeda
        >>> from taeda import optim
        >>> head, body = taeda.ones(2, requires_grad=True), taeda.ones(3, requires_grad=True)
        >>> opt = optim.SGD([head], lr=0.1)
        >>> opt.add_param_group({"params": [body], "lr": 0.01})
        >>> [group["lr"] for group in opt.param_groups]
        [0.1, 0.01]
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"[{self._name}] param_group must be a dict, but got {type(param_group)}")
        if "params" not in param_group:
            raise KeyError(f"[{self._name}] a parameter group needs the key 'params'; its keys are {list(param_group)}")
        tensors, names = self._checked(param_group["params"])
        group = dict(param_group, params=tensors)
        if names:
            group["param_names"] = names
        for name, default in self.defaults.items():
            if default is required and name not in group:
                raise ValueError(f"[{self._name}] parameter group didn't specify a value of required optimization parameter {name}")
            group.setdefault(name, default)
        unique = set(tensors)
        if len(unique) != len(tensors):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; a parameter "
                "is stepped as often as it is there",
                stacklevel=3,
            )
        for other in self.param_groups:
            if ("param_names" in group) != ("param_names" in other):
                raise ValueError(
                    f"[{self._name}] all optimizer param groups should be with/without names. cannot add "
                    f"param group {'with' if names else 'without'} names to the optimizer"
                )
            if not unique.isdisjoint(other["params"]):
                raise ValueError(f"[{self._name}] some parameters appear in more than one parameter group")
        param_group.update(group)  # PyTorch completes the caller's dict and keeps it
        self.param_groups.append(param_group)


def _what(params: Any) -> str:
    """Say what was given in place of parameters, and what was meant where it is a module or its method."""
    owner = getattr(params, "__self__", params)
    return type(params).__name__ + ("; did you mean model.parameters()?" if hasattr(owner, "parameters") else "")


def _check_layout(name: str, state: Any, groups: Any) -> None:
    """Raise TypeError for what cannot be an optimizer's state_dict."""
    if not isinstance(state, dict):
        raise TypeError(f"[{name}.load_state_dict] 'state' must be a dict, got {type(state).__name__}")
    if not isinstance(groups, (list, tuple)):
        raise TypeError(f"[{name}.load_state_dict] 'param_groups' must be a list, got {type(groups).__name__}")
    for i, group in enumerate(groups):
        if not isinstance(group, dict) or not isinstance(group.get("params"), (list, tuple)):
            raise TypeError(f"[{name}.load_state_dict] parameter group {i} must be a dict with a list of indices under 'params'")


def loss_of(closure: Callable[[], Any]) -> Any:
    """Evaluate a step's closure, which needs gradients whatever the step itself records; return its loss."""
    with taeda.enable_grad():
        return closure()


def new_number(group: dict[str, Any], p: Tensor, start: float = 0.0) -> Tensor:
    """Make a parameter's step count or the like; it stays on the cpu unless a captured graph has to reach it."""
    near = group.get("capturable") or group.get("fused")
    return taeda.tensor(start, dtype=_get_scalar_dtype(group.get("fused")), device=p.device if near else "cpu")
