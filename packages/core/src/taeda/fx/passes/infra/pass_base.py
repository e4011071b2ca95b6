"""A pass as an object, and what a pass returns."""

from __future__ import annotations

import abc
from typing import Any, NamedTuple

__all__ = ["PassBase", "PassResult"]


class PassResult(NamedTuple):
    """What a pass gives: the module, and whether it has been changed."""

    graph_module: Any
    modified: bool


class PassBase(abc.ABC):
    """A pass to derive from: ``call`` reads or changes a module; ``requires`` and ``ensures`` may raise for what is wrong before and after.

    >>> import taeda
    >>> from taeda.fx.passes.infra.pass_base import PassBase, PassResult
    >>> class Count(PassBase):
    ...     def call(self, graph_module):
    ...         print(len(graph_module.graph.nodes))
    ...         return PassResult(graph_module, False)
    >>> result = Count()(taeda.fx.symbolic_trace(lambda x: x + 1))
    3
    """

    def __call__(self, graph_module: Any) -> PassResult | None:
        """Check, run, check."""
        self.requires(graph_module)
        found = self.call(graph_module)
        self.ensures(graph_module)
        return found

    @abc.abstractmethod
    def call(self, graph_module: Any) -> PassResult | None:
        """Do the work."""

    def requires(self, graph_module: Any) -> None:  # noqa: B027
        """Raise for a module that the pass cannot take."""

    def ensures(self, graph_module: Any) -> None:  # noqa: B027
        """Raise for a module that the pass has left wrong."""
