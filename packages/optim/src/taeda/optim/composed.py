"""The steps in plain operations: slower than the fused ones, and recorded by autograd.

``differentiable=True`` leads here: a parameter is then a tensor with a history, its step becomes part of the
graph, and gradients flow through it to the gradients, the starting values and to options that are tensors.
What the graph may need later is cloned before it is written.
"""

from __future__ import annotations

from typing import Any

import taeda
from taeda import Tensor
from taeda.optim._shared import _to_scalar as to_scalar

Lists = list[Tensor]


def _direction(p: Tensor, g: Tensor, weight_decay: Any, maximize: bool) -> Tensor:
    d = -g if maximize else g
    return d + weight_decay * p.clone() if _is_set(weight_decay) else d


def _is_set(value: Any) -> bool:
    return (isinstance(value, Tensor) and value.requires_grad) or bool(value != 0)


def sgd(
    params: Lists,
    grads: Lists,
    momentum_buffers: Lists,
    *,
    lr: Any,
    momentum: float,
    dampening: float,
    weight_decay: Any,
    nesterov: bool,
    maximize: bool,
    first_step: bool = False,
) -> None:
    """Step by SGD; see `taeda.optim.SGD` for the formula."""
    lr = to_scalar(lr)
    for i, (p, g) in enumerate(zip(params, grads, strict=True)):
        d = _direction(p, g, weight_decay, maximize)
        if momentum != 0:
            if first_step:
                momentum_buffers[i].copy_(d.detach())
            else:
                momentum_buffers[i].mul_(momentum).add_(d * (1 - dampening))
            buffer = momentum_buffers[i].clone()
            d = d + momentum * buffer if nesterov else buffer
        p.sub_(lr * d)


def _moments(d: Tensor, exp_avg: Tensor, exp_avg_sq: Tensor, beta1: Any, beta2: Any) -> tuple[Tensor, Tensor]:
    """Move both running moments towards the direction and its square; return copies for the graph."""
    exp_avg.add_((d - exp_avg.clone()) * (1 - beta1))
    exp_avg_sq.mul_(beta2).add_(d * d * (1 - beta2))
    return exp_avg.clone(), exp_avg_sq.clone()


def _decayed(p: Tensor, g: Tensor, lr: Any, weight_decay: Any, decoupled: bool, maximize: bool) -> Tensor:
    """Apply the decay to the parameter where it is decoupled; return the direction."""
    if decoupled and _is_set(weight_decay):
        p.mul_(1 - lr * weight_decay)
    return _direction(p, g, 0 if decoupled else weight_decay, maximize)


def adam(
    params: Lists,
    grads: Lists,
    exp_avgs: Lists,
    exp_avg_sqs: Lists,
    max_exp_avg_sqs: Lists,
    steps: Lists,
    *,
    lr: Any,
    beta1: Any,
    beta2: Any,
    eps: float,
    weight_decay: Any,
    amsgrad: bool,
    maximize: bool,
    decoupled: bool,
) -> None:
    """Step by Adam or AdamW; see `taeda.optim.Adam` for the formula."""
    lr, beta1, beta2 = to_scalar(lr), to_scalar(beta1), to_scalar(beta2)
    for i, (p, g) in enumerate(zip(params, grads, strict=True)):
        if steps[i].requires_grad:
            raise RuntimeError("[Adam] `requires_grad` is not supported for `step` in differentiable mode")
        steps[i].add_(1)
        t = steps[i].item()
        d = _decayed(p, g, lr, weight_decay, decoupled, maximize)
        first, second = _moments(d, exp_avgs[i], exp_avg_sqs[i], beta1, beta2)
        if amsgrad:
            second = second.maximum(max_exp_avg_sqs[i].clone())
            max_exp_avg_sqs[i].copy_(second)
        denominator = second.sqrt() / (1 - beta2**t) ** 0.5 + eps
        p.sub_(first / denominator * (lr / (1 - beta1**t)))


def rmsprop(
    params: Lists,
    grads: Lists,
    square_avgs: Lists,
    grad_avgs: Lists,
    momentum_buffers: Lists,
    steps: Lists,
    *,
    lr: Any,
    alpha: float,
    eps: float,
    weight_decay: Any,
    momentum: float,
    centered: bool,
    maximize: bool,
) -> None:
    """Step by RMSprop; see `taeda.optim.RMSprop` for the formula."""
    lr = to_scalar(lr)
    for i, (p, g) in enumerate(zip(params, grads, strict=True)):
        steps[i].add_(1)
        d = _direction(p, g, weight_decay, maximize)
        square_avgs[i].mul_(alpha).add_(d * d * (1 - alpha))
        spread = square_avgs[i].clone()
        if centered:
            grad_avgs[i].add_((d - grad_avgs[i].clone()) * (1 - alpha))
            mean = grad_avgs[i].clone()
            spread = spread - mean * mean
        update = d / (spread.sqrt() + eps)
        if momentum > 0:
            momentum_buffers[i].mul_(momentum).add_(update)
            update = momentum_buffers[i].clone()
        p.sub_(lr * update)


def adamax(
    params: Lists,
    grads: Lists,
    exp_avgs: Lists,
    exp_infs: Lists,
    steps: Lists,
    *,
    lr: Any,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: Any,
    maximize: bool,
) -> None:
    """Step by Adamax; see `taeda.optim.Adamax` for the formula."""
    lr = to_scalar(lr)
    for i, (p, g) in enumerate(zip(params, grads, strict=True)):
        steps[i].add_(1)
        d = _direction(p, g, weight_decay, maximize)
        exp_avgs[i].add_((d - exp_avgs[i].clone()) * (1 - beta1))
        exp_infs[i].copy_((exp_infs[i].clone() * beta2).maximum(d.abs() + eps))
        p.sub_(exp_avgs[i].clone() / exp_infs[i].clone() * (lr / (1 - beta1 ** steps[i].item())))


def nadam(
    params: Lists,
    grads: Lists,
    exp_avgs: Lists,
    exp_avg_sqs: Lists,
    mu_products: Lists,
    steps: Lists,
    *,
    lr: Any,
    beta1: float,
    beta2: float,
    eps: float,
    momentum_decay: float,
    weight_decay: Any,
    maximize: bool,
    decoupled: bool,
) -> None:
    """Step by NAdam; see `taeda.optim.NAdam` for the formula."""
    lr = to_scalar(lr)
    for i, (p, g) in enumerate(zip(params, grads, strict=True)):
        steps[i].add_(1)
        t = steps[i].item()
        d = _decayed(p, g, lr, weight_decay, decoupled, maximize)
        mu, mu_next = (beta1 * (1 - 0.5 * 0.96 ** (s * momentum_decay)) for s in (t, t + 1))
        kept = mu_products[i].mul_(mu)
        product = kept.clone() if kept.requires_grad else kept.item()      # the next step changes it in place
        first, second = _moments(d, exp_avgs[i], exp_avg_sqs[i], beta1, beta2)
        denominator = (second / (1 - beta2**t)).sqrt() + eps
        p.sub_(d / denominator * (lr * (1 - mu) / (1 - product)))
        p.sub_(first / denominator * (lr * mu_next / (1 - product * mu_next)))


def radam(
    params: Lists,
    grads: Lists,
    exp_avgs: Lists,
    exp_avg_sqs: Lists,
    steps: Lists,
    *,
    lr: Any,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: Any,
    maximize: bool,
    decoupled: bool,
) -> None:
    """Step by RAdam; see `taeda.optim.RAdam` for the formula."""
    lr = to_scalar(lr)
    most = 2 / (1 - beta2) - 1
    for i, (p, g) in enumerate(zip(params, grads, strict=True)):
        steps[i].add_(1)
        t = steps[i].item()
        d = _decayed(p, g, lr, weight_decay, decoupled, maximize)
        first, second = _moments(d, exp_avgs[i], exp_avg_sqs[i], beta1, beta2)
        correction = 1 - beta2**t
        rho = most - 2 * t * beta2**t / correction
        update = first / (1 - beta1**t) * lr
        if rho > 5:
            rect = ((rho - 4) * (rho - 2) * most / ((most - 4) * (most - 2) * rho)) ** 0.5
            update = update * (correction**0.5 / (second.sqrt() + eps)) * rect
        p.sub_(update)


def adagrad(
    params: Lists,
    grads: Lists,
    sums: Lists,
    steps: Lists,
    *,
    lr: Any,
    lr_decay: float,
    eps: float,
    weight_decay: Any,
    maximize: bool,
) -> None:
    """Step by Adagrad; see `taeda.optim.Adagrad` for the formula."""
    lr = to_scalar(lr)
    for i, (p, g) in enumerate(zip(params, grads, strict=True)):
        steps[i].add_(1)
        d = _direction(p, g, weight_decay, maximize)
        sums[i].add_(d * d)
        rate = lr / (1 + (steps[i].item() - 1) * lr_decay)
        p.sub_(d / (sums[i].clone().sqrt() + eps) * rate)


def adadelta(
    params: Lists,
    grads: Lists,
    square_avgs: Lists,
    acc_deltas: Lists,
    steps: Lists,
    *,
    lr: Any,
    rho: float,
    eps: float,
    weight_decay: Any,
    maximize: bool,
) -> None:
    """Step by Adadelta; see `taeda.optim.Adadelta` for the formula."""
    lr = to_scalar(lr)
    for i, (p, g) in enumerate(zip(params, grads, strict=True)):
        steps[i].add_(1)
        d = _direction(p, g, weight_decay, maximize)
        square_avgs[i].mul_(rho).add_(d * d * (1 - rho))
        delta = (acc_deltas[i] + eps).sqrt() / (square_avgs[i] + eps).sqrt() * d
        acc_deltas[i].mul_(rho).add_(delta * delta * (1 - rho))
        p.sub_(lr * delta)


def rprop(
    params: Lists,
    grads: Lists,
    prevs: Lists,
    step_sizes: Lists,
    steps: Lists,
    *,
    etaminus: float,
    etaplus: float,
    step_size_min: float,
    step_size_max: float,
    maximize: bool,
) -> None:
    """Step by Rprop; see `taeda.optim.Rprop` for the rule."""
    for i, (p, g) in enumerate(zip(params, grads, strict=True)):
        steps[i].add_(1)
        d = -g if maximize else g
        turn = d.detach() * prevs[i].detach()
        factor = taeda.ones_like(turn).masked_fill_(turn > 0, etaplus).masked_fill_(turn < 0, etaminus)
        step_sizes[i].mul_(factor).clamp_(step_size_min, step_size_max)
        d = d.masked_fill(turn < 0, 0)
        p.sub_(d.sign() * step_sizes[i].clone())
        prevs[i].copy_(d)


def asgd(
    params: Lists,
    grads: Lists,
    axs: Lists,
    mus: Lists,
    etas: Lists,
    steps: Lists,
    *,
    lr: Any,
    lambd: float,
    alpha: float,
    t0: float,
    weight_decay: Any,
    maximize: bool,
) -> None:
    """Step by ASGD; see `taeda.optim.ASGD` for the formula."""
    lr = to_scalar(lr)
    for i, (p, g) in enumerate(zip(params, grads, strict=True)):
        steps[i].add_(1)
        t = steps[i].item()
        d = _direction(p, g, weight_decay, maximize)
        eta, mu = etas[i].item(), mus[i].item()
        p.mul_(1 - lambd * eta).sub_(d * eta)
        if mu == 1:
            axs[i].copy_(p)
        else:
            axs[i].add_((p - axs[i]) * mu)
        etas[i].copy_(taeda.as_tensor(lr / (1 + lambd * lr * t) ** alpha))
        mus[i].copy_(taeda.as_tensor(1 / max(1, t - t0)))


def adafactor(
    params: Lists,
    grads: Lists,
    row_vars: Lists,
    col_vars: Lists | None,
    steps: Lists,
    *,
    lr: Any,
    beta2_decay: float,
    eps1: float,
    eps2: float,
    d: float,
    weight_decay: Any,
    maximize: bool,
) -> None:
    """Step by Adafactor; see `taeda.optim.Adafactor` for the formula."""
    lr = float(lr)
    for i, (p, g) in enumerate(zip(params, grads, strict=True)):
        steps[i].add_(1)
        if p.numel() == 0:
            continue
        t = steps[i].item()
        weight = t**beta2_decay
        rate = max(eps2, p.norm(2).item() / p.numel() ** 0.5) * min(lr, 1 / t**0.5)
        if weight_decay != 0:
            p.mul_(1 - lr * weight_decay)
        if col_vars is None:
            row_vars[i].lerp_(g * g, weight)
            second = row_vars[i]
        else:
            for factor, dim in ((row_vars[i], -1), (col_vars[i], -2)):
                factor.lerp_(g.norm(2, dim=dim, keepdim=True).square() / g.size(dim), weight)
            second = row_vars[i] @ col_vars[i] / row_vars[i].mean(dim=-2, keepdim=True).clamp(min=eps1)
        update = second.clamp(min=eps1 * eps1).rsqrt() * (-g if maximize else g)
        p.sub_(update * (rate / max(1.0, update.norm(2).item() / (update.numel() ** 0.5 * d))))
