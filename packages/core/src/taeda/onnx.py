"""What PyTorch's models ask of ``torch.onnx``: whether they are being exported, which they never are here."""

from __future__ import annotations

from typing import Any, NoReturn

__all__ = ["export", "is_in_onnx_export"]


def is_in_onnx_export() -> bool:
    """Whether a model is being exported: never."""
    return False


def export(*args: Any, **kwargs: Any) -> NoReturn:
    """Raise NotImplementedError: models are not exported."""
    raise NotImplementedError("[onnx.export] models are not exported; keep one with taeda.save(model.state_dict(), path)")
