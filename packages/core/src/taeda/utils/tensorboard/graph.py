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


def graph_of(model: Any, inputs: Any, verbose: bool = False) -> GraphDef:
    """Run the model once and return its graph.

    Each operation that autograd records is a node, in the scope of the module that ran it; parameters and inputs are nodes too.
    With `verbose` the nodes are printed.  Raises what the model raises.
    """
    args = inputs if isinstance(inputs, (tuple, list)) else (inputs,)
    args = tuple(a.detach().requires_grad_() if isinstance(a, taeda.Tensor) and a.is_floating_point() else a for a in args)
    names: dict[Any, str] = {}  # node of autograd -> name
    nodes: dict[str, NodeDef] = {}
    counts: collections.Counter[tuple[str, str]] = collections.Counter()
    scope: dict[str, str] = {
        n: "/".join([type(model).__name__, *(f"{type(m).__name__}[{p}]" for p, m in _path(model, n))]) for n, _ in model.named_modules()
    }
    owners = {id(p): name for name, p in model.named_parameters(remove_duplicate=False)}

    def add(kind: str, where: str, sources: list[str], shape: Any = None) -> str:
        name = where
        if kind not in ("input", "parameter", "output"):
            name = f"{where}/{kind}_{counts[where, kind]}"
            counts[where, kind] += 1
        attributes = {}
        if shape is not None:
            sizes = TensorShapeProto(dim=[TensorShapeProto.Dim(size=n) for n in shape])
            attributes["_output_shapes"] = AttrValue(list=AttrValue.ListValue(shape=[sizes]))
        nodes[name] = NodeDef(name=name, op=kind, input=sources, attr=attributes)
        return name

    def record(tensor: taeda.Tensor, where: str) -> None:
        """Name the operations that led to a tensor and have no name yet, each after those that it reads."""
        waiting: list[tuple[Any, Any, bool]] = [(tensor.grad_fn, tensor.shape, False)] if tensor.grad_fn is not None else []
        while waiting:
            node, shape, ready = waiting.pop()
            if node in names:
                continue
            if not ready:
                waiting += [(node, shape, True), *((n, None, False) for n, _ in node.next_functions if n is not None)]
                continue
            leaf = getattr(node, "variable", None)
            if leaf is not None:
                if id(leaf) in owners:
                    module, _, parameter = owners[id(leaf)].rpartition(".")
                    names[node] = add("parameter", f"{scope[module]}/{parameter}", [], leaf.shape)
                else:
                    place = next((i for i, a in enumerate(args) if a is leaf), None)
                    names[node] = add("input", f"input/input.{place}" if place is not None else f"other/{len(names)}", [], leaf.shape)
            else:
                kind = node.name().removesuffix("0").removesuffix("Backward")
                names[node] = add(kind, where, [names[n] for n, _ in node.next_functions if n is not None], shape)

    def after(where: str) -> Any:
        def hook(_module: Any, _inputs: Any, out: Any) -> None:
            for tensor in _tensors(out):
                record(tensor, where)

        return hook

    hooks = [module.register_forward_hook(after(scope[name])) for name, module in model.named_modules()]
    training = model.training
    try:
        with taeda.enable_grad():
            out = model(*args)
    finally:
        for hook in hooks:
            hook.remove()
        model.train(training)
    for i, tensor in enumerate(_tensors(out)):
        record(tensor, type(model).__name__)
        add("output", f"output/output.{i}", [names[tensor.grad_fn]] if tensor.grad_fn in names else [], tensor.shape)
    if verbose:
        print("\n".join(f"{n.name} <- {', '.join(n.input)}" for n in nodes.values()))
    return GraphDef(node=list(nodes.values()), versions=VersionDef(producer=22))


def _path(model: Any, name: str) -> list[tuple[str, Any]]:
    """Return the modules on the way to one, with the last part of their names."""
    parts = name.split(".") if name else []
    return [(parts[i], model.get_submodule(".".join(parts[: i + 1]))) for i in range(len(parts))]
