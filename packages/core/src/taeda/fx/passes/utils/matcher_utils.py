"""Finding a pattern in a graph."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

from taeda.fx.graph import Graph
from taeda.fx.graph_module import _get_attr
from taeda.fx.node import Node

__all__ = ["InternalMatch", "SubgraphMatcher"]


@dataclass
class InternalMatch:
    """Where a pattern was found.

    ``anchors`` are the pattern's last nodes; ``nodes_map`` says what each of its nodes is in the graph; ``placeholder_nodes`` what its
    inputs are, ``returning_nodes`` what it returns.
    """

    anchors: list[Node]
    nodes_map: dict[Node, Any] = field(default_factory=dict)
    placeholder_nodes: list[Any] = field(default_factory=list)
    returning_nodes: list[Node] = field(default_factory=list)
    name_node_map: dict[str, Node] = field(default_factory=dict)

    def __copy__(self) -> InternalMatch:
        return InternalMatch(self.anchors, dict(self.nodes_map), list(self.placeholder_nodes), list(self.returning_nodes),
                             dict(self.name_node_map))


class SubgraphMatcher:
    """Finds the places of a graph that do what a pattern does.

    Args:
        pattern: a graph with an output.
        match_output: whether the pattern's return must be the graph's.
        match_placeholder: whether the pattern's inputs must be the graph's.
        remove_overlapping_matches: keep of two matches that share nodes the first.
        ignore_literals: values in the pattern that are no nodes fit any.

    Raises:
        ValueError: the pattern is empty, or an input of it is not used.
    """

    def __init__(
        self, pattern: Graph, match_output: bool = False, match_placeholder: bool = False, remove_overlapping_matches: bool = True,
        ignore_literals: bool = False,
    ) -> None:  # fmt: skip
        self.pattern, self.match_output, self.match_placeholder = pattern, match_output, match_placeholder
        self.remove_overlapping_matches, self.ignore_literals = remove_overlapping_matches, ignore_literals
        if len(pattern.nodes) == 0:
            raise ValueError("[SubgraphMatcher] cannot be initialized with an empty pattern")
        for node in pattern.nodes:
            if node.op not in ("output", "placeholder") and not node.users:
                raise AssertionError(f"[SubgraphMatcher] the pattern contains dead code: {node}; call eliminate_dead_code on it")
        self.pattern_placeholder_nodes = [n for n in pattern.nodes if n.op == "placeholder"]
        output = pattern.output_node()
        self.pattern_returning_nodes: list[Node] = output.all_input_nodes
        self.pattern_anchors: list[Node] = (
            [output] if match_output else [n for n in self.pattern_returning_nodes if len(n.users) == 1]
        )

    def match(self, graph: Graph, node_name_match: str = "") -> list[InternalMatch]:
        """Return all matches, in the order of the graph."""
        candidates = [[g for g in graph.nodes if self._nodes_are_equal(p, g, node_name_match)] for p in self.pattern_anchors]
        found: list[InternalMatch] = []

        def try_anchors(i: int, match: InternalMatch) -> None:
            if i == len(self.pattern_anchors):
                match.placeholder_nodes = [match.nodes_map.get(p) for p in self.pattern_placeholder_nodes]
                match.returning_nodes = [match.nodes_map[p] for p in self.pattern_returning_nodes]
                found.append(match)
                return
            for g in candidates[i]:
                further = copy.copy(match)
                if self._match_nodes(self.pattern_anchors[i], g, further, node_name_match):
                    try_anchors(i + 1, further)

        if self.pattern_anchors:
            try_anchors(0, InternalMatch(anchors=self.pattern_anchors))
        found = [m for m in found if self._is_contained(m.nodes_map)]
        found = [m for m in found if all(p in m.nodes_map for p in self.pattern_placeholder_nodes if p.users)]
        return self._without_overlaps(found) if self.remove_overlapping_matches else found

    def _is_contained(self, nodes_map: dict[Node, Any]) -> bool:
        """Whether no value inside of a match is used outside of it."""
        inside = {g: p for p, g in nodes_map.items() if isinstance(g, Node) and p.op != "placeholder"}
        for g, p in inside.items():
            if p in self.pattern_returning_nodes:
                continue
            if any(user not in inside for user in g.users):
                return False
        return True

    def _without_overlaps(self, matches: list[InternalMatch]) -> list[InternalMatch]:
        kept: list[InternalMatch] = []
        taken: set[Node] = set()
        for m in matches:
            own = {g for p, g in m.nodes_map.items() if isinstance(g, Node) and p.op not in ("placeholder", "output")}
            if not own & taken:
                kept.append(m)
                taken |= own
        return kept

    # -- one node --------------------------------------------------------------------------------------

    def _nodes_are_equal(self, pn: Node, gn: Node, node_name_match: str = "") -> bool:
        if not self.match_placeholder and pn.op == "placeholder":
            return True
        if node_name_match and node_name_match in gn.name:
            return True
        if pn.op != gn.op:
            return False
        if pn.op in ("placeholder", "output"):
            return True
        if pn.op == "get_attr":
            return self._same_attribute(pn, gn)
        if pn.op == "call_module":
            owners = pn.graph.owning_module, gn.graph.owning_module
            if None in owners:
                return bool(pn.target == gn.target)
            mine, theirs = (_get_attr(owner, n.target) for owner, n in zip(owners, (pn, gn), strict=True))
            return type(mine) is type(theirs)
        return bool(pn.target == gn.target)

    @staticmethod
    def _same_attribute(pn: Node, gn: Node) -> bool:
        from taeda import Tensor

        if None in (pn.graph.owning_module, gn.graph.owning_module):
            return bool(pn.target == gn.target)
        mine, theirs = _get_attr(pn.graph.owning_module, pn.target), _get_attr(gn.graph.owning_module, gn.target)
        return isinstance(theirs, Tensor) if isinstance(mine, Tensor) else type(mine) is type(theirs)

    def _match_literals(self, pn: Any, gn: Any, match: InternalMatch) -> bool:
        if isinstance(pn, Node):                         # an input of the pattern stands for a value
            if pn.op != "placeholder":
                return False
            if pn in match.nodes_map:
                return bool(match.nodes_map[pn] == gn)
            match.nodes_map[pn] = gn
            return True
        return not isinstance(gn, Node) and (self.ignore_literals or (type(pn) is type(gn) and bool(pn == gn)))

    def _match_nodes(self, pn: Node, gn: Node, match: InternalMatch, node_name_match: str = "") -> bool:
        if pn in match.nodes_map:
            return match.nodes_map[pn] is gn
        if any(g is gn for g in match.nodes_map.values()):      # one node of the graph is one of the pattern: x + x is not a + b
            return False
        if not self._nodes_are_equal(pn, gn, node_name_match):
            return False
        was = dict(match.nodes_map)
        match.nodes_map[pn] = gn
        match.name_node_map[pn.name] = gn
        if pn.op == "placeholder":
            return True
        if self._match_args(pn, gn, match):
            return True
        match.nodes_map.clear()
        match.nodes_map.update(was)
        return False

    def _match_args(self, pn: Node, gn: Node, match: InternalMatch) -> bool:
        mine, theirs = (self._arranged(n) for n in (pn, gn))
        if mine is None or theirs is None:
            if len(pn.args) != len(gn.args) or set(pn.kwargs) != set(gn.kwargs):
                return False
            mine, theirs = (
                [*pn.args, *(pn.kwargs[k] for k in sorted(pn.kwargs))], [*gn.args, *(gn.kwargs[k] for k in sorted(pn.kwargs))],
            )
        return self._match_values(mine, theirs, match)

    @staticmethod
    def _arranged(n: Node) -> list[Any] | None:
        """Return a node's arguments in the order of its signature, so that position and keyword are the same."""
        if n.op != "call_function" and n.op != "call_module":
            return None
        found = n.normalized_arguments(n.graph.owning_module, normalize_to_only_use_kwargs=True) if n.graph.owning_module or (
            n.op == "call_function") else None
        return None if found is None else [x for k in sorted(found.kwargs) for x in (k, found.kwargs[k])]

    def _match_values(self, mine: Any, theirs: Any, match: InternalMatch) -> bool:
        if isinstance(mine, (list, tuple)) and isinstance(theirs, (list, tuple)):
            return len(mine) == len(theirs) and all(self._match_values(a, b, match) for a, b in zip(mine, theirs, strict=True))
        if isinstance(mine, dict) and isinstance(theirs, dict):
            return set(mine) == set(theirs) and all(self._match_values(mine[k], theirs[k], match) for k in mine)
        if isinstance(mine, slice) and isinstance(theirs, slice):
            return self._match_values([mine.start, mine.stop, mine.step], [theirs.start, theirs.stop, theirs.step], match)
        if isinstance(mine, Node) and isinstance(theirs, Node):
            return self._match_nodes(mine, theirs, match)
        return self._match_literals(mine, theirs, match)
