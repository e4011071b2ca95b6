"""Whether scripting is on, and what it has compiled, for programs that turn it off or forget its classes: nothing is compiled here."""

from __future__ import annotations

import os
from typing import Any

__all__ = ["disable", "enable"]


class EnabledProxy:
    """Whether scripting is on, as :func:`enable` and :func:`disable` say it; the variable ``PYTORCH_JIT`` says it first.

    >>> import taeda.jit._state
    >>> taeda.jit._state.disable()
    >>> bool(taeda.jit._state._enabled)
    False
    >>> taeda.jit._state.enable()
    """

    def __init__(self) -> None:
        self.enabled = os.environ.get("PYTORCH_JIT", "1") not in ("0", "")

    def __bool__(self) -> bool:
        return self.enabled


_enabled = EnabledProxy()
_script_classes: dict[Any, Any] = {}
_name_to_pyclass: dict[str, Any] = {}


def enable() -> None:
    """Turn scripting on."""
    _enabled.enabled = True


def disable() -> None:
    """Turn scripting off."""
    _enabled.enabled = False


def _clear_class_state() -> None:
    """Forget the compiled classes, of which there are none."""
    _script_classes.clear()
    _name_to_pyclass.clear()
