"""Adafactor: a second moment kept as one row and one column for each matrix."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import taeda
from taeda import Tensor, ops
from taeda.optim import composed
from taeda.optim.checks import check_one_element, check_pair
from taeda.optim.fused import FusedOptimizer
from taeda.optim.optimizer import new_number

__all__ = ["Adafactor"]


class Adafactor(FusedOptimizer):
    """Adaptive steps with memory below that of the parameters.

    w = t^beta2_decay;  a = max(eps[1], rms(p)) min(lr, 1 / sqrt(t));  p *= 1 - lr weight_decay;
    for matrices (the last two dimensions) R += w (mean of g² over columns - R), C += w (mean over rows - C) and
    V = R C / max(mean R, eps[0]), for vectors V += w (g² - V);
    u = ±g / max(sqrt(V), eps[0]);  p -= a u / max(1, rms(u) / d).

    Args:
        params: tensors, (name, tensor) pairs, or dicts with options of their own.
        lr: bound of the relative step size, a number or a one-element tensor.
        beta2_decay, d, weight_decay: as in the formula.
        eps: as in the formula; None: the spacing of the parameter's dtype at 1.
        foreach: accepted; every step is fused.
        maximize: climb instead of descending.

    Raises ValueError for options out of range, RuntimeError for complex parameters.
    Source: Shazeer and Stern, "Adafactor: adaptive learning rates with sublinear memory cost", 2018.

    >>> import taeda
    >>> from taeda import optim
    >>> w = taeda.ones(4, 8, requires_grad=True)
    >>> opt = optim.Adafactor([w], lr=0.5)
    >>> w.square().sum().backward()
    >>> opt.step()
    >>> w[0, 0].item(), opt.state[w]["row_var"].shape, opt.state[w]["col_var"].shape
    (0.5, taeda.Size([4, 1]), taeda.Size([1, 8]))
    """

    _formula = (ops.fused_adafactor_, composed.adafactor)
    _younger: ClassVar[dict[str, Any]] = {"foreach": None}

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        check_one_element("Adafactor", "lr", lr)
        check_pair("Adafactor", "eps", eps)
        for holds, rule in (
            (lr >= 0.0, f"Learning rate should be >= 0 but is: {lr}"),
            (beta2_decay <= 0.0, f"beta2_decay should be <= 0 but is: {beta2_decay}"),
            (eps[0] is None or eps[0] >= 0.0, f"epsilon1 should be >= 0 but is: {eps[0]}"),
            (eps[1] >= 0.0, f"epsilon2 should be >= 0 but is: {eps[1]}"),
            (d >= 1.0, f"Clipping threshold d should be >= 1 but is: {d}"),
            (weight_decay >= 0.0, f"weight_decay should be >= 0 but is: {weight_decay}"),
        ):
            if not holds:
                raise ValueError(f"[Adafactor] {rule}")
        defaults = {
            "lr": lr,
            "beta2_decay": beta2_decay,
            "eps": eps,
            "d": d,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _needed_state(self, group: dict[str, Any]) -> None:
        return None

    def _new_state(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        if p.dim() < 2:
            return {"step": new_number(group, p), "variance": taeda.zeros_like(p, requires_grad=False)}
        *batch, rows, columns = p.shape
        return {
            "step": new_number(group, p),
            "row_var": p.new_zeros((*batch, rows, 1)),
            "col_var": p.new_zeros((*batch, 1, columns)),
        }

    def _check_parameter(self, p: Tensor, group: dict[str, Any]) -> None:
        if p.is_complex():
            raise RuntimeError(f"[Adafactor] does not support complex parameters, got {p.dtype} of shape {tuple(p.shape)}")

    def _step_group(self, group: dict[str, Any]) -> None:
        batches: dict[tuple[Any, ...], list[tuple[Tensor, ...]]] = {}
        for p in group["params"]:
            g = p.grad
            if g is None:
                continue
            if g.layout is not taeda.strided:
                self._step_sparse(group)
                return
            state = self.state[p]
            if not state:
                self._check_parameter(p, group)
                state.update(self._new_state(p, group))
            names = ("step", "row_var", "col_var") if p.dim() > 1 else ("step", "variance")
            plain = p.dtype in (taeda.float32, taeda.float64) and p.is_contiguous() and g.is_contiguous()
            alone = len(batches) if self._has_repeats() else 0
            row = (p, g, *(state[name] for name in names))
            batches.setdefault((p.dtype, len(names), plain, alone), []).append(row)
        for (dtype, _, plain, _), batch in batches.items():
            params, grads, steps, first, *second = ([row[i] for row in batch] for i in range(len(batch[0])))
            run: Callable[..., Any] = self._formula[0 if plain else 1]
            run(params, grads, first, second[0] if second else None, steps, **self._options(group, dtype))

    def _options(self, group: dict[str, Any], dtype: Any = None) -> dict[str, Any]:
        eps1, eps2 = group["eps"]
        names = ("lr", "beta2_decay", "d", "weight_decay", "maximize")
        return {
            "eps1": taeda.finfo(dtype).eps if eps1 is None else eps1,
            "eps2": eps2,
            **{name: group[name] for name in names},
        }
