"""The names of ``torch.utils.cpp_extension`` that libraries import: extensions of PyTorch are compiled against it, and not loaded.

A library that has a way without its extension takes it upon the NotImplementedError.
"""

from __future__ import annotations

from typing import Any, NoReturn

__all__ = [
    "CUDA_HOME", "ROCM_HOME", "BuildExtension", "CUDAExtension", "CppExtension", "include_paths", "is_ninja_available", "library_paths",
    "load", "load_inline", "verify_ninja_availability",
]  # fmt: skip

CUDA_HOME: str | None = None
ROCM_HOME: str | None = None


def _refuses(name: str) -> Any:
    def function(*args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError(
            f"[cpp_extension.{name}] code written for PyTorch's C++ interface is not compiled; write the operator with taeda.library"
        )

    function.__name__ = function.__qualname__ = name
    function.__doc__ = "Raise NotImplementedError: there is no C++ interface to compile against."
    return function


CppExtension, CUDAExtension, load, load_inline = map(_refuses, ("CppExtension", "CUDAExtension", "load", "load_inline"))


class BuildExtension:
    """The command of a setup script that would compile extensions; it refuses."""

    __init__ = _refuses("BuildExtension")
    with_options: Any = classmethod(_refuses("BuildExtension"))


def include_paths(device_type: str = "cpu") -> list[str]:
    """Return the folders of PyTorch's headers: none."""
    return []


def library_paths(device_type: str = "cpu") -> list[str]:
    """Return the folders of PyTorch's libraries: none."""
    return []


def is_ninja_available() -> bool:
    """Whether extensions can be built with ninja: no."""
    return False


def verify_ninja_availability() -> NoReturn:
    """Raise RuntimeError: no extension is built."""
    raise RuntimeError("[verify_ninja_availability] no extension is built here, with ninja or without; ask is_ninja_available() first")
