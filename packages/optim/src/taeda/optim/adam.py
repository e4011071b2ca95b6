"""Adam, and AdamW, which is Adam with weight decay that does not pass through the moments."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import taeda
from taeda import Tensor, ops
from taeda.optim import composed
from taeda.optim.optimizer import (
    Optimizer,
    check_fused,
    check_hyper,
    check_one_element,
    new_step,
    params_of,
    steps_to_tensors,
)

__all__ = ["Adam", "AdamW"]


class Adam(Optimizer):
    """Adaptive moment estimation.

    d = ±g + weight_decay p;  m += (1 - beta1) (d - m);  v = beta2 v + (1 - beta2) d²;
    p -= lr m / (1 - beta1^t) / (sqrt(v) / sqrt(1 - beta2^t) + eps);
    with amsgrad the largest v so far takes v's place.

    Args:
        params: tensors, (name, tensor) pairs, or dicts with options of their own.
        lr: learning rate, a number or a one-element tensor.
        betas, eps, weight_decay, amsgrad: as in the formula.
        maximize: climb instead of descending.
        decoupled_weight_decay: p *= 1 - lr weight_decay instead of adding to the gradient: AdamW.
        foreach, fused, capturable: accepted; every step is fused.
        differentiable: record the step for autograd.

    Raises ValueError for options out of range.
    Sources: Kingma and Ba, "Adam", 2015; Reddi et al., "On the convergence of Adam and beyond", 2018.

    >>> import taeda
    >>> from taeda import optim
    >>> w = taeda.tensor([2.0], requires_grad=True)
    >>> opt = optim.Adam([w], lr=0.5, eps=0.0)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w.item()
    1.5
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        name = type(self).__name__
        check_one_element(name, "lr", lr)
        for i, beta in enumerate(betas):
            check_one_element(name, f"betas[{i}]", beta)
        check_hyper(
            name,
            (lr >= 0.0, "learning rate", lr),
            (eps >= 0.0, "epsilon value", eps),
            (0.0 <= betas[0] < 1.0, "beta parameter at index 0", betas[0]),
            (0.0 <= betas[1] < 1.0, "beta parameter at index 1", betas[1]),
            (weight_decay >= 0.0, "weight_decay value", weight_decay),
        )
        if not (
            (isinstance(betas[0], float)
            and isinstance(betas[1], float))
            or (isinstance(betas[0], Tensor)
            and isinstance(betas[1], Tensor))
        ):
            raise ValueError(
                f"[{name}] betas must be either both floats or both Tensors, got "
                f"{type(betas[0]).__name__} and {type(betas[1]).__name__}"
            )
        if foreach and not capturable and (isinstance(lr, Tensor) or isinstance(betas[0], Tensor)):
            what = "lr" if isinstance(lr, Tensor) else "betas[0]"
            raise ValueError(
                f"[{name}] {what} as a Tensor is not supported for capturable=False and foreach=True"
            )
        defaults = {
            "lr": lr,
            "betas": tuple(composed.to_scalar(beta) for beta in betas),
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)
        check_fused(name, fused, foreach, differentiable)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            for key, value in (
                ("amsgrad", False),
                ("maximize", False),
                ("foreach", None),
                ("capturable", False),
                ("differentiable", False),
                ("decoupled_weight_decay", False),
                ("fused", None),
            ):
                group.setdefault(key, value)
        steps_to_tensors(self)

    def _needed_state(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq")[: 4 if group.get("amsgrad") else 3]

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
        exp_avgs: list[Tensor] = []
        exp_avg_sqs: list[Tensor] = []
        max_exp_avg_sqs: list[Tensor] = []
        steps: list[Tensor] = []
        amsgrad = group["amsgrad"]
        states = self.state
        for p, g in params_of(group):
            state = states[p]
            if not state:
                state["step"] = new_step(group, p)
                state["exp_avg"] = taeda.zeros_like(p, requires_grad=False)
                state["exp_avg_sq"] = taeda.zeros_like(p, requires_grad=False)
                if amsgrad:
                    state["max_exp_avg_sq"] = taeda.zeros_like(p, requires_grad=False)
            params.append(p)
            grads.append(g)
            exp_avgs.append(state["exp_avg"])
            exp_avg_sqs.append(state["exp_avg_sq"])
            if amsgrad:
                max_exp_avg_sqs.append(state["max_exp_avg_sq"])
            steps.append(state["step"])
        beta1, beta2 = group["betas"]
        run = composed.adam if group["differentiable"] else ops.fused_adam_
        run(
            params,
            grads,
            exp_avgs,
            exp_avg_sqs,
            max_exp_avg_sqs,
            steps,
            lr=group["lr"],
            beta1=beta1,
            beta2=beta2,
            eps=group["eps"],
            weight_decay=group["weight_decay"],
            amsgrad=amsgrad,
            maximize=group["maximize"],
            decoupled=group["decoupled_weight_decay"],
        )


class AdamW(Adam):
    """Adam with decoupled weight decay: p *= 1 - lr weight_decay, apart from the moments.

    Arguments as for `Adam`; weight_decay is 1e-2 unless given.
    Source: Loshchilov and Hutter, "Decoupled weight decay regularization", 2019.

    >>> import taeda
    >>> from taeda import optim
    >>> w = taeda.tensor([2.0], requires_grad=True)
    >>> opt = optim.AdamW([w], lr=0.5, eps=0.0, weight_decay=0.5)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w.item()
    1.0
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group["decoupled_weight_decay"] = True  # also for states that Adam saved
