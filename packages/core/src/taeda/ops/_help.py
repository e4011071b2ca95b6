"""What ``help()`` says of a public function: its own docstring, and what others have in common with it.

A pointwise function is followed by its arguments, the result's shape and errors.  A docstring without an example that refers to
one function, as "In-place :func:`exp`." does, is followed by that function's: each text and each example is written once.
All of this is put together when somebody asks, not at import.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from typing import Any

from taeda._override import set_describer

_POINTWISE: set[Any] = set()

_OUT = "    out: tensor that the result is written to, resized if need be.\n"
_ERRORS = """
Raises:
    TypeError: {operands}.
    NotImplementedError: the dtype has no kernel, such as a complex one where the function has no complex values.
    RuntimeError: {refused}.
"""
_HELD = "{place} cannot hold the result's dtype, or is a leaf that requires grad"


def _text(names: tuple[str, ...], in_place: bool) -> str:
    """Return the text for a function by its parameters."""
    second = [name for name in names if name in ("other", "exponent", "tensor1", "tensor2", "end")]
    pair = bool(second)
    lines = ["\n\nArgs:\n"]
    if not pair:
        lines.append("    input: tensor of any shape; integers and bools count in the default floating-point dtype where the values are "
                     "not whole.\n")
    else:
        lines.append(f"    input, {', '.join(second)}: tensors whose shapes broadcast, or one of them a number; they are computed in "
                     "their common dtype.\n")
    if "out" in names:
        lines.append(_OUT)
    if in_place:
        lines.append("\nThe result is written to input, which keeps its shape and dtype, and returned.\n")
    else:
        lines.append("\nThe result has the shape " + ("that they broadcast to.\n" if pair else "of input.\n"))
    refused = ["the shapes do not broadcast, or the tensors are on two devices"] if pair else []
    if in_place or "out" in names:
        refused.append(_HELD.format(place="input" if in_place else "out"))
    errors = _ERRORS.format(operands="an operand is neither a Tensor nor a number" if pair else "input is not a Tensor",
                            refused="; ".join(refused))
    if not refused:
        errors = errors[: errors.index("    RuntimeError")]
    return "".join(lines) + errors


def describe(functions: Iterable[Any]) -> None:
    """Note that functions are pointwise."""
    _POINTWISE.update(functions)


def _own(function: Any) -> str:
    """Return the docstring that is written in the function, without the source's indentation."""
    from inspect import cleandoc
    return cleandoc(function.__doc__ or "")


def _meant(function: Any, text: str) -> tuple[str, Any]:
    """Return the name of the one other function that a docstring refers to, and it; None where there is no such."""
    names = dict.fromkeys(re.findall(r":func:`([\w.]+)`", text))
    if ">>>" in text or len(names) != 1:
        return "", None
    (name,) = names
    for room in (function.__module__, "taeda.ops", "taeda"):
        found: Any = sys.modules.get(room)
        for part in name.removeprefix("taeda.").split("."):
            found = getattr(found, part, None)
        if callable(found):
            return name, getattr(found, "__wrapped__", found)
    return "", None


def text_of(function: Any) -> str | None:
    """Return a function's docstring with what it leaves to others: the one that it refers to, all pointwise ones."""
    if function.__doc__ is None:
        return None
    text = _own(function)
    name, meant = _meant(function, text)
    if meant is not None and meant is not function:
        text += f"\n\n:func:`{name}`: {_own(meant)}"
    if function not in _POINTWISE:
        return text
    code = function.__code__
    text, example, lines = text.partition(">>>")                   # which stays the last
    said = _text(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount], function.__name__.endswith("_"))
    return f"{text.rstrip()}{said}" + (f"\n{example}{lines}" if example else "")


set_describer(text_of)
