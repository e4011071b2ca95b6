"""Graphs: operations in the order in which they run, as data that a program can read, change, and make into code again.

>>> import taeda
>>> graph = taeda.fx.Graph()
>>> x = graph.placeholder("x")
>>> y = graph.call_function(taeda.relu, (x,))
>>> graph.output(graph.call_method("neg", (y,)))
output
>>> print(graph)
graph():
    %x : [num_users=1] = placeholder[target=x]
    %relu : [num_users=1] = call_function[target=taeda.relu](args = (%x,), kwargs = {})
    %neg : [num_users=1] = call_method[target=neg](args = (%relu,), kwargs = {})
    return neg
>>> print(graph.python_code("self").src.strip())
def forward(self, x):
    relu = taeda.relu(x);  x = None
    neg = relu.neg();  relu = None
    return neg
"""

from __future__ import annotations

import contextlib
import copy
import inspect
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from taeda.fx._naming import Namespace as _Namespace, snake_case as _snake_case
from taeda.fx.codegen import CodeGen, PythonCode, _CustomBuiltin, _PyTreeCodeGen, _PyTreeInfo, _register_custom_builtin
from taeda.fx.node import Argument, Node, Target, _legal_ops, map_aggregate, map_arg

__all__ = [
    "Argument", "CodeGen", "Graph", "Node", "PythonCode", "Target", "_CustomBuiltin", "_PyTreeCodeGen", "_PyTreeInfo",
    "_register_custom_builtin", "map_arg",
]


class _InsertPoint:
    """Where new nodes go; as a context manager it is in force until the block ends."""

    def __init__(self, graph: Graph, new_insert: Callable[[Node], None]) -> None:
        self.graph, self.was = graph, graph._insert
        graph._insert = new_insert

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: object) -> None:
        self.graph._insert = self.was


class _node_list:
    """The nodes of a graph, in order; nodes may be added and erased while it is walked."""

    def __init__(self, graph: Graph, direction: str = "_next") -> None:
        self.graph, self.direction = graph, direction

    def __len__(self) -> int:
        return self.graph._len

    def __iter__(self) -> Iterator[Node]:
        root = self.graph._root
        node = getattr(root, self.direction)
        while node is not root:
            if not node._erased:
                yield node
            node = getattr(node, self.direction)

    def __reversed__(self) -> _node_list:
        return _node_list(self.graph, "_prev" if self.direction == "_next" else "_next")


class Graph:
    """Operations in order, from placeholders to the output.

    Args:
        owning_module: the module whose parameters and submodules the nodes name.
        tracer_cls: the class of the tracer that recorded it.

    >>> import taeda
    >>> from taeda import fx, nn
    >>> graph = fx.Graph()
    >>> x = graph.placeholder("x")
    >>> _ = graph.output(graph.call_function(taeda.mul, (x, x)))
    >>> fx.GraphModule(nn.Module(), graph)(taeda.tensor(3.0))
    tensor(9.)
    """

    def __init__(self, owning_module: Any = None, tracer_cls: Any = None, tracer_extras: dict[str, Any] | None = None) -> None:
        self._root = Node(self, "", "root", "", (), {})
        self._insert: Callable[[Node], None] = self._root.prepend
        self._len = 0
        self._order: dict[Node, int] | None = None
        self._graph_namespace = _Namespace()
        self._owning_module, self._owners = owning_module, 0
        self._tracer_cls, self._tracer_extras = tracer_cls, tracer_extras
        self._codegen = CodeGen()
        self._co_fields: dict[str, Any] = {}

    @property
    def owning_module(self) -> Any:
        """The GraphModule that runs this graph; None where several do."""
        return self._owning_module

    @owning_module.setter
    def owning_module(self, module: Any) -> None:
        if module:
            self._owning_module = module if not self._owners else None
            self._owners += 1

    @property
    def nodes(self) -> _node_list:
        """All nodes in order: can be walked, reversed, and has a length.

        >>> import taeda
        >>> graph = taeda.fx.symbolic_trace(lambda x: taeda.relu(x) + 1).graph
        >>> [node.op for node in graph.nodes]
        ['placeholder', 'call_function', 'call_function', 'output']
        """
        return _node_list(self)

    def _moved(self) -> None:
        self._order = None

    def _position(self, node: Node) -> int:
        if self._order is None:
            self._order = {n: i for i, n in enumerate(self.nodes)}
        return self._order.get(node, -1)

    def find_nodes(self, *, op: str, target: Any = None, sort: bool = True) -> list[Node]:
        """Return the nodes of one operation, in order; for functions, modules and methods those of one target.

        >>> import taeda
        >>> graph = taeda.fx.symbolic_trace(lambda x: taeda.relu(taeda.relu(x))).graph
        >>> graph.find_nodes(op="call_function", target=taeda.relu)
        [relu, relu_1]
        """
        if op == "call_function" and target is None:
            raise AssertionError("[Graph.find_nodes] a call_function needs a target")
        if op in ("placeholder", "output") or target is None:
            return [n for n in self.nodes if n.op == op]
        return [n for n in self.nodes if n.op == op and n.target == target]

    def output_node(self) -> Node:
        """Return the node that returns."""
        last = self._root._prev
        if last.op != "output":
            raise AssertionError(f"[Graph.output_node] the last node is {last}, a {last.op or 'root'}; the graph has no output")
        return last

    # -- making nodes --------------------------------------------------------------------------------

    def create_node(
        self, op: str, target: Any, args: tuple[Any, ...] | None = None, kwargs: dict[str, Any] | None = None, name: str | None = None,
        type_expr: Any = None,
    ) -> Node:  # fmt: skip
        """Add a node at the insertion point and return it.

        Args:
            op: placeholder, get_attr, call_function, call_method, call_module or output.
            target: what is called or read, as ``op`` has it.
            name: what the value shall be called; a number is added where the name is taken.
            type_expr: the type of the value, for annotations.
        """
        if op not in _legal_ops or op == "root":
            raise AssertionError(f"[Graph.create_node] op '{op}' is not in _legal_ops")
        args, kwargs = () if args is None else args, {} if kwargs is None else kwargs
        if not isinstance(args, tuple) or not isinstance(kwargs, dict):
            raise AssertionError(f"[Graph.create_node] args must be a tuple and kwargs a dict, got {type(args)} and {type(kwargs)}")
        name = self._graph_namespace.create_name(name or self._target_to_str(target))
        node = Node(self, name, op, target, args, kwargs, type_expr)
        for hook in getattr(self.owning_module, "_create_node_hooks", None) or ():
            hook(node)
        self._graph_namespace.rename(node, name)
        self._insert(node)
        self._len += 1
        return node

    def _target_to_str(self, target: Any) -> str:
        if callable(target):
            op = getattr(target, "__name__", type(target).__name__)
        else:
            op = str(target)
            if op.startswith("__") and op.endswith("__"):
                op = op[2:-2]
        return _snake_case(op)

    def placeholder(self, name: str, type_expr: Any = None, default_value: Any = inspect.Signature.empty) -> Node:
        """Add an input.

        >>> import taeda
        >>> graph = taeda.fx.Graph()
        >>> graph.placeholder("x", default_value=3).format_node()
        '%x : [num_users=0] = placeholder[target=x](default=3)'
        """
        return self.create_node("placeholder", name, () if default_value is inspect.Signature.empty else (default_value,),
                                type_expr=type_expr)

    def get_attr(self, qualified_name: str, type_expr: Any = None) -> Node:
        """Add the reading of a parameter, buffer or submodule by its path; warns where the owning module has none.

        >>> import taeda
        >>> from taeda import nn
        >>> graph = taeda.fx.Graph(nn.Linear(2, 3))
        >>> graph.get_attr("weight").format_node()
        '%weight : [num_users=0] = get_attr[target=weight]'
        """
        self._warn_if_absent("get_attr", qualified_name, "add_submodule, register_parameter or register_buffer")
        return self.create_node("get_attr", qualified_name, type_expr=type_expr)

    def _warn_if_absent(self, op: str, path: str, cure: str) -> None:
        """Say, at the line that adds a node, that the owning module has nothing at the path that it names."""
        if self.owning_module is not None and not has_attr(self.owning_module, path):
            warnings.warn(f"Attempted to insert a {op} Node with no underlying reference in the owning GraphModule! Call "
                          f"GraphModule.{cure} to add it", stacklevel=3)

    def call_module(self, module_name: str, args: Any = None, kwargs: Any = None, type_expr: Any = None) -> Node:
        """Add the call of a submodule by its path; warns where the owning module has none.

        >>> import taeda
        >>> from taeda import nn
        >>> graph = taeda.fx.Graph(nn.Sequential(nn.ReLU()))
        >>> graph.call_module("0", (graph.placeholder("x"),)).format_node()
        '%_0 : [num_users=0] = call_module[target=0](args = (%x,), kwargs = {})'
        """
        self._warn_if_absent("call_module", module_name, "add_submodule")
        return self.create_node("call_module", module_name, args, kwargs, type_expr=type_expr)

    def call_method(self, method_name: str, args: Any = None, kwargs: Any = None, type_expr: Any = None) -> Node:
        """Add the call of a method of the first argument.

        >>> import taeda
        >>> graph = taeda.fx.Graph()
        >>> graph.call_method("reshape", (graph.placeholder("x"), -1)).format_node()
        '%reshape : [num_users=0] = call_method[target=reshape](args = (%x, -1), kwargs = {})'
        """
        return self.create_node("call_method", method_name, args, kwargs, type_expr=type_expr)

    def call_function(self, the_function: Callable[..., Any], args: Any = None, kwargs: Any = None, type_expr: Any = None,
                      name: str | None = None) -> Node:  # fmt: skip
        """Add the call of a function.

        >>> import taeda
        >>> graph = taeda.fx.Graph()
        >>> graph.call_function(taeda.add, (graph.placeholder("x"), 1)).format_node()
        '%add : [num_users=0] = call_function[target=taeda.add](args = (%x, 1), kwargs = {})'
        """
        return self.create_node("call_function", the_function, args, kwargs, name=name, type_expr=type_expr)

    def output(self, result: Any, type_expr: Any = None) -> Node:
        """Add the return of a value: a node, or nested tuples, lists and dicts of nodes.

        >>> import taeda
        >>> graph = taeda.fx.Graph()
        >>> graph.output((graph.placeholder("x"), 2)).format_node()
        'return (x, 2)'
        """
        return self.create_node("output", "output", (result,), type_expr=type_expr)

    def node_copy(self, node: Node, arg_transform: Callable[[Node], Any] = lambda x: x) -> Node:
        """Add a copy of another graph's node; ``arg_transform`` gives this graph's node for each of its arguments.

        >>> import taeda
        >>> first, second = taeda.fx.symbolic_trace(lambda x: taeda.relu(x)).graph, taeda.fx.Graph()
        >>> known = {}
        >>> for node in first.nodes:
        ...     known[node] = second.node_copy(node, lambda n: known[n])
        >>> [node.name for node in second.nodes]
        ['x', 'relu', 'output']
        """
        copied = self.create_node(node.op, node.target, map_arg(node.args, arg_transform), dict(map_arg(node.kwargs, arg_transform)),
                                  node.name, node.type)
        copied.meta = copy.copy(node.meta)
        return copied

    def graph_copy(self, g: Graph, val_map: dict[Node, Any], return_output_node: bool = False) -> Any:
        """Add copies of all nodes of a graph and return what it returns, in this graph's nodes.

        Args:
            val_map: nodes of ``g`` that have a counterpart here already; takes the others.
            return_output_node: return (result, the output node) instead.

        >>> import taeda
        >>> first, second = taeda.fx.symbolic_trace(lambda x: taeda.relu(x)).graph, taeda.fx.Graph()
        >>> second.graph_copy(first, {}), [node.op for node in second.nodes]
        (relu, ['placeholder', 'call_function'])
        """
        for node in g.nodes:
            if node in val_map:
                continue
            if node.op == "output":
                found = map_arg(node.args[0], lambda n: val_map[n])
                return (found, node) if return_output_node else found
            val_map[node] = self.node_copy(node, lambda n: val_map[n])
        return None

    # -- changing it ---------------------------------------------------------------------------------

    def inserting_before(self, n: Node | None = None) -> _InsertPoint:
        """Let new nodes go before one (None: at the beginning), until the ``with`` block ends.

        >>> import taeda
        >>> graph = taeda.fx.symbolic_trace(lambda x: taeda.relu(x)).graph
        >>> with graph.inserting_before(graph.output_node()):
        ...     _ = graph.call_function(taeda.neg, (graph.find_nodes(op="placeholder")[0],))
        >>> [node.name for node in graph.nodes]
        ['x', 'relu', 'neg', 'output']
        """
        if n is None:
            return self.inserting_after(self._root)
        if n.graph is not self:
            raise AssertionError(f"[Graph.inserting_before] Node to insert before is not in graph: {n}")
        return _InsertPoint(self, n.prepend)

    def inserting_after(self, n: Node | None = None) -> _InsertPoint:
        """Let new nodes go after one (None: at the end), each behind the last, until the ``with`` block ends.

        >>> import taeda
        >>> model = taeda.fx.symbolic_trace(lambda x: taeda.relu(x))
        >>> relu = model.graph.find_nodes(op="call_function", target=taeda.relu)[0]
        >>> with model.graph.inserting_after(relu):
        ...     negated = model.graph.call_function(taeda.neg, (relu,))
        >>> _ = relu.replace_all_uses_with(negated, lambda user: user is not negated)
        >>> _ = model.recompile()
        >>> model(taeda.tensor([-1.0, 2.0]))
        tensor([-0., -2.])
        """
        if n is None:
            return self.inserting_before(self._root)
        if n.graph is not self:
            raise AssertionError(f"[Graph.inserting_after] Node to insert after is not in graph: {n}")
        return _InsertPoint(self, n.append)

    def erase_node(self, to_erase: Node) -> None:
        """Take a node out.  RuntimeError if another uses it, or it is another graph's.

        >>> import taeda
        >>> graph = taeda.fx.Graph()
        >>> x = graph.placeholder("x")
        >>> graph.erase_node(graph.call_function(taeda.neg, (x,)))
        >>> [node.name for node in graph.nodes]
        ['x']
        """
        if to_erase.users:
            raise RuntimeError(f"[Graph.erase_node] Tried to erase Node {to_erase} but it still had {len(to_erase.users)} users in the "
                               f"graph: {to_erase.users}; use replace_all_uses_with first")
        if to_erase.graph is not self:
            raise RuntimeError(f"[Graph.erase_node] Attempting to remove {to_erase} from wrong graph")
        if to_erase._erased:
            warnings.warn(f"erase_node({to_erase}) on an already erased node", stacklevel=2)
            return
        for hook in getattr(self.owning_module, "_erase_node_hooks", None) or ():
            hook(to_erase)
        to_erase._remove_from_list()
        to_erase._erased = True
        self._len -= 1
        self._moved()
        to_erase._update((), {})

    def eliminate_dead_code(self, is_impure_node: Callable[[Node], bool] | None = None) -> bool:
        """Erase what nothing uses, as far as it does nothing else either, and say whether there was any.

        Args:
            is_impure_node: says of a node that it must stay; by default ``Node.is_impure``.

        >>> import taeda
        >>> def f(x):
        ...     taeda.neg(x)                                   # nothing uses it
        ...     return x + 1
        >>> graph = taeda.fx.symbolic_trace(f).graph
        >>> graph.eliminate_dead_code(), [node.name for node in graph.nodes]
        (True, ['x', 'add', 'output'])
        """
        self.lint()
        impure = is_impure_node or (lambda n: n.is_impure())
        before = self._len
        for node in reversed(self.nodes):
            if not node.users and not impure(node) and node.op not in ("placeholder", "output"):
                self.erase_node(node)
        return self._len < before

    def lint(self) -> None:
        """Raise RuntimeError where the graph is not well formed: arguments before their values, names twice, targets that are not there.

        >>> import taeda
        >>> graph = taeda.fx.Graph()
        >>> x = graph.placeholder("x")
        >>> y = graph.call_function(taeda.neg, (x,))
        >>> y.prepend(graph.call_function(taeda.exp, (y,)))
        >>> try:
        ...     graph.lint()
        ... except RuntimeError as error:
        ...     print("not well formed")
        not well formed
        """
        known: set[Node] = set()
        names: set[str] = set()
        for node in self.nodes:
            if node.graph is not self:
                raise RuntimeError(f"[Graph.lint] Node '{node}' does not belong to this Graph")
            for x in node._input_nodes:
                if x.graph is not self:
                    raise RuntimeError(f"[Graph.lint] Argument '{x}' of Node '{node}' does not belong to this Graph, but was used as an "
                                       "argument; copy it with node_copy")
                if x not in known:
                    raise RuntimeError(f"[Graph.lint] Argument '{x}' of Node '{node}' was used before it has been defined; move one "
                                       "of them")
            known.add(node)
            if node.name in names:
                raise RuntimeError(f"[Graph.lint] Node redefined name {node.name}")
            names.add(node.name)
        if self.owning_module is None:
            return
        for node in self.nodes:
            if node.op in ("call_module", "get_attr"):
                self._lint_target(node)

    def _lint_target(self, node: Node) -> None:
        found: Any = self.owning_module
        parts = str(node.target).split(".")
        for i, part in enumerate(parts):
            if not hasattr(found, part):
                raise RuntimeError(f"[Graph.lint] Node {node} target {node.target} references nonexistent attribute {part} of "
                                   f"{'.'.join(parts[:i])}")
            found = getattr(found, part)
        from taeda.nn import Module

        if node.op == "call_module" and not isinstance(found, Module):
            raise RuntimeError(f"[Graph.lint] Node {node} target {node.target} is no Module but a {type(found).__name__}")

    # -- code ----------------------------------------------------------------------------------------

    def python_code(
        self, root_module: str, *, verbose: bool = False, include_stride: bool = False, include_device: bool = False,
        colored: bool = False, expanded_def: bool = False, record_func: bool = False, additional_meta: list[str] | None = None,
    ) -> PythonCode:  # fmt: skip
        """Return the graph as a function's source, with the globals that it needs.

        Args:
            root_module: what the source calls the module whose parameters it reads, ``self``.
            verbose: with comments that say where nodes come from, and with the types of what a ShapeProp has seen.
            include_stride, include_device: show these too in the types.
            expanded_def: a line for each parameter.

        >>> import taeda
        >>> print(taeda.fx.symbolic_trace(lambda x: taeda.relu(x)).graph.python_code("self").src.strip())
        def forward(self, x):
            relu = taeda.relu(x);  x = None
            return relu
        """
        namespace = _Namespace()

        # Names are settled again here, so that globals can avoid them.
        def shown(node: Node) -> str:
            return namespace.create_name(node.name, node)

        were = [(node, node._repr_fn) for node in self.nodes]
        for node, _ in were:
            node._repr_fn = shown
        try:
            return self._codegen._gen_python_code(
                self.nodes, root_module, namespace, verbose=verbose, include_stride=include_stride, include_device=include_device,
                colored=colored, expanded_def=expanded_def, record_func=record_func, additional_meta=additional_meta)
        finally:
            for node, was in were:
                node._repr_fn = was

    def set_codegen(self, codegen: CodeGen) -> None:
        """Let another object write the code."""
        self._codegen = codegen

    def process_inputs(self, *args: Any) -> Any:
        """Return the arguments of a call as the placeholders take them."""
        return self._codegen.process_inputs(*args)

    def process_outputs(self, out: Any) -> Any:
        """Return what the output node gives as a call returns it."""
        return self._codegen.process_outputs(out)

    @contextlib.contextmanager
    def on_generate_code(self, make_transformer: Callable[[Any], Any]) -> Iterator[None]:
        """Change the lines of generated code, until the block ends.

        Args:
            make_transformer: gets the transformer that is in force, or None; returns one: a list of lines -> a list of lines.
        """
        was = self._codegen._body_transformer
        self._codegen._body_transformer = make_transformer(was)
        try:
            yield
        finally:
            self._codegen._body_transformer = was

    # -- as text, and copies -------------------------------------------------------------------------

    def __str__(self) -> str:
        placeholders: list[str] = []
        lines = [node.format_node(placeholders) for node in self.nodes]
        return f"graph({', '.join(placeholders)}):" + "".join(f"\n    {line}" for line in lines if line)

    def print_tabular(self) -> None:
        """Print the nodes as a table: opcode, name, target, args, kwargs."""
        rows = [["opcode", "name", "target", "args", "kwargs"]]
        rows += [[n.op, n.name, str(n.target), str(n.args), str(n.kwargs)] for n in self.nodes]
        widths = [max(len(row[i]) for row in rows) for i in range(5)]
        rows.insert(1, ["-" * w for w in widths])
        print("\n".join("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows))

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Graph:
        memo = {} if memo is None else memo
        g = Graph(tracer_cls=self._tracer_cls)
        memo[id(self)] = g
        val_map: dict[Node, Node] = {}
        for node in self.nodes:
            val_map[node] = memo[id(node)] = g.node_copy(node, lambda n: val_map[n])
        g._codegen = copy.deepcopy(self._codegen)
        g._co_fields = self._co_fields
        return g

    def __reduce__(self) -> Any:
        index = {node: i for i, node in enumerate(self.nodes)}
        rows = [(n.op, n.target, map_arg(n.args, lambda x: _Number(index[x])), dict(map_arg(n.kwargs, lambda x: _Number(index[x]))),
                 n.name, n.type, n.meta.get("is_wrapped", False)) for n in self.nodes]
        tracer = self._tracer_cls if self._tracer_cls and "<locals>" not in self._tracer_cls.__qualname__ else None
        return _rebuild, (rows, tracer, self._codegen)


class _Number:
    """A node in a pickle: its place in the list."""

    def __init__(self, place: int) -> None:
        self.place = place


def _rebuild(rows: list[Any], tracer_cls: Any, codegen: CodeGen) -> Graph:
    """Make a graph of what ``Graph.__reduce__`` wrote."""
    graph = Graph(tracer_cls=tracer_cls)
    nodes: list[Node] = []
    for op, target, args, kwargs, name, kind, wrapped in rows:
        args, kwargs = (map_aggregate(x, lambda a: nodes[a.place] if isinstance(a, _Number) else a) for x in (args, kwargs))
        nodes.append(graph.create_node(op, target, args, dict(kwargs), name, kind))
        if wrapped:
            nodes[-1].meta["is_wrapped"] = True
    graph._codegen = codegen
    return graph


def has_attr(module: Any, path: str) -> bool:
    """Whether a dotted path leads somewhere."""
    for part in path.split("."):
        if not hasattr(module, part):
            return False
        module = getattr(module, part)
    return True
