"""Adamax: Adam whose second moment is a running maximum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from taeda import Tensor, ops
from taeda.optim import composed
from taeda.optim.checks import check_adam, check_one_element
from taeda.optim.functional import adamax
from taeda.optim.fused import FusedOptimizer

__all__ = ["Adamax", "adamax"]


class Adamax(FusedOptimizer):
    """Adam with the infinity norm.

    d = ±g + weight_decay p;  m += (1 - beta1) (d - m);  u = max(beta2 u, |d| + eps);
    p -= lr / (1 - beta1^t) m / u.

    Args:
        params: tensors, (name, tensor) pairs, or dicts with options of their own.
        lr: learning rate, a number or a one-element tensor.
        betas, eps, weight_decay: as in the formula.
        foreach, capturable: accepted; every step is fused.
        maximize: climb instead of descending.
        differentiable: record the step for autograd.

    Raises ValueError for options out of range.
    Source: Kingma and Ba, "Adam", 2015, section 7.1.

    >>> import taeda
    >>> from taeda import optim
    >>> w = taeda.tensor([2.0], requires_grad=True)
    >>> opt = optim.Adamax([w], lr=0.5, eps=0.0)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w.item()
    1.5
    """

    _formula = (ops.fused_adamax_, composed.adamax)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_one_element("Adamax", "lr", lr)
        check_adam("Adamax", lr, betas, eps, weight_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _kept(self, group: dict[str, Any]) -> tuple[str | None, ...]:
        return ("exp_avg", "exp_inf", "step")
