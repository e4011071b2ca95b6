"""An optimizer's step on other parameters: for the length of a block it holds those, with another state and other options."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

from taeda import Tensor
from taeda.optim.optimizer import Optimizer

__all__ = ["swap_in_optimizer_params_and_state"]


@contextmanager
def swap_in_optimizer_params_and_state(
    optimizer: Optimizer, swapin_parameters: Mapping[str, Tensor], swapin_optim_state: Mapping[str, Any]
) -> Iterator[None]:
    """Let an optimizer work on other parameters inside the block; afterwards it has its own again, with their state and options.

    Args:
        optimizer: one that has made a step, or loaded a state.
        swapin_parameters: as many tensors as the optimizer has parameters, in their order.
        swapin_optim_state: what ``state_dict()`` of such an optimizer returns. Tensors in it are written into where a step does so;
            what a step puts in their place is lost.

    Raises:
        RuntimeError: the optimizer has no state, or numbers of parameters or groups differ.

    >>> import copy, taeda
    >>> from taeda import optim
    >>> w, other = taeda.ones(1, requires_grad=True), taeda.tensor([5.0])
    >>> w.grad, other.grad = taeda.ones(1), taeda.ones(1)
    >>> opt = optim.SGD([w], lr=0.5, momentum=0.9)
    >>> opt.step()
    >>> with optim.swap_in_optimizer_params_and_state(opt, {"w": other}, copy.deepcopy(opt.state_dict())):
    ...     opt.step()
    >>> w.item(), other
    (0.5, tensor([4.0500]))
    """
    groups, state = _swapped(optimizer, list(swapin_parameters.values()), swapin_optim_state)
    own_state, own_groups = optimizer.state, [dict(group) for group in optimizer.param_groups]
    try:
        optimizer.state = state
        for group, other in zip(optimizer.param_groups, groups, strict=True):
            group.update(other)
        yield
    finally:
        optimizer.state = own_state
        del optimizer.param_groups[len(own_groups):]            # that the block has added
        for group, own in zip(optimizer.param_groups, own_groups, strict=True):
            group.clear()
            group.update(own)


def _swapped(optimizer: Optimizer, parameters: list[Tensor], saved: Mapping[str, Any]) -> tuple[list[dict[str, Any]], Any]:
    """Return the options of each group, other parameters among them, and the state by these."""
    op = "swap_in_optimizer_params_and_state"
    states, groups = saved.get("state"), saved.get("param_groups")
    if not isinstance(states, Mapping) or groups is None:
        raise RuntimeError(f"[{op}] a state is what state_dict() returns, {{'state': ..., 'param_groups': ...}}, got keys {list(saved)}")
    if not optimizer.state:
        raise RuntimeError(f"[{op}] the optimizer must have a state; make a step, or load one, first")
    if len(groups) != len(optimizer.param_groups):
        raise RuntimeError(f"[{op}] the state has a different number of parameter groups than the optimizer, got {len(groups)} and "
                           f"{len(optimizer.param_groups)}")
    counts, saved_counts = ([len(group["params"]) for group in of] for of in (optimizer.param_groups, groups))
    if len(parameters) != sum(counts) or saved_counts != counts:
        raise RuntimeError(f"[{op}] parameters must be as many as the optimizer's and the state's, in order, got {len(parameters)} for "
                           f"groups of {counts} and a state of {saved_counts}")
    rest = iter(parameters)
    found, state = [], cast("dict[Tensor, dict[str, Any]]", defaultdict(dict))
    for group in groups:
        own = [next(rest) for _ in group["params"]]
        found.append({**group, "params": own})
        for p, number in zip(own, group["params"], strict=True):
            state[p] = dict(states.get(number, {}))
    return found, state
