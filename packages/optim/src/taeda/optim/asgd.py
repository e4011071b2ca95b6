"""ASGD: averaged stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import taeda
from taeda import Tensor, ops
from taeda.optim import composed
from taeda.optim.checks import check_hyper, check_one_element
from taeda.optim.functional import asgd
from taeda.optim.fused import FusedOptimizer
from taeda.optim.optimizer import new_number

__all__ = ["ASGD", "asgd"]


class ASGD(FusedOptimizer):
    """Averaged stochastic gradient descent; the averages are ``state[p]["ax"]``.

    d = ±g + weight_decay p;  p = (1 - lambd eta) p - eta d;  x += mu (p - x);  then
    eta = lr / (1 + lambd lr t)^alpha and mu = 1 / max(1, t - t0).

    Args:
        params: tensors, (name, tensor) pairs, or dicts with options of their own.
        lr: learning rate, a number or a one-element tensor.
        lambd, alpha, weight_decay: as in the formula.
        t0: the step after which x is an average, and not the parameter itself.
        foreach, capturable: accepted; every step is fused.
        maximize: climb instead of descending.
        differentiable: record the step for autograd.

    Raises ValueError for a negative lr or weight_decay.
    Source: Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992.

    >>> import taeda
    >>> from taeda import optim
    >>> w = taeda.tensor([2.0], requires_grad=True)
    >>> opt = optim.ASGD([w], lr=0.25, lambd=0.0)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w.item(), opt.state[w]["ax"].item()
    (1.0, 1.0)
    """

    _formula = (ops.fused_asgd_, composed.asgd)
    _numbers: ClassVar[tuple[str, ...]] = ("step", "eta", "mu")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_one_element("ASGD", "lr", lr)
        check_hyper(
            "ASGD",
            (lr, "learning rate"),
            (weight_decay, "weight_decay value"),
        )
        defaults = {
            "lr": lr,
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _kept(self, group: dict[str, Any]) -> tuple[str | None, ...]:
        return ("ax", "mu", "eta", "step")

    def _new_state(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        return {
            "step": new_number(group, p),
            "eta": new_number(group, p, float(group["lr"])),
            "mu": new_number(group, p, 1.0),
            "ax": taeda.zeros_like(p, requires_grad=False),
        }
