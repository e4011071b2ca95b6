"""Schedules made of schedules: one after the other, or several at once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from taeda.optim.lr_scheduler.base import LRScheduler, group_values, set_group_value
from taeda.optim.lr_scheduler.plateau import ReduceLROnPlateau
from taeda.optim.optimizer import Optimizer

__all__ = ["ChainedScheduler", "SequentialLR"]


class _Combined(LRScheduler):
    _schedulers: Sequence[LRScheduler]

    def _take(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None) -> Optimizer:
        """Check the parts and keep them; return their optimizer."""
        name = type(self).__name__
        if len(schedulers) < 1:
            raise ValueError(f"[{name}] expects at least one scheduler, but got no scheduler.")
        for i, s in enumerate(schedulers):
            if not hasattr(s, "optimizer"):
                raise TypeError(f"[{name}] the scheduler at index {i} should have `optimizer` as its attribute, got {type(s).__name__}")
            if isinstance(s, ReduceLROnPlateau):
                raise ValueError(f"[{name}] does not support `ReduceLROnPlateau`, whose step needs a metric, but got one at index {i}")
            optimizer = optimizer or s.optimizer
            if s.optimizer is not optimizer:
                raise ValueError(
                    f"[{name}] expects all schedulers to belong to the same optimizer, but {type(s).__name__} at index {i} has another one"
                )
        self._schedulers = schedulers
        assert optimizer is not None
        self.optimizer = optimizer
        return optimizer

    def state_dict(self) -> dict[str, Any]:
        state = super().state_dict()
        del state["_schedulers"]  # PyTorch's order of keys has it last
        state["_schedulers"] = [s.state_dict() for s in self._schedulers]
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict({key: value for key, value in state_dict.items() if key != "_schedulers"})
        for s, saved in zip(self._schedulers, state_dict["_schedulers"], strict=True):
            s.load_state_dict(saved)


class SequentialLR(_Combined):
    """Schedules one after the other: the one at index i takes over at ``milestones[i - 1]``.

    Args:
        schedulers: all made for ``optimizer``.
        milestones: one fewer than the schedulers, rising.

    Raises ValueError for another number of milestones or another optimizer.

    >>> import taeda
    >>> from taeda import optim
    >>> opt = optim.SGD([taeda.zeros(1, requires_grad=True)], lr=1.0)
    >>> warm = optim.lr_scheduler.ConstantLR(opt, factor=0.25, total_iters=2)
    >>> fall = optim.lr_scheduler.ExponentialLR(opt, gamma=0.5)
    >>> schedule = optim.lr_scheduler.SequentialLR(opt, [warm, fall], milestones=[2])
    >>> rates = []
    >>> for _ in range(4):
    ...     rates += schedule.get_last_lr()
    ...     opt.step()
    ...     schedule.step()
    >>> rates
    [0.25, 0.25, 1.0, 0.5]
    """

    def __init__(self, optimizer: Optimizer, schedulers: list[LRScheduler], milestones: list[int], last_epoch: int = -1) -> None:
        self._take(schedulers, optimizer)
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                f"[SequentialLR] expects the number of schedulers to be one more than the number of "
                f"milestone points, but got {len(schedulers)} schedulers and {len(milestones)} milestones"
            )
        self._milestones = milestones
        self.last_epoch = last_epoch + 1
        # Every part made its initial step when it was built: undo them, and let the first begin anew.
        for group in optimizer.param_groups:
            set_group_value(group, "lr", group["initial_lr"])
        _step_back(self)
        first = self._schedulers[bisect_right(milestones, 0)]
        first._initial_step()
        self._last_lr = first.get_last_lr()

    def step(self) -> None:  # type: ignore[override]
        """Move on by one epoch."""
        self.last_epoch += 1
        i = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[i]
        if i > 0 and self._milestones[i - 1] == self.last_epoch:
            scheduler._update_lr(0)
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()


def _step_back(scheduler: LRScheduler) -> None:
    if isinstance(scheduler, _Combined):
        for s in scheduler._schedulers:
            _step_back(s)
    else:
        scheduler.last_epoch -= 1


class ChainedScheduler(_Combined):
    """Several schedules at once: each multiplies what the ones before it left.

    Args:
        schedulers: all made for one optimizer.
        optimizer: that optimizer; None: the first schedule's.

    Raises ValueError for no schedules, schedules of different optimizers, and a `ReduceLROnPlateau`.

    >>> import taeda
    >>> from taeda import optim
    >>> opt = optim.SGD([taeda.zeros(1, requires_grad=True)], lr=1.0)
    >>> warm = optim.lr_scheduler.ConstantLR(opt, factor=0.5, total_iters=2)
    >>> fall = optim.lr_scheduler.ExponentialLR(opt, gamma=0.5)
    >>> schedule = optim.lr_scheduler.ChainedScheduler([warm, fall])
    >>> rates = []
    >>> for _ in range(4):
    ...     rates += schedule.get_last_lr()
    ...     opt.step()
    ...     schedule.step()
    >>> rates
    [0.5, 0.25, 0.25, 0.125]
    """

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        self._last_lr = group_values(self._take(schedulers, optimizer), "lr")

    def step(self) -> None:  # type: ignore[override]
        """Move every schedule on by one epoch."""
        for s in self._schedulers:
            s.step()
        self._last_lr = group_values(self.optimizer, "lr")
