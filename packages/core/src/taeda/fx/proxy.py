"""Proxies: values that stand for what a node will give, and record whatever is done to them.

Operators, attributes, methods, and functions of the library (they ask ``__torch_function__``) become nodes.  What needs the value itself,
a truth, a length, a loop, cannot be recorded and raises.

>>> import taeda
>>> graph = taeda.fx.Graph()
>>> tracer = taeda.fx.proxy.GraphAppendingTracer(graph)
>>> x = taeda.fx.Proxy(graph.placeholder("x"), tracer)
>>> taeda.relu(x).sum() * 2
Proxy(mul)
>>> print(graph)
graph():
    %x : [num_users=1] = placeholder[target=x]
    %relu : [num_users=1] = call_function[target=taeda.relu](args = (%x,), kwargs = {})
    %sum_1 : [num_users=1] = call_method[target=sum](args = (%relu,), kwargs = {})
    %mul : [num_users=0] = call_function[target=operator.mul](args = (%sum_1, 2), kwargs = {})
"""

from __future__ import annotations

import collections
import copy
import dis
import enum
import operator
import sys
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import taeda
from taeda import _override
from taeda.fx import traceback as fx_traceback
from taeda.fx._naming import spoken
from taeda.fx.graph import Graph
from taeda.fx.node import Argument, Node, Target, base_types, map_aggregate
from taeda.fx.operator_schemas import check_for_mutable_operation
from taeda.overrides import is_tensor_method_or_property

__all__ = [
    "Argument", "Attribute", "GraphAppendingTracer", "ParameterProxy", "Proxy", "Scope", "ScopeContextManager", "Target", "TraceError",
    "TracerBase",
]


class TraceError(ValueError):
    """What was done to a Proxy needs its value, which is not there while a program is traced."""


class Scope:
    """Where in the model a tracer is: a module's path and type."""

    def __init__(self, module_path: str, module_type: Any) -> None:
        self.module_path, self.module_type = module_path, module_type


class ScopeContextManager:
    """Makes one Scope look like another until the block ends."""

    def __init__(self, scope: Scope, current_scope: Scope) -> None:
        self._was = copy.copy(scope)
        self._scope = scope
        scope.__dict__.update(current_scope.__dict__)

    def __enter__(self) -> Scope:
        return self._scope

    def __exit__(self, *error: object) -> None:
        self._scope.__dict__.update(self._was.__dict__)


class TracerBase:
    """What records: it makes nodes, and says what a Proxy may not do."""

    graph: Graph
    record_stack_traces: bool = False
    _record_forward_stack_traces_only: bool = False
    check_mutable_operations: bool = False
    trace_asserts: bool = False
    proxy_buffer_attributes: bool = False
    traced_func_name: str = "forward"
    scope: Scope
    module_stack: collections.OrderedDict[str, Any]
    node_name_to_scope: dict[str, tuple[str, type]]

    def create_node(self, kind: str, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any], name: str | None = None,
                    type_expr: Any = None) -> Node:  # fmt: skip
        """Add a node to the graph, and note in its ``meta`` where in the model it is."""
        if kind == "call_function" and self.check_mutable_operations:
            check_for_mutable_operation(target, args, kwargs)
        node = self.graph.create_node(kind, target, args, kwargs, name, type_expr)
        self.node_name_to_scope[node.name] = self.scope.module_path, self.scope.module_type
        if fx_traceback.has_preserved_node_meta():
            node.meta.update({k: copy.copy(v) for k, v in fx_traceback.get_current_meta().items()})
        elif self.module_stack:
            node.meta["nn_module_stack"] = copy.copy(self.module_stack)
        return node

    def proxy(self, node: Node) -> Proxy:
        """Return the Proxy of a node."""
        return Proxy(node, self)

    def create_proxy(
        self, kind: str, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any], name: str | None = None, type_expr: Any = None,
        proxy_factory_fn: Callable[[Node], Proxy] | None = None,
    ) -> Proxy:  # fmt: skip
        """Add a node whose arguments may hold proxies, and return its Proxy."""
        node_args, node_kwargs = self.create_arg(args), self.create_arg(kwargs)
        if not isinstance(node_args, tuple) or not isinstance(node_kwargs, dict):
            raise AssertionError("[fx] create_arg must turn a tuple into a tuple and a dict into a dict")
        node = self.create_node(kind, target, node_args, node_kwargs, name, type_expr)
        proxy = proxy_factory_fn(node) if proxy_factory_fn else self.proxy(node)
        if self.record_stack_traces and not proxy.node.stack_trace:
            proxy.node.stack_trace = "".join(traceback.format_list(_user_frames()))
        return proxy

    def create_arg(self, a: Any) -> Any:
        """Return a value of the program as an argument of a node: proxies become nodes, in tuples, lists, dicts, slices and dataclasses.

        Raises:
            NotImplementedError: a value that generated code could not say.
            RuntimeError: a dict whose keys hold proxies.
        """
        if isinstance(a, Proxy):
            return a.node
        if hasattr(a, "__fx_create_arg__") and not isinstance(a, type):
            return a.__fx_create_arg__(self)
        if isinstance(a, tuple):
            items = [self.create_arg(x) for x in a]
            return type(a)(*items) if hasattr(a, "_make") else tuple(items)
        if isinstance(a, list):
            return [self.create_arg(x) for x in a]
        if isinstance(a, dict):
            return self._create_dict(a)
        if isinstance(a, slice):
            return slice(self.create_arg(a.start), self.create_arg(a.stop), self.create_arg(a.step))
        if isinstance(a, range):
            return range(self.create_arg(a.start), self.create_arg(a.stop), self.create_arg(a.step))
        if isinstance(a, (*base_types, enum.Enum, bytes)) or a is None or a is ... or isinstance(a, _override.Overridable):
            return a
        if hasattr(a, "__dataclass_fields__") and not isinstance(a, type):
            fields = {f: self.create_arg(getattr(a, f)) for f in a.__dataclass_fields__}
            return self.create_node("call_function", type(a), (), fields)
        if isinstance(a, type):
            return a
        raise NotImplementedError(f"[fx] argument of type: {type(a)} cannot be put into a graph; wrap the function that takes it "
                                  "(fx.wrap), or make the module a leaf")

    def _create_dict(self, a: dict[Any, Any]) -> dict[Any, Any]:
        made = {}
        for k, v in a.items():
            k = self.create_arg(k)

            def refuse(x: Any, key: Any = k) -> Any:
                if isinstance(x, Node):
                    raise RuntimeError("[fx] Keys for dictionaries used as an argument cannot contain a Node; use keys that do not depend "
                                       f"on inputs. Got key: {key}")
                return x

            map_aggregate(k, refuse)
            made[k] = self.create_arg(v)
        return made

    def to_bool(self, obj: Proxy) -> bool:
        """Return the truth of a Proxy: raises TraceError, unless a program's own tracer answers."""
        raise TraceError(f"[fx] symbolically traced variables cannot be used as inputs to control flow: {obj} is an if's, while's, and's "
                         "or assert's condition; give the argument that decides by concrete_args, or make the module a leaf")

    def iter(self, obj: Proxy) -> Iterator[Any]:
        """Return an iterator of a Proxy.  Raises TraceError except where it is unpacked into a known number of names."""
        raise TraceError(f"[fx] Proxy object cannot be iterated: {obj} is looped over, or is an argument of the form *args or **kwargs; "
                         "its length is not known. Index it, or wrap the function that loops (fx.wrap)")

    def keys(self, obj: Proxy) -> Any:
        """Return what ``.keys()`` of a Proxy gives: what ``**obj`` would need to walk."""
        return Attribute(obj, "keys")()


class GraphAppendingTracer(TracerBase):
    """Adds what is done to proxies to a graph that is there already."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.scope = Scope("", None)
        self.module_stack = collections.OrderedDict()
        self.node_name_to_scope = {}


def assert_fn(x: Any) -> None:
    """Assert, as a function that can be recorded."""
    assert x


class Proxy:
    """A stand-in for the value of a node.

    Args:
        node: the node.
        tracer: what records; by default it adds to the node's own graph.

    >>> import taeda
    >>> graph = taeda.fx.Graph()
    >>> x = taeda.fx.Proxy(graph.placeholder("x"))
    >>> y = taeda.exp(x) + 1
    >>> y, [node.name for node in graph.nodes]
    (Proxy(add), ['x', 'exp', 'add'])
    """

    def __init__(self, node: Node, tracer: TracerBase | None = None) -> None:
        self.tracer = GraphAppendingTracer(node.graph) if tracer is None else tracer
        self.node = node

    def __repr__(self) -> str:
        return f"Proxy({self.node.name})"

    def __getattr__(self, k: str) -> Any:
        if k.startswith("__") and k.endswith("__"):       # what Python looks for on its own is not there
            raise AttributeError(f"'Proxy' object has no attribute '{k}'")
        return Attribute(self, k)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ = state

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        # a copy of a value that is only recorded is the value
        made = type(self).__new__(type(self))
        made.__dict__.update(self.__dict__)
        return made

    def __call__(self, *args: Any, **kwargs: Any) -> Proxy:
        return self.tracer.create_proxy("call_method", "__call__", (self, *args), kwargs)

    def __iter__(self) -> Iterator[Any]:
        count = _unpacked_into(sys._getframe(1))
        if count is not None:
            return (self[i] for i in range(count))  # type: ignore[index]
        return self.tracer.iter(self)

    def __abs__(self) -> Proxy:
        return self.tracer.create_proxy("call_function", operator.abs, (self,), {})

    def __bool__(self) -> bool:
        if self.tracer.trace_asserts and _asserted(sys._getframe(1)):
            self.tracer.create_proxy("call_function", assert_fn, (self,), {})
            return True
        return self.tracer.to_bool(self)

    def keys(self) -> Any:
        """Return what the tracer says the keys are."""
        return self.tracer.keys(self)

    def __len__(self) -> int:
        raise RuntimeError("[fx] 'len' is not supported in symbolic tracing by default. If you want this call to be recorded, please call "
                           f"{spoken('taeda')}.fx.wrap('len') at module scope")

    @classmethod
    def __torch_function__(cls, orig_method: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        tracers: dict[Any, None] = {}

        def meet(x: Any) -> Any:
            if isinstance(x, cls):
                tracers.setdefault(x.tracer)
            return x

        map_aggregate(args, meet)
        map_aggregate(kwargs, meet)
        if not tracers:                          # e.g. proxies of another class: look at all of them
            map_aggregate((args, dict(kwargs)), lambda x: tracers.setdefault(x.tracer) if isinstance(x, Proxy) else x)
        if len(tracers) > 1:
            raise RuntimeError(f"[fx] Found multiple different tracers {list(tracers)} while trying to trace operations {orig_method}")
        (tracer,) = tracers
        if is_tensor_method_or_property(orig_method):
            return tracer.create_proxy("call_method", _method_name(orig_method), args, kwargs)
        return tracer.create_proxy("call_function", orig_method, args, kwargs, name=tracer.graph._target_to_str(orig_method.__name__))


def _method_name(method: Any) -> str:
    """Return the name of the method that a call of Tensor's becomes: ``add`` for ``__add__``."""
    name: str = method.__name__
    if name.startswith("__") and name.endswith("__") and hasattr(taeda.Tensor, name[2:-2]):
        return name[2:-2]
    return name


class Attribute(Proxy):
    """An attribute of a Proxy.  A node is made only when it is used; called, it is a method."""

    def __init__(self, root: Proxy, attr: str) -> None:
        self.root, self.attr, self.tracer = root, attr, root.tracer
        self._node: Node | None = None

    @property
    def node(self) -> Node:  # type: ignore[override]
        """The node that reads the attribute, made on first touch."""
        if self._node is None:
            self._node = self.tracer.create_proxy("call_function", getattr, (self.root, self.attr), {}).node
        return self._node

    def __call__(self, *args: Any, **kwargs: Any) -> Proxy:
        return self.tracer.create_proxy("call_method", self.attr, (self.root, *args), kwargs)


class ParameterProxy(Proxy):
    """A Proxy of a parameter, which knows its sizes: ``Tracer(param_shapes_constant=True)`` makes these."""

    def __init__(self, tracer: TracerBase, node: Node, name: str, param: Any) -> None:
        super().__init__(node, tracer)
        self.param, self.name = param, name

    def __repr__(self) -> str:
        return f"ParameterProxy({self.name})"

    @property
    def shape(self) -> Any:
        """The parameter's shape."""
        return self.param.shape

    def size(self, *dim: Any) -> Any:
        """The parameter's sizes, or one of them."""
        return self.param.size(*dim)

    def dim(self) -> int:
        """The parameter's number of dimensions."""
        return int(self.param.dim())

    @property
    def ndim(self) -> int:
        """The parameter's number of dimensions."""
        return int(self.param.ndim)

    def numel(self) -> int:
        """The parameter's number of elements."""
        return int(self.param.numel())

    nelement = numel


# -- operators -----------------------------------------------------------------------------------------


def _operator_method(function: Callable[..., Any]) -> Callable[..., Any]:
    def method(*args: Any, **kwargs: Any) -> Any:
        return args[0].tracer.create_proxy("call_function", function, args, kwargs)

    return method


def _reflected_method(function: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: Proxy, other: Any) -> Any:
        return self.tracer.create_proxy("call_function", function, (other, self), {})

    return method


_TWO_SIDED = ["add", "sub", "mul", "floordiv", "truediv", "mod", "pow", "lshift", "rshift", "and_", "or_", "xor", "matmul"]
for _name in [*_TWO_SIDED, *["eq", "ne", "lt", "gt", "le", "ge", "pos", "invert", "neg", "getitem"]]:
    setattr(Proxy, f"__{_name.strip('_')}__", _operator_method(getattr(operator, _name)))
for _name in _TWO_SIDED:
    setattr(Proxy, f"__r{_name.strip('_')}__", _reflected_method(getattr(operator, _name)))
Proxy.__hash__ = object.__hash__  # type: ignore[method-assign]


# -- what the program is doing with a Proxy ------------------------------------------------------------


def _instruction(frame: Any) -> tuple[Any, list[Any]]:
    """Return the place in a function's instructions at which a frame is, and the instructions."""
    found = list(dis.get_instructions(frame.f_code))
    return next((i for i, x in enumerate(found) if x.offset == frame.f_lasti), None), found


def _unpacked_into(frame: Any) -> int | None:
    """Return how many names the frame is unpacking into (``a, b = x``), None if it does something else."""
    place, instructions = _instruction(frame)
    if place is not None and instructions[place].opname == "UNPACK_SEQUENCE":
        return int(instructions[place].argval)
    return None


def _asserted(frame: Any) -> bool:
    """Whether the truth that the frame asks for decides an assert."""
    place, instructions = _instruction(frame)
    if place is None:
        return False
    rest = [x.opname for x in instructions[place : place + 4]]
    return "LOAD_ASSERTION_ERROR" in rest and any("JUMP" in x for x in rest[:2])


def _user_frames() -> Any:
    """Return where the program is, without the frames of the tracer and of the layers' calls."""
    inside = __file__.rpartition("proxy.py")[0]
    return [f for f in traceback.extract_stack() if not f.filename.startswith(inside) and not f.filename.endswith(".pyx")]
