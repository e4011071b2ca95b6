"""The factories that a default device speaks to, under the names by which libraries ask for them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import taeda
from taeda.overrides import TorchFunctionMode

__all__ = ["DeviceContext"]

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
