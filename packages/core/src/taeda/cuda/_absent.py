"""What stands for a function of the GPU where there is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from taeda.device import no_cuda


def needs_gpu(name: str, doc: str) -> Callable[..., Any]:
    """Return a function that has no meaning without a GPU, and says so."""

    def function(*args: Any, **kwargs: Any) -> Any:
        raise no_cuda(f"cuda.{name}")

    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function
