"""Rprop: resilient backpropagation, a step size of its own for each element, by the signs of its gradients."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import taeda
from taeda import Tensor, ops
from taeda.optim import composed
from taeda.optim.checks import Rule, check_hyper, check_one_element, check_pair
from taeda.optim.functional import rprop
from taeda.optim.fused import FusedOptimizer
from taeda.optim.optimizer import new_number

__all__ = ["Rprop", "rprop"]


class Rprop(FusedOptimizer):
    """Resilient backpropagation, for gradients of the whole data set.

    An element's step size grows by the factor etas[1] where its gradient kept its sign, and shrinks by etas[0] where
    the sign turned (the element then waits a step);  p -= size sign(±g).

    Args:
        params: tensors, (name, tensor) pairs, or dicts with options of their own.
        lr: first step size, a number or a one-element tensor.
        etas: factors of a fall and of a rise.
        step_sizes: bounds of the step size.
        foreach, capturable: accepted; every step is fused.
        maximize: climb instead of descending.
        differentiable: record the step for autograd.

    Raises ValueError for a negative lr and for etas that are not 0 < etas[0] < 1 < etas[1].
    Source: Riedmiller and Braun, "A direct adaptive method for faster backpropagation learning", 1993.

    >>> import taeda
    >>> from taeda import optim
    >>> w = taeda.tensor([2.0], requires_grad=True)
    >>> opt = optim.Rprop([w], lr=0.5)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w.item()
    1.5
    """

    _formula = (ops.fused_rprop_, composed.rprop)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_one_element("Rprop", "lr", lr)
        check_pair("Rprop", "etas", etas)
        check_pair("Rprop", "step_sizes", step_sizes)
        check_hyper(
            "Rprop",
            (lr, "learning rate"),
            (etas, "eta values", Rule(lambda v: 0.0 < v[0] < 1.0 < v[1], "the first must be in (0, 1), the second above 1")),
        )
        defaults = {
            "lr": lr,
            "etas": etas,
            "step_sizes": step_sizes,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _kept(self, group: dict[str, Any]) -> tuple[str | None, ...]:
        return ("prev", "step_size", "step")

    def _new_state(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        lr = float(group["lr"])
        return {
            "step": new_number(group, p),
            "prev": taeda.zeros_like(p, requires_grad=False),
            # both parts of a complex element have a size
            "step_size": taeda.full_like(p, complex(lr, lr) if p.is_complex() else lr, requires_grad=False),
        }
