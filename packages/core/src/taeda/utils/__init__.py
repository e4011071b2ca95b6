"""PyTorch's ``torch.utils``, as far as it is about tensors: ``taeda.utils.checkpoint`` and ``taeda.utils.hooks``."""

from taeda.utils import checkpoint, hooks

__all__ = ["checkpoint", "hooks"]
