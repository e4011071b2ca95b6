"""Signal processing (PyTorch's ``torch.signal``): the room of the windows."""

from taeda.signal import windows

__all__ = ["windows"]
