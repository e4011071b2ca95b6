"""SparseAdam: Adam for gradients that are sparse tensors."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import taeda
from taeda import Tensor
from taeda.optim.checks import ABOVE_ZERO, BELOW_ONE, check_hyper, check_one_element, check_pair
from taeda.optim.optimizer import Optimizer, loss_of

__all__ = ["SparseAdam"]


class SparseAdam(Optimizer):
    """Adam that moves only the elements of which a sparse gradient speaks.

    m += (1 - beta1) (g - m);  v += (1 - beta2) (g² - v);  p -= lr sqrt(1 - beta2^t) / (1 - beta1^t) m / (sqrt(v) + eps),
    each where g has an element: what it does not mention keeps its moments as well.

    Args:
        params: tensors, (name, tensor) pairs, or dicts with options of their own.
        lr: learning rate, a number or a one-element tensor.
        betas, eps: as in `Adam`.
        maximize: climb instead of descending.

    Raises ValueError for options out of range, and for complex or sparse parameters; ``step`` raises RuntimeError for a dense
    gradient, which `Adam` takes.

    >>> import taeda
    >>> from taeda import optim
    >>> table = taeda.zeros(3, 2, requires_grad=True)
    >>> opt = optim.SparseAdam([table], lr=0.5)
    >>> taeda.embedding(table, taeda.tensor([1]), sparse=True).sum().backward()
    >>> opt.step()
    >>> table[:, 0].detach().round(decimals=3)     # only row 1 was named
    tensor([ 0.0000, -0.5000,  0.0000])
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        maximize: bool = False,
    ) -> None:
        check_one_element("SparseAdam", "lr", lr)
        check_pair("SparseAdam", "betas", betas)
        check_hyper(
            "SparseAdam",
            (lr, "learning rate", ABOVE_ZERO),
            (eps, "epsilon value", ABOVE_ZERO),
            (betas[0], "beta parameter at index 0", BELOW_ONE),
            (betas[1], "beta parameter at index 1", BELOW_ONE),
        )
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize})
        if places := self._places(lambda p: p.layout is not taeda.strided):
            raise ValueError(f"[SparseAdam] Sparse params at indices {places}: SparseAdam requires dense parameter tensors")
        if places := self._places(Tensor.is_complex):
            raise ValueError(f"[SparseAdam] Complex params at indices {places}: SparseAdam does not support complex parameters")

    def _places(self, found: Callable[[Tensor], bool]) -> list[list[int]]:
        """Return [group, position] of each parameter that is ``found``."""
        return [[i, j] for i, group in enumerate(self.param_groups) for j, p in enumerate(group["params"]) if found(p)]

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update the parameters where their gradients have elements; return the closure's loss."""
        loss = None if closure is None else loss_of(closure)
        with taeda.no_grad():
            for group in self.param_groups:
                for i, p in enumerate(group["params"]):
                    if p.grad is None:
                        continue
                    if not p.grad.is_sparse:
                        raise RuntimeError(
                            f"[SparseAdam] does not support dense gradients, please consider Adam instead: the gradient of "
                            f"parameter {i}, of shape {tuple(p.shape)}, is dense"
                        )
                    self._update(p, p.grad, group)
        return loss

    def _update(self, p: Tensor, grad: Tensor, group: dict[str, Any]) -> None:
        state = self.state[p]
        if not state:
            state.update(step=0, exp_avg=taeda.zeros_like(p, requires_grad=False), exp_avg_sq=taeda.zeros_like(p, requires_grad=False))
        state["step"] += 1
        beta1, beta2 = group["betas"]
        where: Any
        g = (-grad if group["maximize"] else grad).coalesce()
        values, where = g.values(), tuple(g.indices())
        if values.numel() == 0:
            return
        moments = []
        for name, seen, beta in (("exp_avg", values, beta1), ("exp_avg_sq", values * values, beta2)):
            old = state[name][where]
            moments.append(old.add_((seen - old).mul_(1 - beta)))
            state[name][where] = moments[-1]
        first, second = 1 - beta1 ** state["step"], 1 - beta2 ** state["step"]
        rate = float(group["lr"]) * math.sqrt(second) / first
        step = moments[0].div_(moments[1].sqrt_().add_(group["eps"])).mul_(-rate)
        p.index_put_(where, step, accumulate=True)
