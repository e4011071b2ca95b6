"""PyTorch's name for the trees of tuples, lists and dicts that ``taeda.func`` uses, and of containers that programs register.

>>> from taeda.utils._pytree import tree_map
>>> tree_map(lambda x: x + 1, {"a": 1, "b": (2, [3])})
{'a': 2, 'b': (3, [4])}
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

from taeda.func import pytree
from taeda.func.pytree import LEAF, Spec as TreeSpec, tree_flatten, tree_leaves, tree_map, tree_unflatten

__all__ = [
    "GetAttrKey", "LeafSpec", "MappingKey", "PyTree", "SequenceKey", "TreeSpec", "arg_tree_leaves", "key_get", "keystr",
    "register_pytree_node", "tree_all", "tree_all_only", "tree_any", "tree_any_only", "tree_flatten", "tree_flatten_with_path",
    "tree_is_leaf", "tree_iter", "tree_leaves", "tree_leaves_with_path", "tree_map", "tree_map_", "tree_map_only", "tree_map_only_",
    "tree_map_with_path", "tree_structure", "tree_unflatten",
]  # fmt: skip

PyTree = Any
IsLeaf = Callable[[Any], bool] | None


def LeafSpec() -> TreeSpec:
    """Return the structure of a leaf."""
    return LEAF


# -- containers of the user's ------------------------------------------------------------------------


def register_pytree_node(
    cls: type,
    flatten_fn: Callable[[Any], tuple[list[Any], Any]],
    unflatten_fn: Callable[[Any, Any], Any],
    *,
    serialized_type_name: str | None = None,
    to_dumpable_context: Any = None,
    from_dumpable_context: Any = None,
    flatten_with_keys_fn: Callable[[Any], tuple[list[tuple[Any, Any]], Any]] | None = None,
) -> None:
    """Let objects of a class be opened wherever trees are: by this room, by ``vmap`` and the differentiating transforms.

    Args:
        cls: the class itself; its subclasses are not opened.
        flatten_fn: object -> (children, context).
        unflatten_fn: children, context -> object.
        flatten_with_keys_fn: object -> ((key, child) pairs, context), for the functions with paths.
        serialized_type_name, to_dumpable_context, from_dumpable_context: accepted; structures are not written.

    Raises ValueError for a class that is opened already.
    """
    if not isinstance(cls, type):
        raise TypeError(f"[register_pytree_node] cls must be a class, got {cls!r}")
    if pytree.is_container(cls):
        raise ValueError(f"[register_pytree_node] {cls} is already registered as pytree node")
    pytree.registered[cls] = pytree.Registered(flatten_fn, unflatten_fn, flatten_with_keys_fn)


_register_pytree_node = register_pytree_node


# -- leaves and structures ---------------------------------------------------------------------------


def tree_structure(tree: Any, is_leaf: IsLeaf = None) -> TreeSpec:
    """Return what builds the tree from its leaves again."""
    return tree_flatten(tree, is_leaf)[1]


def tree_is_leaf(tree: Any, is_leaf: IsLeaf = None) -> bool:
    """Whether the tree is a leaf itself."""
    return tree_structure(tree, is_leaf).is_leaf()


def tree_iter(tree: Any, is_leaf: IsLeaf = None) -> Iterator[Any]:
    """Return an iterator over the leaves."""
    return iter(tree_leaves(tree, is_leaf))


def arg_tree_leaves(*args: Any, **kwargs: Any) -> list[Any]:
    """Return the leaves of a call's arguments."""
    return tree_leaves((args, kwargs))


def _chosen(which: Any) -> Callable[[Any], bool]:
    """A predicate from classes or a predicate."""
    return which if callable(which) and not isinstance(which, type) else lambda leaf: isinstance(leaf, which)


def tree_map_only(which: Any, f: Callable[[Any], Any], tree: Any, is_leaf: IsLeaf = None) -> Any:
    """Return the tree with ``f`` applied to each leaf of a class, of some, or of which a predicate holds, and the others as they are.

    >>> tree_map_only(int, float, [1, "a"])
    [1.0, 'a']
    """
    holds = _chosen(which)
    return tree_map(lambda leaf: f(leaf) if holds(leaf) else leaf, tree, is_leaf=is_leaf)


def tree_map_(f: Callable[..., Any], tree: Any, *rests: Any, is_leaf: IsLeaf = None) -> Any:
    """Call ``f`` on each leaf for what it does, and return the tree."""
    tree_map(f, tree, *rests, is_leaf=is_leaf)
    return tree


def tree_map_only_(which: Any, f: Callable[[Any], Any], tree: Any, is_leaf: IsLeaf = None) -> Any:
    """Call ``f`` on the leaves that ``which`` chooses for what it does, and return the tree."""
    tree_map_only(which, f, tree, is_leaf)
    return tree


def tree_all(holds: Callable[[Any], bool], tree: Any, is_leaf: IsLeaf = None) -> bool:
    """Whether ``holds`` is true of all leaves."""
    return all(map(holds, tree_leaves(tree, is_leaf)))


def tree_any(holds: Callable[[Any], bool], tree: Any, is_leaf: IsLeaf = None) -> bool:
    """Whether ``holds`` is true of a leaf."""
    return any(map(holds, tree_leaves(tree, is_leaf)))


def tree_all_only(which: Any, holds: Callable[[Any], bool], tree: Any, is_leaf: IsLeaf = None) -> bool:
    """Whether ``holds`` is true of all leaves that ``which`` chooses."""
    return all(map(holds, filter(_chosen(which), tree_leaves(tree, is_leaf))))


def tree_any_only(which: Any, holds: Callable[[Any], bool], tree: Any, is_leaf: IsLeaf = None) -> bool:
    """Whether ``holds`` is true of a leaf that ``which`` chooses."""
    return any(map(holds, filter(_chosen(which), tree_leaves(tree, is_leaf))))


# -- leaves with their paths -------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class MappingKey:
    """The key of a dict's item."""

    key: Any

    def __str__(self) -> str:
        return f"[{self.key!r}]"

    def get(self, container: Any) -> Any:
        """Return the item."""
        return container[self.key]


@dataclasses.dataclass(frozen=True)
class SequenceKey:
    """The place of a sequence's item."""

    idx: int

    def __str__(self) -> str:
        return f"[{self.idx!r}]"

    def get(self, container: Any) -> Any:
        """Return the item."""
        return container[self.idx]


@dataclasses.dataclass(frozen=True)
class GetAttrKey:
    """The name of an attribute."""

    name: str

    def __str__(self) -> str:
        return f".{self.name}"

    def get(self, container: Any) -> Any:
        """Return the attribute's value."""
        return getattr(container, self.name)


def _keyed(tree: Any) -> list[tuple[Any, Any]]:
    """The children of a container with their keys."""
    kind = type(tree)
    if kind in pytree.registered:
        if pytree.registered[kind].with_keys is None:
            raise ValueError(f"[pytree] Did not find a flatten_with_keys_fn for type: {kind}; give one to register_pytree_node")
        return list(pytree.registered[kind].with_keys(tree)[0])
    if isinstance(tree, dict):
        return [(MappingKey(k), v) for k, v in tree.items()]
    if hasattr(tree, "_make"):
        return [(GetAttrKey(name), getattr(tree, name)) for name in tree._fields]
    return [(SequenceKey(i), v) for i, v in enumerate(tree)]


def _walk(tree: Any, path: tuple[Any, ...], is_leaf: IsLeaf) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if tree_is_leaf(tree, is_leaf):
        yield path, tree
    else:
        for key, child in _keyed(tree):
            yield from _walk(child, (*path, key), is_leaf)


def tree_flatten_with_path(tree: Any, is_leaf: IsLeaf = None) -> tuple[list[tuple[tuple[Any, ...], Any]], TreeSpec]:
    """Return (path, leaf) pairs and the structure; a path is a tuple of keys.

    >>> [(keystr(path), leaf) for path, leaf in tree_flatten_with_path({"a": 1, "b": (2, 3)})[0]]
    [("['a']", 1), ("['b'][0]", 2), ("['b'][1]", 3)]
    """
    return list(_walk(tree, (), is_leaf)), tree_structure(tree, is_leaf)


def tree_leaves_with_path(tree: Any, is_leaf: IsLeaf = None) -> list[tuple[tuple[Any, ...], Any]]:
    """Return (path, leaf) pairs."""
    return list(_walk(tree, (), is_leaf))


def tree_map_with_path(f: Callable[..., Any], tree: Any, *rests: Any, is_leaf: IsLeaf = None) -> Any:
    """Return the tree with ``f(path, leaf, ...)`` in place of each leaf."""
    pairs, spec = tree_flatten_with_path(tree, is_leaf)
    paths, leaves = [path for path, _ in pairs], [leaf for _, leaf in pairs]
    return tree_unflatten(map(f, paths, leaves, *[spec.flatten_up_to(r) for r in rests]), spec)


def keystr(path: tuple[Any, ...]) -> str:
    """Return a path as Python would write it behind the tree's name."""
    return "".join(map(str, path))


def key_get(obj: Any, path: tuple[Any, ...]) -> Any:
    """Return what a tree has at a path."""
    for key in path:
        obj = key.get(obj)
    return obj
