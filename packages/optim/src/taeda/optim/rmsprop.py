"""RMSprop: steps divided by a running root mean square of the gradient."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from taeda import Tensor, ops
from taeda.optim import composed
from taeda.optim.checks import check_hyper, check_one_element
from taeda.optim.functional import rmsprop
from taeda.optim.fused import FusedOptimizer

__all__ = ["RMSprop", "rmsprop"]


class RMSprop(FusedOptimizer):
    """Steps divided by a running root mean square of the gradient.

    d = ±g + weight_decay p;  s = alpha s + (1 - alpha) d²;  r = sqrt(s) + eps, or sqrt(s - a²) + eps where
    centered, a the running mean of d;  p -= lr d / r, or with momentum b = momentum b + d / r and p -= lr b.

    Args:
        params: tensors, (name, tensor) pairs, or dicts with options of their own.
        lr: learning rate, a number or a one-element tensor.
        alpha, eps, weight_decay, momentum, centered: as in the formula.
        capturable, foreach: accepted; every step is fused.
        maximize: climb instead of descending.
        differentiable: record the step for autograd.

    Raises ValueError for negative options.
    Sources: Hinton, "Neural networks for machine learning", lecture 6e, 2012; Graves, 2013 (centered).

    >>> import taeda
    >>> from taeda import optim
    >>> w = taeda.tensor([2.0], requires_grad=True)
    >>> opt = optim.RMSprop([w], lr=0.5, alpha=0.75, eps=0.0)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w.item()
    1.0
    """

    _formula = (ops.fused_rmsprop_, composed.rmsprop)
    _younger: ClassVar[dict[str, Any]] = {**FusedOptimizer._younger, "momentum": 0, "centered": False}

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_one_element("RMSprop", "lr", lr)
        check_hyper(
            "RMSprop",
            (lr, "learning rate"),
            (eps, "epsilon value"),
            (momentum, "momentum value"),
            (weight_decay, "weight_decay value"),
            (alpha, "alpha value"),
        )
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _kept(self, group: dict[str, Any]) -> tuple[str | None, ...]:
        return (
            "square_avg",
            "grad_avg" if group.get("centered") else None,
            "momentum_buffer" if group.get("momentum", 0) > 0 else None,
            "step",
        )

    def _new_state(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        state = super()._new_state(p, group)
        if "grad_avg" in state:
            state["grad_avg"] = state.pop("grad_avg")  # PyTorch's order of keys has it last
        return state
