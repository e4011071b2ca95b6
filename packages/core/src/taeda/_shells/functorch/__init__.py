"""functorch, as PyTorch's first package of function transforms was called: ``taeda.func`` under that name, and models as functions.

Every function warns, as PyTorch's do, what replaces it.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

from taeda import _spoken, func as _func

__all__ = [
    "combine_state_for_ensemble", "functionalize", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "make_functional",
    "make_functional_with_buffers", "vjp", "vmap",
]


def _deprecated(function: Callable[..., Any], instead: str) -> Callable[..., Any]:
    name = function.__name__

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        warnings.warn(_spoken.said(f"We've integrated functorch into PyTorch. `functorch.{name}` is deprecated; use "
                                   f"taeda.func.{instead}"), FutureWarning, stacklevel=2)
        return function(*args, **kwargs)

    return called


for _name in ("functionalize", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "vjp", "vmap"):
    globals()[_name] = _deprecated(getattr(_func, _name), _name)

_OF_MODELS = {
    "combine_state_for_ensemble": "stack_module_state", "make_functional": "functional_call",
    "make_functional_with_buffers": "functional_call",
}


def __getattr__(name: str) -> Any:
    if name in _OF_MODELS or name in ("FunctionalModule", "FunctionalModuleWithBuffers"):   # they need taeda.nn
        from taeda.functorch import models

        found = getattr(models, name)
        globals()[name] = _deprecated(found, _OF_MODELS[name]) if name in _OF_MODELS else found
        return globals()[name]
    raise AttributeError(f"module 'taeda.functorch' has no attribute {name!r}")
