"""Types of values in a graph."""

from __future__ import annotations

from typing import Any

from taeda.fx.proxy import Proxy

__all__ = ["annotate"]


def annotate(val: Any, type: Any) -> Any:
    """Give a Proxy's node a type; any other value is returned as it is."""
    if isinstance(val, Proxy):
        if val.node.type:
            raise RuntimeError(f"[fx.annotate] {val.node.name} has the type {val.node.type} already; it cannot become {type}")
        val.node.type = type
    return val
