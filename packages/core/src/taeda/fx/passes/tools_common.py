"""Small things that passes share."""

from __future__ import annotations

import heapq
from typing import Any

import taeda
from taeda.fx._naming import qualified_name
from taeda.fx.graph import Graph
from taeda.fx.node import Node

__all__ = ["CALLABLE_NODE_OPS", "get_node_target", "is_node_output_tensor", "legalize_graph", "stable_topological_sort"]

CALLABLE_NODE_OPS = {"call_function", "call_method", "call_module"}


def get_node_target(submodules: Any, node: Node) -> str:
    """Return the name of what a node calls: a module's type, a function's qualified name, a method's name."""
    if node.op == "call_module":
        module = submodules[node.target]
        return f"{type(module).__module__}.{type(module).__qualname__}"
    return qualified_name(node.target) if node.op == "call_function" else str(node.target)


def is_node_output_tensor(node: Node) -> bool:
    """Whether ShapeProp saw a node give a tensor."""
    kind = node.meta.get("type")
    return kind is not None and issubclass(kind, taeda.Tensor)


def legalize_graph(gm: Any) -> Any:
    """Put the nodes of a module's graph in an order in which each comes after its arguments, the earlier ones first where both may.

    RuntimeError where there is none, since nodes need each other.
    """
    place = {node: i for i, node in enumerate(gm.graph.nodes)}
    waits = {node: len(node.all_input_nodes) for node in gm.graph.nodes}
    ready = [(place[n], n) for n, count in waits.items() if not count]
    heapq.heapify(ready)
    new = Graph(tracer_cls=gm.graph._tracer_cls)
    made: dict[Any, Any] = {}
    while ready:
        _, node = heapq.heappop(ready)
        made[node] = new.node_copy(node, lambda n: made[n])
        for user in node.users:
            waits[user] -= 1
            if not waits[user]:
                heapq.heappush(ready, (place[user], user))
    if len(new.nodes) < len(place):
        raise RuntimeError(f"[legalize_graph] Input graph has cycles, unable to add {[n for n in place if n not in made]}")
    new._codegen = gm.graph._codegen
    gm.graph = new
    return gm


stable_topological_sort = legalize_graph
