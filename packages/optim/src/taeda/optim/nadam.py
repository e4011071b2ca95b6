"""NAdam: Adam with Nesterov momentum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import taeda
from taeda import Tensor, ops
from taeda.optim import composed
from taeda.optim.checks import check_adam, check_hyper, check_one_element
from taeda.optim.functional import nadam
from taeda.optim.fused import FusedOptimizer
from taeda.optim.optimizer import new_number

__all__ = ["NAdam", "nadam"]


class NAdam(FusedOptimizer):
    """Adam with Nesterov momentum.

    d, m and v as in `Adam`;  mu(t) = beta1 (1 - 0.96^(t momentum_decay) / 2), M(t) = mu(1) mu(2) ... mu(t);
    r = sqrt(v / (1 - beta2^t)) + eps;
    p -= lr (1 - mu(t)) / (1 - M(t)) d / r + lr mu(t + 1) / (1 - M(t + 1)) m / r.

    Args:
        params: tensors, (name, tensor) pairs, or dicts with options of their own.
        lr: learning rate, a number or a one-element tensor.
        betas, eps, weight_decay, momentum_decay: as in the formula.
        decoupled_weight_decay: p *= 1 - lr weight_decay instead of adding to the gradient.
        foreach, capturable: accepted; every step is fused.
        maximize: climb instead of descending.
        differentiable: record the step for autograd.

    Raises ValueError for options out of range.
    Source: Dozat, "Incorporating Nesterov momentum into Adam", 2016.

    >>> import taeda
    >>> from taeda import optim
    >>> w = taeda.tensor([2.0], requires_grad=True)
    >>> opt = optim.NAdam([w], lr=0.5, betas=(0.5, 0.5), eps=0.0, momentum_decay=0.0)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w
    tensor([1.4333], requires_grad=True)
    """

    _formula = (ops.fused_nadam_, composed.nadam)
    _younger: ClassVar[dict[str, Any]] = {**FusedOptimizer._younger, "decoupled_weight_decay": False}
    _numbers: ClassVar[tuple[str, ...]] = ("step", "mu_product")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_one_element("NAdam", "lr", lr)
        check_adam("NAdam", lr, betas, eps, weight_decay)
        check_hyper("NAdam", (momentum_decay, "momentum_decay value"))
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _kept(self, group: dict[str, Any]) -> tuple[str | None, ...]:
        return ("exp_avg", "exp_avg_sq", "mu_product", "step")

    def _new_state(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        return {
            "step": new_number(group, p),
            "mu_product": new_number(group, p, 1.0),
            "exp_avg": taeda.zeros_like(p, requires_grad=False),
            "exp_avg_sq": taeda.zeros_like(p, requires_grad=False),
        }
