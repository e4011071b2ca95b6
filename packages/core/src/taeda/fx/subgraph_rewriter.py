"""Replacing parts of a graph by others: every place that does what a pattern does, does what a replacement does instead.

>>> import taeda
>>> module = taeda.fx.symbolic_trace(lambda x: taeda.relu(taeda.neg(x)) + 1)
>>> matches = taeda.fx.replace_pattern(module, lambda x: taeda.relu(taeda.neg(x)), lambda x: taeda.abs(x))
>>> print(module.code.strip())
def forward(self, x):
    abs_1 = taeda.abs(x);  x = None
    add = abs_1 + 1;  abs_1 = None
    return add
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

from taeda.fx._symbolic_trace import symbolic_trace
from taeda.fx.graph import Graph
from taeda.fx.graph_module import GraphModule, _assign_attr, _get_attr, _has_attr
from taeda.fx.node import Node
from taeda.fx.passes.utils.matcher_utils import InternalMatch, SubgraphMatcher

__all__ = ["Match", "ReplacedPatterns", "replace_pattern", "replace_pattern_with_filters"]


class Match(NamedTuple):
    """Where a pattern was found: its last node, and what each of the pattern's nodes was in the graph."""

    anchor: Node
    nodes_map: dict[Node, Node]


class ReplacedPatterns:
    """A match, and the nodes that stand there now."""

    def __init__(self, anchor: Node, nodes_map: dict[Node, Node], replacements: list[Node]) -> None:
        self.anchor, self.nodes_map, self.replacements = anchor, nodes_map, replacements

    def __repr__(self) -> str:
        return f"ReplacedPatterns(anchor={self.anchor}, nodes_map={self.nodes_map}, replacements={self.replacements})"


def replace_pattern(gm: GraphModule, pattern: Any, replacement: Any) -> list[Match]:
    """Replace every occurrence of a pattern in a module's graph, and return where they were.

    Pattern and replacement are functions, modules or GraphModules of the same inputs, which are traced.  A match may use its inputs in
    any way, but no value inside of it may be used outside.  Matches that overlap an earlier one are left.

    >>> import taeda
    >>> from taeda import fx
    >>> module = fx.symbolic_trace(lambda x: taeda.relu(x + 1))
    >>> _ = fx.replace_pattern(module, lambda x: taeda.relu(x), lambda x: taeda.tanh(x))
    >>> module(taeda.tensor(0.0))
    tensor(0.7616)
    """
    return [Match(anchor=m.anchor, nodes_map=m.nodes_map) for m in _replace(gm, pattern, replacement)]


def replace_pattern_with_filters(
    gm: GraphModule, pattern: Any, replacement: Any = None,
    match_filters: list[Callable[[InternalMatch, Graph, Graph], bool]] | None = None,
    ignore_literals: bool = False, replacement_callback: Callable[[InternalMatch, Graph, Graph], Graph] | None = None,
    node_name_match: str = "",
) -> list[ReplacedPatterns]:  # fmt: skip
    """Replace occurrences of a pattern for which all filters say yes.

    Args:
        match_filters: each is called with (match, the graph, the pattern's graph).
        ignore_literals: numbers and other values in the pattern fit any.
        replacement_callback: makes the replacement of a match, from the same arguments.
    """
    return _replace(gm, pattern, replacement, match_filters, ignore_literals, replacement_callback, node_name_match)


def _graph_of(what: Any) -> Graph:
    if isinstance(what, Graph):
        return what
    return what.graph if isinstance(what, GraphModule) else symbolic_trace(what).graph


def _replace(
    gm: GraphModule, pattern: Any, replacement: Any, filters: Any = None, ignore_literals: bool = False, callback: Any = None,
    node_name_match: str = "",
) -> list[ReplacedPatterns]:  # fmt: skip
    if replacement is None and callback is None:
        raise AssertionError("[replace_pattern] Must provide either a replacement GraphModule or a replacement callback")
    graph, wanted = gm.graph, _graph_of(pattern)
    matcher = SubgraphMatcher(wanted, match_output=False, match_placeholder=False, remove_overlapping_matches=True,
                              ignore_literals=ignore_literals)
    found = [m for m in matcher.match(graph, node_name_match) if all(f(m, graph, wanted) for f in filters or ())]
    fixed: Any = None if callback is not None else _graph_of(replacement)
    done: list[ReplacedPatterns] = []
    now: dict[Node, Any] = {}                   # nodes that were replaced -> what stands for them
    for match in found:
        new = callback(match, graph, wanted) if callback is not None else fixed
        done.append(_exchange(graph, match, new, now))
    gm.recompile()
    if isinstance(replacement, GraphModule) or hasattr(replacement, "named_modules"):
        _take_attributes(gm, replacement)
    return done


def _exchange(graph: Graph, match: InternalMatch, new: Graph, now: dict[Node, Any]) -> ReplacedPatterns:
    """Put a copy of a replacement where a match is."""
    inputs = [n for n in new.nodes if n.op == "placeholder"]
    if len(inputs) != len(match.placeholder_nodes):
        raise AssertionError(f"[replace_pattern] the pattern has {len(match.placeholder_nodes)} inputs and the replacement {len(inputs)}")
    val_map: dict[Node, Any] = {
        r: now.get(g, g) if isinstance(g, Node) else g for r, g in zip(inputs, match.placeholder_nodes, strict=True)
    }
    users = {user for node in match.returning_nodes for user in node.users}
    place = min(users) if users else match.returning_nodes[-1].next
    with graph.inserting_before(place):
        result = graph.graph_copy(new, val_map)
    results = tuple(result) if isinstance(result, (tuple, list)) else (result,)
    if len(results) != len(match.returning_nodes):
        returned = f"the pattern returns {len(match.returning_nodes)} values and the replacement {len(results)}"
        raise AssertionError(f"[replace_pattern] {returned}")
    for was, node in zip(match.returning_nodes, results, strict=True):
        if isinstance(node, Node):
            was.replace_all_uses_with(node)
            now[was] = node
            if not node.meta:
                node.meta.update(was.meta)
    for node in reversed(list(match.nodes_map)):
        there = match.nodes_map[node]
        if isinstance(there, Node) and node.op not in ("placeholder", "output") and not there._erased and not there.users:
            graph.erase_node(there)
    for node in sorted((n for p, n in match.nodes_map.items() if isinstance(n, Node) and p.op != "placeholder" and not n._erased),
                       reverse=True):  # fmt: skip
        if not node.users and node not in results:
            graph.erase_node(node)
    made = [val_map[n] for n in new.nodes if n in val_map and n.op not in ("placeholder", "output")]
    return ReplacedPatterns(match.anchors[0], match.nodes_map, made)


def _take_attributes(gm: GraphModule, replacement: Any) -> None:
    """Give a module the attributes that nodes of the replacement name, and drop submodules that none names any more."""
    gm.delete_all_unused_submodules()
    for node in gm.graph.nodes:
        if node.op in ("call_module", "get_attr") and not _has_attr(gm, node.target):
            if not _has_attr(replacement, node.target):
                raise RuntimeError(f"[replace_pattern] Attempted to create a \"{node.op}\" node during subgraph rewriting with target "
                                   f"{node.target}, but it is not in the original module nor in the replacement")
            _assign_attr(copy.deepcopy(_get_attr(replacement, node.target)), gm, node.target)
    gm.graph.lint()
