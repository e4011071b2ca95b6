"""The optimizers' steps as functions of lists: ``taeda.optim.adam.adam`` and its kin, for optimizers of one's own.

They take what PyTorch's take: parameters, gradients, the state as one list a name, ``state_steps`` of one-element
tensors, then options by name.  Parameters and state are written in place, so call them under ``no_grad``.

>>> import taeda
>>> from taeda.optim.sgd import sgd
>>> p = taeda.ones(2)
>>> options = {"weight_decay": 0.0, "momentum": 0.0, "dampening": 0.0, "nesterov": False, "maximize": False}
>>> sgd([p], [taeda.ones(2)], [None], lr=0.5, **options)
>>> p
tensor([0.5000, 0.5000])
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import taeda
from taeda import Tensor, ops
from taeda.optim import composed

__all__ = [
    "adadelta", "adagrad", "adam", "adamax", "adamw", "asgd", "nadam", "radam", "rmsprop", "rprop", "sgd",
]  # fmt: skip

Lists = list[Tensor]


def _run(
    fused: Callable[..., Any], formula: Callable[..., Any], differentiable: bool, lists: list[Lists], **options: Any
) -> None:
    """Check the step counts, which are the last list, and step all tensors in one call."""
    if not all(isinstance(step, Tensor) for step in lists[-1]):
        raise RuntimeError(
            f"[{formula.__name__}] `state_steps` must be a list of singleton tensors, got "
            f"{', '.join(sorted({type(step).__name__ for step in lists[-1]}))}"
        )
    _step(fused, formula, differentiable, lists, **options)


def _step(
    fused: Callable[..., Any], formula: Callable[..., Any], differentiable: bool, lists: list[Lists], **options: Any
) -> None:
    if not lists[0]:
        return
    if differentiable:
        lists = [[taeda.view_as_real(x) if x.is_complex() else x for x in tensors] for tensors in lists]
    (formula if differentiable else fused)(*lists, **options)


def _no_scale(name: str, grad_scale: Any, found_inf: Any) -> None:
    if grad_scale is not None or found_inf is not None:
        raise RuntimeError(f"[{name}] grad_scale and found_inf are not taken; let GradScaler.unscale_ do it before")


def adam(
    params: Lists,
    grads: Lists,
    exp_avgs: Lists,
    exp_avg_sqs: Lists,
    max_exp_avg_sqs: Lists,
    state_steps: Lists,
    foreach: bool | None = None,
    capturable: bool = False,
    differentiable: bool = False,
    fused: bool | None = None,
    grad_scale: Tensor | None = None,
    found_inf: Tensor | None = None,
    has_complex: bool = False,
    decoupled_weight_decay: bool = False,
    *,
    amsgrad: bool,
    beta1: float | Tensor,
    beta2: float | Tensor,
    lr: float | Tensor,
    weight_decay: float,
    eps: float,
    maximize: bool,
) -> None:
    """Step by Adam; see `taeda.optim.Adam` for the formula."""
    _no_scale("adam", grad_scale, found_inf)
    lists = [params, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs if amsgrad else [], state_steps]
    _run(
        ops.fused_adam_,
        composed.adam,
        differentiable,
        lists,
        amsgrad=amsgrad,
        beta1=beta1,
        beta2=beta2,
        lr=lr,
        weight_decay=weight_decay,
        eps=eps,
        maximize=maximize,
        decoupled=decoupled_weight_decay,
    )


def adamw(*lists: Any, **options: Any) -> None:
    """Step by AdamW: `adam` with decoupled weight decay."""
    adam(*lists, **{**options, "decoupled_weight_decay": True})


def rmsprop(
    params: Lists,
    grads: Lists,
    square_avgs: Lists,
    grad_avgs: Lists,
    momentum_buffer_list: Lists,
    state_steps: Lists,
    foreach: bool | None = None,
    maximize: bool = False,
    differentiable: bool = False,
    capturable: bool = False,
    has_complex: bool = False,
    *,
    lr: float | Tensor,
    alpha: float,
    eps: float,
    weight_decay: float,
    momentum: float,
    centered: bool,
) -> None:
    """Step by RMSprop; see `taeda.optim.RMSprop` for the formula."""
    velocities = momentum_buffer_list if momentum > 0 else []
    lists = [params, grads, square_avgs, grad_avgs if centered else [], velocities, state_steps]
    _run(
        ops.fused_rmsprop_,
        composed.rmsprop,
        differentiable,
        lists,
        lr=lr,
        alpha=alpha,
        eps=eps,
        weight_decay=weight_decay,
        momentum=momentum,
        centered=centered,
        maximize=maximize,
    )


def adagrad(
    params: Lists,
    grads: Lists,
    state_sums: Lists,
    state_steps: Lists,
    fused: bool | None = None,
    grad_scale: Tensor | None = None,
    found_inf: Tensor | None = None,
    has_sparse_grad: bool = False,
    foreach: bool | None = None,
    differentiable: bool = False,
    has_complex: bool = False,
    *,
    lr: float | Tensor,
    weight_decay: float,
    lr_decay: float,
    eps: float,
    maximize: bool,
) -> None:
    """Step by Adagrad; see `taeda.optim.Adagrad` for the formula."""
    _no_scale("adagrad", grad_scale, found_inf)
    lists = [params, grads, state_sums, state_steps]
    _run(
        ops.fused_adagrad_,
        composed.adagrad,
        differentiable,
        lists,
        lr=lr,
        weight_decay=weight_decay,
        lr_decay=lr_decay,
        eps=eps,
        maximize=maximize,
    )


def adadelta(
    params: Lists,
    grads: Lists,
    square_avgs: Lists,
    acc_deltas: Lists,
    state_steps: Lists,
    capturable: bool = False,
    foreach: bool | None = None,
    differentiable: bool = False,
    has_complex: bool = False,
    *,
    lr: float | Tensor,
    rho: float,
    eps: float,
    weight_decay: float,
    maximize: bool,
) -> None:
    """Step by Adadelta; see `taeda.optim.Adadelta` for the formula."""
    lists = [params, grads, square_avgs, acc_deltas, state_steps]
    _run(
        ops.fused_adadelta_,
        composed.adadelta,
        differentiable,
        lists,
        lr=lr,
        rho=rho,
        eps=eps,
        weight_decay=weight_decay,
        maximize=maximize,
    )


def adamax(
    params: Lists,
    grads: Lists,
    exp_avgs: Lists,
    exp_infs: Lists,
    state_steps: Lists,
    foreach: bool | None = None,
    maximize: bool = False,
    differentiable: bool = False,
    capturable: bool = False,
    has_complex: bool = False,
    *,
    eps: float,
    beta1: float | Tensor,
    beta2: float | Tensor,
    lr: float | Tensor,
    weight_decay: float,
) -> None:
    """Step by Adamax; see `taeda.optim.Adamax` for the formula."""
    lists = [params, grads, exp_avgs, exp_infs, state_steps]
    _run(
        ops.fused_adamax_,
        composed.adamax,
        differentiable,
        lists,
        eps=eps,
        beta1=beta1,
        beta2=beta2,
        lr=lr,
        weight_decay=weight_decay,
        maximize=maximize,
    )


def nadam(
    params: Lists,
    grads: Lists,
    exp_avgs: Lists,
    exp_avg_sqs: Lists,
    mu_products: Lists,
    state_steps: Lists,
    decoupled_weight_decay: bool = False,
    foreach: bool | None = None,
    capturable: bool = False,
    differentiable: bool = False,
    has_complex: bool = False,
    maximize: bool = False,
    *,
    beta1: float | Tensor,
    beta2: float | Tensor,
    lr: float | Tensor,
    weight_decay: float,
    momentum_decay: float,
    eps: float,
) -> None:
    """Step by NAdam; see `taeda.optim.NAdam` for the formula."""
    lists = [params, grads, exp_avgs, exp_avg_sqs, mu_products, state_steps]
    _run(
        ops.fused_nadam_,
        composed.nadam,
        differentiable,
        lists,
        beta1=beta1,
        beta2=beta2,
        lr=lr,
        weight_decay=weight_decay,
        momentum_decay=momentum_decay,
        eps=eps,
        maximize=maximize,
        decoupled=decoupled_weight_decay,
    )


def radam(
    params: Lists,
    grads: Lists,
    exp_avgs: Lists,
    exp_avg_sqs: Lists,
    state_steps: Lists,
    decoupled_weight_decay: bool = False,
    foreach: bool | None = None,
    differentiable: bool = False,
    capturable: bool = False,
    has_complex: bool = False,
    maximize: bool = False,
    *,
    beta1: float | Tensor,
    beta2: float | Tensor,
    lr: float | Tensor,
    weight_decay: float,
    eps: float,
) -> None:
    """Step by RAdam; see `taeda.optim.RAdam` for the formula."""
    lists = [params, grads, exp_avgs, exp_avg_sqs, state_steps]
    _run(
        ops.fused_radam_,
        composed.radam,
        differentiable,
        lists,
        beta1=beta1,
        beta2=beta2,
        lr=lr,
        weight_decay=weight_decay,
        eps=eps,
        maximize=maximize,
        decoupled=decoupled_weight_decay,
    )


def rprop(
    params: Lists,
    grads: Lists,
    prevs: Lists,
    step_sizes: Lists,
    state_steps: Lists,
    foreach: bool | None = None,
    capturable: bool = False,
    maximize: bool = False,
    differentiable: bool = False,
    has_complex: bool = False,
    *,
    step_size_min: float,
    step_size_max: float,
    etaminus: float,
    etaplus: float,
) -> None:
    """Step by Rprop; see `taeda.optim.Rprop` for the formula."""
    lists = [params, grads, prevs, step_sizes, state_steps]
    _run(
        ops.fused_rprop_,
        composed.rprop,
        differentiable,
        lists,
        step_size_min=step_size_min,
        step_size_max=step_size_max,
        etaminus=etaminus,
        etaplus=etaplus,
        maximize=maximize,
    )


def asgd(
    params: Lists,
    grads: Lists,
    axs: Lists,
    mus: Lists,
    etas: Lists,
    state_steps: Lists,
    foreach: bool | None = None,
    maximize: bool = False,
    differentiable: bool = False,
    capturable: bool = False,
    has_complex: bool = False,
    *,
    lambd: float,
    lr: float | Tensor,
    t0: float,
    alpha: float,
    weight_decay: float,
) -> None:
    """Step by ASGD; see `taeda.optim.ASGD` for the formula."""
    lists = [params, grads, axs, mus, etas, state_steps]
    _run(
        ops.fused_asgd_,
        composed.asgd,
        differentiable,
        lists,
        lambd=lambd,
        lr=lr,
        t0=t0,
        alpha=alpha,
        weight_decay=weight_decay,
        maximize=maximize,
    )


def sgd(
    params: Lists,
    d_p_list: Lists,
    momentum_buffer_list: list[Tensor | None],
    has_sparse_grad: bool = False,
    foreach: bool | None = None,
    fused: bool | None = None,
    grad_scale: Tensor | None = None,
    found_inf: Tensor | None = None,
    *,
    weight_decay: float,
    momentum: float,
    lr: float | Tensor,
    dampening: float,
    nesterov: bool,
    maximize: bool,
) -> None:
    """Step by SGD; see `taeda.optim.SGD` for the formula.  A momentum buffer that is None is made in its list."""
    _no_scale("sgd", grad_scale, found_inf)
    options: dict[str, Any] = {
        "lr": lr,
        "momentum": momentum,
        "dampening": dampening,
        "weight_decay": weight_decay,
        "nesterov": nesterov,
        "maximize": maximize,
    }
    if momentum == 0:
        _step(ops.fused_sgd_, composed.sgd, False, [params, d_p_list, []], **options)
        return
    fresh = [i for i, buffer in enumerate(momentum_buffer_list) if buffer is None]
    known = [i for i, buffer in enumerate(momentum_buffer_list) if buffer is not None]
    for i in fresh:
        momentum_buffer_list[i] = taeda.empty_like(params[i], requires_grad=False)
    for part, first_step in ((known, False), (fresh, True)):
        lists: Any = [[every[i] for i in part] for every in (params, d_p_list, momentum_buffer_list)]
        _step(ops.fused_sgd_, composed.sgd, False, lists, first_step=first_step, **options)
