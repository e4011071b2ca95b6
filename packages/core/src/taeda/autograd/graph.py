"""Looking at the graph: the node of a tensor's gradient."""

from __future__ import annotations

from typing import Any, NamedTuple

from taeda.autograd.node import AccumulateGrad, Node

__all__ = ["GradientEdge", "Node", "get_gradient_edge"]


class GradientEdge(NamedTuple):
    """Where a tensor's gradient flows: a node and the number of its output."""

    node: Any
    output_nr: int


def get_gradient_edge(tensor: Any) -> GradientEdge:
    """Return the edge of a tensor that requires grad: its grad_fn, or the accumulator of a leaf."""
    if not tensor.requires_grad:
        raise RuntimeError("[get_gradient_edge] It is not possible to get the gradient edge for a Tensor that does not require gradients")
    node = tensor.grad_fn
    return GradientEdge(AccumulateGrad(tensor) if node is None else node, tensor.output_nr)
