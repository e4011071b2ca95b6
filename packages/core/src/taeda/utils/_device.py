"""The factories that a default device speaks to, under the names by which libraries ask for them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import taeda
from taeda.overrides import TorchFunctionMode
from taeda.utils._contextlib import _DecoratorContextManager

__all__ = ["DeviceContext", "set_device"]

_FACTORIES = (
    "arange", "as_tensor", "asarray", "bartlett_window", "blackman_window", "empty", "empty_permuted", "empty_strided", "eye", "full",
    "hamming_window", "hann_window", "kaiser_window", "linspace", "logspace", "ones", "rand", "randint", "randn", "randperm", "range",
    "scalar_tensor", "sparse_bsc_tensor", "sparse_bsr_tensor", "sparse_compressed_tensor", "sparse_coo_tensor", "sparse_csc_tensor",
    "sparse_csr_tensor", "tensor", "tril_indices", "triu_indices", "zeros",
)


@cache
def _device_constructors() -> set[Callable[..., Any]]:
    """Return the functions that make tensors on the default device where none is named."""
    return {getattr(taeda, name) for name in _FACTORIES} | {taeda.fft.fftfreq, taeda.fft.rfftfreq}


class DeviceContext(TorchFunctionMode):
    """The block of ``with taeda.device(...)`` as an object of its own.

    >>> import taeda
    >>> from taeda.utils._device import DeviceContext
    >>> with DeviceContext("meta"):
    ...     taeda.zeros(2).device
    device(type='meta')
    """

    def __init__(self, device: Any) -> None:
        self.device = taeda.device(device)

    def __enter__(self) -> DeviceContext:
        self.device.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.device.__exit__(*error)


class _OnDevice(_DecoratorContextManager):
    """The block of a device as a decorator, which generators stay in while they run."""

    def __init__(self, device: Any) -> None:
        self.device = taeda.device(device)

    def __enter__(self) -> None:
        self.device.__enter__()

    def __exit__(self, *error: object) -> None:
        self.device.__exit__(*error)

    def clone(self) -> _OnDevice:
        return _OnDevice(self.device)


def set_device(device: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator of functions whose factories make tensors on a device.

    >>> import taeda
    >>> from taeda.utils._device import set_device
    >>> @set_device("meta")
    ... def new():
    ...     return taeda.zeros(2)
    >>> new().device
    device(type='meta')
    """
    return _OnDevice(device)
