"""How this build was made, in words: ``taeda.__config__``."""

from __future__ import annotations

from taeda._version import __version__
from taeda.backends import cpu
from taeda.threads import get_num_threads

__all__ = ["parallel_info", "show"]


def show() -> str:
    """Return a description of the build: version, kernels, linear algebra.

    >>> import taeda
    >>> taeda.__config__.show().splitlines()[0]
    'taeda built with:'
    """
    return f"taeda built with:\n  - taeda {__version__}\n  - kernels for {cpu.get_cpu_capability()}\n  - OpenBLAS, OpenMP\n"


def parallel_info() -> str:
    """Return a description of the threads.

    >>> import taeda
    >>> "threads" in taeda.__config__.parallel_info()
    True
    """
    return f"taeda parallel info:\n\ttaeda.get_num_threads() : {get_num_threads()}\n\tOpenBLAS runs single-threaded inside of OpenMP\n"
