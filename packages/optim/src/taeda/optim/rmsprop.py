"""RMSprop: steps divided by a running root mean square of the gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import taeda
from taeda import Tensor, ops
from taeda.optim import composed
from taeda.optim.optimizer import (
    Optimizer,
    check_hyper,
    check_one_element,
    new_step,
    params_of,
    steps_to_tensors,
)

__all__ = ["RMSprop"]


class RMSprop(Optimizer):
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
            (lr >= 0.0, "learning rate", lr),
            (eps >= 0.0, "epsilon value", eps),
            (momentum >= 0.0, "momentum value", momentum),
            (weight_decay >= 0.0, "weight_decay value", weight_decay),
            (alpha >= 0.0, "alpha value", alpha),
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

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            for key, value in (
                ("momentum", 0),
                ("centered", False),
                ("foreach", None),
                ("maximize", False),
                ("differentiable", False),
                ("capturable", False),
            ):
                group.setdefault(key, value)
        steps_to_tensors(self)

    def _needed_state(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("step", *_kept(group))

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update all parameters that have a gradient; return the closure's loss."""
        loss = None
        if closure is not None:
            with taeda.enable_grad():
                loss = closure()
        with taeda.set_grad_enabled(self.defaults["differentiable"]):
            for group in self.param_groups:
                self._step_group(group)
        return loss

    def _step_group(self, group: dict[str, Any]) -> None:
        params: list[Tensor] = []
        grads: list[Tensor] = []
        kept: dict[str, list[Tensor]] = {"square_avg": [], "grad_avg": [], "momentum_buffer": []}
        steps: list[Tensor] = []
        names = _kept(group)
        for p, g in params_of(group):
            state = self.state[p]
            if not state:
                state["step"] = new_step(group, p)
                for name in names:
                    state[name] = taeda.zeros_like(p, requires_grad=False)
            params.append(p)
            grads.append(g)
            steps.append(state["step"])
            for name in names:
                kept[name].append(state[name])
        run = composed.rmsprop if group["differentiable"] else ops.fused_rmsprop_
        run(
            params,
            grads,
            kept["square_avg"],
            kept["grad_avg"],
            kept["momentum_buffer"],
            steps,
            lr=group["lr"],
            alpha=group["alpha"],
            eps=group["eps"],
            weight_decay=group["weight_decay"],
            momentum=group["momentum"],
            centered=group["centered"],
            maximize=group["maximize"],
        )


def _kept(group: dict[str, Any]) -> list[str]:
    """Name the tensors that the group's options make it keep for each parameter."""
    names = ["square_avg"]
    if group.get("momentum", 0) > 0:
        names.append("momentum_buffer")
    if group.get("centered"):
        names.append("grad_avg")
    return names
