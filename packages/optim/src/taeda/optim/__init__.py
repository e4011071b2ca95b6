"""Optimizers and learning-rate schedules with PyTorch's names, over the fused steps of taeda's core.

    optimizer.py      parameter groups, state, state_dict, hooks; _shared.py, what optimizers of programs import from it
    fused.py          the frame of the optimizers whose step is one call of the core
    adam.py ...       an optimizer a file: what it keeps and how its step is called
    checks.py         options within their ranges
    composed.py       the same formulas in plain operations, for differentiable steps
    functional.py     the steps as functions of lists
    lr_scheduler/     schedules
    swapped.py        a step on other parameters
    swa_utils.py      averages of a model's weights; averaged_model.py, the module that holds them

The package knows nothing of ``taeda.nn``: a parameter is any leaf tensor.
"""

from taeda.optim import lr_scheduler, swa_utils
from taeda.optim._version import __version__
from taeda.optim.adadelta import Adadelta
from taeda.optim.adafactor import Adafactor
from taeda.optim.adagrad import Adagrad
from taeda.optim.adam import Adam
from taeda.optim.adamax import Adamax
from taeda.optim.adamw import AdamW
from taeda.optim.asgd import ASGD
from taeda.optim.lbfgs import LBFGS
from taeda.optim.muon import Muon
from taeda.optim.nadam import NAdam
from taeda.optim.optimizer import Optimizer
from taeda.optim.radam import RAdam
from taeda.optim.rmsprop import RMSprop
from taeda.optim.rprop import Rprop
from taeda.optim.sgd import SGD
from taeda.optim.sparse_adam import SparseAdam
from taeda.optim.swapped import swap_in_optimizer_params_and_state

__all__ = [
    "ASGD",
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Muon",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "SparseAdam",
    "__version__",
    "lr_scheduler",
    "swa_utils",
    "swap_in_optimizer_params_and_state",
]
