"""PyTorch's name for ``taeda.to_dlpack`` and ``taeda.from_dlpack``."""

from __future__ import annotations

from taeda.dlpack import from_dlpack, to_dlpack

__all__ = ["from_dlpack", "to_dlpack"]
