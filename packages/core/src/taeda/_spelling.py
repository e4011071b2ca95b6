"""How a class that takes over a call is told of it: all arguments, required ones by position and the rest by keyword.

That is what PyTorch's functions written in Python do; programs that look at the calls (``taeda.fx``) rely on it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

Call = tuple[tuple[Any, ...], dict[str, Any]]


def spelled(function: Callable[..., Any], unsaid: tuple[str, ...] = ()) -> Callable[[tuple[Any, ...], dict[str, Any]], Call]:
    """Return what brings a call of the function into that form; one that does not fit its signature stays as it is.

    Args:
        unsaid: parameters that are told of only where the call gives them.

    >>> from taeda._spelling import spelled
    >>> spelled(lambda x, p=0.5, inplace=False: None)((1, 0.25), {})
    ((1,), {'p': 0.25, 'inplace': False})
    """
    known: list[Any] = []

    def spell(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
        if not known:
            signature = inspect.signature(function)
            required = sum(p.default is p.empty for p in signature.parameters.values())
            known.extend((signature, required))
        signature, required = known
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError:
            return args, kwargs
        given = set(bound.arguments)
        bound.apply_defaults()
        items = [(name, x) for name, x in bound.arguments.items() if name in given or name not in unsaid]
        return tuple(x for _, x in items[:required]), dict(items[required:])

    return spell
