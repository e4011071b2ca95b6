"""PyTorch's tracing below autograd: it does not exist here, so nothing is ever in its mode."""

from __future__ import annotations

import contextlib
from typing import Any, NoReturn

__all__ = ["get_proxy_mode", "make_fx", "maybe_disable_fake_tensor_mode"]


def get_proxy_mode() -> None:
    """Return None: no such trace is running."""


def make_fx(*args: Any, **kwargs: Any) -> NoReturn:
    """Raise NotImplementedError: functions are traced by ``fx.symbolic_trace``."""
    raise NotImplementedError("[make_fx] ops are not traced below autograd; fx.symbolic_trace records what a program calls")


def maybe_disable_fake_tensor_mode() -> Any:
    """Return a context manager that does nothing."""
    return contextlib.nullcontext()
