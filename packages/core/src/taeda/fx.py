"""What models carry of ``torch.fx``: ``wrap`` gives functions back; nothing is traced."""

from __future__ import annotations

from typing import Any, NoReturn

__all__ = ["Graph", "GraphModule", "Interpreter", "Node", "Proxy", "Tracer", "Transformer", "symbolic_trace", "wrap"]

_WHY = "models are not traced into graphs; forward hooks see what flows between modules"


def wrap(fn_or_name: Any) -> Any:
    """Return the function, or the name of one, as it is."""
    if not callable(fn_or_name) and not isinstance(fn_or_name, str):
        raise RuntimeError("[fx.wrap] Unsupported type for global function! Must be either a callable or string name")
    return fn_or_name


def symbolic_trace(*args: Any, **kwargs: Any) -> NoReturn:
    """Raise NotImplementedError: models are not traced."""
    raise NotImplementedError(f"[fx.symbolic_trace] {_WHY}")


class Graph:
    """A traced model's operations; like the other classes here it is for isinstance and annotations: nothing is one.

    Raises NotImplementedError when an object is made.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(f"[fx.{type(self).__name__}] {_WHY}")


class GraphModule(Graph):
    """A traced model."""


class Node(Graph):
    """An operation of a traced model."""


class Proxy(Graph):
    """What stands for a value while a model is traced."""


class Tracer(Graph):
    """What traces models."""


class Interpreter(Graph):
    """What runs a traced model operation by operation."""


class Transformer(Interpreter):
    """What makes a traced model of another."""
