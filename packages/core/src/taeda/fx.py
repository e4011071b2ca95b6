"""What models carry of ``torch.fx``: ``wrap`` gives functions back; nothing is traced."""

from __future__ import annotations

from typing import Any, NoReturn

__all__ = ["symbolic_trace", "wrap"]


def wrap(fn_or_name: Any) -> Any:
    """Return the function, or the name of one, as it is."""
    if not callable(fn_or_name) and not isinstance(fn_or_name, str):
        raise RuntimeError("[fx.wrap] Unsupported type for global function! Must be either a callable or string name")
    return fn_or_name


def symbolic_trace(*args: Any, **kwargs: Any) -> NoReturn:
    """Raise NotImplementedError: models are not traced."""
    raise NotImplementedError("[fx.symbolic_trace] models are not traced into graphs; forward hooks see what flows between modules")
