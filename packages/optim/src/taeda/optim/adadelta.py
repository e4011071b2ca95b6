"""Adadelta: steps scaled by the ratio of two running root mean squares, of past steps and of gradients."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from taeda import Tensor, ops
from taeda.optim import composed
from taeda.optim.checks import Rule, check_hyper, check_one_element
from taeda.optim.functional import adadelta
from taeda.optim.fused import FusedOptimizer

__all__ = ["Adadelta", "adadelta"]


class Adadelta(FusedOptimizer):
    """Steps scaled by the ratio of two running root mean squares.

    d = ±g + weight_decay p;  v = rho v + (1 - rho) d²;  x = sqrt(u + eps) / sqrt(v + eps) d;
    u = rho u + (1 - rho) x²;  p -= lr x.

    Args:
        params: tensors, (name, tensor) pairs, or dicts with options of their own.
        lr: factor of a step, a number or a one-element tensor.
        rho, eps, weight_decay: as in the formula.
        foreach, capturable: accepted; every step is fused.
        maximize: climb instead of descending.
        differentiable: record the step for autograd.

    Raises ValueError for options out of range.
    Source: Zeiler, "ADADELTA: an adaptive learning rate method", 2012.

    >>> import taeda
    >>> from taeda import optim
    >>> w = taeda.tensor([2.0], requires_grad=True)
    >>> opt = optim.Adadelta([w], rho=0.75, eps=1.0)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w
    tensor([0.2111], requires_grad=True)
    """

    _formula = (ops.fused_adadelta_, composed.adadelta)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_one_element("Adadelta", "lr", lr)
        check_hyper(
            "Adadelta",
            (lr, "learning rate"),
            (rho, "rho value", Rule(lambda v: 0.0 <= v <= 1.0, "it must be in [0, 1]")),
            (eps, "epsilon value"),
            (weight_decay, "weight_decay value"),
        )
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _kept(self, group: dict[str, Any]) -> tuple[str | None, ...]:
        return ("square_avg", "acc_delta", "step")
