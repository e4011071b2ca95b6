"""What ``help()`` says of every pointwise function after its own formula: arguments, the result's shape, errors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

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
    """Append arguments, shape and errors to the docstrings of pointwise functions, to each once."""
    for function in {id(f): f for f in functions}.values():
        code = function.__code__
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        function.__doc__ = (function.__doc__ or "") + _text(names, function.__name__.endswith("_"))
