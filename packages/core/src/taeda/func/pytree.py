"""Nested tuples, lists and dicts as a flat list of leaves and a ``TreeSpec`` that builds them again."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque, namedtuple
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from taeda.tensor_base import Size

_DICTS = (dict, OrderedDict, defaultdict)


class TreeSpec:
    """The structure of a tree: the kind of container, what it needs besides its children, and their structures."""

    __slots__ = ("children_specs", "context", "kind", "num_leaves")

    def __init__(self, kind: Any, context: Any, children: list[TreeSpec]) -> None:
        # of a named tuple PyTorch says that it is one, and in the context of which class
        self.kind, self.context, self.children_specs = context if kind is namedtuple else kind, context, children
        self.num_leaves: int = 1 if kind is None else sum(c.num_leaves for c in children)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TreeSpec):
            return False
        return (self.kind, self.context, self.children_specs) == (other.kind, other.context, other.children_specs)

    def __hash__(self) -> int:
        return hash((self.kind, self.num_leaves))

    def __repr__(self) -> str:
        if self.kind is None:
            return "*"
        name = "namedtuple" if hasattr(self.kind, "_make") else self.kind.__name__
        inner = [repr(c).replace("\n", "\n  ") for c in self.children_specs]
        return f"TreeSpec({name}, {self.context}, [{(',' + chr(10) + '  ').join(inner)}])"

    # -- PyTorch's names of what it holds ------------------------------------------------------------

    type = property(lambda self: namedtuple if hasattr(self.kind, "_make") else self.kind)
    num_children = property(lambda self: len(self.children_specs))
    num_nodes = property(lambda self: 1 + sum(c.num_nodes for c in self.children_specs))

    def is_leaf(self) -> bool:
        """Whether this is the structure of a leaf."""
        return self.kind is None

    def children(self) -> list[TreeSpec]:
        """Return the structures of the children."""
        return list(self.children_specs)

    def child(self, index: int) -> TreeSpec:
        """Return the structure of a child."""
        return self.children_specs[index]

    def entries(self) -> list[Any]:
        """Return the key of each child: of a dict its key, of a named tuple the field, else the place."""
        if self.kind in _DICTS:
            return list(self.context[1] if self.kind is defaultdict else self.context)
        return list(self.kind._fields) if hasattr(self.kind, "_fields") else list(range(len(self.children_specs)))

    def unflatten(self, leaves: Iterable[Any]) -> Any:
        """Build the tree of this structure from its leaves."""
        return tree_unflatten(leaves, self)

    def flatten_up_to(self, tree: Any) -> list[Any]:
        """Return the parts of a tree that stand where this structure has leaves.  ValueError where their nodes differ."""
        if self.kind is None:
            return [tree]
        opened = open_node(tree)
        kind = type(tree) if opened is None else opened[0]
        if kind is not self.kind and not (kind in _DICTS and self.kind in _DICTS):
            raise ValueError(f"[flatten_up_to] Node type mismatch; expected {self.kind}, but got {kind}.")
        parts = opened[2] if opened is not None else []
        if kind in _DICTS:
            if set(tree) != set(self.entries()):
                raise ValueError(f"[flatten_up_to] Node keys mismatch; expected {self.entries()}, but got {list(tree)}.")
            parts = [tree[key] for key in self.entries()]
        if len(parts) != len(self.children_specs):
            raise ValueError(f"[flatten_up_to] Node arity mismatch; expected {len(self.children_specs)}, but got {len(parts)}.")
        return [x for spec, part in zip(self.children_specs, parts, strict=True) for x in spec.flatten_up_to(part)]


LEAF = TreeSpec(None, None, [])

# Classes of programs' own that are nodes: how one comes apart into (children, context), and is put together again
NODES: dict[Any, tuple[Callable[[Any], tuple[Any, Any]], Callable[[Any, Any], Any]]] = {
    Size: (lambda size: (list(size), None), lambda children, _: tuple(children)),       # as in PyTorch, what is built is not a Size
}


def open_node(tree: Any) -> tuple[Any, Any, list[Any]] | None:
    """Return (kind, context, children) of a container, None for a leaf."""
    kind = type(tree)
    if kind is tuple or kind is list:
        return kind, None, list(tree)
    if kind is dict or kind is OrderedDict:
        return kind, list(tree), list(tree.values())
    if kind is defaultdict:
        return kind, [tree.default_factory, list(tree)], list(tree.values())
    if kind is deque:
        return kind, tree.maxlen, list(tree)
    if kind in NODES:
        children, context = NODES[kind][0](tree)
        return kind, context, list(children)
    if isinstance(tree, dict) and getattr(kind, "_is_plain", False):        # a module's _parameters, say
        return dict, list(tree), list(tree.values())
    if isinstance(tree, tuple) and (hasattr(tree, "_fields") or hasattr(kind, "_is_result")):
        return kind, kind if hasattr(kind, "_make") else None, list(tree)
    return None


def tree_flatten(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> tuple[list[Any], TreeSpec]:
    """Return the leaves of a tree, in order, and its structure.  What ``is_leaf`` is true of is not opened.

    >>> from taeda.func.pytree import tree_flatten
    >>> leaves, spec = tree_flatten({"a": 1, "b": 2})
    >>> leaves, spec
    ([1, 2], TreeSpec(dict, ['a', 'b'], [*,
      *]))
    """
    leaves: list[Any] = []
    spec = _gathered(tree, is_leaf, leaves)
    return leaves, spec


# No closures that call themselves: those hold what they have met until the collector of cycles runs.
def _gathered(node: Any, is_leaf: Callable[[Any], bool] | None, leaves: list[Any]) -> TreeSpec:
    """Append the leaves of a tree, and return its structure."""
    opened = None if is_leaf is not None and is_leaf(node) else open_node(node)
    if opened is None:
        leaves.append(node)
        return LEAF
    kind, context, children = opened
    return TreeSpec(kind, context, [_gathered(child, is_leaf, leaves) for child in children])


def tree_leaves(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> list[Any]:
    """Return the leaves of a tree, in order."""
    return tree_flatten(tree, is_leaf)[0]


def tree_unflatten(leaves: Any, treespec: TreeSpec) -> Any:
    """Build the tree of a structure from its leaves.  ValueError unless there are as many as it holds."""
    if not isinstance(treespec, TreeSpec):
        raise TypeError(f"[tree_unflatten] expected a TreeSpec, got {type(treespec).__name__}")
    leaves = list(leaves)
    if len(leaves) != treespec.num_leaves:
        raise ValueError(f"[tree_unflatten] `leaves` has length {len(leaves)} but the spec refers to a pytree that holds "
                         f"{treespec.num_leaves} items ({treespec})")
    return _built(treespec, iter(leaves))


def _built(spec: TreeSpec, rest: Iterator[Any]) -> Any:
    """Build a tree from the next leaves."""
    kind, context = spec.kind, spec.context
    if kind is None:
        return next(rest)
    children = [_built(child, rest) for child in spec.children_specs]
    if kind in (dict, OrderedDict):
        return kind(zip(context, children, strict=True))
    if kind is defaultdict:
        return defaultdict(context[0], zip(context[1], children, strict=True))
    if kind is deque:
        return deque(children, maxlen=context)
    if kind in (tuple, list):
        return kind(children)
    if kind in NODES:
        return NODES[kind][1](children, context)
    return kind(*children) if hasattr(kind, "_make") else kind(children)


def tree_map(f: Callable[..., Any], tree: Any, *rests: Any, is_leaf: Callable[[Any], bool] | None = None) -> Any:
    """Return the tree with ``f`` applied to each leaf, and to what stands there in trees of the same structure.

    >>> from taeda.func.pytree import tree_map
    >>> tree_map(lambda x, y: x + y, {"a": 1}, {"a": 2})
    {'a': 3}
    """
    leaves, spec = tree_flatten(tree, is_leaf)
    if not rests:
        return tree_unflatten([f(x) for x in leaves], spec)
    columns = [leaves, *(spec.flatten_up_to(r) for r in rests)]
    return tree_unflatten([f(*row) for row in zip(*columns, strict=True)], spec)


def broadcast_prefix(prefix: Any, spec: TreeSpec) -> list[Any] | None:
    """Return one value a leaf of ``spec`` from a tree that may end earlier (its leaf counts for all below), None if it does not fit."""
    opened = open_node(prefix)
    if opened is None:
        return [prefix] * spec.num_leaves
    kind, context, children = opened
    if kind is not spec.kind or context != spec.context or len(children) != len(spec.children_specs):
        return None
    found: list[Any] = []
    for child, s in zip(children, spec.children_specs, strict=True):
        part = broadcast_prefix(child, s)
        if part is None:
            return None
        found += part
    return found
