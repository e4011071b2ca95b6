"""What decorates functions that say how an operator is to be exported; nothing is, so they come back as they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["parse_args", "quantized_args"]


def parse_args(*arg_descriptors: str) -> Callable[[Any], Any]:
    """Return a decorator that gives the function back."""
    return lambda function: function


def quantized_args(*arg_q_descriptors: bool, **kwargs: Any) -> Callable[[Any], Any]:
    """Return a decorator that gives the function back."""
    return lambda function: function
