"""Adam: steps by running moments of the gradient."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from taeda import Tensor, ops
from taeda.optim import composed
from taeda.optim.checks import check_adam, check_fused, check_one_element, check_pair
from taeda.optim.functional import adam
from taeda.optim.fused import FusedOptimizer

__all__ = ["Adam", "adam"]


class Adam(FusedOptimizer):
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

    _formula = (ops.fused_adam_, composed.adam)
    _sparse_refusal = "Adam does not support sparse gradients, please consider SparseAdam instead"
    _younger: ClassVar[dict[str, Any]] = {
        **FusedOptimizer._younger,
        "amsgrad": False,
        "decoupled_weight_decay": False,
        "fused": None,
    }

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
        check_pair(name, "betas", betas)
        for i, beta in enumerate(betas):
            check_one_element(name, f"betas[{i}]", beta)
        check_adam(name, lr, betas, eps, weight_decay)
        kind = float if isinstance(betas[0], float) else Tensor
        if not all(isinstance(beta, kind) for beta in betas):
            raise ValueError(
                f"[{name}] betas must be either both floats or both Tensors, got {type(betas[0]).__name__} and {type(betas[1]).__name__}"
            )
        if foreach and not capturable and (isinstance(lr, Tensor) or isinstance(betas[0], Tensor)):
            what = "lr" if isinstance(lr, Tensor) else "betas[0]"
            raise ValueError(f"[{name}] {what} as a Tensor is not supported for capturable=False and foreach=True")
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

    def _kept(self, group: dict[str, Any]) -> tuple[str | None, ...]:
        return ("exp_avg", "exp_avg_sq", "max_exp_avg_sq" if group.get("amsgrad") else None, "step")

    def _init_group(self, group: dict[str, Any], *lists: list[Tensor]) -> bool:
        """Fill PyTorch's lists (parameters, gradients, both moments, their maximum, steps) for a subclass with a step of its own.

        Returns whether there are complex parameters.
        """
        gathered = self._gather(group)
        if gathered is None:
            self._step_sparse(group)
            return False
        params, grads, kept = gathered
        for asked, found in zip(lists, (params, grads, *kept), strict=True):
            asked.extend(found)
        return any(p.is_complex() for p in params)
