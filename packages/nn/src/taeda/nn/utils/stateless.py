"""A module called with other parameters than its own: the older name of ``taeda.func.functional_call``."""

from __future__ import annotations

import warnings
from contextlib import AbstractContextManager
from typing import Any

import taeda
from taeda import Tensor, _spoken
from taeda.nn.modules.module import Module

__all__ = ["functional_call"]


def functional_call(
    module: Module,
    parameters_and_buffers: dict[str, Tensor],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Return ``module(*args, **kwargs)`` computed with the tensors given by name; the module stays as it is.

    Deprecated by PyTorch for ``taeda.func.functional_call``, which it warns of.

    Args:
        parameters_and_buffers: tensors by name.
        args: a tuple, or the only argument.
        tie_weights: parameters that are one tensor in the module stay one.
        strict: demand that the names match exactly.

    >>> import warnings, taeda
    >>> from taeda import nn
    >>> from taeda.nn.utils.stateless import functional_call
    >>> layer = nn.Linear(2, 1, bias=False)
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     functional_call(layer, {"weight": taeda.tensor([[1.0, 10.0]])}, taeda.tensor([2.0, 3.0]))
    tensor([32.])
    """
    warnings.warn(
        _spoken.said("`taeda.nn.utils.stateless.functional_call` is deprecated as of PyTorch 2.0 and will be removed in a future "
                     "version of PyTorch. Please use `taeda.func.functional_call` instead which is a drop-in replacement."),
        FutureWarning,
        stacklevel=2,
    )
    return _functional_call(module, parameters_and_buffers, args, kwargs, tie_weights=tie_weights, strict=strict)


def _functional_call(
    module: Module, parameters_and_buffers: dict[str, Tensor], args: Any = None, kwargs: Any = None, **options: bool
) -> Any:
    """``functional_call`` without its warning, which libraries call by this name."""
    return taeda.func.functional_call(module, parameters_and_buffers, () if args is None else args, kwargs, **options)


def _reparametrize_module(
    module: Module,
    parameters_and_buffers: dict[str, Tensor],
    tie_weights: bool = False,
    strict: bool = False,
    stack_weights: bool = False,
) -> AbstractContextManager[None]:
    """Give a module other tensors for the length of a ``with`` block: what libraries do that call it there more than once.

    Whatever the order, every tensor goes back where it was; ``stack_weights``, which asks for the reverse order, changes nothing.
    """
    return taeda.func.modules.swapped(module, parameters_and_buffers, tie_weights, strict)
