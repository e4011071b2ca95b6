"""A module cut into submodules, by a function that says where each node goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from taeda.fx.graph import Graph
from taeda.fx.graph_module import GraphModule, _get_attr
from taeda.fx.node import Node, map_arg
from taeda.fx.proxy import Proxy

__all__ = ["Partition", "split_module"]


class Partition:
    """One part: its nodes, what it needs of others and what they need of it."""

    def __init__(self, name: str) -> None:
        self.name, self.submod_name = name, f"submod_{name}"
        self.node_names: list[str] = []
        self.inputs: dict[str, Node] = {}               # names of outer nodes, in the order of first use
        self.outputs: dict[str, Node] = {}
        self.dependencies: dict[str, None] = {}
        self.graph = Graph()
        self.environment: dict[Node, Node] = {}
        self.targets: dict[str, Any] = {}

    def __repr__(self) -> str:
        return (f"name: {self.name},\n nodes: {self.node_names},\n inputs: {list(self.inputs)},\n outputs: {list(self.outputs)},\n "
                f"partitions depended on: {list(self.dependencies)}")


def split_module(
    m: GraphModule, root_m: Any, split_callback: Callable[[Node], Any], qualname_map: dict[str, str] | None = None,
    keep_original_order: bool | None = False, keep_original_node_name: bool | None = False, keep_original_input_name: bool = True, *,
    partition_affix: str | None = None, tuple_return: bool = False,
) -> GraphModule:  # fmt: skip
    """Return a module that calls a submodule for each part of ``m``.

    Args:
        m: the module.
        root_m: where submodules are taken from; None is ``m`` itself.
        split_callback: node -> the part it goes to; called for every operation, in order.
        qualname_map: takes the original path of each target of the parts.
        keep_original_order: call the parts in the order of their first nodes.
        keep_original_node_name: let the parts' nodes have the names that they have in ``m``.
        keep_original_input_name: the same of the parts' inputs, which otherwise are ``arg_0``, ``arg_1`` and so on.
        partition_affix: a middle of the parts' names.
        tuple_return: parts return tuples also where that is one value.

    Raises:
        RuntimeError: parts need each other.

    >>> import taeda
    >>> from taeda.fx.passes.split_module import split_module
    >>> net = taeda.nn.Sequential(taeda.nn.Linear(2, 2), taeda.nn.ReLU(), taeda.nn.Linear(2, 2))
    >>> traced = taeda.fx.symbolic_trace(net)
    >>> split = split_module(traced, net, lambda node: int(node.target) // 2)
    >>> print(split.code.strip())
    def forward(self, input):
        input_1 = input
        submod_0 = self.submod_0(input_1);  input_1 = None
        submod_1 = self.submod_1(submod_0);  submod_0 = None
        return submod_1
    >>> bool((split(taeda.ones(1, 2)) == net(taeda.ones(1, 2))).all())
    True
    """
    root_m = m if root_m is None else root_m        # PyTorch's programs pass None: it reads m alone
    parts: dict[str, Partition] = {}
    where: dict[Node, str] = {}
    for node in m.graph.nodes:
        if node.op not in ("placeholder", "get_attr", "output"):
            name = str(split_callback(node))
            if name not in parts:
                parts[name] = Partition(name if partition_affix is None else f"{partition_affix}_{name}")
            parts[name].node_names.append(node.name)
            where[node] = name
    _connect(m.graph, parts, where)
    order = list(parts) if keep_original_order else _sorted(parts)
    for part in parts.values():
        for i, (name, outer) in enumerate(part.inputs.items()):
            inner = part.graph.placeholder(name if keep_original_input_name else f"arg_{i}", type_expr=outer.type)
            inner.meta = outer.meta.copy()
            part.environment[outer] = inner
    for node in m.graph.nodes:
        if node in where:
            _move(node, parts[where[node]], root_m, qualname_map, node.name if keep_original_node_name else None)
    return _stitch(m, root_m, parts, order, tuple_return)


def _connect(graph: Graph, parts: dict[str, Partition], where: dict[Node, str]) -> None:
    """Note what each part needs of the others."""
    for node in graph.nodes:
        here = where.get(node)
        if node.op == "output":
            for x in node.all_input_nodes:
                if x in where:
                    parts[where[x]].outputs.setdefault(x.name, x)
        if here is None:
            continue
        for x in node.all_input_nodes:
            there = where.get(x)
            if there == here:
                continue
            parts[here].inputs.setdefault(x.name, x)
            if there is not None:
                parts[there].outputs.setdefault(x.name, x)
                parts[here].dependencies.setdefault(there)


def _sorted(parts: dict[str, Partition]) -> list[str]:
    """Return the parts in an order in which each comes after those it needs."""
    done: list[str] = []
    waiting = list(parts)
    while waiting:
        free = [n for n in waiting if all(d in done for d in parts[n].dependencies)]
        if not free:
            raise RuntimeError(f"[split_module] cycle exists between partitions {waiting}; put the nodes that need each other into one")
        done += free
        waiting = [n for n in waiting if n not in free]
    return done


def _move(node: Node, part: Partition, root_m: Any, qualname_map: dict[str, str] | None, name: str | None) -> None:
    """Copy a node into its part."""
    target = node.target
    if node.op == "call_module":
        target = node.target.replace(".", "_") if "." in node.target else node.target
        part.targets[target] = _get_attr(root_m, node.target)
        if qualname_map is not None:
            qualname_map[f"{part.submod_name}.{target}"] = node.target
    args, kwargs = (map_arg(x, lambda n: part.environment[n]) for x in (node.args, node.kwargs))
    copied = part.graph.create_node(node.op, target, args, dict(kwargs), name, node.type)
    copied.meta = node.meta.copy()
    part.environment[node] = copied


def _stitch(m: GraphModule, root_m: Any, parts: dict[str, Partition], order: list[str], tuple_return: bool) -> GraphModule:
    """Make the module that calls the parts."""
    graph, attributes = Graph(), {}
    env: dict[Node, Any] = {}
    for node in m.graph.nodes:
        if node.op in ("placeholder", "get_attr"):
            env[node] = graph.node_copy(node, lambda n: env[n])
            if node.op == "get_attr":
                attributes[node.target] = _get_attr(m, node.target)
    for name in order:
        part = parts[name]
        outputs = tuple(part.environment[x] for x in part.outputs.values())
        several = tuple_return or len(outputs) != 1
        part.graph.output(outputs if several else outputs[0])
        attributes[part.submod_name] = GraphModule(part.targets, part.graph)
        call = graph.call_module(part.submod_name, tuple(env[x] for x in part.inputs.values()))
        if several:
            proxy = Proxy(call)
            env.update((x, proxy[i].node) for i, x in enumerate(part.outputs.values()))  # type: ignore[index]
        else:
            env[next(iter(part.outputs.values()))] = call
    for node in m.graph.nodes:
        if node.op == "output":
            graph.output(map_arg(node.args[0], lambda n: env[n]), node.type)
    return GraphModule(attributes, graph)
