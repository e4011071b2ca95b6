"""Muon: momentum whose update is made nearly orthogonal, for the matrices inside a network."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import taeda
from taeda import Tensor, ops
from taeda.optim.checks import check_one_element
from taeda.optim.optimizer import Optimizer, loss_of

__all__ = ["Muon"]

COEFFICIENTS = (3.4445, -4.775, 2.0315)  # of the quintic: steep at 0, within 0.7 and 1.2 near 1
MOST_STEPS = 100
BATCH = 1 << 20  # elements that are worked on together: small matrices of one shape pay for one call


def orthogonalize(updates: Tensor, coefficients: tuple[float, float, float], steps: int, eps: float) -> Tensor:
    """Move the singular values of matrices towards 1, by Newton-Schulz iteration in bfloat16.

    X = U / max(norm(U), eps);  each step X = a X + (b A + c A A) X with A = X X^T.

    Args:
        updates: (N, rows, columns); tall matrices are worked on transposed, so that A is small.
        coefficients: a, b, c.
        steps: number of iterations, below 100.

    Source: Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024.
    """
    if steps >= MOST_STEPS:
        raise ValueError(f"[Muon] Number of steps must be less than {MOST_STEPS} for computational efficiency, got {steps}")
    if len(coefficients) != 3:
        raise ValueError(f"[Muon] Coefficients must be a tuple of exactly 3 values, got {coefficients}")
    a, b, c = coefficients
    tall = updates.size(1) > updates.size(2)
    x = updates.bfloat16()
    x = x.mT if tall else x
    x = x / taeda.linalg.vector_norm(x, dim=(1, 2), keepdim=True).clamp(min=eps)
    for _ in range(steps):
        gram = x @ x.mT
        x = taeda.baddbmm(x, taeda.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.mT if tall else x


class Muon(Optimizer):
    """Momentum whose update is made nearly orthogonal, for matrices; the rest of a network wants AdamW.

    b += (1 - momentum) (g - b);  u = g + momentum (b - g) with nesterov, else b;  p *= 1 - lr weight_decay;
    p -= lr r orthogonal(u), where r is sqrt(max(1, rows / columns)).

    Args:
        params: matrices, (name, matrix) pairs, or dicts with options of their own.
        lr: learning rate, a number or a one-element tensor.
        weight_decay, momentum, nesterov: as in the formula.
        ns_coefficients, ns_steps, eps: polynomial, number of steps and smallest norm of the Newton-Schulz iteration.
        adjust_lr_fn: 'original' (also None): r as above; 'match_rms_adamw': 0.2 sqrt(max(rows, columns)), with which
            rates that were tuned for AdamW can be kept.

    Raises ValueError for negative options, an unknown adjust_lr_fn, and parameters that are no matrices.
    Sources: Jordan et al., 2024; Liu et al., "Muon is scalable for LLM training", 2025 (match_rms_adamw).

    >>> import taeda
    >>> from taeda import optim
    >>> w = taeda.eye(2).requires_grad_()
    >>> opt = optim.Muon([w], lr=0.5, weight_decay=0.0)
    >>> w.square().sum().backward()
    >>> opt.step()
    >>> (w.diagonal() < 0.7).all()
    tensor(True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = COEFFICIENTS,
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        check_one_element("Muon", "lr", lr)
        for name, value in (("Learning rate", lr), ("momentum", momentum), ("weight decay", weight_decay)):
            if not value >= 0.0:
                raise ValueError(f"[Muon] {name} should be >= 0 but is: {value}")
        if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
            raise ValueError(f"[Muon] Adjust learning rate function {adjust_lr_fn} is not supported; it is 'original' or 'match_rms_adamw'")
        defaults = {
            "lr": lr,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "nesterov": nesterov,
            "ns_coefficients": ns_coefficients,
            "eps": eps,
            "ns_steps": ns_steps,
            "adjust_lr_fn": adjust_lr_fn,
        }
        super().__init__(params, defaults)
        for group in self.param_groups:
            for p in group["params"]:
                if p.dim() != 2:
                    raise ValueError(f"[Muon] only supports 2D parameters whereas we found a parameter with size: {tuple(p.shape)}")

    @taeda.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update all parameters that have a gradient; return the closure's loss."""
        loss = None if closure is None else loss_of(closure)
        for group in self.param_groups:
            batches: dict[tuple[Any, ...], list[Tensor]] = {}
            for p in group["params"]:
                if p.grad is None:
                    continue
                if p.grad.layout is not taeda.strided:
                    raise RuntimeError("[Muon] Muon does not support sparse gradients; hint: sparse=False")
                if p.is_complex():
                    raise RuntimeError(f"[Muon] does not support complex parameters, got {p.dtype} of shape {tuple(p.shape)}")
                if p.dim() != 2:
                    raise ValueError(f"[Muon] Param gradient must be a 2D matrix, got shape {tuple(p.shape)}")
                key = (*p.shape, p.dtype, p.device)
                batch = batches.setdefault(key, [])
                batch.append(p)
                if len(batch) * p.numel() >= BATCH:
                    self._step_batch(batches.pop(key), group)
            for batch in batches.values():
                self._step_batch(batch, group)
        return loss

    def _step_batch(self, params: list[Tensor], group: dict[str, Any]) -> None:
        """Step parameters of one shape and dtype."""
        grads: list[Any] = [p.grad for p in params]
        states = [self.state[p] for p in params]
        for state, g in zip(states, grads, strict=True):
            if "momentum_buffer" not in state:
                state["momentum_buffer"] = taeda.zeros_like(g)
        buffers = [state["momentum_buffer"] for state in states]
        ops.fused_lerp_(buffers, grads, 1 - group["momentum"])
        updates = taeda.stack(buffers)
        if group["nesterov"]:
            updates = taeda.stack(grads).lerp(updates, group["momentum"])
        updates = orthogonalize(updates, group["ns_coefficients"], group["ns_steps"], group["eps"])
        rows, columns = params[0].shape
        if group["adjust_lr_fn"] == "match_rms_adamw":
            ratio = 0.2 * math.sqrt(max(rows, columns))
        else:
            ratio = math.sqrt(max(1, rows / columns))
        lr = float(group["lr"])
        for p, u in zip(params, updates.to(params[0].dtype), strict=True):          # rounded after each, as PyTorch's
            p.mul_(1 - lr * group["weight_decay"]).add_(u, alpha=-lr * ratio)
