"""Operators of classes with a ``__torch_dispatch__`` whose derivatives no operators are known for: one operator more, by the arguments.

The derivative of ``linalg_det`` is ``linalg_det_backward(cotangent, *arguments)``: whoever runs it on plain tensors runs the function
again, with its graph, and takes the gradient.  Higher derivatives are such operators too.
"""

from __future__ import annotations

from typing import Any

import taeda
from taeda._aten.operators import OpOverloadPacket
from taeda.autograd import Function, grad
from taeda.autograd.grad_mode import enable_grad, is_grad_enabled
from taeda.func.pytree import tree_flatten, tree_leaves, tree_unflatten
from taeda.tensor import Tensor

__all__ = ["NAMES", "Derivative", "recorded"]

NAMES: set[str] = set()         # the operators that have turned out to be kernels


def _differentiable(x: Any) -> bool:
    return isinstance(x, Tensor) and (x.is_floating_point() or x.is_complex())


class Derivative:
    """A function of the cotangents of an operator's results and then of its arguments; gives the gradients of those that are wanted."""

    def __init__(self, op: Any, spec: Any, results: int, wanted: tuple[int, ...]) -> None:
        self.op, self.spec, self.results, self.wanted = op, spec, results, wanted
        self.__name__ = f"{op._opname}_backward"

    def __call__(self, *given: Any) -> tuple[Any, ...]:
        cotangents, leaves = given[: self.results], list(given[self.results :])
        again = is_grad_enabled()                       # whether somebody differentiates this one
        with enable_grad():
            for i in self.wanted:
                if not leaves[i].requires_grad:
                    leaves[i] = leaves[i].detach().requires_grad_()
            args, kwargs = tree_unflatten(leaves, self.spec)
            found = tree_leaves(self.op.overloadpacket(*args, **kwargs))
        pairs = [(y, g) for y, g in zip(found, cotangents, strict=True) if g is not None and y.requires_grad]
        if not pairs:
            return (None,) * len(self.wanted)
        inputs = [leaves[i] for i in self.wanted]
        return grad([y for y, _ in pairs], inputs, [g for _, g in pairs], create_graph=again, allow_unused=True)


class _Whole(Function):
    @staticmethod
    def forward(ctx: Any, op: Any, spec: Any, forms: list[Any], *leaves: Any) -> Any:
        args, kwargs = tree_unflatten(leaves, spec)
        state = taeda.get_rng_state()
        found, form = tree_flatten(op(*args, **kwargs))
        if not state.equal(taeda.get_rng_state()):
            raise NotImplementedError(f"[{op}] there is no derivative of this operator for tensors of a class with a __torch_dispatch__, "
                                      "since it draws random numbers; hint: call it under no_grad")
        forms.append(form)
        ctx.called, ctx.spec, ctx.results = op, spec, len(found)
        ctx.others = [None if isinstance(x, Tensor) else x for x in leaves]
        ctx.at = [i for i, x in enumerate(leaves) if isinstance(x, Tensor)]
        ctx.save_for_backward(*(leaves[i] for i in ctx.at))
        ctx.mark_non_differentiable(*(x for x in found if isinstance(x, Tensor) and not _differentiable(x)))
        ctx.set_materialize_grads(False)
        return tuple(found)

    @staticmethod
    def backward(ctx: Any, *cotangents: Any) -> Any:
        leaves = list(ctx.others)
        for i, x in zip(ctx.at, ctx.saved_tensors, strict=True):
            leaves[i] = x
        wanted = tuple(i for i in ctx.at if ctx.needs_input_grad[3 + i])
        call = Derivative(ctx.called, ctx.spec, ctx.results, wanted)
        gradients = dict(zip(wanted, OpOverloadPacket(call.__name__, call).default(*cotangents, *leaves), strict=True))
        return None, None, None, *(gradients.get(i) for i in range(len(leaves)))


def recorded(op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call an operator, with a derivative that is one too."""
    leaves, spec = tree_flatten((args, kwargs))
    forms: list[Any] = []
    found = _Whole.apply(op, spec, forms, *leaves)
    return tree_unflatten(list(found), forms[0])
