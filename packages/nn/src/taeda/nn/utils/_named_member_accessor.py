"""Tensors of a module by name, written without the checks of an assignment: for libraries that call modules with other parameters."""

from __future__ import annotations

from typing import Any

import taeda

__all__ = ["set_tensor", "swap_tensor"]

_MISSING = object()


def _check(module: Any, name: str, tensor: Any) -> None:
    if "." in name:
        raise KeyError(f"[swap_tensor] tensor name can't contain a dot, got {name!r}")
    if name == "":
        raise KeyError("[swap_tensor] tensor name can't be an empty string")
    if tensor is not _MISSING and tensor is not None and not isinstance(tensor, taeda.Tensor):
        raise TypeError(f"[swap_tensor] {tensor} is not an instance of taeda.Tensor")


def set_tensor(module: Any, name: str, tensor: Any) -> None:
    """Put a tensor, or None, in a parameter's or a buffer's place; another name becomes an attribute."""
    swap_tensor(module, name, tensor, allow_missing=True)


def swap_tensor(module: Any, name: str, tensor: Any, allow_missing: bool = False) -> Any:
    """Put a tensor in the place of another, and return that one.

    Raises AttributeError where the module has none of that name unless ``allow_missing``, TypeError for what is not a tensor.

    >>> import taeda
    >>> from taeda import nn
    >>> from taeda.nn.utils._named_member_accessor import swap_tensor
    >>> layer = nn.Linear(1, 1, bias=False)
    >>> old = swap_tensor(layer, "weight", taeda.ones(1, 1))
    >>> layer.weight, old is layer.weight
    (tensor([[1.]]), False)
    """
    _check(module, name, tensor)
    for kept in (module._parameters, module._buffers):
        if name in kept:
            old = kept[name]
            kept[name] = tensor
            return old
    old = getattr(module, name, _MISSING)
    if old is _MISSING:
        if not allow_missing:
            raise AttributeError(f"[swap_tensor] {type(module).__name__} has no attribute `{name}`")
    elif not isinstance(old, taeda.Tensor):
        raise TypeError(f"[swap_tensor] attribute `{name}`: {old} is not an instance of taeda.Tensor")
    setattr(module, name, tensor)
    return None if old is _MISSING else old
