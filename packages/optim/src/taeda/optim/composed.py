"""The steps in plain operations: slower than the fused ones, and recorded by autograd.

``differentiable=True`` leads here: a parameter is then a tensor with a history, its step becomes part of the
graph, and gradients flow through it to the gradients, the starting values and to options that are tensors.
What the graph may need later is cloned before it is written.
"""

from __future__ import annotations

from typing import Any

from taeda import Tensor

Lists = list[Tensor]


def to_scalar(value: Any) -> Any:
    """Return a one-element tensor as a 0-d one, anything else as it is."""
    return value.squeeze() if isinstance(value, Tensor) and value.dim() != 0 else value


def _direction(p: Tensor, g: Tensor, weight_decay: Any, maximize: bool) -> Tensor:
    d = -g if maximize else g
    return d + weight_decay * p.clone() if _is_set(weight_decay) else d


def _is_set(value: Any) -> bool:
    return (isinstance(value, Tensor) and value.requires_grad) or bool(value != 0)


def sgd(group: dict[str, Any], states: Any) -> None:
    """Step one group by SGD; see `taeda.optim.SGD` for the formula."""
    lr, momentum = to_scalar(group["lr"]), group["momentum"]
    for p in group["params"]:
        if p.grad is None:
            continue
        d = _direction(p, p.grad, group["weight_decay"], group["maximize"])
        if momentum != 0:
            buffer = states[p].get("momentum_buffer")
            buffer = (
                d.detach().clone() if buffer is None else momentum * buffer + (1 - group["dampening"]) * d
            )
            states[p]["momentum_buffer"] = buffer
            d = d + momentum * buffer if group["nesterov"] else buffer
        p.sub_(lr * d)


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
        if decoupled and _is_set(weight_decay):
            p.mul_(1 - lr * weight_decay)
        d = _direction(p, g, 0 if decoupled else weight_decay, maximize)
        exp_avgs[i].add_((d - exp_avgs[i].clone()) * (1 - beta1))
        exp_avg_sqs[i].mul_(beta2).add_(d * d * (1 - beta2))
        second = exp_avg_sqs[i].clone()
        if amsgrad:
            second = second.maximum(max_exp_avg_sqs[i].clone())
            max_exp_avg_sqs[i].copy_(second)
        denominator = second.sqrt() / (1 - beta2**t) ** 0.5 + eps
        p.sub_(exp_avgs[i].clone() / denominator * (lr / (1 - beta1**t)))


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
