"""Of ``torch.distributed.checkpoint``, the states of models and optimizers by full names; nothing is divided among processes."""

from . import state_dict

__all__ = ["state_dict"]
