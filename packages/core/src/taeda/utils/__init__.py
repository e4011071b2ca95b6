"""PyTorch's ``torch.utils``, as far as it is about tensors: ``taeda.utils.checkpoint``."""

from taeda.utils import checkpoint

__all__ = ["checkpoint"]
