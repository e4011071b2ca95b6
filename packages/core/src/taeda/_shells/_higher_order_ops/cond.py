"""The function of this name that ``taeda`` holds."""

from taeda import cond

__all__ = ["cond"]
