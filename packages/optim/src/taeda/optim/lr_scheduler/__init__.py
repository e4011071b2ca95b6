"""Learning-rate schedules: each changes the ``lr`` of an optimizer's groups when its ``step()`` is called.

base.py        LRScheduler: the epoch, the starting rates, saving and loading
decay.py       rates that fall, or follow a function of the epoch
cycle.py       rates that rise and fall
plateau.py     a rate that falls when a metric stops improving
combined.py    schedules one after the other, or several at once
"""

from functools import partial

from taeda.optim.lr_scheduler.base import (
    EPOCH_DEPRECATION_WARNING as EPOCH_DEPRECATION_WARNING,  # programs filter by it
    LRScheduler,
    _WithinStep,
    for_each_group,
    group_values,
    set_group_value,
)
from taeda.optim.lr_scheduler.combined import ChainedScheduler, SequentialLR
from taeda.optim.lr_scheduler.cycle import CosineAnnealingWarmRestarts, CyclicLR, OneCycleLR
from taeda.optim.lr_scheduler.decay import (
    ConstantLR,
    CosineAnnealingLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiplicativeLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)
from taeda.optim.lr_scheduler.plateau import ReduceLROnPlateau

_LRScheduler = LRScheduler  # its name before PyTorch 2.0
# PyTorch's names, for schedules that a program wrote after PyTorch's
_enable_get_lr_call = _WithinStep
_warn_get_lr_called_within_step = LRScheduler._check_within_step
_format_param = partial(for_each_group, "lr_scheduler")
_param_groups_val_list = group_values
_update_param_group_val = set_group_value

__all__ = [
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]
