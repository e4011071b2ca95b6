"""Features from the inside of a model: it is traced into a graph that ends where they are.

A node's name is the path of the module that it belongs to, and for what is not a module the operation's name behind: ``layer1.0.add``; a
second one of the same name is ``layer1.0.add_1``. Traces in training and in evaluation may differ, so that a result has both graphs.
"""

from __future__ import annotations

import contextlib
import math
import re
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from taeda import fx, nn
from taeda.vision import ops
from taeda.vision.models.swin_transformer import ShiftedWindowAttention

__all__ = ["create_feature_extractor", "get_graph_node_names"]

Names = Sequence[str] | dict[str, str]


class LeafModuleAwareTracer(fx.Tracer):
    """A tracer that takes modules of some further classes as one node.

    Args:
        leaf_modules: the classes.
    """

    def __init__(self, *args: Any, leaf_modules: Sequence[type] = (), **kwargs: Any) -> None:
        self.leaf_modules = tuple(leaf_modules)
        super().__init__(*args, **kwargs)

    def is_leaf_module(self, m: nn.Module, module_qualname: str) -> bool:
        """Whether a call of the module becomes one node."""
        return isinstance(m, self.leaf_modules) or super().is_leaf_module(m, module_qualname)


class NodePathTracer(LeafModuleAwareTracer):
    """A tracer that knows each node's name, `node_to_qualname`; see the module."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.current_module_qualname = ""
        self.node_to_qualname: OrderedDict[Any, str] = OrderedDict()
        self._used: dict[str, int] = {}

    def call_module(self, m: nn.Module, forward: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Do what a call of a submodule becomes, under its path."""
        outer = self.current_module_qualname
        self.current_module_qualname = path = self.path_of_module(m)
        try:
            if self.is_leaf_module(m, path):
                return self.create_proxy("call_module", path, args, kwargs)
            return forward(*args, **kwargs)
        finally:
            self.current_module_qualname = outer

    def create_proxy(self, kind: str, target: Any, args: Any, kwargs: Any, *rest: Any, **how: Any) -> Any:
        """Make a node, and name it."""
        proxy = super().create_proxy(kind, target, args, kwargs, *rest, **how)
        self.node_to_qualname[proxy.node] = self._name(proxy.node)
        return proxy

    def _name(self, node: Any) -> str:
        path = self.current_module_qualname
        if node.op != "call_module":
            path = f"{path}.{node}" if path else str(node)
        path = re.sub(r"(?<=.)_[0-9]+$", "", path)          # fx counts by operation, here it is by path
        count = self._used.get(path, -1) + 1
        self._used[path] = count
        return f"{path}_{count}" if count else path


def _tracer_options(given: dict[str, Any] | None) -> dict[str, Any]:
    """Return a tracer's options: layers and functions of `ops` are single nodes, besides what is asked for.

    Attention in shifted windows is one too: whether it shifts depends on the image's size.
    """
    layers = [v for v in vars(ops).values() if isinstance(v, type) and issubclass(v, nn.Module)]
    layers.append(ShiftedWindowAttention)
    options = dict(given or {})
    options["autowrap_modules"] = tuple({*options.get("autowrap_modules", ()), math, ops})
    options["leaf_modules"] = [*options.get("leaf_modules", ()), *layers]
    return options


def _traced(model: nn.Module, training: bool, options: dict[str, Any], concrete_args: Any) -> tuple[NodePathTracer, Any]:
    tracer = NodePathTracer(**options)
    return tracer, tracer.trace(model.train(training), concrete_args=concrete_args)


@contextlib.contextmanager
def _modes_kept(model: nn.Module) -> Iterator[None]:
    """Give every module its own mode back, also where the model cannot be traced."""
    modes = [(module, module.training) for module in model.modules()]
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


def _part_of(these: list[str], those: list[str]) -> bool:
    """Say whether all of these come in those, in this order."""
    rest = iter(those)
    return all(any(name == other for other in rest) for name in these)


def _warn_of_differences(train: list[str], evaluation: list[str]) -> None:
    if train == evaluation:
        return
    said = "The nodes obtained by tracing the model in train mode are different to those obtained in eval mode. "
    for these, those, a, b in ((evaluation, train, "eval", "train"), (train, evaluation, "train", "eval")):
        if _part_of(these, those):
            said = f"NOTE: The nodes obtained by tracing the model in {a} mode are a subsequence of those obtained in {b} mode. "
            break
    said += "When choosing nodes for feature extraction, you may need to specify output nodes for train and eval mode separately."
    warnings.warn(said, stacklevel=3)


def get_graph_node_names(
    model: nn.Module,
    tracer_kwargs: dict[str, Any] | None = None,
    suppress_diff_warning: bool = False,
    concrete_args: dict[str, Any] | None = None,
) -> tuple[list[str], list[str]]:
    """Return the names of a model's nodes in training and in evaluation, in the order in which they run.

    Args:
        model: any module that `taeda.fx` can trace.
        tracer_kwargs: for `NodePathTracer`.
        suppress_diff_warning: say nothing where the two differ.
        concrete_args: arguments of forward that are no inputs; see `taeda.fx.symbolic_trace`.

    >>> from taeda import nn
    >>> from taeda.vision.models.feature_extraction import get_graph_node_names
    >>> get_graph_node_names(nn.Sequential(nn.Flatten(), nn.Linear(4, 2)))[0]
    ['input', '0', '1']
    """
    options = _tracer_options(tracer_kwargs)
    with _modes_kept(model):
        train, evaluation = (
            list(_traced(model, mode, options, concrete_args)[0].node_to_qualname.values()) for mode in (True, False)
        )
    if not suppress_diff_warning:
        _warn_of_differences(train, evaluation)
    return train, evaluation


class DualGraphModule(fx.GraphModule):
    """A module with a graph for training and one for evaluation; `train` and `eval` switch between them."""

    def __init__(self, root: Any, train_graph: Any, eval_graph: Any, class_name: str = "GraphModule") -> None:
        super().__init__(root, eval_graph, class_name)
        other = fx.GraphModule(root, train_graph, class_name)
        self._join(self, other)
        self.train_graph, self.eval_graph = train_graph, eval_graph
        self.graph = train_graph

    def _join(self, into: nn.Module, other: nn.Module) -> None:
        """Put in what the other graph names and this one does not."""
        for name, parameter in other.named_parameters(recurse=False):
            setattr(into, name, parameter)
        for name, buffer in other.named_buffers(recurse=False):
            into.register_buffer(name, buffer)
        for name, child in other.named_children():
            here = getattr(into, name, None)
            if here is None:
                setattr(into, name, child)
            elif here is not child:
                self._join(here, child)

    def train(self, mode: bool = True) -> Any:
        """Go to training or evaluation, and to the graph of it."""
        if mode != self.training:
            self.graph = self.train_graph if mode else self.eval_graph
        return super().train(mode)


def _wanted(names: Names) -> dict[str, str]:
    pairs = names.items() if isinstance(names, dict) else zip(names, names, strict=True)
    return {str(node): str(name) for node, name in pairs}


def _cut(graph: Any, names: dict[Any, str], wanted: dict[str, str]) -> None:
    """Let a graph end in a dict of the nodes that are wanted: of a module the last one that belongs to it."""
    for query in wanted:
        if not any(name == query or name.startswith(query + ".") for name in names.values()):
            raise ValueError(
                f"[create_feature_extractor] node: '{query}' is not present in model. Hint: use `get_graph_node_names` to make sure the "
                "`return_nodes` you specified are present. It may even be that you need to specify `train_return_nodes` and "
                "`eval_return_nodes` separately."
            )
    for node in reversed(list(graph.nodes)):
        if node.op == "output":
            graph.erase_node(node)
    found: dict[str, Any] = {}
    left = dict(wanted)
    nodes = list(graph.nodes)
    for node in reversed(nodes):
        path = names.get(node, "")
        for query in [q for q in left if path == q or path.startswith(q + ".")][:1]:
            found[left.pop(query)] = node
    with graph.inserting_after(nodes[-1]):
        graph.output(dict(reversed(found.items())))
    graph.eliminate_dead_code()


def create_feature_extractor(
    model: nn.Module,
    return_nodes: Names | None = None,
    train_return_nodes: Names | None = None,
    eval_return_nodes: Names | None = None,
    tracer_kwargs: dict[str, Any] | None = None,
    suppress_diff_warning: bool = False,
    concrete_args: dict[str, Any] | None = None,
) -> fx.GraphModule:
    """Return a module that gives what nodes inside of a model give, as a dict; it shares the model's parameters.

    Args:
        model: any module that `taeda.fx` can trace.
        return_nodes: names of nodes, as `get_graph_node_names` says them, or of modules (of these the last node); a dict renames.
        train_return_nodes, eval_return_nodes: instead, one for each mode.
        tracer_kwargs, suppress_diff_warning, concrete_args: see `get_graph_node_names`.

    Raises:
        ValueError: nodes are missing, or there is no node of a name.

    >>> import taeda
    >>> from taeda import nn
    >>> from taeda.vision.models.feature_extraction import create_feature_extractor
    >>> net = nn.Sequential(nn.Flatten(), nn.Linear(4, 2), nn.ReLU())
    >>> inner = create_feature_extractor(net, {"1": "before", "2": "after"})
    >>> sorted(inner(taeda.ones(1, 2, 2)))
    ['after', 'before']
    """
    if return_nodes is None and (train_return_nodes is None or eval_return_nodes is None):
        raise ValueError(
            "[create_feature_extractor] Either `return_nodes` or `train_return_nodes` and `eval_return_nodes` together, should be specified"
        )
    if return_nodes is not None and not (train_return_nodes is None and eval_return_nodes is None):
        raise ValueError(
            "[create_feature_extractor] `return_nodes` should not be specified beside `train_return_nodes` or `eval_return_nodes`"
        )
    training, options = model.training, _tracer_options(tracer_kwargs)
    graphs, names = [], []
    with _modes_kept(model):
        for mode, nodes in ((True, train_return_nodes), (False, eval_return_nodes)):
            tracer, graph = _traced(model, mode, options, concrete_args)
            chosen: Any = return_nodes if nodes is None else nodes
            names.append(list(tracer.node_to_qualname.values()))
            _cut(graph, tracer.node_to_qualname, _wanted(chosen))
            graphs.append(graph)
        if not suppress_diff_warning:
            _warn_of_differences(*names)
        made = DualGraphModule(model, graphs[0], graphs[1], type(model).__name__)
        return made.train(training)
