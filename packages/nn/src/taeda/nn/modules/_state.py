"""state_dict and load_state_dict: a module's parameters and buffers by name, out and in."""

from __future__ import annotations

import os
import warnings
import weakref
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import taeda
from taeda import Tensor
from taeda.nn.parameter import Parameter, is_lazy
from taeda.settings import CONVERSION
from taeda.utils import swap_tensors
from taeda.utils.hooks import RemovableHandle, add_hook

if TYPE_CHECKING:
    from taeda.nn.modules.module import Module

EXTRA_STATE = "_extra_state"


class _Keys(NamedTuple):
    missing_keys: list[str]
    unexpected_keys: list[str]


class _IncompatibleKeys(_Keys):
    """What a load without ``strict`` left over: keys that were not there, and keys that nobody wanted."""

    __slots__ = ()

    def __repr__(self) -> str:
        return (
            f"_IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"
            if self.missing_keys or self.unexpected_keys
            else "<All keys matched successfully>"
        )

    __str__ = __repr__


def _entry_with(state: Any, missing: list[str]) -> str:
    """Return the key of the entry that is itself a state with all the missing keys, or nothing."""
    parts = (key for key, value in state.items() if isinstance(value, Mapping) and missing and all(name in value for name in missing))
    return next(parts, "")


def _cure_of_prefix(missing: list[str], unexpected: list[str]) -> str:
    """Say what to do where all keys of the state have a prefix that the module's do not have, or the module's one that they do not."""
    if prefix := _common_prefix(missing, unexpected):
        return (
            f'The keys begin with "{prefix}", which this module\'s do not; '
            f'nn.modules.utils.consume_prefix_in_state_dict_if_present(state_dict, "{prefix}") takes it off.'
        )
    if (prefix := _common_prefix(unexpected, missing)).endswith("."):
        return (
            f'This module\'s keys begin with "{prefix}", which the state\'s do not; did you mean to load it into '
            f'.get_submodule("{prefix[:-1]}")?'
        )
    return ""


def _common_prefix(missing: list[str], unexpected: list[str]) -> str:
    """Return what stands before every unexpected key, ``module.`` say, and makes of it a missing one; "" for no such thing."""
    prefix = unexpected[0].removesuffix(missing[0]) if missing and unexpected else ""
    return prefix if {prefix + key for key in missing} == set(unexpected) else ""


class StateMethods:
    """The part of ``Module`` that reads and writes its state."""

    _version: int = 1
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    if TYPE_CHECKING:  # typing.get_type_hints would not find the name
        _modules: dict[str, Module | None]
    _non_persistent_buffers_set: set[str]
    _state_dict_hooks: OrderedDict[int, Callable[..., Any]]
    _state_dict_pre_hooks: OrderedDict[int, Callable[..., Any]]
    _load_state_dict_pre_hooks: OrderedDict[int, Callable[..., Any]]
    _load_state_dict_post_hooks: OrderedDict[int, Callable[..., Any]]

    # -- out ------------------------------------------------------------------------------------------
    def state_dict(
        self, *args: Any, destination: Any = None, prefix: str = "", keep_vars: bool = False
    ) -> OrderedDict[str, Any]:
        """Return parameters and persistent buffers by name, children under ``name.``.

        The tensors share the module's memory: copy them (``copy.deepcopy``) to keep a moment.

        Args:
            destination: a dict to fill instead of a new one.
            prefix: put in front of each name.
            keep_vars: give the parameters themselves, with their gradients, instead of detached tensors.

        >>> from taeda import nn
        >>> list(nn.Sequential(nn.Linear(2, 3), nn.ReLU()).state_dict())
        ['0.weight', '0.bias']
        """
        if args:  # deprecated by PyTorch
            warnings.warn(
                "Positional args are being deprecated, use kwargs instead. Refer to Module.state_dict for details.",
                FutureWarning,
                stacklevel=2,
            )
            given = dict(zip(("destination", "prefix", "keep_vars"), args, strict=False))
            destination = given.get("destination") if destination is None else destination
            prefix = given.get("prefix", "") if prefix == "" else prefix
            keep_vars = given.get("keep_vars", False) if keep_vars is False else keep_vars
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        local_metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = local_metadata
        for hook in self._state_dict_pre_hooks.values():
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook in self._state_dict_hooks.values():
            result = hook(self, destination, prefix, local_metadata)
            if getattr(hook, "_from_public_api", False):
                if result is not None:
                    raise RuntimeError(f"[state_dict] state_dict post-hook must return None, got {type(result).__name__}")
            elif result is not None:
                destination = result
        return destination

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        """Put this module's own state, without its children's, into ``destination``."""
        for name, param in self._parameters.items():
            if param is not None:
                destination[prefix + name] = param if keep_vars else param.detach()
        for name, buf in self._buffers.items():
            if buf is not None and name not in self._non_persistent_buffers_set:
                destination[prefix + name] = buf if keep_vars else buf.detach()
        if _has_extra_state(self):
            destination[prefix + EXTRA_STATE] = self.get_extra_state()

    def get_extra_state(self) -> Any:
        """Return what else a subclass wants in its ``state_dict``; define ``set_extra_state`` with it.

        >>> from taeda import nn
        >>> class Counter(nn.Module):
        ...     steps = 3
        ...     def get_extra_state(self):
        ...         return {"steps": self.steps}
        ...     def set_extra_state(self, state):
        ...         self.steps = state["steps"]
        >>> Counter().state_dict()["_extra_state"]
        {'steps': 3}
        """
        raise RuntimeError(
            f"[get_extra_state] {type(self).__name__} defines set_extra_state but not get_extra_state; define both"
        )

    def set_extra_state(self, state: Any) -> None:
        """Take back what ``get_extra_state`` gave."""
        raise RuntimeError(
            f"[set_extra_state] {type(self).__name__} defines get_extra_state but not set_extra_state; define both"
        )

    # -- in -------------------------------------------------------------------------------------------
    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> _IncompatibleKeys:
        """Copy the tensors of ``state_dict`` into this module's parameters and buffers.

        Args:
            state_dict: names and tensors, as ``state_dict()`` of a like module (or of PyTorch's) gives.
            strict: demand that the names match exactly.
            assign: make the given tensors the module's own instead of copying their values.

        Returns:
            the missing and the unexpected keys.

        Raises:
            RuntimeError: shapes differ, or with ``strict`` names do; one report lists all of them.
            TypeError: state_dict is not a mapping.

        >>> import taeda
        >>> from taeda import nn
        >>> layer = nn.Linear(2, 1)
        >>> layer.load_state_dict({"weight": taeda.ones(1, 2), "bias": taeda.zeros(1)})
        <All keys matched successfully>
        >>> layer.load_state_dict({"weight": taeda.ones(1, 2), "scale": taeda.ones(1)}, strict=False)
        _IncompatibleKeys(missing_keys=['bias'], unexpected_keys=['scale'])
        """
        if not isinstance(state_dict, Mapping):
            hint = " hint: taeda.load(path) reads a file." if isinstance(state_dict, (str, os.PathLike)) else ""
            if hasattr(state_dict, "state_dict"):
                hint = " hint: did you mean its .state_dict()?"
            raise TypeError(f"[load_state_dict] Expected state_dict to be dict-like, got {type(state_dict)}.{hint}")
        metadata = getattr(state_dict, "_metadata", None)
        state: Any = OrderedDict(state_dict)
        if metadata is not None:
            state._metadata = metadata
        report = _Report(assign)
        _load(self, state, metadata, "", report)
        if strict:
            for title, keys in (("Unexpected", report.unexpected), ("Missing", report.missing)):
                if keys:
                    names = ", ".join(f'"{k}"' for k in keys)
                    report.errors.insert(0, f"{title} key(s) in state_dict: {names}. ")
        if strict and (cure := _cure_of_prefix(report.missing, report.unexpected)):
            report.errors.append(cure)
        if strict and (inside := _entry_with(state, report.missing)):
            report.errors.append(f'state_dict["{inside}"] has the missing keys: a checkpoint of several parts; did you mean to load that?')
        if report.errors:
            lines = "\n\t".join(report.errors)
            raise RuntimeError(f"Error(s) in loading state_dict for {type(self).__name__}:\n\t{lines}")
        return _IncompatibleKeys(report.missing, report.unexpected)

    def _load_from_state_dict(
        self,
        state_dict: Any,
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Copy this module's own state, without its children's, from ``state_dict``.

        Mistakes are appended to the three lists, so that one report can name them all.
        """
        for hook in self._load_state_dict_pre_hooks.values():
            hook(state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
        assign = local_metadata.get("assign_to_params_buffers", False)
        buffers = {k: v for k, v in self._buffers.items() if k not in self._non_persistent_buffers_set}
        own = {k: v for k, v in (*self._parameters.items(), *buffers.items()) if v is not None}
        for name, target in own.items():
            key = prefix + name
            if key not in state_dict:
                if strict:
                    missing_keys.append(key)
                continue
            message = _load_one(self, name, key, target, state_dict[key], assign)
            if message:
                error_msgs.append(message)
        extra_key = prefix + EXTRA_STATE
        if type(self).set_extra_state is not StateMethods.set_extra_state:
            if extra_key in state_dict:
                self.set_extra_state(state_dict[extra_key])
            elif strict:
                missing_keys.append(extra_key)
        elif strict and extra_key in state_dict:
            unexpected_keys.append(extra_key)
        if strict:
            for key in state_dict:
                if key.startswith(prefix) and key != extra_key:
                    head, *rest = key[len(prefix) :].split(".", 1)
                    if (head not in self._modules) if rest else (head not in own):
                        unexpected_keys.append(key)

    # -- hooks ----------------------------------------------------------------------------------------
    def register_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Run ``hook(module, prefix, keep_vars)`` before ``state_dict``."""
        return add_hook(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Run ``hook(module, state_dict, prefix, local_metadata)`` after ``state_dict``; it edits in place."""
        hook._from_public_api = True  # type: ignore[attr-defined]
        return add_hook(self._state_dict_hooks, hook)

    def _register_state_dict_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        if getattr(hook, "_from_public_api", False):
            raise RuntimeError(
                "[state_dict] Cannot register the same function as the state dict post hook that was previously registered "
                "via register_state_dict_post_hook"
            )
        return add_hook(self._state_dict_hooks, hook)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Run ``hook(module, state_dict, prefix, local_metadata, strict, missing, unexpected, errors)`` first."""
        return self._register_load_state_dict_pre_hook(hook, with_module=True)

    def _register_load_state_dict_pre_hook(
        self, hook: Callable[..., Any], with_module: bool = False
    ) -> RemovableHandle:
        return add_hook(self._load_state_dict_pre_hooks, _WrappedHook(hook, self if with_module else None))

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Run ``hook(module, incompatible_keys)`` after ``load_state_dict``; it edits the keys in place."""
        return add_hook(self._load_state_dict_post_hooks, hook)


class _WrappedHook:
    """A load hook, with the module in front where it asked for it.  Copies and pickles with its module, which it does not keep alive.

    Name and state are PyTorch's: pickled models have such hooks, those of spectral norms for one.
    """

    def __init__(self, hook: Callable[..., Any], module: Any) -> None:
        self.hook = hook
        self._module = None if module is None else weakref.ref(module)

    @property
    def module(self) -> Any:
        return None if self._module is None else self._module()

    @property
    def with_module(self) -> bool:
        return self._module is not None

    def __call__(self, *args: Any) -> Any:
        return self.hook(self.module, *args) if self.with_module else self.hook(*args)

    def __getstate__(self) -> dict[str, Any]:
        state = {"hook": self.hook, "with_module": self.with_module}
        return {**state, "module": self.module} if self.with_module else state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["hook"], state.get("module"))  # type: ignore[misc]


class _Report:
    def __init__(self, assign: bool) -> None:
        self.assign = assign
        self.missing: list[str] = []
        self.unexpected: list[str] = []
        self.errors: list[str] = []


def _has_extra_state(module: StateMethods) -> bool:
    return type(module).get_extra_state is not StateMethods.get_extra_state


def _load(module: Any, state: Any, metadata: Any, prefix: str, report: _Report) -> None:
    """Load ``module`` and its children.

    ``state`` holds the keys below ``prefix`` only: else a model of n modules would search n times through all keys.
    """
    local = {} if metadata is None else dict(metadata.get(prefix[:-1], {}))
    if report.assign:
        local["assign_to_params_buffers"] = True
    module._load_from_state_dict(state, prefix, local, True, report.missing, report.unexpected, report.errors)
    for name, child in module._modules.items():
        if child is not None:
            below = f"{prefix}{name}."
            part: Any = OrderedDict((k, v) for k, v in state.items() if k.startswith(below))
            _load(child, part, metadata, below, report)
    keys = _IncompatibleKeys(report.missing, report.unexpected)
    for hook in module._load_state_dict_post_hooks.values():
        if hook(module, keys) is not None:
            raise AssertionError(
                "[load_state_dict] Hooks registered with ``register_load_state_dict_post_hook`` are not expected to return new "
                "values, if incompatible_keys need to be modified, it should be done inplace."
            )


def _load_by_swap(target: Tensor, value: Tensor, assign: bool) -> None:
    """Exchange ``target`` and what its ``module_load`` makes of ``value``: see ``taeda.__future__``."""
    new = target.module_load(value, assign=assign)
    if new is target or new is value:
        raise RuntimeError("[load_state_dict] module_load returned one of self or other; detach() it")
    if isinstance(target, Parameter):
        if isinstance(new, Parameter):
            new.requires_grad_(target.requires_grad)
        else:
            new = Parameter(new, requires_grad=target.requires_grad)
    swap_tensors(target, new)


def _load_one(module: Any, name: str, key: str, target: Tensor, value: Any, assign: bool) -> str | None:
    """Bring ``value`` into ``target``; return the line of the report where it does not go."""
    if not isinstance(value, Tensor):
        return (
            f'While copying the parameter named "{key}", expected taeda.Tensor or Tensor-like object from '
            f"checkpoint but received {type(value)}"
        )
    lazy = is_lazy(target)  # it has no shape, and what is loaded has none either: see LazyModuleMixin
    if not lazy and target.ndim == 0 and value.shape == (1,):  # old files keep a scalar so
        value = value[0]
    if not lazy and value.shape != target.shape:
        return (
            f"size mismatch for {key}: copying a param with shape {value.shape} from checkpoint, the shape in "
            f"current model is {target.shape}."
        )
    if target.is_meta and not value.is_meta and not assign:
        warnings.warn(
            f"for {key}: copying from a non-meta parameter in the checkpoint to a meta parameter in the current "
            "model, which is a no-op. (Did you mean to pass `assign=True` to assign items in the state "
            "dictionary to their corresponding key in the module instead of copying them in place?)",
            stacklevel=2,
        )
    try:
        with taeda.no_grad():
            if CONVERSION["swap"] and not lazy:
                _load_by_swap(target, value, assign)
                return None
            if not assign:
                target.copy_(value)
                return None
            if isinstance(target, Parameter):
                if isinstance(value, Parameter):
                    value.requires_grad = target.requires_grad
                else:
                    value = Parameter(value, requires_grad=target.requires_grad)
            setattr(module, name, value)
    except Exception as e:
        return (
            f'While copying the parameter named "{key}", whose dimensions in the model are {target.size()} and '
            f"whose dimensions in the checkpoint are {value.size()}, an exception occurred : {e.args}."
        )
    return None
