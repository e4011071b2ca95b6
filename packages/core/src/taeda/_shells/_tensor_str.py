"""Pieces of printing by PyTorch's internal names, for libraries whose own tensors print themselves."""

from __future__ import annotations

from typing import Any

from taeda.printing import OPTIONS, append, get_printoptions, printoptions, set_printoptions, tensor_str, values_str

__all__ = ["PRINT_OPTS", "get_printoptions", "printoptions", "set_printoptions"]

PRINT_OPTS = OPTIONS


def _tensor_str(self: Any, indent: int) -> str:
    """Return the values in brackets; lines after the first are indented.

    >>> import taeda
    >>> from taeda._tensor_str import _tensor_str
    >>> _tensor_str(taeda.eye(2), 1)
    '[[1., 0.],\\n  [0., 1.]]'
    """
    return values_str(self, tuple(self.shape), indent)[0]


def _add_suffixes(tensor_str: str, suffixes: list[str], indent: int, force_newline: bool) -> str:
    """Append the suffixes, each on the last line if it fits there and the first is not forced to its own, and close the bracket."""
    if force_newline and suffixes:
        tensor_str, suffixes = f"{tensor_str},\n{' ' * indent}{suffixes[0]}", suffixes[1:]
    return append(tensor_str, suffixes, indent)


def _str_intern(inp: Any, *, tensor_contents: str | None = None) -> str:
    """Return a tensor as text, with ``tensor_contents`` in place of its values."""
    return tensor_str(inp, tensor_contents=tensor_contents)


def _str(self: Any, *, tensor_contents: str | None = None) -> str:
    """Return a tensor as text, with ``tensor_contents`` in place of its values."""
    return tensor_str(self, tensor_contents=tensor_contents)
