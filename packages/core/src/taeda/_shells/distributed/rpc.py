"""Calls in other processes, for programs that ask whether they can be made: there is one process."""

from __future__ import annotations

from typing import Any, NoReturn

__all__ = ["init_rpc", "is_available", "rpc_async", "rpc_sync", "shutdown"]


def is_available() -> bool:
    """Whether other processes can be called: no."""
    return False


def _refuse(*args: Any, **kwargs: Any) -> NoReturn:
    """Raise NotImplementedError: there is one process."""
    raise NotImplementedError("[distributed.rpc] taeda trains in one process; call the function itself")


init_rpc = rpc_async = rpc_sync = shutdown = _refuse
