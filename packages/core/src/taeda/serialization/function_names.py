"""The names that functions have in a file: under PyTorch's name those of PyTorch's modules.

A model that is saved whole and holds ``F.relu`` then names ``torch.nn.functional.relu``, which PyTorch finds, and taeda too.  A function is
looked up where programs find it; others of nn lie in PyTorch's module of their own module's name.
"""

from __future__ import annotations

import sys
from types import FunctionType
from typing import Any

from taeda import _spoken

__all__ = ["torch_name"]

_ROOMS = ("nn.functional", "", "linalg", "fft", "special", "signal.windows")


def torch_name(f: Any) -> tuple[str, str] | None:
    """Return PyTorch's module and name of a function of taeda's; None for others, and where taeda goes by its own name."""
    package, _, rest = (f.__module__ or "").partition(".")
    if _spoken.name != "torch" or package != "taeda":
        return None
    for room in _ROOMS:
        module = sys.modules.get(f"taeda.{room}" if room else "taeda")
        for name, found in vars(module).items() if module else ():
            if found is f:
                return (f"torch.{room}" if room else "torch"), name
    return (f"torch.{rest}", f.__name__) if type(f) is FunctionType and rest.startswith("nn.") else None
