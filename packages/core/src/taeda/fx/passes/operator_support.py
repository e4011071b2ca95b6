"""What a backend can run: rules that say yes or no to a node, and combinations of them.

>>> import taeda
>>> from taeda.fx.passes.operator_support import OperatorSupport, any_chain, create_op_support
>>> traced = taeda.fx.symbolic_trace(lambda x: taeda.relu(x) + 1)
>>> rule = any_chain(OperatorSupport({"taeda.relu": None}), create_op_support(lambda submodules, node: node.op == "placeholder"))
>>> [n.name for n in traced.graph.nodes if rule.is_node_supported({}, n)]
['x', 'relu', 'output']
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from taeda import _spoken
from taeda.fx.node import Node
from taeda.fx.passes.shape_prop import TensorMetadata
from taeda.fx.passes.tools_common import CALLABLE_NODE_OPS, get_node_target

__all__ = ["OpSupports", "OperatorSupport", "OperatorSupportBase", "any_chain", "chain", "create_op_support"]

SupportedArgumentDTypes = tuple[Sequence[Sequence[Any] | None], dict[str, Sequence[Any]]] | None
SupportDict = Mapping[str, SupportedArgumentDTypes]
IsNodeSupported = Callable[[Mapping[str, Any], Node], bool]


class OperatorSupportBase(abc.ABC):
    """A rule: whether a backend runs a node."""

    @abc.abstractmethod
    def is_node_supported(self, submodules: Mapping[str, Any], node: Node) -> bool:
        """Say whether the node can be run; ``submodules`` has the modules that nodes call by their names."""
        raise NotImplementedError


class OperatorSupport(OperatorSupportBase):
    """A rule by the names of what nodes call (``get_node_target``) and the dtypes of their inputs.

    ``support_dict`` has for each name that is run None, or ``([dtypes of the first input, ...], {"name": dtypes, ...})``, with None for an
    input of any dtype.  The dtypes of nodes are those that ``ShapeProp`` found.  What calls nothing is always run.
    """

    _support_dict: SupportDict

    def __init__(self, support_dict: SupportDict | None = None) -> None:
        self._support_dict = support_dict or {}

    def is_node_supported(self, submodules: Mapping[str, Any], node: Node) -> bool:
        """Say whether the node is of a name in the dict, with inputs of dtypes that are named there."""
        if node.op not in CALLABLE_NODE_OPS:
            return True
        name = get_node_target(submodules, node)
        if name not in self._support_dict and name.startswith("taeda."):
            name = _spoken.name + name[5:]                  # as a program under PyTorch's name writes it
        if name not in self._support_dict:
            return False
        dtypes = self._support_dict[name]
        if dtypes is None:
            return True
        by_place, by_name = dtypes
        pairs = [*zip(node.args, by_place, strict=False), *((node.kwargs.get(key), given) for key, given in by_name.items())]
        return all(given is None or not isinstance(arg, Node) or _dtype_of(arg) in given for arg, given in pairs)


def _dtype_of(node: Node) -> Any:
    """Return the dtype of what a node gives; None where it is not a tensor, KeyError before ShapeProp has run."""
    meta = node.meta["tensor_meta"]
    return meta.dtype if isinstance(meta, TensorMetadata) else None


class _Rule(OperatorSupportBase):
    def __init__(self, rule: IsNodeSupported) -> None:
        self._rule = rule

    def is_node_supported(self, submodules: Mapping[str, Any], node: Node) -> bool:
        return self._rule(submodules, node)


def create_op_support(is_node_supported: IsNodeSupported) -> OperatorSupportBase:
    """Make a rule of a function of the submodules and a node."""
    return _Rule(is_node_supported)


def chain(*op_support: OperatorSupportBase) -> OperatorSupportBase:
    """Make the rule that says yes where all of these do."""
    return _Rule(lambda submodules, node: all(rule.is_node_supported(submodules, node) for rule in op_support))


def any_chain(*op_support: OperatorSupportBase) -> OperatorSupportBase:
    """Make the rule that says yes where any of these does."""
    return _Rule(lambda submodules, node: any(rule.is_node_supported(submodules, node) for rule in op_support))


class OpSupports:
    """Rules to combine with others."""

    @classmethod
    def decline_if_input_dtype(cls, dtype: Any) -> OperatorSupportBase:
        """Say no to nodes that have an input of a dtype."""
        return _Rule(lambda _, node: all(_dtype_of(arg) != dtype for arg in node.all_input_nodes))

    @classmethod
    def decline_if_node_in_names(cls, disallow_set: Collection[str]) -> OperatorSupportBase:
        """Say no to nodes of these names."""
        return _Rule(lambda _, node: node.name not in disallow_set)
