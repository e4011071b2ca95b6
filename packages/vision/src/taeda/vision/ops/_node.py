"""Functions that a trace of `taeda.fx` records as one node, wherever they are called: what they decide depends on values."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any, TypeVar, cast

__all__ = ["one_node"]

Function = TypeVar("Function", bound=Callable[..., Any])


def one_node(function: Function) -> Function:
    """Return the function, which becomes a node of a graph where an argument is a Proxy."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        fx: Any = sys.modules.get("taeda.fx._patching")          # nothing is traced before it is loaded
        proxy = None if fx is None else fx.find_proxy(args, kwargs)
        return function(*args, **kwargs) if proxy is None else proxy.tracer.create_proxy("call_function", call, args, kwargs)

    return cast("Function", call)
