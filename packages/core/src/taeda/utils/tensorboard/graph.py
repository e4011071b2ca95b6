"""The graph of a model for TensorBoard, as one call runs through it: modules as boxes, operations of autograd within the rest."""

from __future__ import annotations

import collections
from typing import Any

from tensorboard.compat.proto.attr_value_pb2 import AttrValue
from tensorboard.compat.proto.graph_pb2 import GraphDef
from tensorboard.compat.proto.node_def_pb2 import NodeDef
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.compat.proto.versions_pb2 import VersionDef

import taeda


def _tensors(tree: Any) -> list[taeda.Tensor]:
    from taeda.utils._pytree import tree_leaves

    return [x for x in tree_leaves(tree) if isinstance(x, taeda.Tensor)]


class _Recorder:
    """The nodes of a graph while the model runs: those of autograd that led to each module's output, under names of modules."""

    def __init__(self, model: Any, args: tuple[Any, ...]) -> None:
        self.args = args
        self.nodes: dict[str, NodeDef] = {}
        self.names: dict[Any, str] = {}  # node of autograd -> name
        self.counts: collections.Counter[tuple[str, str]] = collections.Counter()
        self.scope = {name: _scope(model, name) for name, _ in model.named_modules()}
        self.owners = {id(p): name for name, p in model.named_parameters(remove_duplicate=False)}

    def add(self, kind: str, name: str, sources: list[str], shape: Any = None) -> str:
        """Add a node; return its name."""
        attributes = {}
        if shape is not None:
            sizes = TensorShapeProto(dim=[TensorShapeProto.Dim(size=n) for n in shape])
            attributes["_output_shapes"] = AttrValue(list=AttrValue.ListValue(shape=[sizes]))
        self.nodes[name] = NodeDef(name=name, op=kind, input=sources, attr=attributes)
        return name

    def add_operation(self, node: Any, where: str, shape: Any) -> str:
        """Add what autograd recorded of one operation, within the scope `where`."""
        kind = node.name().removesuffix("0").removesuffix("Backward")
        number = self.counts[where, kind]
        self.counts[where, kind] += 1
        return self.add(kind, f"{where}/{kind}_{number}", [self.names[n] for n, _ in node.next_functions if n is not None], shape)

    def add_leaf(self, leaf: taeda.Tensor) -> str:
        """Add a parameter, an input, or what else gradients end in."""
        if id(leaf) in self.owners:
            module, _, parameter = self.owners[id(leaf)].rpartition(".")
            return self.add("parameter", f"{self.scope[module]}/{parameter}", [], leaf.shape)
        place = next((i for i, a in enumerate(self.args) if a is leaf), None)
        return self.add("input", f"input/input.{place}" if place is not None else f"other/{len(self.names)}", [], leaf.shape)

    def record(self, tensor: taeda.Tensor, where: str) -> None:
        """Name the operations that led to a tensor and have no name yet, each after those that it reads."""
        waiting: list[tuple[Any, Any, bool]] = [(tensor.grad_fn, tensor.shape, False)] if tensor.grad_fn is not None else []
        while waiting:
            node, shape, ready = waiting.pop()
            if node in self.names:
                continue
            if not ready:
                waiting += [(node, shape, True), *((n, None, False) for n, _ in node.next_functions if n is not None)]
                continue
            leaf = getattr(node, "variable", None)
            self.names[node] = self.add_operation(node, where, shape) if leaf is None else self.add_leaf(leaf)

    def hook(self, where: str) -> Any:
        """Return a forward hook that records a module's output."""

        def after(_module: Any, _inputs: Any, out: Any) -> None:
            for tensor in _tensors(out):
                self.record(tensor, where)

        return after


def graph_of(model: Any, inputs: Any, verbose: bool = False) -> GraphDef:
    """Run the model once and return its graph.

    Each operation that autograd records is a node, in the scope of the module that ran it; parameters and inputs are nodes too.
    With `verbose` the nodes are printed.  Raises what the model raises.
    """
    args = inputs if isinstance(inputs, (tuple, list)) else (inputs,)
    args = tuple(a.detach().requires_grad_() if isinstance(a, taeda.Tensor) and a.is_floating_point() else a for a in args)
    recorder = _Recorder(model, args)
    hooks = [module.register_forward_hook(recorder.hook(recorder.scope[name])) for name, module in model.named_modules()]
    training = model.training
    try:
        with taeda.enable_grad():
            out = model(*args)
    finally:
        for hook in hooks:
            hook.remove()
        model.train(training)
    for i, tensor in enumerate(_tensors(out)):
        recorder.record(tensor, type(model).__name__)
        sources = [recorder.names[tensor.grad_fn]] if tensor.grad_fn in recorder.names else []
        recorder.add("output", f"output/output.{i}", sources, tensor.shape)
    nodes = list(recorder.nodes.values())
    if verbose:
        print("\n".join(f"{n.name} <- {', '.join(n.input)}" for n in nodes))
    return GraphDef(node=nodes, versions=VersionDef(producer=22))


def _scope(model: Any, name: str) -> str:
    """Return the scope of a module's operations: the modules on the way to it, each with its class and the last part of its name."""
    parts = name.split(".") if name else []
    way = [(parts[i], model.get_submodule(".".join(parts[: i + 1]))) for i in range(len(parts))]
    return "/".join([type(model).__name__, *(f"{type(m).__name__}[{part}]" for part, m in way)])
