"""Nested tuples, lists and dicts as a flat list of leaves and a ``Spec`` that builds them again."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque, namedtuple
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

    def is_leaf(self) -> bool:
        """Whether the tree is a leaf alone."""
        return self.kind is None

    @property
    def type(self) -> Any:
        """The class of the container, None for a leaf."""
        return namedtuple if hasattr(self.kind, "_make") else self.kind

    @property
    def num_children(self) -> int:
        """The number of the container's items."""
        return len(self.children)

    @property
    def num_nodes(self) -> int:
        """The number of containers and leaves."""
        return 1 + sum(c.num_nodes for c in self.children)

    def unflatten(self, leaves: Any) -> Any:
        """Build the tree from its leaves."""
        return tree_unflatten(leaves, self)

    def flatten_up_to(self, tree: Any) -> list[Any]:
        """Return what ``tree`` has where this structure has its leaves; ValueError where they differ above."""
        if self.kind is None:
            return [tree]
        kind, context, children = _open(tree) or (type(tree), None, [])
        if kind is not self.kind:
            raise ValueError(f"[pytree] Node type mismatch; expected {self.kind}, but got {kind}")
        if len(children) != len(self.children):
            raise ValueError(f"[pytree] Node arity mismatch; expected {len(self.children)}, but got {len(children)}")
        if kind in _DICTS:
            keys = _keys(Spec(kind, context, []))
            if set(keys) != set(_keys(self)):
                raise ValueError(f"[pytree] Node keys mismatch; expected {_keys(self)}, but got {keys}")
            children = [tree[k] for k in _keys(self)]
        return [leaf for spec, child in zip(self.children, children, strict=True) for leaf in spec.flatten_up_to(child)]

    def __repr__(self) -> str:
        return self._shown(0)

    def _shown(self, indent: int) -> str:
        if self.kind is None:
            return "*"
        inner = f",\n{' ' * (indent + 2)}".join(c._shown(indent + 2) for c in self.children)
        context = list(self.context) if self.kind is defaultdict else self.context
        return f"TreeSpec({self.type.__name__}, {context}, [{inner}])"


LEAF = Spec(None, None, [])


class Registered:
    """How a class of the user's is opened and built, as PyTorch's ``register_pytree_node`` is told."""

    def __init__(self, flatten: Any, unflatten: Any, with_keys: Any) -> None:
        self.flatten, self.unflatten, self.with_keys = flatten, unflatten, with_keys


registered: dict[type, Registered] = {}


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
    if kind in registered:
        children, context = registered[kind].flatten(tree)
        return kind, context, list(children)
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return kind, kind if hasattr(kind, "_make") else None, list(tree)
    return None


def is_container(kind: type) -> bool:
    """Whether objects of a class are opened."""
    return kind in (tuple, list, deque, *_DICTS) or kind in registered


def tree_flatten(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> tuple[list[Any], Spec]:
    """Return the leaves of a tree, in order, and its structure; what ``is_leaf`` is true of is not opened.

    >>> leaves, spec = tree_flatten({"a": 1, "b": (2, [3])})
    >>> leaves, spec.num_leaves
    ([1, 2, 3], 3)
    """
    leaves: list[Any] = []

    def walk(node: Any) -> Spec:
        opened = None if is_leaf is not None and is_leaf(node) else _open(node)
        if opened is None:
            leaves.append(node)
            return LEAF
        kind, context, children = opened
        return Spec(kind, context, [walk(c) for c in children])

    spec = walk(tree)
    return leaves, spec


def tree_leaves(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> list[Any]:
    """Return the leaves of a tree, in order."""
    return tree_flatten(tree, is_leaf)[0]


def tree_unflatten(leaves: Any, spec: Spec) -> Any:
    """Build the tree of a structure from its leaves; ValueError for another number of them."""
    if not isinstance(spec, Spec):
        raise TypeError(f"[tree_unflatten] expected a TreeSpec, got {type(spec).__name__}")
    leaves = list(leaves)
    if len(leaves) != spec.num_leaves:
        raise ValueError(f"[tree_unflatten] the tree has {spec.num_leaves} leaves, got {len(leaves)}")
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
        if s.kind in registered:
            return registered[s.kind].unflatten(children, s.context)
        return s.kind(*children) if hasattr(s.kind, "_make") else s.kind(children)

    return build(spec)


def tree_map(f: Callable[..., Any], tree: Any, *rests: Any, is_leaf: Callable[[Any], bool] | None = None) -> Any:
    """Return the tree with ``f`` applied to each leaf, and to what other trees of its structure have there."""
    leaves, spec = tree_flatten(tree, is_leaf)
    return tree_unflatten(map(f, leaves, *[spec.flatten_up_to(r) for r in rests]), spec)


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
