"""Adagrad: steps divided by the root of the sum of all squared gradients."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import taeda
from taeda import Tensor, ops
from taeda.optim import composed
from taeda.optim.checks import check_fused, check_hyper, check_one_element
from taeda.optim.functional import adagrad
from taeda.optim.fused import FusedOptimizer
from taeda.optim.optimizer import new_number

__all__ = ["Adagrad", "adagrad"]


class Adagrad(FusedOptimizer):
    """Steps divided by the root of the sum of all squared gradients.

    d = ±g + weight_decay p;  s += d²;  p -= lr / (1 + (t - 1) lr_decay) d / (sqrt(s) + eps).

    Args:
        params: tensors, (name, tensor) pairs, or dicts with options of their own.
        lr: learning rate, a number or a one-element tensor.
        lr_decay, weight_decay, eps: as in the formula.
        initial_accumulator_value: what s starts from.
        foreach, fused: accepted; every step is fused.
        maximize: climb instead of descending.
        differentiable: record the step for autograd.

    Raises ValueError for negative options.
    Source: Duchi et al., "Adaptive subgradient methods for online learning and stochastic optimization", 2011.

    >>> import taeda
    >>> from taeda import optim
    >>> w = taeda.tensor([2.0], requires_grad=True)
    >>> opt = optim.Adagrad([w], lr=0.5, eps=0.0)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w.item()
    1.5
    """

    _formula = (ops.fused_adagrad_, composed.adagrad)
    _younger: ClassVar[dict[str, Any]] = {
        "foreach": None,
        "maximize": False,
        "differentiable": False,
        "fused": None,
    }

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_one_element("Adagrad", "lr", lr)
        check_hyper(
            "Adagrad",
            (lr, "learning rate"),
            (lr_decay, "lr_decay value"),
            (weight_decay, "weight_decay value"),
            (initial_accumulator_value, "initial_accumulator_value value"),
            (eps, "epsilon value"),
        )
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        check_fused("Adagrad", fused, foreach, differentiable)
        for group in self.param_groups:  # as PyTorch: before the first step, so that it can be shared
            for p in group["params"]:
                self.state[p] = self._new_state(p, group)

    def share_memory(self) -> None:
        """Move the sums to shared memory, for processes that train one model together."""
        for state in self.state.values():
            state["sum"].share_memory_()

    def _kept(self, group: dict[str, Any]) -> tuple[str | None, ...]:
        return ("sum", "step")

    def _new_state(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        start = self.defaults["initial_accumulator_value"]
        start = complex(start, start) if p.is_complex() else start
        return {"step": new_number(group, p), "sum": taeda.full_like(p, start, requires_grad=False)}

    def _step_group(self, group: dict[str, Any]) -> None:
        if group["fused"]:  # states are made before the first step, so that nothing else asks
            for p in group["params"]:
                if p.grad is not None:
                    self._check_parameter(p, group)
        super()._step_group(group)

    def _step_sparse(self, group: dict[str, Any]) -> None:
        if group["fused"]:
            raise RuntimeError("[Adagrad] `fused` does not support sparse grad or complex param; hint: fused=False")
        for p, gradient in self._step_dense(group):
            state = self.state[p]
            if not state:  # of a group that was added later
                state.update(self._new_state(p, group))
            state["step"] += 1
            if group["weight_decay"] != 0:
                raise RuntimeError("[Adagrad] weight_decay option is not compatible with sparse gradients")
            g = gradient.coalesce()
            rate = float(group["lr"]) / (1 + (float(state["step"]) - 1) * group["lr_decay"])
            values = g.values()
            state["sum"].add_(_like(g, values * values))
            root = state["sum"].sparse_mask(g).values().sqrt()
            p.add_(_like(g, values / (root + group["eps"])), alpha=-rate)


def _like(s: Tensor, values: Tensor) -> Tensor:
    """Return a sparse tensor of other values."""
    from taeda.sparse.creation import sparse_coo_tensor

    return sparse_coo_tensor(s.indices(), values, s.shape, is_coalesced=True)
