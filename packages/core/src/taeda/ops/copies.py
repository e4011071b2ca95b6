"""``view_copy`` and kin: what a view shows, as a tensor with memory of its own.

Each is its view's function, a copy in row-major order, and PyTorch's name for the node; arguments, errors and derivatives are the
view's.  Two kinds: views of one tensor, and views in several pieces.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from taeda.autograd.node import named
from taeda.operands import need_tensor
from taeda.ops import broadcasting, complex_numbers as _complex, copying, slices, strided, views  # type: ignore[attr-defined]
from taeda.ops.matmul import write_result


def _view(input: Any, size: Any = None, dtype: Any = None) -> Any:
    """The same elements in another shape, wherever they lie, or the same bytes as another dtype."""
    given = [x for x in (size, dtype) if x is not None]
    if len(given) == 1 and not hasattr(given[0], "__len__"):
        return views.view(input, given[0])
    return views.reshape(input, *given)


def _slice(input: Any, dim: int = 0, start: Any = None, end: Any = None, step: int = 1) -> Any:
    """The indices from start to before end along a dimension, in steps."""
    n = input.ndim
    if not -n <= dim < n:
        raise IndexError(f"[slice_copy] dim {dim} is out of range for a tensor of {n} dimensions, whose shape is {tuple(input.shape)}")
    if step <= 0:
        raise RuntimeError(f"[slice_copy] slice step must be positive, got {step}")
    return input[(slice(None),) * (dim % n) + (slice(start, end, step),)]


def _split(input: Any, split_size: int, dim: int = 0) -> Any:
    """Pieces of one size along a dimension; TypeError for a list of sizes."""
    if not hasattr(split_size, "__index__"):
        raise TypeError(f"[split_copy] argument 'split_size' must be int, not {type(split_size).__name__}; use split_with_sizes_copy")
    return slices.split(input, split_size, dim)


def _alias(input: Any) -> Any:
    """The whole tensor as a view."""
    return views.view_as(input, input)


# PyTorch's name of a view -> its module and its name there: looked up at each call, since public functions are wrapped later
_ONE: dict[str, tuple[Any, str]] = {
    "alias": (sys.modules[__name__], "_alias"), "as_strided": (strided, "as_strided"), "detach": (sys.modules[__name__], "_alias"),
    "diagonal": (strided, "diagonal"), "expand": (broadcasting, "expand"), "narrow": (slices, "narrow"), "permute": (views, "permute"),
    "select": (slices, "select"), "slice": (sys.modules[__name__], "_slice"), "squeeze": (views, "squeeze"), "t": (views, "t"),
    "transpose": (views, "transpose"), "unfold": (strided, "unfold"), "unsqueeze": (views, "unsqueeze"),
    "view": (sys.modules[__name__], "_view"), "view_as_complex": (_complex, "view_as_complex"), "view_as_real": (_complex, "view_as_real"),
}  # fmt: skip
_SEVERAL: dict[str, tuple[Any, str]] = {
    "split": (sys.modules[__name__], "_split"), "split_with_sizes": (slices, "split_with_sizes"), "unbind": (slices, "unbind"),
}  # fmt: skip

_NODES = {
    "narrow_copy": "NarrowCopyBackward0", "alias_copy": "AliasBackward0_copy", "detach_copy": "AliasBackward0_copy",
    "slice_copy": "SliceBackward0_copy",
}  # fmt: skip


def _own(op: str, part: Any) -> Any:
    """A row-major copy of a view, whose node has PyTorch's name: the view's with an ending."""
    y = part.clone(memory_format=copying.contiguous_format)
    if part.grad_fn is None:
        return y
    return named(y, _NODES.get(op) or f"{part.grad_fn.name()}_copy")


def _into(op: str, out: Any, y: Any) -> Any:
    if out is not None:
        need_tensor(op, "out", out)
        if out.dtype is not y.dtype:
            raise RuntimeError(f"[{op}] Expected out tensor to have dtype {y.dtype}, but got {out.dtype} instead")
    return write_result(out, y, op)


def _copy_of_one(op: str, room: Any, view: str) -> Callable[..., Any]:
    def copied(input: Any, *args: Any, out: Any = None, **kwargs: Any) -> Any:
        need_tensor(op, "input", input)
        return _into(op, out, _own(op, getattr(room, view)(input, *args, **kwargs)))

    copied.__doc__ = f"Return what :func:`{op.removesuffix('_copy')}` of the same arguments shows, copied to memory of its own."
    return copied


def _copies_of_several(op: str, room: Any, view: str) -> Callable[..., Any]:
    def copied(input: Any, *args: Any, out: Any = None, **kwargs: Any) -> Any:
        need_tensor(op, "input", input)
        parts = [_own(op, part) for part in getattr(room, view)(input, *args, **kwargs)]
        if out is None:
            return tuple(parts)
        if len(out) != len(parts):
            raise RuntimeError(f"[{op}] expected an out= argument of size {len(parts)}, got size {len(out)}")
        for place, part in zip(out, parts, strict=True):
            _into(op, place, part)
        return None

    copied.__doc__ = f"Return the pieces of :func:`{op.removesuffix('_copy')}`, each copied to memory of its own; None with ``out``."
    return copied


def _make() -> dict[str, Callable[..., Any]]:
    made = {f"{name}_copy": _copy_of_one(f"{name}_copy", *view) for name, view in _ONE.items()}
    made.update({f"{name}_copy": _copies_of_several(f"{name}_copy", *view) for name, view in _SEVERAL.items()})
    for name, function in made.items():
        function.__name__ = function.__qualname__ = name
    return made


_COPIES = _make()
globals().update(_COPIES)
PUBLIC = tuple(_COPIES)
__all__ = list(_COPIES)
METHODS = {"narrow_copy": _COPIES["narrow_copy"]}
