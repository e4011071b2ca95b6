"""Parametrisations: a parameter becomes a function of others, computed whenever it is read.

``register_parametrization(layer, "weight", Symmetric())`` moves the weight to
``layer.parametrizations.weight.original`` and gives the object a class of its own, in which ``weight`` is a property.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import taeda
from taeda import Tensor
from taeda.nn.modules.container import ModuleDict, ModuleList
from taeda.nn.modules.module import Module
from taeda.nn.parameter import Parameter
from taeda.settings import CONVERSION
from taeda.utils import swap_tensors

__all__ = [
    "ParametrizationList",
    "cached",
    "is_parametrized",
    "register_parametrization",
    "remove_parametrizations",
    "transfer_parametrizations_and_params",
    "type_before_parametrizations",
]

_cache_enabled = 0
_cache: dict[tuple[int, str], Tensor] = {}


@contextmanager
def cached() -> Iterator[None]:
    """Compute each parametrised tensor once in this block, however often it is read.

    >>> import taeda
    >>> from taeda import nn
    >>> from taeda.nn.utils import parametrize
    >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))
    >>> with parametrize.cached():
    ...     layer.weight is layer.weight
    True
    """
    global _cache_enabled
    _cache_enabled += 1
    try:
        yield
    finally:
        _cache_enabled -= 1
        if not _cache_enabled:
            _cache.clear()


def _set(old: Tensor, new: Tensor) -> None:
    """Give ``old``, an object that an optimizer may hold, what ``new`` is: its memory, or all by a swap (``taeda.__future__``)."""
    if CONVERSION["swap"] or hasattr(type(old), "__tensor_flatten__"):
        if new is not old:
            swap_tensors(old, Parameter(new.detach(), old.requires_grad) if isinstance(old, Parameter) else new.detach())
        return
    old.set_(new)


def _put(module: Module, name: str, tensor: Tensor) -> None:
    if isinstance(tensor, Parameter):
        module.register_parameter(name, tensor)
    else:
        module.register_buffer(name, tensor)


def _same_kind(what: str, name: str, new: Tensor, dtype: Any, shape: Any) -> None:
    """Raise ValueError where a parametrisation changes the dtype or the shape of the tensor."""
    for kind, before, after in (("dtype", dtype, new.dtype), ("shape", shape, new.shape)):
        if before != after:
            raise ValueError(
                f"[register_parametrization] Registering a parametrization may not change the {kind} of the tensor, unless `unsafe` flag "
                f"is enabled.\n{what}{name}{kind}: {before}\nparametrized {kind}: {after}"
            )


class ParametrizationList(ModuleList):
    """The parametrisations of one tensor, first to last, and the tensors that they compute it from.

    These are ``original``, or ``original0``, ``original1``, ... where ``right_inverse`` of the first gave several.

    Args:
        modules: the parametrisations.
        original: the tensor before them.
        unsafe: do not check that dtype and shape stay as they are.

    Raises:
        ValueError: there is none, or dtype, shape or kind of a result is wrong.

    >>> import taeda
    >>> from taeda import nn
    >>> from taeda.nn.utils import parametrize
    >>> class Doubled(nn.Module):
    ...     def forward(self, x):
    ...         return 2 * x
    ...     def right_inverse(self, y):
    ...         return y / 2
    >>> layer = parametrize.register_parametrization(nn.Linear(2, 1), "weight", Doubled())
    >>> layer.weight = taeda.tensor([[6.0, 8.0]])              # goes through right_inverse
    >>> layer.parametrizations.weight.original.tolist(), layer.weight.tolist()
    ([[3.0, 4.0]], [[6.0, 8.0]])
    """

    original: Tensor
    unsafe: bool

    def __init__(self, modules: Sequence[Module], original: Tensor, unsafe: bool = False) -> None:
        if len(modules) == 0:
            raise ValueError("[ParametrizationList] ParametrizationList requires one or more modules.")
        super().__init__(modules)
        self.unsafe = unsafe
        shape, dtype = original.shape, original.dtype
        new: Any = original
        with taeda.no_grad():
            for module in reversed(list(self)):
                if hasattr(module, "right_inverse"):
                    try:
                        new = module.right_inverse(new)
                    except NotImplementedError:  # the same as having none
                        pass
        if not isinstance(new, (Tensor, Sequence)):
            raise ValueError(
                "[ParametrizationList] 'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). "
                f"Got {type(new).__name__}"
            )
        self.is_tensor = isinstance(new, Tensor)
        self.ntensors = 1 if isinstance(new, Tensor) else len(new)
        if isinstance(new, Tensor):
            self._take_one(original, new)
        else:
            self._take_several(original, new)
        if not unsafe:
            made = self()
            if not isinstance(made, Tensor):
                raise ValueError(f"[ParametrizationList] A parametrization must return a tensor. Got {type(made).__name__}.")
            _same_kind("unparametrized ", "", made, dtype, shape)

    def _take_one(self, original: Tensor, new: Tensor) -> None:
        for kind in ("dtype", "device"):
            before, after = getattr(original, kind), getattr(new, kind)
            if before != after:
                raise ValueError(
                    f"[ParametrizationList] When `right_inverse` outputs one tensor, it may not change the {kind}.\n"
                    f"original.{kind}: {before}\nright_inverse(original).{kind}: {after}"
                )
        with taeda.no_grad():
            _set(original, new)
        _put(self, "original", original)

    def _take_several(self, original: Tensor, new: Sequence[Any]) -> None:
        for i, tensor in enumerate(new):
            if not isinstance(tensor, Tensor):
                raise ValueError(
                    "[ParametrizationList] 'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). "
                    f"Got element {i} of the sequence with type {type(tensor).__name__}."
                )
            if isinstance(original, Parameter):
                tensor = Parameter(tensor, original.requires_grad)
            _put(self, f"original{i}", tensor.requires_grad_(original.requires_grad))

    def right_inverse(self, value: Any) -> None:
        """Set the originals so that the parametrised tensor becomes ``value``, as far as it can.

        Raises:
            RuntimeError: a parametrisation has no ``right_inverse``.
            ValueError: what one returns does not fit.
        """
        with taeda.no_grad():
            for module in reversed(list(self)):
                if not hasattr(module, "right_inverse"):
                    raise RuntimeError(
                        f"[ParametrizationList] parametrization {type(module).__name__} does not implement right_inverse."
                    )
                value = module.right_inverse(value)
            if self.is_tensor:
                if not isinstance(value, Tensor):
                    raise ValueError(f"[ParametrizationList] `right_inverse` should return a tensor. Got {type(value).__name__}")
                if value.dtype != self.original.dtype:
                    raise ValueError(
                        f"[ParametrizationList] The tensor returned by `right_inverse` has dtype {value.dtype} while `original` has dtype "
                        f"{self.original.dtype}"
                    )
                _set(self.original, value)
                return
            if not isinstance(value, Sequence):
                raise ValueError(
                    f"[ParametrizationList] 'right_inverse' must return a sequence of tensors. Got {type(value).__name__}."
                )
            if len(value) != self.ntensors:
                raise ValueError(
                    f"[ParametrizationList] 'right_inverse' must return a sequence of tensors of length {self.ntensors}. Got a sequence of "
                    f"length {len(value)}."
                )
            for i, tensor in enumerate(value):
                own = getattr(self, f"original{i}")
                if not isinstance(tensor, Tensor):
                    raise ValueError(
                        "[ParametrizationList] 'right_inverse' must return a sequence of tensors. "
                        f"Got element {i} of type {type(tensor).__name__}."
                    )
                if own.dtype != tensor.dtype:
                    raise ValueError(
                        f"[ParametrizationList] Tensor {i} returned by `right_inverse` has dtype {tensor.dtype} while `original{i}` has "
                        f"dtype {own.dtype}"
                    )
                _set(own, tensor)

    def forward(self) -> Any:
        first, *rest = self
        if self.is_tensor:
            x = first(self.original)
        else:
            x = first(*(getattr(self, f"original{i}") for i in range(self.ntensors)))
        for module in rest:
            x = module(x)
        return x


def _own_class(module: Module) -> None:
    """Give the module a class of its own, in which properties can be set."""
    cls: Any = type(module)

    def __deepcopy__(self: Any, memo: dict[int, Any]) -> Any:
        if id(self) not in memo:
            own = type(self)  # and the copy's own one: removing a parametrization of one must not change the other
            members = {k: v for k, v in vars(own).items() if k not in ("__dict__", "__weakref__")}
            replica = memo[id(self)] = self.__new__(type(own.__name__, own.__bases__, members))
            replica.__setstate__(deepcopy(cls.__getstate__(self), memo))
        return memo[id(self)]

    def __getstate__(self: Any) -> Any:
        raise RuntimeError(
            "[parametrize] Serialization of parametrized modules is only supported through state_dict(): save that and load it into a "
            "module with the same parametrizations, or call remove_parametrizations first."
        )

    members: dict[str, Any] = {"__getstate__": __getstate__}
    if not hasattr(cls, "__deepcopy__"):
        members["__deepcopy__"] = __deepcopy__
    module.__class__ = type(f"Parametrized{cls.__name__}", (cls,), members)


def _add_property(module: Module, name: str) -> None:
    def get(self: Any) -> Any:
        parametrization = self.parametrizations[name]
        if not _cache_enabled:
            return parametrization()
        key = (id(self), name)
        if key not in _cache:
            _cache[key] = parametrization()
        return _cache[key]

    def set_original(self: Any, value: Any) -> None:
        self.parametrizations[name].right_inverse(value)

    setattr(type(module), name, property(get, set_original))


def register_parametrization(
    module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Module:
    """Make ``module.tensor_name`` the value of ``parametrization`` at the tensor that it is now.

    Parametrisations of one tensor are applied in the order in which they were registered.  A ``right_inverse`` of the
    parametrisation is applied to the present value first, and to each that is assigned later; where the first
    parametrisation's gives several tensors, its ``forward`` takes as many.

    Args:
        module: where the tensor is.
        tensor_name: of a parameter or a buffer.
        parametrization: any module from tensor to tensor.
        unsafe: do not check that dtype and shape stay as they are.

    Returns:
        the module, whose class is new (``Parametrized...``).

    Raises:
        ValueError: there is no such tensor, or dtype, shape or kind of a result is wrong.

    >>> import taeda
    >>> from taeda import nn
    >>> from taeda.nn.utils import parametrize
    >>> class Symmetric(nn.Module):
    ...     def forward(self, x):
    ...         return x.triu() + x.triu(1).T
    >>> layer = parametrize.register_parametrization(nn.Linear(3, 3), "weight", Symmetric())
    >>> bool((layer.weight == layer.weight.T).all()), list(layer.state_dict())
    (True, ['bias', 'parametrizations.weight.original'])
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        if not unsafe:
            _check_one_more(module, tensor_name, parametrization)
        parametrizations: Any = module.parametrizations[tensor_name]
        parametrizations.append(parametrization)
        parametrizations.unsafe |= unsafe
    elif tensor_name in module._buffers or tensor_name in module._parameters:
        original = getattr(module, tensor_name)
        made = ParametrizationList([parametrization], original, unsafe=unsafe)
        delattr(module, tensor_name)
        if not is_parametrized(module):
            _own_class(module)
            module.parametrizations = ModuleDict()
        _add_property(module, tensor_name)
        module.parametrizations[tensor_name] = made
    else:
        raise ValueError(
            f"[register_parametrization] Module '{module}' does not have a parameter, a buffer, or a parametrized "
            f"element with name '{tensor_name}'"
        )
    return module


def _check_one_more(module: Module, name: str, parametrization: Any) -> None:
    """Raise ValueError where another parametrisation changes dtype or shape, or its inverse does."""
    y = getattr(module, name)
    x = parametrization(y)
    if not isinstance(x, Tensor):
        raise ValueError(f"[register_parametrization] A parametrization must return a tensor. Got {type(x).__name__}.")
    _same_kind("module.", f"{name}.", x, y.dtype, y.shape)
    if not hasattr(parametrization, "right_inverse"):
        return
    try:
        z = parametrization.right_inverse(x)
    except NotImplementedError:
        return
    if not isinstance(z, Tensor):
        raise ValueError(f"[register_parametrization] parametrization.right_inverse must return a tensor. Got: {type(z).__name__}")
    for kind in ("dtype", "shape"):
        before, after = getattr(y, kind), getattr(z, kind)
        if before != after:
            raise ValueError(
                f"[register_parametrization] The tensor returned by parametrization.right_inverse must have the same {kind} as "
                f"module.{name}, unless the `unsafe` flag is enabled.\nmodule.{name}.{kind}: {before}\nreturned {kind}: {after}"
            )


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Say whether a tensor of the module (of this name, if one is given) has a parametrisation.

    >>> from taeda import nn
    >>> from taeda.nn.utils.parametrize import is_parametrized
    >>> is_parametrized(nn.Linear(2, 1))
    False
    """
    parametrizations = getattr(module, "parametrizations", None)
    if not isinstance(parametrizations, ModuleDict):
        return False
    return len(parametrizations) > 0 if tensor_name is None else tensor_name in parametrizations


def remove_parametrizations(module: Module, tensor_name: str, leave_parametrized: bool = True) -> Module:
    """Make ``module.tensor_name`` a plain parameter or buffer again.

    Args:
        leave_parametrized: with the value that it has now; otherwise with that of ``original``.

    Returns:
        the module, which has its former class when nothing of it is parametrised any more.

    Raises:
        ValueError: it has no parametrisation, or leave_parametrized is False for one of several tensors.

    >>> from taeda import nn
    >>> from taeda.nn.utils.parametrize import remove_parametrizations
    >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 3))
    >>> [name for name, _ in remove_parametrizations(layer, "weight").named_parameters()]
    ['bias', 'weight']
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"[remove_parametrizations] Module {module} does not have a parametrization on {tensor_name}")
    all_of_them: Any = module.parametrizations
    parametrizations = all_of_them[tensor_name]
    original: Any
    if parametrizations.is_tensor:
        original = parametrizations.original
        if leave_parametrized:
            with taeda.no_grad():
                _set(original, getattr(module, tensor_name))
    elif leave_parametrized:
        value = getattr(module, tensor_name)
        original = Parameter(value) if value.requires_grad else value
    else:
        raise ValueError(
            "[remove_parametrizations] Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is parametrized in terms of "
            "a sequence of tensors."
        )
    delattr(type(module), tensor_name)
    del all_of_them[tensor_name]
    _put(module, tensor_name, original)
    if not is_parametrized(module):
        del module.parametrizations
        module.__class__ = type(module).__bases__[0]
    return module


def type_before_parametrizations(module: Module) -> type:
    """Return the class that the module had before its first parametrisation.

    >>> from taeda import nn
    >>> from taeda.nn.utils.parametrize import type_before_parametrizations
    >>> type_before_parametrizations(nn.utils.parametrizations.weight_norm(nn.Linear(2, 3))).__name__
    'Linear'
    """
    return type(module).__bases__[0] if is_parametrized(module) else type(module)


def transfer_parametrizations_and_params(
    from_module: Module, to_module: Module, tensor_name: str | None = None
) -> Module:
    """Register the parametrisations of one module in another and share the tensors they are computed from.

    Args:
        tensor_name: only this tensor's; None: those of all.

    Returns:
        to_module.

    >>> from taeda import nn
    >>> from taeda.nn.utils import parametrize
    >>> one = nn.utils.parametrizations.weight_norm(nn.Linear(2, 3))
    >>> two = parametrize.transfer_parametrizations_and_params(one, nn.Linear(2, 3))
    >>> two.parametrizations.weight.original0 is one.parametrizations.weight.original0
    True
    """
    if not is_parametrized(from_module):
        return to_module
    sources: Any = from_module.parametrizations
    for name in list(sources) if tensor_name is None else [tensor_name]:
        if not hasattr(to_module, name):
            setattr(to_module, name, Parameter(getattr(from_module, name)))
        for parametrization in sources[name]:
            register_parametrization(to_module, name, parametrization)
        targets: Any = to_module.parametrizations
        if hasattr(sources[name], "original"):
            targets[name].original = sources[name].original
        else:
            for i in range(sources[name].ntensors):
                setattr(targets[name], f"original{i}", getattr(sources[name], f"original{i}"))
    return to_module
