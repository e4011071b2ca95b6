"""What to say about a machine in a report of a fault: ``python -m taeda.utils.collect_env``."""

from __future__ import annotations

import os
import platform
import sys
from importlib import metadata

import taeda
from taeda.kernels.cpu import BUILD

__all__ = ["get_env_info", "get_pretty_env_info", "main"]

_PACKAGES = ("taeda-core", "taeda-nn", "taeda-optim", "taeda-data", "taeda-vision", "numpy", "scipy-openblas32")


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def get_env_info() -> dict[str, str]:
    """Return the versions, the processor and the threads, by name."""
    found = {
        "taeda version": taeda.__version__,
        "Python version": sys.version.replace("\n", " "),
        "OS": platform.platform(),
        "CPU": platform.processor() or platform.machine(),
        "CPU cores": str(os.cpu_count()),
        "Kernels": BUILD,
        "Threads": str(taeda.get_num_threads()),
        "CUDA available": str(taeda.cuda.is_available()),
    }
    found.update({name: version for name in _PACKAGES if (version := _version(name)) is not None})
    return found


def get_pretty_env_info() -> str:
    """Return the report as text, a line each."""
    return "\n".join(f"{name}: {value}" for name, value in get_env_info().items())


def main() -> None:
    """Print the report."""
    print(get_pretty_env_info())


if __name__ == "__main__":
    main()
