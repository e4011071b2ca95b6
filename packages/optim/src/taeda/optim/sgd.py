"""SGD: stochastic gradient descent, with momentum, Nesterov's or plain."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import taeda
from taeda import Tensor, ops
from taeda.optim import composed
from taeda.optim.checks import check_fused, check_hyper, check_one_element
from taeda.optim.functional import sgd
from taeda.optim.fused import FusedOptimizer, with_buffers

__all__ = ["SGD", "sgd"]


class SGD(FusedOptimizer):
    """Stochastic gradient descent.

    d = ±g + weight_decay p;  p -= lr d;  with momentum b = d on the first step, else momentum b + (1 - dampening) d, and
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

    _formula = (ops.fused_sgd_, composed.sgd)
    _younger: ClassVar[dict[str, Any]] = {
        "nesterov": False,
        "maximize": False,
        "foreach": None,
        "differentiable": False,
        "fused": False,
    }

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
            (lr, "learning rate"),
            (momentum, "momentum value"),
            (weight_decay, "weight_decay value"),
        )
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError(
                f"[SGD] Nesterov momentum requires a momentum and zero dampening, got momentum={momentum}, dampening={dampening}"
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

    def _kept(self, group: dict[str, Any]) -> tuple[str | None, ...]:
        return ("momentum_buffer" if group["momentum"] != 0 else None,)

    def _needed_state(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ()

    def _step_group(self, group: dict[str, Any]) -> None:
        params = [p for p in group["params"] if p.grad is not None]
        grads = [p.grad for p in params]
        if any(type(g) is not Tensor and g.layout is not taeda.strided for g in grads):
            self._step_sparse(group)
            return
        if group["fused"]:
            for p in params:
                self._check_parameter(p, group)
        if group["momentum"] == 0:
            self._run({**group, "first_step": False}, params, grads, [[]])
            return
        states = [self.state[p] for p in params]
        buffers = [state.get("momentum_buffer") for state in states]
        fresh = [i for i, buffer in enumerate(buffers) if buffer is None]
        for (some_params, some_grads, some_buffers), first_step in with_buffers([params, grads, buffers]):
            self._run({**group, "first_step": first_step}, some_params, some_grads, [some_buffers])
        for i in fresh:
            states[i]["momentum_buffer"] = buffers[i]

    def _step_sparse(self, group: dict[str, Any]) -> None:
        if group["fused"]:
            raise RuntimeError("[SGD] `_fused_sgd` does not support sparse gradients; hint: fused=False")
        momentum = group["momentum"]
        for p, g in self._step_dense(group):
            if group["weight_decay"] != 0:
                g = g.add(p.detach(), alpha=group["weight_decay"])  # refused: a sum with a dense tensor is dense
            if momentum != 0:
                state = self.state[p]
                buffer = state.get("momentum_buffer")
                if buffer is None:
                    buffer = g.detach().clone()
                else:
                    buffer.mul_(momentum).add_(g, alpha=1 - group["dampening"])
                state["momentum_buffer"] = buffer
                g = g.add(buffer, alpha=momentum) if group["nesterov"] else buffer
            p.add_(g, alpha=-float(group["lr"]))
