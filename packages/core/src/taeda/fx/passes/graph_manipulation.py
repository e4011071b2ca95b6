"""Targets replaced in all nodes, and the bytes that nodes need."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from taeda.fx.node import Node
from taeda.fx.passes.shape_prop import ShapeProp, TensorMetadata

__all__ = ["get_size_of_all_nodes", "get_size_of_node", "get_tensor_meta", "replace_target_nodes_with", "size_bytes"]


class size_bytes(NamedTuple):
    """Bytes of a node's output, and of that with its parameters."""

    output_size: int
    total_size: int


def replace_target_nodes_with(fx_module: Any, old_op: str, old_target: Any, new_op: str, new_target: Any) -> None:
    """Let every node of an operation and target do another, with the same arguments."""
    for node in fx_module.graph.nodes:
        if node.op == old_op and node.target == old_target:
            node.op, node.target = new_op, new_target
    fx_module.recompile()


def get_tensor_meta(node: Node) -> Any:
    """Return what ShapeProp saw.  RuntimeError if it has not run."""
    meta = node.meta.get("tensor_meta")
    if not meta:
        raise RuntimeError(f"[get_tensor_meta] Node {node} has no tensor metadata associated with it! Check that ShapeProp has run.")
    return meta


def get_size_of_node(fx_module: Any, node: Node) -> size_bytes:
    """Return the bytes of a node's result, and those with its module's parameters and its inputs."""
    outputs = _bytes(get_tensor_meta(node))
    total = outputs
    if node.op == "call_module":
        total += sum(p.numel() * p.element_size() for p in fx_module.get_submodule(node.target).parameters())
    return size_bytes(outputs, total)


def get_size_of_all_nodes(fx_module: Any, args: list[Any] | None = None) -> None:
    """Note the bytes of every node in its ``size_bytes``; with ``args`` the module runs first."""
    if args is not None:
        ShapeProp(fx_module).propagate(*args)
    for node in fx_module.graph.nodes:
        if node.op == "output":
            break
        node.size_bytes = get_size_of_node(fx_module, node)


def _bytes(meta: Any) -> int:
    if isinstance(meta, TensorMetadata):
        return math.prod(meta.shape, start=meta.dtype.itemsize)
    return sum(_bytes(x) for x in meta) if isinstance(meta, (tuple, list)) else 0
