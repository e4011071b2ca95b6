"""What PyTorch's compiler knows of the program that it traces, for those that ask whether one is traced; nothing is."""

from __future__ import annotations

from typing import Any

__all__ = ["active_fake_mode", "detect_fake_mode"]


def active_fake_mode() -> None:
    """Return the mode in which tensors have no data: there is none.  The meta device has such tensors."""


def detect_fake_mode(inputs: Any = None) -> None:
    """Return the mode that made any of the inputs: none did."""
