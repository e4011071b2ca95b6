"""``taeda.cuda.amp.autocast`` and its neighbours by PyTorch's path."""

from taeda.cuda.amp import autocast, custom_bwd, custom_fwd

__all__ = ["autocast", "custom_bwd", "custom_fwd"]
