"""How the engine takes a batch of cotangents: each node's derivative runs on the batch, or once per sample."""

from __future__ import annotations

from typing import Any

from taeda import ops
from taeda.autograd.engine import call_vjp, set_batched_vjp
from taeda.autograd.node import renamed  # type: ignore[attr-defined]
from taeda.func.batched import BatchedTensor, at, batched, deepest, size_of
from taeda.stand_ins import is_stand_in

# Nodes whose derivative broadcasts over a batch in front: one pointwise kernel of the cotangent and of a saved tensor with the sizes of
# the output, that kernel's own derivative, and means of windows over the last dimensions.
_BROADCASTING = frozenset(
    name + suffix
    for name, suffixes in (
        *((name, ("Backward1" if name == "Clamp" else "Backward0", "BackwardBackward0")) for name in (
            "Clamp", "Elu", "Gelu", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "LeakyRelu", "LogSigmoid", "Relu",
            "Sigmoid", "Silu", "Softplus", "Softshrink", "Tanh", "Threshold",
        )),
        *((name, ("BackwardBackward0",)) for name in ("AdaptiveAvgPool2D", "AdaptiveAvgPool3D", "AvgPool2D", "AvgPool3D")),
    )
    for suffix in suffixes
)  # fmt: skip


def batched_vjp(node: Any, g: Any) -> Any:
    """Return the gradients of a node's inputs for a batch of cotangents of its outputs."""
    if type(g) is BatchedTensor and node.name() in _BROADCASTING and type(node) not in renamed:
        value = g._value
        found = batched_vjp(node, value) if is_stand_in(value) else call_vjp(node, value)
        if isinstance(found, tuple):
            return tuple(None if x is None else batched(x, g._level) for x in found)
        return batched(found, g._level)
    try:
        found = call_vjp(node, g)
    except Exception:  # a derivative with a kernel of its own; what is really wrong comes up again below
        return one_by_one(node, g)
    parts = found if isinstance(found, tuple) else (found,)
    if any(is_stand_in(x) and type(x) is not BatchedTensor for x in parts):
        return one_by_one(node, g)
    return found


def one_by_one(node: Any, g: Any) -> Any:
    """Run a node's derivative once per sample of the innermost level and stack the gradients."""
    gs = g if isinstance(g, tuple) else (g,)
    level = deepest(gs)
    outer = deepest([x._value for x in gs if at(x, level)] + [x for x in gs if not at(x, level)]) > 0
    runs = []
    for i in range(size_of(level)):
        part = tuple(x._value.select(0, i) if at(x, level) else x for x in gs)
        argument = part if isinstance(g, tuple) else part[0]
        runs.append(batched_vjp(node, argument) if outer else call_vjp(node, argument))
    if not isinstance(runs[0], tuple):
        return batched(ops.stack(runs), level)
    return tuple(None if c[0] is None else batched(ops.stack(list(c)), level) for c in zip(*runs, strict=True))


set_batched_vjp(batched_vjp)
