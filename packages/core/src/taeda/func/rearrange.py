"""rearrange: a tensor's dimensions split, exchanged and joined, as a pattern of names says."""

from __future__ import annotations

import math
import re
from typing import Any

from taeda import ops
from taeda.tensor_base import TensorBase

Groups = list[list[str]]          # a dimension each: the names that it is made of
REST = ["..."]                    # any number of dimensions, where they are not joined


def rearrange(tensor: Any, pattern: str, **axes_lengths: int) -> Any:
    """Return the tensor (or a list of tensors, stacked) laid out as the pattern says.

    Args:
        pattern: names of the dimensions before and after ``->``; parentheses join dimensions, ``...`` stands for any
            number of them, 1 for one of size 1.
        axes_lengths: sizes of names, needed where a dimension is split.

    Raises:
        ValueError: the pattern is wrong or does not fit the tensor.
        RuntimeError: a dimension cannot be split as asked.

    >>> import taeda
    >>> taeda.func.rearrange(taeda.arange(6).reshape(2, 3), "a b -> (b a)")
    tensor([0, 3, 1, 4, 2, 5])
    >>> taeda.func.rearrange(taeda.zeros(2, 12), "n (h w) -> n 1 h w", h=3).shape
    taeda.Size([2, 1, 3, 4])
    """
    x = ops.stack(list(tensor)) if isinstance(tensor, (list, tuple)) else tensor
    if not isinstance(pattern, str):
        raise TypeError(f"[rearrange] pattern must be a str, not {type(pattern).__name__}")
    if not isinstance(x, TensorBase):
        raise TypeError(f"[rearrange] tensor must be a Tensor or a sequence of them, not {type(x).__name__}")
    left, right = _parse(pattern)
    before, after = {n for g in left for n in g}, {n for g in right for n in g}
    if before != after:
        raise ValueError(f"[rearrange] Identifiers only on one side of rearrange expression (should be on both): {sorted(before ^ after)}")
    unknown = set(axes_lengths) - before
    if unknown:
        raise ValueError(f"[rearrange] Identifiers not found in rearrange expression: {sorted(unknown)}")
    named = [g for g in left if g is not REST]
    rest = x.ndim - len(named)
    if rest < 0 or (rest and len(named) == len(left)):
        raise ValueError(f"[rearrange] Number of dimensions in pattern ({len(named)}) must be equal to the number of dimensions in the "
                         f"tensor ({x.ndim})")
    sizes, order, dim = [], [], 0
    for group in left:
        if group is REST:
            sizes += x.shape[dim : dim + rest]
            order += [f"...{k}" for k in range(rest)]
            dim += rest
            continue
        sizes += _split(group, x.shape[dim], axes_lengths)
        order += group
        dim += 1
    goal = [[m for n in g for m in ([f"...{k}" for k in range(rest)] if n == "..." else [n])] for g in right]
    goal = [part for g, made in zip(right, goal, strict=True) for part in ([[m] for m in made] if g is REST else [made])]
    size_of = dict(zip(order, sizes, strict=True))
    x = x.reshape(sizes).permute([order.index(n) for g in goal for n in g])
    return x.reshape([math.prod(size_of[n] for n in g) for g in goal])


def _split(group: list[str], size: int, lengths: dict[str, int]) -> list[int]:
    """Return the sizes of the names that a dimension is made of; one of them may be left to be inferred."""
    sizes = [lengths.get(n, -1) for n in group]
    known = math.prod(s for s in sizes if s != -1)
    if sizes.count(-1) > 1:
        raise RuntimeError(f"[rearrange] cannot infer the sizes of two dimensions at once: {group} of size {size}; give one of them")
    if -1 in sizes and (known == 0 or size % known):
        raise RuntimeError(f"[rearrange] inferred dimension does not evenly fit into larger dimension: {size} vs {sizes}")
    if -1 not in sizes and known != size:
        raise RuntimeError(f"[rearrange] Dimension sizes to do not match ({size} != {known}) when matching dimension pack {group}")
    return [size // known if s == -1 else s for s in sizes]


def _parse(pattern: str) -> tuple[Groups, Groups]:
    """Return both sides of a pattern as lists of groups of names."""
    sides = pattern.split("->")
    if len(sides) != 2:
        raise ValueError(f"[rearrange] Pattern must contain a single '->' separator, got {pattern!r}")
    left, right = (_side(s) for s in sides)
    if any("..." in g and g is not REST for g in left):
        raise ValueError(f"[rearrange] Ellipsis is parenthesis in the left side is not allowed: {pattern}")
    if any("..." in g for g in right) and not any("..." in g for g in left):
        raise ValueError(f"[rearrange] Ellipsis found in right side, but not left side of a pattern {pattern}")
    return left, right


def _side(text: str) -> Groups:
    groups: Groups = []
    seen: set[str] = set()
    inside = False
    for token in re.findall(r"\.\.\.|[A-Za-z_0-9]+|\S", text):
        if token == "(":
            if inside:
                raise ValueError("[rearrange] Axis composition is one-level (brackets inside brackets not allowed)")
            inside = True
            groups.append([])
        elif token == ")":
            if not inside:
                raise ValueError(f"[rearrange] Brackets are not balanced in {text!r}")
            inside = False
        elif token == "1":
            if not inside:
                groups.append([])
        else:
            _check_name(token, seen)
            seen.add(token)
            if inside:
                groups[-1].append(token)
            else:
                groups.append(REST if token == "..." else [token])
    if inside:
        raise ValueError(f"[rearrange] Brackets are not balanced in {text!r}")
    return groups


def _check_name(token: str, seen: set[str]) -> None:
    if token.isdigit():
        raise ValueError(f"[rearrange] rearrange only supports unnamed axes of size 1, got {token}")
    if token != "..." and not token.isidentifier():
        raise ValueError(f"[rearrange] Unknown character {token!r}")
    if token.startswith("_") or token.endswith("_"):
        raise ValueError(f"[rearrange] Invalid axis identifier: {token}; a name must not start or end with an underscore")
    if token in seen:
        raise ValueError(f"[rearrange] Indexing expression contains duplicate dimension {token!r}")
