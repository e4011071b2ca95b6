"""What is warned of once in a process, as PyTorch warns of it.

A warning that PyTorch gives too begins with PyTorch's words, without ``[op]``, so that a program's ``filterwarnings(message=...)``
finds it.
"""

from __future__ import annotations

import warnings

from taeda import _spoken

__all__ = ["warn_always", "warn_once"]

_told: set[str] = set()
_always = False


def warn_always(on: bool) -> None:
    """Warn each time from now on, or once again (``taeda.set_warn_always``)."""
    global _always
    _always = on


def warn_once(what: str, text: str, stacklevel: int = 2) -> None:
    """Warn of ``what`` the first time only; compiled callers have no frame, so that 2 is the line that called them."""
    if _always or what not in _told:
        _told.add(what)
        warnings.warn(_spoken.said(text), UserWarning, stacklevel=stacklevel)
