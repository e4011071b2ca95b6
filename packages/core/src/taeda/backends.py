"""PyTorch's switches of GPU and CPU libraries.  None of those libraries is used here: flags are kept, nothing changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Backend:
    """Flags of one library; any name can be set and read back.

    >>> import taeda
    >>> taeda.backends.cudnn.benchmark = True
    >>> taeda.backends.cudnn.is_available()
    False
    """

    def __init__(self, **flags: Any) -> None:
        self.__dict__.update(flags)

    def __setattr__(self, name: str, value: Any) -> None:
        self.__dict__[name] = value

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"[backends] no flag {name!r}; there are {', '.join(sorted(self.__dict__))}")

    def is_available(self) -> bool:
        """Whether the library computes here: never."""
        return False

    def is_built(self) -> bool:
        """Whether it was built in: never."""
        return False

    def version(self) -> None:
        """Return the library's version: None without it."""

    @contextmanager
    def flags(self, **flags: Any) -> Iterator[None]:
        """Set flags for a ``with`` block."""
        before = dict(self.__dict__)
        self.__dict__.update(flags)
        try:
            yield
        finally:
            self.__dict__.clear()
            self.__dict__.update(before)


cudnn = Backend(enabled=True, benchmark=False, benchmark_limit=10, deterministic=False, allow_tf32=True)
cuda = Backend(matmul=Backend(allow_tf32=False, allow_fp16_reduced_precision_reduction=True, allow_bf16_reduced_precision_reduction=True))
mps, mkl, mkldnn, openmp = Backend(), Backend(), Backend(enabled=True, deterministic=False), Backend()
openmp.__dict__["is_available"] = lambda: True
