"""Nested tuples, lists and dicts as a flat list of leaves and a ``Spec`` that builds them again."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator
from typing import Any

_DICTS = (dict, OrderedDict, defaultdict)


class Spec:
    """The structure of a tree: the kind of container, what it needs besides its children, and their structures."""

    __slots__ = ("children", "context", "kind", "num_leaves")

    def __init__(self, kind: Any, context: Any, children: list[Spec]) -> None:
        self.kind, self.context, self.children = kind, context, children
        self.num_leaves: int = 1 if kind is None else sum(c.num_leaves for c in children)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Spec) and (self.kind, self.context, self.children) == (other.kind, other.context, other.children)

    def __hash__(self) -> int:
        return hash((self.kind, self.num_leaves))

    def __repr__(self) -> str:
        if self.kind is None:
            return "*"
        if self.kind in _DICTS:
            return "{" + ", ".join(f"{k!r}: {c!r}" for k, c in zip(_keys(self), self.children, strict=True)) + "}"
        inner = ", ".join(map(repr, self.children))
        if self.kind is list:
            return f"[{inner}]"
        return f"({inner}{',' if len(self.children) == 1 else ''})"


LEAF = Spec(None, None, [])


def _keys(spec: Spec) -> Any:
    return spec.context[1] if spec.kind is defaultdict else spec.context


def _open(tree: Any) -> tuple[Any, Any, list[Any]] | None:
    """Return (kind, context, children) of a container, None for a leaf."""
    kind = type(tree)
    if kind is tuple or kind is list:
        return kind, None, list(tree)
    if kind is dict or kind is OrderedDict:
        return kind, list(tree), list(tree.values())
    if kind is defaultdict:
        return kind, (tree.default_factory, list(tree)), list(tree.values())
    if kind is deque:
        return kind, tree.maxlen, list(tree)
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return kind, kind, list(tree)
    return None


def tree_flatten(tree: Any) -> tuple[list[Any], Spec]:
    """Return the leaves of a tree, in order, and its structure.

    >>> leaves, spec = tree_flatten({"a": 1, "b": (2, [3])})
    >>> leaves, spec
    ([1, 2, 3], {'a': *, 'b': (*, [*])})
    """
    leaves: list[Any] = []

    def walk(node: Any) -> Spec:
        opened = _open(node)
        if opened is None:
            leaves.append(node)
            return LEAF
        kind, context, children = opened
        return Spec(kind, context, [walk(c) for c in children])

    spec = walk(tree)
    return leaves, spec


def tree_leaves(tree: Any) -> list[Any]:
    """Return the leaves of a tree, in order."""
    return tree_flatten(tree)[0]


def tree_unflatten(leaves: Any, spec: Spec) -> Any:
    """Build the tree of a structure from its leaves."""
    rest: Iterator[Any] = iter(leaves)

    def build(s: Spec) -> Any:
        if s.kind is None:
            return next(rest)
        children = [build(c) for c in s.children]
        if s.kind in (dict, OrderedDict):
            return s.kind(zip(s.context, children, strict=True))
        if s.kind is defaultdict:
            return defaultdict(s.context[0], zip(s.context[1], children, strict=True))
        if s.kind is deque:
            return deque(children, maxlen=s.context)
        if s.kind in (tuple, list):
            return s.kind(children)
        return s.kind(*children) if hasattr(s.kind, "_make") else s.kind(children)

    return build(spec)


def tree_map(f: Callable[[Any], Any], tree: Any) -> Any:
    """Return the tree with ``f`` applied to each leaf."""
    leaves, spec = tree_flatten(tree)
    return tree_unflatten([f(x) for x in leaves], spec)


def broadcast_prefix(prefix: Any, spec: Spec) -> list[Any] | None:
    """Return one value a leaf of ``spec`` from a tree that may end earlier (its leaf counts for all below), None if it does not fit."""
    opened = _open(prefix)
    if opened is None:
        return [prefix] * spec.num_leaves
    kind, context, children = opened
    if kind is not spec.kind or context != spec.context or len(children) != len(spec.children):
        return None
    found: list[Any] = []
    for child, s in zip(children, spec.children, strict=True):
        part = broadcast_prefix(child, s)
        if part is None:
            return None
        found += part
    return found
