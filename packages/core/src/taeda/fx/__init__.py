"""Models as graphs: trace a module, read and change what it does, and get a module back whose ``forward`` is Python code.

>>> import taeda
>>> net = taeda.nn.Sequential(taeda.nn.Linear(2, 2), taeda.nn.ReLU())
>>> traced = taeda.fx.symbolic_trace(net)
>>> [node.target for node in traced.graph.nodes]
['input', '0', '1', 'output']
>>> for node in traced.graph.nodes:
...     if node.op == "call_module" and node.target == "1":
...         node.op, node.target = "call_function", taeda.tanh
>>> _ = traced.recompile()
>>> x = taeda.ones(1, 2)
>>> bool((traced(x) == taeda.tanh(net[0](x))).all())
True

Graphs and proxies need the core alone; modules, and what traces them, are imported on first touch and need ``taeda.nn``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from taeda.fx import annotate, immutable_collections
from taeda.fx._patching import wrap
from taeda.fx.graph import CodeGen, Graph
from taeda.fx.node import Node, has_side_effect, map_arg
from taeda.fx.proxy import Proxy

if TYPE_CHECKING:
    from taeda.fx._symbolic_trace import PH, ProxyableClassMeta, Tracer, symbolic_trace
    from taeda.fx.graph_module import GraphModule
    from taeda.fx.interpreter import Interpreter, Transformer
    from taeda.fx.subgraph_rewriter import replace_pattern

__all__ = [
    "PH", "CodeGen", "Graph", "GraphModule", "Interpreter", "Node", "Proxy", "ProxyableClassMeta", "Tracer", "Transformer", "annotate",
    "has_side_effect", "immutable_collections", "map_arg", "replace_pattern", "symbolic_trace", "wrap",
]

_OF_NN = {
    **dict.fromkeys(("PH", "PHBase", "ProxyableClassMeta", "Tracer", "symbolic_trace"), "_symbolic_trace"),
    "GraphModule": "graph_module", "Interpreter": "interpreter", "Transformer": "interpreter", "replace_pattern": "subgraph_rewriter",
}
_ROOMS = (
    "_compatibility", "_pytree", "_symbolic_trace", "experimental", "graph", "graph_module", "interpreter", "node",
    "operator_schemas", "passes", "proxy", "subgraph_rewriter", "traceback",
)  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _OF_NN:
        try:
            found = getattr(importlib.import_module(f"{__name__}.{_OF_NN[name]}"), name)
        except ModuleNotFoundError as error:
            if error.name != "taeda.nn":
                raise
            text = f"taeda.fx.{name} is about modules, which are a separate package: pip install taeda-nn"
            raise ModuleNotFoundError(text, name="taeda.nn") from None
        globals()[name] = found
        return found
    if name in _ROOMS:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
