"""Batching rules of Fourier transforms and of what turns elements round: their dimensions are counted from the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from taeda.func.batched import RULES, at, wrap
from taeda.func.rules_shape import bound, others_batched, run
from taeda.operands import wrapped_dim


def from_end(name: str, lengths: str | None = None) -> Callable[..., Any]:
    """Make the rule of a function with dimensions in the parameter ``name``; None stands for all, or for the last of ``lengths``."""

    def rule(func: Any, level: int, args: Any, kwargs: Any) -> Any:
        given = bound(func, args, kwargs)
        if given is None:
            return NotImplemented
        first = next(iter(given))
        x, dims = given[first], given[name]
        if not at(x, level) or others_batched(given, x, level) or x.ndim == 0:
            return NotImplemented
        if dims is None:
            sizes = given.get(lengths) if lengths else None
            dims = tuple(range(-x.ndim if sizes is None else -len(sizes), 0))
        if isinstance(dims, (tuple, list)):
            given[name] = [wrapped_dim(func.__name__, d, x.ndim) - x.ndim for d in dims]
        else:
            given[name] = wrapped_dim(func.__name__, dims, x.ndim) - x.ndim
        given[first] = x._value
        return wrap(run(func, given), level)

    return rule


def flip(func: Any, level: int, args: Any, kwargs: Any) -> Any:
    """Turn the named dimensions round; they come one by one, or as one sequence."""
    x, *dims = args
    dims = [*dims, *([kwargs["dims"]] if "dims" in kwargs else [])]
    if len(dims) == 1 and isinstance(dims[0], (tuple, list)):
        dims = list(dims[0])
    if not at(x, level) or x.ndim == 0:
        return NotImplemented
    return wrap(func(x._value, [wrapped_dim("flip", d, x.ndim) - x.ndim for d in dims]), level)


def roll(func: Any, level: int, args: Any, kwargs: Any) -> Any:
    """Shift along the named dimensions; without them, along a sample as one row."""
    given = bound(func, args, kwargs)
    if given is None or not at(args[0], level):
        return NotImplemented
    if given["dims"] is not None and given["dims"] != ():
        return shifted_roll(func, level, args, kwargs)
    value = args[0]._value
    return wrap(func(value.reshape(value.shape[0], -1), given["shifts"], 1).reshape(value.shape), level)


shifted_roll = from_end("dims")

for _name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft"):
    RULES[f"fft_{_name}"] = from_end("dim")
    RULES[f"fft_{_name}2"] = from_end("dim")
    RULES[f"fft_{_name}n"] = from_end("dim", "s")
RULES.update(fft_fftshift=from_end("dim"), fft_ifftshift=from_end("dim"), rot90=from_end("dims"), flip=flip, roll=roll)
