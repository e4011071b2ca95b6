"""Tensors as text, character for character as PyTorch writes them.

Only what is shown is read: of a tensor with more than ``threshold`` elements, ``edgeitems`` at both ends of
every dimension.  The road: pick the shown values -> decide one notation and one width for all of them -> lay
out in brackets and lines -> append what is not obvious (device, size, dtype, autograd).
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from typing import Any

from taeda.autograd.dual import current_level, tangent_of
from taeda.dtype import get_default_dtype
from taeda.stand_ins import is_wrapper_tensor

__all__ = ["get_printoptions", "printoptions", "set_printoptions", "tensor_str"]


class Options:
    """What ``set_printoptions`` sets.  A plain class: importing dataclasses costs more than this module."""

    precision = 4
    threshold: float = 1000
    edgeitems = 3
    linewidth = 80
    sci_mode: bool | None = None


OPTIONS = Options()
DEFAULT = {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80}
PROFILES: dict[str, dict[str, Any]] = {
    "default": DEFAULT,
    "short": {**DEFAULT, "precision": 2, "edgeitems": 2},
    "full": {**DEFAULT, "threshold": math.inf},
}


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors are printed.

    Args:
        precision: digits after the point, 4 by default.
        threshold: elements above which a tensor is summarised, 1000 by default.
        edgeitems: elements shown at each end of a summarised dimension, 3 by default.
        linewidth: characters after which a line is broken, 80 by default.
        profile: "default", "short" or "full": values for all of the above, before they are applied; other names mean nothing.
        sci_mode: True and False force or forbid scientific notation; None lets the values decide.

    >>> import taeda
    >>> taeda.set_printoptions(precision=2)
    >>> taeda.tensor([0.12345])
    tensor([0.12])
    >>> taeda.set_printoptions(profile="default")
    """
    if profile is not None:
        for name, value in PROFILES.get(profile.lower(), {}).items():       # programs ask for "long", which there has never been
            setattr(OPTIONS, name, value)
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    for name, value in given.items():
        if value is not None:
            setattr(OPTIONS, name, value)
    OPTIONS.sci_mode = sci_mode


def get_printoptions() -> dict[str, Any]:
    """Return the options as keyword arguments of ``set_printoptions``."""
    return {name: getattr(OPTIONS, name) for name in (*DEFAULT, "sci_mode")}


@contextlib.contextmanager
def printoptions(**kwargs: Any) -> Iterator[None]:
    """Print with other options inside the block.

    >>> import taeda
    >>> with taeda.printing.printoptions(precision=1):
    ...     print(taeda.tensor([0.25, 1.5]))
    tensor([0.2, 1.5])
    """
    before = get_printoptions()
    set_printoptions(**kwargs)
    try:
        yield
    finally:
        set_printoptions(**before)


# -- which values ------------------------------------------------------------------------------------


def shown(t: Any, cut: bool) -> Any:
    """Return the shown values as nested lists (a scalar for 0-d)."""
    edge = OPTIONS.edgeitems
    if not cut or t.dim() == 0:
        return t.tolist()
    n = t.shape[0]
    long = n > 2 * edge
    if t.dim() == 1:
        return t[:edge].tolist() + t[n - edge :].tolist() if long else t.tolist()
    rows = [*range(edge), *range(n - edge, n)] if long else range(n)
    return [shown(t[i], True) for i in rows]


def flat(values: Any) -> Iterator[Any]:
    """Yield the leaves of nested lists."""
    if isinstance(values, list):
        for v in values:
            yield from flat(v)
    else:
        yield values


# -- one notation for all of them --------------------------------------------------------------------


def integer_formatter(values: list[Any]) -> tuple[Callable[[Any], str], int]:
    """Return a function from an integer or bool to text, and the width that texts are padded to."""
    width = max((len(str(v)) for v in values), default=1)
    return (lambda v: str(v).rjust(width)), width


def float_formatter(values: list[float]) -> tuple[Callable[[float], str], int]:
    """Return a function from a float to text, and the width that texts are padded to.

    Floats are written as integers with a point where all are whole, and in scientific notation where the
    largest is above 1e8 or above 1000 times the smallest, or, unless whole, the smallest is below 1e-4.
    """
    precision = OPTIONS.precision
    sizes = [v for v in values if v and math.isfinite(v)]
    whole = all(v == math.floor(v) for v in sizes)
    scientific: bool | None = False
    width = 1
    if sizes:
        low, high = min(map(abs, sizes)), max(map(abs, sizes))
        scientific = OPTIONS.sci_mode
        if scientific is None:
            scientific = high / low > 1000.0 or high > 1.0e8 or (not whole and low < 1.0e-4)
        if scientific:
            width = max(len(f"{v:.{precision}e}") for v in sizes)
        elif whole:
            width = max(len(f"{v:.0f}") + 1 for v in sizes)
        else:
            width = max(len(f"{v:.{precision}f}") for v in sizes)

    def text(v: float) -> str:
        if scientific:
            return f"{v:{width}.{precision}e}"
        if whole:
            return (f"{v:.0f}." if math.isfinite(v) else f"{v:.0f}").rjust(width)
        return f"{v:.{precision}f}".rjust(width)

    return text, width


def complex_formatter(values: list[complex]) -> tuple[Callable[[complex], str], int]:
    """Return a function from a complex number to text, and the width of the longest; each part has its own notation."""
    real, real_width = float_formatter([v.real for v in values])
    imag, imag_width = float_formatter([v.imag for v in values])

    def text(v: complex) -> str:
        part = imag(v.imag).lstrip() + "j"
        return real(v.real) + (part if part[0] in "+-" else "+" + part)

    return text, real_width + imag_width + 1


def formatter(values: list[Any], dtype: Any) -> tuple[Callable[[Any], str], int]:
    """Return what writes the values of a dtype, and the width of a text."""
    if dtype.is_complex:
        return complex_formatter(values)
    return float_formatter(values) if dtype.is_floating_point else integer_formatter(values)


# -- brackets and lines ------------------------------------------------------------------------------


def layout(values: Any, shape: tuple[int, ...], indent: int, cut: bool, text: Callable[[Any], str], width: int) -> str:
    """Write nested lists in brackets; every line after the first is indented to its bracket."""
    if not shape:
        return text(values)
    edge = OPTIONS.edgeitems
    long = cut and shape[0] > 2 * edge
    if len(shape) == 1:
        items = [text(v) for v in values]
        if cut and not edge:
            items = ["..."]
        elif long:
            items = [*items[:edge], " ...", *items[edge:]]
        per_line = max(1, int((OPTIONS.linewidth - indent) // (width + 2)))
        lines = [", ".join(items[i : i + per_line]) for i in range(0, len(items), per_line)]
        return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"
    blocks = [layout(v, shape[1:], indent + 1, cut, text, width) for v in values]
    if long:
        blocks.insert(edge, "...")
    return "[" + ("," + "\n" * (len(shape) - 1) + " " * (indent + 1)).join(blocks) + "]"


def append(text: str, suffixes: list[str], indent: int) -> str:
    """Append the suffixes, each on the last line if it fits there, and close the bracket."""
    length = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if length + len(suffix) + 2 > OPTIONS.linewidth:
            text += ",\n" + " " * indent + suffix
            length = indent + len(suffix)
        else:
            text += ", " + suffix
            length += len(suffix) + 2
    return text + ")"


def values_str(t: Any, shape: tuple[int, ...], indent: int) -> tuple[str, bool]:
    """Return the values in brackets; or "..." and True where there are none to show, so that the size is."""
    if t.device.type == "meta":
        return "...", True
    if t.numel() == 0:
        return "[]", False
    cut = t.numel() > OPTIONS.threshold
    try:
        values = shown(t.detach(), cut)
    except NotImplementedError:  # a dtype that can be held and not yet be read
        return "...", True
    text, width = formatter(list(flat(values)), t.dtype)
    return layout(values, shape, indent, cut, text, width), False


def tensor_str(t: Any, *, tensor_contents: str | None = None) -> str:
    """Return a tensor as text: ``tensor([1., 2.], grad_fn=<AddBackward0>)``.

    Args:
        t: the tensor.
        tensor_contents: written in place of the values.

    >>> import taeda
    >>> taeda.printing.tensor_str(taeda.tensor([[1.0, 20.0], [0.5, 3.0]]))
    'tensor([[ 1.0000, 20.0000],\\n        [ 0.5000,  3.0000]])'
    """
    if tensor_contents is None and is_wrapper_tensor(t):           # of a class that says nothing better
        tensor_contents = f"..., size={tuple(t.shape)}"
    plain = type(t).__name__ in ("Tensor", "Parameter")
    prefix = "tensor(" if plain else f"{type(t).__name__}("
    shape = tuple(t.shape)
    default = get_default_dtype()
    # values of these dtypes tell it by themselves, where there are values
    obvious = ("int64", "bool", "complex128" if default.name == "float64" else "complex64")
    suffixes = [] if t.device.type == "cpu" else [f"device='{t.device}'"]
    body, sized = values_str(t, shape, len(prefix)) if tensor_contents is None else (tensor_contents, False)
    if sized or (t.numel() == 0 and len(shape) != 1) or (t.numel() and not OPTIONS.edgeitems):
        suffixes.append(f"size={shape}")
    if t.dtype != default and (sized or t.numel() == 0 or t.dtype.name not in obvious):
        suffixes.append(f"dtype={t.dtype}")
    try:
        node = t.grad_fn
    except RuntimeError:                     # a view of several that is no more, since its base has been written to
        node = "Invalid"
    if node is not None:
        suffixes.append(f"grad_fn=<{node if node == 'Invalid' else node.name().rpartition('::')[2]}>")
    elif t.requires_grad:
        suffixes.append("requires_grad=True")
    tangent = tangent_of(t) if current_level() else None
    if tangent is not None:
        suffixes.append(f"tangent={tensor_str(tangent)}")
    text = append(prefix + body, suffixes, len(prefix))
    return f"Parameter({text})" if not plain and getattr(t, "_is_param", False) else text
