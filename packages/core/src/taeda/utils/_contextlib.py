"""Context managers that decorate too, for libraries that make modes of their own from PyTorch's."""

from __future__ import annotations

from typing import Any

from taeda.autograd.grad_mode import _Mode

__all__ = ["_DecoratorContextManager", "_NoParamDecoratorContextManager"]


class _DecoratorContextManager(_Mode):
    """A context manager that decorates functions, generators and classes; each call enters a ``clone`` of it.

    >>> from taeda.utils._contextlib import _DecoratorContextManager
    >>> class Loud(_DecoratorContextManager):
    ...     def __enter__(self):
    ...         print("in")
    ...     def __exit__(self, *error):
    ...         print("out")
    >>> @Loud()
    ... def f(x):
    ...     return x + 1
    >>> f(1)
    in
    out
    2
    """

    def __enter__(self) -> None:
        """Begin the block: a subclass says how."""
        raise NotImplementedError(f"[{type(self).__name__}] a subclass must define __enter__")

    def __exit__(self, *error: object) -> Any:
        """End it."""
        raise NotImplementedError(f"[{type(self).__name__}] a subclass must define __exit__")

    def clone(self) -> Any:
        """Return one more of the same: a class with arguments says how."""
        return type(self)()

    def _clone(self) -> Any:
        return self.clone()


class _NoParamDecoratorContextManager(_DecoratorContextManager):
    """One without arguments, which decorates with and without parentheses."""

    def __new__(cls, orig_func: Any = None) -> Any:
        """Return a context manager, or the function that was given, decorated."""
        return super().__new__(cls) if orig_func is None else cls()(orig_func)
