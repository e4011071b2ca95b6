"""FusedOptimizer: the frame of the optimizers whose step is one call of the core over all tensors of a group.

A subclass is a constructor, the names of what it keeps (`_kept`), the options of its formula (`_options`), and the
formula itself, twice: the core's fused step, and the same in plain operations (composed.py) for ``differentiable``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import taeda
from taeda import Tensor
from taeda.optim.optimizer import Optimizer, new_number

__all__ = ["FusedOptimizer"]

Formula = Callable[..., None]


class FusedOptimizer(Optimizer):
    """Gather parameters, gradients and state of each group, and call the formula on the lists."""

    # (fused, composed): called with the parameters, their gradients, a list for each name of _kept, and _options
    _formula: ClassVar[tuple[Formula, Formula]]
    # options that are younger than the oldest checkpoints, with the value that keeps those as they were
    _younger: ClassVar[dict[str, Any]] = {
        "foreach": None,
        "maximize": False,
        "differentiable": False,
        "capturable": False,
    }

    def _kept(self, group: dict[str, Any]) -> tuple[str | None, ...]:
        """Name the state that the formula takes, in its order; None: this group's options leave it out."""
        raise NotImplementedError

    def _options(self, group: dict[str, Any]) -> dict[str, Any]:
        """Return the formula's keyword arguments."""
        raise NotImplementedError

    def _new_state(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        """Make the state of a parameter before its first step: a step count, and zeros for the rest."""
        names = [name for name in self._kept(group) if name is not None and name not in self._numbers]
        return {
            "step": new_number(group, p),
            **{name: taeda.zeros_like(p, requires_grad=False) for name in names},
        }

    def _needed_state(self, group: dict[str, Any]) -> tuple[str, ...] | None:
        return tuple(name for name in self._kept(group) if name is not None)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            for key, value in self._younger.items():
                group.setdefault(key, value)
            for p in group["params"]:  # before PyTorch 1.12 counts were plain numbers
                kept = self.state.get(p) or {}
                for name in self._numbers:
                    if name in kept and not isinstance(kept[name], Tensor):
                        kept[name] = new_number(group, p, float(kept[name]))

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
        states: list[dict[str, Tensor]] = []
        state_of = self.state
        for p in group["params"]:
            g = p.grad
            if g is None:
                continue
            state = state_of[p]
            if not state:
                self._check_parameter(p, group)
                state.update(self._new_state(p, group))
            params.append(p)
            grads.append(g)
            states.append(state)
        kept = [[] if name is None else [s[name] for s in states] for name in self._kept(group)]
        self._run(group, params, grads, kept)

    def _run(
        self,
        group: dict[str, Any],
        params: list[Tensor],
        grads: list[Tensor],
        kept: list[list[Tensor]],
        **more: Any,
    ) -> None:
        fused, composed = type(self)._formula
        if not group["differentiable"]:
            fused(params, grads, *kept, **self._options(group), **more)
            return
        lists = [[taeda.view_as_real(x) if x.is_complex() else x for x in tensors] for tensors in (params, grads, *kept)]
        composed(*lists, **self._options(group), **more)

    def _check_parameter(self, p: Tensor, group: dict[str, Any]) -> None:
        """Raise RuntimeError where ``fused`` was asked for and PyTorch's fused step would refuse the parameter."""
        if group.get("fused") and not p.is_floating_point():
            raise RuntimeError(
                f"[{self._name}] `fused=True` requires all the params to be floating point Tensors, but got {p.dtype} "
                f"of shape {tuple(p.shape)} on {p.device}"
            )
