"""What PyTorch keeps beside its attention layers: the choice of a backend, and causal biases (``attention.bias``).

There is one implementation of attention here, so a choice is noted in ``taeda.backends.cuda`` and changes nothing.
"""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Iterator
from typing import Any

from taeda import backends as switches
from taeda.nn.attention import bias

__all__ = ["WARN_FOR_UNFUSED_KERNELS", "SDPBackend", "bias", "sdpa_kernel"]

WARN_FOR_UNFUSED_KERNELS = False


class SDPBackend(enum.Enum):
    """The ways in which PyTorch computes ``scaled_dot_product_attention``.

    >>> from taeda.nn.attention import SDPBackend
    >>> SDPBackend.MATH
    <SDPBackend.MATH: 0>
    """

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4

    def __int__(self) -> int:
        return int(self.value)

    def __index__(self) -> int:
        return int(self.value)


_SWITCHES = {
    "cudnn": SDPBackend.CUDNN_ATTENTION,
    "flash": SDPBackend.FLASH_ATTENTION,
    "mem_efficient": SDPBackend.EFFICIENT_ATTENTION,
    "math": SDPBackend.MATH,
}


@contextlib.contextmanager
def sdpa_kernel(backends: list[SDPBackend] | SDPBackend, set_priority: bool = False) -> Iterator[dict[Any, Any]]:
    """Allow only some backends within a ``with`` block; results do not depend on it.

    Args:
        backends: one or a list.
        set_priority: whether their order counts.

    Raises:
        AssertionError: backends is something else.

    >>> import taeda
    >>> from taeda.nn.attention import SDPBackend, sdpa_kernel
    >>> with sdpa_kernel(SDPBackend.MATH):
    ...     taeda.backends.cuda.flash_sdp_enabled()
    False
    """
    if not isinstance(backends, list | SDPBackend):
        raise AssertionError(
            "[sdpa_kernel] Backend must be an instance of SDPBackend or a list of SDPBackend instances, got "
            f"{type(backends).__name__}"
        )
    chosen = backends if isinstance(backends, list) else [backends]
    before = switches.sdp_switches()
    switches.set_sdp_switches({name: backend in chosen for name, backend in _SWITCHES.items()})
    try:
        yield {}
    finally:
        switches.set_sdp_switches(before)
