"""The function of this name that ``taeda.func`` holds."""

from taeda.func.associative_scan import associative_scan as associative_scan

__all__ = ["associative_scan"]
