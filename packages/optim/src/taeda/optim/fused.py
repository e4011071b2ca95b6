"""FusedOptimizer: the frame of the optimizers whose step is one call of the core over all tensors of a group.

A subclass is a constructor, the names of what it keeps (`_kept`), and its formula, twice: the core's fused step, and the
same in plain operations (composed.py) for ``differentiable``, whose signature says how many lists and which options both take.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

import taeda
from taeda import Tensor
from taeda._override import dispatched_args
from taeda.optim.optimizer import Optimizer, loss_of, new_number

__all__ = ["FusedOptimizer", "arguments", "real_parts", "with_buffers"]

Formula = Callable[..., Any]

# options of formulas that go by another name in a group: the name, and the place where it is a pair
_KEYS: dict[str, tuple[str, int | None]] = {
    "beta1": ("betas", 0),
    "beta2": ("betas", 1),
    "decoupled": ("decoupled_weight_decay", None),
    "etaminus": ("etas", 0),
    "etaplus": ("etas", 1),
    "step_size_min": ("step_sizes", 0),
    "step_size_max": ("step_sizes", 1),
}


@functools.cache
def arguments(formula: Formula) -> tuple[int, tuple[str, ...]]:
    """Return how many lists a formula of composed.py takes, and the names of its options."""
    code = formula.__code__
    return code.co_argcount, code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]


def real_parts(lists: Sequence[Sequence[Tensor]]) -> list[list[Tensor]]:
    """Return the lists with complex tensors as the real ones that share their memory."""
    return [[taeda.view_as_real(x) if x.is_complex() else x for x in tensors] for tensors in lists]


def with_buffers(lists: Sequence[list[Any]]) -> Iterator[tuple[list[list[Any]], bool]]:
    """Make the momentum buffers that are None, in the last of the lists, each laid out as its gradient; those are in the second.

    Yields the lists of the tensors that had a buffer, then of those that have none before this, their first step.
    """
    grads, buffers = lists[1], lists[-1]
    fresh = [i for i, buffer in enumerate(buffers) if buffer is None]
    if not fresh:
        yield list(lists), False
        return
    known = [i for i, buffer in enumerate(buffers) if buffer is not None]
    for i in fresh:
        buffers[i] = taeda.empty_like(grads[i], requires_grad=False)
    for part, first_step in ((known, False), (fresh, True)):
        yield [[every[i] for i in part] for every in lists], first_step


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

    _sparse_refusal: ClassVar[str | None] = None

    # is a parameter twice in a group?  Its steps must follow each other; None: not looked yet
    _repeats: bool | None = None

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        super().add_param_group(param_group)
        self._repeats = None

    def _kept(self, group: dict[str, Any]) -> tuple[str | None, ...]:
        """Name the state that the formula takes, in its order; None: this group's options leave it out."""
        raise NotImplementedError

    def _options(self, group: dict[str, Any]) -> dict[str, Any]:
        """Return the formula's options."""
        found = {}
        for name in arguments(type(self)._formula[1])[1]:
            key, place = _KEYS.get(name, (name, None))
            found[name] = group[key] if place is None else group[key][place]
        return found

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
        self._repeats = None
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
        loss = None if closure is None else loss_of(closure)
        with taeda.set_grad_enabled(self.defaults.get("differentiable", False)):
            for group in self.param_groups:
                self._step_group(group)
        return loss

    def _step_group(self, group: dict[str, Any]) -> None:
        gathered = self._gather(group)
        if gathered is None:
            self._step_sparse(group)
        else:
            self._run(group, *gathered)

    def _gather(self, group: dict[str, Any]) -> tuple[list[Tensor], list[Tensor], list[list[Tensor]]] | None:
        """Return the parameters that have a gradient, the gradients, and their state; None where a gradient is sparse."""
        params: list[Tensor] = []
        grads: list[Tensor] = []
        states: list[dict[str, Tensor]] = []
        state_of = self.state
        for p in group["params"]:
            g = p.grad
            if g is None:
                continue
            if type(g) is not Tensor and g.layout is not taeda.strided:
                return None
            state = state_of[p]
            if not state:
                self._check_parameter(p, group)
                state.update(self._new_state(p, group))
            params.append(p)
            grads.append(g)
            states.append(state)
        return params, grads, [[] if name is None else [s[name] for s in states] for name in self._kept(group)]

    def _step_sparse(self, group: dict[str, Any]) -> None:
        """Update a group of which some gradients are sparse."""
        text = self._sparse_refusal or f"{self._name} does not support sparse gradients"
        raise RuntimeError(f"[{self._name}] {text}; hint: sparse=False")

    def _step_dense(self, group: dict[str, Any]) -> list[tuple[Tensor, Tensor]]:
        """Update the parameters whose gradients are dense; return the others, each with its sparse gradient, negated to maximize."""
        dense: list[Tensor] = []
        sparse: list[tuple[Tensor, Tensor]] = []
        for p in group["params"]:
            if p.grad is None or p.grad.layout is taeda.strided:
                dense.append(p)
            else:
                sparse.append((p, -p.grad if group["maximize"] else p.grad))
        self._step_group({**group, "params": dense})
        return sparse

    def _run(
        self,
        group: dict[str, Any],
        params: list[Tensor],
        grads: list[Tensor],
        kept: list[list[Tensor]],
    ) -> None:
        if len(params) > 1 and self._has_repeats():
            for i in range(len(params)):
                one = [tensors[i : i + 1] for tensors in kept]
                self._run(group, params[i : i + 1], grads[i : i + 1], one)
            return
        fused, composed = type(self)._formula
        # a class with a __torch_dispatch__ is told of the operators that the step is made of
        if not group["differentiable"] and not dispatched_args((params, grads), {}):
            fused(params, grads, *kept, **self._options(group))
            return
        composed(*real_parts((params, grads, *kept)), **self._options(group))

    def _has_repeats(self) -> bool:
        if self._repeats is None:
            self._repeats = any(len(set(g["params"])) != len(g["params"]) for g in self.param_groups)
        return self._repeats

    def _check_parameter(self, p: Tensor, group: dict[str, Any]) -> None:
        """Raise RuntimeError where ``fused`` was asked for and PyTorch's fused step would refuse the parameter."""
        if group.get("fused") and (p.is_meta or not p.is_floating_point()):
            raise RuntimeError(
                f"[{self._name}] `fused=True` requires all the params to be floating point Tensors with values, but got {p.dtype} "
                f"of shape {tuple(p.shape)} on {p.device}"
            )
