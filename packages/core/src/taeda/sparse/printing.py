"""Sparse tensors as text, character for character as PyTorch writes them."""

from __future__ import annotations

from typing import Any

from taeda.dtype import get_default_dtype
from taeda.layout import COMPRESSED, sparse_coo
from taeda.printing import append, values_str


def _part(name: str, x: Any, indent: int) -> str:
    """One of the tensors that a sparse one is made of."""
    prefix = f"{name}=tensor("
    body, _ = values_str(x.detach(), tuple(x.shape), indent + len(prefix))
    size = f", size={tuple(x.shape)}" if x.is_meta or x.numel() == 0 else ""
    return f"{prefix}{body}{size})"


def sparse_str(s: Any) -> str:
    """Return a sparse tensor as text: its indices, its values, and what else there is to say."""
    prefix = "tensor("
    indent = len(prefix)
    coo = s.layout is sparse_coo
    names = ("indices",) if coo else COMPRESSED[s.layout][2]
    default = get_default_dtype()
    obvious = ("int64", "bool", "complex128" if default.name == "float64" else "complex64")
    suffixes = [f"device='{s.device}'"] if s.is_meta else []
    suffixes.append(f"size={tuple(s.shape)}")
    if not s.is_meta:
        suffixes.append(f"nnz={s._nnz()}")
    if s.dtype != default and s.dtype.name not in obvious:
        suffixes.append(f"dtype={s.dtype}")
    suffixes.append(f"layout={s.layout}")
    if s.grad_fn is not None:
        suffixes.append(f"grad_fn=<{s.grad_fn.name().rpartition('::')[2]}>")
    elif s.requires_grad:
        suffixes.append("requires_grad=True")
    parts = [_part(name, x, indent) for name, x in zip((*names, "values"), (*s._places, s._held), strict=True)]
    text = prefix + (",\n" + " " * indent).join(parts)
    if coo:                                             # what follows has lines of its own
        rest = append(" " * (indent - 2) + suffixes[0], suffixes[1:], indent)      # append counts two characters more
        text += ",\n  " + rest
    else:
        text = append(text, suffixes, indent)
    return f"Parameter containing:\n{text}" if getattr(s, "_is_param", False) else text
