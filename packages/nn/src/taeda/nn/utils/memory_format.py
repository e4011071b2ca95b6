"""The order in memory of the weights of convolutions."""

from __future__ import annotations

from typing import Any, TypeVar

from taeda.nn.modules.conv import Conv2d, Conv3d, ConvTranspose2d, ConvTranspose3d
from taeda.nn.modules.module import Module

__all__ = ["convert_conv2d_weight_memory_format", "convert_conv3d_weight_memory_format"]

M = TypeVar("M", bound=Module)


def _convert(module: Module, kinds: tuple[type, ...], memory_format: Any) -> None:
    for layer in module.modules():
        if isinstance(layer, kinds):
            layer.weight.data = layer.weight.detach().clone(memory_format=memory_format)


def convert_conv2d_weight_memory_format(module: M, memory_format: Any) -> M:
    """Lay the weights of every ``Conv2d`` and ``ConvTranspose2d`` of a module out anew; return the module.

    Values, and results, stay what they are.

    Args:
        module: the module.
        memory_format: ``taeda.channels_last``, for one.

    >>> import taeda
    >>> from taeda import nn
    >>> layer = nn.utils.convert_conv2d_weight_memory_format(nn.Conv2d(3, 4, 2), taeda.channels_last)
    >>> layer.weight.stride()
    (12, 1, 6, 3)
    """
    _convert(module, (Conv2d, ConvTranspose2d), memory_format)
    return module


def convert_conv3d_weight_memory_format(module: M, memory_format: Any) -> M:
    """Lay the weights of every ``Conv3d`` and ``ConvTranspose3d`` of a module out anew; return the module.

    >>> import taeda
    >>> from taeda import nn
    >>> layer = nn.utils.convert_conv3d_weight_memory_format(nn.Conv3d(3, 4, 2), taeda.channels_last_3d)
    >>> layer.weight.stride()
    (24, 1, 12, 6, 3)
    """
    _convert(module, (Conv3d, ConvTranspose3d), memory_format)
    return module
