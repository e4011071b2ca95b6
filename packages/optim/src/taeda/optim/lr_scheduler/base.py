"""LRScheduler: what every schedule shares.

A schedule is called once an epoch (or once a batch, where its time is counted in batches), after the
optimizer's step.  ``last_epoch`` is the time; ``get_lr`` computes the rates at that time from those at the
time before, so that several schedules can be applied to one optimizer, and ``_get_closed_form_lr``, where a
schedule has it, computes them from the starting rates.
"""

from __future__ import annotations

import types
import warnings
from collections.abc import Callable
from typing import Any

from taeda import Tensor
from taeda.optim.composed import to_scalar
from taeda.optim.optimizer import Optimizer

__all__ = ["LRScheduler"]

EPOCH_DEPRECATION_WARNING = (
    "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated; call step() without it. Where it is given, the "
    "closed form of the schedule is used instead of the chainable one."
)


def check_optimizer(name: str, optimizer: Any) -> None:
    """Raise TypeError for what is no Optimizer."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"[{name}] {type(optimizer).__name__} is not an Optimizer")


def step_of(optimizer: Optimizer) -> Any:
    """Return the function that is the optimizer's step."""
    return getattr(optimizer.step, "__func__", optimizer.step)


def own(value: Any) -> Any:
    """Return a copy of a tensor (its value will change in place), anything else as it is."""
    return value.clone() if isinstance(value, Tensor) else value


def group_values(optimizer: Optimizer, key: str) -> list[Any]:
    """Return copies of one option of all groups."""
    return [own(group[key]) for group in optimizer.param_groups]


def set_group_value(group: dict[str, Any], key: str, value: Any) -> None:
    """Set an option of a group; a tensor is filled in place, so that all who hold it see the new value."""
    if isinstance(group[key], Tensor):
        group[key].fill_(to_scalar(value))
    else:
        group[key] = value


def for_each_group(name: str, what: str, optimizer: Optimizer, value: Any) -> list[Any]:
    """Return one value per group, from one for all or a list; ValueError where the list has another length."""
    if not isinstance(value, (list, tuple)):
        return [own(value) for _ in optimizer.param_groups]
    if len(value) != len(optimizer.param_groups):
        raise ValueError(
            f"[{name}] {what} must have the same length as optimizer.param_groups. {what} has {len(value)} "
            f"values, param_groups has {len(optimizer.param_groups)}."
        )
    return [own(v) for v in value]


def function_state(f: Callable[..., Any] | None) -> dict[str, Any] | None:
    """Return what can be saved of a callable: the attributes of an object, None for a function."""
    return None if f is None or isinstance(f, types.FunctionType) else f.__dict__.copy()


class _WithinStep:
    """While ``step`` asks for new rates, ``get_lr`` does not warn; a class, since a generator takes a third of a step's time."""

    __slots__ = ("schedule",)

    def __init__(self, schedule: LRScheduler) -> None:
        self.schedule = schedule

    def __enter__(self) -> None:
        self.schedule._get_lr_called_within_step = True

    def __exit__(self, *error: object) -> None:
        self.schedule._get_lr_called_within_step = False


class LRScheduler:
    """Base of the schedules; a subclass defines ``get_lr``.

    Args:
        optimizer: the optimizer whose groups' ``lr`` is changed.
        last_epoch: -1 to start anew; a later epoch to go on from a loaded optimizer, whose groups then have
            the key ``initial_lr``.

    Raises TypeError for no Optimizer, KeyError where ``initial_lr`` is missing.

    >>> import taeda
    >>> from taeda import optim
    >>> class Halving(optim.lr_scheduler.LRScheduler):
    ...     def get_lr(self):
    ...         return [rate / 2**self.last_epoch for rate in self.base_lrs]
    >>> opt = optim.SGD([taeda.zeros(1, requires_grad=True)], lr=1.0)
    >>> schedule = Halving(opt)
    >>> opt.step(), schedule.step(), schedule.get_last_lr()
    (None, None, [0.5])
    """

    optimizer: Optimizer
    base_lrs: list[Any]
    last_epoch: int
    _last_lr: list[Any]
    _get_lr_called_within_step: bool = False
    _is_initial: bool = False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        name = type(self).__name__
        check_optimizer(name, optimizer)
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", own(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"[{name}] param 'initial_lr' is not specified in param_groups[{i}] when resuming "
                    f"scheduler with last_epoch >= 0; load the optimizer's state_dict first, or start with "
                    f"last_epoch=-1"
                )
        self.base_lrs = group_values(optimizer, "initial_lr")
        self.last_epoch = last_epoch
        self._initial_step()

    def _initial_step(self) -> None:
        self._step_count = 0
        self.optimizer._watched_step = step_of(self.optimizer)
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def state_dict(self) -> dict[str, Any]:
        """Return all that the schedule keeps, except its optimizer.

        >>> import taeda
        >>> from taeda import optim
        >>> opt = optim.SGD([taeda.ones(1, requires_grad=True)], lr=1.0)
        >>> saved = optim.lr_scheduler.StepLR(opt, step_size=3).state_dict()
        >>> saved["step_size"], saved["last_epoch"], saved["base_lrs"]
        (3, 0, [1.0])
        """
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what ``state_dict()`` of a schedule of the same kind returned."""
        self.__dict__.update(state_dict)

    def get_last_lr(self) -> list[Any]:
        """Return the rate of each group as the last step left it.

        >>> import taeda
        >>> from taeda import optim
        >>> opt = optim.SGD([taeda.ones(1, requires_grad=True)], lr=1.0)
        >>> optim.lr_scheduler.LinearLR(opt, start_factor=0.25).get_last_lr()
        [0.25]
        """
        return self._last_lr

    def get_lr(self) -> list[Any]:
        """Compute the rate of each group at ``last_epoch``."""
        raise NotImplementedError(f"[{type(self).__name__}] a subclass of LRScheduler must define get_lr")

    def step(self, epoch: int | None = None) -> None:
        """Move on by one epoch and set the rates of all groups.

        >>> import taeda
        >>> from taeda import optim
        >>> opt = optim.SGD([taeda.ones(1, requires_grad=True)], lr=1.0)
        >>> schedule = optim.lr_scheduler.ExponentialLR(opt, gamma=0.5)
        >>> opt.step()
        >>> schedule.step()
        >>> opt.param_groups[0]["lr"]
        0.5
        """
        if self._step_count == 1:
            self._check_order()
        self._step_count += 1
        if epoch is not None:
            warnings.warn(EPOCH_DEPRECATION_WARNING, UserWarning, stacklevel=2)
        self._update_lr(epoch)

    def _check_order(self) -> None:
        """Warn where the optimizer has not stepped before the schedule, or cannot be watched any more."""
        text = None
        if self.optimizer._watched_step not in (None, step_of(self.optimizer)):
            text = (
                "Seems like `optimizer.step()` has been overridden after learning rate scheduler initialization. Please, make sure "
                "to call `optimizer.step()` before `lr_scheduler.step()`."
            )
        elif not self.optimizer._opt_called and "step" not in vars(self.optimizer) and getattr(step_of(self.optimizer), "hooked", False):
            # one whose step was replaced on the object before (by a gradient scaler, say) cannot be watched, nor one around another
            # optimizer that never called __init__
            text = (
                "Detected call of `lr_scheduler.step()` before `optimizer.step()`; call them in the opposite "
                "order, or the first value of the schedule is skipped."
            )
        if text is not None:
            warnings.warn(text, UserWarning, stacklevel=3)

    def _update_lr(self, epoch: int | None = None) -> None:
        with self._within_step():
            if epoch is None:
                self.last_epoch += 1
                values = self.get_lr()
            else:
                self.last_epoch = epoch
                values = getattr(self, "_get_closed_form_lr", self.get_lr)()
        self._set_lr(values)

    def _set_lr(self, values: list[Any]) -> None:
        for group, lr in zip(self.optimizer.param_groups, values, strict=True):
            set_group_value(group, "lr", lr)
        self._last_lr = group_values(self.optimizer, "lr")

    def _within_step(self) -> _WithinStep:
        return _WithinStep(self)

    def _check_within_step(self) -> None:
        if not self._get_lr_called_within_step:
            warnings.warn(
                "To get the last learning rate computed by the scheduler, please use `get_last_lr()`.",
                UserWarning,
                stacklevel=3,
            )

    def _scaled(self, factor: float) -> list[Any]:
        """Return the present rates times a factor."""
        return [group["lr"] * factor for group in self.optimizer.param_groups]

    def _unchanged(self) -> list[Any]:
        return group_values(self.optimizer, "lr")
