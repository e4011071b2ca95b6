"""SparseAdam: Adam for gradients that are sparse tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import taeda
from taeda import Tensor
from taeda.optim.optimizer import Optimizer, check_hyper, check_one_element

__all__ = ["SparseAdam"]


class SparseAdam(Optimizer):
    """Adam that moves only the elements of which a sparse gradient speaks.

    taeda has no sparse tensors yet: a step with a dense gradient is refused, as PyTorch's is, and `Adam` is the
    optimizer to take.  Options, groups and state_dict are PyTorch's.

    Args:
        params: tensors, (name, tensor) pairs, or dicts with options of their own.
        lr: learning rate, a number or a one-element tensor.
        betas, eps: as in `Adam`.
        maximize: climb instead of descending.

    Raises ValueError for options out of range and for complex parameters; ``step`` raises RuntimeError for a dense
    gradient.

    >>> import taeda
    >>> from taeda import optim
    >>> optim.SparseAdam([taeda.zeros(3, requires_grad=True)]).defaults["betas"]
    (0.9, 0.999)
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
        check_hyper(
            "SparseAdam",
            (lr > 0.0, "learning rate", lr),
            (eps > 0.0, "epsilon value", eps),
            (0.0 <= betas[0] < 1.0, "beta parameter at index 0", betas[0]),
            (0.0 <= betas[1] < 1.0, "beta parameter at index 1", betas[1]),
        )
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize})
        places = [[i, j] for i, group in enumerate(self.param_groups) for j, p in enumerate(group["params"]) if p.is_complex()]
        if places:
            raise ValueError(f"[SparseAdam] Complex params at indices {places}: SparseAdam does not support complex parameters")

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Run the closure, and refuse the dense gradients."""
        loss = None
        if closure is not None:
            with taeda.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for i, p in enumerate(group["params"]):
                if p.grad is not None:
                    raise RuntimeError(
                        f"[SparseAdam] does not support dense gradients, please consider Adam instead: the gradient of "
                        f"parameter {i}, of shape {tuple(p.shape)}, is dense"
                    )
        return loss
