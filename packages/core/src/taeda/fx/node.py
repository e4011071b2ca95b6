"""Nodes of a graph: one operation each, with its arguments, and who uses it.

>>> import taeda
>>> graph = taeda.fx.Graph()
>>> x = graph.placeholder("x")
>>> y = graph.call_function(taeda.add, (x, 1))
>>> y.args, list(x.users), y.format_node()
((x, 1), [add], '%add : [num_users=0] = call_function[target=taeda.add](args = (%x, 1), kwargs = {})')
"""

from __future__ import annotations

import copy
import math
import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import taeda
from taeda._aten.operators import OpOverload, OpOverloadPacket
from taeda.fx import operator_schemas
from taeda.fx._naming import qualified_name as _get_qualified_name, type_repr as _type_repr
from taeda.fx.immutable_collections import immutable_dict, immutable_list
from taeda.symbolic import _assert

if TYPE_CHECKING:
    from taeda.fx.graph import Graph

__all__ = ["Argument", "BaseArgumentTypes", "Node", "Target", "base_types", "has_side_effect", "map_aggregate", "map_arg"]

Argument = Any
Target = Any
base_types = (str, int, float, bool, complex, taeda.dtype, taeda.Tensor, taeda.device, taeda.memory_format, taeda.layout)
BaseArgumentTypes = Any
_legal_ops = ("placeholder", "call_method", "call_module", "call_function", "get_attr", "output", "root")

_OPERATORS = OpOverload, OpOverloadPacket

# what is kept although nothing uses its result
_side_effectful_functions: set[Callable[..., Any]] = {
    operator.setitem, _assert,
    # these move the generator: without them the calls after them would draw other numbers
    taeda.bernoulli, taeda.multinomial, taeda.normal, taeda.poisson, taeda.rand, taeda.rand_like, taeda.randint, taeda.randint_like,
    taeda.randn, taeda.randn_like, taeda.randperm,
}


def has_side_effect(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Say that calls of a function are kept although nothing uses what they return; return the function.

    >>> import taeda
    >>> @taeda.fx.has_side_effect
    ... def report(x):
    ...     print(x)
    >>> graph = taeda.fx.Graph()
    >>> x = graph.placeholder("x")
    >>> graph.call_function(report, (x,)).is_impure()
    True
    """
    _side_effectful_functions.add(fn)
    return fn


def map_aggregate(a: Any, fn: Callable[[Any], Any]) -> Any:
    """Return nested tuples, lists, dicts and slices with ``fn`` applied to what is inside of them.

    >>> from taeda.fx.node import map_aggregate
    >>> map_aggregate({"a": (1, [2])}, lambda x: x + 1)
    {'a': (2, [3])}
    """
    if isinstance(a, tuple):
        items = [map_aggregate(x, fn) for x in a]
        return type(a)(*items) if hasattr(a, "_make") else tuple(items)
    if isinstance(a, list):
        return immutable_list([map_aggregate(x, fn) for x in a])
    if isinstance(a, dict):
        return immutable_dict((k, map_aggregate(v, fn)) for k, v in a.items())
    if isinstance(a, slice):
        return slice(map_aggregate(a.start, fn), map_aggregate(a.stop, fn), map_aggregate(a.step, fn))
    return fn(a)


def map_arg(a: Any, fn: Callable[[Node], Any]) -> Any:
    """Return nested arguments with ``fn`` applied to the nodes in them.

    Raises:
        AssertionError: ``fn`` cannot be called.

    >>> import taeda
    >>> x = taeda.fx.Graph().placeholder("x")
    >>> taeda.fx.node.map_arg([x, (1, x)], lambda node: node.name.upper())
    ['X', (1, 'X')]
    """
    if not callable(fn):
        raise AssertionError(f"[fx.map_arg] expected a callable, got {fn!r}")
    return map_aggregate(a, lambda x: fn(x) if isinstance(x, Node) else x)


def _format_arg(arg: Any, max_list_len: float = math.inf) -> str:
    """Return an argument as the graph prints it: nodes with a %."""
    if hasattr(arg, "_custom_fx_repr_fn"):
        return str(arg._custom_fx_repr_fn())
    if isinstance(arg, (list, tuple)):
        items = [_format_arg(x) for i, x in enumerate(arg) if i < max_list_len]
        if len(arg) > max_list_len:
            items.append(f"...[total_len={len(arg)}]")
        if isinstance(arg, list):
            return f"[{', '.join(items)}]"
        return f"({items[0]},)" if len(arg) == 1 else f"({', '.join(items)})"
    if isinstance(arg, dict):
        return "{" + ", ".join(f"{k}: {_format_arg(v)}" for k, v in arg.items()) + "}"
    return f"%{arg}" if isinstance(arg, Node) else str(arg)


class Node:
    """One operation of a graph.

    ``op`` is placeholder, get_attr, call_function, call_method, call_module or output; ``target`` says of what: a name, a path in the
    module, a function.  ``args`` and ``kwargs`` hold nodes where values come from them; ``users`` is the other direction.

    Raises:
        ValueError: a call_function's target is not callable, or another's is not a str.

    >>> import taeda
    >>> from taeda import fx
    >>> graph = fx.symbolic_trace(lambda x: x.relu() + 1).graph
    >>> [(node.op, node.name) for node in graph.nodes]
    [('placeholder', 'x'), ('call_method', 'relu'), ('call_function', 'add'), ('output', 'output')]
    """

    graph: Any
    _prev: Node
    _next: Node

    def __init__(self, graph: Graph, name: str, op: str, target: Any, args: Any, kwargs: Any, return_type: Any = None) -> None:
        if op not in _legal_ops:
            raise AssertionError(f"[fx.Node] op '{op}' is not one of {_legal_ops}")
        wants, fits = ("a callable", callable(target)) if op == "call_function" else ("a str", isinstance(target, str))
        if not fits:
            raise ValueError(f"[fx.Node] the target of a {op} must be {wants}, and that of '{name}' is {target!r} of type "
                             f"{type(target).__name__}")
        self.graph, self.name, self.op, self.target, self.type = graph, name, op, target, return_type
        self._prev = self._next = self
        self._erased = False
        self._repr_fn: Callable[[Node], str] | None = None
        self._input_nodes: dict[Node, None] = {}
        self.users: dict[Node, None] = {}
        self.meta: dict[str, Any] = {}
        self._args: Any = ()
        self._kwargs: Any = immutable_dict()
        self._update(args, kwargs)

    # -- arguments -----------------------------------------------------------------------------------

    def _update(self, args: Any, kwargs: Any) -> None:
        for old in self._input_nodes:
            old.users.pop(self, None)
        self._input_nodes = {}

        def meet(x: Any) -> Any:
            if isinstance(x, Node):
                self._input_nodes.setdefault(x)
                x.users.setdefault(self)
            return x

        self._args, self._kwargs = map_aggregate(args, meet), map_aggregate(kwargs, meet)

    @property
    def args(self) -> Any:
        """The positional arguments, a tuple; assign to change them.

        >>> import taeda
        >>> graph = taeda.fx.symbolic_trace(lambda x: taeda.sum(x, 0)).graph
        >>> node = graph.find_nodes(op="call_function", target=taeda.sum)[0]
        >>> node.args = (node.args[0], 1)
        >>> node.format_node()
        '%sum_1 : [num_users=1] = call_function[target=taeda.sum](args = (%x, 1), kwargs = {})'
        """
        return self._args

    @args.setter
    def args(self, new: Any) -> None:
        self._update(new, self._kwargs)

    @property
    def kwargs(self) -> Any:
        """The keyword arguments, a dict that cannot be changed; assign to change them."""
        return self._kwargs

    @kwargs.setter
    def kwargs(self, new: Any) -> None:
        self._update(self._args, new)

    @property
    def all_input_nodes(self) -> list[Node]:
        """The nodes among the arguments, each once.

        >>> import taeda
        >>> graph = taeda.fx.symbolic_trace(lambda x, y: taeda.add(x, y)).graph
        >>> graph.find_nodes(op="call_function", target=taeda.add)[0].all_input_nodes
        [x, y]
        """
        return list(self._input_nodes)

    def update_arg(self, idx: int, arg: Any) -> None:
        """Replace the positional argument ``idx``.

        >>> import taeda
        >>> graph = taeda.fx.symbolic_trace(lambda x: taeda.sum(x, 0)).graph
        >>> node = graph.find_nodes(op="call_function", target=taeda.sum)[0]
        >>> node.update_arg(1, -1)
        >>> node.args
        (x, -1)
        """
        args = list(self.args)
        args[idx] = arg
        self.args = tuple(args)

    def insert_arg(self, idx: int, arg: Any) -> None:
        """Put a positional argument before the one that stands at ``idx``."""
        if not 0 <= idx <= len(self.args):
            raise AssertionError(f"[Node.insert_arg] idx must be between 0 and len(self.args) = {len(self.args)}, got {idx}")
        self.args = (*self.args[:idx], arg, *self.args[idx:])

    def update_kwarg(self, key: str, arg: Any) -> None:
        """Set one keyword argument.

        >>> import taeda
        >>> graph = taeda.fx.symbolic_trace(lambda x: taeda.sum(x, dim=0)).graph
        >>> node = graph.find_nodes(op="call_function", target=taeda.sum)[0]
        >>> node.update_kwarg("keepdim", True)
        >>> node.kwargs
        {'dim': 0, 'keepdim': True}
        """
        self.kwargs = {**self.kwargs, key: arg}

    def replace_input_with(self, old_input: Node, new_input: Node) -> None:
        """Use another node wherever one is used in the arguments."""
        self._hear("_replace_hooks", old_input, new_input.name, self)
        swap = lambda n: new_input if n is old_input else n  # noqa: E731
        self._update(map_arg(self.args, swap), map_arg(self.kwargs, swap))

    def replace_all_uses_with(
        self, replace_with: Node, delete_user_cb: Callable[[Node], bool] = lambda user: True, *, propagate_meta: bool = False
    ) -> list[Node]:
        """Use another node wherever this one is used, and return the users that now use it.

        Args:
            delete_user_cb: says of a user whether it shall change.
            propagate_meta: hand this node's ``meta`` on, to a node that has none.

        >>> import taeda
        >>> model = taeda.fx.symbolic_trace(lambda x, y: taeda.relu(x))
        >>> x, y = model.graph.find_nodes(op="placeholder")
        >>> x.replace_all_uses_with(y)
        [relu]
        >>> _ = model.recompile()
        >>> model(taeda.tensor(1.0), taeda.tensor(2.0))
        tensor(2.)
        """
        if propagate_meta:
            if replace_with.meta:
                raise AssertionError(f"[Node.replace_all_uses_with] {replace_with} has meta of its own")
            replace_with.meta.update(self.meta)
        changed = [user for user in list(self.users) if delete_user_cb(user)]
        for user in changed:
            user.replace_input_with(self, replace_with)
        return changed

    def _hear(self, hooks: str, *what: Any) -> None:
        for hook in getattr(self.graph.owning_module, hooks, None) or ():
            hook(old=what[0], new=what[1], user=what[2])

    # -- place ---------------------------------------------------------------------------------------

    @property
    def next(self) -> Node:
        """The node after this one; after the last comes the root, which is no operation."""
        return self._next

    @property
    def prev(self) -> Node:
        """The node before this one; before the first stands the root."""
        return self._prev

    def prepend(self, x: Node) -> None:
        """Put a node of the same graph before this one, or move it there."""
        if self.graph is not x.graph:
            raise AssertionError(f"[Node.prepend] {x} belongs to a different graph; copy it with graph.node_copy")
        if self is x:
            return
        x._remove_from_list()
        before = self._prev
        before._next, x._prev, x._next, self._prev = x, before, self, x
        self.graph._moved()

    def append(self, x: Node) -> None:
        """Put a node of the same graph after this one, or move it there."""
        self._next.prepend(x)

    def _remove_from_list(self) -> None:
        self._prev._next, self._next._prev = self._next, self._prev

    @property
    def _sort_key(self) -> int:
        return self.graph._position(self)

    def __lt__(self, other: Node) -> bool:
        return self._sort_key < other._sort_key

    def __le__(self, other: Node) -> bool:
        return self is other or self < other

    def __gt__(self, other: Node) -> bool:
        return other < self

    def __ge__(self, other: Node) -> bool:
        return other <= self

    # -- what it is ----------------------------------------------------------------------------------

    @property
    def stack_trace(self) -> str | None:
        """Where the program was when the node was recorded, if the tracer keeps that."""
        return self.meta.get("stack_trace")

    @stack_trace.setter
    def stack_trace(self, trace: str | None) -> None:
        self.meta["stack_trace"] = trace

    def is_impure(self, impure_random: bool = True) -> bool:
        """Whether the node must stay although nothing uses it: placeholders, outputs, what writes into its arguments or draws numbers."""
        if self.op in ("placeholder", "output"):
            return True
        if self.op == "call_function":
            if self.target in _side_effectful_functions or (isinstance(self.target, _OPERATORS) and self.target._writes):
                return True
            return impure_random and getattr(self.target, "_nondeterministic_seeded", False)
        if self.op == "call_module" and self.graph.owning_module is not None:
            target = self.graph.owning_module.get_submodule(self.target)
            return bool(getattr(target, "_is_impure", False))
        return False

    def normalized_arguments(
        self, root: Any, arg_types: Any = None, kwarg_types: Any = None, normalize_to_only_use_kwargs: bool = False
    ) -> Any:
        """Return the arguments as the target's signature names them, an ``ArgsKwargsPair``; None if it has no signature."""
        if self.op == "call_function":
            return operator_schemas.normalize_function(
                self.target, self.args, self.kwargs, arg_types, kwarg_types, normalize_to_only_use_kwargs
            )
        if self.op == "call_module":
            return operator_schemas.normalize_module(root, self.target, self.args, self.kwargs, normalize_to_only_use_kwargs)
        return None

    def _rename(self, candidate: str) -> None:
        if candidate != self.name:
            self.name = self.graph._graph_namespace.create_name(candidate)
            self.graph._graph_namespace.rename(self, self.name)

    def __repr__(self) -> str:
        return self.name if self._repr_fn is None else self._repr_fn(self)

    def _pretty_print_target(self, target: Any) -> str:
        if isinstance(target, str):
            return target
        name = _get_qualified_name(target)
        if "." not in name:
            return f"builtins.{name}"
        return name.replace("_operator.", "operator.", 1) if name.startswith("_operator.") else name

    def format_node(
        self, placeholder_names: list[str] | None = None, maybe_return_typename: list[str] | None = None, *,
        include_tensor_metadata: bool = False,
    ) -> str | None:  # fmt: skip
        """Return the node as the graph prints it.

        Args:
            placeholder_names: takes a placeholder's text, for the line of the graph's inputs; None is returned then.
            maybe_return_typename: its first element takes the type of what an output returns.
        """
        typename = f"{_type_repr(self.type)} " if self.type else ""
        head = f"%{self.name} : {typename}[num_users={len(self.users)}] = {self.op}"
        if self.op == "placeholder":
            arg = f"{self.name}{' : ' + _type_repr(self.type) if self.type else ''}"
            if placeholder_names:
                placeholder_names.append(f"{arg} = {self.args[0]}" if self.args else arg)
                return None
            return f"{head}[target={self.target}]" + (f"(default={self.args[0]})" if self.args else "")
        if self.op == "get_attr":
            return f"{head}[target={self._pretty_print_target(self.target)}]"
        if self.op == "output":
            if self.type and maybe_return_typename:
                maybe_return_typename[0] = f" -> {_type_repr(self.type)}"
            return f"return {self.args[0]}"
        return (f"{head}[target={self._pretty_print_target(self.target)}](args = {_format_arg(self.args)}, "
                f"kwargs = {_format_arg(self.kwargs)})")

    def __reduce__(self) -> Any:
        # a node is nothing without its graph, which is pickled as a whole
        return operator.getitem, (_Listed(self.graph), self.graph._position(self))

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) not in memo:
            copy.deepcopy(self.graph, memo)
        return memo.get(id(self), self)


class _Listed:
    """A graph by the numbers of its nodes: how a node is found again after unpickling."""

    def __init__(self, graph: Any) -> None:
        self.graph = graph

    def __getitem__(self, i: int) -> Node:
        return list(self.graph.nodes)[i]
