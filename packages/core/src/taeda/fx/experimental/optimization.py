"""Modules for inference: batch norms folded into convolutions and linear layers, dropout taken out."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterable
from typing import Any

from taeda.fx._symbolic_trace import Tracer, symbolic_trace
from taeda.fx.graph import Graph
from taeda.fx.graph_module import GraphModule
from taeda.fx.interpreter import Transformer
from taeda.fx.node import Node
from taeda.nn import BatchNorm1d, BatchNorm2d, BatchNorm3d, Conv1d, Conv2d, Conv3d, Dropout, Linear, Module
from taeda.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

__all__ = ["extract_subgraph", "fuse", "matches_module_pattern", "optimize_for_inference", "remove_dropout", "replace_node_module"]


def _parent_name(target: str) -> tuple[str, str]:
    """Split a path into that of the parent and the last name."""
    parent, _, name = target.rpartition(".")
    return parent, name


def matches_module_pattern(pattern: Iterable[type], node: Node, modules: dict[str, Any]) -> bool:
    """Whether a node's first argument and the node are calls of modules of these two types."""
    if not node.args:
        return False
    for kind, current in zip(pattern, (node.args[0], node), strict=False):
        if not isinstance(current, Node) or current.op != "call_module" or not isinstance(current.target, str):
            return False
        if type(modules.get(current.target)) is not kind:
            return False
    return True


def replace_node_module(node: Node, modules: dict[str, Any], new_module: Module) -> None:
    """Put another module where a node's is."""
    parent, name = _parent_name(node.target)
    modules[node.target] = new_module
    setattr(modules[parent], name, new_module)


def fuse(model: Any, inplace: bool = False, no_trace: bool = False) -> Any:
    """Return a model in which every batch norm that follows a convolution or a linear layer is part of it.  It must be in eval mode.

    Args:
        inplace: change the model's own modules.
        no_trace: the model is a GraphModule already.

    >>> import taeda
    >>> from taeda.fx.experimental.optimization import fuse
    >>> net = taeda.nn.Sequential(taeda.nn.Conv2d(1, 2, 3), taeda.nn.BatchNorm2d(2)).eval()
    >>> fused = fuse(net)
    >>> [type(m).__name__ for m in fused.children()]
    ['Conv2d']
    >>> bool(taeda.allclose(fused(taeda.ones(1, 1, 4, 4)), net(taeda.ones(1, 1, 4, 4)), atol=1e-6))
    True
    """
    patterns = ((Conv1d, BatchNorm1d), (Conv2d, BatchNorm2d), (Conv3d, BatchNorm3d), (Linear, BatchNorm1d))
    model = model if inplace else copy.deepcopy(model)
    traced = model if no_trace and isinstance(model, GraphModule) else symbolic_trace(model)
    modules = dict(traced.named_modules())
    graph = copy.deepcopy(traced.graph)
    calls = Counter(n.target for n in graph.nodes if n.op == "call_module")
    for pattern in patterns:
        for node in list(graph.nodes):
            if not matches_module_pattern(pattern, node, modules) or len(node.args[0].users) > 1 or calls[node.args[0].target] > 1:
                continue
            layer, norm = modules[node.args[0].target], modules[node.target]
            if not norm.track_running_stats or (isinstance(layer, Linear) and layer.out_features != norm.num_features):
                continue
            fused = fuse_linear_bn_eval if isinstance(layer, Linear) else fuse_conv_bn_eval
            replace_node_module(node.args[0], modules, fused(layer, norm))
            node.replace_all_uses_with(node.args[0])
            graph.erase_node(node)
    return GraphModule(traced, graph)


def remove_dropout(model: Any) -> Any:
    """Return a model without the calls of its Dropout modules."""
    traced = symbolic_trace(model)

    class Without(Transformer):
        def call_module(self, target: Any, args: Any, kwargs: Any) -> Any:
            if isinstance(self.submodules[target], Dropout):
                return args[0]
            return super().call_module(target, args, kwargs)

    return Without(traced).transform()


def extract_subgraph(orig_module: Any, nodes: list[Node], inputs: list[Node], outputs: list[Node]) -> GraphModule:
    """Return a module that runs some nodes of a graph, from given nodes to given nodes."""
    graph = Graph()
    env: dict[Node, Node] = {x: graph.placeholder(x.name) for x in inputs}
    for node in nodes:
        env[node] = graph.node_copy(node, lambda n: env[n])
    graph.output([env[x] for x in outputs])
    graph.lint()
    return GraphModule(orig_module, graph)


def optimize_for_inference(model: Any, pass_config: dict[str, Any] | None = None, tracer: type[Tracer] = Tracer) -> Any:
    """Return the model fused and without dropout; there are no MKLDNN layers to convert to.

    Args:
        pass_config: ``{"conv_bn_fuse": False}`` and ``{"remove_dropout": False}`` leave these out.
    """
    config = {"conv_bn_fuse": True, "remove_dropout": True, **(pass_config or {})}
    if config["conv_bn_fuse"]:
        model = fuse(model)
    if config["remove_dropout"]:
        model = remove_dropout(model)
    traced = tracer().trace(model)
    return GraphModule(model, traced)
