"""The function of this name that ``taeda`` holds."""

from taeda import while_loop

__all__ = ["while_loop"]
