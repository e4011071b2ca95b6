"""What can be done to tensors: one module a family, every function visible here as ``taeda.ops.<name>``.

A family names what it shows in ``__all__``, what stands in ``taeda`` too in ``PUBLIC``, and what is attached
to Tensor in ``METHODS``.  Every module of this folder that has an ``__all__`` is a family.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

PUBLIC: dict[str, Any] = {}
METHODS: dict[str, Any] = {}


def _collect() -> None:
    for family in sorted(m.name for m in pkgutil.iter_modules(__path__)):
        module = importlib.import_module(f"taeda.ops.{family}")
        for name in getattr(module, "__all__", ()):
            globals()[name] = getattr(module, name)
        PUBLIC.update({name: getattr(module, name) for name in getattr(module, "PUBLIC", ())})
        METHODS.update(getattr(module, "METHODS", {}))


_collect()
