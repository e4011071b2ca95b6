"""What a transformation notes of the node that it runs: ``preserve_node_meta`` lets new nodes inherit it."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Iterator
from typing import Any

__all__ = [
    "annotate", "format_stack", "get_current_meta", "get_current_replay_node", "has_preserved_node_meta", "preserve_node_meta",
    "set_current_meta", "set_current_replay_node", "set_stack_trace",
]  # fmt: skip

_meta: dict[str, Any] = {}
_keeping = False
_replaying: Any = None


@contextlib.contextmanager
def preserve_node_meta(enable: bool = True) -> Iterator[None]:
    """Let nodes that are recorded in the block have the ``meta`` of the node that is being run."""
    global _keeping, _meta
    was = _keeping, _meta
    _keeping, _meta = enable, dict(_meta)
    try:
        yield
    finally:
        _keeping, _meta = was


@contextlib.contextmanager
def set_current_meta(node: Any, pass_name: str = "") -> Iterator[None]:
    """Say which node is being run."""
    global _meta
    was = _meta
    if _keeping and node.meta:
        _meta = {**node.meta, "from_node": [*node.meta.get("from_node", []), (node.name, node.target)]}
    try:
        yield
    finally:
        _meta = was


@contextlib.contextmanager
def annotate(annotation_dict: dict[str, Any]) -> Iterator[None]:
    """Give nodes that are recorded in the block these entries under ``meta["custom"]``."""
    global _meta
    was = _meta
    _meta = {**_meta, "custom": {**_meta.get("custom", {}), **annotation_dict}}
    try:
        yield
    finally:
        _meta = was


@contextlib.contextmanager
def set_current_replay_node(node: Any) -> Iterator[None]:
    """Say which node is being replayed."""
    global _replaying
    was, _replaying = _replaying, node
    try:
        yield
    finally:
        _replaying = was


def get_current_replay_node() -> Any:
    """Return the node that is being replayed, or None."""
    return _replaying


def set_stack_trace(stack: list[str]) -> None:
    """Note where the program is."""
    if _keeping and stack:
        _meta["stack_trace"] = "".join(stack)


def has_preserved_node_meta() -> bool:
    """Whether new nodes inherit ``meta``."""
    return _keeping


def get_current_meta() -> dict[str, Any]:
    """Return what new nodes inherit."""
    return _meta


def format_stack() -> list[str]:
    """Return where the program is, as lines."""
    return [_meta["stack_trace"]] if "stack_trace" in _meta else traceback.format_list(traceback.extract_stack()[:-1])
