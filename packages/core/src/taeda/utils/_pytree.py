"""PyTorch's name for the trees of tuples, lists and dicts that ``taeda.func`` uses.

>>> from taeda.utils._pytree import tree_map
>>> tree_map(lambda x: x + 1, {"a": 1, "b": (2, [3])})
{'a': 2, 'b': (3, [4])}
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from taeda.func.pytree import Spec as TreeSpec, tree_flatten, tree_leaves, tree_map, tree_unflatten

__all__ = [
    "TreeSpec", "tree_all", "tree_any", "tree_flatten", "tree_leaves", "tree_map", "tree_map_only", "tree_structure", "tree_unflatten",
]  # fmt: skip


def tree_structure(tree: Any) -> TreeSpec:
    """Return what builds the tree from its leaves again."""
    return tree_flatten(tree)[1]


def tree_map_only(kind: type | tuple[type, ...], f: Callable[[Any], Any], tree: Any) -> Any:
    """Return the tree with ``f`` applied to each leaf of a class, and the others as they are.

    >>> tree_map_only(int, float, [1, "a"])
    [1.0, 'a']
    """
    return tree_map(lambda leaf: f(leaf) if isinstance(leaf, kind) else leaf, tree)


def tree_all(holds: Callable[[Any], bool], tree: Any) -> bool:
    """Whether ``holds`` is true of all leaves."""
    return all(map(holds, tree_leaves(tree)))


def tree_any(holds: Callable[[Any], bool], tree: Any) -> bool:
    """Whether ``holds`` is true of a leaf."""
    return any(map(holds, tree_leaves(tree)))
