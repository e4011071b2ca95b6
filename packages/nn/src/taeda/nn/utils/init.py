"""Modules made without drawing their initial values."""

from __future__ import annotations

import inspect
from typing import Any, TypeVar

from taeda.nn.modules.module import Module

__all__ = ["skip_init"]

M = TypeVar("M", bound=Module)


def skip_init(module_cls: type[M], *args: Any, **kwargs: Any) -> M:
    """Return ``module_cls(*args, **kwargs)`` whose parameters and buffers hold whatever the memory does.

    The random generator is not touched.

    Raises:
        RuntimeError: module_cls is not a module, or takes no ``device``.

    >>> from taeda import nn
    >>> nn.utils.skip_init(nn.Linear, 5, 1).weight.shape
    taeda.Size([1, 5])
    """
    if not issubclass(module_cls, Module):
        raise RuntimeError(f"[skip_init] Expected a Module; got {module_cls}")
    if "device" not in inspect.signature(module_cls).parameters:
        raise RuntimeError("[skip_init] Module must support a 'device' arg to skip initialization")
    device = kwargs.pop("device", "cpu")
    return module_cls(*args, **kwargs, device="meta").to_empty(device=device)
