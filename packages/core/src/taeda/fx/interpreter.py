"""Running a graph node by node, and making a new graph on the way."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from taeda.fx import traceback as fx_traceback
from taeda.fx._symbolic_trace import Tracer
from taeda.fx.codegen import last_uses
from taeda.fx.graph import Graph
from taeda.fx.graph_module import GraphModule
from taeda.fx.node import Node, map_aggregate, map_arg
from taeda.fx.proxy import Proxy

__all__ = ["Interpreter", "Transformer"]


class Interpreter:
    """Runs a GraphModule node by node; a subclass changes what a node does, or watches it.

    Args:
        module: the module.
        garbage_collect_values: let a value go after its last use.
        graph: run this graph in place of the module's own.

    >>> import taeda
    >>> class Neg(taeda.fx.Interpreter):
    ...     def call_function(self, target, args, kwargs):
    ...         return super().call_function(taeda.neg if target is taeda.abs else target, args, kwargs)
    >>> Neg(taeda.fx.symbolic_trace(lambda x: taeda.abs(x) + 1)).run(taeda.tensor([2.0]))
    tensor([-1.])
    """

    def __init__(self, module: Any, garbage_collect_values: bool = True, graph: Graph | None = None) -> None:
        self.module = module
        self.submodules = dict(module.named_modules())
        self.graph: Graph = module.graph if graph is None else graph
        self.env: dict[Node, Any] = {}
        self.name = "Interpreter"
        self.garbage_collect_values = garbage_collect_values
        self.extra_traceback = True
        self.user_to_last_uses: dict[Node, list[Node]] = {}
        if garbage_collect_values:
            self.user_to_last_uses = last_uses(self.graph.nodes)

    def run(self, *args: Any, initial_env: dict[Node, Any] | None = None, enable_io_processing: bool = True) -> Any:
        """Run all nodes and return what the output gives.

        Args:
            args: values of the placeholders, in order.
            initial_env: values of nodes that shall not run.
            enable_io_processing: take the arguments apart, and put the result together, as the module's code does.
        """
        self.env = {} if initial_env is None else initial_env
        given = self.graph.process_inputs(*args) if enable_io_processing else args
        self.args_iter: Iterator[Any] = iter(given)
        for node in self.graph.nodes:
            if node in self.env:
                continue
            try:
                self.env[node] = self.run_node(node)
            except Exception as error:
                if self.extra_traceback:
                    self._explain(node, error)
                    if isinstance(error, KeyError):             # whose text would be shown as one long key
                        raise RuntimeError(*error.args) from error
                raise
            for done in self.user_to_last_uses.get(node, ()):
                self.env.pop(done, None)
            if node.op == "output":
                found = self.env[node]
                return self.graph.process_outputs(found) if enable_io_processing else found
        return None

    def boxed_run(self, args_list: list[Any]) -> Any:
        """Run with arguments in a list, which is emptied so that they can be let go."""
        args = list(args_list)
        args_list.clear()
        return self.run(*args, enable_io_processing=False)

    @staticmethod
    def _explain(node: Node, error: Exception) -> None:
        text = f"While executing {node.format_node()}" + (f"\nOriginal traceback:\n{node.stack_trace}" if node.stack_trace else "")
        if error.args and isinstance(error.args[0], str):
            error.args = (f"{error.args[0]}\n\n{text}", *error.args[1:])
        else:
            error.add_note(text)

    @contextlib.contextmanager
    def _set_current_node(self, node: Node) -> Iterator[None]:
        with fx_traceback.set_current_meta(node, f"Interpreter_{type(self).__name__}"):
            yield

    def run_node(self, n: Node) -> Any:
        """Run one node with the values of its arguments: the method that is named like its ``op``."""
        with self._set_current_node(n):
            args, kwargs = self.fetch_args_kwargs_from_env(n)
            return getattr(self, n.op)(n.target, args, kwargs)

    # -- operations ----------------------------------------------------------------------------------

    def placeholder(self, target: Any, args: Any, kwargs: Any) -> Any:
        """Return the next argument of ``run``, all that are left for ``*args``, or the default."""
        if target.startswith("*"):
            return list(self.args_iter)
        try:
            return next(self.args_iter)
        except StopIteration:
            if args:
                return args[0]
            text = f"[Interpreter.run] Expected positional argument for parameter {target}, but one was not passed in!"
            raise RuntimeError(text) from None

    def get_attr(self, target: Any, args: Any, kwargs: Any) -> Any:
        """Return an attribute of the module by its path."""
        return self.fetch_attr(target)

    def call_function(self, target: Any, args: Any, kwargs: Any) -> Any:
        """Call a function."""
        return target(*args, **kwargs)

    def call_method(self, target: Any, args: Any, kwargs: Any) -> Any:
        """Call a method of the first argument."""
        self_obj, *rest = args
        return getattr(self_obj, target)(*rest, **kwargs)

    def call_module(self, target: Any, args: Any, kwargs: Any) -> Any:
        """Call a submodule by its path."""
        return self.fetch_attr(target)(*args, **kwargs)

    def output(self, target: Any, args: Any, kwargs: Any) -> Any:
        """Return the value that is returned."""
        return args[0]

    # -- values --------------------------------------------------------------------------------------

    def fetch_attr(self, target: str) -> Any:
        """Return an attribute of the module by its path.  RuntimeError where there is none."""
        found: Any = self.module
        parts = target.split(".")
        for i, part in enumerate(parts):
            if not hasattr(found, part):
                raise RuntimeError(f"[Interpreter] Node referenced nonexistent target {'.'.join(parts[: i + 1])}")
            found = getattr(found, part)
        return found

    def fetch_args_kwargs_from_env(self, n: Node) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return a node's arguments with values in place of nodes."""
        return self.map_nodes_to_values(n.args, n), dict(self.map_nodes_to_values(n.kwargs, n))

    def map_nodes_to_values(self, args: Any, n: Node) -> Any:
        """Return nested arguments with values in place of nodes."""

        def value(x: Node) -> Any:
            if x not in self.env:
                raise RuntimeError(f"[Interpreter] Node {n} referenced nonexistent value {x}! Run Graph.lint() to diagnose such issues")
            return self.env[x]

        return map_arg(args, value)


class _Appending(Tracer):
    """Adds to a graph what a Transformer does, and keeps all modules as they are."""

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self.graph = graph
        self.tensor_attrs: dict[int, str] = {}

    def is_leaf_module(self, m: Any, module_qualified_name: str) -> bool:
        return True


class Transformer(Interpreter):
    """Runs a graph on proxies, so that what its methods do becomes a new graph.

    >>> import taeda
    >>> class Smooth(taeda.fx.Transformer):
    ...     def call_function(self, target, args, kwargs):
    ...         return super().call_function(taeda.sigmoid if target is taeda.relu else target, args, kwargs)
    >>> print(Smooth(taeda.fx.symbolic_trace(lambda x: taeda.relu(x))).transform().code.strip())
    def forward(self, x):
        sigmoid = taeda.sigmoid(x);  x = None
        return sigmoid
    """

    def __init__(self, module: Any) -> None:
        super().__init__(module)
        self.new_graph = Graph()
        self.new_graph.set_codegen(module.graph._codegen)
        self.tracer = _Appending(self.new_graph)
        self.tracer.root = module

    def placeholder(self, target: Any, args: Any, kwargs: Any) -> Proxy:
        """Add a placeholder."""
        return Proxy(self.new_graph.placeholder(target, default_value=args[0]) if args else self.new_graph.placeholder(target), self.tracer)

    def get_attr(self, target: Any, args: Any, kwargs: Any) -> Proxy:
        """Add the reading of an attribute."""
        return self.tracer.create_proxy("get_attr", target, args, kwargs)

    def call_module(self, target: Any, args: Any, kwargs: Any) -> Any:
        """Add the call of a submodule."""
        return self.tracer.create_proxy("call_module", target, args, kwargs)

    def call_function(self, target: Any, args: Any, kwargs: Any) -> Any:
        """Add the call of a function."""
        return self.tracer.create_proxy("call_function", target, args, kwargs)

    def transform(self) -> GraphModule:
        """Return the module with the new graph."""
        with fx_traceback.preserve_node_meta():
            result = super().run(enable_io_processing=False)
        if result is not None:
            was = self.graph.output_node()
            out = self.new_graph.output(map_aggregate(result, lambda a: a.node if isinstance(a, Proxy) else a), was.type)
            out.meta.update(was.meta)
        return GraphModule(self.module, self.new_graph)
