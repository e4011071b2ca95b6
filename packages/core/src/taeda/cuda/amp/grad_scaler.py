"""``taeda.cuda.amp.GradScaler`` by PyTorch's path."""

from taeda.cuda.amp import GradScaler

__all__ = ["GradScaler"]
