"""Optimizers and learning-rate schedules with PyTorch's names, over the fused steps of taeda's core.

    optimizer.py      parameter groups, state, state_dict, hooks
    sgd.py adam.py rmsprop.py   what each keeps and how a step is called
    composed.py       the same formulas in plain operations, for differentiable steps
    lr_scheduler/     schedules

The package knows nothing of ``taeda.nn``: a parameter is any leaf tensor.
"""

from taeda.optim import lr_scheduler
from taeda.optim._version import __version__
from taeda.optim.adam import Adam, AdamW
from taeda.optim.optimizer import Optimizer
from taeda.optim.rmsprop import RMSprop
from taeda.optim.sgd import SGD

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "RMSprop", "__version__", "lr_scheduler"]
