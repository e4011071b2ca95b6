"""What is said where a package that is installed apart is not there: an import of it fails with what to install.

A question (``importlib.util.find_spec``) has the plain answer that there is none, which programs rely on.
"""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["PACKAGES", "Finder", "asked_by_import", "what_to_install"]

PACKAGES = ("nn", "optim", "data", "vision")


def what_to_install(package: str) -> str:
    """Say how a package is had."""
    return f"taeda.{package} is a separate package: pip install taeda-{package}"


def asked_by_import() -> bool:
    """Whether the finder that calls this is asked by an import statement or ``import_module``, and not by a question."""
    return sys._getframe(3).f_code.co_name == "_find_and_load_unlocked"


class Finder:
    """The last of the finders: a package of taeda's that reaches it is not installed."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> None:
        """Find nothing; raise ModuleNotFoundError for an import of a package that is missing."""
        root, _, package = name.partition(".")
        if root == "taeda" and package in PACKAGES and asked_by_import():
            raise ModuleNotFoundError(what_to_install(package), name=name)
