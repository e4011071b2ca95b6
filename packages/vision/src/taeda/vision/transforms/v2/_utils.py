"""The helpers of `Transform`s under the module by which programs written for torchvision import them."""

from __future__ import annotations

from typing import Any

from taeda.vision.transforms.v2._transform import (
    check_type,
    fill_for,
    fills,
    find_labels,
    get_bounding_boxes,
    get_keypoints,
    has_all,
    has_any,
    labels_of,
    query_chw,
    query_size,
)
from taeda.vision.transforms.v2.functional._dispatch import is_pure_tensor

__all__ = ["check_type", "get_bounding_boxes", "get_keypoints", "has_all", "has_any", "is_pure_tensor", "query_chw", "query_size"]

_get_fill = fill_for
_find_labels_default_heuristic = find_labels
_parse_labels_getter = labels_of


def _setup_fill_arg(fill: Any) -> dict[Any, Any]:
    """Read a fill, or one for each type, as a dict."""
    return fills(fill, "transforms.v2")
