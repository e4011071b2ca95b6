"""The former name of ``taeda.hub.load_state_dict_from_url``."""

from __future__ import annotations

from typing import Any

from taeda.hub import load_state_dict_from_url as load_url

__all__ = ["load_url"]


def __getattr__(name: str) -> Any:
    if name == "tqdm":
        from taeda import hub

        return hub.tqdm
    raise AttributeError(f"module 'taeda.utils.model_zoo' has no attribute {name!r}")
