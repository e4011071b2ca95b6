"""SGD: stochastic gradient descent, with momentum, Nesterov's or plain."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import taeda
from taeda import Tensor, ops
from taeda.optim import composed
from taeda.optim.optimizer import Optimizer, check_fused, check_hyper, check_one_element, params_of

__all__ = ["SGD"]


class SGD(Optimizer):
    """Stochastic gradient descent.

    d = ±g + weight_decay p;  b = d on the first step, else momentum b + (1 - dampening) d;
    p -= lr (d + momentum b with nesterov, else b).

    Args:
        params: tensors, (name, tensor) pairs, or dicts with options of their own.
        lr: learning rate, a number or a one-element tensor.
        momentum, dampening, weight_decay, nesterov: as in the formula.
        maximize: climb instead of descending.
        foreach, fused: accepted; every step is fused.
        differentiable: record the step for autograd.

    Raises ValueError for negative options, and for nesterov without momentum or with dampening.
    Source: Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013.

    >>> import taeda
    >>> from taeda import optim
    >>> w = taeda.tensor([2.0], requires_grad=True)
    >>> opt = optim.SGD([w], lr=0.25)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w.item()
    1.0
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float | Tensor = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_one_element("SGD", "lr", lr)
        check_hyper(
            "SGD",
            (lr >= 0.0, "learning rate", lr),
            (momentum >= 0.0, "momentum value", momentum),
            (weight_decay >= 0.0, "weight_decay value", weight_decay),
        )
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError(
                f"[SGD] Nesterov momentum requires a momentum and zero dampening, got momentum={momentum}, "
                f"dampening={dampening}"
            )
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        check_fused("SGD", fused, foreach, differentiable)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            for key, value in (
                ("nesterov", False),
                ("maximize", False),
                ("foreach", None),
                ("differentiable", False),
                ("fused", False),
            ):
                group.setdefault(key, value)

    def _needed_state(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ()

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update all parameters that have a gradient; return the closure's loss."""
        loss = None
        if closure is not None:
            with taeda.enable_grad():
                loss = closure()
        with taeda.set_grad_enabled(self.defaults["differentiable"]):
            for group in self.param_groups:
                if group["differentiable"]:
                    composed.sgd(group, self.state)
                elif group["momentum"] == 0:
                    self._plain(group)
                else:
                    self._with_momentum(group)
        return loss

    @staticmethod
    def _plain(group: dict[str, Any]) -> None:
        params, grads = [], []
        for p, g in params_of(group):
            params.append(p)
            grads.append(g)
        ops.fused_sgd_(
            params, grads, [], lr=group["lr"], weight_decay=group["weight_decay"], maximize=group["maximize"]
        )

    def _with_momentum(self, group: dict[str, Any]) -> None:
        params: list[Tensor] = []
        grads: list[Tensor] = []
        buffers: list[Tensor] = []
        fresh: tuple[list[Tensor], list[Tensor], list[Tensor]] = ([], [], [])
        for p, g in params_of(group):
            buffer = self.state[p].get("momentum_buffer")
            if buffer is None:
                fresh[0].append(p)
                fresh[1].append(g)
                fresh[2].append(taeda.empty_like(p, requires_grad=False))
            else:
                params.append(p)
                grads.append(g)
                buffers.append(buffer)
        options = {
            key: group[key] for key in ("lr", "momentum", "dampening", "weight_decay", "nesterov", "maximize")
        }
        if params:
            ops.fused_sgd_(params, grads, buffers, **options)
        if fresh[0]:
            ops.fused_sgd_(*fresh, **options, first_step=True)
            for p, buffer in zip(fresh[0], fresh[2], strict=True):
                self.state[p]["momentum_buffer"] = buffer
