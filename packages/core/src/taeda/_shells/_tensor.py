"""The class of tensors by PyTorch's path, and the function that pickles of its subclasses name."""

from __future__ import annotations

from taeda.serialization.rebuild import rebuild_typed as _rebuild_from_type_v2
from taeda.tensor import Tensor

__all__ = ["Tensor", "_rebuild_from_type_v2"]
