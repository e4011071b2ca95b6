"""Averages of a model's weights along its training: AveragedModel, SWALR, update_bn and the averaging functions.

`AveragedModel` is a module of ``taeda.nn``, a package that optim does without: it is imported on first touch.
Source: Izmailov et al., "Averaging weights leads to wider optima and better generalization", 2018.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import taeda
from taeda import Tensor, ops
from taeda.optim.lr_scheduler.base import LRScheduler, check_optimizer, for_each_group
from taeda.optim.optimizer import Optimizer

if TYPE_CHECKING:
    from taeda.optim.averaged_model import AveragedModel

__all__ = [
    "SWALR",
    "AveragedModel",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]

Tensors = Sequence[Tensor]


def __getattr__(name: str) -> Any:
    if name == "AveragedModel":
        from taeda.optim.averaged_model import AveragedModel

        return AveragedModel
    raise AttributeError(f"module 'taeda.optim.swa_utils' has no attribute {name!r}")


def _check_decay(decay: float) -> None:
    if not 0.0 <= decay <= 1.0:
        raise ValueError(f"[swa_utils] Invalid decay value {decay} provided. Please provide a value in [0,1] range.")


def _has_fractions(x: Tensor) -> bool:
    return x.is_floating_point() or x.is_complex()


def get_ema_multi_avg_fn(decay: float = 0.999) -> Callable[[Tensors, Tensors, Any], None]:
    """Return a function of (averages, values, count) that sets every average to decay average + (1 - decay) value.

    Raises ValueError for a decay outside of [0, 1].

    >>> import taeda
    >>> from taeda.optim.swa_utils import get_ema_multi_avg_fn
    >>> average = [taeda.zeros(2)]
    >>> get_ema_multi_avg_fn(0.75)(average, [taeda.ones(2)], 1)
    >>> average
    [tensor([0.2500, 0.2500])]
    """
    _check_decay(decay)

    @taeda.no_grad()
    def ema_update(averages: Tensors, values: Tensors, _: Any) -> None:
        if _has_fractions(averages[0]):
            ops.fused_lerp_(list(averages), list(values), 1 - decay)
            return
        for average, value in zip(averages, values, strict=True):
            average.copy_(average * decay + value * (1 - decay))

    return ema_update


def get_swa_multi_avg_fn() -> Callable[[Tensors, Tensors, Any], None]:
    """Return a function of (averages, values, count) that takes each value into a plain mean of so many before it.

    >>> import taeda
    >>> from taeda.optim.swa_utils import get_swa_multi_avg_fn
    >>> averages = [taeda.tensor(1.0)]
    >>> get_swa_multi_avg_fn()(averages, [taeda.tensor(4.0)], 2)
    >>> averages
    [tensor(2.)]
    """

    @taeda.no_grad()
    def swa_update(averages: Tensors, values: Tensors, num_averaged: Any) -> None:
        if _has_fractions(averages[0]):
            ops.fused_lerp_(list(averages), list(values), float(1 / (num_averaged + 1)))
            return
        for average, value in zip(averages, values, strict=True):
            average.copy_(average + (value - average) / (num_averaged + 1))

    return swa_update


def get_ema_avg_fn(decay: float = 0.999) -> Callable[[Tensor, Tensor, Any], Tensor]:
    """Return a function of (average, value, count) that returns decay average + (1 - decay) value.

    Raises ValueError for a decay outside of [0, 1].

    >>> import taeda
    >>> from taeda.optim.swa_utils import get_ema_avg_fn
    >>> get_ema_avg_fn(0.75)(taeda.tensor(0.0), taeda.tensor(1.0), 1)
    tensor(0.2500)
    """
    _check_decay(decay)

    @taeda.no_grad()
    def ema_update(average: Tensor, value: Tensor, num_averaged: Any) -> Tensor:
        return decay * average + (1 - decay) * value

    return ema_update


def get_swa_avg_fn() -> Callable[[Tensor, Tensor, Any], Tensor]:
    """Return a function of (average, value, count) that returns the mean of so many values and one more.

    >>> import taeda
    >>> from taeda.optim.swa_utils import get_swa_avg_fn
    >>> get_swa_avg_fn()(taeda.tensor(1.0), taeda.tensor(4.0), 2)
    tensor(2.)
    """

    @taeda.no_grad()
    def swa_update(average: Tensor, value: Tensor, num_averaged: Any) -> Tensor:
        return average + (value - average) / (num_averaged + 1)

    return swa_update


@taeda.no_grad()
def update_bn(loader: Iterable[Any], model: Any, device: Any = None) -> None:
    """Compute the running statistics of a model's batch normalisations anew, by one pass over the data.

    Args:
        loader: batches: tensors, or lists or tuples that begin with one.
        model: a module of ``taeda.nn``, such as an `AveragedModel`; its mode is restored, also where a batch fails.
        device: where batches are moved before.

    >>> import taeda
    >>> from taeda import nn, optim
    >>> model = nn.Sequential(nn.BatchNorm1d(1))
    >>> optim.swa_utils.update_bn([taeda.tensor([[1.0], [3.0]]), taeda.tensor([[5.0], [7.0]])], model)
    >>> model[0].running_mean
    tensor([4.])
    """
    from taeda.nn.modules.batchnorm import _BatchNorm

    momenta = {module: module.momentum for module in model.modules() if isinstance(module, _BatchNorm)}
    if not momenta:
        return
    was_training = model.training
    model.train()
    for module in momenta:
        module.reset_running_stats()
        module.momentum = None  # a plain mean over all batches
    try:
        for batch in loader:
            x = batch[0] if isinstance(batch, (list, tuple)) else batch
            model(x if device is None else x.to(device))
    finally:
        for module, momentum in momenta.items():
            module.momentum = momentum
        model.train(was_training)


class SWALR(LRScheduler):
    """Move the rate of each group to ``swa_lr``, where it stays.

    lr = (1 - a) start + a swa_lr, with a = (1 - cos(pi s)) / 2 or s, s = min(1, epoch / anneal_epochs).

    Args:
        swa_lr: the last rate, a number or one per group.
        anneal_epochs: epochs of the way; 0: at once.
        anneal_strategy: 'cos' or 'linear'.

    Raises ValueError for an unknown strategy, and for anneal_epochs that is no integer of at least 0.

    >>> import taeda
    >>> from taeda import optim
    >>> opt = optim.SGD([taeda.zeros(1, requires_grad=True)], lr=1.0)
    >>> schedule = optim.swa_utils.SWALR(opt, swa_lr=0.5, anneal_epochs=2, anneal_strategy="linear")
    >>> rates = []
    >>> for _ in range(4):
    ...     rates += schedule.get_last_lr()
    ...     opt.step()
    ...     schedule.step()
    >>> rates
    [1.0, 0.75, 0.5, 0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float,
        anneal_epochs: int = 10,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        last_epoch: int = -1,
    ) -> None:
        check_optimizer("SWALR", optimizer)
        for rate, group in zip(for_each_group("SWALR", "swa_lr", optimizer, swa_lr), optimizer.param_groups, strict=True):
            group["swa_lr"] = rate
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"[SWALR] anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"[SWALR] anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        self._anneal_strategy = anneal_strategy
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def anneal_func(self, t: float) -> float:
        """Return how much of the way is done when a part t of the epochs is."""
        return self._cosine_anneal(t) if self._anneal_strategy == "cos" else self._linear_anneal(t)

    # by PyTorch's names: pickled schedules refer to them
    @staticmethod
    def _linear_anneal(t: float) -> float:
        return t

    @staticmethod
    def _cosine_anneal(t: float) -> float:
        return (1 - math.cos(math.pi * t)) / 2

    def get_lr(self) -> list[Any]:
        """Compute the rate of each group from the one before, which other schedules may have changed."""
        self._check_within_step()
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = (self.anneal_func(max(0, min(1, s / max(1, self.anneal_epochs)))) for s in (step - 1, step))
        rates = []
        for group in self.optimizer.param_groups:
            lr, target = group["lr"], group["swa_lr"]
            start = target if before == 1 else (lr - before * target) / (1 - before)
            rates.append(target * now + start * (1 - now))
        return rates
