"""RAdam: Adam whose adaptive rate is left out while its variance is large, and rectified after that."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from taeda import Tensor, ops
from taeda.optim import composed
from taeda.optim.checks import check_adam, check_one_element
from taeda.optim.functional import radam
from taeda.optim.fused import FusedOptimizer

__all__ = ["RAdam", "radam"]


class RAdam(FusedOptimizer):
    """Rectified Adam.

    d, m and v as in `Adam`;  rho = R - 2 t beta2^t / (1 - beta2^t) with R = 2 / (1 - beta2) - 1;
    p -= lr m / (1 - beta1^t) l, where l = sqrt(1 - beta2^t) / (sqrt(v) + eps)
    sqrt((rho - 4) (rho - 2) R / ((R - 4) (R - 2) rho)) if rho > 5, else 1.

    Args:
        params: tensors, (name, tensor) pairs, or dicts with options of their own.
        lr: learning rate, a number or a one-element tensor.
        betas, eps, weight_decay: as in the formula.
        decoupled_weight_decay: p *= 1 - lr weight_decay instead of adding to the gradient.
        foreach, capturable: accepted; every step is fused.
        maximize: climb instead of descending.
        differentiable: record the step for autograd.

    Raises ValueError for options out of range.
    Source: Liu et al., "On the variance of the adaptive learning rate and beyond", 2020.

    >>> import taeda
    >>> from taeda import optim
    >>> w = taeda.tensor([2.0], requires_grad=True)
    >>> opt = optim.RAdam([w], lr=0.25)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w.item()
    1.0
    """

    _formula = (ops.fused_radam_, composed.radam)
    _younger: ClassVar[dict[str, Any]] = {**FusedOptimizer._younger, "decoupled_weight_decay": False}

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_one_element("RAdam", "lr", lr)
        check_adam("RAdam", lr, betas, eps, weight_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _kept(self, group: dict[str, Any]) -> tuple[str | None, ...]:
        return ("exp_avg", "exp_avg_sq", "step")
