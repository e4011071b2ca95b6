"""Trees with a spec that is known beforehand: what the code of graphs with ``concrete_args`` uses.

>>> from taeda.fx._pytree import tree_flatten_spec
>>> from taeda.utils._pytree import tree_structure
>>> tree_flatten_spec({"a": 1, "b": [2, 3]}, tree_structure({"a": 0, "b": [0, 0]}))
[1, 2, 3]
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from typing import Any

from taeda.func.pytree import NODES

__all__ = ["register_pytree_flatten_spec", "tree_flatten_spec"]

_flatteners: dict[type, tuple[Callable[[Any, Any], Any], Callable[[Any, Any], bool] | None]] = {}


def register_pytree_flatten_spec(
    cls: type, flatten_fn_spec: Callable[[Any, Any], Any], flatten_fn_exact_match_spec: Callable[[Any, Any], bool] | None = None
) -> None:
    """Say how instances of a class are taken apart by a spec."""
    _flatteners[cls] = flatten_fn_spec, flatten_fn_exact_match_spec


def tree_flatten_spec(pytree: Any, spec: Any) -> list[Any]:
    """Return the leaves of a tree as far as a spec goes; what lies deeper stays together."""
    if _is_leaf(spec):
        return [pytree]
    kind = spec.type
    if kind in _flatteners:
        parts = _flatteners[kind][0](pytree, spec)
    elif kind is namedtuple or issubclass(kind, (tuple, list)):       # by the spec: the tree may be a Proxy
        parts = [pytree[i] for i in range(len(_children(spec)))]
    elif issubclass(kind, dict):
        parts = [pytree[k] for k in spec.context]
    elif kind in NODES:
        parts = NODES[kind][0](pytree)[0]
    else:
        raise RuntimeError(f"[fx] {type(pytree).__name__} cannot be taken apart as a {kind.__name__}; use register_pytree_flatten_spec")
    return [leaf for part, child in zip(parts, _children(spec), strict=True) for leaf in tree_flatten_spec(part, child)]


def _is_leaf(spec: Any) -> bool:
    return bool(spec.is_leaf() if callable(getattr(spec, "is_leaf", None)) else spec.type is None)


def _children(spec: Any) -> Any:
    return spec.children() if callable(getattr(spec, "children", None)) else spec.children_specs
