"""The classes of operators by PyTorch's path, for programs that ask what a graph's node calls."""

from __future__ import annotations

from taeda import ops
from taeda._aten.operators import OpOverload, OpOverloadPacket

__all__ = ["OpOverload", "OpOverloadPacket", "ops"]
