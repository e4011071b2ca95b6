"""AdamW: Adam with weight decay that does not pass through the moments."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from taeda import Tensor
from taeda.optim.adam import Adam
from taeda.optim.functional import adamw

__all__ = ["AdamW", "adamw"]


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
