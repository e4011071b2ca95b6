"""Finding and registering kernels by torchvision's inner names, which libraries of transforms use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from taeda.vision.transforms.v2.functional._dispatch import KERNELS, find_kernel, is_pure_tensor, kernel, register_kernel

__all__ = ["is_pure_tensor", "register_kernel"]

_get_kernel = find_kernel


def _register_kernel_internal(
    functional: Callable[..., Any], input_type: type, *, tv_tensor_wrapper: bool = True
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register the decorated kernel of a type; without the wrapper it gets tv_tensors as they are, not plain tensors.

    Raises:
        ValueError: the functional has a kernel of that type.
    """
    known = KERNELS.setdefault(functional, {})
    if input_type in known:
        raise ValueError(f"[{functional.__name__}] there is a kernel for {input_type.__name__} already")
    return kernel(functional, input_type, bare=not tv_tensor_wrapper)
