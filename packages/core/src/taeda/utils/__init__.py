"""PyTorch's ``torch.utils``, as far as it is about tensors; ``taeda.utils.data`` is ``taeda.data``."""

from __future__ import annotations

import importlib
from typing import Any

from taeda.utils import checkpoint, hooks

__all__ = ["checkpoint", "hooks"]


def __getattr__(name: str) -> Any:
    if name in ("benchmark", "data", "dlpack", "flop_counter", "model_zoo", "module_tracker", "_pytree"):
        try:
            return importlib.import_module(f"taeda.utils.{name}")
        except ModuleNotFoundError as error:
            raise AttributeError(str(error)) from None
    raise AttributeError(f"module 'taeda.utils' has no attribute {name!r}")
