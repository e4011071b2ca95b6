"""The types that annotations of PyTorch's programs name."""

from __future__ import annotations

import builtins
import os
from collections.abc import Sequence
from typing import IO, TypeAlias

from taeda.device import device as _device
from taeda.dtype import dtype as _dtype
from taeda.layout import layout as _layout
from taeda.storage import Storage
from taeda.symbolic import SymBool, SymFloat, SymInt
from taeda.tensor import Tensor
from taeda.tensor_base import Size

__all__ = [
    "Device", "FileLike", "Number", "Size", "Storage", "SymBool", "SymFloat", "SymInt", "Tensor", "_device", "_dtype", "_layout", "_size",
    "py_sym_types",
]  # fmt: skip

_int, _float, _bool, _str, _complex, _bytes = builtins.int, builtins.float, builtins.bool, builtins.str, builtins.complex, builtins.bytes
_size: TypeAlias = Size | list[int] | tuple[int, ...]

Number: TypeAlias = int | float | bool
Device: TypeAlias = _device | str | int | None
FileLike: TypeAlias = str | os.PathLike[str] | IO[bytes]
_TensorOrTensors: TypeAlias = Tensor | Sequence[Tensor]
_Number = (int, float, bool)
py_sym_types = (SymInt, SymFloat, SymBool)
