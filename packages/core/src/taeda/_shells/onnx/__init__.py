"""What PyTorch's models ask of ``torch.onnx``: whether they are being exported, which they never are here.

Programs also tell it how operators of theirs are to be exported; that is taken, and never used.
"""

from __future__ import annotations

import enum
from typing import Any, NoReturn

__all__ = [
    "OperatorExportTypes", "TensorProtoDataType", "TrainingMode", "export", "is_in_onnx_export", "register_custom_op_symbolic",
    "unregister_custom_op_symbolic",
]  # fmt: skip


def is_in_onnx_export() -> bool:
    """Whether a model is being exported: never."""
    return False


def export(*args: Any, **kwargs: Any) -> NoReturn:
    """Raise NotImplementedError: models are not exported."""
    raise NotImplementedError("[onnx.export] models are not exported; keep one with taeda.save(model.state_dict(), path)")


def register_custom_op_symbolic(symbolic_name: str, symbolic_fn: Any, opset_version: int) -> None:
    """Do nothing: nothing is exported, so nobody asks how."""


def unregister_custom_op_symbolic(symbolic_name: str, opset_version: int) -> None:
    """Do nothing: nothing was registered."""


class OperatorExportTypes(enum.IntEnum):
    """How operators that the format does not have are to be exported."""

    ONNX, ONNX_ATEN, ONNX_ATEN_FALLBACK, ONNX_FALLTHROUGH = range(4)


class TrainingMode(enum.IntEnum):
    """Whether a model is to be exported as in training."""

    EVAL, PRESERVE, TRAINING = range(3)


class TensorProtoDataType(enum.IntEnum):
    """The format's numbers of dtypes."""

    (UNDEFINED, FLOAT, UINT8, INT8, UINT16, INT16, INT32, INT64, STRING, BOOL, FLOAT16, DOUBLE, UINT32, UINT64, COMPLEX64, COMPLEX128,
     BFLOAT16, FLOAT8E4M3FN, FLOAT8E4M3FNUZ, FLOAT8E5M2, FLOAT8E5M2FNUZ) = range(21)  # fmt: skip
